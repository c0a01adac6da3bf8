//! Faults: each changes the facts that are its cause, for those it hits. What follows from them, the actors find out.

use rcgen::ExtendedKeyUsagePurpose;

use super::facts::{ClientFacts, Join, Presented, User, World};
use super::faults::{Fault, Scope, Shows};
use super::pki::{Issued, Leaf};
use super::random::Random;
use super::{DAY, MINUTE, Plan, SECOND};
use crate::error::{Error, Result};
use crate::time::Micros;

/// Faults of management points; a site with one of them has a single point.
const OF_POINTS: [&str; 9] = [
    "token-clock-skew",
    "connector-client-certificate-missing",
    "connector-chain-revocation-offline",
    "mp-binding-wrong",
    "mp-redirect-on-sts",
    "sts-library-mismatch",
    "mp-compression-scheme-broken",
    "sts-not-running",
    "mp-cannot-reach-entra",
];

pub(super) fn is_of_points(id: &str) -> bool {
    OF_POINTS.contains(&id)
}

/// Puts the plan's faults into the world.
pub(super) fn inject(plan: &Plan, world: &mut World, random: &mut Random) -> Result<()> {
    let mut free: Vec<usize> = (0..world.clients.len()).collect();
    for fault in &plan.faults {
        // Within the first third, so that there is a time before and time enough after.
        let onset = world.start + random.between(10, 33) * (world.end - world.start) / 100;
        match fault.kind.scope {
            Scope::Site => into_site(fault, world, onset, &mut free, random)?,
            Scope::Client => {
                let count = fault.clients(world.clients.len());
                if count > free.len() {
                    return Err(Error::Argument {
                        argument: "fault".to_owned(),
                        expected: "no more clients hit by faults than there are".to_owned(),
                        found: format!(
                            "{}={count} with {} of {} clients left",
                            fault.kind.id,
                            free.len(),
                            world.clients.len()
                        ),
                    });
                }
                prepare_site(fault.kind.id, world, random);
                for _ in 0..count {
                    let client = free.swap_remove(random.below(free.len()));
                    into_client(fault, world, client, onset, random)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes a client show what it is to show, and returns since when the fault holds for it.
fn prepare(client: &mut ClientFacts, shows: Shows, onset: Micros) -> Option<Micros> {
    client.pki = shows == Shows::Pki;
    match shows {
        Shows::Installing => client.installs = true,
        Shows::Installed | Shows::Pki => client.installs = false,
        Shows::Either => {}
    }
    (!client.installs).then_some(onset)
}

/// What a fault of some clients needs of the site.
fn prepare_site(id: &str, world: &mut World, random: &mut Random) {
    match id {
        // Nobody gets the lists from the internet. Who says /NoCRLCheck does not need them, and the site asks for none.
        "crl-unreachable" => {
            (world.site.lists_are_public, world.site.checks_lists) = (false, false);
            world.clients.iter_mut().for_each(|client| client.no_list_check = true);
        }
        // Without device tokens everybody depends on the user's.
        "no-entra-user-signed-in" | "user-not-discovered" => {
            world.site.device_tokens = false;
            sign_everybody_in(world, random);
        }
        _ => {}
    }
}

fn sign_everybody_in(world: &mut World, random: &mut Random) {
    for client in &mut world.clients {
        client.user.get_or_insert_with(|| some_user(random));
    }
}

/// A user whom Entra and the site know.
pub(super) fn some_user(random: &mut Random) -> User {
    User {
        sid: format!("S-1-12-1-{}-{}-{}-{}", random.between(1 << 20, 1 << 31), random.between(1 << 20, 1 << 31), 7, 9),
        object_id: random.guid(),
        entra: true,
        discovered: true,
        hybrid: false,
    }
}

fn into_client(fault: &Fault, world: &mut World, number: usize, onset: Micros, random: &mut Random) -> Result<()> {
    let years = random.between(2, 4) * 365 * DAY;
    let (other_name, app) = (world.gateway.other_name.clone(), world.site.client_app.clone());
    let stale = format!("{}-{}", world.site.resource, random.pick(&["old", "test", "2019", "dev"]));
    let expired = match fault.kind.id {
        "client-certificate-expired" => Some(expired_certificate(world, number, random)?),
        _ => None,
    };
    let stranger = world.site.tenants.iter().position(|tenant| !tenant.onboarded).unwrap_or_default();
    let Some(client) = world.clients.get_mut(number) else { return Ok(()) };
    let since = prepare(client, fault.kind.shows, onset);
    client.fault = Some((fault.kind, since));
    if let Some(expired) = expired {
        client.certificate = expired;
    }
    match fault.kind.id {
        "cmg-root-ca-missing" => client.trusts_root.change(since, false),
        "crl-unreachable" => client.no_list_check = false,
        "cmg-name-mismatch" => client.cmg = other_name,
        "client-clock-wrong" => client.machine.offset += if random.chance(0.3) { years } else { -years },
        "tls-interception" => client.inspected.change(since, true),
        "tls-no-common-version" => client.highest_tls.change(since, 1),
        "wpj-certificate-missing" => client.join = Join::Registered,
        "tenant-not-onboarded" => {
            client.tenant = stranger;
            client.properties = None;
        }
        "os-too-old-for-device-token" => {
            (client.build, client.old_client, client.user) = (random.pick(&[15_063, 16_299]), true, None);
        }
        "wam-key-failure" => {
            client.key_ok.change(since, false);
            client.user = None;
        }
        "no-entra-user-signed-in" => client.user.iter_mut().for_each(|user| user.entra = false),
        "wrong-resource-uri" => client.properties = Some((app, stale)),
        "entra-unreachable" => client.reaches_entra.change(since, false),
        "site-token-expired" => client.registration_token = Some(-random.between(1, 90) * DAY),
        "user-not-discovered" => client.user.iter_mut().for_each(|user| user.discovered = false),
        _ => {}
    }
    Ok(())
}

/// A client's own certificate that ended days ago.
pub(super) fn expired_certificate(world: &World, number: usize, random: &mut Random) -> Result<Issued> {
    let host = world.clients.get(number).map(|client| client.machine.host.clone()).unwrap_or_default();
    let leaf = Leaf {
        name: &host,
        hosts: &[],
        usage: ExtendedKeyUsagePurpose::ClientAuth,
        from: world.start - 400 * DAY,
        to: world.start - random.between(1, 30) * DAY,
        list: None,
    };
    world.authorities.clients.issue(&leaf, random)
}

/// Some client that no other fault has hit and that will show this one.
fn witness(fault: &Fault, world: &mut World, free: &mut Vec<usize>, onset: Micros, random: &mut Random) {
    if free.is_empty() {
        return;
    }
    let number = free.swap_remove(random.below(free.len()));
    let Some(client) = world.clients.get_mut(number) else { return };
    prepare(client, if fault.kind.shows == Shows::Either { Shows::Installing } else { fault.kind.shows }, onset);
    client.begins_after = Some(onset);
    if fault.kind.id == "device-token-not-enabled" {
        client.user = None;
    }
}

/// Faults that are older than the simulated time.
const OLD: [&str; 4] =
    ["device-token-not-enabled", "token-clock-skew", "content-not-on-cmg", "crl-check-restored-after-bootstrap"];

fn into_site(
    fault: &Fault,
    world: &mut World,
    onset: Micros,
    free: &mut Vec<usize>,
    random: &mut Random,
) -> Result<()> {
    witness(fault, world, free, onset, random);
    change_site(fault, world, (!OLD.contains(&fault.kind.id)).then_some(onset), random)
}

fn change_site(fault: &Fault, world: &mut World, since: Option<Micros>, random: &mut Random) -> Result<()> {
    world.site_faults.push((fault.kind, since));
    match fault.kind.id {
        "device-token-not-enabled" => world.site.device_tokens = false,
        "token-audience-or-issuer-refused" => {
            let other = format!("{}.{}", world.site.resource, random.between(2, 9));
            world.gateway.audience.change(since, other);
            // The CMG itself still tells clients the old application.
            world.clients.iter_mut().for_each(|client| client.properties = None);
        }
        "token-clock-skew" => {
            world.site.cached_tokens = true;
            let ahead = random.between(22, 28) * MINUTE + random.between(0, 59) * SECOND;
            world.points.iter_mut().for_each(|point| point.machine.offset += ahead);
        }
        // Everybody comes in with /NoCRLCheck, and the site's own option waits for them.
        "crl-check-restored-after-bootstrap" => {
            (world.site.lists_are_public, world.site.checks_lists) = (false, true);
            for client in &mut world.clients {
                (client.no_list_check, client.installs, client.pki) = (true, true, false);
            }
        }
        "client-chain-incomplete-on-cmg" => world.gateway.client_authorities.change(since, false),
        "client-revocation-misconfigured" => world.gateway.checks_client_lists.change(since, true),
        "content-not-on-cmg" => world.site.content_on_cmg.change(since, false),
        id if id.starts_with("cmg-certificate-") => into_certificate(id, world, since.unwrap_or(world.start), random)?,
        id if id.starts_with("connector-") => into_connector(id, world, since),
        id => into_points(id, world, since),
    }
    Ok(())
}

fn into_connector(id: &str, world: &mut World, since: Option<Micros>) {
    let connector = &mut world.connector;
    match id {
        "connector-ports-blocked" => connector.ports_open.change(since, false),
        "connector-role-certificate-missing" => connector.role_certificate.change(since, false),
        "connector-down" => connector.running.change(since, false),
        "connector-client-certificate-missing" => connector.client_certificate.change(since, false),
        _ => connector.reaches_lists.change(since, false),
    }
    if id == "connector-chain-revocation-offline" {
        // The site's option decides for its own systems, too.
        world.site.checks_lists = true;
    }
    // A management point asks the connection point for a certificate only where it speaks HTTPS.
    let asks = is_of_points(id);
    world.points.iter_mut().for_each(|point| point.https |= asks);
}

fn into_points(id: &str, world: &mut World, since: Option<Micros>) {
    for point in &mut world.points {
        match id {
            "mp-binding-wrong" => point.binding_ok.change(since, false),
            "mp-redirect-on-sts" => point.redirects.change(since, true),
            "sts-library-mismatch" => point.libraries_ok.change(since, false),
            "mp-compression-scheme-broken" => point.compression_ok.change(since, false),
            "sts-not-running" => point.token_service.change(since, false),
            _ => point.reaches_entra.change(since, false),
        }
    }
    if id == "mp-cannot-reach-entra" {
        // The first version whose management points ask Entra.
        world.site.release = 2603;
    }
}

/// Another certificate for the gateway, or news of the one that it has.
fn into_certificate(id: &str, world: &mut World, onset: Micros, random: &mut Random) -> Result<()> {
    let host = world.gateway.host.clone();
    let expires = id == "cmg-certificate-expired";
    let leaf = Leaf {
        name: &host,
        hosts: &[host.as_str()],
        usage: match id {
            "cmg-certificate-wrong-usage" => ExtendedKeyUsagePurpose::ClientAuth,
            _ => ExtendedKeyUsagePurpose::ServerAuth,
        },
        from: onset - 200 * DAY,
        to: if expires { onset } else { onset + 300 * DAY },
        list: Some(&world.site.list_url),
    };
    let issued = world.authorities.issuing.issue(&leaf, random)?;
    let now = world.gateway.presents.last().clone();
    let with = |leaf| {
        let chain = std::iter::once(leaf).chain(now.chain.iter().skip(1).cloned()).collect();
        Presented { chain }
    };
    match id {
        "cmg-certificate-expired" => world.gateway.presents.change(None, with(issued)),
        "cmg-certificate-wrong-usage" => world.gateway.presents.change(Some(onset), with(issued)),
        "cmg-certificate-damaged" => world.gateway.presents.change(Some(onset), with(issued.damaged())),
        _ => {
            world.gateway.revoked.change(Some(onset), true);
            world.site.checks_lists = true;
            world.clients.iter_mut().for_each(|client| client.no_list_check = false);
        }
    }
    Ok(())
}
