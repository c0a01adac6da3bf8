function Get-CmgName {
    # The gateways that the client of this machine knows.
    [OutputType([string])]
    param()
    $known = Get-CimInstance -Namespace 'root\ccm\LocationServices' -ClassName 'SMS_ActiveMPCandidate' -ErrorAction SilentlyContinue
    # A gateway is known by host and path: cmg.contoso.com/CCM_Proxy_MutualAuth/72057594037927941.
    @($known | Where-Object { $_.MP -like '*/CCM_Proxy_*' } | ForEach-Object { ($_.MP -split '/')[0].ToLowerInvariant() }) |
        Sort-Object -Unique
}

function Get-PresentedChain {
    # The certificates that a host presents, its own first: Presented as they came, Built with what Windows added.
    # Whatever they are is accepted: this looks, and sends nothing. The way is direct, by no proxy.
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)] [string] $HostName,
        [int] $Port = 443,
        [int] $TimeoutSeconds = 15
    )
    $seen = @{ Presented = @(); Built = @() }
    $accept = {
        param($Connection, $Certificate, $Chain, $Errors)
        $seen.Presented = @(, $Certificate.GetRawCertData())
        foreach ($sent in $Chain.ChainPolicy.ExtraStore) { $seen.Presented += , $sent.RawData }
        foreach ($element in $Chain.ChainElements) { $seen.Built += , $element.Certificate.RawData }
        $true
    }.GetNewClosure()
    $accept = [System.Net.Security.RemoteCertificateValidationCallback] $accept
    $client = New-Object -TypeName System.Net.Sockets.TcpClient
    try {
        if (-not $client.ConnectAsync($HostName, $Port).Wait(1000 * $TimeoutSeconds)) {
            throw "no connection to ${HostName}:$Port within $TimeoutSeconds seconds"
        }
        $client.ReceiveTimeout = 1000 * $TimeoutSeconds
        $client.SendTimeout = 1000 * $TimeoutSeconds
        $stream = New-Object -TypeName System.Net.Security.SslStream -ArgumentList ($client.GetStream()), $false, $accept
        try { $stream.AuthenticateAsClient($HostName, $null, [System.Security.Authentication.SslProtocols]::Tls12, $false) }
        finally { $stream.Dispose() }
    }
    finally {
        $client.Close()
    }
    @{
        Presented = @(Get-DistinctCertificate -Content $seen.Presented)
        Built     = @(Get-DistinctCertificate -Content ($seen.Presented + $seen.Built))
    }
}

function Get-DistinctCertificate {
    # Certificates from their bytes, each once, in order.
    param([Parameter(Mandatory)] [AllowEmptyCollection()] [object[]] $Content)
    $known = @{}
    foreach ($bytes in $Content) {
        $certificate = New-Object -TypeName System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)
        if (-not $known.ContainsKey($certificate.Thumbprint)) {
            $known[$certificate.Thumbprint] = $true
            $certificate
        }
    }
}

function Get-GatewayEvidence {
    # The chains that gateways present, and whether the revocation lists of their certificates can be fetched, with the
    # lists. What did not work is a warning.
    param(
        [Parameter(Mandatory)] [string[]] $CmgName,
        [switch] $WithoutLists
    )
    $addresses = @()
    foreach ($name in $CmgName) {
        try {
            $chain = Get-PresentedChain -HostName $name
            New-Evidence -Name 'PresentedChain' -Of $name -Content (ConvertTo-Pem -Certificate $chain.Presented)
            $addresses += @($chain.Built | ForEach-Object { Find-CrlAddress -Certificate $_ })
        }
        catch {
            Write-Warning -Message "The chain that $name presents could not be seen: $(Get-InnermostMessage -Failure $_)"
        }
    }
    $addresses = @($addresses | Where-Object { $_ -match '^https?:' } | Select-Object -Unique)
    if (-not $WithoutLists -and $addresses) { Get-RevocationEvidence -Address $addresses }
}

function Get-RevocationEvidence {
    # Whether each list can be fetched, and the lists that could.
    param([Parameter(Mandatory)] [string[]] $Address)
    $results = @()
    foreach ($one in $Address) {
        $reply = Get-WebReply -Address $one
        $results += [ordered] @{ url = $one; fetched = $reply.Fetched; detail = $reply.Detail; at = $reply.At }
        if ($reply.Fetched) { New-Evidence -Name 'RevocationList' -Of $results.Count -Content $reply.Content }
    }
    New-Evidence -Name 'FetchList' -Content (ConvertTo-Json -InputObject @($results))
}

function Get-WebReply {
    # What an address answers: Fetched, Content, Detail, Date (by the server's clock), and by this machine's clock At, when
    # it was asked, and Middle, half way to the answer.
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)] [string] $Address,
        [int] $TimeoutSeconds = 15
    )
    Add-Type -AssemblyName System.Net.Http
    $reply = @{ Fetched = $false; Content = [byte[]] @(); Detail = ''; Date = $null; At = (Get-UtcText); Middle = $null }
    $client = New-Object -TypeName System.Net.Http.HttpClient
    try {
        $client.Timeout = [timespan]::FromSeconds($TimeoutSeconds)
        $before = [datetime]::UtcNow
        $answer = $client.GetAsync($Address).GetAwaiter().GetResult()
        $reply.Middle = $before.AddTicks(([datetime]::UtcNow - $before).Ticks / 2)
        if ($answer.Headers.Date) { $reply.Date = $answer.Headers.Date.UtcDateTime }
        $reply.Detail = "HTTP $([int] $answer.StatusCode)"
        $reply.Fetched = $answer.IsSuccessStatusCode
        if ($reply.Fetched) { $reply.Content = $answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult() }
    }
    catch {
        $reply.Fetched = $false
        $reply.Detail = "failed: $(Get-InnermostMessage -Failure $_)"
    }
    finally {
        $client.Dispose()
    }
    $reply
}

function Get-ClockEvidence {
    # How far this machine's clock is ahead of a time source: of an NTP server, else of the Date of a web server.
    param([Parameter(Mandatory)] [string] $TimeSource)
    $chart = Invoke-SystemProgram -Name 'w32tm.exe' -Argument '/stripchart', "/computer:$TimeSource", '/samples:3', '/dataonly'
    $lines = @("machine clock, UTC: $(Get-UtcText)", '', "w32tm /stripchart /computer:$TimeSource") + $chart
    # Plain HTTP: TLS would fail where the clock is wrong.
    $reply = Get-WebReply -Address $script:WebClock
    $lines += '', "HTTP Date of $script:WebClock"
    if ($reply.Date) {
        $ahead = [math]::Round(($reply.Middle - $reply.Date).TotalSeconds, 1)
        $lines += "the machine's clock is ahead by $($ahead.ToString([System.Globalization.CultureInfo]::InvariantCulture)) s, give or take one second"
    }
    else {
        $lines += "no time: $($reply.Detail)"
    }
    New-Evidence -Name 'Clock' -Content (($lines -join "`r`n") + "`r`n")
}

function Get-UtcText {
    # Now, by this machine's clock.
    [OutputType([string])]
    param()
    [datetime]::UtcNow.ToString('yyyy-MM-dd\THH:mm:ss.fff\Z', [System.Globalization.CultureInfo]::InvariantCulture)
}

# The address by which Windows itself looks whether it is online.
$script:WebClock = 'http://www.msftconnecttest.com/connecttest.txt'
