//! The lines that machines write: data, from `lines.toml`, which is written from the log catalogue.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::sync::LazyLock;

use serde::Deserialize;

/// How a log's records are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// `<![LOG[…]LOG]!><time=…>` (log catalogue, section 1.2).
    Ccm,
    /// `… $$<COMPONENT><…>` (section 1.3).
    Sms,
    /// IIS W3C, in UTC (section 1.5).
    W3c,
    /// Date and time, then text over several lines; no public raw sample.
    Managed,
}

/// A log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogShape {
    pub id: String,
    pub file: String,
    pub form: Form,
    #[serde(default)]
    pub component: String,
    #[serde(default)]
    pub code: String,
}

/// How sure a shape is, in the catalogue's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
pub enum Proof {
    /// Seen in a named source.
    S,
    /// Computed from a source's data.
    C,
    /// Documented, without a public sample.
    P,
    /// Inferred.
    I,
}

/// A line's shape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineShape {
    pub id: String,
    pub text: String,
    /// Section of the log catalogue, for whoever checks a shape against it.
    #[allow(dead_code)]
    pub section: String,
    pub proof: Proof,
    #[serde(default = "information")]
    pub severity: u8,
}

const fn information() -> u8 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    log: Vec<LogShape>,
    line: Vec<LineShape>,
    flag: Vec<Flag>,
}

/// A bit of the secure-failure mask, as the log names it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flag {
    pub bit: u32,
    pub name: String,
}

/// A log, by its place in `lines.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LogId(pub usize);

/// A line, by its place in `lines.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LineId(pub usize);

pub(super) struct Lines {
    pub logs: Vec<LogShape>,
    pub shapes: Vec<LineShape>,
    pub flags: Vec<Flag>,
    pieces: Vec<Vec<Piece>>,
    log_ids: HashMap<String, LogId>,
    line_ids: HashMap<String, LineId>,
}

enum Piece {
    Text(String),
    Value(String),
}

/// A value to fill in, by name.
pub(super) type Value<'v> = (&'static str, &'v dyn Display);

static LINES: LazyLock<Lines> = LazyLock::new(Lines::read);

/// The lines, read once.
pub(super) fn lines() -> &'static Lines {
    &LINES
}

impl Lines {
    fn read() -> Self {
        // A test reads the bundled file whole; an unreadable one would leave every log empty, and fail all others.
        let file: File = toml::from_str(include_str!("lines.toml")).unwrap_or_else(|_| File {
            log: Vec::new(),
            line: Vec::new(),
            flag: Vec::new(),
        });
        Self {
            pieces: file.line.iter().map(|line| pieces(&line.text)).collect(),
            log_ids: file.log.iter().enumerate().map(|(at, log)| (log.id.clone(), LogId(at))).collect(),
            line_ids: file.line.iter().enumerate().map(|(at, line)| (line.id.clone(), LineId(at))).collect(),
            logs: file.log,
            shapes: file.line,
            flags: file.flag,
        }
    }

    /// The log of this id. All ids in the code are in the file, which a test holds.
    pub fn log(&self, id: &str) -> LogId {
        debug_assert!(self.log_ids.contains_key(id), "no log '{id}' in lines.toml");
        self.log_ids.get(id).copied().unwrap_or(LogId(0))
    }

    /// The line of this id. All ids in the code are in the file, which a test holds.
    pub fn line(&self, id: &str) -> LineId {
        debug_assert!(self.line_ids.contains_key(id), "no line '{id}' in lines.toml");
        self.line_ids.get(id).copied().unwrap_or(LineId(0))
    }

    /// The line's text with its values.
    pub fn fill(&self, line: LineId, values: &[Value<'_>]) -> String {
        let mut text = String::with_capacity(160);
        for piece in self.pieces.get(line.0).into_iter().flatten() {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value(name) => {
                    let value = values.iter().find(|(known, _)| known == name);
                    debug_assert!(value.is_some(), "line '{}' needs '{name}'", self.shapes[line.0].id);
                    if let Some((_, value)) = value {
                        let _ = write!(text, "{value}");
                    }
                }
            }
        }
        text
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '{' | '}' if rest.peek() == Some(&next) => {
                rest.next();
                plain.push(next);
            }
            '{' => {
                found.push(Piece::Text(std::mem::take(&mut plain)));
                found.push(Piece::Value(rest.by_ref().take_while(|part| *part != '}').collect()));
            }
            _ => plain.push(next),
        }
    }
    found.push(Piece::Text(plain));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_file_is_read_whole_and_each_id_once() {
        let file: File = toml::from_str(include_str!("lines.toml")).unwrap();
        assert_eq!(lines().line_ids.len(), file.line.len());
        assert_eq!(lines().log_ids.len(), file.log.len());
        assert!(file.line.iter().all(|line| !line.section.is_empty() && (1..=3).contains(&line.severity)));
    }

    #[test]
    fn braces_are_doubled_to_stand_for_themselves() {
        let id = lines().line("message-replied");
        let text = lines().fill(id, &[("message", &"A"), ("reply", &"B"), ("endpoint", &"C")]);
        assert_eq!(text, "Message '{A}' got reply message '{B}' to endpoint 'direct:C'");
    }
}
