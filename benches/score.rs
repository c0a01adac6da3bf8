//! How well sites are read whose truth is known: flows, stages and causes, before and after damage.
//!
//! `cargo bench --features simulate --bench score` simulates 20 random sites (`CMGTRAIL_SCORE_SITES` for another number,
//! `CMGTRAIL_SCORE_SEED` for the first seed), reads them with the engine and prints precision and recall; then it puts
//! every fault into three sites. `CMGTRAIL_SCORE_FAULT` looks at the faults of that name alone, and says which first
//! causes they get.
//!
//! The headline counts causes whose traces stand in a public source. What a simulator proves is that lines are joined
//! and judged as the workflow has it, not how Configuration Manager words them.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "score/causes.rs"]
mod causes;
#[path = "score/clock.rs"]
mod clock;
#[path = "score/damage.rs"]
mod damage;
#[path = "score/flows.rs"]
mod flows;
#[path = "score/matrix.rs"]
mod matrix;
#[path = "score/site.rs"]
mod site;
#[path = "score/tally.rs"]
mod tally;

use std::collections::BTreeMap;

use cmgtrail::simulate::{FaultKind, OutputFile, Proof, Simulated, faults, in_memory};
use rayon::prelude::*;

use causes::{CauseScore, Verdict};
use damage::{Damage, Damaged};
use flows::{FlowScore, Matching};
use matrix::{Trial, VIEWS};

fn main() {
    let only = std::env::var("CMGTRAIL_SCORE_FAULT").ok();
    if only.is_none() {
        score_sites(number("CMGTRAIL_SCORE_SITES", 20), number("CMGTRAIL_SCORE_SEED", 1));
    }
    score_faults(only.as_deref());
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What came out of one choice of files, over all sites.
#[derive(Default)]
struct Score {
    flows: FlowScore,
    causes: CauseScore,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.flows += other.flows;
        self.causes.add(other.causes);
    }

    fn of(simulated: &Simulated, damaged: &Damaged) -> Self {
        let noise: Vec<OutputFile> = simulated.noise().collect();
        let Some(trail) = site::read(damaged.files.iter().chain(&noise)) else { return Self::default() };
        let matching = Matching::of(&simulated.truth, damaged, &trail);
        let flows = FlowScore::of(&simulated.truth, &matching, &trail);
        Self { flows, causes: CauseScore::of(&simulated.truth, &matching, &trail) }
    }
}

/// Random sites, sound and damaged.
fn score_sites(sites: u64, first: u64) {
    let ways: Vec<(&str, Option<Damage>, bool)> = [("all logs, artefacts too", None, true), ("all logs", None, false)]
        .into_iter()
        .chain(Damage::ALL.map(|damage| (damage.name(), Some(damage), false)))
        .collect();
    let scores: Vec<Vec<Score>> = (first..first + sites)
        .into_par_iter()
        .map(|seed| {
            let simulated = in_memory(&site::plan(seed)).unwrap();
            let way = |(_, damage, artefacts): &(&str, Option<Damage>, bool)| {
                let wanted = |path: &str| path != "site.toml" && (*artefacts || damage::is_log(path));
                let files: Vec<OutputFile> =
                    simulated.files.iter().filter(|file| wanted(&file.path)).cloned().collect();
                let damaged = damage.map_or_else(|| Damaged::not(&files), |damage| damage.apply(&files, seed));
                Score::of(&simulated, &damaged)
            };
            ways.iter().map(way).collect()
        })
        .collect();
    let mut sums: Vec<Score> = ways.iter().map(|_| Score::default()).collect();
    for score in scores {
        for (sum, one) in sums.iter_mut().zip(score) {
            sum.add(one);
        }
    }
    println!("{sites} random sites, seeds from {first}: precision / recall (said, true)\n");
    for ((name, ..), score) in ways.iter().zip(&sums) {
        show(name, score);
    }
}

fn show(name: &str, score: &Score) {
    let (flows, causes) = (&score.flows, &score.causes);
    println!("{name}");
    println!("    flows            {}", flows.found.shown());
    let (kind, outcome) = (flows.kind, flows.outcome);
    println!(
        "      kind, outcome  {} and {} of those found",
        tally::share(kind.right, kind.said),
        tally::share(outcome.right, outcome.said)
    );
    println!("    stages failed    {}", flows.failed.shown());
    let mut wrong: Vec<_> = flows.wrong.iter().collect();
    wrong.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (what, count) in wrong.iter().take(12) {
        println!("      {count:>4} {what}");
    }
    println!("    stages passed    {}", flows.passed.shown());
    println!("    causes, proof S  {}", causes.proven.shown());
    println!("    causes, apart    {}", causes.unproven.shown());
    println!("    false alarms     {} in {} flows in which nothing is wrong", causes.false_alarms, causes.sound);
    let mut wrong: Vec<_> = causes.wrong.iter().collect();
    wrong.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for ((fault, first), count) in wrong.iter().take(12) {
        println!("      {count:>4} {fault}: {first}");
    }
}

/// Every fault on three sites.
fn score_faults(only: Option<&str>) {
    let kinds: Vec<&'static FaultKind> =
        faults().filter(|kind| only.is_none_or(|only| kind.id.contains(only))).collect();
    let rows: Vec<(&FaultKind, Vec<Trial>)> =
        kinds.into_par_iter().map(|kind| (kind, (1..=3).filter_map(|seed| Trial::of(kind, seed)).collect())).collect();
    println!("\nEvery fault on three sites: 1 named first, n a neighbour is and both are possible, x another, - none");
    println!(
        "{:<38} {:<5} {:<14} {:<9} {:<14} predicted, stages agree/not, twin disagrees",
        "fault", "proof", VIEWS[0], VIEWS[1], VIEWS[2]
    );
    for (kind, trials) in &rows {
        row(kind, trials, only.is_some());
    }
    for proofs in [&[Proof::S][..], &[Proof::I, Proof::P]] {
        let of: Vec<&Trial> =
            rows.iter().filter(|(kind, _)| proofs.contains(&kind.proof)).flat_map(|(_, trials)| trials).collect();
        let right = [0, 1, 2].map(|view| of.iter().filter(|trial| trial.verdicts[view].is_right()).count());
        let alarms = [0, 1, 2].map(|view| of.iter().map(|trial| trial.false_alarms[view]).sum::<usize>());
        println!("proof {proofs:?}: right {right:?} of {}, false alarms {alarms:?}", of.len());
    }
}

fn row(kind: &FaultKind, trials: &[Trial], in_full: bool) {
    let letters = [0, 1, 2].map(|view| trials.iter().map(|trial| letter(trial.verdicts[view])).collect::<String>());
    let count = |is: fn(&Trial) -> bool| trials.iter().filter(|trial| is(trial)).count();
    let sum = |of: fn(&Trial) -> usize| trials.iter().map(of).sum::<usize>();
    let proof = format!("{:?}", kind.proof);
    println!(
        "{:<38} {proof:<5} {:<14} {:<9} {:<14} {} {}/{} {}{}",
        kind.id,
        letters[0],
        letters[1],
        letters[2],
        count(|trial| trial.predicted),
        sum(|trial| trial.agree.len()),
        sum(|trial| trial.disagree.len()),
        count(|trial| trial.blind_disagrees),
        if sum(|trial| trial.false_alarms.iter().sum()) > 0 { "  FALSE ALARMS" } else { "" },
    );
    for trial in trials.iter().filter(|trial| in_full && !trial.disagree.is_empty()) {
        println!("    prediction and logs disagree at {:?}", trial.disagree);
    }
    for view in (0..3).filter(|_| in_full) {
        let mut firsts: BTreeMap<&str, usize> = BTreeMap::new();
        for trial in trials {
            *firsts.entry(trial.firsts[view].as_deref().unwrap_or("silence")).or_default() += 1;
        }
        println!("    {}: {firsts:?}", VIEWS[view]);
    }
}

fn letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::First => '1',
        Verdict::Neighbour => 'n',
        Verdict::Wrong => 'x',
        Verdict::Silent => '-',
    }
}
