//! Candidate paths from the leaf to a trust anchor: all of them, within bounds.
//!
//! Names make the candidates, signatures decide among them, key identifiers only order them (RFC 4158, section 3.5).
//! Distances from the anchors, computed over names alone, lead the search, so that ten thousand cross-signed
//! authorities cost no more than the few that matter.

use std::collections::{HashMap, HashSet, VecDeque};

use super::certificate::Certificate;
use super::key::{Proven, PublicKey, Verification, verify};
use super::materials::Stop;
use super::name::Name;
use super::public_roots::issued_by_public_root;
use super::rules::Profile;

/// Signatures verified in one search.
const MOST_SIGNATURES: usize = 400;
/// Steps of one search.
const MOST_STEPS: usize = 500;
/// Paths kept.
const MOST_PATHS: usize = 48;
/// Certificates on a path.
const LONGEST_PATH: usize = 24;

/// How a path ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// At a certificate of the client's root store.
    Anchor,
    /// At a self-signed certificate that is not in the client's root store.
    SelfSigned,
    /// Below a public root that is not at hand, whose key made the last signature.
    PublicRoot,
    /// Below an issuer that is not at hand.
    Missing,
    /// Where a bound was met before all certificates of the issuer's name were tried.
    Unfinished,
    /// Nowhere: longer than any real path.
    TooLong,
}

/// A path from the leaf upwards.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// Indices into [`Pool::certificates`], leaf first.
    pub nodes: Vec<usize>,
    /// What verifying each certificate with the key of the next gave.
    pub links: Vec<Verification>,
    /// How it ends.
    pub end: End,
}

/// All certificates at hand, each once.
#[derive(Debug, Default)]
pub(super) struct Pool<'m> {
    certificates: Vec<(&'m Certificate, &'m str)>,
    trusted: HashSet<usize>,
    by_der: HashMap<&'m [u8], usize>,
    by_subject: HashMap<NameKey, Vec<usize>>,
    exact_names: bool,
    ends_self_issued: bool,
}

/// A name as it is compared.
type NameKey = Vec<Vec<u8>>;

impl<'m> Pool<'m> {
    /// An empty pool. Profile `webpki` compares names byte by byte, the others as RFC 5280, section 7.1. In profile
    /// `windows` a path ends at a self-issued certificate, so that an intermediate authority in the root store helps to
    /// build a path and ends none.
    pub fn new(profile: Profile) -> Self {
        Self {
            exact_names: profile == Profile::WebPki,
            ends_self_issued: profile == Profile::Windows,
            ..Self::default()
        }
    }

    /// Adds a certificate of this source and says where it is.
    pub fn add(&mut self, certificate: &'m Certificate, source: &'m str) -> usize {
        if let Some(known) = self.by_der.get(certificate.der.as_ref()) {
            return *known;
        }
        let at = self.certificates.len();
        self.by_der.insert(certificate.der.as_ref(), at);
        self.by_subject.entry(self.name_key(&certificate.subject)).or_default().push(at);
        self.certificates.push((certificate, source));
        at
    }

    /// The certificate at this place.
    pub fn get(&self, at: usize) -> Option<&'m Certificate> {
        self.certificates.get(at).map(|(certificate, _)| *certificate)
    }

    /// The source of the certificate at this place.
    pub fn source(&self, at: usize) -> &'m str {
        self.certificates.get(at).map_or("", |(_, source)| *source)
    }

    /// All certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &'m Certificate> {
        self.certificates.iter().map(|(certificate, _)| *certificate)
    }

    /// Adds a certificate of the client's root store and says where it is.
    pub fn trust(&mut self, certificate: &'m Certificate, source: &'m str) -> usize {
        let ends_path = !self.ends_self_issued || certificate.is_self_issued();
        let at = self.add(certificate, source);
        if ends_path {
            self.trusted.insert(at);
        }
        at
    }

    /// Whether this certificate is in the client's root store.
    pub fn is_trusted(&self, at: usize) -> bool {
        self.trusted.contains(&at)
    }

    /// The certificates of this subject.
    pub fn of_subject(&self, name: &Name) -> &[usize] {
        self.by_subject.get(&self.name_key(name)).map_or(&[], Vec::as_slice)
    }

    fn name_key(&self, name: &Name) -> NameKey {
        if self.exact_names { vec![name.raw.clone()] } else { name.comparable.clone() }
    }

    /// How many steps each certificate is below an anchor, by names alone; `None` where there is no way up.
    fn distances(&self) -> Vec<Option<usize>> {
        let by_name = self.distances_of_names();
        let above = |certificate: &Certificate| by_name.get(&self.name_key(&certificate.issuer)).map(|steps| steps + 1);
        let of = |(at, certificate)| if self.is_trusted(at) { Some(0) } else { above(certificate) };
        self.certificates().enumerate().map(of).collect()
    }

    fn distances_of_names(&self) -> HashMap<NameKey, usize> {
        let mut below: HashMap<NameKey, Vec<NameKey>> = HashMap::new();
        for certificate in self.certificates() {
            let (issuer, subject) = (self.name_key(&certificate.issuer), self.name_key(&certificate.subject));
            if issuer != subject {
                below.entry(issuer).or_default().push(subject);
            }
        }
        let mut distances = HashMap::new();
        let mut queue = VecDeque::new();
        for at in &self.trusted {
            if let Some(anchor) = self.get(*at) {
                let key = self.name_key(&anchor.subject);
                distances.insert(key.clone(), 0);
                queue.push_back(key);
            }
        }
        while let Some(name) = queue.pop_front() {
            let next = distances.get(&name).copied().unwrap_or(0) + 1;
            for subject in below.remove(&name).unwrap_or_default() {
                if !distances.contains_key(&subject) {
                    distances.insert(subject.clone(), next);
                    queue.push_back(subject);
                }
            }
        }
        distances
    }
}

/// A search for paths.
pub(super) struct Search<'a> {
    pool: &'a Pool<'a>,
    stop: Stop<'a>,
    distances: Vec<Option<usize>>,
    verified: HashMap<(usize, &'a [u8]), Verification>,
    proven: Vec<Proven<'a>>,
    /// Whether the key of a certificate made the signature of a revocation list, both as indices: found out once for
    /// all paths.
    pub list_signatures: HashMap<(usize, usize), bool>,
    steps: usize,
    paths: Vec<Path>,
    /// Whether a bound was met before everything was looked at.
    pub exhausted: bool,
}

impl<'a> Search<'a> {
    /// A search in this pool, given up where `stop` says so.
    pub fn new(pool: &'a Pool<'a>, stop: Stop<'a>) -> Self {
        Self {
            pool,
            stop,
            distances: pool.distances(),
            verified: HashMap::new(),
            proven: Vec::new(),
            list_signatures: HashMap::new(),
            steps: 0,
            paths: Vec::new(),
            exhausted: false,
        }
    }

    /// All paths from this certificate, at least one.
    pub fn paths_from(&mut self, leaf: usize) -> Vec<Path> {
        self.steps = 0;
        self.paths = Vec::new();
        self.extend(&mut vec![leaf], &mut Vec::new());
        std::mem::take(&mut self.paths)
    }

    /// Verifies a certificate with a key, once.
    pub fn verify(&mut self, child: usize, key: &'a PublicKey) -> Option<Verification> {
        if let Some(known) = self.verified.get(&(child, key.der.as_slice())) {
            return Some(*known);
        }
        if self.verified.len() >= MOST_SIGNATURES {
            self.exhausted = true;
            return None;
        }
        let certificate = self.pool.get(child)?;
        let answer = verify(key, &certificate.der, &certificate.signed);
        self.verified.insert((child, key.der.as_slice()), answer);
        if answer == Verification::Good {
            self.proven.extend(Proven::new(key, &certificate.der, &certificate.signed));
        }
        Some(answer)
    }

    /// Whether the caller wants the work to stop.
    pub fn is_stopped(&self) -> bool {
        (self.stop)()
    }

    /// The signatures that hold.
    pub fn proven(&self) -> &[Proven<'a>] {
        &self.proven
    }

    fn extend(&mut self, nodes: &mut Vec<usize>, links: &mut Vec<Verification>) {
        let pool = self.pool;
        let Some(last) = nodes.last().copied() else { return };
        let Some(certificate) = pool.get(last) else { return };
        self.steps += 1;
        if self.steps > MOST_STEPS || self.paths.len() >= MOST_PATHS || (self.stop)() {
            self.exhausted = true;
            return;
        }
        if pool.is_trusted(last) {
            return self.record(nodes, links, End::Anchor);
        }
        if nodes.len() >= LONGEST_PATH {
            return self.record(nodes, links, End::TooLong);
        }
        let signed_itself = certificate.is_self_issued()
            && self.verify(last, &certificate.key).is_some_and(|answer| answer == Verification::Good);
        if signed_itself {
            return self.record(nodes, links, End::SelfSigned);
        }
        let candidates = self.candidates(certificate, nodes);
        let (chosen, all_tried) = self.choose(last, &candidates);
        if chosen.is_empty() {
            let end = match (issued_by_public_root(certificate), all_tried) {
                (true, _) => End::PublicRoot,
                (false, true) => End::Missing,
                (false, false) => End::Unfinished,
            };
            return self.record(nodes, links, end);
        }
        for (issuer, answer) in chosen {
            nodes.push(issuer);
            links.push(answer);
            self.extend(nodes, links);
            nodes.pop();
            links.pop();
        }
    }

    fn record(&mut self, nodes: &[usize], links: &[Verification], end: End) {
        self.paths.push(Path { nodes: nodes.to_vec(), links: links.to_vec(), end });
    }

    /// Issuers by name that are not on the path yet, under no certificate; best first.
    fn candidates(&self, child: &Certificate, nodes: &[usize]) -> Vec<usize> {
        let on_path = |candidate: &Certificate| {
            nodes.iter().filter_map(|at| self.pool.get(*at)).any(|known| {
                known.key.der == candidate.key.der && known.subject.comparable == candidate.subject.comparable
            })
        };
        let mut ranked: Vec<((bool, usize, bool), usize)> = self
            .pool
            .of_subject(&child.issuer)
            .iter()
            .filter_map(|at| self.pool.get(*at).map(|candidate| (*at, candidate)))
            .filter(|(_, candidate)| !on_path(candidate))
            .map(|(at, candidate)| (self.rank(child, at, candidate), at))
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, at)| at).collect()
    }

    /// Smaller is better: the key named by the child, near an anchor, an authority.
    fn rank(&self, child: &Certificate, at: usize, candidate: &Certificate) -> (bool, usize, bool) {
        (key_differs(child, candidate), self.distance(at).unwrap_or(usize::MAX), !candidate.is_ca())
    }

    /// Steps up to an anchor, by names; `None` where there is no way.
    fn distance(&self, at: usize) -> Option<usize> {
        self.distances.get(at).copied().flatten()
    }

    /// The candidates to follow: all whose key made the signature; where no anchor can be reached, the best of them;
    /// and where none made it, the one that the child names, so that the broken signature is shown. Beside them, whether
    /// all were tried.
    fn choose(&mut self, child: usize, candidates: &[usize]) -> (Vec<(usize, Verification)>, bool) {
        let pool = self.pool;
        let mut good = Vec::new();
        let mut bad = None;
        let mut dead_end = None;
        let mut all_tried = true;
        for at in candidates {
            let Some(issuer) = pool.get(*at) else { continue };
            let leads_up = self.distance(*at).is_some();
            if !leads_up && dead_end.is_some() {
                continue;
            }
            match self.verify(child, &issuer.key) {
                None => {
                    all_tried = false;
                    break;
                }
                Some(answer @ (Verification::Good | Verification::Unsupported)) => {
                    if leads_up {
                        good.push((*at, answer));
                    } else {
                        dead_end = Some((*at, answer));
                    }
                }
                Some(answer) => bad = bad.or(Some((*at, answer))),
            }
        }
        if good.is_empty() {
            let named = |at: &usize| pool.get(child).zip(pool.get(*at)).is_some_and(|(c, i)| !key_differs(c, i));
            // One that is bad proves nothing while others were not tried.
            good.extend(dead_end.or_else(|| bad.filter(|(at, _)| all_tried && named(at))));
        }
        (good, all_tried)
    }
}

/// Whether the child names another key than this issuer's.
pub(super) fn key_differs(child: &Certificate, issuer: &Certificate) -> bool {
    let wanted = child.extensions.authority_key.as_ref().and_then(|authority| authority.key.as_ref());
    match (wanted, &issuer.extensions.subject_key) {
        (Some(wanted), Some(found)) => wanted != found,
        _ => false,
    }
}
