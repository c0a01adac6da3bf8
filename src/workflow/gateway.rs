//! What the gateway checks before it hands a request on: the path, the token, the client's certificate.

use super::chains::{self, AUTHORITY, REVOCATION};
use super::decision::{Cause, Ruling, Words, clause};
use super::entra::Grant;
use crate::certs::{ChainRequest, Purpose, Revocation, validate_chain};
use crate::report::{Check, Report};
use crate::site::{CcmHostName, Site};
use crate::time::{Micros, zoned_instant};
use crate::tokens::{TokenPolicy, failures_of, inspect_token, validate_token};

const BY_SOURCE: Words = Words {
    title: "/mp: on the command line names a role or host that is gone",
    explanation: "The command line has no CCMHOSTNAME, and ccmsetup turns to the CMG that /mp: names. The host, or the role \
                  id behind it, which belongs to one management point, is not of this CMG: after a management point or \
                  the CMG was built anew, the old id leads nowhere.",
    remedy: Some(
        "Take host and role id anew from a working client (or from VProxy_Roles.MutualAuthPath), and give them as \
             CCMHOSTNAME={CMG}/CCM_Proxy_MutualAuth/{role id}, too.",
    ),
    verify: None,
};

/// Whether the gateway has what the command line names: `property` is what names it, `CCMHOSTNAME` or `/mp:`.
pub fn route(site: &Site, told: &CcmHostName, property: &str) -> Ruling {
    let words = (property != "CCMHOSTNAME").then_some(&BY_SOURCE);
    let likely = |why: String| Ruling::blocked(Cause::likely("wrong-ccmhostname", why).in_words(words));
    let wrong = |why: String| Ruling::blocked(Cause::certain("wrong-ccmhostname", why).in_words(words));
    let host = &told.host;
    if !site.cmg.names.is_empty() && !site.cmg.has_name(host) {
        let own = site.cmg.names.join(", ");
        let what = if site.management_point(host).is_some() { "the management point itself, " } else { "" };
        if [".cloudapp.azure.com", ".cloudapp.net"].iter().any(|domain| host.ends_with(domain)) {
            return likely(format!(
                "{property} names {host}, and the CMG is {own}. It may be the name that Azure gives to the same \
                 service, which the CMG's certificate does not have."
            ));
        }
        return wrong(format!("{property} names {what}{host}, and the CMG is {own}."));
    }
    let Some(role) = told.role_id else {
        return likely(format!(
            "{property} names {host} without the path of a management point on it (/CCM_Proxy_MutualAuth/ and a role \
             id): nothing there answers for one."
        ));
    };
    if site.cmg.roles.is_empty() {
        return Ruling::not_known("which role ids the management points have on the CMG");
    }
    match site.management_point_of_role(role) {
        None => {
            let known: Vec<String> = site.cmg.roles.iter().map(|(name, id)| format!("{id} ({name})")).collect();
            wrong(format!("{property} names role id {role}, and the CMG has {}.", known.join(", ")))
        }
        Some(point) => Ruling::fact(point.cmg_traffic, &format!("whether {} allows CMG traffic", point.name), || {
            let why = format!("The management point {} does not allow CMG traffic.", point.name);
            Cause::certain("mp-not-published-on-cmg", why)
        }),
    }
}

/// Whether a token is accepted by somebody whose clock shows `policy.at`; the right time is `right_time`. Without keys the
/// signature is taken as good: the report says that it was not checked.
///
/// Of a token that is not of the right time nothing follows for any clock: it was captured earlier, or later. What a
/// clock that is off does to the tokens of that time, [`clock`] says.
pub fn token(token: &str, policy: &TokenPolicy, right_time: Micros) -> Ruling {
    let report = validate_token(token, policy);
    let right = validate_token(token, &TokenPolicy { at: right_time, ..policy.clone() });
    let is_of_the_time = right.fatal().all(|check| !is_of_time(check));
    let mut ruling = Ruling::default();
    let explained = failures_of(&report);
    let is_site = is_of_site(&report);
    for check in report.fatal().filter(|check| is_of_the_time || !is_of_time(check)) {
        let failure = explained.iter().find(|(_, other)| other.id == check.id).map(|(failure, _)| *failure);
        ruling.add_cause(match failure {
            _ if is_of_time(check) => Cause::certain("token-clock-skew", check.explanation.as_str()),
            Some(failure) => Cause::certain(failure, check.explanation.as_str()).in_words(is_site.then_some(&FOREIGN)),
            None => {
                let failure = if is_site { "site-token-expired" } else { "token-audience-or-issuer-refused" };
                Cause::possible(failure, format!("The token cannot be accepted at all: {}", check.explanation))
                    .in_words(is_site.then_some(&UNACCEPTABLE))
            }
        });
    }
    if !is_of_the_time {
        ruling = ruling.and(of_another_time(&right, is_site));
    }
    ruling.reports.push(report);
    ruling
}

/// Whether what is given as a registration token is a token of Entra, with which nobody registers by that way.
pub fn no_registration_token(token: &str) -> Option<Ruling> {
    let report = inspect_token(token, false);
    if is_of_site(&report) {
        return None;
    }
    let why = "What is given as the registration token is a token that Entra issued.";
    Some(Ruling::blocked(Cause::certain("token-audience-or-issuer-refused", why).in_words(Some(&FOREIGN))))
}

const RENEW: Option<&str> = Some(
    "Make a new bulk registration token on this site (BulkRegistrationTokenTool.exe /new) and give it whole, as it is \
     printed, with /regtoken. A client that is installed takes a new token from an internal management point.",
);

const FOREIGN: Words = Words {
    title: "The token is not a registration token of this site",
    explanation: "A client registers with a bulk registration token that the site itself made. This one is of another \
                  issuer, for another audience, or of another kind.",
    remedy: RENEW,
    verify: None,
};

const UNACCEPTABLE: Words = Words {
    title: "The token cannot be accepted, whatever the time",
    explanation: "The token is not whole, or lacks what every token of the site has. It was cut or changed on its way, or \
                  made by something else than the site.",
    remedy: RENEW,
    verify: None,
};

/// Whether a check is about a date that the token has: one without, or with one that cannot be read, is of no time.
fn is_of_time(check: &Check) -> bool {
    let has_date = check.found.as_deref().and_then(zoned_instant).is_some();
    has_date && matches!(check.id.as_str(), "expiry" | "not-before" | "issued-at")
}

/// What follows from a token that has ended by the right time, or has not begun. Entra is asked again for one that has
/// ended; the site's own tokens the client cannot replace by itself.
fn of_another_time(report: &Report, is_site: bool) -> Ruling {
    let ended = report.fatal().find(|check| check.id == "expiry");
    match ended {
        Some(check) if is_site => Ruling::blocked(Cause::certain("site-token-expired", check.explanation.as_str())),
        Some(_) => Ruling::passed("The token at hand was captured earlier and has ended; the client takes a new one."),
        None => Ruling::passed("The token at hand is of a later time, and says nothing of this one."),
    }
}

/// What a server's clock does to tokens that are issued at the right time: far ahead it refuses all of them, less far
/// ahead those in the last minutes of their life, behind those that have just been issued. `name` is what to call the
/// server, `policy.at` its clock.
pub fn clock(name: &str, policy: &TokenPolicy, right_time: Micros) -> Ruling {
    let failure = "token-clock-skew";
    let ahead = policy.at.saturating_sub(right_time) / 1_000_000;
    let forgiven = i64::from(policy.leeway_seconds);
    if ahead - forgiven >= Grant::LIFE {
        let whose = format!("By the clock of {name}, which is {} min ahead,", ahead / 60);
        return Ruling::blocked(if ahead - forgiven >= Grant::LONGEST_LIFE {
            Cause::certain(failure, format!("{whose} every token of Entra has ended."))
        } else {
            Cause::likely(failure, format!("{whose} tokens of Entra, which live for 60 to 90 min, have ended."))
        });
    }
    if -ahead > forgiven + Grant::EARLY {
        let why = format!(
            "By the clock of {name}, which is {} min behind, a token that Entra has just issued does not begin for \
             another {} min.",
            -ahead / 60,
            (-ahead - Grant::EARLY) / 60
        );
        return Ruling::blocked(Cause::certain(failure, why));
    }
    let beyond = ahead - forgiven;
    if beyond <= 0 {
        return Ruling::default();
    }
    let why = format!(
        "The clock of {name} is {} min ahead, and {} min are forgiven: it refuses tokens in the last {} min of their life.",
        ahead / 60,
        forgiven / 60,
        beyond.div_euclid(60).max(1)
    );
    Ruling::warned(Cause::certain(failure, why))
}

fn is_of_site(report: &Report) -> bool {
    let kind = report.facts.get("kind").and_then(serde_json::Value::as_str);
    !kind.is_some_and(|kind| kind.starts_with("entra"))
}

/// Whether the gateway trusts a client's own certificate. `request.roots` and `request.intermediates` are the
/// authorities that were uploaded to it; `verifies` is its option "Verify client certificate revocation".
pub fn client_certificate(request: &ChainRequest, verifies: Option<bool>) -> Ruling {
    let revocation = Some(if verifies == Some(false) { Revocation::Off } else { Revocation::Chain });
    let request = ChainRequest { purpose: Purpose::Client, host: None, revocation, ..request.clone() };
    let report = validate_chain(&request);
    let mask = chains::mask(&report);
    let mut ruling = Ruling::default();
    if mask & AUTHORITY != 0 {
        let why = chains::why(&report, AUTHORITY);
        if request.store_is_known() {
            ruling.add_cause(Cause::certain("client-chain-incomplete-on-cmg", why));
        } else {
            let why = clause(&why);
            ruling.unknown.push(format!("which client authorities were uploaded to the CMG ({why})"));
        }
    }
    // Without its authorities nothing can be said of their lists.
    if mask & REVOCATION != 0 && mask & AUTHORITY == 0 && !chains::is_leaf_alone(&report) {
        let why = chains::why(&report, REVOCATION);
        match verifies {
            Some(true) => ruling.add_cause(Cause::certain("client-revocation-misconfigured", why)),
            Some(false) => {}
            None => {
                let why = clause(&why);
                ruling.unknown.push(format!("whether the CMG verifies client revocation ({why})"));
            }
        }
    }
    if ruling.causes.is_empty() {
        ruling.unknown.extend(chains::open(&report));
        let soon = chains::ends_soon(&request, mask).map(|why| Cause::certain("client-certificate-expired", why));
        ruling.warnings.extend(soon.map(|cause| cause.in_words(Some(&ENDS_SOON))));
    }
    ruling.reports.push(report);
    ruling
}

const ENDS_SOON: Words = Words {
    title: "The client's PKI certificate is about to expire",
    explanation: "The client proves who it is by a certificate that ends soon. Without a new one ccmsetup selects none, and \
                  the CMG and the management point refuse the old one.",
    remedy: Some("Renew the certificate before it ends; autoenrolment does so where it reaches the CA."),
    verify: None,
};
