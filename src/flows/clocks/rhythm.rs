//! Pairs without any key: two servers that handle the same requests see them come in the same rhythm.
//!
//! Every request of one machine is held against all of the other's that may be the same; the differences of their times
//! pile up at the offset of the clocks and are scattered everywhere else. A peak counts only where chance would not
//! make one, and where no second peak explains the same requests as well.

use std::collections::{BTreeMap, HashSet};

use super::{Pair, SECOND, Tie};
use crate::flows::hops::{Layer, Sighting, Sightings};
use crate::time::Micros;

/// Clocks further apart than this are not compared.
const REACH: Micros = 20 * 60 * SECOND;

/// Width of a heap of differences.
const BIN: Micros = SECOND / 2;

/// Comparisons for one tie; requests beyond are left out, evenly.
const BUDGET: usize = 2_000_000;

/// Requests held against the other machine's at most.
const ITEMS: usize = 3_000;

/// Fewer than so many alike make no peak.
const FEWEST: usize = 4;

/// A peak stands so many deviations above what chance piles up: thousands of heaps are looked at.
const DEVIATIONS: f64 = 6.0;

/// Heaps to either side of a peak that are of it: a time known to the second and a request of a second fall so far.
const BESIDE: i64 = 3;

/// A second peak is one that is not this near to the first: else it is its slope.
const APART: i64 = 2 * BESIDE;

/// A second peak counts where it has a fifth of the first: a clock set near an end of the log leaves few behind it.
const OF_THE_FIRST: usize = 5;

/// Of a class of requests that is thinned out to less than one of so many, neighbours are not each other's any more.
const THINNED: usize = 4;

/// Requests compared beforehand that have told enough.
const TOLD: usize = 30;

/// A request takes no longer on the outer machine than this much more.
const SLACK: Micros = 20 * SECOND;

/// Where next to nothing is piled up by chance, its deviation is that of one in ten heaps.
const LEAST_MEAN: f64 = 0.1;

/// Layers whose machines hand requests to each other.
const NEIGHBOURS: [(Layer, Layer); 4] = [
    (Layer::Gateway, Layer::Connector),
    (Layer::Connector, Layer::Point),
    (Layer::Connector, Layer::TokenService),
    (Layer::Gateway, Layer::TokenService),
];

/// Ties of servers to servers.
pub fn ties(sightings: &Sightings) -> Vec<Tie> {
    let mut ties = Vec::new();
    for (outer_layer, inner_layer) in NEIGHBOURS {
        let outers = by_machine(sightings.of(outer_layer));
        let inners = by_machine(sightings.of(inner_layer));
        for (&outer, of_outer) in &outers {
            for (&inner, of_inner) in inners.iter().filter(|(inner, _)| **inner != outer) {
                let table = Table { outer: sightings.of(outer_layer), inner: sightings.of(inner_layer) };
                let found = table.peaks(of_outer, of_inner);
                if found.is_empty() {
                    continue;
                }
                let pairs: Vec<Pair> =
                    found.iter().map(|(o, i)| Pair { outer: (outer_layer, *o), inner: (inner_layer, *i) }).collect();
                let strength = pairs.iter().map(|pair| pair.inner.1).collect::<HashSet<_>>().len();
                ties.push(Tie { outer, inner, pairs, strength, is_set: false });
            }
        }
    }
    ties
}

/// The machines that saw something, and what.
fn by_machine(sightings: &[Sighting]) -> BTreeMap<usize, Vec<u32>> {
    let mut all: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (place, sighting) in (0_u32..).zip(sightings) {
        if sighting.middle().is_some() {
            all.entry(sighting.machine).or_default().push(place);
        }
    }
    all
}

struct Table<'a> {
    outer: &'a [Sighting],
    inner: &'a [Sighting],
}

/// A comparison: heap, outer, inner.
type Vote = (i64, u32, u32);

/// How many comparisons fall into each heap: the lowest heap, and those from it on, for there are millions of comparisons
/// and a few thousand heaps.
struct Heaps(i64, Vec<usize>);

impl Heaps {
    fn of(votes: &[Vote]) -> Self {
        let bins = || votes.iter().map(|(bin, ..)| *bin);
        let Some((lowest, highest)) = bins().min().zip(bins().max()) else { return Self(0, Vec::new()) };
        let place = |bin: i64| usize::try_from(bin - lowest).unwrap_or(0);
        let mut counts = vec![0; place(highest) + 1];
        bins().for_each(|bin| counts[place(bin)] += 1);
        Self(lowest, counts)
    }

    /// Heaps that hold something.
    fn all(&self) -> impl Iterator<Item = i64> {
        (self.0..).zip(&self.1).filter(|(_, count)| **count > 0).map(|(bin, _)| bin)
    }

    /// What a heap and its neighbours hold: a request that is known to the second falls into three.
    fn around(&self, bin: i64) -> usize {
        let near = (bin - 1..=bin + 1).filter_map(|bin| self.1.get(usize::try_from(bin - self.0).ok()?));
        near.sum()
    }
}

impl Table<'_> {
    /// The pairs that stand in a peak; none where there is no peak beyond doubt.
    fn peaks(&self, outers: &[u32], inners: &[u32]) -> Vec<(u32, u32)> {
        let votes = self.votes(outers, inners);
        let Some(first) = Self::first_and_second(&votes) else { return Vec::new() };
        votes
            .into_iter()
            .filter(|(bin, ..)| first.iter().any(|peak| (bin - peak).abs() <= BESIDE))
            .map(|(_, outer, inner)| (outer, inner))
            .collect()
    }

    /// Compares requests that may be the same, the rarest endpoints first.
    fn votes(&self, outers: &[u32], inners: &[u32]) -> Vec<Vote> {
        let classes = |places: &[u32], of: &[Sighting]| {
            let mut classes: BTreeMap<Option<u32>, Vec<(Micros, u32)>> = BTreeMap::new();
            for &place in places {
                let sighting = &of[place as usize];
                if let Some(at) = sighting.middle() {
                    classes.entry(sighting.endpoint).or_default().push((at, place));
                }
            }
            for class in classes.values_mut() {
                class.sort_unstable();
            }
            classes
        };
        let outers = classes(outers, self.outer);
        let mut inners: Vec<_> = classes(inners, self.inner).into_iter().collect();
        inners.sort_by_key(|(endpoint, class)| (class.len(), *endpoint));
        let mut votes = Vec::new();
        let mut items = 0;
        for (endpoint, class) in inners {
            let Some(others) = outers.get(&endpoint) else { continue };
            // About so many comparisons each request makes.
            let span = others.last().zip(others.first()).map_or(1, |(last, first)| (last.0 - first.0).max(1));
            let share = (2 * REACH).min(span);
            let each =
                (others.len() as u128 * u128::from(share.unsigned_abs()) / u128::from(span.unsigned_abs())).max(1);
            let room = BUDGET.saturating_sub(votes.len()) / usize::try_from(each).unwrap_or(usize::MAX).max(1);
            let room = room.min(ITEMS.saturating_sub(items));
            // A class that is thinned out much shows no rhythm any more, and rarer ones have told enough.
            if room * THINNED < class.len() && items >= TOLD {
                break;
            }
            let step = class.len().div_ceil(room.max(1)).max(1);
            for &(at, place) in class.iter().step_by(step) {
                items += 1;
                let from = others.partition_point(|(time, _)| *time < at - REACH);
                for &(time, other) in others[from..].iter().take_while(|(time, _)| *time <= at + REACH) {
                    // Bursts hold more than the mean says.
                    if votes.len() >= BUDGET {
                        return votes;
                    }
                    if self.may_pair(other, place) {
                        votes.push(((time - at).div_euclid(BIN), other, place));
                    }
                }
            }
        }
        votes
    }

    fn may_pair(&self, outer: u32, inner: u32) -> bool {
        let (outer, inner) = (&self.outer[outer as usize], &self.inner[inner as usize]);
        let longer = outer.duration().zip(inner.duration()).map(|(outer, inner)| outer - inner);
        longer.is_none_or(|longer| (-super::FINEST..=SLACK).contains(&longer)) && outer.may_be(inner)
    }

    /// The heaps of the highest peak, and of a second where the clock was set in between; `None` without a sure peak.
    fn first_and_second(votes: &[Vote]) -> Option<Vec<i64>> {
        let heaps = Heaps::of(votes);
        let mut peaks: Vec<(usize, i64)> = heaps.all().map(|bin| (heaps.around(bin), bin)).collect();
        peaks.sort_by_key(|(count, bin)| (std::cmp::Reverse(*count), bin.abs(), *bin));
        #[allow(clippy::cast_precision_loss)] // counts
        let mean = 3.0 * votes.len() as f64 / (2 * REACH / BIN) as f64;
        #[allow(clippy::cast_precision_loss)] // counts
        let sure = |count: usize| count >= FEWEST && count as f64 > DEVIATIONS * mean.max(LEAST_MEAN).sqrt() + mean;
        let &(highest, first) = peaks.first()?;
        if !sure(highest) {
            return None;
        }
        let second = peaks.iter().find(|(_, bin)| (bin - first).abs() > APART).copied();
        let Some((count, second)) = second.filter(|(count, _)| sure(*count) && count * OF_THE_FIRST > highest) else {
            return Some(vec![first]);
        };
        let of = |peak: i64| -> HashSet<u32> {
            votes.iter().filter(|(bin, ..)| (bin - peak).abs() <= 1).map(|(_, _, inner)| *inner).collect()
        };
        let (one, two) = (of(first), of(second));
        let shared = one.intersection(&two).count();
        if shared * 2 < two.len() {
            return Some(vec![first, second]);
        }
        // The same requests fit twice: only a peak that is higher by a third is believed.
        (count * 4 < highest * 3).then(|| vec![first])
    }
}
