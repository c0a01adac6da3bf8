function Invoke-CmgTrail {
    # Runs cmgtrail and emits the lines of its output. What could not run is an error of the caller's; findings, an
    # invalid token and an open verdict (status 1 and 3) are answers.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Given,
        [string[]] $Operand = @(),
        [byte[]] $StandardInput,
        # For messages that say no more than that all went well.
        [switch] $QuietMessages
    )
    $python = Find-Python -Caller $Caller -PythonPath $Given['PythonPath']
    $line = @('-m', 'cmgtrail') + @(Get-CommandLine -Caller $Caller -Given $Given -Operand $Operand)
    $shown = @(@($python) + $line | ForEach-Object { ConvertTo-NativeArgument -Argument $_ }) -join ' '
    Write-Verbose -Message "Running $shown"
    if ((Test-OnWindows) -and $shown.Length -gt $script:LongestCommandLine) {
        $Caller.ThrowTerminatingError((New-TrailError -Id 'TooManyPaths' -Category LimitsExceeded -Message (
            "The command line has $($shown.Length) characters; Windows allows $script:LongestCommandLine. " +
            'Give the folder, or a pattern, instead of each file.')))
    }
    $run = @{
        FilePath      = $python
        Argument      = $line
        StandardInput = $StandardInput
        Encoding      = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
        Environment   = $script:PythonEnvironment
        Outcome       = @{}
    }
    Invoke-Program @run
    $said = @($run.Outcome.Messages -split '\r?\n' | Where-Object { $_ -ne '' })
    # A Python without cmgtrail ends with status 1 as well, but has nothing to show.
    if ($run.Outcome.Status -in $script:Answers -and $run.Outcome.Lines -gt 0) {
        foreach ($message in $said) {
            if ($QuietMessages) { Write-Verbose -Message $message } else { Write-Warning -Message $message }
        }
        return
    }
    $Caller.WriteError((New-TrailError -Id 'CouldNotRun' -Category InvalidResult -Target $Operand -Message (
        Get-FailureText -Python $python -Status $run.Outcome.Status -Said $said)))
}

function Get-FailureText {
    # Why cmgtrail could not run, in its own words where it has some.
    [OutputType([string])]
    param([string] $Python, [int] $Status, [string[]] $Said)
    $words = $Said -join [System.Environment]::NewLine
    if ($words -match 'No module named cmgtrail') {
        return "The Python '$Python' has no cmgtrail. Install it there (python -m pip install cmgtrail), or name " +
            'another Python: -PythonPath, or the environment variable CMGTRAIL_PYTHON.'
    }
    if ($words) { return $words }
    "cmgtrail ended with status $Status and said nothing. The Python was '$Python'."
}

# Exit statuses that answer: nothing wrong, something wrong, undecided.
$script:Answers = 0, 1, 3

# CreateProcess takes 32,767 characters with the final zero.
$script:LongestCommandLine = 32766

$script:PythonEnvironment = @{
    PYTHONUTF8       = '1'
    PYTHONIOENCODING = 'utf-8'
    # No module is taken from the current folder.
    PYTHONSAFEPATH   = '1'
    NO_COLOR         = '1'
}
