//! The simulation at work: what all actors share, and what is known of each flow.

use std::collections::BTreeMap;

use super::decide::Decisions;
use super::facts::World;
use super::journal::{Journal, NONE, Owner, Place};
use super::lines::Value;
use super::random::Random;
use super::request::Request;
use crate::error::Result;
use crate::site::{File, TokenFiles};
use crate::stage::{FlowKind, Outcome, Stage};
use crate::time::Micros;

/// What is true of a flow.
#[derive(Debug, Clone)]
pub(super) struct FlowRecord {
    pub client: usize,
    pub kind: FlowKind,
    pub started: Micros,
    pub ended: Micros,
    pub attempts: u32,
    pub outcome: Outcome,
    pub broke_at: Option<Stage>,
    /// Stages whose work was done, in the last attempt.
    pub passed: Vec<Stage>,
    /// The failure that follows from the facts where it broke, if no fault was put in that explains it.
    pub follows: Option<&'static str>,
}

/// What is true of a request.
#[derive(Debug, Clone)]
pub(super) struct RequestRecord {
    pub attempt: u32,
    pub endpoint: &'static str,
}

/// Counts of a gateway's instance for one address in one window.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter {
    pub requests: u64,
    pub responses: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub elapsed_ms: u64,
}

/// Counts of the connection point for one endpoint in five minutes.
#[derive(Debug, Clone, Default)]
pub(super) struct Traffic {
    pub total: u64,
    pub bearer: u64,
    pub failed: u64,
}

/// Everything that the actors share.
pub(super) struct Run<'w> {
    pub world: &'w World,
    pub decisions: Decisions,
    pub journal: Journal,
    pub random: Random,
    pub flows: Vec<FlowRecord>,
    pub requests: Vec<RequestRecord>,
    /// By instance, window and address.
    pub counters: BTreeMap<(usize, Micros, String), Counter>,
    /// By window, endpoint and management point.
    pub traffic: BTreeMap<(Micros, &'static str, usize), Traffic>,
    /// The last token that each client had, and what it is.
    pub tokens: BTreeMap<usize, (String, TokenOf)>,
}

/// Whose a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenOf {
    Device,
    User,
    Registration,
}

impl TokenOf {
    /// Name of its file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device-token",
            Self::User => "user-token",
            Self::Registration => "registration-token",
        }
    }

    /// Its place in a client's description.
    pub const fn place(self, tokens: &mut TokenFiles) -> &mut Option<File> {
        match self {
            Self::Device => &mut tokens.device,
            Self::User => &mut tokens.user,
            Self::Registration => &mut tokens.registration,
        }
    }
}

impl<'w> Run<'w> {
    pub fn new(world: &'w World, random: Random) -> Result<Self> {
        Ok(Self {
            world,
            decisions: Decisions::new(world)?,
            journal: Journal::new(world.machines().count()),
            random,
            flows: Vec::new(),
            requests: Vec::new(),
            counters: BTreeMap::new(),
            traffic: BTreeMap::new(),
            tokens: BTreeMap::new(),
        })
    }

    /// A delay's length, drawn anew.
    pub fn delay(&mut self, delay: super::random::Delay) -> Micros {
        self.random.delay(delay)
    }

    /// Begins a flow.
    pub fn begin(&mut self, client: usize, kind: FlowKind, at: Micros) -> u32 {
        self.flows.push(FlowRecord {
            client,
            kind,
            started: at,
            ended: at,
            attempts: 0,
            outcome: Outcome::Unfinished,
            broke_at: None,
            passed: Vec::new(),
            follows: None,
        });
        number(self.flows.len() - 1)
    }

    pub fn flow(&mut self, flow: u32) -> Option<&mut FlowRecord> {
        self.flows.get_mut(usize::try_from(flow).ok()?)
    }

    /// Begins another attempt of a flow: what the last one reached no longer counts.
    pub fn attempt(&mut self, flow: u32) -> u32 {
        self.flow(flow).map_or(1, |flow| {
            flow.attempts += 1;
            flow.broke_at = None;
            flow.passed.clear();
            flow.attempts
        })
    }

    pub fn passed(&mut self, flow: u32, stage: Stage) {
        if let Some(flow) = self.flow(flow)
            && !flow.passed.contains(&stage)
        {
            flow.passed.push(stage);
        }
    }

    /// Ends a flow, or an attempt of it.
    pub fn end(&mut self, flow: u32, at: Micros, outcome: Outcome, broke_at: Option<Stage>) {
        if let Some(flow) = self.flow(flow) {
            (flow.ended, flow.outcome, flow.broke_at) = (at, outcome, broke_at);
        }
    }

    /// Begins a request.
    pub fn request(&mut self, attempt: u32, endpoint: &'static str) -> u32 {
        self.requests.push(RequestRecord { attempt, endpoint });
        number(self.requests.len() - 1)
    }

    /// A server's line on a request.
    pub fn say(
        &mut self,
        place: (usize, &'static str, Micros),
        work: u32,
        request: &Request,
        stage: Stage,
        line: &str,
        values: &[Value<'_>],
    ) {
        let owner = Owner { flow: request.flow, attempt: request.attempt, request: request.number, stage };
        let (machine, log, at) = place;
        self.journal.write(Place { machine, log, at, work, owner: Some(owner) }, line, values);
    }
}

/// A place in a list as a number of an entry. There are fewer than `NONE` of them: memory ends before.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}
