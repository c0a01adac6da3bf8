//! How far the clocks of the machines are apart, as the logs themselves tell.
//!
//! What an inner machine saw of a request lies between its sending and its answer by the outer machine, whatever the
//! clocks say: each pair bounds how far one clock is ahead of the other, and the offset is what most pairs allow
//! ([`agree`]). Pairs come from ids that both logs name ([`keys`]), from the address that a client keeps
//! ([`addresses`]), and from how often requests follow each other ([`rhythm`]). Where early and late pairs disagree,
//! the clock was set in between ([`pieces`]). From machine to machine all are led back to one reference.

mod addresses;
mod agree;
mod keys;
mod pieces;
mod rhythm;

use serde::Serialize;

use self::pieces::Timed;
use super::hops::{Homes, Layer, Sighting, Sightings};
use super::servers::Transaction;
use crate::time::{Micros, serialize_utc};

pub use keys::{Asked, Ids};

const SECOND: Micros = 1_000_000;

/// A request takes no longer than this: bounds of an end that no line shows.
const LONGEST: Micros = 60 * SECOND;

/// No clock is compared more exactly than this: lines are written when there is time.
const FINEST: Micros = 20_000;

/// Pairs that make an offset firm.
const FIRM: usize = 3;

/// Of a clock that nothing tells of, this much is believed. Machines of a domain keep time within seconds.
const UNKNOWN: Micros = 30 * SECOND;

/// How far a machine's clock is ahead of the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clock {
    /// The machine.
    pub host: String,
    /// The machine it is compared with.
    pub reference: String,
    /// Seconds that it is ahead.
    pub offset_seconds: f64,
    /// Uncertainty, seconds.
    pub uncertainty_seconds: f64,
    /// Pairs of lines that it rests on.
    pub pairs: usize,
    /// From when on, UTC by its own clock, where it was set in the middle of its logs; null from the start.
    #[serde(serialize_with = "serialize_utc")]
    pub from: Option<Micros>,
}

/// An offset that held from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Micros,
    offset: Micros,
    uncertainty: Micros,
    pairs: usize,
    /// How far another offset is that as many pairs allow; zero where there is none.
    rival: Micros,
}

impl Span {
    /// How far the offset may be off, another that is as likely included.
    fn doubt(&self) -> Micros {
        self.uncertainty + FINEST + if self.is_tied() { self.rival } else { 0 }
    }

    /// True where as many pairs speak for quite another offset.
    fn is_tied(&self) -> bool {
        self.rival > SECOND
    }
}

/// What is known of one machine's clock.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Place of the reference in the list of machines; `None` where nothing is known.
    reference: Option<usize>,
    spans: Vec<Span>,
}

/// The clocks of all machines.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    machines: Vec<Known>,
}

/// A time, led back to the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// By the reference's clock.
    pub at: Micros,
    /// How far that may be off.
    pub uncertainty: Micros,
    /// The reference; `None` where nothing is known of the clock.
    pub reference: Option<usize>,
    /// True where it rests on more than a pair or two, which may be wrong ones.
    pub firm: bool,
}

impl Clocks {
    /// A time of a machine, by the reference.
    pub fn read(&self, machine: usize, utc: Micros) -> Reading {
        let span = self.machines.get(machine).and_then(|known| {
            let next = known.spans.partition_point(|span| span.from <= utc);
            Some((known.reference, *known.spans.get(next.saturating_sub(1))?))
        });
        match span {
            Some((reference, span)) => {
                let firm = reference == Some(machine) || (span.pairs >= FIRM && !span.is_tied());
                // No clock is doubted more than one that nothing tells of.
                let uncertainty = span.doubt().min(UNKNOWN.max(span.uncertainty + FINEST));
                Reading { at: utc - span.offset, uncertainty, reference, firm }
            }
            None => Reading { at: utc, uncertainty: UNKNOWN, reference: None, firm: false },
        }
    }

    /// The offsets as they are shown: of every machine but the references, by `names`.
    pub fn report(&self, names: &[String]) -> Vec<Clock> {
        let mut clocks = Vec::new();
        for (machine, known) in self.machines.iter().enumerate() {
            let Some(reference) = known.reference.filter(|reference| *reference != machine) else { continue };
            clocks.extend(known.spans.iter().map(|span| Clock {
                host: names[machine].clone(),
                reference: names[reference].clone(),
                offset_seconds: seconds(span.offset),
                uncertainty_seconds: seconds(span.doubt()),
                pairs: span.pairs,
                from: (span.from != Micros::MIN).then_some(span.from),
            }));
        }
        clocks
    }
}

/// Microseconds as seconds.
#[allow(clippy::cast_precision_loss)] // far below 2^52
pub fn seconds(micros: Micros) -> f64 {
    micros as f64 / 1e6
}

/// Two sightings that may be of one request: layers and places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    outer: (Layer, u32),
    inner: (Layer, u32),
}

/// What two machines have in common.
#[derive(Debug)]
struct Tie {
    outer: usize,
    inner: usize,
    pairs: Vec<Pair>,
    /// How much it tells, to compare ties by.
    strength: usize,
    /// It is known beyond doubt that the outer machine's clock was set.
    is_set: bool,
}

/// Estimates the clocks of `machines` machines. `ids` are those that each machine's client is known by.
///
/// With them comes how often each client was seen to have an address.
pub fn estimate(machines: usize, sightings: &Sightings, transactions: &[Transaction], ids: &Ids) -> (Clocks, Homes) {
    let mut ties = keys::ties(sightings, transactions, ids);
    ties.extend(rhythm::ties(sightings));
    let by_address = addresses::ties(machines, sightings);
    let mut homes = Homes::new();
    for pair in by_address.iter().flat_map(|tie| &tie.pairs) {
        let client = sightings.of(pair.outer.0)[pair.outer.1 as usize].machine;
        if let Some(address) = sightings.of(pair.inner.0)[pair.inner.1 as usize].address {
            *homes.entry((client, address)).or_insert(0.0) += 1.0;
        }
    }
    ties.extend(by_address);
    let mut of_machine: Vec<Vec<usize>> = vec![Vec::new(); machines];
    for (number, tie) in ties.iter().enumerate() {
        of_machine[tie.outer].push(number);
        of_machine[tie.inner].push(number);
    }
    let mut clocks = Clocks { machines: vec![Known::default(); machines] };
    let mut order: Vec<usize> = (0..machines).filter(|machine| !of_machine[*machine].is_empty()).collect();
    let is_gateway = gateways(machines, sightings);
    let weight = |machine: usize| of_machine[machine].iter().map(|tie| ties[*tie].strength).sum::<usize>();
    order.sort_by_key(|&machine| (!is_gateway[machine], std::cmp::Reverse(weight(machine)), machine));
    for reference in order {
        if clocks.machines[reference].reference.is_none() {
            lead_back(reference, &mut clocks, &ties, &of_machine, sightings);
        }
    }
    (clocks, homes)
}

/// Machines with rows of a gateway: their clocks are the cloud's, and right.
fn gateways(machines: usize, sightings: &Sightings) -> Vec<bool> {
    let mut found = vec![false; machines];
    for sighting in sightings.of(Layer::Gateway) {
        found[sighting.machine] = true;
    }
    found
}

/// Leads every machine that is tied to `reference`, over others too, back to it: the best tied first.
fn lead_back(reference: usize, clocks: &mut Clocks, ties: &[Tie], of_machine: &[Vec<usize>], sightings: &Sightings) {
    let itself = Span { from: Micros::MIN, offset: 0, uncertainty: 0, pairs: 0, rival: 0 };
    clocks.machines[reference] = Known { reference: Some(reference), spans: vec![itself] };
    let mut strength = vec![0_usize; clocks.machines.len()];
    let mut queue = std::collections::BTreeSet::new();
    let mut newest = Some(reference);
    while let Some(machine) = newest {
        for &tie in &of_machine[machine] {
            let other = ties[tie].other(machine);
            if clocks.machines[other].reference.is_none() {
                queue.remove(&(strength[other], std::cmp::Reverse(other)));
                strength[other] += ties[tie].strength;
                queue.insert((strength[other], std::cmp::Reverse(other)));
            }
        }
        newest = None;
        while let Some((_, std::cmp::Reverse(next))) = queue.pop_last() {
            let known = known_clock(next, reference, clocks, ties, &of_machine[next], sightings);
            if !known.spans.is_empty() {
                clocks.machines[next] = known;
                newest = Some(next);
                break;
            }
        }
    }
}

impl Tie {
    fn other(&self, machine: usize) -> usize {
        if self.outer == machine { self.inner } else { self.outer }
    }
}

/// The clock of a machine, from all its ties to machines whose clocks are known.
fn known_clock(
    machine: usize,
    reference: usize,
    clocks: &Clocks,
    ties: &[Tie],
    own: &[usize],
    sightings: &Sightings,
) -> Known {
    let mut items: Vec<(Micros, u32, u32, Micros, Micros)> = Vec::new();
    for &number in own {
        let tie = &ties[number];
        if clocks.machines[tie.other(machine)].reference != Some(reference) {
            continue;
        }
        for pair in &tie.pairs {
            let outer = &sightings.of(pair.outer.0)[pair.outer.1 as usize];
            let inner = &sightings.of(pair.inner.0)[pair.inner.1 as usize];
            let is_outer = outer.machine == machine;
            let (own, partner) = if is_outer { (outer, inner) } else { (inner, outer) };
            let Some((at, read)) = own.middle().zip(partner.middle().map(|at| clocks.read(partner.machine, at))) else {
                continue;
            };
            let Some((low, high)) = ahead(outer, inner) else { continue };
            // By how much the partner is ahead of the reference.
            let partner_ahead = partner.middle().unwrap_or(read.at) - read.at;
            let (low, high) = if is_outer { (low, high) } else { (-high, -low) };
            let place = if is_outer { pair.outer.1 } else { pair.inner.1 };
            // A pair tells no more than is known of its partner's clock at that time.
            let vague = (read.uncertainty - FINEST).max(0);
            let (low, high) = (low + partner_ahead - vague, high + partner_ahead + vague);
            items.push((at, u32::try_from(number).unwrap_or(u32::MAX), place, low, high));
        }
    }
    items.sort_unstable();
    let mut timed: Vec<Timed> = Vec::new();
    let mut last = None;
    for (at, tie, place, low, high) in items {
        match timed.last_mut() {
            Some(item) if last == Some((at, tie, place)) => item.bounds.push((low, high)),
            _ => timed.push(Timed { at, bounds: vec![(low, high)] }),
        }
        last = Some((at, tie, place));
    }
    let span = |piece: &pieces::Piece| Span {
        from: piece.from,
        offset: piece.agreed.offset(),
        uncertainty: piece.agreed.uncertainty(),
        pairs: piece.agreed.items,
        rival: piece.agreed.rival,
    };
    let is_set = own.iter().any(|tie| ties[*tie].is_set && ties[*tie].outer == machine);
    Known { reference: Some(reference), spans: pieces::pieces(&timed, is_set).iter().map(span).collect() }
}

/// Bounds of how far the outer machine's clock is ahead of the inner one's.
fn ahead(outer: &Sighting, inner: &Sighting) -> Option<(Micros, Micros)> {
    let blur = |sighting: &Sighting| if sighting.coarse { SECOND } else { 0 };
    let low = match (outer.from, inner.from) {
        (Some(sent), Some(came)) => Some(sent - came - blur(inner)),
        _ => None,
    };
    let high = match (outer.to, inner.to) {
        (Some(answered), Some(answer)) => Some(answered + blur(outer) - answer),
        _ => None,
    };
    match (low, high) {
        (Some(low), Some(high)) => Some((low, high)).filter(|(low, high)| low <= high),
        (Some(low), None) => Some((low, low + LONGEST)),
        (None, Some(high)) => Some((high - LONGEST, high)),
        (None, None) => None,
    }
}
