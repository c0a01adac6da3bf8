//! A token in its compact form, taken apart without judging it (RFC 7515, section 7.1).

use super::base64url;
use super::json::Json;

/// Most bytes of a token that are read. An Entra token with all its groups stays under 30 kB.
pub(crate) const MAX_BYTES: usize = 256 << 10;

/// A part that should hold a JSON object.
#[derive(Debug)]
pub(crate) struct Part {
    /// What is wrong with its encoding, if anything.
    pub encoding_problem: Option<String>,
    bytes: Vec<u8>,
}

impl Part {
    fn decode(text: &str) -> Self {
        match base64url::decode(text) {
            Ok(bytes) => Self { encoding_problem: None, bytes },
            Err(why) => {
                let bytes = base64url::decode_what_is_readable(text).unwrap_or_default();
                Self { encoding_problem: Some(why), bytes }
            }
        }
    }

    /// Reads the object in it.
    pub fn read(&self) -> Reading<'_> {
        // The text of a token, or a JSON string of it.
        if self.bytes.starts_with(b"eyJ") || self.bytes.starts_with(b"\"eyJ") {
            let why = "wraps another token (RFC 7519, section 5.2), which no issuer of a CMG's tokens does";
            return Reading { wraps_token: true, ..Reading::broken(why.to_owned()) };
        }
        match Json::parse(&self.bytes) {
            Ok(json) if json.members().is_some() => {
                Reading { duplicates: json.duplicates(), json: Some(json), ..Reading::default() }
            }
            Ok(json) => Reading::broken(format!("is {}, not an object", json.type_name())),
            Err(why) => Reading::broken(why),
        }
    }
}

/// A part as read.
#[derive(Debug, Default)]
pub(crate) struct Reading<'p> {
    /// The object, if it could be read.
    pub json: Option<Json<'p>>,
    /// Why it could not.
    pub problem: Option<String>,
    /// Whether another token stands in its place, whole.
    pub wraps_token: bool,
    /// Members that stand twice.
    pub duplicates: Vec<String>,
}

impl Reading<'_> {
    fn broken(problem: String) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }
}

/// What a text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Three parts: signed.
    Signed,
    /// Five parts: encrypted, which nobody but its recipient can read.
    Encrypted,
    /// The JSON form, which a token in a header never has.
    JsonForm,
    /// More text than is read.
    TooLarge,
    /// Another number of parts.
    Parts(usize),
}

/// A token, split and decoded.
#[derive(Debug)]
pub(crate) struct Compact<'t> {
    /// The text without white space around it and without a scheme before it.
    pub text: &'t str,
    pub shape: Shape,
    pub header: Option<Part>,
    pub claims: Option<Part>,
    /// The signed text: first two parts and the dot between them.
    pub signed: &'t str,
    /// The third part, decoded; empty where its encoding is wrong.
    pub signature: Vec<u8>,
    /// What is wrong with the encoding of the signature, if anything.
    pub signature_problem: Option<String>,
}

impl<'t> Compact<'t> {
    /// Takes a token apart. White space around it and the scheme before it are what copying brings along.
    pub fn split(text: &'t str) -> Self {
        let text = without_word(without_word(text.trim_ascii(), "authorization:"), "bearer ");
        let dots = memchr::memchr_iter(b'.', text.as_bytes()).count();
        let shape = if text.len() > MAX_BYTES {
            Shape::TooLarge
        } else if text.starts_with('{') {
            Shape::JsonForm
        } else {
            match dots {
                2 => Shape::Signed,
                4 if is_of_encryption(text) => Shape::Encrypted,
                _ => Shape::Parts(if text.is_empty() { 0 } else { dots + 1 }),
            }
        };
        let empty = Self {
            text,
            shape,
            header: None,
            claims: None,
            signed: "",
            signature: Vec::new(),
            signature_problem: None,
        };
        match shape {
            Shape::Signed => empty.signed(),
            Shape::Encrypted | Shape::Parts(_) => {
                let header = text.split('.').next().filter(|header| !header.is_empty()).map(Part::decode);
                Self { header, ..empty }
            }
            Shape::JsonForm | Shape::TooLarge => empty,
        }
    }

    fn signed(self) -> Self {
        let (signed, signature) = self.text.rsplit_once('.').unwrap_or_default();
        let (header, claims) = signed.split_once('.').unwrap_or_default();
        let (signature, signature_problem) = match base64url::decode(signature) {
            Ok(bytes) => (bytes, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        Self {
            header: Some(Part::decode(header)),
            claims: Some(Part::decode(claims)),
            signed,
            signature,
            signature_problem,
            ..self
        }
    }
}

/// The text without this word at its beginning, in any case.
fn without_word<'t>(text: &'t str, word: &str) -> &'t str {
    match text.split_at_checked(word.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(word) => rest.trim_ascii(),
        _ => text,
    }
}

/// True where the header names how the content is encrypted (RFC 7516, section 4.1.2): five parts alone are also two
/// tokens in one text, or a shortened one.
fn is_of_encryption(text: &str) -> bool {
    let header = text.split('.').next().map(Part::decode);
    header.is_some_and(|header| header.read().json.is_some_and(|header| header.get("enc").is_some()))
}
