function Find-Python {
    # The Python to run: the one given, that of the environment variable CMGTRAIL_PYTHON, py, python.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [string] $PythonPath
    )
    foreach ($wanted in $PythonPath, $env:CMGTRAIL_PYTHON) {
        if (-not $wanted) { continue }
        $found = Find-Program -Caller $Caller -Name $wanted
        if ($found) { return $found }
        $Caller.ThrowTerminatingError((New-TrailError -Id 'NoPython' -Category ObjectNotFound -Target $wanted -Message (
            "Expected a Python (python.exe) at '$wanted', found none. Check -PythonPath or `$env:CMGTRAIL_PYTHON.")))
    }
    foreach ($name in 'py', 'python', 'python3') {
        $found = Find-Program -Caller $Caller -Name $name
        if ($found) { return $found }
    }
    $Caller.ThrowTerminatingError((New-TrailError -Id 'NoPython' -Category ObjectNotFound -Message (
        'No Python was found. Install one with cmgtrail (python -m pip install cmgtrail), or say where it is: ' +
        '-PythonPath, or the environment variable CMGTRAIL_PYTHON.')))
}

function Find-Program {
    # The path of a program, given as a path or a name; nothing where there is none. Batch files do not count: they
    # would read their arguments as commands.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [string] $Name
    )
    $found = @()
    if ($Name -match '[\\/]') {
        $path = Resolve-FilePath -Caller $Caller -Path $Name
        if ([System.IO.File]::Exists($path)) { $found = @($path) }
    }
    else {
        $known = Get-Command -Name $Name -CommandType Application -All -ErrorAction SilentlyContinue
        $found = @($known | ForEach-Object -MemberName Path)
    }
    if (Test-OnWindows) { $found = @($found | Where-Object { $_ -match '\.(exe|com)\z' }) }
    $found | Select-Object -First 1
}
