//! Revocation by lists (RFC 5280, section 6.3): which list speaks for a certificate, whether it can be believed, and
//! what it says.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::bundle::Problem;
use super::certificate::Certificate;
use super::crl::{Crl, Revocation, Scope};
use super::extensions::{DistributionPoint, GeneralName, PointName};
use super::key::{Verification, verify};
use super::materials::ReadList;
use super::name::Name;
use super::paths::{End, Pool, Search};
use super::request::ChainRequest;
use super::rules::{
    CRL_BAD_SIGNATURE, CRL_DELTA_ONLY, CRL_ISSUED_LATER, CRL_NUMBER, CRL_SIGNER_NOT_ALLOWED, CRL_STALE,
    CRL_UNKNOWN_CRITICAL_EXTENSION, CRL_WRONG_SCOPE, Rule,
};

/// Lists looked at for one certificate.
const MOST_LISTS: usize = 32;
/// Signatures of lists verified in one validation.
const MOST_SIGNATURES: usize = 200;
/// All reasons of RFC 5280, section 5.3.1 that a list may be limited to, as bits 1 to 8.
const ALL_REASONS: u16 = 0x1fe;

/// A list with the address it came from.
pub(super) struct KnownList<'m> {
    /// The list.
    pub list: &'m Crl,
    /// The file it lies in.
    pub source: &'m str,
    /// Where it is published, if that is known.
    pub url: Option<String>,
}

/// All lists of a request.
#[derive(Default)]
pub(super) struct Lists<'m> {
    /// Those that can be read.
    pub known: Vec<KnownList<'m>>,
    /// Those that cannot, with the address they came from.
    pub unreadable: Vec<(Problem, Option<String>)>,
    /// Addresses from which the client could fetch nothing.
    pub unreachable: Vec<String>,
}

impl<'m> Lists<'m> {
    /// Sorts the lists given.
    pub fn of(given: &'m [ReadList]) -> Self {
        let mut lists = Self::default();
        let mut seen = HashSet::new();
        for one in given {
            let Some(read) = &one.read else {
                lists.unreachable.extend(one.url.clone());
                continue;
            };
            let url = || one.url.clone();
            for list in &read.bundle().lists {
                let one = KnownList { list, source: &read.name, url: url() };
                if seen.insert((list.der.as_ref(), one.url.clone())) {
                    lists.known.push(one);
                }
            }
            lists.unreadable.extend(read.problems(0).map(|problem| (problem, url())));
            if let Some(certificate) = read.bundle().certificates.first() {
                let reason = format!(
                    "it holds the certificate '{}' where a revocation list was expected",
                    certificate.display()
                );
                let place = read.name.to_string();
                lists.unreadable.push((Problem { place, reason, certificates_before: 0 }, url()));
            }
        }
        lists
    }
}

/// What the lists say of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// Every reason is covered by a list that can be believed, and none names it.
    Good,
    /// A list names it.
    Revoked {
        /// Which list, an index.
        list: usize,
        /// Its entry.
        entry: Revocation,
    },
    /// No list, or none that can be believed, speaks for it.
    Unknown,
}

/// A list that speaks for a certificate by its issuer, and what is wrong with it.
#[derive(Debug, Clone)]
pub(super) struct Use {
    /// Which list, an index.
    pub list: usize,
    /// What is wrong: the rule and a sentence.
    pub faults: Vec<(&'static Rule, String)>,
    /// The reasons it covers, as bits.
    reasons: u16,
}

impl Use {
    /// Whether it can be believed.
    fn is_usable(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether it can be believed but for its dates: what it names was revoked, whatever day it is.
    fn is_usable_but_for_its_dates(&self) -> bool {
        self.faults.iter().all(|(rule, _)| [&CRL_STALE, &CRL_ISSUED_LATER].contains(rule))
    }

    /// Whether nothing but its being of later days speaks against it.
    pub fn is_only_later(&self) -> bool {
        !self.faults.is_empty() && self.faults.iter().all(|(rule, _)| *rule == &CRL_ISSUED_LATER)
    }
}

/// The answer for one certificate.
pub(super) struct Answer {
    /// The status.
    pub status: Status,
    /// The lists that were looked at.
    pub uses: Vec<Use>,
}

/// Looks certificates up in lists.
pub(super) struct Examiner<'a, 's> {
    request: &'a ChainRequest,
    pool: &'a Pool<'a>,
    lists: &'a Lists<'a>,
    search: &'s mut Search<'a>,
    /// The anchor of the path, where a list's signer must end too.
    anchor: Option<usize>,
}

impl<'a, 's> Examiner<'a, 's> {
    /// An examiner for a path that ends at `anchor`.
    pub fn new(
        request: &'a ChainRequest,
        pool: &'a Pool<'a>,
        lists: &'a Lists<'a>,
        search: &'s mut Search<'a>,
        anchor: Option<usize>,
    ) -> Self {
        Self { request, pool, lists, search, anchor }
    }

    /// What the lists say of the certificate at `subject`, whose issuer on the path is at `issuer`.
    pub fn examine(&mut self, subject: usize, issuer: Option<usize>) -> Answer {
        self.examine_at_depth(subject, issuer, 0)
    }

    fn examine_at_depth(&mut self, subject: usize, issuer: Option<usize>, depth: usize) -> Answer {
        let pool = self.pool;
        let Some(certificate) = pool.get(subject) else {
            return Answer { status: Status::Unknown, uses: Vec::new() };
        };
        let points = points(certificate);
        let speaking =
            self.lists.known.iter().enumerate().filter(|(_, known)| speaks_for(known.list, certificate, &points));
        let mut speaking: Vec<usize> = speaking.map(|(at, _)| at).collect();
        let mut unseen = Vec::new();
        if speaking.len() > MOST_LISTS {
            speaking.sort_by_key(|at| Reverse(self.lists.known.get(*at).map(|known| known.list.this_update)));
            unseen = speaking.split_off(MOST_LISTS);
        }
        let mut uses = Vec::new();
        for at in speaking {
            if !self.search.is_stopped() {
                uses.push(self.judge(at, certificate, &points, issuer, depth));
            }
        }
        let list = |at: usize| self.lists.known.get(at).map(|known| known.list);
        let replaced = |older: &usize| {
            let believed = uses.iter().filter(|used| used.is_usable()).filter_map(|used| list(used.list));
            list(*older).is_some_and(|older| believed.into_iter().any(|newer| supersedes(newer, older)))
        };
        let nothing_unseen = unseen.iter().all(replaced);
        // A list that nobody looked at, and that none of the others replaces, may name it.
        let status = match self.status(certificate, &mut uses) {
            Status::Good if !nothing_unseen => Status::Unknown,
            status => status,
        };
        Answer { status, uses }
    }

    /// What is wrong with a list, for this certificate.
    fn judge(
        &mut self,
        at: usize,
        certificate: &Certificate,
        points: &[DistributionPoint],
        issuer: Option<usize>,
        depth: usize,
    ) -> Use {
        let mut faults = Vec::new();
        let Some(known) = self.lists.known.get(at) else { return Use { list: at, faults, reasons: 0 } };
        let list = known.list;
        let reasons = match scope_reasons(list, certificate, points) {
            Ok(reasons) => reasons,
            Err(why) => {
                faults.push((&CRL_WRONG_SCOPE, why));
                0
            }
        };
        let now = self.request.at.div_euclid(1_000_000);
        faults.extend(out_of_date(list, now));
        faults.extend(unknown_extensions(list));
        if CRL_NUMBER.decides_in(self.request.profile) {
            faults.extend(number(list));
        }
        faults.extend(self.signature(at, issuer, depth));
        Use { list: at, faults, reasons }
    }

    /// Whether a key that may sign lists for this issuer made the signature.
    fn signature(&mut self, at: usize, issuer: Option<usize>, depth: usize) -> Option<(&'static Rule, String)> {
        let pool = self.pool;
        let list = self.lists.known.get(at)?.list;
        if list.signed.kind.is_weak() && self.request.profile == super::rules::Profile::WebPki {
            return Some((&CRL_BAD_SIGNATURE, format!("It is signed with {}.", list.signed.kind.display())));
        }
        let mut signers: Vec<usize> = pool.of_subject(&list.issuer).to_vec();
        signers.sort_by_key(|signer| (Some(*signer) != issuer, *signer));
        let mut made_by_other = None;
        for signer in signers {
            if !self.made_by(at, signer) {
                continue;
            }
            let Some(certificate) = pool.get(signer) else { continue };
            if !certificate.may_sign_lists() {
                made_by_other =
                    Some(format!("The key of '{}' made it, and may not sign lists.", certificate.display()));
            } else if Some(signer) == issuer || self.is_valid_signer(signer, depth) {
                return None;
            } else {
                made_by_other =
                    Some(format!("'{}' made it, whose own certificate is not valid for that.", certificate.display()));
            }
        }
        match made_by_other {
            Some(why) => Some((&CRL_SIGNER_NOT_ALLOWED, why)),
            None if self.search.list_signatures.len() >= MOST_SIGNATURES => Some((
                &CRL_BAD_SIGNATURE,
                "There are too many lists and signers to verify every signature; this one was not.".to_owned(),
            )),
            None => {
                Some((&CRL_BAD_SIGNATURE, format!("No key of '{}' at hand made its signature.", list.issuer.display())))
            }
        }
    }

    fn made_by(&mut self, at: usize, signer: usize) -> bool {
        if let Some(known) = self.search.list_signatures.get(&(at, signer)) {
            return *known;
        }
        let Some((known, certificate)) = self.lists.known.get(at).zip(self.pool.get(signer)) else {
            return false;
        };
        let list = known.list;
        let good = self.search.list_signatures.len() < MOST_SIGNATURES
            && list.signed.algorithms_agree
            && verify(&certificate.key, &list.der, &list.signed) == Verification::Good;
        self.search.list_signatures.insert((at, signer), good);
        good
    }

    /// Whether a signer that is not the certificate's issuer has a valid path of its own to the same anchor (RFC 5280,
    /// section 6.3.3 (f)).
    fn is_valid_signer(&mut self, signer: usize, depth: usize) -> bool {
        const DEEPEST: usize = 2;
        if depth >= DEEPEST {
            return false;
        }
        if self.anchor == Some(signer) {
            return true;
        }
        let now = self.request.at.div_euclid(1_000_000);
        let pool = self.pool;
        let in_time = |at: &usize| pool.get(*at).is_some_and(|c| (c.not_before..=c.not_after).contains(&now));
        let paths = self.search.paths_from(signer);
        let valid = paths.into_iter().find(|path| {
            path.end == End::Anchor
                && path.nodes.last().copied() == self.anchor
                && path.links.iter().all(|link| *link == Verification::Good)
                && path.nodes.iter().all(in_time)
                && are_authorities(pool, &path.nodes)
        });
        let Some(path) = valid else { return false };
        let own = self.examine_at_depth(signer, path.nodes.get(1).copied(), depth + 1);
        !matches!(own.status, Status::Revoked { .. })
    }

    /// What the lists together say. A delta amends the complete list of the same issuer and scope; of several of either
    /// kind the newest that was out at the instant looked at counts.
    fn status(&self, certificate: &Certificate, uses: &mut [Use]) -> Status {
        let list = |at: usize| self.lists.known.get(at).map(|known| known.list);
        let now = self.request.at.div_euclid(1_000_000);
        let mut covered = 0;
        let mut has_complete = false;
        let mut revoked = None;
        for used in uses.iter().filter(|used| used.is_usable_but_for_its_dates()) {
            let Some(complete) = list(used.list).filter(|list| list.base.is_none()) else { continue };
            let fresh = used.is_usable();
            let mut newer = uses.iter().filter(|used| used.is_usable()).filter_map(|used| list(used.list));
            if newer.any(|newer| supersedes(newer, complete)) {
                continue;
            }
            let delta = uses
                .iter()
                .filter(|used| used.is_usable())
                .filter_map(|used| list(used.list).map(|delta| (used.list, delta)))
                .filter(|(_, delta)| amends(delta, complete))
                .max_by_key(|(_, delta)| {
                    (delta.this_update, delta.number.as_ref().map(|(number, _)| (number.len(), number)))
                });
            // A list of later days says what was revoked by then, and of this instant what was revoked before it.
            let find = |list: &Crl| {
                let entry = list.find(&certificate.serial, &certificate.issuer)?;
                (list.this_update <= now || entry.at.is_none_or(|at| at <= now)).then_some(entry)
            };
            let amended = delta.and_then(|(at, delta)| Some((at, find(delta)?)));
            let entry = match amended {
                Some((_, entry)) if entry.reason == REMOVED => None,
                Some(amended) => Some(amended),
                None => find(complete).map(|entry| (used.list, entry)),
            };
            revoked = revoked.or(entry);
            if fresh || delta.is_some() {
                has_complete = true;
                covered |= used.reasons;
            }
        }
        if let Some((list, entry)) = revoked {
            return Status::Revoked { list, entry };
        }
        if covered & ALL_REASONS == ALL_REASONS {
            return Status::Good;
        }
        if has_complete && let Some(partial) = uses.iter_mut().find(|used| used.is_usable()) {
            partial
                .faults
                .push((&CRL_WRONG_SCOPE, "The lists at hand cover only some reasons of revocation.".to_owned()));
        }
        for used in uses.iter_mut().filter(|used| used.is_usable()) {
            if list(used.list).is_some_and(|list| list.base.is_some()) && !has_complete {
                used.faults.push((&CRL_DELTA_ONLY, "It amends a complete list that is not at hand.".to_owned()));
            }
        }
        Status::Unknown
    }
}

/// Whether all certificates above the first may certify what is below them (RFC 5280, section 6.1.4 (k) to (n)). The
/// last one is the anchor, which is trusted as it is.
fn are_authorities(pool: &Pool<'_>, nodes: &[usize]) -> bool {
    let mut below = 0_u64;
    nodes.iter().enumerate().skip(1).all(|(place, at)| {
        let Some(certificate) = pool.get(*at) else { return false };
        if place + 1 == nodes.len() {
            return certificate.may_sign_certificates();
        }
        let longest = certificate.extensions.basic_constraints.and_then(|constraints| constraints.path_length);
        let fits = longest.is_none_or(|longest| below <= longest);
        below += u64::from(!certificate.is_self_issued());
        certificate.is_ca() && certificate.may_sign_certificates() && fits
    })
}

/// The reason by which a delta takes a certificate off the list.
const REMOVED: u64 = 8;

/// Whether `newer` is a later issue of the same complete list.
fn supersedes(newer: &Crl, older: &Crl) -> bool {
    newer.base.is_none() && newer.this_update > older.this_update && is_same_series(newer, older)
}

/// Whether two lists have the same issuer, key and scope.
fn is_same_series(one: &Crl, other: &Crl) -> bool {
    let key = |list: &Crl| list.authority_key.as_ref().and_then(|authority| authority.key.clone());
    one.issuer.same_as(&other.issuer) && one.scope == other.scope && key(one) == key(other)
}

/// Whether `delta` amends `complete` (RFC 5280, section 6.3.3 (c) and 5.2.4).
fn amends(delta: &Crl, complete: &Crl) -> bool {
    let (Some(base), Some((delta_number, _)), Some((number, _))) = (&delta.base, &delta.number, &complete.number)
    else {
        return false;
    };
    let at_most = |left: &[u8], right: &[u8]| (left.len(), left) <= (right.len(), right);
    is_same_series(delta, complete) && at_most(base, number) && at_most(number, delta_number)
}

/// The distribution points of a certificate; where it names none, its issuer is one.
fn points(certificate: &Certificate) -> Vec<DistributionPoint> {
    match &certificate.extensions.distribution_points {
        Some(points) => points.clone(),
        None => vec![DistributionPoint::default()],
    }
}

/// Whether a list speaks for a certificate by its issuer.
fn speaks_for(list: &Crl, certificate: &Certificate, points: &[DistributionPoint]) -> bool {
    list.issuer.same_as(&certificate.issuer) || points.iter().any(|point| names(&point.crl_issuer, &list.issuer))
}

fn names(general: &[GeneralName], wanted: &Name) -> bool {
    general.iter().any(|name| matches!(name, GeneralName::Directory(name) if name.same_as(wanted)))
}

/// The reasons a list covers for a certificate, or why it does not cover it at all (RFC 5280, section 6.3.3 (b)).
fn scope_reasons(list: &Crl, certificate: &Certificate, points: &[DistributionPoint]) -> Result<u16, String> {
    let whole = Scope::default();
    let scope = list.scope.as_ref().unwrap_or(&whole);
    let is_ca = certificate.is_ca();
    if scope.only_users && is_ca {
        return Err("It covers only certificates of users; this one is an authority's.".to_owned());
    }
    if scope.only_authorities && !is_ca {
        return Err("It covers only certificates of authorities; this one is a user's.".to_owned());
    }
    if scope.only_attributes {
        return Err("It covers only attribute certificates.".to_owned());
    }
    let of_scope = scope.reasons.unwrap_or(ALL_REASONS);
    let covering = points.iter().filter(|point| covers(list, scope, certificate, point));
    covering
        .map(|point| of_scope & point.reasons.unwrap_or(ALL_REASONS))
        .reduce(|all, reasons| all | reasons)
        .ok_or_else(|| "It is the list of another distribution point than the certificate names.".to_owned())
}

/// Whether a list is the one that a distribution point means.
fn covers(list: &Crl, scope: &Scope, certificate: &Certificate, point: &DistributionPoint) -> bool {
    let right_issuer = if point.crl_issuer.is_empty() {
        list.issuer.same_as(&certificate.issuer)
    } else {
        names(&point.crl_issuer, &list.issuer) && (scope.indirect || list.issuer.same_as(&certificate.issuer))
    };
    let Some(of_scope) = &scope.name else { return right_issuer };
    let of_scope = full_names(of_scope, &list.issuer);
    let of_point = match &point.name {
        Some(name) => {
            let issuer = point.crl_issuer.iter().find_map(|name| match name {
                GeneralName::Directory(name) => Some(name),
                _ => None,
            });
            full_names(name, issuer.unwrap_or(&certificate.issuer))
        }
        None if point.crl_issuer.is_empty() => vec![GeneralName::Directory(certificate.issuer.clone())],
        None => point.crl_issuer.clone(),
    };
    right_issuer && of_scope.iter().any(|name| of_point.iter().any(|other| same_name(name, other)))
}

/// The names of a distribution point in full; a relative one is appended to its issuer's.
fn full_names(name: &PointName, issuer: &Name) -> Vec<GeneralName> {
    match name {
        PointName::Full(names) => names.clone(),
        PointName::Relative(part) => vec![GeneralName::Directory(issuer.with_part(part))],
    }
}

fn same_name(left: &GeneralName, right: &GeneralName) -> bool {
    match (left, right) {
        (GeneralName::Directory(left), GeneralName::Directory(right)) => left.same_as(right),
        _ => left == right,
    }
}

fn out_of_date(list: &Crl, now: i64) -> Option<(&'static Rule, String)> {
    use super::checks::{duration_text, time_text};
    match list.next_update {
        _ if list.this_update > now => Some((
            &CRL_ISSUED_LATER,
            format!(
                "It was issued on {}, after the instant looked at; which list a client had then is not known.",
                time_text(list.this_update)
            ),
        )),
        Some(due) if due < now => Some((
            &CRL_STALE,
            format!("Its next issue was due on {}, {} earlier.", time_text(due), duration_text(now - due)),
        )),
        _ => None,
    }
}

fn unknown_extensions(list: &Crl) -> Option<(&'static Rule, String)> {
    let unknown = list.unknown_critical.join(", ");
    (!unknown.is_empty()).then(|| {
        (&CRL_UNKNOWN_CRITICAL_EXTENSION, format!("It has a critical extension that is not known: {unknown}."))
    })
}

fn number(list: &Crl) -> Option<(&'static Rule, String)> {
    match list.number {
        None => Some((&CRL_NUMBER, "It has no number.".to_owned())),
        Some((_, true)) => Some((&CRL_NUMBER, "Its number is a critical extension.".to_owned())),
        Some((_, false)) => None,
    }
}
