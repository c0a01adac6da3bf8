//! What is predicted of a client: every stage, how it must go, and why.

use serde::Serialize;

use super::decision::Cause;
use super::question::{Credential, Phase};
use crate::report::Report;
use crate::stage::Stage;

/// How a stage must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its work will be done.
    Passed,
    /// Not needed.
    Skipped,
    /// Something that decides was not told, of it or of a stage before it.
    NotKnown,
    /// A stage before it is blocked. What would stop it, too, stands among its causes.
    NotReached,
    /// Its work cannot be done.
    Blocked,
}

impl Status {
    /// Its id, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::NotKnown => "not-known",
            Self::NotReached => "not-reached",
            Self::Blocked => "blocked",
        }
    }
}

/// What is predicted of one stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicted {
    /// The stage.
    pub stage: Stage,
    /// How it must go.
    pub status: Status,
    /// Why, in sentences.
    pub why: String,
    /// What stops it.
    pub causes: Vec<Cause>,
    /// What stops nothing now and will, or degrades.
    pub warnings: Vec<Cause>,
    /// What would decide and is not told, as clauses.
    pub unknown: Vec<String>,
    /// Reports of the validators that decided.
    pub reports: Vec<Report>,
}

/// What is predicted of one client in one phase: all stages, in display order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The phase.
    pub phase: Phase,
    /// How the client proves who it is.
    pub credential: Credential,
    /// Whether it works: `None` where nothing stops it and something that decides was not told.
    pub works: Option<bool>,
    /// The stage that all others wait for, whatever their place, where it cannot be passed.
    #[serde(skip)]
    pub barrier: Option<Stage>,
    /// All stages.
    pub stages: Vec<Predicted>,
}

impl Prediction {
    /// What is predicted of a stage.
    pub fn stage(&self, stage: Stage) -> Option<&Predicted> {
        self.stages.iter().find(|predicted| predicted.stage == stage)
    }

    /// Everything that stops the client, with its stage, in the order of the stages.
    pub fn causes(&self) -> impl Iterator<Item = (Stage, &Cause)> {
        self.stages.iter().flat_map(|predicted| predicted.causes.iter().map(|cause| (predicted.stage, cause)))
    }

    /// Everything that stops nothing now and will, with its stage.
    pub fn warnings(&self) -> impl Iterator<Item = (Stage, &Cause)> {
        self.stages.iter().flat_map(|predicted| predicted.warnings.iter().map(|cause| (predicted.stage, cause)))
    }
}
