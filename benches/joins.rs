//! How well lines of several machines are joined, on simulated sites, beside a greedy join and an oracle.
//!
//! `cargo bench --features simulate --bench joins`. What it takes from the environment:
//! - `CMGTRAIL_BENCH_HOURS`: simulated hours of each site, 1 unless said;
//! - `CMGTRAIL_BENCH_RATE`: only the site with so many messages a second;
//! - `CMGTRAIL_BENCH_SET`: share of the clocks that are set in the middle, 0.05 unless said;
//! - `CMGTRAIL_BENCH_MISTAKES`: prints so many mistakes of each kind, with the lines;
//! - `CMGTRAIL_BENCH_COST`: measures instead what following costs for each flow, up to so many flows.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::missing_docs_in_private_items)]

#[path = "score/cost.rs"]
mod cost;
#[path = "score/disturbed.rs"]
mod disturbed;
#[path = "score/joins.rs"]
mod joins;
#[path = "score/mistakes.rs"]
mod mistakes;
#[path = "score/references.rs"]
mod references;

use std::time::Instant;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::simulate::{Plan, in_memory};

use disturbed::{Damage, damage};
use joins::{Hop, Puts, Tally};

/// A number from the environment.
fn given<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(format!("CMGTRAIL_BENCH_{name}")).ok()?.parse().ok()
}

fn main() {
    if let Some(most) = given("COST") {
        cost::measure(most);
        return;
    }
    let hours: f64 = given("HOURS").unwrap_or(1.0);
    let mistakes = given("MISTAKES");
    let only: Option<f64> = given("RATE");
    for (rate, clients) in [(1.0, 200), (5.0, 500), (50.0, 2_000)] {
        if only.is_some_and(|only| (only - rate).abs() > 0.1) {
            continue;
        }
        score(rate, clients, hours, mistakes);
    }
}

fn score(rate: f64, clients: usize, hours: f64, mistakes: Option<usize>) {
    let plan = Plan {
        clients,
        hours,
        rate: Some(rate),
        skew_seconds: 540,
        retries: true,
        faults: Vec::new(),
        artefacts: false,
        seed: 11,
        ..Plan::default()
    };
    let mut simulated = in_memory(&plan).unwrap();
    let ends = joins::ends(&simulated);
    let settings = damage(&mut simulated, Damage { lost: 0.1, set: given("SET").unwrap_or(0.05), seed: 3 });
    let folder = tempfile::tempdir().unwrap();
    simulated.write(folder.path()).unwrap();
    std::fs::remove_file(folder.path().join("truth.json")).unwrap();
    let start = Instant::now();
    let trail = Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let truth = &simulated.truth;
    println!(
        "\n{rate} messages/s, {clients} clients, {hours} h: {} flows, {} requests, read and followed in {seconds:.1} s",
        truth.flows.len(),
        truth.requests.len()
    );
    let hops = joins::hops(truth, &trail);
    let puts = joins::puts(truth, &trail);
    show("exact keys", &hops, &puts, |hop| hop.keyed && hop.has_client);
    let keyless = |hop: &Hop| !hop.keyed && hop.has_client && hop.log != "CMGService";
    show("no key", &hops, &puts, keyless);
    show("  request in the log", &hops, &puts, |hop| keyless(hop) && hop.has_request);
    let world = references::World::new(truth, &trail, &hops, &settings);
    show("no key, greedy", &hops, &world.greedy(false), keyless);
    show("  by the true time", &hops, &world.greedy(true), keyless);
    let oracle = world.oracle(truth);
    show("no key, oracle", &hops, &oracle, keyless);
    for log in ["W3SVC1", "CLOUD_PROXYCONNECTOR", "CCM_STS"] {
        let of_log = |hop: &Hop| !hop.keyed && hop.has_client && hop.log == log;
        show(log, &hops, &puts, of_log);
        show("  oracle", &hops, &oracle, of_log);
    }
    let of_gateway = |hop: &Hop| hop.has_client && hop.lines[0].0.starts_with("cmg-") && hop.log == "W3SVC1";
    show("gateway IIS", &hops, &puts, of_gateway);
    show("  oracle", &hops, &oracle, of_gateway);
    println!("  sure joins of lines of no client's flow: {}", joins::strangers(truth, &puts));
    let (flows, right) = joins::outcomes(truth, &trail, |_| true);
    println!("  outcome right: {right} of {flows} flows, {:.4}", joins::share(right, flows));
    let left = joins::ends(&simulated);
    let (flows, right) = joins::outcomes(truth, &trail, |flow| left[flow] == ends[flow]);
    println!("  where the client's last line is left: {right} of {flows} flows, {:.4}", joins::share(right, flows));
    if let Some(most) = mistakes {
        let pages = mistakes::Pages::new(&simulated.files, truth);
        mistakes::of_hops("exact keys", &hops, &puts, |hop| hop.keyed && hop.has_client, &pages, most);
        mistakes::of_hops("no key", &hops, &puts, keyless, &pages, most);
        mistakes::of_kept(&trail, &hops, &puts, |hop| hop.has_client && hop.log != "CMGService", &pages, most);
        for (what, count) in joins::confusions(truth, &trail).into_iter().take(12) {
            println!("    {count} {what}");
        }
        mistakes::of_outcomes(&trail, &pages, most);
    }
    let (compared, wrong, median) = joins::clocks(truth, &trail, &settings, 5);
    println!(
        "  clocks: {compared} with 5 pairs or more, {wrong} off by more than 1 s, median error {median:.3} s; {} in all",
        trail.clocks.len()
    );
}

fn show(name: &str, hops: &[Hop], puts: &Puts, wanted: impl Fn(&Hop) -> bool) {
    let tally: Tally = joins::tally(hops, puts, wanted);
    println!(
        "  {name:22} {:7} hops: precision {:.4}, recall {:.4}, kept {:.4}; certain {} ({} wrong), likely {} ({} wrong); open {:.3}, of {} candidates",
        tally.hops,
        tally.precision(),
        tally.recall(),
        joins::share(tally.kept, tally.hops),
        tally.certain.0,
        tally.certain.1,
        tally.likely.0,
        tally.likely.1,
        joins::share(tally.sets.len(), tally.hops),
        tally.median_set(),
    );
}
