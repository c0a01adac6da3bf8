//! The site: facts that the logs only suggest, told by whoever runs it in a `site.toml` (`docs/site.md`).
//!
//! Everything is optional: what is not told is not known, and prediction says so. Paths are relative to the folder of
//! the file. All mistakes of a description are reported at once, each with its line.

mod client;
mod command_line;
mod consistent;
mod content;
mod entry;
mod file;
mod known;
mod servers;
mod torn;

use std::path::Path;

use serde::Serialize;
use toml::Spanned;
use toml::de::DeTable;

use crate::error::{Error, Result};
use crate::knowledge::Mistakes;

pub use client::{Client, Inspection, JoinState, Network, SignedIn, TokenFiles};
pub use command_line::{CcmHostName, CommandLine, LONGEST as LONGEST_COMMAND_LINE, Slip, host_and_role};
pub use file::{File, Held, Root};
pub use known::{Device, Known, User};
pub use servers::{ConnectionPoint, Gateway, GatewayState, ManagementPoint, Mode, PublishedList, Reach, TokenService};

use entry::{Entry, Reader};
use servers::several;

/// Turns a Parquet file into CSV with a header, or says why not. The engine itself reads CSV alone.
pub type ReadParquet<'a> = dyn Fn(&Path) -> std::result::Result<String, String> + 'a;

/// Facts about a site.
///
/// ```toml
/// [cmg]
/// names = ["cmg.contoso.com"]     # host names of the gateway
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Site {
    /// The site and its options.
    #[serde(rename = "site")]
    pub options: Options,
    /// Tenants onboarded for cloud management; `None`: not told.
    #[serde(rename = "tenant", skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<Tenant>>,
    /// The server (web) app in Entra, which tokens are for.
    pub server_app: ServerApp,
    /// The client (native) app in Entra, which clients ask as.
    pub client_app: ClientApp,
    /// The gateway.
    pub cmg: Gateway,
    /// Management points.
    #[serde(rename = "management_point")]
    pub management_points: Vec<ManagementPoint>,
    /// The connection point.
    pub connection_point: ConnectionPoint,
    /// What the site's database knows.
    pub known: Known,
    /// Revocation lists.
    #[serde(rename = "crl")]
    pub crls: Vec<PublishedList>,
    /// Clients.
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
}

/// The site and its options.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Options {
    /// Site code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Version of Configuration Manager, such as 2603.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// "Clients check the certificate revocation list (CRL) for site systems".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl_check: Option<bool>,
    /// Whether Entra user discovery runs and may read users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_discovery: Option<bool>,
    /// "Trusted Root Certification Authorities" of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_roots: Option<Vec<File>>,
    /// Domains that only the organisation's network knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub internal_domains: Vec<String>,
}

/// A tenant onboarded for cloud management.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its id, lower case.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The server (web) app in Entra.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ServerApp {
    /// App ID URI, such as `https://ConfigMgrService`: the audience of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_uri: Option<String>,
    /// Application id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whether it may give out device tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_tokens: Option<bool>,
}

/// The client (native) app in Entra.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClientApp {
    /// Application id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl Site {
    /// Reads a `site.toml` and the files that it names. Parquet files are refused with a hint; see [`Site::read_with`].
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a file that cannot be read as text, [`Error::Site`] with all mistakes of one that is no
    /// site description, each with its line.
    pub fn read(path: &Path) -> Result<Self> {
        let refused = |_: &Path| {
            Err("Parquet is read through Python (cmgtrail.preflight, with pyarrow or polars); give a CSV file here"
                .to_owned())
        };
        Self::read_with(path, &refused)
    }

    /// The same with something that reads Parquet.
    ///
    /// # Errors
    /// As [`Site::read`].
    pub fn read_with(path: &Path, parquet: &ReadParquet<'_>) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::unreadable(path, source))?;
        let text = text_of(&bytes)
            .map_err(|mistake| Error::Site { path: path.display().to_string(), mistakes: vec![mistake] })?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::parse(&text, folder, parquet)
            .map_err(|mistakes| Error::Site { path: path.display().to_string(), mistakes })
    }

    /// Reads a description from its text; the files that it names lie relative to `folder`.
    ///
    /// # Errors
    /// All mistakes as sentences, in order of line.
    ///
    /// ```
    /// use cmgtrail::site::Site;
    ///
    /// let mistakes = Site::parse("[cmg]\nnames = 5\ncolour = 'red'", ".".as_ref(), &|_| Err(String::new())).unwrap_err();
    /// assert_eq!(mistakes.len(), 2);
    /// assert!(mistakes[0].starts_with("line 2: cmg: names: expected a text or a list of texts, found the number 5"));
    /// ```
    pub fn parse(text: &str, folder: &Path, parquet: &ReadParquet<'_>) -> std::result::Result<Self, Vec<String>> {
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader { folder, parquet, mistakes: Mistakes::new(text) };
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.mistakes.add(at, &torn::said(text, error));
        }
        let site = Self::of(document, &mut reader);
        let mistakes = torn::once_a_line(text, reader.mistakes.into_sentences());
        if mistakes.is_empty() { Ok(site) } else { Err(mistakes) }
    }

    fn of<'t>(document: Spanned<DeTable<'t>>, reader: &mut Reader<'t, '_>) -> Self {
        let mut top = Entry::open(document, "", reader);
        let tenants = several(&mut top, "tenant", Tenant::read);
        let points = several(&mut top, "management_point", ManagementPoint::read).unwrap_or_default();
        let crls = several(&mut top, "crl", PublishedList::read).unwrap_or_default();
        let defaults = top.table("client_defaults").and_then(|entry| Client::read(entry, None)).unwrap_or_default();
        let clients = several(&mut top, "client", |entry| Client::read(entry, Some(&defaults))).unwrap_or_default();
        let (cmg, roles_at) = top.table("cmg").map(Gateway::read).unwrap_or_default();
        let site = Self {
            options: top.table("site").map(Options::read).unwrap_or_default(),
            server_app: top.table("server_app").map(ServerApp::read).unwrap_or_default(),
            client_app: top.table("client_app").map(ClientApp::read).unwrap_or_default(),
            cmg,
            connection_point: top.table("connection_point").map(ConnectionPoint::read).unwrap_or_default(),
            known: top.table("known").map(Known::read).unwrap_or_default(),
            ..Self::default()
        };
        let lists = consistent::Lists { tenants, points, crls, clients };
        consistent::check(&site, &lists, &roles_at, top.reader);
        top.close();
        Self {
            tenants: lists.tenants.map(without_places),
            management_points: without_places(lists.points),
            crls: without_places(lists.crls),
            clients: without_places(lists.clients),
            ..site
        }
    }

    /// The description as TOML, as [`Site::read`] reads it. Files stand in it by their paths.
    ///
    /// # Errors
    /// [`Error::Argument`] where it cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::Argument {
            argument: "site".to_owned(),
            expected: "a site that TOML can hold".to_owned(),
            found: error.to_string(),
        })
    }

    /// The client of this name.
    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name.eq_ignore_ascii_case(name))
    }

    /// The management point of this name, or of the first label of it.
    pub fn management_point(&self, name: &str) -> Option<&ManagementPoint> {
        self.management_points.iter().find(|point| point.name.eq_ignore_ascii_case(name))
    }

    /// The management point that has this role id on the gateway.
    pub fn management_point_of_role(&self, role_id: u64) -> Option<&ManagementPoint> {
        let (name, _) = self.cmg.roles.iter().find(|(_, id)| **id == role_id)?;
        self.management_point(name)
    }

    /// The role id of a management point on the gateway.
    pub fn role_id(&self, management_point: &str) -> Option<u64> {
        let mut roles = self.cmg.roles.iter();
        roles.find(|(name, _)| name.eq_ignore_ascii_case(management_point)).map(|(_, id)| *id)
    }
}

/// The text of a description: UTF-16 with its mark, as Windows PowerShell redirects output, else UTF-8.
fn text_of(bytes: &[u8]) -> std::result::Result<std::borrow::Cow<'_, str>, String> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return Ok(encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0);
    }
    std::str::from_utf8(bytes).map(Into::into).map_err(|error| {
        let line = memchr::memchr_iter(b'\n', bytes.get(..error.valid_up_to()).unwrap_or_default()).count() + 1;
        format!("line {line}: it is not UTF-8 text; save the file as UTF-8")
    })
}

fn without_places<T>(placed: Vec<(usize, T)>) -> Vec<T> {
    placed.into_iter().map(|(_, value)| value).collect()
}

impl Options {
    fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let options = Self {
            code: site_code(&mut entry),
            version: version(&mut entry),
            crl_check: entry.flag("crl_check"),
            user_discovery: entry.flag("user_discovery"),
            trusted_roots: entry.files("trusted_roots"),
            internal_domains: entry.texts("internal_domains").unwrap_or_default(),
        };
        entry.close();
        options
    }
}

/// A site code has three letters or digits.
fn site_code(entry: &mut Entry<'_, '_, '_>) -> Option<String> {
    let code = entry.text("code")?;
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        entry.mistake("code", &format!("code: expected three letters or digits, such as 'PS1', found '{code}'"));
    }
    Some(code)
}

/// A version of the current branch is the year and month of its release; the first was 1511.
fn version(entry: &mut Entry<'_, '_, '_>) -> Option<u32> {
    const EXPECTED: &str = "a version such as 2603, year and month of its release";
    let version: u32 = entry.value("version", EXPECTED)?;
    if !(1_511..10_000).contains(&version) || !(1..=12).contains(&(version % 100)) {
        entry.mistake("version", &format!("version: expected {EXPECTED}, found {version}"));
    }
    Some(version)
}

impl Tenant {
    fn read(mut entry: Entry<'_, '_, '_>) -> Option<Self> {
        let id = entry.required_guid("id");
        let name = entry.text("name");
        entry.close();
        Some(Self { id: id?, name })
    }
}

impl ServerApp {
    fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let app = Self {
            resource_uri: entry.text("resource_uri"),
            client_id: entry.guid("client_id"),
            device_tokens: entry.flag("device_tokens"),
        };
        entry.close();
        app
    }
}

impl ClientApp {
    fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let app = Self { client_id: entry.guid("client_id") };
        entry.close();
        app
    }
}
