//! Records as columns: Arrow record batches, streamed in the order of sources and places, with bounded memory.
//!
//! ```
//! use cmgtrail::columns::{RecordStream, Window};
//! use cmgtrail::input::{self, Silent};
//! # let folder = std::env::temp_dir().join(format!("cmgtrail-columns-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # std::fs::write(folder.join("ccmsetup.log"), "<![LOG[Hello]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" \
//! # component=\"ccmsetup\" context=\"\" type=\"1\" thread=\"4\" file=\"ccmsetup.cpp:1\">\r\n").unwrap();
//! let stream = RecordStream::open(&[folder.clone()], None, Window::ALL, &Silent)?;
//! let rows: usize = stream.batches().map(|batch| batch.map_or(0, |batch| batch.num_rows())).sum();
//! assert_eq!(rows, 1);
//! assert_eq!(stream.batches().count(), 1, "a stream can be read again");
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), cmgtrail::error::Error>(())
//! ```

mod dictionary;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use arrow_array::types::{ArrowPrimitiveType, Int16Type, TimestampMicrosecondType, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::formats::{self, Block, Blocks, Chunk, Clocks, LogPlan, Trouble};
use crate::input::{self, Input, LogFile, Progress};
use crate::record::{RecordSeverity, Source};
use crate::time::{Micros, Stamp, UtcQuality, rfc3339};

use dictionary::{Dictionary, constant};

/// A stretch of UTC time: from `since`, to before `until`. Records whose UTC is not known are in no stretch but all of
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// First microsecond, UTC.
    pub since: Option<Micros>,
    /// First microsecond after it, UTC.
    pub until: Option<Micros>,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { since: None, until: None };

    /// The stretch between two instants.
    ///
    /// # Errors
    /// [`Error::Argument`] where it ends before it begins, so that nothing could lie in it.
    pub fn between(since: Option<Micros>, until: Option<Micros>) -> Result<Self> {
        match (since, until) {
            (Some(since), Some(until)) if until <= since => Err(Error::Argument {
                argument: "until".to_owned(),
                expected: format!("a time after `since` ({})", rfc3339(since)),
                found: rfc3339(until),
            }),
            _ => Ok(Self { since, until }),
        }
    }

    /// True where a record of this UTC time lies in the window.
    pub fn holds(self, utc: Option<Micros>) -> bool {
        match utc {
            Some(utc) => self.since.is_none_or(|since| utc >= since) && self.until.is_none_or(|until| utc < until),
            None => self == Self::ALL,
        }
    }
}

/// The columns of records.
///
/// | column | type | is |
/// |---|---|---|
/// | `source` | dictionary of text | path of the log's current file |
/// | `file` | dictionary of text | path of the physical file |
/// | `line` | u32 | first physical line, 1-based |
/// | `byte_start`, `byte_end` | u64 | the record's bytes in that file, framing included |
/// | `local_time` | timestamp, µs, no zone | as the log shows it |
/// | `bias_minutes` | i16 | as the log has it, where it is well-formed; UTC = local time + bias |
/// | `utc` | timestamp, µs, UTC | null where it is not known |
/// | `utc_quality` | dictionary of text | `known`, `assumed`, `unknown` |
/// | `host`, `component` | dictionary of text | machine and component |
/// | `thread` | u32 | thread id |
/// | `context` | dictionary of text | CCM `context` |
/// | `severity` | dictionary of text | `info`, `warning`, `error` |
/// | `code_file` | dictionary of text | CCM `file` |
/// | `damaged` | bool | the record's framing is damaged or cut |
/// | `text` | text | the message |
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let word = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let time = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        Arc::new(Schema::new(vec![
            Field::new("source", word(), false),
            Field::new("file", word(), false),
            Field::new("line", DataType::UInt32, false),
            Field::new("byte_start", DataType::UInt64, false),
            Field::new("byte_end", DataType::UInt64, false),
            Field::new("local_time", time(None), true),
            Field::new("bias_minutes", DataType::Int16, true),
            Field::new("utc", time(Some("UTC")), true),
            Field::new("utc_quality", word(), false),
            Field::new("host", word(), true),
            Field::new("component", word(), true),
            Field::new("thread", DataType::UInt32, true),
            Field::new("context", word(), true),
            Field::new("severity", word(), false),
            Field::new("code_file", word(), true),
            Field::new("damaged", DataType::Boolean, false),
            Field::new("text", DataType::Utf8, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// A column that may be null.
struct Nullable<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    valid: Vec<bool>,
    nulls: bool,
}

impl<T: ArrowPrimitiveType> Nullable<T> {
    fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), valid: Vec::with_capacity(rows), nulls: false }
    }

    fn push(&mut self, value: Option<T::Native>) {
        self.nulls |= value.is_none();
        self.valid.push(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    fn finish(self) -> PrimitiveArray<T> {
        let nulls = self.nulls.then(|| NullBuffer::from(self.valid));
        PrimitiveArray::new(ScalarBuffer::from(self.values), nulls)
    }
}

/// The records of a chunk as a batch.
pub(crate) fn batch(
    chunk: &Chunk,
    source: &Source,
    clocks: &Clocks,
    window: Window,
) -> std::result::Result<RecordBatch, ArrowError> {
    let rows = chunk.len();
    let mut line = Vec::with_capacity(rows);
    let (mut start, mut end) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut local = Nullable::<TimestampMicrosecondType>::with_capacity(rows);
    let mut bias = Nullable::<Int16Type>::with_capacity(rows);
    let mut utc = Nullable::<TimestampMicrosecondType>::with_capacity(rows);
    let mut thread = Nullable::<UInt32Type>::with_capacity(rows);
    let mut quality = Vec::with_capacity(rows);
    let mut severity = Vec::with_capacity(rows);
    let mut damaged = Vec::with_capacity(rows);
    let mut component = Dictionary::new(rows);
    let mut context = Dictionary::new(rows);
    let mut code_file = Dictionary::new(rows);
    let mut text = Text::new(rows, chunk.text().len());
    for (span, first_line) in chunk.spans.iter().zip(chunk.all_lines()) {
        let stamp = clocks.settle(chunk.source, Stamp::as_written(span.local, span.bias));
        if !window.holds(stamp.utc) {
            continue;
        }
        let bytes = chunk.bytes(span);
        line.push(first_line);
        start.push(bytes.start);
        end.push(bytes.end);
        local.push(stamp.local);
        bias.push(stamp.bias.minutes());
        utc.push(stamp.utc);
        quality.push(quality_key(stamp.quality));
        component.push(span.component.of(chunk.text()));
        thread.push(span.thread);
        context.push(span.context.of(chunk.text()));
        severity.push(severity_key(span.severity));
        code_file.push(span.code_file.of(chunk.text()));
        damaged.push(span.damaged);
        text.push(span.text.of(chunk.text()).unwrap_or_default());
    }
    let rows = line.len();
    let columns: Vec<ArrayRef> = vec![
        constant(Some(&source.path), rows),
        constant(Some(&chunk.file), rows),
        Arc::new(PrimitiveArray::<UInt32Type>::new(line.into(), None)),
        Arc::new(PrimitiveArray::<UInt64Type>::new(start.into(), None)),
        Arc::new(PrimitiveArray::<UInt64Type>::new(end.into(), None)),
        Arc::new(local.finish()),
        Arc::new(bias.finish()),
        Arc::new(utc.finish().with_timezone("UTC")),
        dictionary::of_words(quality, &["known", "assumed", "unknown"]),
        constant(source.host.as_deref(), rows),
        component.finish(),
        Arc::new(thread.finish()),
        context.finish(),
        dictionary::of_words(severity, &["info", "warning", "error"]),
        code_file.finish(),
        Arc::new(BooleanArray::new(BooleanBuffer::from(damaged), None)),
        Arc::new(text.finish()?),
    ];
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema(), columns, &options)
}

fn quality_key(quality: UtcQuality) -> i32 {
    match quality {
        UtcQuality::Known => 0,
        UtcQuality::Assumed => 1,
        UtcQuality::Unknown => 2,
    }
}

fn severity_key(severity: RecordSeverity) -> i32 {
    match severity {
        RecordSeverity::Info => 0,
        RecordSeverity::Warning => 1,
        RecordSeverity::Error => 2,
    }
}

/// The texts, one after the other.
struct Text {
    values: Vec<u8>,
    ends: Vec<i32>,
}

impl Text {
    fn new(rows: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { values: Vec::with_capacity(bytes), ends }
    }

    fn push(&mut self, text: &str) {
        self.values.extend_from_slice(text.as_bytes());
        // A chunk is far smaller than 2 GiB.
        self.ends.push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }

    fn finish(self) -> std::result::Result<StringArray, ArrowError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        StringArray::try_new(offsets, Buffer::from_vec(self.values), None)
    }
}

/// All records under some paths, as often as they are asked for.
#[derive(Debug, Clone, Default)]
pub struct RecordStream {
    input: Arc<Input>,
    plans: Arc<Vec<LogPlan>>,
    sources: Arc<Vec<Source>>,
    clocks: Arc<Clocks>,
    window: Window,
}

impl RecordStream {
    /// Reads the account of all logs under `paths`, which settles their clocks; the records are read by
    /// [`RecordStream::batches`].
    ///
    /// # Errors
    /// Those of [`input::open`] and [`formats::scan`].
    pub fn open(paths: &[PathBuf], encoding: Option<&str>, window: Window, progress: &dyn Progress) -> Result<Self> {
        let input = input::open(paths, encoding)?;
        let scan = formats::scan(&input, &|_| (), progress)?;
        Ok(Self::of(Arc::new(input), scan.sources, scan.clocks, window))
    }

    /// The records of logs that were scanned before.
    pub fn of(input: Arc<Input>, sources: Vec<Source>, clocks: Clocks, window: Window) -> Self {
        let plans = Arc::new(formats::plan(&input));
        Self { input, plans, sources: Arc::new(sources), clocks: Arc::new(clocks), window }
    }

    /// The logs, in the order of their records.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The records, about a mebibyte of a log in each batch.
    ///
    /// A file that was lost or cut after the account was taken is an [`Error::Unreadable`] in its place; the records
    /// of the other files follow.
    pub fn batches(&self) -> Batches {
        Batches { stream: self.clone(), log: 0, file: 0, open: None, ready: VecDeque::new(), ended: false }
    }
}

/// The batches of a [`RecordStream`], in order, some of which are read and parsed in parallel.
pub struct Batches {
    stream: RecordStream,
    log: usize,
    file: usize,
    open: Option<OpenFile>,
    ready: VecDeque<Result<RecordBatch>>,
    ended: bool,
}

/// The file that is being read.
struct OpenFile {
    blocks: Option<Blocks>,
    trouble: Trouble,
}

/// A block of a file, or what is lost of it.
struct Unit {
    log: usize,
    file: usize,
    block: Result<Block>,
}

impl Batches {
    /// The next block, or the loss of a file that ended before its time.
    fn next_unit(&mut self) -> Option<Unit> {
        loop {
            let (log, file) = (self.log, self.file);
            let Some(known) = self.stream.file(log, file) else {
                self.stream.plans.get(log)?;
                (self.log, self.file) = (log + 1, 0);
                continue;
            };
            let plan = self.stream.plans.get(log)?.get(file)?;
            let open = self.open.get_or_insert_with(|| {
                let trouble = Trouble::default();
                OpenFile { blocks: formats::blocks_of(known, plan, &trouble), trouble }
            });
            if let Some(block) = open.blocks.as_mut().and_then(Iterator::next) {
                return Some(Unit { log, file, block: Ok(block) });
            }
            let read = open.blocks.as_ref().map_or(0, Blocks::read);
            let loss = formats::loss(known, read, &open.trouble);
            let loss = loss.filter(|_| !self.stream.is_told(log, known)).map(|words| unreadable(known, words));
            (self.file, self.open) = (file + 1, None);
            if let Some(loss) = loss {
                return Some(Unit { log, file, block: Err(loss) });
            }
        }
    }

    /// The next batches. Each thread reads a block and parses it while it is in its cache; at the end of a group they
    /// wait for each other.
    fn next_group(&mut self) -> Vec<Result<RecordBatch>> {
        let size = 4 * rayon::current_num_threads();
        let stream = self.stream.clone();
        let units = std::iter::from_fn(|| self.next_unit()).take(size).enumerate();
        let mut parsed: Vec<_> = units.par_bridge().map(|(place, unit)| (place, stream.parse(unit))).collect();
        parsed.sort_unstable_by_key(|(place, _)| *place);
        self.ended = parsed.is_empty();
        parsed.into_iter().filter_map(|(_, batch)| batch).collect()
    }
}

fn unreadable(file: &LogFile, words: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unreadable(file.path.as_ref().as_ref(), std::io::Error::other(words))
}

impl RecordStream {
    /// The file at a place of the plan.
    fn file(&self, log: usize, file: usize) -> Option<&LogFile> {
        self.input.logs.get(log)?.files.get(self.plans.get(log)?.get(file)?.index)
    }

    /// True where the account has told that the file could not be read to its end.
    fn is_told(&self, log: usize, file: &LogFile) -> bool {
        let about = |note: &String| note.strip_prefix(file.path.as_ref()).is_some_and(|words| words.starts_with(": "));
        self.sources.get(log).is_some_and(|source| source.notes.iter().any(about))
    }

    /// The batch of a block; nothing where none of its records is wanted.
    fn parse(&self, unit: Unit) -> Option<Result<RecordBatch>> {
        let block = match unit.block {
            Ok(block) => block,
            Err(loss) => return Some(Err(loss)),
        };
        let file = self.file(unit.log, unit.file)?;
        let plan = self.plans.get(unit.log)?.get(unit.file)?;
        let chunk = formats::chunk_of(block, file, plan, u32::try_from(unit.log).ok()?);
        match batch(&chunk, self.sources.get(unit.log)?, &self.clocks, self.window) {
            Ok(batch) => (batch.num_rows() > 0).then_some(Ok(batch)),
            Err(error) => Some(Err(unreadable(file, error))),
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        while self.ready.is_empty() && !self.ended {
            let group = self.next_group();
            self.ready.extend(group);
        }
        self.ready.pop_front()
    }
}
