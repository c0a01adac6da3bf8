//! Predicted and observed, side by side: where they disagree, something is there that the description does not see.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{ClientPreflight, Observed};
use crate::finding::{Finding, Severity};
use crate::flows::{Flow, StageResult};
use crate::knowledge::{Knowledge, Unforeseen};
use crate::site::Client;
use crate::stage::{FlowKind, Outcome, Stage, StageStatus};
use crate::time::{MINUTE, Micros, rfc3339};
use crate::workflow::{Phase, Predicted, Prediction, Status, entra};

/// Hours between a prediction's instant and a flow from which on time itself may make the difference.
const APART_HOURS: i64 = 24;

/// How far the clocks of two machines may be apart, where one tells of a pass and the other of the cause.
const CLOCKS: Micros = 10 * MINUTE;

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
}

impl<'a> Logs<'a> {
    pub fn of(seen: Observed<'a>) -> Self {
        let mut logs = Self { seen, by_label: HashMap::new(), by_device: HashMap::new(), causes: HashMap::new() };
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

    /// When something that is predicted was first seen: with a flow of this client, or with any where it hits many.
    fn first_seen(&self, prediction: &Prediction, flows: &[&Flow]) -> Option<Micros> {
        let is_predicted = |finding: &&Finding| {
            let hits_many = || Knowledge::builtin().failure(&finding.failure).is_some_and(|known| known.hits_many());
            let is_own = || flows.iter().any(|flow| finding.flows.contains(&flow.id));
            prediction.causes().any(|(_, cause)| cause.failure == finding.failure) && (hits_many() || is_own())
        };
        let causes = self.seen.findings.iter().filter(|finding| finding.severity == Severity::Error);
        causes.filter(is_predicted).filter_map(|finding| finding.first_seen).min()
    }
}

/// All stages of both phases.
pub(super) fn compare(client: &Client, phases: &[Prediction], logs: &Logs<'_>, at: Micros) -> Vec<Comparison> {
    let flows = logs.flows_of(client);
    let mut rows = Vec::new();
    for prediction in phases {
        let since = logs.first_seen(prediction, &flows);
        for predicted in &prediction.stages {
            let flow = that_matters(&flows, kinds(prediction.phase, predicted.stage), predicted.stage);
            rows.push(row(prediction, predicted, flow, logs, (since, at)));
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
fn tells_of(flow: &Flow, stage: Stage) -> bool {
    let result = flow.stages.iter().find(|result| result.stage == stage);
    result.is_some_and(|result| matches!(result.status, StageStatus::Passed | StageStatus::Failed))
}

/// `since` is when something that is predicted was first seen, `at` the instant of the prediction.
fn row(
    prediction: &Prediction,
    predicted: &Predicted,
    flow: Option<&Flow>,
    logs: &Logs<'_>,
    (since, at): (Option<Micros>, Micros),
) -> Comparison {
    let result = flow.and_then(|flow| flow.stages.iter().find(|result| result.stage == predicted.stage));
    let causes = flow.map(|flow| logs.causes_of(flow)).unwrap_or_default();
    let here = causes.iter().filter(|finding| finding.stage == Some(predicted.stage));
    let failures: Vec<String> = here.map(|finding| finding.failure.clone()).collect();
    // What began to pass before the predicted cause was there says nothing against it, and neither does what passed with
    // a token that the client still had, where getting one is what is stopped.
    let earlier =
        flow.and_then(|flow| flow.started).zip(since).is_some_and(|(started, since)| started < since + CLOCKS);
    let unasked = stops_the_token(prediction) && flow.is_some_and(|flow| !tells_of(flow, Stage::CcmTokenIssue));
    // A client's own log shows the request that failed, and not how far behind it that was.
    let foreseen = |finding: &&Finding| prediction.causes().any(|(_, cause)| cause.failure == finding.failure);
    let behind = failures.is_empty() && causes.iter().copied().any(|finding| foreseen(&finding));
    let (agreement, difference) = match result {
        Some(result)
            if (earlier || unasked) && result.status == StageStatus::Passed && predicted.status != Status::Passed =>
        {
            (Agreement::Open, None)
        }
        Some(result) if behind && result.status == StageStatus::Failed => (Agreement::Agree, None),
        Some(result) => judge(predicted, result, &failures),
        None => (Agreement::Open, None),
    };
    let explanation = difference.map(|difference| match flow.and_then(|flow| apart(flow, at)) {
        Some(apart) => format!("{difference} {apart}"),
        None => difference,
    });
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

/// Whether what stops the client first stops it on the way to a token of the site.
fn stops_the_token(prediction: &Prediction) -> bool {
    prediction.causes().next().is_some_and(|(stage, _)| {
        matches!(
            stage,
            Stage::AadInfo | Stage::WpjCertificate | Stage::AadToken | Stage::CmgReceive | Stage::MpValidate
        )
    })
}

fn judge(predicted: &Predicted, result: &StageResult, failures: &[String]) -> (Agreement, Option<String>) {
    let ids = predicted.causes.iter().map(|cause| cause.failure).collect::<Vec<_>>();
    match (predicted.status, result.status) {
        // A stage that failed was reached, which need not contradict: the logs may not show what stopped it before.
        (_, StageStatus::Unseen | StageStatus::Skipped)
        | (Status::NotKnown | Status::Skipped, _)
        | (Status::NotReached, StageStatus::Failed) => (Agreement::Open, None),
        (Status::Passed, StageStatus::Passed) => (Agreement::Agree, None),
        (Status::Blocked, StageStatus::Failed) => {
            let same = failures.is_empty() || failures.iter().any(|found| ids.contains(&found.as_str()));
            if same {
                return (Agreement::Agree, None);
            }
            let text = format!(
                "It failed as predicted, but of {} and not of {}: the description does not see {}.",
                failures.join(", "),
                ids.join(", "),
                unseen(failures, predicted.stage)
            );
            (Agreement::Disagree, Some(text))
        }
        (Status::Passed, StageStatus::Failed) => {
            let found = if failures.is_empty() { String::new() } else { format!(" ({})", failures.join(", ")) };
            let text = format!(
                "It was predicted to pass and failed{found}: the description does not see {}.",
                unseen(failures, predicted.stage)
            );
            (Agreement::Disagree, Some(text))
        }
        (Status::Blocked | Status::NotReached, StageStatus::Passed) => {
            let of: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            let text = format!(
                "It was predicted not to pass and passed: the description is not that of the client at that time; \
                 look at {}.",
                unseen(&of, predicted.stage)
            );
            (Agreement::Disagree, Some(text))
        }
    }
}

/// What a description cannot see, or has wrong, where these failures stand against it.
fn unseen(failures: &[String], stage: Stage) -> String {
    const NETWORK: &str = "the network in between at that time";
    const TIME: &str = "the clocks at that time";
    const CERTIFICATE: &str = "another certificate, or another store, than the files told";
    const SETTINGS: &str = "settings of a server or client that are not as told";
    let of_failure = |id: &String| match Knowledge::builtin().failure(id).map(|known| known.unforeseen) {
        Some(Unforeseen::Time) => TIME,
        Some(Unforeseen::Network) => NETWORK,
        Some(Unforeseen::Certificate) => CERTIFICATE,
        Some(Unforeseen::Setting) | None => SETTINGS,
    };
    let mut words: Vec<&str> = failures.iter().map(of_failure).collect();
    if words.is_empty() {
        words = match stage {
            Stage::CmgConnection => vec![NETWORK, TIME, CERTIFICATE],
            Stage::CmgForward => vec![NETWORK],
            _ => vec![SETTINGS, NETWORK],
        };
    }
    words.dedup();
    words.join(", or ")
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
