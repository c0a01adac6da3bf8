//! What a server's own log tells of a fault that is over: it did afterwards what it could not do before.

use std::collections::BTreeSet;

use super::Match;
use super::world::World;
use crate::stage::Mark;
use crate::time::{MINUTE, Micros};

/// What works this long after the last failure works again: whoever fails tries more often.
const SINCE: Micros = 15 * MINUTE;

/// Since when each machine whose lines show the fault writes again what it does not write while the fault is there, UTC:
/// the latest of them. `None` where one does not, or has no time.
pub fn since(found: &Match, world: &World<'_>) -> Option<Micros> {
    let machine =
        |index: u32| Some(world.sources.get(world.events[index as usize].place.source as usize)?.machine.as_str());
    let failed: Vec<u32> =
        found.evidence.iter().copied().filter(|&index| world.events[index as usize].mark() == Mark::Fail).collect();
    let machines: BTreeSet<&str> = failed.iter().map(|&index| machine(index)).collect::<Option<_>>()?;
    let works_again = |name: &str| {
        let of_machine = failed.iter().filter(|&&index| machine(index) == Some(name));
        let times: Option<Vec<Micros>> = of_machine.map(|&index| world.events[index as usize].stamp.utc).collect();
        let last = times?.into_iter().max()?;
        let lines = found.failure.mended_by.iter().flat_map(|message| world.servers_of(message));
        let of_machine = lines.filter(|(_, index)| machine(*index) == Some(name));
        of_machine.filter_map(|(utc, _)| *utc).max().filter(|done| done - last >= SINCE)
    };
    machines.into_iter().map(works_again).collect::<Option<Vec<_>>>()?.into_iter().max()
}
