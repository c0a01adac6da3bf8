//! What the files that a site description names must hold: a file of another kind is a mistake of the description.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::file::File;
use crate::certs::dsregcmd::DeviceStatus;
use crate::certs::{Bundle, foreign_bytes};

/// What a file must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Certificates.
    Certificates,
    /// A revocation list.
    RevocationList,
    /// Output of `dsregcmd /status`.
    JoinStatus,
    /// A token.
    Token,
}

impl Content {
    /// What is expected, with its article.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Certificates => "a certificate (PEM, DER or PKCS#7)",
            Self::RevocationList => "a revocation list (PEM or DER)",
            Self::JoinStatus => "the output of 'dsregcmd /status', with lines such as 'AzureAdJoined : YES'",
            Self::Token => "a token (three parts with dots between them, as 'eyJ0…')",
        }
    }

    /// Why a file does not hold it, as a clause where more is to be said than that; `None` where it does. One that is
    /// damaged does: what is wrong with it, a prediction says.
    pub fn lacks(self, file: &File) -> Option<String> {
        let whole = match self {
            // Stores are large, and a fleet has many.
            Self::Certificates if is_framed(&file.bytes, &["CERTIFICATE-----", "PKCS7-----"]) => true,
            Self::RevocationList if is_framed(&file.bytes, &["X509 CRL-----"]) => true,
            Self::Certificates | Self::RevocationList => return lacks_der(self, file),
            Self::JoinStatus => {
                const FIELDS: [&str; 6] =
                    ["AzureAdJoined", "DomainJoined", "WorkplaceJoined", "DeviceId", "DeviceAuthStatus", "AzureAdPrt"];
                let status = DeviceStatus::read(&file.bytes);
                FIELDS.iter().any(|name| status.get(name).is_some())
            }
            Self::Token => is_token(file.text().trim()),
        };
        (!whole).then(String::new)
    }
}

/// Why a file without the frame of such PEM holds no certificate, or no revocation list.
fn lacks_der(wanted: Content, file: &File) -> Option<String> {
    if let Some(why) = foreign_bytes(&file.bytes) {
        return Some(why.to_owned());
    }
    let bundle = Bundle::read(&[file.source()]);
    let (own, other, named) = match wanted {
        Content::Certificates => (bundle.certificates.len(), bundle.lists.len(), "it is a revocation list"),
        _ => (bundle.lists.len(), bundle.certificates.len(), "it is a certificate"),
    };
    let is_der = file.bytes.first() == Some(&SEQUENCE);
    match (own, other) {
        (1.., _) => None,
        (0, 1..) => Some(named.to_owned()),
        (0, 0) if is_der => None,
        (0, 0) => Some(bundle.problems.first().map(|problem| problem.reason.clone()).unwrap_or_default()),
    }
}

/// First byte of a certificate and of a revocation list in DER.
const SEQUENCE: u8 = 0x30;

/// Whether bytes have the frame of such PEM.
fn is_framed(bytes: &[u8], labels: &[&str]) -> bool {
    labels.iter().any(|label| memchr::memmem::find(bytes, label.as_bytes()).is_some())
}

/// Whether a text has the form of a token: parts, and a header in the first.
fn is_token(text: &str) -> bool {
    let mut parts = text.split('.');
    let header = parts.next().and_then(|header| URL_SAFE_NO_PAD.decode(header.trim_end_matches('=')).ok());
    let header = header.and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    parts.count() >= 2 && header.is_some_and(|header| header.is_object())
}
