//! Checks of a presented chain that no chain alone allows: against what others were presented, against what could be
//! fetched, and against the days to come. All are remarks: they do not make the chain good or bad.

use std::collections::BTreeSet;

use super::item::Item;
use super::machines::Machine;
use super::naming::Part;
use super::{Artefacts, Client};
use crate::certs::{Certificate, certificate_facts};
use crate::report::{Check, CheckStatus, Report};
use crate::time::{Micros, rfc3339};

const DAY: i64 = 86_400;

/// A certificate with less time left is told: replacing one takes a request, an approval and a deployment. One that
/// lives shorter is replaced by a machine, and told in the last third of its life.
const CERTIFICATE_NOTICE: i64 = 30 * DAY;

/// A list of which less than this part of its life is left is told, unless it says itself when the next one is due:
/// authorities publish the next one earlier (those of Windows by a tenth of the life, and by 12 hours at most).
const LIST_NOTICE: i64 = 16;

/// What logs and lists of a machine tell.
pub(super) struct Told<'a> {
    /// UTC of its last log line.
    pub last: Micros,
    /// Addresses that it could fetch.
    pub came: &'a BTreeSet<&'a str>,
    /// The machine.
    pub machine: Option<&'a Machine>,
}

impl Told<'_> {
    /// When its logs end, Unix time.
    fn end(&self) -> i64 {
        self.last.div_euclid(1_000_000)
    }
}

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

/// All of them.
pub(super) fn checks(all: &Artefacts, item: &Item, client: &Client<'_>, told: &Told<'_>) -> Vec<Check> {
    let genuine = genuine(all, item, client);
    let mut checks = vec![same_for_all(all, item, client, &genuine), genuine];
    if let Some(leaf) = item.leaf_certificate() {
        checks.extend(ends(leaf, told.end()));
        checks.push(clock_behind(leaf, item, told.last));
        checks.push(lists_fetched(leaf, told.came));
        checks.extend(lists_end(all, item, leaf, told));
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

/// Whether other machines were presented a certificate of the same issuer. Of two that differ, one that is known to be
/// the gateway's own has nothing against it, nor has that of a machine which the gateway never failed to answer.
fn same_for_all(all: &Artefacts, item: &Item, client: &Client<'_>, genuine: &Check) -> Check {
    let (id, subject) = ("issuer-same-for-all", "presented list");
    match (others(all, item, client).find(|other| !is_alike(item, other)), others(all, item, client).next()) {
        (Some(_), _) if genuine.status == CheckStatus::Passed => {
            check(id, CheckStatus::Passed, subject, genuine.explanation.clone())
        }
        (Some(_), _) if is_always_answered(all, item) => check(
            id,
            CheckStatus::Passed,
            subject,
            "The gateway answered this machine: the others' certificates are not its own.",
        ),
        (Some(other), _) => differs(id, item, other),
        (None, Some(_)) => check(id, CheckStatus::Passed, subject, "Other machines were presented the same issuer."),
        (None, None) => {
            check(id, CheckStatus::NotChecked, subject, "What other machines were presented is not at hand.")
        }
    }
}

fn is_always_answered(all: &Artefacts, item: &Item) -> bool {
    let machine = item.owner.as_deref().and_then(|owner| all.machines.get(owner));
    machine.is_some_and(|machine| !machine.has_failed() && !machine.answered_by.is_empty())
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
/// machine that the gateway answered whenever it asked. What was answered and failed since may have been shown another's.
fn genuine(all: &Artefacts, item: &Item, client: &Client<'_>) -> Check {
    let (id, subject) = ("issuer-genuine", "presented list");
    let is_known = |other: &&Item| match other.owner.as_deref() {
        None => true,
        Some(owner) => all.machines.get(owner).filter(|machine| !machine.has_failed()).is_some_and(|machine| {
            client.cmg.map_or(!machine.answered_by.is_empty(), |cmg| machine.answered_by.contains(cmg))
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

/// Whether the certificate had ended when the logs did, and whether it was about to.
fn ends(leaf: &Certificate, end: i64) -> [Check; 2] {
    let subject = format!("leaf '{}'", leaf.display());
    let (left, until) = (leaf.not_after - end, utc(leaf.not_after));
    let days = left.div_euclid(DAY);
    let notice = CERTIFICATE_NOTICE.min((leaf.not_after - leaf.not_before) / 3);
    let ended = if left < 0 {
        (CheckStatus::Failed, format!("It ended on {until}, before the logs end ({}).", utc(end)))
    } else {
        (CheckStatus::Passed, "It was valid still when the logs ended.".to_owned())
    };
    let soon = match left {
        ..0 => (CheckStatus::NotChecked, "It has ended already.".to_owned()),
        left if left <= notice => (CheckStatus::Failed, format!("It ends on {until}, {days} days after the logs end.")),
        _ => (CheckStatus::Passed, format!("It is valid for {days} days after the logs end.")),
    };
    [check("expired-by-end-of-logs", ended.0, &subject, ended.1), check("expires-soon", soon.0, &subject, soon.1)]
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

/// Whether the newest revocation list had ended when the logs did, and whether its successor was overdue.
fn lists_end(all: &Artefacts, item: &Item, leaf: &Certificate, told: &Told<'_>) -> [Check; 2] {
    let ids = ["crl-stale-by-end-of-logs", "crl-goes-stale"];
    let not_checked = |subject: &str, why: &str| ids.map(|id| check(id, CheckStatus::NotChecked, subject, why));
    let lists = all
        .of(item.owner.as_deref(), Part::RevocationList)
        .flat_map(|item| item.lists().iter().map(|list| (list, &*item.path)).collect::<Vec<_>>());
    let own = lists.filter(|(list, _)| list.issuer.same_as(&leaf.issuer) && list.base.is_none());
    let Some((latest, path)) = own.max_by_key(|(list, _)| list.next_update) else {
        return not_checked("revocation lists", "No list of the certificate's issuer is at hand.");
    };
    let subject = format!("revocation list '{}' ({path})", latest.issuer.display());
    let Some(ends) = latest.next_update else {
        return not_checked(&subject, "It does not say until when it holds.");
    };
    let end = told.end();
    let checked = told.machine.and_then(|machine| machine.checked).map_or(i64::MIN, |at| at.div_euclid(1_000_000));
    let (until, logs_end) = (utc(ends), utc(end));
    let stale = if end <= ends {
        (CheckStatus::Passed, format!("It holds until {until}; the logs end at {logs_end}."))
    } else if checked > ends {
        let text = format!(
            "It ended at {until}, but a request went well with CRL checking on at {}: this client had a newer one.",
            utc(checked)
        );
        (CheckStatus::Passed, text)
    } else {
        (CheckStatus::Failed, format!("It ended at {until}, before the logs end ({logs_end})."))
    };
    let due = latest.next_publish.unwrap_or(ends - (ends - latest.this_update) / LIST_NOTICE);
    let soon = if end > ends {
        (CheckStatus::NotChecked, "It has ended already.".to_owned())
    } else if end > due {
        let text =
            format!("It holds until {until}, its successor was due by {}, and the logs end at {logs_end}.", utc(due));
        (CheckStatus::Failed, text)
    } else {
        (CheckStatus::Passed, format!("It holds until {until}."))
    };
    [check(ids[0], stale.0, &subject, stale.1), check(ids[1], soon.0, &subject, soon.1)]
}
