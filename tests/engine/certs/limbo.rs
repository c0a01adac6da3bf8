//! Conformance with x509-limbo (C2SP, Apache-2.0), in profile `webpki`: the list of known differences fails both ways.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cmgtrail::certs::{Bundle, ChainRequest, CrlSource, Profile, Purpose, Source, validate_chain};
use cmgtrail::report::{CheckStatus, Report};
use rustls_pki_types::{CertificateDer, UnixTime};
use serde_json::Value;

/// 2026-11-22T00:00:00Z, for cases that name no time.
const DEFAULT_TIME: i64 = 1_795_305_600;

/// Cases where the answer in profile `webpki` is not that of the suite, each with its reason.
const COMMON_NAME: &str = "the common name is none of the alternative names, which the Baseline Requirements \
                           forbid (the suite itself refuses that in webpki::cn::not-in-san)";
const AUTHORITY: &str = "the leaf is an authority, which the suite itself refuses in webpki::ca-as-leaf";
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[
    ("pathlen::validation-ignores-pathlen-in-leaf", AUTHORITY),
    (
        "rfc5280::aki::cross-signed-root-missing-aki",
        "an anchor needs name no issuer; the suite itself accepts that in cve::cve-2024-0567",
    ),
    ("rfc5280::ca-as-leaf", AUTHORITY),
    ("rfc5280::nc::permitted-dn-match", COMMON_NAME),
    ("rfc5280::nc::permitted-dns-match-more", COMMON_NAME),
    (
        "rfc5280::nc::permitted-dns-match-noncritical",
        "the Baseline Requirements allow it, and the suite accepts it in webpki::nc::permitted-dns-match-noncritical",
    ),
    ("rfc5280::nc::permitted-ipv4-match", COMMON_NAME),
    ("rfc5280::nc::permitted-ipv6-match", COMMON_NAME),
    (
        "webpki::eku::ee-without-eku",
        "accepted as in rfc5280::eku::ee-without-eku: no verifier of the public web refuses it",
    ),
    ("webpki::nc::nc-permits-dns-san-pattern", COMMON_NAME),
    ("webpki::san::exact-localhost-ip-san", COMMON_NAME),
    ("webpki::san::leftmost-wildcard-san", COMMON_NAME),
];

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("CMGTRAIL_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let folder = folder.join("conformance");
    folder.join("limbo-core.json").exists().then_some(folder)
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A case of the suite by its id; `None`, and said so, where the suite is not at hand.
pub fn case(id: &str) -> Option<Value> {
    let Some(folder) = data() else {
        eprintln!("skipped: no conformance data under CMGTRAIL_TEST_DATA or ../shared");
        return None;
    };
    let suite = json(&folder.join("limbo-core.json"));
    suite["testcases"].as_array().unwrap().iter().find(|case| case["id"] == id).cloned()
}

fn sources(list: &Value, name: &str) -> Vec<Source> {
    list.as_array().unwrap().iter().map(|pem| Source::new(name, pem.as_str().unwrap())).collect()
}

pub fn request(case: &Value, profile: Profile) -> ChainRequest {
    let at = match case["validation_time"].as_str() {
        Some(time) => time.parse::<jiff::Timestamp>().unwrap().as_microsecond(),
        None => DEFAULT_TIME * 1_000_000,
    };
    let presented = vec![Source::new("leaf", case["peer_certificate"].as_str().unwrap())];
    let mut request = ChainRequest::new(presented, sources(&case["trusted_certs"], "root"), at);
    request.intermediates = sources(&case["untrusted_intermediates"], "intermediate");
    request.profile = profile;
    request.purpose = if case["validation_kind"] == "SERVER" { Purpose::Server } else { Purpose::Client };
    request.host = case["expected_peer_name"]["value"].as_str().map(str::to_owned);
    request.max_depth = case["max_chain_depth"].as_u64().map(|depth| usize::try_from(depth).unwrap());
    let crls = case["crls"].as_array().unwrap();
    request.crls = crls.iter().map(|crl| CrlSource::fetched("crl", crl.as_str().unwrap())).collect();
    request
}

/// The checks that name the cause of a failing case, by what its id says.
fn causes(id: &str) -> &'static [&'static str] {
    let table: &[(&str, &[&str])] = &[
        ("crl::revoked", &["revoked"]),
        ("crl::crlnumber", &["crl-number"]),
        ("crl::issuer-missing-crlsign", &["crl-signer-not-allowed"]),
        ("cve::", &["name-constraint-violated"]),
        ("invalid::invalid-issuer-key", &["unreadable", "bad-signature"]),
        ("pathlen::max-chain-depth", &["chain-too-deep"]),
        ("pathlen::", &["path-length-exceeded"]),
        ("pathological::nc-dos", &["name-constraint-unusable"]),
        ("pathological::", &["root-not-in-client-store", "intermediate-missing", "chain-too-deep"]),
        ("rfc5280::aki::critical", &["extension-criticality"]),
        ("rfc5280::aki::", &["key-identifier-missing"]),
        ("rfc5280::ski::critical", &["extension-criticality"]),
        ("rfc5280::ski::", &["key-identifier-missing"]),
        ("rfc5280::ca-as-leaf-wrong-san", &["name-mismatch"]),
        ("rfc5280::ca-empty-subject", &["empty-name"]),
        ("rfc5280::chain-untrusted-root", &["root-not-in-client-store", "intermediate-missing"]),
        ("rfc5280::duplicate-extensions", &["duplicate-extension"]),
        ("rfc5280::ee-critical-aia", &["extension-criticality"]),
        ("rfc5280::ee-empty-issuer", &["empty-name"]),
        ("rfc5280::eku::ee-eku-empty", &["malformed-extension"]),
        ("rfc5280::eku::", &["wrong-eku"]),
        ("rfc5280::ica-ku-keycertsign", &["ca-without-keycertsign"]),
        ("rfc5280::intermediate-ca", &["not-a-ca"]),
        ("rfc5280::leaf-ku-keycertsign", &["extension-misplaced"]),
        ("rfc5280::mismatching-signature-algorithm", &["bad-signature"]),
        ("rfc5280::nc::invalid", &["name-constraint-unusable", "malformed-extension"]),
        ("rfc5280::nc::not-allowed-in-ee", &["extension-misplaced"]),
        ("rfc5280::nc::nc-forbids-othername", &["name-constraint-unusable"]),
        ("rfc5280::nc::nc-permits-invalid", &["name-constraint-unusable", "name-constraint-violated", "name-form"]),
        ("rfc5280::nc::permitted-dns-match-noncritical", &["name-constraints-not-critical"]),
        ("rfc5280::nc::", &["name-constraint-violated"]),
        ("rfc5280::pc::", &["extension-criticality"]),
        ("rfc5280::root-inconsistent", &["ca-without-keycertsign"]),
        ("rfc5280::root-missing-basic", &["not-a-ca"]),
        ("rfc5280::root-non-critical-basic", &["extension-criticality"]),
        ("rfc5280::san::malformed", &["malformed-extension"]),
        ("rfc5280::san::noncritical", &["extension-criticality"]),
        ("rfc5280::san::", &["name-form", "name-mismatch"]),
        ("rfc5280::serial::", &["serial-number"]),
        ("rfc5280::unknown-critical", &["unknown-critical-extension"]),
        ("rfc5280::validity::expired", &["expired"]),
        ("rfc5280::validity::not", &["not-yet-valid"]),
        ("webpki::aki::", &["baseline-requirements", "key-identifier-missing"]),
        ("webpki::ca-as-leaf", &["ca-as-leaf"]),
        ("webpki::cn::", &["baseline-requirements"]),
        ("webpki::cryptographydotio-chain-missing", &["intermediate-missing"]),
        ("webpki::ee-basicconstraints-ca", &["ca-as-leaf"]),
        ("webpki::eku::ee-critical-eku", &["extension-criticality"]),
        ("webpki::eku::", &["baseline-requirements", "wrong-eku"]),
        ("webpki::explicit-curve", &["weak-key"]),
        ("webpki::forbidden-rsa", &["baseline-requirements"]),
        ("webpki::forbidden", &["weak-key"]),
        ("webpki::malformed-aia", &["malformed-extension"]),
        ("webpki::nc::", &["malformed-extension"]),
        ("webpki::san::no-san", &["cn-only-no-san"]),
        ("webpki::san::san-critical", &["extension-criticality"]),
        ("webpki::san::public-suffix", &["name-mismatch"]),
        ("webpki::san::", &["name-mismatch"]),
        ("webpki::v1-cert", &["certificate-version"]),
    ];
    table.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or(&[], |(_, causes)| causes)
}

fn refuses(report: &Report) -> bool {
    report.valid == Some(false)
}

#[test]
fn answers_as_the_suite_expects_but_for_the_known_differences() {
    let Some(folder) = data() else {
        eprintln!("skipped: no conformance data under CMGTRAIL_TEST_DATA or ../shared");
        return;
    };
    let suite = json(&folder.join("limbo-core.json"));
    let peers = json(&folder.join("limbo-peers.json"));
    let mut matched = 0;
    let mut crl_matched = 0;
    let (mut failing, mut named) = (0, 0);
    let mut differences: BTreeMap<String, String> = BTreeMap::new();
    let mut disagreements = Vec::new();
    for case in suite["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let accept = case["expected_result"] == "SUCCESS";
        let report = validate_chain(&request(case, Profile::WebPki));
        let fatal: Vec<&str> = report.fatal().map(|check| check.id.as_str()).collect();
        if accept == (report.valid == Some(true)) && accept != refuses(&report) {
            matched += 1;
            crl_matched += usize::from(id.starts_with("crl::"));
        } else {
            differences.insert(id.to_owned(), format!("expected {accept}, found {:?} {fatal:?}", report.valid));
            let nobody = peers[id]
                .as_object()
                .unwrap()
                .iter()
                .all(|(peer, answer)| peer == "expected" || *answer != peers[id]["expected"]);
            assert!(report.valid != Some(true) || nobody, "false accept that a peer gets right: {id}");
        }
        if !accept {
            failing += 1;
            let seen = |check: &cmgtrail::report::Check| {
                check.status == CheckStatus::Failed && causes(id).contains(&check.id.as_str())
            };
            if report.checks.iter().any(seen) {
                named += 1;
            } else {
                eprintln!("cause not named: {id}: {fatal:?}");
            }
        }
        if report.facts["oracle"]["agreement"] == "disagreement" {
            disagreements.push(format!("{id}: {} {:?}", report.facts["oracle"], fatal));
        }
    }
    eprintln!(
        "x509-limbo core, profile webpki: {matched} of 208 matched, crl {crl_matched} of 8; cause \
         named in {named} of {failing} failing cases"
    );
    for (id, what) in &differences {
        eprintln!("difference: {id}: {what}");
    }
    for line in &disagreements {
        eprintln!("disagreement: {line}");
    }
    let expected: Vec<&str> = KNOWN_DIFFERENCES.iter().map(|(id, _)| *id).collect();
    let found: Vec<&str> = differences.keys().map(String::as_str).collect();
    assert_eq!(found, expected, "the list of known differences");
    assert!(matched >= 170 && crl_matched == 8);
    assert!(disagreements.is_empty());
}

/// Cases of the suite's RFC 5280 part whose answer in profile `rfc5280` is not that of the suite.
const RFC5280_DIFFERENCES: &[(&str, &str)] = &[(
    "rfc5280::aki::cross-signed-root-missing-aki",
    "an anchor needs name no issuer; the suite itself accepts that in cve::cve-2024-0567",
)];

#[test]
fn the_rfc_5280_part_holds_in_profile_rfc5280() {
    let Some(folder) = data() else {
        eprintln!("skipped: no conformance data under CMGTRAIL_TEST_DATA or ../shared");
        return;
    };
    let suite = json(&folder.join("limbo-core.json"));
    let mut differences = Vec::new();
    let mut counted = 0;
    for case in suite["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if id.starts_with("webpki::") {
            continue;
        }
        counted += 1;
        let report = validate_chain(&request(case, Profile::Rfc5280));
        if (case["expected_result"] == "SUCCESS") != (report.valid == Some(true)) {
            let fatal: Vec<&str> = report.fatal().map(|check| check.id.as_str()).collect();
            eprintln!("difference in profile rfc5280: {id}: {:?} {fatal:?}", report.valid);
            differences.push(id);
        }
        assert_ne!(report.facts["oracle"]["agreement"], "disagreement", "{id}: {}", report.facts["oracle"]);
    }
    eprintln!(
        "x509-limbo core without its webpki part, profile rfc5280: {} of {counted} matched",
        counted - differences.len()
    );
    let expected: Vec<&str> = RFC5280_DIFFERENCES.iter().map(|(id, _)| *id).collect();
    assert_eq!(differences, expected, "the list of known differences");
}

/// Prints how many chains are explained in a second, beside the strict verifier that gives no reasons, in the same
/// run. Run with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn explained_chains_per_second() {
    for id in ["online::microsoft.com", "online::docs.python.org"] {
        let Some(case) = case(id) else { return };
        let request = request(&case, Profile::Windows);
        let explained = rate(|| assert_eq!(validate_chain(&request).valid, Some(true)));
        let decoded = Bundle::read(&[&request.presented[..], &request.intermediates, &request.roots].concat());
        let ders: Vec<CertificateDer<'_>> =
            decoded.certificates.iter().map(|known| CertificateDer::from(known.der.as_ref())).collect();
        let (root, chain) = ders.split_last().unwrap();
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_micros(u64::try_from(request.at).unwrap()));
        let bare = rate(|| {
            let anchors = [webpki::anchor_from_trusted_cert(root).unwrap()];
            let leaf = webpki::EndEntityCert::try_from(&chain[0]).unwrap();
            let (algorithms, usage) = (webpki::ALL_VERIFICATION_ALGS, webpki::KeyUsage::server_auth());
            leaf.verify_for_usage(algorithms, &anchors, &chain[1..], time, usage, None, None).unwrap();
        });
        eprintln!("{id}: {explained:.0} explained chains a second, {bare:.0} bare ones; medians of 7");
    }
}

/// How often `work` is done in a second, median of 7.
fn rate(work: impl Fn()) -> f64 {
    const ROUNDS: u32 = 300;
    let mut rates: Vec<f64> = (0..7)
        .map(|_| {
            let start = std::time::Instant::now();
            (0..ROUNDS).for_each(|_| work());
            f64::from(ROUNDS) / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[3]
}
