//! From entries to files: threads, clocks, frames and rollovers, each log in its own format.

use std::collections::BTreeMap;

use super::facts::Machine;
use super::journal::{Entry, Owner};
use super::lines::{Form, LogId, LogShape, Proof, lines};
use super::{DAY, HOUR, MINUTE, SECOND};
use crate::time::Micros;

/// A file of a machine's folder.
#[derive(Debug, Clone, Default)]
pub(super) struct LogFile {
    /// Path relative to the output folder, with `/`.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Where a line of a flow came to stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub owner: Owner,
    /// True UTC.
    pub at: Micros,
    /// Place of the file in the machine's list.
    pub file: usize,
    /// First physical line of the record, 1-based.
    pub line: u32,
    pub proof: Proof,
}

/// What a machine wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub files: Vec<LogFile>,
    pub standing: Vec<Standing>,
}

/// Size at which a log rolls over, bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of a client's log; all generations are kept.
    pub client: usize,
}

/// Microseconds to add to UTC to get the machine's local time.
pub(super) fn utc_offset(machine: &Machine, utc: Micros) -> Micros {
    let Ok(stamp) = jiff::Timestamp::from_microsecond(utc) else { return 0 };
    Micros::from(machine.zone.to_offset(stamp).seconds()) * SECOND
}

/// The thread that does a piece of work on a client.
pub(super) const fn client_thread(work: u32) -> u32 {
    1_000 + work % 4_000 * 4
}

/// `DateTime` of an event: UTC by the machine's clock.
pub(super) fn wmi_stamp(utc: Micros) -> String {
    let stamp = Civil::of(utc);
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}.{:06}",
        stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute, stamp.second, stamp.micros
    )
}

/// A time in its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub micros: i64,
}

impl Civil {
    /// Howard Hinnant's `civil_from_days`: fast, and right for every date that a log can hold.
    pub fn of(at: Micros) -> Self {
        let (days, within) = (at.div_euclid(DAY), at.rem_euclid(DAY));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: within / HOUR,
            minute: within % HOUR / MINUTE,
            second: within % MINUTE / SECOND,
            micros: within % SECOND,
        }
    }
}

/// Appends a number with leading zeros.
pub(super) fn push_digits(to: &mut Vec<u8>, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        to.push(b'0' + u8::try_from(digit).unwrap_or_default());
    }
}

/// Puts a machine's entries into files. `until`: what was written later is not there (true UTC); `copied_until`: the
/// same for logs that are copied off the machine.
pub(super) fn write(
    machine: &Machine,
    logs: BTreeMap<LogId, Vec<Entry>>,
    (until, copied_until): (Micros, Micros),
    service: &str,
    limits: Limits,
    is_client: bool,
) -> Written {
    let mut written = Written::default();
    for (log, mut entries) in logs {
        let Some(shape) = lines().logs.get(log.0) else { continue };
        let until = if shape.component == "CMGService" { copied_until } else { until };
        entries.retain(|entry| entry.at <= until);
        entries.sort_by_key(|entry| entry.at);
        if entries.is_empty() {
            continue;
        }
        let threads = if is_client { Threads::Fixed } else { Threads::pool(&entries) };
        let name = shape.file.replace("{service}", service).replace("{instance}", &machine.host);
        let mut roll = Roll::new(format!("{}/{name}", machine.folder), shape, machine, limits, is_client);
        for (place, entry) in entries.iter().enumerate() {
            roll.put(entry, threads.of(place, entry), &mut written);
        }
        roll.close(&mut written);
    }
    written
}

/// Which thread writes which entry.
enum Threads {
    /// By the work.
    Fixed,
    /// Dealt out from a pool: a thread is free again when its work's last line is written.
    Pool(Vec<u32>),
}

impl Threads {
    fn pool(entries: &[Entry]) -> Self {
        let mut lasts: BTreeMap<u32, usize> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            lasts.insert(entry.work, place);
        }
        let mut busy: BTreeMap<u32, u32> = BTreeMap::new();
        let mut free: std::collections::BTreeSet<u32> = std::collections::BTreeSet::new();
        let mut next = 0;
        let dealt = entries.iter().enumerate().map(|(place, entry)| {
            let thread = *busy.entry(entry.work).or_insert_with(|| {
                free.pop_first().unwrap_or_else(|| {
                    next += 1;
                    next
                })
            });
            if lasts.get(&entry.work) == Some(&place) {
                busy.remove(&entry.work);
                free.insert(thread);
            }
            1_200 + thread * 52
        });
        Self::Pool(dealt.collect())
    }

    fn of(&self, place: usize, entry: &Entry) -> u32 {
        match self {
            Self::Fixed => client_thread(entry.work),
            Self::Pool(dealt) => dealt.get(place).copied().unwrap_or_default(),
        }
    }
}

/// A log that is being written, with the generations that rolled over.
struct Roll<'a> {
    stem: String,
    shape: &'a LogShape,
    machine: &'a Machine,
    limits: Limits,
    is_client: bool,
    bytes: Vec<u8>,
    line: u32,
    standing: Vec<Standing>,
    /// Day of the W3C file at hand.
    day: Option<i64>,
    last: Micros,
}

impl<'a> Roll<'a> {
    fn new(stem: String, shape: &'a LogShape, machine: &'a Machine, limits: Limits, is_client: bool) -> Self {
        Self {
            stem,
            shape,
            machine,
            limits,
            is_client,
            bytes: Vec::new(),
            line: 1,
            standing: Vec::new(),
            day: None,
            last: 0,
        }
    }

    fn put(&mut self, entry: &Entry, thread: u32, written: &mut Written) {
        let clock = entry.at + self.machine.offset;
        if self.shape.form == Form::W3c {
            self.open_day(clock, written);
        } else if self.is_client && self.bytes.len() + entry.text.len() > self.limits.client {
            self.roll(written);
        }
        let start = self.bytes.len();
        if let Some(owner) = entry.owner {
            let proof = lines().shapes.get(entry.line.0).map_or(Proof::I, |line| line.proof);
            self.standing.push(Standing { owner, at: entry.at, file: 0, line: self.line, proof });
        }
        match self.shape.form {
            Form::Ccm => self.ccm(entry, clock, thread),
            Form::Sms => self.sms(entry, clock, thread),
            Form::W3c => self.w3c(entry, clock),
            Form::Managed => self.managed(entry, clock, thread),
        }
        self.bytes.extend_from_slice(b"\r\n");
        self.last = clock;
        let breaks = memchr::memchr_iter(b'\n', self.bytes.get(start..).unwrap_or_default()).count();
        self.line += u32::try_from(breaks).unwrap_or(1);
    }

    fn ccm(&mut self, entry: &Entry, clock: Micros, thread: u32) {
        let (severity, number) =
            lines().shapes.get(entry.line.0).map_or((1, 0), |line| (line.severity, code_line(&line.id)));
        let offset = utc_offset(self.machine, clock);
        let local = Civil::of(clock + offset);
        let out = &mut self.bytes;
        out.extend_from_slice(b"<![LOG[");
        out.extend_from_slice(entry.text.as_bytes());
        out.extend_from_slice(b"]LOG]!><time=\"");
        push_clock(out, &local);
        push_bias(out, -offset / MINUTE, 3);
        out.extend_from_slice(b"\" date=\"");
        push_us_date(out, &local);
        let (component, code) = (&self.shape.component, &self.shape.code);
        let file = if code.is_empty() { String::new() } else { format!("{code}:{number}") };
        let rest = format!(
            "\" component=\"{component}\" context=\"\" type=\"{severity}\" thread=\"{thread}\" file=\"{file}\">"
        );
        out.extend_from_slice(rest.as_bytes());
    }

    fn sms(&mut self, entry: &Entry, clock: Micros, thread: u32) {
        let offset = utc_offset(self.machine, clock);
        let local = Civil::of(clock + offset);
        let out = &mut self.bytes;
        out.extend_from_slice(entry.text.as_bytes());
        out.extend_from_slice(format!("  $$<{}><", self.shape.component).as_bytes());
        push_us_date(out, &local);
        out.push(b' ');
        push_clock(out, &local);
        push_bias(out, -offset / MINUTE, 2);
        out.extend_from_slice(format!("><thread={thread} (0x{thread:X})>").as_bytes());
    }

    fn w3c(&mut self, entry: &Entry, clock: Micros) {
        let utc = Civil::of(clock);
        push_iso(&mut self.bytes, &utc);
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(entry.text.as_bytes());
    }

    fn managed(&mut self, entry: &Entry, clock: Micros, thread: u32) {
        let local = Civil::of(clock + utc_offset(self.machine, clock));
        push_iso(&mut self.bytes, &local);
        self.bytes.push(b',');
        push_digits(&mut self.bytes, local.micros / 1_000, 3);
        self.bytes.extend_from_slice(format!(" [{thread}] ERROR ").as_bytes());
        self.bytes.extend_from_slice(entry.text.as_bytes());
    }

    /// IIS begins a file each UTC day, with its header.
    fn open_day(&mut self, clock: Micros, written: &mut Written) {
        let day = clock.div_euclid(DAY);
        if self.day == Some(day) {
            return;
        }
        self.end_day(written);
        self.day = Some(day);
        let mut header =
            b"#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: ".to_vec();
        push_iso(&mut header, &Civil::of(clock));
        header.extend_from_slice(
            b"\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n",
        );
        self.bytes = header;
        self.line = 5;
    }

    fn end_day(&mut self, written: &mut Written) {
        if let Some(day) = self.day {
            let date = Civil::of(day * DAY);
            let name = format!("{:02}{:02}{:02}", date.year % 100, date.month, date.day);
            let path = format!("{}{name}.log", self.stem);
            self.keep(path, written);
        }
    }

    /// A client's log that is full is renamed with the time, and a new one begins.
    fn roll(&mut self, written: &mut Written) {
        let local = Civil::of(self.last + utc_offset(self.machine, self.last));
        let (date, time) = (
            local.year * 10_000 + local.month * 100 + local.day,
            local.hour * 10_000 + local.minute * 100 + local.second,
        );
        let path = format!("{}-{date:08}-{time:06}.log", self.stem);
        self.keep(path, written);
    }

    /// Ends the file at hand under a name.
    fn keep(&mut self, path: String, written: &mut Written) {
        let file = written.files.len();
        written.standing.extend(self.standing.drain(..).map(|standing| Standing { file, ..standing }));
        written.files.push(LogFile { path, bytes: std::mem::take(&mut self.bytes) });
        self.line = 1;
    }

    fn close(mut self, written: &mut Written) {
        if self.shape.form == Form::W3c {
            self.end_day(written);
        } else {
            let path = format!("{}.log", self.stem);
            self.keep(path, written);
        }
    }
}

/// The line of source code that a record names: made up, and always the same for the same message.
fn code_line(id: &str) -> u64 {
    id.bytes().fold(7, |sum: u64, byte| (sum * 31 + u64::from(byte)) % 2_900) + 100
}

pub(super) fn push_clock(to: &mut Vec<u8>, time: &Civil) {
    push_digits(to, time.hour, 2);
    to.push(b':');
    push_digits(to, time.minute, 2);
    to.push(b':');
    push_digits(to, time.second, 2);
    to.push(b'.');
    push_digits(to, time.micros / 1_000, 3);
}

/// UTC is local time and the bias: west of Greenwich is positive (log catalogue, section 1.4).
pub(super) fn push_bias(to: &mut Vec<u8>, minutes: i64, digits_of_zero: u32) {
    if minutes == 0 {
        to.push(b'+');
        push_digits(to, 0, digits_of_zero);
    } else {
        to.extend_from_slice(format!("{minutes:+}").as_bytes());
    }
}

pub(super) fn push_us_date(to: &mut Vec<u8>, time: &Civil) {
    push_digits(to, time.month, 2);
    to.push(b'-');
    push_digits(to, time.day, 2);
    to.push(b'-');
    push_digits(to, time.year, 4);
}

/// `2026-11-04 08:12:36`.
fn push_iso(to: &mut Vec<u8>, time: &Civil) {
    push_digits(to, time.year, 4);
    for part in [time.month, time.day] {
        to.push(b'-');
        push_digits(to, part, 2);
    }
    to.push(b' ');
    push_digits(to, time.hour, 2);
    for part in [time.minute, time.second] {
        to.push(b':');
        push_digits(to, part, 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_parts_agrees_with_the_calendar() {
        for at in [0, 951_782_400 * SECOND, 1_793_783_553_120_000, 4_102_444_799 * SECOND] {
            let stamp = jiff::Timestamp::from_microsecond(at).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            let civil = Civil::of(at);
            let parts = (civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
            let expected = (
                i64::from(stamp.year()),
                i64::from(stamp.month()),
                i64::from(stamp.day()),
                i64::from(stamp.hour()),
                i64::from(stamp.minute()),
                i64::from(stamp.second()),
            );
            assert_eq!(parts, expected);
        }
    }

    #[test]
    fn a_bias_is_written_as_native_writers_do() {
        let written = |minutes, digits| {
            let mut out = Vec::new();
            push_bias(&mut out, minutes, digits);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(-330, 3), "-330");
        assert_eq!(written(240, 3), "+240");
        assert_eq!(written(0, 2), "+00");
    }
}
