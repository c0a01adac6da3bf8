//! What `dsregcmd /status` says of a device's join, read and held against the device's certificate and a token.
//!
//! Names, values and their meaning: Microsoft's "Troubleshoot devices by using the dsregcmd command".

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bundle::{Bundle, Source};
use super::certificate::Certificate;
use super::inspect::certificate_facts;
use super::roles::{Role, role};
use super::wpj::{DeviceIdentity, as_guid_text, device_identity};
use crate::report::{Check, CheckStatus, Report};
use crate::time::{Micros, rfc3339};

/// Bytes that are read; real output has a few thousand.
const MOST_BYTES: usize = 4 << 20;

/// One line of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The heading it stands under: "Device State".
    pub section: String,
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
    /// assert_eq!(status.fields[0].section, "Device State");
    /// ```
    pub fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..MOST_BYTES).unwrap_or(bytes);
        let encoding = encoding_rs::Encoding::for_bom(bytes).map_or_else(
            || if std::str::from_utf8(bytes).is_ok() { encoding_rs::UTF_8 } else { encoding_rs::WINDOWS_1252 },
            |(encoding, _)| encoding,
        );
        let (text, _, _) = encoding.decode(bytes);
        let mut status = Self::default();
        let mut section = String::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(heading) = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) {
                heading.trim().clone_into(&mut section);
            } else if let Some((name, value)) = field(line) {
                let (name, value) = (name.to_owned(), value.to_owned());
                status.fields.push(Field { section: section.clone(), name, value, line: at + 1 });
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
    let name = name.trim();
    let is_name = !name.is_empty() && name.len() <= 64 && !name.starts_with(['+', '|', '-']);
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
    /// `deviceid` of a token.
    pub token_device_id: Option<String>,
    /// `tid` of a token.
    pub token_tenant_id: Option<String>,
    /// The instant of the output, microseconds of Unix time; `None`: dates are not checked.
    pub at: Option<Micros>,
}

/// Reads the output of `dsregcmd /status` and holds it against what else is known of the device.
pub fn validate_dsregcmd(bytes: &[u8], beside: &Beside) -> Report {
    let status = DeviceStatus::read(bytes);
    let bundle = Bundle::read(&beside.certificates);
    let device_certificate = bundle.certificates.iter().find(|certificate| role(certificate).0 == Role::WorkplaceJoin);
    let identity = device_certificate.and_then(device_identity);
    let mut checks = vec![joined(&status), device_authentication(&status), validity(&status, beside.at), key(&status)];
    checks.extend(against_certificate(&status, device_certificate, identity.as_ref()));
    let token = |own: Option<String>, other: &Option<String>, id, what| {
        let other = other.as_deref().map(|text| as_guid_text(text).unwrap_or_else(|| text.to_ascii_lowercase()));
        same(id, what, own.as_deref(), ("the token", other.as_deref()))
    };
    checks.push(token(status.device_id(), &beside.token_device_id, "device-id-matches-token", "device id"));
    checks.push(token(status.tenant_id(), &beside.token_tenant_id, "tenant-id-matches-token", "tenant id"));
    checks.push(refresh_token(&status));
    Report::new("dsregcmd", facts(&status, &bundle), checks)
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
        Some(Join::None) => check(id, CheckStatus::Failed, "The device is not joined: it gets no device token."),
        None => check(id, CheckStatus::NotChecked, "The output has no readable line 'AzureAdJoined'."),
    }
}

fn device_authentication(status: &DeviceStatus) -> Check {
    let id = "device-authentication";
    match status.get("DeviceAuthStatus") {
        Some(found) if found.eq_ignore_ascii_case("SUCCESS") => {
            check(id, CheckStatus::Passed, "Entra knows the device and it is enabled.").found(found)
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

fn validity(status: &DeviceStatus, at: Option<Micros>) -> Check {
    let id = "device-certificate-validity";
    let (Some((from, to)), Some(at)) = (status.validity(), at) else {
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
    check(id, status, text).expected(span).found(rfc3339(at))
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
    rows.into_iter()
        .map(|(id, what, own, (whose, other))| same(id, what, own.as_deref(), (whose, other.as_deref())))
        .collect()
}

/// Two sources that must say the same. Where one is missing nothing is checked, and that does not decide: it was not
/// asked for.
fn same(id: &str, what: &str, own: Option<&str>, (whose, other): (&str, Option<&str>)) -> Check {
    match (own, other) {
        (Some(own), Some(other)) if own == other => {
            check(id, CheckStatus::Passed, format!("Both have the same {what}.")).expected(other).found(own)
        }
        (Some(own), Some(other)) => {
            let text =
                format!("The {what} is {own} here and {other} in {whose}: they are of different joins or devices.");
            check(id, CheckStatus::Failed, text).expected(other).found(own)
        }
        (None, _) => check(id, CheckStatus::NotChecked, format!("The output has no readable {what}.")).remark(),
        (_, None) => check(id, CheckStatus::NotChecked, format!("No {what} of {whose} was given.")).remark(),
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
