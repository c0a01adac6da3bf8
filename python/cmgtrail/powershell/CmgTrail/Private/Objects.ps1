# Objects have the names of the JSON form (docs/json.md), a type name for the views, and times as [datetime] in UTC.

function ConvertFrom-TrailJson {
    # An object from JSON.
    param(
        [Parameter(Mandatory)] [string] $Json,
        [Parameter(Mandatory)] [string] $TypeName
    )
    $reading = @{ InputObject = $Json }
    if ($script:JsonKnowsDateKind) { $reading.DateKind = 'String' }
    $object = ConvertFrom-Json @reading
    Set-TrailType -Object $object -TypeName $TypeName
    $object
}

function Set-TrailType {
    # Names the type of an object and of those in it, and makes times of what is written as times.
    param(
        [Parameter(Mandatory)] [psobject] $Object,
        [Parameter(Mandatory)] [string] $TypeName
    )
    $Object.PSObject.TypeNames.Insert(0, $TypeName)
    foreach ($property in @($Object.PSObject.Properties)) {
        $value = $property.Value
        if ($null -eq $value) { continue }
        if ($value -is [string] -or $value -is [datetime]) {
            $converted = ConvertTo-TrailValue -Name $property.Name -Value $value
            if ($converted -isnot [string] -or $value -isnot [string]) { $property.Value = $converted }
            continue
        }
        $inner = $script:InnerTypes[$property.Name]
        if (-not $inner) { $inner = 'CmgTrail.Part' }
        foreach ($part in @($value)) {
            if ($part -is [System.Management.Automation.PSCustomObject]) { Set-TrailType -Object $part -TypeName $inner }
        }
    }
}

function ConvertTo-TrailValue {
    # A time from a text that is one; what logs say stays text, though some versions of ConvertFrom-Json take it for
    # a time as well.
    param([string] $Name, [object] $Value)
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    if ($script:Texts -contains $Name) {
        if ($Value -is [datetime]) { return $Value.ToString('yyyy-MM-dd\THH:mm:ss.FFFFFFFK', $invariant) }
        return $Value
    }
    if ($Value -is [datetime]) {
        if ($Value.Kind -eq [System.DateTimeKind]::Local) { return $Value.ToUniversalTime() }
        return $Value
    }
    if ($Value.Length -gt 30 -or $Value -cnotmatch $script:TimeForm) { return $Value }
    [datetime]::Parse($Value, $invariant, [System.Globalization.DateTimeStyles]::RoundtripKind)
}

# RFC 3339 in UTC; the local time of a record has no zone.
$script:TimeForm = '\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z?\z'

# Properties that hold what a log says.
$script:Texts = 'text', 'title', 'explanation', 'found', 'expected'

$script:InnerTypes = @{
    client         = 'CmgTrail.Client'
    stages         = 'CmgTrail.Stage'
    events         = 'CmgTrail.Event'
    join           = 'CmgTrail.Join'
    evidence       = 'CmgTrail.Evidence'
    missing        = 'CmgTrail.Missing'
    checks         = 'CmgTrail.Check'
    bootstrap      = 'CmgTrail.Report'
    after_settings = 'CmgTrail.Report'
}

# Later versions leave texts alone when asked to.
$script:JsonKnowsDateKind = (Get-Command -Name ConvertFrom-Json).Parameters.ContainsKey('DateKind')
