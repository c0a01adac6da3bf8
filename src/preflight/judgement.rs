//! Whether one stage of a flow is what was predicted of it.
//!
//! What does not contradict a prediction has to be told apart from what merely looks so: a pass of the time before the
//! cause, a pass with a token that the client still had, a request that fails at the client for what is wrong far behind
//! it. All else that differs is a disagreement.

use super::compare::{Agreement, tells_of};
use crate::finding::{Confidence, Finding};
use crate::flows::{Flow, StageResult};
use crate::knowledge::{Knowledge, Unforeseen};
use crate::stage::{Stage, StageStatus};
use crate::time::{MINUTE, Micros};
use crate::workflow::{Cause, Credential, Phase, Predicted, Prediction, Status, waits_for};

/// How far the clocks of two machines may be apart, where one tells of a pass and the other of the cause.
const CLOCKS: Micros = 10 * MINUTE;

/// The stages of one request, as it goes from machine to machine. The client's own log shows that it failed, and not how
/// far behind it that was.
const REQUEST: [Stage; 5] =
    [Stage::CcmTokenRequest, Stage::CmgReceive, Stage::CmgForward, Stage::ConnectorForward, Stage::MpValidate];

/// Stages that are passed with a token of the site, be it new or not.
const WITH_TOKEN: [Stage; 6] = [
    Stage::CmgReceive,
    Stage::CmgForward,
    Stage::ConnectorForward,
    Stage::MpValidate,
    Stage::LocationRequest,
    Stage::ContentDownload,
];

/// What is predicted to stop a stage: there, or at one that it waits for. Entra is asked without the CMG by a client that
/// knows the site's apps from before.
pub(super) fn stopping(prediction: &Prediction, stage: Stage) -> impl Iterator<Item = (Stage, &Cause)> {
    let waits = move |at: Stage| waits_for(stage, at) && (stage, at) != (Stage::AadToken, Stage::CmgConnection);
    prediction.causes().filter(move |(at, _)| *at == stage || waits(*at) || prediction.barrier == Some(*at))
}

/// A stage as it was predicted, and as a flow shows it.
pub(super) struct SideBySide<'a> {
    pub prediction: &'a Prediction,
    pub predicted: &'a Predicted,
    pub flow: &'a Flow,
    pub observed: &'a StageResult,
    /// What stopped the flow, by the diagnosis.
    pub causes: &'a [&'a Finding],
    /// When something that is predicted to stop the stage was first seen.
    pub since: Option<Micros>,
    /// What is known of failures.
    pub knowledge: &'a Knowledge,
}

impl SideBySide<'_> {
    /// Whether both say the same, and what to make of it where they do not.
    pub fn judge(&self) -> (Agreement, Option<String>) {
        let difference = match (self.predicted.status, self.observed.status) {
            (_, StageStatus::Unseen | StageStatus::Skipped)
            | (Status::NotKnown, _)
            | (Status::Skipped, StageStatus::Passed) => return (Agreement::Open, None),
            (Status::Passed, StageStatus::Passed) => return (Agreement::Agree, None),
            (Status::Blocked | Status::NotReached, StageStatus::Passed) if self.is_excused() => {
                return (Agreement::Open, None);
            }
            (Status::Blocked | Status::NotReached, StageStatus::Passed) => self.passed(),
            (Status::Skipped, StageStatus::Failed) if !self.proves_otherwise() => return (Agreement::Open, None),
            (Status::Skipped, StageStatus::Failed) => self.not_to_be_needed(),
            (status, StageStatus::Failed) => match self.failed(status) {
                Ok(agreement) => return (agreement, None),
                Err(difference) => difference,
            },
        };
        (Agreement::Disagree, Some(difference))
    }

    const fn stage(&self) -> Stage {
        self.predicted.stage
    }

    /// What was to stop the stage.
    fn stopping(&self) -> impl Iterator<Item = (Stage, &Cause)> {
        stopping(self.prediction, self.stage())
    }

    /// Whether a pass says nothing against what was to stop it.
    fn is_excused(&self) -> bool {
        let passed = self.observed.at.or(self.flow.started);
        let is_earlier = passed.zip(self.since).is_some_and(|(passed, since)| passed < since + CLOCKS);
        is_earlier || self.stopping().next().is_none() || self.is_by_an_old_token()
    }

    /// Whether the client may have passed with a token of the site that it still had, where what is stopped is getting
    /// one. One that is being installed has none, and one that asked for one in this flow needed it.
    fn is_by_an_old_token(&self) -> bool {
        const GETTING_ONE: [Stage; 3] = [Stage::AadInfo, Stage::WpjCertificate, Stage::AadToken];
        let of_new_tokens = |failure| self.knowledge.failure(failure).is_some_and(|known| known.new_tokens_only);
        let mut stopping = self.stopping();
        self.prediction.phase == Phase::AfterRefresh
            && self.prediction.credential == Credential::Entra
            && WITH_TOKEN.contains(&self.stage())
            && !tells_of(self.flow, Stage::CcmTokenIssue)
            && stopping.all(|(at, cause)| GETTING_ONE.contains(&at) || of_new_tokens(cause.failure))
    }

    fn passed(&self) -> String {
        let ids: Vec<String> = self.stopping().map(|(_, cause)| cause.failure.to_owned()).collect();
        format!(
            "It was predicted not to pass ({}) and passed: the description is not that of the client at that time; look \
             at {}.",
            ids.join(", "),
            self.unseen(&ids)
        )
    }

    /// Whether a flow broke at a step on the way to a token, which the client was to pass over for a better proof.
    fn proves_otherwise(&self) -> bool {
        const TO_A_TOKEN: [Stage; 4] =
            [Stage::WpjCertificate, Stage::AadToken, Stage::CcmTokenRequest, Stage::CcmTokenIssue];
        matches!(self.prediction.credential, Credential::Certificate | Credential::RegistrationToken)
            && TO_A_TOKEN.contains(&self.stage())
            && self.flow.broke_at == Some(self.stage())
    }

    fn not_to_be_needed(&self) -> String {
        let found = names(&self.here());
        let found = if found.is_empty() { found } else { format!(" ({found})") };
        format!(
            "It was predicted not to be needed and failed{found}: the client proves who it is in another way than the \
             description says. {}",
            self.predicted.why
        )
    }

    /// What the diagnosis says of this stage.
    fn here(&self) -> Vec<&Finding> {
        self.causes.iter().copied().filter(|finding| finding.stage == Some(self.stage())).collect()
    }

    /// What explains that the stage failed: what the diagnosis says of it, else what it says of the same request farther
    /// behind. Of the site's Entra settings a client asks by its tenant, which it takes from its join; and where there is
    /// no token in the end, the log does not say which step on the way to it was the last.
    fn explained_by(&self) -> Vec<&Finding> {
        let here = self.here();
        if !here.is_empty() {
            return here;
        }
        let explains = |at: Stage| match self.stage() {
            Stage::AadInfo => matches!(at, Stage::WpjCertificate | Stage::AadToken),
            own => is_behind(own, at),
        };
        self.causes.iter().copied().filter(|finding| finding.stage.is_some_and(explains)).collect()
    }

    /// Whether the request that passes this stage is predicted to be stopped farther behind. Where the diagnosis does not
    /// say what a client's request failed of, it may be that.
    fn is_stopped_behind(&self) -> bool {
        let mut stages = self.prediction.stages.iter();
        stages.any(|other| other.status == Status::Blocked && is_behind(self.stage(), other.stage))
    }

    fn is_foreseen(&self, finding: &Finding) -> bool {
        self.prediction.causes().any(|(_, cause)| cause.failure == finding.failure)
    }

    fn is_warned_of(&self, failure: &str) -> bool {
        self.predicted.warnings.iter().any(|cause| cause.failure == failure)
    }

    /// Whether the diagnosis is not sure of a cause that stands in the place of a predicted one: a neighbour, which these
    /// logs do not tell from it.
    fn may_be_foreseen(&self, finding: &Finding) -> bool {
        let known = self.knowledge.failure(&finding.failure);
        let is_neighbour =
            |cause: &Cause| known.is_some_and(|known| known.separates_from.iter().any(|other| other == cause.failure));
        finding.confidence == Confidence::Possible && self.prediction.causes().any(|(_, cause)| is_neighbour(cause))
    }

    /// A stage that failed, of which `status` was predicted. A difference is an error, told as a sentence.
    fn failed(&self, status: Status) -> Result<Agreement, String> {
        let explained = self.explained_by();
        if explained.iter().any(|finding| self.is_foreseen(finding)) {
            return Ok(Agreement::Agree);
        }
        if explained.iter().any(|finding| self.may_be_foreseen(finding)) {
            return Ok(Agreement::Open);
        }
        let found = names(&explained);
        let ids: Vec<String> = explained.iter().map(|finding| finding.failure.clone()).collect();
        let unseen = self.unseen(&ids);
        let foreseen_elsewhere = self.causes.iter().any(|finding| self.is_foreseen(finding));
        match status {
            Status::Blocked if found.is_empty() => Ok(Agreement::Agree),
            Status::NotReached if foreseen_elsewhere => Ok(Agreement::Agree),
            // It was reached, which need not contradict: the logs may not show what stopped it before.
            Status::NotReached if found.is_empty() => Ok(Agreement::Open),
            Status::Passed if self.causes.is_empty() && self.is_stopped_behind() => Ok(Agreement::Open),
            Status::Blocked | Status::NotReached => {
                let ids: Vec<&str> = self.stopping().map(|(_, cause)| cause.failure).collect();
                Err(format!(
                    "It failed, but of {found} and not of {} as predicted: the description does not see {unseen}.",
                    ids.join(", ")
                ))
            }
            _ if ids.iter().any(|id| self.is_warned_of(id)) => Err(format!(
                "It was predicted to pass, with a warning of what it failed of ({found}): what was to come is here."
            )),
            _ => {
                let found = if found.is_empty() { found } else { format!(" ({found})") };
                Err(format!("It was predicted to pass and failed{found}: the description does not see {unseen}."))
            }
        }
    }

    /// What a description cannot see, or has wrong, where these failures stand against it.
    fn unseen(&self, failures: &[String]) -> String {
        const NETWORK: &str = "the network in between at that time";
        const TIME: &str = "the clocks at that time";
        const CERTIFICATE: &str = "another certificate, or another store, than the files told";
        const SETTINGS: &str = "settings of a server or client that are not as told";
        let of_failure = |id: &String| match self.knowledge.failure(id).map(|known| known.unforeseen) {
            Some(Unforeseen::Time) => TIME,
            Some(Unforeseen::Network) => NETWORK,
            Some(Unforeseen::Certificate) => CERTIFICATE,
            Some(Unforeseen::Setting) | None => SETTINGS,
        };
        let mut words: Vec<&str> = failures.iter().map(of_failure).collect();
        if words.is_empty() {
            words = match self.stage() {
                Stage::CmgConnection => vec![NETWORK, TIME, CERTIFICATE],
                Stage::CmgForward => vec![NETWORK],
                _ => vec![SETTINGS, NETWORK],
            };
        }
        words.sort_unstable();
        words.dedup();
        words.join(", or ")
    }
}

/// Whether both stages are of one request, and `at` comes after `own`.
fn is_behind(own: Stage, at: Stage) -> bool {
    REQUEST.contains(&own) && REQUEST.contains(&at) && waits_for(at, own)
}

fn names(findings: &[&Finding]) -> String {
    findings.iter().map(|finding| finding.failure.as_str()).collect::<Vec<_>>().join(", ")
}
