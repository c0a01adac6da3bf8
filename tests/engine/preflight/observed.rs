//! Predicted and observed: what contradicts a description is told at the stage where it does, and all else stays quiet.

use cmgtrail::finding::{Confidence, Finding, Severity};
use cmgtrail::flows::{Flow, StageResult};
use cmgtrail::knowledge::Knowledge;
use cmgtrail::preflight::{Agreement, Comparison, Observed, Options, Preflight};
use cmgtrail::site::Site;
use cmgtrail::stage::{FlowKind, Outcome, Stage, StageStatus};
use cmgtrail::workflow::Phase;

use super::corpus;
use super::world::{Change, OWN_CERTIFICATE, changed};
use crate::pki::AT;

use Agreement::{Agree, Disagree, Open};
use FlowKind::{Install, Service};
use StageStatus::{Failed, Passed};

const HOUR: i64 = 3_600_000_000;

/// A flow of PC042's that began an hour before the prediction's instant. It broke at the first stage that failed.
fn flow(kind: FlowKind, stages: &[(Stage, StageStatus)]) -> Flow {
    let result = |&(stage, status): &(Stage, StageStatus)| StageResult {
        stage,
        status,
        inferred: false,
        reason: None,
        at: Some(AT - HOUR),
        evidence: Vec::new(),
    };
    let broke_at = stages.iter().find(|(_, status)| *status == Failed).map(|(stage, _)| *stage);
    let mut flow = Flow {
        id: "f1".to_owned(),
        kind,
        attempts: 1,
        started: Some(AT - HOUR),
        ended: Some(AT - HOUR / 2),
        outcome: if broke_at.is_some() { Outcome::Failed } else { Outcome::Completed },
        broke_at,
        stages: stages.iter().map(result).collect(),
        events: Vec::new(),
        ..corpus_flow()
    };
    flow.client.host = Some("PC042".to_owned());
    flow.client.device_id = None;
    flow
}

fn corpus_flow() -> Flow {
    corpus("healthy-install-and-registration").flows.remove(0)
}

/// What the diagnosis says stopped that flow.
fn finding(failure: &str, confidence: Confidence, first_seen: i64) -> Finding {
    let known = Knowledge::builtin().failure(failure).unwrap();
    let mut finding = corpus("root-missing-mask-8").findings.remove(0);
    failure.clone_into(&mut finding.failure);
    finding.severity = Severity::Error;
    finding.stage = known.stage;
    finding.flows = vec!["f1".to_owned()];
    (finding.confidence, finding.first_seen) = (confidence, Some(first_seen));
    finding
}

/// What the diagnosis is sure of, of the time of the flow.
fn sure(failure: &str) -> Finding {
    finding(failure, Confidence::Certain, AT - HOUR)
}

fn compared(site: &Site, flow: &Flow, findings: &[Finding]) -> Preflight {
    compared_beside(site, std::slice::from_ref(flow), findings)
}

fn compared_beside(site: &Site, flows: &[Flow], findings: &[Finding]) -> Preflight {
    compared_by(Knowledge::builtin(), site, flows, findings)
}

fn compared_by(knowledge: &Knowledge, site: &Site, flows: &[Flow], findings: &[Finding]) -> Preflight {
    let seen = Observed { flows, findings };
    Preflight::of(site, &Options { client: None, at: AT }, Some(seen), knowledge).unwrap()
}

fn at(preflight: &Preflight, phase: Phase, stage: Stage) -> &Comparison {
    let rows = &preflight.clients[0].compared;
    rows.iter().find(|row| row.phase == phase && row.stage == stage).unwrap()
}

fn disagreements(preflight: &Preflight) -> Vec<Stage> {
    let rows = preflight.clients[0].compared.iter();
    rows.filter(|row| row.agreement == Disagree).map(|row| row.stage).collect()
}

/// A request to the management point that was answered, with a token that the client had.
const ANSWERED: [(Stage, StageStatus); 5] = [
    (Stage::CmgConnection, Passed),
    (Stage::CmgReceive, Passed),
    (Stage::CmgForward, Passed),
    (Stage::ConnectorForward, Passed),
    (Stage::MpValidate, Passed),
];
const POINT: &str = "roots = [\"root.pem\"]\nhealthy";
const NO_SERVICE: Change = (POINT, "token_service = \"stopped\"\nroots = [\"root.pem\"]\nhealthy");
const NO_COMPRESSION: Change = (POINT, "compression_ok = false\nroots = [\"root.pem\"]\nhealthy");
const STOPPED: Change = ("state = \"running\"", "state = \"stopped-by-traffic-limit\"");
const NO_DNS: Change = ("healthy = true }", "healthy = true, dns = false }");
const DOMAIN: Change = ("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\"");
const NO_CHANNEL: Change = ("healthy = true\n\n[[crl]]", "running = false\nhealthy = true\n\n[[crl]]");
const NO_ROLE: Change = ("72057594037927941 SMSSITECODE", "72057594037927999 SMSSITECODE");
const NO_CONTENT: Change = ("content = [\"PS100001\"]\n\n", "content = []\n\n");

/// A failure of the user's own says what a description does not see of it, and one that replaces a built-in failure says
/// whether it stops more than a new token.
#[test]
fn a_users_failures_say_what_they_mean_for_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let with = |id: &str, keys: &str| {
        let file = folder.path().join("own.toml");
        let text = format!(
            "[[failure]]\nid = '{id}'\nrole = 'cause'\nseverity = 'error'\nstage = 'cmg-connection'\n\
             scope = 'client'\ntitle = 'Own'\nexplanation = 'Own.'\nremedy = 'None.'\nverify = 'None.'\n\
             reference = 'https://example.org'\n{keys}\n[[failure.when]]\nconfidence = 'likely'\n\
             requires = [{{ request = {{ code = [12029] }} }}]\n"
        );
        std::fs::write(&file, text).unwrap();
        Knowledge::with_files(&[file]).unwrap()
    };
    let refused = flow(Service, &[(Stage::CmgConnection, Failed)]);
    let found = Finding { failure: "own-vpn".to_owned(), ..sure("cmg-unreachable") };
    for (keys, words) in [("", "settings of a server"), ("unforeseen = 'network'", "the network in between")] {
        let compared = compared_by(
            &with("own-vpn", keys),
            &changed(&[]),
            std::slice::from_ref(&refused),
            std::slice::from_ref(&found),
        );
        let row = at(&compared, Phase::AfterRefresh, Stage::CmgConnection);
        assert!(row.explanation.as_deref().is_some_and(|said| said.contains(words)), "{:?}", row.explanation);
    }
    let answered = flow(Service, &ANSWERED);
    for (keys, agreement) in [("", Disagree), ("new_tokens_only = true", Open)] {
        let knowledge = with("mp-compression-scheme-broken", keys);
        let compared = compared_by(&knowledge, &changed(&[NO_COMPRESSION]), std::slice::from_ref(&answered), &[]);
        assert_eq!(at(&compared, Phase::AfterRefresh, Stage::MpValidate).agreement, agreement, "{keys}");
    }
}

/// What stops a new token says nothing of a request with an old one; what stops every request does.
#[test]
fn a_token_that_the_client_had_excuses_only_what_it_passes_with() {
    let answered = flow(Service, &ANSWERED);
    let of_a_token = compared(&changed(&[NO_SERVICE]), &answered, &[]);
    assert_eq!(at(&of_a_token, Phase::AfterRefresh, Stage::MpValidate).agreement, Open);
    assert_eq!(disagreements(&of_a_token), []);
    for (change, stage) in [
        (NO_COMPRESSION, Stage::MpValidate),
        (NO_CHANNEL, Stage::CmgForward),
        (("client_cas = [\"root.pem\", \"issuing.pem\"]", "client_cas = [\"root.pem\"]"), Stage::CmgReceive),
    ] {
        // The authorities are asked for a client with a certificate alone.
        let own: &[Change] = if stage == Stage::CmgReceive { &[change, OWN_CERTIFICATE, DOMAIN] } else { &[change] };
        let every_request = compared(&changed(own), &answered, &[]);
        assert_eq!(disagreements(&every_request).first(), Some(&stage), "{change:?}");
    }
    // Both are told: the connection point stops the one that has a token as well.
    let both = compared(&changed(&[NO_SERVICE, NO_CHANNEL]), &answered, &[]);
    assert_eq!(disagreements(&both), [Stage::CmgForward, Stage::ConnectorForward, Stage::MpValidate]);
}

#[test]
fn a_token_that_was_asked_for_or_got_while_installing_excuses_nothing() {
    let asked: Vec<_> = ANSWERED.into_iter().chain([(Stage::CcmTokenIssue, Passed)]).collect();
    let renewed = compared(&changed(&[NO_SERVICE]), &flow(Service, &asked), &[]);
    assert_eq!(disagreements(&renewed), [Stage::MpValidate, Stage::CcmTokenIssue]);
    let installed = compared(&changed(&[NO_SERVICE]), &flow(Install, &ANSWERED), &[]);
    assert_eq!(disagreements(&installed), [Stage::MpValidate]);
    // The device is not joined, as told, and got an Entra token for its join, as the log says.
    let stages = [(Stage::WpjCertificate, Passed), (Stage::AadToken, Passed)];
    let joined = compared(&changed(&[DOMAIN]), &flow(Install, &stages), &[]);
    assert_eq!(disagreements(&joined), [Stage::WpjCertificate, Stage::AadToken]);
    let said = at(&joined, Phase::Bootstrap, Stage::WpjCertificate).explanation.clone().unwrap();
    assert!(said.contains("wpj-certificate-missing") && said.contains("and passed"), "{said}");
}

/// What passed before the cause was there says nothing against it, and much against a cause that never was.
#[test]
fn only_a_cause_that_came_later_excuses_what_passed_before() {
    let answered = flow(Install, &ANSWERED);
    // Another client was stopped by it so long before the prediction's instant; signs of it are older.
    let judged = |failure: &str, before: i64| {
        let mut other = flow(Install, &[(Stage::CmgConnection, Failed)]);
        (other.id, other.client.host) = ("f0".to_owned(), Some("PC777".to_owned()));
        (other.started, other.ended) = (Some(AT - before), Some(AT - before));
        let mut found = finding(failure, Confidence::Certain, AT - 5 * HOUR);
        found.flows = vec![other.id.clone()];
        let site = changed(&[STOPPED, NO_CONTENT]);
        disagreements(&compared_beside(&site, &[answered.clone(), other], &[found]))
    };
    assert_eq!(judged("content-not-on-cmg", HOUR / 2).first(), Some(&Stage::CmgConnection));
    assert_eq!(judged("cmg-stopped-by-traffic-limit", HOUR / 2), []);
    // It was there long before, and the client came through all the same.
    assert_eq!(judged("cmg-stopped-by-traffic-limit", 3 * HOUR).first(), Some(&Stage::CmgConnection));
}

/// A client that registers knows the site's apps, and asks Entra without the CMG.
#[test]
fn a_token_of_entra_needs_no_gateway() {
    let mut registers = flow(FlowKind::Registration, &[(Stage::AadToken, Passed), (Stage::CmgConnection, Failed)]);
    registers.attempts = 2;
    let told = compared(&changed(&[STOPPED]), &registers, &[sure("cmg-stopped-by-traffic-limit")]);
    assert_eq!(disagreements(&told), []);
    assert_eq!(at(&told, Phase::Bootstrap, Stage::CmgConnection).agreement, Agree);
    let told = compared(&changed(&[DOMAIN]), &registers, &[]);
    assert!(disagreements(&told).contains(&Stage::AadToken));
}

/// A request that fails at the client for what is predicted far behind it agrees, and so does nothing else.
#[test]
fn a_stage_that_failed_agrees_only_with_what_explains_it() {
    let refused = [(Stage::CmgConnection, Passed), (Stage::CmgReceive, Failed)];
    let judged = |changes: &[Change], findings: &[Finding]| {
        let preflight = compared(&changed(changes), &flow(Install, &refused), findings);
        (at(&preflight, Phase::Bootstrap, Stage::CmgReceive).agreement, disagreements(&preflight))
    };
    assert_eq!(judged(&[NO_CHANNEL], &[sure("connector-down")]), (Agree, vec![]));
    // Nobody says what it failed of: it may be that, and nothing that comes after the request.
    assert_eq!(judged(&[NO_CHANNEL], &[]), (Open, vec![]));
    assert_eq!(judged(&[NO_CONTENT], &[]), (Disagree, vec![Stage::CmgReceive]));
    assert_eq!(judged(&[], &[]), (Disagree, vec![Stage::CmgReceive]));
    // What is predicted after the request explains nothing of it.
    assert_eq!(judged(&[NO_CONTENT], &[sure("content-not-on-cmg")]), (Disagree, vec![Stage::CmgReceive]));
    // The diagnosis says that something else stopped it, which nobody told.
    assert_eq!(judged(&[NO_CHANNEL], &[sure("sts-not-running")]), (Disagree, vec![Stage::CmgReceive]));
    assert_eq!(judged(&[NO_ROLE], &[sure("wrong-ccmhostname")]), (Agree, vec![]));
    assert_eq!(judged(&[NO_ROLE], &[sure("connector-down")]), (Disagree, vec![Stage::CmgReceive]));
    // It does not tell one neighbour from the other.
    let unsure = finding("connector-ports-blocked", Confidence::Possible, AT - HOUR);
    assert_eq!(judged(&[NO_CHANNEL], &[unsure]), (Open, vec![]));
    assert_eq!(judged(&[NO_CHANNEL], &[sure("connector-ports-blocked")]), (Disagree, vec![Stage::CmgReceive]));
}

/// A connection that fails fails by itself, whatever else is predicted and found.
#[test]
fn a_cause_elsewhere_excuses_no_other_stage() {
    let stages = [(Stage::WpjCertificate, Failed), (Stage::CmgConnection, Failed)];
    let judged = |changes: &[Change], found: &str| {
        disagreements(&compared(&changed(changes), &flow(Install, &stages), &[sure(found)]))
    };
    assert_eq!(judged(&[NO_DNS], "cmg-name-not-resolved"), [Stage::WpjCertificate]);
    assert_eq!(judged(&[DOMAIN], "wpj-certificate-missing"), [Stage::CmgConnection]);
    assert_eq!(judged(&[DOMAIN, NO_DNS], "wpj-certificate-missing"), []);
}

#[test]
fn a_stage_that_was_not_to_be_reached_and_failed_of_something_else_is_told() {
    let stages = [(Stage::MpValidate, Failed)];
    let judged = |found: &[Finding]| {
        let preflight = compared(&changed(&[NO_CHANNEL]), &flow(Install, &stages), found);
        (disagreements(&preflight), at(&preflight, Phase::Bootstrap, Stage::MpValidate).explanation.clone())
    };
    let (stages, said) = judged(&[sure("sts-not-running")]);
    assert_eq!(stages, [Stage::MpValidate]);
    let said = said.unwrap();
    assert!(said.contains("of sts-not-running and not of connector-down"), "{said}");
    // Nobody says what it failed of: it may be what is predicted.
    assert_eq!(judged(&[]), (vec![], None));
}

#[test]
fn a_client_that_was_to_show_its_certificate_and_broke_at_entra_is_told() {
    let stages = [(Stage::CmgConnection, Passed), (Stage::AadToken, Failed)];
    let broken = flow(Install, &stages);
    let told = compared(&changed(&[OWN_CERTIFICATE, DOMAIN]), &broken, &[sure("no-entra-user-signed-in")]);
    assert_eq!(disagreements(&told), [Stage::AadToken]);
    let said = at(&told, Phase::Bootstrap, Stage::AadToken).explanation.clone().unwrap();
    assert!(said.contains("no-entra-user-signed-in") && said.contains("in another way"), "{said}");
    // It went on with its certificate.
    let mut went_on = broken;
    (went_on.outcome, went_on.broke_at) = (Outcome::Completed, None);
    assert_eq!(disagreements(&compared(&changed(&[OWN_CERTIFICATE, DOMAIN]), &went_on, &[])), []);
}

/// A warning that has come true does see what it failed of.
#[test]
fn a_warning_that_came_true_is_told_as_one() {
    let ahead: Change = (POINT, "clock_offset_seconds = 1500\nroots = [\"root.pem\"]\nhealthy");
    let refused = flow(Install, &[(Stage::MpValidate, Failed)]);
    let told = compared(&changed(&[ahead]), &refused, &[sure("token-clock-skew")]);
    assert_eq!(disagreements(&told), [Stage::MpValidate]);
    let said = at(&told, Phase::Bootstrap, Stage::MpValidate).explanation.clone().unwrap();
    assert!(said.contains("with a warning") && !said.contains("does not see"), "{said}");
}

/// The logs of one simulated site, beside the description of the same site with a fault.
#[cfg(feature = "simulate")]
mod simulated {
    use super::*;
    use cmgtrail::engine::{ReadOptions, Silent, Trail};
    use cmgtrail::simulate::{Fault, Plan, in_memory};

    /// Stages and phases at which the logs of a site contradict the description of its twin with a fault.
    fn against(told: Option<&str>, seen: Option<&str>) -> Vec<(Phase, Stage)> {
        let [told, seen] = [told, seen].map(|fault| {
            let faults = fault.map(|id| Fault::parse(id).unwrap()).into_iter().collect();
            let folder = tempfile::tempdir().unwrap();
            let plan = Plan { clients: 4, hours: 3.0, faults, seed: 2, ..Plan::default() };
            in_memory(&plan).unwrap().write(folder.path()).unwrap();
            folder
        });
        let site = Site::read(&told.path().join("site.toml")).unwrap();
        let trail = Trail::read(&[seen.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
        let at = trail.flows.iter().filter_map(|flow| flow.ended).max().unwrap();
        let observed = Observed { flows: &trail.flows, findings: &trail.findings };
        let options = Options { client: None, at };
        let preflight = Preflight::of(&site, &options, Some(observed), Knowledge::builtin()).unwrap();
        let rows = preflight.clients.iter().flat_map(|client| &client.compared);
        rows.filter(|row| row.agreement == Disagree).map(|row| (row.phase, row.stage)).collect()
    }

    #[test]
    fn a_healthy_site_contradicts_what_would_stop_every_request() {
        for (fault, stage) in [
            ("connector-down", Stage::CmgForward),
            ("mp-compression-scheme-broken", Stage::MpValidate),
            ("cmg-certificate-revoked", Stage::CmgConnection),
        ] {
            let found = against(Some(fault), None);
            for phase in Phase::ALL {
                assert!(found.contains(&(phase, stage)), "{fault} {phase:?} {found:?}");
                let before = found.iter().filter(|(_, other)| *other < stage && stage != Stage::CmgConnection);
                assert_eq!(before.count(), 0, "{fault} {found:?}");
            }
        }
    }

    #[test]
    fn a_site_does_not_contradict_its_own_description() {
        for fault in
            ["wpj-certificate-missing", "sts-not-running", "crl-unreachable", "token-audience-or-issuer-refused"]
        {
            assert_eq!(against(Some(fault), Some(fault)), [], "{fault}");
        }
        assert_eq!(against(None, None), []);
    }
}
