//! A flow while it is being put together.

use super::Join;
use super::ranges::CandidateRange;
use crate::events::Event;
use crate::stage::{FlowKind, Mark};
use crate::time::Stamp;

/// An event of a draft.
#[derive(Debug, Clone)]
pub struct Member {
    /// Index of the event.
    pub event: u32,
    /// Attempt it belongs to, from 1; 0 while not known.
    pub attempt: u32,
    /// Why it belongs here.
    pub join: Join,
}

/// Something that a client has asked for and not yet got.
#[derive(Debug, Clone)]
pub struct Awaited {
    /// The message id; `None` stands for a CCM token.
    pub message: Option<String>,
    /// The thread that asked.
    pub thread: Option<u32>,
    /// When it was asked for.
    pub asked: Stamp,
}

/// A flow while it is being put together.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What the client was after.
    pub kind: FlowKind,
    /// True where its first line was seen.
    pub from_start: bool,
    /// The client's own events, in order.
    pub client: Vec<Member>,
    /// The servers' events that were joined.
    pub servers: Vec<Member>,
    /// Events of servers that may belong to it and may not. What they say decides nothing.
    pub candidates: Vec<Member>,
    /// Parts of servers' logs in which lines of it stand, where they are too many to be listed. What they
    /// say decides nothing.
    pub ranges: Vec<CandidateRange>,
    /// Mark of the line that ended it.
    pub closed: Option<Mark>,
    /// A new process began before this one said that it ends.
    pub superseded: bool,
    /// What it waits for, in the order in which it was asked.
    pub pending: Vec<Awaited>,
    /// When its last line was written.
    pub last: Option<Stamp>,
}

impl Draft {
    /// An empty draft.
    pub fn new(kind: FlowKind, from_start: bool) -> Self {
        Self {
            kind,
            from_start,
            client: Vec::new(),
            servers: Vec::new(),
            candidates: Vec::new(),
            ranges: Vec::new(),
            closed: None,
            superseded: false,
            pending: Vec::new(),
            last: None,
        }
    }

    /// Adds one of the client's own events.
    pub fn add(&mut self, event: u32, join: Join) {
        self.client.push(Member { event, attempt: 0, join });
    }

    /// The log of its first line.
    pub fn log(&self, events: &[Event]) -> Option<u32> {
        Some(events.get(self.client.first()?.event as usize)?.place.source)
    }

    /// Number of its last attempt.
    pub fn attempts(&self) -> u32 {
        self.client.last().map_or(1, |member| member.attempt.max(1))
    }
}
