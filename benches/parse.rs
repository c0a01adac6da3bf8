//! How fast logs are read: MB/s on one and two threads, beside `wc -l` on the same file.
//!
//! `cargo bench --bench parse` writes a log of 200 MB to the target's temporary folder (`CMGTRAIL_BENCH_MB` for another
//! size, `CMGTRAIL_BENCH_THREADS` for one number of threads, `CMGTRAIL_BENCH_WORK` for the rows that hold a word), reads it a few times and prints the best of each. The file is in the page cache.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cmgtrail::columns::{RecordStream, Window};
use cmgtrail::engine::{ReadOptions, Trail};
use cmgtrail::formats::{self, Chunk};
use cmgtrail::input::{self, Silent};

#[path = "parse/generated.rs"]
mod generated;

const RUNS: usize = 5;

fn main() {
    let megabytes = std::env::var("CMGTRAIL_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("CcmMessaging-{megabytes}.log"));
    generated::write(&path, megabytes * 1_000_000, generated::MESSAGING).unwrap();
    let chatter = path.with_file_name(format!("Chatter-{megabytes}.log"));
    generated::write(&chatter, megabytes * 1_000_000, generated::CHATTER).unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    let paths = [path.clone()];

    println!("{} MB, best of {RUNS}, file in the page cache", bytes / 1_000_000);
    println!("{:<44} {:>9} {:>8} {:>14}", "work", "ms", "MB/s", "time of wc -l");
    let reference = best(|| word_count(&path));
    row("wc -l", bytes, reference, reference);
    let only = std::env::var("CMGTRAIL_BENCH_THREADS").ok().and_then(|text| text.parse().ok());
    let wanted = std::env::var("CMGTRAIL_BENCH_WORK").ok();
    for threads in only.map_or_else(|| vec![1, 2], |threads: usize| vec![threads]) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let time = |work: &str, run: &(dyn Fn() -> usize + Sync)| {
            if !wanted.as_ref().is_none_or(|wanted| work.contains(wanted)) {
                return;
            }
            let taken = best(|| pool.install(run));
            row(&format!("{work}, {threads} thread{}", if threads == 1 { "" } else { "s" }), bytes, taken, reference);
        };
        let input = input::open(&paths, None).unwrap();
        time("frame every record (the account)", &|| {
            formats::scan(&input, &|chunk: &Chunk| chunk.len(), &Silent).unwrap().found[0].iter().sum()
        });
        time("find and decode the records that matter", &|| {
            formats::scan(&input, &search, &Silent).unwrap().found[0].iter().sum()
        });
        let stream = RecordStream::open(&paths, None, Window::ALL, &Silent).unwrap();
        time("Arrow batches of a log already scanned", &|| {
            stream.batches().map(|batch| batch.unwrap().num_rows()).sum()
        });
        time("Arrow batches from the path, account and all", &|| {
            let stream = RecordStream::open(&paths, None, Window::ALL, &Silent).unwrap();
            stream.batches().map(|batch| batch.unwrap().num_rows()).sum()
        });
        for (what, path) in [("of which 1 % matters", &chatter), ("of which most matters", &path)] {
            time(&format!("diagnose a log {what}"), &|| {
                let trail = Trail::read(std::slice::from_ref(path), ReadOptions::default(), &Silent).unwrap();
                trail.events.len()
            });
        }
    }
}

/// A stand-in for diagnosis: a literal that a hundredth of the records hold, those records decoded.
fn search(chunk: &Chunk) -> usize {
    let hits = memchr::memmem::find_iter(chunk.text_bytes(), "[CCMHTTP] ERROR");
    hits.filter_map(|hit| chunk.record(chunk.record_at(hit)?)).map(|record| record.text.len()).sum()
}

fn word_count(path: &Path) -> usize {
    Command::new("wc").arg("-l").arg(path).output().map_or(0, |output| output.stdout.len())
}

fn best(mut work: impl FnMut() -> usize) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            assert!(std::hint::black_box(work()) > 0, "the work found nothing");
            start.elapsed()
        })
        .min()
        .unwrap()
}

fn row(work: &str, bytes: u64, taken: Duration, reference: Duration) {
    let seconds = taken.as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // for show
    let rate = bytes as f64 / 1e6 / seconds;
    println!("{work:<44} {:>9.1} {rate:>8.0} {:>13.1}x", seconds * 1e3, seconds / reference.as_secs_f64());
}
