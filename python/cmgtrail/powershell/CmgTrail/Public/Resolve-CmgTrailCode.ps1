function Resolve-CmgTrailCode {
    <#
    .SYNOPSIS
    Says what codes of the logs mean, in all their readings.

    .DESCRIPTION
    Emits an object for each reading of each code: name, component, what it says, what it means for a client of a Cloud
    Management Gateway, whether it names a cause, and to which failures it points. A code that is not known is a warning.

    .PARAMETER Code
    Codes as logs write them: 0x87D00231, 87D00231, -2016411087, 12175, 500.19.126, AADSTS50020, IDX10223, MISE12034, or
    a symbol such as CERT_E_CHAINING. PowerShell takes a hexadecimal literal for a number; both ways are understood.

    .PARAMETER Component
    Only what this component means by it, such as winhttp, windows, ccm, iis, entra.

    .PARAMETER Knowledge
    Knowledge files with codes of your own.

    .PARAMETER PythonPath
    The Python that has cmgtrail. Default: the environment variable CMGTRAIL_PYTHON, then py, then python.

    .EXAMPLE
    Resolve-CmgTrailCode 0x87D00231, 12175

    .EXAMPLE
    Get-Content .\codes.txt | Resolve-CmgTrailCode -Component winhttp | Format-List

    What WinHTTP means by the codes in a file, in full.

    .OUTPUTS
    CmgTrail.Code

    .LINK
    Get-CmgTrailFinding
    #>
    [CmdletBinding()]
    [OutputType('CmgTrail.Code')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNullOrEmpty()]
        [string[]] $Code,

        [ValidateNotNullOrEmpty()]
        [string] $Component,

        [ValidateNotNullOrEmpty()]
        [string[]] $Knowledge,

        [string] $PythonPath
    )

    begin {
        $codes = @()
    }
    process {
        $found = $Code
        # A property Code that is a number comes too late: the whole object has become a text before it is tried.
        $piped = $PSCmdlet.MyInvocation.ExpectingInput -and $_ -is [System.Management.Automation.PSCustomObject]
        if ($piped -and $_.PSObject.Properties['Code']) { $found = $_.Code }
        foreach ($one in $found) { $codes += [string] $one }
    }
    end {
        if (-not $codes) { return }
        $json = @(Invoke-CmgTrail -Caller $PSCmdlet -Given $PSBoundParameters -Operand $codes) -join "`n"
        if (-not $json) { return }
        # Windows PowerShell hands on an array as one object.
        foreach ($explained in @(ConvertFrom-Json -InputObject $json | ForEach-Object { $_ })) {
            if (-not $explained.readings) { Write-Warning -Message "The code $($explained.given) is not known." }
            foreach ($reading in $explained.readings) {
                Set-TrailType -Object $reading -TypeName 'CmgTrail.Code'
                $reading
            }
        }
    }
}
