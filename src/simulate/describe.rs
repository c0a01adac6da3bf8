//! The simulated site as a site description: what its machines decide by, and what `site.toml` says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::facts::{ClientFacts, Join, World};
use super::pki::{Issued, to_pem};
use crate::site::{
    Client, ClientApp, CommandLine, ConnectionPoint, File, Gateway, GatewayState, Held, Inspection, JoinState, Known,
    ManagementPoint, Mode, Network, Options, PublishedList, Reach, Root, ServerApp, SignedIn, Site, Tenant,
    TokenService, User,
};
use crate::time::Micros;

/// A file of the site, by its path in the output folder.
fn pem(path: impl Into<String>, certificates: &[&Issued]) -> File {
    let text: String = certificates.iter().map(|certificate| to_pem("CERTIFICATE", &certificate.der)).collect();
    File::new(path, text.into_bytes())
}

/// A chain that is presented, a file for each certificate.
fn chain(shown: &[Issued], folder: &str) -> Vec<File> {
    let name = |place: usize| if place == 0 { "cmg".to_owned() } else { format!("ca-{place}") };
    shown.iter().enumerate().map(|(place, shown)| pem(format!("{folder}/{}.pem", name(place)), &[shown])).collect()
}

/// Files of revocation lists, in the order of [`lists`].
pub(super) const LIST_FILES: [&str; 3] = ["crls/issuing.crl", "crls/root.crl", "crls/clients.crl"];

impl World {
    /// The name of a management point as the network knows it.
    pub fn point_name(&self, point: usize) -> String {
        let host = self.points.get(point).map(|point| point.machine.host.to_lowercase()).unwrap_or_default();
        format!("{host}.{}", self.site.domain)
    }

    /// The root of what the CMG presents, as a file.
    pub fn root_file(&self) -> File {
        pem("certificates/root.pem", &[&self.authorities.root.as_issued()])
    }

    /// The site at a time; `lists` are the revocation lists as they are then. Clients are not in it.
    pub fn describe(&self, at: Micros, lists: [&[u8]; 3]) -> Site {
        let site = &self.site;
        let reach = |public: bool| Some(if public { Reach::Internet } else { Reach::Intranet });
        let urls = [&site.list_url, &site.root_list_url, &site.client_list_url];
        let public = [site.lists_are_public, site.lists_are_public, false];
        let crls = urls.into_iter().zip(lists).zip(LIST_FILES).zip(public).map(|(((url, bytes), path), public)| {
            PublishedList { url: url.clone(), file: Some(File::new(path, bytes.to_vec())), reach: reach(public) }
        });
        Site {
            options: Options {
                code: Some(site.code.clone()),
                version: Some(site.release),
                crl_check: Some(site.checks_lists),
                user_discovery: Some(site.discovers_users),
                trusted_roots: None,
                internal_domains: Vec::new(),
            },
            tenants: Some(
                site.tenants
                    .iter()
                    .filter(|tenant| tenant.onboarded)
                    .map(|tenant| Tenant { id: tenant.id.clone(), name: None })
                    .collect(),
            ),
            server_app: ServerApp {
                resource_uri: Some(self.gateway.audience.at(at).clone()),
                client_id: None,
                device_tokens: Some(site.device_tokens),
            },
            client_app: ClientApp { client_id: Some(site.client_app.clone()) },
            cmg: self.describe_gateway(at),
            management_points: (0..self.points.len()).filter_map(|point| self.describe_point(point, at)).collect(),
            connection_point: self.describe_connector(at),
            known: Known { devices: None, users: Some(self.discovered_users()) },
            crls: crls.collect(),
            clients: Vec::new(),
        }
    }

    fn discovered_users(&self) -> Vec<User> {
        let users = self.clients.iter().filter_map(|client| client.user.as_ref()).filter(|user| user.discovered);
        users
            .map(|user| User { id: user.object_id.clone(), name: None, sid: user.hybrid.then(|| user.sid.clone()) })
            .collect()
    }

    fn describe_gateway(&self, at: Micros) -> Gateway {
        let gateway = &self.gateway;
        let root = self.root_file();
        let clients = pem("certificates/clients.pem", &[&self.authorities.clients.as_issued()]);
        let complete = *gateway.client_authorities.at(at);
        let told: BTreeSet<&String> = self.clients.iter().map(|client| &client.cmg).collect();
        let others = told.into_iter().filter(|name| **name != gateway.host);
        Gateway {
            names: std::iter::once(&gateway.host).chain(others).cloned().collect(),
            certificate: Some(chain(&gateway.presents.at(at).chain, "certificates")),
            root: Some(Root::Private(root.clone())),
            state: Some(GatewayState::Running),
            tls: Some(vec!["1.2".to_owned(), "1.3".to_owned()]),
            client_cas: Some(if complete { vec![root, clients] } else { vec![root] }),
            verify_client_revocation: Some(*gateway.checks_client_lists.at(at)),
            content: Some(if *self.site.content_on_cmg.at(at) { vec![self.site.package.clone()] } else { Vec::new() }),
            clock_offset_seconds: gateway.machines.first().map(|machine| seconds(machine.offset)),
            roles: (0..self.points.len())
                .filter_map(|point| Some((self.point_name(point), self.points.get(point)?.role_id)))
                .collect(),
            ..Gateway::default()
        }
    }

    fn describe_point(&self, number: usize, at: Micros) -> Option<ManagementPoint> {
        let point = self.points.get(number)?;
        let service = match (point.token_service.at(at), point.token_service_status) {
            (true, _) => TokenService::Running,
            (false, 404) => TokenService::NotInstalled,
            (false, _) => TokenService::Stopped,
        };
        Some(ManagementPoint {
            name: self.point_name(number),
            mode: Some(if point.https { Mode::Https } else { Mode::EnhancedHttp }),
            cmg_traffic: Some(true),
            running: Some(true),
            redirect: Some(*point.redirects.at(at)),
            token_service: Some(service),
            token_libraries_ok: Some(*point.libraries_ok.at(at)),
            compression_ok: Some(*point.compression_ok.at(at)),
            binding_ok: Some(*point.binding_ok.at(at)),
            reaches_entra: Some(*point.reaches_entra.at(at)),
            clock_offset_seconds: Some(seconds(point.machine.offset)),
            roots: Some(vec![self.root_file()]),
        })
    }

    fn describe_connector(&self, at: Micros) -> ConnectionPoint {
        let connector = &self.connector;
        let issuing = self.authorities.issuing.as_issued();
        let folder = &connector.machine.folder;
        let certificate = match connector.client_certificate.at(at) {
            true => Held::File(pem(format!("{folder}/certificates/connection-point.pem"), &[&connector.certificate])),
            false => Held::Nothing,
        };
        ConnectionPoint {
            name: Some(format!("{}.{}", connector.machine.host.to_lowercase(), self.site.domain)),
            running: Some(*connector.running.at(at)),
            ports_open: Some(*connector.ports_open.at(at)),
            role_certificate: Some(*connector.role_certificate.at(at)),
            client_certificate: Some(certificate),
            intermediates: Some(vec![pem("certificates/issuing.pem", &[&issuing])]),
            reaches_crls: Some(*connector.reaches_lists.at(at)),
            clock_offset_seconds: Some(seconds(connector.machine.offset)),
        }
    }

    /// The package that a client asks for.
    pub fn package_of<'a>(&'a self, client: &'a ClientFacts) -> &'a String {
        client.other_package.as_ref().unwrap_or(&self.site.package)
    }

    /// The roots in a client's store.
    pub fn store(&self, client: &ClientFacts, at: Micros) -> File {
        let (public, root) = (self.authorities.public.as_issued(), self.authorities.root.as_issued());
        let path = format!("{}/stores/root.pem", client.machine.folder);
        if *client.trusts_root.at(at) { pem(path, &[&public, &root]) } else { pem(path, &[&public]) }
    }

    /// A client at a time.
    pub fn describe_client(&self, client: &ClientFacts, at: Micros) -> Client {
        let folder = &client.machine.folder;
        let user = client.user.as_ref();
        let own = pem(format!("{folder}/own-certificate.pem"), &[&client.certificate]);
        let tls = if *client.highest_tls.at(at) < 2 { ["1.0", "1.1"] } else { ["1.2", "1.3"] };
        let inspection = match client.inspected.at(at) {
            true => Inspection::Shows(chain(&self.gateway.inspected.chain, &format!("{folder}/presented"))),
            false => Inspection::Nobody,
        };
        Client {
            name: client.machine.host.clone(),
            join: Some(match client.join {
                Join::Joined => JoinState::Entra,
                Join::Hybrid => JoinState::Hybrid,
                Join::Registered => JoinState::Registered,
            }),
            device_key_ok: Some(*client.key_ok.at(at)),
            device_id: Some(client.device_id.clone()),
            tenant: self.site.tenants.get(client.tenant).map(|tenant| tenant.id.clone()),
            os_build: Some(client.build),
            roots: Some(vec![self.store(client, at)]),
            clock_offset_seconds: Some(seconds(client.machine.offset)),
            ccmsetup: Some(CommandLine::parse(&self.command_line(client))),
            pki_certificate: Some(if client.pki { Held::File(own.clone()) } else { Held::Nothing }),
            self_signed_certificate: (!client.pki).then_some(own),
            user: Some(match user {
                None => SignedIn::None,
                Some(user) if !user.entra => SignedIn::Local,
                Some(user) if user.hybrid => SignedIn::Hybrid,
                Some(_) => SignedIn::Entra,
            }),
            user_id: user.filter(|user| user.entra).map(|user| user.object_id.clone()),
            cmg_enabled: Some(true),
            content: client.installs.then(|| vec![self.package_of(client).clone()]),
            network: Network {
                dns: Some(true),
                port_443: Some(true),
                entra: Some(*client.reaches_entra.at(at)),
                tls: Some(tls.map(str::to_owned).to_vec()),
                inspection: Some(inspection),
            },
            ..Client::default()
        }
    }

    /// ccmsetup's command line. It is in `site.toml` and in no log: its line is not in the log catalogue.
    fn command_line(&self, client: &ClientFacts) -> String {
        let role = self.points.get(client.point).map_or(0, |point| point.role_id);
        let mut line = format!(
            "ccmsetup.exe CCMHOSTNAME={}/CCM_Proxy_MutualAuth/{role} SMSSITECODE={}",
            client.cmg, self.site.code
        );
        if client.no_list_check {
            line.push_str(" /NoCRLCheck");
        }
        if let Some((app, resource)) = &client.properties {
            let _ = write!(line, " AADCLIENTAPPID={app} AADRESOURCEURI={resource}");
        }
        line
    }
}

#[allow(clippy::cast_precision_loss)] // microseconds of a clock's error are far below 2^53
pub(super) fn seconds(offset: Micros) -> f64 {
    offset as f64 / 1e6
}
