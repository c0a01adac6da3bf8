//! What a description foretells of its clients, and that the simulated site foretells the same.

use std::collections::BTreeSet;

use super::decide::Decisions;
use super::facts::World;
use super::faults;
use crate::error::{Error, Result};
use crate::site::{Client, Site};
use crate::time::Micros;
use crate::workflow::{Cause, Phase, Prediction, Question, Status, both_phases};

/// What follows from the clocks, which `--skew` puts wrong where the description does not tell them.
const OF_CLOCKS: [&str; 2] = ["client-clock-wrong", "token-clock-skew"];

/// Differences that a refusal names one by one.
const SAID: usize = 10;

/// Both phases of every client of a description that is simulated.
pub(super) struct Foreseen<'a> {
    told: &'a Site,
    at: Micros,
    clients: Vec<(Client, Vec<Prediction>)>,
}

impl<'a> Foreseen<'a> {
    /// What is predicted at an instant for the first `count` clients; of servers alone for somebody of whom nothing is
    /// told.
    pub fn of(told: &'a Site, at: Micros, count: usize) -> Self {
        let somebody = [Client::default()];
        let clients = if told.clients.is_empty() { &somebody[..] } else { &told.clients };
        let clients = clients.iter().take(count).map(|client| (client.clone(), both_phases(told, client, at)));
        Self { told, at, clients: clients.collect() }
    }

    /// What stops a client, in the order in which it meets it.
    pub fn causes(&self, number: usize) -> impl Iterator<Item = (Phase, &Cause)> {
        let phases = self.clients.get(number).into_iter().flat_map(|(_, phases)| phases);
        phases.flat_map(|phase| phase.causes().map(|(_, cause)| (phase.phase, cause)))
    }

    /// Whether one of these failures stops some client, or will.
    pub fn any(&self, failures: &[&str]) -> bool {
        let mut phases = self.clients.iter().flat_map(|(_, phases)| phases);
        phases.any(|phase| phase.causes().chain(phase.warnings()).any(|(_, cause)| failures.contains(&cause.failure)))
    }

    /// Whether this failure stops some client.
    pub fn any_stopped_by(&self, failure: &str) -> bool {
        self.failures().contains(failure)
    }

    /// The failures that stop some client.
    pub fn failures(&self) -> BTreeSet<&'static str> {
        (0..self.clients.len()).flat_map(|number| self.causes(number)).map(|(_, cause)| cause.failure).collect()
    }

    /// Refuses what cannot be simulated, since no log of it is documented: all of it at once.
    ///
    /// # Errors
    /// [`Error::Argument`] that names it.
    pub fn check(&self) -> Result<()> {
        let mut cannot: Vec<(String, Vec<&str>)> = Vec::new();
        let mut refuse = |what: String, client: &'a str| match cannot.iter_mut().find(|(known, _)| *known == what) {
            Some((_, clients)) if clients.last() != Some(&client) => clients.push(client),
            Some(_) => {}
            None => cannot.push((what, vec![client])),
        };
        for (number, (client, _)) in self.clients.iter().enumerate() {
            let name = self.told.clients.get(number).map_or("", |client| client.name.as_str());
            if client.registration_token().is_some() {
                refuse("it registers with a registration token".to_owned(), name);
            }
            for (phase, cause) in self.causes(number) {
                if let Some(why) = self.without_logs(number, phase, cause) {
                    refuse(why, name);
                }
            }
        }
        if cannot.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = cannot.iter().map(|(what, clients)| format!("{}{what}", of_clients(clients))).collect();
        Err(refused("a site whose logs are documented", told.join("; ")))
    }

    /// Why no log of this is documented, where that is so.
    fn without_logs(&self, number: usize, phase: Phase, cause: &Cause) -> Option<String> {
        let (failure, why) = (cause.failure, cause.why.trim_end_matches('.'));
        if faults::kind(failure).is_none() {
            return Some(format!("{why} ({failure})"));
        }
        if failure == "token-clock-skew" {
            return Some(format!(
                "{why} ({failure}, of which logs are known where a management point is minutes ahead)"
            ));
        }
        let later = || self.causes(number).any(|(other, same)| other != phase && same.failure == failure);
        let has_certificate =
            self.clients.get(number).is_some_and(|(client, _)| uses_certificate(self.told, client, self.at));
        (has_certificate && phase == Phase::Bootstrap && !later())
            .then(|| format!("{why} ({failure}, while ccmsetup runs, of which no log with a PKI certificate is known)"))
    }

    /// Holds the simulated site against the description: each client is stopped where it is to be, by something that is
    /// to stop it there, and by nothing that is not.
    ///
    /// # Errors
    /// [`Error::Argument`] with what cannot be simulated as it is told.
    pub fn agree(&self, world: &World) -> Result<()> {
        let mut decisions = Decisions::new(world)?;
        let mut differ: BTreeSet<String> = BTreeSet::new();
        for (number, (client, phases)) in self.clients.iter().enumerate() {
            let (site, own) = (decisions.site(world, self.at), decisions.client(world, number, self.at));
            let certificate = uses_certificate(self.told, client, self.at);
            let made = both_phases(&site, &own, self.at);
            let pairs = phases.iter().zip(&made).filter(|(told, _)| !certificate || told.phase == Phase::AfterRefresh);
            for (told, made) in pairs {
                let lacks = lacking(told, made).map(|what| format!("{}, which is to be stopped by {what}", own.name));
                differ.extend(lacks);
                let more = surplus(told, made).map(|what| format!("{}, which {what} is not to stop", own.name));
                differ.extend(more);
            }
        }
        if differ.is_empty() {
            return Ok(());
        }
        let more = differ.len().saturating_sub(SAID);
        let rest = (more > 0).then(|| format!("and {more} more"));
        let told = differ.into_iter().take(SAID).chain(rest).collect::<Vec<_>>().join("; ");
        Err(refused("a site that can be simulated as it is told", told))
    }
}

/// What is to stop a client at a stage where nothing of it does in the simulation.
fn lacking(told: &Prediction, made: &Prediction) -> impl Iterator<Item = String> {
    let blocked = told.stages.iter().filter(|stage| stage.status == Status::Blocked);
    let lacks = blocked.filter(|stage| !stage.causes.iter().any(|cause| stops(made, cause.failure)));
    lacks
        .filter_map(|stage| stage.causes.first())
        .map(|cause| format!("{} ({})", cause.failure, cause.why.trim_end_matches('.')))
}

/// What stops a client in the simulation although that is told not to be so.
fn surplus(told: &Prediction, made: &Prediction) -> impl Iterator<Item = &'static str> {
    let is_open = |stage| told.stage(stage).is_some_and(|stage| !stage.unknown.is_empty());
    let more = made.causes().filter(move |(stage, cause)| !stops(told, cause.failure) && !is_open(*stage));
    more.map(|(_, cause)| cause.failure).filter(|failure| !OF_CLOCKS.contains(failure))
}

fn stops(prediction: &Prediction, failure: &str) -> bool {
    prediction.causes().any(|(_, cause)| cause.failure == failure)
}

/// Whether a client proves who it is by a certificate of a PKI: it is one that has been there for long.
pub(super) fn uses_certificate(site: &Site, client: &Client, at: Micros) -> bool {
    let question = Question { site, client, at, phase: Phase::AfterRefresh };
    client.pki_file().is_some() && question.unusable_certificate().is_none()
}

fn refused(expected: &str, found: String) -> Error {
    Error::Argument { argument: "site".to_owned(), expected: expected.to_owned(), found }
}

/// Whom it is about, as the beginning of a clause.
fn of_clients(names: &[&str]) -> String {
    match names {
        ["", ..] | [] => String::new(),
        [name] => format!("{name}: "),
        [name, others @ ..] => format!("{name} and {} more: ", others.len()),
    }
}
