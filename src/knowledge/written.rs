//! The ways in which people and logs write codes.

use super::code::Component;

/// A code as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    /// A number; where its digits can be read in two bases, both.
    Numbers(Vec<Number>),
    /// A number after the name of its component: `AADSTS50020`.
    Prefixed(Component, u32),
    /// Status, substatus and Win32 status of an IIS row: `500.19.126`.
    Status(Vec<u32>),
    /// A symbol, whole or its end: `CERT_E_CHAINING`, `INVALID_CA`.
    Symbol(String),
}

/// A number, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// The number.
    pub value: u32,
    /// In hexadecimal digits.
    pub hexadecimal: bool,
}

/// Reads a code; `None` where the text is none. Quotes, brackets and a full stop around it do not count.
pub(super) fn read(text: &str) -> Option<Written> {
    let text = text.trim().trim_matches(['\'', '"', '(', ')', '[', ']', ',', ';', ':', '.']).trim();
    prefixed(text).or_else(|| status(text)).or_else(|| numbers(text)).or_else(|| symbol(text))
}

fn prefixed(text: &str) -> Option<Written> {
    Component::ALL.into_iter().filter(|component| !component.prefix().is_empty()).find_map(|component| {
        let (prefix, digits) = text.split_at_checked(component.prefix().len())?;
        let number = prefix.eq_ignore_ascii_case(component.prefix()).then(|| decimal(digits))??;
        Some(Written::Prefixed(component, number))
    })
}

/// Two or three numbers with dots or blanks between, the first of them an HTTP status.
fn status(text: &str) -> Option<Written> {
    let parts: Option<Vec<u32>> = text.split(['.', ' ']).map(decimal).collect();
    let parts = parts.filter(|parts| matches!(parts.len(), 2 | 3))?;
    parts.first().is_some_and(|status| (100..600).contains(status)).then_some(Written::Status(parts))
}

fn numbers(text: &str) -> Option<Written> {
    let found = if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        vec![Number { value: hexadecimal(digits)?, hexadecimal: true }]
    } else if let Some(digits) = text.strip_prefix('-') {
        let value = i64::from(decimal(digits)?).checked_neg()?;
        vec![Number { value: i32::try_from(value).ok()?.cast_unsigned(), hexadecimal: false }]
    } else {
        let plain = decimal(text).map(|value| Number { value, hexadecimal: false });
        // Eight digits are an HRESULT without its 0x; fewer need a letter among them to be no decimal number.
        let bare = (text.len() == 8 || (text.len() >= 3 && plain.is_none())).then(|| hexadecimal(text)).flatten();
        let bare = bare.map(|value| Number { value, hexadecimal: true });
        plain.into_iter().chain(bare).collect()
    };
    (!found.is_empty()).then_some(Written::Numbers(found))
}

fn symbol(text: &str) -> Option<Written> {
    let is_symbol = text.len() > 2
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_symbol.then(|| Written::Symbol(text.to_ascii_uppercase()))
}

fn decimal(digits: &str) -> Option<u32> {
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// Hexadecimal digits; more than eight where a program wrote a negative number with 64 bits (0xFFFFFFFF87D00231).
fn hexadecimal(digits: &str) -> Option<u32> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u64::from_str_radix(digits, 16).ok()?;
    let low = u32::try_from(number & 0xFFFF_FFFF).ok()?;
    (number >> 32 == 0 || (number >> 32 == 0xFFFF_FFFF && low >> 31 == 1)).then_some(low)
}

/// The codes that stand in a text with the marks of one: eight hexadecimal digits that begin like a failure, with or
/// without `0x`, and five decimal digits from 12000 on behind an equals sign. In order, each once.
///
/// Only the digits count: the words around them are those of the system's language.
pub(super) fn found_in(text: &str) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    let mut before = ' ';
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = word.chars().last().filter(|c| !c.is_ascii_alphanumeric());
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        // A GUID's first part has eight digits as well.
        let number = if end == Some('-') || before == '-' { None } else { marked(digits, before) };
        if let Some(number) = number.filter(|number| !found.contains(number)) {
            found.push(number);
        }
        before = end.unwrap_or(' ');
    }
    found
}

fn marked(word: &str, before: char) -> Option<Number> {
    if before == '=' && word.len() == 5 && word.starts_with("12") {
        return decimal(word).map(|value| Number { value, hexadecimal: false });
    }
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    let failure = digits.len() == 8 && digits.starts_with(['8', 'C', 'c', 'D', 'd']);
    failure.then(|| hexadecimal(digits)).flatten().map(|value| Number { value, hexadecimal: true })
}
