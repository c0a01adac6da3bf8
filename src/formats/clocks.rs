//! Which bias to believe, when all logs of a machine are known (log catalogue, section 1.4).
//!
//! Native writers know their machine's bias; they make its timeline. A well-formed bias of anybody else is believed
//! unless the timeline contradicts it. A record without a bias takes the timeline's of about its time. UTC stamps inside
//! a log overrule what is written beside them.

use std::collections::HashMap;

use crate::formats::survey::{BiasRun, Survey};
use crate::input::Input;
use crate::time::{Bias, HOUR, MINUTE, Micros, Stamp, UtcQuality};

const DAY: Micros = 24 * HOUR;

/// Biases this near in time may be in force: the day on which the clock changes.
const NEAR: Micros = 26 * HOUR;

/// A bias is taken from records this far away at most, unless both sides of the time agree.
const FAR: Micros = 31 * DAY;

/// The clocks of all machines, by the evidence of their logs.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    /// By source: its machine's timeline.
    machines: Vec<Timeline>,
    machine_of: Vec<usize>,
    /// By source: its own timeline.
    own: Vec<Timeline>,
}

#[derive(Debug, Clone, Default)]
struct Timeline {
    runs: Vec<BiasRun>,
    /// The source's own biases are contradicted by UTC stamps inside it.
    anchored: bool,
}

impl Clocks {
    pub(crate) fn new(input: &Input, surveys: &[Survey]) -> Self {
        let own: Vec<Timeline> = surveys.iter().map(Timeline::of_source).collect();
        let mut names: HashMap<&str, usize> = HashMap::new();
        let mut clocks = Self { own, ..Self::default() };
        let mut natives: Vec<Vec<BiasRun>> = Vec::new();
        let mut foreign: Vec<Vec<BiasRun>> = Vec::new();
        for ((log, survey), own) in input.logs.iter().zip(surveys).zip(&clocks.own) {
            let machine = *names.entry(&log.machine).or_insert_with(|| {
                natives.push(Vec::new());
                foreign.push(Vec::new());
                natives.len() - 1
            });
            clocks.machine_of.push(machine);
            if let Some(runs) = natives.get_mut(machine) {
                runs.extend(&own.runs);
            }
            if let (Some(runs), false) = (foreign.get_mut(machine), own.anchored) {
                runs.extend(&survey.foreign);
            }
        }
        clocks.machines = natives
            .into_iter()
            .zip(foreign)
            .map(|(natives, foreign)| Timeline::new(if natives.is_empty() { foreign } else { natives }))
            .collect();
        clocks
    }

    /// The stamp of a record of `source`, as all its machine's logs make it: what [`crate::formats::Chunk::record`]
    /// gave is by the record alone.
    pub fn settle(&self, source: u32, stamp: Stamp) -> Stamp {
        let Some(local) = stamp.local else { return Stamp { utc: None, quality: UtcQuality::Unknown, ..stamp } };
        if stamp.bias == Bias::Utc {
            return Stamp::as_written(stamp.local, stamp.bias);
        }
        let source = source as usize;
        let none = Timeline::default();
        let own = self.own.get(source).unwrap_or(&none);
        let machine = self.machine_of.get(source).and_then(|machine| self.machines.get(*machine)).unwrap_or(&none);
        if own.anchored && stamp.bias != Bias::Malformed {
            return assumed(stamp, local, own.at(local));
        }
        match stamp.bias {
            Bias::Minutes(bias) => {
                if own.allows(local, bias) || machine.allows(local, bias) {
                    return Stamp::as_written(stamp.local, stamp.bias);
                }
                match machine.at(local) {
                    Some(other) => assumed(stamp, local, Some(other)),
                    None => Stamp::as_written(stamp.local, stamp.bias),
                }
            }
            Bias::Absent => assumed(stamp, local, own.at(local).or_else(|| machine.at(local))),
            Bias::Malformed | Bias::Utc => Stamp { utc: None, quality: UtcQuality::Unknown, ..stamp },
        }
    }
}

fn assumed(stamp: Stamp, local: Micros, bias: Option<i16>) -> Stamp {
    match bias {
        Some(bias) => Stamp { utc: Some(local + Micros::from(bias) * MINUTE), quality: UtcQuality::Assumed, ..stamp },
        None => Stamp { utc: None, quality: UtcQuality::Unknown, ..stamp },
    }
}

impl Timeline {
    fn new(mut runs: Vec<BiasRun>) -> Self {
        runs.sort_by_key(|run| (run.from, run.to, run.bias));
        let mut joined: Vec<BiasRun> = Vec::with_capacity(runs.len());
        for run in runs {
            match joined.last_mut() {
                Some(last) if last.bias == run.bias => last.to = last.to.max(run.to),
                _ => joined.push(run),
            }
        }
        Self { runs: joined, anchored: false }
    }

    /// The biases that a source's native records, or its anchors, give it.
    fn of_source(survey: &Survey) -> Self {
        let count = |contradicts: bool| -> u64 {
            survey
                .anchors
                .iter()
                .filter(|anchor| anchor.contradicts == contradicts)
                .map(|anchor| u64::from(anchor.count))
                .sum()
        };
        let (against, with) = (count(true), count(false));
        let well_formed = !survey.native.is_empty() || !survey.foreign.is_empty();
        if against > with || (!well_formed && with > 0) {
            let runs = survey.anchors.iter().filter(|anchor| anchor.contradicts == (against > with));
            let runs = runs.map(|anchor| BiasRun { from: anchor.local, to: anchor.local, bias: anchor.bias }).collect();
            return Self { anchored: true, ..Self::new(runs) };
        }
        Self::new(survey.native.clone())
    }

    /// True where nothing is known against `bias` at `local`: the timeline has it near, or has nothing at all.
    fn allows(&self, local: Micros, bias: i16) -> bool {
        self.runs.iter().any(|run| run.bias == bias && distance(run, local) <= NEAR)
    }

    /// The bias in force at `local`; nothing where the evidence is too far away, or of two minds.
    fn at(&self, local: Micros) -> Option<i16> {
        let nearest = self.runs.iter().min_by_key(|run| distance(run, local))?;
        let inside = self.runs.iter().filter(|run| distance(run, local) == 0);
        if inside.clone().any(|run| (run.bias - nearest.bias).abs() > 60) {
            return None;
        }
        if distance(nearest, local) <= FAR {
            return Some(nearest.bias);
        }
        let before = self.runs.iter().filter(|run| run.to < local).max_by_key(|run| run.to)?;
        let after = self.runs.iter().filter(|run| run.from > local).min_by_key(|run| run.from)?;
        (before.bias == after.bias).then_some(before.bias)
    }
}

fn distance(run: &BiasRun, local: Micros) -> Micros {
    (run.from - local).max(local - run.to).max(0)
}
