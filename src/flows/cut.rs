//! Cuts the events of one client machine into flows: which purpose does each line serve?

use std::collections::HashMap;

use super::draft::{Awaited, Draft, Member};
use super::requests::{Request, Requests};
use super::{Join, machines::Machine};
use crate::events::Event;
use crate::finding::Confidence;
use crate::knowledge::Knowledge;
use crate::record::Source;
use crate::stage::{FlowKind, Mark, Stage};
use crate::time::{Micros, Stamp};
use crate::workflow;

/// A registration or service flow that is silent for this long is over; clients retry within it.
const SILENCE: Micros = 2 * 60 * 60 * 1_000_000;

/// Lines that follow a process's last word this closely still belong to it.
const LAST_WORDS: Micros = 60 * 1_000_000;

/// A message that is not answered within this time is not waited for any more: requests time out long before.
const PATIENCE: Micros = 5 * 60 * 1_000_000;

/// A client that sends its next message this long after its last line has done with the one before, if not earlier: by
/// default `WinHTTP` waits no longer for the parts of an answer (winhttp.h, `WINHTTP_OPTION_RECEIVE_TIMEOUT`). A request
/// that took longer shows it by a later line of its own.
const TIMES_OUT: Micros = 30 * 1_000_000;

/// So many answers show how long the longest of them takes.
const ANSWERS: usize = 100;

/// A client waits for no more answers than this at once; of more, whose lines have no time by which to let them go, the
/// oldest are given up.
const AWAITED: usize = 64;

/// Lines of other threads that stand between two of one thread at most.
const BETWEEN: usize = 100;

/// What the cut needs to know besides the machine's events.
pub struct Context<'a> {
    /// All events of the trail.
    pub events: &'a [Event],
    /// All sources of the trail.
    pub sources: &'a [Source],
    /// All requests of the trail.
    pub requests: &'a Requests,
    /// The knowledge.
    pub knowledge: &'a Knowledge,
}

/// How long clients wait for the answer to a message, as far as answers at hand tell: twice the longest, but for one in a
/// thousand, beside which a clock may have been set; and no longer than requests last.
pub fn patience(machines: &[Machine], events: &[Event]) -> Micros {
    let mut waited: Vec<Micros> = Vec::new();
    for machine in machines {
        let mut sent: HashMap<String, &Stamp> = HashMap::new();
        for event in machine.client_events.iter().map(|&event| &events[event as usize]) {
            let Some(message) = event.get("message_id").map(str::to_ascii_lowercase) else { continue };
            match event.mark() {
                Mark::Start => drop(sent.insert(message, &event.stamp)),
                Mark::Ok => waited.extend(sent.remove(&message).and_then(|sent| event.stamp.since(sent))),
                Mark::Step | Mark::Fail => {}
            }
        }
    }
    if waited.len() < ANSWERS {
        return TIMES_OUT;
    }
    waited.sort_unstable();
    TIMES_OUT.min(2 * waited[waited.len() - 1 - waited.len() / 1000])
}

/// Cuts a client's events, in order of time, into flows in order of their first line. `patience` is how long it waits for
/// an answer.
pub fn cut(machine: &Machine, context: &Context<'_>, patience: Micros) -> Vec<Draft> {
    let mut cutter = Cutter {
        context,
        patience,
        drafts: Vec::new(),
        open_installs: HashMap::new(),
        registration: None,
        prelude: Vec::new(),
        service: None,
    };
    for &index in &machine.client_events {
        cutter.take(index);
    }
    cutter.close_what_later_flows_presuppose();
    cutter.drafts
}

struct Cutter<'a> {
    context: &'a Context<'a>,
    /// How long a client waits for an answer.
    patience: Micros,
    drafts: Vec<Draft>,
    /// Open install of each ccmsetup log.
    open_installs: HashMap<u32, usize>,
    registration: Option<usize>,
    /// Registration steps that stand before its first line.
    prelude: Vec<u32>,
    service: Option<usize>,
}

impl Cutter<'_> {
    fn take(&mut self, index: u32) {
        let event = &self.context.events[index as usize];
        match self.kind_of(event) {
            FlowKind::Install => self.take_install(index, event),
            FlowKind::Registration if self.serves_registration(event) => self.take_registration(index, event),
            FlowKind::Registration | FlowKind::Service => self.take_service(index, event),
        }
    }

    /// The purpose of the log that a line stands in; in a log of mixed components, of the line's own component.
    fn kind_of(&self, event: &Event) -> FlowKind {
        if let Some(kind) = event.message.opens {
            return kind;
        }
        let log = self.context.sources.get(event.place.source as usize).and_then(|source| source.component.as_deref());
        match log.map(workflow::kind_of_log) {
            Some(FlowKind::Install) => FlowKind::Install,
            _ => event.component.as_deref().or(log).map_or(FlowKind::Service, workflow::kind_of_log),
        }
    }

    fn take_install(&mut self, index: u32, event: &Event) {
        let log = event.place.source;
        if event.message.opens == Some(FlowKind::Install) {
            if let Some(open) = self.open_installs.remove(&log) {
                self.drafts[open].superseded = true;
            }
            let new = self.begin(FlowKind::Install, true);
            self.open_installs.insert(log, new);
        }
        let draft =
            self.open_installs.get(&log).copied().or_else(|| self.just_ended(log, event)).unwrap_or_else(|| {
                let new = self.begin(FlowKind::Install, false);
                self.open_installs.insert(log, new);
                new
            });
        self.add(draft, index, event);
        if event.message.closes {
            self.close(draft, event);
            self.open_installs.remove(&log);
        }
    }

    /// The install of this log that ended a moment ago, for the lines after its last word.
    fn just_ended(&self, log: u32, event: &Event) -> Option<usize> {
        let last = self.drafts.iter().rposition(|draft| {
            draft.kind == FlowKind::Install && draft.closed.is_some() && draft.log(self.context.events) == Some(log)
        })?;
        let silence = event.stamp.since(&self.drafts[last].last?)?;
        (silence <= LAST_WORDS).then_some(last)
    }

    fn serves_registration(&self, event: &Event) -> bool {
        event.message.opens == Some(FlowKind::Registration)
            || event.stage() == Some(Stage::Registration)
            || self.open(self.registration, event).is_some()
    }

    fn take_registration(&mut self, index: u32, event: &Event) {
        let open = self.open(self.registration, event);
        if open.is_none() && event.mark() == Mark::Step {
            self.prelude.push(index);
            return;
        }
        let draft = open.unwrap_or_else(|| self.begin_registration(event));
        self.registration = Some(draft);
        self.add(draft, index, event);
        if event.message.closes && event.mark() == Mark::Ok {
            self.close(draft, event);
            self.registration = None;
        }
    }

    /// A new registration, with the steps just before it.
    fn begin_registration(&mut self, event: &Event) -> usize {
        let draft = self.begin(FlowKind::Registration, true);
        for step in std::mem::take(&mut self.prelude) {
            let before = &self.context.events[step as usize];
            let silence = event.stamp.since(&before.stamp);
            if silence.is_none_or(|silence| silence <= LAST_WORDS) {
                self.add(draft, step, before);
            }
        }
        draft
    }

    fn take_service(&mut self, index: u32, event: &Event) {
        if !self.belongs_to_service(index, event) {
            return;
        }
        if let Some(open) = self.open(self.registration, event) {
            if !self.shows_registered(open, event) {
                self.add(open, index, event);
                return;
            }
            self.drafts[open].closed = Some(Mark::Ok);
            self.registration = None;
        }
        self.settle_what_passed(index, event);
        self.let_go_what_is_over(index, event);
        let draft = match self.open(self.service, event) {
            Some(open) => open,
            None if self.opens_service(index, event) => self.begin(FlowKind::Service, true),
            None => return,
        };
        self.service = Some(draft);
        // The line that answers is the last of its thread once it is added.
        let answers = self.answers_open_request(event);
        self.add(draft, index, event);
        let settled = match event.mark() {
            Mark::Ok => self.settle(draft, event, answers),
            _ => self.is_served(index) && self.settle_thread(draft, event),
        };
        if settled {
            self.close(draft, event);
            self.service = None;
        }
    }

    /// True for the last line of a request whose answer only a server's log shows.
    fn is_served(&self, index: u32) -> bool {
        self.context.requests.of(index).is_some_and(|request| request.served && request.events.last() == Some(&index))
    }

    /// Only what has to do with a gateway, or with a token for it, is a service flow's.
    fn belongs_to_service(&self, index: u32, event: &Event) -> bool {
        let requests = self.context.requests;
        if event.message.opens == Some(FlowKind::Service) || requests.concerns_cmg(index, event, self.context.knowledge)
        {
            return true;
        }
        if event.get("message_id").is_some() {
            return self.is_awaited(event) || self.answers_open_request(event);
        }
        if self.asks_for_awaited_token(index) {
            return true;
        }
        let names_a_target = super::requests::target(event, self.context.knowledge).is_some()
            || requests.of(index).is_some_and(|request| request.host.is_some());
        !names_a_target && event.stage().is_some() && event.stage() != Some(Stage::Registration)
    }

    /// True for a line of a request for the token that the open service flow waits for, whoever is asked.
    fn asks_for_awaited_token(&self, index: u32) -> bool {
        let waits = |flow: usize| self.drafts[flow].pending.iter().any(|awaited| awaited.message.is_none());
        let request = self.context.requests.of(index);
        self.service.is_some_and(waits)
            && request.is_some_and(|request| request.purpose == Some(Stage::CcmTokenRequest))
    }

    /// True where an open flow waits for the message that the event names.
    fn is_awaited(&self, event: &Event) -> bool {
        let Some(message) = event.get("message_id") else { return false };
        let open = [self.registration, self.service].into_iter().flatten();
        open.into_iter().flat_map(|flow| &self.drafts[flow].pending).any(|awaited| awaited.is(message))
    }

    /// True where an event answers the request that its thread made last, though the line that named the message is
    /// lost.
    fn answers_open_request(&self, event: &Event) -> bool {
        let unnamed =
            |request: &Request| request.is_likely_to_cmg() && !request.failed() && !self.names_message(request);
        event.mark() == Mark::Ok && self.last_request(event).is_some_and(unnamed)
    }

    fn names_message(&self, request: &Request) -> bool {
        request.events.iter().any(|&line| self.context.events[line as usize].get("message_id").is_some())
    }

    /// The request of the line that an event's thread wrote last in the open service flow.
    fn last_request(&self, event: &Event) -> Option<&Request> {
        let draft = &self.drafts[self.open(self.service, event)?];
        let same_thread = |member: &&Member| {
            let other = &self.context.events[member.event as usize];
            other.thread == event.thread && other.place.source == event.place.source
        };
        let last = draft.client.iter().rev().take(BETWEEN).find(same_thread)?;
        self.context.requests.of(last.event)
    }

    /// True where the client sends what only a registered one does, while nothing says that its registration failed:
    /// the line that it is registered is lost.
    fn shows_registered(&self, registration: usize, event: &Event) -> bool {
        let stage = |endpoint: &str| self.context.knowledge.endpoint(endpoint).map(|endpoint| endpoint.stage);
        let sends = event.mark() == Mark::Start && event.get("message_id").is_some();
        let to_others = event.get("endpoint").and_then(stage) == Some(Stage::MpValidate);
        let marks =
            self.drafts[registration].client.iter().rev().map(|own| self.context.events[own.event as usize].mark());
        let failed = marks.into_iter().find(|mark| matches!(mark, Mark::Ok | Mark::Fail)) == Some(Mark::Fail);
        sends && to_others && !failed
    }

    /// Closes flows whose last line is not there and whose success a later flow of the client shows: only a client that
    /// is installed registers, and only one that is registered gets answers to its messages. What failed stays so.
    fn close_what_later_flows_presuppose(&mut self) {
        let (mut registers, mut answered) = (false, false);
        for draft in self.drafts.iter_mut().rev() {
            let events = self.context.events;
            let own = |member: &Member| &events[member.event as usize];
            let good = draft.closed.is_none() && draft.client.last().is_some_and(|last| own(last).mark() != Mark::Fail);
            let shown = match draft.kind {
                FlowKind::Install => {
                    let had_package = |event: &Event| match event.stage() {
                        Some(Stage::ContentDownload) => event.mark() == Mark::Ok,
                        Some(Stage::ClientInstall) => event.mark() == Mark::Start && event.message.opens.is_none(),
                        _ => false,
                    };
                    let installs = draft.client.iter().any(|member| had_package(own(member)));
                    answered = false;
                    std::mem::take(&mut registers) && installs && !draft.superseded
                }
                FlowKind::Registration => {
                    registers |= draft.from_start;
                    std::mem::take(&mut answered)
                }
                FlowKind::Service => {
                    let message = draft.client.last().is_some_and(|last| own(last).get("message_id").is_some());
                    answered |= draft.closed == Some(Mark::Ok) && message;
                    false
                }
            };
            if shown && good {
                draft.closed = Some(Mark::Ok);
            }
        }
    }

    /// Closes the service flow where its thread goes on to another request and nothing says that the last one failed:
    /// a thread waits for the answer to its message, and says so where there is none that is good.
    fn settle_what_passed(&mut self, index: u32, event: &Event) {
        let begins = self.context.requests.of(index).is_some_and(|request| request.events.first() == Some(&index));
        let asked = |purpose: Stage| matches!(purpose, Stage::MpValidate | Stage::CcmTokenRequest);
        let passed = |request: &Request| {
            let answered = request.passed() && request.purpose.is_some_and(asked);
            let sends = request.presumed_to_cmg || self.names_message(request);
            request.is_likely_to_cmg() && !request.failed() && (answered || sends)
        };
        if !begins || !self.last_request(event).is_some_and(passed) {
            return;
        }
        let Some(draft) = self.open(self.service, event) else { return };
        self.settle_thread(draft, event);
        if self.drafts[draft].pending.is_empty() {
            self.drafts[draft].closed = Some(Mark::Ok);
            self.service = None;
        }
    }

    /// Ends the service flow where its client begins another request and waits in vain for no answer any more: a thread
    /// that gets none says so in several lines, and it is not likely that all of them are lost, as the one that says that
    /// it got one may be.
    fn let_go_what_is_over(&mut self, index: u32, event: &Event) {
        let begins = self.context.requests.of(index).is_some_and(|request| request.events.first() == Some(&index));
        let Some(open) = self.open(self.service, event).filter(|_| begins) else { return };
        let long_ago = |stamp: &Stamp| event.stamp.since(stamp).is_some_and(|waited| waited > self.patience);
        let draft = &self.drafts[open];
        let failed = |member: &Member| {
            let fails = self.context.events[member.event as usize].mark() == Mark::Fail;
            fails || self.context.requests.of(member.event).is_some_and(Request::failed)
        };
        let goes_on = |member: &Member| {
            let request = self.context.requests.of(member.event);
            request.and_then(|request| request.events.last()).is_some_and(|&last| self.is_later(last, index))
        };
        let is_over = draft.last.is_some_and(|last| long_ago(&last))
            && draft.pending.iter().all(|awaited| awaited.message.is_some() && long_ago(&awaited.asked))
            && !draft.client.iter().any(|member| failed(member) || goes_on(member));
        if is_over {
            self.drafts[open].pending.clear();
            self.service = None;
        }
    }

    /// True where the one line stands behind the other in the same log.
    fn is_later(&self, one: u32, other: u32) -> bool {
        let source = |event: u32| self.context.events[event as usize].place.source;
        one > other && source(one) == source(other)
    }

    /// True where this request, which a server answered, leaves nothing of the service flow open.
    fn settle_thread(&mut self, draft: usize, event: &Event) -> bool {
        let pending = &mut self.drafts[draft].pending;
        let before = pending.len();
        pending.retain(|awaited| awaited.thread != event.thread);
        pending.len() < before && pending.is_empty()
    }

    fn opens_service(&self, index: u32, event: &Event) -> bool {
        match event.mark() {
            Mark::Start | Mark::Step => {
                event.message.opens == Some(FlowKind::Service)
                    || event.stage().is_some_and(|stage| stage <= Stage::CcmTokenRequest)
                    || self.context.requests.concerns_cmg(index, event, self.context.knowledge)
            }
            Mark::Ok => event.stage() == Some(Stage::CcmTokenIssue),
            Mark::Fail => {
                self.context.requests.concerns_cmg(index, event, self.context.knowledge)
                    || event.stage() == Some(Stage::AadToken)
            }
        }
    }

    /// True where this success leaves nothing of the service flow open.
    fn settle(&mut self, draft: usize, event: &Event, answers: bool) -> bool {
        let pending = &mut self.drafts[draft].pending;
        let before = pending.len() + usize::from(answers);
        match event.get("message_id") {
            Some(message) => pending.retain(|awaited| !awaited.is(message)),
            None if event.stage() == Some(Stage::CcmTokenIssue) => pending.retain(|awaited| awaited.message.is_some()),
            None => {}
        }
        pending.len() < before && pending.is_empty()
    }

    fn begin(&mut self, kind: FlowKind, from_start: bool) -> usize {
        self.drafts.push(Draft::new(kind, from_start));
        self.drafts.len() - 1
    }

    fn open(&self, flow: Option<usize>, event: &Event) -> Option<usize> {
        let open = flow?;
        let silence = self.drafts[open].last.and_then(|last| event.stamp.since(&last));
        silence.is_none_or(|silence| silence <= SILENCE).then_some(open)
    }

    fn close(&mut self, draft: usize, event: &Event) {
        self.drafts[draft].closed = Some(event.mark());
    }

    fn add(&mut self, draft: usize, index: u32, event: &Event) {
        let draft = &mut self.drafts[draft];
        if event.stamp.local.is_some() {
            draft.last = Some(event.stamp);
        }
        draft.add(
            index,
            Join {
                by: vec!["log".to_owned()],
                confidence: Confidence::Certain,
                distance_seconds: None,
                rivals: 0,
                to: None,
            },
        );
        if draft.kind != FlowKind::Install {
            note_pending(&mut draft.pending, event);
        }
    }
}

/// Keeps account of what the client waits for.
fn note_pending(pending: &mut Vec<Awaited>, event: &Event) {
    let in_time = |asked: &Stamp| event.stamp.since(asked).is_none_or(|waited| waited <= PATIENCE);
    pending.retain(|awaited| awaited.message.is_none() || in_time(&awaited.asked));
    if event.mark() != Mark::Start {
        return;
    }
    let token = event.message.opens == Some(FlowKind::Service) || event.stage() == Some(Stage::CcmTokenRequest);
    let message = event.get("message_id").map(str::to_ascii_lowercase);
    if message.is_some() {
        // A thread that sends its next message has done with the one before.
        pending.retain(|awaited| awaited.message.is_none() || awaited.thread != event.thread);
    }
    if message.is_some() || (token && pending.iter().all(|awaited| awaited.message.is_some())) {
        if pending.len() == AWAITED {
            pending.remove(0);
        }
        pending.push(Awaited { message, thread: event.thread, asked: event.stamp });
    }
}

impl Awaited {
    fn is(&self, message: &str) -> bool {
        self.message.as_deref().is_some_and(|awaited| awaited.eq_ignore_ascii_case(message))
    }
}
