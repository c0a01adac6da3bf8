//! What servers did: the lines that one server wrote about one request.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::identity;
use super::machines::Machine;
use crate::events::Event;
use crate::stage::{Mark, Role, Stage};
use crate::time::Micros;

/// Lines of one thread that are further apart than this speak of different requests.
const PAUSE: Micros = 60 * 1_000_000;

/// A message is named this soon after its URL.
const HERALD: Micros = 5 * 1_000_000;

/// The lines that a server wrote about one request, as far as they can be told to belong together.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// Its lines, in order, with the keys by which each was added ("thread", "message-id").
    pub lines: Vec<(u32, &'static str)>,
    /// Ids that its lines name.
    pub ids: BTreeMap<&'static str, String>,
    /// Ids of the messages of its lines.
    pub messages: BTreeSet<String>,
    /// The certificate that its client shows, where a line names it.
    thumbprint: Option<String>,
    /// True where its last line says how it ended, so that the next start is another's.
    ended_work: bool,
    /// True where its last line is the last of all, so that whatever comes next is another's.
    closed: bool,
    /// Place of the machine in the list.
    pub machine: usize,
    /// True where it serves a registration, not a token.
    pub registers: bool,
    /// UTC of its first line, by the server's clock.
    pub started: Option<Micros>,
    /// UTC of its last line, by the server's clock.
    pub ended: Option<Micros>,
}

impl Transaction {
    /// True where its last line says how it ended.
    pub fn ended_work(&self) -> bool {
        self.ended_work
    }
}

/// Groups the server events of all machines into transactions, in order of machine and time.
pub fn transactions(machines: &[Machine], events: &[Event]) -> Vec<Transaction> {
    let mut all = Vec::new();
    for (place, machine) in machines.iter().enumerate() {
        let first = all.len();
        all.extend(of_machine(machine, events));
        all[first..].iter_mut().for_each(|transaction| transaction.machine = place);
    }
    all
}

fn of_machine(machine: &Machine, events: &[Event]) -> Vec<Transaction> {
    let mut all: Vec<Transaction> = Vec::new();
    let mut by_thread: HashMap<(u32, u32), usize> = HashMap::new();
    let mut by_message: HashMap<String, usize> = HashMap::new();
    let mut heralds: HashMap<(u32, u32, String), usize> = HashMap::new();
    for &index in &machine.server_events {
        let event = &events[index as usize];
        let message = event.get("message_id").and_then(identity::normal);
        let thread = thread_of(event);
        let found = match (&message, thread) {
            (Some(message), _) => {
                let known = by_message.get(message).map(|&found| (found, "message-id"));
                known.or_else(|| herald(event, &mut heralds, &all, events))
            }
            (None, Some(thread)) => {
                by_thread.get(&thread).filter(|&&found| continues(&all[found], event)).map(|&found| (found, "thread"))
            }
            (None, None) => None,
        };
        let alone = if message.is_some() { "message-id" } else { "thread" };
        let (at, by) = found.unwrap_or_else(|| {
            all.push(Transaction::default());
            (all.len() - 1, alone)
        });
        add(&mut all[at], index, event, by);
        if let Some(key) = herald_key(event).filter(|_| message.is_none()) {
            heralds.insert(key, at);
        }
        if let Some(message) = message {
            by_message.insert(message, at);
        } else if let Some(thread) = thread {
            by_thread.insert(thread, at);
        }
    }
    all
}

/// A line that tells of a URL before its message is named belongs to the message that its thread names next for it.
fn herald(
    event: &Event,
    heralds: &mut HashMap<(u32, u32, String), usize>,
    all: &[Transaction],
    events: &[Event],
) -> Option<(usize, &'static str)> {
    let found = heralds.remove(&herald_key(event)?)?;
    let (line, _) = *all.get(found)?.lines.last()?;
    let near = event.stamp.since(&events[line as usize].stamp).is_some_and(|pause| (0..=HERALD).contains(&pause));
    near.then_some((found, "thread"))
}

/// Log, thread and URL of a line of a connection point.
fn herald_key(event: &Event) -> Option<(u32, u32, String)> {
    let of_connector = event.role() == Some(Role::ConnectionPoint);
    let url = event.get("internal_url").filter(|_| of_connector)?;
    Some((event.place.source, event.thread?, url.trim_matches('/').replace(":///", "://").to_ascii_lowercase()))
}

/// Threads join lines only where one thread works on one request from start to end: in the management point's own logs.
fn thread_of(event: &Event) -> Option<(u32, u32)> {
    (event.role() == Some(Role::ManagementPoint))
        .then_some(event.thread)
        .flatten()
        .map(|thread| (event.place.source, thread))
}

/// True where the line goes on with the request that its thread was working on.
fn continues(transaction: &Transaction, event: &Event) -> bool {
    let starts = event.mark() == Mark::Start && (transaction.ended_work || transaction.messages.contains(event.id()));
    let begins = starts || transaction.closed || event.message.first;
    let near = match (transaction.ended, event.stamp.utc) {
        (Some(last), Some(now)) => (now - last).abs() <= PAUSE,
        _ => true,
    };
    let contradicts = identity::ids(event)
        .iter()
        .any(|(key, id)| transaction.ids.get(key).is_some_and(|known| !identity::agree(known, id)));
    let known = transaction.thumbprint.as_deref().zip(event.get("thumbprint"));
    let other_certificate = known.is_some_and(|(known, named)| !known.eq_ignore_ascii_case(named));
    !begins && near && !contradicts && !other_certificate
}

fn add(transaction: &mut Transaction, index: u32, event: &Event, by: &'static str) {
    transaction.lines.push((index, by));
    transaction.messages.insert(event.id().to_owned());
    let issued = event.mark() == Mark::Ok && event.stage() == Some(Stage::CcmTokenIssue);
    transaction.closed = event.message.closes;
    transaction.ended_work = event.mark() == Mark::Fail || issued || transaction.closed;
    transaction.thumbprint = transaction.thumbprint.take().or_else(|| event.get("thumbprint").map(str::to_owned));
    transaction.registers |= event.stage() == Some(Stage::Registration);
    for (key, id) in identity::ids(event) {
        transaction.ids.entry(key).or_insert(id);
    }
    transaction.started = transaction.started.or(event.stamp.utc);
    transaction.ended = event.stamp.utc.or(transaction.ended);
}
