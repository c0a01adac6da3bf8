//! Pairs by the address that a client keeps: its requests come to the gateway in the gaps in which it sent them.
//!
//! The client never logs its public address, and the gateway no name. But where many of a client's requests stand as far
//! apart as the rows of one address do, all with one difference of the clocks, the address is the client's. Gaps that
//! both show propose an address and a difference; each proposal is then held against all requests and rows ([`Fit`]),
//! and believed where it is far likelier than chance and than any other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::{Pair, SECOND, Tie};
use crate::flows::hops::{Layer, Sighting, Sightings};
use crate::time::Micros;

/// Clocks further apart than this are not compared: a zone or summer time mistaken is for ids to find.
const REACH: Micros = 20 * 60 * SECOND;

/// A row may stand this far from where a difference of the clocks puts it: its end is known to the second, and the
/// answer is under way for a while.
const WITHIN: Micros = 3 * SECOND / 2;

/// Once the difference is known closely, a row stands this near: half a second for what its end is rounded by, and what
/// the answer is under way.
const CLOSELY: Micros = 3 * SECOND / 4;

/// Gaps longer than this say little: clocks may have been set in between.
const LONGEST: i64 = 4 * 3_600;

/// Gaps shorter than this are those of one burst, which every client makes alike.
const SHORTEST: i64 = 3;

/// Gaps of one client that are looked up at most, the rarest ones.
const GAPS: usize = 24;

/// Places of gaps that are looked at for one client.
const PLACES: usize = 20_000;

/// Proposals of one client that are held against all its requests, those that most gaps make.
const PROPOSALS: usize = 60;

/// Share of a client's requests that the gateway's log has, at a careful guess: lines are lost, and a clock that was
/// set puts the rest elsewhere.
const SEEN: f64 = 0.7;

/// Share of an address's rows that are the client's: others may stand behind it.
const OWN: f64 = 0.5;

/// A proposal is believed where it is this much likelier than chance, and than any other (logarithm: one in 150).
const SURE: f64 = 5.0;

/// An address that another client is known by is this much less likely (logarithm: one in 20 shares its address).
const SHARED: f64 = 3.0;

/// Offsets of one client at most: its clock may have been set.
const OFFSETS: usize = 3;

/// Addresses and differences of one client, the likeliest, that are tried together with a second difference.
const SET: usize = 8;

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
    for requests in &mut of_client {
        requests.sort_unstable();
    }
    let search = Search { rows_of: &rows_of, index: &index, clients, rows };
    let mut ties = Vec::new();
    for (client, found) in search.all(&of_client) {
        let is_set = found.len() > 1;
        let mut by_machine: BTreeMap<usize, Vec<Pair>> = BTreeMap::new();
        for (address, offset) in found {
            for (outer, inner) in search.near(&of_client[client], address, offset) {
                let pair = Pair { outer: (Layer::Client, outer), inner: (Layer::Gateway, inner) };
                by_machine.entry(rows[inner as usize].machine).or_default().push(pair);
            }
        }
        ties.extend(by_machine.into_iter().filter(|(gateway, _)| *gateway != client).map(|(gateway, pairs)| Tie {
            outer: client,
            inner: gateway,
            strength: pairs.len(),
            pairs,
            is_set,
        }));
    }
    ties
}

/// When a request was answered, or else sent: rows are written at the end.
fn end(sighting: &Sighting) -> Option<Micros> {
    sighting.to.or(sighting.from)
}

/// Rows by address.
fn by_address(rows: &[Sighting]) -> BTreeMap<u32, Rows> {
    let mut all: BTreeMap<u32, Vec<(Micros, u32)>> = BTreeMap::new();
    for (place, row) in (0_u32..).zip(rows) {
        if let Some((address, at)) = row.address.zip(end(row)) {
            // The middle of the second.
            all.entry(address).or_default().push((at + SECOND / 2, place));
        }
    }
    let of_address = |(address, mut times): (u32, Vec<(Micros, u32)>)| {
        times.sort_unstable();
        (address, Rows::new(times, rows))
    };
    all.into_iter().map(of_address).collect()
}

/// Rows of one address.
struct Rows {
    /// With their places, in order of time.
    times: Vec<(Micros, u32)>,
    /// How many of their bursts asked what.
    bursts_of: BTreeMap<Option<u32>, usize>,
    /// How many bursts there are.
    bursts: usize,
}

impl Rows {
    fn new(times: Vec<(Micros, u32)>, rows: &[Sighting]) -> Self {
        let mut bursts_of = BTreeMap::new();
        let bursts = bursts(&times);
        for burst in &bursts {
            for endpoint in endpoints(&times[burst.clone()], rows) {
                *bursts_of.entry(endpoint).or_insert(0) += 1;
            }
        }
        Self { bursts_of, bursts: bursts.len(), times }
    }

    /// How likely some row that asked one of these stands closely to a time by chance.
    #[allow(clippy::cast_precision_loss)] // counts, and times far below 2^52
    fn by_chance(&self, endpoints: &BTreeSet<Option<u32>>) -> f64 {
        let known = |endpoint| self.bursts_of.get(endpoint).copied().unwrap_or(0);
        let alike = if endpoints.contains(&None) { self.bursts } else { endpoints.iter().map(known).sum() };
        let span = self.times.last().zip(self.times.first()).map_or(0, |(last, first)| last.0 - first.0) + 60 * SECOND;
        (alike.clamp(1, self.bursts.max(1)) as f64 * 2.0 * CLOSELY as f64 / span as f64).min(SEEN)
    }
}

/// What was asked.
fn endpoints(times: &[(Micros, u32)], sightings: &[Sighting]) -> BTreeSet<Option<u32>> {
    times.iter().map(|(_, place)| sightings[*place as usize].endpoint).collect()
}

fn whole_seconds(gap: Micros) -> i64 {
    (gap + SECOND / 2).div_euclid(SECOND)
}

/// The gaps in a list of times, to the second, with the time before each. A lost line hides one request: gaps that leave
/// one out are gaps too.
fn gaps(times: &[(Micros, u32)]) -> impl Iterator<Item = (i64, Micros)> + '_ {
    let from = move |first: usize| {
        let next = times[first + 1..].iter().take(2);
        next.map(move |second| (whole_seconds(second.0 - times[first].0), times[first].0))
    };
    (0..times.len()).flat_map(from).filter(|(gap, _)| (SHORTEST..=LONGEST).contains(gap))
}

/// Where each gap stands: time and address, in order of time.
struct Index(HashMap<i64, Vec<(Micros, u32)>>);

impl Index {
    fn new<'r>(rows_of: impl IntoIterator<Item = (&'r u32, &'r Rows)>) -> Self {
        let mut index: HashMap<i64, Vec<(Micros, u32)>> = HashMap::new();
        for (address, rows) in rows_of {
            for (gap, at) in gaps(&rows.times) {
                index.entry(gap).or_default().push((at, *address));
            }
        }
        for places in index.values_mut() {
            places.sort_unstable();
        }
        Self(index)
    }

    /// The places of a gap that stand near enough to a client's time.
    fn near(&self, gap: i64, at: Micros) -> &[(Micros, u32)] {
        let Some(places) = self.0.get(&gap) else { return &[] };
        let from = places.partition_point(|(time, _)| *time < at - REACH);
        let to = places.partition_point(|(time, _)| *time <= at + REACH);
        &places[from..to.max(from)]
    }

    /// Addresses and differences of the clocks that a client's gaps propose, those that most propose first.
    fn proposals(&self, requests: &[(Micros, u32)]) -> Vec<(u32, Micros)> {
        let alike = |gap: i64| gap - 1..=gap + 1;
        let mut own: Vec<(usize, i64, Micros)> = gaps(requests)
            .map(|(gap, at)| (alike(gap).map(|gap| self.near(gap, at).len()).sum(), gap, at))
            .filter(|(count, ..)| *count > 0)
            .collect();
        own.sort_unstable();
        let mut votes: HashMap<(u32, i64), usize> = HashMap::new();
        let mut looked_at = 0;
        for (count, gap, at) in own.into_iter().take(GAPS) {
            looked_at += count;
            if looked_at > PLACES && !votes.is_empty() {
                break;
            }
            for (time, address) in alike(gap).flat_map(|gap| self.near(gap, at)) {
                *votes.entry((*address, (at - time).div_euclid(SECOND))).or_insert(0) += 1;
            }
        }
        let around = |&(address, bin): &(u32, i64)| {
            (bin - 1..=bin + 1).filter_map(|bin| votes.get(&(address, bin))).sum::<usize>()
        };
        let mut proposals: Vec<(Reverse<usize>, i64, u32, i64)> =
            votes.keys().map(|key| (Reverse(around(key)), key.1.abs(), key.0, key.1)).collect();
        proposals.sort_unstable();
        proposals.truncate(PROPOSALS);
        proposals.into_iter().map(|(_, _, address, bin)| (address, bin * SECOND + SECOND / 2)).collect()
    }
}

/// How well an address and a difference of the clocks explain a client's requests.
#[derive(Debug, Clone, Copy)]
struct Fit {
    address: u32,
    offset: Micros,
    /// What explains, by the same address, requests that the offset leaves: the clock was set.
    set_to: Option<Micros>,
    /// The run of requests that it explains.
    run: (usize, usize),
    /// How many bursts of them meet a row.
    met: usize,
    /// How much likelier than chance, as a logarithm.
    likelier: f64,
}

impl Fit {
    /// True where both cannot hold. One address may explain the requests before a clock was set by one difference and
    /// those after it by another.
    fn contradicts(&self, other: &Self) -> bool {
        let same = self.address == other.address;
        let apart = self.run.1 <= other.run.0 || other.run.1 <= self.run.0;
        let is_own = |offset: Micros| (offset - other.offset).abs() <= 2 * WITHIN;
        !(same && (apart || is_own(self.offset) || self.set_to.is_some_and(is_own)))
    }
}

struct Search<'a> {
    rows_of: &'a BTreeMap<u32, Rows>,
    index: &'a Index,
    clients: &'a [Sighting],
    rows: &'a [Sighting],
}

impl Search<'_> {
    /// Address and offsets of each client that one is known of. First those beyond doubt; then, with their addresses
    /// all but taken, the others, until no more are found.
    fn all(&self, of_client: &[Vec<(Micros, u32)>]) -> BTreeMap<usize, Vec<(u32, Micros)>> {
        let mut fits: BTreeMap<usize, Vec<Fit>> = BTreeMap::new();
        for (client, requests) in of_client.iter().enumerate().filter(|(_, requests)| requests.len() > 1) {
            let proposals = self.index.proposals(requests);
            let of_proposal = |(address, offset)| self.fit(requests, address, self.rows_of.get(&address)?, offset);
            let mut found: Vec<Fit> = proposals.into_iter().filter_map(of_proposal).collect();
            found.sort_by(|one, two| two.likelier.total_cmp(&one.likelier));
            found.dedup_by_key(|fit| (fit.address, fit.offset));
            for fit in found.iter_mut().take(SET) {
                let second = self.next_offset(requests, &[(fit.address, fit.offset)]);
                if let Some(second) = second.filter(|second| second.likelier > tries(1)) {
                    fit.likelier += second.likelier - tries(1);
                    fit.set_to = Some(second.offset);
                }
            }
            fits.insert(client, found);
        }
        let mut found: BTreeMap<usize, Vec<(u32, Micros)>> = BTreeMap::new();
        let mut taken: BTreeSet<u32> = BTreeSet::new();
        loop {
            let open = fits.iter().filter(|(client, _)| !found.contains_key(client));
            // How likely the rows of any client are there at all, as the clients tell of which that is known.
            #[allow(clippy::cast_precision_loss)] // counts
            let usual = ((found.len() + 1) as f64 / (fits.len() - found.len() + 1) as f64).ln().max(0.0);
            let chosen: Vec<(usize, Fit)> =
                open.filter_map(|(client, fits)| Some((*client, self.sure(fits, usual, &taken)?))).collect();
            if chosen.is_empty() {
                return found;
            }
            for (client, fit) in chosen {
                taken.insert(fit.address);
                found.insert(client, self.offsets(&of_client[client], fit));
            }
        }
    }

    /// The fit that is far likelier than chance and than every other.
    fn sure(&self, fits: &[Fit], usual: f64, taken: &BTreeSet<u32>) -> Option<Fit> {
        let weight = |fit: &Fit| fit.likelier - if taken.contains(&fit.address) { SHARED } else { 0.0 };
        let best = fits.iter().max_by(|one, two| weight(one).total_cmp(&weight(two)))?;
        let rival = fits.iter().filter(|fit| best.contradicts(fit)).map(weight).max_by(f64::total_cmp);
        let free = self.rows_of.len().saturating_sub(taken.len()).max(1);
        let beyond_chance = weight(best) + usual > tries(free) + SURE;
        (beyond_chance && rival.is_none_or(|rival| weight(best) > rival + SURE)).then_some(*best)
    }

    /// The offset of a client whose address is known, and others where its clock was set: those that explain the
    /// requests that are left. That the address is the client's speaks for them: else each request would be one whose row
    /// is lost, and each row somebody else's.
    #[allow(clippy::cast_precision_loss)] // counts
    fn offsets(&self, requests: &[(Micros, u32)], first: Fit) -> Vec<(u32, Micros)> {
        let mut found = vec![(first.address, first.offset)];
        let else_lost = |next: &Fit| next.met as f64 * ((1.0 - SEEN) * (1.0 - OWN)).ln();
        while found.len() < OFFSETS {
            let next = self.next_offset(requests, &found);
            let Some(next) = next.filter(|next| next.likelier - else_lost(next) > tries(1) + SURE) else { break };
            found.push((next.address, next.offset));
        }
        found
    }

    /// What explains best, by the same address, the requests that the offsets `found` leave.
    fn next_offset(&self, requests: &[(Micros, u32)], found: &[(u32, Micros)]) -> Option<Fit> {
        let address = found.first()?.0;
        let rows = self.rows_of.get(&address)?;
        let explained = |(at, _): &&(Micros, u32)| found.iter().any(|(_, offset)| has(&rows.times, at - offset));
        let left: Vec<(Micros, u32)> = requests.iter().filter(|request| !explained(request)).copied().collect();
        if left.len() < 2 {
            return None;
        }
        let explains = |(at, _): &&(Micros, u32)| found.iter().any(|(_, offset)| has(requests, at + offset));
        let free = rows.times.iter().filter(|row| !explains(row)).copied().collect();
        let rows = Rows::new(free, self.rows);
        let proposals = Index::new([(&address, &rows)]).proposals(&left);
        let fits = proposals.into_iter().filter_map(|(_, offset)| self.fit(&left, address, &rows, offset));
        fits.max_by(|one, two| one.likelier.total_cmp(&two.likelier))
    }

    /// How much likelier it is that the requests came from this address, by clocks so far apart, than that rows of the
    /// address stand there by chance.
    #[allow(clippy::cast_precision_loss)] // counts
    fn fit(&self, requests: &[(Micros, u32)], address: u32, rows: &Rows, proposed: Micros) -> Option<Fit> {
        let times = &rows.times;
        let offset = closely(requests, &self.partners(requests, times, proposed, WITHIN), times)?;
        let partners = self.partners(requests, times, offset, CLOSELY);
        let mut gains = vec![0.0; requests.len()];
        let mut is_met = vec![false; requests.len()];
        for burst in bursts(requests) {
            let by_chance = rows.by_chance(&endpoints(&requests[burst.clone()], self.clients));
            is_met[burst.start] = partners[burst.clone()].iter().any(Option::is_some);
            gains[burst.start] =
                if is_met[burst.start] { (SEEN / by_chance).ln() } else { ((1.0 - SEEN) / (1.0 - by_chance)).ln() };
        }
        let (from, to, gain) = best_run(&gains);
        let rows: Vec<usize> = partners[from..to].iter().flatten().copied().collect();
        let among = rows.last()? - rows.first()? + 1;
        let likelier = gain + (among - rows.len()) as f64 * (1.0 - OWN).ln();
        let met = is_met[from..to].iter().filter(|is_met| **is_met).count();
        Some(Fit { address, offset, set_to: None, run: (from, to), met, likelier })
    }

    /// The row of each request, where one may be its own and stands `within` of where the difference puts it.
    fn partners(
        &self,
        requests: &[(Micros, u32)],
        rows: &[(Micros, u32)],
        offset: Micros,
        within: Micros,
    ) -> Vec<Option<usize>> {
        let mut next =
            rows.partition_point(|(time, _)| *time < requests.first().map_or(0, |(at, _)| at - offset - within));
        let mut partners: Vec<Option<usize>> = Vec::with_capacity(requests.len());
        for &(at, outer) in requests {
            let expected = at - offset;
            while rows.get(next).is_some_and(|(time, _)| *time < expected - within) {
                next += 1;
            }
            let may_be = |inner: u32| self.clients[outer as usize].may_be(&self.rows[inner as usize]);
            let candidates = (next..rows.len()).take_while(|row| rows[*row].0 <= expected + within);
            let partner = candidates.into_iter().find(|row| may_be(rows[*row].1));
            next = partner.map_or(next, |row| row + 1);
            partners.push(partner);
        }
        partners
    }
}

/// The difference of the clocks that puts most requests and their rows closely together.
fn closely(requests: &[(Micros, u32)], partners: &[Option<usize>], rows: &[(Micros, u32)]) -> Option<Micros> {
    let of_pair = |((at, _), partner): (&(Micros, u32), &Option<usize>)| partner.map(|row| at - rows[row].0);
    let mut apart: Vec<Micros> = requests.iter().zip(partners).filter_map(of_pair).collect();
    apart.sort_unstable();
    let within = |first: usize| first + apart[first..].partition_point(|other| *other <= apart[first] + 2 * CLOSELY);
    let first = (0..apart.len()).max_by_key(|&first| (within(first) - first, Reverse(first)))?;
    let last = apart[within(first) - 1];
    Some(apart[first] + (last - apart[first]) / 2)
}

/// Times that follow each other closely, as one: a burst proves no more than one request, for every client makes bursts
/// alike.
fn bursts(times: &[(Micros, u32)]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (place, &(at, _)) in times.iter().enumerate() {
        match found.last_mut() {
            Some(burst) if at - times[burst.end - 1].0 < SHORTEST * SECOND => burst.end = place + 1,
            _ => found.push(place..place + 1),
        }
    }
    found
}

/// True where one of the times stands near enough to where it is expected.
fn has(times: &[(Micros, u32)], expected: Micros) -> bool {
    let from = times.partition_point(|(time, _)| *time < expected - WITHIN);
    times.get(from).is_some_and(|(time, _)| *time <= expected + WITHIN)
}

/// The run of requests that is explained best, for a clock may have been set before or after it: where it begins, where
/// it ends, and how much likelier it makes the requests. Each end that is not that of all costs what it could have been
/// elsewhere.
#[allow(clippy::cast_precision_loss)] // counts
fn best_run(gains: &[f64]) -> (usize, usize, f64) {
    let cost = (gains.len() as f64).ln();
    let mut best = (0, gains.len(), gains.iter().sum::<f64>());
    let (mut from, mut sum) = (0, 0.0);
    for (place, gain) in gains.iter().enumerate() {
        if place > 0 && sum < -cost {
            (from, sum) = (place, -cost);
        }
        sum += gain;
        let end = if place + 1 == gains.len() { 0.0 } else { cost };
        if sum - end > best.2 {
            best = (from, place + 1, sum - end);
        }
    }
    best
}

/// Tries that chance has: addresses and differences of the clocks, as a logarithm.
#[allow(clippy::cast_precision_loss)] // counts
fn tries(addresses: usize) -> f64 {
    (addresses as f64 * (REACH / CLOSELY) as f64).ln()
}

impl Search<'_> {
    /// Requests and rows of an address that are a few seconds from `offset` apart and may be the same.
    fn near(&self, requests: &[(Micros, u32)], address: u32, offset: Micros) -> Vec<(u32, u32)> {
        let Some(Rows { times: rows_of, .. }) = self.rows_of.get(&address) else { return Vec::new() };
        let mut found = Vec::new();
        for &(at, outer) in requests {
            let expected = at - offset;
            let from = rows_of.partition_point(|(time, _)| *time < expected - 2 * WITHIN);
            for &(_, inner) in rows_of[from..].iter().take_while(|(time, _)| *time <= expected + 2 * WITHIN) {
                if self.clients[outer as usize].may_be(&self.rows[inner as usize]) {
                    found.push((outer, inner));
                }
            }
        }
        found
    }
}
