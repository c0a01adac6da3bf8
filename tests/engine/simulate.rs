//! The simulator: what it writes is what it says it wrote, and what the engine makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Severity;
use cmgtrail::simulate::{self, Fault, Noise, Plan, Proof, Simulated, in_memory};
use rayon::prelude::*;

fn plan(seed: u64, faults: &[&str]) -> Plan {
    let faults = faults.iter().map(|fault| Fault::parse(fault).unwrap()).collect();
    Plan { clients: 5, hours: 3.0, seed, faults, ..Plan::default() }
}

fn files(simulated: &Simulated) -> BTreeMap<&str, &[u8]> {
    simulated.files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect()
}

fn is_log(path: &str) -> bool {
    path.ends_with(".log") || path.ends_with(".lo_")
}

/// Reads those of the files that `wanted` takes.
fn read(simulated: &Simulated, wanted: impl Fn(&str) -> bool) -> Trail {
    let folder = tempfile::tempdir().unwrap();
    for file in simulated.files.iter().filter(|file| wanted(&file.path)) {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
    Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap()
}

fn errors(trail: &Trail) -> Vec<&str> {
    let errors = trail.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.failure.as_str()).collect()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let noisy = |seed| Plan { noise: Noise::Bytes(100_000), ..plan(seed, &["crl-unreachable=40%"]) };
    let (one, two, other) = (in_memory(&noisy(1)), in_memory(&noisy(1)), in_memory(&noisy(2)));
    let (one, two, other) = (one.unwrap(), two.unwrap(), other.unwrap());
    assert_eq!(files(&one), files(&two));
    let noise = |simulated: &Simulated| simulated.noise().map(|file| (file.path, file.bytes)).collect::<Vec<_>>();
    assert_eq!(noise(&one), noise(&two));
    let json = |simulated: &Simulated| serde_json::to_string(&simulated.truth).unwrap();
    assert_eq!(json(&one), json(&two));
    let hosts = |simulated: &Simulated| simulated.truth.offsets.keys().cloned().collect::<BTreeSet<_>>();
    assert!(hosts(&one).is_disjoint(&hosts(&other)) || hosts(&one) != hosts(&other));
}

/// How the engine fares on one fault, one seed and one choice of files.
struct Seen {
    /// The fault stands first among the errors.
    first: bool,
    /// It is among them.
    among: bool,
    others: Vec<String>,
}

fn seen(trail: &Trail, fault: &str) -> Seen {
    let errors = errors(trail);
    Seen {
        first: errors.first() == Some(&fault),
        among: errors.contains(&fault),
        others: errors.iter().filter(|other| **other != fault).map(|other| (*other).to_owned()).collect(),
    }
}

#[test]
#[ignore = "a table to look at: minutes of work"]
fn table_of_faults() {
    let seeds: u64 = std::env::var("CMGTRAIL_SIMULATE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    let only = std::env::var("CMGTRAIL_SIMULATE_FAULT").unwrap_or_default();
    let kinds: Vec<_> = simulate::faults().filter(|kind| kind.id.contains(&only)).collect();
    let rows: Vec<String> = kinds
        .par_iter()
        .map(|kind| {
            let mut row = format!("{:<38} {:?}", kind.id, kind.proof);
            let mut seen_by_view: [Vec<Seen>; 3] = Default::default();
            let mut broken = 0;
            for seed in 1..=seeds {
                let simulated = in_memory(&plan(seed, &[kind.id])).unwrap();
                let hit: Vec<_> = simulated.truth.flows.iter().filter(|flow| flow.fault == Some(kind.id)).collect();
                broken += hit.len();
                let Some(flow) = hit.first() else { continue };
                let folder = format!("client-{}/", flow.client);
                let views = [
                    read(&simulated, |path| path.starts_with(&folder) && is_log(path)),
                    read(&simulated, is_log),
                    read(&simulated, |path| path != "site.toml"),
                ];
                for (view, trail) in seen_by_view.iter_mut().zip(&views) {
                    view.push(seen(trail, kind.id));
                }
            }
            row += &format!(" {broken:>4} flows");
            for view in &seen_by_view {
                let count = |what: fn(&Seen) -> bool| view.iter().filter(|seen| what(seen)).count();
                let others: BTreeSet<&str> = view.iter().flat_map(|seen| &seen.others).map(String::as_str).collect();
                row += &format!(" | {} {} {others:?}", count(|seen| seen.first), count(|seen| seen.among));
            }
            row
        })
        .collect();
    println!("fault, proof, flows broken | first, among, others: the client's logs | all logs | artefacts too");
    rows.iter().for_each(|row| println!("{row}"));
    let _ = Proof::S;
}

#[test]
fn a_healthy_site_has_no_finding_of_severity_error() {
    for seed in 1..=4 {
        let simulated = in_memory(&plan(seed, &[])).unwrap();
        assert!(simulated.truth.flows.iter().all(|flow| flow.broke_at.is_none()));
        let logs = read(&simulated, is_log);
        assert_eq!(errors(&logs), Vec::<&str>::new(), "seed {seed}, logs");
        let all = read(&simulated, |path| path != "site.toml");
        assert_eq!(errors(&all), Vec::<&str>::new(), "seed {seed}, with artefacts");
    }
}

#[test]
fn write_one_out() {
    let Ok(out) = std::env::var("CMGTRAIL_SIMULATE_OUT") else { return };
    let faults = std::env::var("CMGTRAIL_SIMULATE_FAULTS").unwrap_or_default();
    let faults: Vec<&str> = faults.split(',').filter(|fault| !fault.is_empty()).collect();
    let seed = std::env::var("CMGTRAIL_SIMULATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let summary = in_memory(&plan(seed, &faults)).unwrap().write(Path::new(&out)).unwrap();
    println!("{summary:?}");
}
