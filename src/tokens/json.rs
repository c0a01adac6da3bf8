//! JSON as a token needs it read: nothing lost, nothing guessed.
//!
//! Two members of one name are both kept and reported, because readers that keep the first and readers that keep
//! the last would see two different tokens (RFC 8725, section 2.4). Strings borrow from the decoded part.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Deepest nesting of lists and objects that is read. Real tokens need three levels.
pub(crate) const MAX_DEPTH: usize = 32;

/// Members told at most of those that stand twice. One is enough to refuse a token.
pub(crate) const MOST_DUPLICATES: usize = 8;

/// A JSON value that keeps the order of members, and all of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Json<'a> {
    /// Reads exactly one value, of at most [`MAX_DEPTH`] levels.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("is not UTF-8: byte {} of the decoded part is wrong", error.valid_up_to()))?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Seed { depth: 0 }.deserialize(&mut reader).map_err(|error| in_words(&error))?;
        reader.end().map_err(|error| in_words(&error))?;
        Ok(value)
    }

    /// The members, if it is an object.
    pub fn members(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The last member of this name, as most readers have it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members()?.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text of a member, if it is there and a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// What it is, with its article: "a string".
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// Paths of members that stand twice in one object, such as `aud` or `cnf.jwk`; [`MOST_DUPLICATES`] at most.
    pub fn duplicates(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_duplicates(&mut Vec::new(), &mut found);
        found
    }

    fn collect_duplicates<'s>(&'s self, path: &mut Vec<&'s str>, found: &mut Vec<String>) {
        if found.len() >= MOST_DUPLICATES {
            return;
        }
        match self {
            Self::Object(members) => {
                let repeated = repeated_names(members).into_iter().take(MOST_DUPLICATES - found.len());
                found.extend(repeated.map(|name| joined(path, name)));
                for (name, value) in members.iter().filter(|(_, value)| value.is_container()) {
                    path.push(name);
                    value.collect_duplicates(path, found);
                    path.pop();
                }
            }
            Self::List(items) => {
                for item in items.iter().filter(|item| item.is_container()) {
                    item.collect_duplicates(path, found);
                }
            }
            _ => {}
        }
    }

    const fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Object(_))
    }

    /// The same as a plain value; of two members of one name the last one stays.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => {
                Value::Object(members.iter().map(|(key, value)| (key.clone().into_owned(), value.to_value())).collect())
            }
        }
    }
}

/// Names that occur more than once, each told once.
fn repeated_names<'m>(members: &'m [(Cow<'_, str>, Json<'_>)]) -> Vec<&'m str> {
    if all_differ_at_a_glance(members) {
        return Vec::new();
    }
    let mut seen = HashSet::with_capacity(members.len());
    let mut told = HashSet::new();
    let names = members.iter().map(|(name, _)| name.as_ref());
    names.filter(|name| !seen.insert(*name) && told.insert(*name)).collect()
}

/// True where length and ends already tell all names apart or, for the few that share them, a look at each pair does.
fn all_differ_at_a_glance(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    const FEW: usize = 64;
    let mut seen = 0_u128;
    members.len() <= FEW
        && members.iter().enumerate().all(|(index, (name, _))| {
            let bit = 1_u128 << (glance(name) % 128);
            let is_new = seen & bit == 0;
            seen |= bit;
            is_new || members.iter().take(index).all(|(earlier, _)| earlier != name)
        })
}

fn glance(name: &str) -> usize {
    let bytes = name.as_bytes();
    let at = |index: usize| usize::from(bytes.get(index).copied().unwrap_or_default());
    bytes.len() + 31 * at(0) + 7 * at(bytes.len() / 2) + 3 * at(bytes.len().saturating_sub(1))
}

fn joined(path: &[&str], name: &str) -> String {
    path.iter().copied().chain([name]).collect::<Vec<_>>().join(".")
}

fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("recursion limit") || text.contains(TOO_DEEP) {
        format!("is nested deeper than {MAX_DEPTH} levels")
    } else {
        // The reader's message holds the position and the kind of mistake; what it quotes is never taken over.
        format!("is not JSON: {:?} error at line {}, column {}", error.classify(), error.line(), error.column())
    }
}

const TOO_DEEP: &str = "nested too deep";

#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
}

impl Seed {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        serde_json::Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut members = Vec::with_capacity(if self.depth == 0 { 32 } else { 4 });
        while let Some(name) = object.next_key_seed(Seed { depth: MAX_DEPTH })? {
            let Json::Text(name) = name else { return Err(A::Error::custom("a member name that is no string")) };
            members.push((name, object.next_value_seed(inner)?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keeps_both_of_two_members_and_names_them_by_path() {
        let json = Json::parse(br#"{"aud":"a","x":{"y":1,"y":2},"aud":"b"}"#).unwrap();
        assert_eq!(json.duplicates(), ["aud", "x.y"]);
        assert_eq!(json.text("aud"), Some("b"));
    }

    #[test]
    fn finds_duplicates_in_large_objects_too() {
        let mut text: Vec<String> = (0..5_000).map(|n| format!("\"m{n}\":{n}")).collect();
        text.push("\"m7\":0".to_owned());
        let text = format!("{{{}}}", text.join(","));
        assert_eq!(Json::parse(text.as_bytes()).unwrap().duplicates(), ["m7"]);
    }

    #[test]
    fn tells_a_few_of_many_duplicates() {
        let twice = |n: usize| format!("\"m{n}\":{{\"x\":1,\"x\":2}},\"m{n}\":0");
        let text = format!("{{{}}}", (0..5_000).map(twice).collect::<Vec<_>>().join(","));
        assert_eq!(Json::parse(text.as_bytes()).unwrap().duplicates().len(), MOST_DUPLICATES);
    }

    #[test]
    fn refuses_deep_nesting_whatever_its_depth() {
        for depth in [MAX_DEPTH + 1, 200, 10_000] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert!(Json::parse(text.as_bytes()).unwrap_err().contains("nested deeper"), "{depth}");
        }
        assert!(Json::parse(("[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH)).as_bytes()).is_ok());
    }

    #[test]
    fn refuses_what_is_not_exactly_one_value() {
        for text in ["", "{} {}", "{\"a\":1,}", "{\"a\":1e999}", "{a:1}", "nul"] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::parse(b"\"\xff\"").unwrap_err().contains("UTF-8"));
    }
}
