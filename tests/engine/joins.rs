//! Joins across machines and clocks, on simulated sites.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Confidence;
use cmgtrail::flows::Clock;
use cmgtrail::simulate::{Plan, Simulated, in_memory};
use proptest::prelude::*;

fn site(skew_seconds: u32, seed: u64) -> Simulated {
    let plan = Plan { clients: 12, hours: 3.0, skew_seconds, seed, artefacts: false, ..Plan::default() };
    in_memory(&plan).unwrap()
}

fn written(simulated: &Simulated) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    simulated.write(folder.path()).unwrap();
    std::fs::remove_file(folder.path().join("truth.json")).unwrap();
    folder
}

fn read(paths: &[PathBuf]) -> Trail {
    Trail::read(paths, ReadOptions::default(), &Silent).unwrap()
}

/// What was simulated in each folder, by the name that the clocks give it.
fn offsets(simulated: &Simulated) -> BTreeMap<String, f64> {
    let name = |folder: &str| {
        let words = ["client-", "connection-point-", "cp-", "mp-", "cmg-"];
        words.iter().find_map(|word| folder.strip_prefix(word)).unwrap_or(folder).to_lowercase()
    };
    simulated.truth.offsets.iter().map(|(folder, offset)| (name(folder), *offset)).collect()
}

#[test]
fn clocks_with_five_pairs_are_right_to_the_second() {
    for seed in [3, 4, 5] {
        let simulated = site(540, seed);
        let folder = written(&simulated);
        let trail = read(&[folder.path().to_owned()]);
        let truth = offsets(&simulated);
        let mut compared = 0;
        for clock in trail.clocks.iter().filter(|clock| clock.pairs >= 5) {
            let expected = truth[&clock.host.to_lowercase()] - truth[&clock.reference.to_lowercase()];
            assert!((clock.offset_seconds - expected).abs() < 1.0, "seed {seed}: {clock:?}, true {expected}");
            compared += 1;
        }
        assert!(compared >= 5, "seed {seed}: {:?}", trail.clocks);
    }
}

#[test]
fn a_line_that_is_surely_a_flows_is_that_flows() {
    let simulated = site(300, 8);
    let folder = written(&simulated);
    let trail = read(&[folder.path().to_owned()]);
    let mut client_of = BTreeMap::new();
    for flow in &simulated.truth.flows {
        for line in &flow.lines {
            client_of.insert((line.source.clone(), line.line), flow.client.clone());
        }
    }
    let (mut sure, mut wrong) = (0, 0);
    for flow in &trail.flows {
        for event in flow.events.iter().filter(|event| event.join.by.iter().any(|by| by == "time")) {
            assert!(event.join.distance_seconds.is_some(), "{event:?}");
            assert!(event.join.to.is_some(), "{event:?}");
            if event.join.confidence > Confidence::Possible {
                sure += 1;
                let owner = client_of.get(&(event.source.to_string(), event.line));
                wrong += usize::from(owner != flow.client.host.as_ref());
            }
        }
    }
    assert!(sure > 200, "{sure}");
    assert!(wrong * 100 <= sure, "{wrong} of {sure} are wrong");
}

#[test]
fn a_line_that_may_be_several_flows_is_kept_for_all_of_them() {
    // So many requests at once that some of them cannot be told apart.
    let plan = Plan {
        clients: 60,
        hours: 0.2,
        rate: Some(10.0),
        skew_seconds: 300,
        seed: 9,
        artefacts: false,
        faults: Vec::new(),
        ..Plan::default()
    };
    let simulated = in_memory(&plan).unwrap();
    let folder = written(&simulated);
    let trail = read(&[folder.path().to_owned()]);
    let mut flows_of: BTreeMap<(&str, u32), Vec<(Confidence, usize)>> = BTreeMap::new();
    for event in trail.flows.iter().flat_map(|flow| &flow.events) {
        flows_of.entry((&*event.source, event.line)).or_default().push((event.join.confidence, event.join.rivals));
    }
    let of_several = || flows_of.iter().filter(|(_, flows)| flows.len() > 1);
    assert!(of_several().count() > 20, "{}", of_several().count());
    for (line, flows) in of_several() {
        for (confidence, rivals) in flows {
            assert_eq!(*confidence, Confidence::Possible, "{line:?}");
            assert!(*rivals + 1 >= flows.len(), "{line:?}: {flows:?}");
        }
    }
}

#[test]
fn a_server_whose_folder_names_none_is_known_by_what_it_calls_itself() {
    let simulated = site(60, 3);
    let folder = written(&simulated);
    for (machine, role) in [("mp-", "management-point"), ("connection-point-", "connection-point")] {
        let named = machines(folder.path())
            .into_iter()
            .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(machine))
            .unwrap();
        let host = named.file_name().unwrap().to_str().unwrap()[machine.len()..].to_owned();
        std::fs::rename(&named, folder.path().join(role)).unwrap();
        let trail = read(&[folder.path().to_owned()]);
        // Logs of IIS stand in a folder of their own, which no line names.
        let is_own = |path: &str| path.rsplit_once('/').is_some_and(|(parent, _)| parent == role);
        let own: Vec<_> = trail.sources.iter().filter(|source| is_own(&source.path)).collect();
        assert!(!own.is_empty());
        for source in own {
            assert_eq!(source.host.as_deref().map(str::to_lowercase), Some(host.to_lowercase()), "{}", source.path);
            assert!(source.notes.iter().any(|note| note.contains("taken for")), "{:?}", source.notes);
        }
    }
}

/// Minute and second of each message of a client: no two gaps are alike.
const TIMES: [(u32, u32); 11] =
    [(0, 5), (2, 41), (7, 13), (9, 2), (15, 50), (21, 8), (24, 59), (30, 1), (37, 44), (39, 20), (48, 31)];

/// Of a message whose lines do not all stand in the log, its place in [`TIMES`].
const UNNAMED: usize = 6;

const PATH: &str = "/CCM_Proxy_ServerAuth/72057594037927957/ccm_system_tokenauth/request";

/// A line of a client's log.
fn line((minute, second): (u32, u32), ms: u32, thread: u32, text: &str) -> String {
    format!(
        "<![LOG[{text}]LOG]!><time=\"10:{minute:02}:{second:02}.{ms:03}+000\" date=\"08-18-2025\" \
         component=\"CcmMessaging\" context=\"\" type=\"1\" thread=\"{thread}\" file=\"ccmhttp.cpp:1\">\r\n"
    )
}

/// The lines on a message to the gateway: the one that names it, and two on how it is made.
fn message(at: (u32, u32)) -> [String; 3] {
    let banner = format!(
        "SMS CCM 5.0: Host=cmg.contoso.com, Path={PATH}, Port=443, Protocol=https, CcmTokenAuth=1, Flags=0x1304, \
         Options=0xe0"
    );
    [
        line(at, 100, 4100, &banner),
        line(at, 110, 4100, "Created connection on port 443"),
        line(at, 120, 4100, "Appending CCM Token to the header."),
    ]
}

/// The gateway's log: a row at each of these times.
fn rows<'t>(times: impl IntoIterator<Item = &'t (u32, u32)>) -> String {
    let mut rows = String::from(
        "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem \
         cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status \
         time-taken\r\n",
    );
    for (minute, second) in times {
        write!(
            rows,
            "2025-08-18 10:{minute:02}:{second:02} 10.0.0.4 CCM_POST {PATH} - 443 - 203.0.113.7 SMS+CCM+5.0 - 200 0 0 \
             140\r\n"
        )
        .unwrap();
    }
    rows
}

/// A folder with the log of a client and that of a gateway.
fn folder_of(client: String, rows: String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in
        [("client-PC07/CcmMessaging.log", client), ("cmg-ProxyService_IN_0/W3SVC1/u_ex250818.log", rows)]
    {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// A client's log of a message every few minutes, the gateway's rows of them, and the lines on one message without the
/// one that names its target.
fn one_message_without_its_banner() -> tempfile::TempDir {
    let lines = |(number, at): (usize, &(u32, u32))| message(*at)[usize::from(number == UNNAMED)..].concat();
    folder_of(TIMES.iter().enumerate().map(lines).collect(), rows(&TIMES))
}

/// Line of the gateway's row of the message without a banner: two lines of head, then one for each message.
const ITS_ROW: u32 = 9;

#[test]
fn a_request_whose_target_is_lost_is_joined_to_the_gateways_row_at_its_time() {
    let folder = one_message_without_its_banner();
    let trail = read(&[folder.path().to_owned()]);
    let is_row = |event: &&cmgtrail::flows::FlowEvent| event.source.contains("W3SVC1") && event.line == ITS_ROW;
    let joined: Vec<_> = trail
        .flows
        .iter()
        .filter(|flow| flow.client.host.as_deref() == Some("PC07"))
        .flat_map(|flow| &flow.events)
        .filter(is_row)
        .collect();
    // Its own lines are the 19th and 20th: six messages of three lines stand before.
    let own = |event: &&cmgtrail::flows::FlowEvent| {
        event.join.to.as_ref().is_some_and(|to| to.source.ends_with("CcmMessaging.log") && [19, 20].contains(&to.line))
    };
    assert!(joined.iter().copied().any(|event| own(&event)), "{joined:?}");
}

#[test]
fn a_request_whose_target_is_lost_among_requests_to_the_intranet_is_joined_to_no_row() {
    for carries_token in [false, true] {
        let mut client = String::new();
        for (number, &at) in TIMES.iter().enumerate() {
            // Each on a thread of its own: the gateway, half a minute later the intranet's management point.
            let later = (at.0 + (at.1 + 30) / 60, (at.1 + 30) % 60);
            client += &message(at).concat();
            if number != UNNAMED {
                let banner = "SMS CCM 5.0: Host=mp01.corp.contoso.com, Path=/ccm_system/request, Port=443, \
                              Protocol=https, CcmTokenAuth=0, Flags=0x1304, Options=0xe0";
                client += &line(later, 100, 4200, banner);
            }
            client += &line(later, 110, 4200, "Created connection on port 443");
            if number == UNNAMED && carries_token {
                client += &line(later, 120, 4200, "Appending CCM Token to the header.");
            }
        }
        // At the time of the unnamed one somebody else's request came to the gateway.
        let other = (TIMES[UNNAMED].0 + 1, TIMES[UNNAMED].1 + 30 - 60);
        let folder = folder_of(client, rows(TIMES[..=UNNAMED].iter().chain([&other]).chain(&TIMES[UNNAMED + 1..])));
        let trail = read(&[folder.path().to_owned()]);
        let rows = trail.flows.iter().flat_map(|flow| &flow.events).filter(|event| event.source.contains("W3SVC1"));
        let joined_to: Vec<u32> = rows.filter_map(|event| Some(event.join.to.as_ref()?.line)).collect();
        // The named ones are joined, so this one could be: its lines are the 34th and 35th, after seven times three to
        // the gateway and six times two to the intranet.
        assert!(joined_to.len() >= TIMES.len() - 1, "{joined_to:?}");
        assert!(!joined_to.iter().any(|line| [34, 35].contains(line)), "token {carries_token}: {joined_to:?}");
    }
}

#[test]
fn a_clock_that_was_set_back_among_few_requests_has_two_offsets() {
    // From the seventh message on the client's clock is nine minutes behind; the gateway's goes on.
    let told = |(number, at): (usize, &(u32, u32))| message(if number < 6 { *at } else { (at.0 - 9, at.1) }).concat();
    let folder = folder_of(TIMES.iter().enumerate().map(told).collect(), rows(&TIMES));
    let trail = read(&[folder.path().to_owned()]);
    let clocks: Vec<_> = trail.clocks.iter().filter(|clock| clock.host == "PC07").collect();
    // No line of the client's shows an answer: what its clock is ahead of the gateway's is known to half a minute.
    let is = |expected: f64| {
        let near = |clock: &Clock| (clock.offset_seconds - expected).abs() <= clock.uncertainty_seconds;
        clocks.iter().any(|clock| near(clock) && clock.uncertainty_seconds < 40.0)
    };
    assert!(clocks.len() == 2 && is(0.0) && is(-540.0), "{clocks:?}");
}

fn machines(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_what_is_given_changes_nothing(order in any::<[u8; 32]>(), seed in 20_u64..23) {
        let simulated = site(540, seed);
        let folder = written(&simulated);
        let paths = machines(folder.path());
        let mut shuffled: Vec<(u8, PathBuf)> = order.iter().copied().cycle().zip(paths.iter().cloned()).collect();
        shuffled.sort();
        let shuffled: Vec<PathBuf> = shuffled.into_iter().map(|(_, path)| path).collect();
        let (first, second) = (read(&paths), read(&shuffled));
        prop_assert_eq!(serde_json::to_value(&first.clocks).unwrap(), serde_json::to_value(&second.clocks).unwrap());
        prop_assert_eq!(serde_json::to_value(&first.flows).unwrap(), serde_json::to_value(&second.flows).unwrap());
    }
}
