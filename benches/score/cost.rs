//! What it costs to follow flows: processor time and memory for each, from a thousand flows to a hundred thousand.

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::flows::follow;
use cmgtrail::knowledge::Knowledge;
use cmgtrail::simulate::{Plan, in_memory};

/// Messages a second, over all clients: as many at the first size as at the last, for longer.
const RATE: f64 = 5.0;

/// Clients where they are as many at each size.
const CLIENTS: usize = 500;

/// Flows of each client where there are more clients at each size.
const FLOWS_OF_CLIENT: usize = 20;

/// Processor time that is measured at least, seconds: the system counts hundredths.
const ENOUGH: f64 = 1.0;

/// Sites with ever more flows, up to `most`: what following costs for each of them, reading left out. First the same
/// clients for longer, of which the shortest site has mostly installations, whose flows have more lines; then more clients,
/// which make as many flows each.
pub fn measure(most: usize) {
    println!("following, {RATE} messages/s, no lines lost; processor time of all threads");
    for grows in [false, true] {
        let mut first = None;
        for flows in [2_500_usize, 10_000, 100_000].into_iter().filter(|flows| *flows <= most) {
            let clients = if grows { flows / FLOWS_OF_CLIENT } else { CLIENTS };
            measure_one(flows, clients, &mut first);
        }
    }
}

#[allow(clippy::cast_precision_loss)] // counts
fn measure_one(flows: usize, clients: usize, first: &mut Option<f64>) {
    let plan = Plan {
        clients,
        hours: flows as f64 / RATE / 3_600.0,
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
    let (before, start) = (resident(), processor_seconds());
    let (mut rounds, mut seconds, mut grown, mut count) = (0, 0.0, 0, 1);
    while seconds < ENOUGH {
        let followed = follow(&trail.events, &trail.sources, Knowledge::builtin(), &[]);
        if rounds == 0 {
            (grown, count) = (resident().saturating_sub(before), followed.flows.len().max(1));
        }
        rounds += 1;
        seconds = processor_seconds() - start;
    }
    let each = seconds / f64::from(rounds) / count as f64;
    let reference = *first.get_or_insert(each);
    println!(
        "  {clients:5} clients, {count:7} flows, {:8} events: {:6.1} us a flow, {:.2} of the first; {:.1} us an event, {} B more in memory for each",
        trail.events.len(),
        each * 1e6,
        each / reference,
        each * 1e6 * count as f64 / trail.events.len().max(1) as f64,
        grown / trail.events.len().max(1),
    );
}

/// Processor time of this process, seconds: other work on the machine does not count. Linux counts it in hundredths.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in brackets and may hold blanks.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Bytes of this process in memory; none where the system does not tell.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}
