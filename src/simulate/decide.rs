//! What the machines decide: by the rules of the workflow and its validators, on the real bytes, and remembered.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::facts::{ClientFacts, World};
use super::pki::Signer;
use super::{DAY, HOUR, MINUTE, SECOND};
use crate::error::Result;
use crate::site::{Client, File, Site};
use crate::stage::Stage;
use crate::time::Micros;
use crate::tokens::{KeySet, TokenPolicy};
use crate::workflow::connection::ServerChain;
use crate::workflow::{
    Phase, Question, Ruling, Verdict, chains, connection, connection_point, entra, gateway, management_point, predict,
};

/// Bit of `WinHTTP`'s mask for a handshake that found no common ground.
const SECURE_CHANNEL: u32 = 0x8000_0000;

/// Audience of the site's own tokens.
const SITE_AUDIENCE: &str = "urn:sccm:service";

/// An Entra token in a client's hands.
#[derive(Debug, Clone)]
pub(super) struct EntraToken {
    pub text: String,
    pub audience: String,
    pub issuer: String,
    pub expires: Micros,
    pub of_user: bool,
}

/// Decides, and remembers.
pub(super) struct Decisions {
    keys: KeySet,
    /// Revocation lists: issuing authority's without and with the CMG's certificate, the root's, that of clients.
    lists: [Vec<u8>; 4],
    /// When facts of the site change.
    changes: Vec<Micros>,
    /// The site before, between and after the changes.
    sites: HashMap<usize, Rc<Site>>,
    clients: HashMap<(usize, usize), Rc<Client>>,
    /// Ends and beginnings of certificates and lists.
    boundaries: Vec<Micros>,
    handshakes: HashMap<Handshake, u32>,
    forwards: HashMap<(usize, usize), Option<&'static str>>,
    certificates: HashMap<(usize, usize), bool>,
    causes: HashMap<(usize, usize, Phase, Stage), Option<&'static str>>,
}

/// Everything a handshake depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // independent facts
struct Handshake {
    host: String,
    inspected: bool,
    trusts_root: bool,
    old_tls: bool,
    checks_lists: bool,
    change: usize,
    clock: usize,
    is_right: bool,
}

impl Decisions {
    pub fn new(world: &World) -> Result<Self> {
        let (from, until) = (world.start - 2 * DAY, world.end + 20 * DAY);
        let leaf = world.gateway.presents.last().chain.first();
        let serials: Vec<_> = leaf.and_then(|leaf| leaf.serial.clone()).into_iter().collect();
        let authorities = &world.authorities;
        let lists = [
            authorities.issuing.list(&[], from, until)?,
            authorities.issuing.list(&serials, from, until)?,
            authorities.root.list(&[], from, until)?,
            authorities.clients.list(&[], from, until)?,
        ];
        let presented =
            [world.gateway.presents.at(Micros::MIN), world.gateway.presents.last(), &world.gateway.inspected];
        let mut boundaries = vec![from, until];
        boundaries.extend(presented.iter().flat_map(|shown| &shown.chain).flat_map(|shown| [shown.from, shown.to]));
        boundaries.sort_unstable();
        Ok(Self {
            keys: KeySet::parse(world.signatures.keys().to_string().as_bytes()),
            lists,
            changes: world.changes(),
            sites: HashMap::new(),
            clients: HashMap::new(),
            boundaries,
            handshakes: HashMap::new(),
            forwards: HashMap::new(),
            certificates: HashMap::new(),
            causes: HashMap::new(),
        })
    }

    fn change(&self, at: Micros) -> usize {
        self.changes.partition_point(|change| *change <= at)
    }

    /// The revocation lists at a time, in the order of their files.
    pub fn lists(&self, world: &World, at: Micros) -> [&[u8]; 3] {
        let [good, with_cmg, root, clients] = &self.lists;
        [if *world.gateway.revoked.at(at) { with_cmg } else { good }, root, clients]
    }

    /// The site at a time.
    pub fn site(&mut self, world: &World, at: Micros) -> Rc<Site> {
        let change = self.change(at);
        if let Some(site) = self.sites.get(&change) {
            return Rc::clone(site);
        }
        let site = Rc::new(world.describe(at, self.lists(world, at)));
        self.sites.insert(change, Rc::clone(&site));
        site
    }

    /// A client at a time.
    pub fn client(&mut self, world: &World, number: usize, at: Micros) -> Rc<Client> {
        let key = (number, self.change(at));
        if let Some(client) = self.clients.get(&key) {
            return Rc::clone(client);
        }
        let client = world.clients.get(number).map(|facts| world.describe_client(facts, at)).unwrap_or_default();
        let client = Rc::new(client);
        self.clients.insert(key, Rc::clone(&client));
        client
    }

    /// The mask with which a client's TLS refuses the CMG; 0 where it does not. `checks_lists`: whether it asks for
    /// revocation lists in this request.
    pub fn handshake(&mut self, world: &World, number: usize, at: Micros, checks_lists: bool) -> u32 {
        let Some(facts) = world.clients.get(number) else { return 0 };
        let clock = at + facts.machine.offset;
        let span = |at: Micros| self.boundaries.partition_point(|boundary| *boundary <= at);
        let key = Handshake {
            host: facts.cmg.clone(),
            inspected: *facts.inspected.at(at),
            trusts_root: *facts.trusts_root.at(at),
            old_tls: *facts.highest_tls.at(at) < 2,
            checks_lists,
            change: self.change(at),
            clock: span(clock),
            is_right: span(clock) == span(at),
        };
        if let Some(mask) = self.handshakes.get(&key) {
            return *mask;
        }
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        let mask = mask_of(&site, &client, facts, at, checks_lists);
        self.handshakes.insert(key, mask);
        mask
    }

    /// What stops the connection point on its way to a management point, if anything does.
    pub fn forward(&mut self, world: &World, point: usize, at: Micros) -> Option<&'static str> {
        let key = (point, self.change(at));
        if let Some(known) = self.forwards.get(&key) {
            return *known;
        }
        let site = self.site(world, at);
        let ruling = site
            .management_points
            .get(point)
            .map(|target| connection_point::forward(&site, target, at + world.connector.machine.offset));
        let failure = ruling.and_then(|ruling| ruling.failures().next());
        self.forwards.insert(key, failure);
        failure
    }

    /// Whether there is a channel between gateway and connection point.
    pub fn channel(&mut self, world: &World, at: Micros) -> bool {
        let site = self.site(world, at);
        is_open(&connection_point::channel(&site.connection_point))
    }

    /// What stops a request at the web server of a management point, by failure id.
    pub fn web_server(&mut self, world: &World, point: usize, at: Micros) -> Option<&'static str> {
        let site = self.site(world, at);
        management_point::web_server(site.management_points.get(point)?).failures().next()
    }

    /// What stops a request at the token service before it looks at the token, by failure id.
    pub fn token_service(&mut self, world: &World, point: usize, at: Micros) -> Option<&'static str> {
        let site = self.site(world, at);
        let point = site.management_points.get(point)?;
        let service = management_point::token_service(point);
        service.and(management_point::entra(point, site.options.version)).failures().next()
    }

    /// Whether the gateway trusts a client's own certificate.
    pub fn gateway_trusts(&mut self, world: &World, number: usize, at: Micros) -> bool {
        let key = (number, self.change(at));
        if let Some(known) = self.certificates.get(&key) {
            return *known;
        }
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        let question = Question { site: &site, client: &client, at, phase: Phase::AfterRefresh };
        let verifies = site.cmg.verify_client_revocation;
        let ruling = question.client_chain().map(|chain| gateway::client_certificate(&chain, verifies));
        let trusted = ruling.is_some_and(|ruling| is_open(&ruling));
        self.certificates.insert(key, trusted);
        trusted
    }

    /// Whether the CMG admits an Entra token.
    pub fn gateway_admits(&mut self, world: &World, token: &EntraToken, at: Micros) -> bool {
        let clock = at + world.gateway.machines.first().map_or(0, |machine| machine.offset);
        let policy = self.policy(world, at, clock);
        is_admitted(&gateway::token(&token.text, &policy, at))
    }

    /// Whether the CMG admits a registration token.
    pub fn gateway_admits_registration(&self, world: &World, token: &str, at: Micros) -> bool {
        let mut policy = TokenPolicy::new(at);
        policy.keys = Some(self.keys.clone());
        policy.audience = vec![SITE_AUDIENCE.to_owned()];
        policy.issuers = vec![site_issuer(world)];
        is_admitted(&gateway::token(token, &policy, at))
    }

    /// Whether a management point admits an Entra token by its own clock.
    pub fn point_admits(&mut self, world: &World, token: &EntraToken, at: Micros, clock: Micros) -> bool {
        let policy = self.policy(world, at, clock);
        is_admitted(&management_point::token(&token.text, &policy, at))
    }

    /// Whether the site's database knows the user whose token it is.
    pub fn knows_user(&mut self, world: &World, number: usize, at: Micros) -> bool {
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        is_open(&management_point::user(&site, &client))
    }

    /// Whether the site takes the certificate that a client registers with.
    pub fn takes_certificate(&mut self, world: &World, number: usize, at: Micros) -> bool {
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        crate::workflow::content::registration(&site, &client, false, at).failures().next().is_none()
    }

    /// The failure at a stage that follows from the facts of a time, by the rules that a prediction has.
    pub fn follows(
        &mut self,
        world: &World,
        number: usize,
        at: Micros,
        (phase, stage): (Phase, Stage),
    ) -> Option<&'static str> {
        let key = (number, self.change(at), phase, stage);
        if let Some(known) = self.causes.get(&key) {
            return *known;
        }
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        let prediction = predict(&Question { site: &site, client: &client, at, phase });
        let own = prediction.stage(stage).and_then(|own| own.causes.first().or(own.warnings.first()));
        let failure = own.or(prediction.causes().next().map(|(_, cause)| cause)).map(|cause| cause.failure);
        self.causes.insert(key, failure);
        failure
    }

    fn policy(&mut self, world: &World, at: Micros, clock: Micros) -> TokenPolicy {
        let site = self.site(world, at);
        let mut policy = TokenPolicy::new(clock);
        policy.keys = Some(self.keys.clone());
        policy.audience = site.server_app.resource_uri.iter().cloned().collect();
        policy.tenants = site.tenants.iter().flatten().map(|tenant| tenant.id.clone()).collect();
        policy
    }

    /// Why the device gets no Entra token of its own, by failure id; `None` where it gets one. Without a join nothing
    /// is asked for.
    pub fn device_token(&mut self, world: &World, number: usize, at: Micros) -> Option<&'static str> {
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        let clock = at + world.clients.get(number).map_or(0, |client| client.machine.offset);
        let join = entra::join(&client, clock);
        if let Some(failure) = join.failures().next() {
            return Some(failure);
        }
        let asked = world.clients.get(number).and_then(|client| client.properties.as_ref());
        let (app, resource) = (asked.map(|(app, _)| app.as_str()), asked.map(|(_, resource)| resource.as_str()));
        // An old Windows does not ask at all; else the way to Entra comes before what Entra says.
        let token = entra::device_token(&site, &client, clock);
        let old = token.failures().find(|failure| *failure == "os-too-old-for-device-token");
        let key = token.failures().find(|failure| *failure == "wam-key-failure");
        let request = entra::request(&site, &client, resource, app);
        old.or(key).or(request.failures().next()).or(token.failures().next())
    }

    /// Why the user gets none.
    pub fn user_token(&mut self, world: &World, number: usize, at: Micros) -> Option<&'static str> {
        let client = self.client(world, number, at);
        let reached = client.network.entra != Some(false);
        entra::user_token(&client).failures().next().or((!reached).then_some("entra-unreachable"))
    }

    /// Whether the CMG has the content that a client is to download.
    pub fn has_content(&mut self, world: &World, number: usize, at: Micros) -> bool {
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        crate::workflow::content::content(&site, &client).is_none_or(|ruling| is_open(&ruling))
    }

    /// Whether the CMG can tell a client the applications to ask with.
    pub fn knows_tenant(&mut self, world: &World, number: usize, at: Micros) -> bool {
        let (site, client) = (self.site(world, at), self.client(world, number, at));
        is_open(&entra::tenant(&site, client.tenant.as_deref()))
    }
}

/// What Entra issues to a device or its user for a resource.
pub(super) fn entra_issues(
    world: &World,
    client: &ClientFacts,
    of_user: bool,
    resource: &str,
    at: Micros,
) -> Result<EntraToken> {
    let tenant = world.site.tenants.get(client.tenant).map(|tenant| tenant.id.as_str()).unwrap_or_default();
    // The life that is left of a token: an hour or more, or minutes where it is from the cache.
    let variety = client.device_id.bytes().map(i64::from).sum::<i64>() % 7;
    let left = if world.site.cached_tokens { (6 + variety) * MINUTE } else { HOUR + variety * 4 * MINUTE };
    let user = client.user.as_ref().filter(|_| of_user);
    let grant = entra::Grant {
        tenant,
        audience: resource,
        device_id: Some(&client.device_id),
        user_id: user.map(|user| user.object_id.as_str()),
        at: at + left - 90 * MINUTE,
    };
    let mut claims = grant.claims();
    if let Some(claims) = claims.as_object_mut() {
        claims.insert("exp".to_owned(), json!((at + left).div_euclid(SECOND)));
        if let Some(user) = user.filter(|user| user.hybrid) {
            claims.insert("onprem_sid".to_owned(), json!(user.sid));
        }
    }
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = world.signatures.sign(Signer::Entra, &claims)?;
    Ok(EntraToken { text, audience: resource.to_owned(), issuer, expires: at + left, of_user })
}

/// A bulk registration token, with so much of its life left.
pub(super) fn site_issues(world: &World, left: Micros, at: Micros) -> Result<String> {
    let seconds = |at: Micros| at.div_euclid(SECOND);
    let claims = json!({
        "SCCMTokenCategory": "SCCMPreAuthToken", "Authority": "SCCM", "License": "SCCM", "Type": "BulkRegistration",
        "TenantId": world.site.hierarchy.to_uppercase(), "UniqueId": world.site.product.to_lowercase(),
        "iss": site_issuer(world), "aud": SITE_AUDIENCE, "exp": seconds(at + left), "nbf": seconds(at + left - 3 * DAY),
    });
    world.signatures.sign(Signer::Site, &claims)
}

fn site_issuer(world: &World) -> String {
    format!("urn:sccm:oauth2:{}", world.site.hierarchy)
}

fn is_open(ruling: &Ruling) -> bool {
    ruling.verdict() != Verdict::Blocked
}

/// Whether a token is admitted: nothing stops it, and it has not ended either, of which the client is not to blame.
fn is_admitted(ruling: &Ruling) -> bool {
    is_open(ruling) && ruling.reports.iter().all(|report| report.fatal().next().is_none())
}

fn mask_of(site: &Site, client: &Client, facts: &ClientFacts, at: Micros, checks_lists: bool) -> u32 {
    if !is_open(&connection::tls_version(&client.network, &site.cmg)) {
        return SECURE_CHANNEL;
    }
    let question = Question { site, client, at, phase: Phase::AfterRefresh };
    let request = question.chain(site.cmg.certificate.as_deref().unwrap_or_default(), &facts.cmg);
    let ruling = if let Some(shown) = connection::shown(&client.network) {
        connection::inspection(&shown.iter().map(File::source).collect::<Vec<_>>(), &request, Some(checks_lists))
    } else {
        let chain = ServerChain { request, right_time: at, checks_lists: Some(checks_lists), restored: false };
        connection::certificate(&chain, None)
    };
    ruling.reports.first().map_or(0, chains::mask)
}
