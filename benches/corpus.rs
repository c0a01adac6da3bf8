//! How right the diagnosis is over the corpus: a confusion matrix, and how often each confidence was right.
//!
//! `cargo bench --features simulate --bench corpus` reads `tests/corpus`. What is wrong, missed or doubtful is listed with
//! its reason: doubtful is what a case allows, and why stands at its head; what is wrong or missed needs a reason in
//! `tests/corpus/wrong.toml`. One without a reason ends the run with status 1, and so does a reason that is needed no
//! more.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Confidence, Severity};
use serde::Deserialize;

#[path = "../tests/engine/case.rs"]
#[allow(dead_code)] // the tests look at the rest of a case
mod case;

use case::{Case, ExpectedFinding};

/// Why a finding is wrong or missed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names)] // as the file names it
struct Reason {
    case: String,
    failure: String,
    reason: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Reasons {
    #[serde(default)]
    finding: Vec<Reason>,
}

/// Where no cause is expected, or none is found.
const NONE: &str = "no cause";

/// How one finding is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Judgement {
    /// The case expects it.
    Right,
    /// The case allows it: the documentation leaves it open.
    Doubtful,
    /// The case neither expects nor allows it, or expects another one that was not found.
    Wrong,
}

#[derive(Default)]
struct Score {
    confusion: BTreeMap<(String, String), usize>,
    calibration: BTreeMap<(Confidence, Judgement), usize>,
    listed: Vec<Listed>,
}

/// A finding that is not right, or is missed.
struct Listed {
    case: String,
    failure: String,
    how: String,
    /// What the case says of it, where it allows it.
    head: Option<String>,
}

impl Score {
    fn add(&mut self, name: &str, (case, head): (&Case, &str), trail: &Trail) {
        let of_weight = |severity: Severity| severity >= Severity::Warning;
        let expected: Vec<&ExpectedFinding> =
            case.findings.iter().filter(|expected| of_weight(expected.severity)).collect();
        let first = expected.iter().find(|named| named.first).or(expected.first());
        let found = trail.findings.iter().find(|finding| of_weight(finding.severity));
        let found = found.map_or(NONE, |finding| finding.failure.as_str());
        let open = |failure: &str| case.allowed.iter().any(|named| named.failure == failure);
        let wanted = match first {
            Some(named) => named.failure.as_str(),
            None if !case.healthy && open(found) => found,
            None => NONE,
        };
        *self.confusion.entry((wanted.to_owned(), found.to_owned())).or_insert(0) += 1;

        for finding in trail.findings.iter().filter(|finding| of_weight(finding.severity)) {
            let is_expected = case.findings.iter().any(|named| named.failure == finding.failure);
            let judgement = match (is_expected, open(&finding.failure)) {
                (true, _) => Judgement::Right,
                (false, true) => Judgement::Doubtful,
                (false, false) => Judgement::Wrong,
            };
            *self.calibration.entry((finding.confidence, judgement)).or_insert(0) += 1;
            let said = format!("{:?}", finding.confidence).to_lowercase();
            let (how, head) = match judgement {
                Judgement::Right => continue,
                Judgement::Doubtful => (format!("doubtful, said {said}"), Some(head.to_owned())),
                Judgement::Wrong => (format!("wrong, said {said}"), None),
            };
            self.listed.push(Listed { case: name.to_owned(), failure: finding.failure.clone(), how, head });
        }
        let found: BTreeSet<&str> = trail.findings.iter().map(|finding| finding.failure.as_str()).collect();
        for named in expected.iter().filter(|named| !found.contains(named.failure.as_str())) {
            let (failure, how) = (named.failure.clone(), "missed".to_owned());
            self.listed.push(Listed { case: name.to_owned(), failure, how, head: None });
        }
    }

    fn print_confusion(&self) {
        let right: usize = self.confusion.iter().filter(|((wanted, found), _)| wanted == found).map(|(_, n)| n).sum();
        let all: usize = self.confusion.values().sum();
        println!("first cause right in {right} of {all} cases");
        println!("{:<42} {:<42} cases", "expected", "found first");
        for ((wanted, found), count) in &self.confusion {
            let mark = if wanted == found { "" } else { "  <- confused" };
            println!("{wanted:<42} {found:<42} {count:>5}{mark}");
        }
    }

    fn print_calibration(&self) {
        println!("\n{:<10} {:>6} {:>6} {:>9} {:>6} {:>8}", "said", "count", "right", "doubtful", "wrong", "right %");
        for confidence in [Confidence::Certain, Confidence::Likely, Confidence::Possible] {
            let count = |judgement| self.calibration.get(&(confidence, judgement)).copied().unwrap_or(0);
            let (right, doubtful, wrong) =
                (count(Judgement::Right), count(Judgement::Doubtful), count(Judgement::Wrong));
            let all = right + doubtful + wrong;
            let percent = (right * 100).checked_div(all).map_or("-".to_owned(), |percent| percent.to_string());
            let said = format!("{confidence:?}").to_lowercase();
            println!("{said:<10} {all:>6} {right:>6} {doubtful:>9} {wrong:>6} {percent:>8}");
        }
    }

    /// Lists what is wrong, doubtful or missed, each with its reason; false where a reason is missing or idle.
    fn print_reasons(&self, reasons: &[Reason]) -> bool {
        let mut used = BTreeSet::new();
        let mut explained = true;
        println!();
        for Listed { case, failure, how, head } in &self.listed {
            let known = reasons.iter().find(|reason| reason.case == *case && reason.failure == *failure);
            used.extend(known.map(|reason| (reason.case.as_str(), reason.failure.as_str())));
            let reason = known.map(|reason| reason.reason.as_str()).or(head.as_deref());
            explained &= reason.is_some();
            println!("{case}: {failure} {how}: {}", reason.unwrap_or("NOT EXPLAINED"));
        }
        for idle in reasons.iter().filter(|reason| !used.contains(&(reason.case.as_str(), reason.failure.as_str()))) {
            explained = false;
            println!("{}: {} stands in wrong.toml, and is right now: take it off", idle.case, idle.failure);
        }
        explained
    }
}

/// What a case says at its head: the comment before all keys, else what it shows.
fn head(text: &str, case: &Case) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let comment = lines.collect::<Vec<_>>().join(" ");
    if comment.is_empty() { case.shows.clone() } else { comment }
}

fn main() {
    let names = case::names();
    let mut score = Score::default();
    for name in &names {
        let case = case::load(name).unwrap();
        let head = head(&case::text(name).unwrap(), &case);
        score.add(name, (&case, &head), &Trail::read(&case.paths(name), ReadOptions::default(), &Silent).unwrap());
    }
    let reasons = std::fs::read_to_string(case::corpus().join("wrong.toml")).unwrap_or_default();
    let reasons: Reasons = toml::from_str(&reasons).unwrap();
    println!("{} cases of the corpus\n", names.len());
    score.print_confusion();
    score.print_calibration();
    if !score.print_reasons(&reasons.finding) {
        std::process::exit(1);
    }
}
