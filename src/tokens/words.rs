//! How values are put into sentences.

use super::json::Json;
use super::redact::without_tokens;

const LONGEST: usize = 160;

/// A JSON value as it may stand in a sentence: one line, of bounded length.
pub(crate) fn quoted(value: &Json<'_>) -> String {
    match value {
        Json::Text(text) => quoted_text(text),
        other => shortened(&without_tokens(&other.to_value().to_string())),
    }
}

/// A text in quotes: control characters escaped, cut where it is long.
pub(crate) fn quoted_text(text: &str) -> String {
    format!("'{}'", shortened(&without_tokens(text)))
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).flat_map(plain).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn plain(c: char) -> Vec<char> {
    // Direction marks and their like could turn a sentence round in a terminal.
    let is_invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || is_invisible { c.escape_unicode().collect() } else { vec![c] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_on_one_line_and_short() {
        assert_eq!(quoted_text("a\nb\u{202e}"), "'a\\u{a}b\\u{202e}'");
        assert_eq!(quoted_text(&"x".repeat(1_000)).chars().count(), LONGEST + 3);
    }
}
