//! Name constraints, and the extensions as such: known, readable, once each.

use super::Judgement;
use crate::certs::constraints::{Violation, unusable, violations};
use crate::certs::extensions::oid;
use crate::certs::paths::End;
use crate::certs::rules::{
    DUPLICATE_EXTENSION, MALFORMED_EXTENSION, NAME_CONSTRAINT_UNUSABLE, NAME_CONSTRAINT_VIOLATED, Profile,
    UNKNOWN_CRITICAL_EXTENSION,
};

pub(super) fn check(judgement: &mut Judgement<'_>) {
    for place in 0..judgement.chain.len() {
        unknown_critical(judgement, place);
        malformed(judgement, place);
        duplicate(judgement, place);
        if place > 0 {
            usable(judgement, place);
        }
        names(judgement, place);
    }
}

fn unknown_critical(judgement: &mut Judgement<'_>, place: usize) {
    let unknown: Vec<&str> = judgement.certificate(place).extensions.unknown_critical().collect();
    if unknown.is_empty() {
        judgement.passed(&UNKNOWN_CRITICAL_EXTENSION, place, "All its critical extensions are known.");
    } else {
        let found = unknown.join(", ");
        let text =
            format!("It has a critical extension that is not known ({found}); who does not know it must refuse.");
        judgement.failed(&UNKNOWN_CRITICAL_EXTENSION, place, text).found = Some(found);
    }
}

fn malformed(judgement: &mut Judgement<'_>, place: usize) {
    let certificate = judgement.certificate(place);
    let malformed = certificate.extensions.malformed.join(", ");
    if malformed.is_empty() {
        judgement.passed(&MALFORMED_EXTENSION, place, "All its extensions can be read.");
        return;
    }
    // What only points elsewhere (issuer, policies, lists) bars no Windows client from building the chain.
    let only_pointers = certificate.extensions.malformed.iter().all(|malformed| {
        matches!(malformed.as_str(), oid::AUTHORITY_INFO_ACCESS | oid::CERTIFICATE_POLICIES | oid::FRESHEST_CRL)
            && certificate.extensions.criticality(malformed) == Some(false)
    });
    let spared = only_pointers && judgement.request.profile == Profile::Windows;
    let check = judgement.failed(&MALFORMED_EXTENSION, place, format!("An extension cannot be read: {malformed}."));
    check.decides &= !spared;
    check.found = Some(malformed);
}

fn duplicate(judgement: &mut Judgement<'_>, place: usize) {
    let duplicates = judgement.certificate(place).extensions.duplicates.join(", ");
    if duplicates.is_empty() {
        judgement.passed(&DUPLICATE_EXTENSION, place, "Each extension stands once.");
    } else {
        let text = format!("An extension stands twice: {duplicates}.");
        judgement.failed(&DUPLICATE_EXTENSION, place, text).found = Some(duplicates);
    }
}

fn usable(judgement: &mut Judgement<'_>, place: usize) {
    let Some(constraints) = &judgement.certificate(place).extensions.name_constraints else {
        judgement.passed(&NAME_CONSTRAINT_UNUSABLE, place, "It does not constrain names.");
        return;
    };
    let strict = judgement.request.profile != Profile::Windows;
    match unusable(constraints, strict) {
        Some(reason) => {
            judgement.failed(
                &NAME_CONSTRAINT_UNUSABLE,
                place,
                format!("Its name constraints cannot be used: {reason}."),
            );
        }
        None => {
            judgement.passed(&NAME_CONSTRAINT_UNUSABLE, place, "Its name constraints are well formed.");
        }
    }
}

/// The names of the certificate at this place under the constraints of all authorities above it.
fn names(judgement: &mut Judgement<'_>, place: usize) {
    let certificate = judgement.certificate(place);
    // RFC 5280, section 6.1.3 (b): self-issued certificates are exempt, but for the last.
    let exempt = place > 0 && certificate.is_self_issued();
    // Only Windows takes the common name for a host.
    let by_common_name = place == 0 && judgement.request.profile == Profile::Windows;
    let mut constrained = false;
    let mut violated = false;
    for above in place + 1..judgement.chain.len() {
        let Some(constraints) = judgement.certificate(above).extensions.name_constraints.as_ref() else { continue };
        constrained = true;
        if exempt {
            continue;
        }
        for violation in violations(constraints, certificate, by_common_name) {
            violated = true;
            report(judgement, place, above, &violation);
        }
    }
    if judgement.chain.get(place + 1).is_none()
        && matches!(judgement.path.end, End::Missing | End::TooLong | End::Unfinished)
    {
        judgement.not_checked(&NAME_CONSTRAINT_VIOLATED, place, "Its issuer is not at hand.");
    } else if !violated {
        let text = match (constrained, exempt) {
            (false, _) => "No authority above it constrains names.",
            (true, true) => "It is self-issued, so the constraints above it do not apply to it.",
            (true, false) => "Its names lie within the constraints of the authorities above it.",
        };
        judgement.passed(&NAME_CONSTRAINT_VIOLATED, place, text);
    }
}

fn report(judgement: &mut Judgement<'_>, place: usize, above: usize, violation: &Violation) {
    let authority = judgement.subject(above);
    let (text, expected, found) = match violation {
        Violation::NotPermitted { name, permitted } => (
            format!("Its name {name} is not among those that {authority} may certify: {permitted}."),
            Some(permitted.clone()),
            Some(name.clone()),
        ),
        Violation::Excluded { name, excluded } => (
            format!("Its name {name} lies in what {authority} may not certify: {excluded}."),
            Some(format!("nothing under {excluded}")),
            Some(name.clone()),
        ),
        Violation::Incomparable { name } => (
            format!("{authority} constrains names of the kind of {name}, which cannot be compared."),
            None,
            Some(name.clone()),
        ),
        Violation::More { count } => {
            (format!("And {count} more of its names break the constraints of {authority}."), None, None)
        }
        Violation::TooMany => {
            (format!("Its names and the constraints of {authority} are too many to compare."), None, None)
        }
    };
    let rule = if violation.is_unusable() { &NAME_CONSTRAINT_UNUSABLE } else { &NAME_CONSTRAINT_VIOLATED };
    let check = judgement.failed(rule, place, text);
    check.expected = expected;
    check.found = found;
}
