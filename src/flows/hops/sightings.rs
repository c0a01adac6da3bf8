//! What each machine saw of a request: when it came and was answered, what was asked, how it ended.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::unnamed::{Guess, Neighbours};
use crate::events::Event;
use crate::flows::requests::{Request, Requests};
use crate::flows::servers::Transaction;
use crate::knowledge::{Knowledge, RequestPart};
use crate::record::{Format, Source};
use crate::stage::{Mark, Role, Stage};
use crate::time::Micros;

/// The machines that a request passes, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The client that asks.
    Client,
    /// The gateway's IIS.
    Gateway,
    /// The connection point.
    Connector,
    /// The management point's IIS.
    Point,
    /// The token service behind it.
    TokenService,
    /// Other components of the management point.
    Component,
}

/// How a request ended, as one machine tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No line tells.
    Unknown,
    /// With success.
    Good,
    /// With a failure, and the HTTP status where a line has it.
    Bad(Option<u16>),
}

impl Answer {
    /// True where both may tell of the same answer. IIS may log another status of a failure than its caller sees
    /// (a redirect comes out as 401), so only success and failure contradict each other.
    pub fn agrees(self, other: Self) -> bool {
        !matches!((self, other), (Self::Good, Self::Bad(_)) | (Self::Bad(_), Self::Good))
    }

    /// True where both name a status, and not the same.
    pub fn differs(self, other: Self) -> bool {
        matches!((self, other), (Self::Bad(Some(one)), Self::Bad(Some(two))) if one != two)
    }
}

/// A word as a number, so that comparing costs nothing; `None` where it is not known.
type Word = Option<u32>;

/// What one machine saw of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Place of the machine in the list.
    pub machine: usize,
    /// Place of the request or transaction in its list.
    pub of: usize,
    /// A line that stands for it.
    pub line: u32,
    /// When it was sent or came, UTC by the machine's clock.
    pub from: Option<Micros>,
    /// When it was answered, UTC by the machine's clock.
    pub to: Option<Micros>,
    /// Times are known to the second only: each may be up to a second later.
    pub coarse: bool,
    /// What was asked.
    pub endpoint: Word,
    /// How it ended.
    pub answer: Answer,
    /// Role id in the path.
    pub role_id: Word,
    /// Host of the gateway.
    pub gateway: Word,
    /// The asker's address.
    pub address: Word,
    /// The asker's user agent.
    pub agent: Word,
    /// Query of the URL.
    pub query: Option<u64>,
    /// Place of the machine that it was handed on to, where a line names it.
    pub target: Option<usize>,
    /// It serves a registration.
    pub registers: bool,
    /// How likely it went to a gateway at all: surely, unless no line names where it went.
    pub likely: f64,
    /// Requests of one kind are of one log and look alike where their targets are not named; of clients only.
    pub kind: Word,
}

impl Sighting {
    /// How long it took, where both ends are known.
    pub fn duration(&self) -> Option<Micros> {
        Some((self.to? - self.from?).max(0))
    }

    /// The middle of it, or the end that is known. Of times known to the second, the middle of the second.
    pub fn middle(&self) -> Option<Micros> {
        let middle = match (self.from, self.to) {
            (Some(from), Some(to)) => from + (to - from) / 2,
            (from, to) => from.or(to)?,
        };
        Some(middle + if self.coarse { SECOND / 2 } else { 0 })
    }

    /// True where nothing that both know contradicts that they saw the same request. Times are not compared.
    pub fn may_be(&self, inner: &Self) -> bool {
        let same = |one: Word, two: Word| one.is_none() || two.is_none() || one == two;
        same(self.endpoint, inner.endpoint)
            && self.answer.agrees(inner.answer)
            && same(self.role_id, inner.role_id)
            && same(self.gateway, inner.gateway)
            && same(self.agent, inner.agent)
            && (self.query.is_none() || inner.query.is_none() || self.query == inner.query)
            && self.target.is_none_or(|target| target == inner.machine)
    }
}

/// All sightings, by layer.
#[derive(Debug, Default)]
pub struct Sightings {
    layers: [Vec<Sighting>; 6],
}

impl Sightings {
    /// What the machines of one layer saw.
    pub fn of(&self, layer: Layer) -> &[Sighting] {
        &self.layers[layer as usize]
    }
}

const SECOND: Micros = 1_000_000;

/// Every message of a client goes to one address on the management point, whatever its endpoint.
const MESSAGES: &str = "messages";

/// What is needed to tell what was seen.
pub struct Context<'a> {
    /// All events.
    pub events: &'a [Event],
    /// All sources.
    pub sources: &'a [Source],
    /// The knowledge.
    pub knowledge: &'a Knowledge,
    /// Place of the machine of each source.
    pub machine_of: &'a [usize],
    /// Place of the machine of each host name, in small letters, without a domain.
    pub hosts: &'a HashMap<String, usize>,
}

/// Everything that was seen: requests of clients to gateways, surely or likely, that got as far as HTTP, and what servers
/// did.
pub fn collect(requests: &Requests, transactions: &[Transaction], context: &Context<'_>) -> Sightings {
    let mut words = Words::default();
    let mut all = Sightings::default();
    let neighbours = Neighbours::new(requests, context);
    for (number, request) in requests.all.iter().enumerate().filter(|(_, request)| !request.failed_below_http()) {
        let to = match &request.host {
            Some(_) if !request.to_cmg => None,
            Some(host) => Some(Guess { gateway: Some(host.clone()), likely: 1.0 }),
            None => neighbours.guess(number, request),
        };
        let sighting = to.and_then(|to| of_client(number, request, &to, context, &mut words));
        all.layers[Layer::Client as usize].extend(sighting);
    }
    for (number, transaction) in transactions.iter().enumerate() {
        if let Some((layer, sighting)) = of_server(number, transaction, context, &mut words) {
            all.layers[layer as usize].push(sighting);
        }
    }
    all
}

#[derive(Default)]
struct Words(HashMap<String, u32>);

impl Words {
    fn of(&mut self, word: &str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let plain = word.trim().replace('+', " ").to_ascii_lowercase();
        *self.0.entry(plain).or_insert(next)
    }

    /// A role id; one that a document has masked says nothing.
    fn role_id(&mut self, id: &str) -> Word {
        id.bytes().all(|byte| byte.is_ascii_digit()).then(|| self.of(id))
    }
}

fn query_of(text: &str) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let plain = text.trim();
    plain.to_ascii_lowercase().hash(&mut hasher);
    (!plain.is_empty() && plain != "-").then(|| hasher.finish())
}

fn of_client(
    number: usize,
    request: &Request,
    to: &Guess,
    context: &Context<'_>,
    words: &mut Words,
) -> Option<Sighting> {
    let events = || request.events.iter().map(|&event| &context.events[event as usize]);
    let first = *request.events.first()?;
    let utc = |event: u32| context.events[event as usize].stamp.utc;
    let is_message = events().any(|event| event.get("message_id").is_some());
    let endpoint = if is_message { Some(MESSAGES) } else { request.endpoint.as_deref() };
    let has = |wanted: fn(RequestPart) -> bool| events().any(|event| event.message.request.is_some_and(wanted));
    // A request that is only announced may never be made, and a path that the knowledge does not have is no gateway's.
    if endpoint.is_none() && (request.path.is_some() || !has(|part| part != RequestPart::Names)) {
        return None;
    }
    let appends = has(|part| part == RequestPart::CcmToken);
    let log = context.sources.get(context.events[first as usize].place.source as usize)?.component.as_deref();
    let kind = format!("{} {appends}", log.unwrap_or_default());
    let answer = match (request.failed(), request.passed()) {
        (true, _) => Answer::Bad(request.status),
        (_, true) => Answer::Good,
        _ => Answer::Unknown,
    };
    let machine = *context.machine_of.get(context.events[first as usize].place.source as usize)?;
    let query = request.path.as_deref().and_then(|path| path.split_once('?')).and_then(|(_, query)| query_of(query));
    Some(Sighting {
        machine,
        of: number,
        line: request.sent.unwrap_or(first),
        from: request.sent.map_or_else(|| utc(first), utc),
        to: request.answered.and_then(utc),
        coarse: false,
        endpoint: endpoint.map(|endpoint| words.of(endpoint)),
        answer,
        role_id: events().find_map(|event| event.get("role_id")).and_then(|id| words.role_id(id)),
        gateway: to.gateway.as_deref().map(|host| words.of(host)),
        address: None,
        agent: events().find_map(|event| event.get("agent")).map(|agent| words.of(agent)),
        query,
        target: None,
        registers: events().filter_map(|event| event.get("endpoint")).any(|endpoint| {
            context.knowledge.endpoint(endpoint).is_some_and(|endpoint| endpoint.stage == Stage::Registration)
        }),
        likely: to.likely,
        kind: Some(words.of(&kind)),
    })
}

fn of_server(
    number: usize,
    transaction: &Transaction,
    context: &Context<'_>,
    words: &mut Words,
) -> Option<(Layer, Sighting)> {
    let events = || transaction.lines.iter().map(|&(event, _)| &context.events[event as usize]);
    let first = events().next()?;
    let source = context.sources.get(first.place.source as usize)?;
    let rows = source.format == Some(Format::W3c);
    let layer = match first.role().or(source.role)? {
        Role::Cmg if rows => Layer::Gateway,
        Role::ConnectionPoint if events().any(|event| event.get("message_id").is_some()) => Layer::Connector,
        Role::ManagementPoint if rows => Layer::Point,
        Role::ManagementPoint if transaction.registers => Layer::Component,
        Role::ManagementPoint => Layer::TokenService,
        _ => return None,
    };
    let get = |field: &str| events().find_map(|event| event.get(field));
    let elapsed = get("elapsed_ms").and_then(|ms| ms.parse::<u32>().ok()).map(|ms| Micros::from(ms) * 1_000);
    let (from, to) = times(layer, transaction, elapsed, context);
    let status = get("http_status").and_then(|status| status.parse::<u16>().ok());
    let failed = events().any(|event| event.mark() == Mark::Fail) || status.is_some_and(|status| status >= 300);
    let ended = status.is_some() || (layer == Layer::TokenService && transaction.ended_work());
    let answer = match (failed, ended) {
        (true, _) => Answer::Bad(status),
        (false, true) => Answer::Good,
        (false, false) => Answer::Unknown,
    };
    let endpoint = asked(layer, first, &get, context)?;
    let target = get("internal_url")
        .and_then(crate::flows::requests::split_url)
        .and_then(|(host, _)| context.hosts.get(host.split('.').next().unwrap_or_default()).copied());
    let sighting = Sighting {
        machine: *context.machine_of.get(first.place.source as usize)?,
        of: number,
        line: transaction.lines.first()?.0,
        from,
        to,
        coarse: rows,
        endpoint: Some(words.of(&endpoint)),
        answer,
        role_id: get("role_id").and_then(|id| words.role_id(id)),
        gateway: (layer == Layer::Connector).then(|| get("cmg")).flatten().map(|host| words.of(host)),
        address: get("ip").filter(|_| layer == Layer::Gateway).map(|ip| words.of(ip)),
        agent: get("agent").map(|agent| words.of(agent)),
        query: get("query").filter(|_| layer == Layer::Gateway).and_then(query_of),
        target: target.filter(|_| layer == Layer::Connector),
        registers: transaction.registers,
        likely: 1.0,
        kind: None,
    };
    Some((layer, sighting))
}

/// When it came and when it was answered. Rows of IIS are written at the end and say how long it took.
fn times(
    layer: Layer,
    transaction: &Transaction,
    elapsed: Option<Micros>,
    context: &Context<'_>,
) -> (Option<Micros>, Option<Micros>) {
    let lines = || transaction.lines.iter().map(|&(event, _)| &context.events[event as usize]);
    match layer {
        Layer::Gateway | Layer::Point => {
            let to = transaction.ended;
            (to.zip(elapsed).map(|(to, elapsed)| to - elapsed), to)
        }
        Layer::Connector => {
            let starts = lines().find(|event| event.mark() == Mark::Start).and_then(|event| event.stamp.utc);
            // The first line on the answer; a summary follows it.
            let ends = lines().find(|event| matches!(event.mark(), Mark::Ok | Mark::Fail));
            let ends = ends.and_then(|event| event.stamp.utc);
            let from = starts.or_else(|| ends.zip(elapsed).map(|(to, elapsed)| to - elapsed)).or(transaction.started);
            let to = from.zip(elapsed).map(|(from, elapsed)| from + elapsed).or(ends);
            (from, to)
        }
        _ => (transaction.started, transaction.ended),
    }
}

/// What was asked: the endpoint of the path or URL; of a token service's lines that of the token service.
fn asked<'e>(
    layer: Layer,
    first: &Event,
    get: &impl Fn(&str) -> Option<&'e str>,
    context: &Context<'_>,
) -> Option<String> {
    let knowledge = context.knowledge;
    let name = |path: &str| knowledge.endpoint(path).map(|endpoint| endpoint.name.to_owned());
    match layer {
        Layer::Gateway | Layer::Point => first.text.split(' ').find(|word| word.starts_with('/')).and_then(name),
        Layer::Connector => get("internal_url").or_else(|| get("url")).and_then(name),
        Layer::TokenService => get("internal_url").and_then(name).or_else(|| {
            // The line with the URL is lost.
            knowledge.endpoint_for(Stage::CcmTokenRequest).map(|endpoint| endpoint.name.to_owned())
        }),
        _ => Some(MESSAGES.to_owned()),
    }
}
