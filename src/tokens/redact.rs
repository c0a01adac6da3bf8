//! The one gate through which every word about a token leaves.
//!
//! Whoever holds a token may use it, so no output ever holds one: neither the token under test nor one that stands
//! inside a claim. On request identifiers are masked too, in the form the product's own documents use
//! (`82XXXXad-f062-XXXX-b062-dbXXXXac04d5`), which still lets masked records be joined by their visible digits.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::issuers::is_guid;
use super::json::Json;
use crate::report::Report;

/// What stands where something was taken out.
pub(crate) const WITHHELD: &str = "[withheld]";

/// Claims that name a person, a machine or a place without being a GUID: all texts in them are masked.
const PERSONAL: [&str; 23] = [
    "upn",
    "unique_name",
    "preferred_username",
    "email",
    "emails",
    "verified_primary_email",
    "verified_secondary_email",
    "login_hint",
    "winaccountname",
    "in_corp",
    "onprem_sam_account_name",
    "name",
    "given_name",
    "family_name",
    "ipaddr",
    "onprem_sid",
    "puid",
    "sid",
    "sub",
    "altsecid",
    "nickname",
    "samAccountName",
    "device_name",
];

/// Shortest run of token text that is taken out wherever it stands.
const SHORTEST_SECRET: usize = 16;

/// Lets words pass without secrets.
#[derive(Debug, Default)]
pub(crate) struct Gate<'a> {
    /// Parts of the token as written: the signature, and the whole.
    secrets: [Option<Secret<'a>>; 2],
    /// Personal values to mask; `None` where nothing is to be masked.
    masked: Option<Personal>,
}

impl<'a> Gate<'a> {
    /// A gate for this token. `claims` are needed only where identifiers are to be masked.
    pub fn new(token: &'a str, claims: Option<&Json<'_>>, mask: bool) -> Self {
        let signature = token.rsplit('.').next().unwrap_or_default();
        let secrets = [Secret::new(token), Secret::new(signature)];
        Self { secrets, masked: mask.then(|| Personal::new(personal_values(claims))) }
    }

    /// The text as it may be shown.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = without_tokens(text);
        for secret in self.secrets.iter().flatten() {
            shown = secret.take_out(shown);
        }
        if let Some(personal) = &self.masked {
            shown = mask_guids(personal.mask(shown));
        }
        shown
    }

    /// The report as it may be shown.
    pub fn report(&self, mut report: Report) -> Report {
        self.object(&mut report.facts);
        for check in &mut report.checks {
            self.replace(&mut check.subject);
            self.replace(&mut check.explanation);
            for text in [&mut check.found, &mut check.expected].into_iter().flatten() {
                self.replace(text);
            }
        }
        report
    }

    fn replace(&self, text: &mut String) {
        if let Cow::Owned(shown) = self.text(text) {
            *text = shown;
        }
    }

    fn object(&self, object: &mut Map<String, Value>) {
        let renamed: Vec<(String, String)> = object
            .keys()
            .filter_map(|key| match self.text(key) {
                Cow::Owned(shown) => Some((key.clone(), shown)),
                Cow::Borrowed(_) => None,
            })
            .collect();
        for (old, new) in renamed {
            if let Some(value) = object.remove(&old) {
                object.insert(new, value);
            }
        }
        for (name, value) in object.iter_mut() {
            match value {
                Value::String(secret) if is_secret(name) && !secret.is_empty() => WITHHELD.clone_into(secret),
                value => self.value(value),
            }
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.replace(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(object) => self.object(object),
            _ => {}
        }
    }
}

/// True for the members of requests, answers and cookies in which something stands that its holder may use, in no form
/// by which it could be told (RFC 6749, RFC 7521; the primary refresh token's cookie of Entra).
fn is_secret(name: &str) -> bool {
    const NAMES: [&str; 6] = ["assertion", "client_assertion", "client_secret", "code", "password", "session_key_jwe"];
    name.ends_with("_token") || NAMES.contains(&name)
}

/// A report about something else than a token, without any token that stands in it.
pub(crate) fn withhold(report: Report) -> Report {
    Gate::default().report(report)
}

/// Values that name somebody, all searched for at once.
#[derive(Debug)]
struct Personal {
    /// `None` where there are none, or too many to search for; then every word is masked.
    search: Option<AhoCorasick>,
    any: bool,
}

impl Personal {
    fn new(values: Vec<String>) -> Self {
        let any = !values.is_empty();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values);
        Self { search: search.ok().filter(|_| any), any }
    }

    fn mask<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        match &self.search {
            Some(search) if search.is_match(text.as_ref()) => {
                let mut masked = String::with_capacity(text.len());
                search.replace_all_with(&text, &mut masked, |_, value, masked| {
                    masked.push_str(&mask_value(value));
                    true
                });
                Cow::Owned(masked)
            }
            None if self.any => Cow::Owned(mask_value(&text)),
            _ => text,
        }
    }
}

/// A text that must not leave, nor any stretch of it that begins as it begins: a cut one would not pass either.
#[derive(Debug)]
struct Secret<'a> {
    text: &'a str,
    /// Its first byte, for which a text is searched, and the others that must follow.
    start: (u8, &'a [u8]),
}

impl<'a> Secret<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let (first, others) = text.as_bytes().get(..SHORTEST_SECRET)?.split_first()?;
        Some(Self { text, start: (*first, others) })
    }

    fn take_out<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let mut shown = String::new();
        let mut kept = 0;
        let (first, others) = self.start;
        let bytes = text.as_bytes();
        for at in memchr::memchr_iter(first, bytes) {
            if at >= kept && bytes.get(at + 1..).is_some_and(|rest| rest.starts_with(others)) {
                let same = |(a, b): &(u8, u8)| a == b;
                let shared = text.bytes().skip(at).zip(self.text.bytes()).take_while(same).count();
                shown.push_str(text.get(kept..at).unwrap_or_default());
                shown.push_str(WITHHELD);
                kept = text.floor_char_boundary(at + shared);
            }
        }
        if kept == 0 {
            return text;
        }
        shown.push_str(text.get(kept..).unwrap_or_default());
        Cow::Owned(shown)
    }
}

fn personal_values(claims: Option<&Json<'_>>) -> Vec<String> {
    let mut values = Vec::new();
    for (name, value) in claims.and_then(Json::members).into_iter().flatten() {
        collect_personal(value, PERSONAL.contains(&name.as_ref()), &mut values);
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Texts of a claim that names somebody, at any depth; of any other claim, those that are a SID or a mail address.
fn collect_personal(value: &Json<'_>, names_somebody: bool, values: &mut Vec<String>) {
    match value {
        Json::Text(text) => {
            let tells = names_somebody || text.starts_with("S-1-") || (text.contains('@') && !text.contains("://"));
            if tells && text.len() > 2 && !is_guid(text) {
                values.push(text.clone().into_owned());
            }
        }
        Json::List(items) => items.iter().for_each(|item| collect_personal(item, names_somebody, values)),
        Json::Object(members) => {
            for (name, value) in members {
                collect_personal(value, names_somebody || PERSONAL.contains(&name.as_ref()), values);
            }
        }
        _ => {}
    }
}

/// Keeps the first two characters and the shape: `jane@contoso.com` becomes `jaXX@XXXXXXX.XXX`.
fn mask_value(value: &str) -> String {
    value.chars().enumerate().map(|(index, c)| if index >= 2 && c.is_alphanumeric() { 'X' } else { c }).collect()
}

/// Masks every GUID in a text, wherever it stands.
fn mask_guids(text: Cow<'_, str>) -> Cow<'_, str> {
    const LENGTH: usize = 36;
    let mut masked = String::new();
    let mut kept = 0;
    for (dash, _) in text.match_indices('-') {
        let Some(start) = dash.checked_sub(8).filter(|start| *start >= kept) else { continue };
        if let Some(guid) = text.get(start..start + LENGTH).filter(|guid| is_guid(guid)) {
            masked.push_str(text.get(kept..start).unwrap_or_default());
            masked.extend(guid.char_indices().map(|(index, c)| if is_hidden(index) { 'X' } else { c }));
            kept = start + LENGTH;
        }
    }
    if kept == 0 {
        return text;
    }
    masked.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Digits 3 to 6, the third group, and digits 3 to 6 of the last group.
const fn is_hidden(index: usize) -> bool {
    matches!(index, 2..=5 | 14..=17 | 26..=29)
}

/// Takes out every run that has the shape of a token: an encoded object, and at least one more part after a dot.
pub(crate) fn without_tokens(text: &str) -> Cow<'_, str> {
    if !begins_object(text) || !text.contains('.') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut kept = 0;
    for (start, run) in runs(text) {
        if is_token_like(run) {
            shown.push_str(text.get(kept..start).unwrap_or_default());
            shown.push_str(WITHHELD);
            kept = start + run.len();
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(shown)
}

/// Runs of the characters that tokens are written in, with where they start.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '/');
    let mut rest = text;
    let mut at = 0;
    std::iter::from_fn(move || {
        let skipped = rest.find(is_token_char)?;
        let begun = rest.get(skipped..)?;
        let length = begun.find(|c| !is_token_char(c)).unwrap_or(begun.len());
        let (run, after) = begun.split_at_checked(length)?;
        let start = at + skipped;
        at = start + length;
        rest = after;
        Some((start, run))
    })
}

/// An encoded object, and a part of some length after the dot behind it.
fn is_token_like(run: &str) -> bool {
    let mut parts = run.split('.').skip_while(|part| !begins_object(part));
    parts.next().is_some() && parts.any(|part| part.len() >= SHORTEST_SECRET)
}

/// True where an encoded JSON object begins: an encoded brace with a quote or white space behind it.
fn begins_object(text: &str) -> bool {
    let bytes = text.as_bytes();
    let brace = |at: &usize| matches!(bytes.get(at + 1..at + 3), Some(b"yJ" | b"yA" | b"yI" | b"wo" | b"wk" | b"w0"));
    memchr::memchr_iter(b'e', bytes).filter(brace).any(|at| bytes.get(at..).is_some_and(goes_on_as_object))
}

/// True unless something else than a quote or the closing brace follows the white space behind the brace: names such as
/// `lakewood` hold the letters of an encoded brace and line end.
fn goes_on_as_object(encoded: &[u8]) -> bool {
    const LOOKED_AT: usize = 64;
    let in_url_alphabet = |byte: &u8| match byte {
        b'+' => Some(b'-'),
        b'/' => Some(b'_'),
        b'-' | b'_' => Some(*byte),
        _ => byte.is_ascii_alphanumeric().then_some(*byte),
    };
    let mut encoded: Vec<u8> = encoded.iter().take(LOOKED_AT).map_while(in_url_alphabet).collect();
    encoded.truncate(encoded.len() / 4 * 4);
    let decoded = URL_SAFE_NO_PAD.decode(encoded).unwrap_or_default();
    let first = decoded.iter().skip(1).find(|byte| !byte.is_ascii_whitespace());
    first.is_none_or(|byte| matches!(byte, b'"' | b'}'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn masks_guids_in_the_documents_form_and_keeps_the_rest() {
        let gate = Gate { secrets: [None, None], masked: Some(Personal::new(vec!["jane@contoso.com".to_owned()])) };
        let text =
            "user jane@contoso.com on 82b5c7ad-f062-4c1e-b062-db0a1b2cac04d5, 82b5c7ad-f062-4c1e-b062-db0a1bac04d5.";
        let shown = gate.text(text);
        assert!(shown.ends_with("82XXXXad-f062-XXXX-b062-dbXXXXac04d5."), "{shown}");
        assert!(shown.contains("jaXX@XXXXXXX.XXX"), "{shown}");
    }

    #[test]
    fn masks_people_in_lists_and_wherever_an_address_or_sid_stands() {
        let claims = br#"{"verified_primary_email":["jane@contoso.com"],"x":{"y":["S-1-5-21-1-2-3-1104"]},
            "unknown":"joe@fabrikam.com","aud":"https://ConfigMgrService"}"#;
        let claims = Json::parse(claims).unwrap();
        let gate = Gate::new("", Some(&claims), true);
        let shown = gate.text("jane@contoso.com S-1-5-21-1-2-3-1104 joe@fabrikam.com https://ConfigMgrService");
        assert_eq!(shown, "jaXX@XXXXXXX.XXX S-X-X-XX-X-X-X-XXXX joX@XXXXXXXX.XXX https://ConfigMgrService");
    }

    #[test]
    fn withholds_tokens_wherever_they_stand() {
        let gate = Gate::default();
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4IiwiaXNzIjoieSJ9.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw";
        for text in [format!("Bearer {token}"), format!("a={token}&b=1"), format!("'{token}'"), token.repeat(2)] {
            let shown = gate.text(&text);
            assert!(!shown.contains("c2lnbmF0dXJl") && shown.contains(WITHHELD), "{shown}");
        }
        assert_eq!(gate.text("https://login.microsoftonline.com/keys"), "https://login.microsoftonline.com/keys");
        assert_eq!(gate.text("they.said.hey"), "they.said.hey");
        for name in ["lakewoodhospital", "maplewood-clinic", "wideworldimporters", "frameworks"] {
            let address = format!("https://{name}.example/CCM_Proxy_MutualAuth/72057594037927941/CCM_STS");
            assert_eq!(gate.text(&address), address);
        }
        // Objects that were written over several lines, or end where the text ends.
        for object in ["{\n  \"alg\": \"RS256\"}", "{\r\n\t\"typ\":\"JWT\"}", "{ \"a\":1}"] {
            let encoded = URL_SAFE_NO_PAD.encode(object);
            assert_eq!(gate.text(&format!("{encoded}.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw")), WITHHELD, "{object}");
        }
    }
}
