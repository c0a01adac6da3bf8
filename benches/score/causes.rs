//! Whether the engine names the cause of a flow that broke, and none where nothing is wrong.

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::engine::Trail;
use cmgtrail::finding::{Confidence, Finding, Severity};
use cmgtrail::knowledge::{FailureRole, Knowledge};
use cmgtrail::simulate::{FlowTruth, Proof, Truth};
use cmgtrail::stage::Outcome;

use super::flows::Matching;
use super::tally::Tally;

/// What the engine makes of one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The fault is the first cause it names.
    First,
    /// A neighbour is, both are `possible`, and it is said what would tell them apart.
    Neighbour,
    /// Another cause is.
    Wrong,
    /// It names none.
    Silent,
}

impl Verdict {
    /// Whether that is a good answer.
    pub fn is_right(self) -> bool {
        self <= Self::Neighbour
    }

    /// Judges what is said of a flow, best first.
    pub fn of(fault: &str, said: &[&Finding]) -> Self {
        let Some(first) = said.first() else { return Self::Silent };
        if first.failure == fault || AS_TRUE.contains(&(fault, first.failure.as_str())) {
            return Self::First;
        }
        let own = said.iter().find(|finding| finding.failure == fault);
        let open = |finding: &Finding| finding.confidence == Confidence::Possible;
        let separated = |one: &Finding, other: &str| {
            one.missing.iter().any(|missing| missing.separates.iter().any(|separated| separated == other))
        };
        match own {
            Some(own)
                if are_neighbours(fault, &first.failure)
                    && (open(own) && open(first))
                    && (separated(own, &first.failure) || separated(first, fault)) =>
            {
                Self::Neighbour
            }
            _ => Self::Wrong,
        }
    }
}

/// A fault that is put in together with another cause, which is as true: a user who is not signed in matters only where
/// the device gets no token of its own.
const AS_TRUE: [(&str, &str); 1] = [("no-entra-user-signed-in", "device-token-not-enabled")];

/// Whether two failures must be told apart, directly or as causes of one symptom. That the knowledge says the same as the
/// list of failure ids is a test.
pub fn are_neighbours(one: &str, other: &str) -> bool {
    let knowledge = Knowledge::builtin();
    let names = |one: &str, other: &str| {
        knowledge.failure(one).is_some_and(|failure| failure.separates_from.iter().any(|id| id == other))
    };
    let either = |one: &str, other: &str| names(one, other) || names(other, one);
    let mut symptoms = knowledge.failures().iter().filter(|failure| failure.role == FailureRole::Symptom);
    either(one, other) || symptoms.any(|symptom| either(one, &symptom.id) && either(other, &symptom.id))
}

/// The causes said of one of the engine's flows, best first. `least`: severity from which on they count.
pub fn said_of<'t>(trail: &'t Trail, flow: &str, least: Severity) -> Vec<&'t Finding> {
    trail
        .findings
        .iter()
        .filter(|finding| finding.severity >= least && finding.flows.iter().any(|id| id == flow))
        .collect()
}

/// How causes fare.
#[derive(Debug, Clone, Default)]
pub struct CauseScore {
    /// Flows that a cause with public traces broke: said is a cause of severity error on a flow of a client.
    pub proven: Tally,
    /// The same for causes whose traces are inferred or not public.
    pub unproven: Tally,
    /// Clients and servers that no fault hits, and of which a cause of severity error is said all the same.
    pub false_alarms: usize,
    /// Flows in which nothing is wrong.
    pub sound: usize,
    /// Wrong answers: fault ("nothing" where there is none) and what is said first.
    pub wrong: BTreeMap<(String, String), usize>,
}

impl CauseScore {
    /// Adds another's counts.
    pub fn add(&mut self, other: Self) {
        self.proven += other.proven;
        self.unproven += other.unproven;
        self.false_alarms += other.false_alarms;
        self.sound += other.sound;
        for (pair, count) in other.wrong {
            *self.wrong.entry(pair).or_default() += count;
        }
    }

    /// Scores the causes of all flows of a trail.
    pub fn of(truth: &Truth, matching: &Matching, trail: &Trail) -> Self {
        let mut score = Self::default();
        for &number in &matching.visible {
            if let Some(fault) = truth.flows[number].fault {
                let flow = &truth.flows[number];
                let own = best_flow(matching, number).map(|flow| &trail.flows[flow]);
                let said = own.map(|own| said_of(trail, &own.id, Severity::Warning)).unwrap_or_default();
                let verdict = Verdict::of(fault, &said);
                let first = said.first().map_or_else(|| "silence".to_owned(), |first| words(first));
                score.count(flow, verdict, &first);
            } else {
                score.sound += 1;
            }
        }
        score.count_false_alarms(truth, matching, trail);
        score
    }

    fn count(&mut self, flow: &FlowTruth, verdict: Verdict, first: &str) {
        let tally = if flow.proof == Some(Proof::S) { &mut self.proven } else { &mut self.unproven };
        tally.add(usize::from(verdict.is_right()), usize::from(verdict != Verdict::Silent), 1);
        if !verdict.is_right() {
            let fault = flow.fault.unwrap_or("nothing").to_owned();
            *self.wrong.entry((fault, first.to_owned())).or_default() += 1;
        }
    }

    /// What is said of flows in which nothing is wrong, and of the site without any flow.
    fn count_false_alarms(&mut self, truth: &Truth, matching: &Matching, trail: &Trail) {
        let injected: BTreeSet<&str> = truth.faults.iter().map(|fault| fault.kind.id).collect();
        let mut alarm = |finding: &Finding| {
            self.false_alarms += 1;
            *self.wrong.entry(("nothing".to_owned(), words(finding))).or_default() += 1;
        };
        for (flow, owner) in trail.flows.iter().zip(&matching.owners) {
            let owner = owner.map(|owner| &truth.flows[owner]);
            if owner.is_some_and(|owner| owner.fault.is_some() || is_cut_while_broken(truth, owner)) {
                continue;
            }
            for finding in said_of(trail, &flow.id, Severity::Error) {
                // A piece of a flow that has lost its client may be of any.
                if owner.is_some() || !injected.contains(finding.failure.as_str()) {
                    alarm(finding);
                }
            }
        }
        for finding in trail.findings.iter().filter(|finding| finding.severity == Severity::Error) {
            let known = injected.contains(finding.failure.as_str())
                || injected
                    .iter()
                    .any(|fault| finding.confidence == Confidence::Possible && are_neighbours(fault, &finding.failure));
            if finding.flows.is_empty() && !known {
                alarm(finding);
            }
        }
    }
}

fn words(finding: &Finding) -> String {
    format!("{} ({:?})", finding.failure, finding.confidence).to_lowercase()
}

/// A flow that the end of the simulated time cut off breaks for no reason in truth, but a fault may be seen in it.
fn is_cut_while_broken(truth: &Truth, flow: &FlowTruth) -> bool {
    let hits = |clients: &[String]| clients.is_empty() || clients.contains(&flow.client);
    flow.outcome == Outcome::Unfinished && truth.faults.iter().any(|fault| hits(&fault.clients))
}

/// The engine's flow of a flow of the truth: the one that was found, else any that is mostly of it.
fn best_flow(matching: &Matching, number: usize) -> Option<usize> {
    let any = || matching.owners.iter().position(|owner| *owner == Some(number));
    matching.found.get(&number).copied().or_else(any)
}
