//! What is predicted, as findings: one cause on 400 clients is one finding.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ClientPreflight;
use crate::diagnosis::fill;
use crate::finding::{Confidence, Severity};
use crate::knowledge::{Failure, FailureRole, Knowledge};
use crate::site::{Client, CommandLine, Site};
use crate::stage::Stage;
use crate::workflow::{Cause, Phase, Words, entra};

/// One failure that is predicted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Failure id.
    pub failure: String,
    /// `error` where it stops a client, `warning` where it will, or degrades, `info` where it is benign.
    pub severity: Severity,
    /// How sure it is, given that the description is right.
    pub confidence: Confidence,
    /// Stage at which it is met.
    pub stage: Stage,
    /// Whom it hits: "client", "site", "tenant" …
    pub scope: String,
    /// One line.
    pub title: String,
    /// The facts that lead to it.
    pub why: String,
    /// What happens and why, in general.
    pub explanation: String,
    /// What to do now.
    pub remedy: String,
    /// How to check that it worked.
    pub verify: String,
    /// Public reference.
    pub reference: String,
    /// Phases in which it is met.
    pub phases: Vec<Phase>,
    /// Clients that it hits.
    pub clients: Vec<String>,
    /// Clients that meet it in each phase.
    pub met_by: BTreeMap<Phase, Vec<String>>,
    #[serde(skip)]
    words: Option<&'static Words>,
    /// Each different reason, with the first client that it is told of.
    #[serde(skip)]
    whys: Vec<(String, String)>,
}

/// All findings, errors first, then what hits most clients, then in the order of the stages.
pub(super) fn findings(site: &Site, clients: &[ClientPreflight], knowledge: &Knowledge) -> Vec<Forecast> {
    let mut found: Vec<Forecast> = Vec::new();
    for predicted in clients {
        let Some(client) = site.client(&predicted.client) else { continue };
        for prediction in &predicted.phases {
            let now = prediction.causes().map(|(stage, cause)| (stage, cause, true));
            let later = prediction.warnings().map(|(stage, cause)| (stage, cause, false));
            for (stage, cause, stops) in now.chain(later) {
                let Some(failure) = knowledge.failure(cause.failure) else { continue };
                let severity = severity(failure, stops);
                let same = |other: &Forecast| {
                    other.failure == failure.id && other.severity == severity && other.words == cause.words
                };
                let at = found.iter().position(same).unwrap_or_else(|| {
                    found.push(Forecast::new(site, client, failure, severity, (stage, cause)));
                    found.len() - 1
                });
                found[at].hit(prediction.phase, client, cause);
            }
        }
    }
    // Whom something stops needs no warning of the same; others do. What has words of its own and is met elsewhere is
    // not the same.
    let stopped: Vec<(String, Stage, Vec<String>)> = found
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .map(|one| (one.failure.clone(), one.stage, one.clients.clone()))
        .collect();
    for one in found.iter_mut().filter(|one| one.severity != Severity::Error) {
        let is_same = |stage: Stage| one.words.is_none() || stage == one.stage;
        let same = stopped.iter().filter(|(failure, stage, _)| *failure == one.failure && is_same(*stage));
        let stopped: BTreeSet<&String> = same.flat_map(|(_, _, clients)| clients).collect();
        one.spare(&stopped);
    }
    found.retain(|one| !one.clients.is_empty());
    found.iter_mut().for_each(Forecast::tell_reasons);
    // A client without a device token works as long as a user's takes its place: what nothing stands in for goes first.
    let stands_in = |one: &Forecast| knowledge.failure(&one.failure).is_some_and(|failure| failure.overcome.is_some());
    found.sort_by_key(|one| (std::cmp::Reverse((one.severity, one.clients.len())), one.stage, stands_in(one)));
    found
}

fn severity(failure: &Failure, stops: bool) -> Severity {
    match (failure.role, stops) {
        (FailureRole::Benign, _) => Severity::Info,
        (_, true) => Severity::Error,
        (_, false) => Severity::Warning,
    }
}

impl Forecast {
    fn new(
        site: &Site,
        client: &Client,
        failure: &Failure,
        severity: Severity,
        (stage, cause): (Stage, &Cause),
    ) -> Self {
        let words = |text: &str| fill(text, &|field| value(field, site, client));
        let own = |of: fn(&Words) -> Option<&'static str>| cause.words.and_then(of).map(str::to_owned);
        Self {
            failure: failure.id.clone(),
            severity,
            confidence: cause.confidence,
            stage,
            scope: failure.scope.clone(),
            title: own(|own| Some(own.title)).unwrap_or_else(|| words(&failure.title)),
            why: cause.why.clone(),
            explanation: own(|own| Some(own.explanation)).unwrap_or_else(|| words(&failure.explanation)),
            remedy: own(|own| own.remedy).unwrap_or_else(|| words(&failure.remedy)),
            verify: own(|own| own.verify).unwrap_or_else(|| words(&failure.verify)),
            reference: failure.reference.clone(),
            phases: Vec::new(),
            clients: Vec::new(),
            met_by: BTreeMap::new(),
            words: cause.words,
            whys: Vec::new(),
        }
    }

    /// What is less sure of one client is no surer of all.
    fn hit(&mut self, phase: Phase, client: &Client, cause: &Cause) {
        self.confidence = self.confidence.min(cause.confidence);
        if self.whys.iter().all(|(_, why)| *why != cause.why) {
            self.whys.push((client.name.clone(), cause.why.clone()));
        }
        if self.clients.last() != Some(&client.name) {
            self.clients.push(client.name.clone());
        }
        let met = self.met_by.entry(phase).or_default();
        if met.last() != Some(&client.name) {
            met.push(client.name.clone());
        }
        self.phases = self.met_by.keys().copied().collect();
    }

    /// Takes clients out, and the phases in which nobody else meets it.
    fn spare(&mut self, clients: &BTreeSet<&String>) {
        let lists = self.met_by.values_mut().chain([&mut self.clients]);
        lists.for_each(|list| list.retain(|client| !clients.contains(client)));
        self.met_by.retain(|_, met| !met.is_empty());
        self.phases = self.met_by.keys().copied().collect();
    }

    /// Says whose reason is whose, where the clients have different ones.
    fn tell_reasons(&mut self) {
        /// Reasons that are told; every client's own stands with its stages.
        const TOLD: usize = 3;
        self.whys.retain(|(client, _)| self.clients.contains(client));
        let several = self.whys.iter().map(|(client, _)| client).collect::<BTreeSet<_>>().len() > 1;
        let told = self.whys.iter().take(TOLD);
        let mut reasons: Vec<String> =
            told.map(|(client, why)| if several { format!("{client}: {why}") } else { why.clone() }).collect();
        if self.whys.len() > TOLD {
            reasons.push(format!("And {} more reasons of other clients.", self.whys.len() - TOLD));
        }
        self.why = reasons.join(" ");
    }
}

/// The value of a field in a failure's words.
fn value(field: &str, site: &Site, client: &Client) -> Option<String> {
    match field {
        "client" => Some(client.name.clone()),
        "host" | "cmg" => {
            let named = client.ccmsetup.as_ref().and_then(CommandLine::ccm_host_name).map(|name| name.host);
            named.or_else(|| site.cmg.names.first().cloned())
        }
        "tenant_id" => entra::tenant_of(client),
        "device_id" => entra::device_id_of(client),
        "user_id" => client.user_id.clone(),
        "audience" => site.server_app.resource_uri.clone(),
        _ => None,
    }
}
