function Get-CmgTrailRecord {
    <#
    .SYNOPSIS
    Gets the records of logs, of all formats in one form.

    .DESCRIPTION
    Reads CCM, SMS, IIS, CMTrace and managed logs and emits a record for each entry, as it is read: file, line, time in
    UTC ([datetime], property utc) with how it is known, local time, component, thread, severity and text. Records hold
    what the logs hold, tokens included.

    .PARAMETER Path
    Folders, zip files, files or glob patterns.

    .PARAMETER Since
    Only records of this time or later. A time without a zone is local time.

    .PARAMETER Until
    Only records before this time.

    .PARAMETER Encoding
    The encoding of files without a byte order mark.

    .PARAMETER PythonPath
    The Python that has cmgtrail. Default: the environment variable CMGTRAIL_PYTHON, then py, then python.

    .EXAMPLE
    Get-CmgTrailRecord C:\Windows\ccmsetup\Logs -Since (Get-Date).AddHours(-1)

    The last hour of the installation's log.

    .EXAMPLE
    Get-CmgTrailRecord .\logs | Where-Object severity -eq error | Select-Object -First 20

    The first 20 errors; reading ends with them.

    .OUTPUTS
    CmgTrail.Record

    .LINK
    Get-CmgTrailFlow
    #>
    [CmdletBinding()]
    [OutputType('CmgTrail.Record')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName', 'PSPath', 'LiteralPath')]
        [ValidateNotNullOrEmpty()]
        [string[]] $Path,

        [datetime] $Since,

        [datetime] $Until,

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
        Invoke-CmgTrail -Caller $PSCmdlet -Given $PSBoundParameters -Operand $paths | ForEach-Object -Process {
            ConvertFrom-TrailJson -Json $_ -TypeName 'CmgTrail.Record'
        }
    }
}
