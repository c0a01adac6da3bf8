//! What the lists say, as checks: per certificate its status, per list what is wrong with it, per address whether an
//! internet client can be expected to reach it.

use super::{Judgement, duration_text, time_text};
use crate::certs::certificate::Certificate;
use crate::certs::extensions::{GeneralName, PointName};
use crate::certs::paths::Search;
use crate::certs::reach::unreachable_from_internet;
use crate::certs::request::{Revocation, Vantage};
use crate::certs::revocation::{Answer, Examiner, Lists, Status, Use};
use crate::certs::rules::{
    CDP_UNREACHABLE_FROM_INTERNET, CLIENT_CLOCK_SUSPECT, CRL_BAD_SIGNATURE, CRL_DELTA_ONLY, CRL_ISSUED_LATER,
    CRL_NUMBER, CRL_SIGNER_NOT_ALLOWED, CRL_STALE, CRL_UNKNOWN_CRITICAL_EXTENSION, CRL_UNREACHABLE, CRL_UNREADABLE,
    CRL_WRONG_SCOPE, NO_CRL_DISTRIBUTION_POINT, REVOCATION_UNKNOWN, REVOKED, Rule,
};
use crate::report::CheckStatus;

/// What a list is looked at for.
const OF_A_LIST: [&Rule; 8] = [
    &CRL_STALE,
    &CRL_ISSUED_LATER,
    &CRL_BAD_SIGNATURE,
    &CRL_SIGNER_NOT_ALLOWED,
    &CRL_WRONG_SCOPE,
    &CRL_DELTA_ONLY,
    &CRL_UNKNOWN_CRITICAL_EXTENSION,
    &CRL_NUMBER,
];

/// Checks every certificate of the path but a root.
pub(in crate::certs) fn check<'a>(judgement: &mut Judgement<'a>, lists: &'a Lists<'a>, search: &mut Search<'a>) {
    let revocation = judgement.request.effective_revocation();
    let to_check = match revocation {
        Revocation::Off => 0,
        Revocation::Leaf => 1,
        Revocation::Chain => judgement.chain.len(),
    };
    unreadable(judgement, lists);
    unrelated(judgement, lists);
    clock(judgement, lists);
    let anchor = judgement.path.nodes.last().copied();
    let mut examiner = Examiner::new(judgement.request, judgement.pool, lists, search, anchor);
    for place in 0..judgement.chain.len() {
        if judgement.is_root(place) {
            continue; // nobody revokes a root: it is distrusted instead
        }
        let certificate = judgement.certificate(place);
        reach(judgement, place, certificate);
        if place >= to_check {
            not_asked(judgement, place, revocation);
            continue;
        }
        let nodes = &judgement.path.nodes;
        let answer = match nodes.get(place) {
            Some(subject) => examiner.examine(*subject, nodes.get(place + 1).copied()),
            None => continue,
        };
        report(judgement, place, certificate, lists, &answer);
    }
}

/// The addresses of a certificate's lists.
fn addresses(certificate: &Certificate) -> Vec<&str> {
    let points = certificate.extensions.distribution_points.iter().flatten();
    points
        .filter_map(|point| if let Some(PointName::Full(names)) = &point.name { Some(names) } else { None })
        .flatten()
        .filter_map(|name| if let GeneralName::Uri(uri) = name { Some(uri.as_str()) } else { None })
        .collect()
}

fn not_asked(judgement: &mut Judgement<'_>, place: usize, revocation: Revocation) {
    let why = match (revocation, judgement.request.revocation) {
        (Revocation::Off, None) => "No revocation list was given, so revocation was not checked.",
        (Revocation::Off, Some(_)) => "Revocation checking is off.",
        _ => "Revocation checking is on for the leaf alone.",
    };
    for rule in
        [&REVOKED, &REVOCATION_UNKNOWN, &NO_CRL_DISTRIBUTION_POINT, &CRL_UNREACHABLE].into_iter().chain(OF_A_LIST)
    {
        judgement.not_checked(rule, place, why).decides = false;
    }
}

/// Lists that cannot be read are told; they decide only where it is known that they are this path's.
fn unreadable(judgement: &mut Judgement<'_>, lists: &Lists<'_>) {
    if lists.unreadable.is_empty() && !lists.known.is_empty() {
        judgement.add_on(&CRL_UNREADABLE, CheckStatus::Passed, "revocation lists", "All lists given can be read.");
    }
    for (problem, _) in &lists.unreadable {
        let subject = format!("revocation list '{}'", problem.place);
        let text = format!("It cannot be used: {}.", problem.reason);
        judgement.add_on(&CRL_UNREADABLE, CheckStatus::Failed, &subject, text).decides = false;
    }
}

/// Lists out of reach that no certificate of the path names.
fn unrelated(judgement: &mut Judgement<'_>, lists: &Lists<'_>) {
    let named: Vec<&str> = judgement.chain.iter().flat_map(|certificate| addresses(certificate)).collect();
    for url in lists.unreachable.iter().filter(|url| !named.iter().any(|named| named.eq_ignore_ascii_case(url.trim())))
    {
        let subject = format!("revocation list '{url}'");
        let text = "The client could not fetch it; no certificate of the path names it, so none needs it.";
        judgement.add_on(&CRL_UNREACHABLE, CheckStatus::NotChecked, &subject, text).decides = false;
    }
}

/// Whether what others signed lately lies in the client's future. An inference: the clock may be behind.
fn clock(judgement: &mut Judgement<'_>, lists: &Lists<'_>) {
    const SKEW: i64 = 300;
    let (rule, subject, at) = (&CLIENT_CLOCK_SUSPECT, "instant looked at", judgement.seconds());
    let latest = lists.known.iter().map(|known| known.list).max_by_key(|list| list.this_update);
    let Some(latest) = latest else {
        let text = "No revocation list was given to hold the clock against.";
        judgement.add_on(rule, CheckStatus::NotChecked, subject, text);
        return;
    };
    let issued = time_text(latest.this_update);
    let ahead = latest.this_update - at;
    let check = if ahead > SKEW {
        let text = format!(
            "The revocation list of '{}' was issued {} later: it was fetched after that instant, or the client's clock \
             is behind.",
            latest.issuer.display(),
            duration_text(ahead)
        );
        judgement.add_on(rule, CheckStatus::Failed, subject, text)
    } else {
        judgement.add_on(rule, CheckStatus::Passed, subject, "No revocation list was issued later.")
    };
    check.expected = Some(format!("at least {issued}"));
    check.found = Some(time_text(at));
}

fn reach(judgement: &mut Judgement<'_>, place: usize, certificate: &Certificate) {
    let rule = &CDP_UNREACHABLE_FROM_INTERNET;
    let addresses = addresses(certificate);
    if judgement.request.vantage == Vantage::Intranet {
        judgement.not_checked(rule, place, "The client stands on the organisation's network.");
        return;
    }
    if addresses.is_empty() {
        judgement.not_checked(rule, place, "It names no address of a revocation list.");
        return;
    }
    let internal = &judgement.request.internal_suffixes;
    let reasons: Vec<String> = addresses
        .iter()
        .filter_map(|uri| Some(format!("{uri} ({})", unreachable_from_internet(uri, internal)?)))
        .collect();
    let found = addresses.join(", ");
    let check = if reasons.len() == addresses.len() {
        let text = format!(
            "An internet client cannot be expected to reach any of the places of its revocation list: {}. With CRL \
             checking on, it cannot tell whether the certificate is revoked.",
            reasons.join("; ")
        );
        judgement.failed(rule, place, text)
    } else {
        judgement.passed(rule, place, "An internet client can be expected to reach a place of its revocation list.")
    };
    check.expected = Some("an HTTP address on the internet".to_owned());
    check.found = Some(found);
}

/// The status of one certificate and the faults of the lists that speak for it.
fn report(judgement: &mut Judgement<'_>, place: usize, certificate: &Certificate, lists: &Lists<'_>, answer: &Answer) {
    let unknown = answer.status == Status::Unknown;
    let later = answer.uses.iter().any(Use::is_only_later);
    let listed = list_faults(judgement, lists, answer, unknown);
    let cut_off = unreachable(judgement, place, certificate, lists, unknown);
    distribution_points(judgement, place, certificate, unknown);
    match &answer.status {
        Status::Good => {
            judgement.passed(&REVOKED, place, "It is on no revocation list that speaks for it.");
            judgement.passed(&REVOCATION_UNKNOWN, place, "A fresh, signed revocation list speaks for it.");
        }
        Status::Revoked { list, entry } => {
            let source = lists.known.get(*list).map(|known| known.list.issuer.display().to_owned()).unwrap_or_default();
            let when =
                entry.at.map_or_else(|| "at an unreadable time".to_owned(), |at| format!("on {}", time_text(at)));
            let serial = certificate.serial_text();
            let text =
                format!("It was revoked {when} ({}): serial number {serial}, list of '{source}'.", entry.reason_text());
            judgement.failed(&REVOKED, place, text).found = Some(format!("{when}, {}", entry.reason_text()));
            judgement.passed(&REVOCATION_UNKNOWN, place, "A revocation list names it.");
        }
        Status::Unknown => {
            let ocsp = certificate.extensions.ocsp.first();
            let hint = ocsp
                .map(|url| format!(" Its issuer also answers by OCSP ({url}), which was not asked."))
                .unwrap_or_default();
            let (status, text) = if later && !cut_off {
                let text = format!(
                    "The list at hand was issued after the instant looked at and tells of no revocation before it; whether a \
                     client had a list then is open.{hint}"
                );
                (CheckStatus::NotChecked, text)
            } else if listed || cut_off {
                (CheckStatus::Failed, format!("No revocation list that can be believed speaks for it.{hint}"))
            } else {
                (CheckStatus::NotChecked, format!("No revocation list of its issuer was given.{hint}"))
            };
            judgement.not_checked(&REVOKED, place, "No usable revocation list speaks for it.").decides = false;
            judgement.add(&REVOCATION_UNKNOWN, status, place, text);
        }
    }
}

/// What is wrong with each list; decides only where no other list answers. Says whether there was a list at all.
fn list_faults(judgement: &mut Judgement<'_>, lists: &Lists<'_>, answer: &Answer, unknown: bool) -> bool {
    for used in &answer.uses {
        let Some(known) = lists.known.get(used.list) else { continue };
        let from = known.url.clone().unwrap_or_else(|| known.source.to_owned());
        let subject = format!("revocation list '{}' ({from})", known.list.issuer.display());
        for rule in OF_A_LIST {
            let faults: Vec<&str> =
                used.faults.iter().filter(|(fault, _)| *fault == rule).map(|(_, text)| text.as_str()).collect();
            if faults.is_empty() {
                judgement.add_on(rule, CheckStatus::Passed, &subject, "Nothing is wrong with it in this respect.");
                continue;
            }
            // Lists are mostly fetched after the failure, which makes none of them bad.
            let status = if rule == &CRL_ISSUED_LATER { CheckStatus::NotChecked } else { CheckStatus::Failed };
            judgement.add_on(rule, status, &subject, faults.join(" ")).decides &= unknown;
        }
    }
    !answer.uses.is_empty()
}

/// Lists of this certificate that the client could not fetch, or that cannot be read.
fn unreachable(
    judgement: &mut Judgement<'_>,
    place: usize,
    certificate: &Certificate,
    lists: &Lists<'_>,
    unknown: bool,
) -> bool {
    let addresses = addresses(certificate);
    let its = |url: &str| addresses.iter().any(|address| address.eq_ignore_ascii_case(url.trim()));
    let cut_off: Vec<&str> = lists.unreachable.iter().map(String::as_str).filter(|url| its(url)).collect();
    let damaged = lists.unreadable.iter().filter_map(|(_, url)| url.as_deref()).any(its);
    if cut_off.is_empty() {
        judgement.passed(&CRL_UNREACHABLE, place, "No place of its revocation list is known to be out of reach.");
    } else {
        let found = cut_off.join(", ");
        let text = format!("The client could not fetch its revocation list from {found}.");
        let check = judgement.failed(&CRL_UNREACHABLE, place, text);
        check.decides &= unknown;
        check.found = Some(found);
    }
    !cut_off.is_empty() || damaged
}

fn distribution_points(judgement: &mut Judgement<'_>, place: usize, certificate: &Certificate, unknown: bool) {
    let named = certificate.extensions.distribution_points.is_some() || !certificate.extensions.ocsp.is_empty();
    if named {
        judgement.passed(&NO_CRL_DISTRIBUTION_POINT, place, "It says where its revocation is found.");
    } else {
        let text = "It says nowhere where its revocation is found, so a client cannot look.";
        judgement.failed(&NO_CRL_DISTRIBUTION_POINT, place, text).decides &= unknown;
    }
}
