//! Distinguished names: as bytes, as text, and in the form in which RFC 5280 compares them.

use super::der::{self, Element, Reader};

/// A distinguished name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The DER bytes.
    pub raw: Vec<u8>,
    /// Each relative name in comparable form: case folded, spaces collapsed, string type ignored (RFC 5280, 7.1).
    pub comparable: Vec<Vec<u8>>,
    /// The name as text, most specific part first: `CN=cmg.contoso.com, O=Contoso`.
    pub text: String,
    /// The values of its common names.
    pub common_names: Vec<String>,
    /// The values of its e-mail attributes, to which name constraints apply.
    pub emails: Vec<String>,
    /// Whether the bytes are a well-formed name.
    pub readable: bool,
}

impl Name {
    /// Reads a name from its DER bytes. What cannot be read stays comparable by its bytes.
    pub fn from_der(raw: &[u8]) -> Self {
        read(raw).unwrap_or_else(|| Self {
            raw: raw.to_vec(),
            comparable: vec![raw.to_vec()],
            text: format!("(unreadable name {})", der::hex(raw.get(..16).unwrap_or(raw))),
            common_names: Vec::new(),
            emails: Vec::new(),
            readable: false,
        })
    }

    /// Whether it has no parts.
    pub fn is_empty(&self) -> bool {
        self.comparable.is_empty()
    }

    /// Whether both name the same, as RFC 5280, section 7.1 compares.
    pub fn same_as(&self, other: &Self) -> bool {
        self.comparable == other.comparable
    }

    /// Whether it lies in the subtree of `base`: begins with all its parts.
    pub fn is_under(&self, base: &Self) -> bool {
        self.comparable.starts_with(&base.comparable)
    }

    /// This name with one more relative name, given as the content of its set.
    pub(super) fn with_part(&self, set_content: &[u8]) -> Self {
        let mut longer = self.clone();
        let set = Element { tag: der::SET, content: set_content, raw: set_content };
        if let Some((comparable, text)) = read_relative(&set, &mut longer) {
            longer.comparable.push(comparable);
            longer.text = format!("{text}, {}", self.text);
        }
        longer
    }

    /// What to call it in a sentence.
    pub fn display(&self) -> &str {
        if self.text.is_empty() { "(empty name)" } else { &self.text }
    }
}

fn read(raw: &[u8]) -> Option<Name> {
    let mut reader = Reader::new(raw);
    let sequence = reader.expect(der::SEQUENCE)?;
    read_parts(raw, sequence.inside())
}

fn read_parts(raw: &[u8], mut parts: Reader<'_>) -> Option<Name> {
    let mut name = Name {
        raw: raw.to_vec(),
        comparable: Vec::new(),
        text: String::new(),
        common_names: Vec::new(),
        emails: Vec::new(),
        readable: true,
    };
    let mut texts = Vec::new();
    while !parts.is_empty() {
        let set = parts.expect(der::SET)?;
        let (comparable, text) = read_relative(&set, &mut name)?;
        name.comparable.push(comparable);
        texts.push(text);
    }
    texts.reverse();
    name.text = texts.join(", ");
    Some(name)
}

/// One relative name: comparable bytes and text.
fn read_relative(set: &Element<'_>, name: &mut Name) -> Option<(Vec<u8>, String)> {
    let mut attributes = Vec::new();
    let mut texts = Vec::new();
    let mut members = set.inside();
    while !members.is_empty() {
        let mut attribute = members.expect(der::SEQUENCE)?.inside();
        let kind = attribute.expect(der::OID)?;
        let value = attribute.next()?;
        let text = string_value(&value);
        attributes.push(comparable_attribute(&kind, &value, text.as_deref()));
        let shown = text.unwrap_or_else(|| format!("#{}", der::hex(value.raw)));
        texts.push(format!("{}={shown}", label(kind.content)));
        match kind.content {
            COMMON_NAME => name.common_names.push(shown),
            EMAIL => name.emails.push(shown),
            _ => {}
        }
    }
    attributes.sort();
    Some((attributes.concat(), texts.join(" + ")))
}

fn comparable_attribute(kind: &Element<'_>, value: &Element<'_>, text: Option<&str>) -> Vec<u8> {
    let folded = match text {
        Some(text) => fold(text).into_bytes(),
        None => value.raw.to_vec(),
    };
    let mut bytes = kind.raw.to_vec();
    bytes.extend_from_slice(&u32::try_from(folded.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&folded);
    bytes
}

/// Lower case, without leading and trailing space, inner runs of space as one.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The text of a character string; `None` where the value is none, or is damaged.
fn string_value(value: &Element<'_>) -> Option<String> {
    match value.tag {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => std::str::from_utf8(value.content).ok().map(str::to_owned),
        // TeletexString, which is Latin-1 in practice
        0x14 => Some(value.content.iter().map(|octet| char::from(*octet)).collect()),
        // BMPString
        0x1e => {
            let units = value.content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        }
        _ => None,
    }
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

/// The usual short name of an attribute type, else its dotted identifier.
fn label(kind: &[u8]) -> String {
    let short = match kind {
        COMMON_NAME => "CN",
        [0x55, 0x04, 0x04] => "SN",
        [0x55, 0x04, 0x05] => "serialNumber",
        [0x55, 0x04, 0x06] => "C",
        [0x55, 0x04, 0x07] => "L",
        [0x55, 0x04, 0x08] => "ST",
        [0x55, 0x04, 0x09] => "STREET",
        [0x55, 0x04, 0x0a] => "O",
        [0x55, 0x04, 0x0b] => "OU",
        [0x55, 0x04, 0x0c] => "T",
        [0x55, 0x04, 0x2a] => "G",
        EMAIL => "E",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01] => "UID",
        _ => return der::dotted(kind).unwrap_or_else(|| "?".to_owned()),
    };
    short.to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    fn name(tag: u8, value: &str) -> Name {
        let mut attribute = vec![der::OID, 3, 0x55, 0x04, 0x03, tag, u8::try_from(value.len()).unwrap()];
        attribute.extend_from_slice(value.as_bytes());
        let wrap = |tag: u8, inner: &[u8]| {
            let mut bytes = vec![tag, u8::try_from(inner.len()).unwrap()];
            bytes.extend_from_slice(inner);
            bytes
        };
        Name::from_der(&wrap(der::SEQUENCE, &wrap(der::SET, &wrap(der::SEQUENCE, &attribute))))
    }

    #[test]
    fn case_spaces_and_string_type_do_not_tell_names_apart() {
        // RFC 5280, section 7.1: case is folded, white space compressed, and the string types compare alike.
        assert!(name(0x13, "Contoso  Root CA ").same_as(&name(0x0c, "contoso root ca")));
        assert!(!name(0x13, "ContosoRoot CA").same_as(&name(0x0c, "contoso root ca")));
    }

    #[test]
    fn a_damaged_name_is_kept_by_its_bytes() {
        let damaged = Name::from_der(&[0x30, 0x20, 0x31]);
        assert!(!damaged.readable);
        assert!(damaged.same_as(&Name::from_der(&[0x30, 0x20, 0x31])));
        assert!(!damaged.same_as(&name(0x0c, "x")));
    }
}
