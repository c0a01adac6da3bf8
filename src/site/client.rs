//! What a site description says of a client.

use serde::{Deserialize, Serialize};

use super::command_line::CommandLine;
use super::content::Content;
use super::entry::Entry;
use super::file::{File, Held};
use super::servers::tls_versions;
use crate::certs::dsregcmd::DeviceStatus;
use crate::certs::{Bundle, DeviceIdentity, Role, device_identity, role};

/// How a device is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoinState {
    /// To Entra.
    Entra,
    /// To a domain and to Entra.
    Hybrid,
    /// Registered with Entra, not joined: no device token.
    Registered,
    /// To a domain alone.
    Domain,
    /// Not at all.
    None,
}

impl JoinState {
    /// True where the device is joined to Entra.
    pub const fn is_to_entra(self) -> bool {
        matches!(self, Self::Entra | Self::Hybrid)
    }
}

/// Who is signed in at the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedIn {
    /// A user of Entra alone.
    Entra,
    /// A user of a domain that is synchronised to Entra.
    Hybrid,
    /// A local user, or one of a domain alone: no Entra token.
    Local,
    /// Nobody.
    None,
}

/// The network between a client and everything else. What is not told is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Network {
    /// Whether the gateway's name resolves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<bool>,
    /// Whether the gateway's port 443 is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_443: Option<bool>,
    /// Whether Entra is reached, as Local System.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entra: Option<bool>,
    /// TLS versions that the client offers: "1.0" to "1.3".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Vec<String>>,
    /// The certificate that an inspecting proxy shows in the gateway's place, with its authority; or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inspection: Option<Inspection>,
}

/// Whether somebody between client and gateway opens the traffic. Written as "none", or as paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspection {
    /// Nobody does.
    Nobody,
    /// What is shown instead of the gateway's chain: the leaf first, or the authority alone.
    Shows(Vec<File>),
}

impl Serialize for Inspection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nobody => serializer.serialize_str(Held::NOTHING),
            Self::Shows(files) => files.serialize(serializer),
        }
    }
}

/// Tokens of a client, each in a file of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TokenFiles {
    /// Entra token of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<File>,
    /// Entra token of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<File>,
    /// The site's own token (CCM token).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<File>,
    /// The bulk registration token; it goes before what `/regtoken` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<File>,
}

/// A client. What is not told is not known, and prediction says so.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Client {
    /// What to call it: its host name.
    pub name: String,
    /// How it is joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinState>,
    /// Output of `dsregcmd /status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsregcmd: Option<File>,
    /// Its workplace-join certificate (issued by MS-Organization-Access), or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wpj_certificate: Option<Held>,
    /// Whether Windows can use the key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_key_ok: Option<bool>,
    /// Entra device id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Tenant it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Build of Windows, such as 19045.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_build: Option<u32>,
    /// Trusted root store. An empty list: no root but those that Windows brings along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roots: Option<Vec<File>>,
    /// Store of intermediate authorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediates: Option<Vec<File>>,
    /// Seconds that its clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
    /// Command line of ccmsetup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ccmsetup: Option<CommandLine>,
    /// Client authentication certificate of a PKI with its chain, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pki_certificate: Option<Held>,
    /// The certificate that the client made itself to register with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_signed_certificate: Option<File>,
    /// Who is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<SignedIn>,
    /// Entra id of that user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The client setting "Enable clients to use a cloud management gateway".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmg_enabled: Option<bool>,
    /// Ids of packages that it is to download.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<String>>,
    /// Its tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub tokens: TokenFiles,
    /// Its network.
    #[serde(skip_serializing_if = "is_default")]
    pub network: Network,
}

/// The command line of ccmsetup.
fn command_line(entry: &mut Entry<'_, '_, '_>) -> Option<CommandLine> {
    let text = entry.text("ccmsetup")?;
    for mistake in CommandLine::misspellings(&text) {
        entry.mistake("ccmsetup", &format!("ccmsetup: {mistake}"));
    }
    Some(CommandLine::parse(&text))
}

/// A build of Windows has four or five digits.
fn os_build(entry: &mut Entry<'_, '_, '_>) -> Option<u32> {
    const EXPECTED: &str = "a build number such as 19045";
    let build: u32 = entry.value("os_build", EXPECTED)?;
    if !(2_600..100_000).contains(&build) {
        entry.mistake("os_build", &format!("os_build: expected {EXPECTED}, found {build}"));
    }
    Some(build)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Client {
    /// Reads `[[client]]`, which has a name and takes what it does not tell from the defaults, or `[client_defaults]`
    /// itself.
    pub(super) fn read(mut entry: Entry<'_, '_, '_>, defaults: Option<&Self>) -> Option<Self> {
        let name = if defaults.is_some() { entry.required("name") } else { Some(String::new()) };
        if let Some(name) = name.as_ref().filter(|name| !name.is_empty()) {
            entry.name = format!("client '{name}'");
        }
        let client = Self {
            name: name.clone().unwrap_or_default(),
            join: entry.value("join", "'entra', 'hybrid', 'registered', 'domain' or 'none'"),
            dsregcmd: entry.file("dsregcmd", Content::JoinStatus),
            wpj_certificate: entry.held("wpj_certificate"),
            device_key_ok: entry.flag("device_key_ok"),
            device_id: entry.guid("device_id"),
            tenant: entry.guid("tenant"),
            os_build: os_build(&mut entry),
            roots: entry.files("roots"),
            intermediates: entry.files("intermediates"),
            clock_offset_seconds: entry.seconds("clock_offset_seconds"),
            ccmsetup: command_line(&mut entry),
            pki_certificate: entry.held("pki_certificate"),
            self_signed_certificate: entry.file("self_signed_certificate", Content::Certificates),
            user: entry.value("user", "'entra', 'hybrid', 'local' or 'none'"),
            user_id: entry.guid("user_id"),
            cmg_enabled: entry.flag("cmg_enabled"),
            content: entry.texts("content"),
            tokens: entry.table("tokens").map(TokenFiles::read).unwrap_or_default(),
            network: entry.table("network").map(Network::read).unwrap_or_default(),
        };
        let client = match defaults {
            Some(defaults) => client.or(defaults),
            None => client,
        };
        for (key, sentence) in client.contradictions_beyond(defaults) {
            entry.mistake(key, &sentence);
        }
        entry.close();
        name.map(|_| client)
    }

    /// The same but for what the defaults contradict by themselves, which was told there.
    fn contradictions_beyond(&self, defaults: Option<&Self>) -> Vec<(&'static str, String)> {
        let mut found = self.contradictions();
        // Most clients have none, and the defaults' files need not be read again for each.
        if let Some(defaults) = defaults.filter(|_| !found.is_empty()) {
            let told = defaults.contradictions();
            found.retain(|mistake| !told.contains(mistake));
        }
        found
    }

    /// What cannot be true together: the key, and a sentence.
    fn contradictions(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.user == Some(SignedIn::None) && self.user_id.is_some() {
            let sentence = "user_id names a user although user = 'none' says that nobody is signed in";
            found.push(("user_id", sentence.to_owned()));
        }
        if self.user == Some(SignedIn::None) && self.tokens.user.is_some() {
            let sentence = "tokens.user is a user's token although user = 'none' says that nobody is signed in";
            found.push(("tokens", sentence.to_owned()));
        }
        let told = self.join.map(JoinState::is_to_entra);
        let shown = self.joined_by_dsregcmd();
        if let (Some(told), Some(shown)) = (told, shown)
            && told != shown
        {
            let (one, other) = if shown { ("YES", "no") } else { ("NO", "a") };
            let sentence = format!(
                "join says that the device has {other} join to Entra, and its dsregcmd output says AzureAdJoined {one}"
            );
            found.push(("join", sentence));
        }
        self.contradicts_its_join(&mut found);
        found
    }

    /// Ids and a join state that are others than those of the join certificate and of the `dsregcmd` output.
    fn contradicts_its_join(&self, found: &mut Vec<(&'static str, String)>) {
        let certificate = self.wpj_certificate.as_ref().and_then(Held::file).and_then(|file| {
            let certificate = Bundle::read(&[file.source()]).certificates.into_iter().next()?;
            (role(&certificate).0 == Role::WorkplaceJoin).then(|| device_identity(&certificate)).flatten()
        });
        if certificate.is_some() && matches!(self.join, Some(JoinState::Domain | JoinState::None)) {
            let sentence =
                "join says that Entra does not know the device, and wpj_certificate is a certificate of its join";
            found.push(("join", sentence.to_owned()));
        }
        let status = self.dsregcmd.as_ref().map(|output| DeviceStatus::read(&output.bytes));
        let status = |of: fn(&DeviceStatus) -> Option<String>| status.as_ref().and_then(of);
        let shown = |of: fn(&DeviceIdentity) -> Option<String>| certificate.as_ref().and_then(of);
        for (key, told, others) in [
            (
                "device_id",
                &self.device_id,
                [shown(|identity| identity.device_id.clone()), status(DeviceStatus::device_id)],
            ),
            ("tenant", &self.tenant, [shown(|identity| identity.tenant_id.clone()), status(DeviceStatus::tenant_id)]),
        ] {
            let sources = ["the join certificate", "the dsregcmd output"];
            let Some(told) = told else { continue };
            for (source, other) in sources.into_iter().zip(others) {
                if let Some(other) = other.filter(|other| !other.eq_ignore_ascii_case(told)) {
                    found.push((key, format!("{key} is {told}, and {source} says {other}")));
                }
            }
        }
    }

    /// The file of its PKI certificate.
    pub fn pki_file(&self) -> Option<&File> {
        self.pki_certificate.as_ref().and_then(Held::file)
    }

    /// The bulk registration token: its file, else what the command line has.
    pub fn registration_token(&self) -> Option<String> {
        let by_file = || Some(self.tokens.registration.as_ref()?.text().trim().to_owned());
        by_file().or_else(|| self.ccmsetup.as_ref()?.registration_token().map(str::to_owned))
    }

    /// Whether its `dsregcmd` output says that it is joined to Entra.
    pub fn joined_by_dsregcmd(&self) -> Option<bool> {
        let status = DeviceStatus::read(&self.dsregcmd.as_ref()?.bytes);
        status.flag("AzureAdJoined")
    }

    /// The same client with what it does not tell taken from the defaults of all clients.
    pub(super) fn or(self, defaults: &Self) -> Self {
        let same = defaults.clone();
        Self {
            name: self.name,
            // A client's own output says more than everybody's join state, and the other way round.
            join: self.join.or(if self.dsregcmd.is_some() { None } else { same.join }),
            dsregcmd: self.dsregcmd.or(if self.join.is_some() { None } else { same.dsregcmd }),
            wpj_certificate: self.wpj_certificate.or(same.wpj_certificate),
            device_key_ok: self.device_key_ok.or(same.device_key_ok),
            device_id: self.device_id.or(same.device_id),
            tenant: self.tenant.or(same.tenant),
            os_build: self.os_build.or(same.os_build),
            roots: self.roots.or(same.roots),
            intermediates: self.intermediates.or(same.intermediates),
            clock_offset_seconds: self.clock_offset_seconds.or(same.clock_offset_seconds),
            ccmsetup: self.ccmsetup.or(same.ccmsetup),
            pki_certificate: self.pki_certificate.or(same.pki_certificate),
            self_signed_certificate: self.self_signed_certificate.or(same.self_signed_certificate),
            user_id: self.user_id.or(if self.user.is_some() { None } else { same.user_id }),
            user: self.user.or(same.user),
            cmg_enabled: self.cmg_enabled.or(same.cmg_enabled),
            content: self.content.or(same.content),
            tokens: TokenFiles {
                device: self.tokens.device.or(same.tokens.device),
                user: self.tokens.user.or(same.tokens.user),
                site: self.tokens.site.or(same.tokens.site),
                registration: self.tokens.registration.or(same.tokens.registration),
            },
            network: Network {
                dns: self.network.dns.or(same.network.dns),
                port_443: self.network.port_443.or(same.network.port_443),
                entra: self.network.entra.or(same.network.entra),
                tls: self.network.tls.or(same.network.tls),
                inspection: self.network.inspection.or(same.network.inspection),
            },
        }
    }
}

impl TokenFiles {
    fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let tokens = Self {
            device: entry.file("device", Content::Token),
            user: entry.file("user", Content::Token),
            site: entry.file("site", Content::Token),
            registration: entry.file("registration", Content::Token),
        };
        entry.close();
        tokens
    }
}

impl Network {
    fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let network = Self {
            dns: entry.flag("dns"),
            port_443: entry.flag("port_443"),
            entra: entry.flag("entra"),
            tls: tls_versions(&mut entry),
            inspection: entry.inspection("inspection"),
        };
        let healthy = entry.flag("healthy") == Some(true);
        entry.close();
        if healthy { network.or_healthy() } else { network }
    }

    /// The same with nothing wrong in what is not told: names resolve, ports are open, nobody opens the traffic.
    #[must_use]
    pub fn or_healthy(self) -> Self {
        Self {
            dns: self.dns.or(Some(true)),
            port_443: self.port_443.or(Some(true)),
            entra: self.entra.or(Some(true)),
            tls: self.tls.or_else(|| Some(vec!["1.2".to_owned()])),
            inspection: self.inspection.or(Some(Inspection::Nobody)),
        }
    }
}
