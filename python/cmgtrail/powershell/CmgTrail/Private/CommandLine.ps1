# Command lines are lists of arguments, never one text: nothing that a user or a log says can become a command.

function Get-CommandLine {
    # The arguments for what a public function was given, by the table in Commands.psd1.
    [OutputType([string[]])]
    param(
        [Parameter(Mandatory)] [System.Management.Automation.PSCmdlet] $Caller,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IDictionary] $Given,
        # What follows the options, as it is to be passed.
        [string[]] $Operand = @()
    )
    $command = $script:Commands[$Caller.MyInvocation.MyCommand.Name]
    $line = New-Object -TypeName 'System.Collections.Generic.List[string]'
    foreach ($word in $command.Words) { $line.Add($word) }
    foreach ($name in $Given.Keys) {
        if ($command.Flags.ContainsKey($name)) {
            if ($Given[$name]) { $line.Add($command.Flags[$name]) }
        }
        elseif ($command.Files.ContainsKey($name)) {
            foreach ($file in $Given[$name]) {
                $line.Add($command.Files[$name] + '=' + (Resolve-FilePath -Caller $Caller -Path $file))
            }
        }
        elseif ($command.Options.ContainsKey($name)) {
            foreach ($value in $Given[$name]) {
                $line.Add($command.Options[$name] + '=' + (ConvertTo-OptionText -Value $value))
            }
        }
    }
    # What stands behind it is never taken for an option.
    $line.Add('--')
    foreach ($one in $Operand) { $line.Add($one) }
    $line.ToArray()
}

function ConvertTo-OptionText {
    # A value as the command reads it: times in UTC, numbers as everybody writes them.
    [OutputType([string])]
    param([Parameter(Mandatory)] [AllowEmptyString()] [object] $Value)
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    if ($Value -is [datetime]) {
        # A time that does not say its zone is the local one.
        return $Value.ToUniversalTime().ToString('yyyy-MM-dd\THH:mm:ss.fffffff\Z', $invariant)
    }
    [System.Convert]::ToString($Value, $invariant)
}

function ConvertTo-NativeArgument {
    # An argument as programs of Windows take it apart again (CommandLineToArgvW): Windows PowerShell has no
    # ProcessStartInfo.ArgumentList, and its own quoting loses quotes.
    [OutputType([string])]
    param([Parameter(Mandatory)] [AllowEmptyString()] [string] $Argument)
    if ($Argument -notmatch '[\s"]' -and $Argument -ne '') { return $Argument }
    # Backslashes count only where a quote follows: there each of them is doubled.
    $escaped = $Argument -replace '(\\*)"', '$1$1\"'
    $escaped = $escaped -replace '(\\+)\z', '$1$1'
    '"' + $escaped + '"'
}
