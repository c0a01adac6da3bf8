//! Prediction: every cause that follows from facts, on a site that has it, and nothing on its healthy twin.

use std::path::Path;
use std::sync::OnceLock;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::Severity;
use cmgtrail::knowledge::Knowledge;
use cmgtrail::preflight::{Agreement, Observed, Options, Preflight, Seen, sketch};
use cmgtrail::site::Site;
use cmgtrail::stage::{Stage, StageStatus};
use cmgtrail::workflow::{Phase, Prediction, Question, Status, predict};
use serde_json::json;
use tempfile::TempDir;

use crate::pki::{AT, Authority, Wanted, lay, token};

const TENANT: &str = "7a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01";
const DEVICE: &str = "82c0ffee-f062-4d11-b062-db12ac04d5aa";

/// Everything right, on both sides.
const HEALTHY: &str = r#"
[site]
code = "PS1"
version = 2603
crl_check = true
user_discovery = true
trusted_roots = ["root.pem"]

[[tenant]]
id = "7a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01"

[server_app]
resource_uri = "https://ConfigMgrService"
device_tokens = true

[client_app]
client_id = "93dcae22-ed90-49ce-a138-27b8624ef936"

[cmg]
names = ["cmg.fabrikam.com", "fabrikam-cmg.cloudapp.net"]
certificate = ["cmg.pem", "issuing.pem"]
root = "root.pem"
state = "running"
tls = ["1.2"]
client_cas = ["root.pem", "issuing.pem"]
verify_client_revocation = true
content = ["PS100001"]

[cmg.roles]
"mp01.fabrikam.com" = 72057594037927941
"mp02.fabrikam.com" = 72057594037927942

[[management_point]]
name = "mp01.fabrikam.com"
mode = "https"
cmg_traffic = true
roots = ["root.pem"]
healthy = true

[[management_point]]
name = "mp02.fabrikam.com"
mode = "enhanced-http"
cmg_traffic = false
healthy = true

[connection_point]
client_certificate = "connector.pem"
intermediates = ["issuing.pem"]
healthy = true

[[crl]]
url = "http://crl.fabrikam.com/root.crl"
file = "root.crl"
from = "internet"

[[crl]]
url = "http://crl.fabrikam.com/issuing.crl"
file = "issuing.crl"
from = "internet" # issuing

[[client]]
name = "PC042"
join = "entra"
wpj_certificate = "wpj.pem"
device_key_ok = true
tenant = "7a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01"
os_build = 19045
roots = ["root.pem"] # of the client
ccmsetup = 'ccmsetup.exe CCMHOSTNAME=https://cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941 SMSSITECODE=PS1'
user = "entra"
user_id = "0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b"
cmg_enabled = true
content = ["PS100001"] # of the client
network = { healthy = true }
"#;

/// The files that the descriptions name.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(minted).path()
}

fn minted() -> TempDir {
    let folder = TempDir::new().unwrap();
    let root = Authority::root("Fabrikam Root", "http://crl.fabrikam.com/root.crl");
    let issuing = root.under("Fabrikam Issuing", "http://crl.fabrikam.com/issuing.crl");
    let other = Authority::root("Somebody Else", "");
    let proxy = Authority::root("Inspecting Proxy", "");
    let entra = Authority::root("MS-Organization-Access", "");
    let service = Wanted::service(&["cmg.fabrikam.com"]);
    let good = issuing.issue(&service);
    let mut broken = good.clone();
    // The last line of the base64 before the padding belongs to the signature.
    let at = broken.rfind("\n-----END").unwrap() - 12;
    let letter = if broken.as_bytes()[at] == b'A' { "B" } else { "A" };
    broken.replace_range(at..=at, letter);
    let site_token = |ends: i64| {
        json!({ "iss": "urn:sccm:4d2a7f9e-9c0b-4f6e-a1d3-5e6f7a8b9c0d", "aud": "urn:sccm", "Type": "BulkRegistration",
                "nbf": AT / 1_000_000 - 5 * 86_400, "exp": AT / 1_000_000 + ends })
    };
    let entra_token = |audience: &str| {
        json!({ "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": audience, "tid": TENANT, "ver": "1.0",
                "deviceid": DEVICE, "idtyp": "device", "iat": AT / 1_000_000 - 60, "nbf": AT / 1_000_000 - 60,
                "exp": AT / 1_000_000 + 3_600 })
    };
    lay(
        folder.path(),
        &[
            ("root.pem", root.pem.clone()),
            ("issuing.pem", issuing.pem.clone()),
            ("other.pem", other.pem.clone()),
            ("proxy-root.pem", proxy.pem.clone()),
            ("cmg.pem", good),
            ("expired.pem", issuing.issue(&Wanted { to: -1, ..service.clone() })),
            ("ends-soon.pem", issuing.issue(&Wanted { to: 9, ..service.clone() })),
            ("revoked.pem", issuing.issue(&Wanted { serial: 666, ..service.clone() })),
            (
                "usage.pem",
                issuing.issue(&Wanted { usage: rcgen::ExtendedKeyUsagePurpose::ClientAuth, ..service.clone() }),
            ),
            ("damaged.pem", broken),
            ("proxy.pem", proxy.issue(&service)),
            ("connector.pem", issuing.issue(&Wanted::device("cp01.fabrikam.com"))),
            ("connector-expired.pem", issuing.issue(&Wanted { to: -1, ..Wanted::device("cp01.fabrikam.com") })),
            ("client.pem", issuing.issue(&Wanted::device("PC042"))),
            ("client-expired.pem", issuing.issue(&Wanted { to: -1, ..Wanted::device("PC042") })),
            ("wpj.pem", entra.issue(&Wanted { to: 3_000, ..Wanted::device(DEVICE) })),
            ("root.crl", root.list(&[], 90)),
            ("issuing.crl", issuing.list(&[666], 5)),
            ("stale-soon.crl", issuing.list(&[], 0).replace("\r\n", "\n")),
            ("registration.jwt", token(&site_token(2 * 86_400))),
            ("registration-expired.jwt", token(&site_token(-2 * 86_400))),
            ("device.jwt", token(&entra_token("https://ConfigMgrService"))),
            ("device-other-app.jwt", token(&entra_token("https://SomeOtherApp"))),
        ],
    );
    folder
}

/// The healthy description with some words changed; each must be there.
fn changed(changes: &[(&str, &str)]) -> Site {
    let mut text = HEALTHY.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "'{from}' is not in the description");
        text = text.replacen(from, to, 1);
    }
    Site::parse(&text, folder(), &|_| Err("no Parquet here".to_owned())).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

fn predicted(site: &Site, phase: Phase) -> Prediction {
    predict(&Question { site, client: &site.clients[0], at: AT, phase })
}

const LIST: (&str, &str) = ("from = \"internet\" # issuing", "from = \"intranet\"");
const NOBODY: (&str, &str) =
    ("user = \"entra\"\nuser_id = \"0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b\"", "user = \"none\"");
const OWN_CERTIFICATE: (&str, &str) = ("os_build = 19045", "os_build = 19045\npki_certificate = \"client.pem\"");

/// A cause, the stage at which it must be told, the phase, what brings it about, and causes that come with it.
type Row = (&'static str, Stage, Phase, Vec<(&'static str, &'static str)>, &'static [&'static str]);

fn certificate(file: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![("certificate = [\"cmg.pem\"", file)]
}

fn rows() -> Vec<Row> {
    use Phase::{AfterRefresh as After, Bootstrap as Boot};
    use Stage::{
        AadInfo, AadToken, ClientInstall, CmgConnection as Cmg, CmgForward, CmgReceive, ConnectorForward,
        ContentDownload, LocationRequest, MpValidate, Registration, WpjCertificate,
    };
    let point = |fact: &'static str| vec![("roots = [\"root.pem\"]\nhealthy", fact)];
    vec![
        (
            "cmg-root-ca-missing",
            Cmg,
            Boot,
            vec![("roots = [\"root.pem\"] # of the client", "roots = [\"other.pem\"]")],
            &[],
        ),
        ("cmg-root-ca-missing", Cmg, After, vec![("roots = [\"root.pem\"] # of the client", "roots = []")], &[]),
        ("crl-unreachable", Cmg, Boot, vec![LIST], &[]),
        ("crl-unreachable", Cmg, After, vec![LIST], &[]),
        (
            "crl-check-restored-after-bootstrap",
            Cmg,
            After,
            vec![LIST, ("ccmsetup.exe ", "ccmsetup.exe /NoCRLCheck ")],
            &[],
        ),
        (
            "cmg-name-mismatch",
            Cmg,
            Boot,
            vec![("https://cmg.fabrikam.com/", "https://fabrikam-cmg.cloudapp.net/")],
            &[],
        ),
        ("cmg-certificate-expired", Cmg, Boot, certificate("certificate = [\"expired.pem\""), &[]),
        ("client-clock-wrong", Cmg, Boot, vec![("os_build", "clock_offset_seconds = 34560000\nos_build")], &[]),
        ("client-clock-wrong", Cmg, After, vec![("os_build", "clock_offset_seconds = -34560000\nos_build")], &[]),
        ("cmg-certificate-revoked", Cmg, Boot, certificate("certificate = [\"revoked.pem\""), &[]),
        ("cmg-certificate-wrong-usage", Cmg, Boot, certificate("certificate = [\"usage.pem\""), &[]),
        ("cmg-certificate-damaged", Cmg, Boot, certificate("certificate = [\"damaged.pem\""), &[]),
        (
            "tls-interception",
            Cmg,
            Boot,
            vec![("healthy = true }", "healthy = true, inspection = \"proxy.pem\" }")],
            &[],
        ),
        (
            "tls-interception",
            Cmg,
            Boot,
            vec![("healthy = true }", "healthy = true, inspection = \"proxy-root.pem\" }")],
            &[],
        ),
        (
            "tls-no-common-version",
            Cmg,
            Boot,
            vec![("healthy = true }", "healthy = true, tls = [\"1.0\", \"1.1\"] }")],
            &[],
        ),
        ("cmg-name-not-resolved", Cmg, Boot, vec![("healthy = true }", "healthy = true, dns = false }")], &[]),
        ("cmg-unreachable", Cmg, Boot, vec![("healthy = true }", "healthy = true, port_443 = false }")], &[]),
        ("cmg-unreachable", Cmg, Boot, vec![("state = \"running\"", "state = \"stopped\"")], &[]),
        (
            "cmg-stopped-by-traffic-limit",
            Cmg,
            Boot,
            vec![("state = \"running\"", "state = \"stopped-by-traffic-limit\"")],
            &[],
        ),
        ("cmg-location-not-given", LocationRequest, After, vec![("cmg_enabled = true", "cmg_enabled = false")], &[]),
        ("cmg-location-not-given", LocationRequest, After, vec![("cmg_traffic = true", "cmg_traffic = false")], &[]),
        (
            "mp-not-published-on-cmg",
            CmgReceive,
            Boot,
            vec![("MutualAuth/72057594037927941", "MutualAuth/72057594037927942")],
            &[],
        ),
        (
            "wrong-ccmhostname",
            CmgReceive,
            Boot,
            vec![("MutualAuth/72057594037927941", "MutualAuth/72057594037927999")],
            &[],
        ),
        (
            "wrong-ccmhostname",
            CmgReceive,
            Boot,
            vec![("https://cmg.fabrikam.com/", "https://old-cmg.fabrikam.com/")],
            &[],
        ),
        ("cmg-state-stale", LocationRequest, Boot, vec![("tls = [", "stale = true\ntls = [")], &[]),
        (
            "bootstrap-command-malformed",
            ClientInstall,
            Boot,
            vec![("SMSSITECODE=PS1", "SMSSITECODE=\u{201c}PS1\u{201d}")],
            &[],
        ),
        ("bootstrap-command-malformed", ClientInstall, Boot, vec![("SMSSITECODE=PS1", "SMSSITECODE=\"PS1")], &[]),
        (
            "mp-switch-with-ccmhostname",
            ClientInstall,
            Boot,
            vec![
                ("ccmsetup.exe ", "ccmsetup.exe /mp:https://cmg.fabrikam.com /regtoken:a.b.c "),
                ("os_build", "tokens = { registration = \"registration.jwt\" }\nos_build"),
            ],
            &[],
        ),
        ("wpj-certificate-missing", WpjCertificate, Boot, vec![("join = \"entra\"", "join = \"registered\"")], &[]),
        ("wpj-certificate-missing", WpjCertificate, Boot, vec![("\"wpj.pem\"", "\"none\"")], &[]),
        ("wpj-certificate-missing", WpjCertificate, Boot, vec![("\"wpj.pem\"", "\"client.pem\"")], &[]),
        ("tenant-not-onboarded", AadInfo, Boot, vec![("[[tenant]]\nid = \"7a4f", "[[tenant]]\nid = \"1a4f")], &[]),
        (
            "device-token-not-enabled",
            AadToken,
            Boot,
            vec![NOBODY, ("device_tokens = true", "device_tokens = false")],
            &["no-entra-user-signed-in"],
        ),
        ("os-too-old-for-device-token", AadToken, Boot, vec![NOBODY, ("19045", "16299")], &["no-entra-user-signed-in"]),
        (
            "wam-key-failure",
            AadToken,
            Boot,
            vec![NOBODY, ("device_key_ok = true", "device_key_ok = false")],
            &["no-entra-user-signed-in"],
        ),
        (
            "wrong-resource-uri",
            AadToken,
            Boot,
            vec![("SMSSITECODE=PS1", "AADRESOURCEURI=https://ConfigMgrServise SMSSITECODE=PS1")],
            &[],
        ),
        (
            "wrong-resource-uri",
            AadToken,
            Boot,
            vec![("SMSSITECODE=PS1", "AADCLIENTAPPID=00000000-ed90-49ce-a138-27b8624ef936 SMSSITECODE=PS1")],
            &[],
        ),
        ("entra-unreachable", AadToken, Boot, vec![("healthy = true }", "healthy = true, entra = false }")], &[]),
        (
            "site-token-expired",
            CmgReceive,
            Boot,
            vec![("os_build", "tokens = { registration = \"registration-expired.jwt\" }\nos_build")],
            &[],
        ),
        (
            "token-audience-or-issuer-refused",
            CmgReceive,
            Boot,
            vec![("os_build", "tokens = { device = \"device-other-app.jwt\" }\nos_build")],
            &[],
        ),
        (
            "token-clock-skew",
            MpValidate,
            Boot,
            point("clock_offset_seconds = -900\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        (
            "token-clock-skew",
            MpValidate,
            Boot,
            point("clock_offset_seconds = 7200\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        (
            "client-chain-incomplete-on-cmg",
            CmgReceive,
            Boot,
            vec![OWN_CERTIFICATE, ("client_cas = [\"root.pem\", \"issuing.pem\"]", "client_cas = [\"root.pem\"]")],
            &[],
        ),
        (
            "client-chain-incomplete-on-cmg",
            CmgReceive,
            Boot,
            vec![OWN_CERTIFICATE, ("client_cas = [\"root.pem\", \"issuing.pem\"]", "client_cas = [\"issuing.pem\"]")],
            &[],
        ),
        (
            "client-revocation-misconfigured",
            CmgReceive,
            After,
            vec![OWN_CERTIFICATE, LIST, ("crl_check = true", "crl_check = false")],
            &[],
        ),
        (
            "connector-ports-blocked",
            CmgForward,
            Boot,
            vec![("intermediates", "ports_open = false\nintermediates")],
            &[],
        ),
        (
            "connector-role-certificate-missing",
            CmgForward,
            Boot,
            vec![("intermediates", "role_certificate = false\nintermediates")],
            &[],
        ),
        ("connector-down", CmgForward, Boot, vec![("intermediates", "running = false\nintermediates")], &[]),
        ("connector-client-certificate-missing", ConnectorForward, Boot, vec![("\"connector.pem\"", "\"none\"")], &[]),
        (
            "connector-client-certificate-missing",
            ConnectorForward,
            Boot,
            vec![("\"connector.pem\"", "\"connector-expired.pem\"")],
            &[],
        ),
        (
            "connector-client-certificate-missing",
            ConnectorForward,
            Boot,
            vec![("\"connector.pem\"", "\"cmg.pem\"")],
            &[],
        ),
        (
            "connector-chain-revocation-offline",
            ConnectorForward,
            Boot,
            vec![("intermediates", "reaches_crls = false\nintermediates")],
            &[],
        ),
        ("mp-down", ConnectorForward, Boot, point("running = false\nroots = [\"root.pem\"]\nhealthy"), &[]),
        ("mp-binding-wrong", MpValidate, Boot, point("binding_ok = false\nroots = [\"root.pem\"]\nhealthy"), &[]),
        ("mp-redirect-on-sts", MpValidate, Boot, point("redirect = true\nroots = [\"root.pem\"]\nhealthy"), &[]),
        (
            "sts-library-mismatch",
            MpValidate,
            Boot,
            point("token_libraries_ok = false\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        (
            "mp-compression-scheme-broken",
            MpValidate,
            Boot,
            point("compression_ok = false\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        (
            "sts-not-running",
            MpValidate,
            Boot,
            point("token_service = \"stopped\"\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        (
            "sts-not-running",
            MpValidate,
            Boot,
            point("token_service = \"not-installed\"\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        (
            "mp-cannot-reach-entra",
            MpValidate,
            Boot,
            point("reaches_entra = false\nroots = [\"root.pem\"]\nhealthy"),
            &[],
        ),
        ("mp-mode-unsupported", MpValidate, Boot, vec![("mode = \"https\"", "mode = \"http\"")], &[]),
        (
            "user-not-discovered",
            MpValidate,
            Boot,
            vec![
                ("device_tokens = true", "device_tokens = false"),
                ("user_discovery = true", "user_discovery = false"),
            ],
            &[],
        ),
        (
            "client-certificate-expired",
            Registration,
            Boot,
            vec![("os_build", "self_signed_certificate = \"client-expired.pem\"\nos_build")],
            &[],
        ),
        (
            "client-certificate-expired",
            Registration,
            Boot,
            vec![("os_build", "pki_certificate = \"client-expired.pem\"\nos_build")],
            &[],
        ),
        (
            "root-not-on-site-ctl",
            Registration,
            Boot,
            vec![OWN_CERTIFICATE, ("trusted_roots = [\"root.pem\"]", "trusted_roots = [\"other.pem\"]")],
            &[],
        ),
        (
            "content-not-on-cmg",
            ContentDownload,
            Boot,
            vec![("content = [\"PS100001\"] # of the client", "content = [\"PS100099\"]")],
            &[],
        ),
    ]
}

#[test]
fn every_cause_is_predicted_at_its_stage_and_no_other_beside_it() {
    let mut wrong = Vec::new();
    for (failure, stage, phase, changes, beside) in rows() {
        let prediction = predicted(&changed(&changes), phase);
        let causes: Vec<(Stage, &str)> = prediction.causes().map(|(stage, cause)| (stage, cause.failure)).collect();
        let first = causes.first().is_some_and(|found| *found == (stage, failure));
        let others = causes.iter().skip(1).all(|(_, other)| beside.contains(other));
        let blocked = prediction.stage(stage).is_some_and(|found| found.status == Status::Blocked);
        if !(first && others && blocked && causes.len() == 1 + beside.len() && prediction.works == Some(false)) {
            let stages: Vec<_> = prediction
                .stages
                .iter()
                .map(|found| format!("{:?} {:?}: {}", found.stage, found.status, found.why))
                .collect();
            wrong.push(format!("{failure} {phase:?} {changes:?}: {causes:?}\n{stages:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

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
    let cases: [(Vec<(&str, &str)>, &str, Stage); 4] = [
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
