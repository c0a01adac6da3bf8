//! Flows whose own lines name no cause: what stopped the same client before, or all others at the same time, is what
//! stopped them as well, as far as anybody can tell.

use std::collections::BTreeMap;

use super::Match;
use super::case::Case;
use super::world::World;
use crate::finding::{Confidence, Severity};
use crate::knowledge::{FailureRole, Scope};
use crate::stage::{Mark, StageStatus};
use crate::time::{MINUTE, Micros};

/// A client tries again about every ten minutes for as long as it takes (log catalogue, section 3.2); what stopped it
/// longer ago than this may be another thing.
const STILL_THE_SAME: Micros = 12 * 60 * MINUTE;

/// Gives flows that broke without a cause the cause of their neighbours. `of_flow` are the matches by flow.
pub fn adopt(of_flow: &mut [Vec<Match>], world: &World<'_>) {
    let orphans: Vec<usize> = (0..of_flow.len()).filter(|&flow| is_orphan(flow, &of_flow[flow], world)).collect();
    if orphans.is_empty() {
        return;
    }
    let by_machine = by_machine(world);
    let by_onset = by_onset(of_flow, world);
    let given: Vec<(usize, Match)> = orphans
        .into_iter()
        .filter_map(|flow| {
            let case = Case::of_flow(world, flow);
            let source = of_same_client(&case, of_flow, &by_machine).or_else(|| of_onset(&case, &by_onset))?;
            Some((flow, adopted(source, &case)))
        })
        .collect();
    for (flow, found) in given {
        of_flow[flow].push(found);
    }
}

/// The flows of each machine, in order of start.
fn by_machine(world: &World<'_>) -> Vec<Vec<usize>> {
    let mut flows = vec![Vec::new(); world.followed.machines.len()];
    for (flow, detail) in world.followed.details.iter().enumerate() {
        flows[detail.machine].push(flow);
    }
    flows
}

/// For each onset the causes of its flows that hit more than one client.
fn by_onset<'m>(of_flow: &'m [Vec<Match>], world: &World<'_>) -> Vec<BTreeMap<&'m str, &'m Match>> {
    let mut causes = vec![BTreeMap::new(); world.onsets.len()];
    if causes.is_empty() {
        return causes;
    }
    for (flow, found) in of_flow.iter().enumerate() {
        let Some(cause) = only_cause(found).filter(|cause| cause.failure.hits_many()) else { continue };
        if let Some(onset) = Case::of_flow(world, flow).onset_number() {
            causes[onset].entry(cause.failure.id.as_str()).or_insert(cause);
        }
    }
    causes
}

fn is_orphan(flow: usize, found: &[Match], world: &World<'_>) -> bool {
    let case = Case::of_flow(world, flow);
    world.broke_at(flow).is_some()
        && !case.overcome_later()
        && case.has_to_do_with_a_cmg()
        && !found.iter().any(|found| found.failure.role == FailureRole::Cause && !found.failure.beside)
}

/// The only cause among those that stop a flow; `None` where there are several, for which of them would it be?
fn only_cause(found: &[Match]) -> Option<&Match> {
    let stops = |found: &&Match| found.failure.role == FailureRole::Cause && found.severity == Severity::Error;
    let mut causes = found.iter().filter(stops).filter(|found| !found.failure.beside);
    causes.next().filter(|_| causes.next().is_none())
}

/// The cause that stopped the same client at the same stage last, with nothing since that got past it.
fn of_same_client<'m>(case: &Case<'_>, of_flow: &'m [Vec<Match>], by_machine: &[Vec<usize>]) -> Option<&'m Match> {
    let (number, flow, followed) = (case.flow?, case.flow()?, case.world.followed);
    let (stage, started) = (flow.broke_at?, flow.started?);
    for &other in by_machine[case.detail()?.machine].iter().rev().filter(|&&other| other < number) {
        let past = &followed.flows[other];
        let passed = past.stages.iter().any(|r| r.stage == stage && r.status == StageStatus::Passed);
        if passed || past.ended.is_none_or(|ended| started - ended > STILL_THE_SAME) {
            return None;
        }
        // One that has no cause of its own either tells nothing; the one before it may.
        let is_told = of_flow[other].iter().any(|found| found.failure.role == FailureRole::Cause);
        if past.broke_at == Some(stage) && is_told {
            return only_cause(&of_flow[other]);
        }
    }
    None
}

/// The cause for all clients, where it is one for all that began to fail with this one.
fn of_onset<'m>(case: &Case<'_>, by_onset: &[BTreeMap<&'m str, &'m Match>]) -> Option<&'m Match> {
    let mut causes = by_onset[case.onset_number()?].values();
    causes.next().filter(|_| causes.next().is_none()).copied()
}

/// The cause of another flow as that of this one: its own lines do not show it, so it is possible and no more.
fn adopted(source: &Match, case: &Case<'_>) -> Match {
    let mut found = source.clone();
    found.flow = case.flow;
    found.confidence = Confidence::Possible;
    let shows = |event: &u32| case.event(*event).mark() == Mark::Fail;
    found.evidence = case.events_within(Scope::Attempt).into_iter().filter(shows).collect();
    found.told.clear();
    found.refuted.clear();
    found.ahead = None;
    found.consequences = case.codes_seen(&source.failure.consequences).into_iter().collect();
    found
}
