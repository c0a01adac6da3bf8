//! What a decision on the way comes to, and why.

use serde::Serialize;

use crate::finding::Confidence;
use crate::report::Report;

/// A failure that facts lead to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// Failure id.
    pub failure: &'static str,
    /// How sure it is: `certain` where facts say so, less where something not told could speak against it.
    pub confidence: Confidence,
    /// The facts that lead to it, in a sentence or two.
    pub why: String,
}

impl Cause {
    /// A cause that the facts leave no doubt of.
    pub fn certain(failure: &'static str, why: impl Into<String>) -> Self {
        Self { failure, confidence: Confidence::Certain, why: why.into() }
    }

    /// A cause that fits best, while something that would decide is not told.
    pub fn likely(failure: &'static str, why: impl Into<String>) -> Self {
        Self { failure, confidence: Confidence::Likely, why: why.into() }
    }

    /// A cause that fits as well as others.
    pub fn possible(failure: &'static str, why: impl Into<String>) -> Self {
        Self { failure, confidence: Confidence::Possible, why: why.into() }
    }
}

/// How a decision goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against it, and all that decides was told.
    Passed,
    /// Something stops it.
    Blocked,
    /// Something that decides was not told.
    NotKnown,
}

/// A decision: what stops the request, what is not known, what speaks for it, and the reports that it rests on.
///
/// ```
/// use cmgtrail::workflow::{Cause, Ruling, Verdict};
///
/// let open = Ruling::fact(None, "whether the port is open", || Cause::certain("cmg-unreachable", ""));
/// assert_eq!(open.verdict(), Verdict::NotKnown);
/// let closed = Ruling::fact(Some(false), "whether the port is open", || Cause::certain("cmg-unreachable", ""));
/// assert_eq!(open.and(closed).verdict(), Verdict::Blocked);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ruling {
    /// What stops it; all of it, not only the first.
    pub causes: Vec<Cause>,
    /// What stops nothing now and will, or degrades.
    pub warnings: Vec<Cause>,
    /// What would decide and is not told, as clauses: "whether its port 443 is reached".
    pub unknown: Vec<String>,
    /// What speaks for it, as sentences.
    pub reasons: Vec<String>,
    /// Reports of the validators that decided.
    pub reports: Vec<Report>,
}

impl Ruling {
    /// Nothing stops it, for this reason.
    pub fn passed(reason: impl Into<String>) -> Self {
        Self { reasons: vec![reason.into()], ..Self::default() }
    }

    /// This stops it.
    pub fn blocked(cause: Cause) -> Self {
        Self { causes: vec![cause], ..Self::default() }
    }

    /// This would decide and is not told.
    pub fn not_known(what: impl Into<String>) -> Self {
        Self { unknown: vec![what.into()], ..Self::default() }
    }

    /// A fact that must be true: `what` says which, as a clause.
    pub fn fact(told: Option<bool>, what: &str, otherwise: impl FnOnce() -> Cause) -> Self {
        match told {
            Some(true) => Self::default(),
            Some(false) => Self::blocked(otherwise()),
            None => Self::not_known(what),
        }
    }

    /// Both decisions.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for cause in other.causes {
            self.add_cause(cause);
        }
        self.warnings.extend(other.warnings);
        self.unknown.extend(other.unknown);
        self.reasons.extend(other.reasons);
        self.reports.extend(other.reports);
        self
    }

    /// Adds a cause; one of the same failure gains its reason.
    pub fn add_cause(&mut self, cause: Cause) {
        match self.causes.iter_mut().find(|known| known.failure == cause.failure) {
            Some(known) if known.why.contains(&cause.why) => {}
            Some(known) => known.why = format!("{} {}", known.why, cause.why),
            None => self.causes.push(cause),
        }
    }

    /// How it goes.
    pub fn verdict(&self) -> Verdict {
        if !self.causes.is_empty() {
            Verdict::Blocked
        } else if self.unknown.is_empty() {
            Verdict::Passed
        } else {
            Verdict::NotKnown
        }
    }

    /// The ids of what stops it.
    pub fn failures(&self) -> impl Iterator<Item = &'static str> {
        self.causes.iter().map(|cause| cause.failure)
    }
}
