//! The engine: from paths to a [`Trail`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::artefacts::{Artefact, Artefacts};
use crate::columns::{RecordStream, Window};
use crate::diagnosis::{self, Question};
use crate::error::{Error, Result};
use crate::events::{Event, Matcher};
use crate::finding::Finding;
use crate::flows::{self, Flow};
use crate::formats::{self, Chunk, Clocks};
use crate::input::{self, Input};
use crate::knowledge::Knowledge;
use crate::record::Source;
use crate::site::Site;
use crate::time::Micros;

pub use crate::flows::Clock;
pub use crate::input::{Progress, Silent};

/// What to read, and how.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Knowledge files laid over the built-in knowledge, in order.
    pub knowledge: Vec<PathBuf>,
    /// A site description that confirms what the logs suggest.
    pub site: Option<PathBuf>,
    /// Only what happened at or after this UTC time.
    pub since: Option<Micros>,
    /// Only what happened before this UTC time.
    pub until: Option<Micros>,
    /// Only flows of this client: host name, device id, user id or client id.
    pub client: Option<String>,
    /// Encoding of files without a byte order mark, by WHATWG label; otherwise UTF-8, else Windows-1252.
    pub encoding: Option<String>,
}

/// Everything read, followed and diagnosed.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    /// The paths as given.
    pub paths: Vec<PathBuf>,
    /// The options as given.
    pub options: ReadOptions,
    /// The logs.
    pub sources: Vec<Source>,
    /// Clock offsets between machines.
    pub clocks: Vec<Clock>,
    /// What matching records mean, in order of source and place; behind them, in the same order, what only messages of
    /// a user's file take.
    pub events: Vec<Event>,
    /// The flows, in order of start.
    pub flows: Vec<Flow>,
    /// The causes, best first.
    pub findings: Vec<Finding>,
    /// Tokens, certificates, `dsregcmd` output found among the logs, in order of path, each with its report.
    pub artefacts: Vec<Artefact>,
    /// True where some source holds a request to a CMG.
    pub traffic: bool,
    /// The records, to be streamed.
    pub records: RecordStream,
}

impl Trail {
    /// Reads and diagnoses `paths`: folders, zip files, glob patterns or single files.
    ///
    /// # Errors
    /// [`crate::error::Error::Argument`] where the time asked for ends before it begins,
    /// [`crate::error::Error::NotFound`] for a path that is not there, [`crate::error::Error::Knowledge`] for a
    /// mistake in a knowledge file, [`crate::error::Error::Interrupted`] when `progress` says stop. Files that
    /// cannot be read or hold no record are sources with a note, not errors, while one record is read.
    pub fn read(paths: &[PathBuf], options: ReadOptions, progress: &dyn Progress) -> Result<Self> {
        let window = Window::between(options.since, options.until)?;
        let knowledge = Knowledge::with_files(&options.knowledge)?;
        let site = options.site.as_deref().map(read_site).transpose()?.unwrap_or_default();
        let input = Arc::new(input::open(paths, options.encoding.as_deref())?);
        let Found { mut sources, mut events, clocks } = find_events(&input, &knowledge, progress)?;
        if sources.iter().all(|source| source.records == 0) {
            return Err(Error::NoRecords { looked_at: input.looked_at() });
        }
        // What the logs hold is one thing, and what they hold of the time that was asked for another.
        let later = options.until.is_some() && flows::speak_of_cmg(&events, &knowledge, &site.cmg.names);
        events.retain(|event| options.until.zip(event.stamp.utc).is_none_or(|(until, utc)| utc < until));
        // What a user's messages add is laid beside what the built-in ones have followed, and changes nothing of it.
        let known = events.iter().take_while(|event| !event.message.beside).count();
        flows::name_by_content(&mut sources, &events[..known]);
        let seen = as_seen_at(&sources, options.until);
        let mut followed = flows::follow(&events[..known], &seen, &knowledge, &site.cmg.names);
        flows::lay_beside(&mut followed, &events, known, &seen);
        let bundle = Artefacts::read(&input, &followed, &events[..known], &seen);
        let artefacts = bundle.list();
        let question =
            Question { flow: &|flow| is_wanted(flow, &options), line: &|event| is_line_wanted(event, &options) };
        let (findings, located) =
            diagnosis::diagnose(&followed, &events, &seen, (&bundle, &artefacts), &knowledge, &question);
        followed.locate(located);
        followed.retain(|flow| is_wanted(flow, &options));
        Ok(Self {
            paths: paths.to_vec(),
            records: RecordStream::of(input, sources.clone(), clocks, window),
            options,
            sources,
            clocks: followed.clocks,
            traffic: followed.traffic || later,
            flows: followed.flows,
            findings,
            artefacts,
            events,
        })
    }

    /// The records of all logs in the time asked for, read anew each time they are asked for.
    pub fn records(&self) -> RecordStream {
        self.records.clone()
    }

    /// The JSON contract, as a value. See `docs/json.md`.
    pub fn document(&self) -> Document<'_> {
        Document {
            schema: 1,
            version: env!("CARGO_PKG_VERSION"),
            traffic: self.traffic,
            sources: &self.sources,
            clocks: &self.clocks,
            flows: &self.flows,
            findings: &self.findings,
            artefacts: &self.artefacts,
        }
    }
}

/// Reads a site description. A diagnosis looks at no list of devices or users, so it needs nobody who reads Parquet.
fn read_site(path: &Path) -> Result<Site> {
    Site::read_with(path, &|_| Ok("id\n".to_owned()))
}

/// What one pass over all logs finds.
struct Found {
    sources: Vec<Source>,
    events: Vec<Event>,
    clocks: Clocks,
}

/// Reads all logs and keeps the records that mean something, in order of source and place.
fn find_events(input: &Input, knowledge: &Knowledge, progress: &dyn Progress) -> Result<Found> {
    let matcher = Matcher::new(knowledge);
    let scan = formats::scan(input, &|chunk: &Chunk| events_of(chunk, &matcher), progress)?;
    let mut events: Vec<Event> = scan.found.into_iter().flatten().flatten().collect();
    events.sort_by_key(|event| event.message.beside);
    for event in &mut events {
        event.stamp = scan.clocks.settle(event.place.source, event.stamp);
    }
    Ok(Found { sources: scan.sources, events, clocks: scan.clocks })
}

/// The events of one chunk: only records that hold some message's words are decoded.
fn events_of(chunk: &Chunk, matcher: &Matcher) -> Vec<Event> {
    let mut events = Vec::new();
    let mut last = None;
    for offset in matcher.hits(chunk.text_bytes()) {
        let Some(index) = chunk.record_at(offset).filter(|index| Some(*index) != last) else { continue };
        last = Some(index);
        if let (Some(record), Some(place)) = (chunk.record(index), chunk.place(index)) {
            events.extend(matcher.event_of(&record, place, None));
        }
    }
    events
}

/// The logs as they were at an instant: what came later is not known there, neither a success nor a silence.
fn as_seen_at(sources: &[Source], until: Option<Micros>) -> Vec<Source> {
    let mut seen = sources.to_vec();
    if let Some(until) = until {
        for source in &mut seen {
            let begun = source.first.filter(|first| *first < until);
            (source.first, source.last) = (begun, begun.and(source.last).map(|last| last.min(until)));
        }
    }
    seen
}

/// True where the flow is of the client and the time that were asked for. A flow without times is always in time.
fn is_wanted(flow: &Flow, options: &ReadOptions) -> bool {
    let after = options.since.zip(flow.ended).is_none_or(|(since, ended)| ended >= since);
    let before = options.until.zip(flow.started).is_none_or(|(until, started)| started < until);
    let client = &flow.client;
    let names = [&client.host, &client.device_id, &client.user_id, &client.client_id];
    let is_named = |wanted: &String| {
        let id = flows::identity::normal(wanted);
        names.iter().any(|name| {
            name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted) || Some(name) == id.as_deref())
        })
    };
    after && before && options.client.as_ref().is_none_or(is_named)
}

/// True where a server's line tells something of the time that was asked for; of one client it tells nothing.
fn is_line_wanted(event: &Event, options: &ReadOptions) -> bool {
    let after = options.since.zip(event.stamp.utc).is_none_or(|(since, utc)| utc >= since);
    let before = options.until.zip(event.stamp.utc).is_none_or(|(until, utc)| utc < until);
    after && before && options.client.is_none()
}

/// The JSON that `cmgtrail diagnose` prints.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// Version of this form.
    pub schema: u32,
    /// Version of cmgtrail.
    pub version: &'static str,
    /// True where some source holds a request to a CMG.
    pub traffic: bool,
    /// The logs.
    pub sources: &'a [Source],
    /// Clock offsets.
    pub clocks: &'a [Clock],
    /// The flows.
    pub flows: &'a [Flow],
    /// The causes, best first.
    pub findings: &'a [Finding],
    /// Tokens, certificates, dsregcmd output found among the logs.
    pub artefacts: &'a [Artefact],
}
