//! Proof of the join, and the token from Entra.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::decision::{Cause, Ruling};
use crate::certs::dsregcmd::{Beside, validate_dsregcmd};
use crate::certs::{Bundle, Role, device_identity, role};
use crate::report::CheckStatus;
use crate::site::{Client, Held, JoinState, ServerApp, SignedIn, Site};
use crate::time::Micros;

/// First build of Windows that gives out device tokens: Windows 10 1803.
pub const FIRST_BUILD_WITH_DEVICE_TOKENS: u32 = 17_134;

/// Whether the site knows the tenant, so that the gateway can tell a client the apps to ask with.
pub fn tenant(site: &Site, tenant: Option<&str>) -> Ruling {
    match (&site.tenants, tenant) {
        (Some(tenants), Some(id)) if tenants.iter().any(|known| known.id.eq_ignore_ascii_case(id)) => {
            Ruling::passed(format!("Tenant {id} is onboarded."))
        }
        (Some(_), Some(id)) => {
            let why = format!("The device belongs to tenant {id}, which is not onboarded to this site.");
            Ruling::blocked(Cause::certain("tenant-not-onboarded", why))
        }
        (None, _) => Ruling::not_known("which tenants are onboarded"),
        (_, None) => Ruling::not_known("which tenant the client belongs to"),
    }
}

/// Whether the device can prove its join. `at` is its own clock.
pub fn join(client: &Client, at: Micros) -> Ruling {
    let missing = |why: &str| Ruling::blocked(Cause::certain("wpj-certificate-missing", why));
    let mut ruling = match client.join {
        Some(JoinState::Entra | JoinState::Hybrid) => Ruling::passed("The device is joined to Entra."),
        Some(JoinState::Registered) => missing("The device is registered with Entra, not joined."),
        Some(JoinState::Domain) => missing("The device is joined to a domain alone."),
        Some(JoinState::None) => missing("The device is not joined."),
        None if client.dsregcmd.is_some() => Ruling::default(),
        None => match &client.wpj_certificate {
            None => Ruling::not_known("how the device is joined"),
            Some(_) => Ruling::default(),
        },
    };
    ruling = ruling.and(certificate(client));
    ruling.and(dsregcmd(client, at))
}

fn certificate(client: &Client) -> Ruling {
    let missing = |why: String| Ruling::blocked(Cause::certain("wpj-certificate-missing", why));
    match &client.wpj_certificate {
        None => Ruling::default(),
        Some(Held::Nothing) => missing("The device has no workplace-join certificate.".to_owned()),
        Some(Held::File(file)) => {
            let bundle = Bundle::read(&[file.source()]);
            match bundle.certificates.first() {
                None => missing(format!("'{}' holds no certificate that can be read.", file.path)),
                Some(found) if role(found).0 == Role::WorkplaceJoin => Ruling::default(),
                Some(found) => missing(format!(
                    "'{}' is no workplace-join certificate but {}.",
                    file.path,
                    role(found).0.description()
                )),
            }
        }
    }
}

fn dsregcmd(client: &Client, at: Micros) -> Ruling {
    let Some(output) = &client.dsregcmd else { return Ruling::default() };
    let certificates = client.wpj_certificate.iter().filter_map(Held::file).map(crate::site::File::source).collect();
    let beside = Beside { certificates, at: Some(at), ..Beside::default() };
    let report = validate_dsregcmd(&output.bytes, &beside);
    let mut ruling = Ruling::default();
    for check in report.checks.iter().filter(|check| check.decides) {
        match (check.id.as_str(), check.status) {
            ("device-joined", CheckStatus::Failed) => {
                ruling.add_cause(Cause::certain("wpj-certificate-missing", check.explanation.as_str()));
            }
            ("device-joined", CheckStatus::NotChecked) => {
                ruling.unknown.push("how the device is joined: its dsregcmd output does not say".to_owned());
            }
            ("device-certificate-validity", CheckStatus::Failed) => {
                ruling.add_cause(Cause::likely("wpj-certificate-missing", check.explanation.as_str()));
            }
            _ => {}
        }
    }
    ruling.reports.push(report);
    ruling
}

/// The tenant that a client belongs to, from whatever tells it.
pub fn tenant_of(client: &Client) -> Option<String> {
    let by_join = || {
        let output = client.dsregcmd.as_ref()?;
        crate::certs::dsregcmd::DeviceStatus::read(&output.bytes).tenant_id()
    };
    let by_command = || client.ccmsetup.as_ref()?.tenant().map(str::to_ascii_lowercase);
    client.tenant.clone().or_else(by_join).or_else(|| identity(client)?.tenant_id).or_else(by_command)
}

/// The Entra id of a client's device, from whatever tells it.
pub fn device_id_of(client: &Client) -> Option<String> {
    let by_join = || {
        let output = client.dsregcmd.as_ref()?;
        crate::certs::dsregcmd::DeviceStatus::read(&output.bytes).device_id()
    };
    client.device_id.clone().or_else(by_join).or_else(|| identity(client)?.device_id)
}

fn identity(client: &Client) -> Option<crate::certs::DeviceIdentity> {
    let file = client.wpj_certificate.as_ref()?.file()?;
    device_identity(Bundle::read(&[file.source()]).certificates.first()?)
}

/// Whether Entra is reached, and asked for the site's own apps. `resource` and `app` are what the command line says.
pub fn request(site: &Site, client: &Client, resource: Option<&str>, app: Option<&str>) -> Ruling {
    let reached = Ruling::fact(client.network.entra, "whether the client, as Local System, reaches Entra", || {
        Cause::certain("entra-unreachable", "The client, as Local System, does not reach Entra.")
    });
    reached.and(asked_resource(&site.server_app, resource)).and(asked_app(site, app))
}

/// The resource on the command line, and the server app.
fn asked_resource(app: &ServerApp, asked: Option<&str>) -> Ruling {
    let Some(asked) = asked else { return Ruling::default() };
    let Some(right) = app.resource_uri.as_deref() else {
        return Ruling::not_known("the App ID URI of the server app");
    };
    let failure = "wrong-resource-uri";
    let why = format!("The command line asks for a token for '{asked}', and the server app is '{right}'.");
    if is_same_resource(asked, app, right) {
        Ruling::default()
    } else if is_same_resource(asked.trim_end_matches('/'), app, right.trim_end_matches('/')) {
        // Whether Entra takes one for the other is not documented.
        Ruling::warned(Cause::possible(failure, format!("{why} Only the slash at the end is another.")))
    } else {
        Ruling::blocked(Cause::certain(failure, why))
    }
}

/// The app on the command line, and the client app. A site may have another one in another tenant.
fn asked_app(site: &Site, asked: Option<&str>) -> Ruling {
    let Some(asked) = asked.map(|asked| asked.trim_matches(['{', '}'])) else { return Ruling::default() };
    let Some(right) = site.client_app.client_id.as_deref() else {
        return Ruling::not_known("the id of the client app");
    };
    if asked.eq_ignore_ascii_case(right) {
        return Ruling::default();
    }
    let is_server = site.server_app.client_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(asked));
    let what = if is_server { " (that is the server app)" } else { "" };
    let why = format!("The command line asks as app '{asked}'{what}, and the client app is '{right}'.");
    let several = site.tenants.as_ref().is_some_and(|tenants| tenants.len() > 1);
    let cause = if several { Cause::likely } else { Cause::certain };
    Ruling::blocked(cause("wrong-resource-uri", why))
}

/// Entra takes an app's URI without regard to case, and its id in the URI's place.
fn is_same_resource(asked: &str, app: &ServerApp, right: &str) -> bool {
    let is_id = app.client_id.as_deref().is_some_and(|id| asked.eq_ignore_ascii_case(id));
    asked.eq_ignore_ascii_case(right) || is_id
}

/// Whether the device gets a token of its own.
pub fn device_token(site: &Site, client: &Client, at: Micros) -> Ruling {
    let old = client.os_build.filter(|build| *build < FIRST_BUILD_WITH_DEVICE_TOKENS);
    let os = match (client.os_build, old) {
        (None, _) => Ruling::not_known("which build of Windows the client has"),
        (_, Some(build)) => Ruling::blocked(Cause::certain(
            "os-too-old-for-device-token",
            format!(
                "Windows build {build} gives out no device token; the first that does is \
                 {FIRST_BUILD_WITH_DEVICE_TOKENS} (Windows 10 1803)."
            ),
        )),
        _ => Ruling::default(),
    };
    let app = Ruling::fact(site.server_app.device_tokens, "whether the server app gives out device tokens", || {
        Cause::certain("device-token-not-enabled", "The server app is not set up for device tokens.")
    });
    os.and(app).and(device_key(client, at))
}

/// Whether Windows can use the device's key, and Entra takes it.
fn device_key(client: &Client, at: Micros) -> Ruling {
    let failure = "wam-key-failure";
    let told = match client.device_key_ok {
        Some(false) => Ruling::blocked(Cause::certain(failure, "Windows cannot use the key of the device's join.")),
        Some(true) => return Ruling::default(),
        None => Ruling::default(),
    };
    let Some(output) = &client.dsregcmd else {
        return if told.causes.is_empty() {
            told.and(Ruling::not_known("whether Windows can use the key of the device's join"))
        } else {
            told
        };
    };
    let report = validate_dsregcmd(&output.bytes, &Beside { at: Some(at), ..Beside::default() });
    match report.check("device-authentication").map(|check| (check.status, check.explanation.clone())) {
        Some((CheckStatus::Passed, _)) => told,
        Some((CheckStatus::Failed, why)) => told.and(Ruling::blocked(Cause::likely(failure, why))),
        _ => told.and(Ruling::not_known("whether Windows can use the key of the device's join")),
    }
}

/// Whether a user's token can stand in for the device's.
pub fn user_token(client: &Client) -> Ruling {
    let nobody = |why: &str| Ruling::blocked(Cause::certain("no-entra-user-signed-in", why));
    match client.user {
        Some(SignedIn::Entra | SignedIn::Hybrid) => Ruling::passed("An Entra user is signed in."),
        Some(SignedIn::Local) => nobody("The user who is signed in is no user of Entra."),
        Some(SignedIn::None) => nobody("Nobody is signed in."),
        None => Ruling::not_known("whether an Entra user is signed in"),
    }
}

/// What Entra writes into a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Whom it is for.
    pub audience: &'a str,
    /// Device that it names.
    pub device_id: Option<&'a str>,
    /// User that it names; `None`: a device token.
    pub user_id: Option<&'a str>,
    /// When it is issued, UTC.
    pub at: Micros,
}

impl Grant<'_> {
    /// Seconds for which Entra's tokens live at least.
    pub const LIFE: i64 = 3_600;
    /// Seconds for which they live at most: Entra draws the life of each from 60 to 90 minutes.
    pub const LONGEST_LIFE: i64 = 5_400;
    /// Seconds before its issue at which a token of Entra begins: its published examples live 3,900 seconds.
    pub const EARLY: i64 = 300;

    /// The claims as Entra writes them in version 1.0 (Entra, "Access token claims reference").
    pub fn claims(&self) -> Value {
        let (issued, ends) = (self.at.div_euclid(1_000_000) - Self::EARLY, self.at.div_euclid(1_000_000) + Self::LIFE);
        // Whose id is not told: any will do that could be one.
        let nobody = "ffffffff-ffff-4fff-bfff-ffffffffffff";
        let mut claims = json!({
            "aud": self.audience,
            "iss": format!("https://sts.windows.net/{}/", self.tenant),
            "iat": issued, "nbf": issued, "exp": ends,
            "tid": self.tenant, "ver": "1.0",
            "deviceid": self.device_id.unwrap_or(nobody),
        });
        if let Some(user) = self.user_id {
            claims["oid"] = json!(user);
            claims["scp"] = json!("user_impersonation");
        } else {
            claims["idtyp"] = json!("device");
        }
        claims
    }

    /// A token with these claims and an empty signature: enough for the rules of audience, tenant and time, and of no
    /// use to anybody else.
    pub fn unsigned(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "typ": "JWT", "alg": "RS256" });
        format!("{}.{}.{}", part(&header), part(&self.claims()), URL_SAFE_NO_PAD.encode("unsigned"))
    }
}
