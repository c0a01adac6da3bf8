//! Predicted and observed, side by side: where they disagree, something is there that the description does not see.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::judgement::{self, SideBySide};
use super::{ClientPreflight, Observed};
use crate::finding::{Finding, Severity};
use crate::flows::Flow;
use crate::knowledge::Knowledge;
use crate::site::Client;
use crate::stage::{FlowKind, Outcome, Stage, StageStatus};
use crate::time::{Micros, rfc3339};
use crate::workflow::{Phase, Predicted, Prediction, Status, entra};

/// Hours between a prediction's instant and a flow from which on time itself may make the difference.
const APART_HOURS: i64 = 24;

/// Whether prediction and logs say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// They do.
    Agree,
    /// They do not.
    Disagree,
    /// One of them says nothing.
    Open,
}

impl Agreement {
    /// Its id, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Disagree => "disagree",
            Self::Open => "open",
        }
    }
}

/// A stage, predicted and observed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The phase.
    pub phase: Phase,
    /// The stage.
    pub stage: Stage,
    /// What was predicted.
    pub predicted: Status,
    /// What was observed, and in which flow; `None` where the logs hold no flow of this client and phase.
    pub observed: Option<StageStatus>,
    /// The flow.
    pub flow: Option<String>,
    /// Failures that the diagnosis found for that stage of that flow.
    pub failures: Vec<String>,
    /// Whether both say the same.
    pub agreement: Agreement,
    /// What to make of it, where they do not.
    pub explanation: Option<String>,
}

/// What the logs hold, by whom it is of.
pub(super) struct Logs<'a> {
    seen: Observed<'a>,
    /// Places of the flows of each host, by the name before its domain, and of each device.
    by_label: HashMap<String, Vec<usize>>,
    by_device: HashMap<&'a str, Vec<usize>>,
    /// What stopped each flow, by its id.
    causes: HashMap<&'a str, Vec<&'a Finding>>,
    /// When each flow began, by its id.
    started: HashMap<&'a str, Micros>,
    /// What is known of the failures that were found: the built-in ones, and those of the user's own files.
    pub(super) knowledge: &'a Knowledge,
}

impl<'a> Logs<'a> {
    pub fn of(seen: Observed<'a>, knowledge: &'a Knowledge) -> Self {
        let started = seen.flows.iter().filter_map(|flow| Some((flow.id.as_str(), flow.started?))).collect();
        let (by_label, by_device, causes) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut logs = Self { seen, by_label, by_device, causes, started, knowledge };
        for (place, flow) in seen.flows.iter().enumerate() {
            if let Some(host) = &flow.client.host {
                logs.by_label.entry(label(host)).or_default().push(place);
            }
            if let Some(device) = &flow.client.device_id {
                logs.by_device.entry(device).or_default().push(place);
            }
        }
        for finding in seen.findings.iter().filter(|finding| finding.severity == Severity::Error) {
            for flow in &finding.flows {
                logs.causes.entry(flow).or_default().push(finding);
            }
        }
        logs
    }

    /// The flows of a client, in the order of the logs.
    fn flows_of(&self, client: &Client) -> Vec<&'a Flow> {
        let is_host = |flow: &Flow| flow.client.host.as_deref().is_some_and(|host| same_host(host, &client.name));
        let of_host = self.by_label.get(&label(&client.name)).into_iter().flatten().copied();
        let of_device = entra::device_id_of(client).and_then(|device| self.by_device.get(device.as_str()));
        let own = of_host.filter(|&place| is_host(&self.seen.flows[place]));
        let places: BTreeSet<usize> = own.chain(of_device.into_iter().flatten().copied()).collect();
        places.into_iter().map(|place| &self.seen.flows[place]).collect()
    }

    /// What stopped a flow.
    fn causes_of(&self, flow: &Flow) -> &[&'a Finding] {
        self.causes.get(flow.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// When something that is predicted to stop this stage first stopped a flow: of this client, or of any where it hits
    /// many. Signs of it may be older, and be of something else.
    fn first_seen(&self, prediction: &Prediction, stage: Stage, flows: &[&Flow]) -> Option<Micros> {
        let is_predicted = |finding: &&Finding| {
            let hits_many = || self.knowledge.failure(&finding.failure).is_some_and(|known| known.hits_many());
            let is_own = || flows.iter().any(|flow| finding.flows.contains(&flow.id));
            judgement::stopping(prediction, stage).any(|(_, cause)| cause.failure == finding.failure)
                && (hits_many() || is_own())
        };
        let causes = self.seen.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let since = |finding: &Finding| {
            let stopped = finding.flows.iter().filter_map(|flow| self.started.get(flow.as_str()).copied()).min();
            finding.first_seen.max(stopped)
        };
        causes.filter(is_predicted).filter_map(since).min()
    }
}

/// All stages of both phases.
pub(super) fn compare(client: &Client, phases: &[Prediction], logs: &Logs<'_>, at: Micros) -> Vec<Comparison> {
    let flows = logs.flows_of(client);
    let mut rows = Vec::new();
    for prediction in phases {
        for predicted in &prediction.stages {
            let flow = that_matters(&flows, kinds(prediction.phase, predicted.stage), predicted.stage);
            let since = logs.first_seen(prediction, predicted.stage, &flows);
            rows.push(row((prediction, predicted), flow, logs, (since, at)));
        }
    }
    rows
}

/// Of which clients the logs say nothing, as a sentence; `None` where they say something of all.
pub(super) fn not_compared(clients: &[ClientPreflight], seen: Observed<'_>) -> Option<String> {
    /// Names that are told; the others are counted.
    const TOLD: usize = 5;
    let listed = |names: &[&str]| {
        let more = names.len().saturating_sub(TOLD);
        let told = names.iter().take(TOLD).copied().collect::<Vec<_>>().join(", ");
        if more == 0 { told } else { format!("{told} and {more} more") }
    };
    let is_seen = |client: &&ClientPreflight| client.compared.iter().any(|row| row.flow.is_some());
    let (told, absent): (Vec<_>, Vec<_>) = clients.iter().partition(is_seen);
    let absent: Vec<&str> = absent.iter().map(|client| client.client.as_str()).collect();
    if absent.is_empty() {
        return None;
    }
    if !told.is_empty() {
        return Some(format!("The logs hold no flow of {}: nothing was compared there.", listed(&absent)));
    }
    let hosts: BTreeSet<&str> = seen.flows.iter().filter_map(|flow| flow.client.host.as_deref()).collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    Some(match (seen.flows, hosts.as_slice()) {
        ([], _) => "The logs hold no flow of any client: nothing was compared.".to_owned(),
        (_, []) => format!(
            "The logs do not say of which hosts they are, and hold no flow of {}: nothing was compared.",
            listed(&absent)
        ),
        (_, hosts) => format!(
            "The logs are of other hosts ({}), and hold no flow of {}: nothing was compared.",
            listed(hosts),
            listed(&absent)
        ),
    })
}

/// The flow that a prediction is held against: the last one that failed, unless a later one was completed, for it is what
/// has to be explained, and what passed before it says nothing against a cause that came later; else the last one that
/// tells of the stage, of the first of the `kinds` that there is a flow of.
fn that_matters<'f>(flows: &[&'f Flow], kinds: &[FlowKind], stage: Stage) -> Option<&'f Flow> {
    let when = |flow: &&Flow| (flow.ended, flow.started);
    let failed = flows.iter().copied().filter(|flow| matches!(flow.outcome, Outcome::Failed | Outcome::Stalled));
    let of_kind = |kind: &FlowKind| flows.iter().copied().filter(|flow| flow.kind == *kind).collect::<Vec<_>>();
    let last = failed.filter(|flow| kinds.contains(&flow.kind)).max_by_key(when);
    let is_over = |failed: &&Flow| {
        let mut later = flows.iter().filter(|flow| kinds.contains(&flow.kind) && flow.started > failed.ended);
        later.any(|flow| flow.outcome == Outcome::Completed)
    };
    last.filter(|failed| !is_over(failed)).or_else(|| {
        let flows = kinds.iter().map(of_kind).find(|flows| !flows.is_empty())?;
        flows.into_iter().max_by_key(|flow| (tells_of(flow, stage), when(flow)))
    })
}

/// A host's name without its domain, in small letters.
fn label(name: &str) -> String {
    name.split('.').next().unwrap_or(name).to_ascii_lowercase()
}

/// A host is named with its domain or without.
fn same_host(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (one.contains('.') != other.contains('.') && label(one) == label(other))
}

/// The flows that a phase is seen in, the best first. The registration comes before the site's settings do.
const fn kinds(phase: Phase, stage: Stage) -> &'static [FlowKind] {
    match (phase, stage) {
        (_, Stage::Registration) => &[FlowKind::Registration],
        (Phase::Bootstrap, _) => &[FlowKind::Install, FlowKind::Registration],
        (Phase::AfterRefresh, _) => &[FlowKind::Service],
    }
}

/// Whether a flow passed a stage or failed at it.
pub(super) fn tells_of(flow: &Flow, stage: Stage) -> bool {
    let result = flow.stages.iter().find(|result| result.stage == stage);
    result.is_some_and(|result| matches!(result.status, StageStatus::Passed | StageStatus::Failed))
}

/// `since` is when something that is predicted to stop the stage was first seen, `at` the instant of the prediction.
fn row(
    (prediction, predicted): (&Prediction, &Predicted),
    flow: Option<&Flow>,
    logs: &Logs<'_>,
    (since, at): (Option<Micros>, Micros),
) -> Comparison {
    let result = flow.and_then(|flow| flow.stages.iter().find(|result| result.stage == predicted.stage));
    let causes = flow.map(|flow| logs.causes_of(flow)).unwrap_or_default();
    let here = causes.iter().filter(|finding| finding.stage == Some(predicted.stage));
    let failures = here.map(|finding| finding.failure.clone()).collect();
    let judged = flow.zip(result).map(|(flow, result)| {
        let knowledge = logs.knowledge;
        let beside = SideBySide { prediction, predicted, flow, observed: result, causes, since, knowledge };
        let (agreement, difference) = beside.judge();
        let apart = difference.as_ref().and_then(|_| apart(flow, at));
        (agreement, difference.map(|words| apart.map_or(words.clone(), |apart| format!("{words} {apart}"))))
    });
    let (agreement, explanation) = judged.unwrap_or((Agreement::Open, None));
    Comparison {
        phase: prediction.phase,
        stage: predicted.stage,
        predicted: predicted.status,
        observed: result.map(|result| result.status),
        flow: flow.filter(|_| result.is_some()).map(|flow| flow.id.clone()),
        failures,
        agreement,
        explanation,
    }
}

/// That flow and prediction lie far apart, where they do.
fn apart(flow: &Flow, at: Micros) -> Option<String> {
    let seen = flow.ended.or(flow.started)?;
    let hours = (at - seen).abs() / 3_600_000_000;
    (hours >= APART_HOURS).then(|| {
        format!(
            "The flow is of {}, the prediction for {}: time alone may make the difference.",
            rfc3339(seen),
            rfc3339(at)
        )
    })
}
