//! What a flow failed by before its last attempts, where those failed otherwise. A later fault that stops a client sooner
//! hides the one before, which nobody has seen overcome.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Member};
use super::requests::{Request, Requests};
use crate::events::Event;
use crate::stage::Mark;

/// Earlier ways to fail that are looked at.
const FEW: usize = 3;

/// Attempts that failed in no way in which a later one did, each the last of its kind; the latest first.
pub fn failed_otherwise(draft: &Draft, events: &[Event], requests: &Requests) -> Vec<u32> {
    let mut ways: BTreeMap<u32, String> = BTreeMap::new();
    for member in &draft.client {
        // What an attempt ends with is what it failed by.
        ways.extend(way(member, events, requests).map(|way| (member.attempt, way)));
    }
    let Some((_, last)) = ways.remove_entry(&draft.attempts()) else { return Vec::new() };
    let mut known = BTreeSet::from([last]);
    let others = ways.into_iter().rev().filter(|(_, way)| known.insert(way.clone()));
    others.map(|(attempt, _)| attempt).take(FEW).collect()
}

/// In what way a line says that something failed: as its request did, else by its own words and code.
fn way(member: &Member, events: &[Event], requests: &Requests) -> Option<String> {
    let event = &events[member.event as usize];
    if let Some(request) = requests.of(member.event).filter(|request| request.failed()) {
        return Some(way_of(request));
    }
    let fails = event.mark() == Mark::Fail && !event.message.symptom && !event.message.falls_back;
    fails.then(|| format!("{} {}", event.id(), event.get("hresult").unwrap_or_default().to_ascii_lowercase()))
}

fn way_of(request: &Request) -> String {
    let Request { code, mask, status, status_text, .. } = request;
    match (code, status) {
        (None, None) => request.hresults.iter().cloned().collect::<Vec<_>>().join(" "),
        _ => format!("{code:?} {mask} {status:?} {status_text:?}").to_ascii_lowercase(),
    }
}

impl Draft {
    /// The flow as it stood after this attempt.
    pub(super) fn until(&self, attempt: u32, events: &[Event]) -> Self {
        let of = |members: &[Member]| members.iter().filter(|member| member.attempt <= attempt).cloned().collect();
        let client: Vec<Member> = of(&self.client);
        let last = client.last().map(|member| events[member.event as usize].stamp).or(self.last);
        Self {
            kind: self.kind,
            from_start: self.from_start,
            client,
            servers: of(&self.servers),
            candidates: of(&self.candidates),
            ranges: self.ranges.iter().filter(|range| range.attempt <= attempt).cloned().collect(),
            closed: None,
            superseded: false,
            pending: self.pending.clone(),
            last,
        }
    }
}
