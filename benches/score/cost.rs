//! What it costs to follow flows: time and memory for each, from a thousand flows to a hundred thousand.

use std::time::Instant;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::flows::follow;
use cmgtrail::knowledge::Knowledge;
use cmgtrail::simulate::{Plan, in_memory};

/// Messages a second, over all clients: as many at the first size as at the last, for longer.
const RATE: f64 = 5.0;
const CLIENTS: usize = 500;

/// Sites with ever more flows, up to `most`: what following costs for each of them, reading left out.
pub fn measure(most: usize) {
    println!("following, {RATE} messages/s of {CLIENTS} clients, no lines lost");
    let mut first = None;
    for flows in [1_000_usize, 3_000, 10_000, 30_000, 100_000].into_iter().filter(|flows| *flows <= most) {
        #[allow(clippy::cast_precision_loss)] // counts
        let hours = flows as f64 / RATE / 3_600.0;
        let plan = Plan {
            clients: CLIENTS,
            hours,
            rate: Some(RATE),
            skew_seconds: 540,
            faults: Vec::new(),
            artefacts: false,
            seed: 11,
            ..Plan::default()
        };
        let folder = tempfile::tempdir().unwrap();
        in_memory(&plan).unwrap().write(folder.path()).unwrap();
        let trail = Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
        let (before, start) = (resident(), Instant::now());
        let followed = follow(&trail.events, &trail.sources, Knowledge::builtin(), &[]);
        let seconds = start.elapsed().as_secs_f64();
        let grown = resident().saturating_sub(before);
        let count = followed.flows.len().max(1);
        #[allow(clippy::cast_precision_loss)] // counts
        let each = seconds / count as f64;
        let reference = *first.get_or_insert(each);
        println!(
            "  {count:7} flows, {:8} events: {seconds:7.2} s, {:6.1} us a flow, {:.2} of the first; {} B more in memory for each event",
            trail.events.len(),
            each * 1e6,
            each / reference,
            grown / trail.events.len().max(1),
        );
    }
}

/// Bytes of this process in memory; none where the system does not tell.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}
