//! Framing: where records begin and end. The pieces found tile the text.
//!
//! Two rules keep a damaged record from swallowing its neighbours. An opener (`<![LOG[`) at the start of a line always
//! begins a record; and a record that turns out to have no end stops before the first line that is a record of its
//! own. The first rule also makes framing independent of how a file is cut into chunks.

use std::sync::Arc;

use memchr::{memchr, memchr_iter, memmem};

use crate::formats::ccm::{self, OPENER, Token, Tokens, Trailer, trailer};
use crate::formats::clipboard::{self, DateOrder};
use crate::formats::span::{Filler, Piece, Run, Span, offset};
use crate::formats::{managed, sms, w3c};
use crate::record::W3cFields;

/// Longest record, and longest line that is searched for one. What is longer is cut here, to bound memory.
pub(crate) const MAX_RECORD: usize = 64 << 20;

/// The unframed last line of a log that was renamed because it was full (log catalogue, section 1.3).
const ROLLOVER_LINE: &[u8] = b"<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>";

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What framing must know of the file before the text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// W3C fields in force.
    pub fields: Option<Arc<W3cFields>>,
    /// Order of day and month in dates that do not say.
    pub order: DateOrder,
    /// The text starts in the middle of a line.
    pub mid_line: bool,
}

/// A framed text.
#[derive(Debug, Default)]
pub(crate) struct Framed {
    /// Records, in order.
    pub spans: Vec<Span>,
    /// Everything else, in order. Together they tile `..consumed`.
    pub runs: Vec<Run>,
    /// W3C fields that spans refer to.
    pub fields: Vec<Arc<W3cFields>>,
    /// Bytes framed: all of the text where it is whole.
    pub consumed: usize,
}

/// Frames `text`. Where it is not `whole`, more of the file follows, and what may yet change is left unconsumed.
pub(crate) fn frame(text: &str, context: &Context, whole: bool) -> Framed {
    let bytes = text.as_bytes();
    let mut framed = Framed { spans: Vec::with_capacity(bytes.len() / 160), ..Framed::default() };
    framed.fields.extend(context.fields.clone());
    let mut framer = Framer {
        text: bytes,
        whole,
        order: context.order,
        mid_line: context.mid_line,
        tokens: Tokens::new(bytes),
        at: 0,
        lines: 0,
        counted: 0,
        unclosed_until: 0,
        framed,
    };
    while framer.at < bytes.len() {
        if framer.step().is_none() {
            break;
        }
    }
    framer.framed.consumed = framer.at;
    framer.framed
}

struct Framer<'t> {
    text: &'t [u8],
    whole: bool,
    order: DateOrder,
    mid_line: bool,
    tokens: Tokens<'t>,
    at: usize,
    /// No CCM record that starts before here has an end.
    unclosed_until: usize,
    /// Line ends in `..counted`.
    lines: u32,
    counted: usize,
    framed: Framed,
}

/// What a line is by itself.
enum Line {
    Record(Span),
    Head(Span),
    Directive,
    Marker,
    Plain,
}

impl Framer<'_> {
    /// Frames one piece; `None` where the text does not hold all of it.
    fn step(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        if rest.starts_with(OPENER) {
            return self.ccm(self.at);
        }
        let line_start = self.at_line_start(self.at);
        if line_start && rest.starts_with(BYTE_ORDER_MARK) {
            self.fill(Filler::Marker, self.at + BYTE_ORDER_MARK.len());
            return Some(());
        }
        let line = self.line_at(self.at)?;
        let opener = self.opener_in(self.at, line.end);
        let end = opener.unwrap_or(line.end);
        if line_start {
            if opener.is_some()
                && let Some(span) = sms::record(self.text, self.at, line.content)
            {
                self.push(span, line.end);
                return Some(());
            }
            match self.classify(self.at, end.min(line.content)) {
                Line::Record(span) => {
                    self.push(span, end);
                    return Some(());
                }
                Line::Head(span) => return self.managed(span, end),
                Line::Directive => {
                    self.directive(self.at, end.min(line.content));
                    self.fill(Filler::Marker, end);
                    return Some(());
                }
                Line::Marker => {
                    self.fill(Filler::Marker, end);
                    return Some(());
                }
                Line::Plain => {}
            }
        }
        let blank = self.text.get(self.at..end)?.iter().all(u8::is_ascii_whitespace);
        self.fill(if blank { Filler::Marker } else { Filler::Gap }, end);
        Some(())
    }

    /// The first opener in `start..end`.
    fn opener_in(&mut self, start: usize, end: usize) -> Option<usize> {
        self.tokens.skip_to(start);
        match self.tokens.peek().filter(|token| token.at() < end)? {
            Token::Opener(opener) => Some(opener),
            Token::Closer(_) => memmem::find(self.text.get(start..end)?, OPENER).map(|length| start + length),
        }
    }

    /// The line that starts at `at`: where its content ends, and where the next one starts.
    fn line_at(&self, at: usize) -> Option<LineRange> {
        let limit = self.text.len().min(at + MAX_RECORD);
        let window = self.text.get(at..limit)?;
        let end = match memchr(b'\n', window) {
            Some(length) => at + length + 1,
            None if window.len() == MAX_RECORD => self.char_start(limit),
            None if self.whole => self.text.len(),
            None => return None,
        };
        let line = self.text.get(at..end)?;
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        Some(LineRange { content: at + content.len(), end })
    }

    /// The last start of a character at or before `at`.
    fn char_start(&self, at: usize) -> usize {
        let continues = |at: &usize| self.text.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
        (0..=at).rev().find(|at| !continues(at)).unwrap_or(0)
    }

    fn at_line_start(&self, at: usize) -> bool {
        let mut before = self.text.get(..at).unwrap_or_default();
        while let Some(marked) = before.strip_suffix(BYTE_ORDER_MARK) {
            before = marked;
        }
        before.last().map_or(!self.mid_line, |byte| *byte == b'\n')
    }

    fn classify(&self, start: usize, end: usize) -> Line {
        let Some(line) = self.text.get(start..end) else { return Line::Plain };
        if line.first() == Some(&b'#') && w3c::is_directive(line) {
            return Line::Directive;
        }
        if let Some(span) = sms::record(self.text, start, end) {
            return Line::Record(span);
        }
        if line.trim_ascii_end() == ROLLOVER_LINE {
            return Line::Marker;
        }
        if let Some(fields) = self.framed.fields.last()
            && let Some(span) = w3c::record(self.text, start, end, fields, self.field_index())
        {
            return Line::Record(span);
        }
        if let Some(span) = clipboard::record(self.text, start, end, self.order) {
            return Line::Record(span);
        }
        managed::head(self.text, start, end, self.order).map_or(Line::Plain, Line::Head)
    }

    fn field_index(&self) -> u32 {
        u32::try_from(self.framed.fields.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    fn directive(&mut self, start: usize, end: usize) {
        let line = self.text.get(start..end).and_then(|line| std::str::from_utf8(line).ok());
        if let Some(fields) = line.and_then(W3cFields::parse)
            && self.framed.fields.last().is_none_or(|known| **known != fields)
        {
            self.framed.fields.push(Arc::new(fields));
        }
    }

    /// A CCM record that starts at `start`.
    fn ccm(&mut self, start: usize) -> Option<()> {
        self.tokens.skip_to(start + OPENER.len());
        if start < self.unclosed_until {
            return self.damaged(start);
        }
        let limit = start.saturating_add(MAX_RECORD);
        let mut span = ccm::open(start);
        // The last opener inside, not at the start of a line: of a record, if this one has no end of its own.
        let mut inner = None;
        let mut openers = 0;
        loop {
            match self.tokens.peek().filter(|token| token.at() < limit) {
                None if self.whole || self.text.len() >= limit => return self.unclosed(start, limit),
                None => return None,
                Some(Token::Opener(at)) if self.at_line_start(at) => return self.unclosed(start, at),
                Some(Token::Opener(at)) => {
                    inner = Some(at);
                    openers += 1;
                    self.tokens.take();
                }
                Some(Token::Closer(at)) => match (trailer(self.text, at + OPENER.len(), &mut span), inner) {
                    (Trailer::Text, _) => {
                        self.tokens.take();
                    }
                    (Trailer::Cut, _) if !self.whole => return None,
                    (Trailer::Cut | Trailer::Broken, None) => return self.broken(span, at),
                    (Trailer::Cut | Trailer::Broken, Some(inner)) => return self.unclosed(start, inner),
                    (Trailer::Whole(_), Some(last)) if openers > 1 => return self.unclosed(start, last),
                    (Trailer::Whole(end), Some(last)) => {
                        if !self.quotes(end)? {
                            return self.unclosed(start, last);
                        }
                        inner = None;
                        openers = 0;
                        self.tokens.take();
                    }
                    (Trailer::Whole(end), None) => {
                        let end = self.line_end_after(end)?;
                        span.text.end = offset(at);
                        self.push(span, end);
                        return Some(());
                    }
                },
            }
        }
    }

    /// True where the closed record up to `end` is a quotation inside a message: the same line goes on and is closed
    /// again.
    fn quotes(&self, end: usize) -> Option<bool> {
        let line = self.line_at(end)?;
        let rest = self.text.get(end..line.content)?;
        let Some(Token::Closer(at)) = Tokens::new(rest).peek() else { return Some(false) };
        let mut scratch = ccm::open(end);
        let ending = trailer(self.text, end + at + OPENER.len(), &mut scratch);
        Some(matches!(ending, Trailer::Whole(end) if end == line.content))
    }

    /// The end of a record whose trailer ends at `at`: after the line end, if nothing else stands before it.
    fn line_end_after(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        match rest.get(blanks) {
            Some(b'\n') => Some(at + blanks + 1),
            Some(_) => Some(at),
            None if self.whole => Some(at),
            None => None,
        }
    }

    /// A record whose trailer, after the closer at `closer`, is damaged: it ends with its line or before the next
    /// opener.
    fn broken(&mut self, mut span: Span, closer: usize) -> Option<()> {
        let line = self.line_at(closer)?;
        self.tokens.skip_to(closer);
        self.tokens.take();
        let end = self.tokens_opener(line.end);
        span.text.end = offset(closer);
        span.damaged = true;
        self.push(span, end);
        Some(())
    }

    /// The record at `start`, and those whose openers follow before `limit`, have no end.
    fn unclosed(&mut self, start: usize, limit: usize) -> Option<()> {
        self.unclosed_until = self.char_start(limit.min(self.text.len()));
        self.tokens = Tokens::after(self.text, start + OPENER.len());
        self.damaged(start)
    }

    /// A record without an end: up to the next opener, or the first line that is a record of its own.
    fn damaged(&mut self, start: usize) -> Option<()> {
        let opener = self.tokens_opener(self.unclosed_until);
        let end = self.first_other_record(start, opener);
        let mut span = ccm::open(start);
        span.damaged = true;
        span.text.end = offset(self.trimmed(start + OPENER.len(), end));
        self.push(span, end);
        Some(())
    }

    /// The next opener, or `limit`.
    fn tokens_opener(&mut self, limit: usize) -> usize {
        while let Some(token) = self.tokens.peek().filter(|token| token.at() < limit) {
            if let Token::Opener(at) = token {
                return at;
            }
            self.tokens.take();
        }
        limit
    }

    /// Where, after its first line, a record without an end meets a line that is a record of its own.
    fn first_other_record(&self, start: usize, limit: usize) -> usize {
        let mut at = start;
        while let Some(length) = self.text.get(at..limit).and_then(|rest| memchr(b'\n', rest)) {
            at += length + 1;
            let Some(line) = self.line_at(at).filter(|line| line.end <= limit) else { break };
            match self.classify(at, line.content) {
                Line::Record(_) | Line::Directive | Line::Marker => return at,
                // Dumps hold dates at the start of a line too.
                Line::Head(_) | Line::Plain => {}
            }
        }
        limit
    }

    fn trimmed(&self, start: usize, end: usize) -> usize {
        let text = self.text.get(start..end).unwrap_or_default();
        start.min(end) + text.trim_ascii_end().len()
    }

    /// A record that goes on until a line that is a record of its own.
    fn managed(&mut self, mut span: Span, first_line_end: usize) -> Option<()> {
        let limit = self.at.saturating_add(MAX_RECORD);
        let mut end = first_line_end;
        loop {
            if end >= self.text.len() {
                if !self.whole {
                    return None;
                }
                break;
            }
            if end >= limit || self.text.get(end..)?.starts_with(OPENER) {
                break;
            }
            let line = self.line_at(end)?;
            if !matches!(self.classify(end, line.content), Line::Plain) {
                break;
            }
            if let Some(opener) = memmem::find(self.text.get(end..line.end)?, OPENER) {
                end += opener;
                break;
            }
            end = line.end;
        }
        span.text.end = offset(self.trimmed(span.text.start as usize, end));
        self.push(span, end);
        Some(())
    }

    /// Line ends before `at`.
    fn lines_before(&mut self, at: usize) -> u32 {
        let new = self.text.get(self.counted..at).map_or(0, |part| memchr_iter(b'\n', part).count());
        self.lines = self.lines.saturating_add(u32::try_from(new).unwrap_or(u32::MAX));
        self.counted = at;
        self.lines
    }

    fn push(&mut self, mut span: Span, end: usize) {
        span.lines_before = self.lines_before(span.whole.start as usize);
        span.whole.end = offset(end);
        self.framed.spans.push(span);
        self.at = end;
    }

    fn fill(&mut self, filler: Filler, end: usize) {
        let whole = Piece::new(self.at, end);
        match self.framed.runs.last_mut() {
            Some(last) if last.filler == filler && last.whole.end == whole.start => last.whole.end = whole.end,
            _ => self.framed.runs.push(Run { filler, whole }),
        }
        self.at = end;
    }
}

/// A line: where its content ends, and where the next line starts.
struct LineRange {
    content: usize,
    end: usize,
}
