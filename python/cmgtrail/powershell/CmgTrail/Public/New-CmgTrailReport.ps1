function New-CmgTrailReport {
    <#
    .SYNOPSIS
    Writes a report on logs as one HTML file.

    .DESCRIPTION
    The report says whether client, gateway or site is at fault, with causes, remedies, flows as diagrams, and the lines
    that prove it. It needs no network and can be sent by mail. A file that is there already is replaced.

    .PARAMETER Path
    Folders, zip files, files or glob patterns. Without one, on Windows, the logs of this machine's own client are read.

    .PARAMETER Destination
    The file to write.

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
    New-CmgTrailReport .\logs -Destination .\report.html | Invoke-Item

    Writes a report and opens it.

    .OUTPUTS
    System.IO.FileInfo

    .LINK
    Get-CmgTrailFinding
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([System.IO.FileInfo])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName', 'PSPath', 'LiteralPath')]
        [ValidateNotNullOrEmpty()]
        [string[]] $Path,

        [Parameter(Mandatory, Position = 1)]
        [ValidateNotNullOrEmpty()]
        [string] $Destination,

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
        $report = Resolve-FilePath -Caller $PSCmdlet -Path $Destination
        if (-not $PSCmdlet.ShouldProcess($report, 'Write a report')) { return }
        $lines = @(Invoke-CmgTrail -Caller $PSCmdlet -Given $PSBoundParameters -Operand $paths -QuietMessages)
        if ($lines) { Get-Item -LiteralPath $report }
    }
}
