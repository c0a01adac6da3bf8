//! The account of a chunk, a file, a log: bytes, records, gaps, and what is needed to judge its clock.

use crate::formats::anchors;
use crate::formats::chunk::Chunk;
use crate::formats::span::{Filler, Span};
use crate::record::Format;
use crate::time::{Bias, Micros};

/// Runs of one bias, by local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BiasRun {
    pub from: Micros,
    pub to: Micros,
    pub bias: i16,
}

/// Runs that are kept of one log. A clock changes twice a year; more than this is no clock.
const MOST_RUNS: usize = 1000;

/// What was found in a stretch of a log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    pub bytes: u64,
    pub records: u64,
    pub damaged: u64,
    pub copies: u64,
    pub gaps: u64,
    pub gap_bytes: u64,
    starts_with_gap: bool,
    ends_with_gap: bool,
    /// Records by format.
    pub formats: Vec<(Format, u64)>,
    /// Records by component.
    pub components: Vec<(String, u64)>,
    /// Biases of native writers.
    pub native: Vec<BiasRun>,
    /// Well-formed biases of other writers.
    pub foreign: Vec<BiasRun>,
    pub absent: u64,
    pub malformed: u64,
    pub utc: u64,
    /// Bias as UTC stamps inside the records give it, at a local time.
    pub anchors: Vec<anchors::Anchor>,
    /// First and last record with a readable time.
    pub first: Option<(Micros, Bias)>,
    pub last: Option<(Micros, Bias)>,
    /// Longest time between two records.
    pub longest_pause: Micros,
}

impl Survey {
    /// The account of one chunk.
    pub(crate) fn of(chunk: &Chunk) -> Self {
        let mut survey = Self { bytes: chunk.end() - chunk.start(), ..Self::default() };
        survey.count_fillers(chunk);
        let mut formats = [0_u64; 5];
        let mut component = (crate::formats::span::Piece::NONE, 0_u64);
        for span in &chunk.spans {
            survey.records += 1;
            survey.damaged += u64::from(span.damaged);
            if let Some(count) = formats.get_mut(span.format as usize) {
                *count += 1;
            }
            if component.0.of(chunk.text()) == span.component.of(chunk.text()) {
                component.1 += 1;
            } else {
                survey.add_component(component.0.of(chunk.text()), component.1);
                component = (span.component, 1);
            }
            if let Some(local) = span.local {
                survey.see_time(chunk, span, local);
            }
        }
        survey.add_component(component.0.of(chunk.text()), component.1);
        let all = [Format::Ccm, Format::Sms, Format::W3c, Format::Clipboard, Format::Managed];
        survey.formats = all
            .into_iter()
            .filter_map(|format| Some((format, *formats.get(format as usize)?)))
            .filter(|(_, n)| *n > 0)
            .collect();
        survey.anchors = anchors::of(chunk);
        survey
    }

    fn count_fillers(&mut self, chunk: &Chunk) {
        for (filler, range) in chunk.fillers() {
            match filler {
                Filler::Gap => {
                    self.gaps += 1;
                    self.gap_bytes += range.end - range.start;
                    self.starts_with_gap |= range.start == chunk.start();
                    self.ends_with_gap |= range.end == chunk.end();
                }
                Filler::Copy => self.copies += 1,
                Filler::Marker => {}
            }
        }
    }

    fn add_component(&mut self, name: Option<&str>, count: u64) {
        let Some(name) = name.filter(|_| count > 0) else { return };
        match self.components.iter_mut().find(|(known, _)| known == name) {
            Some((_, total)) => *total += count,
            None => self.components.push((name.to_owned(), count)),
        }
    }

    fn see_time(&mut self, chunk: &Chunk, span: &Span, local: Micros) {
        if let Some((before, _)) = self.last {
            self.longest_pause = self.longest_pause.max(local - before);
        }
        self.first.get_or_insert((local, span.bias));
        self.last = Some((local, span.bias));
        match span.bias {
            Bias::Utc => self.utc += 1,
            Bias::Absent => self.absent += 1,
            Bias::Malformed => self.malformed += 1,
            Bias::Minutes(bias) => {
                // Who wrote it matters only where the bias is another than before.
                match self.native.last_mut().filter(|run| run.bias == bias) {
                    Some(run) => {
                        run.from = run.from.min(local);
                        run.to = run.to.max(local);
                    }
                    None => self.new_bias(chunk, span, BiasRun { from: local, to: local, bias }),
                }
            }
        }
    }

    fn new_bias(&mut self, chunk: &Chunk, span: &Span, run: BiasRun) {
        let native = span.format == Format::Sms || span.code_file.of(chunk.text()).is_some_and(is_native);
        extend(if native { &mut self.native } else { &mut self.foreign }, run);
    }

    /// Adds what follows in the same file.
    pub(crate) fn append(&mut self, next: &Self) {
        let joined = self.ends_with_gap && next.starts_with_gap;
        let only_gap = next.records == 0 && next.gaps == 1 && next.gap_bytes == next.bytes;
        if self.bytes == 0 {
            self.starts_with_gap = next.starts_with_gap;
        }
        self.add(next);
        self.gaps -= u64::from(joined);
        self.ends_with_gap = next.ends_with_gap || (only_gap && joined);
    }

    /// Adds what stands in another file of the same log.
    pub(crate) fn add(&mut self, next: &Self) {
        if let (Some((before, _)), Some((after, _))) = (self.last, next.first) {
            self.longest_pause = self.longest_pause.max(after - before);
        }
        self.bytes += next.bytes;
        self.records += next.records;
        self.damaged += next.damaged;
        self.copies += next.copies;
        self.gaps += next.gaps;
        self.gap_bytes += next.gap_bytes;
        self.ends_with_gap = false;
        for (format, count) in &next.formats {
            match self.formats.iter_mut().find(|(known, _)| known == format) {
                Some((_, total)) => *total += count,
                None => self.formats.push((*format, *count)),
            }
        }
        for (name, count) in &next.components {
            self.add_component(Some(name), *count);
        }
        next.native.iter().for_each(|run| extend(&mut self.native, *run));
        next.foreign.iter().for_each(|run| extend(&mut self.foreign, *run));
        self.absent += next.absent;
        self.malformed += next.malformed;
        self.utc += next.utc;
        anchors::merge(&mut self.anchors, &next.anchors);
        self.first = self.first.or(next.first);
        self.last = next.last.or(self.last);
        self.longest_pause = self.longest_pause.max(next.longest_pause);
    }

    /// The format of most records.
    pub(crate) fn format(&self) -> Option<Format> {
        self.formats.iter().rev().max_by_key(|(_, count)| *count).map(|(format, _)| *format)
    }

    /// The component that wrote most records.
    pub(crate) fn component(&self) -> Option<&str> {
        self.components.iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name.as_str())
    }
}

fn extend(runs: &mut Vec<BiasRun>, run: BiasRun) {
    let room = runs.len() < MOST_RUNS;
    match runs.last_mut() {
        Some(last) if last.bias == run.bias => {
            last.from = last.from.min(run.from);
            last.to = last.to.max(run.to);
        }
        _ if room => runs.push(run),
        _ => {}
    }
}

/// Native writers name the C++ source and line; scripts leave the name empty or put their own there.
fn is_native(code_file: &str) -> bool {
    let Some((file, line)) = code_file.rsplit_once(':') else { return false };
    let suffix = file.rsplit_once('.').map(|(_, suffix)| suffix);
    let known = ["cpp", "c", "cxx", "cc", "h", "hpp", "hxx", "inl"];
    !line.is_empty()
        && line.bytes().all(|byte| byte.is_ascii_digit())
        && suffix.is_some_and(|suffix| known.iter().any(|known| suffix.eq_ignore_ascii_case(known)))
}
