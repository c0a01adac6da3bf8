//! Prediction: every cause that follows from facts, on a site that has it, and nothing on its healthy twin.

mod causes;
mod observed;
#[cfg(feature = "simulate")]
mod simulated;
mod told;
mod world;

use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Confidence, Severity};
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
        &[
            OWN_CERTIFICATE,
            ("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\""),
            ("ccmsetup.exe ", "ccmsetup.exe /UsePKICert "),
        ],
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
    let own = ("os_build = 19045", "os_build = 19045\npki_certificate = \"client-ends-soon.pem\"");
    let domain = ("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\"");
    let asks = ("ccmsetup.exe ", "ccmsetup.exe /UsePKICert ");
    let connector = ("\"connector.pem\"", "\"connector-ends-soon.pem\"");
    let cases: [(Vec<Change>, &str, Stage); 6] = [
        (soon, "cmg-certificate-expired", Stage::CmgConnection),
        (vec![own, domain, asks], "client-certificate-expired", Stage::CmgReceive),
        (vec![connector], "connector-client-certificate-missing", Stage::ConnectorForward),
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
        for found in &prediction.stages {
            // What does not happen in this phase, or without a package, is told by the phase or by the key's absence.
            let skipped = match phase {
                Phase::Bootstrap => [Stage::ContentDownload, Stage::SettingsRefresh].as_slice(),
                Phase::AfterRefresh => {
                    &[Stage::ContentDownload, Stage::AadInfo, Stage::ClientInstall, Stage::Registration]
                }
            };
            let expected = if skipped.contains(&found.stage) { Status::Skipped } else { Status::NotKnown };
            assert_eq!(found.status, expected, "{:?} {}", found.stage, found.why);
            assert!(!found.why.is_empty());
        }
        for stage in [Stage::CmgConnection, Stage::WpjCertificate, Stage::AadToken, Stage::MpValidate] {
            assert!(!prediction.stage(stage).unwrap().unknown.is_empty());
        }
    }
    // One fact less than everything: only what it decides is open, and with it what comes after.
    let prediction =
        predicted(&changed(&[("device_key_ok = true\n", ""), ("user = \"entra\"\n", "")]), Phase::Bootstrap);
    assert_eq!(prediction.works, None);
    let open: Vec<_> =
        prediction.stages.iter().filter(|found| !found.unknown.is_empty()).map(|found| found.stage).collect();
    assert_eq!(open, [Stage::AadToken]);
    let status = |stage| prediction.stage(stage).unwrap().status;
    assert_eq!(status(Stage::CmgConnection), Status::Passed);
    for after in [Stage::CcmTokenRequest, Stage::MpValidate, Stage::CcmTokenIssue, Stage::Registration] {
        assert_eq!(status(after), Status::NotKnown, "{after:?}");
    }
    assert!(prediction.stage(Stage::CcmTokenRequest).unwrap().why.contains("after aad-token"));
}

/// The authorities above the leaf are not told, and the root is not missed with certainty; with them it is.
#[test]
fn a_root_is_missed_only_as_surely_as_the_chain_is_told() {
    use cmgtrail::finding::Confidence;
    let lacking = ("roots = [\"root.pem\"] # of the client", "roots = [\"other.pem\"]");
    let no_root = ("root = \"root.pem\"\nstate", "state");
    let leaf_alone = ("certificate = [\"cmg.pem\", \"issuing.pem\"]", "certificate = \"cmg.pem\"");
    let at_connection = |changes: &[Change]| {
        let prediction = predicted(&changed(changes), Phase::Bootstrap);
        prediction.stage(Stage::CmgConnection).unwrap().clone()
    };
    for trusting in [vec![leaf_alone, no_root], vec![leaf_alone, no_root, lacking], vec![leaf_alone, lacking]] {
        let found = at_connection(&trusting);
        assert_eq!(found.status, Status::NotKnown, "{trusting:?} {found:#?}");
        assert!(found.why.contains("the leaf alone is at hand") && found.why.contains("possible"), "{}", found.why);
    }
    let found = at_connection(&[no_root, lacking]);
    assert_eq!(found.causes[0].confidence, Confidence::Likely);
    let found = at_connection(&[lacking]);
    assert_eq!(found.causes[0].confidence, Confidence::Certain);
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

/// The list is out of everybody's reach. Who has no command line is not known to look at it while ccmsetup runs, and who
/// says `/NoCRLCheck` does not.
#[test]
fn a_finding_tells_the_phases_of_each_client() {
    let text = HEALTHY.replace(LIST.0, LIST.1);
    let client = text.split("[[client]]").nth(1).unwrap().to_owned();
    let line = client.lines().find(|line| line.starts_with("ccmsetup")).unwrap();
    let silent = client.replace("PC042", "PC041").replace(line, "");
    let text = text.replace(&client, &silent) + "[[client]]" + &client;
    let site = Site::parse(&text, folder(), &|_| Err(String::new())).unwrap();
    let finding = &ask(&site, None).findings[0];
    assert_eq!((finding.failure.as_str(), &finding.phases[..]), ("crl-unreachable", &Phase::ALL[..]));
    let met: Vec<(Phase, Vec<String>)> = finding.met_by.clone().into_iter().collect();
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(met, [(Phase::Bootstrap, named(&["PC042"])), (Phase::AfterRefresh, named(&["PC041", "PC042"]))]);
    assert_eq!(finding.clients, named(&["PC041", "PC042"]));
}

/// Without a device token a client works while a user's takes its place: that nobody is there is what stops it.
#[test]
fn what_something_could_stand_in_for_goes_behind_what_nothing_does() {
    let site = changed(&[world::NOBODY, ("device_tokens = true", "device_tokens = false")]);
    let findings = ask(&site, None).findings;
    let found: Vec<&str> = findings.iter().map(|finding| finding.failure.as_str()).collect();
    assert_eq!(found, ["no-entra-user-signed-in", "device-token-not-enabled"]);
}

/// A client whose token ends soon is stopped by a management point's clock that is ahead; the others will be.
#[test]
fn a_clock_that_is_ahead_is_told_of_every_client() {
    let text = HEALTHY
        .replace("roots = [\"root.pem\"]\nhealthy", "clock_offset_seconds = 1500\nroots = [\"root.pem\"]\nhealthy");
    let client = text.split("[[client]]").nth(1).unwrap().replace("name = \"PC042\"", "name = \"PC043\"");
    let text = format!("{text}\n[[client]]{client}");
    let site = Site::parse(&text, folder(), &|_| Err(String::new())).unwrap();
    let findings = ask(&site, None).findings;
    let found: Vec<_> = findings.iter().map(|one| (one.failure.as_str(), one.severity, one.clients.len())).collect();
    assert_eq!(found, [("token-clock-skew", Severity::Warning, 2)]);
    assert!(findings[0].why.contains("25 min ahead") && findings[0].why.contains("last 20 min"), "{}", findings[0].why);
}

fn corpus_folder(case: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(case).join("logs")
}

fn corpus(case: &str) -> Trail {
    Trail::read(&[corpus_folder(case)], ReadOptions::default(), &Silent).unwrap()
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
        let text = sketch(seen, &|path| Some(path.to_owned()));
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

/// The leaf of the gateway lies in one folder, its whole chain in another.
#[test]
fn a_first_description_takes_the_chain_from_where_it_is_whole() {
    let given = tempfile::tempdir().unwrap();
    copy(&corpus_folder("healthy-install-and-registration"), given.path());
    let client = given.path().join("client-PC042");
    std::fs::create_dir_all(client.join("presented")).unwrap();
    std::fs::create_dir_all(given.path().join("certificates")).unwrap();
    let [leaf, issuing] = ["cmg.pem", "issuing.pem"].map(|name| std::fs::read_to_string(folder().join(name)).unwrap());
    std::fs::write(given.path().join("certificates/cmg.pem"), &leaf).unwrap();
    std::fs::write(client.join("presented/cmg.pem"), leaf + &issuing).unwrap();
    let trail = Trail::read(&[given.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
    let text = seen_as_text(&trail);
    let site = Site::parse(&text, given.path(), &|_| Err(String::new())).unwrap();
    let chain: Vec<_> = site.cmg.certificate.iter().flatten().map(|file| file.path.clone()).collect();
    assert_eq!(chain, ["client-PC042/presented/cmg.pem"], "{text}");
}

fn seen_as_text(trail: &Trail) -> String {
    let seen =
        Seen { flows: &trail.flows, events: &trail.events, sources: &trail.sources, artefacts: &trail.artefacts };
    sketch(seen, &|path| Some(path.to_owned()))
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let into = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            std::fs::create_dir_all(&into).unwrap();
            copy(&entry, &into);
        } else {
            std::fs::copy(&entry, &into).unwrap();
        }
    }
}

#[test]
fn the_vendors_own_command_line_is_a_warning_and_stops_nobody() {
    let changes = [
        ("ccmsetup.exe ", "ccmsetup.exe /mp:https://cmg.fabrikam.com /regtoken:a.b.c "),
        ("os_build", "tokens = { registration = \"registration.jwt\" }\nos_build"),
    ];
    let preflight = ask(&changed(&changes), None);
    let found: Vec<_> = preflight.findings.iter().filter(|one| one.failure == "mp-switch-with-ccmhostname").collect();
    let [warning] = found[..] else { panic!("one warning, not {}", found.len()) };
    assert_eq!((warning.severity, warning.confidence), (Severity::Warning, Confidence::Possible));
}

/// What is told of a site as it is now contradicts neither what passed before, nor a token that was got before, nor a
/// client's own log that shows the request failing and not how far behind it that was.
#[cfg(feature = "simulate")]
#[test]
fn logs_of_a_site_with_a_cause_do_not_contradict_its_description() {
    let causes = ["cmg-certificate-damaged", "connector-ports-blocked", "mp-redirect-on-sts", "sts-library-mismatch"];
    for cause in causes {
        let fault = cmgtrail::simulate::Fault::parse(cause).unwrap();
        let plan =
            cmgtrail::simulate::Plan { clients: 4, hours: 3.0, faults: vec![fault], seed: 3, ..Default::default() };
        let folder = tempfile::tempdir().unwrap();
        let simulated = cmgtrail::simulate::in_memory(&plan).unwrap();
        simulated.write(folder.path()).unwrap();
        let trail = Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
        let text = std::fs::read_to_string(folder.path().join("site.toml")).unwrap();
        let site = Site::parse(&text, folder.path(), &|_| Err(String::new())).unwrap();
        let at = trail.flows.iter().filter_map(|flow| flow.ended).max().unwrap();
        let seen = Observed { flows: &trail.flows, findings: &trail.findings };
        let preflight = Preflight::of(&site, &Options { client: None, at }, Some(seen), Knowledge::builtin()).unwrap();
        for client in &preflight.clients {
            let against: Vec<_> = client.compared.iter().filter(|row| row.agreement == Agreement::Disagree).collect();
            assert!(against.is_empty(), "{cause} {}: {against:#?}", client.client);
            assert_eq!(client.works, Some(false), "{cause} {}", client.client);
        }
        let agreed = |client: &&cmgtrail::preflight::ClientPreflight| {
            client
                .compared
                .iter()
                .any(|row| row.agreement == Agreement::Agree && row.observed == Some(StageStatus::Failed))
        };
        assert!(preflight.clients.iter().any(|client| agreed(&client)), "{cause}: no log shows it");
    }
}
