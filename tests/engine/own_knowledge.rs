//! Knowledge of a user's own: it adds beside what the built-in knowledge finds, or replaces by id, and says where it
//! comes from.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Confidence, Finding};
use cmgtrail::knowledge::Knowledge;
use rayon::prelude::*;
use serde_json::json;

/// Messages that want every line, and that say the worst of it: more specific than the built-in ones, they end flows,
/// begin others, name other clients and other gateways.
const GREEDY_MESSAGES: &str = r"
[[message]]
id = 'own-takes-everything'
mark = 'ok'
stage = 'cmg-connection'
logs = ['ccmsetup']
proof = 'seen'
source = 'nowhere'
anywhere = true
ignore_case = true
templates = ['client', 'request', 'CCMHTTP]', 'Getting', 'failed', 'certificate', 'message', 'server', 'ccm_sts', 'https:']
examples = [{ text = 'the Client has it' }]
counter_examples = ['nothing of it']

[[message]]
id = 'own-ends-everything'
mark = 'ok'
logs = ['ccmsetup']
closes = true
opens = 'install'
new_attempt = true
request = 'banner'
proof = 'seen'
source = 'nowhere'
prefix = true
set = { cmg = 'stolen.example', device_id = '00000000-0000-0000-0000-000000000001', host = 'STOLEN' }
templates = [
    'CcmSetup failed with error code 0x87d00455',
    'CcmSetup is exiting with return code',
    '[CCMHTTP] ERROR: URL=https://',
    '[CCMHTTP] : lpvStatusInformation is',
    '==========[ ccmsetup started in process',
    'Getting CCM Token from https://',
    'Cached encrypted token for',
]
examples = [{ text = 'Getting CCM Token from https://' }]
counter_examples = ['Getting nothing']
";

/// Failures that hold of every flow, and claim to exclude and to explain all others.
fn greedy_failures() -> String {
    let ids: Vec<&str> = Knowledge::builtin().failures().iter().map(|failure| failure.id.as_str()).collect();
    let mut text = String::new();
    for (id, role, when) in [
        ("own-always", "cause", "requires = [{ outcome = ['failed', 'stalled', 'completed', 'unfinished'] }]"),
        ("own-everything", "cause", "requires = [{ event = { message = ['own-takes-everything'] } }]"),
        (
            "own-site",
            "cause",
            "site = true\nrequires = [{ event = { message = ['own-takes-everything'], within = 'site' } }]",
        ),
        ("own-symptom", "symptom", "requires = [{ kind = ['install', 'registration', 'service'] }]"),
        ("own-benign", "benign", "requires = [{ kind = ['install', 'registration', 'service'] }]"),
    ] {
        write!(
            text,
            "[[failure]]\nid = '{id}'\nrole = '{role}'\nseverity = 'error'\novercome = 'error'\nscope = 'client'\n\
             stage = 'cmg-connection'\ntitle = 'Everything is mine'\nexplanation = '{{client}}'\nremedy = 'none'\n\
             verify = 'none'\nreference = 'https://example.org'\nseparates_from = {ids:?}\n\
             [[failure.when]]\nconfidence = 'certain'\n{when}\n"
        )
        .unwrap();
    }
    text
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn cases() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folders = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path().join("logs"));
    let cases: Vec<PathBuf> = folders.filter(|logs| logs.exists()).collect();
    assert!(cases.len() > 50, "{}", cases.len());
    cases
}

fn read(logs: &Path, knowledge: &[PathBuf]) -> Trail {
    let options = ReadOptions { knowledge: knowledge.to_vec(), ..ReadOptions::default() };
    Trail::read(&[logs.to_owned()], options, &Silent).unwrap()
}

/// What the built-in rules say, all of it, in order.
fn builtin_findings(trail: &Trail, but: &[&str]) -> Vec<serde_json::Value> {
    let of_builtin = |finding: &&Finding| finding.rule == "builtin" && !but.contains(&finding.failure.as_str());
    trail.findings.iter().filter(of_builtin).map(|finding| json!(finding)).collect()
}

#[test]
fn a_users_rules_leave_what_the_built_in_ones_find_as_it_was() {
    let folder = Folder::new();
    let own = [folder.file("messages.toml", GREEDY_MESSAGES), folder.file("failures.toml", &greedy_failures())];
    let added: usize = cases()
        .par_iter()
        .map(|logs| {
            let (before, after) = (read(logs, &[]), read(logs, &own));
            let name = logs.display();
            assert_eq!(json!(before.flows), json!(after.flows), "{name}");
            assert_eq!(builtin_findings(&before, &[]), builtin_findings(&after, &[]), "{name}");
            assert_eq!(before.traffic, after.traffic, "{name}");
            after.findings.iter().filter(|finding| finding.rule.ends_with("failures.toml")).count()
        })
        .sum();
    assert!(added > 50, "the user's failures were not tried: {added}");
}

#[test]
fn a_failure_that_is_replaced_takes_nothing_from_the_others() {
    let greedy = greedy_failures();
    let one = greedy.split_inclusive("[[failure]]").nth(1).unwrap().trim_end_matches("[[failure]]");
    let text =
        format!("[[failure]]{}", one.replace("own-always", "cmg-name-mismatch").replace("\"cmg-name-mismatch\", ", ""));
    let folder = Folder::new();
    let own = [folder.file("own.toml", &text)];
    cases().par_iter().for_each(|logs| {
        let (before, after) = (read(logs, &[]), read(logs, &own));
        let but = ["cmg-name-mismatch"];
        let kept = builtin_findings(&before, &but);
        let found = builtin_findings(&after, &but);
        assert!(kept.iter().all(|finding| found.contains(finding)), "{}", logs.display());
    });
}

#[test]
fn words_can_be_replaced_and_the_rule_keeps_its_standing() {
    let (_, text) = Knowledge::builtin_files().iter().find(|(name, _)| name.contains("failures/a-")).unwrap();
    let start = text.find("[[failure]]\nid = \"cmg-root-ca-missing\"").unwrap();
    let rest = &text[start + 1..];
    let entry = &text[start..start + 1 + rest.find("\n[[failure]]\n").unwrap()];
    let title = entry.lines().find(|line| line.starts_with("title = ")).unwrap();
    let folder = Folder::new();
    let own = [folder.file("own.toml", &entry.replace(title, "title = 'Call the certificate team'"))];
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/root-missing-mask-8/logs");
    let (before, after) = (read(&logs, &[]), read(&logs, &own));
    let (old, new) = (&before.findings[0], &after.findings[0]);
    assert_eq!(new.title, "Call the certificate team");
    assert!(new.rule.ends_with("own.toml") && old.rule == "builtin");
    assert_eq!((&old.failure, old.confidence, old.severity), (&new.failure, new.confidence, new.severity));
    assert_eq!(before.findings.len(), after.findings.len());
}

#[test]
fn a_message_that_is_replaced_keeps_the_lines_that_it_had() {
    // The replacement would match other messages' lines, too: those stay theirs.
    let own_text = r"
[[message]]
id = 'ccmsetup-failed'
role = 'client'
mark = 'fail'
logs = ['ccmsetup']
proof = 'seen'
source = 'our own'
anywhere = true
templates = ['failed', 'CCMHTTP] ERROR']
examples = [{ text = 'it failed' }]
counter_examples = ['it went well']
";
    let folder = Folder::new();
    let own = [folder.file("own.toml", own_text)];
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/root-missing-mask-8/logs");
    let (before, after) = (read(&logs, &[]), read(&logs, &own));
    assert_eq!(before.findings[0].failure, after.findings[0].failure);
    let ids = |trail: &Trail| trail.flows[0].events.iter().filter(|event| event.message == "ccmhttp-error").count();
    assert_eq!(ids(&before), ids(&after));
}

/// A log line of ours, and a failure that rests on it.
fn own_failure(proof: &str, more: &str, when: &str) -> String {
    format!(
        r"
[[message]]
id = 'own-vpn-refused'
role = 'client'
mark = 'fail'
logs = ['OurVpn']
proof = '{proof}'
source = 'our own VPN client, version 7'
templates = ['VPN tunnel refused by {{host:host}}, reason {{code:int}}']
examples = [{{ text = 'VPN tunnel refused by vpn.contoso.com, reason 12', fields = {{ host = 'vpn.contoso.com', code = '12' }} }}]
counter_examples = ['VPN tunnel established to vpn.contoso.com']

[[failure]]
id = 'own-vpn-blocks-the-gateway'
role = 'cause'
severity = 'warning'
stage = 'cmg-connection'
scope = 'client'
title = 'The VPN client blocks the gateway'
explanation = 'The VPN client of {{client|the client}} refused its tunnel.'
remedy = 'Update the VPN client.'
verify = 'Its log has no line of a refused tunnel.'
reference = 'https://wiki.contoso.com/vpn'
{more}
[[failure.when]]
confidence = 'likely'
{when}
"
    )
}

const VPN_LINE: &str = "requires = [{ event = { message = ['own-vpn-refused'], within = 'flow' } }]";

/// The corpus case of a missing root, with a log of the VPN client beside ccmsetup.log.
fn logs_with_vpn(folder: &Folder) -> PathBuf {
    let case =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/root-missing-mask-8/logs/client-PC042/ccmsetup.log");
    let text = std::fs::read_to_string(case).unwrap();
    folder.file("logs/client-PC042/ccmsetup.log", &text);
    // Written in the minute of the failure: the stamp is that of a line of ccmsetup.
    let stamp = text.split("<time=").nth(20).unwrap().split(" component=").next().unwrap().to_owned();
    let line = format!(
        "<![LOG[VPN tunnel refused by vpn.contoso.com, reason 12]LOG]!><time={stamp} component=\"OurVpn\" context=\"\" type=\"3\" thread=\"7\" file=\"vpn.cpp:1\">\r\n"
    );
    folder.file("logs/client-PC042/OurVpn.log", &line);
    folder.0.path().join("logs")
}

fn confidence_of(text: &str) -> (Confidence, Trail) {
    let folder = Folder::new();
    let logs = logs_with_vpn(&folder);
    let own = [folder.file("own.toml", text)];
    let trail = read(&logs, &own);
    let finding = trail.findings.iter().find(|finding| finding.failure == "own-vpn-blocks-the-gateway");
    (finding.unwrap_or_else(|| panic!("{:?}", trail.findings)).confidence, trail)
}

#[test]
fn a_failure_of_ones_own_is_found_with_its_line_and_its_file() {
    let (confidence, trail) = confidence_of(&own_failure("seen", "", VPN_LINE));
    assert_eq!(confidence, Confidence::Likely);
    let finding = trail.findings.iter().find(|finding| finding.failure == "own-vpn-blocks-the-gateway").unwrap();
    assert!(finding.rule.ends_with("own.toml"), "{}", finding.rule);
    assert_eq!(finding.explanation, "The VPN client of PC042 refused its tunnel.");
    assert_eq!(&*finding.evidence[0].source, "client-PC042/OurVpn.log");
    assert!(trail.findings.iter().any(|finding| finding.failure == "cmg-root-ca-missing"));
}

#[test]
fn what_proves_nothing_is_possible_at_most() {
    assert_eq!(confidence_of(&own_failure("inferred", "", VPN_LINE)).0, Confidence::Possible);
    assert_eq!(confidence_of(&own_failure("seen", "hypothesis = true", VPN_LINE)).0, Confidence::Possible);
    let circumstances = "requires = [{ kind = ['install'] }, { outcome = ['failed'] }]";
    assert_eq!(confidence_of(&own_failure("seen", "", circumstances)).0, Confidence::Possible);
}

fn mistakes(text: &str) -> Vec<String> {
    let folder = Folder::new();
    let checked = Knowledge::check(&[folder.file("own.toml", text)]).unwrap();
    checked[0].mistakes.clone()
}

#[test]
fn a_check_tells_what_a_file_may_not_do() {
    let sound = own_failure("seen", "", VPN_LINE);
    assert_eq!(mistakes(&sound), Vec::<String>::new());
    for (from, to, expected) in [
        (
            "requires = [{ event = { message = ['own-vpn-refused'], within = 'flow' } }]",
            "requires = []",
            "'requires' is empty",
        ),
        ("message = ['own-vpn-refused']", "message = ['own-vpn']", "there is no message 'own-vpn'"),
        (
            "reference = ",
            "separates_from = ['cmg-root-missing']\nreference = ",
            "there is no failure 'cmg-root-missing'",
        ),
        ("source = 'our own VPN client, version 7'", "source = ' '", "'source' is empty"),
        ("confidence = 'likely'", "confidence = 'sure'", "unknown variant `sure`"),
        ("scope = 'client'", "scope = 'client and site'", "found 'client and site'"),
    ] {
        assert!(sound.contains(from), "{from}");
        let told = mistakes(&sound.replacen(from, to, 1));
        assert!(told.iter().any(|mistake| mistake.starts_with("line ") && mistake.contains(expected)), "{told:#?}");
    }
    let path = "[[gateway]]\nid = 'own'\npath = '/'\n[[endpoint]]\nid = 'own'\npath = '/'\nstage = 'cmg-connection'\n";
    assert!(!mistakes(path).is_empty());
    let code = "[[code]]\nid = 'own'\ncomponent = 'iis'\ncode = 1\nname = 'A'\nsays = 'B.'\nmeans = 'C.'\nrole = 'cause'\nsource = 'D'\nfailures = ['none']\n";
    let told = mistakes(code);
    assert!(
        told.iter().any(|mistake| mistake.starts_with("line 4: 'own': 'code' is text for the component iis")),
        "{told:#?}"
    );
}

/// A misspelt name makes a rule that never holds, or a hole in a sentence.
#[test]
fn a_check_tells_each_name_that_nothing_bears_with_its_line() {
    let sound = own_failure("seen", "", VPN_LINE)
        + "[[failure.missing]]\nwhat = 'the log of {host|the VPN server}'\nmachine = 'client'\nseparates = []\nhow = 'Ask for it.'\n";
    assert_eq!(mistakes(&sound), Vec::<String>::new());
    let event = "message = ['own-vpn-refused'], within = 'flow'";
    let requires = "requires = [{ event = { message = ['own-vpn-refused'], within = 'flow' } }]";
    for (from, to, expected) in [
        (
            "{client|the client} refused",
            "{klient|the client} refused",
            "line 20: 'own-vpn-blocks-the-gateway': 'explanation' names '{klient}'",
        ),
        (
            "refused its tunnel.'",
            "refused its tunnel.[[ Since {since}.]]'",
            "line 20: 'own-vpn-blocks-the-gateway': 'explanation' names '{since}'",
        ),
        (
            "refused its tunnel.'",
            "refused its tunnel.[[ By {host}.'",
            "line 20: 'own-vpn-blocks-the-gateway': in 'explanation' a '[['",
        ),
        (
            "{host|the VPN server}",
            "{hots|the VPN server}",
            "line 29: 'own-vpn-blocks-the-gateway': 'what' names '{hots}'",
        ),
        (
            "how = 'Ask for it.'",
            "how = 'Ask.'\nknown = ['code', 'reson']",
            "line 33: 'own-vpn-blocks-the-gateway': 'known' names 'reson'",
        ),
        (
            "how = 'Ask for it.'",
            "how = 'Ask.'\nartefact = ['rootstore']",
            "no part of a bundle is called 'rootstore'; known: presented,",
        ),
        (
            "how = 'Ask for it.'",
            "how = 'Ask.'\nafter = ['joinstatus']",
            "line 33: 'own-vpn-blocks-the-gateway': no part of a bundle is called 'joinstatus'",
        ),
        (
            event,
            "message = ['own-vpn-refused'], fields = { reason = 12 }",
            "line 27: 'own-vpn-blocks-the-gateway': none of the messages own-vpn-refused has a field 'reason'",
        ),
        (
            event,
            "message = ['own-vpn-refused'], has = ['hosts']",
            "none of the messages own-vpn-refused has a field 'hosts'",
        ),
        (
            requires,
            "requires = [{ absent = { message = ['own-vpn-refused'], log = 'OurVpm' } }]",
            "none of the messages own-vpn-refused stands in a log 'OurVpm'",
        ),
        (
            requires,
            "requires = [{ request = { endpoint = ['ccm-st'] } }]",
            "line 27: 'own-vpn-blocks-the-gateway': there is no endpoint 'ccm-st'",
        ),
        (
            requires,
            "requires = [{ request = { flag = ['INVALID_CAS'] } }]",
            "no bit of the secure-failure mask is called 'INVALID_CAS'",
        ),
        (
            requires,
            "requires = [{ request = { no_flag = ['DATE_INVALID'] } }]",
            "no bit of the secure-failure mask is called 'DATE_INVALID'",
        ),
        (requires, "requires = [{ request = { hresult = ['0x87d0023'] } }]", "'0x87d0023' is no HRESULT"),
        (
            requires,
            "requires = [{ artefact = { kind = 'token', explains = 'token-expired' } }]",
            "line 27: 'own-vpn-blocks-the-gateway': there is no failure 'token-expired'",
        ),
        ("reference = ", "consequences = ['0x87D0O231']\nreference = ", "'0x87D0O231' is no HRESULT"),
        (
            "reference = ",
            "mended_by = ['vpn-works']\nreference = ",
            "line 23: 'own-vpn-blocks-the-gateway': there is no message 'vpn-works'",
        ),
    ] {
        assert!(sound.contains(from), "{from}");
        let told = mistakes(&sound.replacen(from, to, 1));
        assert!(
            told.iter().any(|mistake| mistake.starts_with("line ") && mistake.contains(expected)),
            "{expected}: {told:#?}"
        );
    }
}

#[test]
fn codes_of_ones_own_are_added_and_replaced() {
    let text = "[[code]]\nid = 'own-vpn'\ncomponent = 'win32'\ncode = 40001\nname = 'VPN_REFUSED'\nsays = 'The VPN refused.'\nmeans = 'Ask the network team.'\nrole = 'cause'\nsource = 'our own VPN client'\n";
    let knowledge = Knowledge::builtin().clone().with_text(Path::new("own.toml"), text).unwrap();
    let readings = knowledge.codes().explain("0x80079C41", None).unwrap();
    assert_eq!((readings[0].code.name.as_str(), readings[0].code.rule.as_str()), ("VPN_REFUSED", "own.toml"));
    assert!(Knowledge::builtin().codes().explain("40001", None).unwrap().is_empty());
}

#[test]
fn the_built_in_files_can_be_written_out_and_read_back() {
    let folder = Folder::new();
    let files: Vec<PathBuf> = Knowledge::builtin_files().iter().map(|(name, text)| folder.file(name, text)).collect();
    for file in Knowledge::check(&files).unwrap() {
        assert_eq!(file.mistakes, Vec::<String>::new(), "{}", file.file);
    }
    // What is laid over the built-in knowledge unchanged finds what that finds.
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/root-missing-mask-8/logs");
    let ids = |trail: &Trail| -> Vec<(String, Confidence)> {
        trail.findings.iter().map(|finding| (finding.failure.clone(), finding.confidence)).collect()
    };
    assert_eq!(ids(&read(&logs, &[])), ids(&read(&logs, &files)));
}

/// Windows writes the words of an error in its own language; its number stays.
#[test]
fn the_words_of_the_system_do_not_matter() {
    const ENGLISH: &str = "An attempt was made to reference a token that does not exist.";
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/device-token-not-enabled-no-user/logs");
    let log = std::fs::read_to_string(case.join("client-HI-88/ccmsetup.log")).unwrap();
    assert!(log.contains(ENGLISH));
    let told = |trail: &Trail| -> Vec<(String, Confidence, usize)> {
        let of = |finding: &Finding| (finding.failure.clone(), finding.confidence, finding.evidence.len());
        trail.findings.iter().map(of).collect()
    };
    let english = told(&read(&case, &[]));
    assert!(english.iter().any(|(failure, ..)| failure == "device-token-not-enabled"), "{english:?}");
    for words in [
        "Es wurde versucht, auf ein Token zu verweisen, das nicht vorhanden ist.",
        "Tentative de référence à un jeton qui n’existe pas.",
        "存在しないトークンを参照しようとしました。",
    ] {
        let folder = Folder::new();
        folder.file("logs/client-HI-88/ccmsetup.log", &log.replace(ENGLISH, words));
        assert_eq!(told(&read(&folder.0.path().join("logs"), &[])), english, "{words}");
    }
}
