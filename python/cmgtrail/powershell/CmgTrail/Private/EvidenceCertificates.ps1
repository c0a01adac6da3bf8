# Public parts only: `RawData` is the certificate as its authority signed it. No private key is opened.

function ConvertTo-Pem {
    # Certificates as PEM.
    [OutputType([string])]
    param(
        [Parameter(Mandatory)] [AllowEmptyCollection()]
        [System.Security.Cryptography.X509Certificates.X509Certificate2[]] $Certificate
    )
    $lines = foreach ($one in $Certificate) {
        '-----BEGIN CERTIFICATE-----'
        [System.Convert]::ToBase64String($one.RawData, [System.Base64FormattingOptions]::InsertLineBreaks)
        '-----END CERTIFICATE-----'
    }
    @($lines + '') -join "`r`n"
}

function Get-StoreCertificate {
    # The certificates of a store.
    [OutputType([System.Security.Cryptography.X509Certificates.X509Certificate2])]
    param(
        [Parameter(Mandatory)] [string] $Name,
        [System.Security.Cryptography.X509Certificates.StoreLocation] $Location = 'LocalMachine'
    )
    $store = New-Object -TypeName System.Security.Cryptography.X509Certificates.X509Store -ArgumentList $Name, $Location
    try {
        $store.Open('ReadOnly, OpenExistingOnly')
        $store.Certificates | ForEach-Object { $_ }
    }
    finally {
        $store.Close()
    }
}

function Get-StoreEvidence {
    # The machine's root, intermediate and disallowed store; an empty one leaves no file.
    param()
    foreach ($name in $script:Evidence.Stores.Keys) {
        $certificates = @(Get-StoreCertificate -Name $script:Evidence.Stores[$name])
        Write-Verbose -Message "$name has $($certificates.Count) certificates"
        if (-not $certificates) { continue }
        New-Evidence -Name $name -Content (ConvertTo-Pem -Certificate $certificates)
    }
}

function Get-DeviceCertificateEvidence {
    # The certificates that prove the join to Entra, of the machine and of the user who runs this.
    param()
    $number = 0
    foreach ($location in 'LocalMachine', 'CurrentUser') {
        foreach ($certificate in Get-StoreCertificate -Name 'My' -Location $location) {
            if ($certificate.Issuer -notmatch $script:JoinIssuerForm) { continue }
            $number++
            $of = ''
            if ($number -gt 1) { $of = "-$number" }
            New-Evidence -Name 'DeviceCertificate' -Of $of -Content $certificate.RawData
        }
    }
}

function Find-CrlAddress {
    # The addresses of revocation lists in a certificate: the IA5 strings, tag [6], of its extension 2.5.29.31.
    [OutputType([string])]
    param([Parameter(Mandatory)] [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate)
    $extension = $Certificate.Extensions | Where-Object { $_.Oid.Value -eq '2.5.29.31' } | Select-Object -First 1
    if (-not $extension) { return }
    # One character a byte.
    $text = [System.Text.Encoding]::GetEncoding('iso-8859-1').GetString($extension.RawData)
    foreach ($match in [regex]::Matches($text, $script:CrlAddressForm)) {
        $length = [int] [char] ($match.Groups['short'].Value + $match.Groups['long'].Value)
        $start = $match.Index + $match.Length
        if ($start + $length -le $text.Length) { $text.Substring($start, $length) }
    }
}

# A part of a name that is CN=MS-Organization-Access, behind any parts before it. Entra writes one part of four values
# (DC=net + DC=windows + CN=... + OU=...). A value that holds a separator stands in quotes.
$script:JoinIssuerForm = '\A(?:(?:[^",+]|"[^"]*")*[,+])* *CN=MS-Organization-Access *(?:[,+]|\z)'

# The tag, the length (one byte below 128, else 0x81 and a byte), and the beginning of an address.
$script:CrlAddressForm = '(?s)\x86(?:(?<short>[\x01-\x7f])|\x81(?<long>[\x80-\xff]))(?=(?i:https?|ldaps?|file):)'
