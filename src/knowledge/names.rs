//! What failures name has to be there: messages and their fields, other failures, endpoints, codes, parts of a bundle. A
//! name that nothing bears makes a rule that never holds, or a sentence with a hole, and nobody would learn of it.

use std::collections::BTreeSet;

use super::{ARTEFACT_KINDS, BUNDLE_PARTS, Component, EventShape, Failure, Knowledge, Mistakes, RequestShape};

/// Values that words can name although no message need have them: those of the request that failed, of the client, and
/// how its clock stands to a server's.
const VALUES: [&str; 14] = [
    "client",
    "client_id",
    "clocks",
    "cmg",
    "code",
    "dates",
    "device_id",
    "host",
    "http_status",
    "mask",
    "path",
    "status_text",
    "tenant_id",
    "user_id",
];

/// A name that is none, and what to say of it.
type Wrong = (String, String);

/// What the names in failures are held against.
pub(super) struct Names<'k> {
    knowledge: &'k Knowledge,
    /// Values that words can name.
    fields: BTreeSet<&'k str>,
    /// Short names of the secure-failure bits.
    flags: BTreeSet<&'k str>,
}

impl<'k> Names<'k> {
    pub fn of(knowledge: &'k Knowledge) -> Self {
        let captured = knowledge.messages.iter().flat_map(|message| message.captures.iter().chain(message.set.keys()));
        let bits = knowledge.codes().bits(Component::SecureFailure, u32::MAX);
        Self {
            knowledge,
            fields: captured.map(String::as_str).chain(VALUES).collect(),
            flags: bits.into_iter().map(|code| code.short_name()).collect(),
        }
    }

    /// Notes every name in the failure that is none. `own` where all failures are known that it can name.
    pub fn check(&self, failure: &Failure, own: bool, mistakes: &mut Mistakes<'_>) {
        let mut wrong = self.others(failure, own);
        wrong.extend(failure.events().flat_map(|shape| self.of_event(shape)));
        wrong.extend(failure.requests().flat_map(|shape| self.of_request(shape)));
        wrong.extend(self.missing(failure));
        wrong.extend(failure.words().flat_map(|(key, words)| self.words(key, words)));
        for (name, sentence) in wrong {
            mistakes.add_at(failure.start, &name, &format!("'{}': {sentence}", failure.id));
        }
    }

    /// Other failures, messages, codes and kinds of artefact.
    fn others(&self, failure: &Failure, own: bool) -> Vec<Wrong> {
        let is_message = |id: &&str| self.knowledge.message(id).is_some();
        let messages = failure.messages().filter(|id| !is_message(id));
        let mut wrong: Vec<Wrong> = messages.map(|id| told(id, &format!("there is no message '{id}'"))).collect();
        // The built-in files name failures of later ones; a test holds them.
        let failures = failure.named().filter(|id| own && self.knowledge.failure(id).is_none());
        wrong.extend(failures.map(|id| told(id, &format!("there is no failure '{id}'"))));
        let kinds = failure.artefact_kinds().filter(|kind| !ARTEFACT_KINDS.contains(kind));
        wrong.extend(
            kinds.map(|kind| {
                told(kind, &format!("no artefact has kind '{kind}'; known: {}", ARTEFACT_KINDS.join(", ")))
            }),
        );
        let codes = failure.consequences.iter().filter(|code| code.starts_with("0x") && !is_hresult(code));
        wrong.extend(codes.map(|code| told(code, &no_hresult(code))));
        wrong
    }

    /// Fields that none of the messages has, and a log that none of them stands in.
    fn of_event(&self, shape: &EventShape) -> Vec<Wrong> {
        let messages: Vec<_> = shape.message.iter().filter_map(|id| self.knowledge.message(id)).collect();
        if messages.len() < shape.message.len() {
            return Vec::new();
        }
        let has = |field: &str| {
            messages
                .iter()
                .any(|message| message.captures.iter().any(|name| name == field) || message.set.contains_key(field))
        };
        let fields = shape.fields.keys().chain(&shape.has).filter(|field| !has(field));
        let list = shape.message.join(", ");
        let mut wrong: Vec<Wrong> =
            fields.map(|field| told(field, &format!("none of the messages {list} has a field '{field}'"))).collect();
        let stands_in = |log: &String| {
            messages.iter().flat_map(|message| &message.logs).any(|known| known.eq_ignore_ascii_case(log))
        };
        if let Some(log) = shape.log.as_ref().filter(|log| !stands_in(log)) {
            wrong.push(told(log, &format!("none of the messages {list} stands in a log '{log}'")));
        }
        wrong
    }

    fn of_request(&self, shape: &RequestShape) -> Vec<Wrong> {
        let is_endpoint = |name: &str| self.knowledge.endpoints.iter().any(|endpoint| endpoint.id == name);
        let endpoints = shape.endpoint.iter().filter(|name| !is_endpoint(name));
        let mut wrong: Vec<Wrong> =
            endpoints.map(|name| told(name, &format!("there is no endpoint '{name}'"))).collect();
        let flags = shape.flag.iter().chain(&shape.no_flag);
        let flags = flags.filter(|flag| !self.flags.contains(flag.to_ascii_uppercase().as_str()));
        wrong.extend(flags.map(|flag| told(flag, &format!("no bit of the secure-failure mask is called '{flag}'"))));
        let codes = shape.hresult.iter().filter(|code| !is_hresult(code));
        wrong.extend(codes.map(|code| told(code, &no_hresult(code))));
        wrong
    }

    /// Parts of a bundle, and fields that are known or not.
    fn missing(&self, failure: &Failure) -> Vec<Wrong> {
        let parts = failure.missing.iter().flat_map(|missing| missing.artefact.iter().chain(&missing.after));
        let parts = parts.filter(|part| !BUNDLE_PARTS.contains(&part.as_str()));
        let known = BUNDLE_PARTS.join(", ");
        let mut wrong: Vec<Wrong> =
            parts.map(|part| told(part, &format!("no part of a bundle is called '{part}'; known: {known}"))).collect();
        let fields = failure.missing.iter().flat_map(|missing| &missing.known).filter(|field| !self.is_field(field));
        wrong.extend(fields.map(|field| told(field, &format!("'known' names '{field}', which no message captures"))));
        wrong
    }

    /// Values in words that nothing has, and optional parts that do not end.
    fn words(&self, key: &str, words: &str) -> Vec<Wrong> {
        let named = words.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        let fields = named.map(|(inside, _)| inside.split_once('|').map_or(inside, |(field, _)| field).trim());
        let unknown = fields.filter(|field| !self.is_field(field));
        let mut wrong: Vec<Wrong> = unknown
            .map(|field| told(field, &format!("'{key}' names '{{{field}}}', which no message captures")))
            .collect();
        if words.matches("[[").count() != words.matches("]]").count() {
            wrong.push(told(key, &format!("in '{key}' a '[[' has no ']]', or a ']]' no '[['")));
        }
        wrong
    }

    fn is_field(&self, field: &str) -> bool {
        self.fields.contains(field)
    }
}

fn told(name: &str, sentence: &str) -> Wrong {
    (name.to_owned(), sentence.to_owned())
}

fn no_hresult(code: &str) -> String {
    format!("'{code}' is no HRESULT; write eight hexadecimal digits behind 0x")
}

fn is_hresult(code: &str) -> bool {
    let digits = code.strip_prefix("0x").or_else(|| code.strip_prefix("0X")).unwrap_or(code);
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
