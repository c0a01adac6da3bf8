//! The public client logs of 2013: every file read, every byte accounted for, every printed UTC stamp in agreement.
//! They are not part of the project; the tests say so and pass where they are absent.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test says by panicking what went wrong

use std::collections::BTreeMap;
use std::path::PathBuf;

use cmgtrail::engine::{ReadOptions, Trail};
use cmgtrail::finding::Severity;
use cmgtrail::formats::{self, Chunk};
use cmgtrail::input::{self, Silent};
use cmgtrail::time::UtcQuality;

/// The folder of real logs, if it is here.
fn folder() -> Option<PathBuf> {
    let data = std::env::var_os("CMGTRAIL_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let folder = data.join("real-logs");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no real logs at '{}' (set CMGTRAIL_TEST_DATA)", folder.display());
    None
}

/// Records of files whose openers do not all open a record as CMTrace would have it, with the reason.
const EXPLAINED: &[(&str, u64, u64, &str)] = &[
    ("Busted-CcmMessaging.log", 39, 1, "the last record was cut in the middle of its message"),
    ("Busted-CcmRepair.log", 85, 1, "a record's trailer was overwritten after `<ti`; its opener stands"),
    ("Busted-CcmRestart.log", 10, 1, "a trailer was overwritten by the end of another record, whose opener is gone"),
];

fn openers(bytes: &[u8]) -> u64 {
    memchr::memmem::find_iter(bytes, "<![LOG[").count() as u64
}

#[test]
fn every_file_is_read_and_every_opener_is_a_record() {
    let Some(folder) = folder() else { return };
    let input = input::open(std::slice::from_ref(&folder), None).unwrap();
    let visit = |chunk: &Chunk| {
        let damaged = chunk.records().filter(|record| record.damaged).count() as u64;
        (chunk.file().to_string(), chunk.len() as u64, damaged)
    };
    let scan = formats::scan(&input, &visit, &Silent).unwrap();
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (file, records, damaged) in scan.found.into_iter().flatten() {
        let entry = counts.entry(file).or_default();
        entry.0 += records;
        entry.1 += damaged;
    }
    let mut logs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        logs += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected = EXPLAINED.iter().find(|(file, ..)| *file == name);
        let openers = openers(&std::fs::read(&path).unwrap());
        let (records, damaged) = expected.map_or((openers, 0), |(_, records, damaged, _)| (*records, *damaged));
        assert_eq!(records, openers, "{name}: every opener opens a record");
        assert_eq!(counts.get(&name), Some(&(records, damaged)), "{name}");
    }
    assert_eq!(logs, 35);
}

#[test]
fn every_byte_is_in_one_record_gap_or_marker() {
    let Some(folder) = folder() else { return };
    let input = input::open(std::slice::from_ref(&folder), None).unwrap();
    let visit = |chunk: &Chunk| {
        let records = chunk.records().map(|record| record.bytes).collect::<Vec<_>>();
        let fillers = chunk.fillers().map(|(_, range)| range).collect::<Vec<_>>();
        (chunk.file().to_string(), [records, fillers].concat())
    };
    let scan = formats::scan(&input, &visit, &Silent).unwrap();
    let mut ranges: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (file, pieces) in scan.found.into_iter().flatten() {
        ranges.entry(file).or_default().extend(pieces);
    }
    for (file, mut pieces) in ranges {
        pieces.sort_by_key(|range| (range.start, range.end));
        let end = pieces.iter().fold(0, |end, range| {
            assert_eq!(range.start, end, "{file}: a hole or an overlap");
            range.end
        });
        assert_eq!(end, std::fs::metadata(folder.join(&file)).unwrap().len(), "{file}");
    }
    let gap = |name: &str| {
        scan.sources.iter().find(|source| source.path == name).map(|source| (source.gaps, source.gap_bytes))
    };
    assert_eq!(gap("Busted-CcmRestart.log"), Some((1, 54)), "the tail of a record whose head was cut off");
    assert_eq!(gap("CcmExec.log"), Some((0, 0)));
}

#[test]
fn rollovers_are_one_source() {
    let Some(folder) = folder() else { return };
    let input = input::open(&[folder], None).unwrap();
    let scan = formats::scan(&input, &|chunk| chunk.len(), &Silent).unwrap();
    let source = scan.sources.iter().find(|source| source.path == "CcmMessaging.log").unwrap();
    assert_eq!(source.files, ["CcmMessaging-20131014-091925.log", "CcmMessaging.log"]);
    assert_eq!(source.records, 709 + 47);
    assert_eq!(source.host, None, "the folder given is no machine");
}

/// Dumps in the damaged files that lost their middle: the head is of one event, the end and the time of another.
const OVERWRITTEN: [(&str, &str); 2] =
    [("Busted-CcmMessaging.log", "20131014144019"), ("Busted-CcmNotificationAgent.log", "20131014134930")];

#[test]
fn utc_agrees_with_every_stamp_that_the_logs_print() {
    let Some(folder) = folder() else { return };
    let input = input::open(&[folder], None).unwrap();
    let visit = |chunk: &Chunk| {
        let dumps = chunk.records().filter(|record| record.text.contains("instance of CCM_CcmHttp_Status"));
        let dumps =
            dumps.map(|record| (chunk.file().to_string(), chunk.source(), record.stamp, record.text.to_owned()));
        dumps.collect::<Vec<_>>()
    };
    let scan = formats::scan(&input, &visit, &Silent).unwrap();
    let mut stamps = 0;
    for (file, source, stamp, text) in scan.found.into_iter().flatten().flatten() {
        let Some((_, printed)) = text.split_once("DateTime = \"") else { continue };
        let printed = printed.get(..14).unwrap();
        if OVERWRITTEN.contains(&(file.as_str(), printed)) {
            continue;
        }
        let parse = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", printed).unwrap();
        let expected = parse.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond();
        let settled = scan.clocks.settle(source, stamp);
        assert_eq!(settled.quality, UtcQuality::Known);
        assert!((settled.utc.unwrap() - expected).abs() < 5_000_000, "{printed} beside {settled:?}");
        stamps += 1;
    }
    assert!(stamps > 900, "only {stamps} stamps were found");
}

#[test]
fn a_writer_without_a_bias_takes_that_of_its_neighbours() {
    let Some(folder) = folder() else { return };
    let input = input::open(&[folder], None).unwrap();
    let scan = formats::scan(&input, &|_| (), &Silent).unwrap();
    let source = scan.sources.iter().find(|source| source.path.starts_with("SCClient")).unwrap();
    assert_eq!(source.time, UtcQuality::Assumed);
    // 09:31:06 local on 3 October 2013, US Central summer time.
    assert_eq!(source.first, Some(1_380_810_666_508_326));
}

#[test]
fn ordinary_client_noise_raises_no_alarm() {
    let Some(folder) = folder() else { return };
    let trail = Trail::read(&[folder], ReadOptions::default(), &Silent).unwrap();
    assert!(!trail.traffic, "2013 knew no gateway");
    let errors: Vec<_> = trail.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // The logs hold Code=12007 and Code=12002 against intranet hosts: they were read, and are no finding.
    let refused = |code| trail.events.iter().filter(|event| event.get("code") == Some(code)).count();
    assert!(refused("12007") > 0 && refused("12002") > 0, "{} {}", refused("12007"), refused("12002"));
}
