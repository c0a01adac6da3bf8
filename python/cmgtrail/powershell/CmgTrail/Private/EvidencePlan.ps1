function Get-EvidencePlan {
    # What is to be collected, in order. Each part has a Name, what it Says, the Command that collects it, and what that
    # is called With.
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)] [AllowEmptyCollection()] [hashtable[]] $Log,
        [Parameter(Mandatory)] [datetime] $Since,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [string[]] $CmgName,
        [Parameter(Mandatory)] [string] $TimeSource,
        [string[]] $Exclude = @()
    )
    $gateways = $CmgName -join ', '
    $lists = $Exclude -notcontains 'RevocationLists'
    $parts = @()
    if ($Log) {
        $megabytes = [math]::Round(($Log | ForEach-Object { $_.Length } | Measure-Object -Sum).Sum / 1mb, 1)
        $folders = @($Log | ForEach-Object { $_.Folder } | Sort-Object -Unique) -join ', '
        $parts += @{
            Name = 'Logs'; Command = 'Get-LogEvidence'; With = @{ Log = $Log }
            Says = "$($Log.Count) logs written to since $($Since.ToUniversalTime().ToString('u')), $megabytes MB, from $folders"
        }
    }
    $parts += @{
        Name = 'JoinStatus'; Command = 'Get-JoinStatusEvidence'; With = @{}
        Says = 'the output of dsregcmd /status: names and ids of device, tenant and user; no secret'
    }
    $parts += @{
        Name = 'Stores'; Command = 'Get-StoreEvidence'; With = @{}
        Says = "the certificates in the machine's root, intermediate and disallowed stores; no key"
    }
    $parts += @{
        Name = 'DeviceCertificate'; Command = 'Get-DeviceCertificateEvidence'; With = @{}
        Says = 'the certificate of the join to Entra, its public part; no key'
    }
    if ($CmgName) {
        $also = ''
        if ($lists) { $also = ', and which revocation lists of its certificates can be fetched, with the lists (HTTP)' }
        $parts += @{
            Name = 'PresentedChain'; Command = 'Get-GatewayEvidence'
            With = @{ CmgName = $CmgName; WithoutLists = -not $lists }
            Says = "the chain that $gateways presents (a TLS connection to port 443)$also"
        }
    }
    $parts += @{
        Name = 'Clock'; Command = 'Get-ClockEvidence'; With = @{ TimeSource = $TimeSource }
        Says = "how far the clock is from that of $TimeSource (NTP) and of $script:WebClock (HTTP)"
    }
    $parts | Where-Object { $Exclude -notcontains $_.Name }
}

function Save-EvidencePart {
    # Collects a part into the archive and emits a line for each piece of it. What fails is a warning, and the rest
    # goes on.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [object] $Archive,
        [Parameter(Mandatory)] [hashtable] $Part,
        # The folder of a kind of machine.
        [Parameter(Mandatory)] [hashtable] $Folder,
        [Parameter(Mandatory)] [string] $DefaultRole
    )
    Write-Verbose -Message "Collecting $($Part.Says)"
    $with = $Part.With
    try {
        & $Part.Command @with | ForEach-Object -Process {
            $piece = $_
            $role = $DefaultRole
            if ($piece.Role) { $role = $piece.Role }
            try {
                Add-Evidence -Archive $Archive -Folder $Folder[$role] -Evidence $piece
                "collected: $($Folder[$role])/$($piece.Entry)"
            }
            catch {
                "not collected: $($piece.Entry): $(Get-InnermostMessage -Failure $_)"
                Write-Warning -Message "Not collected: $($piece.Entry): $(Get-InnermostMessage -Failure $_)"
            }
        }
    }
    catch {
        "not collected: $($Part.Says): $(Get-InnermostMessage -Failure $_)"
        Write-Warning -Message "Not collected: $($Part.Says): $(Get-InnermostMessage -Failure $_)"
    }
}

function Test-Elevated {
    # True where this runs with the rights of an administrator.
    [OutputType([bool])]
    param()
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
    $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}
