//! The cases of the corpus as their `case.toml` has them: one reader for all that look at them.
//!
//! `tests/corpus/README.md` explains the form.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cmgtrail::finding::{Confidence, Severity};
use cmgtrail::flows::{FlowKind, Outcome, StageStatus};
use cmgtrail::stage::{Role, Stage};
use cmgtrail::time::UtcQuality;
use serde::Deserialize;

/// What must be said of a case's logs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub title: String,
    pub shows: String,
    pub provenance: Provenance,
    #[serde(default)]
    pub healthy: bool,
    pub headline: Option<String>,
    #[serde(default)]
    pub near_miss_of: Vec<String>,
    #[serde(default = "logs_folder")]
    pub read: Vec<String>,
    pub traffic: bool,
    pub exit_status: OneOrMore<u8>,
    pub flow_count: Option<usize>,
    #[serde(default)]
    pub other_flows: Vec<FlowKind>,
    #[serde(default = "completed_only")]
    pub other_outcomes: Vec<Outcome>,
    #[serde(default)]
    pub allowed: Vec<Allowed>,
    #[serde(default)]
    pub forbidden: Vec<String>,
    #[serde(default)]
    pub sources: Vec<ExpectedSource>,
    #[serde(default)]
    pub clocks: Vec<ExpectedClock>,
    #[serde(default)]
    pub flows: Vec<ExpectedFlow>,
    #[serde(default)]
    pub findings: Vec<ExpectedFinding>,
}

#[derive(Deserialize, PartialEq)]
pub enum Provenance {
    #[serde(rename = "documented shapes")]
    DocumentedShapes,
    #[serde(rename = "simulated")]
    Simulated,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T: PartialEq> OneOrMore<T> {
    pub fn has(&self, value: &T) -> bool {
        match self {
            Self::One(one) => one == value,
            Self::More(more) => more.contains(value),
        }
    }
}

impl Case {
    /// What is to be read of the case of this name.
    pub fn paths(&self, name: &str) -> Vec<PathBuf> {
        self.read.iter().map(|given| corpus().join(name).join(given)).collect()
    }
}

/// A line of a log, quoted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    pub source: String,
    pub line: u32,
    pub text: String,
    #[serde(default)]
    pub by: Vec<String>,
    pub confidence: Option<Confidence>,
    pub rivals_at_least: Option<usize>,
}

/// How far a machine's clock must be found to be ahead of another's, seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedClock {
    pub host: String,
    pub reference: String,
    pub ahead: f64,
    pub within: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    pub failure: String,
    pub at_most: Option<Confidence>,
    pub severity_at_most: Option<Severity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSource {
    pub path: String,
    pub host: Option<String>,
    pub role: Option<Role>,
    pub format: Option<String>,
    pub time: Option<OneOrMore<UtcQuality>>,
    pub files: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFlow {
    pub kind: FlowKind,
    pub anchor: Quote,
    #[serde(default)]
    pub client: ExpectedClient,
    pub attempts: Option<u32>,
    pub outcome: Outcome,
    pub broke_at: Option<Stage>,
    #[serde(default)]
    pub stages: BTreeMap<Stage, StageStatus>,
    #[serde(default)]
    pub lines: Vec<Quote>,
    #[serde(default)]
    pub not_lines: Vec<Quote>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ExpectedClient {
    pub host: Option<String>,
    pub device_id: Option<String>,
    pub user_id: Option<String>,
    pub client_id: Option<String>,
    pub tenant_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFinding {
    pub failure: String,
    pub severity: Severity,
    pub confidence: Option<Confidence>,
    pub at_least: Option<Confidence>,
    pub at_most: Option<Confidence>,
    #[serde(default)]
    pub first: bool,
    pub stage: Option<Stage>,
    pub clients: Option<usize>,
    pub flows: Option<usize>,
    #[serde(default)]
    pub evidence: Vec<Quote>,
    #[serde(default)]
    pub words: Vec<String>,
}

fn logs_folder() -> Vec<String> {
    vec!["logs".to_owned()]
}

fn completed_only() -> Vec<Outcome> {
    vec![Outcome::Completed]
}

/// The folder of all cases.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// Names of all cases, in order.
pub fn names() -> Vec<String> {
    let folders = std::fs::read_dir(corpus()).expect("tests/corpus is a folder");
    let mut names: Vec<String> = folders
        .map(|entry| entry.expect("an entry of tests/corpus"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A case by its name.
pub fn load(name: &str) -> Result<Case, String> {
    toml::from_str(&text(name)?).map_err(|error| format!("{name}: {error}"))
}

/// What stands in a case's `case.toml`.
pub fn text(name: &str) -> Result<String, String> {
    let path = corpus().join(name).join("case.toml");
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}
