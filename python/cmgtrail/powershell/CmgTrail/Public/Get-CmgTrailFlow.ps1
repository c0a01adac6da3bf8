function Get-CmgTrailFlow {
    <#
    .SYNOPSIS
    Gets who tried what through a Cloud Management Gateway, and how it ended.

    .DESCRIPTION
    Reads logs and emits a flow for each purpose (install, registration, service) that a client pursued: its stages, its
    outcome, where it broke, and the lines on all machines that belong to it. Times are [datetime] in UTC. The
    properties have the names of the JSON form of cmgtrail.

    All paths are read together as one trail: a flow goes on from machine to machine.

    .PARAMETER Path
    Folders, zip files, files or glob patterns. Without one, on Windows, the logs of this machine's own client are read.

    .PARAMETER Since
    Only what happened at or after this time. A time without a zone is local time.

    .PARAMETER Until
    Only what happened before this time.

    .PARAMETER Client
    Only this client: host, device id, user id or client id.

    .PARAMETER Site
    A description of the site (site.toml).

    .PARAMETER Knowledge
    Knowledge files to lay over the built-in knowledge.

    .PARAMETER Encoding
    The encoding of files without a byte order mark.

    .PARAMETER PythonPath
    The Python that has cmgtrail. Default: the environment variable CMGTRAIL_PYTHON, then py, then python.

    .EXAMPLE
    Get-CmgTrailFlow .\logs

    All flows in a folder, as a table.

    .EXAMPLE
    Get-CmgTrailFlow .\logs -Since (Get-Date).AddDays(-1) | Where-Object outcome -eq failed | Group-Object broke_at

    Where the flows of the last day that failed broke.

    .EXAMPLE
    (Get-CmgTrailFlow .\logs -Client PC042).stages

    Stage by stage, how far a client came.

    .OUTPUTS
    CmgTrail.Flow

    .LINK
    Get-CmgTrailFinding
    #>
    [CmdletBinding()]
    [OutputType('CmgTrail.Flow')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName', 'PSPath', 'LiteralPath')]
        [ValidateNotNullOrEmpty()]
        [string[]] $Path,

        [datetime] $Since,

        [datetime] $Until,

        [ValidateNotNullOrEmpty()]
        [string] $Client,

        [ValidateNotNullOrEmpty()]
        [string] $Site,

        [ValidateNotNullOrEmpty()]
        [string[]] $Knowledge,

        [ValidateNotNullOrEmpty()]
        [string] $Encoding,

        [string] $PythonPath
    )

    begin {
        $paths = @()
    }
    process {
        foreach ($one in $Path) { $paths += Resolve-FilePath -Caller $PSCmdlet -Path $one }
    }
    end {
        if (Test-NothingCame -Caller $PSCmdlet -Path $paths) { return }
        Read-Trail -Caller $PSCmdlet -Given $PSBoundParameters -Path $paths -Kind 'flow' -TypeName 'CmgTrail.Flow'
    }
}
