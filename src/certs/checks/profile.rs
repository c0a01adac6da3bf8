//! What the profiles of issuance demand beyond what a path needs: RFC 5280, section 4, and the Baseline Requirements.

use super::Judgement;
use crate::certs::certificate::Certificate;
use crate::certs::extensions::{GeneralName, key_usage, oid, usage};
use crate::certs::hostname::{address_text, is_domain};
use crate::certs::key::KeyKind;
use crate::certs::request::Purpose;
use crate::certs::rules::{
    BASELINE_REQUIREMENTS, CA_AS_LEAF, CERTIFICATE_VERSION, EMPTY_NAME, EXTENSION_CRITICALITY, EXTENSION_MISPLACED,
    KEY_IDENTIFIER_MISSING, NAME_CONSTRAINTS_NOT_CRITICAL, NAME_FORM, Profile, Rule, SERIAL_NUMBER,
};

pub(super) fn check(judgement: &mut Judgement<'_>) {
    for place in 0..judgement.chain.len() {
        let certificate = judgement.certificate(place);
        let is_leaf = place == 0;
        let is_anchor = place > 0 && judgement.is_anchor(place);
        let rules: [(&'static Rule, Vec<String>); 8] = [
            (&SERIAL_NUMBER, if is_anchor { Vec::new() } else { serial_number(certificate) }),
            (&EMPTY_NAME, empty_name(certificate, is_leaf)),
            (&CERTIFICATE_VERSION, version(certificate, judgement.is_root(place))),
            (&KEY_IDENTIFIER_MISSING, key_identifiers(certificate, is_leaf, is_anchor)),
            (&EXTENSION_CRITICALITY, criticality(certificate, judgement.request.profile)),
            (&NAME_CONSTRAINTS_NOT_CRITICAL, constraints_criticality(certificate)),
            (&EXTENSION_MISPLACED, misplaced(certificate, is_leaf)),
            (&NAME_FORM, name_form(certificate)),
        ];
        for (rule, faults) in rules {
            note(judgement, rule, place, &faults);
        }
        if is_leaf {
            note(judgement, &CA_AS_LEAF, place, &ca_as_leaf(certificate));
        }
        let faults = baseline(certificate, is_leaf, judgement.is_root(place), judgement.request.purpose);
        note(judgement, &BASELINE_REQUIREMENTS, place, &faults);
    }
}

// An anchor is trusted by its presence in the store: real ones have serial number zero, and need name no issuer.

/// One check for all faults of a rule.
fn note(judgement: &mut Judgement<'_>, rule: &'static Rule, place: usize, faults: &[String]) {
    if faults.is_empty() {
        judgement.passed(rule, place, "It keeps to the profile.");
    } else {
        let found = faults.join("; ");
        let text = format!("It does not keep to the profile: {found}.");
        judgement.failed(rule, place, text).found = Some(found);
    }
}

/// A list of the faults whose condition holds.
fn faults(conditions: &[(bool, &str)]) -> Vec<String> {
    conditions.iter().filter(|(holds, _)| *holds).map(|(_, text)| (*text).to_owned()).collect()
}

fn serial_number(certificate: &Certificate) -> Vec<String> {
    let serial = certificate.serial.as_slice();
    let negative = serial.first().is_some_and(|octet| octet & 0x80 != 0);
    faults(&[
        (serial.iter().all(|octet| *octet == 0), "the serial number is zero"),
        (negative, "the serial number is negative"),
        (serial.len() > 20, "the serial number is longer than 20 octets"),
    ])
}

fn empty_name(certificate: &Certificate, is_leaf: bool) -> Vec<String> {
    faults(&[
        (certificate.issuer.is_empty(), "the issuer's name is empty"),
        (!is_leaf && certificate.subject.is_empty(), "the authority's name is empty"),
    ])
}

fn version(certificate: &Certificate, is_root: bool) -> Vec<String> {
    if certificate.version == 3 || (is_root && certificate.extensions.all.is_empty()) {
        return Vec::new();
    }
    vec![format!("the version is {}, not 3", certificate.version)]
}

fn key_identifiers(certificate: &Certificate, is_leaf: bool, is_anchor: bool) -> Vec<String> {
    let authority = certificate.extensions.authority_key.as_ref();
    faults(&[
        (
            !is_anchor && !certificate.is_self_issued() && authority.is_none_or(|authority| authority.key.is_none()),
            "it does not identify its issuer's key",
        ),
        (!is_leaf && certificate.extensions.subject_key.is_none(), "the authority does not identify its own key"),
    ])
}

fn criticality(certificate: &Certificate, profile: Profile) -> Vec<String> {
    let critical = |oid: &str| certificate.extensions.criticality(oid);
    let ca = certificate.is_ca();
    let empty = certificate.subject.is_empty();
    let baseline = profile == Profile::WebPki;
    faults(&[
        (critical(oid::AUTHORITY_KEY_IDENTIFIER) == Some(true), "the authority key identifier is critical"),
        (critical(oid::SUBJECT_KEY_IDENTIFIER) == Some(true), "the subject key identifier is critical"),
        (critical(oid::AUTHORITY_INFO_ACCESS) == Some(true), "the authority information access is critical"),
        (ca && critical(oid::BASIC_CONSTRAINTS) == Some(false), "the basic constraints are not critical"),
        (critical(oid::POLICY_CONSTRAINTS) == Some(false), "the policy constraints are not critical"),
        (
            empty && critical(oid::SUBJECT_ALTERNATIVE_NAME) == Some(false),
            "the subject is empty and the alternative names are not critical",
        ),
        (
            baseline && !empty && critical(oid::SUBJECT_ALTERNATIVE_NAME) == Some(true),
            "the alternative names are critical beside a subject",
        ),
        (baseline && critical(oid::EXTENDED_KEY_USAGE) == Some(true), "the extended key usage is critical"),
    ])
}

fn constraints_criticality(certificate: &Certificate) -> Vec<String> {
    let not_critical = certificate.extensions.criticality(oid::NAME_CONSTRAINTS) == Some(false);
    faults(&[(not_critical, "the name constraints are not critical")])
}

fn misplaced(certificate: &Certificate, is_leaf: bool) -> Vec<String> {
    let signs = certificate.extensions.key_usage.is_some_and(|bits| bits & key_usage::KEY_CERT_SIGN != 0);
    let basic = certificate.extensions.basic_constraints;
    faults(&[
        (
            is_leaf && !certificate.is_ca() && certificate.extensions.name_constraints.is_some(),
            "it constrains names and is no authority",
        ),
        (signs && !certificate.is_ca(), "its key may sign certificates and it is no authority"),
        (
            basic.is_some_and(|basic| basic.path_length.is_some()) && !certificate.is_ca(),
            "it limits the path and is no authority",
        ),
    ])
}

/// Domain names in the preferred form of RFC 1034; addresses as addresses.
fn name_form(certificate: &Certificate) -> Vec<String> {
    let mut faults = Vec::new();
    for name in certificate.names() {
        match name {
            GeneralName::Dns(dns) => {
                let body = dns.strip_prefix("*.").unwrap_or(dns);
                if !is_domain(body) || body.contains('_') {
                    faults.push(format!("'{dns}' is no domain name"));
                }
            }
            GeneralName::Ip(octets) if !matches!(octets.len(), 4 | 16) => {
                faults.push(format!("'{}' is no address", address_text(octets)));
            }
            GeneralName::Damaged(_) => faults.push("an alternative name is damaged".to_owned()),
            _ => {}
        }
        if faults.len() >= 5 {
            break;
        }
    }
    faults
}

fn ca_as_leaf(certificate: &Certificate) -> Vec<String> {
    faults(&[(certificate.is_ca(), "the leaf is a certification authority")])
}

fn baseline(certificate: &Certificate, is_leaf: bool, is_root: bool, purpose: Purpose) -> Vec<String> {
    let mut found = key_faults(certificate);
    if is_root {
        found.extend(root_faults(certificate));
    }
    if is_leaf && purpose == Purpose::Server {
        let usages = certificate.extensions.extended_key_usage.as_deref().unwrap_or_default();
        let any = usages.iter().any(|found| found == usage::ANY);
        found.extend(faults(&[(any, "the extended key usage allows any usage")]));
        found.extend(common_name_faults(certificate));
    }
    found
}

fn key_faults(certificate: &Certificate) -> Vec<String> {
    let kind = &certificate.key.kind;
    let forbidden = matches!(kind, KeyKind::Dsa | KeyKind::OtherCurve(_) | KeyKind::Other(_) | KeyKind::Ed25519);
    let uneven = matches!(kind, KeyKind::Rsa(bits) if bits % 8 != 0);
    let mut found = faults(&[(uneven, "the RSA modulus has a length that is no multiple of 8")]);
    if forbidden {
        found.push(format!("the key is {}", kind.display()));
    }
    found
}

/// Section 7.1.2.1: what a root's extensions may hold.
fn root_faults(certificate: &Certificate) -> Vec<String> {
    let extensions = &certificate.extensions;
    let authority = extensions.authority_key.as_ref();
    let other_key = authority.and_then(|authority| authority.key.as_ref()).zip(extensions.subject_key.as_ref());
    faults(&[
        (extensions.extended_key_usage.is_some(), "the root has an extended key usage"),
        (authority.is_some_and(|key| key.key.is_none()), "the root's authority key identifier names no key"),
        (
            authority.is_some_and(|key| key.has_issuer || key.serial.is_some()),
            "the root's authority key identifier names an issuer or serial number",
        ),
        (
            certificate.is_self_issued() && other_key.is_some_and(|(authority, own)| authority != own),
            "the root's authority key identifier is not its own key identifier",
        ),
    ])
}

/// Section 7.1.4.3: a common name must be one of the alternative names, character for character.
fn common_name_faults(certificate: &Certificate) -> Vec<String> {
    let is_alternative = |common: &str| {
        certificate.names().any(|name| match name {
            GeneralName::Dns(dns) => dns == common,
            GeneralName::Ip(octets) => address_text(octets) == common,
            _ => false,
        })
    };
    let foreign = certificate.subject.common_names.iter().find(|common| !is_alternative(common));
    foreign.map(|common| format!("the common name '{common}' is none of the alternative names")).into_iter().collect()
}
