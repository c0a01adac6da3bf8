//! Ranks the causes of one flow by how well they fit it, and keeps those that no better one makes superfluous.
//!
//! Causes are compared field by field ([`Fit`]), without weights: one that something contradicts falls behind all
//! others, then one that leaves failures unexplained, then the less proven and the less specific, then one that hits
//! others than those who are hit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Match;
use super::case::Case;
use super::shapes;
use crate::finding::Confidence;
use crate::knowledge::{Condition, Failure, FailureRole, When};
use crate::stage::{Mark, Stage, StageStatus};
use crate::workflow;

/// How well a cause fits a flow. The smaller fits better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fit {
    /// The workflow contradicts it: the flow never came as far as its stage.
    pub contradicted: bool,
    /// Failures of the last attempt for which it does not account.
    pub unexplained: usize,
    /// What its rule is worth.
    pub proof: Reverse<Option<Confidence>>,
    /// It completes another cause of the flow.
    pub completes: bool,
    /// How much its rule asks for that need not have been so.
    pub specificity: Reverse<usize>,
    /// It hits one client where all are hit.
    pub misplaced: bool,
}

/// A failure in the last attempt of a flow.
pub struct Trouble {
    /// Its lines.
    lines: Vec<u32>,
    /// The request that failed, where it is one.
    request: Option<u32>,
    /// The stage that its lines name, or that the request serves.
    stage: Stage,
    /// True where a line itself says which stage failed.
    named: bool,
}

/// The failures of the last attempt that no later line of it overcame; where no line names one, that the flow broke.
pub fn trouble(case: &Case<'_>) -> Vec<Trouble> {
    let Some((flow, broke_at)) = case.flow().and_then(|flow| Some((flow, flow.broke_at?))) else { return Vec::new() };
    let overcome =
        |stage: Stage| flow.stages.iter().any(|result| result.stage == stage && result.status == StageStatus::Passed);
    let mut of_request: BTreeMap<u32, usize> = BTreeMap::new();
    let mut all: Vec<Trouble> = Vec::new();
    let of_last = flow.events.iter().filter(|event| event.attempt == flow.attempts && event.is_proven());
    for event in of_last.filter(|event| event.mark == Mark::Fail) {
        let known = case.event(event.event);
        if known.message.symptom || overcome(event.stage) {
            continue;
        }
        let (stage, named) = (event.stage, known.stage().is_some());
        let request = case.world.followed.requests.of_event.get(&event.event).copied();
        let place = request.and_then(|request| of_request.get(&request).copied());
        let Some(trouble) = place.and_then(|place| all.get_mut(place)) else {
            of_request.extend(request.map(|request| (request, all.len())));
            all.push(Trouble { lines: vec![event.event], request, stage, named });
            continue;
        };
        trouble.lines.push(event.event);
        if named && !trouble.named {
            (trouble.stage, trouble.named) = (stage, true);
        }
    }
    if all.is_empty() {
        all.push(Trouble { lines: Vec::new(), request: None, stage: broke_at, named: false });
    }
    all
}

/// True where the failure accounts for the trouble: its own lines show it, or it follows from the failure's stage.
fn explains(found: &Match, trouble: &Trouble, case: &Case<'_>) -> bool {
    if trouble.lines.iter().any(|line| found.evidence.contains(line)) {
        return true;
    }
    let Some(stage) = found.failure.stage else { return false };
    let follows = workflow::presupposed_by(trouble.stage).contains(&stage);
    let unnamed = !trouble.named && workflow::lies_on_the_way(stage, trouble.stage);
    let shapes: Vec<_> = found
        .held_rules()
        .flat_map(|when| &when.requires)
        .filter_map(|condition| match condition {
            Condition::Request(shape) => Some(shape),
            _ => None,
        })
        .collect();
    let alike = match trouble.request {
        Some(request) if !shapes.is_empty() => {
            shapes.iter().any(|shape| shapes::is_like(case.world.request(request), shape))
        }
        _ => trouble.stage == stage,
    };
    follows || alike || (unnamed && shapes.is_empty())
}

/// What a cause explains, by number of the trouble.
fn explained(found: &Match, troubles: &[Trouble], case: &Case<'_>) -> BTreeSet<usize> {
    let explained = troubles.iter().enumerate().filter(|(_, trouble)| explains(found, trouble, case));
    explained.map(|(number, _)| number).collect()
}

/// The rule that asks for most.
fn specificity(found: &Match) -> usize {
    let asks = |when: &When| when.requires.iter().filter(|condition| !condition.is_circumstance()).count();
    found.held_rules().map(asks).max().unwrap_or(0)
}

/// True where the flow broke before it came to the failure's stage, and the failure accounts for nothing that went
/// wrong.
fn is_contradicted(found: &Match, explained: &BTreeSet<usize>, troubles: &[Trouble], case: &Case<'_>) -> bool {
    let (Some(stage), Some(broke_at)) = (found.failure.stage, case.flow().and_then(|flow| flow.broke_at)) else {
        return false;
    };
    let never_came = workflow::reached_before(stage).contains(&broke_at);
    never_came && explained.is_empty() && troubles.iter().any(|trouble| trouble.named && trouble.stage == broke_at)
}

/// A cause with what it explains.
struct Candidate {
    found: Match,
    explained: BTreeSet<usize>,
    /// Those of them of which a line itself says what failed.
    named: BTreeSet<usize>,
}

/// Of the causes of one flow those that no better one makes superfluous, the best first; what is no cause behind them.
pub fn rank(found: Vec<Match>, case: &Case<'_>) -> Vec<Match> {
    let troubles = trouble(case);
    let is_cause = |found: &Match| found.failure.role == FailureRole::Cause;
    let (causes, others): (Vec<Match>, Vec<Match>) = found.into_iter().partition(is_cause);
    let failures: Vec<Arc<Failure>> = causes.iter().map(|found| Arc::clone(&found.failure)).collect();
    let mut candidates: Vec<Candidate> = causes
        .into_iter()
        .map(|mut found| {
            let explained = explained(&found, &troubles, case);
            let misplaced = case.onset().is_some() && !found.failure.hits_many();
            let of_all = |other: &Arc<Failure>| !other.beside && other.hits_many() && found.is_neighbour_of(other);
            if misplaced && !found.failure.beside && failures.iter().any(of_all) {
                found.confidence = Confidence::Possible;
            }
            found.fit = Fit {
                contradicted: is_contradicted(&found, &explained, &troubles, case),
                unexplained: troubles.len() - explained.len(),
                proof: Reverse(Some(found.confidence)),
                completes: failures.iter().any(|other| found.failure.completes.contains(&other.id)),
                specificity: Reverse(specificity(&found)),
                misplaced,
            };
            let named = explained.iter().copied().filter(|&number| troubles[number].named).collect();
            Candidate { found, explained, named }
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.found.fit);
    let kept: Vec<bool> =
        candidates.iter().map(|one| !candidates.iter().any(|other| makes_superfluous(other, one))).collect();
    let mut kept: Vec<Candidate> =
        candidates.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(candidate, _)| candidate).collect();
    level(&mut kept);
    kept.into_iter().map(|candidate| candidate.found).chain(others).collect()
}

/// True where `better` fits so much better that `other` is no explanation of the same flow any more: what is merely
/// possible gives way to anything surer, a neighbour to what has been told apart from it, a consequence to its cause,
/// and whatever is contradicted, or explains less of the same, to what is as sure.
fn makes_superfluous(better: &Candidate, other: &Candidate) -> bool {
    let (one, two) = (&better.found, &other.found);
    // A user's rule adds beside the built-in ones: neither takes away the other's.
    let alike = one.failure.beside == two.failure.beside && one.severity == two.severity;
    if !alike || one.failure.id == two.failure.id || is_one_story(one, two) {
        return false;
    }
    if one.failure.consequences.contains(&two.failure.id) {
        return true;
    }
    // A consequence never takes its own cause away: the two would leave nothing.
    if two.failure.consequences.contains(&one.failure.id) {
        return false;
    }
    let as_sure = one.confidence >= two.confidence;
    if one.fit.contradicted != two.fit.contradicted {
        return two.fit.contradicted && as_sure;
    }
    let surer = one.confidence > two.confidence;
    let neighbours = one.is_neighbour_of(&two.failure);
    let covers = better.explained.is_superset(&other.explained);
    let more = better.named.len() > other.named.len();
    let explains = !better.explained.is_empty();
    (surer && (neighbours || (explains && two.confidence == Confidence::Possible))) || (as_sure && more && covers)
}

/// True where one completes the other: there is nothing to tell apart.
fn is_one_story(one: &Match, two: &Match) -> bool {
    one.failure.completes.contains(&two.failure.id) || two.failure.completes.contains(&one.failure.id)
}

/// Notes for each cause the neighbours that stay beside it. Of two that are equally sure of the same trouble, both are
/// possible and no more.
fn level(kept: &mut [Candidate]) {
    let rivals: Vec<Vec<(String, bool)>> = kept
        .iter()
        .map(|one| {
            let beside = |other: &&Candidate| {
                one.found.is_neighbour_of(&other.found.failure)
                    && !is_one_story(&one.found, &other.found)
                    && one.found.severity == other.found.severity
                    && one.found.failure.beside == other.found.failure.beside
            };
            let equal = |other: &Candidate| {
                one.found.confidence == other.found.confidence
                    && one.explained == other.explained
                    && !one.explained.is_empty()
            };
            kept.iter().filter(beside).map(|other| (other.found.failure.id.clone(), equal(other))).collect()
        })
        .collect();
    for (one, rivals) in kept.iter_mut().zip(rivals) {
        if rivals.iter().any(|(_, equal)| *equal) {
            one.found.confidence = Confidence::Possible;
        }
        one.found.rivals = rivals.into_iter().map(|(id, _)| id).collect();
    }
}
