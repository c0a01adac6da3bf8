//! Where checks are entered as they are made.
//!
//! Words cost more than most checks do. A column of tokens asks for words only where a token is refused, so each
//! entry brings its words as a closure.

use crate::report::{Check, CheckStatus};

/// A check that is made on every token: its id, what it looks at, and where its rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckKind {
    /// Kebab-case id, the same in every report.
    pub id: &'static str,
    /// What it looks at, in words.
    pub subject: &'static str,
    /// Where the rule stands.
    pub reference: &'static str,
}

/// Whether a check that failed or could not be made keeps the token from being valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Decides,
    Remark,
}
pub(crate) use Weight::{Decides, Remark};

/// The words of one entry.
#[derive(Debug, Default)]
pub(crate) struct Words {
    expected: Option<String>,
    found: Option<String>,
    explanation: String,
}

impl Words {
    pub fn new(explanation: impl Into<String>) -> Self {
        Self { explanation: explanation.into(), ..Self::default() }
    }

    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }
}

impl From<&str> for Words {
    fn from(explanation: &str) -> Self {
        Self::new(explanation)
    }
}

impl From<String> for Words {
    fn from(explanation: String) -> Self {
        Self::new(explanation)
    }
}

/// One entry without its words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub kind: CheckKind,
    pub status: CheckStatus,
    pub weight: Weight,
}

/// Which entries keep their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    /// All of them.
    Full,
    /// The first one that keeps the token from being valid.
    FirstRefusal,
}

/// All entries of one token, in the order of checking.
#[derive(Debug)]
pub(crate) struct Ledger {
    wording: Wording,
    entries: Vec<Entry>,
    words: Vec<Words>,
}

impl Ledger {
    pub fn new(wording: Wording) -> Self {
        Self { wording, entries: Vec::with_capacity(32), words: Vec::new() }
    }

    pub fn passed<W: Into<Words>>(&mut self, kind: CheckKind, words: impl FnOnce() -> W) {
        self.enter(kind, CheckStatus::Passed, Decides, words);
    }

    pub fn failed<W: Into<Words>>(&mut self, kind: CheckKind, weight: Weight, words: impl FnOnce() -> W) {
        self.enter(kind, CheckStatus::Failed, weight, words);
    }

    pub fn unchecked<W: Into<Words>>(&mut self, kind: CheckKind, weight: Weight, words: impl FnOnce() -> W) {
        self.enter(kind, CheckStatus::NotChecked, weight, words);
    }

    fn enter<W: Into<Words>>(
        &mut self,
        kind: CheckKind,
        status: CheckStatus,
        weight: Weight,
        words: impl FnOnce() -> W,
    ) {
        self.entries.push(Entry { kind, status, weight });
        let refuses = weight == Decides && status == CheckStatus::Failed;
        if self.wording == Wording::Full || (refuses && self.words.is_empty()) {
            self.words.push(words().into());
        }
    }

    /// Drops the entries of other kinds. For ledgers with all their words.
    pub fn keep(&mut self, wanted: impl Fn(&CheckKind) -> bool) {
        let entries = std::mem::take(&mut self.entries);
        let words = std::mem::take(&mut self.words);
        (self.entries, self.words) = entries.into_iter().zip(words).filter(|(entry, _)| wanted(&entry.kind)).unzip();
    }

    /// True where none of these checks failed so far.
    pub fn none_failed(&self, kinds: &[CheckKind]) -> bool {
        !self.entries.iter().any(|entry| entry.status == CheckStatus::Failed && kinds.contains(&entry.kind))
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The verdict of the entries, by the rule of [`crate::report::verdict`].
    pub fn verdict(&self) -> Option<bool> {
        let status_is = |status| self.entries.iter().any(|entry| entry.weight == Decides && entry.status == status);
        if status_is(CheckStatus::Failed) {
            Some(false)
        } else if status_is(CheckStatus::NotChecked) || !status_is(CheckStatus::Passed) {
            None
        } else {
            Some(true)
        }
    }

    /// Explanation of the first refusal, where only that was asked for.
    pub fn first_refusal(self) -> Option<String> {
        self.words.into_iter().next().map(|words| words.explanation)
    }

    /// All entries with their words. Empty words where they were not asked for.
    pub fn into_checks(self) -> Vec<Check> {
        let words = self.words.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        self.entries.into_iter().zip(words).map(|(entry, words)| worded(entry, words.unwrap_or_default())).collect()
    }
}

fn worded(entry: Entry, words: Words) -> Check {
    let check = Check::new(entry.kind.id, entry.status, entry.kind.subject, words.explanation);
    Check {
        decides: entry.weight == Decides,
        expected: words.expected,
        found: words.found,
        reference: Some(entry.kind.reference.to_owned()),
        ..check
    }
}
