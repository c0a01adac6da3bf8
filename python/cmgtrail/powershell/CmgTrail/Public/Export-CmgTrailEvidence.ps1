function Export-CmgTrailEvidence {
    <#
    .SYNOPSIS
    Collects on a client or server what cmgtrail needs, as one zip file. It needs no Python.

    .DESCRIPTION
    Run it on the machine that fails, elevated, and read the zip file where cmgtrail is installed. It collects

    - the logs of the last days that have to do with a Cloud Management Gateway,
    - the output of dsregcmd /status,
    - the machine's root, intermediate and disallowed stores, and the certificate of the join to Entra: public parts,
    - the chain that each gateway presents to this machine, and which of the revocation lists can be fetched from here,
    - how far the clock is off.

    It says what it collects before it does; -WhatIf says it and collects nothing, -Confirm asks for each part. It
    changes nothing on the machine. Log files that are in use are read all the same. What cannot be had is a warning and
    stands in collected.txt. Certificates, ids, names and addresses in the zip file are those of your organisation:
    treat it as you treat the logs.

    The chain is seen from where this runs, directly and by no proxy; revocation lists are fetched by the proxy of whoever
    runs this, while the client itself runs as SYSTEM.

    .PARAMETER Destination
    The zip file to write, or a folder for it. Default: cmgtrail-NAME-TIME.zip in the current folder.

    .PARAMETER Since
    Logs that were written to since then. Default: the last seven days.

    .PARAMETER Role
    What this machine is: client, management-point, connection-point, site-server. Default: what it has logs of.

    .PARAMETER CmgName
    The gateways, such as cmg.contoso.com. Default: those that the client of this machine knows. Name it where the client
    could not be installed.

    .PARAMETER TimeSource
    The NTP server that the clock is held against. Default: time.windows.com.

    .PARAMETER Exclude
    Parts to leave out.

    .PARAMETER Force
    Replace the zip file if it is there.

    .EXAMPLE
    Export-CmgTrailEvidence -WhatIf

    Says what would be collected.

    .EXAMPLE
    Export-CmgTrailEvidence -CmgName cmg.contoso.com -Since (Get-Date).AddDays(-2) -Destination \\server\share\cmg

    Collects the last two days into a zip file on a share.

    .EXAMPLE
    Export-CmgTrailEvidence -CmgName cmg.contoso.com | Get-CmgTrailFinding

    Collects, and reads it at once, where Python and cmgtrail are installed.

    .EXAMPLE
    Export-CmgTrailEvidence -Exclude PresentedChain, RevocationLists, Clock

    Without a connection to anywhere.

    .OUTPUTS
    System.IO.FileInfo

    .LINK
    Get-CmgTrailFinding
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([System.IO.FileInfo])]
    param(
        [Parameter(Position = 0)]
        [ValidateNotNullOrEmpty()]
        [string] $Destination = '.',

        [datetime] $Since = (Get-Date).AddDays(-7),

        [ValidateSet('client', 'management-point', 'connection-point', 'site-server')]
        [string[]] $Role = @('client', 'management-point', 'connection-point', 'site-server'),

        [ValidatePattern('\A[A-Za-z0-9.-]+\z')]
        [string[]] $CmgName,

        [ValidatePattern('\A[A-Za-z0-9.:-]+\z')]
        [string] $TimeSource = 'time.windows.com',

        [ValidateSet('Logs', 'JoinStatus', 'Stores', 'DeviceCertificate', 'PresentedChain', 'RevocationLists', 'Clock')]
        [string[]] $Exclude = @(),

        [switch] $Force
    )

    if (-not (Test-OnWindows)) {
        $PSCmdlet.ThrowTerminatingError((New-TrailError -Id 'NotWindows' -Category NotImplemented -Message (
            'Evidence is collected on a Windows machine: the client or server that fails.')))
    }
    $machine = $env:COMPUTERNAME
    $zip = Resolve-FilePath -Caller $PSCmdlet -Path $Destination
    if ([System.IO.Directory]::Exists($zip)) {
        $zip = Join-Path -Path $zip -ChildPath ("cmgtrail-$machine-" + (Get-UtcText).Replace(':', '').Substring(0, 17) + 'Z.zip')
    }
    if ([System.IO.File]::Exists($zip) -and -not $Force) {
        $PSCmdlet.ThrowTerminatingError((New-TrailError -Id 'Exists' -Category ResourceExists -Target $zip -Message (
            "'$zip' is there already. Give another name, or -Force to replace it.")))
    }
    if (-not (Test-Elevated)) { Write-Warning -Message 'Not elevated: some logs may not be readable.' }
    $logs = @($Role | ForEach-Object { Find-EvidenceLog -Role $_ -Since $Since })
    if (-not $logs -and $Exclude -notcontains 'Logs') {
        Write-Warning -Message "This machine has no logs of a $($Role -join ', ') that were written to since $($Since.ToUniversalTime().ToString('u'))."
    }
    $gateways = @($CmgName)
    if (-not $CmgName) { $gateways = @(Get-CmgName) }
    if (-not $gateways -and $Exclude -notcontains 'PresentedChain') {
        Write-Warning -Message 'No gateway is known on this machine: name it with -CmgName to see the chain that it presents.'
    }
    $plan = @(Get-EvidencePlan -Log $logs -Since $Since -CmgName $gateways -TimeSource $TimeSource -Exclude $Exclude)
    if (-not $WhatIfPreference) {
        Write-Host -Object "Into $zip go:"
        foreach ($part in $plan) { Write-Host -Object "  - $($part.Says)" }
    }
    $wanted = @($plan | Where-Object { $PSCmdlet.ShouldProcess($_.Says, 'Collect') })
    if (-not $wanted) { return }

    # The folder of a machine has its kind in front; a server may have several.
    $folders = @{}
    foreach ($one in $Role) { $folders[$one] = "$one-$machine" }
    $main = $Role[0]
    if ($logs) { $main = $logs[0].Role }
    $account = @("$machine, $(Get-UtcText), PowerShell $($PSVersionTable.PSVersion), $env:USERNAME")
    try {
        $archive = Open-EvidenceArchive -Path $zip
    }
    catch {
        $PSCmdlet.ThrowTerminatingError((New-TrailError -Id 'NotWritable' -Category OpenError -Target $zip -Message (
            "'$zip' cannot be written: $(Get-InnermostMessage -Failure $_)")))
    }
    $whole = $false
    try {
        foreach ($part in $wanted) {
            $account += Save-EvidencePart -Archive $archive -Part $part -Folder $folders -DefaultRole $main
        }
        $words = New-Evidence -Name 'Account' -Content (($account -join "`r`n") + "`r`n")
        Add-Evidence -Archive $archive -Folder $folders[$main] -Evidence $words
        $whole = $true
    }
    finally {
        $archive.Dispose()
        # What -Confirm asks about is collecting, not this.
        if (-not $whole) { Remove-Item -LiteralPath $zip -ErrorAction SilentlyContinue -Confirm:$false }
    }
    Get-Item -LiteralPath $zip
}
