//! Before a scan: the order of a log's files, the records that stand in two of them, the order of day and month.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rayon::prelude::*;

use crate::formats::blocks::{BLOCK, Blocks, Trouble};
use crate::formats::chunk::Chunk;
use crate::formats::clipboard::{DateOrder, OrderEvidence};
use crate::formats::frame::Context;
use crate::input::{Input, Log, LogFile};
use crate::time::Micros;

/// How to read one file.
#[derive(Debug, Clone)]
pub(crate) struct FilePlan {
    /// Index among the log's files.
    pub index: usize,
    pub order: DateOrder,
    /// Offsets of records that stand in an older file of the log too.
    pub copies: HashSet<u64>,
}

/// The readable files of a log, oldest first.
pub(crate) type LogPlan = Vec<FilePlan>;

/// Plans the reading of every log.
pub(crate) fn plan(input: &Input) -> Vec<LogPlan> {
    input.logs.par_iter().map(plan_log).collect()
}

fn plan_log(log: &Log) -> LogPlan {
    let readable = log.files.iter().enumerate().filter(|(_, file)| file.unread.is_none());
    let mut plans: LogPlan =
        readable.map(|(index, file)| FilePlan { index, order: date_order(file), copies: HashSet::new() }).collect();
    if plans.len() < 2 {
        return plans;
    }
    let files: Vec<Times> = plans.iter().map(|plan| Times::of(log, plan)).collect();
    let mut order: Vec<usize> = (0..plans.len()).collect();
    // Files without a readable time keep the place that their names give them, after the others.
    order.sort_by_key(|index| files.get(*index).and_then(|times| times.first).unwrap_or(Micros::MAX));
    plans = order.iter().filter_map(|index| plans.get(*index).cloned()).collect();
    let files: Vec<&Times> = order.iter().filter_map(|index| files.get(*index)).collect();
    if overlap(&files) {
        find_copies(log, &mut plans);
    }
    plans
}

/// First and last time in a file.
struct Times {
    first: Option<Micros>,
    last: Option<Micros>,
}

impl Times {
    fn of(log: &Log, plan: &FilePlan) -> Self {
        let mut times = Self { first: None, last: None };
        let Some(file) = log.files.get(plan.index) else { return times };
        let Some(tail) = file.location.tail(BLOCK as u64) else {
            for_each_chunk(log, plan, |chunk| times.see(chunk));
            return times;
        };
        // The ends of a file on disk are enough; the middle is read once, by the scan.
        let (trouble, none) = (Trouble::default(), HashSet::new());
        let head = blocks(file, plan.order, GLANCE, &trouble).and_then(|mut blocks| blocks.next());
        let context = Context { order: plan.order, mid_line: true, ..Context::default() };
        let tail = Blocks::new(tail, file.encoding, BLOCK, context, trouble);
        for block in head.into_iter().chain(tail) {
            times.see(&Chunk::new(block, file.encoding, 0, &file.path, &none));
        }
        times
    }

    fn see(&mut self, chunk: &Chunk) {
        for local in chunk.spans.iter().filter_map(|span| span.local) {
            self.first = Some(self.first.map_or(local, |first| first.min(local)));
            self.last = Some(self.last.map_or(local, |last| last.max(local)));
        }
    }
}

fn overlap(files: &[&Times]) -> bool {
    let mut last = Micros::MIN;
    files.iter().any(|file| {
        let overlaps = file.first.is_some_and(|first| first < last);
        last = last.max(file.last.unwrap_or(Micros::MIN));
        overlaps
    })
}

/// A record that an older file holds too is a copy. Equal records inside one file are real: each counts once in the
/// file that holds most of them.
fn find_copies(log: &Log, plans: &mut LogPlan) {
    let mut older: HashMap<u64, u32> = HashMap::new();
    for plan in plans {
        let mut here: HashMap<u64, u32> = HashMap::new();
        let mut copies = HashSet::new();
        for_each_chunk(log, plan, |chunk| {
            for span in chunk.spans.iter().filter(|span| span.local.is_some()) {
                let record = record_hash(chunk.text().get(span.whole.start as usize..span.whole.end as usize));
                let count = here.entry(record).or_default();
                *count += 1;
                if older.get(&record).is_some_and(|before| *count <= *before) {
                    copies.insert(chunk.file_offset(span.whole.start));
                }
            }
        });
        for (record, count) in here {
            let most = older.entry(record).or_default();
            *most = (*most).max(count);
        }
        plan.copies = copies;
    }
}

fn record_hash(record: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.map(str::trim_end).hash(&mut hasher);
    hasher.finish()
}

fn for_each_chunk(log: &Log, plan: &FilePlan, mut visit: impl FnMut(&Chunk)) {
    let Some(file) = log.files.get(plan.index) else { return };
    let Some(blocks) = blocks(file, plan.order, BLOCK, &Trouble::default()) else { return };
    let none = HashSet::new();
    for block in blocks {
        visit(&Chunk::new(block, file.encoding, 0, &file.path, &none));
    }
}

/// The file's blocks; a failure to open it is told as trouble.
pub(crate) fn blocks(file: &LogFile, order: DateOrder, size: usize, trouble: &Trouble) -> Option<Blocks> {
    match file.location.open() {
        Ok(reader) => {
            let context = Context { order, ..Context::default() };
            Some(Blocks::new(reader, file.encoding, size, context, Arc::clone(trouble)))
        }
        Err(error) => {
            if let Ok(mut trouble) = trouble.lock() {
                *trouble = Some(format!("it cannot be read: {error}"));
            }
            None
        }
    }
}

/// Bytes at the start of a file by which it is known as one of copied lines.
const GLANCE: usize = 64 << 10;

/// The order of day and month in a file of copied lines, from all of its lines.
fn date_order(file: &LogFile) -> DateOrder {
    let glance = Trouble::default();
    let Some(mut blocks) = blocks(file, DateOrder::default(), GLANCE, &glance) else { return DateOrder::default() };
    let mut evidence = OrderEvidence::default();
    let none = HashSet::new();
    let Some(first) = blocks.next() else { return DateOrder::default() };
    let first = Chunk::new(first, file.encoding, 0, &file.path, &none);
    if !first.spans.iter().any(|span| span.format == crate::record::Format::Clipboard) {
        return DateOrder::default();
    }
    let mut see = |chunk: &Chunk| chunk.text().lines().for_each(|line| evidence.see(line.as_bytes()));
    see(&first);
    for block in blocks {
        see(&Chunk::new(block, file.encoding, 0, &file.path, &none));
    }
    evidence.order()
}
