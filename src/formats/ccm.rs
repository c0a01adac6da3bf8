//! CCM records: `<![LOG[message]LOG]!><time="…" date="…" component="…" context="…" type="1" thread="1" file="…">`
//! (log catalogue, section 1.2).

use memchr::{memchr3, memmem};

use crate::formats::span::{Piece, Span};
use crate::record::{Format, RecordSeverity};
use crate::time::{Bias, Micros, clock_and_bias, digits, month_first_date};

pub(crate) const OPENER: &[u8] = b"<![LOG[";
pub(crate) const CLOSER: &[u8] = b"]LOG]!>";
const TAG: usize = OPENER.len();

/// What both have in common.
const LETTERS: &[u8] = b"LOG";

/// A framing mark of CCM records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Opener(usize),
    Closer(usize),
}

impl Token {
    pub(crate) fn at(self) -> usize {
        match self {
            Self::Opener(at) | Self::Closer(at) => at,
        }
    }
}

/// The framing marks of a text, in order. Both contain `LOG`, so one search finds both.
pub(crate) struct Tokens<'t> {
    text: &'t [u8],
    finder: memmem::Finder<'static>,
    /// Where the search goes on.
    from: usize,
    next: Option<Token>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self::after(text, 0)
    }

    /// The marks at or after `start`.
    pub(crate) fn after(text: &'t [u8], start: usize) -> Self {
        let mut tokens = Self { text, finder: memmem::Finder::new(LETTERS), from: 0, next: None };
        tokens.restart(start);
        tokens
    }

    /// Goes on with the marks at or after `start`.
    pub(crate) fn restart(&mut self, start: usize) {
        self.from = start;
        self.next = self.search().filter(|token| token.at() >= start).or_else(|| self.search());
    }

    fn search(&mut self) -> Option<Token> {
        loop {
            let hit = self.from + self.finder.find(self.text.get(self.from..)?)?;
            self.from = hit + LETTERS.len();
            if let Some(at) = hit.checked_sub(3)
                && self.text.get(at..at + TAG) == Some(OPENER)
            {
                return Some(Token::Opener(at));
            }
            if let Some(at) = hit.checked_sub(1)
                && self.text.get(at..at + TAG) == Some(CLOSER)
            {
                return Some(Token::Closer(at));
            }
        }
    }

    /// The next mark, not taken.
    pub(crate) fn peek(&self) -> Option<Token> {
        self.next
    }

    /// Takes the next mark.
    pub(crate) fn take(&mut self) -> Option<Token> {
        let token = self.next?;
        self.next = self.search();
        Some(token)
    }

    /// Drops the marks before `at`.
    pub(crate) fn skip_to(&mut self, at: usize) {
        if self.next.is_some_and(|token| token.at() < at) {
            self.restart(at);
        }
    }
}

/// What follows a closer.
pub(crate) enum Trailer {
    /// A well-formed trailer that ends (with its `>`) at this offset.
    Whole(usize),
    /// It begins as a trailer and is damaged.
    Broken,
    /// It is part of the message.
    Text,
    /// The text ends before one can tell.
    Cut,
}

/// Reads the trailer at `at` into `span`, which keeps what was readable of a broken one. Where the text is not `whole`,
/// more of the file follows it.
pub(crate) fn trailer(text: &[u8], at: usize, whole: bool, dates: &mut Dates, span: &mut Span) -> Trailer {
    let Some(rest) = text.get(at..) else { return Trailer::Cut };
    match rest {
        [] | [b'<'] => return Trailer::Cut,
        [b'<', b't', ..] => {}
        // The next record cuts a trailer off as the end of the file does.
        [b'<', after @ ..] if [rest, after].iter().any(|rest| rest.starts_with(OPENER)) => return Trailer::Broken,
        [b'<', after @ ..] if !whole && [rest, after].iter().any(|rest| OPENER.starts_with(rest)) => {
            return Trailer::Cut;
        }
        _ => return Trailer::Text,
    }
    if let Some(end) = usual(text, at, dates, span) {
        return Trailer::Whole(end);
    }
    *span = open(span.whole.start as usize);
    let (mut day, mut time) = (None, None);
    let mut position = at + 1;
    let ending = loop {
        match attribute(text, position) {
            Attribute::Is { name, value, end } => {
                let bytes = text.get(value.start as usize..value.end as usize).unwrap_or_default();
                match name {
                    b"time" => time = clock_and_bias(bytes),
                    b"date" => day = dates.read(bytes),
                    b"component" => span.component = value,
                    b"context" => span.context = value,
                    b"type" => span.severity = severity(bytes),
                    b"thread" => span.thread = thread(bytes),
                    b"file" => span.code_file = value,
                    _ => {}
                }
                position = end;
            }
            Attribute::End(end) => break Trailer::Whole(end),
            Attribute::Broken => break Trailer::Broken,
            Attribute::Cut => break Trailer::Cut,
        }
    };
    set_time(span, day, time);
    ending
}

fn set_time(span: &mut Span, day: Option<Micros>, time: Option<(Micros, Bias)>) {
    if let Some((time, bias)) = time {
        span.bias = bias;
        span.local = day.map(|day| day + time);
    }
}

/// Reads the trailer at `at` where it is as all writers write it, undamaged: most are, and this is fast.
fn usual(text: &[u8], at: usize, dates: &mut Dates, span: &mut Span) -> Option<usize> {
    let rest = text.get(at..text.len().min(at + LONGEST_VALUE))?;
    let mut end = 0;
    let mut value = |name: &[u8]| {
        let start = end + name.len();
        let after = rest.get(end..)?.strip_prefix(name)?;
        end = start + quote(after)?;
        Some((after.get(..end - start)?, Piece::new(at + start, at + end)))
    };
    let time = value(b"<time=\"")?.0;
    let date = value(b"\" date=\"")?.0;
    span.component = value(b"\" component=\"")?.1;
    span.context = value(b"\" context=\"")?.1;
    span.severity = severity(value(b"\" type=\"")?.0);
    span.thread = thread(value(b"\" thread=\"")?.0);
    span.code_file = value(b"\" file=\"")?.1;
    rest.get(end..)?.strip_prefix(b"\">")?;
    // Of another record, or of another line.
    if memchr3(b'!', b'[', b'\n', rest.get(..end)?).is_some() {
        return None;
    }
    (span.local, span.bias) = (None, Bias::Absent);
    set_time(span, dates.read(date), clock_and_bias(time));
    Some(at + end + 2)
}

/// The first quotation mark, looked for eight bytes at a time: values are short.
fn quote(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        // A byte that is zero borrows from its highest bit; the lowest such bit is of the first mark.
        let marked = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b'"'));
        let found = marked.wrapping_sub(ONES) & !marked & (ONES << 7);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|byte| *byte == b'"').map(|more| at + more)
}

/// The dates of trailers: most are that of the record before.
#[derive(Debug, Default)]
pub(crate) struct Dates {
    written: Vec<u8>,
    day: Option<Micros>,
}

impl Dates {
    fn read(&mut self, date: &[u8]) -> Option<Micros> {
        if self.written != date {
            self.written.clear();
            self.written.extend_from_slice(date);
            self.day = month_first_date(date);
        }
        self.day
    }
}

enum Attribute<'t> {
    Is { name: &'t [u8], value: Piece, end: usize },
    End(usize),
    Broken,
    Cut,
}

/// Longest attribute value that is believed; the writers stop at 100.
const LONGEST_VALUE: usize = 1024;

fn attribute(text: &[u8], mut at: usize) -> Attribute<'_> {
    while text.get(at) == Some(&b' ') {
        at += 1;
    }
    if text.get(at) == Some(&b'>') {
        return Attribute::End(at + 1);
    }
    let rest = text.get(at..).unwrap_or_default();
    let letters = rest.iter().take(16).take_while(|byte| byte.is_ascii_lowercase()).count();
    let value = at + letters + 2;
    match rest.get(letters..letters + 2) {
        Some(b"=\"") if letters > 0 => {}
        Some(_) => return Attribute::Broken,
        None => return Attribute::Cut,
    }
    let window = text.get(value..text.len().min(value + LONGEST_VALUE)).unwrap_or_default();
    match memchr::memchr2(b'"', b'\n', window) {
        Some(length) if window.get(length) == Some(&b'"') => {
            let bytes = window.get(..length).unwrap_or_default();
            if holds_framing(bytes) {
                return Attribute::Broken;
            }
            Attribute::Is {
                name: rest.get(..letters).unwrap_or_default(),
                value: Piece::new(value, value + length),
                end: value + length + 1,
            }
        }
        None if window.len() < LONGEST_VALUE => Attribute::Cut,
        // A value never holds a line end, nor does it go on for ever.
        _ => Attribute::Broken,
    }
}

/// True where the value is no value: its end was overwritten, and the quote found belongs to another record.
fn holds_framing(value: &[u8]) -> bool {
    memchr::memchr(b'!', value).is_some() && Tokens::new(value).peek().is_some()
}

/// `type` 0 occurs in native logs and is no error.
fn severity(value: &[u8]) -> RecordSeverity {
    match value {
        b"2" => RecordSeverity::Warning,
        b"3" => RecordSeverity::Error,
        _ => RecordSeverity::Info,
    }
}

fn thread(value: &[u8]) -> Option<u32> {
    let (number, count) = digits(value, 9)?;
    (count == value.len()).then_some(number)
}

/// A record from `start`, not yet closed.
pub(crate) fn open(start: usize) -> Span {
    Span::new(Format::Ccm, start, start, Piece::new(start + TAG, start + TAG))
}
