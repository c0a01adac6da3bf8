//! A site description taken over: its names, ids and options, and what in it does not work.
//!
//! Certificates are made anew, for a description has no private keys; what it says of trust is kept as a fact.

use super::facts::{ClientFacts, ConnectorFacts, Join, PointFacts, SiteFacts, Tenant, World};
use super::faults::{self, Fault, FaultKind, Share};
use super::inject;
use super::random::Random;
use crate::certs::Bundle;
use crate::error::{Error, Result};
use crate::site::{
    Client, File, GatewayState, Inspection, JoinState, ManagementPoint, Mode, Reach, Root, SignedIn, Site, TokenService,
};

/// Seconds beyond which a client's clock is wrong and not merely off.
const WRONG: f64 = 86_400.0;

/// What is told and cannot be simulated, since no log of it is documented.
///
/// # Errors
/// [`Error::Argument`] that names all of it.
pub(super) fn check(told: &Site) -> Result<()> {
    let mut cannot = of_servers(told);
    let mut client = |name: &str, what: &str| cannot.push(format!("'{name}', {what}"));
    for one in &told.clients {
        if one.registration_token().is_some() {
            client(&one.name, "which registers with a registration token");
        }
        if one.network.dns == Some(false) {
            client(&one.name, "which cannot resolve the CMG's name");
        }
        if one.network.port_443 == Some(false) {
            client(&one.name, "which does not reach the CMG's port 443");
        }
        if one.cmg_enabled == Some(false) {
            client(&one.name, "whose client settings turn the CMG off");
        }
    }
    if cannot.is_empty() {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "site".to_owned(),
        expected: "a site whose logs are documented".to_owned(),
        found: cannot.join("; "),
    })
}

/// What is told of servers and cannot be simulated.
fn of_servers(told: &Site) -> Vec<String> {
    let mut cannot = Vec::new();
    if let Some(GatewayState::Stopped | GatewayState::StoppedByTrafficLimit) = told.cmg.state {
        cannot.push("a CMG that is stopped".to_owned());
    }
    if told.cmg.stale == Some(true) {
        cannot.push("a CMG that answers from a state of before a rebuild (stale)".to_owned());
    }
    let points = &told.management_points;
    if !points.is_empty() && points.iter().all(|point| point.cmg_traffic == Some(false)) {
        cannot.push("a site of which no management point allows CMG traffic".to_owned());
    }
    for point in points.iter().filter(|point| serves(point)) {
        if point.mode == Some(Mode::Http) {
            cannot.push(format!("'{}', a management point in HTTP mode that allows CMG traffic", point.name));
        }
        if point.running == Some(false) {
            cannot.push(format!("'{}', a management point that does not run", point.name));
        }
    }
    cannot
}

/// Whether clients of the CMG may come to a management point.
fn serves(point: &ManagementPoint) -> bool {
    point.cmg_traffic != Some(false)
}

/// The site's own facts.
pub(super) fn site(facts: &mut SiteFacts, told: &Site) {
    let set = |to: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            to.clone_from(value);
        }
    };
    set(&mut facts.code, &told.options.code);
    set(&mut facts.resource, &told.server_app.resource_uri);
    set(&mut facts.client_app, &told.client_app.client_id);
    facts.release = told.options.version.unwrap_or(facts.release);
    facts.lists_are_public = told.crls.iter().all(|list| list.reach.is_none_or(|reach| reach == Reach::Internet));
    facts.checks_lists = told.options.crl_check.unwrap_or(facts.checks_lists);
    facts.discovers_users = told.options.user_discovery.unwrap_or(facts.discovers_users);
    facts.device_tokens = told.server_app.device_tokens.unwrap_or(facts.device_tokens);
    if let Some((_, domain)) = told.cmg.names.first().and_then(|name| name.split_once('.')) {
        domain.clone_into(&mut facts.domain);
    }
    if let Some(tenant) = told.tenants.iter().flatten().next() {
        let stranger = facts.tenants.pop();
        facts.tenants = std::iter::once(Tenant { id: tenant.id.clone(), onboarded: true }).chain(stranger).collect();
    }
}

/// The gateway's name; before its certificate is made.
pub(super) fn gateway_name(told: &Site) -> Option<String> {
    told.cmg.names.first().map(|name| name.to_ascii_lowercase())
}

/// The management points, with names and role ids as told.
pub(super) fn points(points: &mut Vec<PointFacts>, told: &Site) {
    let Some(first) = points.first().cloned().filter(|_| !told.management_points.is_empty()) else { return };
    let next = |place: usize| first.role_id + u64::try_from(place).unwrap_or_default();
    let of = |(place, told_point): (usize, &ManagementPoint)| {
        let mut point = points.get(place).cloned().unwrap_or_else(|| first.clone());
        point.machine.host = told_point.name.split('.').next().unwrap_or_default().to_uppercase();
        point.machine.folder = format!("mp-{}", point.machine.host);
        point.role_id = told.role_id(&told_point.name).unwrap_or_else(|| next(place));
        point.https = told_point.mode == Some(Mode::Https);
        point
    };
    *points = told.management_points.iter().filter(|point| serves(point)).enumerate().map(of).collect();
}

/// The connection point's name.
pub(super) fn connector(connector: &mut ConnectorFacts, told: &Site) {
    let Some(name) = &told.connection_point.name else { return };
    let role = if connector.machine.folder.starts_with("cp-") { "cp" } else { "connection-point" };
    connector.machine.host = name.split('.').next().unwrap_or_default().to_uppercase();
    connector.machine.folder = format!("{role}-{}", connector.machine.host);
}

/// Names and facts of clients, in their order; then whatever is told not to work.
pub(super) fn clients(world: &mut World, told: &Site, random: &mut Random) -> Result<()> {
    for (facts, client) in world.clients.iter_mut().zip(&told.clients) {
        facts.machine.host.clone_from(&client.name);
        facts.machine.folder = format!("client-{}", client.name);
        facts.build = client.os_build.unwrap_or(facts.build);
        if let Some(id) = &client.device_id {
            facts.device_id.clone_from(id);
        }
        sign_in(facts, told, client, random);
        facts.join = match client.join {
            Some(JoinState::Entra) => Join::Joined,
            Some(JoinState::Hybrid) => Join::Hybrid,
            Some(_) => Join::Registered,
            None => facts.join,
        };
        facts.pki = client.pki_file().is_some();
        // How ccmsetup goes on with a certificate is not documented: such a client has been there for long.
        facts.installs = (facts.installs || client.ccmsetup.is_some()) && !facts.pki;
        if let Some(line) = &client.ccmsetup {
            facts.no_list_check = line.no_crl_check();
            facts.properties = line.client_app().map(str::to_owned).zip(line.resource_uri().map(str::to_owned));
        }
    }
    for id in of_site(told) {
        if let Some(kind) = faults::all().find(|kind| kind.id == id) {
            inject::from_the_start(&Fault { kind, share: Share::Usual }, world, random)?;
        }
    }
    for (number, client) in told.clients.iter().enumerate().take(world.clients.len()) {
        if let Some(kind) = of_client(told, client) {
            let start = world.start;
            inject::into_client(&Fault { kind, share: Share::Usual }, world, number, start, random)?;
        }
    }
    Ok(())
}

/// Who is signed in, and whether the site's database knows the user.
fn sign_in(facts: &mut ClientFacts, told: &Site, client: &Client, random: &mut Random) {
    match client.user {
        None => {}
        Some(SignedIn::None) => facts.user = None,
        Some(signed_in) => {
            let user = facts.user.get_or_insert_with(|| inject::some_user(random));
            user.entra = signed_in != SignedIn::Local;
            user.hybrid = signed_in == SignedIn::Hybrid;
        }
    }
    let Some(user) = &mut facts.user else { return };
    if let Some(id) = &client.user_id {
        user.object_id.clone_from(id);
    }
    user.discovered = match &told.known.users {
        Some(known) => client.user_id.is_none() && !known.is_empty() || told.known.user(&user.object_id).is_some(),
        None => told.options.user_discovery != Some(false),
    };
}

/// Faults of the site that the description tells.
fn of_site(told: &Site) -> Vec<&'static str> {
    let (connector, no) = (&told.connection_point, Some(false));
    let point = |what: fn(&ManagementPoint) -> bool| told.management_points.iter().any(what);
    let facts = [
        (told.server_app.device_tokens == no, "device-token-not-enabled"),
        (connector.running == no, "connector-down"),
        (connector.ports_open == no, "connector-ports-blocked"),
        (connector.role_certificate == no, "connector-role-certificate-missing"),
        (point(|point| point.redirect == Some(true)), "mp-redirect-on-sts"),
        (point(|point| point.binding_ok == Some(false)), "mp-binding-wrong"),
        (point(|point| point.token_libraries_ok == Some(false)), "sts-library-mismatch"),
        (point(|point| point.compression_ok == Some(false)), "mp-compression-scheme-broken"),
        (point(|point| point.reaches_entra == Some(false)), "mp-cannot-reach-entra"),
        (
            point(|point| matches!(point.token_service, Some(TokenService::Stopped | TokenService::NotInstalled))),
            "sts-not-running",
        ),
    ];
    facts.into_iter().filter(|(broken, _)| *broken).map(|(_, id)| id).collect()
}

/// The fault of a client that the description tells, if it tells one.
fn of_client(told: &Site, client: &Client) -> Option<&'static FaultKind> {
    let onboarded = |id: &String| told.tenants.iter().flatten().any(|tenant| tenant.id == *id);
    let stranger = told.tenants.is_some() && client.tenant.as_ref().is_some_and(|id| !onboarded(id));
    let old_tls = client.network.tls.as_ref().is_some_and(|tls| !tls.iter().any(|tls| tls == "1.2" || tls == "1.3"));
    let wrong_resource =
        client.ccmsetup.as_ref().and_then(|line| line.resource_uri()).zip(told.server_app.resource_uri.as_deref());
    let facts = [
        (client.join.is_some_and(|join| !join.is_to_entra()) && client.pki_file().is_none(), "wpj-certificate-missing"),
        (stranger, "tenant-not-onboarded"),
        (client.device_key_ok == Some(false), "wam-key-failure"),
        (client.network.entra == Some(false), "entra-unreachable"),
        (old_tls, "tls-no-common-version"),
        (matches!(client.network.inspection, Some(Inspection::Shows(_))), "tls-interception"),
        (lacks_root(told, client.roots.as_deref()), "cmg-root-ca-missing"),
        (client.clock_offset_seconds.is_some_and(|offset| offset.abs() > WRONG), "client-clock-wrong"),
        (wrong_resource.is_some_and(|(asked, right)| asked != right), "wrong-resource-uri"),
    ];
    let id = facts.into_iter().find(|(broken, _)| *broken).map(|(_, id)| id)?;
    faults::all().find(|kind| kind.id == id)
}

/// Whether a store that is told lacks the root of the CMG's certificate.
fn lacks_root(told: &Site, store: Option<&[File]>) -> bool {
    let (Some(store), Some(Root::Private(root))) = (store, &told.cmg.root) else { return false };
    let hashes = |files: &[File]| {
        let sources: Vec<_> = files.iter().map(File::source).collect();
        Bundle::read(&sources).certificates.iter().map(crate::certs::Certificate::sha256).collect::<Vec<_>>()
    };
    let held = hashes(store);
    hashes(std::slice::from_ref(root)).iter().any(|root| !held.contains(root))
}
