//! A trail made by hand: an install that failed at the CMG's certificate, and hostile text in it.

use std::path::PathBuf;
use std::sync::Arc;

use cmgtrail::engine::{Clock, Trail};
use cmgtrail::finding::{Confidence, Evidence, Finding, Missing, Severity};
use cmgtrail::flows::{ClientIdentity, Flow, FlowEvent, FlowKind, Join, LineRef, Outcome, StageResult, StageStatus};
use cmgtrail::record::{Format, Source};
use cmgtrail::stage::{Mark, Role, Stage};
use cmgtrail::time::UtcQuality;

pub const LOG: &str = "client-PC042/ccmsetup.log";
/// 2026-11-04T09:12:33.120Z.
pub const STARTED: i64 = 1_793_783_553_120_000;
pub const HOSTILE: &str = "<script>alert('x')</script> \u{1b}[31mred\u{7} \u{202e}txt.exe";

pub fn trail() -> Trail {
    Trail {
        sources: vec![source()],
        clocks: vec![Clock {
            host: "MP01".into(),
            reference: "PC042".into(),
            offset_seconds: -312.5,
            uncertainty_seconds: 1.5,
            pairs: 4,
            from: None,
        }],
        flows: vec![flow("f-1", Some("PC042"), Outcome::Failed), flow("f-2", None, Outcome::Completed)],
        findings: vec![finding()],
        traffic: true,
        ..empty()
    }
}

pub fn empty() -> Trail {
    Trail { paths: vec![PathBuf::from("logs")], ..Trail::default() }
}

fn source() -> Source {
    Source {
        path: LOG.into(),
        format: Some(Format::Ccm),
        component: Some("ccmsetup".into()),
        host: Some("PC042".into()),
        machine: "pc042".into(),
        role: Some(Role::Client),
        bytes: 5_120,
        records: 41,
        gaps: 1,
        gap_bytes: 12,
        first: Some(STARTED),
        last: None,
        time: UtcQuality::Known,
        files: vec!["client-PC042/ccmsetup-20261103-010203.log".into(), LOG.into()],
        holes: Vec::new(),
        notes: vec!["the last record is cut in half".into()],
    }
}

fn flow(id: &str, host: Option<&str>, outcome: Outcome) -> Flow {
    let failed = outcome == Outcome::Failed;
    Flow {
        id: id.into(),
        kind: FlowKind::Install,
        client: ClientIdentity { host: host.map(Into::into), ..ClientIdentity::default() },
        attempts: 2,
        started: Some(STARTED),
        ended: None,
        outcome,
        broke_at: failed.then_some(Stage::CmgConnection),
        stages: Stage::ALL.iter().map(|stage| judged(*stage, failed)).collect(),
        events: vec![
            line(1, Stage::AadToken, Mark::Ok, 7),
            line(2, Stage::CmgConnection, Mark::Fail, if failed { 17 } else { 99 }),
        ],
        candidate_ranges: Vec::new(),
    }
}

fn judged(stage: Stage, failed: bool) -> StageResult {
    let here = stage == Stage::CmgConnection;
    StageResult {
        stage,
        status: match () {
            () if stage < Stage::CmgConnection => StageStatus::Passed,
            () if here && failed => StageStatus::Failed,
            () => StageStatus::Unseen,
        },
        inferred: stage == Stage::AadInfo,
        reason: (stage > Stage::CmgConnection).then(|| "not reached".into()),
        at: here.then_some(STARTED),
        evidence: if here { vec![LineRef { source: LOG.into(), line: 17 }] } else { Vec::new() },
    }
}

fn line(attempt: u32, stage: Stage, mark: Mark, line: u32) -> FlowEvent {
    FlowEvent {
        attempt,
        stage,
        mark,
        at: Some(STARTED),
        source: Arc::from(LOG),
        line,
        join: Join {
            by: vec!["log".into()],
            confidence: Confidence::Certain,
            distance_seconds: None,
            rivals: 0,
            to: None,
        },
        message: "sent-failed".into(),
        event: u32::MAX,
    }
}

fn finding() -> Finding {
    Finding {
        failure: "cmg-root-ca-missing".into(),
        severity: Severity::Error,
        confidence: Confidence::Likely,
        hypothesis: false,
        stage: Some(Stage::CmgConnection),
        scope: "client".into(),
        title: "The client does not trust the root of the CMG's certificate".into(),
        explanation: format!("The TLS handshake with cmg.contoso.com ended with 12175. {HOSTILE}"),
        remedy: "Put the root certificate into the machine's Trusted Root store.".into(),
        verify: "Run ccmsetup again and look for a location reply.".into(),
        reference: "https://example.org/cmg".into(),
        rule: "builtin".into(),
        evidence: vec![Evidence { source: LOG.into(), line: 17, text: HOSTILE.into() }],
        missing: vec![Missing {
            what: "the certificates in the client's root store".into(),
            machine: Some("PC042".into()),
            from: Some(STARTED),
            to: None,
            separates: vec!["crl-unreachable".into()],
            how: "certutil -store root".into(),
        }],
        consequences: vec!["0x87D00231".into()],
        flows: vec!["f-1".into()],
        clients: 1,
        first_seen: Some(STARTED),
        last_seen: Some(STARTED),
    }
}
