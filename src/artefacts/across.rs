//! Checks of a presented chain that no chain alone allows: against what others were presented, against what could be
//! fetched, and against the days to come. All are remarks: they do not make the chain good or bad.

use std::collections::BTreeSet;

use super::item::Item;
use super::naming::Part;
use super::{Artefacts, Client};
use crate::certs::{Bundle, Certificate, certificate_facts};
use crate::report::{Check, CheckStatus, Report};
use crate::time::{Micros, rfc3339};

const DAY: i64 = 86_400;

/// A certificate with less time left is told: replacing one takes a request, an approval and a deployment.
const CERTIFICATE_NOTICE: i64 = 30 * DAY;

/// A list with less time left is told: a new one is due long before.
const LIST_NOTICE: i64 = DAY;

/// Whether the chain, as judged, ends in the client's own store.
pub(super) fn ends_in_store(report: &Report, store_given: bool) -> Check {
    let id = "chain-ends-in-client-store";
    let first = |id: &str, status| report.checks.iter().find(|check| check.id == id && check.status == status);
    let root = "root-not-in-client-store";
    // A public root that the store lacks passes too, with its name as what was found: Windows fetches it, or may not.
    let passed = first(root, CheckStatus::Passed).filter(|check| check.found.is_none());
    match (passed, first(root, CheckStatus::Failed).filter(|_| store_given)) {
        (Some(passed), _) => check(id, CheckStatus::Passed, &passed.subject, passed.explanation.clone()),
        (None, Some(failed)) => check(id, CheckStatus::Failed, &failed.subject, failed.explanation.clone()),
        (None, None) => {
            check(id, CheckStatus::NotChecked, "chain", "Root store and chain are not both at hand as a whole.")
        }
    }
    .remark()
}

/// All of them. `last` is when the machine's logs end; `came` are the addresses that it could fetch.
pub(super) fn checks(
    all: &Artefacts,
    item: &Item,
    client: &Client<'_>,
    last: Micros,
    came: &BTreeSet<&str>,
) -> Vec<Check> {
    let bundle = Bundle::read(&[item.source()]);
    let mut checks = vec![same_for_all(all, item, client), genuine(all, item, client)];
    let leaf = item.leaf.as_ref();
    if let Some(leaf) = bundle.certificates.iter().find(|known| leaf.is_some_and(|leaf| leaf.sha256 == known.sha256()))
    {
        checks.push(expires_soon(leaf, last));
        checks.push(clock_behind(leaf, item, last));
        checks.push(lists_fetched(leaf, came));
        checks.push(lists_go_stale(all, item, leaf, last));
    }
    checks.into_iter().map(Check::remark).collect()
}

fn check(id: &str, status: CheckStatus, subject: &str, text: impl Into<String>) -> Check {
    Check::new(id, status, subject, text)
}

/// What the same gateway presented to other machines.
fn others<'a>(all: &'a Artefacts, item: &'a Item, client: &'a Client<'_>) -> impl Iterator<Item = &'a Item> {
    let same_gateway =
        move |other: &&Item| other.cmg.is_none() || client.cmg.is_none() || other.cmg.as_deref() == client.cmg;
    all.items
        .iter()
        .filter(move |other| other.part == Some(Part::Presented) && other.leaf.is_some() && other.owner != item.owner)
        .filter(same_gateway)
}

fn is_alike(item: &Item, other: &Item) -> bool {
    match (&item.leaf, &other.leaf) {
        (Some(one), Some(two)) => one.sha256 == two.sha256 || one.issuer == two.issuer,
        _ => false,
    }
}

/// Whether other machines were presented a certificate of the same issuer.
fn same_for_all(all: &Artefacts, item: &Item, client: &Client<'_>) -> Check {
    let (id, subject) = ("issuer-same-for-all", "presented list");
    match (others(all, item, client).find(|other| !is_alike(item, other)), others(all, item, client).next()) {
        (Some(other), _) => differs(id, item, other),
        (None, Some(_)) => check(id, CheckStatus::Passed, subject, "Other machines were presented the same issuer."),
        (None, None) => {
            check(id, CheckStatus::NotChecked, subject, "What other machines were presented is not at hand.")
        }
    }
}

fn differs(id: &str, item: &Item, other: &Item) -> Check {
    let issuer = |item: &Item| item.leaf.as_ref().map(|leaf| leaf.issuer.clone()).unwrap_or_default();
    let text = format!(
        "'{}' issued this certificate, and '{}' the one in {}: they do not come from the same server.",
        issuer(item),
        issuer(other),
        other.path
    );
    check(id, CheckStatus::Failed, "presented list", text).expected(issuer(other)).found(issuer(item))
}

/// Whether the issuer is that of a chain known to be the gateway's own: kept by a server of the site, or presented to a
/// machine that the gateway answered.
fn genuine(all: &Artefacts, item: &Item, client: &Client<'_>) -> Check {
    let (id, subject) = ("issuer-genuine", "presented list");
    let is_known = |other: &&Item| match other.owner.as_deref() {
        None => true,
        Some(owner) => all.machines.get(owner).is_some_and(|machine| match client.cmg {
            Some(cmg) => machine.answered_by.contains(cmg),
            None => !machine.answered_by.is_empty(),
        }),
    };
    let known = || others(all, item, client).filter(is_known);
    if known().any(|other| is_alike(item, other)) {
        return check(
            id,
            CheckStatus::Passed,
            subject,
            "Machines that the gateway answered were presented the same issuer.",
        );
    }
    known().next().map_or_else(
        || check(id, CheckStatus::NotChecked, subject, "No chain that is known to be the gateway's own is at hand."),
        |other| differs(id, item, other),
    )
}

fn utc(seconds: i64) -> String {
    rfc3339(seconds.saturating_mul(1_000_000))
}

fn expires_soon(leaf: &Certificate, last: Micros) -> Check {
    let subject = format!("leaf '{}'", leaf.display());
    let left = leaf.not_after - last.div_euclid(1_000_000);
    let days = left.div_euclid(DAY);
    let (status, text) = if left < 0 {
        (CheckStatus::Failed, format!("It ended on {}, before the logs end.", utc(leaf.not_after)))
    } else if left <= CERTIFICATE_NOTICE {
        (CheckStatus::Failed, format!("It ends on {}, {days} days after the logs end.", utc(leaf.not_after)))
    } else {
        (CheckStatus::Passed, format!("It is valid for {days} days after the logs end."))
    };
    check("expires-soon", status, &subject, text)
}

/// A machine whose newest log line is older than the certificate that it was presented has a clock that is behind. Of
/// an old log the last line would be newer, or the certificate would not be this machine's.
fn clock_behind(leaf: &Certificate, item: &Item, last: Micros) -> Check {
    let (id, subject) = ("clock-behind-certificate", "the machine's clock");
    if item.owner.is_none() {
        return check(id, CheckStatus::NotChecked, subject, "The chain was not taken from this machine.");
    }
    let (status, text) = if last.div_euclid(1_000_000) < leaf.not_before {
        let begins = utc(leaf.not_before);
        let text = format!(
            "Its logs end at {}, and the certificate that was taken from it begins on {begins} only.",
            rfc3339(last)
        );
        (CheckStatus::Failed, text)
    } else {
        (CheckStatus::Passed, "Its logs end after the certificate begins.".to_owned())
    };
    check(id, status, subject, text)
}

/// The leaf's distribution points.
fn points(leaf: &Certificate) -> Vec<String> {
    let facts = certificate_facts(leaf);
    let points = facts.get("crl_distribution_points").and_then(serde_json::Value::as_array);
    points.into_iter().flatten().filter_map(|point| point.as_str()).map(str::to_owned).collect()
}

fn lists_fetched(leaf: &Certificate, came: &BTreeSet<&str>) -> Check {
    let (id, subject) = ("crl-fetched", format!("leaf '{}'", leaf.display()));
    let own = points(leaf);
    let fetched = came.iter().find(|url| own.iter().any(|point| point.eq_ignore_ascii_case(url.trim())));
    match fetched {
        Some(url) => {
            check(id, CheckStatus::Passed, &subject, format!("The client could fetch its revocation list from {url}."))
        }
        None => check(
            id,
            CheckStatus::NotChecked,
            &subject,
            "It is not known that the client could fetch its revocation list.",
        ),
    }
}

fn lists_go_stale(all: &Artefacts, item: &Item, leaf: &Certificate, last: Micros) -> Check {
    let id = "crl-goes-stale";
    let lists: Vec<_> = all.of(item.owner.as_deref(), Part::RevocationList).map(Item::source).collect();
    let bundle = Bundle::read(&lists);
    let own = bundle.lists.iter().filter(|list| list.issuer.same_as(&leaf.issuer) && list.base.is_none());
    let Some(latest) = own.max_by_key(|list| list.next_update) else {
        return check(
            id,
            CheckStatus::NotChecked,
            "revocation lists",
            "No list of the certificate's issuer is at hand.",
        );
    };
    let subject = format!("revocation list '{}' ({})", latest.issuer.display(), latest.source);
    let Some(ends) = latest.next_update else {
        return check(id, CheckStatus::NotChecked, &subject, "It does not say until when it holds.");
    };
    let left = ends - last.div_euclid(1_000_000);
    let (status, text) = if left <= LIST_NOTICE {
        let text = format!(
            "It holds until {}; the logs end at {}. A client that checks it then fails.",
            utc(ends),
            rfc3339(last)
        );
        (CheckStatus::Failed, text)
    } else {
        (CheckStatus::Passed, format!("It holds until {}.", utc(ends)))
    };
    check(id, status, &subject, text)
}
