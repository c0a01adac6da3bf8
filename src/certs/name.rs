//! Distinguished names: as bytes, as text, and in the form in which RFC 5280 compares them.

use x509_parser::asn1_rs::{Oid, Tag};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::der;

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
        match X509Name::from_der(raw) {
            Ok((_, parsed)) => Self::from_parsed(&parsed),
            Err(_) => Self {
                raw: raw.to_vec(),
                comparable: vec![raw.to_vec()],
                text: format!("(unreadable name {})", der::hex(raw.get(..16).unwrap_or(raw))),
                common_names: Vec::new(),
                emails: Vec::new(),
                readable: false,
            },
        }
    }

    /// Takes over a parsed name.
    pub fn from_parsed(parsed: &X509Name<'_>) -> Self {
        let mut name = Self {
            raw: parsed.as_raw().to_vec(),
            comparable: Vec::new(),
            text: String::new(),
            common_names: Vec::new(),
            emails: Vec::new(),
            readable: true,
        };
        let mut texts: Vec<String> = parsed.iter().map(|part| name.push(part.iter())).collect();
        texts.reverse();
        name.text = texts.join(", ");
        name
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
        let mut attributes = Vec::new();
        let mut rest = set_content;
        while let Ok((after, attribute)) = AttributeTypeAndValue::from_der(rest) {
            attributes.push(attribute);
            rest = after;
        }
        let text = longer.push(attributes.iter());
        longer.text = if longer.text.is_empty() { text } else { format!("{text}, {}", longer.text) };
        longer
    }

    /// Appends a relative name, which is the most specific one then, and says how it is written.
    fn push<'a>(&mut self, attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> String {
        let (mut comparable, mut texts) = (Vec::new(), Vec::new());
        for attribute in attributes {
            let kind = attribute.attr_type().as_bytes();
            let text = string_value(attribute);
            comparable.push(comparable_attribute(attribute, text.as_deref()));
            let shown = text.unwrap_or_else(|| format!("#{}", der::hex(attribute.as_slice())));
            texts.push(format!("{}={shown}", label(attribute.attr_type())));
            match kind {
                COMMON_NAME => self.common_names.push(shown),
                EMAIL => self.emails.push(shown),
                _ => {}
            }
        }
        comparable.sort();
        self.comparable.push(comparable.concat());
        texts.join(" + ")
    }

    /// What to call it in a sentence.
    pub fn display(&self) -> &str {
        if self.text.is_empty() { "(empty name)" } else { &self.text }
    }
}

fn comparable_attribute(attribute: &AttributeTypeAndValue<'_>, text: Option<&str>) -> Vec<u8> {
    let kind = attribute.attr_type().as_bytes();
    // What is no text is compared as it stands, with its tag.
    let folded = match text {
        Some(text) => fold(text).into_bytes(),
        None => [&attribute.attr_value().tag().0.to_be_bytes(), attribute.as_slice()].concat(),
    };
    let mut bytes = Vec::with_capacity(kind.len() + folded.len() + 8);
    for part in [kind, &folded] {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Lower case, without leading and trailing space, inner runs of space as one.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The text of a character string; `None` where the value is none, or is damaged.
fn string_value(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let content = attribute.as_slice();
    match attribute.attr_value().tag() {
        Tag::Utf8String | Tag::NumericString | Tag::PrintableString | Tag::Ia5String | Tag::VisibleString => {
            std::str::from_utf8(content).ok().map(str::to_owned)
        }
        // Latin-1 in practice.
        Tag::TeletexString => Some(content.iter().map(|octet| char::from(*octet)).collect()),
        Tag::BmpString => {
            let units = content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        }
        _ => None,
    }
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

/// The usual short name of an attribute type, else its dotted identifier.
fn label(kind: &Oid<'_>) -> String {
    let short = match kind.as_bytes() {
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
        _ => return der::dotted(kind),
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
        Name::from_der(&wrap(der::SEQUENCE, &wrap(0x31, &wrap(der::SEQUENCE, &attribute))))
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
