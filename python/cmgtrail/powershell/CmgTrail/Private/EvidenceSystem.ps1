function Invoke-SystemProgram {
    # The lines that a program of Windows prints.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [string] $Name,
        [string[]] $Argument = @()
    )
    # A 32-bit process is shown another System32, which lacks some programs.
    $folder = 'System32'
    if ([System.Environment]::Is64BitOperatingSystem -and -not [System.Environment]::Is64BitProcess) { $folder = 'Sysnative' }
    $oem = [System.Globalization.CultureInfo]::CurrentCulture.TextInfo.OEMCodePage
    $run = @{
        FilePath = Join-Path -Path $env:SystemRoot -ChildPath "$folder\$Name"
        Argument = $Argument
        Encoding = [System.Text.Encoding]::GetEncoding($oem)
        Outcome  = @{}
    }
    Invoke-Program @run
    if ($run.Outcome.Messages) { $run.Outcome.Messages -split '\r?\n' }
}

function Get-JoinStatusEvidence {
    # The output of dsregcmd /status.
    param()
    $lines = @(Invoke-SystemProgram -Name 'dsregcmd.exe' -Argument '/status')
    if (-not ($lines -match '\S')) { throw 'dsregcmd printed nothing' }
    New-Evidence -Name 'JoinStatus' -Content (($lines -join "`r`n") + "`r`n")
}
