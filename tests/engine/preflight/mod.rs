//! Prediction: every cause that follows from facts, on a site that has it, and nothing on its healthy twin.

mod causes;
mod world;

use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Severity;
use cmgtrail::knowledge::Knowledge;
use cmgtrail::preflight::{Agreement, Observed, Options, Preflight, Seen, sketch};
use cmgtrail::site::Site;
use cmgtrail::stage::{Stage, StageStatus};
use cmgtrail::workflow::{Phase, Question, Status, predict};

use crate::pki::AT;
use world::{Change, HEALTHY, LIST, OWN_CERTIFICATE, certificate, changed, folder, predicted};

#[test]
fn nothing_is_predicted_on_the_healthy_twin() {
    let twins: [&[(&str, &str)]; 6] = [
        &[],
        &[OWN_CERTIFICATE, ("join = \"entra\"", "join = \"domain\"")],
        &[("os_build", "tokens = { device = \"device.jwt\" }\nos_build")],
        &[
            ("healthy = true }", "healthy = true, inspection = \"proxy.pem\" }"),
            ("roots = [\"root.pem\"] # of the client", "roots = [\"root.pem\", \"proxy-root.pem\"]"),
            ("crl_check = true", "crl_check = false"),
            ("ccmsetup.exe ", "ccmsetup.exe /NoCRLCheck "),
        ],
        &[("mode = \"https\"", "mode = \"enhanced-http\""), ("\"connector.pem\"", "\"none\"")],
        &[
            LIST,
            ("crl_check = true", "crl_check = false"),
            ("ccmsetup.exe ", "ccmsetup.exe /NoCRLCheck "),
            ("verify_client_revocation = true", "verify_client_revocation = false"),
        ],
    ];
    for changes in twins {
        for phase in Phase::ALL {
            let prediction = predicted(&changed(changes), phase);
            let stages: Vec<_> =
                prediction.stages.iter().map(|s| format!("{:?} {:?} {}", s.stage, s.status, s.why)).collect();
            assert_eq!(prediction.works, Some(true), "{phase:?} {changes:?}\n{stages:#?}");
            assert_eq!(prediction.causes().count(), 0);
            let warnings: Vec<_> = prediction.warnings().collect();
            assert!(warnings.is_empty(), "{phase:?} {changes:?} {warnings:#?}");
        }
    }
}

#[test]
fn what_breaks_later_is_warned_of() {
    let soon = certificate("certificate = [\"ends-soon.pem\"");
    let cases: [(Vec<Change>, &str, Stage); 4] = [
        (soon, "cmg-certificate-expired", Stage::CmgConnection),
        (vec![("\"issuing.crl\"", "\"stale-soon.crl\"")], "crl-unreachable", Stage::CmgConnection),
        (
            vec![LIST, ("ccmsetup.exe ", "ccmsetup.exe /NoCRLCheck ")],
            "crl-check-restored-after-bootstrap",
            Stage::CmgConnection,
        ),
        (vec![("device_tokens = true", "device_tokens = false")], "device-token-not-enabled", Stage::AadToken),
    ];
    for (changes, failure, stage) in cases {
        let prediction = predicted(&changed(&changes), Phase::Bootstrap);
        assert_eq!(prediction.works, Some(true), "{failure} {:#?}", prediction.causes().collect::<Vec<_>>());
        let warnings: Vec<_> = prediction.warnings().map(|(stage, cause)| (stage, cause.failure)).collect();
        assert_eq!(warnings, [(stage, failure)]);
    }
}

#[test]
fn what_is_not_told_is_not_known_and_never_passed() {
    let site = Site::parse("[[client]]\nname = \"PC042\"\n", folder(), &|_| Err(String::new())).unwrap();
    for phase in Phase::ALL {
        let prediction = predicted(&site, phase);
        assert_eq!(prediction.works, None);
        assert_eq!(prediction.causes().count() + prediction.warnings().count(), 0);
        for stage in [Stage::CmgConnection, Stage::WpjCertificate, Stage::AadToken, Stage::MpValidate] {
            let found = prediction.stage(stage).unwrap();
            assert_eq!(found.status, Status::NotKnown, "{stage:?}");
            assert!(!found.unknown.is_empty());
        }
    }
    // One fact less than everything: only what it decides is open.
    let prediction =
        predicted(&changed(&[("device_key_ok = true\n", ""), ("user = \"entra\"\n", "")]), Phase::Bootstrap);
    assert_eq!(prediction.works, None);
    let open: Vec<_> =
        prediction.stages.iter().filter(|found| found.status == Status::NotKnown).map(|found| found.stage).collect();
    assert_eq!(open, [Stage::AadToken]);
}

#[test]
fn all_causes_are_told_not_only_the_first() {
    let site = changed(&[
        ("healthy = true }", "healthy = true, dns = false }"),
        ("join = \"entra\"", "join = \"registered\""),
        ("intermediates", "running = false\nintermediates"),
        ("user_discovery = true", "user_discovery = true # x"),
    ]);
    let prediction = predicted(&site, Phase::Bootstrap);
    let causes: Vec<_> = prediction.causes().map(|(_, cause)| cause.failure).collect();
    assert_eq!(causes, ["wpj-certificate-missing", "cmg-name-not-resolved", "connector-down"]);
    assert_eq!(prediction.stage(Stage::CmgForward).unwrap().status, Status::NotReached);
}

fn ask(site: &Site, trail: Option<&Trail>) -> Preflight {
    let options = Options { client: None, at: AT };
    let observed = trail.map(|trail| Observed { flows: &trail.flows, findings: &trail.findings });
    Preflight::of(site, &options, observed, Knowledge::builtin()).unwrap()
}

#[test]
fn a_finding_has_the_words_of_the_knowledge_and_counts_its_clients() {
    let second = "\n[[client]]\nname = \"PC043\"\n";
    let text = HEALTHY.replace("roots = [\"root.pem\"] # of the client", "roots = [\"other.pem\"]") + second;
    let site = Site::parse(&text, folder(), &|_| Err(String::new())).unwrap();
    let preflight = ask(&site, None);
    assert_eq!(preflight.works, Some(false));
    assert_eq!((preflight.clients[0].works, preflight.clients[1].works), (Some(false), None));
    let finding = &preflight.findings[0];
    let known = Knowledge::builtin().failure("cmg-root-ca-missing").unwrap();
    assert_eq!((finding.failure.as_str(), finding.severity), ("cmg-root-ca-missing", Severity::Error));
    assert_eq!((finding.clients.len(), finding.phases.len()), (1, 2));
    assert_eq!((&finding.remedy, &finding.reference), (&known.remedy.trim().to_owned(), &known.reference));
    assert!(finding.why.contains("Fabrikam Root"), "{}", finding.why);
    let json = serde_json::to_value(&preflight).unwrap();
    assert_eq!(json["clients"][0]["phases"][0]["phase"], "bootstrap");
}

fn corpus(case: &str) -> Trail {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(case).join("logs");
    Trail::read(&[logs], ReadOptions::default(), &Silent).unwrap()
}

#[test]
fn predicted_and_observed_stand_side_by_side() {
    let trail = corpus("root-missing-mask-8");
    let host = trail.flows[0].client.host.clone().unwrap();
    let named = |site: Site| {
        let mut site = site;
        site.clients[0].name.clone_from(&host);
        site
    };
    let at_connection = |preflight: &Preflight| {
        let rows = &preflight.clients[0].compared;
        let of =
            |row: &&cmgtrail::preflight::Comparison| row.phase == Phase::Bootstrap && row.stage == Stage::CmgConnection;
        rows.iter().find(of).cloned().unwrap()
    };
    // The description does not know that the client lacks the root.
    let preflight = ask(&named(changed(&[])), Some(&trail));
    let row = at_connection(&preflight);
    assert_eq!((row.predicted, row.observed), (Status::Passed, Some(StageStatus::Failed)));
    assert_eq!(row.agreement, Agreement::Disagree);
    assert!(row.explanation.unwrap().contains("another certificate"));
    assert_eq!(preflight.works, None, "what the logs contradict is open");
    // It knows.
    let site = named(changed(&[("roots = [\"root.pem\"] # of the client", "roots = [\"other.pem\"]")]));
    let row = at_connection(&ask(&site, Some(&trail)));
    assert_eq!((row.agreement, row.predicted), (Agreement::Agree, Status::Blocked));
    assert_eq!(row.failures, ["cmg-root-ca-missing"]);
    // It blames the network, and the logs the root.
    let site = named(changed(&[("healthy = true }", "healthy = true, dns = false }")]));
    let row = at_connection(&ask(&site, Some(&trail)));
    assert_eq!(row.agreement, Agreement::Disagree);
    // It blocks what worked.
    let trail = corpus("healthy-install-and-registration");
    let mut site = changed(&[("healthy = true }", "healthy = true, dns = false }")]);
    site.clients[0].name = trail.flows[0].client.host.clone().unwrap();
    let row = at_connection(&ask(&site, Some(&trail)));
    assert_eq!((row.agreement, row.observed), (Agreement::Disagree, Some(StageStatus::Passed)));
}

#[test]
fn a_first_description_can_be_read_whatever_the_logs_hold() {
    let corpus_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut read = 0;
    for case in std::fs::read_dir(corpus_folder).unwrap().map(|entry| entry.unwrap().path()) {
        let logs = case.join("logs");
        let Ok(trail) = Trail::read(std::slice::from_ref(&logs), ReadOptions::default(), &Silent) else { continue };
        let seen =
            Seen { flows: &trail.flows, events: &trail.events, sources: &trail.sources, artefacts: &trail.artefacts };
        let text = sketch(seen, "");
        let site = Site::parse(&text, &logs, &|_| Err(String::new()))
            .unwrap_or_else(|wrong| panic!("{}: {wrong:#?}\n{text}", case.display()));
        let cmg_seen = trail.traffic;
        assert!(!cmg_seen || !site.cmg.names.is_empty(), "{}\n{text}", case.display());
        for client in &site.clients {
            assert!(predict(&Question { site: &site, client, at: AT, phase: Phase::Bootstrap }).works != Some(true));
        }
        read += 1;
    }
    assert!(read > 50, "{read}");
}
