//! A site with everything right, its files minted for the run, and the same with some words changed.

use std::path::Path;
use std::sync::OnceLock;

use cmgtrail::site::Site;
use cmgtrail::workflow::{Phase, Prediction, Question, predict};
use serde_json::json;
use tempfile::TempDir;

use crate::pki::{AT, Authority, Wanted, lay, token};

const TENANT: &str = "7a4f0c1e-3b55-4c0d-9f10-2f6d1c8e5a01";
const DEVICE: &str = "82c0ffee-f062-4d11-b062-db12ac04d5aa";

/// Everything right, on both sides.
pub const HEALTHY: &str = r#"
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
ccmsetup = 'ccmsetup.exe CCMHOSTNAME=cmg.fabrikam.com/CCM_Proxy_MutualAuth/72057594037927941 SMSSITECODE=PS1'
user = "entra"
user_id = "0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b"
cmg_enabled = true
content = ["PS100001"] # of the client
network = { healthy = true }
"#;

/// Words of the description, and what stands in their place.
pub type Change = (&'static str, &'static str);

/// The files that the descriptions name.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(minted).path()
}

fn minted() -> TempDir {
    let folder = TempDir::new().unwrap();
    let root = Authority::root("Fabrikam Root", "http://crl.fabrikam.com/root.crl");
    let issuing = root.under("Fabrikam Issuing", "http://crl.fabrikam.com/issuing.crl");
    let inner = root.under("Fabrikam Inner Issuing", "http://pki.fabrikam.local/inner.crl");
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
    let entra_token_of = |audience: &str, begins: i64| {
        let begins = AT / 1_000_000 + begins;
        json!({ "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": audience, "tid": TENANT, "ver": "1.0",
                "deviceid": DEVICE, "idtyp": "device", "iat": begins, "nbf": begins, "exp": begins + 3_660 })
    };
    let entra_token = |audience: &str| entra_token_of(audience, -60);
    let root_of_nowhere = Authority::root("Fabrikam Silent Root", "");
    let silent = root_of_nowhere.under("Fabrikam Silent Issuing", "");
    let ccm_token = |ends: i64| {
        json!({ "iss": "urn:sccm:oauth2:4d2a7f9e-9c0b-4f6e-a1d3-5e6f7a8b9c0d", "aud": "urn:sccm:service",
                "SCCMTokenCategory": "SCCMToken", "nbf": AT / 1_000_000 - 9 * 86_400, "exp": AT / 1_000_000 + ends })
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
            ("client-ends-soon.pem", issuing.issue(&Wanted { to: 9, ..Wanted::device("PC042") })),
            (
                "client-usage.pem",
                issuing.issue(&Wanted { usage: rcgen::ExtendedKeyUsagePurpose::ServerAuth, ..Wanted::device("PC042") }),
            ),
            ("connector-ends-soon.pem", issuing.issue(&Wanted { to: 9, ..Wanted::device("cp01.fabrikam.com") })),
            ("inner-issuing.pem", inner.pem.clone()),
            ("inner.pem", inner.issue(&service)),
            ("inner.crl", inner.list(&[], 5)),
            ("wpj.pem", entra.issue(&Wanted { to: 3_000, ..Wanted::device(DEVICE) })),
            ("root.crl", root.list(&[], 90)),
            ("issuing.crl", issuing.list(&[666], 5)),
            ("stale.crl", issuing.list(&[], -1)),
            ("forged.crl", Authority::root("Fabrikam Issuing", "").list(&[], 5)),
            ("silent-root.pem", root_of_nowhere.pem.clone()),
            ("silent-issuing.pem", silent.pem.clone()),
            ("silent.pem", silent.issue(&service)),
            ("stale-soon.crl", issuing.list(&[], 0).replace("\r\n", "\n")),
            ("registration.jwt", token(&site_token(2 * 86_400))),
            ("registration-endless.jwt", {
                let mut claims = site_token(0);
                claims.as_object_mut().unwrap().remove("exp");
                token(&claims)
            }),
            ("registration-expired.jwt", token(&site_token(-2 * 86_400))),
            ("device.jwt", token(&entra_token("https://ConfigMgrService"))),
            ("device-captured-earlier.jwt", token(&entra_token_of("https://ConfigMgrService", -90_000))),
            ("device-captured-later.jwt", token(&entra_token_of("https://ConfigMgrService", 9_000))),
            ("site.jwt", token(&ccm_token(86_400))),
            ("site-expired.jwt", token(&ccm_token(-86_400))),
            ("device-other-app.jwt", token(&entra_token("https://SomeOtherApp"))),
        ],
    );
    folder
}

/// The healthy description with some words changed; each must be there.
pub fn changed(changes: &[(&str, &str)]) -> Site {
    let mut text = HEALTHY.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "'{from}' is not in the description");
        text = text.replacen(from, to, 1);
    }
    Site::parse(&text, folder(), &|_| Err("no Parquet here".to_owned())).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

pub fn predicted(site: &Site, phase: Phase) -> Prediction {
    predict(&Question { site, client: &site.clients[0], at: AT, phase })
}

pub const LIST: Change = ("from = \"internet\" # issuing", "from = \"intranet\"");
pub const NOBODY: Change = ("user = \"entra\"\nuser_id = \"0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b\"", "user = \"none\"");
pub const OWN_CERTIFICATE: Change = ("os_build = 19045", "os_build = 19045\npki_certificate = \"client.pem\"");

pub fn certificate(file: &'static str) -> Vec<Change> {
    vec![("certificate = [\"cmg.pem\"", file)]
}
