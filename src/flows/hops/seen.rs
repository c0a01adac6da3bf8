//! Sightings of one layer with their times led back to the reference, ready to be compared.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use super::law::{Law, LogNormal, Measure, Seconds};
use super::sightings::Sighting;
use crate::flows::clocks::{Clocks, seconds};
use crate::time::Micros;

/// When a request was seen, seconds by the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// When it came.
    pub from: Option<Seconds>,
    /// When it was answered.
    pub to: Option<Seconds>,
    /// The middle, or the end that is known.
    pub middle: Seconds,
    /// How far the clock may be off.
    pub clock: Seconds,
    /// The clock's reference.
    pub reference: Option<usize>,
    /// True where that rests on more than a pair or two.
    pub firm: bool,
    /// The machine.
    pub machine: usize,
    /// Times are known to the second only.
    pub coarse: bool,
}

impl Seen {
    /// How long it took.
    pub fn duration(&self) -> Option<Seconds> {
        Some((self.to? - self.from?).max(0.0))
    }

    /// How far the clocks of two machines may be apart, beyond what is known.
    pub fn clocks(&self, other: &Self) -> Seconds {
        match (self.reference, other.reference) {
            _ if self.machine == other.machine => 0.0,
            (Some(one), Some(two)) if one == two => self.clock.hypot(other.clock),
            _ => UNKNOWN,
        }
    }

    /// True where both clocks are firmly known by one reference.
    pub fn compares(&self, other: &Self) -> bool {
        self.machine == other.machine || (self.firm && other.firm && self.reference == other.reference)
    }

    /// How the inner stands in this.
    pub fn measure(&self, inner: &Self, law: &Law) -> Measure {
        let clocks = self.clocks(inner);
        let coarse = u8::from(self.coarse) + u8::from(inner.coarse);
        if let Some((outer, own)) = self.duration().zip(inner.duration()) {
            let lead = inner.middle - self.middle;
            return Measure { slack: Some(outer - own), lead, clocks, coarse, ends_only: false };
        }
        let half = law.slack.median() / 2.0;
        let lead = match (self.from.zip(inner.from), self.to.zip(inner.to)) {
            (Some((sent, came)), _) => came - sent - half + law.lead,
            (None, Some((answered, answer))) => half - (answered - answer) + law.lead,
            (None, None) => inner.middle - self.middle,
        };
        Measure { slack: None, lead, clocks, coarse, ends_only: true }
    }
}

/// What clocks of different references may be apart.
pub const UNKNOWN: Seconds = 30.0;

/// The requests to one endpoint.
#[derive(Debug, Clone)]
pub struct Class {
    /// Those of each machine.
    pub runs: Vec<Run>,
    /// Requests a second, on all machines.
    pub rate: f64,
    /// How long they take.
    pub duration: LogNormal,
}

/// The requests of one machine to one endpoint.
#[derive(Debug, Clone)]
pub struct Run {
    /// By their middle: time and place.
    pub places: Vec<(Seconds, u32)>,
    /// How far the machine's clock may be off, at worst.
    pub clock: Seconds,
}

impl Class {
    /// Number of requests.
    fn len(&self) -> usize {
        self.runs.iter().map(|run| run.places.len()).sum()
    }
}

/// All sightings of a layer.
pub struct Side<'a> {
    /// As the logs have them.
    pub sightings: &'a [Sighting],
    /// As they compare; `None` without a time.
    pub seen: Vec<Option<Seen>>,
    /// By endpoint.
    pub classes: HashMap<Option<u32>, Class>,
    /// All as one, whatever was asked; made where it is needed.
    every: OnceCell<Class>,
    /// How often the requests of each kind asked what.
    asked: HashMap<Option<u32>, Asked>,
}

/// How often requests of one kind asked what.
#[derive(Debug, Default)]
struct Asked {
    of_endpoint: HashMap<u32, f64>,
    all: f64,
}

impl<'a> Side<'a> {
    /// Leads the times of all sightings back.
    pub fn new(sightings: &'a [Sighting], clocks: &Clocks, base: Micros) -> Self {
        let seen: Vec<Option<Seen>> = sightings.iter().map(|sighting| seen(sighting, clocks, base)).collect();
        let mut classes: HashMap<Option<u32>, Vec<(Seconds, u32)>> = HashMap::new();
        for ((place, sighting), seen) in (0_u32..).zip(sightings).zip(&seen) {
            if let Some(seen) = seen {
                classes.entry(sighting.endpoint).or_default().push((seen.middle, place));
            }
        }
        let classes = classes.into_iter().map(|(endpoint, places)| (endpoint, class(places, &seen))).collect();
        Self { sightings, seen, classes, every: OnceCell::new(), asked: asked(sightings) }
    }

    /// Where what an outer sighting may be stands: all that asked the same; all, where it is not known what that is.
    pub fn near_class(&self, outer: &Sighting) -> Option<&Class> {
        if outer.endpoint.is_some() {
            return self.classes.get(&outer.endpoint);
        }
        Some(self.every.get_or_init(|| {
            let all = (0_u32..).zip(&self.seen).filter_map(|(place, seen)| Some((seen.as_ref()?.middle, place)));
            class(all.collect(), &self.seen)
        }))
    }

    /// How likely one of this side's sightings went to a gateway and asked what an inner one did. Of what is not known, it
    /// is what others of its kind asked; one more is believed that asked what the inner machines are asked.
    #[allow(clippy::cast_precision_loss)] // counts
    pub fn asks(&self, own: &Sighting, partner: &Sighting, inner: &Self) -> f64 {
        if own.endpoint.is_some() {
            return own.likely;
        }
        let Some((endpoint, class)) = partner.endpoint.zip(inner.classes.get(&partner.endpoint)) else { return 0.0 };
        let usual = class.len() as f64 / inner.len() as f64;
        let known = self.asked.get(&own.kind);
        let asked = known.and_then(|asked| asked.of_endpoint.get(&endpoint)).copied().unwrap_or(0.0);
        own.likely * (asked + usual) / (known.map_or(0.0, |asked| asked.all) + 1.0)
    }

    /// Number of sightings.
    pub fn len(&self) -> usize {
        self.sightings.len()
    }
}

/// What the sightings that tell it asked, by their kinds.
fn asked(sightings: &[Sighting]) -> HashMap<Option<u32>, Asked> {
    let mut all: HashMap<Option<u32>, Asked> = HashMap::new();
    for sighting in sightings.iter().filter(|sighting| sighting.kind.is_some()) {
        if let Some(endpoint) = sighting.endpoint {
            let asked = all.entry(sighting.kind).or_default();
            *asked.of_endpoint.entry(endpoint).or_insert(0.0) += 1.0;
            asked.all += 1.0;
        }
    }
    all
}

fn seen(sighting: &Sighting, clocks: &Clocks, base: Micros) -> Option<Seen> {
    let middle = sighting.middle()?;
    let read = clocks.read(sighting.machine, middle);
    let by_reference = |at: Micros| {
        let half = if sighting.coarse { 500_000 } else { 0 };
        seconds(at + half - middle + read.at - base)
    };
    Some(Seen {
        from: sighting.from.map(by_reference),
        to: sighting.to.map(by_reference),
        middle: seconds(read.at - base),
        clock: seconds(read.uncertainty),
        reference: read.reference,
        firm: read.firm,
        machine: sighting.machine,
        coarse: sighting.coarse,
    })
}

#[allow(clippy::cast_precision_loss)] // counts
fn class(mut places: Vec<(Seconds, u32)>, seen: &[Option<Seen>]) -> Class {
    places.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
    let mut runs: BTreeMap<usize, Run> = BTreeMap::new();
    for &(at, place) in &places {
        let Some(seen) = seen[place as usize] else { continue };
        let run = runs.entry(seen.machine).or_insert(Run { places: Vec::new(), clock: 0.0 });
        run.places.push((at, place));
        run.clock = run.clock.max(if seen.reference.is_some() { seen.clock } else { UNKNOWN });
    }
    let span = places.last().zip(places.first()).map_or(1.0, |(last, first)| last.0 - first.0);
    let all = || places.iter().filter_map(|(_, place)| seen[*place as usize]);
    let durations: Vec<(Seconds, f64)> =
        all().filter_map(|seen| seen.duration()).map(|duration| (duration.max(0.001), 1.0)).collect();
    Class {
        rate: places.len() as f64 / span.max(60.0),
        duration: LogNormal::fit(&durations, LogNormal { mu: -2.0, sigma: 1.0 }, 2.0),
        runs: runs.into_values().collect(),
    }
}
