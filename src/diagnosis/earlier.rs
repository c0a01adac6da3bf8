//! What stopped a flow before it failed otherwise: the later fault hides the one before, which was never overcome.

use std::collections::BTreeSet;

use super::case::Case;
use super::world::World;
use super::{Match, flow_matches};
use crate::finding::Severity;
use crate::flows::FlowEvent;
use crate::knowledge::{FailureRole, Knowledge};
use crate::stage::{Mark, StageStatus};
use crate::workflow;

/// Adds to what stops a flow now what stopped it before, where nothing shows that it got past that, and what stops it now
/// is another cause and would have hidden it.
pub fn add(
    found: &mut Vec<Match>,
    (flow, world): (usize, &World<'_>),
    knowledge: &Knowledge,
    site: &[Match],
    placed: &mut BTreeSet<usize>,
) {
    for number in 0..world.followed.details[flow].earlier.len() {
        let case = Case::of_earlier(world, flow, Some(number));
        if !is_hidden(&case, world, flow) {
            continue;
        }
        let mut own = BTreeSet::new();
        let before = flow_matches(&case, knowledge, site, &mut own);
        let causes: Vec<Match> = before.into_iter().filter(stops).collect();
        let since = found.iter().filter(|now| now.earlier.is_none());
        let known = found.iter().filter(|now| !now.failure.beside);
        let is_other = |cause: &Match| !known.clone().any(|now| is_same_story(now, cause));
        let is_behind = |cause: &Match| since.clone().any(|now| hides(now, cause));
        if causes.is_empty() || !causes.iter().all(|cause| is_other(cause) && is_behind(cause)) {
            continue;
        }
        placed.extend(own);
        found.extend(causes.into_iter().map(|cause| Match { earlier: Some(number), ..cause }));
    }
}

fn stops(found: &Match) -> bool {
    found.failure.role == FailureRole::Cause && found.severity == Severity::Error && !found.failure.beside
}

/// True where the stage at which the flow broke then was not passed since, in whichever attempt.
fn is_hidden(case: &Case<'_>, world: &World<'_>, flow: usize) -> bool {
    let Some((stage, attempts)) = case.flow().and_then(|past| Some((past.broke_at?, past.attempts))) else {
        return false;
    };
    let now = &world.followed.flows[flow];
    let passes = |event: &FlowEvent| match event.mark {
        Mark::Ok => event.stage == stage || workflow::presupposed_by(event.stage).contains(&stage),
        Mark::Fail => workflow::reached_before(event.stage).contains(&stage),
        Mark::Start | Mark::Step => false,
    };
    let mut later = now.events.iter().filter(|event| event.attempt > attempts && event.is_proven());
    !later.any(passes) && now.stages.iter().all(|of| of.stage != stage || of.status != StageStatus::Passed)
}

/// True where the client never comes as far as the one while the other stops it.
fn hides(now: &Match, before: &Match) -> bool {
    stops(now)
        && before.failure.stage.zip(now.failure.stage).is_some_and(|(before, now)| workflow::is_behind(before, now))
}

/// True where the one may be what the other is, or follows from it.
fn is_same_story(now: &Match, before: &Match) -> bool {
    now.failure.id == before.failure.id
        || now.is_neighbour_of(&before.failure)
        || now.failure.consequences.contains(&before.failure.id)
        || before.failure.consequences.contains(&now.failure.id)
}
