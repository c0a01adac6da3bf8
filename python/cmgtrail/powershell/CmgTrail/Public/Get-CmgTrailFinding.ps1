function Get-CmgTrailFinding {
    <#
    .SYNOPSIS
    Gets the causes for which authentication through a Cloud Management Gateway fails, best first.

    .DESCRIPTION
    Reads logs and emits a finding for each cause: what it is, how sure, what to do, the lines that prove it, what is
    missing to be certain, and the flows that it stopped. One cause on many clients is one finding. Times are [datetime]
    in UTC. The properties have the names of the JSON form of cmgtrail.

    No finding of severity error means that nothing in these logs stops authentication. What was found is no error of
    the function's, whatever the preferences: only what could not be read is.

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
    Get-CmgTrailFinding .\logs | Where-Object severity -eq error

    What stops authentication now.

    .EXAMPLE
    Get-CmgTrailFinding .\logs | Select-Object -First 1 | Format-List

    The best cause with its explanation, remedy and proof.

    .EXAMPLE
    Get-ChildItem \\server\share\logs -Filter *.zip | Get-CmgTrailFinding -Since (Get-Date).AddDays(-1)

    The causes in many bundles, read together.

    .EXAMPLE
    (Get-CmgTrailFinding .\logs)[0].evidence | Format-Table source, line, text -Wrap

    The lines that prove the best cause.

    .OUTPUTS
    CmgTrail.Finding

    .LINK
    Get-CmgTrailFlow

    .LINK
    New-CmgTrailReport
    #>
    [CmdletBinding()]
    [OutputType('CmgTrail.Finding')]
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
        Read-Trail -Caller $PSCmdlet -Given $PSBoundParameters -Path $paths -Kind 'finding' -TypeName 'CmgTrail.Finding'
    }
}
