//! A small authority for tests: certificates and revocation lists, well formed or broken as asked, signed with fresh
//! keys.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use cmgtrail::certs::{ChainRequest, CrlSource, Source};

/// 2026-11-04T09:12:33Z, the instant of all tests, in seconds.
pub const NOW: i64 = 1_793_783_553;
/// A day in seconds.
pub const DAY: i64 = 86_400;

/// The host that the good leaf is for.
pub const HOST: &str = "cmg.contoso.com";
/// Where the good lists are published.
pub const ROOT_CRL: &str = "http://crl.contoso.com/root.crl";
/// Where the good lists are published.
pub const ISSUING_CRL: &str = "http://crl.contoso.com/issuing.crl";

const SHA256_ECDSA: &str = "1.2.840.10045.4.3.2";

/// An element.
pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..=127 => bytes.push(u8::try_from(short).unwrap()),
        long => {
            let octets = u32::try_from(long).unwrap().to_be_bytes();
            let octets = &octets[octets.iter().position(|octet| *octet != 0).unwrap()..];
            bytes.push(0x80 | u8::try_from(octets.len()).unwrap());
            bytes.extend_from_slice(octets);
        }
    }
    bytes.extend_from_slice(&content);
    bytes
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

/// An object identifier from its dotted form.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let mut groups = vec![u8::try_from(arc & 0x7f).unwrap()];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        content.extend(groups.iter().rev());
    }
    der(6, &[&content])
}

/// A name of one common name; empty text gives the empty name.
pub fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return sequence(&[]);
    }
    let attribute = sequence(&[&oid("2.5.4.3"), &der(0x0c, &[common.as_bytes()])]);
    sequence(&[&der(0x31, &[&attribute])])
}

pub fn time(seconds: i64) -> Vec<u8> {
    let civil = jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y%m%d%H%M%SZ").to_string();
    der(0x18, &[civil.as_bytes()])
}

/// A key that signs.
pub struct Key(EcdsaKeyPair);

impl Key {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// The `SubjectPublicKeyInfo`.
    pub fn public(&self) -> Vec<u8> {
        let algorithm = sequence(&[&oid("1.2.840.10045.2.1"), &oid("1.2.840.10045.3.1.7")]);
        sequence(&[&algorithm, &der(3, &[&[0], self.0.public_key().as_ref()])])
    }

    pub fn id(&self) -> Vec<u8> {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.0.public_key().as_ref()).as_ref()[..20].to_vec()
    }

    fn sign(&self, signed: &[u8], algorithm: &str) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), signed).unwrap();
        sequence(&[signed, &sequence(&[&oid(algorithm)]), &der(3, &[&[0], signature.as_ref()])])
    }
}

/// A public RSA key of so many octets, which signs nothing.
pub fn rsa(octets: usize) -> Vec<u8> {
    let modulus = [vec![0, 0xc1], vec![0x55; octets - 1]].concat();
    let key = sequence(&[&der(2, &[&modulus]), &der(2, &[&[1, 0, 1]])]);
    sequence(&[&sequence(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]]), &der(3, &[&[0], &key])])
}

/// A certificate to be made.
#[derive(Clone)]
pub struct Template {
    pub version: u8,
    pub serial: Vec<u8>,
    pub issuer: Vec<u8>,
    pub subject: Vec<u8>,
    pub from: i64,
    pub to: i64,
    pub key: Vec<u8>,
    pub algorithm: &'static str,
    pub extensions: Vec<(String, bool, Vec<u8>)>,
}

impl Template {
    pub fn with(mut self, extension: &str, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.retain(|(known, _, _)| known != extension);
        self.extensions.push((extension.to_owned(), critical, value));
        self
    }

    pub fn without(mut self, extension: &str) -> Self {
        self.extensions.retain(|(known, _, _)| known != extension);
        self
    }

    pub fn sign(&self, by: &Key) -> Vec<u8> {
        let algorithm = sequence(&[&oid(self.algorithm)]);
        let version = der(0xa0, &[&der(2, &[&[self.version - 1]])]);
        let validity = sequence(&[&time(self.from), &time(self.to)]);
        let extensions = extension_list(&self.extensions);
        let extensions = if self.extensions.is_empty() { Vec::new() } else { der(0xa3, &[&extensions]) };
        let serial = der(2, &[&self.serial]);
        let parts: [&[u8]; 8] =
            [&version, &serial, &algorithm, &self.issuer, &validity, &self.subject, &self.key, &extensions];
        by.sign(&sequence(&parts), self.algorithm)
    }
}

fn extension_list(extensions: &[(String, bool, Vec<u8>)]) -> Vec<u8> {
    let each: Vec<Vec<u8>> = extensions
        .iter()
        .map(|(id, critical, value)| {
            let flag: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
            sequence(&[&oid(id), flag, &der(4, &[value])])
        })
        .collect();
    sequence(&each.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

pub fn key_usage(bits: u8) -> Vec<u8> {
    der(3, &[&[u8::try_from(bits.trailing_zeros()).unwrap(), bits]])
}

pub fn alternative_names(hosts: &[&str]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = hosts.iter().map(|host| der(0x82, &[host.as_bytes()])).collect();
    sequence(&names.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

pub fn distribution_points(uris: &[&str]) -> Vec<u8> {
    let uris: Vec<Vec<u8>> = uris.iter().map(|uri| der(0x86, &[uri.as_bytes()])).collect();
    let full = der(0xa0, &uris.iter().map(Vec::as_slice).collect::<Vec<_>>());
    sequence(&[&sequence(&[&der(0xa0, &[&full])])])
}

pub fn authority_key(key: &Key) -> Vec<u8> {
    sequence(&[&der(0x80, &[&key.id()])])
}

/// An authority's certificate, issued by `issuer`.
pub fn authority(subject: &str, key: &Key, issuer: &str, issuer_key: &Key) -> Template {
    let template = Template {
        version: 3,
        serial: vec![1, u8::try_from(subject.len()).unwrap()],
        issuer: name(issuer),
        subject: name(subject),
        from: NOW - 400 * DAY,
        to: NOW + 400 * DAY,
        key: key.public(),
        algorithm: SHA256_ECDSA,
        extensions: Vec::new(),
    };
    let template = template
        .with("2.5.29.19", true, sequence(&[&[1, 1, 0xff]]))
        .with("2.5.29.15", true, key_usage(0x06))
        .with("2.5.29.14", false, der(4, &[&key.id()]));
    if subject == issuer {
        return template;
    }
    template.with("2.5.29.35", false, authority_key(issuer_key)).with(
        "2.5.29.31",
        false,
        distribution_points(&[ROOT_CRL]),
    )
}

/// A service certificate, issued by `issuer`.
pub fn service(issuer: &str, issuer_key: &Key, key: &Key) -> Template {
    let mut template = authority("x", key, issuer, issuer_key).without("2.5.29.19").without("2.5.29.14");
    template.subject = name(HOST);
    template.serial = vec![0x33];
    template
        .with("2.5.29.15", true, key_usage(0x80))
        .with("2.5.29.37", false, sequence(&[&oid("1.3.6.1.5.5.7.3.1")]))
        .with("2.5.29.17", false, alternative_names(&[HOST]))
        .with("2.5.29.31", false, distribution_points(&[ISSUING_CRL]))
}

/// A revocation list to be made.
#[derive(Clone)]
pub struct ListTemplate {
    pub issuer: Vec<u8>,
    pub from: i64,
    pub to: i64,
    pub revoked: Vec<Vec<u8>>,
    pub revoked_at: i64,
    pub extensions: Vec<(String, bool, Vec<u8>)>,
}

impl ListTemplate {
    pub fn of(issuer: &str, key: &Key) -> Self {
        let extensions =
            vec![("2.5.29.35".to_owned(), false, authority_key(key)), ("2.5.29.20".to_owned(), false, der(2, &[&[7]]))];
        Self {
            issuer: name(issuer),
            from: NOW - DAY,
            to: NOW + 6 * DAY,
            revoked: Vec::new(),
            revoked_at: NOW - 3 * DAY,
            extensions,
        }
    }

    pub fn with(mut self, extension: &str, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.push((extension.to_owned(), critical, value));
        self
    }

    pub fn sign(&self, by: &Key) -> Vec<u8> {
        let reason = sequence(&[&sequence(&[&oid("2.5.29.21"), &der(4, &[&[10, 1, 1]])])]);
        let at = time(self.revoked_at);
        let entries: Vec<Vec<u8>> =
            self.revoked.iter().map(|serial| sequence(&[&der(2, &[serial]), &at, &reason])).collect();
        let entries = sequence(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let entries = if self.revoked.is_empty() { Vec::new() } else { entries };
        let extensions = der(0xa0, &[&extension_list(&self.extensions)]);
        let (from, to) = (time(self.from), time(self.to));
        let algorithm = sequence(&[&oid(SHA256_ECDSA)]);
        let parts: [&[u8]; 7] = [&[2, 1, 1], &algorithm, &self.issuer, &from, &to, &entries, &extensions];
        by.sign(&sequence(&parts), SHA256_ECDSA)
    }
}

/// Name of the root.
pub const ROOT: &str = "Contoso Root CA";
/// Name of the issuing authority.
pub const ISSUING: &str = "Contoso Issuing CA";

/// An organisation's own PKI: a root, an issuing authority and their keys.
#[allow(clippy::struct_field_names)] // they are keys
pub struct Pki {
    pub root_key: Key,
    pub issuing_key: Key,
    pub leaf_key: Key,
}

impl Pki {
    pub fn new() -> Self {
        Self { root_key: Key::new(), issuing_key: Key::new(), leaf_key: Key::new() }
    }

    pub fn root(&self) -> Template {
        authority(ROOT, &self.root_key, ROOT, &self.root_key)
    }

    pub fn issuing(&self) -> Template {
        authority(ISSUING, &self.issuing_key, ROOT, &self.root_key)
    }

    pub fn leaf(&self) -> Template {
        service(ISSUING, &self.issuing_key, &self.leaf_key)
    }

    pub fn root_list(&self) -> ListTemplate {
        ListTemplate::of(ROOT, &self.root_key)
    }

    pub fn issuing_list(&self) -> ListTemplate {
        ListTemplate::of(ISSUING, &self.issuing_key)
    }

    /// A request about these three certificates, with good lists.
    pub fn request_of(&self, leaf: &Template, issuing: &Template, root: &Template) -> ChainRequest {
        let presented = vec![
            Source::new("leaf", leaf.sign(&self.issuing_key)),
            Source::new("issuing", issuing.sign(&self.root_key)),
        ];
        let roots = vec![Source::new("root", root.sign(&self.root_key))];
        let mut request = ChainRequest::new(presented, roots, NOW * 1_000_000);
        request.host = Some(HOST.to_owned());
        request.crls = vec![
            list(ROOT_CRL, self.root_list().sign(&self.root_key)),
            list(ISSUING_CRL, self.issuing_list().sign(&self.issuing_key)),
        ];
        request
    }

    /// A request in which nothing is wrong.
    pub fn request(&self) -> ChainRequest {
        self.request_of(&self.leaf(), &self.issuing(), &self.root())
    }
}

/// A list with its address.
pub fn list(url: &str, bytes: Vec<u8>) -> CrlSource {
    CrlSource { name: url.into(), url: Some(url.to_owned()), bytes: Some(bytes) }
}
