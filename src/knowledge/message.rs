//! Message patterns.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::table::Entry;
use super::template::{Anchors, Literal, SHORTEST_WORD, Template, ends_in_rest};
use crate::stage::{FlowKind, Mark, Role, Stage};

/// How sure the catalogue is of a message's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Seen in a named public source.
    Seen,
    /// Computed from a source's data.
    Computed,
    /// Inferred; no public sample. Findings that rest on its text alone are `possible` at most.
    Inferred,
}

/// The part that a line plays in the client's account of one HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestPart {
    /// Names the request that is about to be made.
    Names,
    /// Begins it: host, path, agent.
    Banner,
    /// Says how it is made, or that something of it failed; nothing more is read from it.
    Detail,
    /// It has a connection.
    Connection,
    /// CRL checking is on for it.
    RevocationCheck,
    /// It carries a CCM token.
    CcmToken,
    /// The secure-failure bits.
    Mask,
    /// One secure-failure bit by name.
    Flag,
    /// It failed, with a `WinHTTP` code.
    Code,
    /// It failed, with an HTTP status.
    Status,
    /// It ended, with an HRESULT; zero is success.
    Result,
}

/// A message: what a record's text looks like, and what it means.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // each is a key of its own in the knowledge file, and may stand with any other
pub struct Message {
    /// Kebab-case id.
    pub id: String,
    /// Kind of machine that writes it; `None` where several do.
    pub role: Option<Role>,
    /// Stage it belongs to; `None` where the request it belongs to decides.
    pub stage: Option<Stage>,
    /// What it says of the stage.
    pub mark: Mark,
    /// Names of the logs or components that write it.
    pub logs: Vec<String>,
    /// Its words are so general that it is believed only in one of `logs`.
    pub only_in_logs: bool,
    /// How sure its text is.
    pub proof: Proof,
    /// Public source of the text.
    pub source: String,
    /// A flow of this kind begins with it.
    pub opens: Option<FlowKind>,
    /// A flow ends with it.
    pub closes: bool,
    /// It is the first that a server writes about a request: whatever its thread wrote before is another's.
    pub first: bool,
    /// It begins a new attempt of its flow.
    pub new_attempt: bool,
    /// It says that what failed before is being tried another way, within the same attempt.
    pub falls_back: bool,
    /// It reports a failure without naming its stage or cause.
    pub symptom: bool,
    /// The part in which the machine that writes it says its own name.
    pub names_itself: Option<String>,
    /// The part it plays in the account of a request.
    pub request: Option<RequestPart>,
    /// Names of the captured parts, in template order.
    pub captures: Vec<String>,
    /// Fields that the message itself sets.
    pub set: BTreeMap<String, String>,
    /// True for a message that a user's file adds: it takes only records that no other message takes, and what it says
    /// serves failures of the user's own.
    pub beside: bool,
    /// The built-in message in whose place it stands, for a message of a user's file.
    pub(crate) replaced: Option<Arc<Message>>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) optional: Vec<Template>,
    pub(crate) examples: Vec<Example>,
    pub(crate) counter_examples: Vec<Sample>,
}

/// One way in which a message is written.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// In a record's text.
    Text(Template),
    /// In the columns of a W3C row, by column name.
    Row(BTreeMap<String, Template>),
}

/// Byte ranges in a record's text of the parts that [`Message::captures`] names.
pub(crate) type Parts = Vec<Option<(usize, usize)>>;

/// The value of a column of a W3C row, a part of the record's text.
pub(crate) type Columns<'c, 't> = dyn Fn(&str) -> Option<&'t str> + 'c;

/// A record's text, or a W3C row by its columns, as an example gives it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Sample {
    /// A record's text.
    Text(String),
    /// The columns of a W3C row.
    Row(BTreeMap<String, String>),
}

/// An example of a message, with the fields that it must give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    text: Sample,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

impl Message {
    /// Reads a message. Where it has mistakes they are noted in `entry`, and there is no message.
    /// `proved` where its examples are to be tried as well.
    pub(crate) fn read(mut entry: Entry<'_, '_, '_>, proved: bool) -> Option<Self> {
        let anchors = read_anchors(&mut entry);
        let patterns = read_patterns(&mut entry, anchors);
        let optional = read_optional(&mut entry, anchors);
        let message = Self {
            id: entry.id.clone(),
            role: entry.value("role"),
            stage: entry.value("stage"),
            mark: entry.required("mark").unwrap_or(Mark::Step),
            logs: entry.required("logs").unwrap_or_default(),
            only_in_logs: entry.flag("only_in_logs"),
            proof: entry.required("proof").unwrap_or(Proof::Inferred),
            source: entry.required("source").unwrap_or_default(),
            opens: entry.value("opens"),
            closes: entry.flag("closes"),
            first: entry.flag("first"),
            new_attempt: entry.flag("new_attempt"),
            falls_back: entry.flag("falls_back"),
            symptom: entry.flag("symptom"),
            names_itself: entry.value("names_itself"),
            request: entry.value("request"),
            captures: names(&patterns, &optional),
            beside: false,
            replaced: None,
            set: entry.value("set").unwrap_or_default(),
            patterns,
            optional,
            examples: entry.required("examples").unwrap_or_default(),
            counter_examples: entry.required("counter_examples").unwrap_or_default(),
        };
        if let Some(part) = message.names_itself.as_ref().filter(|part| !message.captures.contains(part)) {
            entry.mistake("names_itself", &format!("no template captures '{part}'"));
        }
        if proved {
            for (key, sentence) in message.mistakes() {
                entry.mistake(key, &sentence);
            }
        }
        entry.close().then_some(message)
    }

    /// Marks it as a message of a user's file; `replaced` is the built-in message with its id.
    pub(super) fn is_own(&mut self, replaced: Option<&Arc<Self>>) {
        self.beside = replaced.is_none();
        self.replaced = replaced.cloned();
    }

    /// The parts of a text, where one of the message's patterns matches it.
    pub(crate) fn find(&self, text: &str, columns: Option<&Columns<'_, '_>>) -> Option<Parts> {
        self.patterns.iter().find_map(|pattern| self.find_by(pattern, text, columns))
    }

    /// The parts of a text, where `pattern` matches it. `columns` are those of a W3C row.
    pub(crate) fn find_by(&self, pattern: &Pattern, text: &str, columns: Option<&Columns<'_, '_>>) -> Option<Parts> {
        let mut parts = vec![None; self.captures.len()];
        match (pattern, columns) {
            (Pattern::Text(template), None) => {
                self.place(&mut parts, template, &template.find(text)?, 0);
                for template in &self.optional {
                    if let Some(found) = template.find(text) {
                        self.place(&mut parts, template, &found, 0);
                    }
                }
            }
            (Pattern::Row(templates), Some(columns)) => {
                for (column, template) in templates {
                    match columns(column).filter(|value| *value != "-") {
                        Some(value) => {
                            let offset = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
                            self.place(&mut parts, template, &template.find(value)?, offset);
                        }
                        None if template.is_bare() => {}
                        None => return None,
                    }
                }
            }
            _ => return None,
        }
        Some(parts)
    }

    fn place(&self, parts: &mut Parts, template: &Template, found: &[Option<(usize, usize)>], offset: usize) {
        for (name, range) in template.names().iter().zip(found) {
            let slot = self.captures.iter().position(|capture| capture == name);
            if let Some(slot) = slot.and_then(|slot| parts.get_mut(slot))
                && slot.is_none()
            {
                *slot = range.map(|(start, end)| (start + offset, end + offset));
            }
        }
    }

    /// What is wrong with it, by key.
    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if self.examples.is_empty() {
            mistakes.push(("examples", "no example; give at least one text that must match".to_owned()));
        }
        if self.counter_examples.is_empty() {
            mistakes.push(("counter_examples", "no counter-example; give one that must not match".to_owned()));
        }
        let templates = self.patterns.iter().flat_map(Pattern::templates).chain(&self.optional);
        if templates.into_iter().any(|template| !template.works()) {
            mistakes.push(("templates", "a template is too long to be compiled; make it shorter".to_owned()));
        }
        if self.source.trim().is_empty() {
            mistakes.push(("source", "'source' is empty; say where the text was seen".to_owned()));
        }
        if self.only_in_logs && self.logs.is_empty() {
            mistakes.push(("only_in_logs", "only_in_logs without any name in 'logs'".to_owned()));
        }
        for example in &self.examples {
            mistakes.extend(self.mistakes_of(example).into_iter().map(|sentence| ("examples", sentence)));
        }
        for sample in &self.counter_examples {
            if sample.parts(self).is_some() {
                mistakes.push(("counter_examples", format!("this counter-example matches: {}", sample.text())));
            }
        }
        for name in &self.captures {
            let shown = self.examples.iter().any(|example| example.fields.contains_key(name));
            if !shown && !self.examples.is_empty() {
                mistakes.push(("examples", format!("no example shows the field '{name}'")));
            }
        }
        mistakes
    }

    fn mistakes_of(&self, example: &Example) -> Vec<String> {
        let text = example.text.text();
        let Some(parts) = example.text.parts(self) else {
            return vec![format!("this example does not match: {text}")];
        };
        let value = |field: &str| {
            let index = self.captures.iter().position(|name| name == field)?;
            let (start, end) = (*parts.get(index)?)?;
            text.get(start..end).map(str::trim)
        };
        let differences = example.fields.iter().filter(|(field, wanted)| value(field) != Some(wanted));
        differences
            .map(|(field, wanted)| {
                let found = value(field).map_or("nothing".to_owned(), |found| format!("'{found}'"));
                format!("in the example '{text}', {field}: expected '{wanted}', found {found}")
            })
            .collect()
    }
}

impl Pattern {
    /// What the prefilter looks for: literal text that stands in every record that matches.
    pub(crate) fn literal(&self) -> Option<Literal> {
        match self {
            Self::Text(template) => template.literal(),
            Self::Row(templates) => {
                templates.values().filter_map(Template::literal).max_by_key(|literal| literal.text.len())
            }
        }
    }

    /// How much it says: the heavier of two patterns that match is the more specific.
    pub(crate) fn weight(&self) -> (usize, usize) {
        match self {
            Self::Text(template) => template.weight(),
            Self::Row(templates) => {
                templates.values().map(Template::weight).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
            }
        }
    }

    fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Text(template) => vec![template],
            Self::Row(templates) => templates.values().collect(),
        }
    }
}

impl Sample {
    /// The text of the record; for a row its columns with blanks between.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Row(columns) => columns.values().map(String::as_str).collect::<Vec<_>>().join(" "),
        }
    }

    fn parts(&self, message: &Message) -> Option<Parts> {
        let text = self.text();
        let Self::Row(columns) = self else {
            return message.find(&text, None);
        };
        let mut places = BTreeMap::new();
        let mut start = 0;
        for (column, value) in columns {
            places.insert(column.as_str(), start..start + value.len());
            start += value.len() + 1;
        }
        let get = |column: &str| text.get(places.get(column)?.clone());
        message.find(&text, Some(&get))
    }
}

fn read_anchors(entry: &mut Entry<'_, '_, '_>) -> Anchors {
    let anywhere = entry.flag("anywhere");
    let prefix = entry.flag("prefix");
    Anchors { start: !anywhere, end: !anywhere && !prefix, ignore_case: entry.flag("ignore_case") }
}

fn read_patterns(entry: &mut Entry<'_, '_, '_>, anchors: Anchors) -> Vec<Pattern> {
    let texts: Option<Vec<String>> = entry.value("templates");
    let rows: Option<Vec<BTreeMap<String, String>>> = entry.value("w3c");
    let mut patterns = Vec::new();
    for source in texts.into_iter().flatten() {
        let anchors = if ends_in_rest(&source) { Anchors { end: true, ..anchors } } else { anchors };
        patterns.extend(template(entry, "templates", &source, anchors).map(Pattern::Text));
    }
    for row in rows.into_iter().flatten() {
        let whole = Anchors { start: true, end: true, ..anchors };
        let mut columns = BTreeMap::new();
        for (column, source) in row {
            columns.extend(template(entry, "w3c", &source, whole).map(|template| (column, template)));
        }
        patterns.push(Pattern::Row(columns));
    }
    if patterns.is_empty() {
        entry.mistake("templates", "no template; give 'templates' or 'w3c'");
    }
    if patterns.iter().any(|pattern| pattern.literal().is_none()) {
        let sentence = format!("every template needs literal text with a word of at least {SHORTEST_WORD} letters");
        entry.mistake("templates", &sentence);
    }
    patterns
}

fn read_optional(entry: &mut Entry<'_, '_, '_>, anchors: Anchors) -> Vec<Template> {
    let sources: Vec<String> = entry.value("optional").unwrap_or_default();
    let anchors = Anchors { start: false, end: false, ..anchors };
    sources.iter().filter_map(|source| template(entry, "optional", source, anchors)).collect()
}

fn template(entry: &mut Entry<'_, '_, '_>, key: &str, source: &str, anchors: Anchors) -> Option<Template> {
    match Template::parse(source, anchors) {
        Ok(template) => Some(template),
        Err(sentence) => {
            entry.mistake(key, &format!("in the template '{source}': {sentence}"));
            None
        }
    }
}

fn names(patterns: &[Pattern], optional: &[Template]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for template in patterns.iter().flat_map(Pattern::templates).chain(optional) {
        for name in template.names() {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}
