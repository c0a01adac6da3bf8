//! The engine on simulated sites, with the judgement of `make score`: a floor for what is found, and no false alarms.

#[path = "../../benches/score/causes.rs"]
#[allow(dead_code)] // the benchmark prints more than is asserted here
mod causes;
#[path = "../../benches/score/clock.rs"]
mod clock;
#[path = "../../benches/score/damage.rs"]
#[allow(dead_code)] // as above
mod damage;
#[path = "../../benches/score/flows.rs"]
#[allow(dead_code)] // as above
mod flows;
#[path = "../../benches/score/matrix.rs"]
#[allow(dead_code)] // as above
mod matrix;
#[path = "../../benches/score/site.rs"]
#[allow(dead_code)] // as above
mod site;
#[path = "../../benches/score/tally.rs"]
#[allow(dead_code)] // as above
mod tally;

use std::collections::BTreeMap;

use cmgtrail::finding::Severity;
use cmgtrail::simulate::{FaultKind, Noise, OutputFile, Plan, faults, in_memory};
use rayon::prelude::*;

use causes::Verdict;
use damage::{Damage, is_log};
use matrix::{Trial, VIEWS};

use Verdict::{First, Neighbour, Wrong};

/// Faults that are not the first cause in every view, with the least that each view must reach, and why.
const LESS: [(&str, [Verdict; 3], &str); 10] = [
    ("cmg-certificate-expired", [Neighbour, First, First], "one client alone: its clock may be wrong"),
    ("tls-interception", [Neighbour, Neighbour, First], "the issuer that was presented is in no log"),
    ("wpj-certificate-missing", [Neighbour, Neighbour, First], "its text is not public: the tenant may be the cause"),
    ("token-clock-skew", [Neighbour, First, First], "the client sees a 401, which has many causes"),
    ("client-chain-incomplete-on-cmg", [Neighbour; 3], "nothing tells it from a check that was turned on"),
    ("connector-ports-blocked", [Neighbour, First, First], "the client sees no status: connector-down is as possible"),
    (
        "connector-role-certificate-missing",
        [Wrong, First, First],
        "the client sees no status: connector-down stands for it",
    ),
    ("connector-client-certificate-missing", [Neighbour, First, First], "the connection point's log tells it"),
    ("sts-library-mismatch", [Neighbour, First, First], "the client sees a 500, which may come from all of IIS"),
    ("sts-not-running", [Wrong, First, First], "the client sees no status: connector-down is as possible"),
];

/// Faults whose refusal the client's log does not show: the stage at which a flow of theirs broke is open.
const NOT_SHOWN: [&str; 7] = [
    "wpj-certificate-missing",
    "os-too-old-for-device-token",
    "connector-ports-blocked",
    "connector-role-certificate-missing",
    "connector-down",
    "sts-not-running",
    "mp-cannot-reach-entra",
];

#[test]
fn every_fault_is_found_as_well_as_it_ever_was_and_nobody_else_is_blamed() {
    let kinds: Vec<&'static FaultKind> = faults().collect();
    let short: Vec<String> = kinds
        .into_par_iter()
        .flat_map_iter(|kind| {
            let trial = Trial::of(kind, 2).unwrap();
            let less = LESS.iter().find(|(id, ..)| *id == kind.id).map_or([First; 3], |(_, least, _)| *least);
            let mut short = Vec::new();
            for view in 0..3 {
                if trial.verdicts[view] > less[view] {
                    let first = trial.firsts[view].as_deref().unwrap_or("nothing");
                    short.push(format!("{}, {}: {first} is said first", kind.id, VIEWS[view]));
                }
                if trial.verdicts[view] < less[view] {
                    let is = trial.verdicts[view];
                    short.push(format!("{}, {}: {is:?}, better than is listed", kind.id, VIEWS[view]));
                }
                if trial.false_alarms[view] > 0 {
                    short.push(format!("{}, {}: {} false alarms", kind.id, VIEWS[view], trial.false_alarms[view]));
                }
            }
            if !trial.predicted {
                short.push(format!("{}: not predicted at its stage", kind.id));
            }
            let shown = !NOT_SHOWN.contains(&kind.id);
            if shown && !trial.agree.contains(&kind.stage) {
                short.push(format!("{}: prediction and logs do not agree at {:?}", kind.id, kind.stage));
            }
            if shown && !trial.blind_disagrees {
                short.push(format!("{}: the logs do not contradict the healthy twin's description", kind.id));
            }
            short
        })
        .collect();
    assert!(short.is_empty(), "{short:#?}");
}

#[test]
fn whatever_happens_to_the_logs_of_a_healthy_site_no_error_is_said() {
    let sites: Vec<(u64, Option<Damage>)> = (1..=3)
        .flat_map(|seed| std::iter::once(None).chain(Damage::ALL.map(Some)).map(move |damage| (seed, damage)))
        .collect();
    let alarms: Vec<String> = sites
        .into_par_iter()
        .flat_map_iter(|(seed, damage)| {
            let plan = Plan {
                clients: 6,
                hours: 3.0,
                seed,
                skew_seconds: [0, 60, 600][usize::try_from(seed % 3).unwrap()],
                noise: Noise::Bytes(100_000),
                ..Plan::default()
            };
            let simulated = in_memory(&plan).unwrap();
            let noise = simulated.noise().collect::<Vec<_>>();
            // Artefacts on every other site.
            let files: Vec<OutputFile> = simulated
                .files
                .iter()
                .filter(|file| is_log(&file.path) || (seed % 2 == 0 && file.path != "site.toml"))
                .chain(&noise)
                .cloned()
                .collect();
            let files = damage.map_or_else(|| files.clone(), |damage| damage.apply(&files, seed).files);
            let trail = site::read(files.iter()).unwrap();
            let errors = trail.findings.into_iter().filter(|finding| finding.severity == Severity::Error);
            errors.map(move |error| format!("seed {seed}, {damage:?}: {} {:?}", error.failure, error.confidence))
        })
        .collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn damage_says_where_lines_have_gone() {
    let simulated = in_memory(&Plan { clients: 3, hours: 1.0, seed: 5, ..Plan::default() }).unwrap();
    let lines = |files: &[OutputFile]| -> BTreeMap<String, Vec<Vec<u8>>> {
        let split = |file: &OutputFile| file.bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        files.iter().filter(|file| is_log(&file.path)).map(|file| (file.path.clone(), split(file))).collect()
    };
    let sound = lines(&simulated.files);
    let at = |number: u32| usize::try_from(number).unwrap() - 1;
    for damage in Damage::ALL {
        let damaged = damage.apply(&simulated.files, 5);
        let left = lines(&damaged.files);
        let (mut kept, mut lost, mut changed) = (0, 0, 0);
        for line in simulated.truth.flows.iter().flat_map(|flow| &flow.lines) {
            let Some(number) = damaged.line(&line.source, line.line) else {
                lost += 1;
                continue;
            };
            kept += 1;
            let (before, after) = (&sound[&line.source][at(line.line)], &left[&line.source][at(number)]);
            changed += usize::from(before != after);
            assert_eq!(before.len(), after.len(), "{damage:?} {}:{}", line.source, line.line);
        }
        assert!(kept > 100, "{damage:?}");
        let of = |part: usize, whole: usize| part * 100 / whole;
        match damage {
            Damage::Dropped => assert!((5..15).contains(&of(lost, kept + lost)) && changed == 0),
            Damage::Reordered => assert!(lost == 0 && changed == 0),
            Damage::Truncated | Damage::Missing => assert!(lost > 0 && changed == 0),
            Damage::Reworded => assert!(lost == 0 && (3..12).contains(&of(changed, kept)), "{changed} of {kept}"),
            Damage::ClockSet => assert!(lost == 0 && changed > 0),
        }
    }
}
