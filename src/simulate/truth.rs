//! What is true of a simulation: `truth.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::describe::seconds;
use super::facts::{Delays, World};
use super::faults::{self, FaultKind};
use super::journal::NONE;
use super::lines::Proof;
use super::logs::Written;
use super::run::{FlowRecord, Run};
use crate::stage::{FlowKind, Outcome, Stage, StageStatus};
use crate::time::{Micros, rfc3339};
use crate::workflow::{self, Phase};

/// `truth.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Truth {
    /// Version of this form.
    pub schema: u32,
    /// The seed.
    pub seed: u64,
    /// First and last instant, true UTC.
    pub start: String,
    /// Last instant, true UTC.
    pub end: String,
    /// The flows, in order of start.
    pub flows: Vec<FlowTruth>,
    /// Seconds that each machine's clock is ahead of true UTC, by its folder.
    pub offsets: BTreeMap<String, f64>,
    /// The faults that were injected.
    pub faults: Vec<FaultTruth>,
    /// The requests, in order of their first line.
    pub requests: Vec<RequestTruth>,
    /// Delays between the machines: what an oracle may know.
    pub delays: Delays,
    /// The files that were written beside this one: what `--force` removes.
    pub files: Vec<String>,
    /// Clients of the description that could not be simulated as they are told, each with the reason.
    pub left_out: Vec<String>,
}

/// A flow.
#[derive(Debug, Clone, Serialize)]
pub struct FlowTruth {
    /// Host name of the client.
    pub client: String,
    /// What it was after.
    pub kind: FlowKind,
    /// When it began, true UTC.
    pub started: String,
    /// When it ended, true UTC.
    pub ended: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The failure that broke it: one that was put in, or that follows from the facts; null for a flow that works.
    pub fault: Option<&'static str>,
    /// How sure that failure's traces are, by the failure catalogue; null where it is none that can be put in.
    pub proof: Option<Proof>,
    /// Where it broke; null for a flow that works.
    pub broke_at: Option<Stage>,
    /// Number of attempts.
    pub attempts: u32,
    /// All stages, in display order.
    pub stages: Vec<StageTruth>,
    /// Its lines on all machines, in order of true time.
    pub lines: Vec<LineTruth>,
}

/// A stage of a flow.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StageTruth {
    /// The stage.
    pub stage: Stage,
    /// `unseen` where the flow did not come so far, `skipped` where it does not need it.
    pub status: StageStatus,
}

/// A line of a flow.
#[derive(Debug, Clone, Serialize)]
pub struct LineTruth {
    /// File, relative to the output folder, with `/`.
    pub source: String,
    /// First physical line of the record, 1-based.
    pub line: u32,
    /// Its stage.
    pub stage: Stage,
    /// How sure its shape is, by the log catalogue.
    pub proof: Proof,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// Place of its request in `requests`, where it is of one.
    pub request: Option<usize>,
}

/// A request and where it left lines.
#[derive(Debug, Clone, Serialize)]
pub struct RequestTruth {
    /// Place of its flow in `flows`.
    pub flow: usize,
    /// The flow's attempt, from 1.
    pub attempt: u32,
    /// What was asked for.
    pub endpoint: &'static str,
    /// Its lines, in order of true time.
    pub hops: Vec<Hop>,
}

/// A line of a request.
#[derive(Debug, Clone, Serialize)]
pub struct Hop {
    /// Folder of the machine.
    pub machine: String,
    /// File, relative to the output folder, with `/`.
    pub source: String,
    /// First physical line of the record, 1-based.
    pub line: u32,
    /// When it was written, true UTC.
    pub at_true_utc: String,
}

/// A fault that was injected.
#[derive(Debug, Clone, Serialize)]
pub struct FaultTruth {
    /// What it is.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Since when, true UTC; null: from the start.
    pub onset: Option<String>,
    /// Host names of the clients it hits; empty for a fault of the site.
    pub clients: Vec<String>,
    /// Flows that it broke.
    pub flows: usize,
}

/// Lines as they came to stand: machine, file, line.
struct Found {
    at: Micros,
    machine: usize,
    file: usize,
    line: u32,
    stage: Stage,
    attempt: u32,
    request: u32,
    proof: Proof,
}

impl Truth {
    pub(super) fn of(seed: u64, world: &World, run: &Run<'_>, written: &[Written]) -> Self {
        let folders: Vec<&str> = world.machines().map(|machine| machine.folder.as_str()).collect();
        let mut lines: Vec<Vec<Found>> = run.flows.iter().map(|_| Vec::new()).collect();
        for (machine, written) in written.iter().enumerate() {
            for standing in &written.standing {
                let (owner, at) = (standing.owner, standing.at);
                let found = Found {
                    at,
                    machine,
                    file: standing.file,
                    line: standing.line,
                    stage: owner.stage,
                    attempt: owner.attempt,
                    request: owner.request,
                    proof: standing.proof,
                };
                if let Some(of_flow) = usize::try_from(owner.flow).ok().and_then(|flow| lines.get_mut(flow)) {
                    of_flow.push(found);
                }
            }
        }
        let mut order: Vec<usize> =
            (0..run.flows.len()).filter(|flow| lines.get(*flow).is_some_and(|found| !found.is_empty())).collect();
        order.sort_by_key(|flow| run.flows.get(*flow).map(|flow| flow.started));
        let mut truth = Self {
            schema: 1,
            seed,
            start: rfc3339(world.start),
            end: rfc3339(world.end),
            flows: Vec::with_capacity(order.len()),
            offsets: world.machines().map(|machine| (machine.folder.clone(), seconds(machine.offset))).collect(),
            faults: Vec::new(),
            requests: Vec::new(),
            delays: world.delays,
            files: Vec::new(),
            left_out: Vec::new(),
        };
        for flow in order {
            let (Some(record), Some(found)) = (run.flows.get(flow), lines.get_mut(flow)) else { continue };
            found.sort_by_key(|found| (found.at, found.machine, found.file, found.line));
            truth.add(world, run, record, found, (written, &folders));
        }
        truth.faults = injected(world, &truth.flows);
        truth
    }

    fn add(
        &mut self,
        world: &World,
        run: &Run<'_>,
        record: &FlowRecord,
        found: &[Found],
        (written, folders): (&[Written], &[&str]),
    ) {
        let place = self.flows.len();
        let source = |found: &Found| {
            written
                .get(found.machine)
                .and_then(|written| written.files.get(found.file))
                .map(|file| file.path.clone())
                .unwrap_or_default()
        };
        let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
        let mut lines = Vec::with_capacity(found.len());
        for line in found {
            let request = (line.request != NONE).then(|| {
                *numbers.entry(line.request).or_insert_with(|| {
                    let record = usize::try_from(line.request).ok().and_then(|request| run.requests.get(request));
                    let (attempt, endpoint) = record.map_or((1, ""), |record| (record.attempt, record.endpoint));
                    self.requests.push(RequestTruth { flow: place, attempt, endpoint, hops: Vec::new() });
                    self.requests.len() - 1
                })
            });
            if let Some(request) = request.and_then(|request| self.requests.get_mut(request)) {
                request.hops.push(Hop {
                    machine: folders.get(line.machine).copied().unwrap_or_default().to_owned(),
                    source: source(line),
                    line: line.line,
                    at_true_utc: rfc3339(line.at),
                });
            }
            lines.push(LineTruth {
                source: source(line),
                line: line.line,
                stage: line.stage,
                proof: line.proof,
                attempt: line.attempt,
                request,
            });
        }
        self.flows.push(flow(world, record, lines));
    }
}

fn flow(world: &World, record: &FlowRecord, lines: Vec<LineTruth>) -> FlowTruth {
    // What ends after the last log line is cut off in mid-flow.
    let cut = record.ended > world.end;
    let outcome = if cut { Outcome::Unfinished } else { record.outcome };
    let broke_at = record.broke_at.filter(|_| outcome == Outcome::Failed);
    let fault = broke_at.and_then(|stage| {
        let put_in = cause(world, record, stage);
        let of_stage = put_in.filter(|kind| kind.stage == stage).map(|kind| kind.id);
        of_stage.or(record.follows).or(put_in.map(|kind| kind.id))
    });
    let stages = Stage::ALL.map(|stage| StageTruth { stage, status: status(record, stage, broke_at) });
    FlowTruth {
        client: world.clients.get(record.client).map(|client| client.machine.host.clone()).unwrap_or_default(),
        kind: record.kind,
        started: rfc3339(record.started),
        ended: rfc3339(record.ended.min(world.end)),
        outcome,
        fault,
        proof: fault.and_then(|id| faults::all().find(|kind| kind.id == id)).map(|kind| kind.proof),
        broke_at,
        attempts: record.attempts,
        stages: stages.to_vec(),
        lines,
    }
}

fn status(record: &FlowRecord, stage: Stage, broke_at: Option<Stage>) -> StageStatus {
    match stage {
        _ if broke_at == Some(stage) => StageStatus::Failed,
        _ if record.passed.contains(&stage) => StageStatus::Passed,
        _ if !workflow::of(stage).needed_by.contains(&record.kind) => StageStatus::Skipped,
        _ => StageStatus::Unseen,
    }
}

/// Finds what broke the flows that no fault broke at its own stage: what follows from the facts at that time, by the
/// rules that a prediction has. A description that was taken over may have told it.
pub(super) fn explain(run: &mut Run<'_>) {
    let world = run.world;
    for record in &mut run.flows {
        let Some(stage) = record.broke_at.filter(|_| record.outcome == Outcome::Failed) else { continue };
        if cause(world, record, stage).is_some_and(|kind| kind.stage == stage) {
            continue;
        }
        let phase = if record.kind == FlowKind::Service { Phase::AfterRefresh } else { Phase::Bootstrap };
        record.follows = run.decisions.follows(world, record.client, record.ended, (phase, stage));
    }
}

/// The fault that broke a flow: the one that is in force, and of two the one whose stage it is.
fn cause(world: &World, record: &FlowRecord, stage: Stage) -> Option<&'static FaultKind> {
    let own = world.clients.get(record.client).and_then(|client| client.fault);
    let in_force = world
        .site_faults
        .iter()
        .copied()
        .chain(own)
        .filter(|(_, since)| since.is_none_or(|since| since <= record.ended));
    let mut kinds: Vec<&'static FaultKind> = in_force.map(|(kind, _)| kind).collect();
    kinds.sort_by_key(|kind| kind.stage != stage);
    kinds.first().copied()
}

fn injected(world: &World, flows: &[FlowTruth]) -> Vec<FaultTruth> {
    let count = |kind: &FaultKind| flows.iter().filter(|flow| flow.fault == Some(kind.id)).count();
    let mut found: Vec<FaultTruth> = world
        .site_faults
        .iter()
        .map(|(kind, since)| FaultTruth {
            kind: **kind,
            onset: since.map(rfc3339),
            clients: Vec::new(),
            flows: count(kind),
        })
        .collect();
    for client in &world.clients {
        let Some((kind, since)) = client.fault else { continue };
        let host = client.machine.host.clone();
        match found.iter_mut().find(|known| known.kind.id == kind.id) {
            Some(known) => {
                known.onset = known.onset.take().or(since.map(rfc3339));
                known.clients.push(host);
            }
            None => found.push(FaultTruth {
                kind: *kind,
                onset: since.map(rfc3339),
                clients: vec![host],
                flows: count(kind),
            }),
        }
    }
    found
}
