function Find-EvidenceLog {
    # The logs of a kind of machine, written to since then.
    param(
        [Parameter(Mandatory)] [string] $Role,
        [Parameter(Mandatory)] [datetime] $Since
    )
    $form = Get-LogNameForm -Log $script:Evidence.Roles[$Role].Logs
    $seen = @{}
    foreach ($place in $script:Evidence.Roles[$Role].Folders) {
        $folder = Get-LogFolder -Place $place
        if (-not $folder -or $seen.ContainsKey($folder)) { continue }
        $seen[$folder] = $true
        $refused = @()
        $files = Get-ChildItem -LiteralPath $folder -File -Force -ErrorAction SilentlyContinue -ErrorVariable refused
        # One folder that this user may not list does not end the collecting of the others.
        foreach ($failure in $refused) { Write-Warning -Message "Not listed: $failure" }
        foreach ($file in $files) {
            if ($file.Name -match $form -and $file.LastWriteTimeUtc -ge $Since.ToUniversalTime()) {
                @{
                    Role   = $Role
                    Entry  = $place.Into + '/' + $file.Name
                    File   = $file.FullName
                    Folder = $folder
                    Length = $file.Length
                }
            }
        }
    }
}

function Get-LogEvidence {
    # The logs that were found, as they are.
    param([Parameter(Mandatory)] [hashtable[]] $Log)
    $Log
}

function Get-LogNameForm {
    # Which file names are those of the logs: the log, what it was renamed to, and its history.
    [OutputType([string])]
    param([Parameter(Mandatory)] [string[]] $Log)
    $names = @($Log | ForEach-Object { [regex]::Escape($_) -replace '\\\*', '.+' }) -join '|'
    '\A(?:' + $names + ')(?:-\d{8}-\d{6})?\.(?:log|lo_)\z'
}

function Get-LogFolder {
    # The folder that a place in Evidence.psd1 means, where this machine has it.
    [OutputType([string])]
    param([Parameter(Mandatory)] [hashtable] $Place)
    if ($Place.Key) {
        $folder = (Get-ItemProperty -LiteralPath $Place.Key -Name $Place.Value -ErrorAction SilentlyContinue).($Place.Value)
        if ($folder -and $Place.Below) { $folder = Join-Path -Path $folder -ChildPath $Place.Below }
    }
    else {
        $folder = [System.Environment]::ExpandEnvironmentVariables($Place.Path)
    }
    if ($folder -and [System.IO.Directory]::Exists($folder)) { $folder.TrimEnd('\').ToLowerInvariant() }
}
