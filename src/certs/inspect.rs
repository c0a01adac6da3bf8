//! What certificates and revocation lists say of themselves, without judgement.

use serde_json::{Map, Value, json};

use super::bundle::Source;
use super::certificate::Certificate;
use super::checks::{key_usage_text, time_text, usage_text};
use super::constraints::display;
use super::crl::Crl;
use super::der::hex;
use super::extensions::PointName;
use super::materials::{ReadSource, problems};
use super::roles::role;
use super::rules::{Profile, UNREADABLE};
use super::wpj::device_identity;
use crate::report::{Check, CheckStatus, Report};

/// Revocation lists and certificates that a report shows; the rest is counted.
const MOST_SHOWN: usize = 1_000;

/// Reads certificates and revocation lists and says what they hold. The verdict is false where something could not be
/// read, and else open: an expired certificate can be read as well as any.
pub fn inspect_certificate(sources: &[Source]) -> Report {
    let Report { kind, facts, mut checks, .. } =
        inspect_read(&sources.iter().map(ReadSource::read).collect::<Vec<_>>());
    let text = "What they hold was read and nothing of it judged: that takes a chain, a root store and an instant.";
    checks.push(Check::new("judged", CheckStatus::NotChecked, "all inputs", text));
    Report::new(kind, facts, checks)
}

/// What was read before, and whether all of it could be.
pub fn inspect_read(sources: &[ReadSource]) -> Report {
    let under = |mut facts: Value, source: &ReadSource| {
        facts["source"] = json!(&*source.name);
        facts
    };
    let certificates = sources
        .iter()
        .flat_map(|source| source.bundle().certificates.iter().map(move |one| under(certificate_facts(one), source)));
    let lists =
        sources.iter().flat_map(|source| source.bundle().lists.iter().map(move |one| under(list_facts(one), source)));
    let held = |source: &ReadSource| source.bundle().certificates.len() + source.bundle().lists.len();
    let mut facts = Map::new();
    facts.insert("certificates".to_owned(), certificates.take(MOST_SHOWN).collect());
    facts.insert("revocation_lists".to_owned(), lists.take(MOST_SHOWN).collect());
    facts.insert("count".to_owned(), json!(sources.iter().map(held).sum::<usize>()));
    let check = |status, subject: &str, text: String| UNREADABLE.check(Profile::Windows, status, subject, text);
    let mut checks: Vec<_> = problems(sources)
        .iter()
        .map(|problem| check(CheckStatus::Failed, &problem.place, format!("It cannot be used: {}.", problem.reason)))
        .collect();
    if checks.is_empty() {
        checks.push(check(CheckStatus::Passed, "all inputs", "Everything can be read.".to_owned()));
    }
    Report::new("certificate", facts, checks)
}

/// The facts of a certificate.
pub fn certificate_facts(certificate: &Certificate) -> Value {
    let extensions = &certificate.extensions;
    let points = extensions.distribution_points.iter().flatten().filter_map(|point| point.name.as_ref());
    let points: Vec<String> = points
        .flat_map(|name| match name {
            PointName::Full(names) => names.iter().map(display).collect(),
            PointName::Relative(_) => vec!["(relative to the issuer)".to_owned()],
        })
        .collect();
    let usages: Option<Vec<String>> =
        extensions.extended_key_usage.as_ref().map(|usages| usages.iter().map(|usage| usage_text(usage)).collect());
    let (role, why) = role(certificate);
    let identity = device_identity(certificate);
    json!({
        "source": certificate.source.as_ref(),
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "serial": certificate.serial_text(),
        "version": certificate.version,
        "not_before": time_text(certificate.not_before),
        "not_after": time_text(certificate.not_after),
        "key": certificate.key.kind.display(),
        "signature": certificate.signed.kind.display(),
        "self_issued": certificate.is_self_issued(),
        "ca": certificate.is_ca(),
        "path_length": extensions.basic_constraints.and_then(|constraints| constraints.path_length),
        "names": certificate.names().take(MOST_SHOWN).map(display).collect::<Vec<_>>(),
        "extended_key_usage": usages,
        "key_usage": extensions.key_usage.map(key_usage_text),
        "subject_key": extensions.subject_key.as_deref().map(hex),
        "authority_key": extensions.authority_key.as_ref().and_then(|authority| authority.key.as_deref()).map(hex),
        "crl_distribution_points": points,
        "ocsp": extensions.ocsp,
        "issuer_urls": extensions.issuer_urls,
        "sha1": certificate.sha1(),
        "sha256": certificate.sha256(),
        "role": role,
        "role_reason": why,
        "device": identity,
    })
}

/// The facts of a revocation list.
fn list_facts(list: &Crl) -> Value {
    json!({
        "source": list.source.as_ref(),
        "issuer": list.issuer.text,
        "this_update": time_text(list.this_update),
        "next_update": list.next_update.map(time_text),
        "number": list.number.as_ref().map(|(number, _)| hex(number)),
        "entries": list.entries,
        "delta": list.base.is_some(),
        "signature": list.signed.kind.display(),
        "bytes": list.der.len(),
    })
}
