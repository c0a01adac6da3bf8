//! A site description read table by table and key by key: every mistake with its line, all of them at once.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::ReadParquet;
use super::client::Inspection;
use super::content::Content;
use super::file::{File, Held, Root};
use crate::certs::is_domain;
use crate::knowledge::Mistakes;

/// What reading needs besides the text.
pub(super) struct Reader<'t, 'a> {
    /// Folder of `site.toml`.
    pub folder: &'a Path,
    /// Turns a Parquet file into CSV.
    pub parquet: &'a ReadParquet<'a>,
    /// What is wrong so far.
    pub mistakes: Mistakes<'t>,
}

impl Reader<'_, '_> {
    /// Reads a file that the description names.
    fn file(&mut self, path: &str, at: usize, whose: &str) -> Option<File> {
        match read_regular(&self.folder.join(path)) {
            Ok(bytes) => Some(File::new(path, bytes)),
            Err(error) => {
                let folder = self.folder.display();
                let sentence = format!("{whose}: cannot read the file '{path}': {error}; paths begin at {folder}");
                self.mistakes.add(at, &sentence);
                None
            }
        }
    }
}

/// A file's bytes; devices and pipes, which may never end, are refused.
fn read_regular(path: &Path) -> std::io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?;
    if kind.is_file() || kind.is_dir() {
        return std::fs::read(path);
    }
    Err(std::io::Error::other("it is a device or a pipe, and no file"))
}

/// One table of the description.
pub(super) struct Entry<'r, 't, 'a> {
    /// What to call it: "cmg", "client 'PC042'".
    pub name: String,
    /// Byte of the text at which it begins.
    pub start: usize,
    values: BTreeMap<String, Spanned<DeValue<'t>>>,
    places: BTreeMap<String, usize>,
    asked: Vec<&'static str>,
    pub reader: &'r mut Reader<'t, 'a>,
}

impl<'r, 't, 'a> Entry<'r, 't, 'a> {
    /// Opens a table under a name.
    pub fn open(table: Spanned<DeTable<'t>>, name: impl Into<String>, reader: &'r mut Reader<'t, 'a>) -> Self {
        let start = table.span().start;
        let mut values = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (key, value) in table.into_inner() {
            places.insert(key.get_ref().to_string(), key.span().start);
            values.insert(key.into_inner().into_owned(), value);
        }
        Self { name: name.into(), start, values, places, asked: Vec::new(), reader }
    }

    /// Byte at which a key stands, or the table where the key is absent.
    pub fn place(&self, key: &str) -> usize {
        self.places.get(key).copied().unwrap_or(self.start)
    }

    /// Notes a mistake at a key, or at the table where the key is absent.
    pub fn mistake(&mut self, key: &str, sentence: &str) {
        let at = self.place(key);
        let sentence = if self.name.is_empty() { sentence.to_owned() } else { format!("{}: {sentence}", self.name) };
        self.reader.mistakes.add(at, &sentence);
    }

    /// Notes a mistake at a byte of the text.
    pub fn mistake_at(&mut self, at: usize, sentence: &str) {
        self.reader.mistakes.add(at, &format!("{}: {sentence}", self.name));
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.values.remove(key)
    }

    /// The value of a key, if it is there; `expected` says what it must be.
    pub fn value<T: Deserialize<'t>>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        let value = self.take(key)?;
        let found = described(value.get_ref());
        let result = T::deserialize(ValueDeserializer::from(value));
        result.map_err(|_| self.mistake(key, &format!("{key}: expected {expected}, found {found}"))).ok()
    }

    /// A text that is not empty.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let text: String = self.value(key, "a text")?;
        if text.trim().is_empty() {
            self.mistake(key, &format!("{key}: the text is empty; leave the key out where it is not known"));
            return None;
        }
        Some(text.trim().to_owned())
    }

    fn must_have(&mut self, key: &str) {
        if !self.places.contains_key(key) {
            self.mistake(key, &format!("'{key}' is missing"));
        }
    }

    /// A text that must be there.
    pub fn required(&mut self, key: &'static str) -> Option<String> {
        self.must_have(key);
        self.text(key)
    }

    /// A GUID that must be there, lower case.
    pub fn required_guid(&mut self, key: &'static str) -> Option<String> {
        self.must_have(key);
        self.guid(key)
    }

    /// Several texts; one may stand without brackets.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        Some(self.placed_texts(key)?.into_iter().map(|(_, text)| text).collect())
    }

    /// Several texts, each with the byte at which it stands. Empty ones are mistakes.
    pub fn placed_texts(&mut self, key: &'static str) -> Option<Vec<(usize, String)>> {
        let value = self.take(key)?;
        let found = described(value.get_ref());
        let at = value.span().start;
        let elements: Vec<Spanned<DeValue<'t>>> = match value.into_inner() {
            DeValue::Array(elements) => elements.into_iter().collect(),
            text @ DeValue::String(_) => vec![Spanned::new(at..at, text)],
            _ => {
                self.mistake(key, &format!("{key}: expected a text or a list of texts, found {found}"));
                return None;
            }
        };
        let mut texts = Vec::new();
        for element in elements {
            let at = element.span().start;
            match element.get_ref() {
                DeValue::String(text) if text.trim().is_empty() => {
                    self.mistake_at(at, &format!("{key}: the text is empty; leave it out"));
                }
                DeValue::String(text) => texts.push((at, text.trim().to_owned())),
                other => {
                    let found = described(other);
                    self.mistake_at(at, &format!("{key}: expected a text, found {found}"));
                }
            }
        }
        Some(texts)
    }

    /// Host names.
    pub fn hosts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let hosts = self.placed_texts(key)?;
        for (at, host) in hosts.iter().filter(|(_, host)| !is_host_name(host)) {
            let hint = if host.contains('*') {
                "; a wildcard is what a certificate holds: give the names that clients are told"
            } else if host.contains(['/', ':']) {
                "; leave scheme, port and path out"
            } else {
                ""
            };
            self.mistake_at(
                *at,
                &format!("{key}: expected a host name such as 'cmg.contoso.com', found '{host}'{hint}"),
            );
        }
        Some(hosts.into_iter().map(|(_, host)| host).collect())
    }

    /// True or false.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.value(key, "true or false")
    }

    /// Seconds, whole or not.
    pub fn seconds(&mut self, key: &'static str) -> Option<f64> {
        const YEAR: f64 = 366.0 * 86_400.0;
        let number: Number = self.value(key, "a number of seconds")?;
        #[allow(clippy::cast_precision_loss)] // numbers beyond 53 bits are refused below
        let seconds = match number {
            Number::Whole(whole) => whole as f64,
            Number::Real(real) => real,
        };
        if seconds.abs() <= 20.0 * YEAR {
            return Some(seconds);
        }
        self.mistake(key, &format!("{key}: expected a number of seconds within 20 years, found {seconds:?}"));
        None
    }

    /// A GUID, lower case.
    pub fn guid(&mut self, key: &'static str) -> Option<String> {
        let text = self.text(key)?;
        let guid = as_guid(&text);
        if guid.is_none() {
            let expected = "a GUID such as 'c0ffee00-1111-4222-8333-444455556666'";
            self.mistake(key, &format!("{key}: expected {expected}, found '{text}'"));
        }
        guid
    }

    /// A file that holds this.
    pub fn file(&mut self, key: &'static str, content: Content) -> Option<File> {
        let path = self.text(key)?;
        self.file_of(key, &path, self.place(key), content)
    }

    /// Files of certificates; one may stand without brackets. `None` where the key is absent.
    pub fn files(&mut self, key: &'static str) -> Option<Vec<File>> {
        let paths = self.placed_texts(key)?;
        Some(self.certificates(key, &paths))
    }

    fn certificates(&mut self, key: &'static str, paths: &[(usize, String)]) -> Vec<File> {
        paths.iter().filter_map(|(at, path)| self.file_of(key, path, *at, Content::Certificates)).collect()
    }

    /// A file of a certificate, or "none".
    pub fn held(&mut self, key: &'static str) -> Option<Held> {
        let path = self.text(key)?;
        if path == Held::NOTHING {
            return Some(Held::Nothing);
        }
        self.file_of(key, &path, self.place(key), Content::Certificates).map(Held::File)
    }

    /// A root's file, or "public".
    pub fn root(&mut self, key: &'static str) -> Option<Root> {
        let path = self.text(key)?;
        if path == Root::PUBLIC {
            return Some(Root::Public);
        }
        self.file_of(key, &path, self.place(key), Content::Certificates).map(Root::Private)
    }

    /// What an inspecting proxy shows, or "none".
    pub fn inspection(&mut self, key: &'static str) -> Option<Inspection> {
        let paths = self.placed_texts(key)?;
        if let [(_, only)] = paths.as_slice()
            && only == Held::NOTHING
        {
            return Some(Inspection::Nobody);
        }
        Some(Inspection::Shows(self.certificates(key, &paths)))
    }

    /// Reads a file that stands at a byte of the text, and notes where it does not hold what it must.
    fn file_of(&mut self, key: &'static str, path: &str, at: usize, content: Content) -> Option<File> {
        let file = self.reader.file(path, at, &format!("{}: {key}", self.name))?;
        let Some(why) = content.lacks(&file) else { return Some(file) };
        let why = if why.is_empty() { why } else { format!(": {why}") };
        self.mistake_at(at, &format!("{key}: '{path}' does not hold {}{why}", content.words()));
        None
    }

    /// Reads a file that the value of a key names.
    pub fn read_file(&mut self, key: &'static str, path: &str) -> Option<File> {
        let (at, whose) = (self.place(key), format!("{}: {key}", self.name));
        self.reader.file(path, at, &whose)
    }

    /// A table inside this one.
    pub fn table<'s>(&'s mut self, key: &'static str) -> Option<Entry<'s, 't, 'a>> {
        let value = self.take(key)?;
        let span = value.span();
        let found = described(value.get_ref());
        let DeValue::Table(table) = value.into_inner() else {
            self.mistake(key, &format!("{key}: expected a table, found {found}"));
            return None;
        };
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}, {key}", self.name) };
        Some(Entry::open(Spanned::new(span, table), name, self.reader))
    }

    /// The tables of `[[key]]`.
    pub fn tables(&mut self, key: &'static str) -> Option<Vec<Spanned<DeTable<'t>>>> {
        let value = self.take(key)?;
        let found = described(value.get_ref());
        let DeValue::Array(entries) = value.into_inner() else {
            self.mistake(key, &format!("{key}: expected [[{key}]], found {found}"));
            return None;
        };
        let mut tables = Vec::new();
        for entry in entries {
            let span = entry.span();
            let found = described(entry.get_ref());
            match entry.into_inner() {
                DeValue::Table(table) => tables.push(Spanned::new(span, table)),
                _ => self.reader.mistakes.add(span.start, &format!("{key}: expected [[{key}]], found {found}")),
            }
        }
        Some(tables)
    }

    /// The keys and values of a table whose keys are names: each value with its place.
    pub fn named<T: Deserialize<'t>>(&mut self, expected: &str) -> Vec<(String, usize, T)> {
        let mut named = Vec::new();
        for (key, value) in std::mem::take(&mut self.values) {
            let found = described(value.get_ref());
            let at = self.place(&key);
            match T::deserialize(ValueDeserializer::from(value)) {
                Ok(value) => named.push((key, at, value)),
                Err(_) => self.mistake(&key, &format!("{key}: expected {expected}, found {found}")),
            }
        }
        named
    }

    /// Ends the reading: keys that nobody asked for are mistakes.
    pub fn close(mut self) {
        for key in std::mem::take(&mut self.values).into_keys() {
            let near = self.asked.iter().filter(|known| is_near(known, &key)).min().copied();
            let hint = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            let of = if self.name.is_empty() { String::new() } else { format!("{}: ", self.name) };
            let at = self.place(&key);
            self.reader.mistakes.add(at, &format!("{of}unknown key '{key}'{hint}"));
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Real(f64),
}

/// A GUID in its usual form, lower case; braces are taken off.
pub(super) fn as_guid(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let text = text.strip_prefix("GUID:").unwrap_or(text);
    let lengths = text.split('-').map(str::len);
    let is_guid = lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_guid.then(|| text.to_ascii_lowercase())
}

/// Whether a text has the form of a host name; a dot at its end is left out.
fn is_host_name(text: &str) -> bool {
    is_domain(text.strip_suffix('.').unwrap_or(text))
}

/// A value, as a mistake shows it.
fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text '{text}'"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => format!("the time {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// True where two keys differ by a slip: case, a hyphen for an underscore, or up to two letters.
pub(super) fn is_near(known: &str, found: &str) -> bool {
    let found = found.to_ascii_lowercase().replace('-', "_");
    let (known, found): (Vec<char>, Vec<char>) = (known.chars().collect(), found.chars().collect());
    let mut row: Vec<usize> = (0..=found.len()).collect();
    for (at, one) in known.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (other, cell) in found.iter().zip(row.iter_mut().skip(1)) {
            let next = (diagonal + usize::from(one != other)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, next);
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().is_some_and(|distance| *distance <= 2 && *distance < known.len())
}

#[cfg(test)]
mod tests {
    use super::{as_guid, is_near};

    #[test]
    fn a_slip_of_the_pen_is_near_and_another_word_is_not() {
        for (known, found) in [("roots", "root"), ("client_cas", "client-cas"), ("network", "Netwrok"), ("tls", "tsl")]
        {
            assert!(is_near(known, found), "{known} {found}");
        }
        assert!(!is_near("roots", "tokens"));
        assert!(!is_near("tls", "dns_ok"));
    }

    #[test]
    fn a_guid_is_read_with_braces_and_without() {
        let expected = Some("c0ffee00-1111-4222-8333-444455556666".to_owned());
        assert_eq!(as_guid("{C0FFEE00-1111-4222-8333-444455556666}"), expected);
        assert_eq!(as_guid("GUID:C0FFEE00-1111-4222-8333-444455556666"), expected);
        assert_eq!(as_guid("C0FFEE00-1111-4222-8333-44445555666"), None);
    }
}
