//! One artefact as read: whose it is, what it is, and its bytes.

use std::collections::HashMap;
use std::sync::Arc;

use super::fetched::{self, Fetch};
use super::machines::{Machines, owner};
use super::naming::{Part, place};
use crate::certs::{Certificate, Crl, ReadSource, Role as CertificateRole, Source, match_host, role};
use crate::input::{ArtefactFile, ArtefactKind};
use crate::stage::Role;

/// Certificates and revocation lists, each content read once: a fleet's machines have the same stores.
#[derive(Debug, Default)]
pub(super) struct Contents(HashMap<Vec<u8>, ReadSource>);

impl Contents {
    fn read(&mut self, path: &Arc<str>, bytes: &[u8]) -> ReadSource {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let known = self.0.entry(digest.as_ref().to_vec());
        known.or_insert_with(|| ReadSource::from_bytes(Arc::clone(path), bytes)).named(Arc::clone(path))
    }
}

/// The leaf of what was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub issuer: String,
    pub sha256: String,
    /// Which of the file's certificates it is.
    place: usize,
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
    /// Its bytes, where the validator asks for them: of what is no certificate store and no revocation list.
    pub bytes: Arc<[u8]>,
    /// Its certificates and revocation lists.
    pub read: Option<ReadSource>,
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
        let path: Arc<str> = Arc::from(file.path.as_str());
        let (bytes, unread) = match file.read() {
            Ok(bytes) => (bytes, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let holds_certificates = matches!(file.kind, ArtefactKind::Certificate | ArtefactKind::RevocationList);
        let mut item = Self {
            read: (holds_certificates && unread.is_none()).then(|| contents.read(&path, &bytes)),
            path,
            kind: file.kind,
            part: None,
            owner: None,
            cmg: place.named.clone().filter(|named| machines.gateways.contains(named)),
            readable: unread.is_none(),
            bytes: bytes.into(),
            unread,
            leaf: None,
            fetches: Vec::new(),
        };
        item.learn_part(place.part, place.role, machines);
        if item.part != Some(Part::DeviceCertificate) && item.read.is_some() {
            item.bytes = Arc::default();
        }
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
            ArtefactKind::RevocationList => {
                self.readable &= self.read.as_ref().is_some_and(|read| !read.bundle().lists.is_empty());
                Some(Part::RevocationList)
            }
            ArtefactKind::FetchList => {
                self.fetches = fetched::read(&self.bytes);
                Some(Part::FetchList)
            }
            ArtefactKind::Token => Some(Part::Token),
            ArtefactKind::KeySet => Some(Part::KeySet),
            ArtefactKind::JoinStatus => Some(Part::JoinStatus),
            ArtefactKind::Site | ArtefactKind::Truth => None,
        };
    }

    /// Content comes first: a join certificate is one whatever its name, and a service certificate for the gateway's
    /// name was presented by it. A store is known by its name alone.
    fn certificate_part(&mut self, by_name: Option<Part>, of: Option<Role>, machines: &Machines) -> Option<Part> {
        let certificates = self.certificates();
        let readable = !certificates.is_empty();
        let roles: Vec<CertificateRole> = certificates.iter().map(|certificate| role(certificate).0).collect();
        if by_name.is_some_and(Part::is_store) || !readable {
            self.readable &= readable;
            return by_name;
        }
        if roles.contains(&CertificateRole::WorkplaceJoin) {
            return Some(Part::DeviceCertificate);
        }
        let at_gateway = of.is_none_or(|of| matches!(of, Role::Client | Role::Cmg | Role::SiteServer));
        let leaf = certificates.iter().enumerate().find(|(_, certificate)| {
            let is_for = |host: &String| match_host(certificate, host).matches;
            match by_name {
                Some(Part::Presented) => !certificate.is_ca(),
                _ => role(certificate).0 == CertificateRole::Service && machines.gateways.iter().any(is_for),
            }
        });
        self.leaf = leaf.filter(|_| at_gateway).map(|(place, certificate)| {
            let issuer = certificate.issuer.text.clone();
            Leaf { issuer, sha256: certificate.sha256(), place }
        });
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
            Some(Part::Token | Part::JoinStatus | Part::DeviceCertificate) => true,
            _ => false,
        }
    }

    /// Its certificates.
    pub fn certificates(&self) -> &[Certificate] {
        self.read.as_ref().map_or(&[], |read| &read.bundle().certificates)
    }

    /// Its revocation lists.
    pub fn lists(&self) -> &[Crl] {
        self.read.as_ref().map_or(&[], |read| &read.bundle().lists)
    }

    /// The leaf of what was presented.
    pub fn leaf_certificate(&self) -> Option<&Certificate> {
        self.certificates().get(self.leaf.as_ref()?.place)
    }

    /// Its bytes under its name.
    pub fn source(&self) -> Source {
        Source::new(Arc::clone(&self.path), self.bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_read_once_under_each_name() {
        let mut contents = Contents::default();
        let [one, other] = ["a/root.pem", "b/root.pem"].map(|path| contents.read(&Arc::from(path), b"the same"));
        assert!(std::ptr::eq(one.bundle(), other.bundle()));
        assert_eq!((&*one.name, &*other.name), ("a/root.pem", "b/root.pem"));
    }
}
