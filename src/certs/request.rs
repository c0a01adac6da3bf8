//! What a chain is validated against.

use std::sync::Arc;

use serde::Serialize;

use super::bundle::Source;
use super::rules::Profile;
use crate::time::Micros;

/// What the certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A server shows it to its clients.
    #[default]
    Server,
    /// A client shows it to a server.
    Client,
}

/// Where the client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// On the internet, where CMG clients are.
    #[default]
    Internet,
    /// On the organisation's network.
    Intranet,
}

/// Which certificates are checked for revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Revocation {
    /// None: `/NoCRLCheck`, or the site's option switched off.
    Off,
    /// The leaf alone.
    Leaf,
    /// All but the root.
    Chain,
}

/// A revocation list, or the news that it could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlSource {
    /// What to call it.
    pub name: Arc<str>,
    /// Where it is published, if that is known.
    pub url: Option<String>,
    /// Its bytes, PEM or DER; `None` where the client could not fetch it.
    pub bytes: Option<Vec<u8>>,
}

impl CrlSource {
    /// A list at hand.
    pub fn fetched(name: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), url: None, bytes: Some(bytes.into()) }
    }

    /// A list that the client could not fetch from `url`.
    pub fn unreachable(url: impl Into<String>) -> Self {
        let url = url.into();
        Self { name: url.as_str().into(), url: Some(url), bytes: None }
    }
}

/// A chain and what it is validated against.
#[derive(Debug, Clone)]
pub struct ChainRequest {
    /// Certificates as sent, in their order: the leaf first.
    pub presented: Vec<Source>,
    /// Certificates that may help to build a path: the client's intermediate store, downloads.
    pub intermediates: Vec<Source>,
    /// The client's root store. Empty means that it is not known, unless `roots_known` says that it is.
    pub roots: Vec<Source>,
    /// True where `roots` is the whole store although it is empty.
    pub roots_known: bool,
    /// The client's disallowed store.
    pub disallowed: Vec<Source>,
    /// Revocation lists.
    pub crls: Vec<CrlSource>,
    /// Host that the client connects to: a domain name or an address. `None`: names are not checked.
    pub host: Option<String>,
    /// What the certificate is for.
    pub purpose: Purpose,
    /// The instant of validation, microseconds of Unix time: that of the log line, never "now".
    pub at: Micros,
    /// Whose rules decide.
    pub profile: Profile,
    /// Where the client stands.
    pub vantage: Vantage,
    /// Domains that only the organisation's network knows, such as `contoso.local`.
    pub internal_suffixes: Vec<String>,
    /// What is checked for revocation; `None`: the chain where lists are given, else nothing.
    pub revocation: Option<Revocation>,
    /// How many intermediates there may be at most, self-issued ones not counted.
    pub max_depth: Option<usize>,
    /// Whether Windows may fetch a known public root that its store lacks.
    pub root_update: bool,
}

impl ChainRequest {
    /// A request at this instant (microseconds of Unix time), with everything else at its default: profile `windows`,
    /// a server's certificate, seen from the internet.
    pub fn new(presented: Vec<Source>, roots: Vec<Source>, at: Micros) -> Self {
        Self {
            presented,
            intermediates: Vec::new(),
            roots,
            roots_known: false,
            disallowed: Vec::new(),
            crls: Vec::new(),
            host: None,
            purpose: Purpose::Server,
            at,
            profile: Profile::Windows,
            vantage: Vantage::Internet,
            internal_suffixes: Vec::new(),
            revocation: None,
            max_depth: None,
            root_update: true,
        }
    }

    /// Whether the client's root store is known.
    pub const fn store_is_known(&self) -> bool {
        self.roots_known || !self.roots.is_empty()
    }

    /// What is checked for revocation in the end.
    pub fn effective_revocation(&self) -> Revocation {
        match self.revocation {
            Some(revocation) => revocation,
            None if self.crls.is_empty() => Revocation::Off,
            None => Revocation::Chain,
        }
    }
}
