# A piece of evidence is a hashtable: Entry, its name in the machine's folder, and Content (bytes) or File (a path).

function New-Evidence {
    # A piece of evidence with its name from Evidence.psd1. Text is written in UTF-8.
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)] [string] $Name,
        [string] $Of = '',
        [Parameter(Mandatory)] [AllowEmptyString()] [AllowEmptyCollection()] [object] $Content
    )
    if ($Content -is [string]) {
        $Content = (New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false).GetBytes($Content)
    }
    @{ Entry = $script:Evidence.Entries[$Name] -f $Of; Content = [byte[]] $Content }
}

function Open-EvidenceArchive {
    # A new zip file to write to.
    param([Parameter(Mandatory)] [string] $Path)
    Add-Type -AssemblyName System.IO.Compression
    $stream = [System.IO.File]::Open($Path, [System.IO.FileMode]::Create)
    New-Object -TypeName System.IO.Compression.ZipArchive -ArgumentList $stream, ([System.IO.Compression.ZipArchiveMode]::Create)
}

function Add-Evidence {
    # Writes a piece of evidence into the archive, below the machine's folder.
    param(
        [Parameter(Mandatory)] [object] $Archive,
        [Parameter(Mandatory)] [string] $Folder,
        [Parameter(Mandatory)] [hashtable] $Evidence
    )
    # Opened first: nothing is left in the archive of a file that cannot be read.
    if ($Evidence.File) { $source = Open-SharedFile -Path $Evidence.File }
    else { $source = New-Object -TypeName System.IO.MemoryStream -ArgumentList (, $Evidence.Content) }
    try {
        $target = $Archive.CreateEntry("$Folder/$($Evidence.Entry)").Open()
        try { $source.CopyTo($target) } finally { $target.Dispose() }
    }
    finally {
        $source.Dispose()
    }
}

function Open-SharedFile {
    # A file that somebody else is writing to, and may rename or delete meanwhile.
    [OutputType([System.IO.FileStream])]
    param([Parameter(Mandatory)] [string] $Path)
    $sharing = [System.IO.FileShare]::ReadWrite -bor [System.IO.FileShare]::Delete
    [System.IO.File]::Open($Path, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $sharing)
}
