//! Which of several revocation lists counts, and names that are held against constraints and hosts.

use cmgtrail::certs::{ChainRequest, CrlSource, Profile, validate_chain};
use cmgtrail::report::{CheckStatus, Report};

use super::fixture::{
    DAY, HOST, ISSUING_CRL, ListTemplate, NOW, Pki, ROOT_CRL, alternative_names, der, list, name, sequence,
};

/// Serial number of the good leaf.
const LEAF: u8 = 0x33;

/// The issuing authority's list, `age` seconds old.
fn aged(pki: &Pki, age: i64) -> ListTemplate {
    let mut template = pki.issuing_list();
    (template.from, template.to) = (super::fixture::NOW - age, super::fixture::NOW - age + 7 * DAY);
    template
}

fn revoking(mut template: ListTemplate) -> ListTemplate {
    template.revoked = vec![vec![LEAF]];
    template
}

/// A delta of this number to the list with number 7.
fn delta(mut template: ListTemplate, number: u8) -> ListTemplate {
    template.extensions.retain(|(id, _, _)| id != "2.5.29.20");
    template.with("2.5.29.20", false, der(2, &[&[number]])).with("2.5.29.27", true, der(2, &[&[7]]))
}

fn judged(pki: &Pki, lists: &[ListTemplate]) -> Report {
    let mut request = pki.request();
    let given = lists.iter().map(|template| list(ISSUING_CRL, template.sign(&pki.issuing_key)));
    let root: CrlSource = list(ROOT_CRL, pki.root_list().sign(&pki.root_key));
    request.crls = std::iter::once(root).chain(given).collect();
    validate_chain(&request)
}

fn is_revoked(report: &Report) -> bool {
    report.valid == Some(false) && has(report, "revoked", CheckStatus::Failed)
}

fn has(report: &Report, id: &str, status: CheckStatus) -> bool {
    report.checks.iter().any(|check| check.id == id && check.status == status)
}

/// A bundle is collected hours after the failure: its list is of later days, and speaks for nothing but what it names.
#[test]
fn a_list_issued_after_the_instant_leaves_it_open() {
    let pki = Pki::new();
    let mut later = pki.issuing_list();
    later.from = NOW + 5 * 3_600;
    let mut request = pki.request();
    request.crls[1] = list(ISSUING_CRL, later.sign(&pki.issuing_key));
    for profile in [Profile::Windows, Profile::Rfc5280, Profile::WebPki] {
        request.profile = profile;
        let report = validate_chain(&request);
        assert_eq!(report.valid, None, "{:#?}", report.fatal().collect::<Vec<_>>());
        let later = report.checks.iter().filter(|check| check.id == "crl-issued-later");
        assert!(later.clone().any(|check| check.status == CheckStatus::NotChecked), "{later:?}");
        assert!(report.checks.iter().all(|check| check.id != "crl-stale" || check.status == CheckStatus::Passed));
    }
}

#[test]
fn of_several_deltas_the_newest_counts_in_any_order() {
    let pki = Pki::new();
    let base = aged(&pki, 2 * DAY);
    let monday = delta(aged(&pki, DAY), 8);
    let today = delta(revoking(aged(&pki, 3_600)), 9);
    assert_eq!(judged(&pki, &[base.clone(), monday.clone()]).valid, Some(true));
    assert!(is_revoked(&judged(&pki, &[base.clone(), monday.clone(), today.clone()])));
    assert!(is_revoked(&judged(&pki, &[today, monday, base])));
}

#[test]
fn a_list_that_a_newer_one_replaced_revokes_no_more() {
    let pki = Pki::new();
    let held = revoking(aged(&pki, 9 * DAY));
    let released = aged(&pki, DAY);
    assert!(is_revoked(&judged(&pki, std::slice::from_ref(&held))), "alone, a stale list still says what was revoked");
    assert_eq!(judged(&pki, &[held.clone(), released.clone()]).valid, Some(true));
    assert_eq!(judged(&pki, &[released.clone(), held]).valid, Some(true));
    assert!(is_revoked(&judged(&pki, &[released, revoking(aged(&pki, 3_600))])));
}

#[test]
fn a_list_of_later_days_revokes_only_what_was_revoked_before() {
    let pki = Pki::new();
    let good = aged(&pki, DAY);
    let mut later = revoking(aged(&pki, -2 * DAY));
    later.revoked_at = super::fixture::NOW + DAY;
    assert_eq!(judged(&pki, &[good.clone(), later.clone()]).valid, Some(true));
    later.revoked_at = super::fixture::NOW - DAY;
    assert!(is_revoked(&judged(&pki, &[good, later])));
}

#[test]
fn more_lists_than_are_looked_at_hide_no_revocation() {
    let pki = Pki::new();
    let good: Vec<ListTemplate> = (1..=40).map(|hours| aged(&pki, hours * 3_600)).collect();
    let newest = revoking(aged(&pki, 60));
    assert!(is_revoked(&judged(&pki, &[&good[..], std::slice::from_ref(&newest)].concat())));
    assert_eq!(judged(&pki, &good).valid, Some(true), "the newest replaces what was not looked at");
    let mut request = pki.request();
    let one = list(ISSUING_CRL, good[0].sign(&pki.issuing_key));
    request.crls = std::iter::once(list(ROOT_CRL, pki.root_list().sign(&pki.root_key)))
        .chain(std::iter::repeat_n(one, 40))
        .chain([list(ISSUING_CRL, newest.sign(&pki.issuing_key))])
        .collect();
    assert!(is_revoked(&validate_chain(&request)), "copies of one list count once");
}

/// A leaf without domain names below an authority that may certify names under `domain` only.
fn by_common_name_under(pki: &Pki, domain: &str) -> ChainRequest {
    let subtree = sequence(&[&der(0x82, &[domain.as_bytes()])]);
    let constraint = sequence(&[&der(0xa0, &[&subtree])]);
    let issuing = pki.issuing().with("2.5.29.30", true, constraint);
    pki.request_of(&pki.leaf().without("2.5.29.17"), &issuing, &pki.root())
}

#[test]
fn a_common_name_that_stands_for_a_host_is_constrained_like_one() {
    let pki = Pki::new();
    let outside = validate_chain(&by_common_name_under(&pki, "fabrikam.com"));
    assert!(has(&outside, "name-constraint-violated", CheckStatus::Failed), "{outside:#?}");
    assert_eq!(outside.valid, Some(false));
    let inside = validate_chain(&by_common_name_under(&pki, "contoso.com"));
    assert!(!has(&inside, "name-constraint-violated", CheckStatus::Failed), "{inside:#?}");
}

#[test]
fn a_domain_name_that_cannot_be_read_keeps_the_common_name_from_counting() {
    let pki = Pki::new();
    let mut leaf = pki.leaf().with("2.5.29.17", false, alternative_names(&["c\u{f6}ntoso.com"]));
    leaf.subject = name(HOST);
    let report = validate_chain(&pki.request_of(&leaf, &pki.issuing(), &pki.root()));
    assert!(has(&report, "name-mismatch", CheckStatus::Failed), "{report:#?}");
    assert_eq!(report.valid, Some(false));
}

#[test]
fn a_common_name_is_constrained_wherever_it_counts_as_a_host() {
    let pki = Pki::new();
    for profile in [Profile::Windows, Profile::Rfc5280] {
        let mut request = by_common_name_under(&pki, "fabrikam.com");
        request.profile = profile;
        assert_eq!(validate_chain(&request).valid, Some(false), "{profile:?}");
    }
}
