//! What is missing to be certain: which log of which machine for which minutes, most telling first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Match;
use super::case::Case;
use super::words;
use crate::finding::{Confidence, Missing};
use crate::knowledge::{MissingEvidence, Scope};
use crate::stage::Role;
use crate::time::{MINUTE, Micros};

/// Minutes around the failure for which a log is asked.
const AROUND: Micros = 5 * MINUTE;

/// What would decide; nothing where nothing is open. First what tells apart the most of the neighbours that fit as
/// well, then the most of the others. What only excludes neighbours that the logs contradict already is left out,
/// unless nothing else is left.
pub fn missing(found: &Match, case: &Case<'_>) -> Vec<Missing> {
    if found.confidence == Confidence::Certain {
        return Vec::new();
    }
    let (from, to) = times(found, case);
    let is_known = |field: &String| words::value(field, &found.evidence, case).is_some();
    let is_open = |wanted: &&MissingEvidence| has_parts(&wanted.after, case) && !wanted.known.iter().any(is_known);
    let asked = || found.failure.missing.iter().filter(is_open);
    let absent = || asked().filter(|wanted| !is_at_hand(wanted, (from, to), found, case));
    let open = |wanted: &MissingEvidence| -> Vec<String> {
        wanted.separates.iter().filter(|id| !found.refuted.contains(*id)).cloned().collect()
    };
    let still_tells = |wanted: &&MissingEvidence| wanted.separates.is_empty() || !open(wanted).is_empty();
    let mut wanted: Vec<&MissingEvidence> = absent().filter(still_tells).collect();
    if wanted.is_empty() {
        wanted = absent().collect();
    }
    wanted.sort_by_key(|wanted| {
        let open = open(wanted);
        Reverse((open.iter().filter(|id| found.rivals.contains(*id)).count(), open.len()))
    });
    wanted.into_iter().map(|wanted| describe(wanted, open(wanted), (from, to), found, case)).collect()
}

fn describe(
    wanted: &MissingEvidence,
    open: Vec<String>,
    (from, to): (Option<Micros>, Option<Micros>),
    found: &Match,
    case: &Case<'_>,
) -> Missing {
    let fill = |text: &str| {
        words::fill(text, &|field| {
            words::value(field, &found.evidence, case).map(|value| words::named(field, value, case.world.codes))
        })
    };
    // What is at hand already and did not decide is asked for anew, not for the time of the failure.
    let is_anew = !wanted.after.is_empty();
    let ends = wanted.log.as_deref().and_then(|log| case.log_ends(wanted.machine, log)).filter(|end| Some(*end) < from);
    let ends = ends.map(|end| format!(" What is at hand of it ends at {}.", words::minute(end)));
    Missing {
        what: fill(&wanted.what),
        machine: (!wanted.of_another_client).then(|| machine(wanted.machine, found, case)),
        from: from.filter(|_| !is_anew).map(|from| from - AROUND),
        to: to.filter(|_| !is_anew).map(|to| to + AROUND),
        separates: if open.is_empty() { wanted.separates.clone() } else { open },
        how: fill(&wanted.how) + &ends.unwrap_or_default(),
    }
}

/// When it failed, UTC: the evidence of the last attempt, else of the flow, else all of it.
fn times(found: &Match, case: &Case<'_>) -> (Option<Micros>, Option<Micros>) {
    let within = |scope: Scope| -> Vec<Micros> {
        let events: BTreeSet<u32> = case.events_within(scope).into_iter().collect();
        let lines = found.evidence.iter().filter(|event| events.contains(event));
        lines.filter_map(|&event| case.event(event).stamp.utc).collect()
    };
    let of_flow = || [Scope::Attempt, Scope::Flow].into_iter().map(within).find(|times| !times.is_empty());
    let of_all = || found.evidence.iter().filter_map(|&event| case.event(event).stamp.utc).collect();
    let times: Vec<Micros> = case.flow().and_then(|_| of_flow()).unwrap_or_else(of_all);
    let flow = case.flow();
    let from = times.iter().min().copied().or_else(|| flow?.started);
    let to = times.iter().max().copied().or_else(|| flow?.ended);
    (from, to)
}

/// True where all parts of the artefact are at hand for the client, or the log shows the time, or the finding has a line of
/// it: with the lines that only verbose logging writes, where it takes these.
fn is_at_hand(
    wanted: &MissingEvidence,
    (from, to): (Option<Micros>, Option<Micros>),
    found: &Match,
    case: &Case<'_>,
) -> bool {
    if !wanted.artefact.is_empty() && has_parts(&wanted.artefact, case) {
        return true;
    }
    if wanted.of_another_client {
        return case.has_another_client();
    }
    let Some(log) = wanted.log.as_deref() else { return false };
    let is_verbose = || wanted.verbose.is_empty() || !case.events_of(&wanted.verbose, Scope::Site).is_empty();
    let is_quoted = |&event: &u32| case.is_near(&[event]) && case.is_of_log(event, wanted.machine, log);
    (case.log_shows(wanted.machine, log, from, to) || found.evidence.iter().any(is_quoted)) && is_verbose()
}

/// True where all these parts of a bundle are at hand for the client; without a client, for anybody.
fn has_parts(parts: &[String], case: &Case<'_>) -> bool {
    let artefacts = case.world.artefacts;
    let client = case.flow().map(|flow| flow.client.host.as_deref());
    parts.iter().all(|part| client.map_or_else(|| artefacts.has_any(part), |host| artefacts.has(host, part)))
}

/// The machine by name, where the logs at hand tell it, else by its role.
fn machine(role: Role, found: &Match, case: &Case<'_>) -> String {
    /// More names than these are no help.
    const FEW: usize = 3;
    let known = match role {
        Role::Client => case.flow().and_then(|flow| flow.client.host.clone()).into_iter().collect(),
        Role::Cmg => words::value("host", &found.evidence, case).into_iter().collect(),
        _ => case.world.hosts_of(role),
    };
    if known.is_empty() || known.len() > FEW {
        return role.words().to_owned();
    }
    known.into_iter().collect::<Vec<_>>().join(" or ")
}
