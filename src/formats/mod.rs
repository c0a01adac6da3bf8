//! Reading records: framing by content, chunk by chunk, in parallel, every byte accounted for.
//!
//! [`scan`] hands every [`Chunk`] of every log to a visitor. A chunk knows where its records are but decodes one only
//! when asked, so a visitor that searches the chunk's text first pays for the records that matter alone.
//!
//! ```
//! use cmgtrail::{formats, input};
//! # let folder = std::env::temp_dir().join(format!("cmgtrail-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # std::fs::write(folder.join("ccmsetup.log"), "<![LOG[Hello]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" \
//! # component=\"ccmsetup\" context=\"\" type=\"1\" thread=\"4\" file=\"ccmsetup.cpp:1\">\r\n").unwrap();
//! let input = input::open(&[folder.clone()], None)?;
//! let scan = formats::scan(&input, &|chunk| chunk.len(), &input::Silent)?;
//! assert_eq!(scan.found[0].iter().sum::<usize>(), 1);
//! assert_eq!(scan.sources[0].component.as_deref(), Some("ccmsetup"));
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), cmgtrail::error::Error>(())
//! ```

mod account;
mod anchors;
mod blocks;
mod ccm;
mod chunk;
mod clipboard;
mod clocks;
mod frame;
mod managed;
mod plan;
mod sms;
mod span;
mod survey;
mod w3c;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::input::{Input, Log, LogFile, Progress};
use crate::record::Source;

pub use chunk::Chunk;
pub use clocks::Clocks;
pub use span::Filler;

pub(crate) use blocks::{Block, Blocks, Trouble};
pub(crate) use plan::{FilePlan, LogPlan, plan};

use blocks::BLOCK;
use survey::Survey;

/// What a scan found.
#[derive(Debug)]
pub struct Scan<T> {
    /// The logs with their account, in the order of [`Input::logs`].
    pub sources: Vec<Source>,
    /// By source: what the visitor made of each chunk, in the order of files and places.
    pub found: Vec<Vec<T>>,
    /// The clocks, to settle the stamps of what was found: see [`Clocks::settle`].
    pub clocks: Clocks,
}

/// Reads all logs, chunks in parallel on the current rayon pool, and hands each chunk to `visit`.
///
/// Records that a rollover holds twice are handed over once. The order of the result does not depend on the number of
/// threads.
///
/// # Errors
/// [`Error::Interrupted`] when `progress` says stop. A file that cannot be read on is told in its source's notes.
pub fn scan<T: Send>(input: &Input, visit: &(dyn Fn(&Chunk) -> T + Sync), progress: &dyn Progress) -> Result<Scan<T>> {
    let work = Work { visit, progress, done: AtomicU64::new(0), total: input.bytes(), stopped: AtomicBool::new(false) };
    let plans = plan(input);
    let logs: Vec<(Vec<FileScan>, Vec<T>)> = input
        .logs
        .par_iter()
        .zip(&plans)
        .enumerate()
        .map(|(index, (log, plan))| work.log(u32::try_from(index).unwrap_or(u32::MAX), log, plan))
        .collect();
    if work.stopped.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    let (files, found): (Vec<_>, Vec<_>) = logs.into_iter().unzip();
    let surveys: Vec<Survey> = files.iter().map(|files| account::whole(files)).collect();
    let clocks = Clocks::new(input, &surveys);
    let sources = account::sources(input, &files, &surveys, &clocks);
    Ok(Scan { sources, found, clocks })
}

/// The blocks of a file; none where it cannot be opened. What goes wrong is told as `trouble`.
pub(crate) fn blocks_of(file: &LogFile, plan: &FilePlan, trouble: &Trouble) -> Option<Blocks> {
    plan::blocks(file, plan.order, BLOCK, trouble)
}

/// What went wrong with a file of which `read` bytes were read, in words. A file that has grown is well.
pub(crate) fn loss(file: &LogFile, read: u64, trouble: &Trouble) -> Option<String> {
    let told = trouble.lock().ok().and_then(|mut trouble| trouble.take());
    told.or_else(|| {
        let cut = format!("{read} bytes were read of the {} it had: it was cut or replaced meanwhile", file.size);
        (read < file.size).then_some(cut)
    })
}

/// A block of a file, framed.
pub(crate) fn chunk_of(block: Block, file: &LogFile, plan: &FilePlan, source: u32) -> Chunk {
    Chunk::new(block, file.encoding, source, &file.path, &plan.copies)
}

/// Cuts `bytes` into chunks of about `size` bytes and hands each to `visit`, as [`scan`] would read a file of them.
/// Public for property tests and fuzzing: nothing that is found may depend on `size`.
#[doc(hidden)]
pub fn chunks_of_bytes(bytes: &[u8], size: usize, visit: &mut dyn FnMut(&Chunk)) {
    let encoding = crate::input::encoding::detect(bytes.get(..bytes.len().min(64 << 10)).unwrap_or_default(), None);
    let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let blocks = Blocks::new(reader, encoding, size, frame::Context::default(), Trouble::default());
    let (name, none) = (std::sync::Arc::from("bytes"), std::collections::HashSet::new());
    for block in blocks {
        visit(&Chunk::new(block, encoding, 0, &name, &none));
    }
}

/// The account of one file.
pub(crate) struct FileScan {
    /// Index among the log's files.
    pub index: usize,
    pub survey: Survey,
    pub trouble: Option<String>,
}

struct Work<'a, T> {
    visit: &'a (dyn Fn(&Chunk) -> T + Sync),
    progress: &'a dyn Progress,
    done: AtomicU64,
    total: u64,
    stopped: AtomicBool,
}

impl<T: Send> Work<'_, T> {
    fn log(&self, source: u32, log: &Log, plan: &LogPlan) -> (Vec<FileScan>, Vec<T>) {
        let files: Vec<(FileScan, Vec<T>)> = plan.par_iter().map(|plan| self.file(source, log, plan)).collect();
        let (mut scans, mut found) = (Vec::with_capacity(files.len()), Vec::new());
        for (scan, visited) in files {
            scans.push(scan);
            found.extend(visited);
        }
        (scans, found)
    }

    fn file(&self, source: u32, log: &Log, plan: &FilePlan) -> (FileScan, Vec<T>) {
        let trouble = Trouble::default();
        let mut visited: Vec<(u64, Survey, T)> = match log.files.get(plan.index) {
            Some(file) => blocks_of(file, plan, &trouble)
                .into_iter()
                .flatten()
                .take_while(|_| !self.stop())
                .par_bridge()
                .map(|block| {
                    let chunk = Chunk::new(block, file.encoding, source, &file.path, &plan.copies);
                    let found = (self.visit)(&chunk);
                    self.advance(chunk.end() - chunk.start());
                    (chunk.start(), Survey::of(&chunk), found)
                })
                .collect(),
            None => Vec::new(),
        };
        visited.sort_unstable_by_key(|(start, ..)| *start);
        let mut survey = Survey::default();
        let mut found = Vec::with_capacity(visited.len());
        for (_, next, visited) in visited {
            survey.append(&next);
            found.push(visited);
        }
        let trouble = log.files.get(plan.index).and_then(|file| loss(file, survey.bytes, &trouble));
        (FileScan { index: plan.index, survey, trouble }, found)
    }

    fn stop(&self) -> bool {
        let stop = self.stopped.load(Ordering::Relaxed) || self.progress.stop();
        if stop {
            self.stopped.store(true, Ordering::Relaxed);
        }
        stop
    }

    fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // A file that grows while it is read makes the total an understatement.
        self.progress.advance(done, self.total.max(done));
    }
}
