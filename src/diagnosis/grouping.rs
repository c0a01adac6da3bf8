//! Groups matches into findings and ranks them: one cause on 400 clients is one finding with 400 flows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::{Case, World};
use super::{Match, artefacts, missing, words};
use crate::events::Event;
use crate::finding::{Evidence, Finding};
use crate::knowledge::{FailureRole, When};

/// Lines of evidence that one flow, and one finding, bring at most.
const LINES_OF_FLOW: usize = 40;
const LINES_OF_FINDING: usize = 200;

/// Findings from matches, best first.
pub fn findings(matches: Vec<Match>, world: &World<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<String, Vec<Match>> = BTreeMap::new();
    for found in matches.into_iter().filter(|found| found.failure.role != FailureRole::Symptom) {
        groups.entry(found.failure.id.clone()).or_default().push(found);
    }
    let mut findings: Vec<Finding> = groups.into_values().map(|group| finding(&group, world)).collect();
    findings.sort_by_key(|finding| {
        (
            Reverse(finding.severity),
            Reverse(finding.confidence),
            Reverse(finding.flows.len()),
            finding.stage,
            finding.failure.clone(),
        )
    });
    findings
}

/// One finding from all matches of one failure. The best match gives the words.
fn finding(group: &[Match], world: &World<'_>) -> Finding {
    let best = group.iter().max_by_key(|found| (found.severity, found.confidence, Reverse(found.flow)));
    // A group is made of at least one match, so `best` is there; the first stands in for the type's sake.
    let best = best.unwrap_or(&group[0]);
    let case = best.flow.map_or_else(|| Case::of_site(world), |flow| Case::of_flow(world, flow));
    let failure = &best.failure;
    let flows: BTreeSet<usize> = group.iter().filter_map(|found| found.flow).collect();
    let machines: BTreeSet<usize> = flows.iter().map(|&flow| world.followed.details[flow].machine).collect();
    let fill = |text: &str| {
        words::fill(text, &|field| match (field, machines.len()) {
            ("client", 2..) => Some(format!("{} clients", machines.len())),
            _ => words::value(field, &best.evidence, &case),
        })
    };
    let own = |words: fn(&When) -> Option<&String>| best.words.as_ref().and_then(words);
    let times =
        || group.iter().flat_map(|found| &found.evidence).filter_map(|&event| world.events[event as usize].stamp.utc);
    let spans = || flows.iter().map(|&flow| &world.followed.flows[flow]);
    Finding {
        failure: failure.id.clone(),
        severity: best.severity,
        confidence: best.confidence,
        hypothesis: failure.hypothesis,
        stage: failure.stage,
        scope: failure.scope.clone(),
        title: fill(own(|when| when.title.as_ref()).unwrap_or(&failure.title)),
        explanation: explanation(
            fill(own(|when| when.explanation.as_ref()).unwrap_or(&failure.explanation)),
            best,
            &artefacts::contradictions(failure.stage, &case),
        ),
        remedy: fill(&failure.remedy),
        verify: fill(&failure.verify),
        reference: failure.reference.clone(),
        rule: failure.rule.clone(),
        evidence: evidence(group, world),
        missing: missing::missing(failure, best.confidence, &best.evidence, &case),
        consequences: group
            .iter()
            .flat_map(|found| found.consequences.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        flows: flows.iter().map(|&flow| world.followed.flows[flow].id.clone()).collect(),
        clients: machines.len(),
        first_seen: times().min().or_else(|| spans().filter_map(|flow| flow.started).min()),
        last_seen: times().max().or_else(|| spans().filter_map(|flow| flow.ended).max()),
    }
}

/// The failure's words, then what artefacts say for it, then where they contradict each other.
fn explanation(mut words: String, best: &Match, contradictions: &[String]) -> String {
    /// Sentences beyond these say nothing new.
    const ENOUGH: usize = 4;
    let said: Vec<&str> = best.told.iter().map(|told| told.sentence.as_str()).take(ENOUGH).collect();
    if !said.is_empty() {
        words.push_str(" The artefacts at hand say: ");
        words.push_str(&said.join(" "));
    }
    if !contradictions.is_empty() {
        words.push_str(" They contradict each other: ");
        words.push_str(&contradictions.join(" "));
    }
    words
}

/// The lines of all matches; where a cause holds by what is absent, the lines of the flow that lacks it.
fn evidence(group: &[Match], world: &World<'_>) -> Vec<Evidence> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut of_artefacts: Vec<Evidence> = Vec::new();
    for found in group {
        let of_flow =
            || found.flow.map(|flow| world.followed.details[flow].events.iter().map(|(event, _)| *event).collect());
        for told in found.told.iter().take(LINES_OF_FLOW) {
            if of_artefacts.len() < LINES_OF_FLOW && !of_artefacts.contains(&told.evidence) {
                of_artefacts.push(told.evidence.clone());
            }
        }
        let shown: Vec<u32> =
            if found.evidence.is_empty() { of_flow().unwrap_or_default() } else { found.evidence.clone() };
        for index in shown.into_iter().take(LINES_OF_FLOW) {
            if lines.len() < LINES_OF_FINDING && seen.insert(index) {
                lines.push(line(&world.events[index as usize]));
            }
        }
    }
    lines.extend(of_artefacts);
    lines
}

fn line(event: &Event) -> Evidence {
    Evidence { source: Arc::clone(&event.place.file), line: event.place.line, text: event.text.to_string() }
}
