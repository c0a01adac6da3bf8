//! Joins the servers' transactions to flows by exact keys.
//!
//! A key names a client; the flow of that client is the one whose own lines are nearest in time. Nothing is joined by
//! time alone. Where two flows fit equally, both keep the lines and the join says how many rivals there are.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::clocks::{Clocks, Reading};
use super::draft::{Draft, Member};
use super::identity;
use super::servers::Transaction;
use super::{ClientIdentity, Join, LineRef};
use crate::events::Event;
use crate::finding::Confidence;
use crate::stage::{FlowKind, Stage};
use crate::time::Micros;

/// How far two machines' clocks may be apart before a line is no longer taken for part of a flow.
const MARGIN: Micros = 15 * 60 * 1_000_000;

/// Two flows whose distances differ by less than this fit equally.
const TIE: Micros = 1_000_000;

/// A flow that is nearer than the next by less than two clocks may be apart is likely, not certain, the right one.
/// This is what clocks that nothing tells of may be apart; of others it is known, and this is added to it.
const CLOCKS: Micros = MARGIN;
const BESIDES: Micros = 2 * 1_000_000;

/// A flow with what is known of its client, as the join sees it.
pub struct Candidate {
    /// Times of the client's own events, led back to its clock's reference, ascending.
    pub times: Vec<Micros>,
    /// What is known of its clock.
    clock: Option<Reading>,
    /// It registers, or asks for a token: the two purposes that a transaction can serve.
    serves: (bool, bool),
    /// Its ids by key, each with its own lines that name it, in their order; none where its client is known by it elsewhere.
    naming: BTreeMap<(&'static str, String), Vec<u32>>,
}

impl Candidate {
    /// What a draft offers to join by: the ids in its own lines, and those its client is known by elsewhere.
    pub fn new(draft: &Draft, client: &ClientIdentity, events: &[Event], (machine, clocks): (usize, &Clocks)) -> Self {
        let mut naming: BTreeMap<(&'static str, String), Vec<u32>> = BTreeMap::new();
        for member in &draft.client {
            for named in identity::ids(&events[member.event as usize]) {
                naming.entry(named).or_default().push(member.event);
            }
        }
        for (key, id) in
            [("device-id", &client.device_id), ("client-id", &client.client_id), ("user-id", &client.user_id)]
        {
            if let Some(id) = id {
                naming.entry((key, id.clone())).or_default();
            }
        }
        let own = || draft.client.iter().map(|member| &events[member.event as usize]);
        let readings = || own().filter_map(|event| event.stamp.utc).map(|utc| clocks.read(machine, utc));
        let clock = readings().max_by_key(|reading| (reading.uncertainty, reading.at));
        let mut times: Vec<Micros> = readings().map(|reading| reading.at).collect();
        times.sort_unstable();
        let token = [Stage::AadToken, Stage::CcmTokenRequest, Stage::CcmTokenIssue];
        let asks = own().any(|event| event.stage().is_some_and(|stage| token.contains(&stage)));
        Self { times, clock, serves: (draft.kind == FlowKind::Registration, asks), naming }
    }

    /// The client's nearest line that names what joins it, where the flow itself names it.
    fn naming(
        &self,
        by: &[&'static str],
        transaction: &Transaction,
        events: &[Event],
        distance: impl Fn(Micros) -> Micros,
    ) -> Option<LineRef> {
        let named = by.iter().filter_map(|key| Some((*key, transaction.ids.get(key)?)));
        let lines = named.flat_map(|(key, id)| self.lines_with(key, id));
        let far = |event: u32| events[event as usize].stamp.utc.map_or(Micros::MAX, &distance);
        let nearest = lines.min_by_key(|event| (far(*event), *event))?;
        Some(LineRef::from(&events[nearest as usize].place))
    }

    /// Its lines with an id: few flows name an id often, and only masked ids are compared one by one.
    fn lines_with<'s>(&'s self, key: &'static str, id: &'s str) -> impl Iterator<Item = u32> + 's {
        let exact = self.naming.get(&(key, id.to_owned())).filter(|_| !identity::is_masked(id));
        let masked = |known: &str| identity::is_masked(known) || identity::is_masked(id);
        let others = self
            .naming
            .iter()
            .filter(move |((other, known), _)| *other == key && masked(known) && identity::agree(known, id));
        exact.into_iter().chain(others.map(|(_, lines)| lines)).flatten().copied()
    }

    /// True where the flow has a line of the purpose that the transaction serves.
    fn serves(&self, transaction: &Transaction) -> bool {
        if transaction.registers { self.serves.0 } else { self.serves.1 }
    }

    /// Distance in time, `None` where the flow is too far away; zero where no time is known.
    fn distance(&self, transaction: &Transaction, clocks: &Clocks) -> Option<Micros> {
        let read = |utc: Micros| clocks.read(transaction.machine, utc).at;
        let (Some(started), Some(ended)) = (transaction.started.map(read), transaction.ended.map(read)) else {
            return Some(0);
        };
        let next = self.times.partition_point(|time| *time < started);
        let before = next.checked_sub(1).and_then(|last| self.times.get(last)).map(|time| started - time);
        let after = self.times.get(next).map(|time| (time - ended).max(0));
        let nearest = before.into_iter().chain(after).min();
        nearest.map_or(Some(0), |nearest| (nearest <= MARGIN).then_some(nearest))
    }

    /// How far the two clocks may be apart.
    fn clocks(&self, transaction: &Transaction, clocks: &Clocks) -> Micros {
        let server = transaction.started.map(|utc| clocks.read(transaction.machine, utc));
        match (self.clock, server) {
            (Some(own), Some(server)) if own.firm && server.firm && own.reference == server.reference => {
                2 * (own.uncertainty + server.uncertainty) + BESIDES
            }
            _ => CLOCKS,
        }
    }
}

/// Joins every transaction that shares a key with a flow. `candidates` stand in the order of `drafts`, whose machines
/// are `machine_of`. Returns the places of the transactions that some key joins.
pub fn join(
    drafts: &mut [Draft],
    machine_of: &[usize],
    candidates: &[Candidate],
    transactions: &[Transaction],
    events: &[Event],
    clocks: &Clocks,
) -> HashSet<usize> {
    let index = Index::new(candidates);
    let mut joined = HashSet::new();
    for (number, transaction) in transactions.iter().enumerate() {
        let partners = index.partners(transaction, candidates, clocks);
        for Partner { flow, by, rivals, confidence, distance_seconds } in partners {
            joined.insert(number);
            let at = transaction.started.map(|utc| clocks.read(transaction.machine, utc).at);
            let attempt = attempt_at(&drafts[flow], at, events, |utc| clocks.read(machine_of[flow], utc).at);
            let read = |utc| clocks.read(machine_of[flow], utc).at;
            let distance = |utc| at.map_or(0, |at| (read(utc) - at).abs());
            let to = candidates[flow].naming(&by, transaction, events, distance);
            for &(event, within) in &transaction.lines {
                let mut keys: Vec<String> = by.iter().map(|key| (*key).to_owned()).collect();
                if !identity::ids(&events[event as usize]).keys().any(|key| by.contains(key)) {
                    keys.push(within.to_owned());
                }
                let join = Join { by: keys, confidence, distance_seconds, rivals, to: to.clone() };
                let member = Member { event, attempt, join };
                if confidence == Confidence::Possible {
                    drafts[flow].candidates.push(member);
                } else {
                    drafts[flow].servers.push(member);
                }
            }
        }
    }
    joined
}

/// A flow that a transaction belongs to, and why.
struct Partner {
    flow: usize,
    by: Vec<&'static str>,
    rivals: usize,
    confidence: Confidence,
    distance_seconds: Option<f64>,
}

/// Flows by id; masked ids are few and are compared one by one.
struct Index<'a> {
    exact: HashMap<(&'static str, &'a str), Vec<usize>>,
    masked: Vec<(&'static str, &'a str, usize)>,
}

impl<'a> Index<'a> {
    fn new(candidates: &'a [Candidate]) -> Self {
        let mut index = Self { exact: HashMap::new(), masked: Vec::new() };
        for (flow, candidate) in candidates.iter().enumerate() {
            for (key, id) in candidate.naming.keys() {
                index.exact.entry((key, id)).or_default().push(flow);
                if identity::is_masked(id) {
                    index.masked.push((key, id, flow));
                }
            }
        }
        index
    }

    /// The flows that fit best.
    fn partners(&self, transaction: &Transaction, candidates: &[Candidate], clocks: &Clocks) -> Vec<Partner> {
        let mut flows: Vec<usize> = transaction.ids.iter().flat_map(|(key, id)| self.named(key, id)).collect();
        flows.sort_unstable();
        flows.dedup();
        let mut fits: Vec<(usize, bool, Micros, usize, Vec<&'static str>)> = Vec::new();
        for flow in flows {
            let Some(by) = agreeing(&candidates[flow], transaction) else { continue };
            let Some(distance) = candidates[flow].distance(transaction, clocks) else { continue };
            fits.push((strength(&by), !candidates[flow].serves(transaction), distance, flow, by));
        }
        fits.sort();
        let Some((strongest, other, nearest)) = fits.first().map(|fit| (fit.0, fit.1, fit.2)) else {
            return Vec::new();
        };
        let (mut fits, others): (Vec<_>, Vec<_>) =
            fits.into_iter().partition(|fit| fit.0 == strongest && fit.1 == other);
        // One that fits less by its keys or its purpose, and stands nearer: lines that would show more may be lost.
        let is_passed_over = others.iter().any(|fit| fit.2 + TIE < nearest);
        let rivals = fits.iter().filter(|fit| fit.2 - nearest <= TIE).count() - 1;
        let runner_up = fits.iter().map(|fit| fit.2).find(|distance| distance - nearest > TIE);
        let chosen_by_time = runner_up.is_some();
        fits.retain(|fit| fit.2 - nearest <= TIE);
        let apart = |flow: usize| candidates[flow].clocks(transaction, clocks);
        let partner = |(_, _, distance, flow, by): (usize, bool, Micros, usize, Vec<&'static str>)| {
            let timed = transaction.started.is_some() && !candidates[flow].times.is_empty();
            let clear = runner_up.is_none_or(|next| next - distance > apart(flow)) && !is_passed_over;
            let confidence = match rivals {
                0 if timed && clear && names_a_client(&by) => Confidence::Certain,
                0 => Confidence::Likely,
                _ => Confidence::Possible,
            };
            // Distances are far below 2^52 microseconds, so the conversion is exact.
            #[allow(clippy::cast_precision_loss)]
            let distance_seconds = (timed && chosen_by_time).then_some(distance as f64 / 1e6);
            Partner { flow, by, rivals, confidence, distance_seconds }
        };
        fits.into_iter().map(partner).collect()
    }

    fn named(&self, key: &'static str, id: &str) -> Vec<usize> {
        let mut flows = self.exact.get(&(key, id)).cloned().unwrap_or_default();
        if identity::is_masked(id) {
            let all = self.exact.iter().filter(|((other, known), _)| *other == key && identity::agree(known, id));
            flows.extend(all.flat_map(|(_, flows)| flows));
        }
        let masked = self.masked.iter().filter(|(other, known, _)| *other == key && identity::agree(known, id));
        flows.extend(masked.map(|(_, _, flow)| *flow));
        flows
    }
}

/// Keys that agree; `None` where none does, or where the device's key contradicts. The ConfigMgr client id of a first
/// token need not be the one registered later (log catalogue, section 3.4), so it contradicts nothing.
fn agreeing(candidate: &Candidate, transaction: &Transaction) -> Option<Vec<&'static str>> {
    let mut by = Vec::new();
    for (key, _) in identity::KEYS {
        let Some(id) = transaction.ids.get(key) else { continue };
        let mut known = candidate.naming.keys().filter(|(other, _)| *other == key).peekable();
        if known.peek().is_none() {
            continue;
        }
        if known.any(|(_, known)| identity::agree(known, id)) {
            by.push(key);
        } else if key == "device-id" {
            return None;
        }
    }
    (!by.is_empty()).then_some(by)
}

/// True where the keys name one client. A user may be signed in to several machines.
fn names_a_client(by: &[&'static str]) -> bool {
    by.iter().any(|key| !matches!(*key, "user-id" | "sid"))
}

/// Rank of the strongest key that agrees, strongest first.
fn strength(by: &[&'static str]) -> usize {
    identity::KEYS.iter().position(|(key, _)| by.contains(key)).unwrap_or(identity::KEYS.len())
}

/// The attempt that was under way: the last that had begun, else the first. `read` leads the client's times back.
fn attempt_at(draft: &Draft, at: Option<Micros>, events: &[Event], read: impl Fn(Micros) -> Micros) -> u32 {
    let Some(at) = at else { return draft.attempts() };
    let begun = draft
        .client
        .partition_point(|member| events[member.event as usize].stamp.utc.is_none_or(|utc| read(utc) <= at));
    begun.checked_sub(1).and_then(|last| draft.client.get(last)).map_or(1, |member| member.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    fn candidate(ids: &[(&'static str, &str)], at: Micros, asks: bool) -> Candidate {
        let naming = ids.iter().map(|(key, id)| ((*key, (*id).to_owned()), Vec::new())).collect();
        Candidate { times: vec![at * SECOND], clock: None, serves: (false, asks), naming }
    }

    fn confidences(candidates: &[Candidate], ids: &[(&'static str, &str)]) -> Vec<(usize, Confidence)> {
        let mut transaction = Transaction::default();
        transaction.ids = ids.iter().map(|(key, id)| (*key, (*id).to_owned())).collect();
        (transaction.started, transaction.ended) = (Some(0), Some(0));
        let partners = Index::new(candidates).partners(&transaction, candidates, &Clocks::default());
        partners.into_iter().map(|partner| (partner.flow, partner.confidence)).collect()
    }

    #[test]
    fn a_device_is_one_client_and_a_user_may_be_at_several() {
        let flows = [candidate(&[("device-id", "d1"), ("user-id", "u1")], 2, true)];
        assert_eq!(confidences(&flows, &[("device-id", "d1")]), [(0, Confidence::Certain)]);
        assert_eq!(confidences(&flows, &[("user-id", "u1")]), [(0, Confidence::Likely)]);
    }

    #[test]
    fn a_flow_that_is_passed_over_though_it_is_nearer_leaves_a_doubt() {
        let own = [("device-id", "d1")];
        let flows = [candidate(&own, 300, true), candidate(&own, 2, false)];
        assert_eq!(confidences(&flows, &own), [(0, Confidence::Likely)]);
        let flows = [candidate(&own, 2, true), candidate(&own, 300, false)];
        assert_eq!(confidences(&flows, &own), [(0, Confidence::Certain)]);
    }
}
