//! Where the parts of a record lie in a chunk's text. Framing makes spans; nothing is copied.

use crate::record::{Format, RecordSeverity};
use crate::time::{Bias, Micros};

/// A piece of a chunk's text, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub start: u32,
    pub end: u32,
}

impl Piece {
    pub(crate) const NONE: Self = Self { start: u32::MAX, end: u32::MAX };

    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: offset(start), end: offset(end) }
    }

    /// The piece's text; `None` where there is no piece.
    pub(crate) fn of(self, text: &str) -> Option<&str> {
        text.get(self.start as usize..self.end as usize)
    }
}

/// An offset in a chunk's text. Chunks are far smaller than 4 GiB (`MAX_RECORD` bounds them).
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// One record, framed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    /// The whole record, framing and line end included.
    pub whole: Piece,
    /// The message.
    pub text: Piece,
    /// Line ends between the chunk's start and the record.
    pub lines_before: u32,
    pub format: Format,
    pub damaged: bool,
    pub local: Option<Micros>,
    pub bias: Bias,
    pub severity: RecordSeverity,
    pub thread: Option<u32>,
    pub component: Piece,
    pub context: Piece,
    pub code_file: Piece,
    /// Index into the chunk's W3C field lists.
    pub fields: u32,
}

impl Span {
    pub(crate) fn new(format: Format, start: usize, end: usize, text: Piece) -> Self {
        Self {
            whole: Piece::new(start, end),
            text,
            lines_before: 0,
            format,
            damaged: false,
            local: None,
            bias: Bias::Absent,
            severity: RecordSeverity::Info,
            thread: None,
            component: Piece::NONE,
            context: Piece::NONE,
            code_file: Piece::NONE,
            fields: 0,
        }
    }
}

/// Bytes that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filler {
    /// Nothing known: the account counts them as a gap.
    Gap,
    /// Known not to be a record: a byte order mark, a blank line, a W3C directive, a rollover's last line.
    Marker,
    /// A record that stands in an older file of the same log too, and counts there.
    Copy,
}

/// A run of bytes that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub filler: Filler,
    pub whole: Piece,
}
