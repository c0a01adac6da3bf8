//! The machines on the site's side: gateway, management points, connection point.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::entry::{Entry, Reader};
use super::file::{File, Held, Root};
use crate::certs::{Bundle, Certificate};

/// The gateway: one CMG service, under one name or several.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Gateway {
    /// Host names.
    pub names: Vec<String>,
    /// The chain that it presents, the leaf first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Vec<File>>,
    /// Where that chain ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// The management certificate of a classic deployment. Clients never see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_certificate: Option<File>,
    /// Whether the service runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<GatewayState>,
    /// Whether it answers from a state that it had before it, or the connection point, was rebuilt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<bool>,
    /// TLS versions that it accepts: "1.0" to "1.3".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Vec<String>>,
    /// Authorities uploaded to it, whose client certificates it trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cas: Option<Vec<File>>,
    /// The option "Verify client certificate revocation".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_client_revocation: Option<bool>,
    /// Ids of packages whose content it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<String>>,
    /// Seconds that its clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
    /// Role id of each management point on it, by the management point's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, u64>,
}

/// Whether the gateway runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayState {
    /// It runs.
    Running,
    /// Somebody stopped it.
    Stopped,
    /// It stopped itself at the threshold of outbound traffic.
    StoppedByTrafficLimit,
}

impl Gateway {
    /// True for one of its names.
    pub fn has_name(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.names.iter().any(|name| name.trim_end_matches('.').eq_ignore_ascii_case(host))
    }

    /// The gateway, and the byte at which each of its roles stands.
    pub(super) fn read(mut entry: Entry<'_, '_, '_>) -> (Self, Vec<(String, usize)>) {
        let mut places = Vec::new();
        let mut gateway = Self {
            names: entry.hosts("names").unwrap_or_default(),
            certificate: entry.files("certificate"),
            root: entry.root("root"),
            management_certificate: entry.file("management_certificate", Content::Certificates),
            state: entry.value("state", "'running', 'stopped' or 'stopped-by-traffic-limit'"),
            stale: entry.flag("stale"),
            tls: tls_versions(&mut entry),
            client_cas: entry.files("client_cas"),
            verify_client_revocation: entry.flag("verify_client_revocation"),
            content: entry.texts("content"),
            clock_offset_seconds: entry.seconds("clock_offset_seconds"),
            roles: BTreeMap::new(),
        };
        if let Some(mut roles) = entry.table("roles") {
            let expected = "a role id such as 72057594037927941";
            for (name, at, id) in roles.named::<u64>(expected) {
                places.push((name.clone(), at));
                gateway.roles.insert(name, id);
            }
        }
        gateway.contradictions(&mut entry);
        entry.close();
        (gateway, places)
    }

    /// What cannot be true of its certificates.
    fn contradictions(&self, entry: &mut Entry<'_, '_, '_>) {
        let chain = certificates(self.certificate.iter().flatten());
        let leaf = chain.first();
        if let Some((file, first)) = leaf
            && first.is_ca()
            && first.dns_names().next().is_none()
        {
            let sentence = format!(
                "certificate: the first certificate, in '{file}', is an authority; name the CMG's own first, then those \
                 above it"
            );
            entry.mistake("certificate", &sentence);
        }
        let Some(Root::Private(file)) = &self.root else { return };
        let path = &file.path;
        let Some((_, root)) = certificates([file]).into_iter().next() else { return };
        if !root.is_self_issued() {
            let issuer = root.issuer.display();
            entry.mistake("root", &format!("root: '{path}' is no root; it was issued by '{issuer}'"));
            return;
        }
        let own = chain.iter().find(|(_, one)| one.is_self_issued() && one.is_ca());
        if let Some((other, _)) = own.filter(|(_, one)| one.der != root.der) {
            entry
                .mistake("root", &format!("root: '{path}' is not the root that ends the chain, which is in '{other}'"));
        }
    }
}

/// All certificates of files, each with the path of its file.
fn certificates<'f>(files: impl IntoIterator<Item = &'f File>) -> Vec<(String, Certificate)> {
    let of_file = |file: &'f File| {
        let read = Bundle::read(&[file.source()]).certificates;
        read.into_iter().map(|certificate| (file.path.clone(), certificate))
    };
    files.into_iter().flat_map(of_file).collect()
}

/// A list of TLS versions.
pub(super) fn tls_versions(entry: &mut Entry<'_, '_, '_>) -> Option<Vec<String>> {
    let versions = entry.placed_texts("tls")?;
    if versions.is_empty() {
        entry.mistake("tls", "tls: the list names no version; leave the key out where they are not known");
    }
    for (at, version) in &versions {
        if !["1.0", "1.1", "1.2", "1.3"].contains(&version.as_str()) {
            entry.mistake_at(*at, &format!("tls: expected '1.0', '1.1', '1.2' or '1.3', found '{version}'"));
        }
    }
    Some(versions.into_iter().map(|(_, version)| version).collect())
}

/// How a management point is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Plain HTTP: no Entra authentication.
    Http,
    /// HTTP, with a certificate of the site beside it.
    EnhancedHttp,
    /// HTTPS with certificates of a PKI.
    Https,
}

/// The security token service of a management point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenService {
    /// It runs.
    Running,
    /// Its application pool is stopped.
    Stopped,
    /// It is not there: ASP.NET 4.5 is missing.
    NotInstalled,
}

/// A management point.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ManagementPoint {
    /// Its host name.
    pub name: String,
    /// How it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The option "Allow Configuration Manager cloud management gateway traffic".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmg_traffic: Option<bool>,
    /// Whether it answers at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Whether its Default Web Site redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<bool>,
    /// Its token service (`CCM_STS`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_service: Option<TokenService>,
    /// Whether the libraries of the token service are of the site's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_libraries_ok: Option<bool>,
    /// False where IIS has a compression scheme whose library is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_ok: Option<bool>,
    /// Whether the certificate bound to its port 443 fits its mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding_ok: Option<bool>,
    /// Whether it, as Local System, reaches Entra.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches_entra: Option<bool>,
    /// Seconds that its clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
    /// Roots of client certificates that it trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roots: Option<Vec<File>>,
}

impl ManagementPoint {
    pub(super) fn read(mut entry: Entry<'_, '_, '_>) -> Option<Self> {
        let name = entry.required("name");
        if let Some(name) = &name {
            entry.name = format!("management_point '{name}'");
        }
        let point = Self {
            name: name.clone().unwrap_or_default(),
            mode: entry.value("mode", "'http', 'enhanced-http' or 'https'"),
            cmg_traffic: entry.flag("cmg_traffic"),
            running: entry.flag("running"),
            redirect: entry.flag("redirect"),
            token_service: entry.value("token_service", "'running', 'stopped' or 'not-installed'"),
            token_libraries_ok: entry.flag("token_libraries_ok"),
            compression_ok: entry.flag("compression_ok"),
            binding_ok: entry.flag("binding_ok"),
            reaches_entra: entry.flag("reaches_entra"),
            clock_offset_seconds: entry.seconds("clock_offset_seconds"),
            roots: entry.files("roots"),
        };
        let healthy = entry.flag("healthy") == Some(true);
        entry.close();
        name.map(|_| if healthy { point.or_healthy() } else { point })
    }

    /// The same with nothing wrong in what is not told: what an administrator who looked at it says in one word.
    #[must_use]
    pub fn or_healthy(self) -> Self {
        Self {
            running: self.running.or(Some(true)),
            redirect: self.redirect.or(Some(false)),
            token_service: self.token_service.or(Some(TokenService::Running)),
            token_libraries_ok: self.token_libraries_ok.or(Some(true)),
            compression_ok: self.compression_ok.or(Some(true)),
            binding_ok: self.binding_ok.or(Some(true)),
            reaches_entra: self.reaches_entra.or(Some(true)),
            ..self
        }
    }
}

/// The connection point: holds the channel to the gateway, and talks to the management points in its stead.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ConnectionPoint {
    /// Its host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether its service runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Whether the ports to the gateway are open: 10140 to 10155, or 443 (10124 to 10139 with two instances or more).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports_open: Option<bool>,
    /// Whether it has the site's role certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_certificate: Option<bool>,
    /// The client authentication certificate that it shows to an HTTPS management point, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<Held>,
    /// Authorities between that certificate and its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediates: Option<Vec<File>>,
    /// Whether it reaches the revocation lists of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches_crls: Option<bool>,
    /// Seconds that its clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
}

impl ConnectionPoint {
    pub(super) fn read(mut entry: Entry<'_, '_, '_>) -> Self {
        let point = Self {
            name: entry.text("name"),
            running: entry.flag("running"),
            ports_open: entry.flag("ports_open"),
            role_certificate: entry.flag("role_certificate"),
            client_certificate: entry.held("client_certificate"),
            intermediates: entry.files("intermediates"),
            reaches_crls: entry.flag("reaches_crls"),
            clock_offset_seconds: entry.seconds("clock_offset_seconds"),
        };
        let healthy = entry.flag("healthy") == Some(true);
        entry.close();
        if healthy { point.or_healthy() } else { point }
    }

    /// The same with nothing wrong in what is not told, its certificate left out: that is a matter of files.
    #[must_use]
    pub fn or_healthy(self) -> Self {
        Self {
            running: self.running.or(Some(true)),
            ports_open: self.ports_open.or(Some(true)),
            role_certificate: self.role_certificate.or(Some(true)),
            reaches_crls: self.reaches_crls.or(Some(true)),
            ..self
        }
    }
}

/// From where an address can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// From everywhere.
    Internet,
    /// On the organisation's network alone.
    Intranet,
    /// From nowhere.
    Nowhere,
}

/// A revocation list where it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedList {
    /// Its address, as certificates name it.
    pub url: String,
    /// What is published there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// From where it can be fetched.
    #[serde(rename = "from", skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
}

impl PublishedList {
    pub(super) fn read(mut entry: Entry<'_, '_, '_>) -> Option<Self> {
        let url = entry.required("url");
        if let Some(url) = &url {
            entry.name = format!("crl '{url}'");
            if !url.contains("://") {
                let expected = "an address such as 'http://crl.contoso.com/root.crl', as certificates name it";
                entry.mistake("url", &format!("url: expected {expected}, found '{url}'"));
            }
        }
        let list = Self {
            url: url.clone().unwrap_or_default(),
            file: entry.file("file", Content::RevocationList),
            reach: entry.value("from", "'internet', 'intranet' or 'nowhere'"),
        };
        entry.close();
        url.map(|_| list)
    }
}

/// The tables of `[[key]]`, each read by `read`, with the byte at which each begins.
pub(super) fn several<'t, 'a, T>(
    top: &mut Entry<'_, 't, 'a>,
    key: &'static str,
    read: impl Fn(Entry<'_, 't, 'a>) -> Option<T>,
) -> Option<Vec<(usize, T)>> {
    let tables = top.tables(key)?;
    let reader: &mut Reader<'t, 'a> = top.reader;
    let read_one = |table: toml::Spanned<toml::de::DeTable<'t>>| {
        let start = table.span().start;
        Some((start, read(Entry::open(table, key, reader))?))
    };
    Some(tables.into_iter().filter_map(read_one).collect())
}
