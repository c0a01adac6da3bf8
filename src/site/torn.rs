//! Lines that are no TOML: what is wrong with them in words of who wrote them, and none of what follows from that alone.

const NOT_TOML: &str = "not TOML: ";

/// What is wrong where the text is no TOML.
pub(super) fn said(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let words = line_at(text, at).and_then(|line| in_own_words(line, error.message()));
    let key = error.span().and_then(|span| text.get(span)).filter(|_| error.message().contains("duplicate"));
    let key = key.map(|key| format!(" '{}'", key.trim())).unwrap_or_default();
    format!("{NOT_TOML}{}", words.unwrap_or_else(|| format!("{}{key}", error.message().trim())))
}

fn line_at(text: &str, at: usize) -> Option<&str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
    text.get(start..)?.lines().next()
}

fn in_own_words(line: &str, message: &str) -> Option<String> {
    if message.contains("escaped value") || message.contains("unicode") {
        return Some(
            "in double quotes a backslash begins an escape; put the text into single quotes: 'C:\\…'".to_owned(),
        );
    }
    if line.contains(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) {
        return Some("curly quotes, as of a word processor, are none here; write straight ones".to_owned());
    }
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
    let is_word = value.starts_with(|first: char| first.is_ascii_alphabetic()) && !value.contains(['"', '\'']);
    match value.to_ascii_lowercase().as_str() {
        _ if !is_word => None,
        "true" | "yes" | "on" => Some(format!("true and false stand in small letters, without quotes: {key} = true")),
        "false" | "no" | "off" => Some(format!("true and false stand in small letters, without quotes: {key} = false")),
        _ => Some(format!("a text stands in quotes: {key} = \"{value}\"")),
    }
}

/// Mistakes without those that a line which is no TOML brings with it: on the same line, or on one that begins a list's
/// entry as it must, and was torn from it by a header before it.
pub(super) fn once_a_line(text: &str, mut mistakes: Vec<String>) -> Vec<String> {
    let line = |mistake: &str| mistake.split(": ").next().unwrap_or_default().to_owned();
    let is_torn = |mistake: &String| mistake.starts_with(&format!("{}: {NOT_TOML}", line(mistake)));
    let torn: Vec<String> = mistakes.iter().filter(|mistake| is_torn(mistake)).map(|mistake| line(mistake)).collect();
    let is_entry = |mistake: &str| {
        let number = line(mistake).strip_prefix("line ").and_then(|number| number.parse::<usize>().ok());
        let own = number.and_then(|number| text.lines().nth(number.checked_sub(1)?));
        mistake.contains(": expected [[") && own.is_some_and(|own| own.trim_start().starts_with("[["))
    };
    mistakes.retain(|mistake| is_torn(mistake) || !torn.contains(&line(mistake)) && !is_entry(mistake));
    mistakes.dedup();
    mistakes
}
