//! A site description taken over: its names, ids, options and clocks, and what in it does not work.
//!
//! Certificates are made anew, for a description has no private keys: with the names and the dates that are told. What
//! stores, lists and chains come to is what a prediction says of them.

use rcgen::ExtendedKeyUsagePurpose;

use super::SECOND;
use super::facts::{ClientFacts, ConnectorFacts, Join, PointFacts, Presented, SiteFacts, Tenant, World};
use super::faults::{self, Scope};
use super::foreseen::{Foreseen, uses_certificate};
use super::inject;
use super::pki::Leaf;
use super::random::Random;
use crate::certs::Bundle;
use crate::error::Result;
use crate::site::{Client, File, Held, JoinState, ManagementPoint, Mode, SignedIn, Site, TokenService};
use crate::time::Micros;
use crate::workflow::{Phase, Question, connection_point, entra, management_point};

/// What stops clients where revocation lists are out of their reach.
const OF_LISTS: [&str; 2] = ["crl-unreachable", "crl-check-restored-after-bootstrap"];

/// Whether clients of the CMG may come to a management point, and find one of which logs are documented.
fn serves(point: &ManagementPoint) -> bool {
    point.cmg_traffic != Some(false) && point.mode != Some(Mode::Http) && point.running != Some(false)
}

/// Seconds as a clock's offset.
#[allow(clippy::cast_possible_truncation)] // a site's clocks are within 20 years of the right time
fn offset(seconds: f64) -> Micros {
    (seconds * 1e6) as Micros
}

/// The site's own facts.
pub(super) fn site(facts: &mut SiteFacts, told: &Site, foreseen: &Foreseen<'_>) {
    let set = |to: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            to.clone_from(value);
        }
    };
    set(&mut facts.code, &told.options.code);
    set(&mut facts.resource, &told.server_app.resource_uri);
    set(&mut facts.client_app, &told.client_app.client_id);
    facts.release = told.options.version.unwrap_or(facts.release);
    facts.lists_are_public = !foreseen.any(&OF_LISTS);
    // What is not told stops nobody of whom it is not known, but where the connection point is to be stopped by it.
    let asked = foreseen.any(&["connector-chain-revocation-offline"]);
    let untold = asked || facts.checks_lists && facts.lists_are_public;
    facts.checks_lists = told.options.crl_check.unwrap_or(untold);
    facts.discovers_users = told.options.user_discovery.unwrap_or(facts.discovers_users);
    facts.device_tokens = told.server_app.device_tokens.unwrap_or(facts.device_tokens);
    if let Some(content) = &told.cmg.content {
        facts.package = content.first().unwrap_or(&facts.package).clone();
        facts.content_on_cmg.change(None, !content.is_empty());
    }
    let mut names = told.management_points.iter().map(|point| &point.name).chain(&told.cmg.names);
    if let Some((_, domain)) = names.find_map(|name| name.split_once('.')) {
        domain.clone_into(&mut facts.domain);
    }
    if let Some(tenants) = told.tenants.as_ref().filter(|tenants| !tenants.is_empty()) {
        let onboarded = tenants.iter().map(|tenant| Tenant { id: tenant.id.clone(), onboarded: true });
        facts.tenants = onboarded.chain(facts.tenants.pop()).collect();
    }
}

/// The gateway's name; before its certificate is made.
pub(super) fn gateway_name(told: &Site) -> Option<String> {
    told.cmg.names.first().map(|name| name.to_ascii_lowercase())
}

/// The gateway's clock and options, and its certificate with the names and dates of the one that is told.
pub(super) fn gateway(world: &mut World, told: &Site, foreseen: &Foreseen<'_>, random: &mut Random) -> Result<()> {
    let gateway = &mut world.gateway;
    let stops = |failure| foreseen.any_stopped_by(failure);
    for machine in &mut gateway.machines {
        machine.offset = told.cmg.clock_offset_seconds.map_or(machine.offset, offset);
    }
    gateway.client_authorities.change(None, !stops("client-chain-incomplete-on-cmg"));
    gateway.checks_client_lists.change(None, stops("client-revocation-misconfigured"));
    gateway.revoked.change(None, stops("cmg-certificate-revoked"));
    let sources: Vec<_> = told.cmg.certificate.iter().flatten().map(File::source).collect();
    let chain = Bundle::read(&sources).certificates;
    let Some(leaf) = chain.first() else { return Ok(()) };
    let hosts: Vec<&str> = leaf.dns_names().collect();
    let own = Leaf {
        name: hosts.first().copied().unwrap_or(&gateway.host),
        hosts: &hosts,
        usage: if stops("cmg-certificate-wrong-usage") {
            ExtendedKeyUsagePurpose::ClientAuth
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        },
        // A chain holds as long as all of it does.
        from: chain.iter().map(|one| one.not_before).max().unwrap_or_default() * SECOND,
        to: chain.iter().map(|one| one.not_after).min().unwrap_or_default() * SECOND,
        list: Some(&world.site.list_url),
    };
    let issued = world.authorities.issuing.issue(&own, random)?;
    let issued = if stops("cmg-certificate-damaged") { issued.damaged() } else { issued };
    let above = gateway.presents.last().chain.iter().skip(1).cloned();
    let chain = std::iter::once(issued).chain(above).collect();
    gateway.presents.change(None, Presented { chain });
    Ok(())
}

/// The management points, with names, role ids and what is wrong with each as told.
pub(super) fn points(points: &mut Vec<PointFacts>, told: &Site) {
    let Some(first) = points.first().cloned().filter(|_| told.management_points.iter().any(serves)) else { return };
    let next = |place: usize| first.role_id + u64::try_from(place).unwrap_or_default();
    let of = |(place, told_point): (usize, &ManagementPoint)| {
        let beyond = || PointFacts { ip: format!("10.31.0.{}", 4 + place % 250), ..first.clone() };
        let mut point = points.get(place).cloned().unwrap_or_else(beyond);
        point.machine.host = told_point.name.split('.').next().unwrap_or_default().to_uppercase();
        point.machine.folder = format!("mp-{}", point.machine.host);
        point.machine.offset = told_point.clock_offset_seconds.map_or(point.machine.offset, offset);
        point.role_id = told.role_id(&told_point.name).unwrap_or_else(|| next(place));
        point.https = told_point.mode == Some(Mode::Https);
        point.binding_ok.change(None, told_point.binding_ok != Some(false));
        point.redirects.change(None, told_point.redirect == Some(true));
        point.libraries_ok.change(None, told_point.token_libraries_ok != Some(false));
        point.compression_ok.change(None, told_point.compression_ok != Some(false));
        point.reaches_entra.change(None, told_point.reaches_entra != Some(false));
        point.token_service.change(None, matches!(told_point.token_service, None | Some(TokenService::Running)));
        match told_point.token_service {
            Some(TokenService::NotInstalled) => point.token_service_status = 404,
            Some(TokenService::Stopped) => point.token_service_status = 503,
            _ => {}
        }
        point
    };
    *points = told.management_points.iter().filter(|point| serves(point)).enumerate().map(of).collect();
}

/// The connection point: its name, its clock, and what is wrong with it.
pub(super) fn connector(connector: &mut ConnectorFacts, told: &Site, foreseen: &Foreseen<'_>) {
    let point = &told.connection_point;
    connector.machine.offset = point.clock_offset_seconds.map_or(connector.machine.offset, offset);
    connector.running.change(None, point.running != Some(false));
    connector.ports_open.change(None, point.ports_open != Some(false));
    connector.role_certificate.change(None, point.role_certificate != Some(false));
    let lacks = foreseen.any_stopped_by("connector-client-certificate-missing");
    connector.client_certificate.change(None, !lacks && point.client_certificate != Some(Held::Nothing));
    connector.reaches_lists.change(None, !foreseen.any_stopped_by("connector-chain-revocation-offline"));
    let Some(name) = &point.name else { return };
    let role = if connector.machine.folder.starts_with("cp-") { "cp" } else { "connection-point" };
    connector.machine.host = name.split('.').next().unwrap_or_default().to_uppercase();
    connector.machine.folder = format!("{role}-{}", connector.machine.host);
}

/// Names and facts of clients, in their order; then whatever is told not to work.
pub(super) fn clients(world: &mut World, told: &Site, foreseen: &Foreseen<'_>, random: &mut Random) -> Result<()> {
    let of_site = foreseen.failures().into_iter().filter_map(faults::kind).filter(|kind| kind.scope == Scope::Site);
    world.site_faults.extend(of_site.map(|kind| (kind, None)));
    for (number, client) in told.clients.iter().enumerate().take(world.clients.len()) {
        let own: Vec<(Phase, &str)> = foreseen.causes(number).map(|(phase, cause)| (phase, cause.failure)).collect();
        let stops = |id: &str| own.iter().any(|(_, own)| *own == id);
        let expired = stops("client-certificate-expired");
        let expired = expired.then(|| inject::expired_certificate(world, number, random)).transpose()?;
        let (start, place) = (world.start, point_of(world, told, client));
        let World { clients, site, .. } = world;
        let Some(facts) = clients.get_mut(number) else { break };
        facts.certificate = expired.unwrap_or_else(|| facts.certificate.clone());
        facts.point = place.unwrap_or(facts.point);
        facts.tenant = tenant_of(site, told, client);
        of_device(facts, client);
        sign_in(facts, told, client, random);
        command_line(facts, site, &Question { site: told, client, at: start, phase: Phase::Bootstrap }, &stops);
        // How ccmsetup goes on with a certificate is not documented: such a client has been there for long.
        facts.pki = uses_certificate(told, client, start);
        let is_seen_installing = own.iter().any(|(phase, _)| *phase == Phase::Bootstrap);
        facts.installs = (facts.installs || client.ccmsetup.is_some() || is_seen_installing) && !facts.pki;
        for (_, id) in &own {
            afflict(facts, id);
        }
        if stops("content-not-on-cmg") {
            let lacks = |id: &&String| !told.cmg.content.iter().flatten().any(|held| held.eq_ignore_ascii_case(id));
            facts.other_package = client.content.iter().flatten().find(lacks).cloned();
        }
        let of_client = own.iter().filter_map(|(_, id)| faults::kind(id)).find(|kind| kind.scope == Scope::Client);
        facts.fault = of_client.map(|kind| (kind, None));
    }
    // Nothing is told to stop the others.
    let lists_are_public = world.site.lists_are_public;
    for facts in world.clients.iter_mut().skip(told.clients.len()) {
        facts.no_list_check |= !lists_are_public;
    }
    Ok(())
}

/// What is told of a device: its name, its clock, its join.
fn of_device(facts: &mut ClientFacts, client: &Client) {
    facts.machine.host.clone_from(&client.name);
    facts.machine.folder = format!("client-{}", client.name);
    facts.machine.offset = client.clock_offset_seconds.map_or(facts.machine.offset, offset);
    facts.build = client.os_build.unwrap_or(facts.build);
    facts.device_id = entra::device_id_of(client).unwrap_or_else(|| facts.device_id.clone());
    facts.join = match client.join {
        Some(JoinState::Entra) => Join::Joined,
        Some(JoinState::Hybrid) => Join::Hybrid,
        Some(_) => Join::Registered,
        None => facts.join,
    };
}

/// What ccmsetup's command line says; `stops` tells what stops the client. Of a line that is not told nothing follows.
fn command_line(facts: &mut ClientFacts, site: &SiteFacts, question: &Question<'_>, stops: &dyn Fn(&str) -> bool) {
    let mut named = question.targets().into_iter().map(|target| target.host);
    if let Some(host) = named.find(|host| question.site.cmg.has_name(host)) {
        facts.cmg = host;
    }
    let Some(line) = question.command() else {
        (facts.no_list_check, facts.properties) = (!site.lists_are_public && !stops("crl-unreachable"), None);
        return;
    };
    facts.no_list_check = line.no_crl_check();
    let (app, resource) = (line.client_app(), line.resource_uri());
    let or_own = |told: Option<&str>, own: &String| told.map_or_else(|| own.clone(), str::to_owned);
    facts.properties = if stops("wrong-resource-uri") {
        Some((or_own(app, &site.client_app), or_own(resource, &site.resource)))
    } else {
        // What differs in nothing that matters is the site's own.
        app.and(resource).map(|_| (site.client_app.clone(), site.resource.clone()))
    };
}

/// The place of a client's tenant, which is added where nobody has named it.
fn tenant_of(site: &mut SiteFacts, told: &Site, client: &Client) -> usize {
    let Some(id) = entra::tenant_of(client) else { return 0 };
    let known = site.tenants.iter().position(|tenant| tenant.id.eq_ignore_ascii_case(&id));
    known.unwrap_or_else(|| {
        site.tenants.push(Tenant { id, onboarded: told.tenants.is_none() });
        site.tenants.len() - 1
    })
}

/// The place of the management point that answers a client: that of its command line, else the first that does its work.
fn point_of(world: &World, told: &Site, client: &Client) -> Option<usize> {
    let question = Question { site: told, client, at: world.start, phase: Phase::Bootstrap };
    let with_certificate = uses_certificate(told, client, world.start);
    let phase = if with_certificate { Phase::AfterRefresh } else { Phase::Bootstrap };
    let offered = Question { phase, ..question }.management_points();
    let works = |point: &&&ManagementPoint| {
        let forward = connection_point::forward(told, point, world.start);
        let (web, service) = (management_point::web_server(point), management_point::token_service(point));
        let all = forward.and(web).and(service).and(management_point::entra(point, told.options.version));
        all.causes.is_empty()
    };
    let chosen = offered.iter().find(works).or(offered.first())?;
    let mut serving = told.management_points.iter().filter(|point| serves(point));
    serving.position(|point| point.name == chosen.name)
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

/// Makes true what stops a client and what only its files told, or its network.
fn afflict(client: &mut ClientFacts, failure: &str) {
    match failure {
        "cmg-root-ca-missing" => client.trusts_root.change(None, false),
        "tls-interception" => client.inspected.change(None, true),
        "tls-no-common-version" => client.highest_tls.change(None, 1),
        "wpj-certificate-missing" => client.join = Join::Registered,
        "wam-key-failure" => client.key_ok.change(None, false),
        "entra-unreachable" => client.reaches_entra.change(None, false),
        "os-too-old-for-device-token" => client.old_client = true,
        _ => {}
    }
}
