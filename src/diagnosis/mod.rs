//! Diagnosis: from flows that broke to causes, with proof and with what is missing.
//!
//! Every failure of the knowledge is tried on every flow, and, where a rule says so, on the servers' logs alone. For
//! each flow the causes with the highest confidence stay; what they explain is listed under them, not beside them.

mod artefacts;
mod case;
mod conditions;
mod grouping;
mod missing;
mod patterns;
mod shapes;
mod words;

pub(crate) use words::fill;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::artefacts::{Artefact, Artefacts};
use crate::events::Event;
use crate::finding::{Confidence, Finding, Severity};
use crate::flows::{Flow, Followed};
use crate::knowledge::{Condition, Failure, FailureRole, Knowledge, Proof, When};
use crate::record::Source;
use crate::stage::{Outcome, Stage, StageStatus};
use crate::workflow;

use artefacts::Told;
use case::{Case, World};

/// A failure that fits a flow, or the site.
#[derive(Debug, Clone)]
struct Match {
    failure: Arc<Failure>,
    confidence: Confidence,
    severity: Severity,
    /// Indices of the trail's events.
    evidence: Vec<u32>,
    /// What artefacts say.
    told: Vec<Told>,
    /// The rule that holds, where it has words of its own.
    words: Option<When>,
    /// The flow; `None` where servers' logs alone tell.
    flow: Option<usize>,
    /// Other failures and codes that follow from it.
    consequences: BTreeSet<String>,
}

/// What is asked for. Everything else is looked at as well, for it may tell something of what is asked for.
pub struct Question<'a> {
    /// Is this flow asked for?
    pub flow: &'a dyn Fn(&Flow) -> bool,
    /// Is this line of a server's log asked for, where it tells something without any client?
    pub line: &'a dyn Fn(&Event) -> bool,
}

/// Finds the causes, best first. `listed` are the artefacts as the trail lists them.
pub fn diagnose(
    followed: &Followed,
    events: &[Event],
    sources: &[Source],
    (artefacts, listed): (&Artefacts, &[Artefact]),
    knowledge: &Knowledge,
    question: &Question<'_>,
) -> Vec<Finding> {
    let world = World::new(followed, events, sources, artefacts, listed, knowledge.codes());
    let site = site_matches(&world, knowledge);
    let mut matches = Vec::new();
    let mut placed = BTreeSet::new();
    for (number, flow) in followed.flows.iter().enumerate() {
        let found = flow_matches(&world, knowledge, number, &site, &mut placed);
        if (question.flow)(flow) {
            matches.extend(found);
        }
    }
    let unplaced = site.into_iter().enumerate().filter(|(index, _)| !placed.contains(index)).map(|(_, found)| found);
    matches.extend(unplaced.filter(|found| {
        found.evidence.is_empty() || found.evidence.iter().any(|&event| (question.line)(&events[event as usize]))
    }));
    grouping::findings(matches, &world)
}

/// What the servers' logs tell without any client.
fn site_matches(world: &World<'_>, knowledge: &Knowledge) -> Vec<Match> {
    let case = Case::of_site(world);
    let mut all = Vec::new();
    for failure in knowledge.failures() {
        if let Some(best) = best(failure, |when| when.site, &case) {
            let severity = best.words.as_ref().and_then(|when| when.severity).unwrap_or(failure.severity);
            all.push(best.of(failure, severity, None));
        }
    }
    drop_yielding(&mut all);
    all
}

fn flow_matches(
    world: &World<'_>,
    knowledge: &Knowledge,
    flow: usize,
    site: &[Match],
    placed: &mut BTreeSet<usize>,
) -> Vec<Match> {
    let case = Case::of_flow(world, flow);
    let mut found = own_matches(&case, knowledge);
    let broken = world.broke_at(flow);
    for (index, of_site) in site.iter().enumerate() {
        // What artefacts alone foretell has stopped no flow.
        let of_logs = !of_site.evidence.is_empty();
        let on_the_way = |(trouble, broken): (Stage, Stage)| {
            trouble == broken || (case.has_to_do_with_a_cmg() && workflow::lies_on_the_way(trouble, broken))
        };
        let explains = of_logs
            && of_site.failure.stage.zip(broken).is_some_and(on_the_way)
            && case.is_near(&of_site.evidence);
        if explains && of_site.failure.role == FailureRole::Cause {
            placed.insert(index);
            found.push(Match { flow: Some(flow), ..of_site.clone() });
        }
    }
    merge_same(&mut found);
    drop_yielding(&mut found);
    keep_best(found, &case)
}

/// What a flow's own case tells, symptoms included.
fn own_matches(case: &Case<'_>, knowledge: &Knowledge) -> Vec<Match> {
    let mut found = Vec::new();
    for failure in knowledge.failures() {
        let Some(severity) = severity(failure, case) else { continue };
        if let Some(best) = best(failure, |when| !when.site, case) {
            found.push(best.of(failure, severity, case.flow));
        }
    }
    found
}

/// Severity of a failure in this flow; `None` where it does not count.
fn severity(failure: &Failure, case: &Case<'_>) -> Option<Severity> {
    if failure.role == FailureRole::Benign {
        return Some(failure.severity);
    }
    let flow = case.flow()?;
    if !case.has_to_do_with_a_cmg() {
        return None;
    }
    let stopped = matches!(flow.outcome, Outcome::Failed | Outcome::Stalled);
    let passed = |stage: Stage| {
        flow.broke_at != Some(stage)
            && flow.stages.iter().any(|result| result.stage == stage && result.status == StageStatus::Passed)
    };
    match (stopped, failure.stage) {
        (true, Some(stage)) if passed(stage) => failure.overcome,
        (true, _) if case.overcome_later() => Some(failure.severity.min(Severity::Warning)),
        (true, _) => Some(failure.severity),
        (false, _) => failure.overcome,
    }
}

/// A rule that holds, or several of the same confidence.
struct Held {
    confidence: Confidence,
    evidence: Vec<u32>,
    told: Vec<Told>,
    words: Option<When>,
}

impl Held {
    fn of(self, failure: &Arc<Failure>, severity: Severity, flow: Option<usize>) -> Match {
        Match {
            failure: Arc::clone(failure),
            confidence: self.confidence,
            severity,
            evidence: self.evidence,
            told: self.told,
            words: self.words,
            flow,
            consequences: BTreeSet::new(),
        }
    }
}

/// The highest confidence that some rule gives, with the evidence of every rule that gives it.
fn best(failure: &Failure, wanted: fn(&When) -> bool, case: &Case<'_>) -> Option<Held> {
    let rules = failure.when.iter().filter(|when| wanted(when));
    let mut held: Vec<Held> = Vec::new();
    for when in rules {
        if let Some(mut one) = evaluate(when, case) {
            one.confidence = if is_unproven(failure, when) { Confidence::Possible } else { one.confidence };
            held.push(one);
        }
    }
    let confidence = held.iter().map(|held| held.confidence).max()?;
    let mut best = Held { confidence, evidence: Vec::new(), told: Vec::new(), words: None };
    for held in held.into_iter().filter(|held| held.confidence == confidence) {
        add_new(&mut best.evidence, held.evidence);
        add_new(&mut best.told, held.told);
        best.words = best.words.or(held.words);
    }
    Some(best)
}

fn add_new<T: PartialEq>(known: &mut Vec<T>, new: Vec<T>) {
    for item in new {
        if !known.contains(&item) {
            known.push(item);
        }
    }
}

/// True where a user's rule proves nothing: it says so itself, or it asks for circumstances alone, which hold of many
/// flows. What is inferred in its messages is seen by [`evaluate`], as in any rule.
fn is_unproven(failure: &Failure, when: &When) -> bool {
    failure.beside && (failure.hypothesis || !when.rests_on_evidence())
}

/// Tries one rule: its confidence and its evidence, where it holds.
fn evaluate(when: &When, case: &Case<'_>) -> Option<Held> {
    let mut evidence = Vec::new();
    let mut inferred = false;
    for condition in &when.requires {
        let lines = conditions::holds(condition, case)?;
        inferred |= rests_on_inference(condition, &lines, case);
        evidence.extend(lines);
    }
    if when.excludes.iter().any(|condition| conditions::holds(condition, case).is_some()) {
        return None;
    }
    let supports: Vec<Option<Vec<u32>>> =
        when.supports.iter().map(|condition| conditions::holds(condition, case)).collect();
    let all_support = !supports.is_empty() && supports.iter().all(Option::is_some);
    evidence.extend(supports.into_iter().flatten().flatten());
    let told = artefacts::told_by(when, case);
    let confidence = match (inferred && told.is_empty(), all_support) {
        (true, _) => Confidence::Possible,
        (false, true) => raised(when.confidence),
        (false, false) => when.confidence,
    };
    let mut seen = BTreeSet::new();
    evidence.retain(|event| seen.insert(*event));
    let has_words = when.severity.is_some() || when.title.is_some() || when.explanation.is_some();
    Some(Held { confidence, evidence, told, words: has_words.then(|| when.clone()) })
}

/// True where a condition asks for messages whose text nobody has shown in public.
fn rests_on_inference(condition: &Condition, lines: &[u32], case: &Case<'_>) -> bool {
    let Condition::Event(shape) = condition else { return false };
    let mut asked = lines.iter().filter(|&&line| shape.message.iter().any(|id| id == case.event(line).id())).peekable();
    asked.peek().is_some() && asked.all(|&line| case.proof(line) == Proof::Inferred)
}

fn raised(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::Possible => Confidence::Likely,
        Confidence::Likely | Confidence::Certain => Confidence::Certain,
    }
}

/// One failure told by the flow and by the servers is one failure, with the proof of both.
fn merge_same(found: &mut Vec<Match>) {
    let mut merged: Vec<Match> = Vec::new();
    for next in found.drain(..) {
        match merged.iter_mut().find(|known| known.failure.id == next.failure.id) {
            Some(known) => {
                known.confidence = known.confidence.max(next.confidence);
                known.severity = known.severity.max(next.severity);
                add_new(&mut known.evidence, next.evidence);
                add_new(&mut known.told, next.told);
            }
            None => merged.push(next),
        }
    }
    *found = merged;
}

/// What a user's file adds takes nothing away from what the built-in failures find.
fn drop_yielding(found: &mut Vec<Match>) {
    let ids: BTreeSet<(String, bool)> =
        found.iter().map(|found| (found.failure.id.clone(), found.failure.beside)).collect();
    found.retain(|found| {
        let gives_way_to = |other: &String| {
            ids.contains(&(other.clone(), false)) || (found.failure.beside && ids.contains(&(other.clone(), true)))
        };
        !found.failure.yields_to.iter().any(gives_way_to)
    });
}

/// Of the causes that stop one flow, those that no better one excludes; symptoms become their consequences.
fn keep_best(found: Vec<Match>, case: &Case<'_>) -> Vec<Match> {
    let (symptoms, found): (Vec<Match>, Vec<Match>) =
        found.into_iter().partition(|found| found.failure.role == FailureRole::Symptom);
    let mut kept: Vec<Match> =
        found.iter().filter(|one| !found.iter().any(|other| excludes(other, one))).cloned().collect();
    for found in kept.iter_mut().filter(|found| found.failure.role == FailureRole::Cause) {
        found.consequences.extend(case.codes_seen(&found.failure.consequences));
        let own = symptoms.iter().filter(|symptom| found.failure.beside || !symptom.failure.beside);
        found.consequences.extend(own.map(|symptom| symptom.failure.id.clone()));
    }
    kept
}

/// True where `better` fits so much better that `other` is no explanation of the same flow any more: what is merely
/// possible gives way to anything surer, a neighbour to what has been told apart from it.
fn excludes(better: &Match, other: &Match) -> bool {
    let compared = [better, other].iter().all(|found| found.failure.role == FailureRole::Cause)
        && better.severity == other.severity;
    let neighbours = better.failure.separates_from.contains(&other.failure.id)
        || other.failure.separates_from.contains(&better.failure.id);
    let may = other.failure.beside || !better.failure.beside;
    may && compared && better.confidence > other.confidence && (neighbours || other.confidence == Confidence::Possible)
}
