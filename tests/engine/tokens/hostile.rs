//! Input made to break a reader: a check that failed, in bounded time, never a panic.

use std::time::{Duration, Instant};

use cmgtrail::report::CheckStatus;
use cmgtrail::tokens::{KeySet, TokenPolicy, inspect_token, validate_token};
use proptest::prelude::*;
use serde_json::json;

use super::mint::{self, KID, Signer, device_token, encode, with};

fn failed(token: &str, id: &str) {
    let begun = Instant::now();
    let report = validate_token(token, &mint::policy());
    assert_eq!(report.valid, Some(false), "{id}");
    assert_eq!(report.check(id).unwrap().status, CheckStatus::Failed, "{id}: {:#?}", report.checks);
    // A bound that only a reader of more than linear time would miss, on the slowest machine.
    assert!(begun.elapsed() < Duration::from_secs(20), "{id} took {:?}", begun.elapsed());
}

#[test]
fn texts_that_are_no_token() {
    for (text, id) in [
        (String::new(), "parts"),
        ("   ".to_owned(), "parts"),
        ("...".to_owned(), "parts"),
        ("..".to_owned(), "header-json"),
        ("\u{0}\u{1}\u{2}.\u{fffd}.\u{7f}".to_owned(), "base64url"),
        (".".repeat(100_000), "parts"),
        ("eyJ.".repeat(60_000), "parts"),
        ("x".repeat(1 << 20), "size"),
        (device_token(json!({"x": "y".repeat(1 << 20)})), "size"),
        (device_token(json!({"x": "y".repeat(1 << 20)})).replace('.', ""), "size"),
        (r#"{"payload":"Zm9v"}"#.to_owned(), "parts"),
        ("a.b.c.d.e".to_owned(), "parts"),
    ] {
        failed(&text, id);
    }
}

#[test]
fn claims_nested_ten_thousand_deep() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let token = Signer::main().token(&mint::header().to_string(), &format!("{{\"x\":{deep}}}"));
    failed(&token, "claims-json");
    let objects = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    failed(&Signer::main().token(&objects, "{}"), "header-json");
}

#[test]
fn a_claim_of_many_members_is_no_quadratic_work() {
    let members: Vec<String> = (0..20_000).map(|n| format!("\"{n}\":1")).collect();
    let claims = format!("{{{},{}}}", members.join(","), "\"0\":1");
    failed(&Signer::main().token(&mint::header().to_string(), &claims), "claims-duplicates");
}

#[test]
fn a_claim_that_repeats_the_beginning_of_the_token_is_no_quadratic_work() {
    let start = encode(mint::header().to_string().as_bytes())[..16].to_owned();
    let report = inspect_token(&device_token(json!({"x": start.repeat(9_000)})), true);
    assert!(!report.facts["claims"]["x"].as_str().unwrap().contains(&start));
}

#[test]
fn key_material_that_is_none() {
    let nothing: [&[u8]; 9] = [
        b"",
        b"   ",
        b"\x00\xff\xfe binary",
        b"{}",
        b"{\"keys\": []}",
        b"{\"keys\": 7}",
        b"[1, null, {\"kty\": \"RSA\"}, {\"kty\": \"RSA\", \"n\": \"\", \"e\": \"AQAB\"}]",
        b"-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMIIB",
    ];
    for input in nothing {
        let keys = KeySet::parse(input);
        assert!(keys.is_empty() && !keys.problems().is_empty(), "{:?}", String::from_utf8_lossy(input));
        let report = validate_token(&device_token(json!({})), &TokenPolicy { keys: Some(keys), ..mint::policy() });
        assert_eq!(report.valid, None);
        assert_eq!(report.check("key-set").unwrap().status, CheckStatus::Failed);
        assert_eq!(report.check("signature").unwrap().status, CheckStatus::NotChecked);
    }
    let deep = "[".repeat(100_000);
    assert!(KeySet::parse(deep.as_bytes()).is_empty());
    assert!(KeySet::parse(&vec![b'['; 5 << 20]).problems()[0].contains("bytes"));
}

#[test]
fn good_keys_among_bad_ones_are_used_and_private_keys_are_told() {
    let pem = mint::pem("CERTIFICATE", b"junk") + &mint::pem("PRIVATE KEY", b"junk") + &Signer::main().spki_pem();
    let keys = KeySet::parse(format!("some text before\n{pem}\nand after").as_bytes());
    assert_eq!((keys.len(), keys.problems().len()), (1, 2), "{:?}", keys.problems());
    assert!(keys.problems()[1].contains("private key"));
    let policy = TokenPolicy { keys: Some(keys), ..mint::policy() };
    assert_eq!(validate_token(&device_token(json!({})), &policy).valid, Some(true));
}

#[test]
fn thousands_of_keys_of_one_name_are_not_all_tried() {
    let stranger = with(Signer::stranger().jwk(), json!({"kid": KID}));
    let keys = KeySet::parse(json!({"keys": vec![stranger; 5_000]}).to_string().as_bytes());
    assert_eq!(keys.problems().len(), 1);
    let policy = TokenPolicy { keys: Some(keys), ..mint::policy() };
    let begun = Instant::now();
    let report = validate_token(&device_token(json!({})), &policy);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(report.valid, None, "the right key may be one that was not tried");
    assert!(report.check("signature").unwrap().explanation.contains("16 were tried"));
}

#[test]
fn extreme_moments_do_not_overflow() {
    for at in [i64::MIN, 0, i64::MAX] {
        let policy = TokenPolicy { at, leeway_seconds: u32::MAX, ..mint::policy() };
        assert_eq!(validate_token(&device_token(json!({})), &policy).facts["kind"], "entra-device");
    }
}

/// Checks that may fail where a character of this part of a token is changed.
fn of_part(part: usize) -> &'static [&'static str] {
    match part {
        0 => &[
            "parts",
            "base64url",
            "header-json",
            "header-duplicates",
            "type",
            "algorithm",
            "critical",
            "payload-encoding",
            "offered-keys",
            "key-id",
            "key-algorithm",
            "signature",
        ],
        // The key's issuer is compared with the token's.
        1 => &[
            "parts",
            "base64url",
            "claims-json",
            "claims-duplicates",
            "kind",
            "expiry",
            "not-before",
            "issued-at",
            "lifetime",
            "issuer",
            "version",
            "issuer-tenant",
            "tenant",
            "audience",
            "identity",
            "key-issuer",
            "signature",
        ],
        _ => &["parts", "base64url", "signature"],
    }
}

#[test]
fn a_changed_character_fails_the_checks_of_its_part_and_no_others() {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let good = device_token(json!({}));
    let mut part = 0;
    for (at, character) in good.bytes().enumerate() {
        if character == b'.' {
            part += 1;
            continue;
        }
        let digit = DIGITS.iter().position(|digit| *digit == character).unwrap();
        for bit in [1, 8, 32] {
            let mut token = good.clone().into_bytes();
            token[at] = DIGITS[digit ^ bit];
            let report = validate_token(std::str::from_utf8(&token).unwrap(), &mint::policy());
            let failed = report.checks.iter().filter(|check| check.status == CheckStatus::Failed);
            let failed: Vec<&str> = failed.map(|check| check.id.as_str()).collect();
            assert!(failed.iter().all(|id| of_part(part).contains(id)), "character {at}, bit {bit}: {failed:?}");
            assert_ne!(report.check("signature").unwrap().status, CheckStatus::Passed, "character {at}, bit {bit}");
            assert_ne!(report.valid, Some(true), "character {at}, bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_gets_a_report(text in "\\PC{0,80}", mask: bool) {
        prop_assert_ne!(inspect_token(&text, mask).valid, Some(true));
    }

    #[test]
    fn any_parts_get_a_report(header in "\\PC{0,60}", claims in "\\PC{0,120}", signature in proptest::collection::vec(any::<u8>(), 0..300)) {
        let token = format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(&signature));
        prop_assert_ne!(validate_token(&token, &mint::policy()).valid, Some(true));
    }

    #[test]
    fn any_changed_character_is_refused(at in 0_usize..1_000, to in "[A-Za-z0-9_.-]") {
        let mut token = device_token(json!({}));
        let at = at % token.len();
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        prop_assert_ne!(validate_token(&token, &mint::policy()).valid, Some(true));
    }

    #[test]
    fn any_bytes_make_a_key_set(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(KeySet::parse(&bytes).is_empty());
    }
}
