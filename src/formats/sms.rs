//! SMS records: `message~~  $$<COMPONENT><MM-DD-YYYY HH:MM:SS.mmm+bias><thread=1 (0x1)>`, one a line (log catalogue,
//! section 1.3).

use memchr::memmem;

use crate::formats::span::{Piece, Span};
use crate::record::{Format, RecordSeverity};
use crate::time::{Bias, Micros, clock_and_bias, digits, month_first_date};

/// Longest tag that is looked for at the end of a line.
const LONGEST_TAG: usize = 512;

/// Reads the line `text[start..end]`, its line end excluded, as an SMS record.
pub(crate) fn record(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let line = text.get(start..end)?;
    if line.last() != Some(&b'>') {
        return None;
    }
    let window = line.len().saturating_sub(LONGEST_TAG);
    let tag = window + memmem::rfind(line.get(window..)?, b"$$<")?;
    let (component, rest) = bracketed(line, tag + 2)?;
    let (time, rest) = bracketed(line, rest)?;
    let (thread, rest) = bracketed(line, rest)?;
    if rest != line.len() {
        return None;
    }
    let thread = line.get(thread.0..thread.1)?.strip_prefix(b"thread=")?;
    let (local, bias) = stamp(line.get(time.0..time.1)?);
    let message = message(line, tag);
    let mut span = Span::new(Format::Sms, start, end, Piece::new(start + message.0, start + message.1));
    span.component = Piece::new(start + component.0, start + component.1);
    span.thread = digits(thread, 9).map(|(number, _)| number);
    span.local = local;
    span.bias = bias;
    span.severity = severity(line.get(message.0..message.1).unwrap_or_default());
    Some(span)
}

/// The range between the brackets that open at `at`, and the offset after them.
fn bracketed(line: &[u8], at: usize) -> Option<((usize, usize), usize)> {
    if line.get(at) != Some(&b'<') {
        return None;
    }
    let length = memchr::memchr(b'>', line.get(at + 1..)?)?;
    Some(((at + 1, at + 1 + length), at + length + 2))
}

/// `MM-DD-YYYY HH:MM:SS.mmm+bias`. A tag of another shape (a day's name, a zone's name) has no readable time.
fn stamp(text: &[u8]) -> (Option<Micros>, Bias) {
    let read = || {
        let space = memchr::memchr(b' ', text)?;
        let day = month_first_date(text.get(..space)?);
        let (time, bias) = clock_and_bias(text.get(space + 1..)?)?;
        Some((day.map(|day| day + time), bias))
    };
    read().unwrap_or((None, Bias::Malformed))
}

/// The message without the blanks and the line breaks (`~`) around it.
fn message(line: &[u8], tag: usize) -> (usize, usize) {
    let edge = |byte: &u8| matches!(byte, b' ' | b'\t' | b'~');
    let text = line.get(..tag).unwrap_or_default();
    let start = text.iter().position(|byte| !edge(byte)).unwrap_or(tag);
    let end = text.iter().rposition(|byte| !edge(byte)).map_or(start, |last| last + 1);
    (start, end)
}

/// Severity from the words, as CMTrace has it: the format itself carries none (log catalogue, section 1.3).
pub(crate) fn severity(message: &[u8]) -> RecordSeverity {
    let mut found = RecordSeverity::Info;
    for (at, byte) in message.iter().enumerate() {
        let (word, means): (&[u8], _) = match byte.to_ascii_lowercase() {
            b'e' if starts(message, at, b"error") => return RecordSeverity::Error,
            b'e' => (b"exception", RecordSeverity::Error),
            b'c' => (b"critical", RecordSeverity::Error),
            b'f' if starts(message, at, b"failover") => continue,
            b'f' if starts(message, at, b"fatal") => return RecordSeverity::Error,
            b'f' => (b"fail", RecordSeverity::Error),
            b'w' => (b"warn", RecordSeverity::Warning),
            _ => continue,
        };
        if starts(message, at, word) {
            found = found.max(means);
            if found == RecordSeverity::Error {
                break;
            }
        }
    }
    found
}

fn starts(message: &[u8], at: usize, word: &[u8]) -> bool {
    message.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
}
