//! What a server's own log tells of a fault that is over: it did afterwards what it could not do before.

use std::collections::BTreeMap;

use super::Match;
use super::world::World;
use crate::stage::Mark;
use crate::time::{MINUTE, Micros};

/// What works this long after the last failure works again: whoever fails tries more often.
const SINCE: Micros = 15 * MINUTE;

/// Since when each machine whose lines show the fault writes again what it does not write while the fault is there, UTC:
/// the latest of them. `None` where one does not, or has no time.
pub fn since(found: &Match, world: &World<'_>) -> Option<Micros> {
    let event = |index: u32| &world.events[index as usize];
    let machine = |index: u32| Some(world.sources.get(event(index).place.source as usize)?.machine.as_str());
    let mut failed_last: BTreeMap<&str, Micros> = BTreeMap::new();
    for index in found.evidence.iter().copied().filter(|&index| event(index).mark() == Mark::Fail) {
        let utc = event(index).stamp.utc?;
        failed_last.entry(machine(index)?).and_modify(|last| *last = utc.max(*last)).or_insert(utc);
    }
    let works_again = |(name, failed): (&str, Micros)| {
        let lines = found.failure.mended_by.iter().flat_map(|message| world.servers_of(message));
        let own = lines.filter(|(_, index)| machine(*index) == Some(name));
        own.filter_map(|(utc, _)| *utc).max().filter(|done| done - failed >= SINCE)
    };
    failed_last.into_iter().map(works_again).collect::<Option<Vec<_>>>()?.into_iter().max()
}
