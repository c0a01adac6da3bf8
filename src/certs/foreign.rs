//! What is given in place of a certificate by mistake, each with the clause that says so and what to give.

use super::der::{self, Reader};
use super::pem::Block;

const PRIVATE_KEY: &str = "it holds a private key and no certificate; no check needs the key, so keep it where it belongs and give the certificate";
const REQUEST: &str = "it holds a certificate request; give the certificate that the CA made of it";
const PUBLIC_KEY: &str = "it holds a bare public key; give the certificate";
const PKCS12: &str =
    "it is a PKCS#12 file (.pfx), made to carry a private key; export the certificate alone, as .cer or .p7b";
const TOKEN: &str = "it holds a token and no certificate; 'cmgtrail token' reads tokens";

/// What PEM blocks hold that are not looked at.
pub(super) fn blocks(blocks: &[Block]) -> Option<&'static str> {
    blocks.iter().find_map(|block| match block {
        Block::Other(label) if label.contains("PRIVATE KEY") => Some(PRIVATE_KEY),
        Block::Other(label) if label.contains("CERTIFICATE REQUEST") => Some(REQUEST),
        Block::Other(label) if label.contains("PUBLIC KEY") => Some(PUBLIC_KEY),
        _ => None,
    })
}

/// What bytes are that are no PEM text, where they are certainly no certificate.
pub(crate) fn bytes(bytes: &[u8]) -> Option<&'static str> {
    if is_token(bytes) {
        return Some(TOKEN);
    }
    let mut parts = Reader::new(bytes).tagged(der::SEQUENCE)?.inside();
    // A certificate and a list begin with a sequence; these begin with a version.
    let version = parts.tagged(der::INTEGER)?.content;
    let next = parts.next()?;
    match (version, next.tag) {
        ([3], der::SEQUENCE) => Some(PKCS12), // RFC 7292, section 4
        // RFC 5958, section 2; RFC 8017, A.1.2; RFC 5915, section 3
        ([0 | 1], der::SEQUENCE | der::INTEGER | der::OCTET_STRING) => Some(PRIVATE_KEY),
        _ => None,
    }
}

/// The start of a JSON object in base64url, and the dots of a compact token (RFC 7515, section 7.1).
fn is_token(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let is_part = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    text.starts_with(b"eyJ") && text.iter().all(is_part) && memchr::memchr_iter(b'.', text).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_named() {
        let of_label = |label: &str| blocks(&[Block::Broken("x"), Block::Other(label.to_owned())]);
        assert_eq!(of_label("ENCRYPTED PRIVATE KEY"), Some(PRIVATE_KEY));
        assert_eq!(of_label("NEW CERTIFICATE REQUEST"), Some(REQUEST));
        assert_eq!(of_label("PUBLIC KEY"), Some(PUBLIC_KEY));
        assert_eq!(of_label("DH PARAMETERS"), None);

        assert_eq!(bytes(b" eyJhbGciOiJub25lIn0.eyJhIjoxfQ.\r\n"), Some(TOKEN));
        assert_eq!(bytes(&[0x30, 7, 2, 1, 3, 0x30, 2, 5, 0]), Some(PKCS12));
        assert_eq!(bytes(&[0x30, 7, 2, 1, 0, 0x30, 2, 5, 0]), Some(PRIVATE_KEY));
        assert_eq!(bytes(&[0x30, 6, 2, 1, 0, 2, 1, 9]), Some(PRIVATE_KEY));
        // A revocation list without an outer sequence, a certificate's first bytes, noise.
        for other in [&[0x30, 5, 0x30, 3, 2, 1, 2][..], &[0x30, 3, 2, 1, 9], b"eyJhb and more", b""] {
            assert_eq!(bytes(other), None, "{other:x?}");
        }
    }
}
