//! Requests of which no line names the target: the line that did is lost, and those on how it was made are left.
//!
//! Whether such a request went to a gateway follows from its neighbours, those that the same thread named before and
//! after it, else all that the client named; a request that carries a CCM token goes to one unless they contradict. What
//! it asked is learned from the requests of the same log that name it ([`super::seen::Side::asks`]).

use std::collections::{BTreeMap, HashMap};

use super::sightings::Context;
use crate::flows::requests::{Request, Requests};

/// Requests to a gateway and to others that are believed of a client before any is known.
const BELIEVED: f64 = 1.0;

/// Where a request without a named target went.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The gateway, where only one comes into question.
    pub gateway: Option<String>,
    /// How likely it went to a gateway.
    pub likely: f64,
}

/// Where the named requests of a client went.
#[derive(Debug, Default)]
struct Named {
    /// Requests to each gateway.
    gateways: BTreeMap<String, usize>,
    /// Requests to other hosts.
    others: usize,
}

/// A thread of one log.
type Thread = (u32, Option<u32>);

/// What the requests that name their targets tell of those that do not.
pub struct Neighbours<'a> {
    requests: &'a Requests,
    context: &'a Context<'a>,
    /// By machine.
    of_client: HashMap<usize, Named>,
    /// Requests that name a host, in order.
    of_thread: HashMap<Thread, Vec<usize>>,
}

impl<'a> Neighbours<'a> {
    /// Looks at all requests.
    pub fn new(requests: &'a Requests, context: &'a Context<'a>) -> Self {
        let mut found = Self { requests, context, of_client: HashMap::new(), of_thread: HashMap::new() };
        for (number, request) in requests.all.iter().enumerate() {
            let (Some(host), Some((machine, thread))) = (&request.host, found.place(request)) else { continue };
            let named = found.of_client.entry(machine).or_default();
            if request.to_cmg {
                *named.gateways.entry(host.clone()).or_insert(0) += 1;
            } else {
                named.others += 1;
            }
            found.of_thread.entry(thread).or_default().push(number);
        }
        found
    }

    fn place(&self, request: &Request) -> Option<(usize, Thread)> {
        let first = &self.context.events[*request.events.first()? as usize];
        let machine = *self.context.machine_of.get(first.place.source as usize)?;
        Some((machine, (first.place.source, first.thread)))
    }

    /// Where a request went that names no target; `None` where nothing makes it likely that it was to a gateway.
    pub fn guess(&self, number: usize, request: &Request) -> Option<Guess> {
        let (machine, thread) = self.place(request)?;
        let beside = self.beside(number, thread);
        let client = self.of_client.get(&machine);
        let has_token = request.ccm_token == Some(true);
        let to_gateways = match (beside.is_empty(), client) {
            (false, _) => beside.iter().all(|request| request.to_cmg),
            (true, Some(client)) => client.others == 0 || has_token,
            (true, None) => has_token && !self.requests.cmg_hosts.is_empty(),
        };
        if !to_gateways {
            return None;
        }
        let likely = if has_token { 1.0 } else { client.map_or(0.5, Named::to_gateway) };
        let hosts: Vec<&String> = beside.iter().filter_map(|request| request.host.as_ref()).collect();
        let gateway = match (hosts.as_slice(), client) {
            ([host], _) => Some((*host).clone()),
            ([one, two], _) => (one == two).then(|| (*one).clone()),
            (_, Some(client)) if client.gateways.len() == 1 => client.gateways.keys().next().cloned(),
            _ => None,
        };
        Some(Guess { gateway, likely })
    }

    /// The requests with a host that the thread made just before and just after.
    fn beside(&self, number: usize, thread: Thread) -> Vec<&'a Request> {
        let named = self.of_thread.get(&thread).map_or(&[][..], Vec::as_slice);
        let after = named.partition_point(|other| *other < number);
        let before = after.checked_sub(1).and_then(|before| named.get(before));
        before.into_iter().chain(named.get(after)).map(|other| &self.requests.all[*other]).collect()
    }
}

impl Named {
    /// How likely another request of this client goes to a gateway.
    #[allow(clippy::cast_precision_loss)] // counts
    fn to_gateway(&self) -> f64 {
        let to_gateways = self.gateways.values().sum::<usize>() as f64;
        (to_gateways + BELIEVED) / (to_gateways + self.others as f64 + 2.0 * BELIEVED)
    }
}
