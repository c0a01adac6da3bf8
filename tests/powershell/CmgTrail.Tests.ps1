# Pester 5, on a machine with PowerShell and a Python that has cmgtrail: Invoke-Pester tests\powershell

BeforeAll {
    $root = Split-Path (Split-Path $PSScriptRoot)
    Import-Module (Join-Path $root 'python\cmgtrail\powershell\CmgTrail\CmgTrail.psd1') -Force
    $corpus = Join-Path $root 'tests\corpus'
    $failing = Join-Path $corpus 'root-missing-mask-8\logs'
    $healthy = Join-Path $corpus 'healthy-install-and-registration\logs'
}

AfterAll {
    Remove-Module -Name CmgTrail
}

Describe 'The module' {
    It 'exports what the manifest says, each with help' {
        $manifest = Import-PowerShellDataFile -Path (Get-Module -Name CmgTrail).Path.Replace('.psm1', '.psd1')
        (Get-Command -Module CmgTrail).Name | Sort-Object | Should -Be $manifest.FunctionsToExport
        foreach ($command in Get-Command -Module CmgTrail) {
            $help = Get-Help -Name $command.Name -Full
            $help.Synopsis | Should -Not -BeNullOrEmpty
            $help.Examples.Example.Count | Should -BeGreaterThan 0
        }
    }
}

Describe 'Reading' {
    It 'gives findings as objects with times in UTC' {
        $finding = Get-CmgTrailFinding $failing | Select-Object -First 1
        $finding.failure | Should -Be 'cmg-root-ca-missing'
        $finding.PSObject.TypeNames[0] | Should -Be 'CmgTrail.Finding'
        $finding.first_seen | Should -BeOfType [datetime]
        $finding.first_seen.Kind | Should -Be 'Utc'
        $finding.evidence[0].PSObject.TypeNames[0] | Should -Be 'CmgTrail.Evidence'
    }

    It 'takes no finding for an error' {
        $PSNativeCommandUseErrorActionPreference = $true
        { Get-CmgTrailFinding $failing -ErrorAction Stop } | Should -Not -Throw
    }

    It 'makes an error of what cannot be read' {
        { Get-CmgTrailFlow (Join-Path $TestDrive 'nothing') -ErrorAction Stop } | Should -Throw '*nothing*'
        Get-CmgTrailFlow (Join-Path $TestDrive 'nothing') -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'CouldNotRun*'
    }

    It 'takes paths from the pipeline, as one trail' {
        $flows = Get-ChildItem -Path $failing -Recurse -Filter *.log | Get-CmgTrailFlow
        $flows.outcome | Should -Contain 'failed'
    }

    It 'reads nothing where nothing came through the pipeline' {
        Get-ChildItem -Path $TestDrive -Filter *.nothing | Get-CmgTrailFinding | Should -BeNullOrEmpty
    }

    It 'reads times that a caller gives in local time' {
        $at = [datetime]::SpecifyKind('2026-11-04T08:20:00', 'Utc').ToLocalTime()
        (Get-CmgTrailRecord $failing -Since $at).utc | ForEach-Object { $_ | Should -BeGreaterOrEqual $at.ToUniversalTime() }
    }

    It 'stops where the reader has enough' {
        (Get-CmgTrailRecord $failing | Select-Object -First 3).Count | Should -Be 3
    }

    It 'finds logs in folders with hard names' -ForEach @(
        @{ Name = 'a b' }, @{ Name = "it's" }, @{ Name = 'a;b' }, @{ Name = 'a$env:x' }, @{ Name = 'a&b' }, @{ Name = '[a]' }
    ) {
        $folder = Join-Path $TestDrive $Name
        Copy-Item -LiteralPath $failing -Destination $folder -Recurse
        (Get-CmgTrailFinding "$folder\").failure | Should -Contain 'cmg-root-ca-missing'
    }

    It 'says that there is nothing in healthy logs' {
        Get-CmgTrailFinding $healthy | Where-Object severity -eq error | Should -BeNullOrEmpty
    }

    It 'shows tables without an error' {
        Get-CmgTrailFlow $failing | Out-String | Should -Match 'cmg-connection'
        Get-CmgTrailFinding $failing | Format-List | Out-String | Should -Match 'remedy'
    }
}

Describe 'Reports, codes and validators' {
    It 'writes a report' {
        $file = New-CmgTrailReport $failing -Destination (Join-Path $TestDrive 'a report.html')
        $file.Length | Should -BeGreaterThan 10000
        New-CmgTrailReport $failing -Destination (Join-Path $TestDrive 'none.html') -WhatIf
        Join-Path $TestDrive 'none.html' | Should -Not -Exist
    }

    It 'explains codes however they are written' {
        (Resolve-CmgTrailCode 0x87D00231).name | Should -Be (Resolve-CmgTrailCode -2016411087).name
        Resolve-CmgTrailCode 0x12345678 -WarningVariable warned -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        $warned | Should -Not -BeNullOrEmpty
    }

    It 'takes the path of a certificate, its file and the certificate itself from the pipeline' {
        $chain = Join-Path $corpus 'artefact-revocation-list-inside-only\logs\client-PRO-L-5\cmg-presented.pem'
        $certificate = New-Object -TypeName System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $chain
        foreach ($given in $chain, (Get-Item -Path $chain), $certificate) {
            $report = $given | Test-CmgTrailCertificate -HostName 'elsewhere.example'
            $report.valid | Should -BeFalse
            ($report.checks | Where-Object status -eq failed).id | Should -Contain 'name-mismatch'
        }
    }

    It 'reads a token from the pipeline and leaves no trace of it' {
        $token = 'eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.c2lnbmF0dXJl'
        $said = $token | Test-CmgTrailToken -Inspect -Verbose 4>&1 | Out-String
        $said | Should -Match 'token'
        $said | Should -Not -Match 'eyJhdWQi'
        $secure = ConvertTo-SecureString -String $token -AsPlainText -Force
        (Test-CmgTrailToken $secure -Inspect).kind | Should -Be 'token'
    }
}

Describe 'Arguments' {
    It 'come out as they went in' -ForEach @(
        @{ Argument = '' }, @{ Argument = 'a b\' }, @{ Argument = 'say "hi"' }, @{ Argument = '\\s\c$\x y\' }, @{ Argument = '\"' }
    ) {
        $quoted = InModuleScope CmgTrail -Parameters @{ Argument = $Argument } { ConvertTo-NativeArgument -Argument $Argument }
        $quoted | Should -Not -BeNullOrEmpty
        $print = 'import sys; sys.stdout.write(sys.argv[1])'
        $python = (Get-Command -Name python -CommandType Application | Select-Object -First 1).Path
        $came = InModuleScope CmgTrail -Parameters @{ Python = $python; Line = @('-c', $print, $Argument) } {
            $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
            Invoke-Program -FilePath $Python -Argument $Line -Encoding $utf8 -Outcome @{}
        }
        "$came" | Should -Be $Argument
    }

    It 'do not wait for ever for a program that says much' {
        $much = 'import sys; sys.stderr.write("x" * 1000000); print("done")'
        $python = (Get-Command -Name python -CommandType Application | Select-Object -First 1).Path
        InModuleScope CmgTrail -Parameters @{ Python = $python; Line = @('-c', $much) } {
            $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
            Invoke-Program -FilePath $Python -Argument $Line -Encoding $utf8 -Outcome @{} | Should -Be 'done'
        }
    }
}

Describe 'Evidence' -Skip:($env:OS -ne 'Windows_NT') {
    It 'says what it would collect, and collects nothing' {
        Export-CmgTrailEvidence -Destination $TestDrive -WhatIf
        Get-ChildItem -Path $TestDrive -Filter cmgtrail-*.zip | Should -BeNullOrEmpty
    }

    It 'is a zip file that cmgtrail knows' {
        $file = Export-CmgTrailEvidence -Destination $TestDrive -Exclude 'PresentedChain', 'RevocationLists', 'Clock' 3>$null 6>$null
        Add-Type -AssemblyName System.IO.Compression.FileSystem
        $archive = [System.IO.Compression.ZipFile]::OpenRead($file.FullName)
        try { $names = $archive.Entries.FullName } finally { $archive.Dispose() }
        ($names -join ' ') | Should -Match "-$env:COMPUTERNAME/stores/root\.pem"
        ($names -join ' ') | Should -Match "-$env:COMPUTERNAME/dsregcmd\.txt"
    }

    It 'reads a log that is being written' {
        $log = Join-Path $TestDrive 'open.log'
        $writer = [System.IO.File]::Open($log, 'Create', 'Write', 'ReadWrite')
        try {
            $writer.WriteByte(65)
            $writer.Flush()
            InModuleScope CmgTrail -Parameters @{ Log = $log } {
                $shared = Open-SharedFile -Path $Log
                try { $shared.ReadByte() | Should -Be 65 } finally { $shared.Dispose() }
            }
        }
        finally { $writer.Dispose() }
    }
}
