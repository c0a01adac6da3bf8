//! Evaluates the conditions of failures: does it hold, and which lines show it?

use std::collections::BTreeSet;

use super::case::Case;
use super::evaluate::add_lines;
use super::{artefacts, patterns, shapes, silence};
use crate::flows::requests::Request;
use crate::knowledge::{Condition, EventShape, RequestPart, RequestShape, Scope, StageShape, When};
use crate::stage::{Role, Stage};
use crate::time::HOUR;

/// The lines that show that the condition holds; `None` where it does not. A condition that holds by absence, or by
/// the shape of the flow, has no lines.
pub fn holds(condition: &Condition, case: &Case<'_>) -> Option<Vec<u32>> {
    match condition {
        Condition::Request(shape) => failed_request(shape, case),
        Condition::EarlierRequest(shape) => earlier_passed(shape, case),
        Condition::OthersFail(shape) => others_fail(shape, case),
        Condition::OthersPass(shape) => others_pass(shape, case),
        Condition::Event(shape) => event(shape, case),
        Condition::Absent(shape) => absent(shape, case),
        Condition::Stage(shape) => stage(shape, case),
        Condition::Kind(kinds) => kinds.contains(&case.flow()?.kind).then(Vec::new),
        Condition::Outcome(outcomes) => outcomes.contains(&case.flow()?.outcome).then(Vec::new),
        Condition::NothingAfter(stage) => nothing_after(*stage, case),
        Condition::Pattern(pattern) => patterns::holds(*pattern, case),
        Condition::Artefact(shape) => artefacts::holds(shape, case).map(|_| Vec::new()),
        Condition::ServedSince(shape) => served_since(shape, case),
        Condition::FellSilent(shape) => silence::fell_silent(shape, case),
    }
}

/// A failed request of the last attempt, and those of earlier attempts that failed alike.
fn failed_request(shape: &RequestShape, case: &Case<'_>) -> Option<Vec<u32>> {
    /// Earlier attempts beyond these prove nothing more.
    const ENOUGH: usize = 3;
    let mut evidence = first_failed(shape, &case.requests(), case)?;
    let earlier = case.detail()?.requests.iter().map(|(number, _)| case.world.request(*number));
    let alike = earlier.filter(|request| request.to_cmg && request.failed() && shapes::is_like(request, shape));
    for event in alike.take(ENOUGH).flat_map(|request| telling(request, case)) {
        if !evidence.contains(&event) {
            evidence.push(event);
        }
    }
    Some(evidence)
}

fn first_failed(shape: &RequestShape, requests: &[u32], case: &Case<'_>) -> Option<Vec<u32>> {
    let failed = requests.iter().map(|&number| case.world.request(number)).filter(|request| request.failed());
    failed.into_iter().find(|request| shapes::is_like(request, shape)).map(|request| telling(request, case))
}

/// True where the request is of the kind that the shape wants of others: to the role that the flow asked for, if so said.
fn is_of_role(request: &Request, shape: &RequestShape, own: &Request) -> bool {
    !shape.same_role || (own.role_id.is_some() && request.role_id == own.role_id)
}

fn others_fail(shape: &RequestShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let own = case.failed_request()?;
    let others = case.requests_of_others();
    let mut failed = others.iter().map(|(_, number, _)| case.world.request(*number)).filter(|request| request.failed());
    let alike = failed.find(|request| shapes::is_like(request, shape) && is_of_role(request, shape, own))?;
    Some(telling(alike, case))
}

/// A request of another client that passed and tells of the time of the flow's own failure: one made after it, or before
/// it where no other client failed alike since. Whoever fails alike later passed before the trouble began.
fn others_pass(shape: &RequestShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let own = case.failed_request()?;
    let at = case.time_of(own)?;
    let mut others = case.requests_of_others();
    others.sort_unstable();
    let mut failed_later = BTreeSet::new();
    for (utc, number, machine) in others.into_iter().rev() {
        let request = case.world.request(number);
        if !is_of_role(request, shape, own) {
            continue;
        }
        if request.failed() && request.code == own.code && request.status == own.status {
            failed_later.insert(machine);
        }
        let tells = !failed_later.contains(&machine) && (utc >= at || failed_later.is_empty());
        if tells && request.passed() && shapes::is_like(request, shape) {
            return Some(telling(request, case));
        }
    }
    None
}

/// The first request through a gateway that was answered after the last of these events.
fn served_since(shape: &EventShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let events = case.events_of(&shape.message, shape.within);
    let alike = events.into_iter().filter(|&index| shapes::is_event_like(case.event(index), shape));
    let last = alike.filter_map(|index| case.event(index).stamp.utc).max()?;
    case.world.passed_since(last).map(|request| telling(request, case))
}

/// The lines of a request that tell something of why it ended as it did; the gateway's row where its status is from there.
fn telling(request: &Request, case: &Case<'_>) -> Vec<u32> {
    let tells = |event: &u32| {
        !matches!(case.event(*event).message.request, Some(RequestPart::Detail | RequestPart::Connection))
    };
    request.events.iter().copied().filter(tells).chain(request.row).collect()
}

fn earlier_passed(shape: &RequestShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let failed = case.failed_request().and_then(|request| case.time_of(request));
    let is_near = |request: &Request| {
        let Some(hours) = shape.within_hours else { return true };
        failed.zip(case.time_of(request)).is_some_and(|(failed, asked)| failed - asked <= hours * HOUR)
    };
    let mut earlier = case.earlier_requests().filter(|request| is_near(request));
    let good = earlier.find(|request| request.passed() && shapes::is_like(request, shape))?;
    Some(telling(good, case))
}

/// Lines of these messages, with those of earlier attempts that say the same; a line that names a request brings the
/// request's own lines with it.
fn event(shape: &EventShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let mut found = alike(shape, shape.within, case);
    if !found.is_empty() && shape.within == Scope::Attempt {
        for earlier in alike(shape, Scope::Flow, case) {
            if !found.contains(&earlier) {
                found.push(earlier);
            }
        }
    }
    let requests = &case.world.followed.requests;
    let named = found.iter().filter(|&&index| case.event(index).message.request == Some(RequestPart::Names));
    let of_request: Vec<u32> =
        named.filter_map(|&index| requests.of(index)).flat_map(|request| telling(request, case)).collect();
    (!found.is_empty()).then(|| found.into_iter().chain(of_request).collect())
}

/// The first few events like this, and the last: when it began and how long it went on. More lines prove nothing more.
fn alike(shape: &EventShape, within: Scope, case: &Case<'_>) -> Vec<u32> {
    const ENOUGH: usize = 5;
    let mut all = case.events_of(&shape.message, within);
    all.retain(|&index| shapes::is_event_like(case.event(index), shape));
    let last = all.last().copied();
    all.truncate(ENOUGH - 1);
    all.extend(last.filter(|last| !all.contains(last)));
    all
}

fn absent(shape: &EventShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let covered = case.is_covered(shape.within, shape.covered_by.unwrap_or(Role::Client), shape.log.as_deref());
    (covered && event(shape, case).is_none()).then(Vec::new)
}

/// Lines around the flow like those that a rule of the servers' logs requires. `None` where it requires no line, but
/// something else.
pub fn around<'w>(rules: impl Iterator<Item = &'w When>, case: &Case<'_>) -> Option<Vec<u32>> {
    let shapes: Vec<&EventShape> = rules
        .flat_map(|when| &when.requires)
        .filter_map(|condition| match condition {
            Condition::Event(shape) => Some(shape),
            _ => None,
        })
        .collect();
    if shapes.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    for shape in shapes {
        add_lines(&mut lines, alike(shape, shape.within, case));
    }
    Some(lines)
}

fn stage(shape: &StageShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let result = case.flow()?.stages.iter().find(|result| result.stage == shape.stage)?;
    shape.status.contains(&result.status).then(Vec::new)
}

fn nothing_after(stage: Stage, case: &Case<'_>) -> Option<Vec<u32>> {
    let flow = case.flow()?;
    let mut of_last = flow.events.iter().filter(|event| event.attempt == flow.attempts && event.is_proven());
    (!of_last.any(|event| event.stage >= stage)).then(Vec::new)
}
