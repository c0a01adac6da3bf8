//! Which flow of the engine is which flow of the truth, and whether it says the same of it.

use std::collections::BTreeMap;

use cmgtrail::engine::Trail;
use cmgtrail::flows::Flow;
use cmgtrail::simulate::{FlowTruth, Truth};
use cmgtrail::stage::{Stage, StageStatus};

use super::damage::Damaged;
use super::tally::Tally;

/// Flows of truth and engine, by the lines of clients that they share.
pub struct Matching {
    /// Flows of the truth of which the client's own logs still hold a line.
    pub visible: Vec<usize>,
    /// Of each of the engine's flows, the flow of the truth that most of its lines are of.
    pub owners: Vec<Option<usize>>,
    /// Of each flow of the truth, the engine's flow that holds most of its lines, and is mostly of it.
    pub found: BTreeMap<usize, usize>,
}

impl Matching {
    /// Matches them; `damaged` says where lines stand now.
    pub fn of(truth: &Truth, damaged: &Damaged, trail: &Trail) -> Self {
        let mut owner_of: BTreeMap<(&str, u32), usize> = BTreeMap::new();
        let mut visible = Vec::new();
        for (number, flow) in truth.flows.iter().enumerate() {
            let before = owner_of.len();
            let own = flow.lines.iter().filter(|line| is_of_client(&line.source));
            let left = own.filter_map(|line| Some((line.source.as_str(), damaged.line(&line.source, line.line)?)));
            owner_of.extend(left.map(|line| (line, number)));
            if owner_of.len() > before {
                visible.push(number);
            }
        }
        let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (number, flow) in trail.flows.iter().enumerate() {
            for event in flow.events.iter().filter(|event| is_of_client(&event.source)) {
                if let Some(owner) = owner_of.get(&(&*event.source, event.line)) {
                    *shared.entry((*owner, number)).or_default() += 1;
                }
            }
        }
        let most = |pick: &dyn Fn((usize, usize)) -> Option<usize>| {
            shared.iter().filter_map(|(pair, lines)| Some((*lines, pick(*pair)?))).max().map(|(_, best)| best)
        };
        let owners: Vec<Option<usize>> =
            (0..trail.flows.len()).map(|flow| most(&|pair| (pair.1 == flow).then_some(pair.0))).collect();
        let mut found = BTreeMap::new();
        for &flow in &visible {
            let best = most(&|pair| (pair.0 == flow).then_some(pair.1));
            if let Some(best) = best.filter(|best| owners[*best] == Some(flow)) {
                found.insert(flow, best);
            }
        }
        Self { visible, owners, found }
    }
}

fn is_of_client(source: &str) -> bool {
    source.starts_with("client-")
}

/// How flows and their stages fare.
#[derive(Debug, Clone, Default)]
pub struct FlowScore {
    /// Flows found: right is one whose lines are mostly those of one flow of the truth, and the other way round.
    pub found: Tally,
    /// Of those: the kind.
    pub kind: Tally,
    /// Of those: the outcome.
    pub outcome: Tally,
    /// Stages said to have failed.
    pub failed: Tally,
    /// Stages said to have passed.
    pub passed: Tally,
    /// Flows of which the stages said to have failed are not the true ones: the fault, what is true, what was said.
    pub wrong: BTreeMap<String, usize>,
}

impl std::ops::AddAssign for FlowScore {
    fn add_assign(&mut self, other: Self) {
        self.found += other.found;
        self.kind += other.kind;
        self.outcome += other.outcome;
        self.failed += other.failed;
        self.passed += other.passed;
        for (what, count) in other.wrong {
            *self.wrong.entry(what).or_default() += count;
        }
    }
}

impl FlowScore {
    /// Scores all flows of a trail.
    pub fn of(truth: &Truth, matching: &Matching, trail: &Trail) -> Self {
        let mut score = Self::default();
        score.found.add(matching.found.len(), trail.flows.len(), matching.visible.len());
        for (number, flow) in &matching.found {
            let (true_one, flow) = (&truth.flows[*number], &trail.flows[*flow]);
            score.kind.add(usize::from(true_one.kind == flow.kind), 1, 1);
            score.outcome.add(usize::from(true_one.outcome == flow.outcome), 1, 1);
            score.failed += stages(true_one, flow, StageStatus::Failed);
            let said = failed(flow.stages.iter().map(|result| (result.stage, result.status)));
            let is = failed(true_one.stages.iter().map(|result| (result.stage, result.status)));
            if said != is {
                let fault = true_one.fault.unwrap_or("no fault");
                *score.wrong.entry(format!("{fault}, {:?}: {is} said {said}", flow.kind)).or_default() += 1;
            }
            score.passed += stages(true_one, flow, StageStatus::Passed);
        }
        score
    }
}

/// The stages that failed, in words.
fn failed(stages: impl Iterator<Item = (Stage, StageStatus)>) -> String {
    let failed: Vec<&str> =
        stages.filter(|(_, status)| *status == StageStatus::Failed).map(|(stage, _)| stage.id()).collect();
    if failed.is_empty() { "none".to_owned() } else { failed.join("+") }
}

/// The stages that have a status in truth, and by the engine.
fn stages(truth: &FlowTruth, flow: &Flow, status: StageStatus) -> Tally {
    let mut tally = Tally::default();
    for stage in &truth.stages {
        let said = flow.stages.iter().any(|result| result.stage == stage.stage && result.status == status);
        let is = stage.status == status;
        tally.add(usize::from(said && is), usize::from(said), usize::from(is));
    }
    tally
}
