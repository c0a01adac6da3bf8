//! The short decision aid at the end of the failure catalogue: each of its rows on the few lines that it is about.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot write its own logs has nothing to say

use std::fmt::Write as _;
use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Confidence, Finding, Severity};
use cmgtrail::flows::{Flow, FlowKind};
use cmgtrail::stage::{Outcome, Stage};

const CMG: &str = "gw.proseware.example";
const ROLE: &str = "72057594037927971";
const DEVICE: &str = "5b1f3c1e-6c1d-4c58-9f0b-1f7b2a9d5e10";

/// A log of CCM framing, a line a second from `start` seconds after ten o'clock UTC.
fn log(component: &str, start: usize, lines: &[String]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let at = start + index;
        let (minutes, seconds) = (at / 60, at % 60);
        writeln!(
            text,
            "<![LOG[{line}]LOG]!><time=\"10:{minutes:02}:{seconds:02}.100+000\" date=\"04-14-2026\" \
             component=\"{component}\" context=\"\" type=\"1\" thread=\"4711\" file=\"a.cpp:1\">"
        )
        .unwrap();
    }
    text
}

/// The lines of ccmsetup up to its request for a token, and `then`.
fn asks_for_a_token(then: &[&str]) -> Vec<String> {
    let mut lines = vec![
        "==========[ ccmsetup started in process 4020 ]==========".to_owned(),
        "CCMSETUP bootstrap from Internet: 1".to_owned(),
        format!(
            "Getting AAD (device) token with: ClientId = {DEVICE}, ResourceUrl = https://ConfigMgrService, \
             AccountId = https://login.microsoftonline.com/common/oauth2/token"
        ),
        format!("Retrieved AAD token for AAD device '{DEVICE}'"),
        format!("Getting CCM Token from https://{CMG}/CCM_Proxy_ServerAuth/{ROLE}/CCM_STS"),
        format!(
            "SMS CCM 5.0: Host={CMG}, Path=/CCM_Proxy_ServerAuth/{ROLE}/CCM_STS, Port=443, Protocol=https, \
             CcmTokenAuth=0, Flags=0x4101, Options=0xe0"
        ),
    ];
    lines.extend(then.iter().map(|line| (*line).to_owned()));
    lines
}

fn error(code: u32, text: &str) -> String {
    let url = format!("https://{CMG}/CCM_Proxy_ServerAuth/{ROLE}/CCM_STS");
    format!("[CCMHTTP] ERROR: URL={url}, Port=443, Options=224, Code={code}, Text={text}")
}

fn status(code: u16, text: &str) -> [String; 2] {
    [error(0, "CCM_E_BAD_HTTP_STATUS_CODE"), format!("[CCMHTTP] ERROR INFO: StatusCode={code} StatusText={text}")]
}

/// Reads logs, each under its path.
fn read(logs: &[(&str, String)]) -> Trail {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in logs {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new("."))).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Trail::read(&[folder.path().to_path_buf()], ReadOptions::default(), &Silent).unwrap()
}

fn install(lines: &[String]) -> Trail {
    read(&[("client-PW-1/ccmsetup.log", log("ccmsetup", 0, lines))])
}

fn only_flow(trail: &Trail) -> &Flow {
    assert_eq!(trail.flows.len(), 1, "{:?}", trail.flows);
    assert_eq!(trail.flows[0].kind, FlowKind::Install);
    &trail.flows[0]
}

/// Ids of the causes that stop something, best first.
fn errors(trail: &Trail) -> Vec<&str> {
    let stops = |finding: &&Finding| finding.severity == Severity::Error;
    trail.findings.iter().filter(stops).map(|finding| finding.failure.as_str()).collect()
}

const GAVE_UP: &str = "CcmSetup failed with error code 0x87d00455";

#[test]
fn a_code_of_its_own_is_transport_and_the_mask_says_which() {
    let rows: [(u32, u32, &str); 7] = [
        (0x8, 12175, "cmg-root-ca-missing"),
        (0x1, 12175, "crl-unreachable"),
        (0x10, 12175, "cmg-name-mismatch"),
        (0x8000_0000, 12175, "tls-no-common-version"),
        (0x9, 12175, "cmg-root-ca-missing"),
        (0, 12007, "cmg-name-not-resolved"),
        (0, 12029, "cmg-unreachable"),
    ];
    for (mask, code, cause) in rows {
        let burst = format!("[CCMHTTP] : lpvStatusInformation is {mask:#x}");
        let transport = error(code, "ERROR");
        let told: Vec<&str> =
            [burst.as_str()].into_iter().filter(|_| mask != 0).chain([transport.as_str(), GAVE_UP]).collect();
        let trail = install(&asks_for_a_token(&told));
        assert_eq!(only_flow(&trail).broke_at, Some(Stage::CmgConnection), "{mask:#x} {code}");
        assert_eq!(errors(&trail).first(), Some(&cause), "{mask:#x} {code}: {:?}", errors(&trail));
    }
}

#[test]
fn a_date_that_one_client_alone_finds_wrong_stays_undecided() {
    let told = ["[CCMHTTP] : lpvStatusInformation is 0x20", &error(12175, "ERROR_WINHTTP_SECURE_FAILURE"), GAVE_UP];
    let trail = install(&asks_for_a_token(&told));
    let mut found = errors(&trail);
    found.sort_unstable();
    assert_eq!(found, ["client-clock-wrong", "cmg-certificate-expired"]);
}

/// `CMGService_*`: the gateway. `CMGConnector_*`: behind it. Plain words of a gateway's address: the gateway's own web
/// server, for nobody behind it speaks so.
#[test]
fn code_zero_is_read_by_the_words_of_the_status() {
    let rows = [
        (401, "CMGService_Invalid_Token", Stage::CmgReceive),
        (403, "CMGConnector_Forbidden", Stage::MpValidate),
        (403, "CMGConnector_Clientcertificaterequired", Stage::ConnectorForward),
        (500, "CMGConnector_InternalServerError", Stage::MpValidate),
        (401, "Unauthorized", Stage::CmgReceive),
        (404, "Not Found", Stage::CmgReceive),
        (503, "Service Unavailable", Stage::CmgForward),
    ];
    for (code, text, stage) in rows {
        let [first, second] = status(code, text);
        let trail = install(&asks_for_a_token(&[&first, &second, GAVE_UP]));
        assert_eq!(only_flow(&trail).broke_at, Some(stage), "{code} {text}");
        // The gateway gives no reason in words of its own for refusing a token.
        let silent = text == "Unauthorized";
        assert_eq!(errors(&trail).is_empty(), silent, "{code} {text}: {:?}", errors(&trail));
    }
}

#[test]
fn without_a_request_it_is_entra_or_what_comes_before_it() {
    let mut asked = asks_for_a_token(&[]);
    asked.truncate(3);
    asked.push("Failed to get AAD token for 'S-1-5-18' from WAM API. Error 0x800703f0".to_owned());
    asked.push(GAVE_UP.to_owned());
    let trail = install(&asked);
    assert_eq!(only_flow(&trail).broke_at, Some(Stage::AadToken));
    assert_eq!(errors(&trail).first(), Some(&"device-token-not-enabled"), "{:?}", errors(&trail));

    let mut never_asked = asks_for_a_token(&[]);
    never_asked.truncate(2);
    never_asked.push(GAVE_UP.to_owned());
    let trail = install(&never_asked);
    assert_eq!(only_flow(&trail).broke_at, Some(Stage::WpjCertificate));
    assert_eq!(errors(&trail).first(), Some(&"wpj-certificate-missing"), "{:?}", errors(&trail));
}

/// What the token service logs of this device, from the second at which the client asks.
fn token_service(lines: &[&str]) -> (&'static str, String) {
    let validated = format!(
        "Validated AAD token. TokenType: Device TenantId: 4f3a1b2c-0d9e-4c7b-8a6f-1e2d3c4b5a69 \
         UserId: 00000000-0000-0000-0000-000000000000 DeviceId: {DEVICE} OnPrem_UserSid: OnPrem_DeviceSid:"
    );
    let mut all = vec!["ProcessRequest - Start".to_owned(), validated];
    all.extend(lines.iter().map(|line| (*line).to_owned()));
    ("mp-MP1/CCM_STS.log", log("CCM_STS", 5, &all))
}

#[test]
fn a_token_that_was_validated_and_not_made_stopped_at_the_site() {
    let told = asks_for_a_token(&["RetrieveTokenFromStsServerImpl failed with error 0x87d00231", GAVE_UP]);
    let logs = [("client-PW-1/ccmsetup.log", log("ccmsetup", 0, &told)), token_service(&["TokenType is Device"])];
    assert_eq!(only_flow(&read(&logs)).broke_at, Some(Stage::MpValidate));
}

/// The management point returned a token, and the client never cached it: it was lost on the way back.
#[test]
fn a_token_that_was_returned_and_not_cached_did_not_fail_at_the_site() {
    let told = asks_for_a_token(&["RetrieveTokenFromStsServerImpl failed with error 0x87d00231", GAVE_UP]);
    let returned = token_service(&["Issued token", "Return token to client"]);
    let trail = read(&[("client-PW-1/ccmsetup.log", log("ccmsetup", 0, &told)), returned]);
    let flow = only_flow(&trail);
    assert_eq!(flow.outcome, Outcome::Failed);
    assert_ne!(flow.broke_at, Some(Stage::MpValidate));
    for cause in ["user-not-discovered", "mp-cannot-reach-entra", "sts-not-running", "mp-redirect-on-sts"] {
        assert!(!errors(&trail).contains(&cause), "{cause}");
    }
}

#[test]
fn codes_that_everything_ends_in_are_no_cause() {
    for code in ["0x87d00231", "0x87d0027e", "0x87d00454", "0x80072f8f"] {
        let told = format!("RetrieveTokenFromStsServerImpl failed with error {code}");
        let trail = install(&asks_for_a_token(&[&told, &format!("CcmSetup failed with error code {code}")]));
        assert_eq!(only_flow(&trail).outcome, Outcome::Failed);
        // 0x87D0027E says that some server refused: who may have is asked for, and nobody is named as sure.
        let surely = trail.findings.iter().filter(|finding| finding.confidence > Confidence::Possible);
        assert_eq!(surely.map(|finding| finding.failure.as_str()).collect::<Vec<_>>(), [""; 0], "{code}");
    }
}

/// The same lines, and a log that begins too late to tell what was not done.
#[test]
fn absence_is_no_evidence_where_the_log_does_not_cover_the_time() {
    let mut cut = asks_for_a_token(&[]);
    cut.truncate(2);
    cut.remove(0);
    cut.push(GAVE_UP.to_owned());
    assert!(!errors(&install(&cut)).contains(&"wpj-certificate-missing"));

    let [first, second] = status(401, "CMGConnector_Unauthorized");
    let client = log("ccmsetup", 0, &asks_for_a_token(&[&first, &second, GAVE_UP]));
    let others = vec!["ProcessRequest - Start".to_owned()];
    for (start, surely) in [(0, true), (1_800, false)] {
        // The token service's log spans the request without a line of it, or begins half an hour later.
        let mut sts = log("CCM_STS", start, &[]);
        if start == 0 {
            sts.push_str(&log("CCM_STS_Other", 0, &["Started".to_owned()]));
            sts.push_str(&log("CCM_STS_Other", 60, &["Stopped".to_owned()]));
        } else {
            sts.push_str(&log("CCM_STS", start, &others));
        }
        let trail = read(&[("client-PW-1/ccmsetup.log", client.clone()), ("mp-MP1/CCM_STS.log", sts)]);
        let redirect = trail.findings.iter().find(|finding| finding.failure == "mp-redirect-on-sts");
        let found = redirect.map(|finding| finding.confidence >= Confidence::Likely);
        assert_eq!(found.unwrap_or(false), surely, "{:?}", trail.findings);
    }
}
