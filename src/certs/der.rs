//! Walks DER elements one after the other, for what `x509-parser` has no type for or must not build a tree of:
//! revocation lists of many megabytes, PKCS#7 bundles, names relative to an issuer, and the extensions of device
//! certificates.
//!
//! The octets are decoded by `asn1-rs`, as BER, since lengths that are not minimal (`04 81 10 …`) stand in real device
//! certificates (test `a_length_that_is_not_minimal_is_read`).

use x509_parser::asn1_rs::{BitString, FromBer as _, Header, Oid};
use x509_parser::prelude::{ASN1Time, FromDer as _};

/// Tag of BOOLEAN.
pub(super) const BOOLEAN: u8 = 0x01;
/// Tag of INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// Tag of BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// Tag of OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// Tag of OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// Tag of ENUMERATED.
pub(super) const ENUMERATED: u8 = 0x0a;
/// Tag of SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// Tag of `UTCTime`.
pub(super) const UTC_TIME: u8 = 0x17;
/// Tag of `GeneralizedTime`.
pub(super) const GENERALIZED_TIME: u8 = 0x18;

/// The tag of a constructed context-specific element.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// The tag of a primitive context-specific element.
pub(super) const fn context_primitive(number: u8) -> u8 {
    0x80 | number
}

/// One element: its tag, its content, and all of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// First octet of the identifier.
    pub tag: u8,
    /// The content octets.
    pub content: &'a [u8],
    /// Header and content.
    pub raw: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element; `None` at the end, or where what follows is no element.
    pub fn next(&mut self) -> Option<Element<'a>> {
        let tag = *self.rest.first()?;
        if tag & 0x1f == 0x1f {
            return None; // tags of several octets occur nowhere in certificates
        }
        let (body, header) = Header::from_ber(self.rest).ok()?;
        let length = header.length().definite().ok()?;
        let content = body.get(..length)?;
        let (raw, rest) = self.rest.split_at_checked(self.rest.len() - body.len() + length)?;
        self.rest = rest;
        Some(Element { tag, content, raw })
    }

    /// The next element if it has this tag; otherwise nothing is read.
    pub fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.rest.first() == Some(&tag) { self.next() } else { None }
    }

    /// The next element, which must have this tag.
    pub fn tagged(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        Reader::next(self)
    }
}

impl<'a> Element<'a> {
    /// Reads what is inside.
    pub fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The value of a BOOLEAN.
    pub fn boolean(&self) -> bool {
        self.content.first().is_some_and(|octet| *octet != 0)
    }

    /// The value of a small non-negative INTEGER or ENUMERATED.
    pub fn small_integer(&self) -> Option<u64> {
        if self.content.is_empty() || self.content.len() > 8 || self.content.first()? & 0x80 != 0 {
            return None;
        }
        Some(self.content.iter().fold(0, |value, octet| (value << 8) | u64::from(*octet)))
    }

    /// The time as Unix seconds, of a `UTCTime` or a `GeneralizedTime`.
    pub fn unix_seconds(&self) -> Option<i64> {
        ASN1Time::from_der(self.raw).ok().map(|(_, time)| time.timestamp())
    }
}

/// The dotted form of an object identifier. Written here: the library reads 2.999.3 as 3.16.55.3 (test
/// `object_identifiers_of_the_second_arc_over_39_are_dotted`).
pub(super) fn dotted(oid: &Oid<'_>) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(24);
    let mut arc: u64 = 0;
    for octet in oid.as_bytes() {
        let Some(larger) = arc.checked_mul(128) else { return oid.to_id_string() }; // it knows arcs of any size
        arc = larger | u64::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            continue;
        }
        let _ = match arc {
            _ if !text.is_empty() => write!(text, ".{arc}"),
            0..80 => write!(text, "{}.{}", arc / 40, arc % 40),
            _ => write!(text, "2.{}", arc - 80),
        };
        arc = 0;
    }
    text
}

/// The octets of a BIT STRING of whole octets, as signatures and keys are.
pub(super) fn whole_octets<'a>(bits: &'a BitString<'_>) -> Option<&'a [u8]> {
    (bits.unused_bits == 0).then_some(bits.data.as_ref())
}

/// Where `part` lies in `bytes`, of which it is a part.
pub(super) fn place(bytes: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
    start..start + part.len()
}

/// Hexadecimal digits, upper case, without separators.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02X}");
        text
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    #[test]
    fn an_element_that_claims_more_than_there_is_is_none() {
        assert_eq!(Reader::new(&[0x30, 0x05, 0x01]).next(), None);
        assert_eq!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).next(), None);
        assert_eq!(Reader::new(&[0x30, 0x80, 0x00, 0x00]).next(), None);
    }

    #[test]
    fn a_length_that_is_not_minimal_is_read() {
        let bytes = [0x04, 0x81, 0x02, 0xaa, 0xbb];
        assert_eq!(Reader::new(&bytes).next().map(|element| element.content), Some(&bytes[3..]));
    }

    #[test]
    fn object_identifiers_of_the_second_arc_over_39_are_dotted() {
        // 2.999.3 is the example of X.690, section 8.19.
        let of = |content: &'static [u8]| dotted(&Oid::new(content.into()));
        assert_eq!(of(&[0x88, 0x37, 0x03]), "2.999.3");
        assert_eq!(of(&[0x55, 0x1d, 0x11]), "2.5.29.17");
    }

    #[test]
    fn times_before_and_after_2050_are_read() {
        let seconds = |der: &[u8]| Reader::new(der).next().and_then(|time| time.unix_seconds());
        assert_eq!(seconds(b"\x17\x0d491231235959Z"), Some(2_524_607_999));
        assert_eq!(seconds(b"\x18\x0f20500101000000Z"), Some(2_524_608_000));
    }
}
