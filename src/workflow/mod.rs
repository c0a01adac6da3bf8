//! The workflow: which stages a flow of each kind goes through, which stage presupposes which, and where each is seen.
//!
//! The one place that says how the system works; flows judge what happened against it, and prediction runs along it.
//!
//! The decisions on the way are small functions, a module for each group of stages, that take facts and answer a
//! [`Ruling`]. [`predict`] makes them all, stage by stage, for one client at one instant; a simulated machine makes the
//! ones that are its own. Certificates and tokens are judged by the validators and nowhere else.

pub mod chains;
pub mod command_line;
pub mod connection;
pub mod connection_point;
pub mod content;
mod decision;
pub mod entra;
pub mod gateway;
pub mod management_point;
mod predict;
mod prediction;
mod question;

pub use decision::{Cause, Ruling, Verdict, Words};
pub use predict::predict;
pub(crate) use predict::{both_phases, waits_for};
pub use prediction::{Predicted, Prediction, Status};
pub use question::{Credential, Phase, Question, clock};

use crate::stage::{FlowKind, Role, Stage};

/// A stage as the workflow knows it.
#[derive(Debug)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// Stages that must have succeeded where this one has.
    pub presupposes: &'static [Stage],
    /// Stages that must have succeeded where this one has merely begun, or has failed: nobody refuses what never
    /// reached him.
    pub begins_after: &'static [Stage],
    /// Kind of machine whose log shows it.
    pub machine: Role,
    /// The logs that show it.
    pub logs: &'static [&'static str],
    /// Kinds of flow that need it, unless the flow shows that it took another way.
    pub needed_by: &'static [FlowKind],
}

use FlowKind::{Install, Registration, Service};
use Stage::{
    AadInfo, AadToken, CcmTokenIssue, CcmTokenRequest, ClientInstall, CmgConnection, CmgForward, CmgReceive,
    ConnectorForward, ContentDownload, LocationRequest, MpValidate, SettingsRefresh, WpjCertificate,
};

const ENTRA_LOGS: &[&str] = &["ccmsetup.log", "ADALOperationProvider.log", "CcmAad.log"];
const CLIENT_LOGS: &[&str] = &["ccmsetup.log", "CcmMessaging.log", "LocationServices.log"];
const TOKEN_LOGS: &[&str] = &["ccmsetup.log", "CcmMessaging.log", "ClientIDManagerStartup.log"];
const CMG_LOGS: &[&str] = &["the CMG's IIS log", "CMGService.log"];

/// The workflow, in display order.
pub const STEPS: [Step; 15] = [
    step(AadInfo, &[CmgConnection], &[], Role::Client, &["ccmsetup.log"], &[]),
    step(WpjCertificate, &[], &[], Role::Client, ENTRA_LOGS, &[Install]),
    step(AadToken, &[WpjCertificate], &[WpjCertificate], Role::Client, ENTRA_LOGS, &[Install]),
    step(CmgConnection, &[], &[], Role::Client, CLIENT_LOGS, &[Install, Registration, Service]),
    step(CcmTokenRequest, &[CmgConnection], &[], Role::Client, TOKEN_LOGS, &[Install]),
    step(CmgReceive, &[CmgConnection], &[CmgConnection], Role::Cmg, CMG_LOGS, &[Install, Registration, Service]),
    step(CmgForward, &[CmgReceive], &[CmgReceive], Role::Cmg, &["CMGService.log"], &[Install, Registration, Service]),
    step(
        ConnectorForward,
        &[CmgForward],
        &[CmgForward],
        Role::ConnectionPoint,
        &["SMS_CLOUD_PROXYCONNECTOR.log"],
        &[Install, Registration, Service],
    ),
    step(MpValidate, &[ConnectorForward], &[ConnectorForward], Role::ManagementPoint, &["CCM_STS.log"], &[Install]),
    step(CcmTokenIssue, &[MpValidate, CcmTokenRequest], &[], Role::Client, TOKEN_LOGS, &[Install]),
    step(
        LocationRequest,
        &[CmgConnection],
        &[],
        Role::Client,
        &["ccmsetup.log", "LocationServices.log", "ClientLocation.log"],
        &[Install],
    ),
    step(ContentDownload, &[CmgConnection], &[], Role::Client, &["ccmsetup.log", "DataTransferService.log"], &[]),
    step(ClientInstall, &[], &[], Role::Client, &["ccmsetup.log"], &[Install]),
    step(Stage::Registration, &[], &[], Role::Client, &["ClientIDManagerStartup.log"], &[Registration]),
    step(SettingsRefresh, &[LocationRequest], &[], Role::Client, &["LocationServices.log"], &[]),
];

const fn step(
    stage: Stage,
    presupposes: &'static [Stage],
    begins_after: &'static [Stage],
    machine: Role,
    logs: &'static [&'static str],
    needed_by: &'static [FlowKind],
) -> Step {
    Step { stage, presupposes, begins_after, machine, logs, needed_by }
}

/// What the workflow says of a stage.
pub fn of(stage: Stage) -> &'static Step {
    &STEPS[stage as usize]
}

/// The first stage that is the work of a server of this kind; `None` for clients, whose work is of many stages.
pub fn first_at(role: Role) -> Option<Stage> {
    STEPS.iter().find(|step| step.machine == role).filter(|_| role != Role::Client).map(|step| step.stage)
}

/// All stages that must have succeeded where `stage` has, nearest first.
pub fn presupposed_by(stage: Stage) -> Vec<Stage> {
    closure(of(stage).presupposes)
}

/// All stages that must have succeeded where somebody on the way has refused what `stage` asked for.
pub fn reached_before(stage: Stage) -> Vec<Stage> {
    closure(of(stage).begins_after)
}

fn closure(direct: &[Stage]) -> Vec<Stage> {
    let mut all: Vec<Stage> = direct.to_vec();
    let mut next = 0;
    while let Some(&stage) = all.get(next) {
        for &before in of(stage).presupposes {
            if !all.contains(&before) {
                all.push(before);
            }
        }
        next += 1;
    }
    all
}

/// True where trouble at one stage can be all that is behind a failure at another. Who asks for a token, a location or
/// a registration asks the whole way up to the management point, and the client's log need not say where it ended.
pub fn lies_on_the_way(trouble: Stage, asked: Stage) -> bool {
    let way = [CmgReceive, CmgForward, ConnectorForward];
    match asked {
        CcmTokenRequest | CcmTokenIssue => way.contains(&trouble) || trouble == MpValidate,
        LocationRequest | Stage::Registration | SettingsRefresh => way.contains(&trouble),
        _ => false,
    }
}

/// True where a stage's work cannot be done while another's, `broken`, cannot.
pub fn is_behind(stage: Stage, broken: Stage) -> bool {
    stage != broken && (reached_before(stage).contains(&broken) || presupposed_by(stage).contains(&broken))
        || lies_on_the_way(broken, stage)
}

/// True where a client goes on to `next` with the answer that it got at `asked`, though it need not have asked.
pub fn goes_on_to(asked: Stage, next: Stage) -> bool {
    asked == AadInfo && matches!(next, WpjCertificate | AadToken)
}

/// True where the stage lies between client and site, so that only a request to a CMG goes through it.
pub fn needs_cmg(stage: Stage) -> bool {
    matches!(
        stage,
        AadInfo
            | CmgConnection
            | CcmTokenRequest
            | CmgReceive
            | CmgForward
            | ConnectorForward
            | MpValidate
            | CcmTokenIssue
    )
}

/// True where only the gateway and the way behind it can do the stage's work; a token can also be had without them.
pub fn is_of_gateway(stage: Stage) -> bool {
    matches!(stage, AadInfo | CmgConnection | CmgReceive | CmgForward | ConnectorForward)
}

/// The kind of flow that a log serves before all others.
///
/// ```
/// use cmgtrail::stage::FlowKind;
/// assert_eq!(cmgtrail::workflow::kind_of_log("ccmsetup-20261104-091233"), FlowKind::Install);
/// ```
pub fn kind_of_log(log: &str) -> FlowKind {
    let log = log.to_ascii_lowercase();
    if log.starts_with("ccmsetup") {
        FlowKind::Install
    } else if log.starts_with("clientidmanagerstartup") {
        FlowKind::Registration
    } else {
        FlowKind::Service
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_in_display_order() {
        for (step, stage) in STEPS.iter().zip(Stage::ALL) {
            assert_eq!(step.stage, stage);
        }
    }

    #[test]
    fn a_ccm_token_presupposes_the_whole_way() {
        let before = presupposed_by(CcmTokenIssue);
        for stage in [CmgConnection, CcmTokenRequest, CmgReceive, CmgForward, ConnectorForward, MpValidate] {
            assert!(before.contains(&stage), "{stage:?} is missing in {before:?}");
        }
        assert!(!before.contains(&AadToken), "a token can be issued without a new Entra token");
    }
}
