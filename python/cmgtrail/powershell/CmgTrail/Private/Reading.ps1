function Read-Trail {
    # Reads logs for a public function and emits the objects of one kind: 'flow', 'finding'.
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Given,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [string[]] $Path,
        [Parameter(Mandatory)] [string] $Kind,
        [Parameter(Mandatory)] [string] $TypeName
    )
    Invoke-CmgTrail -Caller $Caller -Given $Given -Operand $Path | ForEach-Object -Process {
        # What an object is stands first in its line: the others need not be taken apart.
        if ($_.StartsWith('{"type": "' + $Kind + '"')) {
            ConvertFrom-TrailJson -Json $_ -TypeName $TypeName
        }
        elseif ($_.StartsWith('{"type": "trail"')) {
            if (-not (ConvertFrom-Json -InputObject $_).traffic) {
                Write-Warning -Message 'These logs hold no request to a Cloud Management Gateway: only what needs none can be found.'
            }
        }
    }
}

function Test-NothingCame {
    # True where a function stood in a pipeline and was given no path: it must not read the logs of this machine then.
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [object[]] $Path
    )
    if (-not $Caller.MyInvocation.ExpectingInput -or $Path.Count -gt 0) { return $false }
    Write-Verbose -Message 'No path came through the pipeline.'
    $true
}

function Get-TokenText {
    # The token in a text, a SecureString, or an object whose Token is one of these (that of Get-AzAccessToken); nothing
    # of anything else, whose text would be judged as a token.
    [OutputType([string])]
    param([Parameter(Mandatory)] [object] $From)
    if ($From -isnot [string] -and $From.PSObject.Properties['Token']) { $From = $From.Token }
    if ($From -is [System.Security.SecureString]) {
        return (New-Object -TypeName System.Net.NetworkCredential -ArgumentList '', $From).Password
    }
    if ($From -is [string]) { $From }
}

function Read-Report {
    # Runs a validator and emits its report as an object.
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Given,
        [string[]] $Operand = @(),
        [byte[]] $StandardInput,
        [Parameter(Mandatory)] [string] $TypeName
    )
    $run = @{ Caller = $Caller; Given = $Given; Operand = $Operand; StandardInput = $StandardInput }
    $json = @(Invoke-CmgTrail @run) -join "`n"
    if (-not $json) { return }
    try {
        $report = ConvertFrom-TrailJson -Json $json -TypeName $TypeName
    }
    catch {
        # The claims of a token made to mislead: 'iss' beside 'ISS', or a claim without a name.
        $Caller.WriteError((New-TrailError -Id 'NamesCollide' -Category InvalidData -Target $Operand -Message (
            "The report holds names that PowerShell cannot tell apart: $_ The command cmgtrail shows it.")))
        return
    }
    $report
}
