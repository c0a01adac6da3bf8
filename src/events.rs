//! Events: what records mean. A record that no message of the knowledge matches has no event.

use std::sync::Arc;

use crate::knowledge::Message;
use crate::record::Place;
use crate::stage::{Mark, Role, Stage};
use crate::time::Stamp;

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
