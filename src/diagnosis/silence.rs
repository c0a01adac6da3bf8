//! A server that wrote all the time and fell silent, and with it all requests.

use std::collections::BTreeMap;

use super::case::Case;
use super::shapes;
use super::world::APART;
use crate::events::Event;
use crate::knowledge::{EventShape, Scope};
use crate::stage::Role;
use crate::time::{MINUTE, Micros};

/// Logs of other servers that go on for this long after the last line go on without it; requests passed no longer ago.
const WHILE: Micros = 15 * MINUTE;

/// Other lines of a log come no later than this after the last of these.
const SOON: Micros = 2 * MINUTE;

/// So many lines in that time are often.
const OFTEN: usize = 5;

/// So many failed requests of one client alone are no single trouble of it.
const SEVERAL: usize = 5;

/// The last line of each machine that wrote such lines, where all of them fell silent before the flow's request failed.
pub fn fell_silent(shape: &EventShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let world = case.world;
    let (_, failed) = case.first_failure()?;
    let machine = |event: &Event| world.sources.get(event.place.source as usize).map(|source| source.machine.as_str());
    let mut of_machine: BTreeMap<&str, Vec<(Micros, u32)>> = BTreeMap::new();
    for line in case.events_of(&shape.message, Scope::SiteHistory) {
        let event = case.event(line);
        let (Some(machine), Some(utc)) = (machine(event), event.stamp.utc) else { continue };
        if shapes::is_event_like(event, shape) {
            of_machine.entry(machine).or_default().push((utc, line));
        }
    }
    let last: Vec<(Micros, u32)> = of_machine.values().filter_map(|lines| lines.last().copied()).collect();
    let (silent, _) = last.iter().max().copied()?;
    // A log that goes on with other lines is not silent.
    let log = |line: u32| world.sources.get(case.event(line).place.source as usize);
    let ends = |&(at, line): &(Micros, u32)| log(line)?.last.map(|end| end - at <= SOON);
    if !last.iter().all(|line| ends(line) == Some(true)) {
        return None;
    }
    let often = of_machine.values().any(|lines| lines.iter().filter(|(at, _)| silent - at <= WHILE).count() >= OFTEN);
    let others = world.sources.iter().filter(|source| source.role.is_some_and(|role| role != Role::Client));
    let mut others = others.filter(|log| !of_machine.contains_key(log.machine.as_str())).filter_map(|log| log.last);
    let passed_until_then = || world.last_passed(silent + APART).is_some_and(|passed| silent - passed <= WHILE);
    (often
        && failed >= silent - APART
        && is_outage(case, silent - APART)
        && others.any(|end| end - silent >= WHILE)
        && passed_until_then()
        && world.passed_since(silent + APART).is_none())
    .then(|| last.into_iter().map(|(_, line)| line).collect())
}

/// True where requests of two clients, or several of one, failed in or behind the gateway since: one tells of nobody else's.
fn is_outage(case: &Case<'_>, since: Micros) -> bool {
    let clients: Vec<usize> = case.world.failed_since(since).take(SEVERAL).collect();
    clients.len() == SEVERAL || clients.windows(2).any(|two| two[0] != two[1])
}
