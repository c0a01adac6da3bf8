//! What `dsregcmd /status` says of a device's join, read and held against the device's certificate and a token.
//!
//! Names, values and their meaning: Microsoft's "Troubleshoot devices by using the dsregcmd command".

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bundle::{Bundle, Source};
use super::certificate::Certificate;
use super::inspect::certificate_facts;
use super::roles::{Role, role};
use super::wpj::{DeviceIdentity, as_guid_text, device_identity};
use crate::report::{Check, CheckStatus, Report};
use crate::time::{Micros, rfc3339};
use crate::tokens::{TokenPolicy, inspect_token, validate_token};

/// Bytes that are read; real output has a few thousand.
const MOST_BYTES: usize = 4 << 20;

/// Bytes of the longest name or heading that is taken for one; those of Windows have 30.
const LONGEST_NAME: usize = 64;

/// One line of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The heading it stands under: "Device State". All fields under it share it.
    pub section: Arc<str>,
    /// Its name: "`AzureAdJoined`".
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its line, 1-based.
    pub line: usize,
}

/// How a device is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// Joined to Entra alone.
    Entra,
    /// Joined to a domain and to Entra.
    Hybrid,
    /// Joined to a domain alone.
    Domain,
    /// Joined to a domain and registered on premises.
    OnPremises,
    /// Not joined; it may still be registered.
    None,
}

/// The output of `dsregcmd /status`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceStatus {
    /// All lines with a name and a value, in their order. A name may occur again, once per work account.
    pub fields: Vec<Field>,
}

impl DeviceStatus {
    /// Reads the output, in UTF-8, UTF-16 with a mark, or an ANSI code page. What is no field is passed over.
    ///
    /// ```
    /// use cmgtrail::certs::dsregcmd::{DeviceStatus, Join};
    ///
    /// let text = b"| Device State |\n\n AzureAdJoined : YES\n EnterpriseJoined : NO\n DomainJoined : NO\n";
    /// let status = DeviceStatus::read(text);
    /// assert_eq!(status.join(), Some(Join::Entra));
    /// assert_eq!(&*status.fields[0].section, "Device State");
    /// ```
    pub fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..MOST_BYTES).unwrap_or(bytes);
        let encoding = encoding_rs::Encoding::for_bom(bytes).map_or_else(
            || if std::str::from_utf8(bytes).is_ok() { encoding_rs::UTF_8 } else { encoding_rs::WINDOWS_1252 },
            |(encoding, _)| encoding,
        );
        let (text, _, _) = encoding.decode(bytes);
        let mut status = Self::default();
        let mut section: Arc<str> = Arc::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(heading) = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) {
                let heading = heading.trim();
                section = if heading.len() <= LONGEST_NAME { heading.into() } else { Arc::default() };
            } else if let Some((name, value)) = field(line) {
                let (name, value) = (name.to_owned(), value.to_owned());
                status.fields.push(Field { section: Arc::clone(&section), name, value, line: at + 1 });
            }
        }
        status
    }

    /// Whether the bytes look like this output.
    pub fn looks_like(bytes: &[u8]) -> bool {
        let head = Self::read(bytes.get(..16 << 10).unwrap_or(bytes));
        head.get("AzureAdJoined").is_some() && (head.get("DomainJoined").is_some() || head.get("DeviceId").is_some())
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_str())
    }

    /// The first value of this name as yes or no.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)?.to_ascii_uppercase().as_str() {
            "YES" => Some(true),
            "NO" => Some(false),
            _ => None,
        }
    }

    /// How the device is joined, where its state is shown.
    pub fn join(&self) -> Option<Join> {
        let entra = self.flag("AzureAdJoined")?;
        let enterprise = self.flag("EnterpriseJoined").unwrap_or(false);
        let domain = self.flag("DomainJoined").unwrap_or(false);
        Some(match (entra, enterprise, domain) {
            (true, _, true) => Join::Hybrid,
            (true, _, false) => Join::Entra,
            (false, true, _) => Join::OnPremises,
            (false, false, true) => Join::Domain,
            (false, false, false) => Join::None,
        })
    }

    /// Device id, lower case.
    pub fn device_id(&self) -> Option<String> {
        as_guid_text(self.get("DeviceId")?)
    }

    /// Tenant id, lower case.
    pub fn tenant_id(&self) -> Option<String> {
        as_guid_text(self.get("TenantId")?)
    }

    /// Thumbprint of the device's certificate: SHA-1 of its DER, upper-case hexadecimal digits.
    pub fn thumbprint(&self) -> Option<String> {
        let digits: String = self.get("Thumbprint")?.chars().filter(char::is_ascii_hexdigit).collect();
        (digits.len() == 40).then(|| digits.to_ascii_uppercase())
    }

    /// Validity of the device's certificate, microseconds of Unix time.
    pub fn validity(&self) -> Option<(Micros, Micros)> {
        let text = self.get("DeviceCertificateValidity")?;
        let (from, to) = text.trim_matches(['[', ']', ' ']).split_once(" -- ")?;
        Some((utc(from)?, utc(to)?))
    }
}

/// Splits a line at its first colon that stands after a space: values hold colons too.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(" : ").or_else(|| Some((line.strip_suffix(" :")?, "")))?;
    // Windows 10 1607 writes "KeySignTest: : PASSED".
    let name = name.trim().trim_end_matches(':');
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && !name.starts_with(['+', '|', '-']);
    is_name.then(|| (name, value.trim()))
}

/// `2019-01-11 21:02:50.000 UTC` as microseconds of Unix time.
fn utc(text: &str) -> Option<Micros> {
    let civil: jiff::civil::DateTime = text.trim().strip_suffix("UTC")?.trim().parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// What else is known of the device, to hold its status against.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Certificates of the machine's and the user's stores.
    pub certificates: Vec<Source>,
    /// A token of the device or of its user, as text.
    pub token: Option<String>,
    /// Whether it was given to be compared: then a token that names nothing to compare leaves the verdict open.
    pub token_required: bool,
    /// The instant of the output, microseconds of Unix time; `None`: dates are not checked.
    pub at: Option<Micros>,
}

/// Every check of [`validate_dsregcmd`], each of which is in every report once.
pub const CHECKS: [&str; 14] = [
    "device-joined",
    "device-authentication",
    "device-certificate-validity",
    "device-key-in-tpm",
    "device-key-usable",
    "one-device",
    "device-id-matches-certificate",
    "tenant-id-matches-certificate",
    "thumbprint-matches-certificate",
    "certificate-names-one-device",
    "device-id-matches-token",
    "tenant-id-matches-token",
    "token-in-force",
    "primary-refresh-token",
];

/// Reads the output of `dsregcmd /status` and holds it against what else is known of the device.
pub fn validate_dsregcmd(bytes: &[u8], beside: &Beside) -> Report {
    let status = DeviceStatus::read(bytes);
    let bundle = Bundle::read(&beside.certificates);
    let device_certificate = device_certificate(&bundle, status.thumbprint().as_deref());
    let identity = device_certificate.and_then(device_identity);
    let is_shown =
        |known: &&Certificate| status.thumbprint().is_none_or(|thumbprint| thumbprint == known.sha1().as_str());
    let own = device_certificate.filter(is_shown);
    let mut checks = vec![
        joined(&status),
        device_authentication(&status),
        validity(&status, own, beside.at),
        key(&status),
        key_health(&status),
    ];
    checks.push(one_device(&status));
    checks.extend(against_certificate(&status, device_certificate, identity.as_ref(), !beside.certificates.is_empty()));
    let token = beside.token.as_deref().map(|token| read_token(token, beside.at));
    checks.extend(against_token(&status, token.as_ref(), beside.token_required));
    checks.push(refresh_token(&status));
    Report::new("dsregcmd", facts(&status, &bundle), checks)
}

/// The certificate of the device's join. Stores keep those of earlier joins too: the one with this thumbprint, else the
/// one that ends last.
fn device_certificate<'b>(bundle: &'b Bundle, thumbprint: Option<&str>) -> Option<&'b Certificate> {
    let joins = || bundle.certificates.iter().filter(|certificate| role(certificate).0 == Role::WorkplaceJoin);
    joins()
        .find(|certificate| thumbprint == Some(certificate.sha1().as_str()))
        .or_else(|| joins().max_by_key(|certificate| certificate.not_after))
}

const REFERENCE: &str = "learn.microsoft.com/entra/identity/devices/troubleshoot-device-dsregcmd";

fn check(id: &str, status: CheckStatus, explanation: impl Into<String>) -> Check {
    Check::new(id, status, "dsregcmd /status", explanation).reference(REFERENCE)
}

fn joined(status: &DeviceStatus) -> Check {
    let id = "device-joined";
    match status.join() {
        Some(Join::Entra) => check(id, CheckStatus::Passed, "The device is joined to Entra."),
        Some(Join::Hybrid) => check(id, CheckStatus::Passed, "The device is joined to a domain and to Entra."),
        Some(Join::Domain) if status.flag("WorkplaceJoined") == Some(true) => check(
            id,
            CheckStatus::Failed,
            "The device is joined to a domain, and registered with Entra by a user's work account, not joined to Entra: it gets no device token.",
        ),
        Some(Join::Domain) => check(
            id,
            CheckStatus::Failed,
            "The device is joined to a domain alone, not to Entra: it gets no device token.",
        ),
        Some(Join::OnPremises) => check(
            id,
            CheckStatus::Failed,
            "The device is registered on premises, not with Entra: it gets no device token.",
        ),
        Some(Join::None) if status.flag("WorkplaceJoined") == Some(true) => check(
            id,
            CheckStatus::Failed,
            "The device is registered with Entra by a user's work account, not joined: it gets no device token.",
        ),
        Some(Join::None) => check(id, CheckStatus::Failed, "The device is not joined: it gets no device token."),
        None if status.fields.is_empty() => {
            check(id, CheckStatus::NotChecked, "This is not the output of dsregcmd /status: it has no fields.")
        }
        None => check(
            id,
            CheckStatus::NotChecked,
            "There is no readable line 'AzureAdJoined': the output is cut off, or is not that of dsregcmd /status.",
        ),
    }
}

/// Two outputs in one file would be judged as one device.
fn one_device(status: &DeviceStatus) -> Check {
    let id = "one-device";
    let named = status.fields.iter().filter(|field| field.name.eq_ignore_ascii_case("DeviceId"));
    let mut devices: Vec<String> = named.filter_map(|field| as_guid_text(&field.value)).collect();
    devices.sort_unstable();
    devices.dedup();
    match devices.as_slice() {
        [] => check(id, CheckStatus::NotChecked, "The output names no device id.").remark(),
        [_] => check(id, CheckStatus::Passed, "The output is of one device."),
        several => {
            let text = "The text holds the outputs of several devices, and the first one was read. Give one at a time.";
            check(id, CheckStatus::NotChecked, text).expected("one device id").found(several.join(", "))
        }
    }
}

fn device_authentication(status: &DeviceStatus) -> Check {
    let id = "device-authentication";
    match status.get("DeviceAuthStatus") {
        Some(found) if found.eq_ignore_ascii_case("SUCCESS") => {
            check(id, CheckStatus::Passed, "Entra knows the device and it is enabled.").found(found)
        }
        Some(found) if found.to_ascii_uppercase().contains("ERROR") => {
            let text = "The test could not be run; it needs a way to Entra for the system account.";
            check(id, CheckStatus::NotChecked, text).expected("SUCCESS").found(found)
        }
        Some(found) => {
            let text = format!("Entra does not accept the device: {found}");
            check(id, CheckStatus::Failed, text).expected("SUCCESS").found(found)
        }
        None => check(
            id,
            CheckStatus::NotChecked,
            "The output has no line 'DeviceAuthStatus'; Windows before 21H1 shows none.",
        )
        .remark(),
    }
}

/// Dates of the output and, where it is at hand, of the certificate itself: both must hold.
fn validity(status: &DeviceStatus, own: Option<&Certificate>, at: Option<Micros>) -> Check {
    const SECOND: Micros = 1_000_000;
    let id = "device-certificate-validity";
    let dates = own.map(|own| (own.not_before.saturating_mul(SECOND), own.not_after.saturating_mul(SECOND)));
    let shown = status.validity();
    // The output shows milliseconds.
    let differ = dates.zip(shown).is_some_and(|((from, to), (shown_from, shown_to))| {
        from.abs_diff(shown_from) > SECOND.unsigned_abs() || to.abs_diff(shown_to) > SECOND.unsigned_abs()
    });
    let both = dates.zip(shown).map(|((from, to), (shown_from, shown_to))| (from.max(shown_from), to.min(shown_to)));
    let (Some((from, to)), Some(at)) = (both.or(dates).or(shown), at) else {
        let why = if at.is_none() {
            "No instant was given to hold the dates against."
        } else {
            "The output has no readable line 'DeviceCertificateValidity'."
        };
        return check(id, CheckStatus::NotChecked, why).remark();
    };
    let span = format!("{} to {}", rfc3339(from), rfc3339(to));
    let (status, text) = if at < from {
        (CheckStatus::Failed, "The device's certificate is not yet valid; the device's clock may be behind.")
    } else if at > to {
        (CheckStatus::Failed, "The device's certificate has expired.")
    } else {
        (CheckStatus::Passed, "The device's certificate is valid at that time.")
    };
    let differs = " Its own dates are not those of the line 'DeviceCertificateValidity'.";
    check(id, status, format!("{text}{}", if differ { differs } else { "" })).expected(span).found(rfc3339(at))
}

/// Whether the device can still use its key: the test that the command makes of it, and Entra's mark on the device.
fn key_health(status: &DeviceStatus) -> Check {
    let id = "device-key-usable";
    let tried = status.get("KeySignTest");
    let says = |word: &str| tried.is_some_and(|found| found.to_ascii_uppercase().contains(word));
    if status.flag("AadRecoveryEnabled") == Some(true) {
        let text = "The device's keys are not usable and it is marked for recovery: it gets no device token until it has registered anew, at the next sign-in of a user.";
        return check(id, CheckStatus::Failed, text)
            .expected("AadRecoveryEnabled : NO")
            .found("AadRecoveryEnabled : YES");
    }
    match tried {
        Some(found) if says("FAILED") => {
            let text = format!("The device could not sign with its key, so it can prove no join: {found}");
            check(id, CheckStatus::Failed, text).expected("PASSED").found(found)
        }
        Some(found) if says("PASSED") => {
            check(id, CheckStatus::Passed, "The device can sign with its key.").found(found)
        }
        Some(found) => {
            let text = "The device's key was not tried; that needs an elevated prompt.";
            check(id, CheckStatus::NotChecked, text).expected("PASSED").found(found).remark()
        }
        None => check(id, CheckStatus::NotChecked, "The output has no line 'KeySignTest'.").remark(),
    }
}

fn key(status: &DeviceStatus) -> Check {
    let id = "device-key-in-tpm";
    match (status.flag("TpmProtected"), status.get("KeyProvider")) {
        (Some(true), provider) => {
            check(id, CheckStatus::Passed, "The device's key lies in its TPM.").found(provider.unwrap_or(""))
        }
        (Some(false), provider) => {
            check(id, CheckStatus::Failed, "The device's key lies in software.").found(provider.unwrap_or(""))
        }
        (None, _) => check(id, CheckStatus::NotChecked, "The output has no readable line 'TpmProtected'."),
    }
    .remark()
}

/// The primary refresh token, a matter of the user in whose session the command ran.
fn refresh_token(status: &DeviceStatus) -> Check {
    let id = "primary-refresh-token";
    let context = "It holds for the user in whose session the command ran, and a device token needs none.";
    match status.flag("AzureAdPrt") {
        Some(true) => check(id, CheckStatus::Passed, format!("A primary refresh token is there. {context}")),
        Some(false) => check(id, CheckStatus::Failed, format!("There is no primary refresh token. {context}")),
        None => check(id, CheckStatus::NotChecked, "The output has no readable line 'AzureAdPrt'."),
    }
    .remark()
}

fn against_certificate(
    status: &DeviceStatus,
    certificate: Option<&Certificate>,
    identity: Option<&DeviceIdentity>,
    given: bool,
) -> Vec<Check> {
    let of = |value: Option<&String>| ("the device's certificate", value.cloned());
    let sha1 = certificate.map(Certificate::sha1);
    let rows = [
        (
            "device-id-matches-certificate",
            "device id",
            status.device_id(),
            of(identity.and_then(|i| i.device_id.as_ref())),
        ),
        (
            "tenant-id-matches-certificate",
            "tenant id",
            status.tenant_id(),
            of(identity.and_then(|i| i.tenant_id.as_ref())),
        ),
        ("thumbprint-matches-certificate", "thumbprint", status.thumbprint(), of(sha1.as_ref())),
    ];
    let mut checks: Vec<Check> = rows
        .into_iter()
        .map(|(id, what, own, (whose, other))| {
            // Not every certificate of a join names its tenant.
            let needed = Needed { own: given, other: given && id != "tenant-id-matches-certificate" };
            same(id, what, own.as_deref(), (whose, other.as_deref()), needed)
        })
        .collect();
    checks.push(certificate_names_one_device(identity, given));
    checks
}

/// What a token says, at the instant of the output where that is known. Nobody's signature is asked for here.
fn read_token(token: &str, at: Option<Micros>) -> Report {
    at.map_or_else(|| inspect_token(token, false), |at| validate_token(token, &TokenPolicy::new(at)))
}

fn against_token(status: &DeviceStatus, token: Option<&Report>, required: bool) -> [Check; 3] {
    let named = |name: &str| {
        let text = token.and_then(|token| token.facts.get(name)?.as_str());
        text.map(|text| as_guid_text(text).unwrap_or_else(|| text.to_ascii_lowercase()))
    };
    let (device, tenant) = (named("device_id"), named("tenant_id"));
    // A user's token need not name a device; one that names neither device nor tenant is none that can be compared.
    let needed = Needed { own: required, other: required && device.is_none() && tenant.is_none() };
    let compared = |id, what, own: Option<String>, other: Option<String>| {
        same(id, what, own.as_deref(), ("the token", other.as_deref()), needed)
    };
    [
        compared("device-id-matches-token", "device id", status.device_id(), device),
        compared("tenant-id-matches-token", "tenant id", status.tenant_id(), tenant),
        token_in_force(token),
    ]
}

/// Ids of a token that is over, or that anybody may have written, are what somebody says and no more.
fn token_in_force(token: Option<&Report>) -> Check {
    let id = "token-in-force";
    let Some(token) = token else {
        return check(id, CheckStatus::NotChecked, "No token was given.").remark();
    };
    let wrong: Vec<&str> = token.fatal().map(|check| check.explanation.as_str()).collect();
    let made = if wrong.is_empty() {
        let text = "Nothing in its header, its claims and its dates speaks against the token; its signature was not looked at.";
        check(id, CheckStatus::Passed, text)
    } else {
        let text = format!("The token proves less than it says. {}", wrong.join(" "));
        check(id, CheckStatus::Failed, text)
    };
    made.remark()
}

/// Common name and extension of the certificate must name the same device.
fn certificate_names_one_device(identity: Option<&DeviceIdentity>, given: bool) -> Check {
    let id = "certificate-names-one-device";
    match identity.and_then(|identity| Some((identity.device_ids_agree?, identity))) {
        Some((true, _)) => check(id, CheckStatus::Passed, "The certificate's name and its extension name one device."),
        Some((false, identity)) => {
            let text = "The certificate's name and its extension name two devices: it was not made by a join.";
            let shown = |id: &Option<String>| id.clone().unwrap_or_default();
            check(id, CheckStatus::Failed, text)
                .expected(shown(&identity.device_id))
                .found(shown(&identity.device_id_of_extension))
        }
        None if given && identity.is_none() => {
            check(id, CheckStatus::NotChecked, "None of the certificates given is that of a join.")
        }
        None => check(id, CheckStatus::NotChecked, "No certificate that names the device twice was given.").remark(),
    }
}

/// Which of two sources must be there, for the verdict not to stay open.
#[derive(Clone, Copy, Default)]
struct Needed {
    own: bool,
    other: bool,
}

/// Two sources that must say the same. Where one is missing nothing is checked.
fn same(id: &str, what: &str, own: Option<&str>, (whose, other): (&str, Option<&str>), needed: Needed) -> Check {
    let open = |why: String, decides: bool| {
        let check = check(id, CheckStatus::NotChecked, why);
        if decides { check } else { check.remark() }
    };
    match (own, other) {
        (Some(own), Some(other)) if own == other => {
            check(id, CheckStatus::Passed, format!("Both have the same {what}.")).expected(other).found(own)
        }
        (Some(own), Some(other)) => {
            let text =
                format!("The {what} is {own} here and {other} in {whose}: they are of different joins or devices.");
            check(id, CheckStatus::Failed, text).expected(other).found(own)
        }
        (None, _) => open(format!("The output has no readable {what}."), needed.own),
        (_, None) => open(format!("No {what} of {whose} is at hand."), needed.other),
    }
}

fn facts(status: &DeviceStatus, bundle: &Bundle) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    put("join", json!(status.join()));
    put("device_id", json!(status.device_id()));
    put("tenant_id", json!(status.tenant_id()));
    put("tenant_name", json!(status.get("TenantName")));
    put("thumbprint", json!(status.thumbprint()));
    let validity = status.validity();
    put("certificate_not_before", json!(validity.map(|(from, _)| rfc3339(from))));
    put("certificate_not_after", json!(validity.map(|(_, to)| rfc3339(to))));
    put("key_provider", json!(status.get("KeyProvider")));
    put("device_auth_status", json!(status.get("DeviceAuthStatus")));
    put("fields", json!(status.fields));
    put("certificates", bundle.certificates.iter().map(certificate_facts).collect());
    facts
}
