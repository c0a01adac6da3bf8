//! Events of messages that a user's file adds: they are laid beside the flows that the built-in knowledge has followed,
//! and change none of them.

use std::collections::HashMap;

use super::Flow;
use super::follow::Followed;
use crate::events::Event;
use crate::record::Source;
use crate::stage::Role;
use crate::time::Micros;

/// Lines this close to a flow's first and last line may still speak of it.
const MARGIN: Micros = 60 * 1_000_000;

/// Lays the events from `first` on beside the flows: a client's to the flows of its machine that they fall into by
/// time, or by log where they bear no time; a server's to all of them.
pub fn lay_beside(followed: &mut Followed, events: &[Event], first: usize, sources: &[Source]) {
    if first == events.len() {
        return;
    }
    let machine_of = |event: &Event| sources.get(event.place.source as usize).map_or("", |source| &source.machine);
    let mut flows_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (flow, detail) in followed.details.iter().enumerate() {
        if let Some((event, _)) = detail.events.first() {
            flows_of.entry(machine_of(&events[*event as usize])).or_default().push(flow);
        }
    }
    for (index, event) in (0_u32..).zip(events).skip(first) {
        let source = sources.get(event.place.source as usize);
        let role = event.role().or_else(|| source.and_then(|source| source.role));
        if role.is_some_and(|role| role != Role::Client) {
            followed.beside.push(index);
            continue;
        }
        for &flow in flows_of.get(machine_of(event)).into_iter().flatten() {
            if let Some(attempt) = attempt_of(&followed.flows[flow], event) {
                followed.details[flow].beside.push((index, attempt));
            }
        }
    }
}

/// The attempt of a flow that an event falls into.
fn attempt_of(flow: &Flow, event: &Event) -> Option<u32> {
    let Some(utc) = event.stamp.utc else {
        let same_log = flow.events.iter().filter(|other| other.source == event.place.file);
        let before = same_log.clone().filter(|other| other.line <= event.place.line).max_by_key(|other| other.line);
        return before.or_else(|| same_log.min_by_key(|other| other.line)).map(|other| other.attempt);
    };
    let (started, ended) = (flow.started?, flow.ended?);
    let within = (started - MARGIN..=ended + MARGIN).contains(&utc);
    let before = flow.events.iter().rev().find(|other| other.at.is_some_and(|at| at <= utc));
    within.then(|| before.map_or(1, |other| other.attempt))
}
