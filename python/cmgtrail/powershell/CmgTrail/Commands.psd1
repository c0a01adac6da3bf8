# The commands that the functions run: `python -m cmgtrail`, the words, an option for each parameter that is given
# (`--option=value`, once for each value), `--`, and the operands.
#
# Files: parameters that hold paths, which are made absolute. Options: text, numbers, and times, which are written in
# UTC. Flags: switches. Operands: whether paths follow, or `-`, for what goes to standard input, or codes.
@{
    'Get-CmgTrailFlow' = @{
        Words    = @('diagnose', '--format=jsonl')
        Files    = @{ Site = '--site'; Knowledge = '--knowledge' }
        Options  = @{ Since = '--since'; Until = '--until'; Client = '--client'; Encoding = '--encoding' }
        Flags    = @{}
        Operands = @('paths', 'none')
    }
    'Get-CmgTrailFinding' = @{
        Words    = @('diagnose', '--format=jsonl')
        Files    = @{ Site = '--site'; Knowledge = '--knowledge' }
        Options  = @{ Since = '--since'; Until = '--until'; Client = '--client'; Encoding = '--encoding' }
        Flags    = @{}
        Operands = @('paths', 'none')
    }
    'New-CmgTrailReport' = @{
        Words    = @('diagnose', '--format=jsonl')
        Files    = @{ Destination = '--html'; Site = '--site'; Knowledge = '--knowledge' }
        Options  = @{ Since = '--since'; Until = '--until'; Client = '--client'; Encoding = '--encoding' }
        Flags    = @{}
        Operands = @('paths', 'none')
    }
    'Get-CmgTrailRecord' = @{
        Words    = @('records', '--format=jsonl')
        Files    = @{}
        Options  = @{ Since = '--since'; Until = '--until'; Encoding = '--encoding' }
        Flags    = @{}
        Operands = @('paths')
    }
    'Test-CmgTrailToken' = @{
        Words    = @('token', '--format=json')
        Files    = @{ Key = '--keys' }
        Options  = @{
            Audience = '--audience'; Issuer = '--issuer'; Tenant = '--tenant'; At = '--at'; Leeway = '--leeway'
        }
        Flags    = @{ Mask = '--mask'; Inspect = '--inspect' }
        Operands = @('path', 'input')
    }
    'Test-CmgTrailCertificate' = @{
        Words    = @('cert', '--format=json')
        Files    = @{
            Root = '--roots'; Intermediate = '--intermediates'; Crl = '--crl'; Disallowed = '--disallowed'
        }
        Options  = @{
            CrlUnreachable = '--crl-unreachable'; HostName = '--host'; Purpose = '--purpose'; At = '--at'
            ChainProfile = '--profile'; Vantage = '--vantage'; Revocation = '--revocation'; MaxDepth = '--max-depth'
            InternalSuffix = '--internal-suffix'
        }
        Flags    = @{
            NoRootUpdate = '--no-root-update'; Phases = '--phases'; CrlCheck = '--crl-check'
            NoSiteCrl = '--no-site-crl'; Inspect = '--inspect'
        }
        Operands = @('paths', 'input')
    }
    'Test-CmgTrailSite' = @{
        Words    = @('preflight', '--format=json')
        Files    = @{ LogPath = '--logs' }
        Options  = @{ Client = '--client'; At = '--at' }
        Flags    = @{}
        Operands = @('path')
    }
    'Resolve-CmgTrailCode' = @{
        Words    = @('code', '--format=json')
        Files    = @{ Knowledge = '--knowledge' }
        Options  = @{ Component = '--component' }
        Flags    = @{}
        Operands = @('codes')
    }
}
