//! Hops that no key joins: client to gateway, gateway to connection point, connection point to management point.
//!
//! Every machine saw the request; none names it as the others do. What is left is the endpoint, the answer, how long it
//! took, and when it came by clocks whose offsets are known ([`super::clocks`]). Each hop is solved for the whole window
//! at once ([`solve`]), with the law of its delays learned from the logs themselves ([`law`]); what comes out is how
//! likely each pair is, and a tie stays a tie. From hop to hop these multiply, up to the client's request.

mod addresses;
mod association;
mod front;
mod law;
mod seen;
mod sightings;
mod solve;
mod unnamed;

use std::collections::HashMap;

pub use addresses::Homes;
pub use sightings::{Answer, Context, Layer, Sighting, Sightings, collect};

use self::front::Evidence;
use self::seen::Side;
use self::solve::Pairing;
use super::clocks::Clocks;
use crate::time::Micros;

/// Less likely chains than this are let go.
const NEGLIGIBLE: f64 = 1e-3;

/// What a server saw, and a request of a client that it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The server's layer.
    pub layer: Layer,
    /// Place of the server's sighting in its layer.
    pub place: u32,
    /// Place of the request in the clients' layer.
    pub client: u32,
    /// Probability that they are the same request.
    pub share: f64,
    /// Seconds from the request's sending to the server's first line, clocks led back.
    pub distance: Option<f64>,
    /// True where the clocks of both are known by one reference.
    pub compared: bool,
}

/// Solves all hops. `keyed` are transactions (layer and place) whose request an exact key names.
pub fn links(sightings: &Sightings, clocks: &Clocks, homes: &Homes, keyed: &[(u32, u32)]) -> Vec<Link> {
    let base = base(sightings);
    let side = |layer: Layer| Side::new(sightings.of(layer), clocks, base);
    let (clients, gateway) = (side(Layer::Client), side(Layer::Gateway));
    if clients.len() == 0 {
        return Vec::new();
    }
    let rows = match gateway.len() {
        0 => Vec::new(),
        _ => addresses::client_rows(&clients, &gateway, homes),
    };
    let mut links = Links { clients: &clients, found: Vec::new() };
    links.add(Layer::Gateway, &gateway, &rows);
    let behind: Vec<(Layer, Side<'_>)> = [Layer::Connector, Layer::Point, Layer::TokenService]
        .into_iter()
        .map(|layer| (layer, side(layer)))
        .filter(|(_, side)| side.len() > 0)
        .collect();
    let Some(((first_layer, first), deeper)) = behind.split_first() else { return links.found };
    let hops: Vec<Vec<Pairing>> = deeper.iter().map(|(_, side)| solve::hop(first, side)).collect();
    let token_service = if *first_layer == Layer::TokenService {
        (0..).take(first.len()).map(|place| Pairing { outer: place, inner: place, share: 1.0 }).collect()
    } else {
        let place = deeper.iter().position(|(layer, _)| *layer == Layer::TokenService);
        place.and_then(|place| hops.get(place).cloned()).unwrap_or_default()
    };
    let evidence = evidence(&token_service, keyed);
    let front = front::behind(&clients, &gateway, &rows, first, &evidence);
    links.add(*first_layer, first, &front);
    for ((layer, side), hop) in deeper.iter().zip(&hops) {
        links.add(*layer, side, &chained(&front, hop));
    }
    links.found
}

/// The earliest time of all, so that seconds from it are exact.
fn base(sightings: &Sightings) -> Micros {
    sightings.of(Layer::Client).iter().filter_map(Sighting::middle).min().unwrap_or(0)
}

/// What transactions of the token service that a key ties to a client's request say of the machine before.
fn evidence(hop: &[Pairing], keyed: &[(u32, u32)]) -> Evidence {
    let of_transaction: HashMap<u32, u32> = keyed.iter().copied().collect();
    let mut evidence = Evidence { keyed: keyed.iter().map(|(_, client)| *client).collect(), ..Evidence::default() };
    for pairing in hop {
        if let Some(&client) = of_transaction.get(&pairing.inner) {
            evidence.of_inner.entry(pairing.outer).or_default().push((client, pairing.share));
        }
    }
    evidence
}

/// Two hops in a row: over all that may stand between.
fn chained(front: &[Pairing], hop: &[Pairing]) -> Vec<Pairing> {
    let mut behind: HashMap<u32, Vec<(u32, f64)>> = HashMap::new();
    for pairing in hop {
        behind.entry(pairing.outer).or_default().push((pairing.inner, pairing.share));
    }
    let mut chained: HashMap<(u32, u32), f64> = HashMap::new();
    for pairing in front {
        for (inner, next) in behind.get(&pairing.inner).into_iter().flatten() {
            *chained.entry((pairing.outer, *inner)).or_insert(0.0) += pairing.share * next;
        }
    }
    let mut shares: Vec<Pairing> =
        chained.into_iter().map(|((outer, inner), share)| Pairing { outer, inner, share }).collect();
    shares.retain(|pairing| pairing.share > NEGLIGIBLE);
    shares.sort_by_key(|pairing| (pairing.outer, pairing.inner));
    shares
}

struct Links<'a> {
    clients: &'a Side<'a>,
    found: Vec<Link>,
}

impl Links<'_> {
    fn add(&mut self, layer: Layer, side: &Side<'_>, shares: &[Pairing]) {
        for pairing in shares {
            let pair = self.clients.seen[pairing.outer as usize].zip(side.seen[pairing.inner as usize]);
            let distance = pair
                .map(|(client, server)| server.from.unwrap_or(server.middle) - client.from.unwrap_or(client.middle));
            self.found.push(Link {
                layer,
                place: pairing.inner,
                client: pairing.outer,
                share: pairing.share.min(1.0),
                distance,
                compared: pair.is_some_and(|(client, server)| client.compares(&server)),
            });
        }
    }
}
