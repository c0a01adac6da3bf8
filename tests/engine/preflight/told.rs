//! What a description does not tell, or tells of another time or host, decides nothing; what it tells in another way than
//! it must is said in words of its own.

use cmgtrail::finding::{Confidence, Severity};
use cmgtrail::preflight::Forecast;
use cmgtrail::stage::Stage;
use cmgtrail::workflow::{Credential, Phase, Prediction, Status};

use super::world::{Change, LIST, NOBODY, changed, predicted};
use super::{ask, corpus};

use Phase::{AfterRefresh, Bootstrap};

fn causes(prediction: &Prediction) -> Vec<(Stage, &'static str, Confidence)> {
    prediction.causes().map(|(stage, cause)| (stage, cause.failure, cause.confidence)).collect()
}

fn of(changes: &[Change], phase: Phase) -> Prediction {
    predicted(&changed(changes), phase)
}

fn token(file: &'static str) -> Change {
    match file {
        "earlier" => ("os_build", "tokens = { device = \"device-captured-earlier.jwt\" }\nos_build"),
        _ => ("os_build", "tokens = { device = \"device-captured-later.jwt\" }\nos_build"),
    }
}

#[test]
fn a_token_of_another_time_says_nothing_of_any_clock() {
    const AHEAD: Change =
        ("roots = [\"root.pem\"]\nhealthy", "clock_offset_seconds = 7200\nroots = [\"root.pem\"]\nhealthy");
    for captured in [token("earlier"), token("later")] {
        for phase in Phase::ALL {
            let prediction = of(&[captured], phase);
            assert_eq!(prediction.works, Some(true), "{captured:?} {:?}", causes(&prediction));
            assert_eq!(prediction.warnings().count(), 0);
            assert!(
                prediction.stage(Stage::CmgReceive).unwrap().why.contains("captured earlier")
                    == (captured == token("earlier"))
            );
        }
        // A clock that is told to be off refuses the tokens of the time all the same.
        let prediction = of(&[captured, AHEAD], Bootstrap);
        assert_eq!(causes(&prediction), [(Stage::MpValidate, "token-clock-skew", Confidence::Certain)]);
    }
    // Half a minute behind is nothing, and neither are nine minutes: a token of Entra begins five minutes early.
    for seconds in ["-30", "-540"] {
        let text = format!("clock_offset_seconds = {seconds}\nroots = [\"root.pem\"]\nhealthy");
        let site = changed(&[("roots = [\"root.pem\"]\nhealthy", &text)]);
        assert_eq!(predicted(&site, Bootstrap).works, Some(true), "{seconds}");
    }
}

/// A clock that is months ahead outdates the root's list as well; what is wrong with the other one is told all the same.
#[test]
fn what_is_wrong_with_a_list_is_told_by_the_right_clock() {
    let forged = ("file = \"issuing.crl\"", "file = \"forged.crl\"");
    let ahead = ("os_build", "clock_offset_seconds = 10368000\nos_build");
    let right = finding(&[forged], "crl-unreachable");
    let wrong = finding(&[forged, ahead], "crl-unreachable");
    assert!(right.title.contains("is not its list"), "{}", right.title);
    assert_eq!((wrong.title, wrong.why), (right.title, right.why));
}

/// The token is made up for the prediction: that it may be forged is nothing to say, and whose clock is off is.
#[test]
fn a_clock_that_is_behind_is_told_with_whose_it_is() {
    let behind = ("roots = [\"root.pem\"]\nhealthy", "clock_offset_seconds = -1200\nroots = [\"root.pem\"]\nhealthy");
    let found = finding(&[behind], "token-clock-skew");
    assert_eq!((found.severity, found.stage), (Severity::Error, Stage::MpValidate));
    assert!(found.why.contains("mp01.fabrikam.com, which is 20 min behind"), "{}", found.why);
    assert!(!found.why.contains("forged"), "{}", found.why);
}

#[test]
fn a_device_that_entra_does_not_know_may_have_a_token_of_the_site() {
    assert_eq!(
        causes(&of(&[DOMAIN], Bootstrap)),
        [(Stage::WpjCertificate, "wpj-certificate-missing", Confidence::Certain)]
    );
    let later = of(&[DOMAIN], AfterRefresh);
    assert_eq!((later.works, later.credential), (None, Credential::SiteToken));
    assert_eq!(causes(&later), []);
    assert_eq!(later.stage(Stage::WpjCertificate).unwrap().status, Status::Skipped);
    assert!(later.stage(Stage::CmgReceive).unwrap().why.contains("a token of the site"));
    let with = |file: &'static str| {
        let told = match file {
            "good" => ("os_build", "tokens = { site = \"site.jwt\" }\nos_build"),
            _ => ("os_build", "tokens = { site = \"site-expired.jwt\" }\nos_build"),
        };
        of(&[DOMAIN, told], AfterRefresh)
    };
    assert_eq!(with("good").works, Some(true), "{:#?}", with("good").stages);
    // It may have taken a new one since.
    assert_eq!(causes(&with("expired")), [(Stage::CmgReceive, "site-token-expired", Confidence::Likely)]);
}

const DOMAIN: Change = ("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\"");

#[test]
fn a_certificate_that_cannot_be_used_is_named_where_the_join_is_missed() {
    let own = |file: &'static str| match file {
        "expired" => ("os_build", "pki_certificate = \"client-expired.pem\"\nos_build"),
        _ => ("os_build", "pki_certificate = \"client-usage.pem\"\nos_build"),
    };
    for (certificate, word) in [(own("expired"), "It ended on"), (own("usage"), "client authentication")] {
        let prediction = of(&[certificate, DOMAIN], Bootstrap);
        let (stage, cause) = prediction.causes().next().unwrap();
        assert_eq!((stage, cause.failure), (Stage::WpjCertificate, "wpj-certificate-missing"));
        assert!(cause.why.contains("PKI certificate cannot be used") && cause.why.contains(word), "{}", cause.why);
        let told = finding(&[certificate, DOMAIN], "wpj-certificate-missing");
        assert!(told.title.contains("PKI certificate cannot be used"), "{}", told.title);
        assert!(told.verify.contains("certificate") && !told.verify.contains("AzureAdJoined"), "{}", told.verify);
    }
    // A clock that is wrong is what is wrong, not the certificate.
    let late = ("os_build", "pki_certificate = \"client.pem\"\nclock_offset_seconds = 34560000\nos_build");
    let prediction = of(&[late, DOMAIN], Bootstrap);
    let why = &prediction.stage(Stage::WpjCertificate).unwrap().causes[0].why;
    assert!(why.contains("By the client's clock, which is wrong"), "{why}");
    // A device that can prove its join goes on with Entra.
    let joined = of(&[own("usage")], Bootstrap);
    assert!(joined.stage(Stage::WpjCertificate).unwrap().why.contains("turns to Entra"));
    assert_eq!(joined.credential, Credential::Entra);
}

#[test]
fn a_switch_for_a_certificate_that_is_not_told_is_named() {
    let asked = of(&[("ccmsetup.exe ", "ccmsetup.exe /UsePKICert ")], Bootstrap);
    assert_eq!(asked.works, Some(true));
    assert!(asked.stage(Stage::WpjCertificate).unwrap().why.contains("/UsePKICert"));
}

/// A list that is told to be reached is reached, whatever its address looks like and the client's clock says.
#[test]
fn a_wrong_clock_puts_no_list_out_of_reach() {
    const INNER: [Change; 2] = [
        ("[\"cmg.pem\", \"issuing.pem\"]", "[\"inner.pem\", \"inner-issuing.pem\"]"),
        (
            "url = \"http://crl.fabrikam.com/issuing.crl\"\nfile = \"issuing.crl\"",
            "url = \"http://pki.fabrikam.local/inner.crl\"\nfile = \"inner.crl\"",
        ),
    ];
    assert_eq!(causes(&of(&INNER, Bootstrap)), []);
    for seconds in ["clock_offset_seconds = 864000\nos_build", "clock_offset_seconds = -864000\nos_build"] {
        let prediction = of(&[INNER[0], INNER[1], ("os_build", seconds)], Bootstrap);
        let failures: Vec<&str> = prediction.causes().map(|(_, cause)| cause.failure).collect();
        assert!(!failures.contains(&"crl-unreachable"), "{seconds}: {failures:?}");
    }
}

#[test]
fn a_registration_token_that_is_refused_is_told_in_words_of_registration_tokens() {
    let with = |file: &'static str| match file {
        "endless" => ("os_build", "tokens = { registration = \"registration-endless.jwt\" }\nos_build"),
        _ => ("os_build", "tokens = { registration = \"device.jwt\" }\nos_build"),
    };
    let endless = finding(&[with("endless")], "site-token-expired");
    assert!(endless.title.contains("cannot be accepted") && endless.confidence == Confidence::Possible, "{endless:#?}");
    let foreign = finding(&[with("foreign")], "token-audience-or-issuer-refused");
    assert!(
        foreign.title.contains("not a registration token of this site") && foreign.confidence == Confidence::Certain,
        "{foreign:#?}"
    );
    for told in [endless, foreign] {
        assert!(!told.remedy.contains("AADRESOURCEURI") && !told.explanation.contains("Entra"), "{told:#?}");
        assert!(!told.title.contains("expired"), "{told:#?}");
        assert!(told.remedy.contains("BulkRegistrationTokenTool"), "{told:#?}");
    }
}

/// Two clients that are stopped alike for different reasons: each is told its own, and the finding is as sure as the least.
#[test]
fn a_finding_of_several_clients_tells_whose_reason_is_whose() {
    let second = "[[client]]\nname = \"PC043\"\njoin = \"registered\"\n[[client]]";
    let found = finding(
        &[("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\""), ("[[client]]", second)],
        "wpj-certificate-missing",
    );
    assert_eq!(found.clients, ["PC043", "PC042"]);
    assert!(found.why.contains("PC043: The device is registered with Entra, not joined."), "{}", found.why);
    assert!(found.why.contains("PC042: The device is joined to a domain alone."), "{}", found.why);
}

#[test]
fn the_name_that_azure_gives_a_gateway_is_no_certain_mistake() {
    let line = ("CCMHOSTNAME=cmg.fabrikam.com/", "CCMHOSTNAME=fabrikam.westeurope.cloudapp.azure.com/");
    let found = finding(&[line], "wrong-ccmhostname");
    assert_eq!(found.confidence, Confidence::Likely);
    let other = finding(&[("CCMHOSTNAME=cmg.fabrikam.com/", "CCMHOSTNAME=cmg.contoso.com/")], "wrong-ccmhostname");
    assert_eq!(other.confidence, Confidence::Certain);
}

#[test]
fn a_client_s_own_chain_is_told_in_words_of_a_client() {
    let lacking = ("client_cas = [\"root.pem\", \"issuing.pem\"]", "client_cas = [\"root.pem\"]");
    let prediction = of(&[super::world::OWN_CERTIFICATE, DOMAIN, lacking], Bootstrap);
    let (_, cause) = prediction.causes().find(|(_, cause)| cause.failure == "client-chain-incomplete-on-cmg").unwrap();
    assert!(!cause.why.contains("server") && !cause.why.contains("client's root store"), "{}", cause.why);
}

/// The certificate has one of two names. Which the client was given, the command line says, or nobody.
#[test]
fn the_order_of_names_decides_nothing() {
    const REST: &str = " CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941";
    let turned = (
        "[\"cmg.fabrikam.com\", \"fabrikam-cmg.cloudapp.net\"]",
        "[\"fabrikam-cmg.cloudapp.net\", \"cmg.fabrikam.com\"]",
    );
    for changes in [vec![(REST, "")], vec![(REST, ""), turned]] {
        let prediction = of(&changes, AfterRefresh);
        let found = prediction.stage(Stage::CmgConnection).unwrap();
        assert_eq!((prediction.works, found.status), (None, Status::NotKnown), "{changes:?} {}", found.why);
        assert!(found.why.contains("with fabrikam-cmg.cloudapp.net, cmg-name-mismatch"), "{}", found.why);
        assert!(!found.why.contains("with cmg.fabrikam.com"), "{}", found.why);
    }
    // The client was given the one that the certificate has.
    assert_eq!(of(&[turned], AfterRefresh).works, Some(true));
    // A certificate with neither is wrong whichever it was.
    let neither = ("\"cmg.fabrikam.com\", \"fabrikam-cmg.cloudapp.net\"", "\"a.fabrikam.com\", \"b.fabrikam.com\"");
    let found = causes(&of(&[(REST, ""), neither], AfterRefresh));
    assert_eq!(found, [(Stage::CmgConnection, "cmg-name-mismatch", Confidence::Certain)]);
}

fn finding(changes: &[Change], failure: &str) -> Forecast {
    let found = ask(&changed(changes), None).findings;
    let Some(one) = found.iter().find(|one| one.failure == failure) else { panic!("{failure} is not in {found:#?}") };
    one.clone()
}

#[test]
fn a_list_that_is_reached_and_of_no_use_has_words_of_its_own() {
    let out_of_reach = finding(&[LIST], "crl-unreachable");
    let cases: [(&[Change], &str, &str); 3] = [
        (&[("\"issuing.crl\"", "\"stale.crl\"")], "has ended", "certutil -CRL"),
        (&[("\"issuing.crl\"", "\"forged.crl\"")], "is not its list", "CA's own"),
        (
            &[
                ("[\"cmg.pem\", \"issuing.pem\"]", "[\"silent.pem\", \"silent-issuing.pem\"]"),
                ("root = \"root.pem\"\nstate", "root = \"silent-root.pem\"\nstate"),
                ("roots = [\"root.pem\"] # of the client", "roots = [\"silent-root.pem\"]"),
            ],
            "does not say where",
            "distribution point",
        ),
    ];
    for (changes, title, remedy) in cases {
        let found = finding(changes, "crl-unreachable");
        assert!(found.title.contains(title) && found.remedy.contains(remedy), "{changes:?} {found:#?}");
        assert_ne!(found.explanation, out_of_reach.explanation);
        assert_eq!(found.severity, Severity::Error);
    }
    assert!(out_of_reach.remedy.contains("Publish the CRL at an http address"), "{}", out_of_reach.remedy);
}

#[test]
fn a_list_at_an_address_that_no_certificate_names_is_not_fetched() {
    let moved = [(
        "http://crl.fabrikam.com/issuing.crl\"\nfile = \"issuing.crl\"",
        "http://crl.fabrikam.com/moved.crl\"\nfile = \"issuing.crl\"",
    )];
    let found = of(&moved, Bootstrap);
    assert_eq!(causes(&found), []);
    let found = found.stage(Stage::CmgConnection).unwrap();
    assert_eq!(found.status, Status::NotKnown);
    assert!(
        found.why.contains("what is published at")
            && found.why.contains("do not name http://crl.fabrikam.com/moved.crl"),
        "{}",
        found.why
    );
}

/// What stands on the command line, the failure and how sure it is, and whether it stops the client or is a warning.
const LINES: [(&str, &str, Confidence, bool); 16] = [
    ("/mp:https://old.fabrikam.com/CCM_Proxy_MutualAuth/7 {CMG}", "wrong-ccmhostname", Confidence::Possible, false),
    ("/mp:mp01.fabrikam.com {CMG}", "wrong-ccmhostname", Confidence::Possible, false),
    ("CCMHOSTNAME=mp01.fabrikam.com", "wrong-ccmhostname", Confidence::Certain, true),
    ("CCMHOSTNAME=cmg.fabrikam.com", "wrong-ccmhostname", Confidence::Likely, true),
    ("CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/12345", "wrong-ccmhostname", Confidence::Certain, true),
    ("/mp:https://cmg.fabrikam.com/CCM_Proxy_MutualAuth/12345", "wrong-ccmhostname", Confidence::Certain, true),
    (
        "/mp:cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941 {CMG}",
        "wrong-ccmhostname",
        Confidence::Likely,
        false,
    ),
    (
        "CCMHOSTNAME=https://cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941",
        "wrong-ccmhostname",
        Confidence::Possible,
        false,
    ),
    ("{CMG} SMSSITECODE=XYZ", "bootstrap-command-malformed", Confidence::Possible, false),
    ("{CMG} SMSSITECODE=AUTO", "bootstrap-command-malformed", Confidence::Likely, false),
    ("{CMG} SMSSITECODE=PS12", "bootstrap-command-malformed", Confidence::Likely, false),
    ("{CMG} SMSSITECODE=PS1 SMSSITECODE=PS2", "bootstrap-command-malformed", Confidence::Possible, false),
    ("{CMG} AADTENANTID=1a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01", "tenant-not-onboarded", Confidence::Likely, false),
    ("{CMG} AADCLIENTAPPID=00000000-ed90-49ce-a138-27b8624ef936", "wrong-resource-uri", Confidence::Certain, true),
    ("{CMG} AADRESOURCEURI=https://ConfigMgrServise", "wrong-resource-uri", Confidence::Certain, true),
    ("{CMG} AADRESOURCEURI=https://ConfigMgrService/", "wrong-resource-uri", Confidence::Possible, false),
];
const CMG: &str = "CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941";
const LINE: &str = "CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941 SMSSITECODE=PS1";

#[test]
fn the_command_line_is_held_against_the_site() {
    let with = |line: &str| {
        let line = line.replace("{CMG}", CMG);
        predicted(&changed(&[(LINE, &line)]), Bootstrap)
    };
    for (line, failure, confidence, stops) in LINES {
        let prediction = with(line);
        let warnings: Vec<_> = prediction.warnings().map(|(_, cause)| (cause.failure, cause.confidence)).collect();
        let stopped: Vec<_> = causes(&prediction).into_iter().map(|(_, failure, sure)| (failure, sure)).collect();
        let (found, others) = if stops { (stopped, warnings) } else { (warnings, stopped) };
        assert_eq!((found, others), (vec![(failure, confidence)], vec![]), "{line}");
        assert_eq!(prediction.works, Some(!stops), "{line}");
    }
    for fine in [
        "{CMG}",
        "CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_ServerAuth/72057594037927941 CCMCERTSEL=\"SubjectStr:fabrikam\"",
        "{CMG} SMSSITECODE=ps1 SMSSITECODE=PS1 SMSMP=https://mp01.fabrikam.com",
        "/mp:https://cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941 {CMG}",
        "/mp:https://cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941 SMSSITECODE=PS1",
        "{CMG} AADTENANTID={7A4F0C1E-3B55-4C0D-9F10-2F6D1C8E5A01} AADRESOURCEURI=https://configmgrservice",
    ] {
        let prediction = with(fine);
        assert_eq!(
            (prediction.works, prediction.warnings().count()),
            (Some(true), 0),
            "{fine} {:?}",
            causes(&prediction)
        );
    }
    // It names no gateway: on the organisation's network it works, and from the internet it does not.
    let prediction = with("SMSSITECODE=PS1 SMSMP=mp01.fabrikam.com");
    let found = prediction.stage(Stage::LocationRequest).unwrap();
    assert!(found.why.contains("names no CMG"), "{}", found.why);
    assert_eq!(prediction.works, None);
}

#[test]
fn what_names_the_gateway_is_told_by_its_name() {
    let line = (LINE, "/mp:https://cmg.fabrikam.com/CCM_Proxy_MutualAuth/12345 SMSSITECODE=PS1");
    let by_source = finding(&[line], "wrong-ccmhostname");
    for words in [&by_source.title, &by_source.why] {
        assert!(words.starts_with("/mp: ") && !words.contains("CCMHOSTNAME"), "{words}");
    }
    let line = (LINE, "CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/12345 SMSSITECODE=PS1");
    let by_name = finding(&[line], "wrong-ccmhostname");
    assert!(by_name.title.contains("CCMHOSTNAME") && by_name.why.starts_with("CCMHOSTNAME names"), "{by_name:#?}");
}

#[test]
fn what_stops_a_client_hides_no_other_mistake_of_its_command_line() {
    let line = (LINE, "/mp:cmg.fabrikam.com/CCM_Proxy_MutualAuth/12345 SMSSITECODE=PS1");
    let found = ask(&changed(&[line]), None).findings;
    let told: Vec<_> = found.iter().map(|one| (one.failure.as_str(), one.severity, one.stage)).collect();
    let failure = "wrong-ccmhostname";
    assert_eq!(
        told,
        [(failure, Severity::Error, Stage::CmgReceive), (failure, Severity::Warning, Stage::ClientInstall)]
    );
}

/// By the client's clock the list is not stale yet; by the right one it has been for long, and is nothing to come.
#[test]
fn a_list_that_has_ended_is_not_about_to() {
    let stale = ("\"issuing.crl\"", "\"stale.crl\"");
    let behind = ("os_build", "clock_offset_seconds = -100000\nos_build");
    let warned = of(&[stale, behind], Bootstrap);
    assert!(warned.warnings().all(|(_, cause)| cause.failure != "crl-unreachable"), "{:#?}", warned.stages);
    let soon = of(&[("\"issuing.crl\"", "\"stale-soon.crl\"")], Bootstrap);
    assert!(soon.warnings().any(|(_, cause)| cause.failure == "crl-unreachable"));
}

/// Two pages of the vendor say two things of a client that has a certificate and is not told to use it.
#[test]
fn a_certificate_that_the_command_line_does_not_ask_for_is_warned_of() {
    let asks = ("ccmsetup.exe ", "ccmsetup.exe /UsePKICert ");
    let with_token = ("os_build", "tokens = { registration = \"registration.jwt\" }\nos_build");
    let selects = ("SMSSITECODE=PS1", "SMSSITECODE=PS1 CCMCERTSEL=\"SubjectStr:fabrikam\" CCMFIRSTCERT=1");
    let warned = |changes: &[Change]| {
        let prediction = of(changes, Bootstrap);
        let found = prediction.warnings().map(|(_, cause)| (cause.failure, cause.confidence, cause.why.clone()));
        found.filter(|(failure, ..)| *failure == "bootstrap-command-malformed").collect::<Vec<_>>()
    };
    let alone = [super::world::OWN_CERTIFICATE, DOMAIN];
    let found = warned(&alone);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, Confidence::Possible);
    assert!(!found[0].2.contains("although"), "{}", found[0].2);
    let found = warned(&[alone[0], alone[1], selects]);
    assert!(found[0].2.contains("although it has CCMCERTSEL and CCMFIRSTCERT"), "{}", found[0].2);
    for fine in [vec![alone[0], alone[1], asks], vec![alone[0]], vec![alone[0], alone[1], with_token], vec![selects]] {
        assert_eq!(warned(&fine), [], "{fine:?}");
    }
}

#[test]
fn of_a_command_line_with_wrong_quotes_nothing_else_is_told() {
    let curly = format!("CCMHOSTNAME=\u{201c}{}\u{201d} SMSSITECODE=PS1", CMG.trim_start_matches("CCMHOSTNAME="));
    let prediction = predicted(&changed(&[(LINE, &curly)]), Bootstrap);
    assert_eq!(causes(&prediction), [(Stage::ClientInstall, "bootstrap-command-malformed", Confidence::Certain)]);
}

#[test]
fn a_command_line_of_another_tenant_is_warned_of_where_both_are_onboarded() {
    let other = "1a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01";
    let line = format!("{CMG} AADTENANTID={other}");
    let both = format!("[[tenant]]\nid = \"{other}\"\n[[tenant]]");
    let found = ask(&changed(&[(LINE, &line), ("[[tenant]]", &both)]), None).findings;
    let told: Vec<_> = found.iter().map(|one| (one.title.as_str(), one.severity, one.confidence)).collect();
    let title = "The command line names another tenant than the device's own";
    assert_eq!(told, [(title, Severity::Warning, Confidence::Possible)]);
}

const SECOND: Change =
    ("mode = \"enhanced-http\"\ncmg_traffic = false", "mode = \"enhanced-http\"\ncmg_traffic = true");
const SECOND_DOWN: Change =
    ("mode = \"enhanced-http\"\ncmg_traffic = false", "mode = \"enhanced-http\"\ncmg_traffic = true\nrunning = false");
const FIRST_DOWN: Change =
    ("mode = \"https\"\ncmg_traffic = true", "mode = \"https\"\ncmg_traffic = true\nrunning = false");

#[test]
fn every_management_point_that_may_answer_is_looked_at() {
    for one_down in [vec![SECOND_DOWN], vec![FIRST_DOWN, SECOND]] {
        let prediction = of(&one_down, AfterRefresh);
        assert_eq!(prediction.works, Some(true), "{one_down:?} {:?}", causes(&prediction));
        let warnings: Vec<_> = prediction.warnings().map(|(stage, cause)| (stage, cause.failure)).collect();
        assert_eq!(warnings, [(Stage::ConnectorForward, "mp-down")], "{one_down:?}");
    }
    let both = of(&[FIRST_DOWN, SECOND_DOWN], AfterRefresh);
    assert_eq!(causes(&both), [(Stage::ConnectorForward, "mp-down", Confidence::Certain)]);
    let why = &both.stage(Stage::ConnectorForward).unwrap().why;
    assert!(why.contains("mp01") && why.contains("mp02"), "{why}");
    // The command line names the first by its role id.
    assert_eq!(of(&[FIRST_DOWN, SECOND], Bootstrap).works, Some(false));
}

#[test]
fn nothing_passes_where_the_client_has_nowhere_to_turn_to() {
    let prediction = of(&[("cmg_traffic = true", "cmg_traffic = false")], AfterRefresh);
    assert_eq!(causes(&prediction), [(Stage::LocationRequest, "cmg-location-not-given", Confidence::Certain)]);
    for stage in [Stage::CmgConnection, Stage::CmgReceive, Stage::ConnectorForward, Stage::MpValidate] {
        assert_eq!(prediction.stage(stage).unwrap().status, Status::NotReached, "{stage:?}");
    }
}

#[test]
fn a_database_without_users_knows_no_user() {
    const BY_USER: Change = ("device_tokens = true", "device_tokens = false");
    const NO_USERS: Change = ("[[client]]", "[known]\nusers = []\n[[client]]");
    const NAMELESS: Change = ("user_id = \"0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b\"\n", "");
    for changes in [vec![BY_USER, NO_USERS], vec![BY_USER, NO_USERS, NAMELESS]] {
        let found = causes(&of(&changes, Bootstrap));
        assert_eq!(found, [(Stage::MpValidate, "user-not-discovered", Confidence::Certain)], "{changes:?}");
    }
    // A device that has a token of its own asks nobody for its user.
    assert_eq!(of(&[NO_USERS], Bootstrap).works, Some(true));
    // Somebody is known, and it is not told who is signed in.
    let known = ("[[client]]", "[known]\nusers = [\"0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b\"]\n[[client]]");
    assert_eq!(of(&[BY_USER, known], Bootstrap).works, Some(true));
    assert_eq!(of(&[BY_USER, known, NAMELESS], Bootstrap).works, None);
    assert_eq!(of(&[BY_USER, known, NOBODY], Bootstrap).works, Some(false));
}

#[test]
fn logs_of_other_hosts_are_compared_with_nothing_and_that_is_said() {
    let trail = corpus("root-missing-mask-8");
    let host = trail.flows[0].client.host.clone().unwrap();
    let note = |site| ask(&site, Some(&trail)).notes.join(" ");
    let described = || changed(&[("name = \"PC042\"", "name = \"LAP-9\"")]);
    let other = note(described());
    assert!(other.contains(&host) && other.contains("LAP-9") && other.contains("nothing was compared"), "{other}");
    let mut both = described();
    both.clients.push(both.clients[0].clone());
    both.clients[1].name.clone_from(&host);
    assert_eq!(note(both.clone()), "The logs hold no flow of LAP-9: nothing was compared there.");
    both.clients.remove(0);
    assert_eq!(note(both), "");
    assert!(ask(&described(), None).notes.is_empty());
}

/// Whether the device's token or the user's is shown hangs on a key of which nothing is told.
#[test]
fn a_user_who_may_stand_in_is_looked_up_before_anything_passes() {
    const STANDS_IN: [Change; 2] =
        [("device_key_ok = true\n", ""), ("user_discovery = true", "user_discovery = false")];
    let prediction = of(&STANDS_IN, Bootstrap);
    assert_eq!(prediction.works, None, "{:#?}", prediction.stages);
    assert!(prediction.stage(Stage::MpValidate).unwrap().why.contains("the user's token is shown"));
}

#[test]
fn a_client_that_is_told_to_take_a_certificate_may_have_one() {
    let changes: [Change; 2] = [
        ("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\""),
        ("ccmsetup = 'ccmsetup.exe", "ccmsetup = 'ccmsetup.exe /UsePKICert"),
    ];
    let prediction = of(&changes, Bootstrap);
    assert_eq!(causes(&prediction), []);
    assert_eq!(prediction.works, None);
    assert!(prediction.stage(Stage::WpjCertificate).unwrap().why.contains("/UsePKICert"));
}
