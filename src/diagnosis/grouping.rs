//! Groups matches into findings and ranks them: one cause on 400 clients is one finding with 400 flows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::{Case, World};
use super::{Match, artefacts, missing, words};
use crate::events::Event;
use crate::finding::{Evidence, Finding, Severity};
use crate::knowledge::{FailureRole, When};
use crate::tokens::without_tokens;

/// Lines of evidence that one flow, and one finding, bring at most.
const LINES_OF_FLOW: usize = 40;
const LINES_OF_FINDING: usize = 200;

/// Findings from matches, best first.
pub fn findings(matches: Vec<Match>, world: &World<'_>) -> Vec<Finding> {
    // What a flow overcame is told apart from what stops another. What is told without any flow goes with the worst.
    let mut groups: BTreeMap<(String, Severity), Vec<Match>> = BTreeMap::new();
    let told = matches.into_iter().filter(|found| found.failure.role != FailureRole::Symptom);
    let (of_flows, alone): (Vec<Match>, Vec<Match>) = told.partition(|found| found.flow.is_some());
    // What stops one flow of a client and is overcome in another is one story of that client.
    let mut worst_of_client: BTreeMap<(String, usize), Severity> = BTreeMap::new();
    let client = |found: &Match| Some((found.failure.id.clone(), world.followed.details[found.flow?].machine));
    for found in &of_flows {
        let Some(client) = client(found) else { continue };
        let worst = worst_of_client.entry(client).or_insert(found.severity);
        *worst = (*worst).max(found.severity);
    }
    for found in of_flows {
        let worst = client(&found).and_then(|client| worst_of_client.get(&client).copied());
        groups.entry((found.failure.id.clone(), worst.unwrap_or(found.severity))).or_default().push(found);
    }
    for found in alone {
        let id = &found.failure.id;
        let worst = [Severity::Error, Severity::Warning, Severity::Info];
        let known = worst.into_iter().find(|severity| groups.contains_key(&(id.clone(), *severity)));
        groups.entry((id.clone(), known.unwrap_or(found.severity).max(found.severity))).or_default().push(found);
    }
    for group in groups.values_mut() {
        group.sort_by_key(|found| {
            (Reverse(found.severity), Reverse(found.confidence), found.flow.is_none(), found.flow)
        });
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

/// One finding from all matches of one failure, the best match first: it gives the words.
fn finding(group: &[Match], world: &World<'_>) -> Finding {
    // A group is made by its first match.
    let best = &group[0];
    let case = best.flow.map_or_else(|| Case::of_site(world), |flow| Case::of_flow(world, flow));
    let failure = &best.failure;
    let flows: BTreeSet<usize> = group.iter().filter_map(|found| found.flow).collect();
    let machines: BTreeSet<usize> = flows.iter().map(|&flow| world.followed.details[flow].machine).collect();
    let fill = |text: &str| {
        let filled = words::fill(text, &|field| match (field, machines.len()) {
            ("client", 2..) => Some(format!("{} clients", machines.len())),
            ("host" | "cmg", _) => hosts(group, world),
            _ => words::value(field, &best.evidence, &case).map(|value| words::named(field, value, world.codes)),
        });
        without_tokens(&filled).into_owned()
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

/// The hosts that the matches speak of: all of them, for what holds of one gateway need not hold of the other.
fn hosts(group: &[Match], world: &World<'_>) -> Option<String> {
    let host = |found: &Match| {
        let case = found.flow.map_or_else(|| Case::of_site(world), |flow| Case::of_flow(world, flow));
        words::value("host", &found.evidence, &case)
    };
    let hosts: BTreeSet<String> = group.iter().filter_map(host).collect();
    (!hosts.is_empty()).then(|| hosts.into_iter().collect::<Vec<_>>().join(" and "))
}

/// The failure's words, then what artefacts say for it, then where they contradict each other.
fn explanation(words: String, best: &Match, contradictions: &[String]) -> String {
    /// Sentences beyond these say nothing new.
    const ENOUGH: usize = 4;
    let overcome = best.flow.is_some() && best.severity < best.failure.severity;
    let mut words =
        if overcome { format!("Overcome since: the flow, or a later one, got past it. {words}") } else { words };
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
    Evidence {
        source: Arc::clone(&event.place.file),
        line: event.place.line,
        text: without_tokens(&event.text).into_owned(),
    }
}
