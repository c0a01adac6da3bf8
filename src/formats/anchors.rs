//! Clock anchors: UTC stamps inside records, which tell the bias without the bias.
//!
//! Dumps of event classes carry `DateTime = "YYYYMMDDHHMMSS.ffffff+000"` in UTC. Dumps of `CCM_Application` carry local
//! time with the same suffix and are no anchors (log catalogue, section 1.4).

use memchr::memmem;

use crate::formats::chunk::Chunk;
use crate::time::{Bias, MINUTE, Micros, clock, date, digits, fraction_micros};

/// The bias that an anchor gives, at a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub local: Micros,
    pub bias: i16,
    /// The record itself says otherwise.
    pub contradicts: bool,
    /// Anchors in a row that say the same.
    pub count: u32,
}

/// Text before an anchor's digits, and what the record's dump must and must not be of.
const STAMP: &str = "DateTime = \"";
const DUMP: &str = "instance of CCM_";
const LOCAL_DUMP: &str = "instance of CCM_Application";

/// An event is written within this time of what it tells; one that waited in a queue is no anchor.
const PROMPT: Micros = 2 * MINUTE;

/// Anchors kept of one log, after runs of the same are joined.
const MOST: usize = 1000;

/// The anchors in a chunk.
pub(crate) fn of(chunk: &Chunk) -> Vec<Anchor> {
    let mut anchors = Vec::new();
    for hit in memmem::find_iter(chunk.text_bytes(), STAMP) {
        if let Some(anchor) = anchor(chunk, hit) {
            push(&mut anchors, anchor);
        }
    }
    anchors
}

/// Adds the anchors of what follows.
pub(crate) fn merge(anchors: &mut Vec<Anchor>, next: &[Anchor]) {
    next.iter().for_each(|anchor| push(anchors, *anchor));
}

fn push(anchors: &mut Vec<Anchor>, anchor: Anchor) {
    let room = anchors.len() < MOST;
    match anchors.last_mut() {
        Some(last) if last.bias == anchor.bias && last.contradicts == anchor.contradicts => {
            last.count = last.count.saturating_add(anchor.count);
            last.local = anchor.local;
        }
        _ if room => anchors.push(anchor),
        _ => {}
    }
}

fn anchor(chunk: &Chunk, hit: usize) -> Option<Anchor> {
    let span = chunk.spans.get(chunk.record_at(hit)?)?;
    let local = span.local?;
    let text = span.text.of(chunk.text())?;
    if !text.contains(DUMP) || text.contains(LOCAL_DUMP) {
        return None;
    }
    let utc = utc_stamp(chunk.text_bytes().get(hit + STAMP.len()..)?)?;
    let quarter = 15 * MINUTE;
    let quarters = (utc - local + quarter / 2).div_euclid(quarter);
    if (utc - local - quarters * quarter).abs() > PROMPT {
        return None;
    }
    let bias = Bias::plausible(i32::try_from(quarters * 15).ok()?)?.minutes()?;
    let contradicts = span.bias.minutes().is_some_and(|written| written != bias);
    Some(Anchor { local, bias, contradicts, count: 1 })
}

/// `YYYYMMDDHHMMSS.ffffff+000"`
fn utc_stamp(text: &[u8]) -> Option<Micros> {
    let number = |from: usize, length: usize| {
        digits(text.get(from..from + length)?, length).filter(|(_, count)| *count == length).map(|(value, _)| value)
    };
    if text.get(14) != Some(&b'.') || text.get(21..26) != Some(b"+000\"") {
        return None;
    }
    let day = date(number(0, 4)?, number(4, 2)?, number(6, 2)?)?;
    let time = clock(number(8, 2)?, number(10, 2)?, number(12, 2)?, fraction_micros(text.get(15..21)?))?;
    Some(day + time)
}
