//! How fast a site is simulated: MB/s of logs with chatter, and flows a second without.
//!
//! `cargo bench --features simulate --bench simulate` writes into a temporary folder (`CMGTRAIL_BENCH_MB` for another
//! size) and removes it.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use cmgtrail::simulate::{Noise, Plan, in_memory, simulate};

fn main() {
    let megabytes: u64 = std::env::var("CMGTRAIL_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let folder = tempfile::tempdir().unwrap();
    let noisy = Plan { clients: 20, noise: Noise::Bytes(megabytes * 1_000_000), artefacts: false, ..Plan::default() };
    let start = Instant::now();
    let summary = simulate(&noisy, folder.path(), false).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // for show
    let rate = summary.bytes as f64 / 1e6 / seconds;
    println!("{} MB with chatter, to disk: {seconds:.2} s, {rate:.0} MB/s", summary.bytes / 1_000_000);
    for (clients, rate) in [(500, 1.0), (500, 5.0), (2_000, 50.0)] {
        let plan = Plan { clients, hours: 1.0, rate: Some(rate), artefacts: false, ..Plan::default() };
        let start = Instant::now();
        let simulated = in_memory(&plan).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        let (flows, requests) = (simulated.truth.flows.len(), simulated.truth.requests.len());
        let bytes: usize = simulated.files.iter().map(|file| file.bytes.len()).sum();
        println!(
            "{rate} messages/s, {clients} clients, an hour: {flows} flows, {requests} requests, {} MB in {seconds:.2} s",
            bytes / 1_000_000
        );
    }
}
