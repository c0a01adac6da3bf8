# One function or a few of one subject a file: what is exported in Public, what it rests on in Private.

foreach ($folder in 'Private', 'Public') {
    foreach ($file in Get-ChildItem -LiteralPath (Join-Path $PSScriptRoot $folder) -Filter '*.ps1') {
        . $file.FullName
    }
}

# Which command each function runs, with which options.
$script:Commands = Import-PowerShellDataFile -LiteralPath (Join-Path $PSScriptRoot 'Commands.psd1')
# What Export-CmgTrailEvidence collects, and under which names.
$script:Evidence = Import-PowerShellDataFile -LiteralPath (Join-Path $PSScriptRoot 'Evidence.psd1')
