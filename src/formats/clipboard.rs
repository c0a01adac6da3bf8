//! Lines copied out of the CMTrace viewer: `message⇥component⇥date time⇥thread (0xHEX)`, in the viewer's locale,
//! without milliseconds and bias. Forums turn the tabs into spaces, put the date before the component, or lose it
//! (log catalogue, section 1.6).

use crate::formats::span::{Piece, Span};
use crate::record::{Format, RecordSeverity};
use crate::time::{Micros, clock, date, digits};

/// Which number of a date comes first. It is the viewer's locale, the same in a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// 19/02/2019
    #[default]
    DayFirst,
    /// 2/19/2019
    MonthFirst,
}

/// What the dates of a file say about their order.
#[derive(Debug, Default)]
pub(crate) struct OrderEvidence {
    first_is_day: bool,
    second_is_day: bool,
    half_days: bool,
    last: [Option<Micros>; 2],
    backward: [u32; 2],
}

impl OrderEvidence {
    /// Takes the line's date into account, if it has one.
    pub(crate) fn see(&mut self, line: &[u8]) {
        let Some((_, Some(written))) = parts(line) else { return };
        if written.year_first {
            return;
        }
        self.first_is_day |= written.numbers[0] > 12;
        self.second_is_day |= written.numbers[1] > 12;
        self.half_days |= written.half_day;
        for (index, order) in [DateOrder::DayFirst, DateOrder::MonthFirst].into_iter().enumerate() {
            let local = written.local(order);
            if let (Some(before), Some(now), Some(count)) =
                (self.last.get(index).copied().flatten(), local, self.backward.get_mut(index))
            {
                *count += u32::from(now < before);
            }
            if let Some(last) = self.last.get_mut(index) {
                *last = local;
            }
        }
    }

    /// The order: a number above 12 is a day; a log runs forward; the 12-hour clock is American; else day first.
    pub(crate) fn order(&self) -> DateOrder {
        match (self.first_is_day, self.second_is_day) {
            (true, false) => return DateOrder::DayFirst,
            (false, true) => return DateOrder::MonthFirst,
            _ => {}
        }
        let [day_first, month_first] = self.backward;
        match day_first.cmp(&month_first) {
            std::cmp::Ordering::Less => DateOrder::DayFirst,
            std::cmp::Ordering::Greater => DateOrder::MonthFirst,
            std::cmp::Ordering::Equal if self.half_days => DateOrder::MonthFirst,
            std::cmp::Ordering::Equal => DateOrder::DayFirst,
        }
    }
}

/// Reads the line `text[start..end]`, its line end excluded, as a copied line.
pub(crate) fn record(text: &[u8], start: usize, end: usize, order: DateOrder) -> Option<Span> {
    let line = text.get(start..end)?;
    let (parts, written) = parts(line)?;
    let message = parts.message;
    let mut span = Span::new(Format::Clipboard, start, end, Piece::new(start + message.0, start + message.1));
    span.component = Piece::new(start + parts.component.0, start + parts.component.1);
    span.thread = Some(parts.thread);
    span.local = written.and_then(|written| written.local(order));
    // The viewer colours lines by their type but does not copy it.
    span.severity = RecordSeverity::Info;
    Some(span)
}

struct Parts {
    message: (usize, usize),
    component: (usize, usize),
    thread: u32,
}

/// A date and time as written.
#[derive(Clone, Copy)]
struct Written {
    numbers: [u32; 3],
    year_first: bool,
    half_day: bool,
    time: Micros,
}

impl Written {
    fn local(self, order: DateOrder) -> Option<Micros> {
        let [a, b, c] = self.numbers;
        let day = match order {
            _ if self.year_first => date(a, b, c),
            DateOrder::DayFirst => date(c, b, a),
            DateOrder::MonthFirst => date(c, a, b),
        };
        day.map(|day| day + self.time)
    }
}

fn parts(line: &[u8]) -> Option<(Parts, Option<Written>)> {
    // Cheap refusal first: all forms hold the thread in both bases.
    memchr::memmem::find(line, b" (0x")?;
    dated(line).map(|(parts, written)| (parts, Some(written))).or_else(|| undated(line).map(|parts| (parts, None)))
}

/// The last word of `line[..end]`: its range, without blanks.
fn last_word(line: &[u8], end: usize) -> Option<(usize, usize)> {
    let head = line.get(..end)?;
    let end = head.iter().rposition(|byte| !blank(*byte))? + 1;
    let start = head.get(..end)?.iter().rposition(|byte| blank(*byte)).map_or(0, |at| at + 1);
    Some((start, end))
}

fn blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// `message component date time thread (0xHEX)` or `message date time component thread (0xHEX)`.
fn dated(line: &[u8]) -> Option<(Parts, Written)> {
    let hex = last_word(line, line.len())?;
    let decimal = last_word(line, hex.0)?;
    let thread = thread(line.get(decimal.0..decimal.1)?, line.get(hex.0..hex.1)?)?;
    let (component, written, message_end) = if let Some((written, start)) = date_time(line, decimal.0) {
        let component = component_before(line, start)?;
        (component, written, component.0)
    } else {
        let component = last_word(line, decimal.0)?;
        let (written, start) = date_time(line, component.0)?;
        (component, written, start)
    };
    let message = trim(line, 0, message_end);
    Some((Parts { message, component, thread }, written))
}

/// The component before the date: all between two tabs, else one word.
fn component_before(line: &[u8], date: usize) -> Option<(usize, usize)> {
    let head = line.get(..date)?;
    if let Some(head) = head.strip_suffix(b"\t")
        && let Some(tab) = memchr::memrchr(b'\t', head)
    {
        return Some(trim(line, tab + 1, head.len()));
    }
    last_word(line, date)
}

/// `component thread (0xHEX) message`, without a date.
fn undated(line: &[u8]) -> Option<Parts> {
    let component_end = line.iter().position(|byte| blank(*byte))?;
    let (_, after) = first_word(line, component_end)?;
    let decimal = first_word(line, component_end)?;
    let hex = first_word(line, after)?;
    let thread = thread(line.get(decimal.0..decimal.1)?, line.get(hex.0..hex.1)?)?;
    (component_end > 0).then(|| Parts { message: trim(line, hex.1, line.len()), component: (0, component_end), thread })
}

fn first_word(line: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = line.get(from..)?;
    let start = from + rest.iter().position(|byte| !blank(*byte))?;
    let length = line.get(start..)?.iter().position(|byte| blank(*byte)).unwrap_or(line.len() - start);
    Some((start, start + length))
}

fn trim(line: &[u8], start: usize, end: usize) -> (usize, usize) {
    let part = line.get(start..end).unwrap_or_default();
    let Some(first) = part.iter().position(|byte| !blank(*byte)) else { return (start, start) };
    let last = part.iter().rposition(|byte| !blank(*byte)).unwrap_or(first);
    (start + first, start + last + 1)
}

/// `5780 (0x1694)`: the same number twice, which prose does not have.
fn thread(decimal: &[u8], hex: &[u8]) -> Option<u32> {
    let (number, count) = digits(decimal, 9)?;
    let hex = std::str::from_utf8(hex.strip_prefix(b"(0x")?.strip_suffix(b")")?).ok()?;
    (count == decimal.len() && u32::from_str_radix(hex, 16) == Ok(number)).then_some(number)
}

/// The date and time that end before `end`, and where they start.
fn date_time(line: &[u8], end: usize) -> Option<(Written, usize)> {
    let mut word = last_word(line, end)?;
    let suffix = line.get(word.0..word.1)?;
    let afternoon = match suffix {
        b"AM" | b"am" => Some(0),
        b"PM" | b"pm" => Some(12),
        _ => None,
    };
    if afternoon.is_some() {
        word = last_word(line, word.0)?;
    }
    let time = clock_of_day(line.get(word.0..word.1)?, afternoon)?;
    let day = last_word(line, word.0)?;
    let (numbers, year_first) = date_numbers(line.get(day.0..day.1)?)?;
    Some((Written { numbers, year_first, half_day: afternoon.is_some(), time }, day.0))
}

fn clock_of_day(text: &[u8], afternoon: Option<u32>) -> Option<Micros> {
    let mut parts = text.split(|byte| *byte == b':');
    let mut next = || whole_number(parts.next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    let hour = match afternoon {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    clock(hour, minute, second, 0)
}

fn whole_number(text: &[u8]) -> Option<u32> {
    let (number, count) = digits(text, 4)?;
    (count == text.len()).then_some(number)
}

fn date_numbers(text: &[u8]) -> Option<([u32; 3], bool)> {
    let separator = *text.iter().find(|byte| !byte.is_ascii_digit())?;
    if !matches!(separator, b'.' | b'/' | b'-') {
        return None;
    }
    let mut parts = text.split(|byte| *byte == separator);
    let mut next = || whole_number(parts.next()?);
    let numbers = [next()?, next()?, next()?];
    if parts.next().is_some() {
        return None;
    }
    Some((numbers, numbers[0] > 31))
}
