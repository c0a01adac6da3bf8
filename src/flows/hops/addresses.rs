//! Clients and rows of the gateway: which addresses a client has is learned from its requests themselves.

use std::collections::{BTreeMap, HashMap};

use super::association::Edge;
use super::seen::Side;
use super::solve::{self, Pairing};

/// Requests whose address a client is believed to have had before any is known.
const PRIOR: f64 = 1.0;

/// Rounds in which pairs tell of addresses and addresses of pairs.
const ROUNDS: usize = 4;

/// How often each client was seen to have an address: machine, address, count.
pub type Homes = BTreeMap<(usize, u32), f64>;

/// Solves the hop from clients to the gateway. `homes` is what the clocks' estimation knows of addresses.
pub fn client_rows(clients: &Side<'_>, gateway: &Side<'_>, homes: &Homes) -> Vec<Pairing> {
    let usual = usual(gateway);
    let mut counts = homes.clone();
    let total = totals(&counts);
    // Where many requests pass at once, a client's row would be cut off if its address did not count.
    let at_home =
        |outer, inner| factor(&Edge { outer, inner, odds: 1.0 }, 0.0, (clients, gateway), (&counts, &total), &usual);
    let (law, alone) = solve::learn(clients, gateway, &at_home);
    let plain = solve::edges(clients, gateway, &law, alone, &at_home);
    let mut own: Vec<f64> = Vec::new();
    let mut found = Vec::new();
    for _ in 0..ROUNDS {
        let total = totals(&counts);
        let weighed = |(edge, own): (&Edge, f64)| {
            let factor = factor(edge, own, (clients, gateway), (&counts, &total), &usual);
            Edge { odds: edge.odds * factor, ..*edge }
        };
        let own_of = own.iter().copied().chain(std::iter::repeat(0.0));
        let mut edges: Vec<Edge> = plain.iter().zip(own_of).map(weighed).collect();
        let (shares, _) = solve::settle(clients.len(), gateway.len(), &mut edges, alone);
        counts.clear();
        for (edge, share) in edges.iter().zip(&shares) {
            if let Some(key) = key(edge, clients, gateway) {
                *counts.entry(key).or_insert(0.0) += share;
            }
        }
        found = solve::shares_of(&edges, &shares, alone);
        own = shares;
    }
    found
}

fn key(edge: &Edge, clients: &Side<'_>, gateway: &Side<'_>) -> Option<(usize, u32)> {
    let address = gateway.sightings[edge.inner as usize].address?;
    Some((clients.sightings[edge.outer as usize].machine, address))
}

/// Share of each address in all rows.
#[allow(clippy::cast_precision_loss)] // counts
fn usual(gateway: &Side<'_>) -> HashMap<u32, f64> {
    let mut usual = HashMap::new();
    for address in gateway.sightings.iter().filter_map(|row| row.address) {
        *usual.entry(address).or_insert(0.0) += 1.0 / gateway.len() as f64;
    }
    usual
}

fn totals(counts: &Homes) -> HashMap<usize, f64> {
    let mut totals = HashMap::new();
    for ((client, _), count) in counts {
        *totals.entry(*client).or_insert(0.0) += count;
    }
    totals
}

/// How much likelier this client is to come from this address than anybody. The pair's own share is left out: it must
/// not prove itself.
fn factor(
    edge: &Edge,
    own: f64,
    (clients, gateway): (&Side<'_>, &Side<'_>),
    (counts, totals): (&Homes, &HashMap<usize, f64>),
    usual: &HashMap<u32, f64>,
) -> f64 {
    let Some(key) = key(edge, clients, gateway) else { return 1.0 };
    let Some(usual) = usual.get(&key.1).copied() else { return 1.0 };
    let count = (counts.get(&key).copied().unwrap_or(0.0) - own).max(0.0);
    let total = (totals.get(&key.0).copied().unwrap_or(0.0) - own).max(0.0);
    (count + PRIOR * usual) / (total + PRIOR) / usual
}
