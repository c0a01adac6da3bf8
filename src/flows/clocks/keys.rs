//! Pairs by ids that the logs of a client and of a management point both name.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Pair, SECOND, Tie};
use crate::events::Event;
use crate::flows::hops::{Layer, Sighting, Sightings};
use crate::flows::identity;
use crate::flows::machines::Machine;
use crate::flows::servers::Transaction;
use crate::time::Micros;

/// Clocks further apart than this are not compared: a zone or summer time mistaken is an hour.
const REACH: Micros = 75 * 60 * SECOND;

/// What a transaction that names its client tells of two clocks, beside one pair of a rhythm: who it is of is known.
const STRENGTH: usize = 10;

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

/// Requests of clients, by what they are looked up by, each list in order of time.
pub struct Asked<K>(HashMap<K, Vec<(Micros, u32)>>);

impl<K: Eq + Hash> Asked<K> {
    /// Requests with their places, by the key and the time that `of` gives them; without any they are left out.
    pub fn new(clients: &[Sighting], of: impl Fn(&Sighting) -> Option<(K, Micros)>) -> Self {
        let mut asked: HashMap<K, Vec<(Micros, u32)>> = HashMap::new();
        for (place, sighting) in (0_u32..).zip(clients) {
            if let Some((key, at)) = of(sighting) {
                asked.entry(key).or_default().push((at, place));
            }
        }
        for requests in asked.values_mut() {
            requests.sort_unstable();
        }
        Self(asked)
    }

    /// The requests within `reach` of a time: `most` at most, half of them before it and half after.
    pub fn near(&self, key: &K, at: Micros, reach: Micros, most: usize) -> &[(Micros, u32)] {
        let Some(requests) = self.0.get(key) else { return &[] };
        let first = requests.partition_point(|(time, _)| *time < at - reach);
        let last = requests.partition_point(|(time, _)| *time <= at + reach);
        let middle = requests.partition_point(|(time, _)| *time < at);
        let from = first.max(middle.saturating_sub(most / 2));
        requests.get(from..last.min(middle + most / 2)).unwrap_or_default()
    }
}

/// Ties of clients to management points by the transactions that name them.
pub fn ties(sightings: &Sightings, transactions: &[Transaction], ids: &Ids) -> Vec<Tie> {
    let clients = sightings.of(Layer::Client);
    let asked = Asked::new(clients, |sighting| Some(((sighting.machine, sighting.registers), sighting.middle()?)));
    let mut ties: HashMap<(usize, usize), Tie> = HashMap::new();
    for layer in [Layer::TokenService, Layer::Component] {
        for (place, inner) in (0_u32..).zip(sightings.of(layer)) {
            let Some(client) = transactions.get(inner.of).and_then(|transaction| ids.machine(transaction)) else {
                continue;
            };
            let registers = layer == Layer::Component;
            let Some(at) = inner.middle() else { continue };
            let near = asked.near(&(client, registers), at, REACH, MOST);
            let may_be =
                |outer: &Sighting| registers || (outer.endpoint == inner.endpoint && outer.answer.agrees(inner.answer));
            let pairs = near
                .iter()
                .filter(|(_, outer)| may_be(&clients[*outer as usize]))
                .map(|(_, outer)| Pair { outer: (Layer::Client, *outer), inner: (layer, place) });
            let tie = ties.entry((client, inner.machine)).or_insert_with(|| Tie {
                outer: client,
                inner: inner.machine,
                pairs: Vec::new(),
                strength: 0,
                is_set: false,
            });
            let before = tie.pairs.len();
            tie.pairs.extend(pairs);
            tie.strength += if tie.pairs.len() > before { STRENGTH } else { 0 };
        }
    }
    let mut ties: Vec<Tie> = ties.into_values().filter(|tie| !tie.pairs.is_empty()).collect();
    ties.sort_by_key(|tie| (tie.outer, tie.inner));
    ties
}
