//! Checks of the token's text: its size, its parts, their encoding, and the JSON in them.

use super::checks::{BASE64URL, CLAIMS_DUPLICATES, CLAIMS_JSON, HEADER_DUPLICATES, HEADER_JSON, PARTS, SIZE};
use super::compact::{Compact, MAX_BYTES, Reading, Shape};
use super::ledger::{CheckKind, Decides, Ledger, Words};
use super::words::quoted_text;

pub(crate) fn check(token: &Compact<'_>, header: &Reading<'_>, claims: &Reading<'_>, ledger: &mut Ledger) {
    size(token, ledger);
    parts(token, ledger);
    encoding(token, ledger);
    let header_read = token.header.is_some();
    let claims_read = token.claims.is_some();
    json(HEADER_JSON, HEADER_DUPLICATES, header_read.then_some(header), ledger);
    json(CLAIMS_JSON, CLAIMS_DUPLICATES, claims_read.then_some(claims), ledger);
}

fn size(token: &Compact<'_>, ledger: &mut Ledger) {
    let bytes = token.text.len();
    if token.shape == Shape::TooLarge {
        ledger.failed(SIZE, Decides, || {
            Words::new(format!(
                "The text has {bytes} bytes, more than any token: nothing of it was read. Check that it is one token."
            ))
            .expected(format!("at most {MAX_BYTES} bytes"))
            .found(format!("{bytes} bytes"))
        });
    } else {
        ledger.passed(SIZE, || format!("The token has {bytes} bytes."));
    }
}

fn parts(token: &Compact<'_>, ledger: &mut Ledger) {
    let refuse = |ledger: &mut Ledger, found: &str, why: &str| {
        ledger.failed(PARTS, Decides, || Words::new(why).expected("three parts with a dot between them").found(found));
    };
    match token.shape {
        Shape::Signed => ledger.passed(PARTS, || "It has the three parts of a signed token."),
        Shape::Encrypted => refuse(
            ledger,
            "five parts",
            "It has five parts, so it is encrypted (JWE): only its recipient can read its claims, and nothing more can be checked here.",
        ),
        Shape::JsonForm => refuse(
            ledger,
            "JSON",
            "It is JSON, which no Authorization header carries: the answer of a token endpoint, or a token in another form. Give the token alone; in an answer it is the value of access_token.",
        ),
        Shape::TooLarge => ledger.unchecked(PARTS, Decides, || "The text is too large to be read."),
        Shape::Parts(0) => refuse(ledger, "nothing", "There is no token: the text is empty."),
        Shape::Parts(count) => refuse(
            ledger,
            &format!("{count} parts"),
            "It is no token, or a token that was cut or joined with other text; copy it again, whole.",
        ),
    }
}

fn encoding(token: &Compact<'_>, ledger: &mut Ledger) {
    let (Some(header), Some(claims)) = (&token.header, &token.claims) else {
        ledger.unchecked(BASE64URL, Decides, || "Only the parts of a signed token have an encoding to check.");
        return;
    };
    let problems: Vec<String> = [
        ("header", &header.encoding_problem),
        ("claims", &claims.encoding_problem),
        ("signature", &token.signature_problem),
    ]
    .into_iter()
    .filter_map(|(part, problem)| problem.as_ref().map(|why| format!("the {part} part {why}")))
    .collect();
    if problems.is_empty() {
        ledger.passed(BASE64URL, || "Each part is strict base64url.");
    } else {
        ledger.failed(BASE64URL, Decides, || {
            Words::new(format!(
                "The encoding is not what was signed: {}. Copy the token again, whole.",
                problems.join("; ")
            ))
            .expected("base64url without padding or white space")
            .found(problems.join("; "))
        });
    }
}

fn json(json: CheckKind, duplicates: CheckKind, reading: Option<&Reading<'_>>, ledger: &mut Ledger) {
    let part = json.subject;
    let Some(reading) = reading else {
        ledger.unchecked(json, Decides, || format!("There is no {part} part to read."));
        ledger.unchecked(duplicates, Decides, || format!("There is no {part} part to read."));
        return;
    };
    match &reading.problem {
        None => ledger.passed(json, || format!("The {part} part is a JSON object.")),
        Some(why) => ledger.failed(json, Decides, || {
            let so = if reading.wraps_token { "" } else { "; the token may have been damaged or cut" };
            Words::new(format!("The {part} part {why}{so}.")).expected("a JSON object").found(why)
        }),
    }
    if reading.json.is_none() {
        ledger.unchecked(duplicates, Decides, || format!("The {part} part cannot be read."));
    } else if reading.duplicates.is_empty() {
        ledger.passed(duplicates, || "No member stands twice.");
    } else {
        ledger.failed(duplicates, Decides, || {
            let names = reading.duplicates.iter().map(|name| quoted_text(name)).collect::<Vec<_>>().join(", ");
            Words::new(format!(
                "In the {part} part {names} stands more than once. Readers differ in which one they take, so no honest issuer writes that."
            ))
            .expected("each member once")
            .found(names)
        });
    }
}
