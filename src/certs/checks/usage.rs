//! What the certificates may be used for: the leaf for its purpose, the authorities for signing.

use super::Judgement;
use crate::certs::certificate::Certificate;
use crate::certs::extensions::{key_usage, oid, usage};
use crate::certs::request::Purpose;
use crate::certs::rules::{
    CA_WITHOUT_KEYCERTSIGN, NOT_A_CA, PATH_LENGTH_EXCEEDED, POLICY_NOT_EVALUATED, Profile, WRONG_EKU, WRONG_KEY_USAGE,
};
use crate::report::CheckStatus;

pub(super) fn check(judgement: &mut Judgement<'_>) {
    for place in 0..judgement.chain.len() {
        extended_key_usage(judgement, place);
        if place == 0 {
            leaf_key_usage(judgement);
        } else {
            authority(judgement, place);
        }
    }
    policies(judgement);
}

/// The usage that a purpose asks for, dotted and in words.
fn wanted(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Server => (usage::SERVER_AUTH, "server authentication"),
        Purpose::Client => (usage::CLIENT_AUTH, "client authentication"),
    }
}

fn extended_key_usage(judgement: &mut Judgement<'_>, place: usize) {
    let certificate = judgement.certificate(place);
    let (wanted, words) = wanted(judgement.request.purpose);
    let found = match &certificate.extensions.extended_key_usage {
        Some(usages) => usages.iter().map(|usage| usage_text(usage)).collect::<Vec<_>>().join(", "),
        None => "no extended key usage, so any".to_owned(),
    };
    let check = if certificate.extensions.is_malformed(oid::EXTENDED_KEY_USAGE) {
        judgement.not_checked(&WRONG_EKU, place, "Its extended key usage cannot be read.")
    } else if certificate.allows(wanted) {
        judgement.passed(&WRONG_EKU, place, format!("It may be used for {words} ({found})."))
    } else if place == 0 {
        judgement.failed(&WRONG_EKU, place, format!("It may not be used for {words}; it is for {found}."))
    } else {
        judgement.failed(&WRONG_EKU, place, format!("It may not issue certificates for {words}; it is for {found}."))
    };
    check.expected = Some(words.to_owned());
    check.found = Some(found);
}

/// An extended key usage in words, where it is known.
pub(in crate::certs) fn usage_text(usage: &str) -> String {
    match usage {
        usage::SERVER_AUTH => "server authentication",
        usage::CLIENT_AUTH => "client authentication",
        usage::ANY => "any usage",
        "1.3.6.1.5.5.7.3.3" => "code signing",
        "1.3.6.1.5.5.7.3.4" => "e-mail protection",
        "1.3.6.1.5.5.7.3.8" => "time stamping",
        "1.3.6.1.5.5.7.3.9" => "OCSP signing",
        "1.3.6.1.4.1.311.20.2.2" => "smart card logon",
        "1.3.6.1.5.2.3.5" => "KDC authentication",
        other => other,
    }
    .to_owned()
}

/// Server keys sign, encipher or agree; client keys sign (RFC 5280, section 4.2.1.12).
fn leaf_key_usage(judgement: &mut Judgement<'_>) {
    let Some(leaf) = judgement.chain.first().copied() else { return };
    let needed = match judgement.request.purpose {
        Purpose::Server => key_usage::DIGITAL_SIGNATURE | key_usage::KEY_ENCIPHERMENT | key_usage::KEY_AGREEMENT,
        Purpose::Client => key_usage::DIGITAL_SIGNATURE | key_usage::KEY_AGREEMENT,
    };
    if leaf.extensions.is_malformed(oid::KEY_USAGE) {
        judgement.not_checked(&WRONG_KEY_USAGE, 0, "Its key usage cannot be read.");
        return;
    }
    match leaf.extensions.key_usage {
        Some(bits) if bits & needed == 0 => {
            let found = key_usage_text(bits);
            let text = format!("Its key usage allows no TLS: {found}.");
            let is_authority = leaf.is_ca() && judgement.request.profile == Profile::Rfc5280;
            let check = judgement.failed(&WRONG_KEY_USAGE, 0, text);
            // RFC 5280 makes no statement on an authority's certificate as leaf.
            check.decides &= !is_authority;
            check.found = Some(found);
        }
        Some(bits) => {
            judgement.passed(&WRONG_KEY_USAGE, 0, format!("Its key usage allows TLS: {}.", key_usage_text(bits)));
        }
        None => {
            judgement.passed(&WRONG_KEY_USAGE, 0, "It has no key usage, so any.");
        }
    }
}

/// Key usage bits in words.
pub(in crate::certs) fn key_usage_text(bits: u16) -> String {
    const NAMES: [&str; 9] = [
        "digital signature",
        "non-repudiation",
        "key encipherment",
        "data encipherment",
        "key agreement",
        "certificate signing",
        "CRL signing",
        "encipher only",
        "decipher only",
    ];
    let named: Vec<_> =
        NAMES.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, name)| *name).collect();
    if named.is_empty() { "nothing".to_owned() } else { named.join(", ") }
}

fn authority(judgement: &mut Judgement<'_>, place: usize) {
    let certificate = judgement.certificate(place);
    not_a_ca(judgement, place, certificate);
    if certificate.extensions.is_malformed(oid::KEY_USAGE) {
        judgement.not_checked(&CA_WITHOUT_KEYCERTSIGN, place, "Its key usage cannot be read.");
    } else if certificate.may_sign_certificates() {
        judgement.passed(&CA_WITHOUT_KEYCERTSIGN, place, "Its key may sign certificates.");
    } else {
        let found = certificate.extensions.key_usage.map(key_usage_text).unwrap_or_default();
        let text = format!("Its key may not sign certificates; it is for {found}.");
        judgement.failed(&CA_WITHOUT_KEYCERTSIGN, place, text).found = Some(found);
    }
    path_length(judgement, place, certificate);
}

fn not_a_ca(judgement: &mut Judgement<'_>, place: usize, certificate: &Certificate) {
    // RFC 5280, section 6.1.4 (k): certificates before version 3 have no extension to say so. A root that the client
    // trusts by its store is an authority by that; an intermediate is not.
    let trusted_old_root = certificate.version < 3 && judgement.is_anchor(place);
    if certificate.extensions.is_malformed(oid::BASIC_CONSTRAINTS) {
        judgement.not_checked(&NOT_A_CA, place, "Its basic constraints cannot be read.");
    } else if certificate.is_ca() || trusted_old_root {
        judgement.passed(&NOT_A_CA, place, "It is a certification authority.");
    } else {
        let found = match certificate.extensions.basic_constraints {
            Some(_) => "basic constraints that say it is none",
            None => "no basic constraints",
        };
        judgement
            .failed(
                &NOT_A_CA,
                place,
                format!("It issued the certificate below it and is no authority: it has {found}."),
            )
            .found = Some(found.to_owned());
    }
}

fn path_length(judgement: &mut Judgement<'_>, place: usize, certificate: &Certificate) {
    let allowed = certificate.extensions.basic_constraints.and_then(|constraints| constraints.path_length);
    // Authorities between this one and the leaf; self-issued ones do not count (RFC 5280, section 4.2.1.9).
    let below = (1..place).filter(|at| !judgement.certificate(*at).is_self_issued()).count() as u64;
    match allowed {
        Some(allowed) if below > allowed => {
            let text = format!("It allows {allowed} authorities below it; there are {below}.");
            let check = judgement.failed(&PATH_LENGTH_EXCEEDED, place, text);
            check.expected = Some(format!("at most {allowed}"));
            check.found = Some(below.to_string());
        }
        Some(allowed) => {
            let text = format!("It allows {allowed} authorities below it; there are {below}.");
            judgement.passed(&PATH_LENGTH_EXCEEDED, place, text);
        }
        None => {
            judgement.passed(&PATH_LENGTH_EXCEEDED, place, "It does not limit the authorities below it.");
        }
    }
}

/// Certificate policies are read and not evaluated; that decides only where the path demands it.
fn policies(judgement: &mut Judgement<'_>) {
    let demanding: Vec<usize> =
        (0..judgement.chain.len()).filter(|at| judgement.certificate(*at).extensions.policies.demanded).collect();
    let named = judgement.chain.iter().any(|certificate| certificate.extensions.policies.named);
    if demanding.is_empty() {
        let text = if named {
            "No certificate demands that policies be processed; those it names were not evaluated."
        } else {
            "No certificate names a policy."
        };
        judgement.passed(&POLICY_NOT_EVALUATED, 0, text);
        return;
    }
    for place in demanding {
        let text = "It constrains, maps or inhibits certificate policies; policies were not evaluated.";
        let decides = judgement.certificate(place).extensions.all.iter().any(|extension| {
            extension.critical && matches!(extension.oid.as_str(), oid::POLICY_CONSTRAINTS | oid::INHIBIT_ANY_POLICY)
        });
        let check = judgement.add(&POLICY_NOT_EVALUATED, CheckStatus::NotChecked, place, text);
        check.decides &= decides;
    }
}
