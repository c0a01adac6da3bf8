//! Every check once passed, once failed, once not checked.

use std::collections::BTreeSet;

use aws_lc_rs::rsa::KeySize;
use cmgtrail::report::{CheckStatus, Report};
use cmgtrail::tokens::{CHECKS, KeySet, TokenPolicy, inspect_token, validate_token};
use serde_json::{Value, json};

use super::mint::{self, AT, KID, Signer, TENANT, device_token, headed_token, with};

const BULK_ISSUER: &str = "urn:sccm:oauth2:0f6e2f9b-3c1d-4f7e-9b8a-1c2d3e4f5a6b";

fn validated(token: &str) -> Report {
    validate_token(token, &mint::policy())
}

fn claims(changes: Value) -> Report {
    validated(&device_token(changes))
}

fn headed(changes: Value) -> Report {
    validated(&headed_token(changes))
}

fn keyed(changes: Value) -> Report {
    let mut policy = mint::policy();
    policy.keys = Some(mint::jwks(changes));
    validate_token(&device_token(json!({})), &policy)
}

fn without_keys() -> Report {
    validate_token(&device_token(json!({})), &TokenPolicy { keys: None, ..mint::policy() })
}

fn raw(header: &str, claims: &str) -> Report {
    validated(&Signer::main().token(header, claims))
}

/// A bulk registration token that lives this long, from the claims of Microsoft's published sample.
fn bulk(seconds: i64) -> Report {
    let claims = json!({
        "SCCMTokenCategory": "SCCMPreAuthToken", "Authority": "SCCM", "License": "SCCM", "Type": "BulkRegistration",
        "TenantId": "0F6E2F9B-3C1D-4F7E-9B8A-1C2D3E4F5A6B", "UniqueId": "1d1a5e4c-7a5b-4c0e-8f4a-6f8d2b1c9e77",
        "iss": BULK_ISSUER, "aud": "urn:sccm:service", "exp": AT + seconds - 60, "nbf": AT - 60
    });
    raw(&json!({"typ": "JWT", "alg": "RS256", "x5t": KID}).to_string(), &claims.to_string())
}

fn weak_key() -> Report {
    let mut entry = Signer::main().jwk();
    let modulus = entry["n"].as_str().unwrap()[..168].to_owned();
    entry = with(entry, json!({"n": modulus, "kid": KID}));
    let mut policy = mint::policy();
    policy.keys = Some(KeySet::parse(entry.to_string().as_bytes()));
    validate_token(&device_token(json!({})), &policy)
}

fn no_tenants() -> Report {
    validate_token(&device_token(json!({})), &TokenPolicy { tenants: Vec::new(), ..mint::policy() })
}

fn no_audience() -> Report {
    validate_token(&device_token(json!({})), &TokenPolicy { audience: Vec::new(), ..mint::policy() })
}

fn inspected() -> Report {
    inspect_token(&device_token(json!({})), false)
}

/// A report in which the check failed, and one in which it was not made.
fn reports(id: &str) -> (Report, Report) {
    let unreadable = || validated("a.b.c");
    let encrypted = || validated("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA");
    match id {
        "size" => (validated(&"x".repeat(1 << 20)), validated("")),
        "parts" => (encrypted(), validated(&"x".repeat(1 << 20))),
        "base64url" => (validated(&device_token(json!({})).replace('.', " .")), encrypted()),
        "header-json" => (raw("{\"alg\":", "{}"), validated(&"x".repeat(1 << 20))),
        "header-duplicates" => (raw("{\"alg\":\"RS256\",\"alg\":\"RS256\"}", "{}"), unreadable()),
        "claims-json" => (raw(&mint::header().to_string(), "[]"), encrypted()),
        "claims-duplicates" => (raw(&mint::header().to_string(), "{\"a\":{\"b\":1,\"b\":1}}"), unreadable()),
        "kind" => (raw(&mint::header().to_string(), "{}"), encrypted()),
        "type" => (headed(json!({"typ": "JWE"})), headed(json!({"typ": null}))),
        "algorithm" => (headed(json!({"alg": "RS512"})), unreadable()),
        "critical" => (headed(json!({"crit": "exp"})), unreadable()),
        "payload-encoding" => (headed(json!({"b64": false})), unreadable()),
        "offered-keys" => (headed(json!({"jku": "https://keys.example/"})), unreadable()),
        "key-id" => (headed(json!({"kid": "../../../../dev/null"})), headed(json!({"kid": null}))),
        "key-set" => (keyed(json!({"kty": "quantum"})), without_keys()),
        "key" => (claims(json!({})), headed(json!({"kid": "another", "x5t": null}))),
        "key-use" => (keyed(json!({"use": "enc"})), without_keys()),
        "key-algorithm" => (keyed(json!({"alg": "PS256"})), without_keys()),
        "key-strength" => (weak_key(), without_keys()),
        "key-issuer" => {
            let consumers = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
            (keyed(json!({"issuer": consumers})), keyed(json!({"issuer": null})))
        }
        "signature" => (validated(&tampered()), without_keys()),
        "expiry" => (claims(json!({"exp": AT - 301})), inspected()),
        "not-before" => (claims(json!({"nbf": AT + 301})), claims(json!({"nbf": null}))),
        "issued-at" => (claims(json!({"iat": AT + 301})), claims(json!({"iat": null}))),
        "lifetime" => (claims(json!({"exp": AT, "nbf": AT + 1})), claims(json!({"nbf": null, "iat": null}))),
        "issuer" => (
            claims(json!({"iss": format!("https://sts.windows.net/{TENANT}")})),
            claims(json!({"iss": "https://idp.example/"})),
        ),
        "version" => (claims(json!({"ver": "2.0"})), claims(json!({"ver": null}))),
        "issuer-tenant" => (claims(json!({"tid": mint::USER})), bulk(86_400)),
        "tenant" => (claims(json!({"tid": mint::USER})), no_tenants()),
        "audience" => (claims(json!({"aud": "urn:other"})), no_audience()),
        "identity" => (claims(json!({"deviceid": null})), bulk(86_400)),
        other => panic!("the check '{other}' has no row in this table"),
    }
}

/// A token whose kid two keys share.
fn duplicate_kid() -> Report {
    let entry = with(Signer::main().jwk(), json!({"kid": KID}));
    let other = with(Signer::stranger().jwk(), json!({"kid": KID}));
    let mut policy = mint::policy();
    policy.keys = Some(KeySet::parse(json!({"keys": [other, entry]}).to_string().as_bytes()));
    validate_token(&device_token(json!({})), &policy)
}

fn tampered() -> String {
    let good = device_token(json!({}));
    let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
    let claims = with(mint::device_claims(), json!({"deviceid": mint::USER})).to_string();
    parts[1] = mint::encode(claims.as_bytes());
    parts.join(".")
}

fn status(report: &Report, id: &str) -> CheckStatus {
    report.check(id).unwrap_or_else(|| panic!("'{id}' is not in the report")).status
}

/// A report in which the check passed: the good token, but for what only other tokens have.
#[test]
fn each_check_is_passed_on_a_good_token() {
    let report = claims(json!({}));
    assert_eq!(report.valid, Some(true), "{:#?}", report.checks);
    for check in CHECKS {
        assert_eq!(status(&report, check.id), CheckStatus::Passed, "{}", check.id);
    }
}

/// Checks that cannot fail or cannot be left out, each with its reason.
const NEVER_FAILED: [(&str, &str); 1] = [("key", "a key that is not there is never a failure, only unchecked")];
const NEVER_UNCHECKED: [(&str, &str); 1] = [("size", "any text has a size")];

#[test]
fn each_check_fails_once_and_is_left_out_once() {
    for check in CHECKS {
        let (failed, unchecked) = reports(check.id);
        if NEVER_FAILED.iter().all(|(id, _)| *id != check.id) {
            assert_eq!(status(&failed, check.id), CheckStatus::Failed, "{}", check.id);
        }
        if NEVER_UNCHECKED.iter().all(|(id, _)| *id != check.id) {
            assert_eq!(status(&unchecked, check.id), CheckStatus::NotChecked, "{}", check.id);
            assert_ne!(unchecked.check(check.id).unwrap().explanation, "", "{}", check.id);
        }
    }
}

#[test]
fn every_report_holds_every_check_once_and_in_one_order() {
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    for check in CHECKS {
        let (failed, unchecked) = reports(check.id);
        for report in [failed, unchecked] {
            let found: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
            assert_eq!(found, ids);
            assert!(
                report.checks.iter().all(|check| !check.explanation.is_empty() && check.explanation.ends_with('.'))
            );
        }
    }
}

#[test]
fn no_failure_hides_another() {
    let changes =
        json!({"aud": "urn:other", "exp": AT - 4_000, "iss": "https://sts.windows.net/", "tid": "x", "ver": 1});
    let token = Signer::stranger().token(
        &with(mint::header(), json!({"crit": [], "typ": "x", "jku": "u"})).to_string(),
        &with(mint::device_claims(), changes).to_string(),
    );
    let report = validated(&token);
    let failed: BTreeSet<&str> = report.fatal().map(|check| check.id.as_str()).collect();
    let expected = ["audience", "critical", "expiry", "lifetime", "offered-keys", "signature", "tenant", "type"];
    assert!(expected.iter().all(|id| failed.contains(id)), "{failed:?}");
}

#[test]
fn a_missing_key_is_not_checked_and_never_valid() {
    for report in [without_keys(), headed(json!({"kid": "another", "x5t": null})), inspected()] {
        assert_eq!(status(&report, "signature"), CheckStatus::NotChecked);
        assert_eq!(report.valid, None);
    }
    let named = headed(json!({"kid": "another", "x5t": null}));
    assert!(named.check("signature").unwrap().explanation.contains("'another'"));
}

#[test]
fn the_right_key_is_found_among_two_of_one_name() {
    let report = duplicate_kid();
    assert_eq!(report.valid, Some(true));
    assert_eq!(report.facts["verified_with"], "key 2 of the set");
    assert_eq!(status(&report, "key-set"), CheckStatus::Failed);
}

#[test]
fn pem_keys_and_larger_keys_verify() {
    let large = Signer::new(KeySize::Rsa4096);
    let token = large.token(&mint::header().to_string(), &mint::device_claims().to_string());
    for pem in [large.spki_pem(), large.pkcs1_pem()] {
        let policy = TokenPolicy { keys: Some(KeySet::parse(pem.as_bytes())), ..mint::policy() };
        assert_eq!(validate_token(&token, &policy).valid, Some(true));
        assert_eq!(validate_token(&device_token(json!({})), &policy).valid, Some(false));
    }
}

#[test]
fn a_certificate_verifies_what_its_thumbprint_names() {
    let certified = mint::Certified::new();
    let by_thumbprint = json!({"typ": "JWT", "alg": "RS256", "x5t": certified.thumbprint()}).to_string();
    let by_kid = json!({"typ": "JWT", "alg": "RS256", "kid": certified.thumbprint()}).to_string();
    let by_hex = json!({"typ": "JWT", "alg": "RS256", "kid": certified.windows_thumbprint()}).to_string();
    let other = json!({"typ": "JWT", "alg": "RS256", "x5t": KID}).to_string();
    let chain = json!({"keys": [with(certified.signer.jwk(), json!({"x5c": [certified.base64()]}))]}).to_string();
    let forms: [&[u8]; 3] = [certified.pem.as_bytes(), &certified.der, chain.as_bytes()];
    for keys in forms.map(KeySet::parse) {
        assert_eq!(keys.problems(), [""; 0]);
        let policy = TokenPolicy { keys: Some(keys), ..mint::policy() };
        let verdict = |header: &str| {
            validate_token(&certified.signer.token(header, &mint::device_claims().to_string()), &policy).valid
        };
        for header in [&by_thumbprint, &by_kid, &by_hex] {
            assert_eq!(verdict(header), Some(true), "{header}");
        }
        assert_eq!(verdict(&other), None, "a thumbprint of another certificate");
    }
}

#[test]
fn bulk_tokens_are_told_when_they_live_too_long() {
    assert_eq!(status(&bulk(3 * 86_400), "lifetime"), CheckStatus::Passed);
    assert_eq!(status(&bulk(7 * 86_400 + 1), "lifetime"), CheckStatus::Failed);
}

#[test]
fn leeway_is_a_bound_to_the_second() {
    for (exp, valid) in [(AT - 299, true), (AT - 300, false)] {
        assert_eq!(claims(json!({"exp": exp})).valid, Some(valid), "{exp}");
    }
    for (nbf, valid) in [(AT + 300, true), (AT + 301, false)] {
        assert_eq!(claims(json!({"nbf": nbf})).valid, Some(valid), "{nbf}");
    }
}

#[test]
fn dates_that_are_none_are_refused() {
    for date in [json!("1793786553"), json!(-1), json!(1e300), json!(1_793_786_553_000_i64), json!(true), json!([1])] {
        assert_eq!(status(&claims(json!({"exp": date.clone()})), "expiry"), CheckStatus::Failed, "{date}");
        assert_eq!(status(&claims(json!({"nbf": date.clone()})), "not-before"), CheckStatus::Failed, "{date}");
        assert_eq!(status(&claims(json!({"iat": date.clone()})), "issued-at"), CheckStatus::Failed, "{date}");
    }
    assert_eq!(status(&claims(json!({"exp": 1_793_786_553.5})), "expiry"), CheckStatus::Passed);
}
