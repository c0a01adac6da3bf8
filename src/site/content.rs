//! What the files that a site description names must hold: a file of another kind is a mistake of the description.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::file::File;
use crate::certs::Bundle;
use crate::certs::dsregcmd::DeviceStatus;

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

    /// Whether a file holds it. One that is damaged does: what is wrong with it, a prediction says.
    pub fn is_in(self, file: &File) -> bool {
        match self {
            // Stores are large, and a fleet has many.
            Self::Certificates if is_framed(&file.bytes, &["CERTIFICATE-----", "PKCS7-----"]) => true,
            Self::RevocationList if is_framed(&file.bytes, &["X509 CRL-----"]) => true,
            Self::Certificates => !Bundle::read(&[file.source()]).certificates.is_empty(),
            Self::RevocationList => !Bundle::read(&[file.source()]).lists.is_empty(),
            Self::JoinStatus => {
                const FIELDS: [&str; 6] =
                    ["AzureAdJoined", "DomainJoined", "WorkplaceJoined", "DeviceId", "DeviceAuthStatus", "AzureAdPrt"];
                let status = DeviceStatus::read(&file.bytes);
                FIELDS.iter().any(|name| status.get(name).is_some())
            }
            Self::Token => is_token(file.text().trim()),
        }
    }
}

/// Whether bytes begin as DER does, or have the frame of such PEM.
fn is_framed(bytes: &[u8], labels: &[&str]) -> bool {
    const SEQUENCE: u8 = 0x30;
    bytes.first() == Some(&SEQUENCE)
        || labels.iter().any(|label| memchr::memmem::find(bytes, label.as_bytes()).is_some())
}

/// Whether a text has the form of a token: parts, and a header in the first.
fn is_token(text: &str) -> bool {
    let mut parts = text.split('.');
    let header = parts.next().and_then(|header| URL_SAFE_NO_PAD.decode(header.trim_end_matches('=')).ok());
    let header = header.and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    parts.count() >= 2 && header.is_some_and(|header| header.is_object())
}
