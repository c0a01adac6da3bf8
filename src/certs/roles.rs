//! What a certificate is for in a Configuration Manager site, as far as it shows.

use serde::Serialize;

use super::certificate::Certificate;
use super::extensions::usage;

/// The part a certificate plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A certification authority.
    Authority,
    /// What a CMG shows to its clients.
    Service,
    /// What a site shows to Azure for a classic deployment of the CMG; clients never see it.
    Management,
    /// What a device shows: a client authentication certificate from a PKI.
    Client,
    /// The certificate of a device joined to, or registered with, Entra.
    WorkplaceJoin,
    /// The short-lived certificate for connections between devices of a tenant.
    PeerToPeer,
    /// The certificate of device management (Intune).
    MobileManagement,
    /// None of these can be told.
    Unknown,
}

impl Role {
    /// The role in words, with its article.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Authority => "a certification authority",
            Self::Service => "a service certificate",
            Self::Management => {
                "the management certificate of a classic deployment, which a site shows to Azure and clients never see"
            }
            Self::Client => "a client authentication certificate",
            Self::WorkplaceJoin => "the certificate of a device joined to or registered with Entra",
            Self::PeerToPeer => "the short-lived certificate for connections between devices",
            Self::MobileManagement => "the certificate of device management",
            Self::Unknown => "a certificate of no known role",
        }
    }
}

/// The role of a certificate, and what tells it, as a clause.
pub fn role(certificate: &Certificate) -> (Role, &'static str) {
    let issued_by = |name: &str| certificate.issuer.common_names.iter().any(|common| common.eq_ignore_ascii_case(name));
    let names = |wanted: &str| certificate.extensions.extended_key_usage.iter().flatten().any(|usage| usage == wanted);
    if issued_by("MS-Organization-Access") {
        return (Role::WorkplaceJoin, "MS-Organization-Access issued it");
    }
    if certificate.issuer.common_names.iter().any(|common| common.starts_with("MS-Organization-P2P-Access")) {
        return (Role::PeerToPeer, "MS-Organization-P2P-Access issued it");
    }
    if issued_by("Microsoft Intune MDM Device CA") || issued_by("SC_Online_Issuing") {
        return (Role::MobileManagement, "Intune's authority issued it");
    }
    if certificate.is_ca() && !certificate.allows_explicitly(usage::SERVER_AUTH) {
        return (Role::Authority, "its basic constraints say so");
    }
    if names(usage::SERVER_AUTH) {
        return (Role::Service, "its extended key usage names server authentication");
    }
    let self_signed = certificate.is_self_issued();
    if self_signed && certificate.dns_names().next().is_none() {
        return (Role::Management, "it is self-signed, names no host and is not for server authentication");
    }
    if names(usage::CLIENT_AUTH) {
        return (Role::Client, "its extended key usage names client authentication and not server authentication");
    }
    if certificate.dns_names().next().is_some() {
        return (Role::Service, "it names hosts and does not limit its usage");
    }
    (Role::Unknown, "it names no host and does not limit its usage")
}
