//! Flows: one purpose pursued by one client, followed over all machines.

mod attempts;
mod beside;
pub mod clocks;
mod cut;
mod draft;
mod earlier;
mod follow;
pub mod hops;
pub mod identity;
mod join;
mod judge;
mod located;
mod machines;
mod order;
mod place;
mod ranges;
pub mod requests;
mod servers;

use std::sync::Arc;

use serde::Serialize;

use crate::finding::Confidence;
use crate::record::Place;
use crate::stage::Mark;

pub use beside::lay_beside;
pub use clocks::Clock;
pub use follow::{FlowDetail, Followed, follow, speak_of_cmg};
pub use located::{Located, can_lie_at};
pub use machines::{Machine, name_by_content};
pub use ranges::CandidateRange;

pub use crate::stage::{FlowKind, Outcome, Stage, StageStatus};
use crate::time::{Micros, serialize_utc};

/// A stage of a flow, as judged over its last attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageResult {
    /// The stage.
    pub stage: Stage,
    /// Its status.
    pub status: StageStatus,
    /// True where no line of its own says so: a later stage presupposes that it passed, or what did not come, or the
    /// cause of that, tells that it failed.
    pub inferred: bool,
    /// Why it was skipped or is unseen, and which log would show it.
    pub reason: Option<String>,
    /// UTC of the deciding line.
    #[serde(serialize_with = "serialize_utc")]
    pub at: Option<Micros>,
    /// The deciding lines.
    pub evidence: Vec<LineRef>,
}

/// A line, by file and number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineRef {
    /// File, relative to what was given, with `/`.
    pub source: Arc<str>,
    /// First physical line of the record, 1-based.
    pub line: u32,
}

impl From<&Place> for LineRef {
    fn from(place: &Place) -> Self {
        Self { source: Arc::clone(&place.file), line: place.line }
    }
}

/// Why an event belongs to a flow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Join {
    /// Keys that agree: "device-id", "thread", "log" …
    pub by: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Seconds between the joined lines after clock offsets, where time had a part in it.
    pub distance_seconds: Option<f64>,
    /// Other candidates that fit as well: flows for this line, or lines of the same machine for its request.
    pub rivals: usize,
    /// The client's line that it was joined to; null for the client's own lines.
    pub to: Option<LineRef>,
}

/// An event as part of a flow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowEvent {
    /// Attempt of the flow, from 1.
    pub attempt: u32,
    /// Stage it belongs to.
    pub stage: Stage,
    /// What it says of the stage.
    pub mark: Mark,
    /// UTC by the clock of the machine that wrote it.
    #[serde(serialize_with = "serialize_utc")]
    pub at: Option<Micros>,
    /// File of the line.
    pub source: Arc<str>,
    /// First physical line of the record, 1-based.
    pub line: u32,
    /// Why it belongs here.
    pub join: Join,
    /// Id of the message that matched.
    pub message: String,
    /// Index into the trail's events.
    #[serde(skip)]
    pub event: u32,
}

impl FlowEvent {
    /// True where it surely belongs to the flow. What is merely possible decides nothing.
    pub fn is_proven(&self) -> bool {
        self.join.confidence > Confidence::Possible
    }
}

/// What is known of the client of a flow. Ids are lower-case; what is not known is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClientIdentity {
    /// Host name.
    pub host: Option<String>,
    /// Entra device id.
    pub device_id: Option<String>,
    /// Entra user object id.
    pub user_id: Option<String>,
    /// ConfigMgr client id, without `GUID:`.
    pub client_id: Option<String>,
    /// Entra tenant id.
    pub tenant_id: Option<String>,
}

/// One purpose pursued by one client, with its attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// The same in every run over the same logs.
    pub id: String,
    /// What the client was after.
    pub kind: FlowKind,
    /// Who it was.
    pub client: ClientIdentity,
    /// Number of attempts.
    pub attempts: u32,
    /// UTC of its first line.
    #[serde(serialize_with = "serialize_utc")]
    pub started: Option<Micros>,
    /// UTC of its last line.
    #[serde(serialize_with = "serialize_utc")]
    pub ended: Option<Micros>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where its last attempt broke.
    pub broke_at: Option<Stage>,
    /// Its stages, in display order.
    pub stages: Vec<StageResult>,
    /// Its events on all machines, in order.
    pub events: Vec<FlowEvent>,
    /// Where many lines of a server may be a request's, the part of the log that holds them.
    pub candidate_ranges: Vec<CandidateRange>,
}
