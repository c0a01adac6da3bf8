//! What the machines wrote, before it is put into files: entries with their true time, and what they belong to.

use std::collections::BTreeMap;

use super::lines::{LineId, LogId, Value, lines};
use crate::stage::Stage;
use crate::time::Micros;

/// Stands for "none" in the numbers of an entry.
pub(super) const NONE: u32 = u32::MAX;

/// To what a line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub flow: u32,
    pub attempt: u32,
    /// The HTTP request, where the line is of one.
    pub request: u32,
    pub stage: Stage,
}

/// A record, not yet framed.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// True UTC.
    pub at: Micros,
    pub line: LineId,
    pub text: Box<str>,
    /// What one thread works on; numbers of threads are dealt out when the log is written.
    pub work: u32,
    pub owner: Option<Owner>,
}

/// The entries of every log of every machine.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub machines: Vec<BTreeMap<LogId, Vec<Entry>>>,
    works: u32,
}

/// Where and when a line is written, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub machine: usize,
    pub log: &'static str,
    pub at: Micros,
    pub work: u32,
    pub owner: Option<Owner>,
}

impl Journal {
    pub fn new(machines: usize) -> Self {
        Self { machines: vec![BTreeMap::new(); machines], works: 0 }
    }

    /// A number for what one thread is going to do.
    pub fn work(&mut self) -> u32 {
        self.works = self.works.wrapping_add(1);
        self.works
    }

    pub fn write(&mut self, place: Place, line: &str, values: &[Value<'_>]) {
        let line = lines().line(line);
        let entry = Entry {
            at: place.at,
            line,
            text: lines().fill(line, values).into_boxed_str(),
            work: place.work,
            owner: place.owner,
        };
        if let Some(logs) = self.machines.get_mut(place.machine) {
            logs.entry(lines().log(place.log)).or_default().push(entry);
        }
    }
}
