//! Logs of managed services: a date and time at the start of each record, stack traces over many lines below it (log
//! catalogue, section 1.1, `CCM_STS_ManagedBase.log`). No public raw sample was found, so any usual date is taken.

use crate::formats::clipboard::DateOrder;
use crate::formats::sms;
use crate::formats::span::{Piece, Span};
use crate::formats::w3c::iso_date;
use crate::record::Format;
use crate::time::{Bias, Micros, clock, date, digits, fraction_micros};

/// Reads the start of the line at `start` as the head of a record. The text runs to `end` until the next record is
/// found.
pub(crate) fn head(text: &[u8], start: usize, end: usize, order: DateOrder) -> Option<Span> {
    let line = text.get(start..end)?;
    let open = usize::from(line.first() == Some(&b'['));
    let (day, after) = day(line, open, order)?;
    let (time, after) = time(line, after)?;
    let (bias, after) = zone(line, after);
    let message = after
        + line.get(after..)?.iter().take_while(|byte| matches!(byte, b']' | b' ' | b'\t' | b',' | b';' | b'|')).count();
    let mut span = Span::new(Format::Managed, start, end, Piece::new(start + message, end));
    span.local = Some(day + time);
    span.bias = bias;
    span.severity = sms::severity(line.get(message..)?);
    Some(span)
}

/// `YYYY-MM-DD`, `YYYY/MM/DD`, or numbers in the file's order.
fn day(line: &[u8], at: usize, order: DateOrder) -> Option<(Micros, usize)> {
    let word = line.get(at..line.len().min(at + 10))?;
    let length = word.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'/' | b'.')).count();
    let word = word.get(..length)?;
    if let Some(day) = iso_date(word) {
        return Some((day, at + length));
    }
    let separator = *word.iter().find(|byte| !byte.is_ascii_digit())?;
    let mut parts = word.split(|byte| *byte == separator);
    let mut next = || {
        let part = parts.next()?;
        digits(part, 4).filter(|(_, count)| *count == part.len()).map(|(number, _)| number)
    };
    let (a, b, c) = (next()?, next()?, next()?);
    let day = match order {
        _ if a > 31 => date(a, b, c),
        DateOrder::DayFirst => date(c, b, a),
        DateOrder::MonthFirst => date(c, a, b),
    }?;
    Some((day, at + length))
}

/// ` HH:MM:SS`, `THH:MM:SS`, with a fraction after point or comma.
fn time(line: &[u8], at: usize) -> Option<(Micros, usize)> {
    let word = line.get(at..line.len().min(at + 32))?;
    let [b' ' | b'T', rest @ ..] = word else { return None };
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest else { return None };
    let two = |tens: &u8, ones: &u8| digits(&[*tens, *ones], 2).filter(|(_, count)| *count == 2);
    let (mut micros, mut length) = (0, 9);
    if let [b'.' | b',', fraction @ ..] = rest {
        let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        micros = fraction_micros(fraction.get(..count)?);
        length += 1 + count;
    }
    Some((clock(two(h1, h2)?.0, two(m1, m2)?.0, two(s1, s2)?.0, micros)?, at + length))
}

/// `Z` or `+01:00`: the offset from UTC, whose sign is that of ISO 8601, the opposite of a bias.
fn zone(line: &[u8], at: usize) -> (Bias, usize) {
    let written = line.get(at..).map(|rest| rest.strip_prefix(b" ").map_or((rest, 0), |rest| (rest, 1)));
    match written {
        Some(([b'Z', ..], 0)) => (Bias::Utc, at + 1),
        Some(([sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ..], blank)) => {
            let offset = digits(&[*h1, *h2], 2).zip(digits(&[*m1, *m2], 2));
            let minutes = offset.and_then(|((hours, _), (minutes, _))| i32::try_from(hours * 60 + minutes).ok());
            let bias = minutes.and_then(|minutes| Bias::plausible(if *sign == b'+' { -minutes } else { minutes }));
            bias.map_or((Bias::Absent, at), |bias| (bias, at + blank + 6))
        }
        _ => (Bias::Absent, at),
    }
}
