//! From events to flows: rebuild requests, cut each client's lines, join the servers', judge.

use std::collections::{HashMap, HashSet};

use super::clocks::{self, Clock, Clocks};
use super::cut::{self, Context};
use super::draft::{Draft, Member};
use super::hops::{self, Layer, Link, Sightings};
use super::join::{self, Candidate};
use super::judge::{Bench, Verdict};
use super::machines::{self, Machine};
use super::place;
use super::requests::{self, Requests};
use super::servers::Transaction;
use super::{ClientIdentity, Flow, FlowEvent, FlowKind, attempts, earlier, identity, servers};
use crate::events::Event;
use crate::knowledge::Knowledge;
use crate::record::{Format, Source};
use crate::stage::{Role, Stage};
use crate::time::{Micros, rfc3339};
use crate::workflow;

/// What diagnosis needs of a flow besides what it shows.
#[derive(Debug, Clone, Default)]
pub struct FlowDetail {
    /// Index of the client's machine.
    pub machine: usize,
    /// Its events with their attempts, client and servers, as indices of the trail's events.
    pub events: Vec<(u32, u32)>,
    /// Requests that its client made, as indices of [`Requests::all`], with their attempts.
    pub requests: Vec<(u32, u32)>,
    /// True where some line of it has to do with a gateway.
    pub through_cmg: bool,
    /// True where its first line was seen.
    pub from_start: bool,
    /// The flow as it stood when it had failed otherwise than it does since, the latest first, each with its own detail.
    pub earlier: Vec<(Flow, FlowDetail)>,
    /// Client events of messages that a user's file adds, with the attempts that they fall into. They are no part of
    /// the flow.
    pub beside: Vec<(u32, u32)>,
}

/// The flows, and what they were made from.
#[derive(Debug, Default)]
pub struct Followed {
    /// The flows, in order of start.
    pub flows: Vec<Flow>,
    /// A detail for each flow.
    pub details: Vec<FlowDetail>,
    /// The machines.
    pub machines: Vec<Machine>,
    /// The requests of all clients.
    pub requests: Requests,
    /// True where some source holds a request to a CMG.
    pub traffic: bool,
    /// Server events of messages that a user's file adds.
    pub beside: Vec<u32>,
    /// How far the machines' clocks are apart.
    pub clocks: Vec<Clock>,
}

impl Followed {
    /// Keeps only the flows that `wanted` says yes to.
    pub fn retain(&mut self, wanted: impl Fn(&Flow) -> bool) {
        let flows = std::mem::take(&mut self.flows).into_iter().zip(std::mem::take(&mut self.details));
        (self.flows, self.details) = flows.filter(|(flow, _)| wanted(flow)).unzip();
    }
}

/// Follows every client through the events of all machines.
///
/// `known_cmgs` are host names of gateways that are known from elsewhere (a site description).
pub fn follow(events: &[Event], sources: &[Source], knowledge: &Knowledge, known_cmgs: &[String]) -> Followed {
    let mut requests = requests::rebuild(events, knowledge, known_cmgs);
    let machines = machines::group(events, sources);
    let known: Vec<ClientIdentity> =
        machines.iter().map(|machine| identity_of(&machine.client_events, events)).collect();
    let servers = Servers::new(&machines, &Context { events, sources, requests: &requests, knowledge });
    let links = servers.links();
    place::note_presumed(&servers.sightings, &mut requests);
    place::note_answers(&links, &servers.sightings, &mut requests);
    let context = Context { events, sources, requests: &requests, knowledge };
    let patience = cut::patience(&machines, events);
    let (mut drafts, mut machine_of): (Vec<Draft>, Vec<usize>) = (Vec::new(), Vec::new());
    for (machine, logs) in machines.iter().enumerate() {
        drafts.extend(cut::cut(logs, &context, patience));
        machine_of.resize(drafts.len(), machine);
    }
    for draft in &mut drafts {
        attempts::number(draft, events, &requests);
    }
    servers.join(&mut drafts, (&machine_of, &known), &links, &context);

    let roles = sources.iter().filter_map(|source| source.role).collect();
    let bench = Bench { events, sources, roles: &roles, requests: &requests, knowledge };
    let led_back = |event: u32| servers.led_back(event, events);
    let of_draft = |(draft, machine): (&Draft, &usize)| {
        let finish =
            |draft: &Draft| finish(draft, (*machine, &machines[*machine]), &known[*machine], &bench, &led_back);
        let (flow, mut detail) = finish(draft);
        if flow.broke_at.is_some() && flow.attempts > 1 {
            let attempts = earlier::failed_otherwise(draft, events, &requests);
            detail.earlier = attempts.into_iter().map(|attempt| finish(&draft.until(attempt, events))).collect();
        }
        (flow, detail)
    };
    let mut finished: Vec<(Flow, FlowDetail)> = drafts.iter().zip(&machine_of).map(of_draft).collect();
    finished.sort_by(|(left, _), (right, _)| {
        let key = |flow: &Flow| (flow.started.is_none(), flow.started, flow.kind, flow.client.host.clone());
        key(left).cmp(&key(right))
    });
    name_flows(&mut finished);
    let traffic = has_traffic(events, &requests);
    let names: Vec<String> = machines.iter().map(|machine| machine.name.clone()).collect();
    let clocks = servers.clocks.report(&names);
    let (flows, details) = finished.into_iter().unzip();
    Followed { flows, details, machines, requests, traffic, beside: Vec::new(), clocks }
}

/// From the whole second that a row of IIS shows to that second's end.
const REST_OF_SECOND: Micros = 999_999;

/// A transaction that names a client served no request further away than this.
const KEYED: Micros = 60 * 1_000_000;

/// What the servers did, and how their clocks stand to those of the clients.
struct Servers {
    /// Place of the machine of each source.
    machine_of: Vec<usize>,
    transactions: Vec<Transaction>,
    sightings: Sightings,
    clocks: Clocks,
    homes: hops::Homes,
    ids: clocks::Ids,
}

impl Servers {
    fn new(machines: &[Machine], context: &Context<'_>) -> Self {
        let Context { events, sources, requests, knowledge } = *context;
        let mut machine_of = vec![0; sources.len()];
        for (place, machine) in machines.iter().enumerate() {
            for &event in machine.client_events.iter().chain(&machine.server_events) {
                machine_of[events[event as usize].place.source as usize] = place;
            }
        }
        let hosts = hosts(machines);
        let transactions = servers::transactions(machines, events);
        let seen = hops::Context { events, sources, knowledge, machine_of: &machine_of, hosts: &hosts };
        let sightings = hops::collect(requests, &transactions, &seen);
        let ids = clocks::Ids::new(machines, events);
        let (clocks, homes) = clocks::estimate(machines.len(), &sightings, &transactions, &ids);
        Self { machine_of, transactions, sightings, clocks, homes, ids }
    }

    /// Which requests of clients the servers' lines may be of, where no key says so.
    fn links(&self) -> Vec<Link> {
        hops::links(&self.sightings, &self.clocks, &self.homes, &self.keyed())
    }

    /// Joins the servers' lines: by keys first, then what no key joins. `machine_of` and `known` are each draft's machine
    /// and what is known of each machine's client.
    fn join(
        &self,
        drafts: &mut [Draft],
        (machine_of, known): (&[usize], &[ClientIdentity]),
        links: &[Link],
        context: &Context<'_>,
    ) {
        let events = context.events;
        let candidate = |(draft, machine): (&Draft, &usize)| {
            Candidate::new(draft, &known[*machine], events, (*machine, &self.clocks))
        };
        let candidates: Vec<Candidate> = drafts.iter().zip(machine_of).map(candidate).collect();
        let joined = join::join(drafts, machine_of, &candidates, &self.transactions, events, &self.clocks);
        place::place(links, &self.sightings, &self.transactions, &joined, context.requests, events, drafts);
    }

    /// Transactions of the token service that name one client, with its nearest request that they may have served:
    /// places in their layers.
    fn keyed(&self) -> Vec<(u32, u32)> {
        let clients = self.sightings.of(Layer::Client);
        let read =
            |sighting: &hops::Sighting| sighting.middle().map(|middle| self.clocks.read(sighting.machine, middle).at);
        let asked = clocks::Asked::new(clients, |client| Some(((client.machine, client.endpoint), read(client)?)));
        let mut keyed = Vec::new();
        for (place, served) in (0_u32..).zip(self.sightings.of(Layer::TokenService)) {
            let client = self.transactions.get(served.of).and_then(|transaction| self.ids.machine(transaction));
            let Some((client, at)) = client.zip(read(served)) else { continue };
            let around = asked.near(&(client, served.endpoint), at, KEYED, 2);
            let nearest = around.iter().map(|(time, request)| ((time - at).abs(), *request)).min();
            keyed.extend(nearest.map(|(_, request)| (place, request)));
        }
        keyed
    }

    /// UTC of an event, led back to the reference of its machine's clock.
    fn led_back(&self, event: u32, events: &[Event]) -> Option<Micros> {
        let event = &events[event as usize];
        let machine = *self.machine_of.get(event.place.source as usize)?;
        Some(self.clocks.read(machine, event.stamp.utc?).at)
    }
}

/// The machine of each host name, in small letters and without a domain. A name that two machines share says nothing.
fn hosts(machines: &[Machine]) -> HashMap<String, usize> {
    let mut places: HashMap<String, Option<usize>> = HashMap::new();
    for (place, machine) in machines.iter().enumerate() {
        let Some(host) = &machine.host else { continue };
        let label = host.split('.').next().unwrap_or_default().to_lowercase();
        places.entry(label).and_modify(|known| *known = None).or_insert(Some(place));
    }
    places.into_iter().filter_map(|(label, place)| Some((label, place?))).collect()
}

fn identity_of(indices: &[u32], events: &[Event]) -> ClientIdentity {
    let mut client = ClientIdentity::default();
    for &index in indices {
        identity::learn(&mut client, &events[index as usize]);
    }
    client
}

fn finish(
    draft: &Draft,
    (machine, logs): (usize, &Machine),
    known: &ClientIdentity,
    bench: &Bench<'_>,
    led_back: &dyn Fn(u32) -> Option<Micros>,
) -> (Flow, FlowDetail) {
    let Verdict { outcome, broke_at, stages, through_cmg } = bench.judge(draft);
    let own: Vec<u32> = draft.client.iter().map(|member| member.event).collect();
    let joined: Vec<u32> = draft.servers.iter().map(|member| member.event).collect();
    let mut client = identity_of(&own, bench.events);
    fill(&mut client, identity_of(&joined, bench.events));
    fill(&mut client, known.clone());
    client.host.clone_from(&logs.host);

    let times = || own.iter().filter_map(|&event| bench.events[event as usize].stamp.utc);
    let detail = FlowDetail {
        machine,
        events: draft.client.iter().chain(&draft.servers).map(|member| (member.event, member.attempt)).collect(),
        requests: requests_of(draft, bench.requests),
        through_cmg,
        from_start: draft.from_start,
        earlier: Vec::new(),
        beside: Vec::new(),
    };
    let flow = Flow {
        id: String::new(),
        kind: draft.kind,
        client,
        attempts: draft.attempts(),
        started: times().min(),
        ended: times().max(),
        outcome,
        broke_at,
        stages,
        events: flow_events(draft, bench, led_back),
        candidate_ranges: draft.ranges.clone(),
    };
    (flow, detail)
}

fn fill(client: &mut ClientIdentity, from: ClientIdentity) {
    client.device_id = client.device_id.take().or(from.device_id);
    client.user_id = client.user_id.take().or(from.user_id);
    client.client_id = client.client_id.take().or(from.client_id);
    client.tenant_id = client.tenant_id.take().or(from.tenant_id);
}

/// The requests of a draft's client, each with the attempt of its first line.
fn requests_of(draft: &Draft, requests: &Requests) -> Vec<(u32, u32)> {
    let mut seen = HashSet::new();
    let of_member = |member: &Member| Some((*requests.of_event.get(&member.event)?, member.attempt));
    draft.client.iter().filter_map(of_member).filter(|(request, _)| seen.insert(*request)).collect()
}

/// The events of a flow in order of time, clocks led back; a line without UTC keeps its place behind the line before it.
/// A row of IIS is written when the request is over, and shows the whole second alone: it stands at that second's end.
fn flow_events(draft: &Draft, bench: &Bench<'_>, led_back: &dyn Fn(u32) -> Option<Micros>) -> Vec<FlowEvent> {
    let mut last = Micros::MIN;
    let mut ordered: Vec<(Micros, &Member)> = Vec::new();
    for member in &draft.client {
        last = led_back(member.event).unwrap_or(last);
        ordered.push((last, member));
    }
    let is_row = |member: &Member| {
        let source = bench.events[member.event as usize].place.source;
        bench.sources.get(source as usize).is_some_and(|source| source.format == Some(Format::W3c))
    };
    for member in draft.servers.iter().chain(&draft.candidates) {
        let rest = if is_row(member) { REST_OF_SECOND } else { 0 };
        ordered.push((led_back(member.event).map_or(Micros::MAX, |at| at + rest), member));
    }
    ordered.sort_by_key(|(time, _)| *time);
    // A line of the client that tells no stage is of that of its line before; a server's is of its machine's own.
    let mut of_client = first_stage(draft.kind);
    let mut events = Vec::with_capacity(ordered.len());
    for (_, member) in ordered {
        let event = &bench.events[member.event as usize];
        let of_server = event.role().and_then(workflow::first_at);
        let stage = bench.shown_at(member.event).or(of_server).unwrap_or(of_client);
        if of_server.is_none() {
            of_client = stage;
        }
        events.push(FlowEvent {
            attempt: member.attempt,
            stage,
            mark: event.mark(),
            at: event.stamp.utc,
            source: std::sync::Arc::clone(&event.place.file),
            line: event.place.line,
            join: member.join.clone(),
            message: event.id().to_owned(),
            event: member.event,
        });
    }
    events
}

/// The stage of lines that stand before any line with a stage.
fn first_stage(kind: FlowKind) -> Stage {
    match kind {
        FlowKind::Install => Stage::ClientInstall,
        FlowKind::Registration => Stage::Registration,
        FlowKind::Service => Stage::CmgConnection,
    }
}

/// Names the flows by kind, client and start, so that a name is the same in every run over the same logs.
fn name_flows(flows: &mut [(Flow, FlowDetail)]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (flow, _) in flows {
        let kind = match flow.kind {
            FlowKind::Install => "install",
            FlowKind::Registration => "registration",
            FlowKind::Service => "service",
        };
        let client = flow.client.host.as_deref().or(flow.client.device_id.as_deref()).unwrap_or("client");
        let started = flow.started.map_or_else(|| "undated".to_owned(), compact);
        let name = format!("{kind}-{client}-{started}");
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        flow.id = if *count == 1 { name } else { format!("{name}-{count}") };
    }
}

/// `20261104T091233Z`
fn compact(utc: Micros) -> String {
    let text = rfc3339(utc);
    let digits: String =
        text.split('.').next().unwrap_or_default().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{digits}Z")
}

/// True where some event speaks of a request to a CMG.
pub fn speak_of_cmg(events: &[Event], knowledge: &Knowledge, known_cmgs: &[String]) -> bool {
    has_traffic(events, &requests::rebuild(events, knowledge, known_cmgs))
}

fn has_traffic(events: &[Event], requests: &Requests) -> bool {
    requests.all.iter().any(|request| request.to_cmg)
        || events.iter().any(|event| {
            let names_gateway = event.get("cmg").is_some();
            let forwarded = matches!(event.role(), Some(Role::Cmg | Role::ConnectionPoint))
                && (event.get("internal_url").is_some() || event.get("url").is_some());
            names_gateway || forwarded
        })
}
