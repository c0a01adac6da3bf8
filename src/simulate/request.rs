//! A request on its way from a client through the gateway, and how it is answered.

use super::decide::EntraToken;
use super::facts::{ClientFacts, World};
use crate::stage::Stage;
use crate::time::Micros;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The site's Entra settings; the CMG answers itself.
    AadInfo,
    /// What ccmsetup asks with a registration token.
    ServiceMetadata,
    /// The token service.
    Sts,
    /// A message to an endpoint of the management point.
    Message(&'static str),
    /// The list of management points.
    MpList,
    /// Content, which the CMG has.
    Content(String),
}

impl Endpoint {
    /// Its name in the connection point's log; that of the application on the management point.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AadInfo => "AADAuthInfo",
            Self::ServiceMetadata => "ServiceMetadata",
            Self::Sts => "CCM_STS",
            Self::Message(_) => "CCM_System_TokenAuth",
            Self::MpList => "SMS_MP",
            Self::Content(_) => "downloadrestservice.svc",
        }
    }

    /// Method, path and query on the management point.
    pub const fn inside(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Sts => ("GET", "/CCM_STS", "-"),
            Self::MpList => ("GET", "/SMS_MP/.sms_aut", "MPLIST"),
            _ => ("CCM_POST", "/ccm_system_tokenauth/request", "-"),
        }
    }

    /// Method, path and query on the CMG.
    pub fn outside(&self, world: &World, client: &ClientFacts) -> (&'static str, String, String) {
        let role = world.points.get(client.point).map_or(0, |point| point.role_id);
        let way = if client.pki { "CCM_Proxy_MutualAuth" } else { "CCM_Proxy_ServerAuth" };
        let tenant = world.site.tenants.get(client.tenant).map(|tenant| tenant.id.as_str()).unwrap_or_default();
        match self {
            Self::AadInfo => ("GET", "/CCM_Proxy_ServerAuth/AADAuthInfo".to_owned(), format!("TenantID={tenant}")),
            Self::ServiceMetadata => ("GET", "/CCM_Proxy_ServerAuth/ServiceMetadata".to_owned(), String::new()),
            Self::Sts => ("GET", format!("/{way}/{role}/CCM_STS"), String::new()),
            Self::Message(_) if client.pki => ("CCM_POST", format!("/{way}/{role}/ccm_system/request"), String::new()),
            Self::Message(_) => ("CCM_POST", format!("/{way}/{role}/ccm_system_tokenauth/request"), String::new()),
            Self::MpList => ("GET", format!("/{way}/{role}/SMS_MP/.sms_aut"), "MPLIST".to_owned()),
            Self::Content(query) => ("GET", "/downloadrestservice.svc/getcontentxmlsecure".to_owned(), query.clone()),
        }
    }
}

/// With what a client proves who it is.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    Nothing,
    Entra(EntraToken),
    /// A CCM token, which the site issued for eight hours.
    Ccm,
    /// A bulk registration token.
    Registration(String),
    /// A certificate of the organisation's PKI.
    Certificate,
}

/// A request as it arrives at a machine.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub flow: u32,
    pub attempt: u32,
    pub number: u32,
    pub client: usize,
    pub endpoint: Endpoint,
    pub credential: Credential,
    pub agent: &'static str,
}

/// When the answer leaves a machine, and what it is.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub at: Micros,
    pub result: Result<(), Refusal>,
}

/// Why a client did not get what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// TLS failed, with this mask.
    Handshake(u32),
    /// Somebody refused it over HTTP.
    Status {
        /// The stage whose work could not be done.
        stage: Stage,
        status: u16,
        /// Status text, where a public sample has it; else the client's log shows none.
        text: Option<&'static str>,
        /// What the client makes of it.
        hresult: &'static str,
    },
    /// The management point refused the registration.
    Registration,
}

impl Refusal {
    pub const BAD_STATUS: &'static str = "87d0027e";
    pub const TRANSIENT: &'static str = "87d00231";

    pub const fn status(stage: Stage, status: u16, text: Option<&'static str>) -> Self {
        Self::Status { stage, status, text, hresult: Self::BAD_STATUS }
    }

    pub const fn stage(&self) -> Stage {
        match self {
            Self::Handshake(_) => Stage::CmgConnection,
            Self::Status { stage, .. } => *stage,
            Self::Registration => Stage::Registration,
        }
    }

    pub const fn hresult(&self) -> &'static str {
        match self {
            Self::Handshake(_) => "80072f8f",
            Self::Status { hresult, .. } => hresult,
            Self::Registration => Self::BAD_STATUS,
        }
    }
}

/// The reason phrase of a status.
pub(super) const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Redirect",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        _ => "Service Unavailable",
    }
}
