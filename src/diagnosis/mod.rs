//! Diagnosis: from flows that broke to causes, with proof and with what is missing.
//!
//! Every failure of the knowledge is tried on every flow, and, where a rule says so, on the servers' logs alone. For
//! each flow the causes with the highest confidence stay; what they explain is listed under them, not beside them.

mod case;
mod conditions;
mod grouping;
mod missing;
mod patterns;
mod shapes;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::events::Event;
use crate::finding::{Confidence, Finding, Severity};
use crate::flows::Followed;
use crate::knowledge::{Failure, FailureRole, Knowledge, Proof, When};
use crate::record::Source;
use crate::stage::{Outcome, Stage, StageStatus};

use case::{Case, World};

/// A failure that fits a flow, or the site.
#[derive(Debug, Clone)]
struct Match {
    failure: Arc<Failure>,
    confidence: Confidence,
    severity: Severity,
    /// Indices of the trail's events.
    evidence: Vec<u32>,
    /// The flow; `None` where servers' logs alone tell.
    flow: Option<usize>,
    /// Other failures and codes that follow from it.
    consequences: BTreeSet<String>,
}

/// Finds the causes, best first.
pub fn diagnose(followed: &Followed, events: &[Event], sources: &[Source], knowledge: &Knowledge) -> Vec<Finding> {
    let world = World::new(followed, events, sources);
    let site = site_matches(&world, knowledge);
    let mut matches = Vec::new();
    let mut placed = BTreeSet::new();
    for flow in 0..followed.flows.len() {
        matches.extend(flow_matches(&world, knowledge, flow, &site, &mut placed));
    }
    let unplaced = site.into_iter().enumerate().filter(|(index, _)| !placed.contains(index));
    matches.extend(unplaced.map(|(_, found)| found));
    grouping::findings(matches, &world)
}

/// What the servers' logs tell without any client.
fn site_matches(world: &World<'_>, knowledge: &Knowledge) -> Vec<Match> {
    let case = Case::of_site(world);
    let mut all = Vec::new();
    for failure in knowledge.failures() {
        let site_rules = failure.when.iter().filter(|when| when.site);
        let best = site_rules.filter_map(|when| evaluate(when, &case)).max_by_key(|(confidence, _)| *confidence);
        if let Some((confidence, evidence)) = best {
            all.push(Match {
                failure: Arc::clone(failure),
                confidence,
                severity: failure.severity,
                evidence,
                flow: None,
                consequences: BTreeSet::new(),
            });
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
        let explains = broken.is_some() && of_site.failure.stage == broken && case.is_near(&of_site.evidence);
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
        let rules = failure.when.iter().filter(|when| !when.site);
        let best = rules.filter_map(|when| evaluate(when, case)).max_by_key(|(confidence, _)| *confidence);
        if let Some((confidence, evidence)) = best {
            found.push(Match {
                failure: Arc::clone(failure),
                confidence,
                severity,
                evidence,
                flow: case.flow,
                consequences: BTreeSet::new(),
            });
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

/// Tries one rule: its confidence and its evidence, where it holds.
fn evaluate(when: &When, case: &Case<'_>) -> Option<(Confidence, Vec<u32>)> {
    let mut evidence = BTreeSet::new();
    for condition in &when.requires {
        evidence.extend(conditions::holds(condition, case)?);
    }
    if when.excludes.iter().any(|condition| conditions::holds(condition, case).is_some()) {
        return None;
    }
    let supports: Vec<Option<Vec<u32>>> =
        when.supports.iter().map(|condition| conditions::holds(condition, case)).collect();
    let all_support = !supports.is_empty() && supports.iter().all(Option::is_some);
    evidence.extend(supports.into_iter().flatten().flatten());
    let unproven = !evidence.is_empty() && evidence.iter().all(|&event| case.proof(event) == Proof::Inferred);
    let confidence = match (unproven, all_support) {
        (true, _) => Confidence::Possible,
        (false, true) => raised(when.confidence),
        (false, false) => when.confidence,
    };
    Some((confidence, evidence.into_iter().collect()))
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
                known.evidence.extend(next.evidence);
                known.evidence.sort_unstable();
                known.evidence.dedup();
            }
            None => merged.push(next),
        }
    }
    *found = merged;
}

fn drop_yielding(found: &mut Vec<Match>) {
    let ids: BTreeSet<String> = found.iter().map(|found| found.failure.id.clone()).collect();
    found.retain(|found| !found.failure.yields_to.iter().any(|other| ids.contains(other)));
}

/// Of the causes that stop one flow, those with the highest confidence; symptoms become their consequences.
fn keep_best(found: Vec<Match>, case: &Case<'_>) -> Vec<Match> {
    let (symptoms, found): (Vec<Match>, Vec<Match>) =
        found.into_iter().partition(|found| found.failure.role == FailureRole::Symptom);
    let stops = |found: &Match| found.failure.role == FailureRole::Cause && found.severity > Severity::Info;
    let best = found.iter().filter(|found| stops(found)).map(|found| (found.severity, found.confidence)).max();
    let mut kept: Vec<Match> = found
        .into_iter()
        .filter(|found| {
            let overcome = best.is_some_and(|(severity, _)| found.severity < severity);
            !stops(found) || overcome || best.is_some_and(|(_, confidence)| found.confidence >= confidence)
        })
        .collect();
    for found in kept.iter_mut().filter(|found| found.failure.role == FailureRole::Cause) {
        found.consequences.extend(case.codes_seen(&found.failure.consequences));
        found.consequences.extend(symptoms.iter().map(|symptom| symptom.failure.id.clone()));
    }
    kept
}
