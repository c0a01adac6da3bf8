//! One artefact as read: whose it is, what it is, and its bytes.

use std::collections::HashSet;
use std::sync::Arc;

use super::fetched::{self, Fetch};
use super::machines::{Machines, owner};
use super::naming::{Part, place};
use crate::certs::{Bundle, Role as CertificateRole, Source, role};
use crate::input::{ArtefactFile, ArtefactKind};
use crate::stage::Role;

/// Bytes of artefacts, each content kept once: a fleet's machines have the same stores.
#[derive(Debug, Default)]
pub(super) struct Contents(HashSet<Arc<[u8]>>);

impl Contents {
    fn keep(&mut self, bytes: Vec<u8>) -> Arc<[u8]> {
        if let Some(known) = self.0.get(bytes.as_slice()) {
            return Arc::clone(known);
        }
        let bytes: Arc<[u8]> = bytes.into();
        self.0.insert(Arc::clone(&bytes));
        bytes
    }
}

/// The leaf of what was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub issuer: String,
    pub sha256: String,
}

/// An artefact.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub path: Arc<str>,
    pub kind: ArtefactKind,
    pub part: Option<Part>,
    /// Key of its machine; `None` where it is nobody's, or everybody's.
    pub owner: Option<Arc<str>>,
    /// The gateway that it is of, where its name says so.
    pub cmg: Option<String>,
    pub bytes: Arc<[u8]>,
    /// Why its bytes could not be had.
    pub unread: Option<String>,
    /// False where its content makes no sense.
    pub readable: bool,
    /// Of a presented chain. One without holds authorities only, which belong to the chain beside it.
    pub leaf: Option<Leaf>,
    pub fetches: Vec<Fetch>,
}

impl Item {
    pub fn read(file: &ArtefactFile, machines: &Machines, contents: &mut Contents) -> Self {
        let place = place(&file.path, &file.above);
        let (bytes, unread) = match file.read() {
            Ok(bytes) => (contents.keep(bytes), None),
            Err(error) => (Arc::default(), Some(error.to_string())),
        };
        let mut item = Self {
            path: Arc::from(file.path.as_str()),
            kind: file.kind,
            part: None,
            owner: None,
            cmg: place.named.clone().filter(|named| machines.gateways.contains(named)),
            readable: unread.is_none(),
            bytes,
            unread,
            leaf: None,
            fetches: Vec::new(),
        };
        item.learn_part(place.part, place.role, machines);
        let named = place.named.filter(|named| machines.get(named).is_some());
        let of_server = place.role.is_some_and(|role| role != Role::Client);
        // What lies with a server was not taken from a client.
        let key = if of_server {
            None
        } else {
            let host = place.host.as_ref().map(|host| host.to_ascii_lowercase());
            named.or(host).or_else(|| machines.of_folder(&place.folder)).or_else(|| machines.only_client())
        };
        item.owner = key.map(owner);
        item
    }

    fn learn_part(&mut self, by_name: Option<Part>, of: Option<Role>, machines: &Machines) {
        self.part = match self.kind {
            ArtefactKind::Certificate => self.certificate_part(by_name, of, machines),
            ArtefactKind::RevocationList => Some(Part::RevocationList),
            ArtefactKind::FetchList => {
                self.fetches = fetched::read(&self.bytes);
                Some(Part::FetchList)
            }
            ArtefactKind::Token => Some(Part::Token),
            ArtefactKind::KeySet => Some(Part::KeySet),
            ArtefactKind::JoinStatus => Some(Part::JoinStatus),
            ArtefactKind::Site => None,
        };
    }

    /// Content comes first: a join certificate is one whatever its name, and a service certificate for the gateway's
    /// name was presented by it. A store is known by its name alone.
    fn certificate_part(&mut self, by_name: Option<Part>, of: Option<Role>, machines: &Machines) -> Option<Part> {
        let bundle = Bundle::read(&[self.source()]);
        self.readable &= !bundle.certificates.is_empty();
        let roles: Vec<CertificateRole> = bundle.certificates.iter().map(|certificate| role(certificate).0).collect();
        if by_name.is_some_and(Part::is_store) {
            return by_name;
        }
        if roles.contains(&CertificateRole::WorkplaceJoin) {
            return Some(Part::DeviceCertificate);
        }
        let at_gateway = of.is_none_or(|of| matches!(of, Role::Client | Role::Cmg | Role::SiteServer));
        let leaf = bundle.certificates.iter().find(|certificate| {
            let covers = certificate.dns_names().any(|name| machines.gateways.iter().any(|host| covers(name, host)));
            match by_name {
                Some(Part::Presented) => !certificate.is_ca(),
                _ => covers && role(certificate).0 == CertificateRole::Service,
            }
        });
        self.leaf = leaf
            .filter(|_| at_gateway)
            .map(|certificate| Leaf { issuer: certificate.issuer.text.clone(), sha256: certificate.sha256() });
        let presented = at_gateway && (by_name == Some(Part::Presented) || self.leaf.is_some());
        presented.then_some(Part::Presented)
    }

    /// True where it speaks for all clients.
    pub fn is_common(&self) -> bool {
        let shared = matches!(self.part, Some(Part::Presented | Part::RevocationList | Part::KeySet));
        self.owner.is_none() && shared
    }

    /// True where its report says more than what it holds.
    pub fn is_judged(&self) -> bool {
        match self.part {
            Some(Part::Presented) => self.leaf.is_some() || !self.readable,
            Some(Part::Token | Part::JoinStatus) => true,
            _ => false,
        }
    }

    /// Its bytes for the certificate validator.
    pub fn source(&self) -> Source {
        Source::new(Arc::clone(&self.path), self.bytes.to_vec())
    }
}

/// True where a name of a certificate, a wildcard included, covers a host.
fn covers(name: &str, host: &str) -> bool {
    let same = |one: &str, other: &str| one.trim_end_matches('.').eq_ignore_ascii_case(other);
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| same(parent, rest)),
        None => same(name, host),
    }
}
