//! Every fault, three seeds, three kinds of evidence: a client's logs alone, all logs, artefacts too. Beside it what is
//! predicted from the description of the same site, and from that of its healthy twin.

use cmgtrail::engine::Trail;
use cmgtrail::finding::{Finding, Severity};
use cmgtrail::knowledge::Knowledge;
use cmgtrail::preflight::{Agreement, Observed, Options, Preflight};
use cmgtrail::simulate::{Fault, FaultKind, FlowTruth, OutputFile, Plan, Share, Simulated, in_memory};
use cmgtrail::site::Site;
use cmgtrail::stage::Stage;
use cmgtrail::workflow::Status;
use jiff::Timestamp;

use super::causes::{CauseScore, Verdict};
use super::damage::{Damaged, is_log};
use super::flows::Matching;
use super::site;

/// What is read.
pub const VIEWS: [&str; 3] = ["client's logs", "all logs", "artefacts too"];

/// One fault on one site.
pub struct Trial {
    /// By view.
    pub verdicts: [Verdict; 3],
    /// By view: what is said first, in words.
    pub firsts: [Option<String>; 3],
    /// By view: errors said of those that it does not hit.
    pub false_alarms: [usize; 3],
    /// The description of the site leads to the fault, at its stage.
    pub predicted: bool,
    /// Stages of the flow that it broke of which prediction and logs say the same.
    pub agree: Vec<Stage>,
    /// And the opposite.
    pub disagree: Vec<Stage>,
    /// The description of the healthy twin: the logs disagree with it at the stage of the fault.
    pub blind_disagrees: bool,
}

/// The plan of a site with one fault.
pub fn plan(kind: &'static FaultKind, seed: u64) -> Plan {
    Plan { clients: 5, hours: 3.0, seed, faults: vec![Fault { kind, share: Share::Usual }], ..Plan::default() }
}

impl Trial {
    /// Simulates, reads, and looks ahead. `None` where the fault breaks nothing.
    pub fn of(kind: &'static FaultKind, seed: u64) -> Option<Self> {
        let simulated = in_memory(&plan(kind, seed)).unwrap();
        let healthy = in_memory(&Plan { faults: Vec::new(), ..plan(kind, seed) }).unwrap();
        let number = simulated.truth.flows.iter().position(|flow| flow.fault == Some(kind.id))?;
        let broken = &simulated.truth.flows[number];
        let own = format!("client-{}/", broken.client);
        let trails = [
            read(&simulated, |path| path.starts_with(&own) && is_log(path)),
            read(&simulated, is_log),
            read(&simulated, |path| path != "site.toml"),
        ];
        let errors = [0, 1, 2].map(|view| errors(&trails[view]));
        let told = compared(&simulated, &trails[2], broken)?;
        let blind = compared(&healthy, &trails[2], broken);
        // What the client did before the fault began is of another site than the one that is described.
        let matching = Matching::of(&simulated.truth, &Damaged::not(&[]), &trails[2]);
        let own = matching.found.get(&number).map(|flow| trails[2].flows[*flow].id.as_str());
        let stages = |preflight: &Preflight, agreement| {
            let rows = preflight.clients.iter().flat_map(|client| &client.compared);
            let rows = rows.filter(|row| row.flow.as_deref() == own && row.agreement == agreement);
            rows.map(|row| row.stage).collect::<Vec<_>>()
        };
        Some(Self {
            verdicts: [0, 1, 2].map(|view| Verdict::of(kind.id, &errors[view])),
            firsts: [0, 1, 2].map(|view| {
                errors[view].first().map(|first| format!("{} {:?}", first.failure, first.confidence).to_lowercase())
            }),
            false_alarms: [0, 1, 2].map(|view| {
                let matching = Matching::of(&simulated.truth, &Damaged::not(&[]), &trails[view]);
                CauseScore::of(&simulated.truth, &matching, &trails[view]).false_alarms
            }),
            predicted: is_predicted(&told, kind),
            agree: stages(&told, Agreement::Agree),
            disagree: stages(&told, Agreement::Disagree),
            blind_disagrees: blind.is_some_and(|blind| stages(&blind, Agreement::Disagree).contains(&kind.stage)),
        })
    }
}

fn read(simulated: &Simulated, wanted: impl Fn(&str) -> bool) -> Trail {
    site::read(simulated.files.iter().filter(|file| wanted(&file.path))).unwrap()
}

/// All causes of severity error, best first.
fn errors(trail: &Trail) -> Vec<&Finding> {
    trail.findings.iter().filter(|finding| finding.severity == Severity::Error).collect()
}

/// The prediction from one site's description, for the client of a flow of another's logs, beside these.
fn compared(described: &Simulated, trail: &Trail, broken: &FlowTruth) -> Option<Preflight> {
    let folder = tempfile::tempdir().unwrap();
    for OutputFile { path, bytes } in described.files.iter().filter(|file| !is_log(&file.path)) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let site = Site::read(&folder.path().join("site.toml")).unwrap();
    let at = broken.ended.parse::<Timestamp>().unwrap();
    let options = Options { client: Some(broken.client.clone()), at: at.as_microsecond() };
    let observed = Observed { flows: &trail.flows, findings: &trail.findings };
    Preflight::of(&site, &options, Some(observed), Knowledge::builtin()).ok()
}

fn is_predicted(preflight: &Preflight, kind: &FaultKind) -> bool {
    let mut stages =
        preflight.clients.iter().flat_map(|client| &client.phases).flat_map(|prediction| &prediction.stages);
    stages.any(|predicted| {
        predicted.status == Status::Blocked
            && predicted.stage == kind.stage
            && predicted.causes.iter().any(|cause| cause.failure == kind.id)
    })
}
