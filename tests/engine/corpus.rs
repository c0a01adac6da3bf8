//! The corpus: every folder under `tests/corpus` holds logs and what must be said of them.
//!
//! `tests/corpus/README.md` explains the form of `case.toml`. `CMGTRAIL_CASE=name` runs one case alone.

#![allow(clippy::expect_used, clippy::unwrap_used)] // a test that cannot read its own corpus has nothing to say

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Finding, Severity};
use cmgtrail::flows::{Flow, Outcome};
use serde::Deserialize;

use super::case::{Case, ExpectedFinding, ExpectedFlow, ExpectedSource, Provenance, Quote, corpus, load, names};

/// The causes that the workflow documentation itself names, and that therefore must be told from their neighbours.
const HEADLINES: [&str; 4] =
    ["cmg-root-ca-missing", "crl-unreachable", "crl-check-restored-after-bootstrap", "wpj-certificate-missing"];

/// Names of all cases, or of the one that `CMGTRAIL_CASE` names.
fn chosen() -> Vec<String> {
    let only = std::env::var("CMGTRAIL_CASE").ok();
    let chosen: Vec<String> =
        names().into_iter().filter(|name| only.as_ref().is_none_or(|only| only == name)).collect();
    assert!(!chosen.is_empty(), "no case to run under {}", corpus().display());
    chosen
}

/// Runs `check` on every case and fails with all that it found, each case framed by its name.
fn for_every_case(check: impl Fn(&str, &Case, &mut Vec<String>)) {
    let mut report = String::new();
    let names = chosen();
    let mut failed = 0;
    for name in &names {
        let mut faults = Vec::new();
        match load(name) {
            Ok(case) => check(name, &case, &mut faults),
            Err(error) => faults.push(error),
        }
        if !faults.is_empty() {
            failed += 1;
            writeln!(report, "┌ {name}").unwrap();
            for fault in faults {
                writeln!(report, "│ {}", fault.replace('\n', "\n│   ")).unwrap();
            }
            writeln!(report, "└").unwrap();
        }
    }
    assert!(failed == 0, "{failed} of {} cases are not as expected\n{report}", names.len());
}

#[test]
fn every_case_stands_on_its_logs() {
    for_every_case(|name, case, faults| {
        if case.title.is_empty() || case.shows.is_empty() {
            faults.push("title and shows must say something".to_owned());
        }
        let files = files_of(name, case);
        if files.is_empty() {
            faults.push(format!("no log under {:?}", case.read));
        }
        if case.flows.is_empty() && case.traffic && case.flow_count != Some(0) {
            faults.push("there is traffic, but no flow is expected of it".to_owned());
        }
        for line in lines_of(case) {
            faults.extend(misplaced(&files, line));
        }
    });
}

/// Why a line of `case.toml` does not stand where it says, if so.
fn misplaced(files: &BTreeMap<String, String>, line: &Quote) -> Option<String> {
    let Some(text) = files.get(&line.source) else {
        return Some(format!("{}: no such log; there are {:?}", line.source, files.keys().collect::<Vec<_>>()));
    };
    let found = (line.line as usize).checked_sub(1).and_then(|index| text.split('\n').nth(index));
    match found {
        Some(found) if !line.text.is_empty() && found.contains(&line.text) => None,
        found => {
            Some(format!("{}:{}: expected '{}'\nfound '{}'", line.source, line.line, line.text, found.unwrap_or("")))
        }
    }
}

fn lines_of(case: &Case) -> impl Iterator<Item = &Quote> {
    let flows =
        case.flows.iter().flat_map(|flow| std::iter::once(&flow.anchor).chain(&flow.lines).chain(&flow.not_lines));
    flows.chain(case.findings.iter().flat_map(|finding| &finding.evidence))
}

/// The case's logs, decoded, by path relative to what is read.
fn files_of(name: &str, case: &Case) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for path in case.paths(name) {
        if path.is_dir() {
            for entry in walkdir::WalkDir::new(&path) {
                let entry = entry.expect("a file of the corpus");
                if entry.file_type().is_file() {
                    let relative = entry.path().strip_prefix(&path).unwrap().to_string_lossy().replace('\\', "/");
                    files.insert(relative, decode(&std::fs::read(entry.path()).unwrap()));
                }
            }
        } else if let Ok(file) = std::fs::File::open(&path) {
            let mut archive = zip::ZipArchive::new(file).expect("a zip of the corpus");
            for index in 0..archive.len() {
                let mut member = archive.by_index(index).unwrap();
                let mut bytes = Vec::new();
                member.read_to_end(&mut bytes).unwrap();
                files.insert(member.name().expect("a plain name").into_owned(), decode(&bytes));
            }
        }
    }
    files
}

fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned())
}

#[test]
fn an_expectation_cannot_be_ignored_silently() {
    let case = "title = 't'\nshows = 's'\nprovenance = 'simulated'\ntraffic = true\nexit_status = 0\n";
    assert!(toml::from_str::<Case>(case).is_ok());
    for extra in ["helthy = true", "[[flows]]\nkind = 'install'\nend = 'failed'", "[[findings]]\nproof = []"] {
        let error = toml::from_str::<Case>(&format!("{case}{extra}\n")).err().expect("an unknown key is an error");
        assert!(error.to_string().contains("unknown field"), "{error}");
    }
    let files = BTreeMap::from([("a.log".to_owned(), "first\r\nsecond\r\n".to_owned())]);
    let quote = |line, text: &str| Quote {
        source: "a.log".to_owned(),
        line,
        text: text.to_owned(),
        by: Vec::new(),
        confidence: None,
        rivals_at_least: None,
    };
    assert_eq!(misplaced(&files, &quote(2, "second")), None);
    assert!(misplaced(&files, &quote(1, "second")).is_some());
    assert!(misplaced(&files, &quote(0, "first")).is_some());
    assert!(misplaced(&files, &quote(9, "first")).is_some());
}

#[test]
fn the_corpus_covers_what_it_must() {
    if std::env::var_os("CMGTRAIL_CASE").is_some() {
        return;
    }
    let cases: Vec<Case> = names().iter().map(|name| load(name).unwrap_or_else(|error| panic!("{error}"))).collect();
    assert!(cases.len() >= 90, "{} cases", cases.len());
    assert!(cases.iter().filter(|case| case.healthy).count() >= 12, "at least 12 healthy cases");
    assert!(cases.iter().any(|case| case.provenance == Provenance::DocumentedShapes));
    for case in cases.iter().filter(|case| case.healthy) {
        assert!(case.exit_status.has(&0) && !case.exit_status.has(&1), "{}: healthy, so exit status 0", case.title);
        assert!(case.findings.iter().all(|finding| finding.severity < Severity::Error), "{}: healthy", case.title);
    }
    for headline in HEADLINES {
        let shown = cases.iter().filter(|case| case.headline.as_deref() == Some(headline));
        assert!(shown.count() >= 2, "{headline}: at least two cases show it");
        let near: Vec<&Case> = cases.iter().filter(|case| case.near_miss_of.iter().any(|id| id == headline)).collect();
        assert!(!near.is_empty(), "{headline}: at least one near-miss");
        for case in near {
            assert!(case.findings.iter().all(|finding| finding.failure != headline), "{}: a near-miss", case.title);
        }
    }
}

/// A case whose expectation is not met yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotYetMet {
    name: String,
    differs: String,
}

/// The cases that `not-yet-met.toml` lists: name, and in what way they differ.
fn not_yet_met() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(corpus().join("not-yet-met.toml")).unwrap();
    let mut listed: BTreeMap<String, Vec<NotYetMet>> = toml::from_str(&text).unwrap();
    let cases = listed.remove("case").unwrap_or_default();
    assert!(listed.is_empty(), "only [[case]] is known");
    cases.into_iter().map(|case| (case.name, case.differs)).collect()
}

#[test]
fn every_case_is_diagnosed_as_expected() {
    let listed = not_yet_met();
    for name in listed.keys() {
        assert!(corpus().join(name).is_dir(), "{name} is listed and is no case");
    }
    for_every_case(|name, case, faults| {
        let mut found = Vec::new();
        match Trail::read(&case.paths(name), ReadOptions::default(), &Silent) {
            Ok(trail) => compare(case, &trail, &mut found),
            Err(error) => found.push(format!("expected a trail, found an error: {error}")),
        }
        match listed.get(name) {
            None => faults.append(&mut found),
            Some(_) if found.is_empty() => faults.push("it is met now: take it off not-yet-met.toml".to_owned()),
            Some(differs) => assert_ne!(differs, "", "{name}: in what way it differs is to be said"),
        }
    });
    eprintln!("{} cases are not met yet", listed.len());
}

fn compare(case: &Case, trail: &Trail, faults: &mut Vec<String>) {
    if trail.traffic != case.traffic {
        faults.push(format!("traffic: expected {}, found {}", case.traffic, trail.traffic));
    }
    let status = u8::from(trail.findings.iter().any(|finding| finding.severity == Severity::Error));
    if !case.exit_status.has(&status) {
        faults.push(format!("exit status: found {status}"));
    }
    for expected in &case.sources {
        compare_source(expected, trail, faults);
    }
    for expected in &case.clocks {
        let clocks = trail.clocks.iter().filter(|clock| {
            clock.host.eq_ignore_ascii_case(&expected.host) && clock.reference.eq_ignore_ascii_case(&expected.reference)
        });
        let found: Vec<f64> = clocks.map(|clock| clock.offset_seconds).collect();
        if !found.iter().any(|ahead| (ahead - expected.ahead).abs() <= expected.within) {
            faults.push(format!("clock of {}: expected {} ahead, found {found:?}", expected.host, expected.ahead));
        }
    }
    compare_flows(case, trail, faults);
    compare_findings(case, trail, faults);
}

fn compare_source(expected: &ExpectedSource, trail: &Trail, faults: &mut Vec<String>) {
    let Some(source) = trail.sources.iter().find(|source| source.path == expected.path) else {
        let found: Vec<&str> = trail.sources.iter().map(|source| source.path.as_str()).collect();
        faults.push(format!("source {}: not there; found {found:?}", expected.path));
        return;
    };
    let mut differ = |what: &str, expected: String, found: String| {
        faults.push(format!("source {}: {what}: expected {expected}, found {found}", source.path));
    };
    if expected.host.is_some() && !same(expected.host.as_ref(), source.host.as_ref()) {
        differ("host", format!("{:?}", expected.host), format!("{:?}", source.host));
    }
    if expected.role.is_some() && expected.role != source.role {
        differ("role", format!("{:?}", expected.role), format!("{:?}", source.role));
    }
    if let Some(format) = &expected.format {
        let found = serde_json::to_value(source.format).unwrap();
        if found != format.as_str() {
            differ("format", format.clone(), found.to_string());
        }
    }
    if expected.time.as_ref().is_some_and(|time| !time.has(&source.time)) {
        differ("time", "another quality".to_owned(), format!("{:?}", source.time));
    }
    if expected.files.as_ref().is_some_and(|files| *files != source.files) {
        differ("files", format!("{:?}", expected.files), format!("{:?}", source.files));
    }
}

fn same(expected: Option<&String>, found: Option<&String>) -> bool {
    match (expected, found) {
        (Some(expected), Some(found)) => expected.eq_ignore_ascii_case(found),
        (expected, found) => expected.is_none() && found.is_none(),
    }
}

fn holds(flow: &Flow, line: &Quote) -> bool {
    flow.events.iter().any(|event| *event.source == *line.source && event.line == line.line)
}

fn at(line: &Quote) -> String {
    format!("{}:{} '{}'", line.source, line.line, line.text)
}

/// Flows are complete: one that no expectation claims must be of a kind and outcome that the case permits.
fn compare_flows(case: &Case, trail: &Trail, faults: &mut Vec<String>) {
    if case.flow_count.is_some_and(|count| count != trail.flows.len()) {
        faults.push(format!("flows: expected {:?}, found {}{}", case.flow_count, trail.flows.len(), summary(trail)));
    }
    let mut claimed = BTreeSet::new();
    for expected in &case.flows {
        let fitting: Vec<&Flow> =
            trail.flows.iter().filter(|flow| flow.kind == expected.kind && holds(flow, &expected.anchor)).collect();
        let [flow] = fitting[..] else {
            faults.push(format!(
                "{:?} flow with {}: expected one, found {}{}",
                expected.kind,
                at(&expected.anchor),
                fitting.len(),
                summary(trail)
            ));
            continue;
        };
        if !claimed.insert(flow.id.clone()) {
            faults.push(format!("{:?} flow with {}: expected a flow of its own", expected.kind, at(&expected.anchor)));
        }
        compare_flow(expected, flow, faults);
    }
    for flow in trail.flows.iter().filter(|flow| !claimed.contains(&flow.id)) {
        if !case.other_flows.contains(&flow.kind) || !case.other_outcomes.contains(&flow.outcome) {
            faults.push(format!("unexpected flow:\n{}", describe(flow)));
        }
    }
}

fn describe(flow: &Flow) -> String {
    let first = flow.events.first().map_or(String::new(), |event| format!("{}:{}", event.source, event.line));
    format!(
        "{:?} of {:?} from {first}, {} attempts, {:?}, broke at {:?}, {} events",
        flow.kind,
        flow.client.host,
        flow.attempts,
        flow.outcome,
        flow.broke_at,
        flow.events.len()
    )
}

fn summary(trail: &Trail) -> String {
    trail.flows.iter().fold(String::new(), |text, flow| text + "\n  there is " + &describe(flow))
}

fn compare_flow(expected: &ExpectedFlow, flow: &Flow, faults: &mut Vec<String>) {
    let name = format!("{:?} flow with {}", expected.kind, at(&expected.anchor));
    let mut differ = |what: &str, expected: String, found: String| {
        faults.push(format!("{name}\n{what}: expected {expected}, found {found}"));
    };
    let ids = [
        ("host", &expected.client.host, &flow.client.host),
        ("device id", &expected.client.device_id, &flow.client.device_id),
        ("user id", &expected.client.user_id, &flow.client.user_id),
        ("client id", &expected.client.client_id, &flow.client.client_id),
        ("tenant id", &expected.client.tenant_id, &flow.client.tenant_id),
    ];
    for (what, expected, found) in ids {
        if expected.is_some() && !same(expected.as_ref(), found.as_ref()) {
            differ(what, format!("{expected:?}"), format!("{found:?}"));
        }
    }
    if expected.attempts.is_some_and(|attempts| attempts != flow.attempts) {
        differ("attempts", format!("{:?}", expected.attempts), flow.attempts.to_string());
    }
    if expected.outcome != flow.outcome {
        differ("outcome", format!("{:?}", expected.outcome), format!("{:?}", flow.outcome));
    }
    if (expected.broke_at.is_some() || expected.outcome == Outcome::Completed) && expected.broke_at != flow.broke_at {
        differ("broke at", format!("{:?}", expected.broke_at), format!("{:?}", flow.broke_at));
    }
    for (stage, status) in &expected.stages {
        let found = flow.stages.iter().find(|result| result.stage == *stage).map(|result| result.status);
        if found != Some(*status) {
            differ(stage.id(), format!("{status:?}"), format!("{found:?}"));
        }
    }
    for line in &expected.lines {
        let event = flow.events.iter().find(|event| *event.source == *line.source && event.line == line.line);
        match event {
            None => differ("lines", at(line), "a flow without it".to_owned()),
            Some(event) if line.by.iter().any(|key| !event.join.by.contains(key)) => {
                differ("join", format!("{} by {:?}", at(line), line.by), format!("{:?}", event.join.by));
            }
            Some(event) if line.confidence.is_some_and(|confidence| confidence != event.join.confidence) => {
                differ("join", format!("{} {:?}", at(line), line.confidence), format!("{:?}", event.join));
            }
            Some(event) if line.rivals_at_least.is_some_and(|rivals| rivals > event.join.rivals) => {
                differ("join", format!("{} with rivals", at(line)), format!("{:?}", event.join));
            }
            Some(_) => {}
        }
    }
    for line in expected.not_lines.iter().filter(|line| holds(flow, line)) {
        differ("lines", format!("a flow without {}", at(line)), "it in the flow".to_owned());
    }
}

fn compare_findings(case: &Case, trail: &Trail, faults: &mut Vec<String>) {
    for expected in &case.findings {
        // One cause that stops some and was overcome by others, or is surer of some than of others, is two findings, and
        // then two are expected.
        let several = case.findings.iter().filter(|other| other.failure == expected.failure).count() > 1;
        let fits = |found: &Finding| {
            found.severity == expected.severity && expected.clients.is_none_or(|clients| clients == found.clients)
        };
        let is_it = |found: &Finding| found.failure == expected.failure && (!several || fits(found));
        let found: Vec<(usize, &Finding)> =
            trail.findings.iter().enumerate().filter(|(_, found)| is_it(found)).collect();
        let [(rank, finding)] = found[..] else {
            let all: Vec<&str> = trail.findings.iter().map(|finding| finding.failure.as_str()).collect();
            faults.push(format!("finding {}: expected one, found {} in {all:?}", expected.failure, found.len()));
            continue;
        };
        if expected.first && rank != 0 {
            faults.push(format!(
                "finding {}: expected first, found after {}",
                expected.failure, trail.findings[0].failure
            ));
        }
        compare_finding(expected, finding, faults);
    }
    for finding in &trail.findings {
        if case.forbidden.contains(&finding.failure) {
            faults.push(format!("finding {}: must not be reported: {}", finding.failure, finding.explanation));
        } else if !case.findings.iter().any(|expected| expected.failure == finding.failure) {
            judge_unlisted(case, finding, faults);
        }
    }
}

/// A finding that the case does not list may be informative; anything graver must be allowed by name.
fn judge_unlisted(case: &Case, finding: &Finding, faults: &mut Vec<String>) {
    let found = format!("finding {} ({:?}, {:?})", finding.failure, finding.severity, finding.confidence);
    match case.allowed.iter().find(|allowed| allowed.failure == finding.failure) {
        None if finding.severity > Severity::Info => {
            faults.push(format!("{found}: not expected: {}", finding.explanation));
        }
        Some(allowed) if allowed.at_most.is_some_and(|most| finding.confidence > most) => {
            faults.push(format!("{found}: allowed with confidence {:?} at most", allowed.at_most));
        }
        Some(allowed) if allowed.severity_at_most.is_some_and(|most| finding.severity > most) => {
            faults.push(format!("{found}: allowed with severity {:?} at most", allowed.severity_at_most));
        }
        _ => {}
    }
}

fn compare_finding(expected: &ExpectedFinding, finding: &Finding, faults: &mut Vec<String>) {
    let mut differ = |what: &str, expected: String, found: String| {
        faults.push(format!("finding {}: {what}: expected {expected}, found {found}", finding.failure));
    };
    if finding.severity != expected.severity {
        differ("severity", format!("{:?}", expected.severity), format!("{:?}", finding.severity));
    }
    let exact = expected.confidence.is_none_or(|exact| finding.confidence == exact);
    let enough = expected.at_least.is_none_or(|least| finding.confidence >= least);
    let modest = expected.at_most.is_none_or(|most| finding.confidence <= most);
    if !(exact && enough && modest) {
        let wanted = (expected.confidence, expected.at_least, expected.at_most);
        differ("confidence (exact, at least, at most)", format!("{wanted:?}"), format!("{:?}", finding.confidence));
    }
    if expected.stage.is_some() && expected.stage != finding.stage {
        differ("stage", format!("{:?}", expected.stage), format!("{:?}", finding.stage));
    }
    if expected.clients.is_some_and(|clients| clients != finding.clients) {
        differ("clients", format!("{:?}", expected.clients), finding.clients.to_string());
    }
    if expected.flows.is_some_and(|flows| flows != finding.flows.len()) {
        differ("flows", format!("{:?}", expected.flows), format!("{:?}", finding.flows));
    }
    for line in &expected.evidence {
        if !finding.evidence.iter().any(|found| *found.source == *line.source && found.line == line.line) {
            differ("evidence", at(line), "a proof without it".to_owned());
        }
    }
    let said = finding.explanation.to_lowercase();
    for word in expected.words.iter().filter(|word| !said.contains(&word.to_lowercase())) {
        differ("explanation", format!("the value '{word}' in it"), finding.explanation.clone());
    }
}
