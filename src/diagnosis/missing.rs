//! What is missing to be certain: which log of which machine for which minutes.

use super::case::Case;
use super::words;
use crate::finding::{Confidence, Missing};
use crate::knowledge::{Failure, MissingEvidence};
use crate::stage::Role;
use crate::time::Micros;

/// Minutes around the failure for which a log is asked.
const AROUND: Micros = 5 * 60 * 1_000_000;

/// What would decide, most telling first; nothing where nothing is open.
pub fn missing(failure: &Failure, confidence: Confidence, evidence: &[u32], case: &Case<'_>) -> Vec<Missing> {
    if confidence == Confidence::Certain {
        return Vec::new();
    }
    let times = || evidence.iter().filter_map(|&event| case.event(event).stamp.utc);
    let flow = case.flow();
    let from = times().min().or_else(|| flow?.started);
    let to = times().max().or_else(|| flow?.ended);
    let fill = |text: &str| {
        words::fill(text, &|field| {
            words::value(field, evidence, case).map(|value| words::named(field, value, case.world.codes))
        })
    };
    let host = flow.and_then(|flow| flow.client.host.as_deref());
    let at_hand = |wanted: &&MissingEvidence| {
        let parts = &wanted.artefact;
        !parts.is_empty() && flow.is_some() && parts.iter().all(|part| case.world.artefacts.has(host, part))
    };
    let wanted =
        failure.missing.iter().filter(|wanted| !at_hand(wanted)).filter(|wanted| {
            wanted.log.as_deref().is_none_or(|log| !case.log_covers(wanted.machine, Some(log), from, to))
        });
    wanted
        .map(|wanted| Missing {
            what: fill(&wanted.what),
            machine: match wanted.machine {
                Role::Client => flow.and_then(|flow| flow.client.host.clone()).or_else(|| Some("client".to_owned())),
                machine => Some(machine.words().to_owned()),
            },
            from: from.map(|from| from - AROUND),
            to: to.map(|to| to + AROUND),
            separates: wanted.separates.clone(),
            how: fill(&wanted.how),
        })
        .collect()
}
