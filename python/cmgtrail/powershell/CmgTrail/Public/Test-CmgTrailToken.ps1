function Test-CmgTrailToken {
    <#
    .SYNOPSIS
    Says whether a token is valid at a given instant, and every reason why not, offline.

    .DESCRIPTION
    Emits a report: valid ($true, $false, or $null where something that decides was not checked), what the token holds
    (facts), and every check. Without -Key the signature is not checked, and valid is $null at best. No report holds the
    token, and the token never stands on a command line: it goes to standard input.

    .PARAMETER Token
    The token, as text or as a SecureString; an object whose property Token is one; or a file (Get-Item) that holds it.

    .PARAMETER Path
    Files that each hold a token.

    .PARAMETER Key
    Files with keys: a JWKS, PEM or certificates.

    .PARAMETER Audience
    The audiences, one of which it must name.

    .PARAMETER Issuer
    The issuers that are accepted.

    .PARAMETER Tenant
    The tenants that are accepted.

    .PARAMETER At
    The instant to validate for: that of the log line. Default: now. A time without a zone is local time.

    .PARAMETER Leeway
    Seconds by which clocks may differ. Default: 300.

    .PARAMETER Mask
    Mask identifiers: GUIDs, names, addresses, SIDs.

    .PARAMETER Inspect
    Only say what it holds and whether it is broken.

    .PARAMETER PythonPath
    The Python that has cmgtrail. Default: the environment variable CMGTRAIL_PYTHON, then py, then python.

    .EXAMPLE
    Test-CmgTrailToken -Path .\token.txt -Key .\keys.json -Audience https://ConfigMgrService -At 2026-11-04T09:12:33Z

    .EXAMPLE
    Get-Clipboard | Test-CmgTrailToken -Inspect | Select-Object -ExpandProperty facts

    What a token holds. It is in no history.

    .EXAMPLE
    Get-AzAccessToken -AsSecureString | Test-CmgTrailToken | Select-Object -ExpandProperty checks

    .OUTPUTS
    CmgTrail.Report

    .LINK
    Test-CmgTrailCertificate
    #>
    [CmdletBinding(DefaultParameterSetName = 'Token')]
    [OutputType('CmgTrail.Report')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ParameterSetName = 'Token')]
        [ValidateNotNullOrEmpty()]
        [object] $Token,

        [Parameter(Mandatory, ParameterSetName = 'Path')]
        [ValidateNotNullOrEmpty()]
        [string[]] $Path,

        [ValidateNotNullOrEmpty()]
        [string[]] $Key,

        [ValidateNotNullOrEmpty()]
        [string[]] $Audience,

        [ValidateNotNullOrEmpty()]
        [string[]] $Issuer,

        [ValidateNotNullOrEmpty()]
        [string[]] $Tenant,

        [datetime] $At,

        [ValidateRange(0, 86400)]
        [int] $Leeway,

        [switch] $Mask,

        [switch] $Inspect,

        [string] $PythonPath
    )

    process {
        $reading = @{ Caller = $PSCmdlet; Given = $PSBoundParameters; TypeName = 'CmgTrail.Report' }
        $files = $Path
        if ($Token -is [System.IO.FileInfo]) { $files = $Token.FullName }
        if ($files) {
            foreach ($one in $files) {
                Read-Report @reading -Operand (Resolve-FilePath -Caller $PSCmdlet -Path $one)
            }
            return
        }
        $text = Get-TokenText -From $Token
        if (-not $text) {
            # What it is, not what it says: it may hold a token after all.
            $PSCmdlet.WriteError((New-TrailError -Id 'NoToken' -Category InvalidArgument -Message (
                "Expected a token as text or SecureString, or a file, found $($Token.GetType().FullName).")))
            return
        }
        Read-Report @reading -Operand '-' -StandardInput ([System.Text.Encoding]::UTF8.GetBytes($text))
    }
}
