//! What a file of certificates holds: PEM with anything around it, DER, or a PKCS#7 bundle. Each blob is read on its
//! own, so one that is broken hides no other.

use std::sync::Arc;

use super::certificate::Certificate;
use super::crl::Crl;
use super::der::{self, Reader, context};
use super::foreign;
use super::pem::{self, Block};

/// Certificates read from one source at most; what lies beyond is told as a problem.
const MOST_CERTIFICATES: usize = 50_000;

/// Blobs that cannot be read which are told one by one; of more it is only said that there are more.
const MOST_PROBLEMS: usize = 100;

/// Bytes with the name to call them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What to call it: a file name, "presented".
    pub name: Arc<str>,
    /// PEM, DER or PKCS#7 (certificates only).
    pub bytes: Vec<u8>,
}

impl Source {
    /// Bytes under a name.
    pub fn new(name: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// A blob that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which blob: the source, and which of its blocks.
    pub place: String,
    /// What is wrong with it, as a clause: "it is cut off".
    pub reason: String,
    /// How many certificates were read before it: 0 means that it stands in the leaf's place.
    pub certificates_before: usize,
}

/// What sources held.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Certificates in their order.
    pub certificates: Vec<Certificate>,
    /// Revocation lists in their order.
    pub lists: Vec<Crl>,
    /// What could not be read; a hundred at most, and one that says that there is more.
    pub problems: Vec<Problem>,
    /// Whether some of the certificates came from PKCS#7, which is a set and keeps no order (RFC 5652, section 5.1).
    pub unordered: bool,
}

impl Bundle {
    /// Reads all sources, one after the other.
    pub fn read(sources: &[Source]) -> Self {
        let mut bundle = Self::default();
        for source in sources {
            bundle.add(source);
        }
        bundle
    }

    /// Reads one more source.
    pub fn add(&mut self, source: &Source) {
        self.add_bytes(&source.name, &source.bytes);
    }

    /// Reads bytes that have this name.
    pub fn add_bytes(&mut self, name: &Arc<str>, bytes: &[u8]) {
        let held = |bundle: &Self| bundle.certificates.len() + bundle.lists.len() + bundle.problems.len();
        let before = held(self);
        let blocks = pem::blocks(bytes);
        let other = blocks.as_ref().map_or_else(|| foreign::bytes(bytes), |blocks| foreign::blocks(blocks));
        match (blocks, other) {
            (Some(blocks), _) => self.add_pem(blocks, name),
            (None, None) => self.add_der(bytes, name, name),
            (None, Some(_)) => {}
        }
        if held(self) == before {
            self.problem(name, other.unwrap_or("it holds no certificate and no revocation list"));
        }
    }

    fn problem(&mut self, place: &str, reason: &str) {
        let reason = match self.problems.len() {
            ..MOST_PROBLEMS => reason,
            MOST_PROBLEMS => "it and what follows cannot be read, and is not listed any more",
            _ => return,
        };
        let (place, reason) = (place.to_owned(), reason.to_owned());
        self.problems.push(Problem { place, reason, certificates_before: self.certificates.len() });
    }

    fn add_pem(&mut self, blocks: Vec<Block>, source: &Arc<str>) {
        for (at, block) in blocks.into_iter().enumerate() {
            let place = format!("{source}, block {}", at + 1);
            match block {
                Block::Der(der) => self.add_der(&der, source, &place),
                Block::Broken(reason) => self.problem(&place, reason),
                Block::Other(_) => {} // private keys are not looked at
            }
        }
    }

    /// Reads DER: a certificate, a revocation list or a PKCS#7 bundle.
    fn add_der(&mut self, bytes: &[u8], source: &Arc<str>, place: &str) {
        match pkcs7_content(bytes) {
            Some(content) => self.add_pkcs7(content, source, place),
            None => self.add_one(bytes, source, place),
        }
    }

    /// Reads a certificate or a revocation list.
    fn add_one(&mut self, bytes: &[u8], source: &Arc<str>, place: &str) {
        if self.certificates.len() >= MOST_CERTIFICATES {
            return self.problem(place, "too many certificates; it was not read");
        }
        if Crl::looks_like(bytes) {
            match Crl::from_der(bytes, source) {
                Ok(list) => self.lists.push(list),
                Err(reason) => self.problem(place, reason),
            }
            return;
        }
        match Certificate::from_der(bytes, source) {
            Ok(certificate) => self.certificates.push(certificate),
            Err(reason) => self.problem(place, reason),
        }
    }

    /// Certificates and lists of a `SignedData` (RFC 5652, section 5.1).
    fn add_pkcs7(&mut self, content: Reader<'_>, source: &Arc<str>, place: &str) {
        self.unordered = true;
        let mut held = 0_usize;
        for part in content {
            if part.tag == context(0) || part.tag == context(1) {
                for (at, member) in part.inside().enumerate() {
                    held += 1;
                    // A bundle inside a bundle is no member: it would be read as a certificate, and refused as one.
                    self.add_one(member.raw, source, &format!("{place}, entry {}", at + 1));
                }
            }
        }
        if held == 0 {
            self.problem(place, "its PKCS#7 bundle holds no certificate, or is cut off");
        }
    }
}

/// The parts of the `SignedData` inside a PKCS#7 bundle.
fn pkcs7_content(bytes: &[u8]) -> Option<Reader<'_>> {
    const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let mut parts = Reader::new(bytes).tagged(der::SEQUENCE)?.inside();
    if parts.tagged(der::OID)?.content != SIGNED_DATA {
        return None;
    }
    Some(parts.tagged(context(0))?.inside().tagged(der::SEQUENCE)?.inside())
}
