//! From the front, a client's request with the gateway's row that it may be, to the machine behind.
//!
//! The client's line says to the millisecond when a request was sent; the gateway's row says how long the rest took. So
//! both are used where both are there: a request stands with each row that it may be, as likely as that is. Rows of
//! clients whose logs nobody collected compete for what stands behind them.

use std::collections::HashMap;

use super::association::Edge;
use super::law::{Law, Measure};
use super::seen::{Class, Seen, Side};
use super::solve::{self, Alone, Pairing};

/// Rows of one request that are looked at, the likeliest.
const ROWS: usize = 4;

/// A row less likely than this is left out.
const LEAST: f64 = 0.05;

/// A row that is a client's with less than this is looked at by itself as well.
const TAKEN: f64 = 0.95;

/// What an exact key is worth, against none, and against another's.
const KEYED: f64 = 1e4;
const KEYED_ELSEWHERE: f64 = 0.05;
const OTHERS: f64 = 1e-6;

/// What exact keys say of the machine behind: for each of its sightings the clients' requests that it must be of, as
/// likely as that is.
#[derive(Debug, Default)]
pub struct Evidence {
    /// By sighting of the machine behind.
    pub of_inner: HashMap<u32, Vec<(u32, f64)>>,
    /// Requests of clients that some key ties to a transaction.
    pub keyed: std::collections::HashSet<u32>,
}

impl Evidence {
    /// What the keys make of a pair.
    fn factor(&self, client: Option<u32>, inner: u32) -> f64 {
        let none = Vec::new();
        let known = self.of_inner.get(&inner).unwrap_or(&none);
        let own: f64 = known.iter().filter(|(of, _)| Some(*of) == client).map(|(_, share)| share).sum();
        let others: f64 = known.iter().filter(|(of, _)| Some(*of) != client).map(|(_, share)| share).sum();
        let elsewhere = client.is_some_and(|client| self.keyed.contains(&client));
        let free = (1.0 - own - others).max(0.0) * if elsewhere { KEYED_ELSEWHERE } else { 1.0 };
        own * KEYED + free + OTHERS
    }
}

/// One request as the front knows it.
struct Front {
    client: Option<u32>,
    /// Rows that it may be, as likely as that is.
    rows: Vec<(u32, f64)>,
}

/// Solves the hop from the front to `inner`: shares of the clients' requests. `rows` are the shares of clients and rows.
pub fn behind(
    clients: &Side<'_>,
    gateway: &Side<'_>,
    rows: &[Pairing],
    inner: &Side<'_>,
    evidence: &Evidence,
) -> Vec<Pairing> {
    if gateway.len() == 0 {
        let (law, alone) = solve::learn(clients, inner, &solve::NOTHING);
        let known = |client, inner| evidence.factor(Some(client), inner);
        let mut edges = solve::edges(clients, inner, &law, alone, &known);
        for edge in &mut edges {
            edge.odds *= evidence.factor(Some(edge.outer), edge.inner);
        }
        let (shares, _) = solve::settle(clients.len(), inner.len(), &mut edges, alone);
        return solve::shares_of(&edges, &shares, alone);
    }
    let hop = Hop {
        clients,
        gateway,
        inner,
        of_client: solve::learn(clients, inner, &solve::NOTHING),
        of_row: solve::learn(gateway, inner, &solve::NOTHING),
        evidence,
    };
    let fronts = fronts(clients, gateway, rows);
    let alone = hop.of_row.1;
    let mut edges: Vec<Edge> = Vec::new();
    for (number, front) in (0_u32..).zip(&fronts) {
        let mut found: Vec<Edge> =
            hop.candidates(front, alone).into_iter().map(|(inner, odds)| Edge { outer: number, inner, odds }).collect();
        solve::keep_likeliest(&mut found, |edge| edge.odds);
        edges.extend(found);
    }
    let (shares, _) = solve::settle(fronts.len(), inner.len(), &mut edges, alone);
    let of_client =
        |pairing: Pairing| fronts[pairing.outer as usize].client.map(|client| Pairing { outer: client, ..pairing });
    solve::shares_of(&edges, &shares, alone).into_iter().filter_map(of_client).collect()
}

/// Requests of clients with their rows; then rows that may be of no client.
fn fronts(clients: &Side<'_>, gateway: &Side<'_>, rows: &[Pairing]) -> Vec<Front> {
    let mut taken = vec![0.0_f64; gateway.len()];
    let mut of_client: Vec<Vec<(u32, f64)>> = vec![Vec::new(); clients.len()];
    for pairing in rows {
        taken[pairing.inner as usize] += pairing.share;
        if pairing.share >= LEAST {
            of_client[pairing.outer as usize].push((pairing.inner, pairing.share));
        }
    }
    let mut fronts = Vec::new();
    for (client, mut rows) in (0_u32..).zip(of_client) {
        rows.sort_by(|one, two| two.1.total_cmp(&one.1).then(one.0.cmp(&two.0)));
        rows.truncate(ROWS);
        fronts.push(Front { client: Some(client), rows });
    }
    for (row, taken) in (0_u32..).zip(taken) {
        if taken < TAKEN {
            fronts.push(Front { client: None, rows: vec![(row, 1.0 - taken)] });
        }
    }
    fronts
}

struct Hop<'a> {
    clients: &'a Side<'a>,
    gateway: &'a Side<'a>,
    inner: &'a Side<'a>,
    of_client: (Law, Alone),
    of_row: (Law, Alone),
    evidence: &'a Evidence,
}

impl Hop<'_> {
    /// What may stand behind a front, with the odds.
    fn candidates(&self, front: &Front, alone: Alone) -> Vec<(u32, f64)> {
        let lead = front
            .client
            .and_then(|client| Some((self.clients.seen[client as usize]?, &self.clients.sightings[client as usize])));
        let first_row = front
            .rows
            .first()
            .and_then(|(row, _)| Some((self.gateway.seen[*row as usize]?, &self.gateway.sightings[*row as usize])));
        // A client's clock that nothing tells of leads nowhere, where there is a row.
        let by_client = lead.filter(|(seen, _)| seen.reference.is_some() || first_row.is_none());
        let Some((seen, sighting)) = by_client.or(first_row) else { return Vec::new() };
        let law = if by_client.is_some() { &self.of_client.0 } else { &self.of_row.0 };
        let Some(around) = self.inner.near_class(sighting) else { return Vec::new() };
        let mut found = Vec::new();
        for place in solve::near(&seen, around, law) {
            let Some(other) = self.inner.seen[place as usize] else { continue };
            let Some(class) = self.inner.classes.get(&self.inner.sightings[place as usize].endpoint) else { continue };
            let odds = self.odds(front, by_client.map(|(seen, _)| seen), (place, other), class, alone)
                * self.evidence.factor(front.client, place);
            if odds > 1e-3 {
                found.push((place, odds));
            }
        }
        found
    }

    /// How much likelier a front and a sighting behind it are a pair than alone: over all rows that the front may be.
    fn odds(
        &self,
        front: &Front,
        client: Option<Seen>,
        (place, other): (u32, Seen),
        class: &Class,
        alone: Alone,
    ) -> f64 {
        let partner = &self.inner.sightings[place as usize];
        let own = front.client.map(|client| &self.clients.sightings[client as usize]);
        if own.is_some_and(|own| !own.may_be(partner)) {
            return 0.0;
        }
        let by_client_status = own.map_or(1.0, |own| solve::status(own, partner));
        let by_client = client.map(|client| client.measure(&other, &self.of_client.0));
        let (mut total, mut rest) = (0.0, 1.0);
        for &(row, share) in &front.rows {
            rest -= share;
            let (Some(seen), sighting) = (self.gateway.seen[row as usize], &self.gateway.sightings[row as usize])
            else {
                continue;
            };
            if !sighting.may_be(partner) {
                continue;
            }
            let by_row = seen.measure(&other, &self.of_row.0);
            let density = match by_client {
                Some(by_client) => self.both(&by_client, &by_row),
                None => self.of_row.0.density(&by_row),
            };
            let status = if own.is_some() { by_client_status } else { solve::status(sighting, partner) };
            total += share * status * solve::odds(density, &by_row, &other, class, alone);
        }
        if let (Some(measure), true) = (by_client, rest > 0.0) {
            let asks = own.map_or(1.0, |own| self.clients.asks(own, partner, self.inner));
            total += rest
                * asks
                * by_client_status
                * solve::odds(self.of_client.0.density(&measure), &measure, &other, class, alone);
        }
        total
    }

    /// Density of a sighting behind a request and its row: where the request puts it, how long the row says it took.
    fn both(&self, by_client: &Measure, by_row: &Measure) -> f64 {
        let placed = Measure { slack: None, ..*by_client };
        let timed = self.of_client.0.density(&placed);
        // The row's second agrees, or it does not.
        let agrees = (self.of_row.0.lead_density(by_row) * f64::from(by_row.coarse.max(1))).clamp(1e-3, 1.0);
        let took = by_row.slack.map_or(1.0, |_| {
            let here = Measure { lead: self.of_row.0.lead, ..*by_row };
            self.of_row.0.density(&here) / self.of_row.0.density(&Measure { slack: None, ..here })
        });
        timed * agrees * took
    }
}
