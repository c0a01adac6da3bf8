//! Every cause that follows from facts: what brings it about, and at which stage and in which phase it must be told.

use cmgtrail::stage::Stage;
use cmgtrail::workflow::{Phase, Status};

use super::world::{Change, LIST, NOBODY, OWN_CERTIFICATE, certificate, changed, predicted};

/// A cause, the stage at which it must be told, the phase, what brings it about, and causes that come with it.
pub type Row = (&'static str, Stage, Phase, Vec<Change>, &'static [&'static str]);

#[allow(clippy::too_many_lines)] // a table, a row a cause
pub fn rows() -> Vec<Row> {
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
            vec![("CCMHOSTNAME=cmg.fabrikam.com/", "CCMHOSTNAME=fabrikam-cmg.cloudapp.net/")],
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
            vec![("CCMHOSTNAME=cmg.fabrikam.com/", "CCMHOSTNAME=old-cmg.fabrikam.com/")],
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
