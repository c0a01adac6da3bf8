function Test-CmgTrailCertificate {
    <#
    .SYNOPSIS
    Says whether a client accepts a certificate of a Cloud Management Gateway, and every reason why not, offline.

    .DESCRIPTION
    Emits a report: valid ($true, $false, or $null where something that decides was not checked), what the certificates
    hold (facts), and every check with the code under which Windows reports it. Nothing is fetched: without -Root
    nothing is trusted.

    Give the certificates as the server sends them, its own first.

    .PARAMETER Path
    Files with the chain: PEM, DER or PKCS#7.

    .PARAMETER Certificate
    The chain as certificate objects, such as those of the drive Cert:. Only their public part is read.

    .PARAMETER Root
    Files with the roots that the client trusts.

    .PARAMETER Intermediate
    Files with the intermediate authorities in the client's store.

    .PARAMETER Crl
    Files with revocation lists.

    .PARAMETER CrlUnreachable
    Addresses of revocation lists that the client could not fetch.

    .PARAMETER Disallowed
    Files with the certificates in the client's disallowed store.

    .PARAMETER HostName
    The host that the client connects to. Without it names are not checked.

    .PARAMETER Purpose
    server (default) or client.

    .PARAMETER At
    The instant to validate for: that of the log line. Default: now. A time without a zone is local time.

    .PARAMETER ChainProfile
    Whose rules decide: windows (default), webpki or rfc5280.

    .PARAMETER Vantage
    Where the client is: internet (default) or intranet.

    .PARAMETER Revocation
    What is checked for revocation: off, leaf or chain. Default: the chain where -Crl is given, else nothing.

    .PARAMETER MaxDepth
    How many intermediate authorities there may be.

    .PARAMETER NoRootUpdate
    Windows may not fetch a public root that its store lacks.

    .PARAMETER InternalSuffix
    Domains that only the own network knows.

    .PARAMETER Phases
    Compare ccmsetup with /NoCRLCheck to the time after the site's settings: properties bootstrap and after_settings.

    .PARAMETER CrlCheck
    With -Phases: ccmsetup runs without /NoCRLCheck.

    .PARAMETER NoSiteCrl
    With -Phases: the site's CRL option is off.

    .PARAMETER Inspect
    Only say what the files hold.

    .PARAMETER PythonPath
    The Python that has cmgtrail. Default: the environment variable CMGTRAIL_PYTHON, then py, then python.

    .EXAMPLE
    Test-CmgTrailCertificate .\cmg.pem -Root .\root.pem -HostName cmg.contoso.com

    .EXAMPLE
    (Test-CmgTrailCertificate .\cmg.pem -Root .\root.pem -Crl .\root.crl -Phases).after_settings.checks

    .EXAMPLE
    Get-Item Cert:\LocalMachine\My\A909502DD82AE41433E6F83886B00D4277A32A7B |
        Test-CmgTrailCertificate -Root .\root.pem -Purpose client

    A client's own certificate. What comes through the pipeline, certificates or files, is one chain.

    .OUTPUTS
    CmgTrail.Report, or CmgTrail.Phases with -Phases

    .LINK
    Test-CmgTrailToken

    .LINK
    Export-CmgTrailEvidence
    #>
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    [OutputType('CmgTrail.Report')]
    param(
        # A text in the pipeline is a path: without ValueFromPipeline here it would become a certificate, since the type
        # of certificates can be made of the name of a file.
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [Alias('FullName', 'PSPath', 'LiteralPath')]
        [ValidateNotNullOrEmpty()]
        [string[]] $Path,

        # The base type: what is not of the parameter's type is taken for a path.
        [Parameter(Mandatory, ValueFromPipeline, ParameterSetName = 'Certificate')]
        [ValidateNotNullOrEmpty()]
        [System.Security.Cryptography.X509Certificates.X509Certificate[]] $Certificate,

        [ValidateNotNullOrEmpty()]
        [string[]] $Root,

        [ValidateNotNullOrEmpty()]
        [string[]] $Intermediate,

        [ValidateNotNullOrEmpty()]
        [string[]] $Crl,

        [ValidateNotNullOrEmpty()]
        [string[]] $CrlUnreachable,

        [ValidateNotNullOrEmpty()]
        [string[]] $Disallowed,

        [ValidateNotNullOrEmpty()]
        [string] $HostName,

        [ValidateSet('server', 'client')]
        [string] $Purpose,

        [datetime] $At,

        [ValidateSet('windows', 'webpki', 'rfc5280')]
        [string] $ChainProfile,

        [ValidateSet('internet', 'intranet')]
        [string] $Vantage,

        [ValidateSet('off', 'leaf', 'chain')]
        [string] $Revocation,

        [ValidateRange(0, 100)]
        [int] $MaxDepth,

        [switch] $NoRootUpdate,

        [ValidateNotNullOrEmpty()]
        [string[]] $InternalSuffix,

        [switch] $Phases,

        [switch] $CrlCheck,

        [switch] $NoSiteCrl,

        [switch] $Inspect,

        [string] $PythonPath
    )

    begin {
        $files = @()
        $chain = @()
    }
    process {
        if ($PSCmdlet.ParameterSetName -eq 'Certificate') {
            $chain += $Certificate
            return
        }
        foreach ($one in $Path) { $files += Resolve-FilePath -Caller $PSCmdlet -Path $one }
    }
    end {
        $reading = @{ Caller = $PSCmdlet; Given = $PSBoundParameters; TypeName = 'CmgTrail.Report' }
        if ($Phases) { $reading.TypeName = 'CmgTrail.Phases' }
        if ($files) { Read-Report @reading -Operand $files }
        if ($chain) {
            $pem = ConvertTo-Pem -Certificate $chain
            Read-Report @reading -Operand '-' -StandardInput ([System.Text.Encoding]::ASCII.GetBytes($pem))
        }
    }
}
