//! Every check that only the artefacts of a trail have: once passed, once failed, once not checked. And the words of
//! findings that rest on artefacts alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Severity;

use crate::artefacts::OF_TRAILS;
use crate::certs::fixture::{DAY, HOST, ISSUING_CRL, Key, NOW, Pki, Template, authority, der, name, service};
use crate::tokens::mint::device_token;

/// Octets of a file under its path.
type File = (String, Vec<u8>);

fn log_of(case: &str, from: &str, date: (&str, &str)) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(case);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from) && text.contains(date.0), "{case}");
    text.replace(from, HOST).replace(date.0, date.1).into_bytes()
}

/// The log of a client whose requests fail with this mask on 2026-11-04 from 09:00 to 09:30 UTC, CRL checking on.
fn failing(host: &str) -> File {
    let case = "artefact-revoked-and-on-the-list/logs/client-ARV-9/ccmsetup.log";
    (format!("client-{host}/ccmsetup.log"), log_of(case, "cmg.artrev.example", ("04-14-2026", "11-04-2026")))
}

/// The log of a client that works on 2026-11-04 from 13:00 to 13:02 UTC; `checked` where CRL checking is on.
fn working(host: &str, checked: bool) -> File {
    let case = "artefact-list-goes-stale-tonight/logs/client-ACR-6/ccmsetup.log";
    let log = log_of(case, "cmg.artcrl.example", ("11-18-2026", "11-04-2026"));
    let (connected, check) = ("Created connection on port 443", "Enabled SSL revocation check.");
    let text = String::from_utf8(log).unwrap();
    let lines = text.lines().flat_map(|line| {
        let added = (checked && line.contains(connected)).then(|| line.replace(connected, check));
        std::iter::once(line.to_owned()).chain(added)
    });
    let log = lines.map(|line| line + "\n").collect::<String>().into_bytes();
    (format!("client-{host}/ccmsetup.log"), log)
}

fn read(files: &[File]) -> Trail {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
    Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap()
}

fn file(path: &str, bytes: Vec<u8>) -> File {
    (path.to_owned(), bytes)
}

/// The chain that PC1 was presented, with this leaf.
fn presented(pki: &Pki, leaf: &Template) -> [File; 2] {
    [
        file("client-PC1/presented/leaf.cer", leaf.sign(&pki.issuing_key)),
        file("client-PC1/presented/issuing.cer", pki.issuing().sign(&pki.root_key)),
    ]
}

fn root(pki: &Pki) -> File {
    file("client-PC1/stores/root.cer", pki.root().sign(&pki.root_key))
}

/// The list of the issuing authority, issued at `from` and holding until `to`, in seconds from [`NOW`].
fn list(pki: &Pki, from: i64, to: i64) -> File {
    let mut template = pki.issuing_list();
    (template.from, template.to) = (NOW + from, NOW + to);
    file("client-PC1/crls/issuing.crl", template.sign(&pki.issuing_key))
}

fn joined(from: i64, to: i64) -> File {
    let key = Key::new();
    let mut template = authority("x", &key, "MS-Organization-Access", &key);
    template.extensions.clear();
    template.subject = name("a399ea8a-73f9-4256-80ed-23e2329ffdd1");
    (template.from, template.to) = (NOW + from, NOW + to);
    file("client-PC1/wpj.cer", template.sign(&key))
}

fn status(device: &str) -> File {
    let text = format!("+----+\n| Device State |\n+----+\n AzureAdJoined : YES\n DeviceId : {device}\n");
    file("client-PC1/dsregcmd.txt", text.into_bytes())
}

fn lived(pki: &Pki, from: i64, to: i64) -> Template {
    let mut leaf = pki.leaf();
    (leaf.from, leaf.to) = (NOW + from, NOW + to);
    leaf
}

/// A presented leaf of somebody else, for the same host.
fn other_leaf() -> Vec<u8> {
    let key = Key::new();
    service("Proxy CA", &key, &Key::new()).sign(&key)
}

/// A check and the status that it must have.
type Expected = (&'static str, &'static str);

/// Bundles, each with the statuses that its checks must have.
fn cases(pki: &Pki) -> Vec<(Vec<File>, Vec<Expected>)> {
    let with = |more: &[File]| [&[failing("PC1")][..], &presented(pki, &pki.leaf())[..], more].concat();
    let of_leaf = |leaf: &Template| [&[failing("PC1")][..], &presented(pki, leaf)[..]].concat();
    let beside = |host: &str, leaf: Vec<u8>| {
        with(&[working(host, false), file(&format!("client-{host}/presented/leaf.cer"), leaf)])
    };
    let fetched = |text: &str| file("client-PC1/crls/fetched.json", text.as_bytes().to_vec());
    let mut due = pki.issuing_list().with("1.3.6.1.4.1.311.21.4", false, der(0x17, &[b"261104091000Z"]));
    (due.from, due.to) = (NOW - 6 * DAY, NOW + 5 * DAY);
    let due = file("client-PC1/crls/issuing.crl", due.sign(&pki.issuing_key));
    vec![
        (with(&[]), vec![
            ("chain-ends-in-client-store", "not checked"), ("issuer-same-for-all", "not checked"),
            ("issuer-genuine", "not checked"), ("crl-fetched", "not checked"), ("crl-goes-stale", "not checked"),
            ("crl-stale-by-end-of-logs", "not checked"), ("expires-soon", "passed"),
            ("expired-by-end-of-logs", "passed"), ("clock-behind-certificate", "passed"),
        ]),
        (with(&[root(pki)]), vec![("chain-ends-in-client-store", "passed")]),
        (with(&[root(&Pki::new())]), vec![("chain-ends-in-client-store", "failed")]),
        (beside("PC2", pki.leaf().sign(&pki.issuing_key)), vec![("issuer-same-for-all", "passed"), ("issuer-genuine", "passed")]),
        (beside("PC2", other_leaf()), vec![("issuer-same-for-all", "failed"), ("issuer-genuine", "failed")]),
        // 400 days of life, and 30 of them left; 60 of life, and 19 left, which is less than a third; 21 left.
        (of_leaf(&lived(pki, -370 * DAY, 30 * DAY)), vec![("expires-soon", "failed"), ("expired-by-end-of-logs", "passed")]),
        (of_leaf(&lived(pki, -41 * DAY, 19 * DAY)), vec![("expires-soon", "failed")]),
        (of_leaf(&lived(pki, -39 * DAY, 21 * DAY)), vec![("expires-soon", "passed")]),
        (of_leaf(&lived(pki, -400 * DAY, -DAY)), vec![("expires-soon", "not checked"), ("expired-by-end-of-logs", "failed")]),
        (of_leaf(&lived(pki, DAY, 400 * DAY)), vec![("clock-behind-certificate", "failed")]),
        // What lies with no machine was taken from none.
        (vec![failing("PC1"), failing("PC2"), file("presented/leaf.cer", pki.leaf().sign(&pki.issuing_key))],
            vec![("clock-behind-certificate", "not checked")]),
        (with(&[fetched(&format!(r#"[{{"url": "{ISSUING_CRL}", "fetched": true}}]"#))]), vec![("crl-fetched", "passed"), ("lists-fetched", "passed")]),
        (with(&[fetched(&format!(r#"[{{"url": "{ISSUING_CRL}", "fetched": false}}]"#))]), vec![("crl-fetched", "not checked"), ("lists-fetched", "failed")]),
        (with(&[fetched(&format!(r#"[{{"url": "{ISSUING_CRL}"}}]"#))]), vec![("lists-fetched", "not checked")]),
        // A week of life, with 10 hours left, less than a sixteenth; 11 hours left. A day of life with 9 hours left.
        (with(&[list(pki, -158 * 3_600, 10 * 3_600)]), vec![("crl-goes-stale", "failed"), ("crl-stale-by-end-of-logs", "passed")]),
        (with(&[list(pki, -156 * 3_600, 12 * 3_600)]), vec![("crl-goes-stale", "passed")]),
        (with(&[list(pki, -15 * 3_600, 9 * 3_600)]), vec![("crl-goes-stale", "passed")]),
        // Its successor was due at 09:10, and the logs end at 09:30.
        (with(&[due]), vec![("crl-goes-stale", "failed")]),
        (with(&[list(pki, -8 * DAY, -DAY)]), vec![("crl-goes-stale", "not checked"), ("crl-stale-by-end-of-logs", "failed")]),
        // The client works at 13:00, three hours after the list at hand has ended, with checking on.
        ([&[working("PC1", true)][..], &presented(pki, &pki.leaf()), &[list(pki, -DAY, 3_600)]].concat(),
            vec![("crl-stale-by-end-of-logs", "passed")]),
        ([&[working("PC1", false)][..], &presented(pki, &pki.leaf()), &[list(pki, -DAY, 3_600)]].concat(),
            vec![("crl-stale-by-end-of-logs", "failed")]),
        (vec![failing("PC1"), joined(-DAY, DAY)], vec![("device-certificate-validity", "passed")]),
        (vec![failing("PC1"), joined(-9 * DAY, -DAY)], vec![("device-certificate-validity", "failed")]),
        (vec![failing("PC1"), joined(DAY, 9 * DAY)], vec![("device-certificate-validity", "failed")]),
        (vec![failing("PC1"), status("a399ea8a-73f9-4256-80ed-23e2329ffdd1")],
            vec![("device-id-matches-log", "passed"), ("device-certificate-validity", "not checked")]),
        (vec![failing("PC1"), status("11111111-2222-4333-8444-555555555555")], vec![("device-id-matches-log", "failed")]),
        (vec![failing("PC1"), status("none")], vec![("device-id-matches-log", "not checked")]),
        (vec![failing("PC1"), file("jwks.json", br#"{"keys": [{"kty": "RSA"}]}"#.to_vec())], vec![("key-set", "failed")]),
        (vec![failing("PC1"), file("jwks.json", br#"{"keys": [{"kty": "oct", "k": "AA"}, {"kty": "RSA", "e": "AQAB", "n": "w7Zdfmece8iaB0kiTY8pCtiBtzbptJmP28nSWwtdjRu0f2GFpajvWE4VhfJAjEsOcwYzay7XGN0b-X84BfC8hmCTOj2b2eHT7NsZegFPKRUQzJ9wW8ipn_aDJWMGDuB1XyqT1E7DYqjUCEOD1b4FLpy_xPn6oV_TYOfQ9fZdbE5HGxJUzekuGcOKqOQ8M7wfYHhHHLxGpQVgL0apWuP2gDDOdTtpuld4D2LK1MZK99s9gaSjRHE8JDb1Z4IGhEcEyzkxswVdPndUWzfvWBBWXWxtSUvQGBRkuy1BHOa4sP6FKjWEeeF7gm7UMs2Nm2QUgNZw6xvEDGaLk4KASdIxRQ"}]}"#.to_vec())],
            vec![("key-set", "passed")]),
    ]
}

/// Statuses that a check cannot have, and why.
const IMPOSSIBLE: [(&str, &str, &str); 3] = [
    ("expired-by-end-of-logs", "not checked", "a certificate says when it ends, and what is in a trail has an end"),
    ("crl-fetched", "failed", "that it was not fetched is the check 'crl-unreachable' of the chain"),
    ("key-set", "not checked", "a file is a key set or none"),
];

#[test]
fn every_check_of_artefacts_is_once_passed_once_failed_and_once_not_checked() {
    let pki = Pki::new();
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (number, (files, expected)) in cases(&pki).into_iter().enumerate() {
        let trail = read(&files);
        let own = trail.artefacts.iter().filter(|artefact| artefact.host.as_deref() != Some("PC2"));
        let checks: Vec<_> = own.flat_map(|artefact| &artefact.report.checks).collect();
        for (id, status) in expected {
            let found: BTreeSet<&str> =
                checks.iter().filter(|check| check.id == id).map(|check| check.status.as_str()).collect();
            assert_eq!(
                found,
                BTreeSet::from([status]),
                "case {number}: {id}: {:#?}",
                checks.iter().filter(|check| check.id == id).collect::<Vec<_>>()
            );
            seen.entry(id.to_owned()).or_default().insert(status);
        }
    }
    let mut wrong = Vec::new();
    for id in OF_TRAILS {
        for status in ["passed", "failed", "not checked"] {
            let possible = !IMPOSSIBLE.iter().any(|(known, cannot, _)| *known == id && *cannot == status);
            let found = seen.get(id).is_some_and(|statuses| statuses.contains(status));
            if found != possible {
                wrong.push(format!("{id} is {status}: seen {found}, possible {possible}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn warnings(files: &[File]) -> Vec<(String, String)> {
    let trail = read(files);
    let told = trail.findings.iter().filter(|finding| finding.severity == Severity::Warning);
    told.map(|finding| (finding.failure.clone(), finding.title.clone())).collect()
}

#[test]
fn what_has_ended_is_not_said_to_end_soon() {
    let pki = Pki::new();
    let of_leaf = |leaf: &Template| {
        let [leaf, issuing] = presented(&pki, leaf);
        warnings(&[working("PC1", false), leaf, issuing, root(&pki)])
    };
    let title = |failure: &str, text: &str| vec![(failure.to_owned(), text.to_owned())];
    let expired = "cmg-certificate-expired";
    assert_eq!(of_leaf(&lived(&pki, -400 * DAY, -DAY)), title(expired, "The CMG's certificate at hand has expired"));
    assert_eq!(of_leaf(&lived(&pki, -390 * DAY, 9 * DAY)), title(expired, "The CMG's certificate is about to expire"));
    assert_eq!(of_leaf(&lived(&pki, -300 * DAY, 90 * DAY)), []);

    let of_list = |from: i64, to: i64| {
        let [leaf, issuing] = presented(&pki, &pki.leaf());
        warnings(&[working("PC1", false), leaf, issuing, root(&pki), list(&pki, from, to)])
    };
    let stale = "crl-unreachable";
    let ended = "The newest revocation list at hand of the CMG certificate's CA has ended";
    let soon = "A revocation list of the CMG certificate's CA is about to go stale";
    assert_eq!(of_list(-8 * DAY, -DAY), title(stale, ended));
    assert_eq!(of_list(-7 * DAY, DAY / 4), title(stale, soon));
    assert_eq!(of_list(-DAY / 2, DAY / 2), []);
}

/// Checks of an artefact that failed.
fn refused<'a>(trail: &'a Trail, path: &str) -> Vec<&'a str> {
    let artefact = trail.artefacts.iter().find(|artefact| &*artefact.path == path).unwrap();
    artefact.report.checks.iter().filter(|check| check.status.as_str() == "failed").map(|check| &*check.id).collect()
}

#[test]
fn a_machine_that_was_answered_has_nothing_against_its_chain_because_another_is_intercepted() {
    let pki = Pki::new();
    let chain = |host: &str, leaf: Vec<u8>| file(&format!("client-{host}/presented/leaf.cer"), leaf);
    let own = pki.leaf().sign(&pki.issuing_key);
    let trail = read(&[
        failing("PC1"),
        chain("PC1", other_leaf()),
        working("PC2", false),
        chain("PC2", own.clone()),
        file("presented/cmg.contoso.com.cer", own),
    ]);
    assert!(refused(&trail, "client-PC1/presented/leaf.cer").contains(&"issuer-same-for-all"));
    assert!(!refused(&trail, "client-PC2/presented/leaf.cer").contains(&"issuer-same-for-all"));
    // What lies in no machine's folder is not held against the store of the one that failed.
    let of_all = trail.artefacts.iter().find(|artefact| artefact.host.is_none()).unwrap();
    assert!(
        of_all
            .report
            .checks
            .iter()
            .all(|check| check.id != "root-not-in-client-store" && check.id != "intermediate-missing")
    );
}

#[test]
fn a_token_that_ended_is_held_against_a_machine_of_which_something_failed_alone() {
    // NOW is 09:00 UTC; the working client's logs end at 13:02, the failing one fails at 09:30.
    let ended = |from: i64, to: i64| {
        let times = serde_json::json!({"iat": NOW + from, "nbf": NOW + from, "exp": NOW + to});
        device_token(times).into_bytes()
    };
    let token = |host: &str, from, to| file(&format!("client-{host}/token.jwt"), ended(from, to));
    let trail = read(&[working("PC1", false), token("PC1", 0, 3_600), failing("PC2"), token("PC2", -7_200, -3_600)]);
    assert!(!refused(&trail, "client-PC1/token.jwt").contains(&"expiry"));
    assert!(refused(&trail, "client-PC2/token.jwt").contains(&"expiry"));
    let hosts: BTreeSet<_> = trail.artefacts.iter().filter_map(|artefact| artefact.host.as_deref()).collect();
    assert_eq!(hosts, BTreeSet::from(["PC1", "PC2"]), "as the logs name them");
}

#[test]
fn what_cannot_be_read_is_listed_with_the_reason() {
    let mut files = vec![failing("PC1")];
    let named =
        ["stores/root.cer", "presented/cmg.pem", "crls/ca.crl", "t.jwt", "jwks.json", "dsregcmd.txt", "wpj.p7b"];
    for content in [&b""[..], b"x", b"nothing of the kind, in some words\n", &[0x30, 0x82, 0xff, 1, 2, 3, 4, 5, 0, 7]] {
        files.truncate(1);
        files.extend(named.map(|path| file(&format!("client-PC1/{path}"), content.to_vec())));
        let trail = read(&files);
        let listed: BTreeSet<&str> = trail.artefacts.iter().map(|artefact| &*artefact.path).collect();
        let expected: Vec<String> = named.iter().map(|path| format!("client-PC1/{path}")).collect();
        assert_eq!(listed, expected.iter().map(String::as_str).collect(), "{content:?}");
        for artefact in &trail.artefacts {
            assert_ne!(artefact.report.valid, Some(true), "{}", artefact.path);
            let told = artefact
                .report
                .checks
                .iter()
                .any(|check| check.status.as_str() != "passed" && !check.explanation.is_empty());
            assert!(told, "{}", artefact.path);
        }
        assert_eq!(trail.sources.len(), 1, "no artefact is a log");
    }
}

/// Prints what artefacts add to the diagnosis of a thousand runs of ccmsetup that failed, with a store of 300 roots. Run
/// with `-- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn a_thousand_flows_with_one_bundle() {
    let pki = Pki::new();
    let (path, log) = failing("PC1");
    let day = String::from_utf8(log).unwrap();
    let log: String = (0..1_000)
        .map(|day_of| {
            let date = jiff::civil::date(2024, 1, 1).checked_add(jiff::Span::new().days(day_of)).unwrap();
            day.replace("11-04-2026", &date.strftime("%m-%d-%Y").to_string())
        })
        .collect();
    let log = file(&path, log.into_bytes());
    let store: Vec<u8> = (0..300)
        .flat_map(|number| {
            let key = Key::new();
            let name = format!("Root {number}");
            let der = authority(&name, &key, &name, &key).sign(&key);
            crate::tokens::mint::pem("CERTIFICATE", &der).into_bytes()
        })
        .collect();
    for more in [vec![], [&presented(&pki, &pki.leaf())[..], &[file("client-PC1/stores/root.pem", store)]].concat()] {
        let files = [&[log.clone()][..], &more].concat();
        let begun = std::time::Instant::now();
        let trail = read(&files);
        eprintln!("{} flows, {} artefacts: {:?}", trail.flows.len(), trail.artefacts.len(), begun.elapsed());
    }
}
