function New-TrailError {
    # An error record; who reports it decides whether it ends the work.
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory)] [string] $Message,
        [Parameter(Mandatory)] [string] $Id,
        [System.Management.Automation.ErrorCategory] $Category = 'NotSpecified',
        [object] $Target
    )
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, $Id, $Category, $Target
}

function Get-InnermostMessage {
    # Why something failed, without the wrapping of calls into .NET.
    [OutputType([string])]
    param([Parameter(Mandatory)] [System.Management.Automation.ErrorRecord] $Failure)
    $Failure.Exception.GetBaseException().Message
}
