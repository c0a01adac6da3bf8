//! The knowledge: its own proofs, the catalogue's shapes, and the mistakes that its loader tells.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cmgtrail::error::Error;
use cmgtrail::events::{Event, Matcher};
use cmgtrail::knowledge::Knowledge;
use cmgtrail::record::{Place, Record, RecordSeverity, W3cFields, W3cRow};
use cmgtrail::stage::Role;
use cmgtrail::time::Stamp;

#[path = "knowledge_catalogue.rs"]
mod catalogue;

/// The event of a text as a record of `log` has it.
fn event(matcher: &Matcher, log: &str, text: &str) -> Option<Event> {
    event_of(matcher, log, text, None)
}

/// The event of a W3C row, given as columns in the order of a `#Fields:` line.
fn row_event(matcher: &Matcher, columns: &[(&str, &str)]) -> Option<Event> {
    let line = |part: fn(&(&str, &str)) -> String| columns.iter().map(part).collect::<Vec<_>>().join(" ");
    let fields = W3cFields::parse(&format!("#Fields: {}", line(|column| column.0.to_owned()))).unwrap();
    let text = line(|column| column.1.to_owned());
    event_of(matcher, "u_ex260101.log", &text, Some(W3cRow::new(&fields, &text)))
}

fn event_of(matcher: &Matcher, log: &str, text: &str, w3c: Option<W3cRow<'_>>) -> Option<Event> {
    let record = Record {
        line: 1,
        bytes: 0..text.len() as u64,
        stamp: Stamp::NONE,
        component: None,
        thread: Some(1),
        context: None,
        severity: RecordSeverity::Info,
        code_file: None,
        text,
        w3c,
        damaged: false,
    };
    let place = Place { source: 0, file: Arc::from(log), line: 1, bytes: 0..text.len() as u64 };
    matcher.event_of(&record, place, Some(Arc::from(log)))
}

/// The fields that flows and diagnosis read.
const FIELDS: &str = "device_id user_id sid client_id tenant_id message_id reply_id role_id endpoint url internal_url \
    cmg database from_internet mp host path query agent code hresult mask flag http_status status_text reason elapsed_ms thumbprint subject \
    attempt exit_code expires port protocol ccm_token_auth options issuer audience resource app_id account authority \
    exception idx valid_to current_time approval pid token request_count response_count connection_id ip substatus \
    win32 version site_code package content detail mise total_requests failed_requests bearer_requests count mp_index \
    mp_switch token_switch network scheme aadsts session_code";

#[test]
fn the_builtin_knowledge_proves_itself() {
    let mistakes = Knowledge::builtin_mistakes();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_builtin_message_is_read_and_has_an_id_of_its_own() {
    let written: usize = Knowledge::builtin_files().iter().map(|(_, text)| text.matches("[[message]]").count()).sum();
    let ids: BTreeSet<&str> = Knowledge::builtin().messages().iter().map(|message| message.id.as_str()).collect();
    assert!(written > 100, "{written}");
    assert_eq!(ids.len(), written);
    assert_eq!(Knowledge::builtin().messages().len(), written);
}

#[test]
fn builtin_messages_name_only_fields_that_somebody_reads() {
    let known: BTreeSet<&str> = FIELDS.split_whitespace().collect();
    for message in Knowledge::builtin().messages() {
        for field in message.captures.iter().chain(message.set.keys()) {
            let is_own_name = message.names_itself.as_ref() == Some(field);
            assert!(is_own_name || known.contains(field.as_str()), "{}: {field}", message.id);
        }
    }
}

#[test]
fn every_example_is_taken_for_its_own_message_and_no_other() {
    let matcher = Matcher::new(Knowledge::builtin());
    for (file, text) in Knowledge::builtin_files() {
        let document: toml::Table = text.parse().unwrap();
        for message in document.get("message").and_then(toml::Value::as_array).into_iter().flatten() {
            let id = message["id"].as_str().unwrap();
            let log = message["logs"][0].as_str().unwrap();
            for example in message["examples"].as_array().unwrap() {
                let text = example.get("text").unwrap_or(example);
                let event = match text.as_table() {
                    Some(columns) => {
                        let columns: Vec<(&str, &str)> =
                            columns.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
                        row_event(&matcher, &columns)
                    }
                    None => event(&matcher, log, text.as_str().unwrap()),
                };
                assert_eq!(event.as_ref().map(Event::id), Some(id), "{file}: {text}");
            }
        }
    }
}

#[test]
fn each_shape_of_the_catalogue_is_understood() {
    let matcher = Matcher::new(Knowledge::builtin());
    for (log, text, id, stage, mark, fields) in catalogue::LINES {
        let event = event(&matcher, log, text).unwrap_or_else(|| panic!("no event: {text}"));
        assert_eq!(event.id(), *id, "{text}");
        assert_eq!(event.stage().map(cmgtrail::stage::Stage::id), *stage, "{text}");
        assert_eq!(format!("{:?}", event.mark()).to_lowercase(), *mark, "{text}");
        for (field, value) in *fields {
            assert_eq!(event.get(field), Some(*value), "{field} of {text}");
        }
        assert!(matcher.hits(text.as_bytes()).next().is_some(), "the prefilter passes over: {text}");
    }
}

#[test]
fn each_row_of_iis_is_understood() {
    let matcher = Matcher::new(Knowledge::builtin());
    for (columns, id, stage, mark, fields) in catalogue::ROWS {
        let event = row_event(&matcher, columns).unwrap_or_else(|| panic!("no event: {columns:?}"));
        assert_eq!(event.id(), *id, "{columns:?}");
        assert_eq!(event.stage().map(cmgtrail::stage::Stage::id), *stage, "{columns:?}");
        assert_eq!(format!("{:?}", event.mark()).to_lowercase(), *mark, "{columns:?}");
        for (field, value) in *fields {
            assert_eq!(event.get(field), Some(*value), "{field} of {columns:?}");
        }
    }
}

#[test]
fn lines_that_only_look_alike_have_no_event() {
    let matcher = Matcher::new(Knowledge::builtin());
    for (log, text) in catalogue::DECOYS {
        let event = event(&matcher, log, text);
        assert_eq!(event.as_ref().map(Event::id), None, "{text}");
    }
}

#[test]
fn general_words_are_believed_only_in_their_own_log() {
    let matcher = Matcher::new(Knowledge::builtin());
    assert_eq!(event(&matcher, "CCM_STS", "Issued token").as_ref().map(Event::id), Some("sts-token-issued"));
    assert_eq!(event(&matcher, "SMS_REST_PROVIDER", "Issued token").as_ref().map(Event::id), None);
    // A copy of the log bears the component's name in its own.
    let copy = event(&matcher, "from-mp01/CCM_STS-20260101-101010.log", "Issued token");
    assert_eq!(copy.as_ref().map(Event::id), Some("sts-token-issued"));
}

#[test]
fn line_breaks_tildes_and_collapsed_blanks_are_all_blanks() {
    let matcher = Matcher::new(Knowledge::builtin());
    let head = "RequestUri: /CCM_PROXY_SERVERAUTH/72057594037937981/CCM_STS";
    for blank in [" ", "  ", "~~ ", "\r\n", "\t"] {
        let text = format!(
            "~{head}{blank}RequestCount: 7{blank}RequestSize: 1 Bytes{blank}ResponseCount: 5{blank}ResponseSize: 1 Bytes{blank}AverageElapsedTime: 9 ms~~"
        );
        let event = event(&matcher, "CMGService", &text).unwrap_or_else(|| panic!("no event: {text:?}"));
        assert_eq!((event.get("request_count"), event.get("response_count")), (Some("7"), Some("5")));
        assert_eq!(event.get("endpoint"), Some("CCM_STS"));
    }
}

#[test]
fn an_endpoint_is_known_by_path_whatever_its_case_and_gateway() {
    let knowledge = Knowledge::builtin();
    let asked = [
        ("https://CMG.CLOUDAPP.NET/CCM_PROXY_MUTUALAUTH/72057594037927941/CCM_STS", Some(("ccm-token-request", true))),
        ("/ccm_proxy_serverauth/72057594037927941/ccm_sts", Some(("ccm-token-request", true))),
        ("https://MP.MYCORP.COM/CCM_STS", Some(("ccm-token-request", false))),
        ("/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID=9aaf466a-3f40-4468-b3cd-f0010f21f05a", Some(("aad-info", true))),
        ("/CCM_Proxy_ServerAuth/72057594037927941/SMS_MP/.sms_aut?MPLIST", Some(("location-request", true))),
        ("https://cmg.contoso.com/downloadrestservice.svc/getcontentxmlsecure?pid=X", Some(("content-download", true))),
        ("/CCM_Proxy_ServerAuth/72057594037927941/CCM_Client/ccmsetup.cab", Some(("content-download", true))),
        ("MP_ClientRegistration", Some(("registration", false))),
        ("/ccm_sts_other", None),
        ("https://cmg.contoso.com/", None),
        ("", None),
    ];
    for (request, expected) in asked {
        let found = knowledge.endpoint(request).map(|endpoint| (endpoint.stage.id(), endpoint.through_cmg));
        assert_eq!(found, expected, "{request}");
    }
    assert!(knowledge.is_cmg_url("CMG.CLOUDAPP.NET/CCM_Proxy_MutualAuth/72057594037927941"));
    assert!(knowledge.is_cmg_url("/downloadrestservice.svc/getcontentxmlsecure"));
    assert!(!knowledge.is_cmg_url("http://mp.contoso.com/SMS_MP/.sms_aut?MPLIST"));
    assert!(!knowledge.is_cmg_url("http://CCM_Proxy_MutualAuth.contoso.com/SMS_MP"));
}

/// A message without a fault, with one line replaced.
fn message_with(from: &str, to: &str) -> String {
    let sound = r"[[message]]
id = 'own-message'
role = 'client'
stage = 'aad-token'
mark = 'fail'
logs = ['Own']
templates = ['Own failure {code:int} of {host:host}']
proof = 'seen'
source = 'our own tool'
examples = [{ text = 'Own failure 5 of PC042', fields = { code = '5', host = 'PC042' } }]
counter_examples = ['Own success of PC042']
";
    assert!(sound.contains(from), "{from}");
    sound.replacen(from, to, 1)
}

fn mistakes_of(text: &str) -> Vec<String> {
    match Knowledge::builtin().clone().with_text(Path::new("own.toml"), text) {
        Ok(_) => Vec::new(),
        Err(Error::Knowledge { mistakes, .. }) => mistakes,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_message_of_ones_own_is_matched() {
    let knowledge =
        Knowledge::builtin().clone().with_text(Path::new("own.toml"), &message_with("'seen'", "'computed'"));
    let matcher = Matcher::new(&knowledge.unwrap());
    let event = event(&matcher, "Own", "Own failure 5 of PC042").unwrap();
    assert_eq!((event.id(), event.get("host"), event.role()), ("own-message", Some("PC042"), Some(Role::Client)));
}

#[test]
fn a_message_with_a_known_id_replaces_the_known_one() {
    let own = message_with("'own-message'", "'ccm-token-cached'");
    let knowledge = Knowledge::builtin().clone().with_text(Path::new("own.toml"), &own).unwrap();
    assert_eq!(knowledge.messages().len(), Knowledge::builtin().messages().len());
    let matcher = Matcher::new(&knowledge);
    assert_eq!(event(&matcher, "Own", "Own failure 5 of PC042").as_ref().map(Event::id), Some("ccm-token-cached"));
    let line = "Cached encrypted token for 'S-1-5-18'. Will expire at '06/25/2020 08:29:35'";
    assert_eq!(event(&matcher, "ccmsetup", line).as_ref().map(Event::id), None);
}

#[test]
fn each_mistake_is_told_with_its_line() {
    let cases = [
        ("mark = 'fail'", "mark = 'fail'\ncolour = 'red'", "line 6: 'own-message': unknown key 'colour'"),
        (
            "{code:int}",
            "{code:number}",
            "line 7: 'own-message': in the template 'Own failure {code:number} of {host:host}': unknown placeholder type 'number'; expected one of guid,",
        ),
        ("{code:int}", "{Code:int}", "bad field name 'Code'"),
        ("{code:int}", "{code}", "the placeholder '{code}' has no type"),
        ("{code:int}", "{code:int", "a placeholder is not closed"),
        ("{code:int}", "code:int}", "a '}' closes nothing"),
        ("{code:int}", "{host:int}", "names 'host' twice"),
        ("{code:int}", "{_:text}{code:word}", "nothing parts two placeholders"),
        (
            "Own failure {code:int} of",
            "Own {code:int} of",
            "line 7: 'own-message': every template needs literal text with a word of at least 6 letters",
        ),
        (
            "examples = [{ text = 'Own failure 5 of PC042', fields = { code = '5', host = 'PC042' } }]\n",
            "",
            "line 1: 'own-message': 'examples' is missing",
        ),
        (
            "text = 'Own failure 5 of PC042'",
            "text = 'Own failure of PC042'",
            "line 10: 'own-message': this example does not match: Own failure of PC042",
        ),
        ("code = '5'", "code = '6'", "in the example 'Own failure 5 of PC042', code: expected '6', found '5'"),
        ("code = '5', ", "", "no example shows the field 'code'"),
        (
            "counter_examples = ['Own success of PC042']",
            "counter_examples = ['Own failure 9 of PC7']",
            "line 11: 'own-message': this counter-example matches: Own failure 9 of PC7",
        ),
        ("counter_examples = ['Own success of PC042']", "counter_examples = []", "no counter-example"),
        ("'own-message'", "'Own message'", "line 2: '?': bad id 'Own message'"),
        ("id = 'own-message'\n", "", "line 1: '?': 'id' is missing"),
        ("'aad-token'", "'aad'", "line 4: 'own-message': stage: unknown variant `aad`, expected one of"),
        ("mark = 'fail'", "mark = 3", "line 5: 'own-message': mark:"),
        ("[[message]]", "[[massage]]", "line 1: unknown table 'massage'; expected [[message]]"),
        ("mark = 'fail'", "mark = ", "line 5: not TOML:"),
        ("logs = ['Own']", "logs = []\nonly_in_logs = true", "only_in_logs without any name"),
    ];
    for (from, to, expected) in cases {
        let mistakes = mistakes_of(&message_with(from, to));
        assert!(mistakes.iter().any(|mistake| mistake.contains(expected)), "{to}: {mistakes:#?}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let first = message_with("'aad-token'", "'aad'");
    let second = message_with("{code:int}", "{code:number}");
    let third = message_with("'own-message'", "'other-message'");
    let mistakes = mistakes_of(&format!("{first}{second}{third}{third}"));
    let told = |words: &str| mistakes.iter().any(|mistake| mistake.contains(words));
    assert!(told("line 4: 'own-message': stage:"), "{mistakes:#?}");
    assert!(told("line 18: 'own-message': in the template"), "{mistakes:#?}");
    assert!(told("line 34: 'other-message': there is another entry with this id in the file"), "{mistakes:#?}");
}

#[test]
fn mistakes_of_several_files_are_told_with_the_file() {
    let folder = std::env::temp_dir().join(format!("cmgtrail-knowledge-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files = [folder.join("one.toml"), folder.join("two.toml")];
    std::fs::write(&files[0], message_with("'aad-token'", "'aad'")).unwrap();
    std::fs::write(&files[1], message_with("{code:int}", "{code:number}")).unwrap();
    let error = Knowledge::with_files(&files).unwrap_err().to_string();
    let absent = Knowledge::with_files(&[folder.join("three.toml")]).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(error.contains("one.toml, line 4:") && error.contains("two.toml, line 7:"), "{error}");
    assert!(matches!(absent, Error::Unreadable { .. }), "{absent}");
}
