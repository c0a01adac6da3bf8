//! Numbers the attempts of a flow.
//!
//! An attempt ends with a failure that is not being worked around; the next begins where the client starts again
//! something that the attempt has started before.

use std::collections::BTreeMap;

use super::draft::{Draft, Member};
use super::requests::Requests;
use crate::events::Event;
use crate::knowledge::RequestPart;
use crate::stage::{FlowKind, Mark, Stage};

/// Gives each client event of the draft its attempt, from 1.
pub fn number(draft: &mut Draft, events: &[Event], requests: &Requests) {
    let mut attempt = 1;
    let mut failed = false;
    let mut begun: BTreeMap<String, Option<u32>> = BTreeMap::new();
    for member in &mut draft.client {
        let event = &events[member.event as usize];
        let start = start_key(draft.kind, member.event, event, requests);
        let request = requests.of_event.get(&member.event).copied();
        let repeats =
            start.as_ref().and_then(|key| begun.get(key)).is_some_and(|known| known.is_none() || *known != request);
        if failed && (repeats || event.message.new_attempt) {
            attempt += 1;
            failed = false;
            begun.clear();
        }
        begun.extend(start.map(|key| (key, request)));
        failed = match event.mark() {
            _ if event.message.falls_back => false,
            Mark::Fail => true,
            Mark::Ok => false,
            Mark::Start | Mark::Step => failed,
        };
        member.attempt = attempt;
    }
    // A service flow that waits for nothing has got what it asked for.
    let waits = draft.kind != FlowKind::Service || !draft.pending.is_empty();
    if attempt > 1 && draft.closed.is_none() && waits {
        count_with_the_one_before(draft, attempt, events, requests);
    }
}

/// An attempt that was begun, and of which no line shows that it failed or got farther than the one before, counts with
/// that one: what has failed so far has failed, though somebody tried once more before the logs were collected.
fn count_with_the_one_before(draft: &mut Draft, last: u32, events: &[Event], requests: &Requests) {
    let of = |attempt: u32| draft.client.iter().filter(move |member| member.attempt == attempt);
    let event = |member: &Member| &events[member.event as usize];
    let before = || of(last - 1).map(event);
    let passed: Vec<Option<Stage>> = before().filter(|event| event.mark() == Mark::Ok).map(Event::stage).collect();
    let farthest = before().filter_map(Event::stage).max();
    let is_merely_begun = of(last).all(|member| match event(member).mark() {
        Mark::Fail => false,
        Mark::Ok => passed.contains(&event(member).stage()),
        Mark::Start | Mark::Step => {
            let answered = requests.of(member.event).is_some_and(|request| request.to_cmg && request.passed());
            !answered && event(member).stage() <= farthest
        }
    });
    if is_merely_begun {
        draft.client.iter_mut().filter(|member| member.attempt == last).for_each(|member| member.attempt = last - 1);
    }
}

/// What a line starts, where it starts something: a stage, or, in a service flow, a request to an endpoint.
fn start_key(kind: FlowKind, index: u32, event: &Event, requests: &Requests) -> Option<String> {
    let begins_request = matches!(event.message.request, Some(RequestPart::Names | RequestPart::Banner));
    if kind == FlowKind::Service && begins_request && event.stage().is_none() {
        let request = requests.of(index)?;
        return Some(format!("request:{}", request.endpoint.as_deref().or(request.path.as_deref())?));
    }
    if event.mark() != Mark::Start {
        return None;
    }
    Some(format!("{}:{}", event.stage()?.id(), event.get("token").unwrap_or_default()))
}
