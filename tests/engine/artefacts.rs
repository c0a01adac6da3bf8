//! Artefacts of a trail: what is listed, what never leaves, and what junk does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cmgtrail::artefacts::Part;
use cmgtrail::certs::RULES;
use cmgtrail::certs::dsregcmd::CHECKS as OF_DEVICE;
use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::knowledge::{ARTEFACT_KINDS, Condition, Knowledge};
use cmgtrail::tokens::CHECKS;

/// Checks that only the artefacts of a trail have (docs/bundle.md).
pub const OF_TRAILS: [&str; 13] = [
    "chain-ends-in-client-store",
    "issuer-same-for-all",
    "issuer-genuine",
    "expires-soon",
    "expired-by-end-of-logs",
    "clock-behind-certificate",
    "crl-fetched",
    "crl-goes-stale",
    "crl-stale-by-end-of-logs",
    "device-certificate-validity",
    "device-id-matches-log",
    "lists-fetched",
    "key-set",
];

/// A token as one could be presented: three parts, the last a signature.
const TOKEN: &str = concat!(
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6Im1hZGUtdXAifQ.",
    "eyJhdWQiOiJodHRwczovL0NvbmZpZ01nclNlcnZpY2UiLCJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC94LyIsImV4cCI6MTc5MzgwMDAwMH0.",
    "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWUtYXMtaXQtb3BlbnMtdGhlLWRvb3ItdG8tdGhlLXNpdGU",
);

fn corpus(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(case).join("logs")
}

fn read(paths: &[PathBuf]) -> Trail {
    Trail::read(paths, ReadOptions::default(), &Silent).unwrap()
}

/// A copy of a case's logs, with more files in it.
fn with_files(case: &str, files: &[(&str, &[u8])]) -> (tempfile::TempDir, Trail) {
    let folder = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(corpus(case)) {
        let entry = entry.unwrap();
        let to = folder.path().join(entry.path().strip_prefix(corpus(case)).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(to).unwrap();
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
    for (path, bytes) in files {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
    let trail = read(&[folder.path().to_owned()]);
    (folder, trail)
}

#[test]
fn each_artefact_is_listed_with_its_machine_its_part_and_the_time_of_the_failure() {
    let trail = read(&[corpus("artefact-root-absent-from-store")]);
    let listed: Vec<_> = trail
        .artefacts
        .iter()
        .map(|artefact| (&*artefact.path, artefact.part, artefact.host.as_deref(), artefact.at.is_some()))
        .collect();
    let chain = "client-ADW-L-118/presented/cmg.adventure-works.com.pem";
    let host = Some("ADW-L-118");
    assert_eq!(
        listed,
        [
            (chain, Some(Part::Presented), host, true),
            ("client-ADW-L-118/stores/root.pem", Some(Part::RootStore), host, false),
        ]
    );
    let json = serde_json::to_value(trail.document()).unwrap();
    let artefact = &json["artefacts"][0];
    assert_eq!((artefact["path"].as_str(), artefact["kind"].as_str()), (Some(chain), Some("certificate")));
    // The log's last request failed on 2026-03-12 at 09:22:37 of UTC+1.
    assert!(artefact["at"].as_str().unwrap().starts_with("2026-03-12T08:22:3"), "{}", artefact["at"]);
    assert_eq!(artefact["report"]["kind"], "certificate-chain");
    assert_eq!(artefact["report"]["valid"], false);
}

#[test]
fn what_is_at_hand_is_not_missing() {
    let asks = |trail: &Trail| {
        let finding = trail.findings.iter().find(|finding| finding.failure == "cmg-root-ca-missing").unwrap();
        finding.missing.iter().any(|missing| missing.what.contains("the certificate chain that"))
    };
    assert!(asks(&read(&[corpus("root-missing-mask-8")])));
    let trusted = read(&[corpus("artefact-root-in-store")]);
    assert!(!asks(&trusted));
    for finding in &trusted.findings {
        let again = finding
            .missing
            .iter()
            .any(|missing| missing.what.contains("fails") || missing.what.contains("next attempt"));
        assert!(again, "{}: neither chain nor store decided, so another chain is asked for", finding.failure);
        assert!(!finding.remedy.starts_with("Deliver"), "the root is in the store already");
    }
}

#[test]
fn no_output_holds_a_whole_token() {
    let logs = "artefact-token-for-another-app";
    let planted = std::fs::read_to_string(corpus(logs).join("client-CON-L-44/tokens/device.jwt")).unwrap();
    let files: [(&str, &[u8]); 3] =
        [("client-CON-L-44/a.jwt", TOKEN.as_bytes()), ("b.jwt", TOKEN.as_bytes()), ("mp-MP01/c.txt", TOKEN.as_bytes())];
    let (_folder, trail) = with_files(logs, &files);
    assert_eq!(trail.artefacts.iter().filter(|artefact| artefact.part == Some(Part::Token)).count(), 4);
    let json = serde_json::to_string(&trail.document()).unwrap();
    for token in [TOKEN, planted.trim()] {
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        for part in [token, header, claims, signature] {
            assert!(!json.contains(part), "the output holds {}…", &part[..20]);
        }
    }
    assert!(json.contains("https://ConfigMgrService-old"), "claims may be shown");
}

#[test]
fn junk_is_told_and_stops_nothing() {
    let cut_off = [0x30, 0x03, 0xA0, 3, 2, 1];
    let der = [&[0x30, 8, 0x30, 6][..], &cut_off[2..], &[0, 0]].concat();
    let files: [(&str, &[u8]); 7] = [
        ("client-PC042/presented/cmg.cer", &der),
        ("client-PC042/presented/cmg.pem", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ("client-PC042/stores/root.pem", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
        ("client-PC042/crls/ca.crl", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
        ("client-PC042/crls/fetched.json", b"{\"keys\": [1, {\"url\": 5}], \"x\": null}"),
        ("client-PC042/jwks.json", b"{\"keys\": [{\"kty\": \"RSA\"}]}"),
        ("client-PC042/dsregcmd.txt", b"+---+\n AzureAdJoined : MAYBE\n"),
    ];
    let plain = read(&[corpus("root-missing-mask-8")]);
    let (_folder, trail) = with_files("root-missing-mask-8", &files);
    assert_eq!(trail.artefacts.len(), files.len(), "each is listed");
    for artefact in &trail.artefacts {
        assert_ne!(artefact.report.valid, Some(true), "{}", artefact.path);
        assert!(artefact.report.checks.iter().any(|check| !check.explanation.is_empty()), "{}", artefact.path);
    }
    let told = |trail: &Trail| -> Vec<_> {
        trail.findings.iter().map(|finding| (finding.failure.clone(), finding.confidence)).collect()
    };
    assert_eq!(told(&trail), told(&plain), "junk proves nothing");
}

#[test]
fn contradicting_device_ids_are_told() {
    let status = b"+---+\n| Device State |\n AzureAdJoined : YES\n DomainJoined : NO\n DeviceId : 11111111-2222-4333-8444-555555555555\n";
    let (_folder, trail) =
        with_files("artefact-token-for-another-app", &[("client-CON-L-44/dsregcmd.txt", status.as_slice())]);
    let finding = &trail.findings[0];
    assert_eq!(finding.failure, "token-audience-or-issuer-refused");
    for value in ["contradict", "11111111-2222-4333-8444-555555555555", "a325103b-4ce0-415d-83a6-cb1283559a29"] {
        assert!(finding.explanation.contains(value), "{value}: {}", finding.explanation);
    }
}

#[test]
fn the_store_of_another_machine_proves_nothing() {
    let case = "artefact-root-absent-from-store";
    let chain = std::fs::read(corpus(case).join("client-ADW-L-118/presented/cmg.adventure-works.com.pem")).unwrap();
    let (_folder, trail) = with_files(case, &[("client-OTHER/stores/root.pem", chain.as_slice())]);
    let root = trail.findings.iter().find(|finding| finding.failure == "cmg-root-ca-missing").unwrap();
    assert_eq!(root.confidence, cmgtrail::finding::Confidence::Certain);
}

#[test]
fn conditions_on_artefacts_name_what_there_is() {
    let known: BTreeSet<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .chain(CHECKS.iter().map(|check| check.id))
        .chain(OF_TRAILS)
        .chain(OF_DEVICE)
        .collect();
    let parts = ["presented", "root-store", "revocation-list", "join-status"];
    for failure in Knowledge::builtin().failures() {
        let rules = failure.when.iter();
        let conditions = rules.flat_map(|when| when.requires.iter().chain(&when.supports).chain(&when.excludes));
        for condition in conditions {
            let Condition::Artefact(shape) = condition else { continue };
            assert!(ARTEFACT_KINDS.contains(&shape.kind.as_str()), "{}: {}", failure.id, shape.kind);
            assert!(!shape.check.is_empty() || shape.explains.is_some(), "{} asks nothing", failure.id);
            for check in &shape.check {
                assert!(known.contains(check.as_str()), "{}: no check is called {check}", failure.id);
            }
        }
        for part in failure.missing.iter().flat_map(|missing| missing.artefact.iter().chain(&missing.after)) {
            assert!(parts.contains(&part.as_str()), "{}: no part is called {part}", failure.id);
        }
    }
}
