//! The list of revocation lists that a client tried to fetch: which came, which did not.

use serde_json::Value;

/// Lines of a list that are read.
const MOST: usize = 10_000;

/// An address, and whether its list could be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetch {
    pub url: String,
    pub fetched: bool,
}

/// Reads a list in JSON, CSV or plain text. What names no address is passed over.
///
/// JSON: an object of address and result, or an array of objects with `url` and one of `fetched`, `ok`, `status`,
/// `result`, anywhere. Else a line an address: what stands beside it says how it went.
pub(super) fn read(bytes: &[u8]) -> Vec<Fetch> {
    let text = decode(bytes);
    match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
        Ok(value) => {
            let mut found = Vec::new();
            from_json(&value, &mut found);
            found
        }
        Err(_) => text.lines().take(MOST).filter_map(from_line).collect(),
    }
}

fn decode(bytes: &[u8]) -> String {
    let encoding = encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::UTF_8, |(encoding, _)| encoding);
    encoding.decode(bytes).0.into_owned()
}

fn from_json(value: &Value, found: &mut Vec<Fetch>) {
    match value {
        Value::Array(values) => values.iter().take(MOST).for_each(|value| from_json(value, found)),
        Value::Object(members) => {
            let get = |names: &[&str]| {
                members.iter().find(|(name, _)| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
            };
            if let Some((_, Value::String(url))) = get(&["url", "uri", "address"]) {
                let said = get(&["fetched", "ok", "success", "status", "result"]).map(|(_, value)| value);
                if let Some(fetched) = said.and_then(was_fetched) {
                    found.push(Fetch { url: url.trim().to_owned(), fetched });
                }
                return;
            }
            for (name, value) in members {
                match was_fetched(value).filter(|_| is_address(name)) {
                    Some(fetched) => found.push(Fetch { url: name.clone(), fetched }),
                    None => from_json(value, found),
                }
            }
        }
        _ => {}
    }
}

fn was_fetched(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(fetched) => Some(*fetched),
        Value::Number(status) => status.as_u64().map(|status| (200..300).contains(&status)),
        Value::String(words) => words_say(words),
        _ => None,
    }
}

/// Words of failure come first: "not fetched".
fn words_say(words: &str) -> Option<bool> {
    const FAILED: [&str; 10] =
        ["fail", "not ", "unreach", "error", "timeout", "timed out", "refused", "false", "denied", "no"];
    const FETCHED: [&str; 6] = ["fetched", "ok", "success", "true", "yes", "verified"];
    let words = words.trim().to_ascii_lowercase();
    if let Ok(status) = words.parse::<u16>() {
        return Some((200..300).contains(&status));
    }
    if FAILED.iter().any(|word| if *word == "no" { words == "no" } else { words.contains(word) }) {
        return Some(false);
    }
    FETCHED.iter().any(|word| words.contains(word)).then_some(true)
}

fn is_address(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    ["http://", "https://", "ldap:", "ldaps:", "file:"].iter().any(|scheme| lower.starts_with(scheme))
}

/// Addresses in LDAP hold commas: a field ends at a tab, a semicolon, a quote, or a comma before the result.
fn from_line(line: &str) -> Option<Fetch> {
    let line = line.trim();
    let fields: Vec<&str> = line
        .split(['\t', ';', '"', '|'])
        .flat_map(|part| part.split_whitespace())
        .map(|part| part.trim_matches(','))
        .filter(|part| !part.is_empty())
        .collect();
    let address = fields.iter().copied().find(|field| is_address(field))?;
    let (url, tail) = match address.rsplit_once(',') {
        Some((url, tail)) if words_say(tail).is_some() => (url, tail),
        _ => (address, ""),
    };
    let beside = line.replacen(url, " ", 1);
    let fetched = words_say(if tail.is_empty() { &beside } else { tail })?;
    Some(Fetch { url: url.to_owned(), fetched })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, expected: &[(&str, bool)]) {
        let found = read(text.as_bytes());
        let found: Vec<(&str, bool)> = found.iter().map(|fetch| (fetch.url.as_str(), fetch.fetched)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_three_forms_are_read() {
        reads(
            r#"[{"url": "http://a/1.crl", "fetched": true}, {"url": "http://b/2.crl", "status": "failed: timeout"}]"#,
            &[("http://a/1.crl", true), ("http://b/2.crl", false)],
        );
        reads(r#"{"http://a/1.crl": "ok", "ldap:///CN=b": 404}"#, &[("http://a/1.crl", true), ("ldap:///CN=b", false)]);
        reads(
            "url,result\nhttp://a/1.crl,fetched\n\"http://b/2.crl\",\"not fetched\"\n",
            &[("http://a/1.crl", true), ("http://b/2.crl", false)],
        );
        reads(
            "failed http://b/2.crl (0x80072ee2)\nOK   ldap:///CN=a,CN=CDP,DC=contoso\n",
            &[("http://b/2.crl", false), ("ldap:///CN=a,CN=CDP,DC=contoso", true)],
        );
        reads("nothing here\n", &[]);
        reads("http://a/unsaid.crl\n", &[]);
    }
}
