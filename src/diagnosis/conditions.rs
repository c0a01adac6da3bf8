//! Evaluates the conditions of failures: does it hold, and which lines show it?

use super::case::Case;
use super::{artefacts, patterns, shapes};
use crate::flows::requests::Request;
use crate::knowledge::{Condition, EventShape, RequestPart, RequestShape, StageShape};
use crate::stage::{Role, Stage};

/// The lines that show that the condition holds; `None` where it does not. A condition that holds by absence, or by
/// the shape of the flow, has no lines.
pub fn holds(condition: &Condition, case: &Case<'_>) -> Option<Vec<u32>> {
    match condition {
        Condition::Request(shape) => failed_request(shape, case),
        Condition::EarlierRequest(shape) => passed(shape, &case.earlier_requests(), case),
        Condition::OthersFail(shape) => first_failed(shape, &case.requests_of_others(), case),
        Condition::OthersPass(shape) => passed(shape, &case.requests_of_others(), case),
        Condition::Event(shape) => event(shape, case),
        Condition::Absent(shape) => absent(shape, case),
        Condition::Stage(shape) => stage(shape, case),
        Condition::Kind(kinds) => kinds.contains(&case.flow()?.kind).then(Vec::new),
        Condition::Outcome(outcomes) => outcomes.contains(&case.flow()?.outcome).then(Vec::new),
        Condition::NothingAfter(stage) => nothing_after(*stage, case),
        Condition::Pattern(pattern) => patterns::holds(*pattern, case),
        Condition::Artefact(shape) => artefacts::holds(shape, case).map(|_| Vec::new()),
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

/// The lines of a request that tell something of why it ended as it did.
fn telling(request: &Request, case: &Case<'_>) -> Vec<u32> {
    let tells = |event: &u32| case.event(*event).message.request != Some(RequestPart::Detail);
    request.events.iter().copied().filter(tells).collect()
}

fn passed(shape: &RequestShape, requests: &[u32], case: &Case<'_>) -> Option<Vec<u32>> {
    let good = requests.iter().map(|&number| case.world.request(number)).filter(|request| request.passed());
    good.into_iter().find(|request| shapes::is_like(request, shape)).map(|request| telling(request, case))
}

/// Lines of these messages; a line that names a request brings the request's own lines with it.
fn event(shape: &EventShape, case: &Case<'_>) -> Option<Vec<u32>> {
    /// Lines beyond these prove nothing more.
    const ENOUGH: usize = 5;
    let events = case.events_of(&shape.message, shape.within);
    let found: Vec<u32> =
        events.into_iter().filter(|&index| shapes::is_event_like(case.event(index), shape)).take(ENOUGH).collect();
    let requests = &case.world.followed.requests;
    let named = found.iter().filter(|&&index| case.event(index).message.request == Some(RequestPart::Names));
    let of_request: Vec<u32> =
        named.filter_map(|&index| requests.of(index)).flat_map(|request| telling(request, case)).collect();
    (!found.is_empty()).then(|| found.into_iter().chain(of_request).collect())
}

fn absent(shape: &EventShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let covered = case.is_covered(shape.covered_by.unwrap_or(Role::Client), shape.log.as_deref());
    (covered && event(shape, case).is_none()).then(Vec::new)
}

fn stage(shape: &StageShape, case: &Case<'_>) -> Option<Vec<u32>> {
    let result = case.flow()?.stages.iter().find(|result| result.stage == shape.stage)?;
    shape.status.contains(&result.status).then(Vec::new)
}

fn nothing_after(stage: Stage, case: &Case<'_>) -> Option<Vec<u32>> {
    let flow = case.flow()?;
    let later = flow.events.iter().any(|event| event.attempt == flow.attempts && event.stage >= stage);
    (!later).then(Vec::new)
}
