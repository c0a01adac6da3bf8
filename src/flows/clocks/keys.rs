//! Pairs by ids that the logs of a client and of a management point both name.

use std::collections::HashMap;

use super::{Pair, SECOND, Tie};
use crate::events::Event;
use crate::flows::hops::{Layer, Sighting, Sightings};
use crate::flows::identity;
use crate::flows::machines::Machine;
use crate::flows::servers::Transaction;
use crate::time::Micros;

/// Clocks further apart than this are not compared: a zone or summer time mistaken is an hour.
const REACH: Micros = 75 * 60 * SECOND;

/// Requests that one transaction is compared with at most, the nearest.
const MOST: usize = 64;

/// The machines that are known by an id; ids that a document has masked are left out.
#[derive(Debug, Default)]
pub struct Ids(HashMap<(&'static str, String), Vec<usize>>);

impl Ids {
    /// The ids that each machine's client names in its own lines.
    pub fn new(machines: &[Machine], events: &[Event]) -> Self {
        let mut ids: HashMap<(&'static str, String), Vec<usize>> = HashMap::new();
        for (place, machine) in machines.iter().enumerate() {
            for &event in &machine.client_events {
                for (key, id) in identity::ids(&events[event as usize]) {
                    if key == "message-id" || identity::is_masked(&id) {
                        continue;
                    }
                    let known = ids.entry((key, id)).or_default();
                    if known.last() != Some(&place) {
                        known.push(place);
                    }
                }
            }
        }
        Self(ids)
    }

    /// The one machine that a transaction's ids name; `None` where they name none, or several fit.
    pub fn machine(&self, transaction: &Transaction) -> Option<usize> {
        for (key, _) in identity::KEYS {
            let Some(id) = transaction.ids.get(key) else { continue };
            match self.0.get(&(key, id.clone())).map(Vec::as_slice) {
                Some([machine]) => return Some(*machine),
                Some(_) => return None,
                None => {}
            }
        }
        None
    }
}

/// Ties of clients to management points by the transactions that name them.
pub fn ties(sightings: &Sightings, transactions: &[Transaction], ids: &Ids) -> Vec<Tie> {
    let mut asked: HashMap<(usize, bool), Vec<(Micros, u32)>> = HashMap::new();
    let clients = sightings.of(Layer::Client);
    for (place, sighting) in (0_u32..).zip(clients) {
        if let Some(at) = sighting.middle() {
            asked.entry((sighting.machine, sighting.registers)).or_default().push((at, place));
        }
    }
    for requests in asked.values_mut() {
        requests.sort_unstable();
    }
    let mut ties: HashMap<(usize, usize), Tie> = HashMap::new();
    for layer in [Layer::TokenService, Layer::Component] {
        for (place, inner) in (0_u32..).zip(sightings.of(layer)) {
            let Some(client) = transactions.get(inner.of).and_then(|transaction| ids.machine(transaction)) else {
                continue;
            };
            let registers = layer == Layer::Component;
            let Some((at, requests)) = inner.middle().zip(asked.get(&(client, registers))) else { continue };
            let pairs = candidates(at, requests, inner, clients, registers)
                .map(|outer| Pair { outer: (Layer::Client, outer), inner: (layer, place) });
            let tie = ties.entry((client, inner.machine)).or_insert_with(|| Tie {
                outer: client,
                inner: inner.machine,
                pairs: Vec::new(),
                strength: 0,
            });
            let before = tie.pairs.len();
            tie.pairs.extend(pairs);
            tie.strength += if tie.pairs.len() > before { 10 } else { 0 };
        }
    }
    let mut ties: Vec<Tie> = ties.into_values().filter(|tie| !tie.pairs.is_empty()).collect();
    ties.sort_by_key(|tie| (tie.outer, tie.inner));
    ties
}

/// The client's requests near `at` that the transaction may have served.
fn candidates<'a>(
    at: Micros,
    requests: &'a [(Micros, u32)],
    inner: &'a Sighting,
    clients: &'a [Sighting],
    registers: bool,
) -> impl Iterator<Item = u32> + 'a {
    let first = requests.partition_point(|(time, _)| *time < at - REACH);
    let last = requests.partition_point(|(time, _)| *time <= at + REACH);
    let middle = requests.partition_point(|(time, _)| *time < at);
    let from = first.max(middle.saturating_sub(MOST / 2));
    let to = last.min(middle + MOST / 2);
    let near = requests.get(from..to.max(from)).unwrap_or_default();
    near.iter().map(|(_, place)| *place).filter(move |place| {
        let outer = &clients[*place as usize];
        registers || (outer.endpoint == inner.endpoint && outer.answer.agrees(inner.answer))
    })
}
