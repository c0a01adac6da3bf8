//! The checks of one path. Each is made for every certificate it concerns; none stops another.

mod constraints;
mod naming;
mod profile;
pub(super) mod revocation;
mod signature;
mod trust;
mod usage;
mod validity;

pub(super) use trust::presented_list;
pub(super) use usage::{key_usage_text, usage_text};

use super::certificate::Certificate;
use super::paths::{End, Path, Pool};
use super::request::ChainRequest;
use super::rules::{
    ALL, CA_WITHOUT_KEYCERTSIGN, EXPIRED, EXPLICITLY_DISTRUSTED, NOT_A_CA, NOT_YET_VALID, PATH_LENGTH_EXCEEDED,
    REVOKED, Rule, UNKNOWN_CRITICAL_EXTENSION, UNREADABLE, WEAK_KEY, WEAK_SIGNATURE, WRONG_EKU,
};
use crate::report::{Check, CheckStatus};

/// What is known of a store of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// All of it.
    Whole,
    /// It was given, and some of it cannot be read: what is looked for may be there.
    Partly,
    /// It was not given.
    Not,
}

/// What is known of the client's stores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stores {
    /// The root store.
    pub roots: Known,
    /// The disallowed store.
    pub disallowed: Known,
}

/// A path under judgement, and what was found so far.
pub(super) struct Judgement<'a> {
    pub request: &'a ChainRequest,
    pub pool: &'a Pool<'a>,
    pub path: Path,
    /// Which stores are known as a whole.
    pub stores: Stores,
    /// The certificates of the path, leaf first.
    pub chain: Vec<&'a Certificate>,
    pub checks: Vec<Check>,
}

impl<'a> Judgement<'a> {
    /// Nothing judged yet.
    pub fn new(request: &'a ChainRequest, pool: &'a Pool<'a>, stores: Stores, path: Path) -> Self {
        let chain = path.nodes.iter().filter_map(|at| pool.get(*at)).collect();
        Self { request, pool, path, stores, chain, checks: Vec::new() }
    }

    /// Makes all checks but revocation, which needs the lists.
    pub fn judge(&mut self) {
        trust::check(self);
        validity::check(self);
        naming::check(self);
        usage::check(self);
        constraints::check(self);
        signature::check(self);
        profile::check(self);
    }

    /// The certificate at this place.
    #[allow(clippy::indexing_slicing)] // every place is an index of the chain: checks walk it by its length
    pub fn certificate(&self, place: usize) -> &'a Certificate {
        self.chain[place]
    }

    /// Seconds of Unix time at which the chain is judged; fractions count as the second they lie in, as both bounds of
    /// a validity are inclusive (RFC 5280, section 4.1.2.5).
    pub fn seconds(&self) -> i64 {
        self.request.at.div_euclid(1_000_000)
    }

    /// Whether the certificate at this place is the end of a path that the client trusts.
    pub fn is_anchor(&self, place: usize) -> bool {
        self.path.end == End::Anchor && place + 1 == self.chain.len()
    }

    /// Whether the certificate at this place is a root: the anchor, or self-signed at the end.
    pub fn is_root(&self, place: usize) -> bool {
        place + 1 == self.chain.len() && matches!(self.path.end, End::Anchor | End::SelfSigned)
    }

    /// The certificate at this place, as sentences name it.
    pub fn subject(&self, place: usize) -> String {
        let role = match place {
            0 => "leaf",
            _ if self.is_root(place) => "root",
            _ => "intermediate",
        };
        let name = self.chain.get(place).map(|certificate| certificate.display()).unwrap_or_default();
        format!("{role} '{name}'")
    }

    pub fn passed(&mut self, rule: &'static Rule, place: usize, explanation: impl Into<String>) -> &mut Check {
        self.add(rule, CheckStatus::Passed, place, explanation)
    }

    pub fn failed(&mut self, rule: &'static Rule, place: usize, explanation: impl Into<String>) -> &mut Check {
        self.add(rule, CheckStatus::Failed, place, explanation)
    }

    pub fn not_checked(&mut self, rule: &'static Rule, place: usize, explanation: impl Into<String>) -> &mut Check {
        self.add(rule, CheckStatus::NotChecked, place, explanation)
    }

    /// Adds a check of the certificate at this place.
    pub fn add(
        &mut self,
        rule: &'static Rule,
        status: CheckStatus,
        place: usize,
        explanation: impl Into<String>,
    ) -> &mut Check {
        let subject = self.subject(place);
        self.add_on(rule, status, &subject, explanation)
    }

    /// Adds a check of something else than a certificate on the path.
    pub fn add_on(
        &mut self,
        rule: &'static Rule,
        status: CheckStatus,
        subject: &str,
        explanation: impl Into<String>,
    ) -> &mut Check {
        let at = self.checks.len();
        self.checks.push(rule.check(self.request.profile, status, subject, explanation.into()));
        &mut self.checks[at] // it was pushed in the line above
    }
}

/// The checks that could not be made because the leaf cannot be read: they do not decide, as the leaf itself does.
pub(super) fn not_made_of_leaf(request: &ChainRequest, why: &str) -> Vec<Check> {
    not_made(request, ALL.iter().copied().filter(|rule| **rule != UNREADABLE), "leaf", why)
}

/// The checks that could not be made because an issuer is not at hand: they do not decide, as its absence does.
pub(super) fn not_made_of_issuer(request: &ChainRequest, issuer: &str) -> Vec<Check> {
    let of_an_authority = [
        &EXPIRED,
        &NOT_YET_VALID,
        &WRONG_EKU,
        &NOT_A_CA,
        &CA_WITHOUT_KEYCERTSIGN,
        &PATH_LENGTH_EXCEEDED,
        &UNKNOWN_CRITICAL_EXTENSION,
        &WEAK_SIGNATURE,
        &WEAK_KEY,
        &EXPLICITLY_DISTRUSTED,
        &REVOKED,
    ];
    let subject = format!("missing issuer '{issuer}'");
    not_made(request, of_an_authority.into_iter(), &subject, "This certificate is not at hand.")
}

fn not_made(
    request: &ChainRequest,
    rules: impl Iterator<Item = &'static Rule>,
    subject: &str,
    why: &str,
) -> Vec<Check> {
    rules.map(|rule| rule.check(request.profile, CheckStatus::NotChecked, subject, why.to_owned()).remark()).collect()
}

/// A duration in words, of the two largest units: "2 days 3 hours".
pub(super) fn duration_text(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let units = [
        ("day", seconds / 86_400),
        ("hour", seconds / 3_600 % 24),
        ("minute", seconds / 60 % 60),
        ("second", seconds % 60),
    ];
    let shown: Vec<String> = units
        .iter()
        .skip_while(|(_, n)| *n == 0)
        .take(2)
        .filter(|(_, n)| *n > 0)
        .map(|(unit, n)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" }))
        .collect();
    if shown.is_empty() { "0 seconds".to_owned() } else { shown.join(" ") }
}

/// Unix seconds as RFC 3339.
pub(super) fn time_text(seconds: i64) -> String {
    let text = crate::time::rfc3339(seconds.saturating_mul(1_000_000));
    text.replace(".000Z", "Z")
}
