//! The coverage account: what was read of each log, and what a reader should know of it.

use crate::formats::FileScan;
use crate::formats::clocks::Clocks;
use crate::formats::survey::Survey;
use crate::input::{Input, Log, role_of_component};
use crate::record::Source;
use crate::time::{Bias, MINUTE, Micros, Stamp, UtcQuality};

/// A pause between two files of a log is a hole if it is longer than this, and far longer than any pause inside them.
const HOLE: Micros = 60 * MINUTE;

/// The account of a log's files together.
pub(crate) fn whole(files: &[FileScan]) -> Survey {
    let mut whole = Survey::default();
    for file in files {
        whole.add(&file.survey);
    }
    whole
}

/// The logs as sources, in order.
pub(crate) fn sources(input: &Input, files: &[Vec<FileScan>], surveys: &[Survey], clocks: &Clocks) -> Vec<Source> {
    let all = input.logs.iter().zip(files).zip(surveys).enumerate();
    all.map(|(index, ((log, files), survey))| {
        source(u32::try_from(index).unwrap_or(u32::MAX), log, files, survey, clocks)
    })
    .collect()
}

fn source(index: u32, log: &Log, files: &[FileScan], survey: &Survey, clocks: &Clocks) -> Source {
    let settle = |edge: Option<(Micros, Bias)>| {
        edge.map_or(Stamp::NONE, |(local, bias)| clocks.settle(index, Stamp::as_written(Some(local), bias)))
    };
    let (first, last) = (settle(survey.first), settle(survey.last));
    let unread = log.files.iter().filter(|file| file.unread.is_some());
    let (unread_count, unread_bytes) = unread.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.size));
    let component = survey.component().map(str::to_owned);
    let time = quality(index, survey, clocks);
    let role =
        log.role.or_else(|| component.as_deref().and_then(role_of_component)).or_else(|| role_of_component(stem(log)));
    Source {
        path: log.path.clone(),
        format: survey.format(),
        component: component.or_else(|| (survey.records > 0).then(|| stem(log).to_owned())),
        host: log.host.clone(),
        machine: log.machine.clone(),
        role,
        bytes: survey.bytes + unread_bytes,
        records: survey.records,
        // Of a file that is no text, every byte is a gap.
        gaps: survey.gaps + if unread_bytes > 0 { unread_count } else { 0 },
        gap_bytes: survey.gap_bytes + unread_bytes,
        first: first.utc,
        last: last.utc,
        time,
        holes: holes(files)
            .filter_map(|hole| Some((settle(Some(hole.from)).utc?, settle(Some(hole.to)).utc?)))
            .collect(),
        files: in_order(log, files),
        notes: notes(log, files, (survey, time)),
    }
}

/// The log's name, without folder, extension and date.
fn stem(log: &Log) -> &str {
    crate::input::log_stem(log.path.rsplit_once('/').map_or(log.path.as_str(), |(_, name)| name))
}

fn in_order(log: &Log, files: &[FileScan]) -> Vec<String> {
    let read = files.iter().filter_map(|file| log.files.get(file.index));
    let unread = log.files.iter().filter(|file| file.unread.is_some());
    read.chain(unread).map(|file| file.path.to_string()).collect()
}

/// The weakest quality among the kinds of stamps that make up at least a hundredth of the log.
fn quality(index: u32, survey: &Survey, clocks: &Clocks) -> UtcQuality {
    let worth = |count: u64| count > 0 && count * 100 >= survey.records;
    let known = |stamp: Stamp| clocks.settle(index, stamp).quality;
    let mut found = Vec::new();
    if worth(survey.malformed) {
        found.push(UtcQuality::Unknown);
    }
    if worth(survey.absent) {
        let edges = [survey.first, survey.last].into_iter().flatten();
        found.extend(edges.map(|(local, _)| known(Stamp::as_written(Some(local), Bias::Absent))));
    }
    for run in survey.native.iter().chain(&survey.foreign) {
        found.push(known(Stamp::as_written(Some(run.from), Bias::Minutes(run.bias))));
    }
    if survey.utc > 0 {
        found.push(UtcQuality::Known);
    }
    let weakest = [UtcQuality::Unknown, UtcQuality::Assumed, UtcQuality::Known].into_iter().find(|q| found.contains(q));
    weakest.unwrap_or(UtcQuality::Unknown)
}

fn notes(log: &Log, files: &[FileScan], (survey, time): (&Survey, UtcQuality)) -> Vec<String> {
    let mut notes = log.notes.clone();
    for file in files {
        let path = log.files.get(file.index).map_or("", |file| &file.path);
        notes.extend(file.trouble.as_ref().map(|trouble| format!("{path}: {trouble}")));
    }
    if survey.records == 0 && survey.bytes > 0 {
        notes.push("no record of a known format was found in it".to_owned());
    }
    if survey.records > 0 && survey.first.is_none() {
        notes.push("none of its records has a time that can be read".to_owned());
    }
    if survey.first.is_some() && time == UtcQuality::Unknown {
        notes.push("its times name no zone that can be believed, so that their UTC is not known".to_owned());
    }
    if survey.damaged > 0 {
        notes.push(format!("{} cut or damaged, and kept as far as can be read", records(survey.damaged, "is", "are")));
    }
    if survey.copies > 0 {
        notes.push(format!("{} in two of its files and counted once", records(survey.copies, "stands", "stand")));
    }
    notes.extend(holes(files).map(|hole| hole.words(log)));
    notes
}

fn records(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 record {one}") } else { format!("{count} records {many}") }
}

/// A hole between two rollover files: the history goes back to before it, but a file in between is gone.
struct Hole {
    from: (Micros, Bias),
    to: (Micros, Bias),
    older: usize,
    newer: usize,
}

impl Hole {
    fn words(&self, log: &Log) -> String {
        let name = |index: usize| log.files.get(index).map_or("", |file| &file.path);
        format!(
            "nothing was kept for {} minutes between '{}' and '{}', longer than any pause inside them: a rollover file may be missing",
            (self.to.0 - self.from.0) / MINUTE,
            name(self.older),
            name(self.newer),
        )
    }
}

fn holes(files: &[FileScan]) -> impl Iterator<Item = Hole> {
    files.windows(2).filter_map(|pair| hole(pair.first()?, pair.get(1)?))
}

fn hole(older: &FileScan, newer: &FileScan) -> Option<Hole> {
    let (from, to) = (older.survey.last?, newer.survey.first?);
    let pause = to.0 - from.0;
    let usual = older.survey.longest_pause.max(newer.survey.longest_pause);
    (pause > HOLE && pause > 2 * usual).then_some(Hole { from, to, older: older.index, newer: newer.index })
}
