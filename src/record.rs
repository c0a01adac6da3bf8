//! Records as read, and the sources they come from.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::stage::Role;
use crate::time::{Micros, Stamp, UtcQuality};

/// How a log is framed. Decided by content, never by file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `<![LOG[…]LOG]!><time=… >` of clients and management points.
    Ccm,
    /// `… $$<COMPONENT><…><thread=…>` of site servers, connection points and the CMG.
    Sms,
    /// IIS W3C rows under a `#Fields:` line.
    W3c,
    /// Lines copied out of the CMTrace viewer.
    Clipboard,
    /// Multi-line logs of managed services, a date and time at the start of each record.
    Managed,
}

/// Severity of a record: written by the log (CCM `type`), or read from the words (SMS) as CMTrace does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordSeverity {
    /// Ordinary.
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

/// Where a record stands. Copies are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Index into the trail's sources.
    pub source: u32,
    /// Path of the physical file, relative to what was given, with `/`.
    pub file: Arc<str>,
    /// First physical line of the record in that file, 1-based.
    pub line: u32,
    /// Bytes of the record in that file, framing and line end included.
    pub bytes: Range<u64>,
}

/// One log record, decoded. Text is borrowed from the file's buffer where no decoding was needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// First physical line in the file, 1-based.
    pub line: u32,
    /// Bytes in the file, framing and line end included.
    pub bytes: Range<u64>,
    /// When it was written.
    pub stamp: Stamp,
    /// Component as written, if the format has one.
    pub component: Option<&'a str>,
    /// Thread id, if the format has one.
    pub thread: Option<u32>,
    /// CCM `context`, if any.
    pub context: Option<&'a str>,
    /// Severity.
    pub severity: RecordSeverity,
    /// CCM `file="source.cpp:123"`, if any.
    pub code_file: Option<&'a str>,
    /// The message. For W3C the whole row.
    pub text: &'a str,
    /// The columns, where the record is a W3C row.
    pub w3c: Option<W3cRow<'a>>,
    /// True where the record's framing is damaged or cut.
    pub damaged: bool,
}

/// The columns of a W3C row, under the names of its `#Fields:` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct W3cRow<'a> {
    /// Name and value of each column; the values are parts of [`Record::text`].
    pub columns: Vec<(&'a str, &'a str)>,
}

impl<'a> W3cRow<'a> {
    /// The value of a column as written, if the row has it.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        self.columns.iter().find(|(name, _)| *name == column).map(|(_, value)| *value)
    }
}

/// One log of one machine: a file and its rollovers, read as one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Path of the current file, relative to what was given, with `/`.
    pub path: String,
    /// Framing of most records; `None` where no record was found.
    pub format: Option<Format>,
    /// Component that wrote most records, or the log's name.
    pub component: Option<String>,
    /// The machine that wrote it, if known.
    pub host: Option<String>,
    /// Kind of machine, if known.
    pub role: Option<Role>,
    /// Bytes in all its files.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Runs of bytes that belong to no record.
    pub gaps: u64,
    /// Bytes in those runs.
    pub gap_bytes: u64,
    /// UTC of the first record, by the machine's own clock.
    #[serde(rename = "from", serialize_with = "crate::time::serialize_utc")]
    pub first: Option<Micros>,
    /// UTC of the last record, by the machine's own clock.
    #[serde(rename = "to", serialize_with = "crate::time::serialize_utc")]
    pub last: Option<Micros>,
    /// How UTC is known, the weakest of its records that matter.
    pub time: UtcQuality,
    /// All physical files, oldest first, relative, with `/`.
    pub files: Vec<String>,
    /// What a reader should know: an unreadable file, a rollover hole, a record cut in half, in words.
    pub notes: Vec<String>,
}
