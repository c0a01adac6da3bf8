//! What a description foretells of its clients, and whether the simulated site foretells the same.

use std::collections::BTreeSet;

use super::decide::Decisions;
use super::facts::World;
use super::faults;
use crate::error::{Error, Result};
use crate::finding::Confidence;
use crate::knowledge::{Knowledge, Unforeseen};
use crate::site::{Client, ManagementPoint, Site};
use crate::stage::Stage;
use crate::time::Micros;
use crate::workflow::{Cause, Phase, Prediction, Question, Status, both_phases};

/// Reasons that a refusal names one by one.
const SAID: usize = 20;

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

    /// What cannot be simulated, since no log of it is documented: all of it at once.
    pub fn undocumented(&self) -> Unfit {
        let mut unfit = Unfit { expected: "a site whose logs are documented", reasons: Vec::new() };
        for (number, (client, phases)) in self.clients.iter().enumerate() {
            if client.registration_token().is_some() {
                unfit.add(number, "it registers with a registration token".to_owned());
            }
            let causes =
                phases.iter().flat_map(|phase| phase.causes().map(|(stage, cause)| (phase.phase, stage, cause)));
            for why in causes.filter_map(|cause| self.without_logs(number, cause)) {
                unfit.add(number, why);
            }
        }
        unfit
    }

    /// Why no log of this is documented, where that is so.
    fn without_logs(&self, number: usize, (phase, stage, cause): (Phase, Stage, &Cause)) -> Option<String> {
        let (failure, why) = (cause.failure, cause.why.trim_end_matches('.'));
        if faults::kind(failure).is_none() {
            return Some(format!("{why} ({failure})"));
        }
        if failure == "token-clock-skew" && !self.is_of_points_ahead(stage, cause) {
            return Some(format!("{why} ({failure}, of which logs are known where a management point is ahead)"));
        }
        let later = || self.causes(number).any(|(other, same)| other != phase && same.failure == failure);
        let has_certificate =
            self.clients.get(number).is_some_and(|(client, _)| uses_certificate(self.told, client, self.at));
        (has_certificate && phase == Phase::Bootstrap && !later())
            .then(|| format!("{why} ({failure}, while ccmsetup runs, of which no log with a PKI certificate is known)"))
    }

    /// Whether it is for sure that a management point refuses the tokens of Entra, for its clock is ahead of their end.
    fn is_of_points_ahead(&self, stage: Stage, cause: &Cause) -> bool {
        let is_behind = |point: &ManagementPoint| point.clock_offset_seconds.is_some_and(|ahead| ahead < 0.0);
        let is_sure = cause.confidence == Confidence::Certain;
        stage == Stage::MpValidate && is_sure && !self.told.management_points.iter().any(is_behind)
    }

    /// Holds the simulated site against the description: what differs where a client is not stopped where it is to be, by
    /// something that is to stop it there, or by something that is not.
    ///
    /// # Errors
    /// Where the keys of the simulation cannot be used.
    pub fn differences(&self, world: &World) -> Result<Unfit> {
        let mut decisions = Decisions::new(world)?;
        let mut unfit = Unfit { expected: "a site that can be simulated as it is told", reasons: Vec::new() };
        for (number, (client, phases)) in self.clients.iter().enumerate() {
            let (site, own) = (decisions.site(world, self.at), decisions.client(world, number, self.at));
            let certificate = uses_certificate(self.told, client, self.at);
            let made = both_phases(&site, &own, self.at);
            let pairs = phases.iter().zip(&made).filter(|(told, _)| !certificate || told.phase == Phase::AfterRefresh);
            for (told, made) in pairs {
                lacking(told, made).for_each(|what| unfit.add(number, format!("it is to be stopped by {what}")));
                surplus(told, made).for_each(|what| unfit.add(number, format!("{what} is not to stop it")));
            }
        }
        Ok(unfit)
    }
}

/// What of a description cannot be simulated.
#[derive(Debug)]
pub(super) struct Unfit {
    /// What can be.
    expected: &'static str,
    /// Each reason, with the places of the clients that it holds of.
    reasons: Vec<(String, Vec<usize>)>,
}

impl Unfit {
    fn add(&mut self, client: usize, why: String) {
        match self.reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, clients)) if clients.last() == Some(&client) => {}
            Some((_, clients)) => clients.push(client),
            None => self.reasons.push((why, vec![client])),
        }
    }

    /// Whether all can be.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }

    /// The places of the clients that cannot be.
    pub fn clients(&self) -> BTreeSet<usize> {
        self.reasons.iter().flat_map(|(_, clients)| clients).copied().collect()
    }

    /// The reasons, each with whom it is about in such words.
    fn sentences(&self, told: &Site, in_words: fn(&[&str]) -> String) -> Vec<String> {
        let named = |clients: &[usize]| {
            let names =
                clients.iter().filter_map(|&number| told.clients.get(number)).map(|client| client.name.as_str());
            in_words(&names.collect::<Vec<_>>())
        };
        self.reasons.iter().map(|(why, clients)| format!("{}{why}", named(clients))).collect()
    }

    /// Every client that cannot be simulated, each reason with all whom it is about.
    pub fn left_out(&self, told: &Site) -> Vec<String> {
        self.sentences(told, |names| if names.is_empty() { String::new() } else { format!("{}: ", names.join(", ")) })
    }

    /// The refusal of the whole description, in few words.
    pub fn refusal(&self, told: &Site) -> Error {
        let sentences = self.sentences(told, of_clients);
        let rest = sentences.len().saturating_sub(SAID);
        let rest = (rest > 0).then(|| format!("and {rest} more"));
        let found = sentences.into_iter().take(SAID).chain(rest).collect::<Vec<_>>().join("; ");
        Error::Argument { argument: "site".to_owned(), expected: self.expected.to_owned(), found }
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
    // `--skew` puts the clocks wrong that the description does not tell.
    let of_clocks = |failure: &&str| {
        Knowledge::builtin().failure(failure).is_some_and(|known| known.unforeseen == Unforeseen::Time)
    };
    more.map(|(_, cause)| cause.failure).filter(move |failure| !of_clocks(failure))
}

fn stops(prediction: &Prediction, failure: &str) -> bool {
    prediction.causes().any(|(_, cause)| cause.failure == failure)
}

/// Whether a client proves who it is by a certificate of a PKI: it is one that has been there for long.
pub(super) fn uses_certificate(site: &Site, client: &Client, at: Micros) -> bool {
    let question = Question { site, client, at, phase: Phase::AfterRefresh };
    client.pki_file().is_some() && question.unusable_certificate().is_none()
}

/// Whom it is about, as the beginning of a clause.
fn of_clients(names: &[&str]) -> String {
    match names {
        ["", ..] | [] => String::new(),
        [name] => format!("{name}: "),
        [name, others @ ..] => format!("{name} and {} more: ", others.len()),
    }
}
