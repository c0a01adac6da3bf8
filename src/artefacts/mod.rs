//! Artefacts: certificates, revocation lists, tokens and `dsregcmd` output that lie among the logs.
//!
//! `docs/bundle.md` says how a bundle is named. An artefact belongs to the machine in whose folder it lies; what lies
//! in no machine's folder belongs to the only client there is, or else speaks for all. Each is judged at the time that
//! the logs give, never at the time of reading: when the machine's request failed, else when its logs end.
//!
//! What cannot be read is an artefact whose report says so.

mod across;
mod fetched;
mod item;
mod judge;
mod machines;
mod naming;

use std::sync::Arc;

use serde::Serialize;

use crate::events::Event;
use crate::flows::Followed;
use crate::input::{ArtefactKind, Input};
use crate::record::Source;
use crate::report::{CheckStatus, Report};
use crate::time::{Micros, serialize_utc};

use item::Item;
use machines::Machines;

pub use naming::Part;

/// An artefact with its report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Artefact {
    /// File, relative to what was given, with `/`.
    pub path: Arc<str>,
    /// What its content is.
    pub kind: ArtefactKind,
    /// What it is to its machine; `None` where neither content nor name tell.
    pub part: Option<Part>,
    /// The machine that it belongs to, as its logs or its folder name it; `None` where it speaks for all, or for none.
    pub host: Option<Arc<str>>,
    /// The instant for which it was judged, UTC; `None` where nothing in it depends on time, or no log gives one.
    #[serde(serialize_with = "serialize_utc")]
    pub at: Option<Micros>,
    /// What the validator says of it.
    pub report: Report,
}

/// A report on one artefact, for one client at one time.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The artefact's file.
    pub path: Arc<str>,
    /// What the validator says.
    pub report: Report,
}

impl From<Artefact> for Judged {
    fn from(artefact: Artefact) -> Self {
        Self { path: artefact.path, report: artefact.report }
    }
}

/// A client at a time, for which artefacts are judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Client<'a> {
    /// Host name; `None` for the nameless machine of a flat folder.
    pub host: Option<&'a str>,
    /// Host name of the gateway that it asked.
    pub cmg: Option<&'a str>,
    /// UTC of the request that failed, by the client's clock.
    pub at: Option<Micros>,
    /// Entra device id, as its logs have it.
    pub device_id: Option<&'a str>,
}

/// All artefacts of a trail.
#[derive(Debug, Clone, Default)]
pub struct Artefacts {
    items: Vec<Item>,
    machines: Machines,
}

impl Artefacts {
    /// Reads the artefacts of `input`. A file that cannot be read is kept, with a report that says so.
    pub fn read(input: &Input, followed: &Followed, events: &[Event], sources: &[Source]) -> Self {
        if input.artefacts.is_empty() {
            return Self::default();
        }
        let machines = Machines::of(followed, events, sources);
        let mut store = item::Contents::default();
        let items = input.artefacts.iter().map(|file| Item::read(file, &machines, &mut store)).collect();
        Self { items, machines }
    }

    /// True where there is nothing.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The artefacts, in order of path, each judged for its own machine when its request failed, else when its logs
    /// end.
    pub fn list(&self) -> Vec<Artefact> {
        self.items.iter().map(|item| self.listed(item)).collect()
    }

    fn listed(&self, item: &Item) -> Artefact {
        let machine = self.machines.speaker(item.owner.as_deref());
        let client = machine.map(machines::Machine::client).unwrap_or_default();
        let (report, at) = if item.is_common() && item.leaf.is_some() {
            judge::for_all(self, item, &client)
        } else {
            judge::of_item(self, item, &client)
        };
        let host = item.owner.as_deref().filter(|owner| !owner.is_empty());
        let named = |owner| self.machines.get(owner).and_then(machines::Machine::host).unwrap_or(owner);
        Artefact {
            path: Arc::clone(&item.path),
            kind: item.kind,
            part: item.part,
            host: host.map(|owner| Arc::from(named(owner))),
            at,
            report,
        }
    }

    /// The reports on what speaks for this client: what was presented to it, its tokens, its join.
    pub fn judge(&self, client: &Client<'_>) -> Vec<Judged> {
        let owner = machines::key(client.host);
        let speaks = |item: &&Item| {
            let own = item.owner.as_deref() == Some(&owner);
            let common = item.is_common() && !self.has_own(&owner, Part::Presented);
            own || (common && item.part == Some(Part::Presented))
        };
        self.items
            .iter()
            .filter(speaks)
            .filter(|item| item.is_judged())
            .filter(|item| item.cmg.is_none() || client.cmg.is_none() || item.cmg.as_deref() == client.cmg)
            .map(|item| Judged { path: Arc::clone(&item.path), report: judge::of_item(self, item, client).0 })
            .collect()
    }

    /// True where this part is at hand for the client.
    pub fn has(&self, host: Option<&str>, part: &str) -> bool {
        let owner = machines::key(host);
        self.items.iter().any(|item| {
            let speaks = item.owner.as_deref() == Some(&owner) || item.is_common();
            speaks && item.readable && item.part.is_some_and(|own| own.id() == part)
        })
    }

    /// True where this part is at hand, whosever it is.
    pub fn has_any(&self, part: &str) -> bool {
        self.items.iter().any(|item| item.readable && item.part.is_some_and(|own| own.id() == part))
    }

    fn has_own(&self, owner: &str, part: Part) -> bool {
        self.items.iter().any(|item| item.owner.as_deref() == Some(owner) && item.part == Some(part))
    }

    /// Own artefacts of a part, and those that speak for all.
    fn of(&self, owner: Option<&str>, part: Part) -> impl Iterator<Item = &Item> {
        self.items
            .iter()
            .filter(move |item| item.part == Some(part) && (item.owner.as_deref() == owner || item.is_common()))
    }
}

/// The sentence that a check of an artefact is told by.
pub fn sentence(path: &str, check: &crate::report::Check) -> String {
    let status = match check.status {
        CheckStatus::NotChecked => "not checked: ",
        CheckStatus::Passed | CheckStatus::Failed => "",
    };
    let values = match (&check.expected, &check.found) {
        (Some(expected), Some(found)) if !check.explanation.contains(found.as_str()) => {
            format!(" Expected: {expected}; found: {found}.")
        }
        _ => String::new(),
    };
    format!("{path}, {}: {status}{}{values}", check.subject, check.explanation)
}
