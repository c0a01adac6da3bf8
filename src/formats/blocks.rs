//! A file in blocks: read in pieces of about a mebibyte, cut where a record begins, the unfinished tail carried over.
//!
//! There is no memory map, so a file that is truncated or grows while it is read is safe, and memory is bounded by the
//! block size and the longest record.

use std::io::Read;
use std::sync::{Arc, Mutex};

use memchr::{memchr_iter, memmem, memrchr};

use crate::formats::ccm::OPENER;
use crate::formats::frame::{Context, frame};
use crate::input::encoding::{Decoded, TextEncoding};

/// Bytes that are read at a time.
pub(crate) const BLOCK: usize = 1 << 20;

/// How far back from a block's end the start of a CCM record is looked for, before the block is framed to find one.
const LOOK_BACK: usize = 256 << 10;

/// A run of whole pieces of a file.
pub(crate) struct Block {
    pub raw: Vec<u8>,
    /// Offset of the first byte in the file.
    pub base: u64,
    /// Line ends before it in the file.
    pub lines_before: u32,
    pub context: Context,
}

/// The blocks of a file, in order.
pub(crate) struct Blocks {
    reader: Box<dyn Read + Send>,
    encoding: TextEncoding,
    size: usize,
    carry: Vec<u8>,
    ended: bool,
    base: u64,
    lines: u32,
    context: Context,
    trouble: Trouble,
}

/// Where a failure to read on is told.
pub(crate) type Trouble = Arc<Mutex<Option<String>>>;

impl Blocks {
    /// Bytes of the file in the blocks so far.
    pub(crate) fn read(&self) -> u64 {
        self.base
    }

    pub(crate) fn new(
        reader: Box<dyn Read + Send>,
        encoding: TextEncoding,
        size: usize,
        context: Context,
        trouble: Trouble,
    ) -> Self {
        Self { reader, encoding, size, carry: Vec::new(), ended: false, base: 0, lines: 0, context, trouble }
    }

    /// Reads until the carried bytes are `wanted`, or the file ends.
    fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.carry.len());
        self.carry.reserve(missing + 32);
        let limit = u64::try_from(missing).unwrap_or(u64::MAX);
        match self.reader.by_ref().take(limit).read_to_end(&mut self.carry) {
            Ok(read) => self.ended = read < missing,
            Err(error) => {
                // What was read before is kept; the account tells the rest.
                self.ended = true;
                if let Ok(mut trouble) = self.trouble.lock() {
                    *trouble = Some(format!("it could be read only in part: {error}"));
                }
            }
        }
    }

    /// Where the carried bytes can be cut, and what framing must know of what comes after. Nothing where more is
    /// needed.
    fn cut(&self) -> Option<(usize, Context)> {
        if self.ended {
            return Some((self.carry.len(), self.context.clone()));
        }
        if self.encoding == TextEncoding::Utf8
            && let Some(at) = last_opener(&self.carry)
            && memmem::find(self.carry.get(..at)?, b"#Fields:").is_none()
        {
            return Some((at, Context { mid_line: false, ..self.context.clone() }));
        }
        let decoded = Decoded::new(self.carry.clone(), self.encoding);
        let mut framed = frame(&decoded.text, &self.context, false);
        let at = decoded.raw_offset(framed.consumed);
        if at == 0 {
            return None;
        }
        // A byte order mark does not begin a line, nor end one.
        let before = decoded.text.get(..framed.consumed).unwrap_or_default().trim_end_matches('\u{feff}');
        let mid_line = if before.is_empty() { self.context.mid_line } else { !before.ends_with('\n') };
        Some((at, Context { fields: framed.fields.pop(), mid_line, order: self.context.order }))
    }
}

/// The last CCM record that starts a line, looked for near the end.
fn last_opener(raw: &[u8]) -> Option<usize> {
    let from = raw.len().saturating_sub(LOOK_BACK);
    let mut window = raw.get(from..)?;
    while let Some(end) = memrchr(b'\n', window) {
        let at = from + end + 1;
        if raw.get(at..).is_some_and(|rest| rest.starts_with(OPENER)) {
            return Some(at);
        }
        window = window.get(..end)?;
    }
    None
}

/// Line ends in `raw`.
fn line_ends(raw: &[u8], encoding: TextEncoding) -> u32 {
    let count = match encoding {
        TextEncoding::Utf8 => memchr_iter(b'\n', raw).count(),
        TextEncoding::Other(_) => memchr_iter(b'\n', Decoded::new(raw.to_vec(), encoding).text.as_bytes()).count(),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Iterator for Blocks {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let mut wanted = self.size.max(1);
        let (at, after) = loop {
            if !self.ended {
                self.fill(wanted);
            }
            if self.carry.is_empty() {
                return None;
            }
            if let Some(cut) = self.cut() {
                break cut;
            }
            wanted = self.carry.len().saturating_mul(2).max(64);
        };
        let tail = self.carry.get(at..).map(<[u8]>::to_vec).unwrap_or_default();
        self.carry.truncate(at);
        let raw = std::mem::replace(&mut self.carry, tail);
        let context = std::mem::replace(&mut self.context, after);
        let block = Block { base: self.base, lines_before: self.lines, context, raw };
        self.base += u64::try_from(at).unwrap_or(u64::MAX);
        self.lines = self.lines.saturating_add(line_ends(&block.raw, self.encoding));
        Some(block)
    }
}
