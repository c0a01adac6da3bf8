//! Message patterns.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::stage::{FlowKind, Mark, Role, Stage};

/// How sure the catalogue is of a message's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Seen in a named public source.
    Seen,
    /// Computed from a source's data.
    Computed,
    /// Inferred; no public sample. Findings that rest on its text alone are `possible` at most.
    Inferred,
}

/// The part that a line plays in the client's account of one HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestPart {
    /// Names the request that is about to be made.
    Names,
    /// Begins it: host, path, agent.
    Banner,
    /// Says how it is made, or that something of it failed; nothing more is read from it.
    Detail,
    /// CRL checking is on for it.
    RevocationCheck,
    /// It carries a CCM token.
    CcmToken,
    /// The secure-failure bits.
    Mask,
    /// One secure-failure bit by name.
    Flag,
    /// It failed, with a WinHTTP code.
    Code,
    /// It failed, with an HTTP status.
    Status,
    /// It ended, with an HRESULT; zero is success.
    Result,
}

/// A message: what a record's text looks like, and what it means.
#[derive(Debug, Clone)]
pub struct Message {
    /// Kebab-case id.
    pub id: String,
    /// Kind of machine that writes it; `None` where several do.
    pub role: Option<Role>,
    /// Stage it belongs to; `None` where the request it belongs to decides.
    pub stage: Option<Stage>,
    /// What it says of the stage.
    pub mark: Mark,
    /// How sure its text is.
    pub proof: Proof,
    /// Public source of the text.
    pub source: String,
    /// A flow of this kind begins with it.
    pub opens: Option<FlowKind>,
    /// A flow ends with it.
    pub closes: bool,
    /// It begins a new attempt of its flow.
    pub new_attempt: bool,
    /// It says that what failed before is being tried another way, within the same attempt.
    pub falls_back: bool,
    /// It reports a failure without naming its stage or cause.
    pub symptom: bool,
    /// The part it plays in the account of a request.
    pub request: Option<RequestPart>,
    /// Names of the captured parts, in template order.
    pub captures: Vec<String>,
    /// Fields that the message itself sets.
    pub set: BTreeMap<String, String>,
}
