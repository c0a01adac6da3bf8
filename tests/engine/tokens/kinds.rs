//! Each kind of token is recognised, and said by what.

use cmgtrail::report::CheckStatus;
use cmgtrail::tokens::{TokenPolicy, inspect_token, validate_token};
use serde_json::{Value, json};

use super::mint::{self, AT, DEVICE, Signer, TENANT, USER, device_claims, with};

fn facts(claims: &Value) -> serde_json::Map<String, Value> {
    inspect_token(&Signer::main().token(&mint::header().to_string(), &claims.to_string()), false).facts
}

fn v2(issuer_host: &str, changes: Value) -> Value {
    let base = json!({
        "iss": format!("https://{issuer_host}/{TENANT}/v2.0"), "ver": "2.0", "appid": null, "appidacr": null,
        "azp": "9f5b1c0e-8b0d-4a6f-a3e4-0a3e5d6c7b8a", "azpacr": "0"
    });
    with(with(device_claims(), base), changes)
}

#[test]
fn device_user_and_application_tokens_of_both_versions() {
    let user = json!({"idtyp": null, "upn": "jane@contoso.com", "scp": "user_impersonation", "oid": USER});
    let application = json!({"idtyp": "app", "deviceid": null, "roles": ["CCM.Read"]});
    for (claims, kind, version) in [
        (device_claims(), "entra-device", "1.0"),
        (with(device_claims(), json!({"idtyp": null})), "entra-device", "1.0"),
        (with(device_claims(), user.clone()), "entra-user", "1.0"),
        (v2("login.microsoftonline.com", json!({})), "entra-device", "2.0"),
        (v2("login.microsoftonline.com", user), "entra-user", "2.0"),
        (v2("login.microsoftonline.com", application), "entra-application", "2.0"),
    ] {
        let facts = facts(&claims);
        assert_eq!((&facts["kind"], &facts["version"]), (&json!(kind), &json!(version)), "{claims}");
        let cloud = if version == "1.0" { "public or us-government" } else { "public" };
        assert_eq!(facts["cloud"], cloud, "version 1.0 has one issuer for two clouds");
        assert!(facts["kind_recognised_by"].as_str().is_some_and(|how| !how.is_empty()));
        assert_eq!(facts["tenant_id"], TENANT);
    }
    assert_eq!(facts(&device_claims())["device_id"], DEVICE);
}

#[test]
fn sovereign_clouds() {
    for (host, cloud) in [("login.microsoftonline.us", "us-government"), ("login.partner.microsoftonline.cn", "china")]
    {
        assert_eq!(facts(&v2(host, json!({})))["cloud"], cloud);
    }
    let china = with(device_claims(), json!({"iss": format!("https://sts.chinacloudapi.cn/{TENANT}/")}));
    assert_eq!(facts(&china)["cloud"], "china");
    assert_eq!(facts(&china)["kind"], "entra-device");
}

/// The claims that Microsoft's page "Token-based authentication for CMG" shows for a bulk registration token.
fn bulk_claims() -> Value {
    json!({
        "SCCMTokenCategory": "SCCMPreAuthToken", "Authority": "SCCM", "License": "SCCM", "Type": "BulkRegistration",
        "TenantId": "0F6E2F9B-3C1D-4F7E-9B8A-1C2D3E4F5A6B", "UniqueId": "1d1a5e4c-7a5b-4c0e-8f4a-6f8d2b1c9e77",
        "iss": "urn:sccm:oauth2:0f6e2f9b-3c1d-4f7e-9b8a-1c2d3e4f5a6b", "aud": "urn:sccm:service",
        "exp": AT + 259_000, "nbf": AT - 200
    })
}

#[test]
fn site_tokens_find_their_key_by_thumbprint_alone() {
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": mint::KID}).to_string();
    let mut policy = mint::policy();
    policy.audience = vec!["urn:sccm:service".to_owned()];
    policy.keys = Some(mint::jwks(json!({"kid": null, "issuer": null})));
    let report = validate_token(&Signer::main().token(&header, &bulk_claims().to_string()), &policy);
    assert_eq!(report.facts["kind"], "bulk-registration");
    assert_eq!(report.facts["key_id"], Value::Null);
    assert_eq!(report.facts["lifetime_seconds"], 259_200);
    assert_eq!(report.valid, Some(true), "{:#?}", report.checks);

    let ccm = with(bulk_claims(), json!({"Type": "UDA", "SCCMTokenCategory": null}));
    let report = validate_token(&Signer::main().token(&header, &ccm.to_string()), &policy);
    assert_eq!(report.facts["kind"], "ccm");
}

#[test]
fn a_damaged_sample_is_still_read_field_by_field() {
    let mut claims = bulk_claims().to_string().replace("0F6E2F9B", "0F6E2FGB").into_bytes();
    let place = claims.windows(4).position(|bytes| bytes == b"SCCM").unwrap();
    let header = mint::encode(json!({"typ": "JWT", "alg": "RS256", "x5t": mint::KID}).to_string().as_bytes());
    let readable = format!("{header}.{}.{}", mint::encode(&claims), mint::encode(&[7; 256]));
    assert_eq!(inspect_token(&readable, false).facts["kind"], "bulk-registration");

    claims[place] = 0xff;
    let broken = format!("{header}.{}.{}", mint::encode(&claims), mint::encode(&[7; 256]));
    let report = inspect_token(&broken, false);
    let check = report.check("claims-json").unwrap();
    assert_eq!(check.status, CheckStatus::Failed);
    assert!(check.explanation.contains(&format!("byte {place}")), "{}", check.explanation);
    assert_eq!(report.facts["key_thumbprint"], mint::KID);
}

#[test]
fn microsofts_own_tokens_say_why_their_signature_cannot_be_checked() {
    let header = with(mint::header(), json!({"nonce": "abc"})).to_string();
    for audience in ["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"] {
        let claims = with(device_claims(), json!({"aud": audience})).to_string();
        let policy = TokenPolicy { audience: vec![audience.to_owned()], ..mint::policy() };
        let report = validate_token(&Signer::stranger().token(&header, &claims), &policy);
        let check = report.check("signature").unwrap();
        assert_eq!(check.status, CheckStatus::NotChecked);
        assert!(check.explanation.contains("nonce"));
        assert_eq!(report.valid, None);
    }
}

#[test]
fn encrypted_tokens_show_their_header_and_say_that_they_are_encrypted() {
    let header = mint::encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let report = inspect_token(&format!("{header}.AAAA.AAAA.AAAA.AAAA"), false);
    assert_eq!(report.facts["kind"], "encrypted");
    assert_eq!(report.facts["header"]["enc"], "A256GCM");
    assert!(report.check("parts").unwrap().explanation.contains("encrypted"));
}
