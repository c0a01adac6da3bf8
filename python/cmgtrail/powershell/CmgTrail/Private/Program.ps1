function Invoke-Program {
    # Runs a program and emits the lines of its standard output as they come. $Outcome gets its Status, its Messages
    # (standard error) and the number of Lines. Where it could not be started, there is no Status, and Messages say why.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [string] $FilePath,
        [string[]] $Argument = @(),
        [byte[]] $StandardInput,
        [Parameter(Mandatory)] [System.Text.Encoding] $Encoding,
        [System.Collections.IDictionary] $Environment = @{},
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Outcome
    )
    $Outcome.Status = $null
    $Outcome.Messages = ''
    $Outcome.Lines = 0
    $process = New-Object -TypeName System.Diagnostics.Process
    $process.StartInfo = New-StartInfo -FilePath $FilePath -Argument $Argument -Encoding $Encoding -Environment $Environment
    $started = $false
    try {
        try {
            $started = $process.Start()
        }
        catch {
            $Outcome.Messages = "'$FilePath' could not be started: $(Get-InnermostMessage -Failure $_)"
            return
        }
        # Read beside the work: a program whose messages nobody takes would wait for ever.
        $messages = $process.StandardError.ReadToEndAsync()
        Write-StandardInput -Process $process -Content $StandardInput
        while ($true) {
            # Waiting in small steps leaves Ctrl-C its turn.
            $line = $process.StandardOutput.ReadLineAsync()
            while (-not $line.Wait(200)) { }
            if ($null -eq $line.Result) { break }
            $Outcome.Lines++
            $line.Result
        }
        while (-not $process.WaitForExit(200)) { }
        while (-not $messages.Wait(200)) { }
        $Outcome.Messages = $messages.Result
        $Outcome.Status = $process.ExitCode
    }
    finally {
        # Also where the reader has enough (Select-Object -First) or somebody pressed Ctrl-C.
        if ($started -and -not $process.HasExited) {
            try { $process.Kill() } catch { Write-Debug -Message "It had just ended: $_" }
        }
        $process.Dispose()
    }
}

function New-StartInfo {
    # How a program is started: arguments as a list, all three streams redirected.
    [OutputType([System.Diagnostics.ProcessStartInfo])]
    param(
        [Parameter(Mandatory)] [string] $FilePath,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [AllowEmptyString()] [string[]] $Argument,
        [Parameter(Mandatory)] [System.Text.Encoding] $Encoding,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Environment
    )
    $info = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $info.FileName = $FilePath
    # Not where the logs lie: Python must not take a module from there.
    $info.WorkingDirectory = $PSHOME
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardInput = $true
    $info.RedirectStandardOutput = $true
    $info.RedirectStandardError = $true
    $info.StandardOutputEncoding = $Encoding
    $info.StandardErrorEncoding = $Encoding
    foreach ($name in $Environment.Keys) { $info.EnvironmentVariables[$name] = $Environment[$name] }
    if ($info.PSObject.Properties['ArgumentList']) {
        foreach ($one in $Argument) { $info.ArgumentList.Add($one) }
    }
    else {
        $info.Arguments = @($Argument | ForEach-Object { ConvertTo-NativeArgument -Argument $_ }) -join ' '
    }
    $info
}

function Write-StandardInput {
    # Gives a program its standard input, and ends it: also where there is nothing to say.
    param(
        [Parameter(Mandatory)] [System.Diagnostics.Process] $Process,
        [byte[]] $Content
    )
    try {
        # Bytes, not text: the writer of Windows PowerShell would write them in the encoding of the console.
        if ($null -ne $Content) { $Process.StandardInput.BaseStream.Write($Content, 0, $Content.Length) }
        $Process.StandardInput.Close()
    }
    catch [System.IO.IOException] {
        # It ended without reading; its status and messages say why.
        Write-Debug -Message "Standard input was not read: $_"
    }
}
