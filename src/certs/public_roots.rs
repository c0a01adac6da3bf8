//! Which roots are public: Mozilla's list, as a hint. It is neither the client's store nor Microsoft's root programme.

use super::certificate::Certificate;
use super::der;
use super::key::{PublicKey, Verification, verify};

/// Whether a self-signed certificate is a root that Mozilla lists, by name and key.
pub(super) fn is_public_root(certificate: &Certificate) -> bool {
    webpki_roots::TLS_SERVER_ROOTS.iter().any(|anchor| {
        content(&certificate.subject.raw) == Some(anchor.subject.as_ref())
            && content(&certificate.key.der) == Some(anchor.subject_public_key_info.as_ref())
    })
}

/// Whether a root that Mozilla lists issued this certificate, by name and signature.
pub(super) fn issued_by_public_root(certificate: &Certificate) -> bool {
    webpki_roots::TLS_SERVER_ROOTS
        .iter()
        .filter(|anchor| content(&certificate.issuer.raw) == Some(anchor.subject.as_ref()))
        .filter_map(|anchor| PublicKey::from_der_content(&anchor.subject_public_key_info))
        .any(|key| verify(&key, &certificate.der, &certificate.signed) == Verification::Good)
}

/// What is inside the sequence that makes up all of `raw`.
fn content(raw: &[u8]) -> Option<&[u8]> {
    der::Reader::new(raw).tagged(der::SEQUENCE).map(|element| element.content)
}
