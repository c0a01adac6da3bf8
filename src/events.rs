//! Events: what records mean. A record that no message of the knowledge matches has no event.

use std::sync::Arc;

use crate::knowledge::{Knowledge, Message, Parts};
use crate::record::{Place, Record};
use crate::stage::{Mark, Role, Stage};
use crate::time::Stamp;

mod prefilter;

use prefilter::Prefilter;

/// A part of an event's text that a template named: byte range, or nothing where the part was absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// First byte in [`Event::text`].
    pub start: u32,
    /// One past the last byte. `start == end == u32::MAX` where the part was absent.
    pub end: u32,
}

impl Capture {
    /// The capture of an absent part.
    pub const ABSENT: Self = Self { start: u32::MAX, end: u32::MAX };
}

/// What one record means.
#[derive(Debug, Clone)]
pub struct Event {
    /// The message of the knowledge that matched.
    pub message: Arc<Message>,
    /// Where the record stands.
    pub place: Place,
    /// When it was written.
    pub stamp: Stamp,
    /// Thread that wrote it.
    pub thread: Option<u32>,
    /// Component that wrote it, as written.
    pub component: Option<Arc<str>>,
    /// The record's message text.
    pub text: Box<str>,
    /// Parts of `text`, in the order of [`Message::captures`].
    pub captures: Box<[Capture]>,
}

impl Event {
    /// The value of a field: captured from the text, else set by the message. Empty captures are `None`.
    pub fn get(&self, field: &str) -> Option<&str> {
        let captured = self.message.captures.iter().position(|name| name == field).and_then(|index| {
            let capture = self.captures.get(index)?;
            self.text.get(capture.start as usize..capture.end as usize)
        });
        captured
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .or_else(|| self.message.set.get(field).map(String::as_str))
    }

    /// Id of the message that matched.
    pub fn id(&self) -> &str {
        &self.message.id
    }

    /// Stage of the message, if it has one.
    pub fn stage(&self) -> Option<Stage> {
        self.message.stage
    }

    /// Mark of the message.
    pub fn mark(&self) -> Mark {
        self.message.mark
    }

    /// Kind of machine that writes this message, where the message can come from one kind only.
    pub fn role(&self) -> Option<Role> {
        self.message.role
    }
}

/// Turns records into events.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// All patterns of all messages: those of the knowledge that ships with the crate first, then what a user's file
    /// writes in place of some, then what it adds. Among them the most specific first: more literal text, then more
    /// typed parts, then the order of the knowledge.
    patterns: Vec<Known>,
    prefilter: Prefilter,
    /// For each literal of the prefilter the patterns that need it.
    of_literal: Vec<Vec<usize>>,
}

/// A pattern of a message.
#[derive(Debug, Clone)]
struct Known {
    message: Arc<Message>,
    pattern: usize,
    /// The message that a user's file has put in place of this one: it has the first word on what this one took.
    instead: Option<Arc<Message>>,
}

/// Whose patterns are tried before whose, so that a user's message takes no record away from a built-in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Builtin,
    Replacing,
    Added,
}

impl Rank {
    fn of(message: &Message) -> Self {
        match (message.beside, &message.replaced) {
            (true, _) => Self::Added,
            (false, Some(_)) => Self::Replacing,
            (false, None) => Self::Builtin,
        }
    }
}

impl Matcher {
    /// A matcher for all messages of `knowledge`.
    pub fn new(knowledge: &Knowledge) -> Self {
        let mut patterns = Vec::new();
        let mut add = |message: &Arc<Message>, rank: Rank, instead: Option<&Arc<Message>>| {
            for (pattern, written) in message.patterns.iter().enumerate() {
                let known = Known { message: Arc::clone(message), pattern, instead: instead.cloned() };
                patterns.extend(written.literal().map(|literal| (rank, written.weight(), literal, known)));
            }
        };
        for message in knowledge.messages() {
            if let Some(replaced) = &message.replaced {
                add(replaced, Rank::Builtin, Some(message));
            }
            add(message, Rank::of(message), None);
        }
        patterns.sort_by(|(one_rank, one, ..), (other_rank, other, ..)| one_rank.cmp(other_rank).then(other.cmp(one)));
        let prefilter = Prefilter::new(patterns.iter().map(|(_, _, literal, _)| literal.clone()).collect());
        let mut of_literal = vec![Vec::new(); patterns.len()];
        for (index, (_, _, literal, _)) in patterns.iter().enumerate() {
            if let Some(list) = prefilter.index(literal).and_then(|literal| of_literal.get_mut(literal)) {
                list.push(index);
            }
        }
        Self { patterns: patterns.into_iter().map(|(.., known)| known).collect(), prefilter, of_literal }
    }

    /// Offsets in `bytes` at which literal text of some message stands, record by record. A
    /// record with no hit in its bytes has no event; a record with a hit may have one. `bytes` are those of a whole
    /// chunk of a log, framing included, in UTF-8 or a one-byte encoding.
    ///
    /// ```
    /// use cmgtrail::{events::Matcher, knowledge::Knowledge};
    /// let matcher = Matcher::new(Knowledge::builtin());
    /// assert_eq!(matcher.hits(b"<![LOG[Nothing of interest]LOG]!>").count(), 0);
    /// ```
    pub fn hits<'h>(&'h self, bytes: &'h [u8]) -> impl Iterator<Item = usize> + 'h {
        self.prefilter.find(bytes).map(|(offset, _)| offset)
    }

    /// What a record means, if some message matches it. `component` is the name of the log or component that wrote
    /// it, where the record itself has none.
    pub fn event_of(&self, record: &Record<'_>, place: Place, component: Option<Arc<str>>) -> Option<Event> {
        let component = record.component.map(Arc::from).or(component);
        let (message, parts) = self.message_of(record, &place, component.as_deref())?;
        Some(Event {
            message: Arc::clone(message),
            place,
            stamp: record.stamp,
            thread: record.thread,
            component,
            text: record.text.into(),
            captures: parts.into_iter().map(capture).collect(),
        })
    }

    fn message_of(
        &self,
        record: &Record<'_>,
        place: &Place,
        component: Option<&str>,
    ) -> Option<(&Arc<Message>, Parts)> {
        let found = self.prefilter.find(record.text.as_bytes());
        let mut candidates: Vec<usize> =
            found.filter_map(|(_, literal)| self.of_literal.get(literal)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let row = record.w3c.as_ref();
        let columns = row.map(|row| |column: &str| row.get(column));
        candidates.into_iter().find_map(|candidate| {
            let known = self.patterns.get(candidate)?;
            let message = &known.message;
            let columns = columns.as_ref().map(|columns| columns as _);
            let believed =
                |message: &Message| !message.only_in_logs || written_in(&message.logs, component, &place.file);
            if !believed(message) {
                return None;
            }
            let parts = message.find_by(message.patterns.get(known.pattern)?, record.text, columns)?;
            match &known.instead {
                None => Some((message, parts)),
                Some(own) => Some((own, own.find(record.text, columns).filter(|_| believed(own))?)),
            }
        })
    }
}

/// True where a component or a file has one of these names. Copies of logs have longer file names
/// (`CMG-…-CMGService.log`), never shorter ones.
fn written_in(logs: &[String], component: Option<&str>, file: &str) -> bool {
    let file = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    logs.iter().any(|log| {
        component.is_some_and(|component| component.eq_ignore_ascii_case(log))
            || file.contains(&log.to_ascii_lowercase())
    })
}

fn capture(part: Option<(usize, usize)>) -> Capture {
    let whole = part.and_then(|(start, end)| Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?)));
    whole.map_or(Capture::ABSENT, |(start, end)| Capture { start, end })
}
