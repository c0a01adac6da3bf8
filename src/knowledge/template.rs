//! The template language of messages: literal text with typed placeholders. Nobody writes a regular expression.
//!
//! | written | matches |
//! |---|---|
//! | `{name:guid}` | a GUID, bare, in braces or after `GUID:` (neither is captured); digits that a document masked with `X` count |
//! | `{name:sid}` | a Windows SID |
//! | `{name:hex}` | hexadecimal digits, `0x` before them or not (captured as written) |
//! | `{name:int}` | a decimal number |
//! | `{name:status}` | an HTTP status of three digits; `ok-status` only 200 to 299, `bad-status` only 300 to 599 |
//! | `{name:word}` | anything without blanks |
//! | `{name:name}` | letters, digits, `.`, `_` and `-` |
//! | `{name:host}` | a host name or address |
//! | `{name:url}` | scheme, `://` and the rest, without blanks or quotes |
//! | `{name:path}` | a path with its query, without blanks or quotes |
//! | `{name:time}` | `MM/DD/YYYY HH:MM:SS` |
//! | `{name:text}` | the shortest text up to what follows in the template, perhaps none, perhaps over several lines |
//! | `{name:rest}` | everything to the end, perhaps over several lines |
//! | `{_:type}`, `{_}` | the same without a name (`{_}` is `{_:text}`) |
//! | `{name:type?}` | the same, or nothing |
//! | `{{`, `}}` | a brace |
//! | blanks | any run of white space; `~`, the line break of SMS text, counts as white space |

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// Letters that a word of a template's literal text needs, for the search of it to be cheap.
pub(crate) const SHORTEST_WORD: usize = 6;

/// White space as templates see it.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b || byte == b'~'
}

const BLANKS: &str = r"[\s~]+";

/// What a placeholder matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Guid,
    Sid,
    Hex,
    Int,
    Status,
    OkStatus,
    BadStatus,
    Word,
    Name,
    Host,
    Url,
    Path,
    Time,
    Text,
    Rest,
}

impl Kind {
    const ALL: [(&'static str, Self); 15] = [
        ("guid", Self::Guid),
        ("sid", Self::Sid),
        ("hex", Self::Hex),
        ("int", Self::Int),
        ("status", Self::Status),
        ("ok-status", Self::OkStatus),
        ("bad-status", Self::BadStatus),
        ("word", Self::Word),
        ("name", Self::Name),
        ("host", Self::Host),
        ("url", Self::Url),
        ("path", Self::Path),
        ("time", Self::Time),
        ("text", Self::Text),
        ("rest", Self::Rest),
    ];

    fn named(name: &str) -> Result<Self, String> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|(known, _)| *known).collect();
            format!("unknown placeholder type '{name}'; expected one of {}", known.join(", "))
        })
    }

    /// True where what follows decides where it ends.
    fn is_open(self) -> bool {
        matches!(self, Self::Word | Self::Url | Self::Path | Self::Text | Self::Rest)
    }

    /// What stands before and after the captured part, and the part itself. `last` where nothing follows it in the
    /// template: a part that may end anywhere then takes as much as it can.
    fn pattern(self, last: bool) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Guid => (
                r"(?:[Gg][Uu][Ii][Dd]:)?\{?",
                // Masking in public documents has cost some GUIDs a digit here and there.
                r"[0-9A-Fa-fXx]{6,10}(?:-[0-9A-Fa-fXx]{2,6}){3}-[0-9A-Fa-fXx]{8,14}",
                r"\}?",
            ),
            Self::Sid => ("", r"S-[0-9Xx]+(?:-[0-9Xx]+)+", ""),
            Self::Hex => ("", r"(?:0[xX])?[0-9A-Fa-f]+", ""),
            Self::Int => ("", r"-?[0-9]+", ""),
            Self::Status => ("", r"[0-9]{3}", ""),
            Self::OkStatus => ("", r"2[0-9]{2}", ""),
            Self::BadStatus => ("", r"[3-5][0-9]{2}", ""),
            Self::Word => ("", if last { r"[^\s~]+" } else { r"[^\s~]+?" }, ""),
            Self::Name => ("", r"[A-Za-z0-9._\-]+", ""),
            Self::Host => ("", r"(?:[A-Za-z0-9._\-\x80-\xff]+|\[[0-9A-Fa-f:.]+\])", ""),
            Self::Url if last => ("", r#"[A-Za-z][A-Za-z0-9+.\-]*://[^\s"'<>]*[^\s"'<>~]"#, ""),
            Self::Url => ("", r#"[A-Za-z][A-Za-z0-9+.\-]*://[^\s"'<>]+?"#, ""),
            Self::Path if last => ("", r#"[^\s"'<>]*[^\s"'<>~]"#, ""),
            Self::Path => ("", r#"[^\s"'<>]+?"#, ""),
            Self::Time => ("", r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}\s+[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\s?[AaPp][Mm])?", ""),
            Self::Text => ("", r".*?", ""),
            Self::Rest => ("", if last { r".*" } else { r".*?" }, ""),
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Blanks,
    Hole { name: Option<String>, kind: Kind, may_be_empty: bool },
}

/// Where a template must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchors {
    /// At the start of the text, blanks aside.
    pub start: bool,
    /// Up to the end of the text, blanks aside.
    pub end: bool,
    /// Letters match whatever their case.
    pub ignore_case: bool,
}

/// Literal text that stands in every text that a template matches: lower-case, a blank for each run of blanks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Literal {
    /// The whole run of literal text.
    pub text: String,
    /// Start and end of the word in it that is searched for.
    pub word: (usize, usize),
}

/// A template, read and checked. Its regular expression is built when it is first needed.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    parts: Vec<Part>,
    anchors: Anchors,
    regex: OnceLock<Option<Regex>>,
}

impl Template {
    /// Reads a template. The error is a sentence that says what is wrong with it.
    pub fn parse(source: &str, anchors: Anchors) -> Result<Self, String> {
        let template = Self { parts: parts_of(source)?, anchors, regex: OnceLock::new() };
        let mut names = template.names();
        names.sort_unstable();
        let twice = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next);
        if let Some((twice, _)) = twice {
            return Err(format!("the template names '{twice}' twice; give each part its own name"));
        }
        for pair in template.parts.windows(2) {
            if let [Part::Hole { kind: first, .. }, Part::Hole { kind: second, .. }] = pair
                && first.is_open()
                && second.is_open()
            {
                return Err("nothing parts two placeholders that may each end anywhere; put text between".to_owned());
            }
        }
        Ok(template)
    }

    /// Names of its parts, in order.
    pub fn names(&self) -> Vec<&str> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Hole { name, .. } => name.as_deref(),
                _ => None,
            })
            .collect()
    }

    /// True where it holds nothing but a placeholder.
    pub fn is_bare(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Hole { .. }))
    }

    /// How much it says: letters of literal text, then placeholders with a type of their own.
    pub fn weight(&self) -> (usize, usize) {
        self.parts.iter().fold((0, 0), |(letters, holes), part| match part {
            Part::Literal(text) => (letters + text.len(), holes),
            Part::Blanks | Part::Hole { kind: Kind::Text | Kind::Rest, .. } => (letters, holes),
            Part::Hole { .. } => (letters, holes + 1),
        })
    }

    /// Its longest run of literal text that has a word long enough to search for.
    pub fn literal(&self) -> Option<Literal> {
        let runs = self.parts.split(|part| matches!(part, Part::Hole { .. }));
        let texts = runs.map(|run| {
            let words = run.iter().map(|part| if let Part::Literal(text) = part { text } else { " " });
            words.collect::<String>().to_ascii_lowercase()
        });
        texts
            .filter_map(|run| {
                let text = run.trim().to_owned();
                rarest_word(&text).map(|word| Literal { text, word })
            })
            .max_by_key(|literal| literal.text.len())
    }

    /// Byte ranges of its named parts in `text`, in the order of [`Self::names`], where it matches.
    pub fn find(&self, text: &str) -> Option<Vec<Option<(usize, usize)>>> {
        let captures = self.regex()?.captures(text.as_bytes())?;
        Some(captures.iter().skip(1).map(|part| part.map(|part| (part.start(), part.end()))).collect())
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| {
                RegexBuilder::new(&self.pattern())
                    .unicode(false)
                    .dot_matches_new_line(true)
                    .case_insensitive(self.anchors.ignore_case)
                    .build()
                    .ok()
            })
            .as_ref()
    }

    /// True where its regular expression can be built.
    pub fn works(&self) -> bool {
        self.regex().is_some()
    }

    /// True for blanks beside a part that may be nothing: then there may be no blanks either.
    fn may_vanish(&self, index: usize) -> bool {
        let is_last = |index: usize| index + 1 == self.parts.len();
        let empty = |index: usize| match self.parts.get(index) {
            Some(Part::Hole { may_be_empty: true, .. }) => true,
            Some(Part::Hole { kind: Kind::Text | Kind::Rest, .. }) => is_last(index),
            _ => false,
        };
        empty(index + 1) || index.checked_sub(1).is_some_and(empty)
    }

    fn pattern(&self) -> String {
        let mut pattern = String::from(if self.anchors.start { r"\A[\s~]*" } else { "" });
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(text) => pattern.push_str(&regex::escape(text)),
                Part::Blanks if self.may_vanish(index) => pattern.push_str(r"[\s~]*"),
                Part::Blanks => pattern.push_str(BLANKS),
                Part::Hole { name, kind, may_be_empty } => {
                    // Under an end anchor a lazy part still grows to the end, and leaves the blanks there alone.
                    let last = index + 1 == self.parts.len() && !self.anchors.end;
                    let (before, part, after) = kind.pattern(last);
                    let open = if name.is_some() { "(" } else { "(?:" };
                    let optional = if *may_be_empty { "?" } else { "" };
                    pattern.extend(["(?:", before, open, part, ")", after, ")", optional]);
                }
            }
        }
        if self.anchors.end {
            pattern.push_str(r"[\s~]*\z");
        }
        pattern
    }
}

/// True where a template ends in everything to the end.
pub(crate) fn ends_in_rest(source: &str) -> bool {
    source.trim_end().ends_with(":rest}")
}

/// The word of a text that logs hold least often by chance: the one with the rarest letters in a row.
fn rarest_word(text: &str) -> Option<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = 0;
    for word in text.split(' ') {
        let rarity = word.as_bytes().windows(SHORTEST_WORD).map(commonness).min();
        words.extend(rarity.map(|rarity| (rarity, start, start + word.len())));
        start += word.len() + 1;
    }
    words.into_iter().min().map(|(_, start, end)| (start, end))
}

/// How common letters in a row are in logs: runs of four that fill every log weigh most, then the single letters.
/// It decides how fast the search is, never what it finds.
pub(crate) fn commonness(letters: &[u8]) -> usize {
    const RUNS: &str = "ient lien clie enti ntid stat tatu atus tus: serv ervi rvic vice mana anag nage ager task ask: \
        gtas regt egta erro rror fail iled mess essa ssag prov ovid rovi loca ocat cati tion atio proc roce comp ompl \
        ttin ting etti read lrea ead: cont onte even devi evic ccm_ http 0000";
    const RARE_FIRST: &[u8] = b"zqxjkvbpygfw[(<:_mucldrhsnioate0";
    let letters = letters.to_ascii_lowercase();
    let is_common = |run: &&[u8]| RUNS.split_ascii_whitespace().any(|known| known.as_bytes() == *run);
    let of = |letter: &u8| RARE_FIRST.iter().position(|known| known == letter).unwrap_or(RARE_FIRST.len());
    letters.windows(4).filter(is_common).count() * 1000 + letters.iter().map(of).sum::<usize>()
}

fn parts_of(source: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = source.trim_matches(|c: char| c.is_whitespace() || c == '~');
    let mut literal = String::new();
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push(next);
            rest = &rest[2..];
        } else if next == '{' {
            let end = rest.find('}').filter(|end| !rest[1..*end].contains('{'));
            let Some(end) = end else {
                return Err("a placeholder is not closed; write '{name:type}', or '{{' for a brace".to_owned());
            };
            flush(&mut literal, &mut parts);
            parts.push(hole(&rest[1..end])?);
            rest = &rest[end + 1..];
        } else if next == '}' {
            return Err("a '}' closes nothing; write '}}' for a brace".to_owned());
        } else if next.is_whitespace() || next == '~' {
            flush(&mut literal, &mut parts);
            parts.push(Part::Blanks);
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '~');
        } else {
            literal.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    flush(&mut literal, &mut parts);
    if parts.is_empty() {
        return Err("the template is empty".to_owned());
    }
    Ok(parts)
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

fn hole(inside: &str) -> Result<Part, String> {
    let (name, kind) = inside.split_once(':').unwrap_or((inside, "text"));
    let (kind, may_be_empty) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    if name != "_" && !is_field_name(name) {
        return Err(format!("bad field name '{name}'; expected small letters, digits and '_', or '_' alone to skip"));
    }
    if name != "_" && !inside.contains(':') {
        return Err(format!("the placeholder '{{{name}}}' has no type; write '{{{name}:type}}'"));
    }
    let name = (name != "_").then(|| name.to_owned());
    Ok(Part::Hole { name, kind: Kind::named(kind)?, may_be_empty })
}

fn is_field_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
