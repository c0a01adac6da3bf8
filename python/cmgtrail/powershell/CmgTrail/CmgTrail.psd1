@{
    RootModule           = 'CmgTrail.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '5d0f3c2e-7a41-4b86-9f1d-2c6a8e7b9d34'
    Author               = 'The cmgtrail contributors'
    Copyright            = '(c) The cmgtrail contributors. MIT or Apache-2.0.'
    Description          = 'Follows Configuration Manager clients through a Cloud Management Gateway: reads the logs, says where authentication stopped, why, and what to do.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FormatsToProcess     = @('CmgTrail.Format.ps1xml')
    FunctionsToExport    = @(
        'Export-CmgTrailEvidence'
        'Get-CmgTrailFinding'
        'Get-CmgTrailFlow'
        'Get-CmgTrailRecord'
        'New-CmgTrailReport'
        'Resolve-CmgTrailCode'
        'Test-CmgTrailCertificate'
        'Test-CmgTrailSite'
        'Test-CmgTrailToken'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('ConfigMgr', 'SCCM', 'CMG', 'Logs', 'Windows')
        }
    }
}
