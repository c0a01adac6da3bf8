function Test-CmgTrailSite {
    <#
    .SYNOPSIS
    Says whether the clients of a site would work through its Cloud Management Gateway, before anyone tries.

    .DESCRIPTION
    Reads a description of the site (site.toml) and emits a prediction: whether all would work (property works: $true,
    $false, or $null where something that decides is not known), stage by stage for each client, with every cause and
    its remedy. With logs, predicted and observed stand side by side.

    .PARAMETER Path
    The description of the site: site.toml.

    .PARAMETER Client
    Only this client.

    .PARAMETER At
    The instant to predict for. Default: now. A time without a zone is local time.

    .PARAMETER LogPath
    Logs to hold the prediction against.

    .PARAMETER PythonPath
    The Python that has cmgtrail. Default: the environment variable CMGTRAIL_PYTHON, then py, then python.

    .EXAMPLE
    Test-CmgTrailSite .\site.toml

    .EXAMPLE
    if (-not (Test-CmgTrailSite .\site.toml -LogPath .\logs).works) { 'Something would not work.' }

    .OUTPUTS
    CmgTrail.Preflight

    .LINK
    Test-CmgTrailCertificate
    #>
    [CmdletBinding()]
    [OutputType('CmgTrail.Preflight')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName', 'PSPath', 'LiteralPath')]
        [ValidateNotNullOrEmpty()]
        [string[]] $Path,

        [ValidateNotNullOrEmpty()]
        [string] $Client,

        [datetime] $At,

        [ValidateNotNullOrEmpty()]
        [string[]] $LogPath,

        [string] $PythonPath
    )

    process {
        foreach ($one in $Path) {
            $site = Resolve-FilePath -Caller $PSCmdlet -Path $one
            Read-Report -Caller $PSCmdlet -Given $PSBoundParameters -Operand $site -TypeName 'CmgTrail.Preflight'
        }
    }
}
