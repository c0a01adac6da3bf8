//! Where a request may be any of many lines of a server: told as the range of lines that holds them.
//!
//! Where many alike requests pass within what the clocks are off by, no method tells their lines apart. Listing all
//! pairs would cost their square, and what is cut off such a list may be the right one. So each request keeps the part
//! of the server's log in which its lines stand, and how many of the server's requests in it may be its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::LineRef;
use super::draft::Draft;
use super::hops::Layer;
use super::servers::Transaction;
use crate::events::Event;

/// What is cut off at either end of a range: this share of what speaks for all of it.
const TAIL: f64 = 0.002;

/// What speaks for a range altogether: less, and its request's lines are known, or not there.
const LEAST: f64 = 0.05;

/// A part of a server's log that holds the lines of a request of the flow, or may.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateRange {
    /// Attempt of the flow, from 1.
    pub attempt: u32,
    /// File, relative to what was given, with `/`.
    pub source: Arc<str>,
    /// The first line that may be the request's.
    pub line: u32,
    /// The last one.
    pub last_line: u32,
    /// How many requests that the server tells of between them may be this one.
    pub candidates: usize,
    /// The client's line that stands for the request.
    pub to: LineRef,
    /// Index of an event in the range.
    #[serde(skip)]
    pub event: u32,
}

/// A request of a flow: its flow, its attempt, and the client's line that stands for it.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// Place of the flow.
    pub flow: usize,
    /// Its attempt.
    pub attempt: u32,
    /// Index of the event.
    pub line: u32,
}

/// What may be a request's, of one file.
#[derive(Debug)]
struct Crowd {
    asker: Asker,
    /// First line, last line, an event, and how likely.
    candidates: Vec<(u32, u32, u32, f64)>,
}

/// What may be whose, where it is too much to be listed; by layer, place of the request in the clients' layer, and file.
#[derive(Debug, Default)]
pub struct Crowds(BTreeMap<(Layer, u32, Arc<str>), Crowd>);

impl Crowds {
    /// Adds a transaction that a request may have made.
    pub fn add(
        &mut self,
        (layer, client, share): (Layer, u32, f64),
        asker: Asker,
        transaction: &Transaction,
        events: &[Event],
    ) {
        let places = transaction.lines.iter().map(|(event, _)| (*event, &events[*event as usize].place));
        // Of a transaction across two files the part that it begins in is told.
        let Some((_, begun)) = places.clone().next() else { return };
        let places = places.filter(|(_, place)| place.file == begun.file);
        let Some((event, first)) = places.clone().min_by_key(|(_, place)| place.line) else { return };
        let last = places.map(|(_, place)| place.line);
        let last = last.max().unwrap_or(first.line);
        let crowd = self.0.entry((layer, client, Arc::clone(&first.file)));
        let crowd = crowd.or_insert_with(|| Crowd { asker, candidates: Vec::new() });
        crowd.candidates.push((first.line, last, event, share));
    }

    /// Gives the flows their ranges.
    pub fn tell(self, drafts: &mut [Draft], events: &[Event]) {
        for ((_, _, source), crowd) in self.0 {
            let Crowd { asker, mut candidates } = crowd;
            candidates.sort_unstable_by_key(|candidate| (candidate.0, candidate.2));
            let all: f64 = candidates.iter().map(|candidate| candidate.3).sum();
            let kept = within(&candidates, all * TAIL);
            let Some(&(line, _, event, _)) = kept.first().filter(|_| all >= LEAST) else { continue };
            drafts[asker.flow].ranges.push(CandidateRange {
                attempt: asker.attempt,
                source,
                line,
                last_line: kept.iter().map(|candidate| candidate.1).max().unwrap_or(line),
                candidates: kept.len(),
                to: LineRef::from(&events[asker.line as usize].place),
                event,
            });
        }
    }
}

/// The candidates without those at either end that all together are no likelier than `tail`.
fn within(candidates: &[(u32, u32, u32, f64)], tail: f64) -> &[(u32, u32, u32, f64)] {
    let cut = |shares: &mut dyn Iterator<Item = f64>| {
        let sums = shares.scan(0.0, |sum, share| {
            *sum += share;
            Some(*sum)
        });
        sums.take_while(|sum| *sum <= tail).count()
    };
    let before = cut(&mut candidates.iter().map(|candidate| candidate.3));
    let after = cut(&mut candidates.iter().rev().map(|candidate| candidate.3));
    candidates.get(before..candidates.len().saturating_sub(after)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tails_of_a_range_are_cut_and_its_middle_is_not() {
        let shares = [0.001, 0.0005, 0.3, 0.0001, 0.6, 0.001];
        let candidates: Vec<_> = (10..).zip(shares).map(|(line, share)| (line, line, line, share)).collect();
        let kept: Vec<u32> = within(&candidates, 0.002).iter().map(|candidate| candidate.0).collect();
        assert_eq!(kept, [12, 13, 14]);
        assert!(within(&candidates, 2.0).is_empty());
    }
}
