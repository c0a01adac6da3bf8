//! Pairs by the address that a client keeps: its requests come to the gateway in the gaps in which it sent them.
//!
//! The client never logs its public address, and the gateway no name. But two gaps between three requests in a row, to
//! the second, are as good as a signature: the address that shows many of a client's gaps, all with one difference of
//! the clocks, is the client's.

use std::collections::HashMap;

use super::{Pair, SECOND, Tie};
use crate::flows::hops::{Layer, Sighting, Sightings};
use crate::time::Micros;

/// Clocks further apart than this are not compared.
const REACH: Micros = 20 * 60 * SECOND;

/// Signatures of one client that are looked up at most, evenly chosen.
const SIGNATURES: usize = 20;

/// Signatures that must agree.
const FEWEST: usize = 2;

/// Gaps longer than this say little: clocks may have been set in between.
const LONGEST: i64 = 4 * 3_600;

/// Two gaps to the second.
type Signature = (i64, i64);

/// Ties of clients to machines of the gateway.
pub fn ties(machines: usize, sightings: &Sightings) -> Vec<Tie> {
    let rows = sightings.of(Layer::Gateway);
    let clients = sightings.of(Layer::Client);
    if rows.is_empty() || clients.is_empty() {
        return Vec::new();
    }
    let rows_of = by_address(rows);
    let index = Index::new(&rows_of);
    let mut of_client: Vec<Vec<(Micros, u32)>> = vec![Vec::new(); machines];
    for (place, sighting) in (0_u32..).zip(clients) {
        if let Some(at) = end(sighting) {
            of_client[sighting.machine].push((at, place));
        }
    }
    let mut ties = Vec::new();
    for (client, mut requests) in of_client.into_iter().enumerate() {
        requests.sort_unstable();
        let mut by_machine: HashMap<usize, Vec<Pair>> = HashMap::new();
        for (address, offset) in index.addresses(&requests) {
            let Some(rows_of) = rows_of.get(&address) else { continue };
            for (outer, inner) in near(&requests, rows_of, offset, (clients, rows)) {
                let pair = Pair { outer: (Layer::Client, outer), inner: (Layer::Gateway, inner) };
                by_machine.entry(rows[inner as usize].machine).or_default().push(pair);
            }
        }
        let mut found: Vec<_> = by_machine.into_iter().filter(|(machine, _)| *machine != client).collect();
        found.sort_by_key(|(machine, _)| *machine);
        ties.extend(found.into_iter().map(|(gateway, pairs)| Tie {
            outer: client,
            inner: gateway,
            strength: pairs.len(),
            pairs,
        }));
    }
    ties
}

/// When a request was answered, or else sent: rows are written at the end.
fn end(sighting: &Sighting) -> Option<Micros> {
    sighting.to.or(sighting.from)
}

/// Rows by address, each list in order of time.
fn by_address(rows: &[Sighting]) -> HashMap<u32, Vec<(Micros, u32)>> {
    let mut all: HashMap<u32, Vec<(Micros, u32)>> = HashMap::new();
    for (place, row) in (0_u32..).zip(rows) {
        if let Some((address, at)) = row.address.zip(end(row)) {
            all.entry(address).or_default().push((at, place));
        }
    }
    for rows in all.values_mut() {
        rows.sort_unstable();
    }
    all
}

fn whole_seconds(gap: Micros) -> i64 {
    (gap + SECOND / 2).div_euclid(SECOND)
}

/// The signatures in a list of times, with the time of the first of the three. A lost line hides one request: pairs
/// that leave one out are signatures too where `leaps`.
fn signatures(times: &[(Micros, u32)], leaps: bool) -> Vec<(Signature, Micros)> {
    let mut found = Vec::new();
    let most = if leaps { 2 } else { 1 };
    for first in 0..times.len() {
        for one in 1..=most {
            for two in 1..=most {
                let (Some(second), Some(third)) = (times.get(first + one), times.get(first + one + two)) else {
                    continue;
                };
                let gaps = (whole_seconds(second.0 - times[first].0), whole_seconds(third.0 - second.0));
                if gaps.0 + gaps.1 > 3 && gaps.0 <= LONGEST && gaps.1 <= LONGEST {
                    found.push((gaps, times[first].0));
                }
            }
        }
    }
    found
}

/// All signatures of all addresses.
struct Index(HashMap<Signature, Vec<(Micros, u32)>>);

impl Index {
    fn new(rows_of: &HashMap<u32, Vec<(Micros, u32)>>) -> Self {
        let mut index: HashMap<Signature, Vec<(Micros, u32)>> = HashMap::new();
        for (address, rows) in rows_of {
            for (signature, at) in signatures(rows, true) {
                index.entry(signature).or_default().push((at, *address));
            }
        }
        for places in index.values_mut() {
            places.sort_unstable();
        }
        Self(index)
    }

    /// The address of a client and how far its clock is ahead; a second answer where the clock was set, or the client
    /// moved to another network. Nothing where no address stands out.
    fn addresses(&self, requests: &[(Micros, u32)]) -> Vec<(u32, Micros)> {
        let own = signatures(requests, false);
        let step = own.len().div_ceil(SIGNATURES).max(1);
        let mut votes: HashMap<(u32, i64), usize> = HashMap::new();
        for ((one, two), at) in own.into_iter().step_by(step) {
            for gaps in (-1..=1).flat_map(|a| (-1..=1).map(move |b| (one + a, two + b))) {
                let Some(places) = self.0.get(&gaps) else { continue };
                let from = places.partition_point(|(time, _)| *time < at - REACH);
                for (time, address) in places[from..].iter().take_while(|(time, _)| *time <= at + REACH) {
                    *votes.entry((*address, (at - time).div_euclid(SECOND))).or_insert(0) += 1;
                }
            }
        }
        let around = |&(address, bin): &(u32, i64)| {
            (bin - 1..=bin + 1).filter_map(|bin| votes.get(&(address, bin))).sum::<usize>()
        };
        let mut peaks: Vec<(usize, u32, i64)> = votes.keys().map(|key| (around(key), key.0, key.1)).collect();
        peaks.sort_by_key(|(count, address, bin)| (std::cmp::Reverse(*count), bin.abs(), *address, *bin));
        let Some(&(highest, address, bin)) = peaks.first().filter(|(count, ..)| *count >= FEWEST) else {
            return Vec::new();
        };
        let apart = |&&(_, _, other): &&(usize, u32, i64)| (other - bin).abs() > 3;
        let rival = peaks.iter().find(|peak| apart(peak) && peak.1 != address).map_or(0, |peak| peak.0);
        if rival * 2 > highest {
            return Vec::new();
        }
        let mut found = vec![(address, bin * SECOND)];
        let second = peaks.iter().filter(|peak| peak.1 == address).find(apart);
        if let Some(&(_, address, bin)) = second.filter(|peak| peak.0 >= FEWEST && peak.0 > 2 * rival.max(1)) {
            found.push((address, bin * SECOND));
        }
        found
    }
}

/// Requests and rows that are a few seconds from `offset` apart and may be the same.
fn near(
    requests: &[(Micros, u32)],
    rows_of: &[(Micros, u32)],
    offset: Micros,
    (clients, rows): (&[Sighting], &[Sighting]),
) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for &(at, outer) in requests {
        let expected = at - offset;
        let from = rows_of.partition_point(|(time, _)| *time < expected - 3 * SECOND);
        for &(_, inner) in rows_of[from..].iter().take_while(|(time, _)| *time <= expected + 3 * SECOND) {
            if clients[outer as usize].may_be(&rows[inner as usize]) {
                found.push((outer, inner));
            }
        }
    }
    found
}
