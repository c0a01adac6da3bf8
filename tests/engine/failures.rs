//! The built-in failures against the list of failure ids: none missing, none more, none without words.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use cmgtrail::finding::{Confidence, Severity};
use cmgtrail::knowledge::{Condition, Failure, FailureRole, Knowledge, RequestShape};

use FailureRole::{Benign, Cause, Symptom};

/// Id, role, stage that fails first ("" where there is none), whom it hits, and neighbours to be told apart.
type Row = (&'static str, FailureRole, &'static str, &'static str, &'static [&'static str]);

/// Codes that follow from something else and name no cause (failure catalogue, discriminator 6).
const SYMPTOMS: [&str; 4] = ["0x87d00231", "0x87d0027e", "0x87d00454", "0x87d00455"];

/// The code for any failed check of a certificate: the mask beside it says which.
const SECURE_FAILURE: u32 = 12175;

/// The list of failure ids, row by row.
#[rustfmt::skip]
const CATALOGUE: [Row; 74] = [
    ("cmg-root-ca-missing", Cause, "cmg-connection", "client or site", &["tls-interception", "cmg-name-mismatch", "mp-issuing-root-missing"]),
    ("crl-unreachable", Cause, "cmg-connection", "site", &["crl-check-restored-after-bootstrap", "connector-chain-revocation-offline"]),
    ("crl-check-restored-after-bootstrap", Cause, "cmg-connection", "site", &["crl-unreachable"]),
    ("cmg-name-mismatch", Cause, "cmg-connection", "site", &["tls-interception"]),
    ("cmg-certificate-expired", Cause, "cmg-connection", "site, all clients at once", &["client-clock-wrong"]),
    ("client-clock-wrong", Cause, "cmg-connection", "client", &["cmg-certificate-expired", "token-clock-skew"]),
    ("cmg-certificate-revoked", Cause, "cmg-connection", "site", &["crl-unreachable"]),
    ("cmg-certificate-wrong-usage", Cause, "cmg-connection", "site", &["cmg-certificate-damaged"]),
    ("cmg-certificate-damaged", Cause, "cmg-connection", "site", &["cmg-certificate-wrong-usage"]),
    ("tls-interception", Cause, "cmg-connection", "network", &["cmg-root-ca-missing"]),
    ("tls-no-common-version", Cause, "cmg-connection", "client", &["cmg-unreachable"]),
    ("cmg-content-tls12-bug", Cause, "content-download", "site", &["branchcache-dav-bug"]),
    ("cmg-name-not-resolved", Cause, "cmg-connection", "client or site", &["cmg-unreachable"]),
    ("cmg-unreachable", Cause, "cmg-connection", "client or network", &["cmg-stopped-by-traffic-limit", "cmg-name-not-resolved"]),
    ("cmg-stopped-by-traffic-limit", Cause, "cmg-connection", "site, all clients at once", &["cmg-unreachable"]),
    ("cmg-location-not-given", Cause, "location-request", "client or site", &["wrong-ccmhostname"]),
    ("mp-not-published-on-cmg", Cause, "cmg-receive", "site", &["wrong-ccmhostname"]),
    ("wrong-ccmhostname", Cause, "cmg-receive", "deployment", &["mp-not-published-on-cmg"]),
    ("cmg-state-stale", Cause, "location-request", "site", &["connector-down"]),
    ("bootstrap-command-malformed", Cause, "client-install", "deployment", &[]),
    ("mp-switch-with-ccmhostname", Cause, "client-install", "deployment", &[]),
    ("wpj-certificate-missing", Cause, "wpj-certificate", "client", &["tenant-not-onboarded", "pki-certificate-preferred"]),
    ("tenant-not-onboarded", Cause, "aad-info", "tenant", &["wpj-certificate-missing", "token-audience-or-issuer-refused"]),
    ("device-token-not-enabled", Cause, "aad-token", "site", &["os-too-old-for-device-token", "wam-key-failure"]),
    ("os-too-old-for-device-token", Cause, "aad-token", "client", &["device-token-not-enabled"]),
    ("wam-key-failure", Cause, "aad-token", "client", &["device-token-not-enabled", "entra-unreachable"]),
    ("no-entra-user-signed-in", Cause, "aad-token", "client", &["device-token-not-enabled"]),
    ("wrong-resource-uri", Cause, "aad-token", "deployment", &["token-audience-or-issuer-refused"]),
    ("pki-certificate-preferred", Benign, "wpj-certificate", "client", &["wpj-certificate-missing"]),
    ("entra-unreachable", Cause, "aad-token", "client or network", &["wam-key-failure"]),
    ("site-token-expired", Cause, "cmg-receive", "client", &["token-clock-skew"]),
    ("token-audience-or-issuer-refused", Cause, "cmg-receive", "site or tenant", &["wrong-resource-uri", "tenant-not-onboarded"]),
    ("token-clock-skew", Cause, "mp-validate", "machine", &["site-token-expired", "client-clock-wrong"]),
    ("client-chain-incomplete-on-cmg", Cause, "cmg-receive", "site", &["client-certificate-expired"]),
    ("client-revocation-misconfigured", Cause, "cmg-receive", "site", &["client-chain-incomplete-on-cmg"]),
    ("connector-ports-blocked", Cause, "cmg-forward", "site", &["connector-session-ended", "connector-down"]),
    ("connector-session-ended", Cause, "cmg-forward", "site", &["connector-ports-blocked", "connector-just-installed"]),
    ("connector-just-installed", Benign, "cmg-forward", "site", &["connector-session-ended"]),
    ("connector-role-certificate-missing", Cause, "cmg-forward", "site", &["connector-client-certificate-missing"]),
    ("connector-inbox-denied", Cause, "", "site", &["connector-down"]),
    ("connector-down", Cause, "cmg-forward", "site, all clients at once", &["connector-ports-blocked", "mp-down"]),
    ("cmg-deployment-failed", Cause, "cmg-forward", "site", &[]),
    ("connector-client-certificate-missing", Cause, "connector-forward", "site", &["connector-chain-revocation-offline", "mp-binding-wrong"]),
    ("connector-chain-revocation-offline", Cause, "connector-forward", "site", &["connector-client-certificate-missing"]),
    ("mp-binding-wrong", Cause, "mp-validate", "site", &["connector-client-certificate-missing"]),
    ("mp-redirect-on-sts", Cause, "mp-validate", "site", &["sts-refused-token"]),
    ("sts-refused-token", Symptom, "mp-validate", "client", &["site-token-expired", "token-clock-skew", "user-not-discovered"]),
    ("sts-library-mismatch", Cause, "mp-validate", "site", &["mp-compression-scheme-broken"]),
    ("mp-key-information-bug", Cause, "mp-validate", "site", &[]),
    ("mp-compression-scheme-broken", Cause, "mp-validate", "site", &["sql-unreachable", "sts-library-mismatch"]),
    ("sts-not-running", Cause, "mp-validate", "site", &["mp-redirect-on-sts", "mp-down"]),
    ("mp-down", Cause, "connector-forward", "site", &["sts-not-running", "connector-down"]),
    ("ccmsetup-405-bug", Cause, "content-download", "site", &[]),
    ("windows-auth-negotiation", Benign, "", "none", &["sts-refused-token"]),
    ("internet-scanner", Benign, "", "none", &["sts-not-running"]),
    ("user-not-discovered", Cause, "mp-validate", "user or site", &["hybrid-user-without-on-premises-match"]),
    ("hybrid-user-without-on-premises-match", Cause, "mp-validate", "user or site", &["user-not-discovered"]),
    ("discovery-date-bug", Cause, "mp-validate", "site", &["user-not-discovered"]),
    ("mp-cannot-reach-entra", Cause, "mp-validate", "site", &["token-audience-or-issuer-refused"]),
    ("mp-issuing-root-missing", Cause, "ccm-token-request", "client", &["cmg-root-ca-missing"]),
    ("content-without-token", Symptom, "content-download", "client", &[]),
    ("mp-mode-unsupported", Cause, "mp-validate", "site", &[]),
    ("media-token-too-old", Cause, "mp-validate", "media", &["site-token-expired"]),
    ("renewal-failed", Symptom, "ccm-token-issue", "client", &[]),
    ("client-certificate-expired", Cause, "registration", "client", &["client-key-store-broken"]),
    ("client-key-store-broken", Cause, "registration", "client", &["client-certificate-expired"]),
    ("root-not-on-site-ctl", Cause, "registration", "site", &["client-chain-incomplete-on-cmg"]),
    ("pki-registration-bug", Cause, "registration", "site", &[]),
    ("trusted-root-key-lost", Cause, "registration", "client", &[]),
    ("sql-permission-denied", Cause, "location-request", "site", &["sql-unreachable"]),
    ("sql-unreachable", Cause, "mp-validate", "site", &["mp-compression-scheme-broken", "sql-permission-denied"]),
    ("branchcache-dav-bug", Cause, "content-download", "site", &["cmg-content-tls12-bug"]),
    ("content-not-on-cmg", Cause, "content-download", "site", &[]),
    ("content-fallback-slow", Benign, "content-download", "client", &["cmg-unreachable"]),
];

fn builtin() -> Vec<Failure> {
    Knowledge::builtin().failures().iter().map(|failure| Failure::clone(failure)).collect()
}

fn conditions(failure: &Failure) -> impl Iterator<Item = &Condition> {
    failure.when.iter().flat_map(|when| when.requires.iter().chain(&when.supports).chain(&when.excludes))
}

#[test]
fn every_id_of_the_catalogue_is_there_once_and_no_other() {
    let found: Vec<String> = builtin().into_iter().map(|failure| failure.id).collect();
    let expected: BTreeSet<&str> = CATALOGUE.iter().map(|row| row.0).collect();
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    assert_eq!(found.len(), expected.len(), "an id is described twice");
}

#[test]
fn role_stage_scope_and_neighbours_are_those_of_the_catalogue() {
    let failures = builtin();
    for (id, role, stage, scope, neighbours) in CATALOGUE {
        let failure = failures.iter().find(|failure| failure.id == id).expect(id);
        assert_eq!(failure.role, role, "role of {id}");
        assert_eq!(failure.stage.map_or("", |stage| stage.id()), stage, "stage of {id}");
        assert_eq!(failure.scope, scope, "scope of {id}");
        assert_eq!(failure.separates_from, neighbours, "neighbours of {id}");
    }
}

#[test]
fn every_failure_has_its_words() {
    for failure in builtin() {
        let id = &failure.id;
        for (name, words) in [
            ("title", &failure.title),
            ("explanation", &failure.explanation),
            ("remedy", &failure.remedy),
            ("verify", &failure.verify),
        ] {
            assert!(words.trim().len() > 15, "{id} says too little as {name}: {words:?}");
        }
        assert!(failure.reference.starts_with("https://"), "reference of {id}: {}", failure.reference);
        assert!(!failure.title.contains('{'), "the title of {id} must read alone: {}", failure.title);
    }
}

/// The values of a log can be missing, and the sentence must read well without them.
#[test]
fn every_value_in_the_words_has_words_for_when_it_is_unknown() {
    for failure in builtin() {
        let missing = failure.missing.iter().flat_map(|missing| [&missing.what, &missing.how]);
        let words = [&failure.explanation, &failure.remedy, &failure.verify].into_iter().chain(missing);
        for text in words {
            // What stands in double brackets is left out where a value in it is not known.
            let parts = text.split("[[").map(|part| part.split_once("]]").map_or(part, |(_, after)| after));
            for part in parts.flat_map(|part| part.split('{').skip(1)) {
                let (inside, _) =
                    part.split_once('}').unwrap_or_else(|| panic!("{}: open brace in {text}", failure.id));
                let (field, fallback) = inside.split_once('|').unwrap_or((inside, ""));
                assert!(!fallback.is_empty(), "{}: no words for an unknown {field} in {text}", failure.id);
                assert!(field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}: {field}", failure.id);
            }
        }
    }
}

#[test]
fn symptoms_are_known_by_lines_and_benign_patterns_stop_nothing() {
    for failure in builtin() {
        match failure.role {
            Symptom => assert!(failure.when.iter().all(|when| !when.site), "{} follows in a flow", failure.id),
            Benign => assert_eq!(failure.severity, Severity::Info, "{} is benign", failure.id),
            Cause => assert!(failure.severity >= Severity::Warning, "{} is a cause", failure.id),
        }
    }
}

#[test]
fn a_hypothesis_is_possible_at_most() {
    for failure in builtin().iter().filter(|failure| failure.hypothesis) {
        // That a server stopped to write what it writes all the time needs no public sample of any other text.
        let is_silence = |condition: &Condition| matches!(condition, Condition::FellSilent(_));
        for when in failure.when.iter().filter(|when| !when.requires.iter().any(is_silence)) {
            assert_eq!(when.confidence, Confidence::Possible, "{}", failure.id);
            assert!(when.supports.is_empty(), "{}: support would raise it", failure.id);
        }
    }
}

/// The codes that any failure ends in name no cause, alone or together.
#[test]
fn no_failure_is_raised_by_a_symptom_alone() {
    fn telling(shape: &RequestShape) -> bool {
        let own_code = shape.code.iter().any(|code| *code != SECURE_FAILURE);
        let own_hresult = shape.hresult.iter().any(|code| !SYMPTOMS.contains(&code.to_ascii_lowercase().as_str()));
        own_code || own_hresult || !(shape.flag.is_empty() && shape.status.is_empty() && shape.status_text.is_empty())
    }
    for failure in builtin() {
        for when in &failure.when {
            let named = when.requires.iter().any(|condition| match condition {
                Condition::Request(shape) => telling(shape),
                Condition::Event(_)
                | Condition::Absent(_)
                | Condition::FellSilent(_)
                | Condition::Pattern(_)
                | Condition::Artefact(_) => true,
                _ => false,
            });
            assert!(named, "{} would be raised by a symptom", failure.id);
        }
    }
}

#[test]
fn certificate_failures_give_way_to_an_untrusted_issuer() {
    const OTHERS: [&str; 8] = [
        "crl-unreachable",
        "crl-check-restored-after-bootstrap",
        "cmg-name-mismatch",
        "cmg-certificate-expired",
        "client-clock-wrong",
        "cmg-certificate-revoked",
        "cmg-certificate-wrong-usage",
        "cmg-certificate-damaged",
    ];
    for failure in builtin().iter().filter(|failure| OTHERS.contains(&failure.id.as_str())) {
        // Where artefacts alone foretell a failure, no request has failed.
        for when in failure.when.iter().filter(|when| when.severity.is_none()) {
            let gives_way = when.excludes.iter().any(|condition| {
                matches!(condition, Condition::Request(shape) if shape.flag.iter().any(|flag| flag == "INVALID_CA"))
            });
            assert!(gives_way, "{} holds beside INVALID_CA", failure.id);
        }
    }
}

#[test]
fn ids_that_the_files_name_exist() {
    let failures = builtin();
    let ids: BTreeSet<&str> = failures.iter().map(|failure| failure.id.as_str()).collect();
    for failure in &failures {
        let named = failure.separates_from.iter().chain(&failure.yields_to);
        let separated = failure.missing.iter().flat_map(|missing| &missing.separates);
        for id in named.chain(separated) {
            assert!(ids.contains(id.as_str()), "{} names {id}", failure.id);
            assert_ne!(*id, failure.id, "{} names itself", failure.id);
        }
        for consequence in &failure.consequences {
            let code = consequence.starts_with("0x") || consequence.bytes().all(|byte| byte.is_ascii_digit());
            assert!(code || ids.contains(consequence.as_str()), "{} leads to {consequence}", failure.id);
        }
    }
}

/// A neighbour that cannot be told apart on the logs at hand must be named in what is missing.
#[test]
fn causes_that_are_only_possible_say_what_would_decide() {
    for failure in builtin().iter().filter(|failure| failure.role == Cause) {
        if failure.when.iter().any(|when| when.confidence == Confidence::Possible) {
            assert!(!failure.missing.is_empty(), "{} does not say what would decide", failure.id);
        }
    }
}

/// A mask is known by the names of its bits.
#[test]
fn flags_are_bits_of_the_secure_failure_mask() {
    const BITS: [&str; 8] = [
        "CERT_REV_FAILED",
        "INVALID_CERT",
        "CERT_REVOKED",
        "INVALID_CA",
        "CERT_CN_INVALID",
        "CERT_DATE_INVALID",
        "CERT_WRONG_USAGE",
        "SECURITY_CHANNEL_ERROR",
    ];
    for failure in &builtin() {
        for condition in conditions(failure) {
            let (Condition::Request(shape) | Condition::OthersFail(shape)) = condition else { continue };
            for flag in shape.flag.iter().chain(&shape.no_flag) {
                assert!(BITS.contains(&flag.as_str()), "{}: {flag}", failure.id);
            }
        }
    }
}
