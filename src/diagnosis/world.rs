//! Everything that was read and followed, indexed for rules: the servers' lines, the clients' requests, and what came later.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::onset::{self, Onset};
use crate::artefacts::{Artefact, Artefacts, Judged};
use crate::events::Event;
use crate::flows::requests::Request;
use crate::flows::{Clock, FlowDetail, Followed};
use crate::knowledge::Codes;
use crate::record::Source;
use crate::stage::{Outcome, Role, Stage, StageStatus};
use crate::time::{MINUTE, Micros};

/// So many pairs of lines prove how far two clocks are apart.
pub const PAIRS: usize = 5;

/// Clocks that nothing tells of are believed to be no further apart than this: machines of a domain that are cannot sign in
/// to each other (Kerberos' default).
pub const APART: Micros = 5 * MINUTE;

/// Everything that was read and followed, indexed for rules.
pub struct World<'a> {
    /// The flows and what they were made from.
    pub followed: &'a Followed,
    /// All events.
    pub events: &'a [Event],
    /// All sources.
    pub sources: &'a [Source],
    /// The artefacts.
    pub artefacts: &'a Artefacts,
    /// All artefacts as the trail lists them.
    pub listed: Vec<Judged>,
    /// The codes.
    pub codes: &'a Codes,
    /// Server events by message, each list by UTC; those without UTC first.
    pub(super) servers: BTreeMap<&'a str, Vec<(Option<Micros>, u32)>>,
    /// Of server events that surely belong to a flow, the machine of its client.
    pub(super) owners: BTreeMap<u32, usize>,
    /// Requests to gateways by host, in order of UTC, each with its machine.
    pub(super) by_host: BTreeMap<String, Vec<(Micros, u32, usize)>>,
    /// Those of the hosts that answered some request over HTTP: who asks for a name that is none reaches no gateway.
    pub(super) answering: BTreeSet<String>,
    /// Requests to gateways by machine, in order of time.
    pub(super) by_machine: Vec<Vec<u32>>,
    /// Place of each request among those of its machine.
    pub(super) place_of_request: BTreeMap<u32, usize>,
    /// Requests to gateways that passed, in order of UTC.
    passed: Vec<(Micros, u32)>,
    /// What each machine's client did, indexed.
    pub(super) clients: Vec<ClientIndex<'a>>,
    /// UTC from the first to the last record of each host's logs, by host in small letters.
    spans: BTreeMap<String, (Micros, Micros)>,
    /// Sources by the role of their machine, and by machine.
    pub(super) sources_of: BTreeMap<Role, BTreeMap<&'a str, Vec<&'a Source>>>,
    /// Resources that clients whose flows were completed asked tokens for, in small letters, each with two of these
    /// clients' machines at most.
    resources: BTreeMap<String, BTreeSet<usize>>,
    /// By flow: a later flow of the same client got past the stage at which this one broke.
    pub(super) overcome: Vec<bool>,
    /// What flows got past.
    progress: Progress,
    /// When all clients of a gateway began to fail.
    pub onsets: Vec<Onset>,
}

/// The events of one machine's client.
#[derive(Default)]
pub(super) struct ClientIndex<'a> {
    /// By message: place among all of the client's events, and event; in order.
    pub(super) by_message: BTreeMap<&'a str, Vec<(usize, u32)>>,
    /// Place of each event.
    pub(super) places: HashMap<u32, usize>,
}

impl<'a> World<'a> {
    /// Indexes what was followed.
    pub fn new(
        followed: &'a Followed,
        events: &'a [Event],
        sources: &'a [Source],
        artefacts: &'a Artefacts,
        listed: &[Artefact],
        codes: &'a Codes,
    ) -> Self {
        let mut servers: BTreeMap<&str, Vec<(Option<Micros>, u32)>> = BTreeMap::new();
        for &index in followed.machines.iter().flat_map(|machine| &machine.server_events) {
            let event = &events[index as usize];
            servers.entry(event.id()).or_default().push((event.stamp.utc, index));
        }
        for list in servers.values_mut() {
            list.sort_unstable();
        }
        let progress = Progress::of(followed, events);
        let mut world = Self {
            followed,
            events,
            sources,
            artefacts,
            codes,
            listed: listed.iter().map(|artefact| Judged::from(artefact.clone())).collect(),
            servers,
            owners: owners(followed, events),
            by_host: BTreeMap::new(),
            answering: BTreeSet::new(),
            by_machine: vec![Vec::new(); followed.machines.len()],
            place_of_request: BTreeMap::new(),
            passed: Vec::new(),
            clients: followed.machines.iter().map(|machine| client_index(&machine.client_events, events)).collect(),
            spans: spans(sources),
            sources_of: sources_of(sources),
            resources: resources(followed, events),
            overcome: progress.overcome(followed),
            progress,
            onsets: Vec::new(),
        };
        world.index_requests();
        world.onsets = onset::onsets(&world);
        world
    }

    fn index_requests(&mut self) {
        for (machine, logs) in self.followed.machines.iter().enumerate() {
            let mut seen = BTreeSet::new();
            for &event in &logs.client_events {
                let Some(&number) = self.followed.requests.of_event.get(&event) else { continue };
                let request = &self.followed.requests.all[number as usize];
                if !request.to_cmg || !seen.insert(number) {
                    continue;
                }
                self.place_of_request.insert(number, self.by_machine[machine].len());
                self.by_machine[machine].push(number);
                let Some(utc) = self.events[event as usize].stamp.utc else { continue };
                if let Some(host) = &request.host {
                    if request.passed() || (request.failed() && !request.failed_below_http()) {
                        self.answering.insert(host.clone());
                    }
                    self.by_host.entry(host.clone()).or_default().push((utc, number, machine));
                }
                if request.passed() {
                    self.passed.push((utc, number));
                }
            }
        }
        self.passed.sort_unstable();
        for requests in self.by_host.values_mut() {
            requests.sort_unstable();
        }
    }

    /// Requests to gateways by host, in order of UTC, each with its number and its machine.
    pub fn requests_by_host(&self) -> impl Iterator<Item = (&str, &[(Micros, u32, usize)])> {
        self.by_host.iter().map(|(host, requests)| (host.as_str(), requests.as_slice()))
    }

    /// The servers' lines of a message, each with its UTC.
    pub fn servers_of(&self, message: &str) -> &[(Option<Micros>, u32)] {
        self.servers.get(message).map_or(&[], Vec::as_slice)
    }

    /// The first request through a gateway that was sent after a time and answered.
    pub fn passed_since(&self, utc: Micros) -> Option<&'a Request> {
        let (_, number) = self.passed.get(self.passed.partition_point(|(at, _)| *at <= utc))?;
        Some(self.request(*number))
    }

    /// The machines whose requests reached a gateway from a time on and failed, one for each request.
    pub fn failed_since(&self, utc: Micros) -> impl Iterator<Item = usize> {
        let since = move |requests: &'_ Vec<(Micros, u32, usize)>| requests.partition_point(|(at, ..)| *at < utc);
        let requests = self.by_host.values().flat_map(move |requests| &requests[since(requests)..]);
        let failed = |number: u32| self.request(number).failed() && !self.request(number).failed_below_http();
        requests.filter(move |(_, number, _)| failed(*number)).map(|(.., machine)| *machine)
    }

    /// UTC of the last request through a gateway that was sent until a time and answered.
    pub fn last_passed(&self, utc: Micros) -> Option<Micros> {
        let until = self.passed.partition_point(|(at, _)| *at <= utc);
        self.passed[..until].last().map(|(at, _)| *at)
    }

    /// Whether other clients than this machine's, whose flows were completed, asked for tokens for this resource; `None`
    /// where no other asked for any.
    pub fn others_ask_for(&self, resource: &str, machine: usize) -> Option<bool> {
        let of_others = |machines: &BTreeSet<usize>| machines.iter().any(|other| *other != machine);
        self.resources
            .values()
            .any(of_others)
            .then(|| self.resources.get(&resource.to_ascii_lowercase()).is_some_and(of_others))
    }

    /// UTC from the first to the last record of a host's logs.
    pub fn span_of(&self, host: &str) -> Option<(Micros, Micros)> {
        self.spans.get(&host.to_ascii_lowercase()).copied()
    }

    /// UTC of the first and last record of each other host than this.
    pub fn spans_of_others(&self, host: &str) -> impl Iterator<Item = (Micros, Micros)> {
        let own = host.to_ascii_lowercase();
        let others = self.spans.iter().filter(move |(machine, _)| **machine != own);
        others.map(|(_, span)| *span)
    }

    /// How far the first machine's clock is ahead of the second's, each at a time of its own, and how far that may be off,
    /// seconds; `None` where too few pairs of lines tell.
    pub fn clocks_apart(&self, one: (&str, Micros), other: (&str, Micros)) -> Option<(f64, f64)> {
        let (one, other) = (self.clock(one.0, one.1)?, self.clock(other.0, other.1)?);
        (one.0 == other.0).then_some((one.1 - other.1, one.2 + other.2))
    }

    /// The machine that this one's clock is compared with, how far it is ahead of that, and how far this may be off,
    /// seconds.
    fn clock(&self, machine: &str, at: Micros) -> Option<(&'a str, f64, f64)> {
        let clocks = &self.followed.clocks;
        if let Some(clock) = clocks.iter().find(|clock| clock.reference == machine) {
            return Some((&clock.reference, 0.0, 0.0));
        }
        let held_then = |clock: &&Clock| clock.host == machine && clock.from.is_none_or(|from| from <= at);
        let clock = clocks.iter().filter(held_then).max_by_key(|clock| clock.from)?;
        (clock.pairs >= PAIRS).then_some((&clock.reference, clock.offset_seconds, clock.uncertainty_seconds))
    }

    /// Host names of the machines of a role.
    pub fn hosts_of(&self, role: Role) -> BTreeSet<String> {
        let machines = self.sources_of.get(&role).into_iter().flat_map(BTreeMap::values).flatten();
        machines.filter_map(|source| source.host.clone()).collect()
    }

    /// Where a flow broke.
    pub fn broke_at(&self, flow: usize) -> Option<Stage> {
        self.followed.flows[flow].broke_at
    }

    /// True where a later flow of the same client got past a stage.
    pub fn got_past(&self, flow: usize, stage: Stage) -> bool {
        self.progress.got_past(flow, stage, self.followed)
    }

    /// A request.
    pub fn request(&self, number: u32) -> &'a Request {
        &self.followed.requests.all[number as usize]
    }
}

fn client_index<'a>(own: &[u32], events: &'a [Event]) -> ClientIndex<'a> {
    let mut index = ClientIndex::default();
    for (place, &event) in own.iter().enumerate() {
        index.by_message.entry(events[event as usize].id()).or_default().push((place, event));
        index.places.insert(event, place);
    }
    index
}

fn spans(sources: &[Source]) -> BTreeMap<String, (Micros, Micros)> {
    let mut spans: BTreeMap<String, (Micros, Micros)> = BTreeMap::new();
    for source in sources {
        let Some((host, (first, last))) = source.host.as_ref().zip(source.first.zip(source.last)) else { continue };
        // A clock that was set back ends a log before it began.
        let (first, last) = (first.min(last), first.max(last));
        let span = spans.entry(host.to_ascii_lowercase()).or_insert((first, last));
        *span = (span.0.min(first), span.1.max(last));
    }
    spans
}

fn sources_of(sources: &[Source]) -> BTreeMap<Role, BTreeMap<&str, Vec<&Source>>> {
    let mut all: BTreeMap<Role, BTreeMap<&str, Vec<&Source>>> = BTreeMap::new();
    for source in sources {
        if let Some(role) = source.role {
            all.entry(role).or_default().entry(source.machine.as_str()).or_default().push(source);
        }
    }
    all
}

/// Resources that working clients ask for, with two of their machines at most: more tell no more.
fn resources(followed: &Followed, events: &[Event]) -> BTreeMap<String, BTreeSet<usize>> {
    let mut all: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let working = followed.flows.iter().zip(&followed.details);
    for (_, detail) in working.filter(|(flow, detail)| flow.outcome == Outcome::Completed && detail.through_cmg) {
        for resource in detail.events.iter().filter_map(|(event, _)| events[*event as usize].get("resource")) {
            let machines = all.entry(resource.to_ascii_lowercase()).or_default();
            if machines.len() < 2 {
                machines.insert(detail.machine);
            }
        }
    }
    all
}

/// What the flows of each client got past, and in which order they stand in its logs.
struct Progress {
    /// Flows that passed a stage, by machine and stage.
    passed: BTreeMap<(usize, Stage), Vec<usize>>,
    /// Where each flow stands.
    spans: Vec<Spans>,
}

impl Progress {
    fn of(followed: &Followed, events: &[Event]) -> Self {
        let mut passed: BTreeMap<(usize, Stage), Vec<usize>> = BTreeMap::new();
        for (number, (flow, detail)) in followed.flows.iter().zip(&followed.details).enumerate() {
            for result in flow.stages.iter().filter(|result| result.status == StageStatus::Passed) {
                passed.entry((detail.machine, result.stage)).or_default().push(number);
            }
        }
        Self { passed, spans: followed.details.iter().map(|detail| Spans::of(detail, events)).collect() }
    }

    /// For each flow that broke: did a later flow of the same client get past that stage?
    fn overcome(&self, followed: &Followed) -> Vec<bool> {
        let broken = followed.flows.iter().map(|flow| flow.broke_at).enumerate();
        broken.map(|(number, stage)| stage.is_some_and(|stage| self.got_past(number, stage, followed))).collect()
    }

    fn got_past(&self, number: usize, stage: Stage, followed: &Followed) -> bool {
        let others = self.passed.get(&(followed.details[number].machine, stage));
        let ended = followed.flows[number].ended;
        others.into_iter().flatten().any(|&other| {
            let by_time = || followed.flows[other].started.zip(ended).is_some_and(|(later, ended)| later > ended);
            self.spans[other].begin_after(&self.spans[number]).unwrap_or_else(by_time)
        })
    }
}

/// From which to which event a flow stands in each log.
struct Spans(BTreeMap<u32, (u32, u32)>);

impl Spans {
    fn of(detail: &FlowDetail, events: &[Event]) -> Self {
        let mut spans: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        for &(event, _) in &detail.events {
            let span = spans.entry(events[event as usize].place.source).or_insert((event, event));
            *span = (span.0.min(event), span.1.max(event));
        }
        Self(spans)
    }

    /// Whether it begins, in a log that both stand in, after the other has ended there: a log is written in one order,
    /// however its clock is set. `None` where they share no log.
    fn begin_after(&self, other: &Self) -> Option<bool> {
        let shared = self.0.iter().find_map(|(source, span)| Some((span.0, other.0.get(source)?.1)))?;
        Some(shared.0 > shared.1)
    }
}

/// Of server events that surely belong to a flow, the machine of its client.
fn owners(followed: &Followed, events: &[Event]) -> BTreeMap<u32, usize> {
    let of_server = |event: u32| events[event as usize].role().is_some_and(|role| role != Role::Client);
    let of_flow = |detail: &FlowDetail| {
        let machine = detail.machine;
        let own = detail.events.iter().map(|(event, _)| *event).filter(|&event| of_server(event));
        own.map(move |event| (event, machine)).collect::<Vec<_>>()
    };
    followed.details.iter().flat_map(of_flow).collect()
}
