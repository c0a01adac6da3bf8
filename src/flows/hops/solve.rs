//! One hop solved for the whole window at once: candidates, the law of their delays, and the marginals.

use std::collections::BTreeMap;

use super::association::{Edge, marginals};
use super::law::{Law, Measure, Seconds};
use super::seen::{Class, Seen, Side};
use super::sightings::Sighting;

/// Candidates that one outer sighting keeps, the likeliest.
pub const CANDIDATES: usize = 48;

/// Inner sightings of one machine that an outer one is held against at most, so that a burst costs no more than its
/// length. Where more stand within reach, nothing but their answers could tell them apart.
const NEAREST: usize = 256;

/// A pair less likely than this is no candidate.
const NEGLIGIBLE: f64 = 1e-3;

/// Outer sightings that the law is learned from, in this many runs of neighbours.
const LEARNERS: usize = 3_000;
const RUNS: usize = 3;

/// Rounds of learning at most; where a law has settled, another round teaches nothing.
const ROUNDS: usize = 6;

/// Of the inner sightings at least this share is believed to belong to nobody: lines are lost.
const LEAST_ALONE: f64 = 0.02;

/// A law that fewer pairs have taught may be narrower than the truth: what it says is likely at most.
const TAUGHT: f64 = 100.0;
const UNTAUGHT: f64 = 0.998;

/// Where both name a status, and not the same.
const OTHER_STATUS: f64 = 0.05;

/// A pair with its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairing {
    /// Place of the outer sighting.
    pub outer: u32,
    /// Place of the inner sighting.
    pub inner: u32,
    /// Probability that they saw the same request.
    pub share: f64,
}

/// What is believed of those that stay alone.
#[derive(Debug, Clone, Copy)]
pub struct Alone {
    /// Share of the outer sightings that the inner machines' logs have.
    pub seen: f64,
    /// Share of the inner sightings that belong to none of the outer ones.
    pub stray: f64,
    /// Pairs that this rests on.
    pub pairs: f64,
}

impl Default for Alone {
    fn default() -> Self {
        Self { seen: 0.8, stray: 0.3, pairs: 0.0 }
    }
}

/// Learns the law of a hop from runs of neighbouring requests: pairs are weighed by how likely they are, the law
/// follows from the pairs, and so on until both fit. What is `known` besides keeps it from learning, where many requests
/// pass at once, from strangers that happen to stand as it expects.
pub fn learn(outer: &Side<'_>, inner: &Side<'_>, known: &Known<'_>) -> (Law, Alone) {
    let (mut law, mut alone) = (Law::default(), Alone::default());
    let learners = learners(outer);
    for _ in 0..ROUNDS {
        let mut edges = Vec::new();
        let mut measures: Vec<Measure> = Vec::new();
        for (number, &place) in (0_u32..).zip(&learners) {
            for (inner_place, measure, odds) in candidates(outer, place, inner, (&law, alone), known) {
                let odds = odds * known(place, inner_place);
                edges.push(Edge { outer: number, inner: inner_place, odds });
                measures.push(measure);
            }
        }
        let shares = marginals(learners.len(), inner.len(), &edges);
        let pairs: Vec<(Measure, f64)> = measures.into_iter().zip(shares.iter().copied()).collect();
        alone = believed_alone(learners.len(), &edges, &shares);
        let before = law;
        law = Law::fit(&pairs, &before, alone.seen);
        if law.is_near(&before) {
            break;
        }
    }
    (law, alone)
}

/// Outer sightings that learn: runs of neighbours, so that they compete as all do.
fn learners(outer: &Side<'_>) -> Vec<u32> {
    let mut all: Vec<(Seconds, u32)> = (0_u32..)
        .zip(&outer.seen)
        .filter_map(|(place, seen)| seen.filter(|seen| seen.reference.is_some()).map(|seen| (seen.middle, place)))
        .collect();
    all.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
    if all.len() <= LEARNERS {
        return all.into_iter().map(|(_, place)| place).collect();
    }
    let run = LEARNERS / RUNS;
    let starts = (0..RUNS).map(|number| (all.len() - run) * number / (RUNS - 1));
    starts.flat_map(|start| all[start..start + run].iter().map(|(_, place)| *place)).collect()
}

/// What the marginals say of those that stay alone. Two of each kind are believed beforehand.
#[allow(clippy::cast_precision_loss)] // counts
fn believed_alone(outers: usize, edges: &[Edge], shares: &[f64]) -> Alone {
    let matched: f64 = shares.iter().sum();
    // In one order always, for a sum of floats depends on it.
    let mut of_inner: BTreeMap<u32, f64> = BTreeMap::new();
    for (edge, share) in edges.iter().zip(shares) {
        *of_inner.entry(edge.inner).or_insert(0.0) += share;
    }
    let inners = of_inner.len() as f64;
    let taken: f64 = of_inner.values().sum();
    Alone {
        seen: ((matched + 1.6) / (outers as f64 + 2.0)).clamp(0.02, 0.98),
        stray: ((inners - taken + 0.3) / (inners + 1.0)).clamp(LEAST_ALONE, 1.0),
        pairs: matched,
    }
}

/// What else is known of an outer and an inner sighting, by their places: how much likelier a pair it makes them.
pub type Known<'a> = dyn Fn(u32, u32) -> f64 + 'a;

/// Nothing else is known.
pub const NOTHING: fn(u32, u32) -> f64 = |_, _| 1.0;

/// The inner sightings that one outer may be, with what is measured and the odds, no more than [`CANDIDATES`]: those that
/// are the likeliest with what is `known` besides, which the odds leave out.
fn candidates(
    outer: &Side<'_>,
    place: u32,
    inner: &Side<'_>,
    (law, alone): (&Law, Alone),
    known: &Known<'_>,
) -> Vec<(u32, Measure, f64)> {
    let sighting = &outer.sightings[place as usize];
    let (Some(seen), Some(around)) = (outer.seen[place as usize], inner.near_class(sighting)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for other in near(&seen, around, law) {
        let Some(other_seen) = inner.seen[other as usize] else { continue };
        let partner = &inner.sightings[other as usize];
        let Some(class) = inner.classes.get(&partner.endpoint).filter(|_| sighting.may_be(partner)) else { continue };
        let measure = seen.measure(&other_seen, law);
        let asks = outer.asks(sighting, partner, inner);
        let odds = asks * status(sighting, partner) * odds(law.density(&measure), &measure, &other_seen, class, alone);
        if odds > NEGLIGIBLE {
            found.push((other, measure, odds));
        }
    }
    keep_likeliest(&mut found, |candidate| candidate.2 * known(place, candidate.0));
    found
}

/// What the statuses of two make of a pair.
pub fn status(outer: &Sighting, inner: &Sighting) -> f64 {
    if outer.answer.differs(inner.answer) { OTHER_STATUS } else { 1.0 }
}

/// The places of a class that stand near enough: of each machine no more than [`NEAREST`], the nearest.
pub fn near<'c>(seen: &Seen, class: &'c Class, law: &Law) -> impl Iterator<Item = u32> + use<'c> {
    let own = if seen.reference.is_some() { seen.clock } else { super::seen::UNKNOWN };
    let expected = seen.middle + law.lead;
    let law = *law;
    class.runs.iter().flat_map(move |run| {
        let reach = law.reach(own.hypot(run.clock), 2);
        let first = run.places.partition_point(|(at, _)| *at < expected - reach);
        let last = run.places.partition_point(|(at, _)| *at <= expected + reach);
        let middle = run.places.partition_point(|(at, _)| *at < expected);
        let from = first.max(middle.saturating_sub(NEAREST / 2));
        let to = last.min(middle + NEAREST / 2).max(from);
        run.places[from..to].iter().map(|(_, place)| *place)
    })
}

/// How much likelier a pair of this density is than that both stay alone.
pub fn odds(density: f64, measure: &Measure, inner: &Seen, class: &Class, alone: Alone) -> f64 {
    let duration = match (measure.slack, inner.duration()) {
        (Some(_), Some(duration)) => class.duration.density(duration.max(0.001)) + 1e-4,
        _ => 1.0,
    };
    alone.seen / (1.0 - alone.seen) * density / (alone.stray.max(LEAST_ALONE) * class.rate * duration).max(1e-12)
}

/// Keeps the likeliest candidates.
pub fn keep_likeliest<T>(found: &mut Vec<T>, odds: impl Fn(&T) -> f64) {
    if found.len() > CANDIDATES {
        let mut ranked: Vec<(f64, T)> = found.drain(..).map(|one| (odds(&one), one)).collect();
        ranked.sort_by(|one, two| two.0.total_cmp(&one.0));
        found.extend(ranked.into_iter().take(CANDIDATES).map(|(_, one)| one));
    }
}

/// The edges of a hop between two layers. What is `known` besides times and answers says which are looked at where there
/// are too many, and is no part of the odds.
pub fn edges(outer: &Side<'_>, inner: &Side<'_>, law: &Law, alone: Alone, known: &Known<'_>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for place in 0..u32::try_from(outer.len()).unwrap_or(u32::MAX) {
        let found = candidates(outer, place, inner, (law, alone), known);
        edges.extend(found.into_iter().map(|(inner, _, odds)| Edge { outer: place, inner, odds }));
    }
    edges
}

/// The marginals of all edges, once what is believed of the lonely follows from them.
pub fn settle(outers: usize, inners: usize, edges: &mut [Edge], before: Alone) -> (Vec<f64>, Alone) {
    let shares = marginals(outers, inners, edges);
    let alone = believed_alone(outers, edges, &shares);
    let odds = |alone: Alone| alone.seen / (1.0 - alone.seen) / alone.stray.max(LEAST_ALONE);
    let scale = odds(alone) / odds(before);
    if (0.95..1.05).contains(&scale) {
        return (shares, alone);
    }
    for edge in edges.iter_mut() {
        edge.odds *= scale;
    }
    (marginals(outers, inners, edges), alone)
}

/// A hop between two layers whose machines hand requests on, solved.
pub fn hop(outer: &Side<'_>, inner: &Side<'_>) -> Vec<Pairing> {
    let (law, alone) = learn(outer, inner, &NOTHING);
    let mut edges = edges(outer, inner, &law, alone, &NOTHING);
    let (shares, _) = settle(outer.len(), inner.len(), &mut edges, alone);
    shares_of(&edges, &shares, alone)
}

/// The pairs that are worth keeping. A law that few pairs have taught makes nothing certain.
pub fn shares_of(edges: &[Edge], shares: &[f64], alone: Alone) -> Vec<Pairing> {
    let most = if alone.pairs < TAUGHT { UNTAUGHT } else { 1.0 };
    let all = edges.iter().zip(shares).filter(|(_, share)| **share > NEGLIGIBLE);
    all.map(|(edge, share)| Pairing { outer: edge.outer, inner: edge.inner, share: share.min(most) }).collect()
}
