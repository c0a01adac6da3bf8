//! Where a flow broke, as its cause tells: its own lines may show no more than that what was asked for did not come.

use super::{Flow, Followed, LineRef, StageResult};
use crate::stage::{Stage, StageStatus};
use crate::time::Micros;
use crate::workflow;

/// The stage at which a flow broke, by its cause.
#[derive(Debug, Clone)]
pub struct Located {
    /// The flow, as an index.
    pub flow: usize,
    /// The stage.
    pub stage: Stage,
    /// UTC of the line that shows it.
    pub at: Option<Micros>,
    /// That line, where there is one.
    pub line: Option<LineRef>,
}

/// True where the stage at which a flow broke was concluded from what did not come, and `stage`, of which no line says
/// that it passed, can be what was in the way: it lies on the way to that stage, or is what the client goes on to, or a
/// line of the flow itself speaks of it (`is_shown`).
pub fn can_lie_at(flow: &Flow, stage: Stage, is_shown: bool) -> bool {
    let result = |wanted: Stage| flow.stages.iter().find(|result| result.stage == wanted);
    let Some(broken) = flow.broke_at.and_then(result) else { return false };
    let passed = result(stage).is_some_and(|known| known.status == StageStatus::Passed && !known.inferred);
    let asked = broken.stage;
    let can_be = is_shown || workflow::is_behind(asked, stage) || workflow::goes_on_to(asked, stage);
    broken.inferred && asked != stage && !passed && can_be
}

impl Followed {
    /// Tells of each of these flows that it broke where its cause lies.
    pub fn locate(&mut self, located: Vec<Located>) {
        for found in located {
            if let Some(flow) = self.flows.get_mut(found.flow) {
                locate(flow, &found);
            }
        }
    }
}

fn locate(flow: &mut Flow, found: &Located) {
    let before = workflow::reached_before(found.stage);
    let asked = flow.broke_at.replace(found.stage);
    for result in &mut flow.stages {
        let unseen = result.status == StageStatus::Unseen;
        let was_asked = Some(result.stage) == asked;
        let was_answered = was_asked && workflow::goes_on_to(result.stage, found.stage);
        if result.stage == found.stage {
            result.conclude(StageStatus::Failed, found);
        } else if was_answered || (unseen && before.contains(&result.stage)) {
            result.conclude(StageStatus::Passed, found);
        } else if was_asked {
            result.leave(format!("asked for, and not done: the flow broke at {}", found.stage.id()));
        } else if unseen && result.stage > found.stage {
            result.leave(format!("not reached: the flow broke at {}", found.stage.id()));
        }
    }
}

impl StageResult {
    fn conclude(&mut self, status: StageStatus, found: &Located) {
        let evidence = found.line.iter().cloned().collect();
        *self = Self { stage: self.stage, status, inferred: true, reason: None, at: found.at, evidence };
    }

    fn leave(&mut self, reason: String) {
        let (status, reason) = (StageStatus::Unseen, Some(reason));
        *self = Self { stage: self.stage, status, inferred: false, reason, at: None, evidence: Vec::new() };
    }
}
