//! What the management point needs to answer: its web server, its token service, Entra, its clock, its database.

use super::decision::{Cause, Ruling};
use super::gateway;
use crate::site::{Client, ManagementPoint, Mode, SignedIn, Site, TokenService};
use crate::time::Micros;
use crate::tokens::TokenPolicy;

/// First version whose management points ask Entra when they check a token.
pub const FIRST_VERSION_THAT_ASKS_ENTRA: u32 = 2_603;

/// Whether the management point's web server answers anything.
pub fn web_server(point: &ManagementPoint) -> Ruling {
    let name = &point.name;
    let compression =
        Ruling::fact(point.compression_ok, &format!("whether the compression schemes of {name} are whole"), || {
            let why = format!("IIS of {name} has a compression scheme whose library is gone, so every request fails.");
            Cause::certain("mp-compression-scheme-broken", why)
        });
    let binding =
        Ruling::fact(point.binding_ok, &format!("whether the certificate bound to port 443 of {name} fits"), || {
            let why = format!("The certificate bound to port 443 of {name} does not fit its mode.");
            Cause::certain("mp-binding-wrong", why)
        });
    compression.and(binding).and(mode(point))
}

/// Whether the management point's mode allows clients from the internet.
fn mode(point: &ManagementPoint) -> Ruling {
    match point.mode {
        Some(Mode::Http) => {
            let why =
                format!("{} is in HTTP mode; Entra and PKI authentication need enhanced HTTP or HTTPS.", point.name);
            Ruling::blocked(Cause::certain("mp-mode-unsupported", why))
        }
        Some(Mode::EnhancedHttp | Mode::Https) => Ruling::default(),
        None => Ruling::not_known(format!("in which mode {} is", point.name)),
    }
}

/// Whether the token service of the management point is there, is asked, and works.
pub fn token_service(point: &ManagementPoint) -> Ruling {
    let name = &point.name;
    let redirect = point.redirect.map(|redirects| !redirects);
    let redirect = Ruling::fact(redirect, &format!("whether the Default Web Site of {name} redirects"), || {
        let why = format!("The Default Web Site of {name} redirects, so its token service is never called.");
        Cause::certain("mp-redirect-on-sts", why)
    });
    let service = match point.token_service {
        Some(TokenService::Running) => Ruling::default(),
        Some(TokenService::Stopped) => Ruling::blocked(Cause::certain(
            "sts-not-running",
            format!("The application pool of the token service of {name} is stopped."),
        )),
        Some(TokenService::NotInstalled) => Ruling::blocked(Cause::certain(
            "sts-not-running",
            format!("The token service of {name} is not there; it needs ASP.NET 4.5."),
        )),
        None => Ruling::not_known(format!("whether the token service of {name} runs")),
    };
    let libraries = Ruling::fact(
        point.token_libraries_ok,
        &format!("whether the libraries of the token service of {name} are of the site's version"),
        || {
            let why = format!("The libraries of the token service of {name} are not of the site's version.");
            Cause::certain("sts-library-mismatch", why)
        },
    );
    redirect.and(service).and(libraries)
}

/// Whether the management point can ask Entra, where its version does.
pub fn entra(point: &ManagementPoint, version: Option<u32>) -> Ruling {
    if version.is_some_and(|version| version < FIRST_VERSION_THAT_ASKS_ENTRA) {
        return Ruling::default();
    }
    Ruling::fact(point.reaches_entra, &format!("whether {}, as Local System, reaches Entra", point.name), || {
        let why = format!("{}, as Local System, does not reach Entra.", point.name);
        if version.is_some() {
            return Cause::certain("mp-cannot-reach-entra", why);
        }
        let why = format!("{why} From version {FIRST_VERSION_THAT_ASKS_ENTRA} on it has to.");
        Cause::likely("mp-cannot-reach-entra", why)
    })
}

/// Whether the management point's clock takes the token: `policy.at` is that clock. What else is wrong with the token
/// the gateway has refused before.
pub fn token(token: &str, policy: &TokenPolicy, right_time: Micros) -> Ruling {
    let mut ruling = gateway::token(token, policy, right_time);
    ruling.causes.retain(|cause| cause.failure == "token-clock-skew");
    ruling.reasons.clear();
    ruling
}

/// Whether the site's database knows the user whose token it is.
pub fn user(site: &Site, client: &Client) -> Ruling {
    let failure = "user-not-discovered";
    // A user who is known was discovered, whatever runs now.
    match (&site.known.users, &client.user_id) {
        (None, _) => Ruling::fact(site.options.user_discovery, "whether Entra user discovery runs", || {
            let why = "Entra user discovery does not run, so the site knows no user of Entra.";
            Cause::certain(failure, why)
        }),
        (Some(users), _) if users.is_empty() => {
            Ruling::blocked(Cause::certain(failure, "The site's database knows no user at all."))
        }
        (Some(_), None) => Ruling::not_known("whether the site's database knows the user who is signed in (user_id)"),
        (Some(_), Some(id)) => match site.known.user(id) {
            None => {
                let why = format!("The site's database does not know user {id}.");
                Ruling::blocked(Cause::certain(failure, why))
            }
            Some(user) if client.user == Some(SignedIn::Hybrid) && user.sid.is_none() => {
                let why = format!("The site's database knows user {id} without a SID on premises.");
                Ruling::warned(Cause::possible("hybrid-user-without-on-premises-match", why))
            }
            Some(_) => Ruling::passed(format!("The site's database knows user {id}.")),
        },
    }
}
