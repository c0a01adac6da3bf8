//! Base64url as RFC 7515 wants it (section 2): no padding, no white space, no bits left over.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};

/// Decodes strictly, or says in words what is wrong ("holds padding").
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| problem(text))
}

/// Decodes what a reader can still make out of a broken part, so that it can be shown. Never used to verify.
pub(crate) fn decode_what_is_readable(text: &str) -> Option<Vec<u8>> {
    const FORGIVING: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let kept: String = text.chars().filter_map(to_url_alphabet).collect();
    FORGIVING.decode(kept).ok()
}

fn to_url_alphabet(c: char) -> Option<char> {
    match c {
        '+' => Some('-'),
        '/' => Some('_'),
        c if is_base64url(c) => Some(c),
        _ => None,
    }
}

const fn is_base64url(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_')
}

fn problem(text: &str) -> String {
    match text.char_indices().find(|(_, c)| !is_base64url(*c)) {
        Some((at, '=')) => format!("holds padding ('=') at character {}", at + 1),
        Some((at, c)) if c.is_whitespace() => format!("holds white space at character {}", at + 1),
        Some((at, '+' | '/')) => format!("is written in plain base64, not base64url, at character {}", at + 1),
        Some((at, _)) => format!("holds a character outside the base64url alphabet at character {}", at + 1),
        None if text.len() % 4 == 1 => "has a length no base64url text can have, so it is cut or spliced".to_owned(),
        None => "has bits set after its last byte, so two spellings mean the same".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn decodes_only_the_one_spelling() {
        assert_eq!(decode("Zm9v").unwrap(), b"foo");
        assert_eq!(decode("AA").unwrap(), [0]);
        for (text, word) in [
            ("AB", "bits"),
            ("AA==", "padding"),
            ("Zm 9v", "white space"),
            ("Zm9v\n", "white space"),
            ("Z+/v", "plain base64"),
            ("Zm9?", "outside"),
            ("Zm9vZ", "length"),
        ] {
            assert!(decode(text).unwrap_err().contains(word), "{text}");
        }
    }

    #[test]
    fn still_shows_what_is_readable() {
        assert_eq!(decode_what_is_readable("Zm\n9v==").unwrap(), b"foo");
    }
}
