//! What nearly fits is explained as what it is.

use cmgtrail::report::CheckStatus;
use cmgtrail::tokens::{KeySet, TokenPolicy, failures_of, validate_token};
use serde_json::{Value, json};

use super::mint::{self, AT, TENANT, device_token};

fn explained(check: &str, claims: Value, change: impl FnOnce(&mut TokenPolicy)) -> String {
    let mut policy = mint::policy();
    change(&mut policy);
    let report = validate_token(&device_token(claims), &policy);
    let check = report.check(check).unwrap();
    assert_eq!(check.status, CheckStatus::Failed, "{check:#?}");
    assert!(check.expected.is_some() && check.found.is_some(), "{check:#?}");
    check.explanation.clone()
}

#[test]
fn audiences() {
    let app = "9f5b1c0e-8b0d-4a6f-a3e4-0a3e5d6c7b8a";
    let api = format!("api://{TENANT}/{app}");
    for (found, expected, words) in [
        ("https://ConfigMgrService/", "https://ConfigMgrService", "slash too many"),
        ("https://ConfigMgrService", "https://ConfigMgrService/", "lacks the slash"),
        ("https://configmgrservice", "https://ConfigMgrService", "case"),
        (app, "https://ConfigMgrService", "id of an app"),
        (app, api.as_str(), "id of an app"),
        (app, &format!("api://{app}"), "server app itself"),
        ("https://ConfigMgrService", app, "version 1.0"),
        ("https://ConfigMgrCMG", "https://ConfigMgrService", "another resource"),
    ] {
        let why = explained("audience", json!({"aud": found}), |policy| policy.audience = vec![expected.to_owned()]);
        assert!(why.contains(words), "{found} for {expected}: {why}");
    }
}

#[test]
fn issuers() {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let other = "https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/";
    let china = format!("https://sts.chinacloudapi.cn/{TENANT}/");
    let government = format!("https://login.microsoftonline.us/{TENANT}/v2.0");
    for (expected, words) in [
        (government.as_str(), "version 1.0 and the setting expects version 2.0"),
        (v2.as_str(), "version 1.0 and the setting expects version 2.0"),
        (v1.trim_end_matches('/'), "slash"),
        (&v1.to_uppercase(), "case"),
        (other, "another tenant"),
        (&china, "cloud"),
        ("https://idp.example/", "Another issuer"),
        ("https://login.microsoftonline.com/common/v2.0", "address to sign in at"),
        ("https://sts.windows.net/contoso.onmicrosoft.com/", "address to sign in at"),
    ] {
        let why = explained("issuer", json!({}), |policy| policy.issuers = vec![expected.to_owned()]);
        assert!(why.contains(words), "{expected}: {why}");
    }
    let mut policy = mint::policy();
    policy.issuers = vec!["https://sts.windows.net/{tenantid}/".to_owned()];
    assert_eq!(validate_token(&device_token(json!({})), &policy).valid, Some(true));
}

#[test]
fn times_say_how_far_they_are_from_their_bound() {
    let why = explained("expiry", json!({"exp": AT - 93_784}), |_| {});
    assert!(why.contains("1 d 2 h"), "{why}");
    let why = explained("not-before", json!({"nbf": AT + 620}), |_| {});
    assert!(why.contains("10 min 20 s"), "{why}");
    let report = validate_token(&device_token(json!({"exp": AT + 3_000})), &mint::policy());
    assert!(report.check("expiry").unwrap().explanation.contains("50 min"));
    assert_eq!(report.facts["seconds_to_expiry"], 3_000);
}

#[test]
fn failed_checks_lead_to_the_failures_of_the_catalogue() {
    let ids = |claims: Value| {
        let report = validate_token(&device_token(claims), &mint::policy());
        failures_of(&report).into_iter().map(|(failure, check)| (failure, check.id.clone())).collect::<Vec<_>>()
    };
    let one = |failure, check: &str| vec![(failure, check.to_owned())];
    assert_eq!(ids(json!({})), []);
    assert_eq!(ids(json!({"aud": "urn:other"})), one("token-audience-or-issuer-refused", "audience"));
    assert_eq!(ids(json!({"nbf": AT + 900})), one("token-clock-skew", "not-before"));
    assert_eq!(ids(json!({"exp": AT - 400})), one("token-clock-skew", "expiry"));
    assert_eq!(ids(json!({"exp": AT - 900_000, "nbf": null, "iat": null})), []);
    let site = json!({
        "exp": AT - 900_000, "nbf": null, "iat": null, "iss": format!("urn:sccm:oauth2:{TENANT}"), "aud": mint::AUDIENCE
    });
    assert_eq!(ids(site), one("site-token-expired", "expiry"));
    let tenant = json!({"tid": mint::USER, "iss": format!("https://sts.windows.net/{}/", mint::USER)});
    assert_eq!(ids(tenant), one("tenant-not-onboarded", "tenant"));
}

/// A JWKS with a shared secret under the token's key id, as tests of other software have it.
#[test]
fn a_symmetric_key_speaks_of_the_key_and_not_of_the_token() {
    let token = device_token(json!({}));
    let mut policy = mint::policy();
    let key_id = validate_token(&token, &policy).facts["key_id"].as_str().unwrap().to_owned();
    let secret = json!({"keys": [{"kty": "oct", "kid": key_id, "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}).to_string();
    policy.keys = Some(KeySet::parse(secret.as_bytes()));
    let report = validate_token(&token, &policy);
    assert_eq!(report.valid, None, "whether the token is good is not known: {:#?}", report.fatal().collect::<Vec<_>>());
    let why = &report.check("key-algorithm").unwrap().explanation;
    assert!(why.contains("not the key of this token's issuer"), "{why}");
}

/// Keys that no verification may rest on are told as such, and the token is not blamed.
#[test]
fn a_key_that_is_none_speaks_of_the_key_and_not_of_the_token() {
    let jwk = mint::Signer::main().jwk();
    let changed = |name: &str, value: Value| {
        let mut jwk = mint::with(jwk.clone(), json!({"kid": mint::KID}));
        jwk[name] = value;
        jwk
    };
    for (jwk, words) in [
        (changed("e", json!("Ag")), "exponent"),
        (changed("e", json!("AQ")), "exponent"),
        (changed("x5c", json!([mint::Certified::new().base64()])), "x5c"),
    ] {
        let mut policy = mint::policy();
        policy.keys = Some(KeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes()));
        let report = validate_token(&device_token(json!({})), &policy);
        assert_eq!(report.valid, None, "{words}: {:#?}", report.fatal().collect::<Vec<_>>());
        let told = &report.check("key-set").unwrap().explanation;
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_device_token_that_names_no_device_is_of_no_use() {
    for id in [json!(null), json!("PC042"), json!("00000000-0000-0000-0000-000000000000")] {
        let report = validate_token(&device_token(json!({"deviceid": id})), &mint::policy());
        assert_eq!(report.valid, Some(false), "{id}");
        assert_eq!(report.check("identity").unwrap().status, CheckStatus::Failed);
    }
}

/// A nonce excuses a signature only in tokens for services of Microsoft's own.
#[test]
fn a_nonce_hides_no_change_of_a_token_for_the_site() {
    let signed = super::mint::headed_token(json!({"nonce": "0123456789abcdef"}));
    let (rest, _) = signed.rsplit_once('.').unwrap();
    let changed = format!("{rest}.{}", mint::encode(&[7; 256]));
    assert_eq!(validate_token(&changed, &mint::policy()).valid, Some(false));
}

#[test]
fn a_token_in_a_token_is_named() {
    let inner = device_token(json!({}));
    let outer = mint::Signer::main().token(r#"{"alg":"RS256","cty":"JWT"}"#, &inner);
    let why = validate_token(&outer, &mint::policy()).check("claims-json").unwrap().explanation.clone();
    assert!(why.contains("wraps another token") && !why.contains("damaged"), "{why}");
}
