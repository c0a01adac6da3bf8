//! What is particular to Windows: its fetching of public roots, the client's two phases.

use cmgtrail::certs::{Profile, RULES, Source, compare_phases, validate_chain};
use cmgtrail::report::CheckStatus;

use super::fixture::{NOW, Pki, distribution_points};
use super::limbo::{case, request};

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
