//! The vocabulary of the workflow: stages and their status, marks, machine roles, kinds and outcomes of flows.

use serde::{Deserialize, Serialize};

/// One step of a client's way through the gateway, in the order in which stages are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The client asks the CMG for the site's Entra settings.
    AadInfo,
    /// The workplace-join certificate, proof of the Entra join, is found.
    WpjCertificate,
    /// Entra issues a device or user token.
    AadToken,
    /// TCP, TLS, the CMG's certificate and its revocation.
    CmgConnection,
    /// The client asks for a ConfigMgr (CCM) token.
    CcmTokenRequest,
    /// The CMG takes the request and checks its token.
    CmgReceive,
    /// The CMG hands the request to a connection point.
    CmgForward,
    /// The connection point turns it into a request to the management point.
    ConnectorForward,
    /// The management point checks token, tenant, device and user.
    MpValidate,
    /// The CCM token is returned and cached.
    CcmTokenIssue,
    /// Management points, site information, signing certificate.
    LocationRequest,
    /// Client setup files or packages through the gateway.
    ContentDownload,
    /// ccmsetup installs the client.
    ClientInstall,
    /// The site accepts the client's registration.
    Registration,
    /// Location services bring the site's security settings, CRL option included.
    SettingsRefresh,
}

impl Stage {
    /// All stages, in display order.
    pub const ALL: [Self; 15] = [
        Self::AadInfo,
        Self::WpjCertificate,
        Self::AadToken,
        Self::CmgConnection,
        Self::CcmTokenRequest,
        Self::CmgReceive,
        Self::CmgForward,
        Self::ConnectorForward,
        Self::MpValidate,
        Self::CcmTokenIssue,
        Self::LocationRequest,
        Self::ContentDownload,
        Self::ClientInstall,
        Self::Registration,
        Self::SettingsRefresh,
    ];

    /// The stage's id, as it stands in knowledge files and in JSON.
    ///
    /// ```
    /// assert_eq!(cmgtrail::stage::Stage::AadToken.id(), "aad-token");
    /// ```
    pub fn id(self) -> &'static str {
        match self {
            Self::AadInfo => "aad-info",
            Self::WpjCertificate => "wpj-certificate",
            Self::AadToken => "aad-token",
            Self::CmgConnection => "cmg-connection",
            Self::CcmTokenRequest => "ccm-token-request",
            Self::CmgReceive => "cmg-receive",
            Self::CmgForward => "cmg-forward",
            Self::ConnectorForward => "connector-forward",
            Self::MpValidate => "mp-validate",
            Self::CcmTokenIssue => "ccm-token-issue",
            Self::LocationRequest => "location-request",
            Self::ContentDownload => "content-download",
            Self::ClientInstall => "client-install",
            Self::Registration => "registration",
            Self::SettingsRefresh => "settings-refresh",
        }
    }
}

/// What an event says of its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The stage begins.
    Start,
    /// Something on the way.
    Step,
    /// The stage succeeded.
    Ok,
    /// The stage failed.
    Fail,
}

/// The kind of machine that writes a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A Configuration Manager client.
    Client,
    /// An instance of the gateway in Azure.
    Cmg,
    /// The site system that holds the channel to the gateway.
    ConnectionPoint,
    /// The site system that answers clients.
    ManagementPoint,
    /// The site server.
    SiteServer,
}

impl Role {
    /// The role's id, as it stands in knowledge files and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Cmg => "cmg",
            Self::ConnectionPoint => "connection-point",
            Self::ManagementPoint => "management-point",
            Self::SiteServer => "site-server",
        }
    }

    /// The role in words, for explanations.
    pub fn words(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Cmg => "CMG",
            Self::ConnectionPoint => "connection point",
            Self::ManagementPoint => "management point",
            Self::SiteServer => "site server",
        }
    }
}

/// What a client was after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowKind {
    /// One ccmsetup process, banner to exit.
    Install,
    /// Registration with the site.
    Registration,
    /// Anything after: from a need of a token, or the first request to the CMG, to success or silence.
    Service,
}

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It reached its purpose.
    Completed,
    /// It gave up, or its last attempt failed.
    Failed,
    /// It went silent without a failure while its log goes on.
    Stalled,
    /// Its log ends in mid-flow.
    Unfinished,
}

/// Status of a stage in a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageStatus {
    /// Its work was done.
    Passed,
    /// Its work could not be done.
    Failed,
    /// Not needed in this flow.
    Skipped,
    /// No evidence.
    Unseen,
}

impl StageStatus {
    /// Its id, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unseen => "unseen",
        }
    }
}
