//! What a diagnosis says: one cause with its proof, and what is missing to be certain.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::stage::Stage;
use crate::time::{Micros, serialize_utc};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Benign, named so that nobody chases it.
    Info,
    /// Will stop authentication, or degrades it.
    Warning,
    /// Stops authentication now.
    Error,
}

/// How sure something is. Ordered: `Possible < Likely < Certain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It fits, and so does something else.
    Possible,
    /// It fits best.
    Likely,
    /// The evidence excludes the alternatives.
    Certain,
}

/// A line that proves something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// File that holds the line, relative to what was given, with `/`.
    pub source: Arc<str>,
    /// First physical line of the record in that file, 1-based.
    pub line: u32,
    /// The record's message.
    pub text: String,
}

/// Evidence that is not at hand and would decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Which log or artefact.
    pub what: String,
    /// Of which machine: a host name, or a role in words.
    pub machine: Option<String>,
    /// From when, UTC.
    #[serde(serialize_with = "serialize_utc")]
    pub from: Option<Micros>,
    /// Until when, UTC.
    #[serde(serialize_with = "serialize_utc")]
    pub to: Option<Micros>,
    /// The failures it would tell apart.
    pub separates: Vec<String>,
    /// How to collect it.
    pub how: String,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Failure id.
    pub failure: String,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// True where the failure's text has no public sample.
    pub hypothesis: bool,
    /// Stage that fails first, if it has one.
    pub stage: Option<Stage>,
    /// Whom it hits: "client", "site", "tenant" …
    pub scope: String,
    /// One line.
    pub title: String,
    /// What happened and why, with the values found.
    pub explanation: String,
    /// What to do now.
    pub remedy: String,
    /// How to check that it worked.
    pub verify: String,
    /// Public reference.
    pub reference: String,
    /// "builtin", or the user's file that the rule came from.
    pub rule: String,
    /// The lines that prove it.
    pub evidence: Vec<Evidence>,
    /// What is missing to be certain, most telling first.
    pub missing: Vec<Missing>,
    /// Failure ids and codes that follow from it.
    pub consequences: Vec<String>,
    /// Ids of the flows it stopped.
    pub flows: Vec<String>,
    /// Number of clients it stopped.
    pub clients: usize,
    /// UTC of its first evidence.
    #[serde(serialize_with = "serialize_utc")]
    pub first_seen: Option<Micros>,
    /// UTC of its last evidence.
    #[serde(serialize_with = "serialize_utc")]
    pub last_seen: Option<Micros>,
}
