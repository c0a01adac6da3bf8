//! What the machines decide: by the validators of certificates and tokens, on the real bytes, and remembered.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::facts::{ClientFacts, Join, World};
use super::pki::Signer;
use super::{DAY, HOUR, MINUTE, SECOND};
use crate::certs::{ChainRequest, CrlSource, Purpose, Revocation, Source, validate_chain};
use crate::error::Result;
use crate::report::{CheckStatus, Report};
use crate::time::Micros;
use crate::tokens::{KeySet, TokenPolicy, validate_token};

/// Bit of WinHTTP's mask for a handshake that found no common ground.
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
    /// Revocation lists: issuing authority's without and with the CMG's certificate, and the root's.
    lists: [Vec<u8>; 3],
    boundaries: Vec<Micros>,
    handshakes: HashMap<Handshake, u32>,
    chains: HashMap<bool, bool>,
}

/// Everything a handshake depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Handshake {
    host: String,
    /// The serial number that is presented.
    presented: Vec<u8>,
    trusts_root: bool,
    list: Option<bool>,
    revoked: bool,
    epoch: usize,
}

impl Decisions {
    pub fn new(world: &World) -> Result<Self> {
        let (from, until) = (world.start - 2 * DAY, world.end + 20 * DAY);
        let serials: Vec<_> = world.gateway.presents.last().chain.iter().take(1).filter_map(|leaf| leaf.serial.clone()).collect();
        let lists = [
            world.authorities.issuing.list(&[], from, until)?,
            world.authorities.issuing.list(&serials, from, until)?,
            world.authorities.root.list(&[], from, until)?,
        ];
        let presented = [world.gateway.presents.at(Micros::MIN), world.gateway.presents.last(), &world.gateway.inspected];
        let mut boundaries = vec![from, until];
        boundaries.extend(presented.iter().flat_map(|shown| &shown.chain).flat_map(|shown| [shown.from, shown.to]));
        boundaries.sort_unstable();
        Ok(Self {
            keys: KeySet::parse(world.signatures.keys().to_string().as_bytes()),
            lists,
            boundaries,
            handshakes: HashMap::new(),
            chains: HashMap::new(),
        })
    }

    /// The revocation lists at a time: the issuing authority's and the root's.
    pub fn lists(&self, revoked: bool) -> [&[u8]; 2] {
        [&self.lists[usize::from(revoked)], &self.lists[2]]
    }

    /// The mask with which a client's TLS refuses the CMG; 0 where it does not. `checks_lists`: whether it asks for
    /// revocation lists in this request.
    pub fn handshake(&mut self, world: &World, client: &ClientFacts, at: Micros, checks_lists: bool) -> u32 {
        if *client.highest_tls.at(at) < world.gateway.lowest_tls {
            return SECURE_CHANNEL;
        }
        let shown = if *client.inspected.at(at) { &world.gateway.inspected } else { world.gateway.presents.at(at) };
        let clock = at + client.machine.offset;
        let wanted = Handshake {
            host: client.cmg.clone(),
            presented: shown.chain.first().map(|leaf| leaf.der.clone()).unwrap_or_default(),
            trusts_root: *client.trusts_root.at(at),
            list: checks_lists.then(|| *client.reaches_list.at(at)),
            revoked: *world.gateway.revoked.at(at),
            epoch: self.boundaries.partition_point(|boundary| *boundary <= clock),
        };
        if let Some(mask) = self.handshakes.get(&wanted) {
            return *mask;
        }
        let presented = shown.chain.iter().map(|shown| Source::new("presented", shown.der.clone())).collect();
        let mut roots = vec![Source::new("public", world.authorities.public.as_issued().der)];
        if wanted.trusts_root {
            roots.push(Source::new("root", world.authorities.root.as_issued().der));
        }
        let mut request = ChainRequest::new(presented, roots, clock);
        request.host = Some(wanted.host.clone());
        request.revocation = Some(if checks_lists { Revocation::Chain } else { Revocation::Off });
        request.crls = match wanted.list {
            Some(true) => self.lists(wanted.revoked).map(|list| CrlSource::fetched("list", list)).to_vec(),
            Some(false) => [&world.site.list_url, &world.site.root_list_url].map(CrlSource::unreachable).to_vec(),
            None => Vec::new(),
        };
        let mask = mask(&validate_chain(&request));
        self.handshakes.insert(wanted, mask);
        mask
    }

    /// True where the connection point's own certificate passes its own check; its lists can be had or not.
    pub fn connector_chain(&mut self, world: &World, at: Micros, reaches_lists: bool) -> bool {
        if let Some(known) = self.chains.get(&reaches_lists) {
            return *known;
        }
        let issuing = world.authorities.issuing.as_issued();
        let presented = vec![Source::new("own", world.connector.certificate.der.clone()), Source::new("issuing", issuing.der)];
        let roots = vec![Source::new("root", world.authorities.root.as_issued().der)];
        let mut request = ChainRequest::new(presented, roots, at);
        request.purpose = Purpose::Client;
        request.revocation = Some(Revocation::Chain);
        request.crls = match reaches_lists {
            true => self.lists(false).map(|list| CrlSource::fetched("list", list)).to_vec(),
            false => [&world.site.list_url, &world.site.root_list_url].map(CrlSource::unreachable).to_vec(),
        };
        let passed = failed(&validate_chain(&request)).next().is_none();
        self.chains.insert(reaches_lists, passed);
        passed
    }

    /// What Entra issues to a device or its user for a resource.
    pub fn entra_issues(world: &World, client: &ClientFacts, of_user: bool, resource: &str, at: Micros) -> Result<EntraToken> {
        let tenant = world.site.tenants.get(client.tenant).map(|tenant| tenant.id.as_str()).unwrap_or_default();
        let issuer = format!("https://sts.windows.net/{tenant}/");
        // The life that is left of a token: most of an hour or more, or minutes where it is from the cache.
        let variety = Micros::try_from(client.device_id.bytes().map(usize::from).sum::<usize>() % 7).unwrap_or_default();
        let left = if world.site.cached_tokens { (6 + variety) * MINUTE } else { HOUR + variety * 4 * MINUTE };
        let issued = at + left - 90 * MINUTE;
        let seconds = |at: Micros| at.div_euclid(SECOND);
        let mut claims = json!({
            "aud": resource, "iss": issuer, "iat": seconds(issued), "nbf": seconds(issued), "exp": seconds(at + left),
            "appid": world.site.client_app, "appidacr": "0", "deviceid": client.device_id, "tid": tenant, "ver": "1.0",
        });
        if let (true, Some(user), Some(claims)) = (of_user, &client.user, claims.as_object_mut()) {
            claims.insert("oid".to_owned(), json!(user.object_id));
            claims.insert("scp".to_owned(), json!("user_impersonation"));
            if user.hybrid {
                claims.insert("onprem_sid".to_owned(), json!(user.sid));
            }
        }
        let text = world.signatures.sign(Signer::Entra, &claims)?;
        Ok(EntraToken { text, audience: resource.to_owned(), issuer, expires: at + left, of_user })
    }

    /// A bulk registration token, with so much of its life left.
    pub fn site_issues(world: &World, left: Micros, at: Micros) -> Result<String> {
        let seconds = |at: Micros| at.div_euclid(SECOND);
        world.signatures.sign(Signer::Site, &registration_claims(world, seconds(at + left - 3 * DAY), seconds(at + left)))
    }

    /// Whether the CMG admits an Entra token.
    pub fn gateway_admits(&self, world: &World, token: &EntraToken, at: Micros) -> bool {
        self.admits(world, &token.text, world.gateway.audience.at(at), at)
    }

    /// Whether the CMG admits a registration token.
    pub fn gateway_admits_registration(&self, world: &World, token: &str, at: Micros) -> bool {
        let mut policy = TokenPolicy::new(at);
        policy.keys = Some(self.keys.clone());
        policy.audience = vec![SITE_AUDIENCE.to_owned()];
        policy.issuers = vec![site_issuer(world)];
        failed(&validate_token(token, &policy)).next().is_none()
    }

    /// Whether a management point admits an Entra token by its own clock.
    pub fn point_admits(&self, world: &World, token: &EntraToken, clock: Micros) -> bool {
        self.admits(world, &token.text, &world.site.resource, clock)
    }

    fn admits(&self, world: &World, token: &str, audience: &str, at: Micros) -> bool {
        let mut policy = TokenPolicy::new(at);
        policy.keys = Some(self.keys.clone());
        policy.audience = vec![audience.to_owned()];
        policy.tenants = world.site.tenants.iter().filter(|tenant| tenant.onboarded).map(|tenant| tenant.id.clone()).collect();
        failed(&validate_token(token, &policy)).next().is_none()
    }
}

fn site_issuer(world: &World) -> String {
    format!("urn:sccm:oauth2:{}", world.site.hierarchy)
}

fn registration_claims(world: &World, from: i64, to: i64) -> Value {
    json!({
        "SCCMTokenCategory": "SCCMPreAuthToken", "Authority": "SCCM", "License": "SCCM", "Type": "BulkRegistration",
        "TenantId": world.site.hierarchy.to_uppercase(), "UniqueId": world.site.product.to_lowercase(),
        "iss": site_issuer(world), "aud": SITE_AUDIENCE, "exp": to, "nbf": from,
    })
}

/// Why Entra gives no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoToken {
    /// No join, so nothing is even asked.
    NotJoined,
    /// Windows cannot ask for a device's token.
    OldWindows,
    /// The device's key cannot be used.
    Key,
    /// The server application gives none to devices.
    NotEnabled,
    /// Entra cannot be reached.
    Unreachable,
    /// Nobody is signed in.
    NoUser,
    /// Who is signed in is nobody to Entra.
    UserUnknown,
}

/// First build of Windows that asks for device tokens: 1803.
const DEVICE_TOKENS_SINCE: u32 = 17_134;

/// Whether the device gets a token of its own.
pub(super) fn device_token(world: &World, client: &ClientFacts, at: Micros) -> std::result::Result<(), NoToken> {
    match client {
        _ if client.join == Join::Registered => Err(NoToken::NotJoined),
        _ if client.build < DEVICE_TOKENS_SINCE => Err(NoToken::OldWindows),
        _ if !client.key_ok.at(at) => Err(NoToken::Key),
        _ if !client.reaches_entra.at(at) => Err(NoToken::Unreachable),
        _ if !world.site.device_tokens => Err(NoToken::NotEnabled),
        _ => Ok(()),
    }
}

/// Whether the user gets one.
pub(super) fn user_token(client: &ClientFacts, at: Micros) -> std::result::Result<(), NoToken> {
    match &client.user {
        None => Err(NoToken::NoUser),
        Some(_) if !client.reaches_entra.at(at) => Err(NoToken::Unreachable),
        Some(user) if !user.entra => Err(NoToken::UserUnknown),
        Some(_) => Ok(()),
    }
}

fn failed(report: &Report) -> impl Iterator<Item = &crate::report::Check> {
    report.checks.iter().filter(|check| check.decides && check.status == CheckStatus::Failed)
}

/// The bits that WinHTTP sets for what a chain's report says.
fn mask(report: &Report) -> u32 {
    let flags = failed(report).map(|check| check.windows.as_ref().map_or(0, |windows| windows.winhttp_flags));
    flags.fold(0, |mask, flags| mask | flags)
}
