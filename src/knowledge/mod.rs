//! Knowledge: the data that turns records into events, flows into findings, codes into words.
//!
//! It is TOML, embedded in the binary from `src/knowledge/builtin/`, overlaid by the user's files by id. Everything
//! in it carries its own proof: a message without an example that matches and a counter-example that does not is
//! refused.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};

mod builtin;
mod endpoint;
mod failure;
mod message;
mod table;
mod template;

pub use endpoint::Endpoint;
pub use failure::{
    ARTEFACT_KINDS, ArtefactShape, ArtefactStatus, Condition, EventShape, Failure, FailureRole, MissingEvidence, OneOf,
    Pattern, RequestShape, Scope, StageShape, When,
};
pub(crate) use message::Parts;
pub use message::{Message, Proof, RequestPart};
pub(crate) use table::Mistakes;
pub(crate) use template::{Literal, SHORTEST_WORD, commonness, is_blank};

use endpoint::{GatewayPath, KnownEndpoint};
use table::{Entry, Placed, overlay, tables};

/// Kinds of entries that a knowledge file may hold.
const KINDS: [&str; 4] = ["message", "endpoint", "gateway", "failure"];

/// Where a rule comes from that ships with the crate.
const BUILTIN: &str = "builtin";

/// All that the engine knows of the logs.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    messages: Vec<Arc<Message>>,
    endpoints: Vec<KnownEndpoint>,
    gateway: Vec<GatewayPath>,
    failures: Vec<Arc<Failure>>,
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

    /// True where a path or URL has the shape of a request to a CMG, whatever the host's name.
    pub fn is_cmg_url(&self, path_or_url: &str) -> bool {
        endpoint::is_cmg(&self.endpoints, &self.gateway, path_or_url)
    }

    /// Lays the entries of `text` over this knowledge and says what is wrong with them. `proved` where the examples
    /// are to be tried, too.
    fn lay_over(&mut self, rule: &str, text: &str, proved: bool) -> Vec<String> {
        let mut mistakes = Mistakes::new(text);
        let mut found = tables(text, &KINDS, &mut mistakes);
        let mut messages = entries(&mut found, "message", &mut mistakes, |entry| Message::read(entry, proved));
        let messages = messages.drain(..).map(|(start, message)| (start, Arc::new(message))).collect();
        overlay(&mut self.messages, messages, |message| &message.id, &mut mistakes);
        let endpoints = entries(&mut found, "endpoint", &mut mistakes, KnownEndpoint::read);
        overlay(&mut self.endpoints, endpoints, |endpoint| &endpoint.id, &mut mistakes);
        let gateway = entries(&mut found, "gateway", &mut mistakes, GatewayPath::read);
        overlay(&mut self.gateway, gateway, |gateway| &gateway.id, &mut mistakes);
        let mut failures = entries(&mut found, "failure", &mut mistakes, |entry| Failure::read(entry, rule));
        let failures: Vec<_> = failures.drain(..).map(|(start, failure)| (start, Arc::new(failure))).collect();
        let new: Vec<_> = failures.iter().map(|(_, failure)| Arc::clone(failure)).collect();
        overlay(&mut self.failures, failures, |failure| &failure.id, &mut mistakes);
        self.check_names(&new, &mut mistakes);
        mistakes.into_sentences()
    }
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

    /// A failure may name only messages that there are.
    fn check_names(&self, failures: &[Arc<Failure>], mistakes: &mut Mistakes<'_>) {
        for failure in failures {
            for message in failure.messages().filter(|message| self.message(message).is_none()) {
                mistakes.add(failure.start, &format!("'{}': there is no message '{message}'", failure.id));
            }
            for kind in failure.artefact_kinds().filter(|kind| !ARTEFACT_KINDS.contains(kind)) {
                let known = ARTEFACT_KINDS.join(", ");
                mistakes
                    .add(failure.start, &format!("'{}': no artefact has kind '{kind}'; known: {known}", failure.id));
            }
        }
    }
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
    for (name, text) in builtin::FILES {
        mistakes
            .extend(knowledge.lay_over(BUILTIN, text, proved).into_iter().map(|mistake| format!("{name}, {mistake}")));
    }
    (knowledge, mistakes)
}
