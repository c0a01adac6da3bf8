//! What a validator answers: the facts it read, and every check it made, none of which hides another.
//!
//! The verdict is nowhere stored by whoever checks: [`Report::new`] computes it from the checks alone, so a report
//! cannot say "valid" beside a check that failed.

pub mod columns;

use serde::Serialize;
use serde_json::{Map, Value};

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum CheckStatus {
    /// It was made, and nothing is wrong.
    #[serde(rename = "passed")]
    Passed,
    /// It was made, and something is wrong.
    #[serde(rename = "failed")]
    Failed,
    /// It could not be made, or was not asked for: the explanation says which. Never the same as passed.
    #[serde(rename = "not checked")]
    NotChecked,
}

impl CheckStatus {
    /// The word for people and for JSON: "passed", "failed" or "not checked".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotChecked => "not checked",
        }
    }
}

/// The names and numbers under which Windows reports what a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WindowsNames {
    /// Names of HRESULTs, such as `CERT_E_UNTRUSTEDROOT`.
    pub hresults: Vec<String>,
    /// The same HRESULTs as numbers, in the order of `hresults`.
    pub codes: Vec<u32>,
    /// Bits of the certificate chain's `dwErrorStatus` (`CERT_TRUST_*`), joined.
    pub trust_status: u32,
    /// Bits of `WinHTTP`'s `WINHTTP_CALLBACK_STATUS_FLAG_*` mask, joined.
    pub winhttp_flags: u32,
}

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, or what is wrong, in kebab-case: "expired", "name-mismatch".
    pub id: String,
    /// How it ended.
    pub status: CheckStatus,
    /// Whether a failed or unchecked one affects the verdict. One that does not is a remark.
    pub decides: bool,
    /// What the check looked at: a certificate, a claim, a revocation list, in words.
    pub subject: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// What was there.
    pub found: Option<String>,
    /// The reason, in a sentence with the values filled in.
    pub explanation: String,
    /// Where the rule stands: an RFC and its section, a public document.
    pub reference: Option<String>,
    /// How Windows reports this, where it does.
    pub windows: Option<WindowsNames>,
}

impl Check {
    /// A check that decides, with the words still to be filled in where there are any.
    pub fn new(
        id: impl Into<String>,
        status: CheckStatus,
        subject: impl Into<String>,
        explanation: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            status,
            decides: true,
            subject: subject.into(),
            expected: None,
            found: None,
            explanation: explanation.into(),
            reference: None,
            windows: None,
        }
    }

    /// The same check as a remark, which affects no verdict.
    #[must_use]
    pub fn remark(mut self) -> Self {
        self.decides = false;
        self
    }

    /// The same check with what would have been right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// The same check with what was there.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// The same check with the place where its rule stands.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// The same check with the names Windows has for it.
    #[must_use]
    pub fn windows(mut self, windows: WindowsNames) -> Self {
        self.windows = Some(windows);
        self
    }

    /// Whether this check alone keeps the subject from being valid.
    pub fn is_fatal(&self) -> bool {
        self.decides && self.status == CheckStatus::Failed
    }
}

/// The verdict of a list of checks: `Some(false)` where one that decides failed, else `None` where one that decides
/// was not checked, else `Some(true)`.
///
/// ```
/// use cmgtrail::report::{Check, CheckStatus, verdict};
///
/// let passed = Check::new("expired", CheckStatus::Passed, "token", "It ends in an hour.");
/// let unchecked = Check::new("signature", CheckStatus::NotChecked, "token", "No key was given.");
/// assert_eq!(verdict(&[passed.clone()]), Some(true));
/// assert_eq!(verdict(&[passed.clone(), unchecked.clone()]), None);
/// assert_eq!(verdict(&[passed, unchecked.remark()]), Some(true));
/// assert_eq!(verdict(&[]), None);
/// ```
pub fn verdict(checks: &[Check]) -> Option<bool> {
    let deciding = || checks.iter().filter(|check| check.decides);
    if deciding().any(|check| check.status == CheckStatus::Failed) {
        Some(false)
    } else if deciding().next().is_none() || deciding().any(|check| check.status == CheckStatus::NotChecked) {
        None
    } else {
        Some(true)
    }
}

/// What a validator answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was validated: "certificate-chain", "certificate", "token", "dsregcmd" …
    pub kind: String,
    /// True, false, or null: nothing failed, but something that decides was not checked.
    pub valid: Option<bool>,
    /// What was read, before any judgement.
    pub facts: Map<String, Value>,
    /// Every check, in the order in which it is best read.
    pub checks: Vec<Check>,
}

impl Report {
    /// A report over these checks, with the verdict they give.
    pub fn new(kind: impl Into<String>, facts: Map<String, Value>, checks: Vec<Check>) -> Self {
        Self { kind: kind.into(), valid: verdict(&checks), facts, checks }
    }

    /// The checks that keep the subject from being valid.
    pub fn fatal(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.is_fatal())
    }

    /// The first check of this id, if there is one.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }
}
