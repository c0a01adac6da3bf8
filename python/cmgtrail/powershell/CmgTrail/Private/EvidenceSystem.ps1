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
    $run = @{
        FilePath = Join-Path -Path $env:SystemRoot -ChildPath "$folder\$Name"
        Argument = $Argument
        Encoding = Get-OemEncoding
        Outcome  = @{}
    }
    Invoke-Program @run
    if ($null -eq $run.Outcome.Status) { throw $run.Outcome.Messages }
    if ($run.Outcome.Messages) { $run.Outcome.Messages -split '\r?\n' }
}

function Get-OemEncoding {
    # The encoding in which programs of Windows print into a new console: that of the system. The one of the user's
    # culture may be another, and some cultures have none.
    [OutputType([System.Text.Encoding])]
    param()
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Nls\CodePage'
    [System.Text.Encoding]::GetEncoding([int] (Get-ItemProperty -LiteralPath $key -Name 'OEMCP').OEMCP)
}

function Get-JoinStatusEvidence {
    # The output of dsregcmd /status.
    param()
    $lines = @(Invoke-SystemProgram -Name 'dsregcmd.exe' -Argument '/status')
    if (-not ($lines -match '\S')) { throw 'dsregcmd printed nothing' }
    New-Evidence -Name 'JoinStatus' -Content (($lines -join "`r`n") + "`r`n")
}
