//! Every check once passed, once failed, once not checked; and what the verdict makes of it.

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::certs::{ChainRequest, CrlSource, Profile, RULES, Revocation, Source, validate_chain};
use cmgtrail::report::{CheckStatus, Report, verdict};

use super::fixture::{
    DAY, HOST, ISSUING, ISSUING_CRL, Key, NOW, Pki, ROOT, ROOT_CRL, Template, alternative_names, authority_key, der,
    distribution_points, key_usage, list, name, oid, rsa, sequence, service,
};

/// A case: the check that must fail, and a request in which it does.
type Case = (&'static str, ChainRequest);

fn with_leaf(pki: &Pki, change: impl FnOnce(Template) -> Template) -> ChainRequest {
    pki.request_of(&change(pki.leaf()), &pki.issuing(), &pki.root())
}

fn with_issuing(pki: &Pki, change: impl FnOnce(Template) -> Template) -> ChainRequest {
    pki.request_of(&pki.leaf(), &change(pki.issuing()), &pki.root())
}

fn with_list(pki: &Pki, bytes: Vec<u8>) -> ChainRequest {
    let mut request = pki.request();
    request.crls = vec![list(ROOT_CRL, pki.root_list().sign(&pki.root_key)), list(ISSUING_CRL, bytes)];
    request
}

fn changed(mut request: ChainRequest, change: impl FnOnce(&mut ChainRequest)) -> ChainRequest {
    change(&mut request);
    request
}

/// Requests about trust, dates, names and usage.
fn path_cases(pki: &Pki) -> Vec<Case> {
    let other = Pki::new();
    let other_root = Source::new("root", other.root().sign(&other.root_key));
    let root = Source::new("root", pki.root().sign(&pki.root_key));
    let constrained = |subtree: Vec<u8>| {
        with_issuing(pki, |t| t.with("2.5.29.30", true, sequence(&[&der(0xa0, &[&sequence(&[&subtree])])])))
    };
    let dns = |text: &str| der(0x82, &[text.as_bytes()]);
    vec![
        ("unreadable", changed(pki.request(), |r| r.presented[0].bytes.truncate(60))),
        (
            "root-not-in-client-store",
            changed(pki.request(), |r| {
                r.roots = vec![other_root.clone()];
                r.intermediates = vec![root.clone()];
            }),
        ),
        ("intermediate-missing", changed(pki.request(), |r| r.presented.truncate(1))),
        ("chain-too-deep", changed(pki.request(), |r| r.max_depth = Some(0))),
        ("explicitly-distrusted", changed(pki.request(), |r| r.disallowed = vec![r.presented[1].clone()])),
        (
            "expired",
            with_leaf(pki, |mut t| {
                t.to = NOW - 1;
                t
            }),
        ),
        (
            "not-yet-valid",
            with_leaf(pki, |mut t| {
                t.from = NOW + 1;
                t
            }),
        ),
        ("name-mismatch", changed(pki.request(), |r| r.host = Some("other.contoso.com".to_owned()))),
        ("cn-only-no-san", with_leaf(pki, |t| t.without("2.5.29.17"))),
        ("wrong-eku", with_leaf(pki, |t| t.with("2.5.29.37", false, sequence(&[&oid("1.3.6.1.5.5.7.3.2")])))),
        ("wrong-key-usage", with_leaf(pki, |t| t.with("2.5.29.15", true, key_usage(0x02)))),
        ("not-a-ca", with_issuing(pki, |t| t.with("2.5.29.19", true, sequence(&[])))),
        ("ca-without-keycertsign", with_issuing(pki, |t| t.with("2.5.29.15", true, key_usage(0x02)))),
        (
            "path-length-exceeded",
            pki.request_of(
                &pki.leaf(),
                &pki.issuing(),
                &pki.root().with("2.5.29.19", true, sequence(&[&[1, 1, 0xff], &der(2, &[&[0]])])),
            ),
        ),
        ("name-constraint-violated", constrained(dns("fabrikam.com"))),
        ("name-constraint-unusable", constrained(dns("*.contoso.com"))),
        ("server-sent-root", changed(pki.request(), |r| r.presented.push(r.roots[0].clone()))),
        (
            "out-of-order",
            changed(pki.request(), |r| {
                r.presented.push(r.roots[0].clone());
                r.presented.swap(1, 2);
            }),
        ),
        ("unrelated-certificate", changed(pki.request(), |r| r.presented.push(other_root))),
        ("certificate-role", with_leaf(pki, |t| t.with("2.5.29.37", false, sequence(&[&oid("1.3.6.1.5.5.7.3.2")])))),
    ]
}

/// Requests about signatures, extensions and the profiles of issuance.
fn form_cases(pki: &Pki) -> Vec<Case> {
    let unknown = || oid("1.2.3.4.5");
    vec![
        (
            "bad-signature",
            changed(pki.request(), |r| {
                let last = r.presented[0].bytes.len() - 1;
                r.presented[0].bytes[last] ^= 1;
            }),
        ),
        (
            "weak-signature",
            with_leaf(pki, |mut t| {
                t.algorithm = "1.2.840.10045.4.1";
                t
            }),
        ),
        (
            "weak-key",
            with_leaf(pki, |mut t| {
                t.key = rsa(128);
                t
            }),
        ),
        ("unknown-critical-extension", with_leaf(pki, |t| t.with("1.2.3.4.5", true, unknown()))),
        ("malformed-extension", with_leaf(pki, |t| t.with("2.5.29.37", false, vec![0x30, 0x05]))),
        (
            "duplicate-extension",
            with_leaf(pki, |mut t| {
                t.extensions.push(t.extensions[0].clone());
                t
            }),
        ),
        (
            "serial-number",
            with_leaf(pki, |mut t| {
                t.serial = vec![0];
                t
            }),
        ),
        (
            "empty-name",
            with_issuing(pki, |mut t| {
                t.issuer = name("");
                t
            }),
        ),
        (
            "certificate-version",
            with_leaf(pki, |mut t| {
                t.version = 2;
                t
            }),
        ),
        ("key-identifier-missing", with_leaf(pki, |t| t.without("2.5.29.35"))),
        ("extension-criticality", with_leaf(pki, |t| t.with("2.5.29.35", true, authority_key(&pki.issuing_key)))),
        (
            "name-constraints-not-critical",
            with_issuing(pki, |t| {
                t.with("2.5.29.30", false, sequence(&[&der(0xa0, &[&sequence(&[&der(0x82, &[b"contoso.com"])])])]))
            }),
        ),
        ("extension-misplaced", with_leaf(pki, |t| t.with("2.5.29.15", true, key_usage(0x84)))),
        ("name-form", with_leaf(pki, |t| t.with("2.5.29.17", false, alternative_names(&[HOST, "a_b.contoso.com"])))),
        ("ca-as-leaf", with_leaf(pki, |t| t.with("2.5.29.19", true, sequence(&[&[1, 1, 0xff]])))),
        (
            "baseline-requirements",
            with_leaf(pki, |t| t.with("2.5.29.17", false, alternative_names(&["other.contoso.com"]))),
        ),
    ]
}

/// Requests about revocation.
fn list_cases(pki: &Pki) -> Vec<Case> {
    let stranger = Key::new();
    let good = pki.issuing_list();
    let point = |flag: u8| sequence(&[&der(flag, &[&[0xff]])]);
    let mut revoked = good.clone();
    revoked.revoked = vec![vec![0x44], vec![0x33]];
    let mut stale = good.clone();
    stale.to = NOW - DAY;
    let mut early = good.clone();
    early.from = NOW + 3_600;
    let mut unnumbered = good.clone();
    unnumbered.extensions.pop();
    vec![
        ("revoked", with_list(pki, revoked.sign(&pki.issuing_key))),
        ("revocation-unknown", with_list(pki, stale.sign(&pki.issuing_key))),
        ("crl-stale", with_list(pki, stale.sign(&pki.issuing_key))),
        ("crl-bad-signature", with_list(pki, good.sign(&stranger))),
        ("crl-signer-not-allowed", with_issuing(pki, |t| t.with("2.5.29.15", true, key_usage(0x04)))),
        ("crl-wrong-scope", with_list(pki, good.clone().with("2.5.29.28", true, point(0x82)).sign(&pki.issuing_key))),
        (
            "crl-delta-only",
            with_list(pki, good.clone().with("2.5.29.27", true, der(2, &[&[7]])).sign(&pki.issuing_key)),
        ),
        (
            "crl-unknown-critical-extension",
            with_list(pki, good.with("1.2.3.4.5", true, oid("1.2.3")).sign(&pki.issuing_key)),
        ),
        ("client-clock-suspect", with_list(pki, early.sign(&pki.issuing_key))),
        ("crl-number", changed(with_list(pki, unnumbered.sign(&pki.issuing_key)), |r| r.profile = Profile::WebPki)),
        ("crl-unreadable", with_list(pki, vec![0x30, 0x03, 0x02])),
        ("crl-unreachable", changed(pki.request(), |r| r.crls[1] = CrlSource::unreachable(ISSUING_CRL))),
        ("no-crl-distribution-point", with_leaf(pki, |t| t.without("2.5.29.31"))),
        (
            "crl-distribution-point-unreachable-from-internet",
            with_leaf(pki, |t| {
                t.with(
                    "2.5.29.31",
                    false,
                    distribution_points(&["ldap:///CN=Contoso%20Issuing%20CA", "http://pki/ca.crl"]),
                )
            }),
        ),
    ]
}

fn has(report: &Report, id: &str, status: CheckStatus) -> bool {
    report.checks.iter().any(|check| check.id == id && check.status == status)
}

/// Checks whose failure is a remark in profile `webpki`, where nothing else is wrong.
const REMARKS: &[&str] = &[
    "server-sent-root",
    "out-of-order",
    "unrelated-certificate",
    "no-crl-distribution-point",
    "crl-distribution-point-unreachable-from-internet",
    "name-constraints-not-critical",
];

/// Statuses that a check cannot have, and why.
const IMPOSSIBLE: &[(&str, CheckStatus, &str)] = &[
    ("policy-not-evaluated", CheckStatus::Failed, "policies are not evaluated, so they cannot fail"),
    ("path-search-exhausted", CheckStatus::Failed, "a search that met a bound is unfinished, not wrong"),
    ("crl-issued-later", CheckStatus::Failed, "lists are mostly fetched after the failure, which leaves it open"),
    ("second-verifier", CheckStatus::Failed, "the verifiers disagree in no case known"),
];

#[test]
fn every_check_is_once_passed_once_failed_and_once_not_checked() {
    let pki = Pki::new();
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut note = |report: &Report| {
        for check in &report.checks {
            seen.entry(check.id.clone()).or_default().insert(check.status.as_str());
        }
        assert_eq!(report.valid, verdict(&report.checks), "the verdict is a function of the checks");
    };
    let good = validate_chain(&changed(pki.request(), |r| {
        r.disallowed = vec![Source::new("x", Pki::new().root().sign(&pki.root_key))];
    }));
    assert_eq!(good.valid, Some(true), "{:#?}", good.fatal().collect::<Vec<_>>());
    note(&good);

    for (id, request) in path_cases(&pki).into_iter().chain(form_cases(&pki)).chain(list_cases(&pki)) {
        let report = validate_chain(&request);
        assert!(has(&report, id, CheckStatus::Failed), "{id} did not fail: {:#?}", report.fatal().collect::<Vec<_>>());
        let strict = validate_chain(&changed(request, |r| r.profile = Profile::WebPki));
        // A list of later days says nothing of the one that a client had.
        let verdict = if id == "client-clock-suspect" { None } else { Some(REMARKS.contains(&id)) };
        assert_eq!(strict.valid, verdict, "{id}: {:#?}", strict.fatal().collect::<Vec<_>>());
        for report in [&report, &strict] {
            let opinion = report.facts.get("oracle");
            assert_ne!(opinion.map(|o| &o["agreement"]), Some(&"disagreement".into()), "{id}: {opinion:?}");
        }
        note(&report);
    }

    // What cannot be looked at: nothing presented, a store not given, too much to search.
    note(&validate_chain(&ChainRequest::new(Vec::new(), Vec::new(), NOW)));
    note(&validate_chain(&changed(pki.request(), |r| r.roots.clear())));
    note(&validate_chain(&crowded(&pki)));
    note(&validate_chain(&changed(pki.request(), |r| r.crls.clear())));

    let mut wrong = Vec::new();
    for rule in RULES {
        for status in [CheckStatus::Passed, CheckStatus::Failed, CheckStatus::NotChecked] {
            let possible = !IMPOSSIBLE.iter().any(|(id, impossible, _)| *id == rule.id && *impossible == status);
            let found = seen.get(rule.id).is_some_and(|statuses| statuses.contains(status.as_str()));
            if found != possible {
                wrong.push(format!("{} is {}: {found}", rule.id, status.as_str()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A leaf under an authority of which there are a thousand certificates, all of the same name and key, and no root.
fn crowded(pki: &Pki) -> ChainRequest {
    let mut request = pki.request();
    request.crls.clear();
    request.presented.truncate(1);
    request.intermediates = (0..1_000_u16)
        .map(|number| {
            let mut template = pki.issuing();
            template.serial = number.to_be_bytes().to_vec();
            template.subject = name(ISSUING);
            Source::new("crowd", template.sign(&pki.root_key))
        })
        .collect();
    request
}

#[test]
fn the_root_missing_is_told_from_the_intermediate_missing() {
    let pki = Pki::new();
    let stranger = Pki::new();
    let other = vec![Source::new("other", stranger.root().sign(&stranger.root_key))];
    // Root sent by the server but not trusted: the remedy is the client's store.
    let mut root_missing = pki.request();
    root_missing.roots.clone_from(&other);
    root_missing.presented.push(Source::new("root", pki.root().sign(&pki.root_key)));
    let report = validate_chain(&root_missing);
    let fatal: Vec<&str> = report.fatal().map(|check| check.id.as_str()).collect();
    assert_eq!(fatal, ["root-not-in-client-store"]);
    let windows = report.check("root-not-in-client-store").unwrap().windows.clone().unwrap();
    assert_eq!(windows.hresults, ["CERT_E_UNTRUSTEDROOT"]);
    assert_eq!((windows.codes[0], windows.trust_status, windows.winhttp_flags), (0x800B_0109, 0x20, 0x8));

    // Intermediate not sent: the remedy is the server's list. Expiry is told beside it, not hidden.
    let mut intermediate_missing = with_leaf(&pki, |mut t| {
        t.to = NOW - 1;
        t
    });
    intermediate_missing.presented.truncate(1);
    intermediate_missing.crls.clear();
    let report = validate_chain(&intermediate_missing);
    let fatal: BTreeSet<&str> = report.fatal().map(|check| check.id.as_str()).collect();
    assert_eq!(fatal, BTreeSet::from(["intermediate-missing", "expired"]));
    assert!(report.check("intermediate-missing").unwrap().explanation.contains(ISSUING));
}

#[test]
fn what_was_not_given_is_not_checked_and_never_valid() {
    let pki = Pki::new();
    let mut request = pki.request();
    request.roots.clear();
    request.presented.push(Source::new("root", pki.root().sign(&pki.root_key)));
    let report = validate_chain(&request);
    assert_eq!(report.valid, None);
    assert!(has(&report, "root-not-in-client-store", CheckStatus::NotChecked));

    let mut request = pki.request();
    request.crls.clear();
    assert_eq!(validate_chain(&request).valid, Some(true));
    request.revocation = Some(Revocation::Chain);
    assert_eq!(validate_chain(&request).valid, None);
}

#[test]
fn a_bundle_in_any_order_finds_its_leaf() {
    let pki = Pki::new();
    let mut request = pki.request();
    request.presented.swap(0, 1);
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(true));
    assert!(report.facts["path"][0]["subject"].as_str().unwrap().contains(HOST));
    assert!(report.facts["path"][2]["subject"].as_str().unwrap().contains(ROOT));
    assert!(has(&report, "out-of-order", CheckStatus::Failed));
}

#[test]
fn every_candidate_path_is_tried() {
    // The issuing authority has two certificates, one of them expired and presented first.
    let pki = Pki::new();
    let mut expired = pki.issuing();
    expired.to = NOW - DAY;
    let mut request = pki.request();
    request.presented.insert(1, Source::new("expired", expired.sign(&pki.root_key)));
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(true), "{:#?}", report.fatal().collect::<Vec<_>>());
    assert_eq!(report.facts["paths"], 2);
    assert_eq!(report.facts["other_paths"][0]["failed"][0], "expired");
}

#[test]
fn a_management_certificate_is_told_from_the_service_certificate() {
    let pki = Pki::new();
    let mut management =
        service("Contoso Azure Management", &pki.leaf_key, &pki.leaf_key).without("2.5.29.17").without("2.5.29.37");
    management.subject = name("Contoso Azure Management");
    let presented = vec![Source::new("management", management.sign(&pki.leaf_key))];
    let roots = vec![Source::new("root", pki.root().sign(&pki.root_key))];
    let mut request = ChainRequest::new(presented, roots, NOW * 1_000_000);
    request.host = Some(HOST.to_owned());
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(false));
    assert_eq!(report.facts["path"][0]["role"], "management");
    assert!(has(&report, "certificate-role", CheckStatus::Failed));
    assert_eq!(validate_chain(&pki.request()).facts["path"][0]["role"], "service");
}
