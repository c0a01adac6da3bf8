//! Tokens per second, beside the raw RS256 verification rate of the crypto library in the same run.
//!
//! `cargo bench --bench tokens`. Every token is another one, so nothing is answered from memory; rounds of the two
//! measurements alternate, and medians are compared; the ratio is the median of the ratios of the rounds, which a busy machine disturbs least.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

use std::time::Instant;

use arrow_array::StringArray;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmgtrail::tokens::{KeySet, TokenPolicy, validate_token, validate_tokens};
use rayon::prelude::*;
use serde_json::json;

const TOKENS: usize = 8_192;
const ROUNDS: usize = 9;
const AT: i64 = 1_793_783_553;
const TENANT: &str = "c2b8f6d2-51a3-4df9-9c1e-cdd0a1b2ce0a";

struct Signed {
    text: String,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// A token with the claims and the length (some 1,100 bytes) of an Entra v1.0 user token.
fn mint(key: &RsaKeyPair, number: usize) -> Signed {
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": "2ZQpJ3UpbjAYXYGaXEJl8lV0TOI", "kid": "2ZQpJ3UpbjAYXYGaXEJl8lV0TOI"});
    let claims = json!({
        "aud": "https://ConfigMgrService", "iss": format!("https://sts.windows.net/{TENANT}/"), "iat": AT - 600,
        "nbf": AT - 600, "exp": AT + 3_000, "acr": "1", "aio": "E2ZgYPhb1nJ5mZrDqtfsR6UuHJkAAA==", "amr": ["pwd", "rsa"],
        "appid": "9f5b1c0e-8b0d-4a6f-a3e4-0a3e5d6c7b8a", "appidacr": "0", "deviceid": format!("82b5c7ad-f062-4c1e-b062-{number:012x}"),
        "family_name": "Doe", "given_name": "Jane", "ipaddr": "203.0.113.77", "name": "Jane Doe",
        "oid": "5f1c9a77-0b7c-4a58-8a55-2a4e6f0a9b11", "puid": "10030000A1B2C3D4", "scp": "user_impersonation",
        "sub": "s0mePairwiseSubjectOfThisUser", "tid": TENANT, "unique_name": "jane@contoso.com", "upn": "jane@contoso.com",
        "uti": "hN3yq1k0rUWgLp5oYy0BAA", "ver": "1.0"
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    Signed { text: format!("{message}.{}", encode(&signature)), message: message.into_bytes(), signature }
}

fn policy(key: &RsaKeyPair) -> TokenPolicy {
    let parts = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({"kty": "RSA", "use": "sig", "kid": "2ZQpJ3UpbjAYXYGaXEJl8lV0TOI", "n": encode(&parts.n), "e": encode(&parts.e),
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"});
    let mut policy = TokenPolicy::new(AT * 1_000_000);
    policy.keys = Some(KeySet::parse(jwk.to_string().as_bytes()));
    policy.audience = vec!["https://ConfigMgrService".to_owned()];
    policy.tenants = vec![TENANT.to_owned()];
    policy
}

fn rate(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    TOKENS as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let tokens: Vec<Signed> = (0..TOKENS).into_par_iter().map(|number| mint(&key, number)).collect();
    let column = StringArray::from_iter_values(tokens.iter().map(|token| &token.text));
    let policy = policy(&key);
    let raw_key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());

    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let batch = || {
        let batches = validate_tokens(&column, &policy, &|| false).unwrap();
        let valid: usize = batches
            .iter()
            .map(|batch| {
                let valid = batch.column_by_name("valid").unwrap();
                arrow_array::cast::AsArray::as_boolean(&**valid).true_count()
            })
            .sum();
        assert_eq!(valid, TOKENS);
    };
    let parsed = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key())
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .unwrap();
    let raw_parsed = |token: &Signed| parsed.verify_sig(&token.message, &token.signature).unwrap();
    let raw = |token: &Signed| raw_key.verify(&token.message, &token.signature).unwrap();
    let mut rates: [Vec<f64>; 6] = Default::default();
    for _ in 0..ROUNDS {
        rates[0].push(rate(|| tokens.iter().for_each(raw)));
        rates[1].push(rate(|| one.install(batch)));
        rates[2].push(rate(|| tokens.par_iter().for_each(raw)));
        rates[3].push(rate(batch));
        rates[4].push(rate(|| tokens.iter().for_each(raw_parsed)));
        rates[5].push(rate(|| {
            for token in &tokens {
                assert_eq!(validate_token(&token.text, &policy).valid, Some(true));
            }
        }));
    }
    println!("{TOKENS} tokens of {} bytes, medians of {ROUNDS} rounds, per second", tokens[0].text.len());
    for (what, ours, theirs) in [
        ("column, one thread, beside raw verification", 1, 0),
        ("column, one thread, beside a key parsed once", 1, 4),
        ("column, all cores, beside raw verification", 3, 2),
        ("full reports, one thread, beside raw verification", 5, 0),
    ] {
        let ratios = rates[ours].iter().zip(&rates[theirs]).map(|(ours, theirs)| ours / theirs);
        let ratio = median(ratios.collect());
        let (ours, theirs) = (median(rates[ours].clone()), median(rates[theirs].clone()));
        println!("{what:<50} {ours:>8.0} of {theirs:>8.0}   ratio {ratio:.3}");
    }
}
