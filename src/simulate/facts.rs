//! The facts of a simulated site: what its machines are, have and can. Faults change facts, and nothing else.

use jiff::tz::TimeZone;

use super::faults::FaultKind;
use super::pki::{Authorities, Issued, Signatures};
use super::random::Delay;
use crate::time::Micros;

/// A fact that may change once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Since<T> {
    first: T,
    then: Option<(Micros, T)>,
}

impl<T> Since<T> {
    pub const fn always(first: T) -> Self {
        Self { first, then: None }
    }

    /// The fact at a time (true UTC).
    pub fn at(&self, at: Micros) -> &T {
        match &self.then {
            Some((from, then)) if *from <= at => then,
            _ => &self.first,
        }
    }

    /// The fact in the end.
    pub fn last(&self) -> &T {
        self.then.as_ref().map_or(&self.first, |(_, then)| then)
    }

    /// Changes the fact from a time on; from the start where there is none.
    pub fn change(&mut self, from: Option<Micros>, to: T) {
        match from {
            Some(from) => self.then = Some((from, to)),
            None => *self = Self::always(to),
        }
    }
}

/// A machine and its clock.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// Its folder, `client-PC042`.
    pub folder: String,
    pub host: String,
    pub zone: TimeZone,
    /// Microseconds that its clock is ahead of true UTC.
    pub offset: Micros,
}

/// An Entra tenant.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    pub id: String,
    pub onboarded: bool,
}

/// What the CMG presents.
#[derive(Debug, Clone)]
pub(super) struct Presented {
    /// The leaf first, then what stands above it without the root.
    pub chain: Vec<Issued>,
}

/// The site.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct SiteFacts {
    pub code: String,
    pub organisation: String,
    pub domain: String,
    pub version: String,
    pub hierarchy: String,
    pub product: String,
    pub package: String,
    pub tenants: Vec<Tenant>,
    /// Client application and server application of the site.
    pub client_app: String,
    pub resource: String,
    /// Whether Entra user discovery runs.
    pub discovers_users: bool,
    /// Whether the server application issues tokens to devices.
    pub device_tokens: bool,
    /// Whether Windows hands out Entra tokens from its cache, with only minutes to live.
    pub cached_tokens: bool,
    /// The option that clients check revocation lists of site systems.
    pub checks_lists: bool,
    /// Address of the list that the CMG's certificate names.
    pub list_url: String,
    /// Address of the list that its issuer's certificate names.
    pub root_list_url: String,
    /// Address of the list that clients' certificates name, on the organisation's network.
    pub client_list_url: String,
    /// Whether the CMG's lists can be fetched from the internet.
    pub lists_are_public: bool,
    /// Version of Configuration Manager, such as 2409.
    pub release: u32,
    /// Whether the CMG has the client's package.
    pub content_on_cmg: Since<bool>,
    /// `Will expire at` is written in local time by this version, else in UTC; the catalogue does not say which.
    pub expiry_is_local: bool,
    /// Whether `CCM_STS` writes one long line at the end, as older builds do.
    pub long_return: bool,
}

/// The gateway.
#[derive(Debug, Clone)]
pub(super) struct GatewayFacts {
    pub host: String,
    /// Another name that resolves to it and that its certificate does not carry.
    pub other_name: String,
    pub machines: Vec<Machine>,
    pub ips: Vec<String>,
    pub presents: Since<Presented>,
    /// What an inspecting firewall presents in its place.
    pub inspected: Presented,
    /// Serial numbers on the issuing authority's list.
    pub revoked: Since<bool>,
    /// Audience that it accepts tokens for.
    pub audience: Since<String>,
    /// Whether all authorities of clients' certificates were uploaded.
    pub client_authorities: Since<bool>,
    /// Whether it checks the revocation of clients' certificates, whose lists it cannot reach.
    pub checks_client_lists: Since<bool>,
}

/// The connection point.
#[derive(Debug, Clone)]
pub(super) struct ConnectorFacts {
    pub machine: Machine,
    pub ip: String,
    pub running: Since<bool>,
    pub ports_open: Since<bool>,
    pub role_certificate: Since<bool>,
    /// Its own certificates; the one for client authentication is there or not.
    pub client_certificate: Since<bool>,
    pub reaches_lists: Since<bool>,
    pub certificate: Issued,
    pub other_certificate: Issued,
}

/// A management point.
#[derive(Debug, Clone)]
pub(super) struct PointFacts {
    pub machine: Machine,
    pub ip: String,
    pub role_id: u64,
    /// HTTPS with certificates of a PKI, else enhanced HTTP.
    pub https: bool,
    pub binding_ok: Since<bool>,
    pub redirects: Since<bool>,
    pub libraries_ok: Since<bool>,
    pub compression_ok: Since<bool>,
    pub token_service: Since<bool>,
    /// Status that IIS gives for a token service that is not there: 404 or 503.
    pub token_service_status: u16,
    pub reaches_entra: Since<bool>,
}

/// How a device is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Joined,
    Hybrid,
    Registered,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub sid: String,
    pub object_id: String,
    /// Whether Entra knows the user.
    pub entra: bool,
    pub discovered: bool,
    pub hybrid: bool,
}

/// A client.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct ClientFacts {
    pub machine: Machine,
    pub ip: String,
    pub join: Join,
    pub tenant: usize,
    pub device_id: String,
    pub client_id: String,
    pub bootstrap_id: String,
    pub site_user: String,
    pub user: Option<User>,
    /// Whether it installs in the simulated time; else it has been there for long.
    pub installs: bool,
    /// Package whose content the CMG lacks, which it asks for in the place of the site's.
    pub other_package: Option<String>,
    /// It begins soon after this, where something is to be seen then.
    pub begins_after: Option<Micros>,
    /// Uses a PKI certificate in place of tokens.
    pub pki: bool,
    pub point: usize,
    /// Name of the CMG that it was told.
    pub cmg: String,
    pub build: u32,
    /// Whether its token log has the name of before version 2107.
    pub old_client: bool,
    pub names_device_tokens: bool,
    pub key_ok: Since<bool>,
    pub reaches_entra: Since<bool>,
    /// Highest TLS version, as minor number: 1.2 is 2.
    pub highest_tls: Since<u8>,
    pub trusts_root: Since<bool>,
    pub inspected: Since<bool>,
    /// `/NoCRLCheck` on ccmsetup's command line.
    pub no_list_check: bool,
    /// Client id and resource on the command line, where they are.
    pub properties: Option<(String, String)>,
    /// Remaining life of its bulk registration token, where it has one.
    pub registration_token: Option<Micros>,
    pub certificate: Issued,
    pub process: i64,
    /// Fault that hits it, and since when.
    pub fault: Option<(&'static FaultKind, Option<Micros>)>,
}

/// Delays between the machines.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Delays {
    /// Client to CMG and back, each way.
    pub client_cmg: Delay,
    /// CMG to connection point and back, each way.
    pub cmg_connector: Delay,
    /// Connection point to management point and back, each way.
    pub connector_mp: Delay,
    /// The token service's work.
    pub token_service: Delay,
    /// The management point's work on a message.
    pub message: Delay,
    /// Entra's work on a token, the client's way to it included.
    pub entra: Delay,
}

/// Everything there is.
pub(super) struct World {
    pub start: Micros,
    pub end: Micros,
    pub site: SiteFacts,
    pub gateway: GatewayFacts,
    pub connector: ConnectorFacts,
    pub points: Vec<PointFacts>,
    pub clients: Vec<ClientFacts>,
    pub authorities: Authorities,
    pub signatures: Signatures,
    pub delays: Delays,
    /// Faults of the site, and since when.
    pub site_faults: Vec<(&'static FaultKind, Option<Micros>)>,
}

impl World {
    /// When facts change, in order. Facts of clients change when those of the site do, or at the same onset.
    pub fn changes(&self) -> Vec<Micros> {
        let faults = self.site_faults.iter().copied();
        let own = self.clients.iter().filter_map(|client| client.fault);
        let mut changes: Vec<Micros> = faults.chain(own).filter_map(|(_, since)| since).collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }

    /// All machines: clients first, then gateway instances, connection point, management points.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        let clients = self.clients.iter().map(|client| &client.machine);
        let points = self.points.iter().map(|point| &point.machine);
        clients.chain(&self.gateway.machines).chain([&self.connector.machine]).chain(points)
    }

    pub fn gateway_machine(&self, instance: usize) -> usize {
        self.clients.len() + instance
    }

    pub fn connector_machine(&self) -> usize {
        self.clients.len() + self.gateway.machines.len()
    }

    pub fn point_machine(&self, point: usize) -> usize {
        self.connector_machine() + 1 + point
    }
}
