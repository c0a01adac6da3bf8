//! Diagnosis: from flows that broke to causes, with proof and with what is missing.
//!
//! Every failure of the knowledge is tried on every flow, and, where a rule says so, on the servers' logs alone
//! ([`evaluate`]). For each flow the causes that fit best stay ([`ranking`]); what follows from them is listed under them,
//! not beside them. A flow whose lines name no cause takes that of its neighbours ([`adopt`]).

mod adopt;
mod ahead;
mod artefacts;
mod case;
mod conditions;
mod earlier;
mod evaluate;
mod grouping;
mod mended;
mod missing;
mod onset;
mod patterns;
mod ranking;
mod shapes;
mod silence;
mod words;
mod world;

pub(crate) use words::fill;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::artefacts::{Artefact, Artefacts};
use crate::events::Event;
use crate::finding::{Confidence, Finding, Severity};
use crate::flows::{Flow, FlowDetail, Followed, LineRef, Located, can_lie_at};
use crate::knowledge::{Failure, FailureRole, Knowledge, When};
use crate::record::Source;
use crate::stage::{Mark, Outcome, Stage, StageStatus};
use crate::time::Micros;
use crate::workflow;

use ahead::Ahead;
use artefacts::Told;
use case::Case;
use evaluate::{Held, Tried, add_lines, add_told, try_failure};
use ranking::Fit;
use world::World;

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
    /// The rules that hold, as indices into the failure's.
    rules: Vec<usize>,
    /// The flow; `None` where servers' logs alone tell.
    flow: Option<usize>,
    /// Which of the flow's earlier ways to fail it is the cause of; `None` where it stops the flow now.
    earlier: Option<usize>,
    /// Other failures and codes that follow from it.
    consequences: BTreeSet<String>,
    /// How well it fits the flow.
    fit: Fit,
    /// Neighbours that fit the flow as well.
    rivals: BTreeSet<String>,
    /// UTC until which the servers' own logs show that it is over; `None` where they do not.
    mended: Option<Micros>,
    /// Neighbours of which all was there that their rules require, and something that contradicts them as well.
    refuted: BTreeSet<String>,
    /// The flow ended before the servers' logs show it.
    ahead: Option<Ahead>,
}

impl Match {
    fn new(failure: &Arc<Failure>, held: Held, severity: Severity, flow: Option<usize>) -> Self {
        Self {
            failure: Arc::clone(failure),
            confidence: held.confidence,
            severity,
            evidence: held.evidence,
            told: held.told,
            rules: held.rules,
            flow,
            earlier: None,
            consequences: BTreeSet::new(),
            fit: Fit::default(),
            rivals: BTreeSet::new(),
            mended: None,
            refuted: BTreeSet::new(),
            ahead: None,
        }
    }

    /// True where the flow, or a later one, got past the failure, or the servers that failed work again.
    fn is_overcome(&self) -> bool {
        self.mended.is_some() || (self.flow.is_some() && self.severity < self.failure.severity)
    }

    /// The case that it was found in.
    fn case<'a>(&self, world: &'a World<'a>) -> Case<'a> {
        self.flow.map_or_else(|| Case::of_site(world), |flow| Case::of_earlier(world, flow, self.earlier))
    }

    /// The rules that hold.
    fn held_rules(&self) -> impl Iterator<Item = &When> {
        self.rules.iter().filter_map(|&rule| self.failure.when.get(rule))
    }

    /// True where the two failures have to be told apart.
    fn is_neighbour_of(&self, other: &Failure) -> bool {
        self.failure.separates_from.contains(&other.id) || other.separates_from.contains(&self.failure.id)
    }
}

/// What is asked for. Everything else is looked at as well, for it may tell something of what is asked for.
pub struct Question<'a> {
    /// Is this flow asked for?
    pub flow: &'a dyn Fn(&Flow) -> bool,
    /// Is this line of a server's log asked for, where it tells something without any client?
    pub line: &'a dyn Fn(&Event) -> bool,
}

/// Finds the causes, best first, and which flows broke elsewhere than their own lines tell. `listed` are the artefacts as
/// the trail lists them.
pub fn diagnose(
    followed: &Followed,
    events: &[Event],
    sources: &[Source],
    (artefacts, listed): (&Artefacts, &[Artefact]),
    knowledge: &Knowledge,
    question: &Question<'_>,
) -> (Vec<Finding>, Vec<Located>) {
    let world = World::new(followed, events, sources, artefacts, listed, knowledge.codes());
    let site = site_matches(&world, knowledge);
    let mut placed = BTreeSet::new();
    let mut of_flow: Vec<Vec<Match>> = (0..followed.flows.len())
        .map(|flow| flow_matches(&Case::of_flow(&world, flow), knowledge, &site, &mut placed))
        .collect();
    adopt::adopt(&mut of_flow, &world);
    let located = of_flow.iter().enumerate().filter_map(|(flow, found)| located(flow, found, &world)).collect();
    for (flow, found) in of_flow.iter_mut().enumerate() {
        earlier::add(found, (flow, &world), knowledge, &site, &mut placed);
    }
    let at_once = grouping::at_once(&of_flow, &world);
    let asked = followed.flows.iter().zip(of_flow).filter(|(flow, _)| (question.flow)(flow));
    let mut matches: Vec<Match> = asked.flat_map(|(_, found)| found).collect();
    let is_asked = |found: &Match| {
        found.evidence.is_empty() || found.evidence.iter().any(|&event| (question.line)(&events[event as usize]))
    };
    for (index, mut found) in site.into_iter().enumerate() {
        if !placed.contains(&index) && is_asked(&found) && !follows(&found, &mut matches, &world) {
            note_stranger(&mut found, followed);
            matches.push(found);
        }
    }
    (grouping::findings(matches, &at_once, &world, knowledge), located)
}

/// True where what the servers' logs tell follows from a cause of flows near it that is as sure; it is listed there.
fn follows(of_site: &Match, matches: &mut [Match], world: &World<'_>) -> bool {
    let mut follows = false;
    for cause in matches.iter_mut().filter(|cause| cause.failure.consequences.contains(&of_site.failure.id)) {
        let Some(flow) = cause.flow.filter(|_| !cause.is_overcome() && cause.confidence >= of_site.confidence) else {
            continue;
        };
        if Case::of_flow(world, flow).is_near(&of_site.evidence) {
            cause.consequences.insert(of_site.failure.id.clone());
            follows = true;
        }
    }
    follows
}

/// Where a flow broke, if all that can have stopped it and is likely at least lies at one stage on the way to what was
/// asked for.
fn located(flow: usize, found: &[Match], world: &World<'_>) -> Option<Located> {
    let stops = |found: &&Match| found.failure.role == FailureRole::Cause && found.severity == Severity::Error;
    let mut causes = found.iter().filter(stops).filter(|found| !found.failure.beside);
    let cause = causes.next()?;
    let stage = cause.failure.stage?;
    let alone = causes.all(|other| other.failure.stage == Some(stage));
    let followed = &world.followed.flows[flow];
    let mut own = followed.events.iter().filter(|event| event.attempt == followed.attempts && event.is_proven());
    let is_shown = own.any(|event| event.stage == stage && cause.evidence.contains(&event.event));
    if !alone || cause.confidence < Confidence::Likely || !can_lie_at(followed, stage, is_shown) {
        return None;
    }
    let mut lines = cause.evidence.iter().map(|&event| &world.events[event as usize]);
    let own = lines.find(|event| event.stage() == Some(stage) && event.mark() == Mark::Fail);
    Some(Located {
        flow,
        stage,
        at: own.and_then(|event| event.stamp.utc),
        line: own.map(|event| LineRef::from(&event.place)),
    })
}

/// What the servers' logs tell without any client.
fn site_matches(world: &World<'_>, knowledge: &Knowledge) -> Vec<Match> {
    let case = Case::of_site(world);
    let mut all = Vec::new();
    for failure in knowledge.failures() {
        if let Tried::Holds(held) = try_failure(failure, |when| when.site, &case) {
            let mut found = Match::new(failure, held, failure.severity, None);
            let of_rule = found.held_rules().find_map(|when| when.severity);
            found.severity = of_rule.unwrap_or(failure.severity);
            note_mended(&mut found, world);
            all.push(found);
        }
    }
    drop_yielding(&mut all);
    all
}

/// What servers tell of a single client is no error where clients are at hand, get through, and it is none of them.
fn note_stranger(found: &mut Match, followed: &Followed) {
    let works = |(flow, detail): (&Flow, &FlowDetail)| flow.outcome == Outcome::Completed && detail.through_cmg;
    if !found.failure.hits_many() && followed.flows.iter().zip(&followed.details).any(works) {
        found.severity = found.severity.min(Severity::Warning);
    }
}

/// A fault of a server that is over is no error any more.
fn note_mended(found: &mut Match, world: &World<'_>) {
    found.mended = mended::since(found, world);
    if found.mended.is_some() {
        found.severity = found.severity.min(Severity::Warning);
    }
}

/// What the case of a flow tells, with what the servers' logs tell of it; `placed` are those of `site` that do.
fn flow_matches(case: &Case<'_>, knowledge: &Knowledge, site: &[Match], placed: &mut BTreeSet<usize>) -> Vec<Match> {
    let (mut found, refuted) = own_matches(case, knowledge);
    for (index, of_site) in site.iter().enumerate() {
        if of_site.failure.role != FailureRole::Cause {
            continue;
        }
        if let Some((evidence, most)) = explains(of_site, case) {
            placed.insert(index);
            let worst = if case.overcome_later() { Severity::Warning } else { Severity::Error };
            found.push(Match {
                flow: case.flow,
                severity: of_site.severity.min(worst),
                confidence: of_site.confidence.min(most),
                evidence,
                ..of_site.clone()
            });
        }
    }
    merge_same(&mut found);
    for found in &mut found {
        ahead::limit(found, case);
    }
    drop_yielding(&mut found);
    let (symptoms, found): (Vec<Match>, Vec<Match>) =
        found.into_iter().partition(|found| found.failure.role == FailureRole::Symptom);
    let mut kept = ranking::rank(found, case);
    for found in kept.iter_mut().filter(|found| found.failure.role == FailureRole::Cause) {
        note_consequences(found, &symptoms, case);
        found.refuted = refuted.iter().filter(|other| found.is_neighbour_of(other)).map(|f| f.id.clone()).collect();
    }
    kept
}

/// The lines that show that what the servers' logs tell can be what stopped the flow, and how sure that can be at most;
/// `None` where it cannot: it has to be near in time, at the stage where the flow broke or on the way to it, not got
/// past, and of the flow's own gateway. Where several gateways are there and the lines name none, it is possible.
fn explains(of_site: &Match, case: &Case<'_>) -> Option<(Vec<u32>, Confidence)> {
    let (flow, stage) = case.flow().zip(of_site.failure.stage)?;
    let passed = flow.stages.iter().any(|result| result.stage == stage && result.status == StageStatus::Passed);
    let on_the_way = |broken: Stage| {
        stage == broken || (!passed && case.has_to_do_with_a_cmg() && workflow::lies_on_the_way(stage, broken))
    };
    // What artefacts alone foretell has stopped no flow.
    if of_site.evidence.is_empty() || !flow.broke_at.is_some_and(on_the_way) {
        return None;
    }
    // The site's evidence is its first lines and its last; those around the flow may be others.
    let around = conditions::around(of_site.held_rules(), case).unwrap_or_else(|| of_site.evidence.clone());
    if !case.is_near(&around) || case.names_others_only(&around) {
        return None;
    }
    let most = match case.is_of_another_gateway(&around) {
        Some(true) => return None,
        Some(false) => Confidence::Certain,
        None => Confidence::Possible,
    };
    let mut evidence = around;
    add_lines(&mut evidence, of_site.evidence.clone());
    Some((evidence, most))
}

/// Symptoms and codes that follow from a cause: those that it is known to lead to, and those of its stage or later ones.
fn note_consequences(found: &mut Match, symptoms: &[Match], case: &Case<'_>) {
    let failure = Arc::clone(&found.failure);
    found.consequences.extend(case.codes_seen(&failure.consequences));
    let follows = |symptom: &&Match| {
        let known = failure.consequences.contains(&symptom.failure.id);
        (known || symptom.failure.stage >= failure.stage) && (failure.beside || !symptom.failure.beside)
    };
    found.consequences.extend(symptoms.iter().filter(follows).map(|symptom| symptom.failure.id.clone()));
}

/// What a flow's own case tells, symptoms included, and the failures that it contradicts.
fn own_matches<'k>(case: &Case<'_>, knowledge: &'k Knowledge) -> (Vec<Match>, Vec<&'k Arc<Failure>>) {
    let (mut found, mut refuted) = (Vec::new(), Vec::new());
    for failure in knowledge.failures() {
        let Some(severity) = severity(failure, case) else { continue };
        match try_failure(failure, |when| !when.site, case) {
            Tried::Holds(held) => found.push(Match::new(failure, held, severity, case.flow)),
            Tried::Contradicted if !failure.beside => refuted.push(failure),
            Tried::Contradicted | Tried::Open => {}
        }
    }
    (found, refuted)
}

/// Severity of a failure in this flow; `None` where it does not count.
fn severity(failure: &Failure, case: &Case<'_>) -> Option<Severity> {
    if failure.role == FailureRole::Benign {
        return Some(failure.severity);
    }
    let flow = case.flow()?;
    if !case.has_to_do_with_a_cmg() && !failure.without_cmg {
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

/// One failure told by the flow and by the servers is one failure, with the proof of both.
fn merge_same(found: &mut Vec<Match>) {
    let mut merged: Vec<Match> = Vec::new();
    for next in found.drain(..) {
        match merged.iter_mut().find(|known| known.failure.id == next.failure.id) {
            Some(known) => {
                known.confidence = known.confidence.max(next.confidence);
                known.severity = known.severity.max(next.severity);
                known.mended = known.mended.and(next.mended);
                add_lines(&mut known.evidence, next.evidence);
                add_told(&mut known.told, next.told);
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
