//! No output of any kind ever holds a token or a signature.

use arrow_array::cast::AsArray;
use arrow_array::{Array, StringArray};
use arrow_schema::DataType;
use cmgtrail::tokens::{KeySet, TokenPolicy, inspect_token, validate_token, validate_tokens, verify_signature};
use serde_json::{Value, json};

use super::mint::{self, AUDIENCE, DEVICE, Signer, TENANT, USER, device_token, encode, with};

/// Everything that says something about this token.
fn outputs(token: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for mask in [false, true] {
        let policy = TokenPolicy { mask, ..mint::policy() };
        let without = TokenPolicy { mask, ..TokenPolicy::new(0) };
        for report in [validate_token(token, &policy), validate_token(token, &without), inspect_token(token, mask)] {
            texts.push(serde_json::to_string(&report).unwrap());
            texts.push(format!("{report:?}"));
        }
        texts.push(column_text(token, &policy));
    }
    let report = verify_signature(token, policy_keys(), &["RS256".to_owned()]);
    texts.push(format!("{report:?}"));
    texts
}

fn policy_keys() -> &'static KeySet {
    static KEYS: std::sync::OnceLock<KeySet> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| mint::jwks(json!({})))
}

fn column_text(token: &str, policy: &TokenPolicy) -> String {
    let batches = validate_tokens(&StringArray::from(vec![token]), policy, &|| false).unwrap();
    let texts = batches.iter().flat_map(|batch| batch.columns().to_vec());
    let texts = texts.filter(|column| column.data_type() == &DataType::Utf8);
    texts.map(|column| column.as_string::<i32>().iter().flatten().collect::<String>()).collect()
}

/// Tokens planted in every place a token has room for one.
fn planted(secret: &str) -> Vec<String> {
    let header = mint::header();
    let claims = mint::device_claims();
    let sign = |header: Value, claims: Value| Signer::main().token(&header.to_string(), &claims.to_string());
    let mut tokens = vec![secret.to_owned(), format!("Bearer {secret}"), format!(" {secret}\n")];
    for name in ["kid", "alg", "typ", "x5t", "crit", "b64", "nonce", "jku"] {
        tokens.push(sign(with(header.clone(), json!({name: secret})), claims.clone()));
        tokens.push(sign(with(header.clone(), json!({name: format!("x {secret} y")})), claims.clone()));
        tokens.push(sign(with(header.clone(), json!({name: [secret]})), claims.clone()));
    }
    for name in ["iss", "aud", "tid", "ver", "exp", "nbf", "iat", "deviceid", "oid", "upn", "act", "Type"] {
        tokens.push(sign(header.clone(), with(claims.clone(), json!({name: secret}))));
        tokens.push(sign(header.clone(), with(claims.clone(), json!({name: {"deep": [secret]}}))));
    }
    tokens.push(sign(header.clone(), with(claims.clone(), json!({secret: 1}))));
    let doubled = format!("{{{secret:?}:1,{secret:?}:2}}");
    tokens.push(Signer::main().token(&header.to_string(), &doubled));
    tokens.push(Signer::main().token(&doubled, &claims.to_string()));
    let signature = secret.rsplit('.').next().unwrap();
    for (header, claims) in [
        (with(header.clone(), json!({"kid": signature})), claims.clone()),
        (with(header.clone(), json!({"kid": format!("x{}", &signature[..100])})), claims.clone()),
        (header.clone(), with(claims.clone(), json!({"aud": signature, "deviceid": format!("a {signature} b")}))),
        (header.clone(), with(claims, json!({signature: [signature]}))),
    ] {
        let encoded = [header, claims].map(|part| encode(part.to_string().as_bytes()));
        tokens.push(format!("{}.{}.{signature}", encoded[0], encoded[1]));
    }
    tokens.push(format!("{secret}.{secret}"));
    tokens.push(format!("{secret}.x.y"));
    tokens.push(secret.replace('.', " ."));
    tokens.push(secret.replacen('.', "", 1));
    tokens.push(format!("{secret}=="));
    tokens
}

#[test]
fn no_output_holds_a_planted_token_or_any_signature() {
    let secret = device_token(json!({}));
    let tokens = planted(&secret);
    assert!(tokens.len() > 50);
    for token in tokens {
        let outer = token.trim().rsplit('.').next().unwrap().to_owned();
        for output in outputs(&token) {
            assert!(!output.contains(&secret), "the whole token, of: {token}");
            for signature in [secret.rsplit('.').next().unwrap(), &outer] {
                assert!(
                    signature.len() < 16 || !output.contains(&signature[..16]),
                    "a signature, of: {token}\n{output}"
                );
            }
        }
    }
}

#[test]
fn what_is_said_of_keys_quotes_nothing_of_them() {
    let secret = device_token(json!({}));
    let inputs =
        [secret.clone(), format!("{{\"keys\":[{{\"kty\":{secret:?}}}]}}"), mint::pem(&secret, b"x"), secret.repeat(2)];
    for input in inputs {
        let problems = KeySet::parse(input.as_bytes()).problems().join(" ");
        assert!(!problems.is_empty() && !problems.contains(&secret[..16]), "{problems}");
    }
}

#[test]
fn masked_reports_hold_no_identifier_in_full_and_keep_their_verdict() {
    let person = json!({
        "upn": "jane.doe@contoso.com", "name": "Jane Doe", "ipaddr": "203.0.113.77", "idtyp": "user", "oid": USER,
        "onprem_sid": "S-1-5-21-1111111111-2222222222-3333333333-1107", "sub": "s0mePairwiseSubject"
    });
    let mut policy = mint::policy();
    policy.tenants = vec![mint::USER.to_owned()];
    let token = device_token(person);
    let plain = validate_token(&token, &policy);
    policy.mask = true;
    let masked = validate_token(&token, &policy);
    assert_eq!(masked.valid, plain.valid);
    let text = serde_json::to_string(&masked).unwrap() + &column_text(&token, &policy);
    let secrets =
        [TENANT, DEVICE, USER, "jane.doe@contoso.com", "Jane Doe", "203.0.113.77", "1111111111", "s0mePairwise"];
    for secret in secrets {
        assert!(serde_json::to_string(&plain).unwrap().contains(secret), "{secret} must be there to be masked");
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("82XXXXad-f062-XXXX-b062-dbXXXXac04d5"), "{text}");
    assert!(text.contains(AUDIENCE));
}

#[test]
fn encoded_parts_do_not_leave_either() {
    let token = device_token(json!({}));
    let claims = token.split('.').nth(1).unwrap();
    assert_eq!(claims, encode(mint::device_claims().to_string().as_bytes()));
    assert!(outputs(&token).iter().all(|output| !output.contains(&claims[..24])));
}
