//! A chunk: a decoded, framed piece of a file, the unit of parallel work.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::formats::blocks::Block;
use crate::formats::frame::frame;
use crate::formats::span::{Filler, Piece, Run, Span};
use crate::input::encoding::{Decoded, TextEncoding};
use crate::record::{Format, Place, Record, W3cFields, W3cRow};
use crate::time::Stamp;

/// A piece of a file with its records framed. Records are decoded one by one, when they are asked for.
#[derive(Debug)]
pub struct Chunk {
    pub(crate) source: u32,
    pub(crate) file: Arc<str>,
    base: u64,
    lines_before: u32,
    decoded: Decoded,
    pub(crate) spans: Arc<Vec<Span>>,
    pub(crate) runs: Vec<Run>,
    fields: Vec<Arc<W3cFields>>,
    /// Line ends before every so many bytes of text; counted when first asked for.
    lines: OnceLock<Vec<u32>>,
}

/// Bytes of text after which line ends are summed.
const STRETCH: usize = 4 << 10;

impl Chunk {
    pub(crate) fn new(
        block: Block,
        encoding: TextEncoding,
        source: u32,
        file: &Arc<str>,
        copies: &HashSet<u64>,
    ) -> Self {
        let decoded = Decoded::new(block.raw, encoding);
        let framed = frame(&decoded.text, &block.context, true);
        let mut chunk = Self {
            source,
            file: Arc::clone(file),
            base: block.base,
            lines_before: block.lines_before,
            decoded,
            spans: Arc::new(framed.spans),
            runs: framed.runs,
            fields: framed.fields,
            lines: OnceLock::new(),
        };
        if !copies.is_empty() {
            chunk.drop_copies(copies);
        }
        chunk
    }

    /// Records that stand in an older file of the log count there.
    fn drop_copies(&mut self, copies: &HashSet<u64>) {
        let (twice, own): (Vec<Span>, Vec<Span>) =
            self.spans.iter().cloned().partition(|span| copies.contains(&self.file_offset(span.whole.start)));
        self.spans = Arc::new(own);
        self.runs.extend(twice.iter().map(|span| Run { filler: Filler::Copy, whole: span.whole }));
        self.runs.sort_by_key(|run| run.whole.start);
    }

    /// Index of the log among the input's logs.
    pub fn source(&self) -> u32 {
        self.source
    }

    /// Path of the physical file, relative, with `/`.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The whole text, for a search over all records at once. An offset in it leads to a record by
    /// [`Chunk::record_at`].
    pub fn text(&self) -> &str {
        &self.decoded.text
    }

    /// The bytes of [`Chunk::text`].
    pub fn text_bytes(&self) -> &[u8] {
        self.decoded.text.as_bytes()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// True where the chunk holds no record.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The record that holds an offset of [`Chunk::text`], framing included.
    pub fn record_at(&self, offset: usize) -> Option<usize> {
        let offset = u32::try_from(offset).ok()?;
        let index = self.spans.partition_point(|span| span.whole.end <= offset);
        self.spans.get(index).is_some_and(|span| span.whole.start <= offset).then_some(index)
    }

    /// Where a record's message lies in [`Chunk::text`].
    pub fn message_range(&self, index: usize) -> Option<Range<usize>> {
        self.spans.get(index).map(|span| span.text.start as usize..span.text.end as usize)
    }

    /// The record at `index`; `None` past the last.
    pub fn record(&self, index: usize) -> Option<Record<'_>> {
        let span = self.spans.get(index)?;
        let text = span.text.of(self.text()).unwrap_or_default();
        let some = |piece: Piece| piece.of(self.text()).filter(|value| !value.is_empty());
        let fields = self.fields.get(span.fields as usize).filter(|_| span.format == Format::W3c);
        Some(Record {
            line: self.line(span),
            bytes: self.bytes(span),
            stamp: Stamp::as_written(span.local, span.bias),
            component: some(span.component),
            thread: span.thread,
            context: some(span.context),
            severity: span.severity,
            code_file: some(span.code_file),
            text,
            damaged: span.damaged,
            w3c: fields.map(|fields| W3cRow::new(fields, text)),
        })
    }

    /// All records, in order.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).filter_map(|index| self.record(index))
    }

    /// Where the record at `index` stands.
    pub fn place(&self, index: usize) -> Option<Place> {
        let span = self.spans.get(index)?;
        Some(Place {
            source: self.source,
            file: Arc::clone(&self.file),
            line: self.line(span),
            bytes: self.bytes(span),
        })
    }

    /// The runs of bytes that are no record, as ranges in the file.
    pub fn fillers(&self) -> impl Iterator<Item = (Filler, Range<u64>)> {
        self.runs.iter().map(|run| (run.filler, self.file_offset(run.whole.start)..self.file_offset(run.whole.end)))
    }

    /// Bytes of the file up to the end of this chunk.
    pub(crate) fn end(&self) -> u64 {
        self.file_offset(u32::try_from(self.text().len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn start(&self) -> u64 {
        self.base
    }

    /// The record's first line in the file, 1-based.
    pub(crate) fn line(&self, span: &Span) -> u32 {
        let start = span.whole.start as usize;
        let sums = self.lines.get_or_init(|| line_sums(self.text_bytes()));
        let before = sums.get(start / STRETCH).copied().unwrap_or_default();
        let after = self.line_ends(start / STRETCH * STRETCH, start);
        self.lines_before.saturating_add(before).saturating_add(after).saturating_add(1)
    }

    /// The first line in the file of each record, 1-based.
    pub(crate) fn all_lines(&self) -> impl Iterator<Item = u32> {
        let (mut line, mut counted) = (self.lines_before.saturating_add(1), 0);
        self.spans.iter().map(move |span| {
            let start = span.whole.start as usize;
            line = line.saturating_add(self.line_ends(counted, start));
            counted = start;
            line
        })
    }

    fn line_ends(&self, from: usize, to: usize) -> u32 {
        count_lines(self.text_bytes().get(from..to).unwrap_or_default())
    }

    pub(crate) fn bytes(&self, span: &Span) -> Range<u64> {
        self.file_offset(span.whole.start)..self.file_offset(span.whole.end)
    }

    pub(crate) fn file_offset(&self, at: u32) -> u64 {
        self.base + u64::try_from(self.decoded.raw_offset(at as usize)).unwrap_or(u64::MAX)
    }
}

fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// Line ends before each stretch of `text`.
fn line_sums(text: &[u8]) -> Vec<u32> {
    let before = |sum: &mut u32, part| Some(std::mem::replace(sum, sum.saturating_add(count_lines(part))));
    text.chunks(STRETCH).scan(0, before).collect()
}
