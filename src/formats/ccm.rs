//! CCM records: `<![LOG[message]LOG]!><time="…" date="…" component="…" context="…" type="1" thread="1" file="…">`
//! (log catalogue, section 1.2).

use memchr::memmem;

use crate::formats::span::{Piece, Span};
use crate::record::{Format, RecordSeverity};
use crate::time::{clock_and_bias, digits, month_first_date};

pub(crate) const OPENER: &[u8] = b"<![LOG[";
pub(crate) const CLOSER: &[u8] = b"]LOG]!>";
const TAG: usize = OPENER.len();

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
    start: usize,
    hits: memmem::FindIter<'t, 't>,
    next: Option<Token>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self::after(text, 0)
    }

    /// The marks at or after `start`.
    pub(crate) fn after(text: &'t [u8], start: usize) -> Self {
        let hits = memmem::find_iter(text.get(start..).unwrap_or_default(), "LOG");
        let mut tokens = Self { text, start, hits, next: None };
        tokens.next = tokens.search();
        tokens
    }

    fn search(&mut self) -> Option<Token> {
        let (text, start) = (self.text, self.start);
        self.hits.by_ref().find_map(|hit| {
            let hit = start + hit;
            if let Some(at) = hit.checked_sub(3)
                && text.get(at..at + TAG) == Some(OPENER)
            {
                return Some(Token::Opener(at));
            }
            let at = hit.checked_sub(1)?;
            (text.get(at..at + TAG) == Some(CLOSER)).then_some(Token::Closer(at))
        })
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
        while self.next.is_some_and(|token| token.at() < at) {
            self.next = self.search();
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

/// Reads the trailer at `at` into `span`, which keeps what was readable of a broken one.
pub(crate) fn trailer(text: &[u8], at: usize, span: &mut Span) -> Trailer {
    let Some(rest) = text.get(at..) else { return Trailer::Cut };
    match rest {
        [] => return Trailer::Cut,
        [b'<', b't', ..] => {}
        [b'<'] => return Trailer::Cut,
        _ => return Trailer::Text,
    }
    let (mut day, mut time) = (None, None);
    let mut position = at + 1;
    let ending = loop {
        match attribute(text, position) {
            Attribute::Is { name, value, end } => {
                let bytes = text.get(value.start as usize..value.end as usize).unwrap_or_default();
                match name {
                    b"time" => time = clock_and_bias(bytes),
                    b"date" => day = month_first_date(bytes),
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
    if let Some((time, bias)) = time {
        span.bias = bias;
        span.local = day.map(|day| day + time);
    }
    ending
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
        // A value never holds a line end.
        Some(_) => Attribute::Broken,
        None if window.len() < LONGEST_VALUE => Attribute::Cut,
        None => Attribute::Broken,
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
