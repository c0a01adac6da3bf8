//! Reading: formats, encodings, time rules, rollovers, machines, and bad input.

#![allow(clippy::unwrap_used)] // a test says by panicking what went wrong

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use cmgtrail::columns::{RecordStream, Window};
use cmgtrail::engine::{ReadOptions, Trail};
use cmgtrail::error::Error;
use cmgtrail::formats::{self, Chunk, Scan, chunks_of_bytes};
use cmgtrail::input::{self, ArtefactKind, Progress, Silent};
use cmgtrail::record::{Format, RecordSeverity};
use cmgtrail::stage::Role;
use cmgtrail::time::{Bias, UtcQuality, Zone, instant, rfc3339};

/// A record as the tests look at it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    text: String,
    line: u32,
    local: Option<String>,
    bias: Bias,
    component: Option<String>,
    thread: Option<u32>,
    severity: RecordSeverity,
    damaged: bool,
}

fn seen(chunk: &Chunk) -> Vec<Seen> {
    chunk
        .records()
        .map(|record| Seen {
            text: record.text.to_owned(),
            line: record.line,
            local: record.stamp.local.map(|local| rfc3339(local).trim_end_matches('Z').to_owned()),
            bias: record.stamp.bias,
            component: record.component.map(str::to_owned),
            thread: record.thread,
            severity: record.severity,
            damaged: record.damaged,
        })
        .collect()
}

/// The records of a file with these bytes.
fn read(bytes: impl AsRef<[u8]>) -> Vec<Seen> {
    let mut all = Vec::new();
    chunks_of_bytes(bytes.as_ref(), 1 << 20, &mut |chunk| all.extend(seen(chunk)));
    all
}

fn ccm(text: &str, time: &str, date: &str) -> String {
    ccm_by(text, time, date, "ccmsetup", "ccmsetup.cpp:1")
}

fn ccm_by(text: &str, time: &str, date: &str, component: &str, file: &str) -> String {
    format!(
        "<![LOG[{text}]LOG]!><time=\"{time}\" date=\"{date}\" component=\"{component}\" context=\"\" type=\"1\" thread=\"4\" file=\"{file}\">\r\n"
    )
}

/// A folder with files, removed at the end of the test.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn scan(path: &Path) -> Scan<Vec<Seen>> {
    let input = input::open(&[path.to_owned()], None).unwrap();
    formats::scan(&input, &seen, &Silent).unwrap()
}

// --- time ---------------------------------------------------------------------------------------------------------

#[test]
fn the_clock_of_a_record_is_read_as_the_catalogue_says() {
    // Log catalogue, sections 1.2 to 1.4: what writers put into `time`, what is local time, what is bias.
    let day = "2015-01-02T";
    let cases: &[(&str, &str, Option<&str>, Bias)] = &[
        ("10:22:50.842+300", "1-2-2015", Some("10:22:50.842"), Bias::Minutes(300)),
        ("10:22:50.842-330", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(-330)),
        ("10:22:50.842-60", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(-60)),
        ("10:22:50.842+00", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(0)),
        ("10:22:50.842+000", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(0)),
        ("10:22:50.842-840", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(-840)),
        ("10:22:50.842+720", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(720)),
        ("10:22:50.842-345", "01-02-2015", Some("10:22:50.842"), Bias::Minutes(-345)),
        ("10:22:50.8422964", "01-02-2015", Some("10:22:50.842"), Bias::Absent),
        ("10:22:50.842", "01-02-2015", Some("10:22:50.842"), Bias::Absent),
        ("10:22:50.842+-420", "01-02-2015", Some("10:22:50.842"), Bias::Malformed),
        ("10:22:50.842-0", "01-02-2015", Some("10:22:50.842"), Bias::Malformed),
        ("10:22:50.3110", "01-02-2015", Some("10:22:50.311"), Bias::Malformed),
        ("10:22:50.125600", "01-02-2015", Some("10:22:50.125"), Bias::Malformed),
        ("10:22:50.842+7", "01-02-2015", Some("10:22:50.842"), Bias::Malformed),
        ("10:22:50.842-900", "01-02-2015", Some("10:22:50.842"), Bias::Malformed),
        ("10:22:50.842+780", "01-02-2015", Some("10:22:50.842"), Bias::Malformed),
        ("10:22:50.842+99999999", "01-02-2015", Some("10:22:50.842"), Bias::Malformed),
        ("10:22:50.842+300", "02-31-2015", None, Bias::Minutes(300)),
        ("10:22:50.842+300", "31-02-2015", None, Bias::Minutes(300)),
        ("10:22:50.842+300", "02-29-2015", None, Bias::Minutes(300)),
        ("24:00:00.000+300", "01-02-2015", None, Bias::Absent),
        ("nonsense", "01-02-2015", None, Bias::Absent),
    ];
    for (time, date, local, bias) in cases {
        let found = read(ccm("x", time, date));
        assert_eq!(found.len(), 1, "{time} {date}");
        let expected = local.map(|local| format!("{day}{local}"));
        assert_eq!((found[0].local.clone(), found[0].bias), (expected, *bias), "{time} {date}");
    }
}

#[test]
fn utc_is_local_time_plus_bias() {
    // US Central summer, India (UTC+5:30): log catalogue, section 1.4, evidence 1 and 3.
    for (time, utc) in [
        ("10:22:50.842+300", "15:22:50.842"),
        ("10:22:50.842-330", "04:52:50.842"),
        ("10:22:50.842+00", "10:22:50.842"),
    ] {
        let logs = folder(&[("a.log", ccm("x", time, "01-02-2015").as_bytes())]);
        let scan = scan(logs.path());
        assert_eq!(rfc3339(scan.sources[0].first.unwrap()), format!("2015-01-02T{utc}Z"));
        assert_eq!(scan.sources[0].time, UtcQuality::Known);
    }
}

/// The UTC and its quality of each record of `name`, as all logs of the folder settle it.
fn settled(logs: &Path, name: &str) -> Vec<(Option<String>, UtcQuality)> {
    let input = input::open(&[logs.to_owned()], None).unwrap();
    let stamps = |chunk: &Chunk| chunk.records().map(|record| record.stamp).collect::<Vec<_>>();
    let scan = formats::scan(&input, &stamps, &Silent).unwrap();
    let source = scan.sources.iter().position(|source| source.path == name).unwrap();
    let settle = |stamp| scan.clocks.settle(u32::try_from(source).unwrap(), stamp);
    scan.found[source]
        .iter()
        .flatten()
        .map(|stamp| settle(*stamp))
        .map(|stamp| (stamp.utc.map(rfc3339), stamp.quality))
        .collect()
}

#[test]
fn a_bias_is_believed_by_who_wrote_it() {
    let native = [ccm("a", "08:00:00.000-120", "07-01-2026"), ccm("b", "20:00:00.000-120", "07-01-2026")].concat();
    let script = |time: &str| ccm_by("s", time, "07-01-2026", "Install-App", "");
    let utc = |time: &str| Some(format!("2026-07-01T{time}:00.000Z"));
    let cases = [
        ("it agrees with the machine", script("12:00:00.000-120"), (utc("10:00"), UtcQuality::Known)),
        ("a constant zero beside native -120", script("12:00:00.000+000"), (utc("10:00"), UtcQuality::Assumed)),
        ("the offset's sign", script("12:00:00.000+120"), (utc("10:00"), UtcQuality::Assumed)),
        ("none", script("12:00:00.0000000"), (utc("10:00"), UtcQuality::Assumed)),
        ("a double sign", script("12:00:00.000+-120"), (None, UtcQuality::Unknown)),
        ("another native process", ccm("n", "12:00:00.000+000", "07-01-2026"), (utc("12:00"), UtcQuality::Known)),
    ];
    for (what, odd, expected) in cases {
        let logs = folder(&[("client-PC1/CcmExec.log", native.as_bytes()), ("client-PC1/Odd.log", odd.as_bytes())]);
        assert_eq!(settled(logs.path(), "client-PC1/Odd.log"), [expected], "{what}");
    }
}

#[test]
fn a_record_without_a_bias_and_without_neighbours_has_no_utc() {
    let absent = ccm_by("s", "12:00:00.0000000", "07-01-2026", "SCClient", "");
    let elsewhere = ccm("n", "12:00:00.000-120", "07-01-2026");
    let long_ago = ccm("n", "12:00:00.000-120", "01-01-2019");
    let logs = folder(&[
        ("client-PC1/SCClient.log", absent.as_bytes()),
        ("client-PC1/Old.log", long_ago.as_bytes()),
        ("client-PC2/CcmExec.log", elsewhere.as_bytes()),
    ]);
    assert_eq!(settled(logs.path(), "client-PC1/SCClient.log"), [(None, UtcQuality::Unknown)]);
}

#[test]
fn a_change_to_summer_time_is_normal() {
    let log = [ccm("w", "01:30:00.000-60", "03-29-2026"), ccm("s", "03:30:00.000-120", "03-29-2026")].concat();
    let logs = folder(&[("PC1/CcmExec.log", log.as_bytes())]);
    let expected =
        ["2026-03-29T00:30:00.000Z", "2026-03-29T01:30:00.000Z"].map(|utc| (Some(utc.to_owned()), UtcQuality::Known));
    assert_eq!(settled(logs.path(), "PC1/CcmExec.log"), expected);
}

#[test]
fn utc_stamps_inside_a_log_overrule_its_bias() {
    let dump = |class: &str| {
        format!("Raising event:\n\ninstance of {class}\n{{\n\tDateTime = \"20260701100000.000000+000\";\n}};\n")
    };
    // The machine runs at UTC+2; the writer says UTC.
    let event = ccm(&dump("CCM_CcmHttp_Status"), "12:00:00.100+000", "07-01-2026");
    let logs = folder(&[("PC1/a.log", event.as_bytes())]);
    assert_eq!(settled(logs.path(), "PC1/a.log"), [(Some("2026-07-01T10:00:00.100Z".to_owned()), UtcQuality::Assumed)]);
    // Dumps of CCM_Application carry local time with the same suffix: no anchor.
    let application = ccm(&dump("CCM_Application"), "10:00:00.100-120", "07-01-2026");
    let logs = folder(&[("PC1/a.log", application.as_bytes())]);
    assert_eq!(settled(logs.path(), "PC1/a.log"), [(Some("2026-07-01T08:00:00.100Z".to_owned()), UtcQuality::Known)]);
}

#[test]
fn times_that_users_give() {
    let vienna = Zone::named("Europe/Vienna").unwrap();
    for (text, utc) in [
        ("2026-07-01T10:00:00Z", "2026-07-01T10:00:00.000Z"),
        ("2026-07-01T10:00:00+02:00", "2026-07-01T08:00:00.000Z"),
        ("2026-07-01 10:00", "2026-07-01T08:00:00.000Z"),
        ("2026-07-01", "2026-06-30T22:00:00.000Z"),
    ] {
        assert_eq!(rfc3339(instant("since", text, &vienna).unwrap()), utc, "{text}");
    }
    for text in ["", "yesterday", "2026-02-31", "12:00"] {
        let error = instant("since", text, &Zone::UTC).unwrap_err();
        assert!(matches!(error, Error::Argument { ref argument, .. } if argument == "since"), "{text}: {error}");
    }
    assert!(Zone::named("Mars/Olympus").is_err());
}

// --- formats ------------------------------------------------------------------------------------------------------

#[test]
fn sms_records() {
    // The public samples of log catalogue, section 1.3.
    let found = read(
        "~Forwarding ElapsedTime: 12 ms~~  $$<CMGService><06-24-2020 15:31:46.376+00><thread=4992 (0x1380)>\r\n\
         x  $$<Configuration Manager Prereq><04-21-2024 07:33:58.583+300><thread=4824 (0x12E8)>\r\n",
    );
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].text, "Forwarding ElapsedTime: 12 ms");
    assert_eq!(
        (found[0].component.as_deref(), found[0].thread, found[0].bias),
        (Some("CMGService"), Some(4992), Bias::Minutes(0))
    );
    assert_eq!(found[0].local.as_deref(), Some("2020-06-24T15:31:46.376"));
    assert_eq!(found[1].component.as_deref(), Some("Configuration Manager Prereq"));
}

#[test]
fn severity_of_sms_records_comes_from_the_words() {
    for (text, severity) in [
        ("ERROR: Failed to build Tcp connection", RecordSeverity::Error),
        ("Web exception for message", RecordSeverity::Error),
        ("a critical thing", RecordSeverity::Error),
        ("it failed", RecordSeverity::Error),
        ("failover cluster found", RecordSeverity::Info),
        ("Warning: slow", RecordSeverity::Warning),
        ("Maintaining connections...", RecordSeverity::Info),
    ] {
        let found = read(format!("{text}  $$<C><06-24-2020 15:31:46.376+00><thread=1 (0x1)>\n"));
        assert_eq!(found[0].severity, severity, "{text}");
    }
}

#[test]
fn w3c_rows_are_read_by_their_fields() {
    let log = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem sc-status time-taken\r\n\
               2019-07-22 13:11:58 10.0.0.1 CCM_POST /ccm_system_windowsauth/request 401 189\r\n\
               #Fields: date time cs-method cs-uri-stem sc-status\r\n2019-07-22 13:12:58 GET - 500\r\n";
    let mut rows = Vec::new();
    chunks_of_bytes(log.as_bytes(), 1 << 20, &mut |chunk| {
        for record in chunk.records() {
            let row = record.w3c.unwrap();
            let range = row.range("sc-status").unwrap();
            assert_eq!(record.text.get(range), row.get("sc-status"));
            rows.push((
                row.get("cs-uri-stem").map(str::to_owned),
                row.get("sc-status").map(str::to_owned),
                record.stamp.utc.map(rfc3339),
            ));
        }
    });
    let row = |stem: Option<&str>, status: &str, utc: &str| {
        (stem.map(str::to_owned), Some(status.to_owned()), Some(utc.to_owned()))
    };
    assert_eq!(
        rows,
        [
            row(Some("/ccm_system_windowsauth/request"), "401", "2019-07-22T13:11:58.000Z"),
            row(None, "500", "2019-07-22T13:12:58.000Z")
        ]
    );
}

#[test]
fn copied_lines_in_all_their_forms() {
    // Log catalogue, section 1.6: German, British, American, forum spaces, date first, no date.
    for (line, component, thread, local) in [
        (
            "m\tMP_RegistrationManager\t03.07.2019 14:17:54\t5780 (0x1694)",
            "MP_RegistrationManager",
            5780,
            Some("2019-07-03T14:17:54.000"),
        ),
        (
            "m\tApplyDriverPackage\t14/08/2020 14:07:48\t13676 (0x356C)",
            "ApplyDriverPackage",
            13676,
            Some("2020-08-14T14:07:48.000"),
        ),
        ("m\tTSManager\t3/6/2021 2:03:40 PM\t17856 (0x45C0)", "TSManager", 17856, Some("2021-03-06T14:03:40.000")),
        ("m 19/02/2019 13:49:35 ccmsetup 8548 (0x2164)", "ccmsetup", 8548, Some("2019-02-19T13:49:35.000")),
        ("m ccmsetup 19/02/2019 13:49:35 8548 (0x2164)", "ccmsetup", 8548, Some("2019-02-19T13:49:35.000")),
        ("CoManagementHandler 8548 (0x2164) m", "CoManagementHandler", 8548, None),
    ] {
        let logs = folder(&[("copy.txt", line.as_bytes())]);
        let found = scan(logs.path());
        assert_eq!(found.sources[0].format, Some(Format::Clipboard), "{line}");
        let record = &found.found[0][0][0];
        assert_eq!(record.text, "m", "{line}");
        assert_eq!((record.component.as_deref(), record.thread), (Some(component), Some(thread)), "{line}");
        assert_eq!(record.local.as_deref(), local, "{line}");
        assert_eq!(found.sources[0].time, UtcQuality::Unknown, "{line}");
    }
}

#[test]
fn the_order_of_day_and_month_is_guessed_from_the_whole_file() {
    let line = |date: &str| format!("m\tc\t{date} 10:00:00\t1 (0x1)\r\n");
    for (dates, first) in [
        (["3/6/2021", "3/16/2021"], "2021-03-06T10:00:00.000"),
        (["3/6/2021", "16/6/2021"], "2021-06-03T10:00:00.000"),
        // Neither number is above 12: a log runs forward.
        (["1/12/2021", "2/3/2021"], "2021-01-12T10:00:00.000"),
    ] {
        let logs = folder(&[("copy.txt", dates.map(line).concat().as_bytes())]);
        assert_eq!(scan(logs.path()).found[0][0][0].local.as_deref(), Some(first), "{dates:?}");
    }
}

#[test]
fn managed_records_keep_their_stack_traces() {
    let found = read(
        "2026-11-04 09:12:33.120 [ERROR] MiseException\r\n   at A.B()\r\n\r\n   at C.D()\r\n2026-11-04T09:12:34Z done\r\n",
    );
    assert_eq!(found.len(), 2);
    assert!(found[0].text.contains("MiseException") && found[0].text.ends_with("at C.D()"));
    assert_eq!((found[0].bias, found[1].bias), (Bias::Absent, Bias::Utc));
    assert_eq!(found[1].line, 5);
}

#[test]
fn messages_may_look_like_framing() {
    let whole = |text: &str| {
        let found =
            read([ccm(text, "09:12:33.120-60", "11-04-2026"), ccm("next", "09:12:33.121-60", "11-04-2026")].concat());
        assert_eq!(found.iter().map(|record| record.text.as_str()).collect::<Vec<_>>(), [text, "next"]);
        assert!(found.iter().all(|record| !record.damaged));
    };
    whole("a ] b < c > ]]");
    whole("\nlines before\r\nand after\r\n");
    whole("he wrote ]LOG]!> in the text");
    whole("ANALOG LOG [LOG] LOG]");
    whole("");
    let quoted = ccm("inner", "09:12:00.000-60", "11-04-2026");
    whole(&format!("it printed {} there", quoted.trim_end()));
}

#[test]
fn an_sms_line_inside_a_ccm_file_is_a_record() {
    let sms = "m  $$<C><06-24-2020 15:31:46.376+00><thread=1 (0x1)>\r\n";
    let found = read(
        [ccm("a", "09:12:33.120-60", "11-04-2026").as_str(), sms, &ccm("b", "09:12:33.120-60", "11-04-2026")].concat(),
    );
    assert_eq!(
        found.iter().map(|record| (record.text.as_str(), record.line)).collect::<Vec<_>>(),
        [("a", 1), ("m", 2), ("b", 3)]
    );
}

#[test]
fn a_damaged_record_swallows_nothing() {
    let good = ccm("good", "09:12:33.120-60", "11-04-2026");
    let sms = "m  $$<C><06-24-2020 15:31:46.376+00><thread=1 (0x1)>\r\n";
    for (what, text, expected) in [
        ("cut in the message", format!("<![LOG[cut\r\n{good}"), vec![("cut", true), ("good", false)]),
        ("cut, no line end", format!("<![LOG[cut{good}"), vec![("cut", true), ("good", false)]),
        (
            "cut in the trailer",
            format!("<![LOG[cut]LOG]!><time=\"09:1\r\n{good}"),
            vec![("cut", true), ("good", false)],
        ),
        (
            "cut in the trailer, no line end",
            format!("<![LOG[cut]LOG]!><time=\"09:1{good}"),
            vec![("cut", true), ("good", false)],
        ),
        (
            "overwritten trailer",
            format!("<![LOG[cut]LOG]!><ti ad=\"4180\" file=\"x.cpp:9\">\r\n{good}"),
            vec![("cut", true), ("good", false)],
        ),
        ("the file begins in a record", format!("ad=\"4\" file=\"x.cpp:9\">\r\n{good}"), vec![("good", false)]),
        (
            "it begins in a message",
            format!(
                "end]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" component=\"c\" context=\"\" type=\"1\" thread=\"4\" file=\"\">\r\n{good}"
            ),
            vec![("good", false)],
        ),
        (
            "an SMS line after a cut",
            format!("<![LOG[cut\r\n{sms}{good}"),
            vec![("cut", true), ("m", false), ("good", false)],
        ),
        ("half-written at the end", format!("{good}<![LOG[half"), vec![("good", false), ("half", true)]),
    ] {
        let found = read(&text);
        assert_eq!(
            found.iter().map(|record| (record.text.as_str(), record.damaged)).collect::<Vec<_>>(),
            expected,
            "{what}"
        );
    }
}

#[test]
fn encodings() {
    let log = ccm("Grüße", "09:12:33.120-60", "11-04-2026");
    let wide = |mark: bool, swap: bool| {
        let units = mark.then_some(0xFEFF).into_iter().chain(log.encode_utf16());
        units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<_>>()
    };
    let ansi = encoding_rs::WINDOWS_1252.encode(&log).0.into_owned();
    for (what, bytes) in [
        ("UTF-8", log.clone().into_bytes()),
        ("UTF-8 with mark", format!("\u{feff}{log}").into_bytes()),
        ("UTF-16 LE with mark", wide(true, false)),
        ("UTF-16 BE with mark", wide(true, true)),
        ("UTF-16 LE", wide(false, false)),
        ("UTF-16 BE", wide(false, true)),
        ("Windows-1252", ansi),
    ] {
        let mut ends = 0;
        chunks_of_bytes(&bytes, 1 << 20, &mut |chunk| ends = chunk.record(0).unwrap().bytes.end);
        assert_eq!(read(&bytes)[0].text, "Grüße", "{what}");
        assert_eq!(ends, bytes.len() as u64, "{what}: ranges are of the file's own bytes");
    }
    let japanese = encoding_rs::SHIFT_JIS.encode(&ccm("表示", "09:12:33.120-60", "11-04-2026")).0.into_owned();
    let logs = folder(&[("a.log", &japanese)]);
    let input = input::open(&[logs.path().to_owned()], Some("shift_jis")).unwrap();
    let scan = formats::scan(&input, &seen, &Silent).unwrap();
    assert_eq!(scan.found[0][0][0].text, "表示");
    assert!(input::open(&[logs.path().to_owned()], Some("klingon")).is_err());
}

// --- files --------------------------------------------------------------------------------------------------------

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn paths(path: PathBuf) -> Vec<String> {
    let input = input::open(&[path], None).unwrap();
    input.logs.iter().map(|log| log.path.clone()).collect()
}

#[test]
fn folders_zips_patterns_and_files() {
    let log = ccm("x", "09:12:33.120-60", "11-04-2026");
    let zip = zip_of(&[("client/ccmsetup.log", log.as_bytes()), ("deep\\er\\CcmExec.log", log.as_bytes())]);
    let logs = folder(&[("a/x.log", log.as_bytes()), ("a/b/y.log", log.as_bytes()), ("bundle.zip", &zip)]);
    let root = logs.path().to_owned();
    assert_eq!(
        paths(root.clone()),
        ["a/b/y.log", "a/x.log", "bundle.zip/client/ccmsetup.log", "bundle.zip/deep/er/CcmExec.log"]
    );
    assert_eq!(paths(root.join("bundle.zip")), ["client/ccmsetup.log", "deep/er/CcmExec.log"]);
    assert_eq!(paths(root.join("a/x.log")), ["x.log"]);
    assert_eq!(paths(root.join("a/**/*.log")), ["b/y.log", "x.log"]);
    assert!(matches!(input::open(&[root.join("none")], None), Err(Error::NotFound { .. })));
    assert!(matches!(input::open(&[root.join("*.none")], None), Err(Error::NotFound { .. })));
    let scan = scan(&root);
    assert_eq!(scan.sources.iter().map(|source| source.records).sum::<u64>(), 4);
}

#[test]
fn two_folders_with_the_same_files_are_two_machines() {
    let log = ccm("x", "09:12:33.120-60", "11-04-2026");
    let logs = folder(&[("PC1/ccmsetup.log", log.as_bytes()), ("PC2/ccmsetup.log", log.as_bytes())]);
    let given = [logs.path().join("PC1"), logs.path().join("PC2"), logs.path().join("PC1/ccmsetup.log")];
    let input = input::open(&given, None).unwrap();
    assert_eq!(
        input.logs.iter().map(|log| log.path.as_str()).collect::<Vec<_>>(),
        ["PC1/ccmsetup.log", "PC2/ccmsetup.log"]
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_end() {
    let logs = folder(&[("a/x.log", ccm("x", "09:12:33.120-60", "11-04-2026").as_bytes())]);
    std::os::unix::fs::symlink(logs.path(), logs.path().join("a/loop")).unwrap();
    assert_eq!(paths(logs.path().to_owned()), ["a/x.log"]);
}

#[test]
fn machines_by_folder_and_name() {
    let log = ccm_by("x", "09:12:33.120-60", "11-04-2026", "Other", "a.cpp:1");
    for (path, host, role) in [
        ("client-PC042/ccmsetup.log", Some("PC042"), Some(Role::Client)),
        ("PC042/CCM/Logs/CcmExec.log", Some("PC042"), None),
        ("mp-MP01/SMS_CCM/Logs/CCM_STS.log", Some("MP01"), Some(Role::ManagementPoint)),
        ("mp-MP01/W3SVC1/other.log", Some("MP01"), Some(Role::ManagementPoint)),
        ("connection-point_CP1/SMS_CLOUD_PROXYCONNECTOR.log", Some("CP1"), Some(Role::ConnectionPoint)),
        ("siteserver/Logs/x.log", None, Some(Role::SiteServer)),
        ("SRV9/mp/x.log", Some("SRV9"), Some(Role::ManagementPoint)),
        ("logs/x.log", None, None),
        ("x.log", None, None),
        ("site/CMG-contoso-cmg-ProxyService_IN_0-CMGService.log", Some("ProxyService_IN_0"), Some(Role::Cmg)),
        ("ccmsetup.log", None, Some(Role::Client)),
    ] {
        let logs = folder(&[(path, log.as_bytes())]);
        let scan = scan(logs.path());
        assert_eq!((scan.sources[0].host.as_deref(), scan.sources[0].role), (host, role), "{path}");
    }
    let zip = zip_of(&[("CCM/Logs/x.log", log.as_bytes())]);
    let logs = folder(&[("client-PC7.zip", &zip)]);
    assert_eq!(scan(logs.path()).sources[0].host.as_deref(), Some("PC7"));
}

#[test]
fn the_folder_or_zip_given_names_its_machine_by_a_role_word() {
    let log = ccm_by("x", "09:12:33.120-60", "11-04-2026", "Other", "a.cpp:1");
    let zip = zip_of(&[("CCM/Logs/x.log", log.as_bytes())]);
    let logs = folder(&[
        ("client-PC042/x.log", log.as_bytes()),
        ("client-PC042/mp-MP01/x.log", log.as_bytes()),
        ("mp-mp01.contoso.com/SMS_CCM/Logs/x.log", log.as_bytes()),
        ("PC042/x.log", log.as_bytes()),
        ("client/x.log", log.as_bytes()),
        ("client-logs/x.log", log.as_bytes()),
        ("client-2026-11-04/x.log", log.as_bytes()),
        ("cmg-root-missing/x.log", log.as_bytes()),
        ("mp-MP01.zip", &zip),
        ("MP01.zip", &zip),
    ]);
    for (given, hosts, role) in [
        ("client-PC042", vec![Some("MP01"), Some("PC042")], Some(Role::Client)),
        ("client-PC042/x.log", vec![Some("PC042")], Some(Role::Client)),
        ("client-PC042/*.log", vec![Some("PC042")], Some(Role::Client)),
        ("mp-mp01.contoso.com", vec![Some("mp01.contoso.com")], Some(Role::ManagementPoint)),
        ("PC042", vec![None], None),
        ("client", vec![None], None),
        ("client-logs", vec![None], None),
        ("client-2026-11-04", vec![None], None),
        ("cmg-root-missing", vec![None], None),
        ("mp-MP01.zip", vec![Some("MP01")], Some(Role::ManagementPoint)),
        ("MP01.zip", vec![None], None),
    ] {
        let scan = scan(&logs.path().join(given));
        let found: Vec<_> = scan.sources.iter().map(|source| source.host.as_deref()).collect();
        assert_eq!(found, hosts, "{given}");
        assert_eq!(scan.sources.last().unwrap().role, role, "{given}");
    }
}

#[test]
#[allow(clippy::many_single_char_names)] // a record is called as its text
fn rollovers_are_read_as_one_log() {
    let at = |text: &str, time: &str| ccm(text, &format!("{time}.000-60"), "11-04-2026");
    let [a, x, b, c, d] = [("a", "00"), ("x", "05"), ("b", "10"), ("c", "20"), ("d", "30")]
        .map(|(text, minute)| at(text, &format!("09:{minute}:00")));
    // The end of the older file stands at the head of the newer one too; equal lines inside a file are real.
    let older = [a.as_str(), &x, &b, &b].concat();
    let newer = [x.as_str(), &b, &b, &c].concat();
    let logs = folder(&[
        ("PC1/Ccm.log", d.as_bytes()),
        ("PC1/ccm.lo_", newer.as_bytes()),
        ("PC1/Ccm-20261104-091500.log", older.as_bytes()),
        ("PC1/CcmOther.log", a.as_bytes()),
    ]);
    let scan = scan(logs.path());
    let source = scan.sources.iter().position(|source| source.path == "PC1/Ccm.log").unwrap();
    assert_eq!(scan.sources[source].files, ["PC1/Ccm-20261104-091500.log", "PC1/ccm.lo_", "PC1/Ccm.log"]);
    let texts: Vec<_> = scan.found[source].iter().flatten().map(|record| record.text.as_str()).collect();
    assert_eq!(texts, ["a", "x", "b", "b", "c", "d"]);
    assert_eq!(scan.sources[source].records, 6);
}

#[test]
fn equal_records_at_a_seam_are_no_copies() {
    let at = |time: &str| ccm("same", &format!("{time}.000-60"), "11-04-2026");
    let logs = folder(&[
        ("PC1/x.lo_", [at("09:00:00"), at("09:10:00")].concat().as_bytes()),
        ("PC1/x.log", at("09:10:00").as_bytes()),
    ]);
    assert_eq!(scan(logs.path()).sources[0].records, 3);
}

#[test]
fn a_missing_rollover_is_noted() {
    let minutes = |hour: u32| {
        (0..30).map(|minute| ccm("x", &format!("{hour:02}:{minute:02}:00.000-60"), "11-04-2026")).collect::<String>()
    };
    let mark = "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>\r\n";
    let logs =
        folder(&[("PC1/x.lo_", format!("{}{mark}", minutes(1)).as_bytes()), ("PC1/x.log", minutes(9).as_bytes())]);
    let source = &scan(logs.path()).sources[0];
    assert!(source.notes.iter().any(|note| note.contains("rollover file may be missing")), "{:?}", source.notes);
    assert_eq!(source.gaps, 0, "the renamed file's last line is a marker");
    let close = folder(&[("PC1/x.lo_", minutes(8).as_bytes()), ("PC1/x.log", minutes(9).as_bytes())]);
    assert!(scan(close.path()).sources[0].notes.is_empty());
}

// --- bad input ----------------------------------------------------------------------------------------------------

#[test]
fn bad_files_are_entries_of_the_account_and_the_others_are_read() {
    let good = ccm("good", "09:12:33.120-60", "11-04-2026");
    let binary: Vec<u8> = (0..=u8::MAX).cycle().take(4096).collect();
    let zip = zip_of(&[("a.log", good.as_bytes())]);
    let mut false_zip = zip.clone();
    false_zip.truncate(zip.len() / 2);
    for (name, bytes, note) in [
        ("empty.log", Vec::new(), "empty"),
        ("three.log", b"<![".to_vec(), "3 bytes"),
        ("binary.log", binary, "binary"),
        ("false.zip", false_zip, "zip"),
        ("packed.log.gz", b"\x1f\x8b\x08\0\0\0\0\0packed".to_vec(), "unpack it"),
        ("prose.txt", b"Dear colleague,\nthere is no log in here.\n".to_vec(), "no record"),
    ] {
        let logs = folder(&[("good.log", good.as_bytes()), (name, &bytes)]);
        let scan = scan(logs.path());
        let bad = scan.sources.iter().find(|source| source.path == name).unwrap();
        assert_eq!((bad.records, bad.format), (0, None), "{name}");
        assert_eq!(bad.gap_bytes, bytes.len() as u64, "{name}: every byte is accounted for");
        assert!(bad.notes.iter().any(|text| text.contains(note)), "{name}: {:?}", bad.notes);
        assert_eq!(scan.sources.iter().map(|source| source.records).sum::<u64>(), 1, "{name}");
    }
}

#[test]
fn random_bytes_in_a_log_cost_only_the_records_that_they_stand_in() {
    let line = |n: u32| ccm(&format!("message {n}"), &format!("09:12:{n:02}.120-60"), "11-04-2026");
    let lines: String = (10..50).map(line).collect();
    // A generator of no pattern is enough: what counts are control characters and zeros.
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(20_000)
    .collect();
    for at in [0, lines.len() / 2, lines.len()] {
        let mut bytes = lines.clone().into_bytes();
        bytes.splice(at..at, noise.iter().copied());
        let logs = folder(&[("PC1/x.log", &bytes)]);
        let source = &scan(logs.path()).sources[0];
        assert!(source.records >= 39, "at {at}: {} records", source.records);
        assert!(source.gap_bytes >= 19_000, "at {at}: {} bytes in gaps", source.gap_bytes);
    }
}

#[test]
fn a_file_that_holds_nothing_is_refused_with_the_reason() {
    let mut cut = zip_of(&[("a.log", ccm("good", "09:12:33.120-60", "11-04-2026").as_bytes())]);
    cut.truncate(cut.len() / 2);
    let logs = folder(&[("cut.zip", &cut)]);
    let error = Trail::read(&[logs.path().join("cut.zip")], ReadOptions::default(), &Silent).unwrap_err().to_string();
    assert!(error.contains("cut.zip") && error.contains("cut off"), "{error}");
}

#[test]
fn logs_that_were_collected_twice_are_counted_once() {
    let line = |n: u32| ccm(&format!("message {n}"), &format!("09:12:{n:02}.120-60"), "11-04-2026");
    let (early, late): (String, String) = ((10..30).map(line).collect(), (10..50).map(line).collect());
    let zip = zip_of(&[("PC1/x.log", early.as_bytes())]);
    let records = |files: &[(&str, &[u8])]| {
        let logs = folder(files);
        let sources = scan(logs.path()).sources;
        (sources.len(), sources.iter().map(|source| source.records).sum::<u64>())
    };
    let (early, late) = (early.as_bytes(), late.as_bytes());
    assert_eq!(records(&[("PC1/x.log", late), ("PC1.zip", &zip)]), (1, 40), "as a folder and an older zip");
    assert_eq!(records(&[("mon/PC1/x.log", early), ("tue/PC1/x.log", late)]), (1, 40), "twice on two days");
    assert_eq!(records(&[("logs/x.log", early), ("export/x.log", late)]), (1, 40), "of a machine without a name");
    assert_eq!(records(&[("client-PC1/x.log", early), ("client-PC2/x.log", early)]), (2, 40), "two machines");
    let later: String = (30..50).map(line).collect();
    assert_eq!(records(&[("a/x.log", early), ("b/x.log", later.as_bytes())]), (2, 40), "two logs");
}

#[test]
fn a_damaged_member_of_a_zip_is_read_as_far_as_it_goes_with_a_note() {
    let log: String = (0..200).map(|n| ccm(&format!("message {n}"), "09:12:33.120-60", "11-04-2026")).collect();
    let mut stored = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    stored.start_file("x.log", plain).unwrap();
    stored.write_all(log.as_bytes()).unwrap();
    let stored = stored.finish().unwrap().into_inner();
    let at = memchr::memmem::find(&stored, b"message 100").unwrap();
    let mut flipped = stored.clone();
    flipped[at] = b'M';
    let packed = zip_of(&[("x.log", log.as_bytes())]);
    let mut broken = packed.clone();
    let middle = packed.len() / 2;
    broken[middle - 8..middle + 8].fill(0xFF);
    for (what, zip, records, note) in [
        ("sound, stored", stored, Some(200), None),
        ("sound, packed", packed, Some(200), None),
        ("a bit flipped", flipped, Some(200), Some("checksum")),
        ("packed bytes overwritten", broken, None, Some("x.log")),
    ] {
        let logs = folder(&[("a.zip", &zip)]);
        let path = logs.path().join("a.zip");
        let scan = scan(&path);
        let source = &scan.sources[0];
        let stream = RecordStream::open(&[path], None, Window::ALL, &Silent).unwrap();
        let rows: usize = stream.batches().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows as u64, source.records, "{what}: the note has told it, the records are no error");
        assert!(records.is_none_or(|records| source.records == records), "{what}: {}", source.records);
        match note {
            Some(note) => assert!(source.notes.iter().any(|text| text.contains(note)), "{what}: {:?}", source.notes),
            None => assert!(source.notes.is_empty(), "{what}: {:?}", source.notes),
        }
    }
}

/// Peak memory of this process, KiB.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Set for the process that reads the bombs, so that its memory is that of reading them alone.
#[cfg(target_os = "linux")]
const BOMBS: &str = "CMGTRAIL_TEST_BOMBS";

#[cfg(target_os = "linux")]
#[test]
fn a_zip_bomb_ends_with_a_note_and_in_bounded_memory() {
    if let Some(folder) = std::env::var_os(BOMBS) {
        for (bomb, records) in [("line.zip", 0), ("records.zip", 1)] {
            let source = &scan(&PathBuf::from(&folder).join(bomb)).sources[0];
            assert!(source.records >= records, "{bomb}");
            assert!(source.bytes <= 65 << 20, "{bomb}: {} bytes were read", source.bytes);
            assert!(source.notes.iter().any(|note| note.contains("packed size")), "{bomb}: {:?}", source.notes);
        }
        // One line without an end is held whole, some times over, up to the longest record.
        assert!(peak_memory() < 600 << 10, "{} KiB", peak_memory());
        return;
    }
    let logs = tempfile::tempdir().unwrap();
    let record = ccm(&"A".repeat(100_000), "09:12:33.120-60", "11-04-2026");
    for (bomb, part) in [("line.zip", "A".repeat(1 << 20)), ("records.zip", record.repeat(10))] {
        let mut zip = zip::ZipWriter::new(fs::File::create(logs.path().join(bomb)).unwrap());
        zip.start_file("x.log", zip::write::SimpleFileOptions::default()).unwrap();
        (0..100).for_each(|_| zip.write_all(part.as_bytes()).unwrap());
        zip.finish().unwrap();
    }
    let mut own = std::process::Command::new(std::env::current_exe().unwrap());
    own.args(["--exact", "reading::a_zip_bomb_ends_with_a_note_and_in_bounded_memory", "--nocapture"]);
    let output = own.env(BOMBS, logs.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the bombs were read");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_an_entry_of_the_account() {
    let logs = folder(&[("good.log", ccm("good", "09:12:33.120-60", "11-04-2026").as_bytes())]);
    // A link to nothing cannot be opened by anybody, not even by root.
    std::os::unix::fs::symlink(logs.path().join("nothing"), logs.path().join("gone.log")).unwrap();
    let input = input::open(&[logs.path().to_owned()], None).unwrap();
    let told = input.logs.iter().flat_map(|log| &log.notes).any(|note| note.contains("gone.log"));
    assert!(told, "{:?}", input.logs);
    assert_eq!(
        formats::scan(&input, &seen, &Silent).unwrap().sources.iter().map(|source| source.records).sum::<u64>(),
        1
    );
}

#[test]
fn an_empty_folder_holds_nothing() {
    let logs = folder(&[]);
    let scan = scan(logs.path());
    assert!(scan.sources.is_empty() && scan.found.is_empty());
}

#[test]
fn artefacts_are_listed_apart() {
    let pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".as_slice();
    let logs = folder(&[
        ("cmg.pem", pem),
        ("ca.crl", b"-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n"),
        ("token.txt", b"eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln\n"),
        ("keys.json", b"{\"keys\": [{\"kty\": \"RSA\"}]}"),
        ("dsreg.txt", b"+----------------------------------------------------------------------+\n| Device State |\n+---+\n  AzureAdJoined : YES\n"),
        ("site.toml", b"[site]\n"),
        ("x.log", ccm("-----BEGIN CERTIFICATE-----", "09:12:33.120-60", "11-04-2026").as_bytes()),
    ]);
    let input = input::open(&[logs.path().to_owned()], None).unwrap();
    let kinds: Vec<_> = input.artefacts.iter().map(|artefact| (artefact.path.as_str(), artefact.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("ca.crl", ArtefactKind::RevocationList),
            ("cmg.pem", ArtefactKind::Certificate),
            ("dsreg.txt", ArtefactKind::JoinStatus),
            ("keys.json", ArtefactKind::KeySet),
            ("site.toml", ArtefactKind::Site),
            ("token.txt", ArtefactKind::Token),
        ]
    );
    assert_eq!(input.artefacts[1].read().unwrap(), pem);
    assert_eq!(input.logs.len(), 1);
}

#[test]
fn a_scan_stops_when_it_is_told_to() {
    struct Stop;
    impl Progress for Stop {
        fn advance(&self, _done: u64, _total: u64) {}
        fn stop(&self) -> bool {
            true
        }
    }
    let logs = folder(&[("x.log", ccm("x", "09:12:33.120-60", "11-04-2026").as_bytes())]);
    let input = input::open(&[logs.path().to_owned()], None).unwrap();
    assert!(matches!(formats::scan(&input, &seen, &Stop), Err(Error::Interrupted)));
}

// --- columns ------------------------------------------------------------------------------------------------------

#[test]
fn columns_hold_what_the_records_say_in_order_and_again() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int16Type, TimestampMicrosecondType, UInt32Type, UInt64Type};
    let many: String = (0..20_000).map(|n| ccm(&format!("message {n}"), "09:12:33.120-60", "11-04-2026")).collect();
    let late = ccm("late", "10:12:33.120-60", "11-05-2026");
    let logs = folder(&[("client-PC1/a.log", many.as_bytes()), ("client-PC1/b.log", late.as_bytes())]);
    let stream = RecordStream::open(&[logs.path().to_owned()], None, Window::ALL, &Silent).unwrap();
    for _ in 0..2 {
        let mut row = 0_u32;
        for batch in stream.batches().map(Result::unwrap) {
            let text = batch.column_by_name("text").unwrap().as_string::<i32>();
            let line = batch.column_by_name("line").unwrap().as_primitive::<UInt32Type>();
            let start = batch.column_by_name("byte_start").unwrap().as_primitive::<UInt64Type>();
            let utc = batch.column_by_name("utc").unwrap().as_primitive::<TimestampMicrosecondType>();
            let bias = batch.column_by_name("bias_minutes").unwrap().as_primitive::<Int16Type>();
            for index in 0..batch.num_rows() {
                assert_eq!(bias.value(index), -60);
                if row < 20_000 {
                    assert_eq!(text.value(index), format!("message {row}"));
                    assert_eq!(line.value(index), row + 1);
                    assert_eq!(rfc3339(utc.value(index)), "2026-11-04T08:12:33.120Z");
                    assert!(
                        many[usize::try_from(start.value(index)).unwrap()..]
                            .starts_with(&format!("<![LOG[message {row}]"))
                    );
                }
                row += 1;
            }
        }
        assert_eq!(row, 20_001);
    }
    let since = instant("since", "2026-11-05", &Zone::UTC).unwrap();
    let window = Window { since: Some(since), until: None };
    let stream = RecordStream::open(&[logs.path().to_owned()], None, window, &Silent).unwrap();
    assert_eq!(stream.batches().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1);
}

#[test]
fn what_is_lost_after_the_account_is_an_error_in_its_place() {
    let log: String = (0..20_000).map(|n| ccm(&format!("message {n}"), "09:12:33.120-60", "11-04-2026")).collect();
    let half = log.len() / 2;
    let more = [log.as_str(), &ccm("more", "09:12:34.120-60", "11-04-2026")].concat();
    let read = |change: &dyn Fn(&Path)| {
        let logs = folder(&[("PC1/a.log", b"<![LOG[half".as_slice()), ("PC1/b.log", log.as_bytes())]);
        fs::copy(logs.path().join("PC1/b.log"), logs.path().join("PC1/c.log")).unwrap();
        let stream = RecordStream::open(&[logs.path().to_owned()], None, Window::ALL, &Silent).unwrap();
        change(&logs.path().join("PC1/b.log"));
        let mut rows = 0;
        let mut errors = Vec::new();
        for batch in stream.batches() {
            match batch {
                Ok(batch) => rows += batch.num_rows(),
                Err(error) => errors.push((rows, error)),
            }
        }
        (rows, errors)
    };
    let (rows, errors) = read(&|_| ());
    assert_eq!((rows, errors.len()), (40_001, 0));
    let (rows, errors) = read(&|path| fs::write(path, &more).unwrap());
    assert_eq!((rows, errors.len()), (40_002, 0), "a log may grow");
    let (rows, errors) = read(&|path| fs::remove_file(path).unwrap());
    assert_eq!(rows, 20_001, "the other files are read");
    assert!(
        matches!(errors.as_slice(), [(1, Error::Unreadable { path, .. })] if path == Path::new("PC1/b.log")),
        "{errors:?}"
    );
    let (rows, errors) = read(&|path| fs::write(path, &log[..half]).unwrap());
    let left = memchr::memmem::find_iter(&log.as_bytes()[..half], "<![LOG[").count();
    assert_eq!(rows, 20_001 + left, "what is left is read");
    assert!(matches!(errors.as_slice(), [(before, Error::Unreadable { .. })] if *before == 1 + left), "{errors:?}");
}
