//! A tolerant reader of DER elements, for what has to be walked without building a tree: revocation lists of many
//! megabytes, PKCS#7 bundles, names and extensions with damaged content.
//!
//! It accepts lengths that are not minimal (`04 81 10 …` stands in real device certificates) and never reads past the
//! bytes it was given.

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
/// Tag of SET.
pub(super) const SET: u8 = 0x31;
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
        let (tag, after_tag) = self.rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None; // tags of several octets occur nowhere in certificates
        }
        let (first, after_length) = after_tag.split_first()?;
        let (length, body) = match *first {
            short @ 0..=0x7f => (usize::from(short), after_length),
            long @ 0x81..=0x84 => long_length(usize::from(long & 0x7f), after_length)?,
            _ => return None,
        };
        let content = body.get(..length)?;
        let header = self.rest.len() - body.len();
        let (raw, rest) = self.rest.split_at_checked(header + length)?;
        self.rest = rest;
        Some(Element { tag: *tag, content, raw })
    }

    /// The next element if it has this tag; otherwise nothing is read.
    pub fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.rest.first() == Some(&tag) { self.next() } else { None }
    }

    /// The next element, which must have this tag.
    pub fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
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

    /// The octets of a BIT STRING of whole octets, as signatures and keys are.
    pub fn whole_octets(&self) -> Option<&'a [u8]> {
        match self.content.split_first() {
            Some((0, octets)) => Some(octets),
            _ => None,
        }
    }

    /// The time as Unix seconds, of a `UTCTime` or a `GeneralizedTime`.
    pub fn unix_seconds(&self) -> Option<i64> {
        let text = std::str::from_utf8(self.content).ok()?.strip_suffix('Z')?;
        if !text.is_ascii() {
            return None;
        }
        let (year, rest) = match self.tag {
            UTC_TIME => {
                let (year, rest) = text.split_at_checked(2)?;
                let year: i16 = year.parse().ok()?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = text.split_at_checked(4)?;
                (year.parse().ok()?, rest)
            }
            _ => return None,
        };
        civil_seconds(year, rest)
    }
}

/// A length of `octets` octets, and what follows it.
fn long_length(octets: usize, bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_at_checked(octets)?;
    let length = length.iter().fold(0_usize, |value, octet| (value << 8) | usize::from(*octet));
    Some((length, rest))
}

/// Unix seconds of a year and `MMDDhhmm[ss]`.
fn civil_seconds(year: i16, rest: &str) -> Option<i64> {
    let field = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let second = if rest.len() >= 10 { field(8)?.min(59) } else { 0 };
    let civil = jiff::civil::DateTime::new(year, field(0)?, field(2)?, field(4)?, field(6)?, second, 0).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

/// The dotted form of an object identifier's content octets; `None` where they are none.
pub(super) fn dotted(content: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: u64 = 0;
    for octet in content {
        arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
        if octet & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    if content.last()? & 0x80 != 0 {
        return None;
    }
    let first = *arcs.first()?;
    let top = (first / 40).min(2);
    let mut text = format!("{top}.{}", first - top * 40);
    for arc in arcs.iter().skip(1) {
        text.push('.');
        text.push_str(&arc.to_string());
    }
    Some(text)
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
        assert_eq!(dotted(&[0x88, 0x37, 0x03]).as_deref(), Some("2.999.3"));
        assert_eq!(dotted(&[0x55, 0x1d, 0x11]).as_deref(), Some("2.5.29.17"));
        assert_eq!(dotted(&[0x88]), None);
    }

    #[test]
    fn times_before_and_after_2050_are_read() {
        let utc = Element { tag: UTC_TIME, content: b"491231235959Z", raw: &[] };
        assert_eq!(utc.unix_seconds(), Some(2_524_607_999));
        let general = Element { tag: GENERALIZED_TIME, content: b"20500101000000Z", raw: &[] };
        assert_eq!(general.unix_seconds(), Some(2_524_608_000));
    }
}
