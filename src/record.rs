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
    /// True where the record's framing is damaged or cut.
    pub damaged: bool,
    /// The row's fields, where the record is an IIS W3C row.
    pub w3c: Option<W3cRow<'a>>,
}

/// Names of the fields of W3C rows, from the `#Fields:` line above them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct W3cFields {
    names: Vec<Box<str>>,
}

impl W3cFields {
    /// The fields that a `#Fields:` line names; `None` where the line is none, or names none.
    pub fn parse(line: &str) -> Option<Self> {
        let names: Vec<_> = line.strip_prefix("#Fields:")?.split_ascii_whitespace().map(Box::from).collect();
        (!names.is_empty()).then_some(Self { names })
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True where there are no fields.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Position of a field.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }
}

/// One IIS W3C row, its fields reached by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct W3cRow<'a> {
    fields: &'a W3cFields,
    text: &'a str,
}

impl<'a> W3cRow<'a> {
    /// The row `text` under `fields`.
    ///
    /// ```
    /// use cmgtrail::record::{W3cFields, W3cRow};
    /// let fields = W3cFields::parse("#Fields: date time cs-method sc-status").unwrap();
    /// let row = W3cRow::new(&fields, "2026-11-04 09:12:33 - 403");
    /// assert_eq!(row.get("sc-status"), Some("403"));
    /// assert_eq!(row.get("cs-method"), None);
    /// ```
    pub fn new(fields: &'a W3cFields, text: &'a str) -> Self {
        Self { fields, text }
    }

    /// A field's value, a part of the record's text; `None` where the row has no such field or leaves it empty (`-`).
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let value = self.text.split(' ').nth(self.fields.position(name)?)?;
        (value != "-" && !value.is_empty()).then_some(value)
    }

    /// Byte offsets of a field's value in the record's text.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        let position = self.fields.position(name)?;
        let mut start = 0;
        for (index, value) in self.text.split(' ').enumerate() {
            if index == position {
                return (value != "-" && !value.is_empty()).then_some(start..start + value.len());
            }
            start += value.len() + 1;
        }
        None
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
    /// What stands for the machine in this trail: the host in lower case, else its folder under the path given.
    #[serde(skip)]
    pub machine: String,
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
    /// Times between two of its files for which nothing was kept: UTC from and to, by the machine's own clock.
    #[serde(skip)]
    pub holes: Vec<(Micros, Micros)>,
    /// All physical files, oldest first, relative, with `/`.
    pub files: Vec<String>,
    /// What a reader should know: an unreadable file, a rollover hole, a record cut in half, in words.
    pub notes: Vec<String>,
}

impl Source {
    /// The machine's name: its host, else what stands for the machine in this trail.
    pub fn machine_name(&self) -> &str {
        self.host.as_deref().unwrap_or(&self.machine)
    }

    /// True where the log was kept for all of this time, so that what it does not show did not happen, as far as this
    /// log tells.
    pub fn covers(&self, from: Micros, to: Micros) -> bool {
        let spans = self.first.is_some_and(|first| first <= from) && self.last.is_some_and(|last| to <= last);
        spans && self.is_whole(from, to)
    }

    /// True where nothing of this time was lost between two of its files.
    pub fn is_whole(&self, from: Micros, to: Micros) -> bool {
        !self.holes.iter().any(|(start, end)| *start < to && from < *end)
    }
}
