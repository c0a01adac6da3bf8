//! Which attempt a flow is judged by, and what is not known yet at the instant that `until` names.

#![allow(clippy::unwrap_used)] // a test says by panicking what went wrong

use std::path::{Path, PathBuf};

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Severity;
use cmgtrail::stage::{Mark, Outcome};
use cmgtrail::time::{Micros, Zone, instant};

fn logs(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(case).join("logs")
}

/// The client's renewals, refused twice and begun a third time, with more lines behind them.
fn renewals(more: &[(&str, &str, u32)]) -> Trail {
    let folder = tempfile::tempdir().unwrap();
    let log = logs("collected-while-it-tried-again").join("client-XY-1/CcmMessaging.log");
    let mut text = std::fs::read_to_string(log).unwrap();
    for (message, time, thread) in more {
        let line = format!(
            "<![LOG[{message}]LOG]!><time=\"{time}.000-60\" date=\"11-24-2026\" component=\"CcmMessaging\" context=\"\" \
             type=\"1\" thread=\"{thread}\" file=\"ccmmessaging.cpp:1\">\r\n"
        );
        text += &line;
    }
    let target = folder.path().join("client-XY-1");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("CcmMessaging.log"), text).unwrap();
    Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap()
}

const REFUSED: &str = "mp-binding-wrong";

#[test]
fn an_attempt_that_was_only_begun_hides_no_failure() {
    let chatter = ("OutgoingMessage(Queue='mp_mp_hinvendpoint'): Delivered", "13:00:00", 9999);
    for (what, trail) in [("at the end of the log", renewals(&[])), ("hours before it", renewals(&[chatter]))] {
        assert_eq!(trail.flows[0].outcome, Outcome::Failed, "{what}");
        assert!(trail.findings.iter().any(|found| found.failure == REFUSED), "{what}");
    }
}

#[test]
fn an_attempt_that_got_its_token_does() {
    let got = "Cached encrypted token for 'S-1-5-18'. Will expire at '11/24/2026 17:20:02'";
    let trail = renewals(&[(got, "10:20:02", 4120)]);
    assert_eq!(trail.flows[0].outcome, Outcome::Completed);
    let error = trail.findings.iter().find(|found| found.severity == Severity::Error);
    assert!(error.is_none(), "{:?}", error.map(|found| &found.failure));
}

/// Where a line of the client says that a stage failed, its reason does not say that none does.
#[test]
fn a_stage_that_was_begun_is_told_with_the_line_that_failed() {
    let corpus = std::fs::read_dir(logs("").parent().unwrap()).unwrap();
    let names = corpus.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut quoted = 0;
    for name in names.filter(|name| ["artefact-", "direct-mp-"].iter().any(|begin| name.starts_with(begin))) {
        let trail = Trail::read(&[logs(&name)], ReadOptions::default(), &Silent).unwrap();
        for flow in &trail.flows {
            let failed = |stage| {
                let own = flow.events.iter().filter(|event| event.attempt == flow.attempts && event.stage == stage);
                own.clone().any(|event| event.mark == Mark::Fail && event.source.starts_with("client"))
            };
            for (result, reason) in flow.stages.iter().filter_map(|result| Some((result, result.reason.as_ref()?))) {
                let says_none = reason.contains("no line says how it ended");
                assert!(!says_none || !failed(result.stage), "{name}, {}: {reason}", result.stage.id());
                quoted += usize::from(reason.contains(", then '"));
            }
        }
    }
    assert!(quoted > 5, "{quoted}");
}

#[test]
fn what_came_after_the_instant_asked_for_is_not_known_there() {
    let severity = |until: Option<&str>| {
        let until: Option<Micros> = until.map(|text| instant("until", text, &Zone::named("UTC").unwrap()).unwrap());
        let options = ReadOptions { until, ..ReadOptions::default() };
        let trail = Trail::read(&[logs("sql-outage-mended")], options, &Silent).unwrap();
        let known = |at: Option<Micros>| until.is_none_or(|until| at.is_some_and(|at| at < until));
        assert!(trail.events.iter().all(|event| known(event.stamp.utc)), "{until:?}");
        trail.findings.iter().find(|found| found.failure == "sql-unreachable").map(|found| found.severity)
    };
    assert_eq!(severity(None), Some(Severity::Warning), "it is over");
    assert_eq!(severity(Some("2026-11-12T07:10:00Z")), Some(Severity::Error), "it lasts");
    assert_eq!(severity(Some("2026-11-12T05:30:00Z")), None, "it has not begun");
}
