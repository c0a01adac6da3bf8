//! Setting a machine's clock: from an instant on, all stamps of its logs are so much later or earlier.

use std::collections::BTreeMap;

use cmgtrail::simulate::OutputFile;
use fastrand::Rng;
use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan};

use super::damage::{is_log, machine_of};

/// When a machine's clock is set, and by how much.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// UTC by the machine's own clock.
    at: DateTime,
    by: SignedDuration,
    /// Minutes from local time to UTC, for the log that does not write them.
    bias: i64,
}

/// A stamp in a line: its bytes, how it is written, and its time in UTC.
struct Found {
    /// Where the time of day stands, and where the date.
    time: usize,
    date: usize,
    form: Form,
    local: DateTime,
    bias: Option<i64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `MM-DD-YYYY` and `HH:MM:SS`.
    Us,
    /// `YYYY-MM-DD HH:MM:SS`, UTC in IIS logs, local in managed ones.
    Iso,
}

/// Which machines' clocks are set.
pub fn settings(files: &[OutputFile], random: &mut Rng) -> BTreeMap<String, Setting> {
    let mut spans: BTreeMap<&str, (DateTime, DateTime, i64)> = BTreeMap::new();
    for file in files.iter().filter(|file| is_log(&file.path)) {
        for found in file.bytes.split(|byte| *byte == b'\n').filter_map(stamp) {
            let (Some(bias), false) = (found.bias, found.form == Form::Iso) else { continue };
            let utc = found.local + bias.minutes();
            let span = spans.entry(machine_of(&file.path)).or_insert((utc, utc, bias));
            *span = (span.0.min(utc), span.1.max(utc), bias);
        }
    }
    let mut chosen = BTreeMap::new();
    for (machine, (from, to, bias)) in spans {
        let seconds = to.duration_since(from).as_secs();
        if random.bool() && seconds > 0 {
            let at = from + random.i64(0..=seconds).seconds();
            let by = random.i64(60..=1_800) * if random.bool() { 1 } else { -1 };
            chosen.insert(machine.to_owned(), Setting { at, by: SignedDuration::from_secs(by), bias });
        }
    }
    chosen
}

impl Setting {
    /// The lines with the stamps that they then have.
    pub fn applied(&self, lines: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            let start = bytes.len();
            bytes.extend_from_slice(line);
            let Some(found) = stamp(line) else { continue };
            if found.local + found.bias.unwrap_or(self.bias).minutes() < self.at {
                continue;
            }
            let set = found.local + self.by;
            let date = match found.form {
                Form::Us => set.strftime("%m-%d-%Y").to_string(),
                Form::Iso => set.strftime("%Y-%m-%d").to_string(),
            };
            let time = set.strftime("%H:%M:%S").to_string();
            bytes[start + found.date..start + found.date + date.len()].copy_from_slice(date.as_bytes());
            bytes[start + found.time..start + found.time + time.len()].copy_from_slice(time.as_bytes());
        }
        bytes
    }
}

/// The stamp of the record that ends in a line.
fn stamp(line: &[u8]) -> Option<Found> {
    if let Some(at) = memchr::memmem::rfind(line, b"]LOG]!><time=\"") {
        let (time, date) = (at + 14, memchr::memmem::rfind(line, b" date=\"")? + 7);
        let bias = number(line.get(time + 12..)?)?;
        return Some(Found { time, date, form: Form::Us, local: us(line, date, time)?, bias: Some(bias) });
    }
    if let Some(at) = memchr::memmem::rfind(line, b"  $$<") {
        let date = at + 5 + memchr::memmem::find(line.get(at + 5..)?, b"><")? + 2;
        let time = date + 11;
        let bias = number(line.get(time + 12..)?)?;
        return Some(Found { time, date, form: Form::Us, local: us(line, date, time)?, bias: Some(bias) });
    }
    let text = std::str::from_utf8(line.get(..19)?).ok()?;
    let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    let bias = (line.get(19) == Some(&b' ')).then_some(0);
    Some(Found { time: 11, date: 0, form: Form::Iso, local, bias })
}

fn us(line: &[u8], date: usize, time: usize) -> Option<DateTime> {
    let (date, time) = (line.get(date..date + 10)?, line.get(time..time + 8)?);
    let text = format!("{} {}", std::str::from_utf8(date).ok()?, std::str::from_utf8(time).ok()?);
    DateTime::strptime("%m-%d-%Y %H:%M:%S", text).ok()
}

/// A number with a sign.
fn number(text: &[u8]) -> Option<i64> {
    let end = text.iter().skip(1).position(|byte| !byte.is_ascii_digit()).map_or(text.len(), |at| at + 1);
    std::str::from_utf8(text.get(..end)?).ok()?.parse().ok()
}
