//! Machines: which events were written by one and the same computer.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::Event;
use crate::record::Source;
use crate::stage::Role;
use crate::time::Micros;

/// One computer: by host name, else by the folder that its logs were found in.
#[derive(Debug, Default)]
pub struct Machine {
    /// Host name, if known.
    pub host: Option<String>,
    /// What it is called: its host, else its folder.
    pub name: String,
    /// Events of client messages, in order of time.
    pub client_events: Vec<u32>,
    /// Events of server messages, in order of time.
    pub server_events: Vec<u32>,
}

/// Groups all events by machine, machines in order of their name.
pub fn group(events: &[Event], sources: &[Source]) -> Vec<Machine> {
    let mut machines: BTreeMap<&str, Machine> = BTreeMap::new();
    for (index, event) in (0_u32..).zip(events) {
        let source = sources.get(event.place.source as usize);
        let host = || source.and_then(|source| source.host.clone());
        let key = source.map_or("", |source| source.machine.as_str());
        let machine = machines.entry(key).or_insert_with(|| {
            let host = host();
            Machine { name: host.clone().unwrap_or_else(|| key.to_owned()), host, ..Machine::default() }
        });
        if is_server(event, source) {
            machine.server_events.push(index);
        } else {
            machine.client_events.push(index);
        }
    }
    let mut machines: Vec<Machine> = machines.into_values().collect();
    for machine in &mut machines {
        sort_by_time(&mut machine.client_events, events);
        sort_by_time(&mut machine.server_events, events);
    }
    machines
}

/// Names machines whose folder does not, by what they call themselves in their own logs. A folder with logs of a client
/// in it, or with two names, stays without: whose logs stand there is not known.
pub fn name_by_content(sources: &mut [Source], events: &[Event]) {
    let named: BTreeSet<String> = sources.iter().filter_map(|source| Some(label(source.host.as_deref()?))).collect();
    let mut unnamed: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
    for event in events {
        let Some(source) = sources.get(event.place.source as usize).filter(|source| source.host.is_none()) else {
            continue;
        };
        let Some(name) = event.message.names_itself.as_deref().and_then(|part| event.get(part)) else { continue };
        // An address, or what every machine calls itself, is no name.
        let name = name.split('.').next().unwrap_or(name);
        if name.eq_ignore_ascii_case("localhost") || !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        let found = (name.to_owned(), format!("{}:{}", event.place.file, event.place.line));
        unnamed
            .entry(source.machine.clone())
            .and_modify(|known| {
                if known.as_ref().is_some_and(|(host, _)| !host.eq_ignore_ascii_case(&found.0)) {
                    *known = None;
                }
            })
            .or_insert(Some(found));
    }
    for source in sources.iter().filter(|source| source.role == Some(Role::Client)) {
        unnamed.remove(&source.machine);
    }
    for source in sources.iter_mut().filter(|source| source.host.is_none()) {
        let Some(Some((host, place))) = unnamed.get(&source.machine) else { continue };
        if !named.contains(&label(host)) {
            source.notes.push(format!("Its folder names no machine; it is taken for {host}, as {place} calls it."));
            source.host = Some(host.clone());
        }
    }
}

/// A host's name to compare by: in small letters, without the domain.
fn label(host: &str) -> String {
    host.split('.').next().unwrap_or(host).to_lowercase()
}

fn is_server(event: &Event, source: Option<&Source>) -> bool {
    let role = event.role().or_else(|| source.and_then(|source| source.role));
    role.is_some_and(|role| role != Role::Client)
}

/// Sorts by time; an event without one keeps its place behind the event before it in its log.
///
/// Where not every event has UTC, local time orders them all: mixing the two would tear one machine's logs apart.
fn sort_by_time(indices: &mut [u32], events: &[Event]) {
    let all_utc = indices.iter().all(|&index| {
        let stamp = &events[index as usize].stamp;
        stamp.utc.is_some() || stamp.local.is_none()
    });
    let mut last: BTreeMap<u32, Micros> = BTreeMap::new();
    let mut keys: BTreeMap<u32, Micros> = BTreeMap::new();
    for &index in indices.iter() {
        let event = &events[index as usize];
        let time = if all_utc { event.stamp.utc } else { event.stamp.local.or(event.stamp.utc) };
        let log = last.entry(event.place.source).or_insert(Micros::MIN);
        *log = time.unwrap_or(*log);
        keys.insert(index, *log);
    }
    indices.sort_by_key(|index| (keys.get(index).copied(), *index));
}
