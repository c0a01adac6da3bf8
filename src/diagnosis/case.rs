//! What a rule can look at: one flow with its client's past and the servers around it, or the servers alone.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::onset::{self, Onset};
use super::world::World;
use crate::artefacts::{Client, Judged};
use crate::events::Event;
use crate::flows::requests::{Request, normal_hresult};
use crate::flows::{Flow, FlowDetail, identity};
use crate::knowledge::{Message, Scope};
use crate::record::{Format, Source};
use crate::stage::Role;
use crate::time::{HOUR, MINUTE, Micros};

/// Server lines this close to a flow are around it: clocks are an hour off where somebody mistook the zone or summer
/// time, and drift besides.
const AROUND: Micros = 75 * 60 * 1_000_000;

/// What a site has logged for this long before a flow may still be why it failed.
const WEEK: Micros = 7 * 24 * 3_600 * 1_000_000;

/// A server's clock, compared with a client's.
pub struct Apart<'a> {
    /// The server.
    pub server: &'a str,
    /// The client.
    pub client: &'a str,
    /// Seconds that the server's is ahead.
    pub seconds: f64,
}

/// One flow, or the servers alone.
pub struct Case<'a> {
    /// Everything.
    pub world: &'a World<'a>,
    /// The flow.
    pub flow: Option<usize>,
    /// Which of the ways in which the flow failed before it failed as it does since; `None` for the flow as it ended.
    earlier: Option<usize>,
    judged: OnceCell<Vec<Judged>>,
    far: OnceCell<Vec<u32>>,
}

impl<'a> Case<'a> {
    /// The case of one flow.
    pub fn of_flow(world: &'a World<'a>, flow: usize) -> Self {
        Self { world, flow: Some(flow), earlier: None, judged: OnceCell::new(), far: OnceCell::new() }
    }

    /// The case of one flow as it stood when it had failed otherwise than it does since.
    pub fn of_earlier(world: &'a World<'a>, flow: usize, earlier: Option<usize>) -> Self {
        Self { earlier, ..Self::of_flow(world, flow) }
    }

    /// The case of the servers alone.
    pub fn of_site(world: &'a World<'a>) -> Self {
        Self { world, flow: None, earlier: None, judged: OnceCell::new(), far: OnceCell::new() }
    }

    /// The flow.
    pub fn flow(&self) -> Option<&'a Flow> {
        self.flow.map(|flow| self.past(flow).map_or(&self.world.followed.flows[flow], |(past, _)| past))
    }

    fn past(&self, flow: usize) -> Option<&'a (Flow, FlowDetail)> {
        self.world.followed.details[flow].earlier.get(self.earlier?)
    }

    /// What is known of the flow besides.
    pub fn detail(&self) -> Option<&'a FlowDetail> {
        self.flow.map(|flow| self.past(flow).map_or(&self.world.followed.details[flow], |(_, detail)| detail))
    }

    /// Reports on the artefacts of the flow's client, at the time its request failed; without a flow, on all.
    pub fn judged(&self) -> &[Judged] {
        let Some(flow) = self.flow() else { return &self.world.listed };
        self.judged.get_or_init(|| {
            if self.world.artefacts.is_empty() {
                return Vec::new();
            }
            let first = || self.requests().first().map(|&number| self.world.request(number));
            let asked = self.failed_request().or_else(first);
            let at = asked.and_then(|request| self.event(*request.events.first()?).stamp.utc).or(flow.ended);
            self.world.artefacts.judge(&Client {
                host: flow.client.host.as_deref(),
                cmg: asked.and_then(|request| request.host.as_deref()),
                at,
                device_id: flow.client.device_id.as_deref(),
            })
        })
    }

    /// True where the flow, or anything else that its client does, has to do with a gateway.
    pub fn has_to_do_with_a_cmg(&self) -> bool {
        self.detail().is_some_and(|detail| detail.through_cmg || !self.world.by_machine[detail.machine].is_empty())
    }

    /// An event.
    pub fn event(&self, index: u32) -> &'a Event {
        &self.world.events[index as usize]
    }

    /// Events in a scope, in order.
    pub fn events_within(&self, scope: Scope) -> Vec<u32> {
        match (scope, self.detail()) {
            (Scope::Attempt, Some(detail)) => {
                let last = self.flow().map_or(1, |flow| flow.attempts);
                let of_last = detail.events.iter().filter(|(_, attempt)| *attempt == last || !self.stopped());
                of_last.map(|(event, _)| *event).collect()
            }
            (Scope::Flow, Some(detail)) => detail.events.iter().map(|(event, _)| *event).collect(),
            (Scope::History, Some(detail)) => self.history(detail),
            (Scope::Site | Scope::SiteHistory | Scope::Unclaimed, _) | (_, None) => {
                self.servers_around(scope, |_| true)
            }
        }
    }

    /// True where the flow failed or fell silent, so that its last attempt is what counts.
    fn stopped(&self) -> bool {
        self.flow().is_some_and(|flow| flow.broke_at.is_some())
    }

    fn history(&self, detail: &FlowDetail) -> Vec<u32> {
        let all = &self.world.followed.machines[detail.machine].client_events;
        all[..self.begins_at(detail)].to_vec()
    }

    /// Place of the flow's first line among all of its client's.
    fn begins_at(&self, detail: &FlowDetail) -> usize {
        let first = detail.events.first();
        first.and_then(|(event, _)| self.world.clients[detail.machine].places.get(event)).copied().unwrap_or(0)
    }

    /// The client's events before the flow, of the wanted messages.
    fn history_where(&self, detail: &FlowDetail, wanted: impl Fn(&Message) -> bool) -> Vec<u32> {
        let begins = self.begins_at(detail);
        let mut found: Vec<(usize, u32)> = Vec::new();
        for list in self.world.clients[detail.machine].by_message.values() {
            if list.first().is_some_and(|(_, event)| wanted(&self.event(*event).message)) {
                found.extend(&list[..list.partition_point(|(place, _)| *place < begins)]);
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, event)| event).collect()
    }

    /// The client's events, before the flow and after it, of messages that have the field.
    pub fn client_events_with(&self, field: &str) -> Vec<u32> {
        let Some(detail) = self.detail() else { return Vec::new() };
        let lists = self.world.clients[detail.machine].by_message.values();
        let wanted = |list: &&Vec<(usize, u32)>| {
            list.first().is_some_and(|(_, event)| has_field(&self.event(*event).message, field))
        };
        let mut found: Vec<(usize, u32)> = lists.filter(wanted).flatten().copied().collect();
        found.sort_unstable();
        found.into_iter().map(|(_, event)| event).collect()
    }

    /// Events of these messages in a scope, in order; those of messages that a user's file adds behind the others.
    pub fn events_of(&self, messages: &[String], scope: Scope) -> Vec<u32> {
        let mut found = self.events_where(scope, |message| messages.contains(&message.id));
        let beside = self.beside(scope).into_iter();
        found.extend(beside.filter(|&event| messages.contains(&self.event(event).message.id)));
        found
    }

    /// Events of messages that a user's file adds, in a scope.
    fn beside(&self, scope: Scope) -> Vec<u32> {
        let followed = self.world.followed;
        let of_site = scope.is_of_site();
        let (Some(flow), Some(detail), false) = (self.flow(), self.detail(), of_site) else {
            return followed.beside.iter().copied().filter(|&event| self.is_near(&[event])).collect();
        };
        if scope == Scope::History {
            let earlier = followed.flows.iter().zip(&followed.details).filter(|(other, of_other)| {
                of_other.machine == detail.machine
                    && other.ended.zip(flow.started).is_some_and(|(end, start)| end < start)
            });
            return earlier.flat_map(|(_, of_other)| &of_other.beside).map(|(event, _)| *event).collect();
        }
        let all = detail.beside.iter();
        let wanted = |attempt: u32| scope == Scope::Flow || attempt == flow.attempts || !self.stopped();
        all.filter(|(_, attempt)| wanted(*attempt)).map(|(event, _)| *event).collect()
    }

    /// Events of messages that have one of the fields, in a scope, in order.
    pub fn events_with(&self, fields: &[&str], scope: Scope) -> Vec<u32> {
        self.events_where(scope, |message| fields.iter().any(|field| has_field(message, field)))
    }

    fn events_where(&self, scope: Scope, wanted: impl Fn(&Message) -> bool) -> Vec<u32> {
        if scope.is_of_site() || self.flow.is_none() {
            return self.servers_around(scope, wanted);
        }
        if let (Scope::History, Some(detail)) = (scope, self.detail()) {
            return self.history_where(detail, wanted);
        }
        let mut found = self.events_within(scope);
        found.retain(|&event| wanted(&self.event(event).message));
        found
    }

    /// Server events of the wanted messages around the flow, in order of UTC; without a flow, all of them.
    fn servers_around(&self, scope: Scope, wanted: impl Fn(&Message) -> bool) -> Vec<u32> {
        let before = if scope == Scope::SiteHistory { WEEK } else { 0 };
        let mut found: Vec<(Option<Micros>, u32)> = Vec::new();
        let of_wanted = |list: &&Vec<(Option<Micros>, u32)>| {
            list.first().is_some_and(|(_, event)| wanted(&self.event(*event).message))
        };
        for list in self.world.servers.values().filter(of_wanted) {
            let Some((from, to)) = self.window().map(|(from, to)| (from - before, to)) else {
                found.extend(list);
                continue;
            };
            let undated = list.partition_point(|(utc, _)| utc.is_none());
            let start = list.partition_point(|(utc, _)| utc.is_none_or(|utc| utc < from));
            let end = list.partition_point(|(utc, _)| utc.is_none_or(|utc| utc <= to));
            found.extend(list[..undated].iter().chain(&list[start..end]));
        }
        let far = self.far().iter().map(|&event| (self.event(event).stamp.utc, event));
        found.extend(far.filter(|(_, event)| wanted(&self.event(*event).message)));
        found.sort_unstable();
        found.dedup();
        let found = found.into_iter().map(|(_, event)| event);
        found.filter(|&event| scope != Scope::Unclaimed || !self.is_of_another(event)).collect()
    }

    /// True where a server's line surely is of another client's flow.
    fn is_of_another(&self, event: u32) -> bool {
        let own = self.detail().map(|detail| detail.machine);
        self.world.owners.get(&event).is_some_and(|owner| Some(*owner) != own)
    }

    /// Server lines of the flow itself that do not lie around it, for the clock that they are told by is hours off.
    fn far(&self) -> &[u32] {
        self.far.get_or_init(|| {
            let Some(detail) = self.detail() else { return Vec::new() };
            let of_server = |event: u32| self.event(event).role().is_some_and(|role| role != Role::Client);
            let is_far = |&event: &u32| !self.is_around(event) && of_server(event);
            detail.events.iter().map(|(event, _)| *event).filter(is_far).collect()
        })
    }

    /// UTC from a margin before the flow to a margin after it.
    fn window(&self) -> Option<(Micros, Micros)> {
        let flow = self.flow()?;
        Some((flow.started? - AROUND, flow.ended? + AROUND))
    }

    /// True where these events name devices, and this flow's is none of them.
    pub fn names_others_only(&self, events: &[u32]) -> bool {
        let Some(client) = self.flow().map(|flow| &flow.client) else { return false };
        let mut others = false;
        for &event in events {
            let ids = identity::ids(self.event(event));
            let subject = self.event(event).get("subject").and_then(|subject| subject.split('.').next());
            let own = [(&client.device_id, "device-id"), (&client.client_id, "client-id")];
            for (known, named) in own.into_iter().filter_map(|(known, key)| Some((known.as_ref()?, ids.get(key)?))) {
                if identity::agree(known, named) {
                    return false;
                }
                others = true;
            }
            if let Some((host, subject)) = client.host.as_deref().zip(subject) {
                if host.eq_ignore_ascii_case(subject) {
                    return false;
                }
                others = true;
            }
        }
        others
    }

    /// How far the clock of the server that wrote a line is ahead of the client's, where it was measured that they differ.
    pub fn server_ahead(&self, line: &Event) -> Option<Apart<'a>> {
        let world = self.world;
        let log = world.sources.get(line.place.source as usize).filter(|log| log.role != Some(Role::Client))?;
        let (server, client) = (log.machine_name(), world.followed.machines[self.detail()?.machine].name.as_str());
        let (seconds, doubt) = world.clocks_apart((server, line.stamp.utc?), (client, self.flow()?.ended?))?;
        (seconds.abs() > doubt).then_some(Apart { server, client, seconds })
    }

    /// True where one of these events is around the flow, or its time is not known.
    pub fn is_near(&self, events: &[u32]) -> bool {
        events.iter().any(|&event| self.is_around(event) || self.far().contains(&event))
    }

    /// True where a line was written around the flow, by the clock of its machine; without a flow, always.
    fn is_around(&self, event: u32) -> bool {
        let Some((from, to)) = self.window() else { return true };
        self.event(event).stamp.utc.is_none_or(|utc| (from..=to).contains(&utc))
    }

    /// Requests of the flow to a gateway: those of its last attempt where it stopped, else all.
    pub fn requests(&self) -> Vec<u32> {
        let Some(detail) = self.detail() else { return Vec::new() };
        let last = self.flow().map_or(1, |flow| flow.attempts);
        let counted = detail.requests.iter().filter(|(_, attempt)| *attempt == last || !self.stopped());
        counted.map(|(request, _)| *request).filter(|&request| self.world.request(request).to_cmg).collect()
    }

    /// All requests of the flow's client to gateways, in order of time.
    pub fn requests_of_client(&self) -> &'a [u32] {
        self.detail().map_or(&[], |detail| self.world.by_machine[detail.machine].as_slice())
    }

    /// Number of the first request of the flow to a gateway that failed, in its last attempt where it stopped.
    fn first_failed(&self) -> Option<u32> {
        self.requests().into_iter().find(|&number| self.world.request(number).failed())
    }

    /// The first request of the flow to a gateway that failed, in its last attempt where it stopped.
    pub fn failed_request(&self) -> Option<&'a Request> {
        self.first_failed().map(|number| self.world.request(number))
    }

    /// UTC of a request's first line.
    pub fn time_of(&self, request: &Request) -> Option<Micros> {
        self.event(*request.events.first()?).stamp.utc
    }

    /// Requests of the same client to the same gateway before the first failed one of the last attempt; none where
    /// none failed.
    pub fn earlier_requests(&self) -> impl DoubleEndedIterator<Item = &'a Request> + use<'a> {
        let world = self.world;
        let failed = self.detail().zip(self.first_failed());
        let own = failed.map_or(&[][..], |(detail, failed)| {
            let before = world.place_of_request.get(&failed).copied().unwrap_or(0);
            &world.by_machine[detail.machine][..before]
        });
        let host = failed.and_then(|(_, failed)| world.request(failed).host.as_deref());
        own.iter().map(|&number| world.request(number)).filter(move |request| request.host.as_deref() == host)
    }

    /// Requests of other clients to the same gateway within an hour of the flow's failed request, each with its UTC and
    /// its machine: those before it, nearest first, then those after it.
    pub fn requests_of_others(&self) -> Vec<(Micros, u32, usize)> {
        /// More neighbours than this tell nothing more.
        const ENOUGH: usize = 2_000;
        let Some(detail) = self.detail() else { return Vec::new() };
        let Some((host, at)) = self.first_failure() else { return Vec::new() };
        let Some(all) = self.world.by_host.get(host) else { return Vec::new() };
        let middle = all.partition_point(|(utc, ..)| *utc < at);
        let before = all[..middle].iter().rev().take(ENOUGH).take_while(|(utc, ..)| at - utc <= HOUR);
        let after = all[middle..].iter().take(ENOUGH).take_while(|(utc, ..)| utc - at <= HOUR);
        before.chain(after).filter(|(.., machine)| *machine != detail.machine).copied().collect()
    }

    /// The onset that the flow's first failed request is part of, as an index.
    pub fn onset_number(&self) -> Option<usize> {
        if self.world.onsets.is_empty() {
            return None;
        }
        let machine = self.detail()?.machine;
        let (host, at) = self.first_failure()?;
        let stage = onset::stage_of_failure(self.world, self.first_failed()?);
        self.world.onsets.iter().position(|onset| {
            onset.host == host
                && onset.stage == stage
                && onset.machines.contains(&machine)
                && (onset.from..=onset.to).contains(&at)
        })
    }

    /// The onset that the flow's first failed request is part of.
    pub fn onset(&self) -> Option<&'a Onset> {
        self.world.onsets.get(self.onset_number()?)
    }

    /// Gateway and UTC of the first failed request of the last attempt.
    pub fn first_failure(&self) -> Option<(&'a str, Micros)> {
        let failed = self.failed_request()?;
        Some((failed.host.as_deref()?, self.time_of(failed)?))
    }

    /// UTC of the last request of the same client to the same gateway that passed before the flow's failure, and of the
    /// first one after it that failed.
    pub fn began(&self) -> Option<(Micros, Micros)> {
        let mut first = self.failed_request()?;
        for request in self.earlier_requests().rev() {
            if request.passed() {
                return self.time_of(request).zip(self.time_of(first));
            }
            if request.failed() {
                first = request;
            }
        }
        None
    }

    /// True where a later flow of the same client got past the stage at which this one broke.
    pub fn overcome_later(&self) -> bool {
        self.flow.is_some_and(|flow| match self.past(flow) {
            None => self.world.overcome[flow],
            Some((past, _)) => past.broke_at.is_some_and(|stage| self.world.got_past(flow, stage)),
        })
    }

    /// True where a log of this kind of machine covers the time in which `within` looks for what the flow did: the attempt
    /// that failed, or the whole flow; for the client, where the flow's own log shows it whole.
    pub fn is_covered(&self, within: Scope, role: Role, log: Option<&str>) -> bool {
        let (Some(flow), Some(detail)) = (self.flow(), self.detail()) else { return false };
        if role == Role::Client && log.is_none() {
            return detail.from_start && self.is_whole(flow, detail);
        }
        let (from, to) = match within {
            Scope::Attempt | Scope::Site | Scope::Unclaimed => self.attempt_span(flow, detail),
            Scope::Flow | Scope::History | Scope::SiteHistory => (flow.started, flow.ended),
        };
        self.log_covers(role, log, from, to)
    }

    /// UTC of the client's first and last line in the attempt that failed, else in the last one.
    fn attempt_span(&self, flow: &Flow, detail: &FlowDetail) -> (Option<Micros>, Option<Micros>) {
        let failed = self.first_failed();
        let of_failed = detail.requests.iter().find(|(request, _)| Some(*request) == failed);
        let attempt = of_failed.map_or(flow.attempts, |(_, attempt)| *attempt);
        let of_client = |event: &Event| event.role().is_none_or(|role| role == Role::Client);
        let own = detail.events.iter().filter(|(_, of)| *of == attempt).map(|(event, _)| self.event(*event));
        let times = || own.clone().filter(|event| of_client(event)).filter_map(|event| event.stamp.utc);
        (times().min().or(flow.started), times().max().or(flow.ended))
    }

    /// True where no log that the flow's own lines stand in lost anything of the flow's time.
    fn is_whole(&self, flow: &Flow, detail: &FlowDetail) -> bool {
        let Some((from, to)) = flow.started.zip(flow.ended) else { return true };
        let sources: BTreeSet<u32> = detail.events.iter().map(|(event, _)| self.event(*event).place.source).collect();
        sources.iter().filter_map(|&source| self.world.sources.get(source as usize)).all(|log| log.is_whole(from, to))
    }

    /// True where this log of each machine of this role was kept for all of these times: of two management points the one
    /// whose log is at hand tells nothing of what the other one did.
    fn log_covers(&self, role: Role, log: Option<&str>, from: Option<Micros>, to: Option<Micros>) -> bool {
        let Some((from, to)) = from.zip(to) else { return false };
        self.on_each(role, |source| {
            let by = self.is_ahead_by(source, from);
            // Lines are looked for around the flow by the clocks as they are: those of a clock that is hours off are not.
            let is_around = by.abs() <= AROUND;
            log.is_none_or(|log| is_log(source, log)) && is_around && source.covers(from + by, to + by)
        })
    }

    /// True where this log of each machine of this role shows these minutes of the client's clock, by how far its own is
    /// known to be ahead.
    pub fn log_shows(&self, role: Role, log: &str, from: Option<Micros>, to: Option<Micros>) -> bool {
        let Some((from, to)) = from.zip(to) else { return false };
        self.on_each(role, |source| {
            let by = self.is_ahead_by(source, from);
            is_log(source, log) && source.covers(from + by + MINUTE, to + by - MINUTE)
        })
    }

    /// How far the clock of a source's machine is ahead of the client's; nothing where that is not measured.
    #[allow(clippy::cast_possible_truncation)] // of microseconds
    fn is_ahead_by(&self, source: &Source, at: Micros) -> Micros {
        let own = self.detail().map(|detail| self.world.followed.machines[detail.machine].name.as_str());
        let apart = own.and_then(|own| self.world.clocks_apart((source.machine_name(), at), (own, at)));
        apart.map_or(0, |(seconds, _)| (seconds * 1e6) as Micros)
    }

    /// True where on each machine of this role some source is such; for the client, on its own machine.
    fn on_each(&self, role: Role, is_such: impl Fn(&Source) -> bool) -> bool {
        let Some(machines) = self.world.sources_of.get(&role) else { return false };
        let has_one = |sources: &Vec<&Source>| sources.iter().any(|source| is_such(source));
        if role == Role::Client {
            let own = self.client_machine().and_then(|machine| machines.get(machine.as_str()));
            return own.is_some_and(has_one);
        }
        machines.values().all(has_one)
    }

    /// True where an event stands in this log of a machine of this role.
    pub fn is_of_log(&self, event: u32, role: Role, log: &str) -> bool {
        let source = self.world.sources.get(self.event(event).place.source as usize);
        source.is_some_and(|source| source.role == Some(role) && is_log(source, log))
    }

    /// True where logs of another client are at hand.
    pub fn has_another_client(&self) -> bool {
        let own = self.detail().map(|detail| detail.machine);
        let machines = self.world.followed.machines.iter().enumerate();
        machines.into_iter().any(|(number, machine)| Some(number) != own && !machine.client_events.is_empty())
    }

    /// UTC of the last record of this log on machines of this role; for the client, on its own machine.
    pub fn log_ends(&self, role: Role, log: &str) -> Option<Micros> {
        let machines = self.world.sources_of.get(&role)?;
        let own = self.client_machine().filter(|_| role == Role::Client);
        let asked = machines.iter().filter(|(machine, _)| own.as_deref().is_none_or(|own| own == **machine));
        asked.flat_map(|(_, sources)| sources).filter(|source| is_log(source, log)).filter_map(|log| log.last).max()
    }

    /// Of server lines around the flow: whether they speak of another gateway than the one that the flow asked. `None`
    /// where there are several gateways and the lines name none, so that nobody can tell.
    pub fn is_of_another_gateway(&self, lines: &[u32]) -> Option<bool> {
        let named: BTreeSet<String> =
            lines.iter().filter_map(|&line| Some(host_name(self.event(line).get("cmg")?))).collect();
        let own: BTreeSet<&str> =
            self.requests().into_iter().filter_map(|number| self.world.request(number).host.as_deref()).collect();
        let asked = &self.world.by_host;
        let is_gateway = |host: &&String| own.contains(host.as_str()) || self.world.answering.contains(*host);
        if named.iter().any(|host| own.contains(host.as_str())) {
            Some(false)
        } else if !own.is_empty() && named.iter().any(|host| asked.contains_key(host)) {
            Some(true)
        } else if asked.keys().filter(is_gateway).count() > 1 {
            None
        } else {
            // A gateway has a name of its own besides the one that clients know it by.
            Some(false)
        }
    }

    /// What stands for the client's machine in this trail: that of its lines; where only servers speak of it, its host.
    fn client_machine(&self) -> Option<String> {
        let source = |event: u32| self.world.sources.get(self.event(event).place.source as usize);
        let mut sources = self.detail()?.events.iter().filter_map(|(event, _)| source(*event));
        let own = sources.find(|source| source.role == Some(Role::Client)).map(|source| source.machine.clone());
        own.or_else(|| self.flow()?.client.host.as_deref().map(str::to_ascii_lowercase))
    }

    /// Those of `expected` that the flow's lines name: codes in any of the usual spellings.
    pub fn codes_seen(&self, expected: &[String]) -> Vec<String> {
        let Some(detail) = self.detail() else { return Vec::new() };
        let mut seen = BTreeSet::new();
        for (event, _) in &detail.events {
            let event = self.event(*event);
            seen.extend(event.get("code").map(str::to_owned));
            seen.extend(event.get("hresult").map(normal_hresult));
            seen.extend(event.get("exit_code").map(normal_hresult));
        }
        expected
            .iter()
            .filter(|code| seen.contains(code.as_str()) || seen.contains(&normal_hresult(code)))
            .cloned()
            .collect()
    }
}

/// A gateway's name as requests have it.
fn host_name(named: &str) -> String {
    let host = named.split('/').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// True where lines of the message have the field.
fn has_field(message: &Message, field: &str) -> bool {
    message.captures.iter().any(|name| name == field) || message.set.contains_key(field)
}

/// True where a source is the log of this name, whatever rollover or copy of it. The logs of IIS are named after days.
fn is_log(source: &Source, log: &str) -> bool {
    const ROWS: &str = "IIS";
    let log = log.trim_end_matches(".log");
    if log.eq_ignore_ascii_case(ROWS) {
        return source.format == Some(Format::W3c);
    }
    source.component.as_deref().is_some_and(|component| component.eq_ignore_ascii_case(log))
        || names_log(source.path.rsplit('/').next().unwrap_or_default(), log)
}

/// True where a file's name is that of a log: `CCM_STS.log`, `CCM_STS-20261104-091233.log`, `CCM_STS.lo_`, and with the
/// instance of a gateway in front, `CMG-VM1-CMGService.log`; but not `CCM_STS_ManagedBase.log`.
fn names_log(file: &str, log: &str) -> bool {
    let (file, log) = (file.to_ascii_lowercase(), log.to_ascii_lowercase());
    file.match_indices(&log).any(|(start, _)| {
        let (before, after) = (&file[..start], &file[start + log.len()..]);
        let is_copy = |after: &str| after.starts_with(|first: char| first.is_ascii_digit());
        let ends = after.is_empty() || after.starts_with(['.', ' ', '(']);
        (before.is_empty() || before.ends_with(['-', ' ', '.']))
            && (ends || after.strip_prefix(['-', '_']).is_some_and(is_copy))
    })
}

#[cfg(test)]
mod tests {
    use super::names_log;

    #[test]
    fn a_log_is_known_by_its_whole_name() {
        for file in ["CCM_STS.log", "ccm_sts-20261104-091233.log", "CCM_STS.lo_", "CCM_STS (2).log", "VM-1-CCM_STS.log"]
        {
            assert!(names_log(file, "CCM_STS"), "{file}");
        }
        for file in ["CCM_STS_ManagedBase.log", "MyCCM_STS.log", "ccmsetup-ccmeval.log"] {
            assert!(!names_log(file, "CCM_STS") && !names_log(file, "ccmsetup"), "{file}");
        }
    }
}
