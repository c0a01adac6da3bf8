//! Puts what the hops tell into the flows: which server's line belongs to which flow, how sure that is, and what else
//! it may be.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::draft::{Draft, Member};
use super::hops::{Answer, Layer, Link, Sightings};
use super::ranges::{Asker, Crowds};
use super::requests::Requests;
use super::servers::Transaction;
use super::{Join, LineRef};
use crate::events::Event;
use crate::finding::Confidence;

/// A join said to be certain is wrong in fewer than one of a thousand, one said to be likely in fewer than one of
/// twenty, both together in fewer than one of a hundred. Shares come from models, which are never quite right.
const CERTAIN: f64 = 0.9995;
const LIKELY: f64 = 0.95;

/// Candidates are kept until this much of what is likely is among them.
const ENOUGH: f64 = 0.995;

/// A link that is less likely is no rival of another.
const LEAST: f64 = 0.02;

/// Flows that list a transaction that may be theirs, at most. Of more, the likely ones list it, and all are told the range
/// of lines in which their own stand ([`super::ranges`]).
const MOST: usize = 12;

/// Of more candidates than are listed, those that are this likely are.
const WORTH: f64 = 0.1;

/// Joins transactions that no key has joined. `joined` are the transactions that some key has.
pub fn place(
    links: &[Link],
    sightings: &Sightings,
    transactions: &[Transaction],
    joined: &HashSet<usize>,
    requests: &Requests,
    events: &[Event],
    drafts: &mut [Draft],
) {
    let flow_of = flows_of_requests(drafts, requests);
    let mut of_transaction: BTreeMap<usize, Vec<&Link>> = BTreeMap::new();
    let mut rivals: HashMap<(Layer, u32), usize> = HashMap::new();
    for link in links {
        let transaction = sightings.of(link.layer)[link.place as usize].of;
        if link.share >= LEAST {
            *rivals.entry((link.layer, link.client)).or_insert(0) += 1;
        }
        if !joined.contains(&transaction) {
            of_transaction.entry(transaction).or_default().push(link);
        }
    }
    let mut crowds = Crowds::default();
    for (number, links) in of_transaction {
        let Some(transaction) = transactions.get(number) else { continue };
        let Kept { listed, confidence, flows } = kept(&links, sightings, &flow_of);
        if listed.len() < flows {
            for link in links {
                let client = &sightings.of(Layer::Client)[link.client as usize];
                let Some(&(flow, attempt)) = of_request(client.of, &flow_of) else { continue };
                let asker = Asker { flow, attempt, line: client.line };
                crowds.add((link.layer, link.client, link.share), asker, transaction, events);
            }
        }
        for found in listed {
            let client = &sightings.of(Layer::Client)[found.link.client as usize];
            let server = &sightings.of(found.link.layer)[found.link.place as usize];
            let mut by = vec!["time", "endpoint"];
            if client.answer != Answer::Unknown && server.answer != Answer::Unknown {
                by.push("status");
            }
            let all = rivals.get(&(found.link.layer, found.link.client)).copied().unwrap_or(0);
            let others = all.saturating_sub(usize::from(found.link.share >= LEAST));
            let to = events.get(client.line as usize).map(|event| LineRef::from(&event.place));
            for (nth, &(event, within)) in transaction.lines.iter().enumerate() {
                let keys = by.iter().copied().chain((nth > 0).then_some(within));
                let join = Join {
                    by: keys.map(str::to_owned).collect(),
                    confidence,
                    distance_seconds: found.link.distance,
                    rivals: if confidence == Confidence::Possible { (flows - 1).max(others) } else { 0 },
                    to: to.clone(),
                };
                let member = Member { event, attempt: found.attempt, join };
                let draft = &mut drafts[found.flow];
                if confidence == Confidence::Possible {
                    draft.candidates.push(member);
                } else {
                    draft.servers.push(member);
                }
            }
        }
    }
    crowds.tell(drafts, events);
}

/// Notes the requests that carry a CCM token and were, as their neighbours tell, sent to a gateway that no line names.
pub fn note_presumed(sightings: &Sightings, requests: &mut Requests) {
    for client in sightings.of(Layer::Client) {
        if let Some(request) = requests.all.get_mut(client.of) {
            request.presumed_to_cmg = request.host.is_none() && request.ccm_token == Some(true);
        }
    }
}

/// Notes how requests were answered whose clients' logs do not tell, where servers' lines surely do. Which of several
/// lines is a request's own need not be known where all of them say the same.
pub fn note_answers(links: &[Link], sightings: &Sightings, requests: &mut Requests) {
    let mut good: BTreeMap<(Layer, u32), f64> = BTreeMap::new();
    // With the line that surely is the request's own.
    let mut bad: BTreeMap<(u32, u16), (f64, Option<u32>)> = BTreeMap::new();
    for link in links.iter().filter(|link| link.compared) {
        let server = &sightings.of(link.layer)[link.place as usize];
        match server.answer {
            Answer::Good => *good.entry((link.layer, link.client)).or_default() += link.share,
            Answer::Bad(Some(status)) if link.layer == Layer::Gateway => {
                let (share, own) = bad.entry((link.client, status)).or_default();
                *share += link.share;
                *own = own.or((link.share >= LIKELY).then_some(server.line));
            }
            _ => {}
        }
    }
    let clients = sightings.of(Layer::Client);
    // The layers' shares hang together, for each is led to the client over the same lines: several prove no more than the
    // surest of them.
    for ((_, client), _) in good.into_iter().filter(|(_, share)| *share >= LIKELY) {
        let client = &clients[client as usize];
        if client.to.is_some() || client.answer != Answer::Unknown {
            continue;
        }
        if let Some(request) = requests.all.get_mut(client.of) {
            request.served = true;
        }
    }
    for ((client, status), (_, own)) in bad.into_iter().filter(|(_, (share, _))| *share >= LIKELY) {
        let Some(request) = requests.all.get_mut(clients[client as usize].of) else { continue };
        if request.failed() && request.status.is_none() && request.code.is_none() {
            request.status = Some(status);
            request.row = own;
        }
    }
}

/// The flow of each request, with the attempt.
fn flows_of_requests(drafts: &[Draft], requests: &Requests) -> HashMap<u32, (usize, u32)> {
    let mut flow_of = HashMap::new();
    for (flow, draft) in drafts.iter().enumerate() {
        for member in &draft.client {
            if let Some(&request) = requests.of_event.get(&member.event) {
                flow_of.entry(request).or_insert((flow, member.attempt));
            }
        }
    }
    flow_of
}

/// A flow that a transaction may belong to, by its likeliest request.
struct Found<'a> {
    flow: usize,
    attempt: u32,
    share: f64,
    link: &'a Link,
}

/// What is kept of the flows that a transaction may belong to.
struct Kept<'a> {
    /// Those that list it.
    listed: Vec<Found<'a>>,
    /// How sure that is.
    confidence: Confidence,
    /// How many come into question.
    flows: usize,
}

fn of_request(request: usize, flow_of: &HashMap<u32, (usize, u32)>) -> Option<&(usize, u32)> {
    flow_of.get(&u32::try_from(request).ok()?)
}

/// The flows that a transaction is kept for: one that is sure, or as many as it takes.
fn kept<'a>(links: &[&'a Link], sightings: &Sightings, flow_of: &HashMap<u32, (usize, u32)>) -> Kept<'a> {
    let mut found: BTreeMap<usize, Found<'a>> = BTreeMap::new();
    for &link in links {
        let request = sightings.of(Layer::Client)[link.client as usize].of;
        let Some(&(flow, attempt)) = of_request(request, flow_of) else { continue };
        let known = found.entry(flow).or_insert(Found { flow, attempt, share: 0.0, link });
        known.share += link.share;
        if link.share > known.link.share {
            (known.link, known.attempt) = (link, attempt);
        }
    }
    let mut listed: Vec<Found<'a>> = found.into_values().collect();
    listed.sort_by(|one, two| two.share.total_cmp(&one.share).then(one.flow.cmp(&two.flow)));
    let confidence = listed.first().map_or(Confidence::Possible, |best| match best.share {
        share if !best.link.compared || share < LIKELY => Confidence::Possible,
        share if share < CERTAIN => Confidence::Likely,
        _ => Confidence::Certain,
    });
    if confidence != Confidence::Possible {
        listed.truncate(1);
        return Kept { listed, confidence, flows: 1 };
    }
    let total: f64 = listed.iter().map(|found| found.share).sum();
    let mut sum = 0.0;
    let open = |found: &&Found<'a>| {
        let open = sum <= ENOUGH * total;
        sum += found.share;
        open
    };
    let flows = listed.iter().take_while(open).count();
    let most = if flows > MOST { listed.partition_point(|found| found.share >= WORTH) } else { flows };
    listed.truncate(most);
    Kept { listed, confidence, flows }
}
