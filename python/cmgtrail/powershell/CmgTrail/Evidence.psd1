# What Export-CmgTrailEvidence collects, and the names that cmgtrail knows it by (docs/bundle.md of cmgtrail).
@{
    # Names in the folder of the machine.
    Entries = @{
        RootStore         = 'stores/root.pem'
        IntermediateStore = 'stores/ca.pem'
        DisallowedStore   = 'stores/disallowed.pem'
        DeviceCertificate = 'wpj{0}.cer'
        JoinStatus        = 'dsregcmd.txt'
        PresentedChain    = 'presented/{0}.pem'
        RevocationList    = 'crls/{0}.crl'
        FetchList         = 'crls/fetched.json'
        Clock             = 'clock.txt'
        Account           = 'collected.txt'
    }

    # The machine's stores, as Windows names them.
    Stores  = @{
        RootStore         = 'Root'
        IntermediateStore = 'CA'
        DisallowedStore   = 'Disallowed'
    }

    # Kinds of machine. Folders: where logs are, and the folder of the bundle that they go to; the value of a registry
    # key, or a path. Logs: the names without their ending; a * stands for anything. Rollovers are taken with them.
    Roles   = @{
        'client' = @{
            Folders = @(
                @{ Into = 'ccm'; Key = 'HKLM:\SOFTWARE\Microsoft\CCM\Logging\@Global'; Value = 'LogDirectory' }
                @{ Into = 'ccm'; Path = '%SystemRoot%\CCM\Logs' }
                @{ Into = 'ccmsetup'; Path = '%SystemRoot%\ccmsetup\Logs' }
            )
            Logs    = @(
                'ADALOperationProvider', 'ApplyDriverPackage', 'CcmAad', 'CcmMessaging', 'ccmsetup'
                'ClientIDManagerStartup', 'ClientLocation', 'CoManagementHandler', 'DataTransferService'
                'LocationServices', 'PolicyAgent', 'smsts', 'TSMBootstrap'
            )
        }
        'management-point' = @{
            Folders = @(
                @{ Into = 'ccm'; Path = '%SystemDrive%\SMS_CCM\Logs' }
                @{ Into = 'ccm'; Path = '%ProgramFiles%\SMS_CCM\Logs' }
                @{ Into = 'iis'; Path = '%SystemDrive%\inetpub\logs\LogFiles\W3SVC1' }
            )
            Logs    = @('CCM_STS', 'CCM_STS_ManagedBase', 'CcmIsapi', 'ClientAuth', 'MP_*', 'u_ex*')
        }
        'connection-point' = @{
            Folders = @(
                @{ Into = 'sms'; Key = 'HKLM:\SOFTWARE\Microsoft\SMS\Identification'; Value = 'Installation Directory'; Below = 'Logs' }
                @{ Into = 'sms'; Path = '%SystemDrive%\SMS\Logs' }
            )
            Logs    = @('SMS_CLOUD_PROXYCONNECTOR')
        }
        'site-server' = @{
            Folders = @(
                @{ Into = 'sms'; Key = 'HKLM:\SOFTWARE\Microsoft\SMS\Identification'; Value = 'Installation Directory'; Below = 'Logs' }
            )
            Logs    = @('CloudMgr', 'CMG-*', 'ddm', 'mpcontrol', 'mpfdm', 'SMS_AZUREAD_DISCOVERY_AGENT', 'statesys')
        }
    }
}
