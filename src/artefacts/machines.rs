//! What the logs tell of each machine that its artefacts need: when it failed, against which gateway, when its logs end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Client;
use crate::events::Event;
use crate::flows::{Followed, Outcome, identity};
use crate::record::Source;
use crate::time::Micros;

/// The key of a machine: its host in lower case; empty for the nameless machine of a flat folder.
pub(super) fn key(host: Option<&str>) -> String {
    host.map(str::to_ascii_lowercase).unwrap_or_default()
}

/// A machine as its logs show it.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    host: Option<String>,
    /// UTC of its last request to a gateway that failed, and the gateway.
    failed: Option<(Micros, Option<String>)>,
    /// UTC of its last log line.
    pub last: Option<Micros>,
    /// UTC of its last request to a gateway that went well with CRL checking on.
    pub checked: Option<Micros>,
    /// Some gateway that it asked.
    cmg: Option<String>,
    /// Gateways that answered it.
    pub answered_by: BTreeSet<String>,
    /// Resources for which it asked Entra for tokens.
    pub resources: BTreeSet<String>,
    device_id: Option<String>,
    is_client: bool,
}

impl Machine {
    /// Its name, as its logs have it.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// True where a request of it to a gateway failed.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The machine as a client at the time its request failed, else when its logs end.
    pub fn client(&self) -> Client<'_> {
        let failed = self.failed.as_ref();
        Client {
            host: self.host.as_deref(),
            cmg: failed.and_then(|(_, cmg)| cmg.as_deref()).or(self.cmg.as_deref()),
            at: failed.map(|(at, _)| *at).or(self.last),
            device_id: self.device_id.as_deref(),
        }
    }
}

/// All machines of a trail.
#[derive(Debug, Clone, Default)]
pub(super) struct Machines {
    by_key: BTreeMap<String, Machine>,
    /// Hosts whose logs lie in a folder, where they are all of one.
    by_folder: BTreeMap<String, Option<String>>,
    /// Host names of gateways.
    pub gateways: BTreeSet<String>,
    /// Resources and tenants of clients that work.
    pub working_resources: BTreeSet<String>,
    pub working_tenants: BTreeSet<String>,
}

impl Machines {
    pub fn of(followed: &Followed, events: &[Event], sources: &[Source]) -> Self {
        let mut machines = Self { gateways: followed.requests.cmg_hosts.clone(), ..Self::default() };
        for source in sources.iter().filter(|source| source.records > 0) {
            let machine = machines.by_key.entry(key(source.host.as_deref())).or_default();
            machine.host.clone_from(&source.host);
            machine.last = machine.last.max(source.last);
            let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_ascii_lowercase();
            let known = machines.by_folder.entry(folder).or_insert_with(|| source.host.clone());
            if *known != source.host {
                *known = None;
            }
        }
        for logs in &followed.machines {
            let machine = machines.by_key.entry(key(logs.host.as_deref())).or_default();
            machine.is_client = !logs.client_events.is_empty();
            machine.learn(&logs.client_events, followed, events);
        }
        machines.learn_what_works(followed, events);
        machines
    }

    fn learn_what_works(&mut self, followed: &Followed, events: &[Event]) {
        let works = followed.flows.iter().zip(&followed.details);
        for (flow, detail) in works.filter(|(flow, detail)| flow.outcome == Outcome::Completed && detail.through_cmg) {
            self.working_tenants.extend(flow.client.tenant_id.clone());
            let of_flow = detail.events.iter().filter_map(|(event, _)| events.get(*event as usize));
            self.working_resources.extend(of_flow.filter_map(|event| Some(event.get("resource")?.to_owned())));
        }
    }

    /// The machine of this key.
    pub fn get(&self, key: &str) -> Option<&Machine> {
        self.by_key.get(key)
    }

    /// The machine at whose time an artefact is judged: its own, else the one whose request failed last, else the one
    /// whose logs end last.
    pub fn speaker(&self, owner: Option<&str>) -> Option<&Machine> {
        match owner {
            Some(owner) => self.by_key.get(owner).or_else(|| self.latest()),
            None => self.latest(),
        }
    }

    fn latest(&self) -> Option<&Machine> {
        self.by_key.values().max_by_key(|machine| (machine.failed.as_ref().map(|(at, _)| *at), machine.last))
    }

    /// The key of the machine whose logs lie in this folder.
    pub fn of_folder(&self, folder: &str) -> Option<String> {
        let host = self.by_folder.get(folder)?.as_ref()?;
        Some(key(Some(host)))
    }

    /// The key of the only client.
    pub fn only_client(&self) -> Option<String> {
        let mut clients = self.by_key.iter().filter(|(_, machine)| machine.is_client);
        let (key, _) = clients.next()?;
        clients.next().is_none().then(|| key.clone())
    }
}

impl Machine {
    fn learn(&mut self, client_events: &[u32], followed: &Followed, events: &[Event]) {
        for index in client_events {
            let Some(event) = events.get(*index as usize) else { continue };
            self.resources.extend(event.get("resource").map(str::to_owned));
            if self.device_id.is_none() {
                self.device_id = event.get("device_id").and_then(identity::normal);
            }
            let Some(request) = followed.requests.of(*index).filter(|request| request.to_cmg) else { continue };
            self.cmg.clone_from(&request.host);
            if request.passed() {
                self.answered_by.extend(request.host.clone());
                let checked = event.stamp.utc.filter(|_| request.revocation_check == Some(true));
                self.checked = self.checked.max(checked);
            } else if let Some(at) = event.stamp.utc.filter(|_| request.failed()) {
                let later = self.failed.as_ref().is_none_or(|(before, _)| *before < at);
                if later {
                    self.failed = Some((at, request.host.clone()));
                }
            }
        }
    }
}

/// A key as an owner's name.
pub(super) fn owner(key: String) -> Arc<str> {
    Arc::from(key)
}
