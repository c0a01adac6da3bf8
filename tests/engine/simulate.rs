//! The simulator: what it writes is what it says it wrote, and what the engine makes of it.
//!
//! `cargo test --features simulate --test engine -- --ignored --nocapture simulate::` looks at one site; `make score`
//! prints a table of all faults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Confidence, Severity};
use cmgtrail::simulate::{self, Fault, FaultKind, FlowTruth, Noise, Plan, Simulated, in_memory};
use cmgtrail::site::Site;
use cmgtrail::stage::{FlowKind, Outcome};
use cmgtrail::workflow::{Phase, Question, predict};
use jiff::Timestamp;
use rayon::prelude::*;

fn plan(seed: u64, faults: &[&str]) -> Plan {
    let faults = faults.iter().map(|fault| Fault::parse(fault).unwrap()).collect();
    Plan { clients: 5, hours: 3.0, seed, faults, ..Plan::default() }
}

/// A plan for a site that is described.
fn described(site: Site, clients: usize, seed: u64) -> Plan {
    let start = "2026-11-04T08:00:00Z".parse::<Timestamp>().unwrap().as_microsecond();
    Plan { site: Some(site), clients, start: Some(start), ..plan(seed, &[]) }
}

fn simulated(seed: u64, faults: &[&str]) -> Simulated {
    in_memory(&plan(seed, faults)).unwrap()
}

fn files(simulated: &Simulated) -> BTreeMap<&str, &[u8]> {
    simulated.files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect()
}

fn is_log(path: &str) -> bool {
    matches!(path.rsplit_once('.'), Some((_, "log" | "lo_")))
}

fn is_no_description(path: &str) -> bool {
    path != "site.toml"
}

fn write(simulated: &Simulated, wanted: impl Fn(&str) -> bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in simulated.files.iter().filter(|file| wanted(&file.path)) {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
    folder
}

/// Reads those of the files that `wanted` takes.
fn read(simulated: &Simulated, wanted: impl Fn(&str) -> bool) -> Trail {
    let folder = write(simulated, wanted);
    Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap()
}

fn errors(trail: &Trail) -> Vec<(&str, Confidence)> {
    let errors = trail.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| (finding.failure.as_str(), finding.confidence)).collect()
}

fn broken_by<'s>(simulated: &'s Simulated, kind: &FaultKind) -> Vec<&'s FlowTruth> {
    simulated.truth.flows.iter().filter(|flow| flow.fault == Some(kind.id)).collect()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let with_chatter = |seed| {
        let plan = Plan { noise: Noise::Bytes(100_000), ..plan(seed, &["crl-unreachable=40%"]) };
        in_memory(&plan).unwrap()
    };
    let (one, again, other) = (with_chatter(1), with_chatter(1), with_chatter(2));
    assert!(files(&one) == files(&again), "files differ");
    let noise = |simulated: &Simulated| simulated.noise().map(|file| (file.path, file.bytes)).collect::<Vec<_>>();
    assert!(noise(&one) == noise(&again), "noise differs");
    let json = |simulated: &Simulated| serde_json::to_string(&simulated.truth).unwrap();
    assert_eq!(json(&one), json(&again));
    assert_ne!(one.truth.offsets, other.truth.offsets);
    assert!(files(&one)["site.toml"] != files(&other)["site.toml"]);
}

/// The UTC time, by the clock of its machine, of the record that begins at a line, and the milliseconds that its format
/// leaves out.
fn time_of(lines: &[&str], line: u32) -> (Timestamp, i64) {
    let rest = &lines[usize::try_from(line).unwrap() - 1..];
    let (date, time, bias, slack) = if rest[0].starts_with("<![LOG[") {
        let end = rest.iter().find(|line| line.contains("]LOG]!><time=\"")).unwrap();
        let fields = end.split("]LOG]!><time=\"").nth(1).unwrap();
        let (clock, rest) = fields.split_once('"').unwrap();
        let (time, bias) = clock.split_at(12);
        (rest.split('"').nth(1).unwrap().to_owned(), time.to_owned(), bias.to_owned(), 1)
    } else if let Some((_, tag)) = rest[0].split_once("  $$<") {
        let stamp = tag.split('<').nth(1).unwrap().split('>').next().unwrap();
        let (date, clock) = stamp.split_once(' ').unwrap();
        let (time, bias) = clock.split_at(12);
        (date.to_owned(), time.to_owned(), bias.to_owned(), 1)
    } else {
        let (date, time) = (&rest[0][..10], &rest[0][11..19]);
        let date = format!("{}-{}", &date[5..], &date[..4]);
        (date, format!("{time}.000"), "+0".to_owned(), 1_000)
    };
    let iso = format!("{}-{}T{time}Z", &date[6..], &date[..5]);
    let local: Timestamp = iso.parse().unwrap();
    (local + jiff::SignedDuration::from_mins(bias.parse().unwrap()), slack)
}

/// Every line of the truth stands where the truth says, at its true time by its machine's clock.
fn check_lines(simulated: &Simulated) {
    let texts: BTreeMap<&str, Vec<&str>> = simulated
        .files
        .iter()
        .filter(|file| is_log(&file.path))
        .map(|file| (file.path.as_str(), std::str::from_utf8(&file.bytes).unwrap().split("\r\n").collect()))
        .collect();
    let mut checked = 0;
    for hop in simulated.truth.requests.iter().flat_map(|request| &request.hops) {
        if hop.source.ends_with("CCM_STS_ManagedBase.log") {
            continue; // its times are local, without a bias
        }
        let (clock, slack) = time_of(&texts[hop.source.as_str()], hop.line);
        let at: Timestamp = hop.at_true_utc.parse().unwrap();
        let ahead = simulated.truth.offsets[&hop.machine];
        #[allow(clippy::cast_possible_truncation)] // milliseconds of an offset
        let expected = at.as_millisecond() + (ahead * 1e3).round() as i64;
        let late = expected - clock.as_millisecond();
        assert!((-1..=slack).contains(&late), "{}:{} is {late} ms off", hop.source, hop.line);
        checked += 1;
    }
    assert!(checked > 50, "only {checked} lines");
    let mut seen = BTreeSet::new();
    for line in simulated.truth.flows.iter().flat_map(|flow| &flow.lines) {
        assert!(seen.insert((&line.source, line.line)), "{}:{} belongs to two flows", line.source, line.line);
    }
}

#[test]
fn every_line_of_the_truth_stands_where_it_says() {
    for seed in 1..=3 {
        check_lines(&simulated(seed, &[]));
    }
    check_lines(&simulated(4, &["mp-cannot-reach-entra", "cmg-root-ca-missing", "client-clock-wrong"]));
    // Weeks over a change to daylight saving, logs that roll over, IIS logs of many days.
    let start = "2026-03-20T00:00:00Z".parse::<Timestamp>().unwrap().as_microsecond();
    let long = Plan { clients: 3, hours: 600.0, start: Some(start), skew_seconds: 900, ..plan(5, &[]) };
    let long = in_memory(&long).unwrap();
    check_lines(&long);
    let rolled = |path: &&str| path.starts_with("client-") && path.contains("/CcmMessaging-2026");
    assert!(files(&long).keys().filter(|path| rolled(path)).count() > 3);
    assert!(files(&long).keys().filter(|path| path.contains("/u_ex26")).count() > 20);
    assert!(long.files.iter().filter(|file| rolled(&file.path.as_str())).all(|file| file.bytes.len() < 252_000));
}

#[test]
fn machines_write_their_own_logs_only() {
    let simulated = simulated(1, &[]);
    for file in simulated.files.iter().filter(|file| is_log(&file.path)) {
        let (folder, name) = file.path.split_once('/').unwrap();
        let role = folder.split('-').next().unwrap();
        let names: &[&str] = match role {
            "client" => &["ccm", "Ccm", "ADAL", "Client", "Location", "CoManagement"],
            "cmg" => &["CMG-", "W3SVC1/u_ex"],
            "cp" | "connection" => &["SMS_CLOUD_PROXYCONNECTOR"],
            _ => &["CCM_STS", "MP_Registration", "W3SVC1/u_ex"],
        };
        assert!(names.iter().any(|own| name.starts_with(own)), "{}", file.path);
        assert!(file.bytes.ends_with(b"\r\n"));
    }
}

#[test]
fn a_device_is_the_same_in_all_logs_and_artefacts() {
    let simulated = simulated(2, &[]);
    let all = files(&simulated);
    let mut seen = 0;
    for flow in &simulated.truth.flows {
        let status = std::str::from_utf8(all[format!("client-{}/dsregcmd.txt", flow.client).as_str()]).unwrap();
        let device = status.lines().find_map(|line| line.trim().strip_prefix("DeviceId : ")).unwrap();
        for line in flow.lines.iter().filter(|line| line.source.ends_with("/CCM_STS.log")) {
            let text = std::str::from_utf8(all[line.source.as_str()]).unwrap();
            let text = text.split("\r\n").nth(usize::try_from(line.line).unwrap() - 1).unwrap();
            if text.contains("Validated AAD token") {
                assert!(text.contains(&format!("DeviceId: {device} ")), "{text}");
                seen += 1;
            }
        }
    }
    assert!(seen > 2, "only {seen} tokens were validated");
}

#[test]
fn noise_means_nothing_and_is_as_much_as_asked_for() {
    let wanted = 6_000_000;
    let plan = Plan { noise: Noise::Bytes(wanted), artefacts: false, ..plan(3, &[]) };
    let simulated = in_memory(&plan).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = 0;
    for file in simulated.noise().collect::<Vec<_>>() {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        bytes += file.bytes.len();
        std::fs::write(path, file.bytes).unwrap();
    }
    assert!(bytes.abs_diff(usize::try_from(wanted).unwrap()) < bytes / 50, "{bytes} bytes");
    let trail = Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap();
    assert!(trail.events.is_empty(), "{:?}", trail.events.first());
    assert!(trail.sources.iter().all(|source| source.gaps == 0 && source.records > 100));
}

#[test]
fn what_is_cut_off_is_unfinished() {
    let plan = Plan { hours: 0.2, clients: 40, ..plan(6, &[]) };
    let simulated = in_memory(&plan).unwrap();
    let end: Timestamp = simulated.truth.end.parse().unwrap();
    for flow in &simulated.truth.flows {
        assert!(flow.ended.parse::<Timestamp>().unwrap() <= end);
        assert_eq!(flow.broke_at.is_some(), flow.outcome == Outcome::Failed);
    }
    let unfinished = simulated.truth.flows.iter().filter(|flow| flow.outcome == Outcome::Unfinished);
    assert!(unfinished.count() > 0, "nobody was cut off");
}

#[test]
fn the_gateways_own_log_comes_up_to_ten_minutes_late() {
    let late: Vec<i64> = (1..=5)
        .map(|seed| {
            let plan = Plan { rate: Some(1.0), artefacts: false, ..plan(seed, &[]) };
            let simulated = in_memory(&plan).unwrap();
            let end: Timestamp = simulated.truth.end.parse().unwrap();
            let logs = simulated.files.iter().filter(|file| file.path.ends_with("-CMGService.log"));
            let lasts = logs.map(|file| {
                let lines: Vec<&str> = std::str::from_utf8(&file.bytes).unwrap().trim_end().split("\r\n").collect();
                time_of(&lines, u32::try_from(lines.len()).unwrap()).0
            });
            end.duration_since(lasts.max().unwrap()).as_secs()
        })
        .collect();
    assert!(late.iter().all(|late| (0..=11 * 60).contains(late)), "{late:?}");
    assert!(late.iter().any(|late| *late > 60), "{late:?}");
}

#[test]
fn ccmsetup_tries_again_after_ten_minutes_where_asked_to() {
    let plan = Plan { retries: true, ..plan(2, &["cmg-name-mismatch"]) };
    let simulated = in_memory(&plan).unwrap();
    let flow = simulated.truth.flows.iter().find(|flow| flow.fault.is_some()).unwrap();
    assert!(flow.attempts > 1);
    let length = flow.ended.parse::<Timestamp>().unwrap().duration_since(flow.started.parse().unwrap());
    assert_eq!(length.as_mins() / 10, i64::from(flow.attempts) - 1);
    assert_eq!(flow.lines.last().unwrap().attempt, flow.attempts);
}

#[test]
fn a_description_lends_its_names_and_what_in_it_does_not_work() {
    let first = simulated(3, &["mp-redirect-on-sts", "wpj-certificate-missing"]);
    let folder = write(&first, |_| true);
    let site = Site::read(&folder.path().join("site.toml")).unwrap();
    let start = first.truth.start.parse::<Timestamp>().unwrap().as_microsecond();
    let plan = Plan { start: Some(start), ..described(site.clone(), 5, 9) };
    let again = in_memory(&plan).unwrap();
    for client in &site.clients {
        assert!(again.truth.offsets.contains_key(&format!("client-{}", client.name)));
    }
    let faults: BTreeSet<&str> = again.truth.faults.iter().map(|fault| fault.kind.id).collect();
    assert_eq!(faults, BTreeSet::from(["mp-redirect-on-sts", "wpj-certificate-missing"]));
    assert!(again.truth.flows.iter().any(|flow| flow.fault == Some("mp-redirect-on-sts")));
    let name = site.cmg.names[0].as_bytes();
    let logs = again.files.iter().filter(|file| file.path.ends_with("/CcmMessaging.log"));
    assert!(logs.map(|file| memchr::memmem::find(&file.bytes, name)).all(|found| found.is_some()));
}

const DESCRIBED: &str = r#"
[site]
code = "PS1"
user_discovery = true
[server_app]
device_tokens = false
[cmg]
names = ["cmg.fabrikam.com"]
[client_defaults]
os_build = 22631
ccmsetup = "ccmsetup.exe CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941"
[[client]]
name = "ENTRA"
user = "entra"
[[client]]
name = "HYBRID"
user = "hybrid"
[[client]]
name = "LOCAL"
user = "local"
[[client]]
name = "NOBODY"
user = "none"
"#;

/// The cause of each client's installation, by the client's name.
fn of_installs(text: &str) -> BTreeMap<String, Option<&'static str>> {
    let site = Site::parse(text, ".".as_ref(), &|_| Err(String::new())).unwrap();
    let truth = in_memory(&described(site, 4, 5)).unwrap().truth;
    for flow in &truth.flows {
        assert_eq!(
            flow.broke_at.is_some(),
            flow.fault.is_some(),
            "{} {:?} {:?}",
            flow.client,
            flow.broke_at,
            flow.fault
        );
    }
    let installs = truth.flows.into_iter().filter(|flow| flow.kind == FlowKind::Install);
    installs.map(|flow| (flow.client, flow.fault)).collect()
}

#[test]
fn who_is_signed_in_and_who_is_discovered_is_taken_over() {
    let of = |changes: &[(&str, &str)]| {
        let text = changes.iter().fold(DESCRIBED.to_owned(), |text, (from, to)| text.replace(from, to));
        let found = of_installs(&text);
        ["ENTRA", "HYBRID", "LOCAL", "NOBODY"].map(|name| found[name].unwrap_or("works"))
    };
    let (app, user) = ("device-token-not-enabled", "user-not-discovered");
    assert_eq!(of(&[]), ["works", "works", app, app]);
    assert_eq!(of(&[("user_discovery = true", "user_discovery = false")]), [user, user, app, app]);
    assert_eq!(of(&[("[client_defaults]", "[known]\nusers = []\n[client_defaults]")]), [user, user, app, app]);
    // A device that has a token of its own needs no user.
    let device = ("device_tokens = false", "device_tokens = true");
    assert_eq!(of(&[device, ("user_discovery = true", "user_discovery = false")]), ["works"; 4]);
}

#[test]
fn a_client_with_a_certificate_is_one_in_the_simulation_too() {
    let folder = tempfile::tempdir().unwrap();
    let authority = crate::pki::Authority::root("Fabrikam Root", "");
    std::fs::write(folder.path().join("pc1.pem"), authority.issue(&crate::pki::Wanted::device("PC1"))).unwrap();
    let text = "[cmg]\nnames = [\"cmg.fabrikam.com\"]\n[[client]]\nname = \"PC1\"\njoin = \"domain\"\npki_certificate = \"pc1.pem\"\n\
                ccmsetup = \"ccmsetup.exe /UsePKICert CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941\"\n";
    let told = Site::parse(text, folder.path(), &|_| Err(String::new())).unwrap();
    let simulated = in_memory(&described(told, 1, 5)).unwrap();
    assert!(!simulated.truth.flows.is_empty() && simulated.truth.flows.iter().all(|flow| flow.fault.is_none()));
    simulated.write(folder.path().join("out").as_path()).unwrap();
    let again = Site::read(&folder.path().join("out/site.toml")).unwrap();
    assert!(again.clients[0].pki_certificate.as_ref().is_some_and(|held| held.file().is_some()));
    assert_ne!(again.clients[0].join, Some(cmgtrail::site::JoinState::Entra));
}

/// A site of which much is told that no log is documented of.
const WITHOUT_LOGS: &str = r#"
[cmg]
names = ["cmg.fabrikam.com"]
state = "stopped"
stale = true
[[management_point]]
name = "mp1"
mode = "http"
[[management_point]]
name = "mp2"
running = false
[[client]]
name = "PC1"
ccmsetup = "ccmsetup.exe /regtoken:eyJhIjoxfQ.eyJhIjoxfQ.e30 CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941"
[[client]]
name = "PC2"
cmg_enabled = false
network = { dns = false, port_443 = false }
"#;

fn refusal(text: &str) -> String {
    let told = Site::parse(text, ".".as_ref(), &|_| Err(String::new())).unwrap();
    in_memory(&described(told, 2, 5)).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn what_has_no_documented_logs_is_refused_all_at_once() {
    let error = refusal(WITHOUT_LOGS);
    for words in [
        "PC1: The CMG service is stopped (cmg-unreachable)",
        "PC1 and 1 more: The CMG answers from a state of before it",
        "PC1 and 1 more: mp1 is in HTTP mode",
        "PC1 and 1 more: The management point mp2 does not answer (mp-down)",
        "PC1: it registers with a registration token",
        "PC2: The client cannot resolve cmg.fabrikam.com (cmg-name-not-resolved)",
        "PC2: The client does not reach port 443 of cmg.fabrikam.com",
        "PC2: The client setting 'Enable clients to use a cloud management gateway' is off",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let none = "[[management_point]]\nname = \"mp1\"\ncmg_traffic = false\n[[client]]\nname = \"PC1\"\n";
    assert!(refusal(none).contains("No management point allows CMG traffic"));
}

/// Who cannot be simulated is left out and named; the others are simulated, each with what is told of it.
#[test]
fn clients_that_cannot_be_simulated_are_left_out_with_the_reason() {
    let text = "[cmg]\nnames = [\"cmg.fabrikam.com\"]\ncontent = [\"PS100001\"]\n[[client]]\nname = \"HERE\"\n\
                content = [\"PS100001\"]\n[[client]]\nname = \"OFF\"\ncmg_enabled = false\n[[client]]\n\
                name = \"LACKS\"\ncontent = [\"PS100002\"]\n";
    let told = Site::parse(text, ".".as_ref(), &|_| Err(String::new())).unwrap();
    let simulated = in_memory(&described(told, 3, 5)).unwrap();
    let [why] = simulated.truth.left_out.as_slice() else { panic!("{:?}", simulated.truth.left_out) };
    assert!(why.starts_with("OFF: ") && why.contains("cmg-location-not-given"), "{why}");
    let faults: BTreeSet<_> = simulated.truth.flows.iter().map(|flow| (flow.client.as_str(), flow.fault)).collect();
    assert!(faults.contains(&("LACKS", Some("content-not-on-cmg"))), "{faults:?}");
    assert!(faults.iter().all(|(client, fault)| (*client == "LACKS") == fault.is_some()), "{faults:?}");
    let asks = |folder: &str, package: &str| {
        let own = simulated.files.iter().filter(|file| file.path.starts_with(folder));
        own.map(|file| &file.bytes).any(|bytes| memchr::memmem::find(bytes, package.as_bytes()).is_some())
    };
    assert!(asks("client-LACKS/", "PS100002") && !asks("client-HERE/", "PS100002"));
}

/// A management point that clients of the CMG do not come to may be in any mode.
#[test]
fn a_management_point_of_the_own_network_alone_is_no_matter() {
    let text = "[[management_point]]\nname = \"mp1\"\nmode = \"http\"\ncmg_traffic = false\nrunning = false\n\
                [[management_point]]\nname = \"mp2\"\nmode = \"https\"\ncmg_traffic = true\n[[client]]\nname = \"PC1\"\n";
    let told = Site::parse(text, ".".as_ref(), &|_| Err(String::new())).unwrap();
    assert!(in_memory(&described(told, 1, 5)).is_ok());
}

#[test]
fn every_flow_that_fails_has_its_cause() {
    for kind in simulate::faults() {
        let truth = simulated(4, &[kind.id]).truth;
        let nameless: Vec<_> =
            truth.flows.iter().filter(|flow| flow.broke_at.is_some() && flow.fault.is_none()).collect();
        assert!(nameless.is_empty(), "{} {nameless:#?}", kind.id);
    }
}

#[test]
fn a_healthy_site_has_no_finding_of_severity_error() {
    for seed in 1..=4 {
        let simulated = simulated(seed, &[]);
        assert!(simulated.truth.flows.iter().all(|flow| flow.broke_at.is_none()));
        assert_eq!(errors(&read(&simulated, is_log)), [], "seed {seed}, logs");
        assert_eq!(errors(&read(&simulated, is_no_description)), [], "seed {seed}, with artefacts");
    }
}

#[test]
fn every_fault_breaks_a_flow_at_its_stage_and_nobody_else() {
    let kinds: Vec<&FaultKind> = simulate::faults().collect();
    kinds.par_iter().for_each(|kind| {
        for seed in 1..=3 {
            let simulated = simulated(seed, &[kind.id]);
            let broken = broken_by(&simulated, kind);
            assert!(!broken.is_empty(), "{} breaks nothing with seed {seed}", kind.id);
            for flow in &broken {
                assert_eq!(flow.broke_at, Some(kind.stage), "{} with seed {seed}", kind.id);
            }
            let failed = simulated.truth.flows.iter().filter(|flow| flow.broke_at.is_some()).count();
            assert_eq!(failed, broken.len(), "{} with seed {seed}: flows fail for no reason", kind.id);
            check_lines(&simulated);
        }
    });
}

#[test]
fn nothing_is_predicted_for_clients_that_no_fault_hits() {
    let kinds: Vec<&FaultKind> = simulate::faults().filter(|kind| kind.scope == simulate::Scope::Client).collect();
    kinds.par_iter().for_each(|kind| {
        let simulated = simulated(4, &[kind.id]);
        let folder = write(&simulated, |_| true);
        let site = Site::read(&folder.path().join("site.toml")).unwrap();
        let at = simulated.truth.end.parse::<Timestamp>().unwrap().as_microsecond();
        let hit = &simulated.truth.faults[0].clients;
        for client in site.clients.iter().filter(|client| !hit.contains(&client.name)) {
            for phase in Phase::ALL {
                let predicted = predict(&Question { site: &site, client, at, phase });
                let causes: Vec<_> = predicted.causes().map(|(_, cause)| cause.failure).collect();
                assert!(causes.is_empty(), "{}: {} {causes:?}", kind.id, client.name);
            }
        }
    });
}

#[test]
#[ignore = "a look at one site: CMGTRAIL_SIMULATE_FAULTS, CMGTRAIL_SIMULATE_SEED, CMGTRAIL_SIMULATE_OUT"]
fn look_at_one() {
    let faults = std::env::var("CMGTRAIL_SIMULATE_FAULTS").unwrap_or_default();
    let faults: Vec<&str> = faults.split(',').filter(|fault| !fault.is_empty()).collect();
    let seed = std::env::var("CMGTRAIL_SIMULATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let simulated = simulated(seed, &faults);
    if let Ok(out) = std::env::var("CMGTRAIL_SIMULATE_OUT") {
        println!("{:?}", simulated.write(Path::new(&out)).unwrap());
    }
    let trail = read(&simulated, is_no_description);
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for flow in &simulated.truth.flows {
        kinds.entry(format!("{:?} {:?}", flow.kind, flow.outcome)).or_default().0 += 1;
    }
    for flow in &trail.flows {
        kinds.entry(format!("{:?} {:?}", flow.kind, flow.outcome)).or_default().1 += 1;
    }
    println!("truth, engine: {kinds:?}");
    let mut owners: BTreeMap<(&str, u32), usize> = BTreeMap::new();
    for (number, flow) in simulated.truth.flows.iter().enumerate() {
        owners.extend(flow.lines.iter().map(|line| ((line.source.as_str(), line.line), number)));
    }
    let document = serde_json::to_value(trail.document()).unwrap();
    let mut joins: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for flow in document["flows"].as_array().unwrap() {
        let lines =
            flow["events"].as_array().unwrap().iter().map(|event| {
                (event["source"].as_str().unwrap(), u32::try_from(event["line"].as_u64().unwrap()).unwrap())
            });
        let lines: Vec<(&str, u32)> = lines.collect();
        let own = lines.iter().filter(|line| line.0.starts_with("client-")).find_map(|line| owners.get(line));
        for line in lines {
            let log = line.0.rsplit('/').next().unwrap().split("-20").next().unwrap();
            let log = if log.starts_with("u_ex") { line.0.split('-').next().unwrap() } else { log };
            let counts = joins.entry(if log.starts_with("CMG-") { "CMGService" } else { log }).or_default();
            counts[usize::from(owners.get(&line) != own)] += 1;
        }
    }
    for (source, _) in owners.keys() {
        let log = source.rsplit('/').next().unwrap().split("-20").next().unwrap();
        let log = if log.starts_with("u_ex") { source.split('-').next().unwrap() } else { log };
        joins.entry(if log.starts_with("CMG-") { "CMGService" } else { log }).or_default()[2] += 1;
    }
    println!("log: lines joined right, wrong, and in truth: {joins:?}");
    for finding in trail.findings.iter().filter(|finding| finding.severity > Severity::Info) {
        let (failure, severity, confidence) = (&finding.failure, finding.severity, finding.confidence);
        println!("{failure} {severity:?} {confidence:?} {:?} {}", finding.stage, finding.explanation);
        for evidence in finding.evidence.iter().take(6) {
            println!("    {}:{} {}", evidence.source, evidence.line, evidence.text);
        }
    }
}

/// Two clients behind one filter are shown the same wrong issuer: they do not vouch for each other, although the gateway
/// itself answered both before.
#[test]
fn clients_behind_the_same_filter_do_not_vouch_for_its_certificate() {
    let faults = vec![Fault::parse("tls-interception=3").unwrap()];
    let simulated = in_memory(&Plan { clients: 8, hours: 3.0, seed: 63, faults, ..Plan::default() }).unwrap();
    let trail = read(&simulated, is_no_description);
    assert_eq!(errors(&trail), [("tls-interception", Confidence::Certain)]);
    assert_eq!(trail.findings[0].clients, 3);
}
