//! Changes to a good token, each named in the shared list with whether the result may pass.

use cmgtrail::report::Report;
use cmgtrail::tokens::validate_token;
use serde_json::{Value, json};

use super::mint::{self, AT, AUDIENCE, Signer, TENANT, device_token, headed_token, hs256, with};

/// The tokens of one case, and the checks that must refuse each of them: the cause, not just any refusal.
fn mint_case(name: &str) -> Vec<(String, &'static str)> {
    let sign = |header: &str, claims: &str| Signer::main().token(header, claims);
    let header = mint::header().to_string();
    let claims = mint::device_claims().to_string();
    let one = |token: String, cause: &'static str| vec![(token, cause)];
    match name {
        "good" => one(device_token(json!({})), ""),
        "aud a list that holds the audience" => one(device_token(json!({"aud": ["urn:other", AUDIENCE]})), ""),
        "expired 200 s ago" => one(device_token(json!({"exp": AT - 200})), ""),
        "nbf 200 s ahead" => one(device_token(json!({"nbf": AT + 200})), ""),
        "expired 400 s ago" => one(device_token(json!({"exp": AT - 400})), "expiry"),
        "nbf 400 s ahead" => one(device_token(json!({"nbf": AT + 400})), "not-before"),
        "alg none, empty signature" => ["none", "None", "nOnE"]
            .map(|none| {
                let header = with(mint::header(), json!({"alg": none})).to_string();
                (format!("{}.{}.", mint::encode(header.as_bytes()), mint::encode(claims.as_bytes())), "algorithm")
            })
            .into(),
        "alg HS256 keyed with the RSA public key" => {
            let header = with(mint::header(), json!({"alg": "HS256"})).to_string();
            let secrets = [Signer::main().spki_pem(), Signer::main().pkcs1_pem(), Signer::main().jwk().to_string()];
            secrets.iter().map(|secret| (hs256(&header, &claims, secret.as_bytes()), "algorithm")).collect()
        }
        "alg twice, none then RS256" => {
            let header = header.replacen('{', r#"{"alg":"none","#, 1);
            one(sign(&header, &claims), "header-duplicates")
        }
        "crit names an unknown extension" => {
            one(headed_token(json!({"crit": ["urn:example:must"], "urn:example:must": true})), "critical")
        }
        "crit b64, b64 false" => one(headed_token(json!({"crit": ["b64"], "b64": false})), "payload-encoding"),
        "crit an empty list" => one(headed_token(json!({"crit": []})), "critical"),
        "aud missing" => one(device_token(json!({"aud": null})), "audience"),
        "aud a number" => one(device_token(json!({"aud": 7})), "audience"),
        "aud twice, wrong then right" => {
            one(sign(&header, &claims.replacen('{', r#"{"aud":"urn:other","#, 1)), "claims-duplicates")
        }
        "iss missing" => one(device_token(json!({"iss": null})), "issuer"),
        "iss a number" => one(device_token(json!({"iss": 7})), "issuer"),
        "iss of another tenant than tid" => {
            let other = "https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/";
            one(device_token(json!({"iss": other})), "issuer-tenant")
        }
        "exp missing" => one(device_token(json!({"exp": null})), "expiry"),
        "exp a string" => one(device_token(json!({"exp": (AT + 3_000).to_string()})), "expiry"),
        "iat in 2096" => one(device_token(json!({"iat": 3_976_214_400_u64})), "issued-at"),
        "base64 padding kept, or white space inside" => {
            let good = device_token(json!({}));
            let spaced = good.replacen('.', ". ", 1);
            let broken = good.replacen('.', "\n.", 1);
            vec![(format!("{good}=="), "base64url"), (spaced, "base64url"), (broken, "base64url")]
        }
        "key offered in the header (jwk, jku, x5u, x5c)" => {
            let offers = [
                json!({"jwk": Signer::stranger().jwk()}),
                json!({"jku": "https://keys.example/jwks.json"}),
                json!({"x5u": "https://keys.example/cert.pem"}),
                json!({"x5c": ["MIIB"]}),
            ];
            let token = |offer| Signer::stranger().token(&with(mint::header(), offer).to_string(), &claims);
            offers.map(|offer| (token(offer), "offered-keys")).into()
        }
        "signed by a key that is not in the key set" => {
            let unknown = with(mint::header(), json!({"kid": "another", "x5t": null})).to_string();
            vec![
                (Signer::stranger().token(&header, &claims), "signature"),
                (Signer::stranger().token(&unknown, &claims), "not checked"),
            ]
        }
        other => panic!("the shared list has a case '{other}' that this test does not mint"),
    }
}

fn names_the_cause(report: &Report, cause: &str) -> bool {
    match cause {
        "" => report.valid == Some(true),
        "not checked" => report.valid.is_none(),
        cause => report.fatal().any(|check| check.id == cause),
    }
}

#[test]
fn every_attack_of_the_list_is_refused_for_its_own_cause_and_what_is_good_passes() {
    let Some(text) = super::shared("conformance/token-attacks.json") else { return };
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["policy"]["audience"], AUDIENCE);
    let mut policy = mint::policy();
    policy.tenants = vec![TENANT.to_owned()];
    let mut tokens = 0;
    for case in list["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        for (token, cause) in mint_case(name) {
            let report = validate_token(&token, &policy);
            assert_eq!(report.valid == Some(true), case["pass"], "{name}: {:#?}", report.fatal().collect::<Vec<_>>());
            assert!(names_the_cause(&report, cause), "{name}: expected the cause '{cause}' in {:#?}", report.checks);
            tokens += 1;
        }
    }
    println!("token attacks: {tokens} tokens of {} cases as listed", list["cases"].as_array().unwrap().len());
}
