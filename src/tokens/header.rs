//! Checks of the header: what it claims about itself, and what it tries to make a reader do.

use super::checks::{ALGORITHM, CRITICAL, KEY_ID, OFFERED_KEYS, PAYLOAD_ENCODING, TYPE};
use super::json::Json;
use super::ledger::{CheckKind, Decides, Ledger, Remark, Words};
use super::words::quoted;

/// Checks that need nothing but the header.
const KINDS: [CheckKind; 6] = [TYPE, ALGORITHM, CRITICAL, PAYLOAD_ENCODING, OFFERED_KEYS, KEY_ID];

pub(crate) fn check(header: Option<&Json<'_>>, algorithms: &[String], ledger: &mut Ledger) {
    let Some(header) = header else {
        for kind in KINDS {
            ledger.unchecked(kind, Decides, || "The header cannot be read.");
        }
        return;
    };
    token_type(header, ledger);
    algorithm(header, algorithms, ledger);
    critical(header, ledger);
    payload_encoding(header, ledger);
    offered_keys(header, ledger);
    key_id(header, ledger);
}

fn token_type(header: &Json<'_>, ledger: &mut Ledger) {
    match header.get("typ") {
        None => ledger.unchecked(
            TYPE,
            Remark,
            || "The header names no type, which is allowed; Entra and the site write JWT.",
        ),
        Some(Json::Text(text)) if is_token_type(text) => ledger.passed(TYPE, || "The header says that it is a JWT."),
        Some(other) => ledger.failed(TYPE, Decides, || {
            Words::new("The header names another type, so it was issued for another use than access.")
                .expected("JWT or at+jwt")
                .found(quoted(other))
        }),
    }
}

fn is_token_type(text: &str) -> bool {
    let short = text.strip_prefix("application/").unwrap_or(text);
    ["JWT", "at+jwt"].iter().any(|known| short.eq_ignore_ascii_case(known))
}

fn algorithm(header: &Json<'_>, algorithms: &[String], ledger: &mut Ledger) {
    let found = header.get("alg");
    if let Some(name) = found.and_then(Json::as_str).filter(|name| algorithms.iter().any(|allowed| allowed == name)) {
        ledger.passed(ALGORITHM, || format!("{name} is allowed."));
        return;
    }
    ledger.failed(ALGORITHM, Decides, || {
        let why = match found.map(|value| (value, value.as_str())) {
            None => "The header names no algorithm, so no signature can be checked.",
            Some((_, None)) => "The algorithm is no string.",
            Some((_, Some(name))) if name.eq_ignore_ascii_case("none") => {
                "It says that it is not signed; anybody could have written it."
            }
            Some((_, Some(name))) if name.starts_with("HS") => {
                "It is signed with a shared secret. Neither Entra nor the site does that; a public key misused as the secret is a known forgery."
            }
            Some(_) => "It is not an algorithm that the issuers of these tokens sign with.",
        };
        Words::new(why).expected(algorithms.join(" or ")).found(found.map_or_else(|| "nothing".to_owned(), quoted))
    });
}

fn critical(header: &Json<'_>, ledger: &mut Ledger) {
    let refuse = |ledger: &mut Ledger, found: String, why: &str| {
        ledger.failed(CRITICAL, Decides, || {
            Words::new(why).expected("no crit, as no extension is known here").found(found)
        });
    };
    match header.get("crit") {
        None => ledger.passed(CRITICAL, || "No extension is marked as critical."),
        Some(Json::List(names)) if names.is_empty() => {
            refuse(ledger, "an empty list".to_owned(), "crit is an empty list, which the standard forbids.");
        }
        Some(list @ Json::List(_)) => refuse(
            ledger,
            quoted(list),
            "The token demands that whoever does not understand these extensions refuses it, and none is understood here.",
        ),
        Some(other) => refuse(ledger, quoted(other), "crit is no list of names."),
    }
}

fn payload_encoding(header: &Json<'_>, ledger: &mut Ledger) {
    match header.get("b64") {
        None | Some(Json::Bool(true)) => ledger.passed(PAYLOAD_ENCODING, || "The claims are encoded as usual."),
        Some(other) => ledger.failed(PAYLOAD_ENCODING, Decides, || {
            Words::new("The header says that the claims are not encoded (b64), which a JWT must not.")
                .expected("no b64")
                .found(quoted(other))
        }),
    }
}

fn offered_keys(header: &Json<'_>, ledger: &mut Ledger) {
    let names: Vec<&str> = ["jwk", "jku", "x5u", "x5c"].into_iter().filter(|name| header.get(name).is_some()).collect();
    if names.is_empty() {
        ledger.passed(OFFERED_KEYS, || "The token does not offer a key of its own.");
    } else {
        ledger.failed(OFFERED_KEYS, Decides, || {
            Words::new(
                "The token brings or points to the key that is to verify it. Such a key was not used: whoever forges a token can add it.",
            )
            .expected("no key in the header")
            .found(names.join(", "))
        });
    }
}

/// A key id is opaque; one that looks made for a file system, a database or a log is told.
fn key_id(header: &Json<'_>, ledger: &mut Ledger) {
    match header.get("kid") {
        None => {
            ledger.unchecked(KEY_ID, Remark, || "The header names no key id; the site's tokens name their key by x5t.");
        }
        Some(Json::Text(id)) => match key_id_problem(id) {
            None => ledger.passed(KEY_ID, || "The key id is plain; it was compared, and used for nothing else."),
            Some(why) => ledger.failed(KEY_ID, Decides, || {
                Words::new(format!(
                    "The key id {why}, as in an attack on whoever uses it as a path or a query. It was only compared."
                ))
                .expected("a short, plain name")
                .found(quoted(&Json::Text(id.as_ref().into())))
            }),
        },
        Some(other) => ledger.failed(KEY_ID, Decides, || {
            Words::new("The key id is no string.").expected("a string").found(quoted(other))
        }),
    }
}

fn key_id_problem(id: &str) -> Option<&'static str> {
    const LONGEST: usize = 256;
    if id.len() > LONGEST {
        Some("is longer than 256 bytes")
    } else if id.chars().any(char::is_control) {
        Some("holds control characters")
    } else if id.contains("../") || id.contains("..\\") {
        Some("climbs folders")
    } else if id.contains(['\'', '"', ';', '`', '|', '$', '<']) {
        Some("holds characters of a query or a command")
    } else {
        None
    }
}
