//! Tries the rules of a failure on a case.

use std::collections::{BTreeSet, HashSet};

use super::artefacts::{self, Told};
use super::case::Case;
use super::conditions;
use crate::finding::Confidence;
use crate::knowledge::{Condition, Failure, Proof, RequestPart, When};

/// A rule that holds, or several of the same confidence.
pub struct Held {
    /// What the rule is worth here.
    pub confidence: Confidence,
    /// Indices of the trail's events.
    pub evidence: Vec<u32>,
    /// What artefacts say.
    pub told: Vec<Told>,
    /// The rules, as indices into the failure's.
    pub rules: Vec<usize>,
}

/// What trying a failure's rules gives.
pub enum Tried {
    /// At least one holds.
    Holds(Held),
    /// All that one of them requires is there, and something that it excludes as well.
    Contradicted,
    /// Nothing speaks for it.
    Open,
}

/// The highest confidence that some rule gives, with the evidence of every rule that gives it.
pub fn try_failure(failure: &Failure, wanted: fn(&When) -> bool, case: &Case<'_>) -> Tried {
    let mut held: Vec<Held> = Vec::new();
    let mut contradicted = false;
    for (number, when) in failure.when.iter().enumerate().filter(|(_, when)| wanted(when)) {
        match try_rule(number, when, case) {
            Tried::Holds(mut one) => {
                one.confidence = if is_unproven(failure, when) { Confidence::Possible } else { one.confidence };
                held.push(one);
            }
            Tried::Contradicted => contradicted = true,
            Tried::Open => {}
        }
    }
    let Some(confidence) = held.iter().map(|held| held.confidence).max() else {
        return if contradicted { Tried::Contradicted } else { Tried::Open };
    };
    let mut best = Held { confidence, evidence: Vec::new(), told: Vec::new(), rules: Vec::new() };
    for held in held.into_iter().filter(|held| held.confidence == confidence) {
        add_lines(&mut best.evidence, held.evidence);
        add_told(&mut best.told, held.told);
        best.rules.extend(held.rules);
    }
    Tried::Holds(best)
}

/// Adds lines that are not known yet.
pub fn add_lines(known: &mut Vec<u32>, new: Vec<u32>) {
    let mut seen: HashSet<u32> = known.iter().copied().collect();
    known.extend(new.into_iter().filter(|line| seen.insert(*line)));
}

/// Adds what is not known yet of what artefacts say: a handful of sentences.
pub fn add_told(known: &mut Vec<Told>, new: Vec<Told>) {
    for told in new {
        if !known.contains(&told) {
            known.push(told);
        }
    }
}

/// True where a user's rule proves nothing: it says so itself, or it asks for circumstances alone, which hold of many
/// flows. What is inferred in its messages is seen by [`try_rule`], as in any rule.
fn is_unproven(failure: &Failure, when: &When) -> bool {
    failure.beside && (failure.hypothesis || !when.rests_on_evidence())
}

/// Tries one rule.
fn try_rule(number: usize, when: &When, case: &Case<'_>) -> Tried {
    let mut evidence = Vec::new();
    let mut grounds = BTreeSet::new();
    // Several gateways are there, and no line says which of them the servers' lines are about.
    let mut of_any_gateway = false;
    for condition in &when.requires {
        let Some(lines) = conditions::holds(condition, case) else { return Tried::Open };
        if is_of_servers(condition) && case.flow.is_some() {
            match case.is_of_another_gateway(&lines) {
                Some(true) => return Tried::Open,
                Some(false) => {}
                None => of_any_gateway = true,
            }
        }
        grounds.insert(ground(condition, &lines, case));
        evidence.extend(lines);
    }
    let inferred = grounds.contains(&Ground::InferredLine)
        || (grounds.contains(&Ground::InferredStatus) && !grounds.contains(&Ground::Proven));
    if when.excludes.iter().any(|condition| conditions::holds(condition, case).is_some()) {
        return Tried::Contradicted;
    }
    let supports: Vec<Option<Vec<u32>>> =
        when.supports.iter().map(|condition| conditions::holds(condition, case)).collect();
    let all_support = !supports.is_empty() && supports.iter().all(Option::is_some);
    evidence.extend(supports.into_iter().flatten().flatten());
    let told = artefacts::told_by(when, case);
    let open = (inferred && told.is_empty()) || of_any_gateway;
    let confidence = match (open, all_support) {
        (true, _) => Confidence::Possible,
        (false, true) => raised(when.confidence),
        (false, false) => when.confidence,
    };
    let mut seen = BTreeSet::new();
    evidence.retain(|event| seen.insert(*event));
    Tried::Holds(Held { confidence, evidence, told, rules: vec![number] })
}

/// True where the condition looks at the servers' logs around a flow.
fn is_of_servers(condition: &Condition) -> bool {
    match condition {
        Condition::Event(shape) => shape.within.is_of_site(),
        Condition::FellSilent(_) => true,
        _ => false,
    }
}

/// What a condition that holds rests on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    /// Lines whose text was seen in public.
    Proven,
    /// A line whose text nobody has shown in public.
    InferredLine,
    /// An HTTP status text that nobody has shown in public. The status is there all the same, so that a server's own
    /// line beside it can prove more.
    InferredStatus,
    /// Circumstances.
    Circumstance,
}

fn ground(condition: &Condition, lines: &[u32], case: &Case<'_>) -> Ground {
    let message = |line: &u32| &case.event(*line).message;
    let all_inferred =
        |asked: &[&u32]| !asked.is_empty() && asked.iter().all(|line| message(line).proof == Proof::Inferred);
    match condition {
        Condition::Event(shape) => {
            let asked: Vec<&u32> = lines.iter().filter(|line| shape.message.contains(&message(line).id)).collect();
            if all_inferred(&asked) { Ground::InferredLine } else { Ground::Proven }
        }
        Condition::Request(shape) if !shape.status_text.is_empty() || !shape.status.is_empty() => {
            let asked: Vec<&u32> =
                lines.iter().filter(|line| message(line).request == Some(RequestPart::Status)).collect();
            if all_inferred(&asked) { Ground::InferredStatus } else { Ground::Circumstance }
        }
        _ => Ground::Circumstance,
    }
}

fn raised(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::Possible => Confidence::Likely,
        Confidence::Likely | Confidence::Certain => Confidence::Certain,
    }
}
