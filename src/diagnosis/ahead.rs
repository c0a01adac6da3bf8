//! Flows that ended before any server's log shows what is said to have stopped them: a line that came later proves
//! nothing of them, however near it is.

use super::Match;
use super::case::Case;
use super::shapes;
use super::world::APART;
use crate::finding::Confidence;
use crate::flows::clocks::seconds;
use crate::knowledge::{Condition, EventShape};
use crate::record::Source;
use crate::time::Micros;

/// A server may log so much later what has stopped a client already, seconds.
const LOGGED_BY: f64 = 120.0;

/// Where a flow stands to what the servers' logs show.
#[derive(Debug, Clone, Copy)]
pub struct Ahead {
    /// UTC of the first line that shows it, by the server's clock.
    pub first: Micros,
    /// True where it is known how far the clocks of client and server are apart.
    pub measured: bool,
}

/// Takes a cause for less sure in a flow that ended before the first line of the servers that shows it, and for possible at
/// most where it is known how the clocks stand; unless the flow has proof of its own.
pub fn limit(found: &mut Match, case: &Case<'_>) {
    found.ahead = ahead(found, case);
    if let Some(ahead) = found.ahead {
        found.confidence = match (ahead.measured, found.confidence) {
            (false, Confidence::Certain) => Confidence::Likely,
            _ => Confidence::Possible,
        };
    }
}

fn ahead(found: &Match, case: &Case<'_>) -> Option<Ahead> {
    let shapes: Vec<&EventShape> = of_servers(found)?;
    let flow = case.flow()?;
    let ended = flow.ended?;
    let is_alike = |event: u32| shapes.iter().any(|shape| shapes::is_event_like(case.event(event), shape));
    if flow.events.iter().any(|event| event.is_proven() && is_alike(event.event)) {
        return None;
    }
    // The lines of a message are in order of time, those without UTC first.
    let of_message = |message: &String| {
        let lines = case.world.servers_of(message).iter();
        lines.filter_map(|(utc, event)| Some(((*utc)?, *event))).find(|(_, event)| is_alike(*event))
    };
    let (first, event) = shapes.iter().flat_map(|shape| &shape.message).filter_map(of_message).min()?;
    let log = case.world.sources.get(case.event(event).place.source as usize)?;
    let server = log.machine_name();
    let own = &case.world.followed.machines[case.detail()?.machine].name;
    let clocks = case.world.clocks_apart((server, first), (own, ended));
    let (by, doubt) = clocks.unwrap_or((0.0, seconds(APART)));
    // What was before a log begins, nobody knows, unless it begins with this very line because it holds nothing else, and
    // another log of the machine goes further back.
    let begins_before = |log: &Source| log.first.is_some_and(|begins| seconds(begins - ended) <= by);
    let others = || case.world.sources.iter().filter(|other| other.machine == log.machine);
    let is_kept = begins_before(log) || (log.first == Some(first) && others().any(begins_before));
    (is_kept && seconds(first - ended) - by > doubt + LOGGED_BY).then_some(Ahead { first, measured: clocks.is_some() })
}

/// What the rules require of the servers' logs around a flow; `None` where they require nothing of them, or something of
/// the flow's own request that proves as much.
fn of_servers(found: &Match) -> Option<Vec<&EventShape>> {
    let mut shapes = Vec::new();
    for condition in found.held_rules().flat_map(|when| &when.requires) {
        match condition {
            Condition::Event(shape) if shape.within.is_of_site() => shapes.push(shape),
            Condition::Event(_) | Condition::Artefact(_) => return None,
            Condition::Request(shape) if !shape.status_text.is_empty() || !shape.flag.is_empty() => return None,
            _ => {}
        }
    }
    (!shapes.is_empty()).then_some(shapes)
}
