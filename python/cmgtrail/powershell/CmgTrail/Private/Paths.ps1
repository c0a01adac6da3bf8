function Resolve-FilePath {
    # The absolute path of a file, folder or pattern, which need not be there: the command says what is amiss.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [string] $Path
    )
    $provider = $null
    $drive = $null
    try {
        $full = $Caller.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path, [ref] $provider, [ref] $drive)
    }
    catch {
        # No such drive. Not caught, it would be shown and the function would go on.
        $Caller.ThrowTerminatingError((New-TrailError -Id 'NoFile' -Category ObjectNotFound -Target $Path -Message (
            "Expected the path of a file or folder, found '$Path': $(Get-InnermostMessage -Failure $_)")))
    }
    if ($provider.Name -ne 'FileSystem') {
        $Caller.ThrowTerminatingError((New-TrailError -Id 'NoFile' -Category InvalidArgument -Target $Path -Message (
            "Expected the path of a file or folder, found '$Path', which is of the provider $($provider.Name).")))
    }
    $full
}

function Test-OnWindows {
    # `$IsWindows` is unknown to Windows PowerShell.
    [OutputType([bool])]
    param()
    $env:OS -eq 'Windows_NT'
}
