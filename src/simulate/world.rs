//! A random site and its clients, from a seed.

use jiff::tz::TimeZone;
use rcgen::ExtendedKeyUsagePurpose;

use super::facts::{
    ClientFacts, ConnectorFacts, Delays, GatewayFacts, Join, Machine, PointFacts, Presented, Since, SiteFacts, Tenant,
    User, World,
};
use super::foreseen::{Foreseen, Unfit};
use super::pki::{Authorities, Leaf, Signatures};
use super::random::{Delay, Random};
use super::{DAY, HOUR, MINUTE, Plan, SECOND, adopt, inject};
use crate::error::{Error, Result};
use crate::time::Micros;

/// The first role id of a management point on a CMG is 2^56 and a small number (log catalogue, section 2.4).
const FIRST_ROLE: u64 = 1 << 56;

const COMPANIES: [&str; 24] = [
    "adventureworks",
    "alpineski",
    "bellows",
    "blueyonder",
    "cohowinery",
    "consolidated",
    "contoso",
    "datum",
    "fabrikam",
    "firstup",
    "fourthcoffee",
    "graphicdesign",
    "humongous",
    "lamna",
    "litware",
    "lucerne",
    "margies",
    "northwind",
    "proseware",
    "relecloud",
    "tailspin",
    "vanarsdel",
    "wingtip",
    "woodgrove",
];

const ENDINGS: [&str; 7] = ["com", "net", "org", "example", "co.uk", "de", "edu"];

/// Zones with whole, half and quarter hours, with daylight saving and without, on both sides of Greenwich.
const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Singapore",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Africa/Johannesburg",
];

const VERSIONS: [&str; 5] = ["5.00.9088.1025", "5.00.9106.1022", "5.00.9122.1018", "5.00.9128.1024", "5.00.9132.1023"];

/// Ways in which organisations name their computers.
const NAMES: [&str; 5] = ["PC", "LAP-", "DESKTOP-", "W11-", "NB"];

fn zone(name: &str) -> TimeZone {
    // All names above are in the bundled database, which a test holds.
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn machine(role: &str, host: &str, zone_name: &str, offset: Micros) -> Machine {
    Machine { folder: format!("{role}-{host}"), host: host.to_owned(), zone: zone(zone_name), offset }
}

/// A clock that is off by up to so much, in whole milliseconds.
fn offset(plan: &Plan, random: &mut Random) -> Micros {
    let most = i64::from(plan.skew_seconds) * 1_000;
    random.between(-most, most) * 1_000
}

/// Midnight of some day from 2024 to 2027, and some hour of it.
fn some_start(random: &mut Random) -> Micros {
    const FIRST: Micros = 1_704_067_200 * SECOND;
    FIRST + random.between(0, 3 * 365) * DAY + random.between(0, 23) * HOUR
}

/// A private address in a network of its own for each purpose.
fn address(net: usize, random: &mut Random) -> String {
    format!("10.{net}.{}.{}", random.between(1, 250), random.between(4, 250))
}

/// Why there is no world of a plan.
pub(super) enum Stop {
    /// An error.
    Error(Error),
    /// Its description cannot be simulated as it is.
    Unfit(Unfit),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Unfit {
    fn stops(self) -> std::result::Result<(), Stop> {
        if self.is_empty() { Ok(()) } else { Err(Stop::Unfit(self)) }
    }
}

impl World {
    /// A site and its clients, with the plan's faults in them.
    pub fn random(plan: &Plan) -> std::result::Result<Self, Stop> {
        let random = Random::new(plan.seed);
        let start = plan.start.unwrap_or_else(|| some_start(&mut random.fork("start", 0)));
        let end = start + plan.duration();
        let mut site = site(&mut random.fork("site", 0));
        let foreseen = plan.site.as_ref().map(|told| Foreseen::of(told, start, plan.clients));
        if let (Some(told), Some(foreseen)) = (&plan.site, &foreseen) {
            foreseen.undocumented().stops()?;
            adopt::site(&mut site, told, foreseen);
        }
        let mut of_pki = random.fork("pki", 0);
        let inspector = format!("{} Web Filter CA", of_pki.pick(&["Perimeter", "Outbound", "Secure Access", "Edge"]));
        let authorities = Authorities::new(&site.organisation, &inspector, &site.root_list_url, start, &mut of_pki)?;
        let zone = random.fork("zone", 0).pick(&ZONES);
        let name = plan.site.as_ref().and_then(adopt::gateway_name);
        let gateway = gateway(&site, &authorities, (start, end), name, &mut random.fork("gateway", 0))?;
        let connector = connector(plan, &site, &authorities, zone, start, &mut random.fork("connector", 0))?;
        let points = points(plan, &site, zone, &mut random.fork("points", 0));
        let mut world = Self {
            start,
            end,
            signatures: Signatures::new(&mut of_pki)?,
            delays: delays(&mut random.fork("delays", 0)),
            site,
            gateway,
            connector,
            points,
            clients: Vec::new(),
            authorities,
            site_faults: Vec::new(),
        };
        let told = plan.site.as_ref().zip(foreseen.as_ref());
        if let Some((told, foreseen)) = told {
            adopt::points(&mut world.points, told);
            adopt::connector(&mut world.connector, told, foreseen);
            adopt::gateway(&mut world, told, foreseen, &mut random.fork("told certificate", 0))?;
        }
        let style = random.fork("names", 0).pick(&NAMES);
        for number in 0..plan.clients {
            let client = client(plan, &world, (style, number, zone), &mut random.fork("client", number))?;
            world.clients.push(client);
        }
        if let Some((told, foreseen)) = told {
            adopt::clients(&mut world, told, foreseen, &mut random.fork("told", 0))?;
            foreseen.differences(&world)?.stops()?;
        }
        inject::inject(plan, &mut world, &mut random.fork("faults", 0))?;
        Ok(world)
    }
}

fn site(random: &mut Random) -> SiteFacts {
    let company = random.pick(&COMPANIES);
    let organisation =
        format!("{}{}", company.get(..1).unwrap_or_default().to_uppercase(), company.get(1..).unwrap_or_default());
    let domain = match random.below(3) {
        0 => format!("{company}.{}", random.pick(&ENDINGS)),
        1 => format!("{company}{}.{}", random.between(2, 99), random.pick(&ENDINGS)),
        _ => format!("corp.{company}.{}", random.pick(&ENDINGS)),
    };
    let code: String = (0..3).map(|_| char::from(b'A' + u8::try_from(random.below(26)).unwrap_or_default())).collect();
    let tenant = random.guid();
    let resource = match random.below(3) {
        0 => "https://ConfigMgrService".to_owned(),
        1 => format!("https://ConfigMgrService.{}", code.to_lowercase()),
        _ => format!("api://{tenant}/{}", random.guid()),
    };
    SiteFacts {
        client_list_url: format!("http://pki-int.{domain}/{}.crl", random.hex(6).to_lowercase()),
        lists_are_public: true,
        release: random.pick(&[2303, 2309, 2403, 2409, 2503, 2509, 2603]),
        root_list_url: format!("http://pki.{domain}/{}.crl", random.hex(6).to_lowercase()),
        list_url: format!("http://pki.{domain}/{}.crl", random.hex(6).to_lowercase()),
        package: format!("{code}{:05X}", random.between(2, 0x3ff)),
        organisation,
        domain,
        version: random.pick(&VERSIONS).to_owned(),
        hierarchy: random.guid(),
        product: random.guid().to_uppercase(),
        tenants: vec![Tenant { id: tenant, onboarded: true }, Tenant { id: random.guid(), onboarded: false }],
        client_app: random.guid(),
        resource,
        discovers_users: true,
        device_tokens: true,
        cached_tokens: false,
        checks_lists: random.chance(0.5),
        content_on_cmg: Since::always(true),
        expiry_is_local: random.chance(0.5),
        long_return: random.chance(0.3),
        code,
    }
}

fn gateway(
    site: &SiteFacts,
    authorities: &Authorities,
    (start, end): (Micros, Micros),
    name: Option<String>,
    random: &mut Random,
) -> Result<GatewayFacts> {
    let prefix = random.pick(&["cmg", "gateway", "gw", "cloudgw", "remote"]);
    let host = format!("{prefix}{}.{}", random.pick(&["", "1", "01", "-eu"]), site.domain);
    let host = name.unwrap_or(host);
    let instances = 1 + random.below(2);
    let leaf = Leaf {
        name: &host,
        hosts: &[host.as_str()],
        usage: ExtendedKeyUsagePurpose::ServerAuth,
        from: start - random.between(30, 300) * DAY,
        to: end + random.between(60, 300) * DAY,
        list: Some(&site.list_url),
    };
    let certificate = authorities.issuing.issue(&leaf, random)?;
    let between = authorities.issuing.as_issued();
    // What a firewall shows in its place is days old.
    let inspected = Leaf { from: start - 5 * DAY, to: start + 360 * DAY, list: None, ..leaf };
    let inspected = authorities.inspection.issue(&inspected, random)?;
    let machines = (0..instances).map(|number| machine("cmg", &format!("ProxyService_IN_{number}"), "UTC", 0));
    Ok(GatewayFacts {
        other_name: format!(
            "{}.cloudapp.net",
            host.split('.').next().unwrap_or_default().to_owned() + &site.code.to_lowercase()
        ),
        machines: machines.collect(),
        ips: (0..instances).map(|number| format!("10.0.0.{}", 4 + number)).collect(),
        presents: Since::always(Presented { chain: vec![certificate, between] }),
        inspected: Presented { chain: vec![inspected] },
        revoked: Since::always(false),
        audience: Since::always(site.resource.clone()),
        client_authorities: Since::always(true),
        checks_client_lists: Since::always(false),
        host,
    })
}

fn connector(
    plan: &Plan,
    site: &SiteFacts,
    authorities: &Authorities,
    zone: &str,
    start: Micros,
    random: &mut Random,
) -> Result<ConnectorFacts> {
    let host = format!("{}CP{:02}", site.code, random.between(1, 20));
    let issue = |usage, random: &mut Random| {
        let leaf = Leaf {
            name: &format!("{}.{}", host.to_lowercase(), site.domain),
            hosts: &[],
            usage,
            from: start - 90 * DAY,
            to: start + 200 * DAY,
            list: Some(&site.list_url),
        };
        authorities.issuing.issue(&leaf, random)
    };
    Ok(ConnectorFacts {
        machine: machine(random.pick(&["connection-point", "cp"]), &host, zone, offset(plan, random)),
        ip: address(20, random),
        running: Since::always(true),
        ports_open: Since::always(true),
        role_certificate: Since::always(true),
        client_certificate: Since::always(true),
        reaches_lists: Since::always(true),
        certificate: issue(ExtendedKeyUsagePurpose::ClientAuth, random)?,
        other_certificate: issue(ExtendedKeyUsagePurpose::ServerAuth, random)?,
    })
}

fn points(plan: &Plan, site: &SiteFacts, zone: &str, random: &mut Random) -> Vec<PointFacts> {
    // A fault on management points is on all there are; one is enough then, and tells most.
    let on_points = plan.faults.iter().any(|fault| inject::is_of_points(fault.kind.id));
    let count = if on_points { 1 } else { 1 + random.below(3) };
    let first = random.between(1, 90);
    let https = random.chance(0.5);
    (0..count)
        .map(|number| {
            let host = format!("{}MP{:02}", site.code, number + 1);
            PointFacts {
                machine: machine("mp", &host, zone, offset(plan, random)),
                ip: address(30, random),
                role_id: FIRST_ROLE
                    + u64::try_from(first).unwrap_or_default()
                    + u64::try_from(number).unwrap_or_default(),
                https,
                binding_ok: Since::always(true),
                redirects: Since::always(false),
                libraries_ok: Since::always(true),
                compression_ok: Since::always(true),
                token_service: Since::always(true),
                token_service_status: random.pick(&[404, 503]),
                reaches_entra: Since::always(true),
            }
        })
        .collect()
}

fn delays(random: &mut Random) -> Delays {
    let mut delay = |least: i64, most: i64| {
        #[allow(clippy::cast_precision_loss)] // milliseconds
        Delay::new(random.between(least, most) as f64, 0.3 + 0.3 * random.unit())
    };
    Delays {
        client_cmg: delay(20, 120),
        cmg_connector: delay(8, 40),
        connector_mp: delay(2, 9),
        token_service: delay(80, 350),
        message: delay(20, 160),
        entra: delay(250, 900),
    }
}

fn client(
    plan: &Plan,
    world: &World,
    (style, number, site_zone): (&str, usize, &str),
    random: &mut Random,
) -> Result<ClientFacts> {
    let host = match style {
        "DESKTOP-" => format!("{style}{}{number:02}", random.hex(5)),
        _ => format!("{style}{:04}", 1 + number),
    };
    let zone_name = if random.chance(0.6) { site_zone } else { random.pick(&ZONES) };
    let join = if random.chance(0.4) { Join::Hybrid } else { Join::Joined };
    let hybrid = join == Join::Hybrid;
    let user = random.chance(0.8).then(|| User {
        sid: user_sid(hybrid, random),
        object_id: random.guid(),
        entra: true,
        discovered: true,
        hybrid,
    });
    let leaf = Leaf {
        name: &host,
        hosts: &[],
        usage: ExtendedKeyUsagePurpose::ClientAuth,
        from: world.start - random.between(10, 300) * DAY,
        to: world.end + random.between(100, 2_000) * DAY,
        list: Some(&world.site.client_list_url),
    };
    let pki = random.chance(0.1);
    Ok(ClientFacts {
        certificate: world.authorities.clients.issue(&leaf, random)?,
        ip: format!(
            "{}.{}.{}.{}",
            random.between(80, 95),
            random.between(1, 250),
            random.between(1, 250),
            random.between(2, 250)
        ),
        machine: machine("client", &host, zone_name, offset(plan, random)),
        join,
        tenant: 0,
        device_id: random.guid(),
        client_id: random.guid().to_uppercase(),
        bootstrap_id: random.guid().to_uppercase(),
        site_user: random.guid(),
        user,
        installs: !pki && random.chance(0.5),
        other_package: None,
        begins_after: None,
        pki,
        point: random.below(world.points.len()),
        cmg: world.gateway.host.clone(),
        build: random.pick(&[19_044, 19_045, 22_621, 22_631, 26_100]),
        old_client: false,
        names_device_tokens: random.chance(0.6),
        key_ok: Since::always(true),
        reaches_entra: Since::always(true),
        highest_tls: Since::always(3),
        trusts_root: Since::always(true),
        inspected: Since::always(false),
        no_list_check: random.chance(0.2),
        properties: random.chance(0.4).then(|| (world.site.client_app.clone(), world.site.resource.clone())),
        registration_token: None,
        process: random.between(1_000, 20_000),
        fault: None,
    })
}

/// A SID of the domain, or for a user whom only Entra knows one of its own.
fn user_sid(hybrid: bool, random: &mut Random) -> String {
    let mut part = || random.between(1 << 20, i64::from(u32::MAX));
    if hybrid {
        format!("S-1-5-21-{}-{}-{}-{}", part(), part(), part(), part() % 9_000 + 1_100)
    } else {
        format!("S-1-12-1-{}-{}-{}-{}", part(), part(), part(), part())
    }
}

/// Longest time between the start and a client's installation.
pub(super) fn install_window(world: &World) -> Micros {
    ((world.end - world.start) / 2).max(10 * MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_zones_are_known() {
        for name in ZONES {
            assert!(TimeZone::get(name).is_ok(), "{name}");
        }
    }
}
