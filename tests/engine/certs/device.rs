//! The device's own certificate and `dsregcmd /status`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmgtrail::certs::dsregcmd::{Beside, CHECKS, DeviceStatus, Join, validate_dsregcmd};
use cmgtrail::certs::{Bundle, DeviceIdentity, Role, Source, device_identity, role};
use cmgtrail::report::{CheckStatus, Report};

use super::fixture::{Key, NOW, Template, authority, der, name};

const DEVICE: &str = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const TENANT: &str = "11223344-5566-7788-99aa-bbccddeeff00";
/// The octets of the ids above in the order of Windows: the first three fields little-endian (MS-DTYP, 2.3.4.2).
const DEVICE_OCTETS: [u8; 16] =
    [0x3d, 0x2c, 0x1b, 0x0a, 0x5f, 0x4e, 0x71, 0x60, 0x82, 0x93, 0xa4, 0xb5, 0xc6, 0xd7, 0xe8, 0xf9];
const TENANT_OCTETS: [u8; 16] =
    [0x44, 0x33, 0x22, 0x11, 0x66, 0x55, 0x88, 0x77, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00];

fn issued_by(issuer: &str) -> Template {
    let key = Key::new();
    let mut template = authority("x", &key, issuer, &key);
    template.extensions.clear();
    template.subject = name(DEVICE);
    template
        .with("1.2.840.113556.1.5.284.2", false, DEVICE_OCTETS.to_vec())
        .with("1.2.840.113556.1.5.284.5", false, [&[0x04, 0x81, 0x10][..], &TENANT_OCTETS].concat())
        .with("1.2.840.113556.1.5.284.3", false, der(4, &[&TENANT_OCTETS]))
        .with("1.2.840.113556.1.5.284.7", false, der(4, &[b"1"]))
        .with("1.2.840.113556.1.5.284.8", false, b"EU".to_vec())
}

fn read(template: &Template) -> (Role, Option<DeviceIdentity>) {
    let bundle = Bundle::read(&[Source::new("device.cer", template.sign(&Key::new()))]);
    let certificate = bundle.certificates.first().unwrap();
    (role(certificate).0, device_identity(certificate))
}

#[test]
fn device_and_tenant_are_read_in_all_encodings() {
    let (role, identity) = read(&issued_by("MS-Organization-Access"));
    let identity = identity.unwrap();
    assert_eq!(role, Role::WorkplaceJoin);
    assert_eq!(identity.device_id.as_deref(), Some(DEVICE));
    assert_eq!(identity.device_id_of_extension.as_deref(), Some(DEVICE));
    assert_eq!(identity.device_ids_agree, Some(true));
    assert_eq!(identity.tenant_id.as_deref(), Some(TENANT));
    assert_eq!(identity.user_object_id.as_deref(), Some(TENANT));
    assert_eq!(identity.join_type.as_deref(), Some("joined"));
    assert_eq!(identity.region.as_deref(), Some("EU"));
}

#[test]
fn other_certificates_of_the_device_are_told_apart() {
    assert_eq!(read(&issued_by("MS-Organization-P2P-Access [2026]")), (Role::PeerToPeer, None));
    let (role, identity) = read(&issued_by("Microsoft Intune MDM Device CA"));
    assert_eq!(role, Role::MobileManagement);
    assert_eq!(identity.unwrap().device_id.as_deref(), Some(DEVICE));
}

fn output(device: &str, thumbprint: &str) -> String {
    format!(
        "+----------------------------------------------------------------------+\n\
         | Device State                                                         |\n\
         +----------------------------------------------------------------------+\n\n\
         \x20            AzureAdJoined : YES\n          EnterpriseJoined : NO\n              DomainJoined : YES\n\
         \x20              DomainName : CONTOSO\n            Virtual Desktop : NOT SET\n               Device Name : PC042.contoso.com\n\n\
         | Device Details |\n\n\
         \x20               DeviceId : {device}\n             Thumbprint : {thumbprint}\n\
         \x20DeviceCertificateValidity : [ 2019-01-11 21:02:50.000 UTC -- 2029-01-11 21:32:50.000 UTC ]\n\
         \x20           KeyProvider : Microsoft Platform Crypto Provider\n           TpmProtected : YES\n\
         \x20           KeySignTest: : PASSED\n     AadRecoveryEnabled : NO\n\
         \x20      DeviceAuthStatus : FAILED. Device is either disabled or deleted\n\
         | Tenant Details |\n             TenantName : \n               TenantId : {TENANT}\n\
         \x20           AuthCodeUrl : https://login.microsoftonline.com/{TENANT}/oauth2/authorize\n\
         | SSO State |\n             AzureAdPrt : NO\n"
    )
}

fn status_of(report: &Report, id: &str) -> CheckStatus {
    report.check(id).unwrap().status
}

#[test]
fn the_output_is_read_with_its_sections_and_colons() {
    let status = DeviceStatus::read(output(&DEVICE.to_uppercase(), "AB").as_bytes());
    assert_eq!(status.join(), Some(Join::Hybrid));
    assert_eq!(status.device_id().as_deref(), Some(DEVICE));
    assert_eq!(status.tenant_id().as_deref(), Some(TENANT));
    assert_eq!(status.get("Virtual Desktop"), Some("NOT SET"));
    assert_eq!(status.get("TenantName"), Some(""));
    assert!(status.get("AuthCodeUrl").unwrap().starts_with("https://login.microsoftonline.com/"));
    // 2019-01-11T21:02:50Z; ten years and half an hour.
    assert_eq!(status.validity(), Some((1_547_240_570_000_000, 1_862_861_570_000_000)));
    assert_eq!(status.thumbprint(), None, "two digits are no thumbprint");
    let field = status.fields.iter().find(|field| field.name == "TenantId").unwrap();
    assert_eq!(&*field.section, "Tenant Details");

    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(output(DEVICE, "AB").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert!(DeviceStatus::looks_like(&utf16));
    assert_eq!(DeviceStatus::read(&utf16).device_id().as_deref(), Some(DEVICE));
    assert!(!DeviceStatus::looks_like(b"just a log : with colons"));
}

#[test]
fn a_certificate_of_an_earlier_join_does_not_speak_for_the_device() {
    let (old, new) =
        (issued_by("MS-Organization-Access").sign(&Key::new()), issued_by("MS-Organization-Access").sign(&Key::new()));
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &new);
    let thumbprint = sha1.as_ref().iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    let certificates = vec![Source::new("old.cer", old), Source::new("new.cer", new)];
    let report =
        validate_dsregcmd(output(DEVICE, &thumbprint).as_bytes(), &Beside { certificates, ..Beside::default() });
    assert_eq!(status_of(&report, "thumbprint-matches-certificate"), CheckStatus::Passed);
}

#[test]
fn a_long_heading_over_many_fields_costs_no_more_than_the_text() {
    let text = format!("| {} |\n{}", "H".repeat(60_000), "a : b\n".repeat(20_000));
    let status = DeviceStatus::read(text.as_bytes());
    assert_eq!(status.fields.len(), 20_000);
    let report = validate_dsregcmd(text.as_bytes(), &Beside::default());
    let shown = serde_json::to_string(&report).unwrap();
    assert!(shown.len() < 20_000 * 150, "{} bytes", shown.len());
}

/// A device token of this tenant that ends at `exp`, Unix seconds; nobody signed it.
fn token(device: &str, tenant: &str, exp: i64) -> String {
    let claims = format!(
        r#"{{"aud":"https://ConfigMgrService","iss":"https://sts.windows.net/{tenant}/","iat":{iat},"nbf":{iat},"exp":{exp},
            "deviceid":"{device}","idtyp":"device","oid":"{device}","sub":"{device}","tid":"{tenant}","ver":"1.0"}}"#,
        iat = exp - 3_900,
    );
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    [part(r#"{"alg":"RS256","typ":"JWT","kid":"x"}"#), part(&claims), part("no signature")].join(".")
}

#[test]
fn ids_of_a_token_that_is_over_or_unsigned_are_told_to_prove_little() {
    let status = output(DEVICE, &"00".repeat(20));
    let said = |token: String| {
        let beside =
            Beside { token: Some(token), token_required: true, at: Some(NOW * 1_000_000), ..Beside::default() };
        let report = validate_dsregcmd(status.as_bytes(), &beside);
        assert_eq!(status_of(&report, "device-id-matches-token"), CheckStatus::Passed);
        report.checks.into_iter().find(|check| check.id == "token-in-force").unwrap()
    };
    let good = token(DEVICE, TENANT, NOW + 3_600);
    assert_eq!(said(good.clone()).status, CheckStatus::Passed);
    let over = said(token(DEVICE, TENANT, NOW - 3_600));
    assert_eq!(over.status, CheckStatus::Failed);
    assert!(over.explanation.contains("ended 1 h before"), "{}", over.explanation);
    let (_, rest) = good.split_once('.').unwrap();
    let unsigned = said(format!("{}.{rest}", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)));
    assert_eq!(unsigned.status, CheckStatus::Failed);
    assert!(unsigned.explanation.contains("not signed"), "{}", unsigned.explanation);
}

#[test]
fn the_output_is_held_against_certificate_and_token() {
    let certificate = issued_by("MS-Organization-Access").sign(&Key::new());
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let thumbprint = sha1.as_ref().iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ");
    let beside = Beside {
        certificates: vec![Source::new("wpj.cer", certificate)],
        token: Some(token(&DEVICE.to_uppercase(), DEVICE, NOW + 3_600)),
        token_required: true,
        at: Some(NOW * 1_000_000),
    };
    let report = validate_dsregcmd(output(DEVICE, &thumbprint).as_bytes(), &beside);
    for id in [
        "device-joined",
        "device-id-matches-certificate",
        "tenant-id-matches-certificate",
        "thumbprint-matches-certificate",
        "device-id-matches-token",
        "device-certificate-validity",
    ] {
        assert_eq!(status_of(&report, id), CheckStatus::Passed, "{id}");
    }
    assert_eq!(status_of(&report, "device-authentication"), CheckStatus::Failed);
    assert_eq!(status_of(&report, "tenant-id-matches-token"), CheckStatus::Failed);
    assert_eq!(report.valid, Some(false));

    let other = validate_dsregcmd(output(TENANT, &"00".repeat(20)).as_bytes(), &beside);
    for id in ["device-id-matches-certificate", "thumbprint-matches-certificate", "device-id-matches-token"] {
        assert_eq!(status_of(&other, id), CheckStatus::Failed, "{id}");
    }
    let failing = output(DEVICE, &thumbprint).replace("FAILED. Device is either disabled or deleted", "FAILED. ERROR");
    let unreached = validate_dsregcmd(failing.as_bytes(), &beside);
    assert_eq!(status_of(&unreached, "device-authentication"), CheckStatus::NotChecked, "the test could not be run");

    let alone = validate_dsregcmd(b"nothing of the kind", &Beside::default());
    assert_eq!(alone.valid, None);
    assert!(alone.checks.iter().all(|check| check.status == CheckStatus::NotChecked));
}

/// Statuses that a check cannot have, and why.
const IMPOSSIBLE: [(&str, CheckStatus, &str); 1] =
    [("one-device", CheckStatus::Failed, "two outputs in one text leave it open of which one is asked")];

#[test]
fn every_check_is_once_passed_once_failed_and_once_not_checked() {
    use CheckStatus::{Failed, NotChecked, Passed};
    let certificate = issued_by("MS-Organization-Access").sign(&Key::new());
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let thumbprint = sha1.as_ref().iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().concat();
    let good = output(DEVICE, &thumbprint)
        .replace("FAILED. Device is either disabled or deleted", "SUCCESS")
        .replace("AzureAdPrt : NO", "AzureAdPrt : YES");
    let beside = Beside {
        certificates: vec![Source::new("wpj.cer", certificate)],
        token: Some(token(DEVICE, TENANT, NOW + 3_600)),
        token_required: true,
        at: Some(NOW * 1_000_000),
    };
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut note = |text: &str, beside: &Beside, changed: &[&str], to: CheckStatus| {
        let report = validate_dsregcmd(text.as_bytes(), beside);
        let ids: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(BTreeSet::from(CHECKS), ids.iter().copied().collect(), "every check is in every report");
        assert_eq!(ids.len(), CHECKS.len());
        for check in &report.checks {
            let expected = if changed.contains(&check.id.as_str()) { to } else { CheckStatus::Passed };
            assert_eq!(check.status, expected, "{}: {}", check.id, check.explanation);
            seen.entry(check.id.clone()).or_default().insert(check.status.as_str());
        }
    };
    note(&good, &beside, &[], Passed);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    note(&with("AzureAdJoined : YES", "AzureAdJoined : NO"), &beside, &["device-joined"], Failed);
    note(
        &with("DeviceAuthStatus : SUCCESS", "DeviceAuthStatus : FAILED. x"),
        &beside,
        &["device-authentication"],
        Failed,
    );
    note(&with("-- 2029", "-- 2025"), &beside, &["device-certificate-validity"], Failed);
    note(&with("TpmProtected : YES", "TpmProtected : NO"), &beside, &["device-key-in-tpm"], Failed);
    let key = ["device-key-usable"];
    note(&with("KeySignTest: : PASSED", "KeySignTest : FAILED. Error: 0x80090016"), &beside, &key, Failed);
    note(&with("AadRecoveryEnabled : NO", "AadRecoveryEnabled : YES"), &beside, &key, Failed);
    note(&with("KeySignTest: : PASSED", "KeySignTest : MUST Run elevated to test."), &beside, &key, NotChecked);
    note(&with("AzureAdPrt : YES", "AzureAdPrt : NO"), &beside, &["primary-refresh-token"], Failed);
    let ids = ["device-id-matches-certificate", "device-id-matches-token"];
    note(&with(&format!("DeviceId : {DEVICE}"), &format!("DeviceId : {TENANT}")), &beside, &ids, Failed);
    let ids = ["tenant-id-matches-certificate", "tenant-id-matches-token"];
    note(&with(&format!("TenantId : {TENANT}"), &format!("TenantId : {DEVICE}")), &beside, &ids, Failed);
    let other = "00".repeat(20);
    note(
        &with(&format!("Thumbprint : {thumbprint}"), &format!("Thumbprint : {other}")),
        &beside,
        &["thumbprint-matches-certificate"],
        Failed,
    );
    let two = issued_by("MS-Organization-Access").with("1.2.840.113556.1.5.284.2", false, TENANT_OCTETS.to_vec());
    let two = two.sign(&Key::new());
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &two);
    let own = sha1.as_ref().iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().concat();
    let of_two = Beside { certificates: vec![Source::new("wpj.cer", two)], ..beside.clone() };
    note(
        &with(&format!("Thumbprint : {thumbprint}"), &format!("Thumbprint : {own}")),
        &of_two,
        &["certificate-names-one-device"],
        Failed,
    );
    let old = Beside { token: Some(token(DEVICE, TENANT, NOW - 3_600)), ..beside.clone() };
    note(&good, &old, &["token-in-force"], Failed);
    note(&format!("{good}\n                  DeviceId : {TENANT}\n"), &beside, &["one-device"], NotChecked);
    note("nothing of the kind", &Beside::default(), &CHECKS, NotChecked);

    for id in CHECKS {
        for status in [Passed, Failed, NotChecked] {
            let possible = !IMPOSSIBLE.iter().any(|(known, cannot, _)| *known == id && *cannot == status);
            let found = seen.get(id).is_some_and(|statuses| statuses.contains(status.as_str()));
            assert_eq!(found, possible, "{id} is {}", status.as_str());
        }
    }
}

#[test]
fn the_dates_of_the_certificate_count_before_those_of_the_output() {
    let mut template = issued_by("MS-Organization-Access");
    template.to = NOW - 86_400;
    let source = Source::new("device.cer", template.sign(&Key::new()));
    let bundle = Bundle::read(std::slice::from_ref(&source));
    let thumbprint = bundle.certificates.first().unwrap().sha1();
    let beside = Beside { certificates: vec![source], at: Some(NOW * 1_000_000), ..Beside::default() };
    let report = validate_dsregcmd(output(DEVICE, &thumbprint).as_bytes(), &beside);
    assert_eq!(status_of(&report, "device-certificate-validity"), CheckStatus::Failed);
    assert!(report.check("device-certificate-validity").unwrap().explanation.contains("Its own dates are not those"));
    let of_another = validate_dsregcmd(output(DEVICE, &"0".repeat(40)).as_bytes(), &beside);
    assert_eq!(status_of(&of_another, "device-certificate-validity"), CheckStatus::Passed, "the output's own dates");
}
