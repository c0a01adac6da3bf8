//! Knowledge: the data that turns records into events, flows into findings, codes into words.
//!
//! It is TOML, embedded in the binary from `src/knowledge/builtin/`, overlaid by the user's files by id. Everything
//! in it carries its own proof: a message without an example that matches and a counter-example that does not is
//! refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::stage::Stage;

mod builtin;
mod code;
mod codes;
mod endpoint;
mod failure;
mod message;
mod names;
mod table;
mod template;
mod written;

pub use code::{Code, Component, Value};
pub use codes::{Codes, Reading, ReadingForm};
pub use endpoint::Endpoint;
pub(crate) use failure::{ALL_AT_ONCE, BUNDLE_PARTS};
pub use failure::{
    ARTEFACT_KINDS, ArtefactShape, ArtefactStatus, Condition, EventShape, Failure, FailureRole, MissingEvidence, OneOf,
    Pattern, RequestShape, Scope, StageShape, Unforeseen, When,
};
pub(crate) use message::Parts;
pub use message::{Message, Proof, RequestPart};
pub(crate) use table::Mistakes;
pub(crate) use template::{Literal, SHORTEST_WORD, commonness, is_blank};

use endpoint::{GatewayPath, KnownEndpoint};
use names::Names;
use table::{Entry, Placed, overlay, tables};

/// Kinds of entries that a knowledge file may hold.
const KINDS: [&str; 5] = ["message", "endpoint", "gateway", "failure", "code"];

/// Where a rule comes from that ships with the crate.
const BUILTIN: &str = "builtin";

/// All that the engine knows of the logs.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    messages: Vec<Arc<Message>>,
    endpoints: Vec<KnownEndpoint>,
    gateway: Vec<GatewayPath>,
    failures: Vec<Arc<Failure>>,
    /// The codes, where a file of the user's changes those that ship with the crate.
    own_codes: Option<Arc<Codes>>,
}

impl Knowledge {
    /// The knowledge that ships with the crate. It is read at the first call.
    ///
    /// ```
    /// let knowledge = cmgtrail::knowledge::Knowledge::builtin();
    /// let endpoint = knowledge.endpoint("https://cmg.contoso.com/CCM_Proxy_ServerAuth/72057594037927941/CCM_STS").unwrap();
    /// assert_eq!((endpoint.stage.id(), endpoint.through_cmg), ("ccm-token-request", true));
    /// ```
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Knowledge> = OnceLock::new();
        // The files are part of the crate, and the test of `builtin_mistakes` holds them free of mistakes.
        BUILTIN.get_or_init(|| read_builtin(false).0)
    }

    /// The built-in knowledge files, by name: the model for files of one's own.
    pub fn builtin_files() -> &'static [(&'static str, &'static str)] {
        &builtin::FILES
    }

    /// Every mistake in the built-in knowledge, examples that do not match included. Empty in every release.
    pub fn builtin_mistakes() -> Vec<String> {
        read_builtin(true).1
    }

    /// The built-in knowledge with the files laid over it, in order: an entry with a known id replaces the known
    /// one, others are added.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a file that cannot be read as UTF-8 text, [`Error::Knowledge`] with all mistakes of
    /// all files.
    pub fn with_files(files: &[PathBuf]) -> Result<Self> {
        let mut knowledge = Self::builtin().clone();
        let mut wrong = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file).map_err(|source| Error::unreadable(file, source))?;
            let mistakes = knowledge.lay_over(&file.display().to_string(), &text, true);
            if !mistakes.is_empty() {
                wrong.push((file.display().to_string(), mistakes));
            }
        }
        if wrong.len() > 1 {
            let path = wrong.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>().join(", ");
            let told =
                |(file, mistakes): (String, Vec<String>)| mistakes.into_iter().map(move |m| format!("{file}, {m}"));
            return Err(Error::Knowledge { path, mistakes: wrong.into_iter().flat_map(told).collect() });
        }
        match wrong.pop() {
            Some((path, mistakes)) => Err(Error::Knowledge { path, mistakes }),
            None => Ok(knowledge),
        }
    }

    /// What is wrong with knowledge files, laid over the built-in knowledge in order. Their examples are tried.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a file that cannot be read as UTF-8 text.
    pub fn check(files: &[PathBuf]) -> Result<Vec<Checked>> {
        let mut knowledge = Self::builtin().clone();
        let mut checked = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file).map_err(|source| Error::unreadable(file, source))?;
            let name = file.display().to_string();
            let mistakes = knowledge.lay_over(&name, &text, true);
            checked.push(Checked { entries: counted(&text), file: name, mistakes });
        }
        Ok(checked)
    }

    /// This knowledge with the text of a knowledge file laid over it; `file` names it in errors.
    ///
    /// # Errors
    /// [`Error::Knowledge`] with all mistakes of the text.
    pub fn with_text(mut self, file: &Path, text: &str) -> Result<Self> {
        let mistakes = self.lay_over(&file.display().to_string(), text, true);
        if mistakes.is_empty() {
            return Ok(self);
        }
        Err(Error::Knowledge { path: file.display().to_string(), mistakes })
    }

    /// The codes.
    pub fn codes(&self) -> &Codes {
        self.own_codes.as_deref().unwrap_or_else(|| Codes::builtin())
    }

    /// All messages, the built-in ones first.
    pub fn messages(&self) -> &[Arc<Message>] {
        &self.messages
    }

    /// The message with this id.
    pub fn message(&self, id: &str) -> Option<&Arc<Message>> {
        self.messages.iter().find(|message| message.id == id)
    }

    /// What a path, URL or message endpoint asks for, if it is known. Letter case, the gateway's prefix (in which
    /// `MutualAuth` and `ServerAuth` mean the same), the role id after it, and the query do not matter.
    pub fn endpoint(&self, path_or_url: &str) -> Option<Endpoint<'_>> {
        endpoint::endpoint(&self.endpoints, &self.gateway, path_or_url)
    }

    /// The first known endpoint that serves a stage.
    pub fn endpoint_for(&self, stage: Stage) -> Option<Endpoint<'_>> {
        endpoint::serving(&self.endpoints, stage)
    }

    /// True where a path or URL has the shape of a request to a CMG, whatever the host's name.
    pub fn is_cmg_url(&self, path_or_url: &str) -> bool {
        endpoint::is_cmg(&self.endpoints, &self.gateway, path_or_url)
    }

    /// Lays the entries of `text` over this knowledge and says what is wrong with them. `proved` where the examples
    /// are to be tried, too.
    fn lay_over(&mut self, rule: &str, text: &str, proved: bool) -> Vec<String> {
        let mut mistakes = Mistakes::new(text);
        let mut found = tables(text, &KINDS, &mut mistakes);
        let own = rule != BUILTIN;
        let mut messages = entries(&mut found, "message", &mut mistakes, |entry| Message::read(entry, proved));
        if own {
            for (_, message) in &mut messages {
                message.is_own(Self::builtin().message(&message.id));
            }
        }
        let messages = messages.into_iter().map(|(start, message)| (start, Arc::new(message))).collect();
        overlay(&mut self.messages, messages, |message| &message.id, &mut mistakes);
        let endpoints = entries(&mut found, "endpoint", &mut mistakes, KnownEndpoint::read);
        let endpoints = if own { known_only(endpoints, &self.endpoints, |e| &e.id, &mut mistakes) } else { endpoints };
        overlay(&mut self.endpoints, endpoints, |endpoint| &endpoint.id, &mut mistakes);
        let gateway = entries(&mut found, "gateway", &mut mistakes, GatewayPath::read);
        let gateway = if own { known_only(gateway, &self.gateway, |g| &g.id, &mut mistakes) } else { gateway };
        overlay(&mut self.gateway, gateway, |gateway| &gateway.id, &mut mistakes);
        let mut failures = entries(&mut found, "failure", &mut mistakes, |entry| Failure::read(entry, rule));
        if own {
            for (_, failure) in &mut failures {
                failure.is_own(Self::builtin().failure(&failure.id));
            }
        }
        let failures: Vec<_> = failures.into_iter().map(|(start, failure)| (start, Arc::new(failure))).collect();
        let new: Vec<_> = failures.iter().map(|(_, failure)| Arc::clone(failure)).collect();
        overlay(&mut self.failures, failures, |failure| &failure.id, &mut mistakes);
        let codes = entries(&mut found, "code", &mut mistakes, |entry| Code::read(entry, rule));
        self.lay_over_codes(codes, own, &mut mistakes);
        if proved && !new.is_empty() {
            let names = Names::of(self);
            for failure in &new {
                names.check(failure, own, &mut mistakes);
            }
        }
        mistakes.into_sentences()
    }

    /// Lays codes over. The built-in ones are read where they are needed, by [`Codes::builtin`].
    fn lay_over_codes(&mut self, codes: Vec<Placed<Code>>, own: bool, mistakes: &mut Mistakes<'_>) {
        for (start, code) in &codes {
            for failure in code.failures.iter().filter(|id| self.failure(id).is_none()) {
                mistakes.add(*start, &format!("'{}': there is no failure '{failure}'", code.id));
            }
        }
        if codes.is_empty() {
            return;
        }
        let mut all = if own { self.codes().clone() } else { Codes::default() };
        all.lay_over(codes, mistakes);
        if own {
            self.own_codes = Some(Arc::new(all));
        }
    }
}

/// Entries whose id is known already. New ones would change what every built-in rule sees, and are mistakes.
fn known_only<T>(
    entries: Vec<Placed<T>>,
    known: &[T],
    id: fn(&T) -> &str,
    mistakes: &mut Mistakes<'_>,
) -> Vec<Placed<T>> {
    let is_known = |entry: &Placed<T>| known.iter().any(|other| id(other) == id(&entry.1));
    let (kept, new): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_known);
    for (start, entry) in new {
        let id = id(&entry);
        mistakes.add(
            start,
            &format!(
                "'{id}': a path cannot be added, for it would change what the built-in rules see; replace one by its id"
            ),
        );
    }
    kept
}

impl Knowledge {
    /// All failures, the built-in ones first.
    pub fn failures(&self) -> &[Arc<Failure>] {
        &self.failures
    }

    /// The failure with this id.
    pub fn failure(&self, id: &str) -> Option<&Arc<Failure>> {
        self.failures.iter().find(|failure| failure.id == id)
    }
}

/// What [`Knowledge::check`] says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The file as given.
    pub file: String,
    /// Sentences, each with its line; none where all is well.
    pub mistakes: Vec<String>,
    /// How many entries it holds by kind, and how many `example`s and `counter-example`s were tried.
    pub entries: BTreeMap<String, usize>,
}

fn counted(text: &str) -> BTreeMap<String, usize> {
    let document: toml::Table = toml::from_str(text).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for (kind, entries) in &document {
        let Some(entries) = entries.as_array() else { continue };
        counts.insert(kind.clone(), entries.len());
        for (key, name) in [("examples", "example"), ("counter_examples", "counter-example")] {
            let tried = entries.iter().filter_map(|entry| Some(entry.get(key)?.as_array()?.len())).sum::<usize>();
            if tried > 0 {
                *counts.entry(name.to_owned()).or_insert(0) += tried;
            }
        }
    }
    counts
}

/// Reads the entries of one kind; those with mistakes are left out.
fn entries<'t, T>(
    found: &mut table::Tables<'t>,
    kind: &str,
    mistakes: &mut Mistakes<'_>,
    read: impl for<'m, 'f> Fn(Entry<'t, 'm, 'f>) -> Option<T>,
) -> Vec<Placed<T>> {
    let mut entries = Vec::new();
    for table in found.remove(kind).unwrap_or_default() {
        let entry = Entry::open(table, mistakes);
        let start = entry.start;
        entries.extend(read(entry).map(|entry| (start, entry)));
    }
    entries
}

fn read_builtin(proved: bool) -> (Knowledge, Vec<String>) {
    let mut knowledge = Knowledge::default();
    let mut mistakes = Vec::new();
    for (name, text) in builtin::FILES.iter().filter(|(name, _)| proved || !name.starts_with(codes::FOLDER)) {
        mistakes
            .extend(knowledge.lay_over(BUILTIN, text, proved).into_iter().map(|mistake| format!("{name}, {mistake}")));
    }
    (knowledge, mistakes)
}
