//! Knowledge files as tables: every entry under `[[kind]]` with its id, every mistake with its line.
//!
//! All kinds of knowledge are read through [`Entry`], so that all of them report their mistakes alike and all at once.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// The mistakes found in one knowledge file.
#[derive(Debug)]
pub(crate) struct Mistakes<'t> {
    text: &'t str,
    found: Vec<(usize, String)>,
}

impl<'t> Mistakes<'t> {
    /// No mistakes yet in the file that holds `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a mistake at a byte of the file.
    pub fn add(&mut self, offset: usize, sentence: &str) {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        self.found.push((line, sentence.to_owned()));
    }

    /// Notes a mistake where a name stands by itself for the first time from a byte of the file on, else at that byte.
    pub fn add_at(&mut self, from: usize, name: &str, sentence: &str) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let rest = self.text.get(from..).unwrap_or_default();
        let alone = |at: usize| !rest[..at].ends_with(is_part) && !rest[at + name.len()..].starts_with(is_part);
        let place = rest.match_indices(name).map(|(at, _)| at).find(|at| alone(*at));
        self.add(from + place.unwrap_or(0), sentence);
    }

    /// The mistakes as sentences, in order of line.
    pub fn into_sentences(mut self) -> Vec<String> {
        self.found.sort();
        self.found.into_iter().map(|(line, sentence)| format!("line {line}: {sentence}")).collect()
    }
}

/// The tables of a knowledge file, by kind.
pub(crate) type Tables<'t> = BTreeMap<String, Vec<Spanned<DeTable<'t>>>>;

/// Reads the tables of a knowledge file. What is not a `[[kind]]` of `kinds` is a mistake.
pub(crate) fn tables<'t>(text: &'t str, kinds: &[&str], mistakes: &mut Mistakes<'_>) -> Tables<'t> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        mistakes.add(error.span().map_or(0, |span| span.start), &format!("not TOML: {}", error.message().trim()));
    }
    let mut tables = Tables::new();
    for (key, value) in document.into_inner() {
        let kind = key.get_ref().to_string();
        let at = key.span().start;
        match value.into_inner() {
            DeValue::Array(entries) if kinds.contains(&kind.as_str()) => {
                for entry in entries {
                    let span = entry.span();
                    match entry.into_inner() {
                        DeValue::Table(table) => {
                            tables.entry(kind.clone()).or_default().push(Spanned::new(span, table));
                        }
                        _ => mistakes
                            .add(span.start, &format!("'{kind}' holds something that is no table; write [[{kind}]]")),
                    }
                }
            }
            _ => mistakes.add(at, &format!("unknown table '{kind}'; expected {}", brackets(kinds))),
        }
    }
    tables
}

fn brackets(kinds: &[&str]) -> String {
    kinds.iter().map(|kind| format!("[[{kind}]]")).collect::<Vec<_>>().join(" or ")
}

/// One entry of a knowledge file, read key by key.
pub(crate) struct Entry<'t, 'm, 'f> {
    /// Its id, "?" where it has none.
    pub id: String,
    /// Byte of the file at which it begins.
    pub start: usize,
    values: BTreeMap<String, Spanned<DeValue<'t>>>,
    places: BTreeMap<String, usize>,
    mistakes: &'m mut Mistakes<'f>,
    sound: bool,
}

impl<'t, 'm, 'f> Entry<'t, 'm, 'f> {
    /// Opens a table and reads its id.
    pub fn open(table: Spanned<DeTable<'t>>, mistakes: &'m mut Mistakes<'f>) -> Self {
        let start = table.span().start;
        let mut values = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (key, value) in table.into_inner() {
            places.insert(key.get_ref().to_string(), key.span().start);
            values.insert(key.into_inner().into_owned(), value);
        }
        let mut entry = Self { id: "?".to_owned(), start, values, places, mistakes, sound: true };
        if let Some(id) = entry.required::<String>("id") {
            if !is_kebab(&id) {
                entry.mistake("id", &format!("bad id '{id}'; expected small letters, digits and single hyphens"));
            }
            entry.id = id;
        }
        entry
    }

    /// The value of a key, if it is there and of the right type.
    pub fn value<T: Deserialize<'t>>(&mut self, key: &str) -> Option<T> {
        let value = self.values.remove(key)?;
        let at = value.span().start;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                let at = error.span().map_or(at, |span| span.start);
                let sentence = format!("'{}': {key}: {}", self.id, error.message().trim());
                self.sound = false;
                self.mistakes.add(at, &sentence);
                None
            }
        }
    }

    /// The value of a key that must be there.
    pub fn required<T: Deserialize<'t>>(&mut self, key: &str) -> Option<T> {
        if !self.values.contains_key(key) {
            self.mistake(key, &format!("'{key}' is missing"));
        }
        self.value(key)
    }

    /// Words that must be there, and not be empty.
    pub fn words(&mut self, key: &str) -> String {
        let words: String = self.required(key).unwrap_or_default();
        if words.trim().is_empty() && self.sound {
            self.mistake(key, &format!("'{key}' is empty"));
        }
        words
    }

    /// True or false, false where the key is absent.
    pub fn flag(&mut self, key: &str) -> bool {
        self.value(key).unwrap_or(false)
    }

    /// Notes a mistake at a key, or at the entry where the key is absent.
    pub fn mistake(&mut self, key: &str, sentence: &str) {
        let at = self.places.get(key).copied().unwrap_or(self.start);
        self.sound = false;
        self.mistakes.add(at, &format!("'{}': {sentence}", self.id));
    }

    /// Ends the reading: keys that nobody asked for are mistakes. True where there was no mistake in the entry.
    pub fn close(mut self) -> bool {
        for key in std::mem::take(&mut self.values).into_keys() {
            self.mistake(&key, &format!("unknown key '{key}'"));
        }
        self.sound
    }
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty()
        && id
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// An entry as read, with the byte of its file at which it begins.
pub(crate) type Placed<T> = (usize, T);

/// Lays the entries of one file over those known so far: the same id replaces. Twice the same id in one file is a
/// mistake.
pub(crate) fn overlay<T>(known: &mut Vec<T>, entries: Vec<Placed<T>>, id: fn(&T) -> &str, mistakes: &mut Mistakes<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for (start, entry) in entries {
        if !seen.insert(id(&entry).to_owned()) {
            mistakes.add(start, &format!("'{}': there is another entry with this id in the file", id(&entry)));
            continue;
        }
        match known.iter_mut().find(|other| id(other) == id(&entry)) {
            Some(other) => *other = entry,
            None => known.push(entry),
        }
    }
}
