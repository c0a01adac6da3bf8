//! PEM as found in the field: with text around it, with broken blocks among good ones, in UTF-16, or without its
//! header lines.

use std::borrow::Cow;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};

/// One block of a PEM text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A certificate, a revocation list or a PKCS#7 bundle, decoded.
    Der(Vec<u8>),
    /// A key, a request or something else that is not looked at, by its label.
    Other(String),
    /// A block that cannot be decoded, with the reason as a clause.
    Broken(&'static str),
}

const BEGIN: &[u8] = b"-----BEGIN ";

/// The blocks of `bytes`; `None` where it is no PEM text.
pub(super) fn blocks(bytes: &[u8]) -> Option<Vec<Block>> {
    let text = text(bytes);
    if let Some(first) = memchr::memmem::find(&text, BEGIN) {
        return Some(split(text.get(first..)?));
    }
    // Base64 of a DER sequence, as it is pasted from consoles; shorter text could be anything.
    let looks_bare = text.starts_with(b"MI") && text.len() > 64;
    let der = if looks_bare { base64(&text) } else { None };
    der.map(|der| vec![Block::Der(der)])
}

/// UTF-16 as UTF-8, anything else as it is.
fn text(bytes: &[u8]) -> Cow<'_, [u8]> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => Cow::Owned(encoding.decode(bytes).0.into_owned().into_bytes()),
        // Without a mark, "-----BEGIN" gives it away.
        None if memchr::memmem::find(bytes, b"-\0-\0-\0").is_some() => {
            Cow::Owned(encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0.into_owned().into_bytes())
        }
        None => Cow::Borrowed(bytes),
    }
}

fn split(text: &[u8]) -> Vec<Block> {
    let starts: Vec<usize> = memchr::memmem::find_iter(text, BEGIN).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    // A block ends at the latest where the next begins, so that one without an end swallows no other.
    starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).map(block).collect()
}

fn block(text: &[u8]) -> Block {
    let after = text.get(BEGIN.len()..).unwrap_or_default();
    let Some(length) = memchr::memmem::find(after, b"-----") else {
        return Block::Broken("its first line is cut off");
    };
    let (label, body) = after.split_at(length);
    if !matches!(
        label,
        b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" | b"X509 CRL" | b"CRL" | b"PKCS7" | b"CMS"
    ) {
        return Block::Other(String::from_utf8_lossy(label).into_owned());
    }
    let body = body.get(5..).unwrap_or_default();
    let Some(end) = memchr::memmem::find(body, b"-----END ") else {
        return Block::Broken("its PEM block has no end line");
    };
    match base64(body.get(..end).unwrap_or_default()) {
        Some(der) => Block::Der(der),
        None => Block::Broken("its PEM block is no base64"),
    }
}

/// With or without padding, as people paste it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64, passing over white space; `None` where something else stands between.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    BASE64.decode(digits).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    #[test]
    fn a_broken_block_hides_no_other() {
        let text = b"junk\n-----BEGIN CERTIFICATE-----\nAAEC\n-----BEGIN X509 CRL-----\nAw==\n-----END X509 CRL-----\n\
                     -----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAA==\n";
        let expected = vec![
            Block::Broken("its PEM block has no end line"),
            Block::Der(vec![3]),
            Block::Broken("its PEM block is no base64"),
            Block::Other("PRIVATE KEY".to_owned()),
        ];
        assert_eq!(blocks(text), Some(expected));
    }

    #[test]
    fn utf_16_is_read_and_der_is_no_pem() {
        let text = "-----BEGIN CERTIFICATE-----\r\nAAEC\r\n-----END CERTIFICATE-----";
        let bare: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(blocks(&bare), Some(vec![Block::Der(vec![0, 1, 2])]));
        let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(blocks(&utf16), Some(vec![Block::Der(vec![0, 1, 2])]));
        assert_eq!(blocks(&[0x30, 0x82, 0x01, 0x00]), None);
    }
}
