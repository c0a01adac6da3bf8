//! What the gateway checks before it hands a request on: the path, the token, the client's certificate.

use super::chains::{self, AUTHORITY, REVOCATION};
use super::decision::{Cause, Ruling};
use crate::certs::{ChainRequest, Purpose, Revocation, validate_chain};
use crate::report::{Check, Report};
use crate::site::{CcmHostName, Site};
use crate::time::Micros;
use crate::tokens::{TokenPolicy, failures_of, validate_token};

/// Whether the gateway has what a request's address names. `told` is the command line's `CCMHOSTNAME`, else the
/// address that the site itself gave.
pub fn route(site: &Site, told: &CcmHostName) -> Ruling {
    let wrong = |why: String| Ruling::blocked(Cause::certain("wrong-ccmhostname", why));
    if !site.cmg.names.is_empty() && !site.cmg.has_name(&told.host) {
        let why = format!("CCMHOSTNAME names {}, and the CMG is {}.", told.host, site.cmg.names.join(", "));
        return wrong(why);
    }
    let Some(role) = told.role_id else { return Ruling::default() };
    if site.cmg.roles.is_empty() {
        return Ruling::not_known("which role ids the management points have on the CMG");
    }
    match site.management_point_of_role(role) {
        None => {
            let known: Vec<String> = site.cmg.roles.iter().map(|(name, id)| format!("{id} ({name})")).collect();
            wrong(format!("CCMHOSTNAME names role id {role}, and the CMG has {}.", known.join(", ")))
        }
        Some(point) => Ruling::fact(point.cmg_traffic, &format!("whether {} allows CMG traffic", point.name), || {
            let why = format!("The management point {} does not allow CMG traffic.", point.name);
            Cause::certain("mp-not-published-on-cmg", why)
        }),
    }
}

/// Whether a token is accepted by somebody whose clock shows `policy.at`. `right_time` tells a token that has ended
/// from a clock that is wrong. Without keys the signature is taken as good: the report says that it was not checked.
pub fn token(token: &str, policy: &TokenPolicy, right_time: Micros) -> Ruling {
    let report = validate_token(token, policy);
    let at_right_time = |id: &str| {
        let right = TokenPolicy { at: right_time, ..policy.clone() };
        validate_token(token, &right).check(id).is_some_and(Check::is_fatal)
    };
    let mut ruling = Ruling::default();
    let explained = failures_of(&report);
    for check in report.fatal() {
        let failure = explained.iter().find(|(_, other)| other.id == check.id).map(|(failure, _)| *failure);
        let is_site = is_of_site(&report);
        match (check.id.as_str(), failure) {
            ("expiry" | "not-before" | "issued-at", _) if policy.at != right_time && !at_right_time(&check.id) => {
                ruling.add_cause(Cause::certain("token-clock-skew", check.explanation.as_str()));
            }
            ("expiry", _) if is_site => {
                ruling.add_cause(Cause::certain("site-token-expired", check.explanation.as_str()));
            }
            // Entra is asked again for a token that has ended.
            ("expiry", _) => ruling.reasons.push(format!("{} The client takes a new one.", check.explanation)),
            (_, Some(failure)) => ruling.add_cause(Cause::certain(failure, check.explanation.as_str())),
            (_, None) => {
                let failure = if is_site { "site-token-expired" } else { "token-audience-or-issuer-refused" };
                let why = format!("The token cannot be accepted at all: {}", check.explanation);
                ruling.add_cause(Cause::possible(failure, why));
            }
        }
    }
    ruling.reports.push(report);
    ruling
}

/// What comes of a server's clock that is ahead: tokens that are good still look to it as if they had ended. `name` is
/// what to call the server, `policy.at` its clock.
pub fn tokens_cut_short(name: &str, policy: &TokenPolicy, right_time: Micros) -> Ruling {
    let ahead = policy.at.saturating_sub(right_time) / 1_000_000;
    let beyond = ahead.saturating_sub(i64::from(policy.leeway_seconds));
    if beyond <= 0 {
        return Ruling::default();
    }
    let why = format!(
        "The clock of {name} is {} min ahead, and {} min are forgiven: it refuses tokens in the last {} min of their life.",
        ahead / 60,
        policy.leeway_seconds / 60,
        beyond.div_euclid(60).max(1)
    );
    Ruling { warnings: vec![Cause::certain("token-clock-skew", why)], ..Ruling::default() }
}

fn is_of_site(report: &Report) -> bool {
    let kind = report.facts.get("kind").and_then(serde_json::Value::as_str);
    !kind.is_some_and(|kind| kind.starts_with("entra"))
}

/// Whether the gateway trusts a client's own certificate. `request.roots` and `request.intermediates` are the
/// authorities that were uploaded to it; `verifies` is its option "Verify client certificate revocation".
pub fn client_certificate(request: &ChainRequest, verifies: Option<bool>) -> Ruling {
    let revocation = Some(if verifies == Some(false) { Revocation::Off } else { Revocation::Chain });
    let report = validate_chain(&ChainRequest { purpose: Purpose::Client, host: None, revocation, ..request.clone() });
    let mask = chains::mask(&report);
    let mut ruling = Ruling::default();
    if mask & AUTHORITY != 0 {
        let why = chains::why(&report, AUTHORITY);
        if request.store_is_known() {
            ruling.add_cause(Cause::certain("client-chain-incomplete-on-cmg", why));
        } else {
            let why = chains::clause(&why);
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
                let why = chains::clause(&why);
                ruling.unknown.push(format!("whether the CMG verifies client revocation ({why})"));
            }
        }
    }
    if ruling.causes.is_empty() {
        ruling.unknown.extend(chains::open(&report));
    }
    ruling.reports.push(report);
    ruling
}
