//! When all clients of a gateway begin to fail at once: that is no client's own trouble.

use std::collections::{BTreeMap, BTreeSet};

use super::world::World;
use crate::stage::{Mark, Stage};
use crate::time::Micros;

/// So many clients at least.
pub const MANY: usize = 3;

/// So many of them at least had their last request before pass: else nothing began.
const WELL_BEFORE: usize = 2;

/// Clients that fail in a row by chance, each for reasons of its own, are rarer than this: a gap between two requests
/// that passed is no onset.
const CHANCE: f64 = 0.01;

/// A time in which no request to a gateway passed and those of several clients failed at one stage, after a time in
/// which they passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onset {
    /// The gateway, lower-case.
    pub host: String,
    /// Where the requests fail.
    pub stage: Option<Stage>,
    /// UTC of the last request that passed.
    pub passed: Micros,
    /// UTC of the first that failed.
    pub from: Micros,
    /// UTC of the last that failed.
    pub to: Micros,
    /// The machines whose requests fail at this stage.
    pub machines: BTreeSet<usize>,
    /// Number of machines that asked in this time.
    pub asked: usize,
}

/// A request to a gateway.
struct Asked {
    at: Micros,
    machine: usize,
    ended: Ended,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Passed,
    /// At this stage, if that is known.
    Failed(Option<Stage>),
}

/// All onsets, by gateway and time.
pub fn onsets(world: &World<'_>) -> Vec<Onset> {
    let mut all = Vec::new();
    for (host, requests) in world.requests_by_host() {
        let asked = requests.iter().filter_map(|&(at, number, machine)| {
            let request = world.request(number);
            let ended = match (request.failed(), request.passed()) {
                (true, _) => Ended::Failed(stage_of_failure(world, number)),
                (false, true) => Ended::Passed,
                (false, false) => return None,
            };
            Some(Asked { at, machine, ended })
        });
        all.extend(of_host(host, &asked.collect::<Vec<_>>()));
    }
    all
}

/// The stage that the first line names which says that the request failed.
pub fn stage_of_failure(world: &World<'_>, number: u32) -> Option<Stage> {
    let request = world.request(number);
    let named = request
        .events
        .iter()
        .map(|&event| &world.events[event as usize])
        .find_map(|event| event.stage().filter(|_| event.mark() == Mark::Fail && !event.message.symptom));
    named.or_else(|| request.failed_below_http().then_some(Stage::CmgConnection))
}

fn of_host(host: &str, requests: &[Asked]) -> Vec<Onset> {
    let mut found = Vec::new();
    let mut before = Before::default();
    let mut run: Vec<&Asked> = Vec::new();
    for request in requests {
        if request.ended != Ended::Passed {
            run.push(request);
            continue;
        }
        if !run.is_empty() {
            found.extend(of_run(host, &run, &before));
            before.last.extend(run.drain(..).map(|request| (request.machine, request.ended)));
        }
        before.passed = Some(request.at);
        before.last.insert(request.machine, Ended::Passed);
        before.got_through.insert(request.machine);
    }
    found.extend(of_run(host, &run, &before));
    found
}

/// What was before a run of failed requests.
#[derive(Default)]
struct Before {
    /// UTC of the last request that passed.
    passed: Option<Micros>,
    /// How the last request of each machine ended.
    last: BTreeMap<usize, Ended>,
    /// Machines of which a request passed.
    got_through: BTreeSet<usize>,
}

impl Before {
    /// How likely it is that so many clients fail in a row at a stage, each for reasons of its own, by how many of those
    /// that got through before did: who never got through, or fails elsewhere, tells nothing of that.
    #[allow(clippy::cast_precision_loss)] // counts
    fn chance(&self, clients: usize, stage: Option<Stage>) -> f64 {
        let fails = |machine: &&usize| self.last.get(machine) == Some(&Ended::Failed(stage));
        let failed = self.got_through.iter().filter(fails).count();
        let share = failed as f64 / self.got_through.len().max(1) as f64;
        share.powi(i32::try_from(clients).unwrap_or(i32::MAX))
    }
}

/// The onset that a run of failed requests is; `None` where it is the trouble of a few, or chance, or nothing passed
/// before. Clients that failed at the same stage before are no part of it: theirs is another trouble.
fn of_run(host: &str, run: &[&Asked], before: &Before) -> Option<Onset> {
    let mut by_stage: BTreeMap<Option<Stage>, BTreeSet<usize>> = BTreeMap::new();
    for request in run.iter().filter(|request| before.last.get(&request.machine) != Some(&request.ended)) {
        if let Ended::Failed(stage) = request.ended {
            by_stage.entry(stage).or_default().insert(request.machine);
        }
    }
    let (stage, machines) = by_stage.into_iter().max_by_key(|(_, machines)| machines.len())?;
    let well = machines.iter().filter(|machine| before.last.get(machine) == Some(&Ended::Passed)).count();
    if machines.len() < MANY || well < WELL_BEFORE || before.chance(machines.len(), stage) > CHANCE {
        return None;
    }
    let is_of_it = |request: &&&Asked| request.ended == Ended::Failed(stage) && machines.contains(&request.machine);
    let of_stage = || run.iter().filter(is_of_it).map(|request| request.at);
    let from = of_stage().min()?;
    let asked: BTreeSet<usize> =
        run.iter().filter(|request| request.at >= from).map(|request| request.machine).collect();
    Some(Onset {
        host: host.to_owned(),
        stage,
        passed: before.passed?,
        from,
        to: of_stage().max()?,
        machines,
        asked: asked.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MINUTE;

    const WELL: Ended = Ended::Passed;
    const TLS: Ended = Ended::Failed(Some(Stage::CmgConnection));

    fn asked(at: i64, machine: usize, ended: Ended) -> Asked {
        Asked { at: at * MINUTE, machine, ended }
    }

    #[test]
    fn all_clients_at_once_are_an_onset() {
        let requests = [asked(0, 1, WELL), asked(10, 2, WELL), asked(62, 1, TLS), asked(63, 2, TLS), asked(70, 3, TLS)];
        let [onset] = &of_host("cmg", &requests)[..] else { panic!("one onset") };
        assert_eq!((onset.passed, onset.from, onset.to), (10 * MINUTE, 62 * MINUTE, 70 * MINUTE));
        assert_eq!(onset.machines, BTreeSet::from([1, 2, 3]));
    }

    #[test]
    fn one_client_beside_others_that_get_through_is_none() {
        let requests = [
            asked(0, 1, WELL),
            asked(5, 2, WELL),
            asked(60, 1, TLS),
            asked(70, 2, WELL),
            asked(80, 1, TLS),
            asked(90, 3, WELL),
        ];
        assert!(of_host("cmg", &requests).is_empty());
    }

    #[test]
    fn clients_that_failed_before_begin_nothing_between_two_that_pass() {
        let requests = [
            asked(0, 1, WELL),
            asked(1, 2, WELL),
            asked(2, 3, WELL),
            asked(10, 1, TLS),
            asked(11, 4, WELL),
            asked(20, 2, TLS),
            asked(21, 4, WELL),
            asked(30, 3, TLS),
            asked(31, 4, WELL),
            asked(40, 1, TLS),
            asked(41, 2, TLS),
            asked(42, 3, TLS),
            asked(50, 4, WELL),
        ];
        assert!(of_host("cmg", &requests).is_empty());
    }

    #[test]
    fn one_client_that_fails_for_reasons_of_its_own_hides_no_onset() {
        const REFUSED: Ended = Ended::Failed(Some(Stage::CmgReceive));
        let all = |own: Ended, at: [i64; 2]| {
            let own = at.map(|at| asked(at, 9, own));
            let clients = [(1, 1), (2, 2), (3, 3)];
            let mut requests: Vec<Asked> = clients.map(|(at, client)| asked(at, client, WELL)).into();
            requests.extend(own);
            requests.extend(clients.map(|(at, client)| asked(60 + at, client, TLS)));
            requests.sort_by_key(|request| request.at);
            of_host("cmg", &requests)
        };
        // It never got through; it failed elsewhere in between; it goes on to fail elsewhere.
        for (own, at) in [(TLS, [0, 2]), (REFUSED, [2, 40]), (REFUSED, [2, 62])] {
            let [onset] = &all(own, at)[..] else { panic!("one onset with {own:?} at {at:?}") };
            assert_eq!((onset.from, onset.machines.len()), (61 * MINUTE, 3), "{own:?} at {at:?}");
        }
    }

    #[test]
    fn a_gateway_that_never_worked_has_no_onset() {
        let requests = [asked(60, 1, TLS), asked(63, 2, TLS), asked(70, 3, TLS)];
        assert!(of_host("cmg", &requests).is_empty());
    }
}
