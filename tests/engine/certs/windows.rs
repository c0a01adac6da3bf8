//! What is particular to Windows: its codes, its fetching of public roots, the client's two phases.

use cmgtrail::certs::codes::{Code, HRESULTS, TRUST_ERRORS, WINHTTP_ERRORS, WINHTTP_FLAGS};
use cmgtrail::certs::{Profile, RULES, Source, compare_phases, validate_chain};
use cmgtrail::report::CheckStatus;
use windows_sys::Win32::{Foundation, Networking::WinHttp, Security::Cryptography};

use super::fixture::{NOW, Pki, distribution_points};
use super::limbo::{case, request};

macro_rules! same {
    ($table:expr, $module:ident: $($name:ident)*) => {
        let mut names = Vec::new();
        $(
            let number = $table.iter().find(|(name, _)| *name == stringify!($name)).expect(stringify!($name)).1;
            assert_eq!(number, $module::$name as u32, stringify!($name));
            names.push(stringify!($name));
        )*
        complete($table, &names);
    };
}

fn complete(table: &[Code], asserted: &[&str]) {
    for (name, _) in table {
        assert!(asserted.contains(name), "{name} is held against nothing");
    }
}

#[test]
#[allow(clippy::cast_sign_loss)] // HRESULTs are signed there and unsigned in logs
fn the_codes_are_those_of_the_windows_sdk() {
    same!(HRESULTS, Foundation:
        CERT_E_EXPIRED CERT_E_VALIDITYPERIODNESTING CERT_E_ROLE CERT_E_PATHLENCONST CERT_E_CRITICAL CERT_E_PURPOSE
        CERT_E_ISSUERCHAINING CERT_E_MALFORMED CERT_E_UNTRUSTEDROOT CERT_E_CHAINING TRUST_E_FAIL CERT_E_REVOKED
        CERT_E_UNTRUSTEDTESTROOT CERT_E_REVOCATION_FAILURE CERT_E_CN_NO_MATCH CERT_E_WRONG_USAGE
        TRUST_E_EXPLICIT_DISTRUST CERT_E_UNTRUSTEDCA CERT_E_INVALID_POLICY CERT_E_INVALID_NAME CRYPT_E_NOT_FOUND
        CRYPT_E_SELF_SIGNED CRYPT_E_REVOKED CRYPT_E_NO_REVOCATION_DLL CRYPT_E_NO_REVOCATION_CHECK
        CRYPT_E_REVOCATION_OFFLINE CRYPT_E_NOT_IN_REVOCATION_DATABASE TRUST_E_CERT_SIGNATURE
        TRUST_E_BASIC_CONSTRAINTS SEC_E_INTERNAL_ERROR SEC_E_INVALID_TOKEN SEC_E_UNKNOWN_CREDENTIALS
        SEC_E_NO_CREDENTIALS SEC_E_WRONG_PRINCIPAL SEC_E_UNTRUSTED_ROOT SEC_E_ILLEGAL_MESSAGE SEC_E_CERT_UNKNOWN
        SEC_E_CERT_EXPIRED SEC_E_ALGORITHM_MISMATCH SEC_E_CERT_WRONG_USAGE SEC_E_ISSUING_CA_UNTRUSTED
        SEC_E_REVOCATION_OFFLINE_C SEC_E_MUTUAL_AUTH_FAILED SEC_I_INCOMPLETE_CREDENTIALS NTE_BAD_SIGNATURE NTE_NO_KEY
        NTE_PERM NTE_NOT_FOUND NTE_BAD_KEYSET NTE_KEYSET_NOT_DEF NTE_DEVICE_NOT_READY);
    same!(WINHTTP_FLAGS, WinHttp:
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR);
    same!(WINHTTP_ERRORS, WinHttp:
        ERROR_WINHTTP_TIMEOUT ERROR_WINHTTP_NAME_NOT_RESOLVED ERROR_WINHTTP_LOGIN_FAILURE
        ERROR_WINHTTP_CANNOT_CONNECT ERROR_WINHTTP_CONNECTION_ERROR ERROR_WINHTTP_SECURE_CERT_DATE_INVALID
        ERROR_WINHTTP_SECURE_CERT_CN_INVALID ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED ERROR_WINHTTP_SECURE_INVALID_CA
        ERROR_WINHTTP_SECURE_CERT_REV_FAILED ERROR_WINHTTP_SECURE_CHANNEL_ERROR ERROR_WINHTTP_SECURE_INVALID_CERT
        ERROR_WINHTTP_SECURE_CERT_REVOKED ERROR_WINHTTP_SECURE_FAILURE ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE
        ERROR_WINHTTP_AUTODETECTION_FAILED ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY
        ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY
        ERROR_WINHTTP_SECURE_FAILURE_PROXY);
    same!(TRUST_ERRORS, Cryptography:
        CERT_TRUST_IS_NOT_TIME_VALID CERT_TRUST_IS_NOT_TIME_NESTED CERT_TRUST_IS_REVOKED
        CERT_TRUST_IS_NOT_SIGNATURE_VALID CERT_TRUST_IS_NOT_VALID_FOR_USAGE CERT_TRUST_IS_UNTRUSTED_ROOT
        CERT_TRUST_REVOCATION_STATUS_UNKNOWN CERT_TRUST_IS_CYCLIC CERT_TRUST_INVALID_EXTENSION
        CERT_TRUST_INVALID_POLICY_CONSTRAINTS CERT_TRUST_INVALID_BASIC_CONSTRAINTS
        CERT_TRUST_INVALID_NAME_CONSTRAINTS CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT
        CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT
        CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT CERT_TRUST_IS_PARTIAL_CHAIN CERT_TRUST_CTL_IS_NOT_TIME_VALID
        CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE CERT_TRUST_HAS_WEAK_SIGNATURE
        CERT_TRUST_IS_OFFLINE_REVOCATION CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY CERT_TRUST_IS_EXPLICIT_DISTRUST
        CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT);
}

#[test]
fn a_row_that_differs_from_rfc_5280_names_its_document() {
    for rule in RULES {
        let differs = rule.decides_in(Profile::Windows) != rule.decides_in(Profile::Rfc5280);
        assert!(!differs || !rule.windows_differs.is_empty(), "{}", rule.id);
    }
}

#[test]
fn a_public_root_may_be_absent_unless_root_update_is_off() {
    let Some(case) = case("online::docs.python.org") else { return };
    let pki = Pki::new();
    let mut request = request(&case, Profile::Windows);
    request.roots = vec![Source::new("enterprise root", pki.root().sign(&pki.root_key))];
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(true), "{:#?}", report.fatal().collect::<Vec<_>>());
    let check = report.check("root-not-in-client-store").unwrap();
    assert_eq!(check.status, CheckStatus::Passed);
    assert!(check.explanation.contains("Windows fetches"), "{}", check.explanation);
    assert_eq!(report.facts["profile_differences"][0]["check"], "root-not-in-client-store");

    request.root_update = false;
    let report = validate_chain(&request);
    let fatal: Vec<&str> = report.fatal().map(|check| check.id.as_str()).collect();
    assert_eq!((report.valid, fatal), (Some(false), vec!["root-not-in-client-store"]));

    request.root_update = true;
    request.profile = Profile::WebPki;
    assert_eq!(validate_chain(&request).valid, Some(false));
}

#[test]
fn windows_takes_what_the_public_web_refuses_and_says_so() {
    let pki = Pki::new();
    let leaf = pki.leaf().without("2.5.29.17");
    let mut request = pki.request_of(&leaf, &pki.issuing(), &pki.root());
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(true));
    let check = report.check("cn-only-no-san").unwrap();
    assert_eq!((check.status, check.decides), (CheckStatus::Failed, false));
    request.profile = Profile::WebPki;
    assert_eq!(validate_chain(&request).valid, Some(false));
}

#[test]
fn no_crl_check_helps_the_bootstrap_alone() {
    let pki = Pki::new();
    let unreachable = distribution_points(&["ldap:///CN=Contoso"]);
    let leaf = pki.leaf().with("2.5.29.31", false, unreachable.clone());
    let issuing = pki.issuing().with("2.5.29.31", false, unreachable);
    let mut request = pki.request_of(&leaf, &issuing, &pki.root());
    request.crls.clear();
    let phases = compare_phases(&request, true, true);
    assert_eq!(phases.bootstrap.report.valid, Some(true));
    assert_eq!(phases.after_settings.report.valid, None);
    assert!(phases.explanation.contains("After the site's settings"), "{}", phases.explanation);

    // The log shows that the list could not be fetched: now it is the cause, not a guess.
    request.crls = vec![cmgtrail::certs::CrlSource::unreachable("ldap:///CN=Contoso")];
    let phases = compare_phases(&request, true, true);
    assert_eq!(phases.bootstrap.report.valid, Some(true));
    assert_eq!(phases.after_settings.report.valid, Some(false));
    let flags = phases.after_settings.report.check("crl-unreachable").unwrap().windows.clone().unwrap().winhttp_flags;
    assert_eq!(flags, 0x1);

    // With the site's option off both phases go through.
    let phases = compare_phases(&request, true, false);
    assert_eq!((phases.bootstrap.report.valid, phases.after_settings.report.valid), (Some(true), Some(true)));
}

#[test]
fn the_instant_is_the_callers_and_never_now() {
    let pki = Pki::new();
    let mut request = pki.request();
    request.at = (NOW + 500 * 86_400) * 1_000_000;
    let report = validate_chain(&request);
    let expired = report.checks.iter().filter(|check| check.id == "expired" && check.status == CheckStatus::Failed);
    assert_eq!(expired.count(), 3, "leaf, intermediate and root");
    assert_eq!(report.facts["at"], "2028-03-18T09:12:33.000Z");
}
