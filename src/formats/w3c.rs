//! IIS W3C rows, read by the `#Fields:` line above them. Their times are UTC (log catalogue, section 1.5).

use crate::formats::span::{Piece, Span};
use crate::record::{Format, W3cFields};
use crate::time::{Bias, Micros, clock, date, digits};

/// How a directive line begins.
pub(crate) const DIRECTIVES: [&[u8]; 7] =
    [b"#Fields:", b"#Software:", b"#Version:", b"#Date:", b"#Start-Date:", b"#End-Date:", b"#Remark:"];

/// True for a line that says something about the rows, and is none.
pub(crate) fn is_directive(line: &[u8]) -> bool {
    line.first() == Some(&b'#') && DIRECTIVES.iter().any(|directive| line.starts_with(directive))
}

/// Reads the line `text[start..end]`, its line end excluded, as a row under `fields`.
pub(crate) fn record(text: &[u8], start: usize, end: usize, fields: &W3cFields, index: u32) -> Option<Span> {
    let line = text.get(start..end)?;
    let columns = memchr::memchr_iter(b' ', line).count() + 1;
    if columns != fields.len() {
        return None;
    }
    let column = |name| fields.position(name).and_then(|position| line.split(|byte| *byte == b' ').nth(position));
    let day = column("date").and_then(iso_date);
    let time = column("time").and_then(iso_clock);
    // A row whose date or time cannot be read is a row all the same if the rest fits; a line of prose is not.
    if day.is_none() && time.is_none() {
        return None;
    }
    let mut span = Span::new(Format::W3c, start, end, Piece::new(start, end));
    span.local = day.zip(time).map(|(day, time)| day + time);
    span.bias = Bias::Utc;
    span.fields = index;
    Some(span)
}

/// `YYYY-MM-DD`, as microseconds at midnight.
pub(crate) fn iso_date(text: &[u8]) -> Option<Micros> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let two = |tens: &u8, ones: &u8| digits(&[*tens, *ones], 2).filter(|(_, count)| *count == 2);
    let (year, count) = digits(year, 4)?;
    if count != 4 || text.len() != 10 {
        return None;
    }
    date(year, two(m1, m2)?.0, two(d1, d2)?.0)
}

/// `HH:MM:SS`, as microseconds since midnight.
fn iso_clock(text: &[u8]) -> Option<Micros> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    let two = |tens: &u8, ones: &u8| digits(&[*tens, *ones], 2).filter(|(_, count)| *count == 2);
    clock(two(h1, h2)?.0, two(m1, m2)?.0, two(s1, s2)?.0, 0)
}
