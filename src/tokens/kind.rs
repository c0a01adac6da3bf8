//! Which kind of token it is, and by what that was recognised.

use super::issuers::{self, Issuer, SITE_AUDIENCE, Version};
use super::json::Json;

/// Kinds of token that a client authentication through a CMG meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An Entra access token of a device: no user in it.
    EntraDevice,
    /// An Entra access token of a user.
    EntraUser,
    /// An Entra access token of an application itself.
    EntraApplication,
    /// A token that the site's token service (`CCM_STS`) issued to a client.
    Ccm,
    /// The site's bulk registration token, given to ccmsetup.
    BulkRegistration,
    /// Encrypted (five parts); its claims cannot be read.
    Encrypted,
    /// None of these.
    Unknown,
}

impl TokenKind {
    /// The word for people and for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EntraDevice => "entra-device",
            Self::EntraUser => "entra-user",
            Self::EntraApplication => "entra-application",
            Self::Ccm => "ccm",
            Self::BulkRegistration => "bulk-registration",
            Self::Encrypted => "encrypted",
            Self::Unknown => "unknown",
        }
    }

    /// True for the kinds that Entra issues.
    pub const fn is_entra(self) -> bool {
        matches!(self, Self::EntraDevice | Self::EntraUser | Self::EntraApplication)
    }

    /// True for the kinds that a Configuration Manager site issues.
    pub const fn is_site(self) -> bool {
        matches!(self, Self::Ccm | Self::BulkRegistration)
    }
}

/// A kind, with what it was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub kind: TokenKind,
    /// Version of an Entra token.
    pub version: Option<Version>,
    /// Cloud of an Entra token.
    pub cloud: Option<&'static str>,
    /// By what, in words.
    pub how: &'static str,
}

impl Recognised {
    /// A token of five parts.
    pub const fn encrypted() -> Self {
        Self { kind: TokenKind::Encrypted, version: None, cloud: None, how: "it has five parts" }
    }
}

/// Recognises a token by its claims. Never trusts the signature for it, and never fails.
pub(crate) fn recognise(claims: Option<&Json<'_>>) -> Recognised {
    let unknown = |how| Recognised { kind: TokenKind::Unknown, version: None, cloud: None, how };
    let Some(claims) = claims else { return unknown("its claims cannot be read") };
    match claims.text("iss").map(issuers::recognise) {
        Some(Some(Issuer::Entra { cloud, version, .. })) => {
            let (kind, how) = entra(claims);
            Recognised { kind, version: Some(version), cloud: Some(cloud), how }
        }
        Some(Some(Issuer::Site { .. })) => site(claims),
        _ if claims.get("SCCMTokenCategory").is_some() || claims.text("aud") == Some(SITE_AUDIENCE) => site(claims),
        _ if has_any(claims, &["tid", "oid", "deviceid"]) => {
            let version = match claims.text("ver") {
                Some("1.0") => Some(Version::V1),
                Some("2.0") => Some(Version::V2),
                _ => None,
            };
            let (kind, how) = entra(claims);
            Recognised { kind, version, cloud: None, how }
        }
        _ => unknown("neither its issuer nor its claims are those of Entra or of a Configuration Manager site"),
    }
}

fn site(claims: &Json<'_>) -> Recognised {
    let (kind, how) = if claims.text("Type") == Some("BulkRegistration") {
        (TokenKind::BulkRegistration, "issued by a site (urn:sccm) with Type BulkRegistration")
    } else {
        (TokenKind::Ccm, "issued by a site (urn:sccm); the claims of such tokens are not published")
    };
    Recognised { kind, version: None, cloud: None, how }
}

/// Device, user or application. `idtyp` says it where the resource asked for it; else the claims tell.
fn entra(claims: &Json<'_>) -> (TokenKind, &'static str) {
    const USER: [&str; 4] = ["upn", "unique_name", "preferred_username", "scp"];
    match claims.text("idtyp") {
        Some("device") => (TokenKind::EntraDevice, "Entra's issuer, and idtyp says device"),
        Some("user") => (TokenKind::EntraUser, "Entra's issuer, and idtyp says user"),
        Some("app") => (TokenKind::EntraApplication, "Entra's issuer, and idtyp says app"),
        _ if has_any(claims, &USER) => {
            (TokenKind::EntraUser, "Entra's issuer, and a user's name or scope in the claims")
        }
        _ if claims.get("deviceid").is_some() => {
            (TokenKind::EntraDevice, "Entra's issuer, a deviceid, and neither a user's name nor a scope (inferred)")
        }
        _ => (TokenKind::EntraApplication, "Entra's issuer, and neither a user nor a device in the claims (inferred)"),
    }
}

fn has_any(claims: &Json<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| claims.get(name).is_some())
}
