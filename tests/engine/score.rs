//! The engine on simulated sites, with the judgement of `make score`: a floor for what is found, and no false alarms.

#[path = "../../benches/score/causes.rs"]
#[allow(dead_code)] // the benchmark prints more than is asserted here
mod causes;
#[path = "../../benches/score/clock.rs"]
mod clock;
#[path = "../../benches/score/damage.rs"]
mod damage;
#[path = "../../benches/score/flows.rs"]
#[allow(dead_code)] // as above
mod flows;
#[path = "../../benches/score/matrix.rs"]
mod matrix;
#[path = "../../benches/score/site.rs"]
#[allow(dead_code)] // as above
mod site;
#[path = "../../benches/score/tally.rs"]
#[allow(dead_code)] // as above
mod tally;

use cmgtrail::finding::Severity;
use cmgtrail::simulate::{FaultKind, Noise, OutputFile, Plan, faults, in_memory};
use rayon::prelude::*;

use causes::Verdict;
use damage::{Damage, is_log};
use matrix::{Trial, VIEWS};

/// Faults that are not the first cause in every view, with the least that each view must reach, and why.
const LESS: [(&str, [Verdict; 3], &str); 0] = [];

#[test]
fn every_fault_is_found_as_well_as_it_ever_was_and_nobody_else_is_blamed() {
    let kinds: Vec<&'static FaultKind> = faults().collect();
    let short: Vec<String> = kinds
        .into_par_iter()
        .flat_map_iter(|kind| {
            let trial = Trial::of(kind, 2).unwrap();
            let less = LESS.iter().find(|(id, ..)| *id == kind.id).map_or([Verdict::First; 3], |(_, least, _)| *least);
            let mut short = Vec::new();
            for view in 0..3 {
                if trial.verdicts[view] > less[view] {
                    let first = trial.firsts[view].as_deref().unwrap_or("nothing");
                    short.push(format!("{}, {}: {first} is said first", kind.id, VIEWS[view]));
                }
                if trial.false_alarms[view] > 0 {
                    short.push(format!("{}, {}: {} false alarms", kind.id, VIEWS[view], trial.false_alarms[view]));
                }
            }
            if !trial.predicted {
                short.push(format!("{}: not predicted at its stage", kind.id));
            }
            if trial.disagree > 0 || trial.agree == 0 {
                short.push(format!(
                    "{}: prediction and logs agree on {} stages and not on {}",
                    kind.id, trial.agree, trial.disagree
                ));
            }
            if !trial.blind_disagrees {
                short.push(format!("{}: the logs do not contradict the healthy twin's description", kind.id));
            }
            short
        })
        .collect();
    assert!(short.is_empty(), "{short:#?}");
}

#[test]
fn whatever_happens_to_the_logs_of_a_healthy_site_no_error_is_said() {
    let sites: Vec<(u64, Option<Damage>)> = (1..=6)
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
                noise: Noise::Bytes(300_000),
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
    let text = |files: &[OutputFile], path: &str, line: u32| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        let line = file.bytes.split_inclusive(|byte| *byte == b'\n').nth(usize::try_from(line).unwrap() - 1).unwrap();
        String::from_utf8(line.to_vec()).unwrap()
    };
    for damage in Damage::ALL {
        let damaged = damage.apply(&simulated.files, 5);
        let (mut kept, mut lost, mut changed) = (0, 0, 0);
        for line in simulated.truth.flows.iter().flat_map(|flow| &flow.lines) {
            let Some(number) = damaged.line(&line.source, line.line) else {
                lost += 1;
                continue;
            };
            kept += 1;
            let (before, after) =
                (text(&simulated.files, &line.source, line.line), text(&damaged.files, &line.source, number));
            changed += usize::from(before != after);
            assert_eq!(before.len(), after.len(), "{damage:?} {before}{after}");
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
