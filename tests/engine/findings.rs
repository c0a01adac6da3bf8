//! What findings tell beside their cause: what follows from it, and since when it is seen.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Finding;

fn logs(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(case).join("logs")
}

fn read(folder: &Path) -> Trail {
    Trail::read(&[folder.to_owned()], ReadOptions::default(), &Silent).unwrap()
}

fn finding<'t>(trail: &'t Trail, failure: &str) -> Option<&'t Finding> {
    trail.findings.iter().find(|finding| finding.failure == failure)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(path, target).unwrap();
        }
    }
}

/// A gateway that nobody can connect to is gone for the connection point as well: its ports are no second cause.
#[test]
fn what_a_gone_gateway_does_to_the_connection_point_is_listed_under_it() {
    let trail = read(&logs("gateway-gone-for-clients-and-connection-point"));
    let gone = finding(&trail, "cmg-stopped-by-traffic-limit").unwrap();
    assert!(gone.consequences.iter().any(|id| id == "connector-ports-blocked"), "{:?}", gone.consequences);
    assert!(finding(&trail, "connector-ports-blocked").is_none());
}

/// What the management point answered before is evidence that only its token service is missing, and no sign of it.
#[test]
fn a_fault_is_first_seen_where_something_fails() {
    let folder = tempfile::tempdir().unwrap();
    copy(&logs("sts-not-running"), folder.path());
    let rows = folder.path().join("mp-LKMP/W3SVC1/u_ex260402.log");
    let text = std::fs::read_to_string(&rows).unwrap();
    let (header, row) = text.lines().partition::<Vec<&str>, _>(|line| line.starts_with('#'));
    let answered = row.iter().find(|row| row.contains("/ccm_system_tokenauth/request")).unwrap();
    let earlier = answered.replace("2026-04-02 08:", "2026-04-02 07:");
    let all = [header, vec![earlier.as_str()], row].concat();
    std::fs::write(&rows, all.join("\r\n") + "\r\n").unwrap();
    let trail = read(folder.path());
    let found = finding(&trail, "sts-not-running").unwrap();
    assert!(found.evidence.iter().any(|line| line.text == earlier), "it is evidence: {:?}", found.evidence);
    let seen = cmgtrail::time::rfc3339(found.first_seen.unwrap());
    assert!(seen.starts_with("2026-04-02T08:"), "{seen}");
}
