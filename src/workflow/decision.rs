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
    /// Words in the place of the failure's own, which would be wrong of it.
    #[serde(skip)]
    pub words: Option<&'static Words>,
}

/// Words for a failure that came about in another way than its own words say.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub title: &'static str,
    /// What happens and why.
    pub explanation: &'static str,
    /// What to do; `None`: what the failure's own words say.
    pub remedy: Option<&'static str>,
    /// How to see that it worked; `None`: as the failure's own words say.
    pub verify: Option<&'static str>,
}

impl Cause {
    fn new(failure: &'static str, confidence: Confidence, why: impl Into<String>) -> Self {
        Self { failure, confidence, why: why.into(), words: None }
    }

    /// A cause that the facts leave no doubt of.
    pub fn certain(failure: &'static str, why: impl Into<String>) -> Self {
        Self::new(failure, Confidence::Certain, why)
    }

    /// A cause that fits best, while something that would decide is not told.
    pub fn likely(failure: &'static str, why: impl Into<String>) -> Self {
        Self::new(failure, Confidence::Likely, why)
    }

    /// A cause that fits as well as others.
    pub fn possible(failure: &'static str, why: impl Into<String>) -> Self {
        Self::new(failure, Confidence::Possible, why)
    }

    /// The same in other words than the failure's own.
    #[must_use]
    pub const fn in_words(mut self, words: Option<&'static Words>) -> Self {
        self.words = words;
        self
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

    /// This stops nothing now, and will, or degrades.
    pub fn warned(cause: Cause) -> Self {
        Self { warnings: vec![cause], ..Self::default() }
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

    /// The decision where one of these cases holds, and which is not told: `which` says so as a clause, and each case has
    /// its name. What stops it in every case stops it; of what stops it in some, it is not known whether it does.
    pub fn one_of(which: &str, cases: Vec<(String, Self)>) -> Self {
        let in_all = |failure| cases.iter().all(|(_, case)| case.failures().any(|other| other == failure));
        let some = |(name, case): &(String, Self)| {
            let own = case.causes.iter().filter(|cause| !in_all(cause.failure));
            own.map(|cause| (name.clone(), cause.clone())).collect::<Vec<_>>()
        };
        let own: Vec<(String, Cause)> = cases.iter().flat_map(some).collect();
        let stops_always = !cases.is_empty() && cases.iter().all(|(_, case)| !case.causes.is_empty());
        let common = cases.first().is_some_and(|(_, case)| case.failures().any(in_all));
        let mut ruling = Self::default();
        for cause in cases.iter().flat_map(|(_, case)| &case.causes).filter(|cause| in_all(cause.failure)) {
            ruling.add_cause(cause.clone());
        }
        for (_, case) in cases {
            ruling.unknown.extend(case.unknown);
            ruling.reasons.extend(case.reasons);
            ruling.reports.extend(case.reports);
            let told = |cause: &Cause| ruling.warnings.iter().any(|other| other.failure == cause.failure);
            let new: Vec<Cause> = case.warnings.into_iter().filter(|cause| !told(cause)).collect();
            ruling.warnings.extend(new);
        }
        for list in [&mut ruling.unknown, &mut ruling.reasons] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|words| seen.insert(words.clone()));
        }
        if stops_always && !common {
            for (name, cause) in own {
                ruling.add_cause(Cause::possible(cause.failure, format!("With {name}: {}", cause.why)));
            }
        } else if !own.is_empty() {
            let met =
                |(name, cause): &(String, Cause)| format!("with {name}, {} ({})", cause.failure, clause(&cause.why));
            let met: Vec<String> = own.iter().map(met).collect();
            ruling.unknown.insert(0, format!("{which}: {}", met.join(", ")));
        }
        ruling
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

/// Sentences as a part of another one.
pub(super) fn clause(sentences: &str) -> &str {
    sentences.trim_end_matches('.')
}
