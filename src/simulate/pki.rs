//! Certificates, revocation lists and tokens of a simulated site, made for real with keys that everybody has.
//!
//! All keys are bundled and RSA, whose signatures leave nothing to chance: the same seed gives the same bytes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use serde_json::{Value, json};

use super::random::Random;
use crate::error::{Error, Result};
use crate::time::Micros;

const AUTHORITY: &str = include_str!("keys/authority.pem");
const INTERMEDIATE: &str = include_str!("keys/intermediate.pem");
const CLIENTS: &str = include_str!("keys/clients.pem");
const LEAF: &str = include_str!("keys/leaf.pem");
const INSPECTION: &str = include_str!("keys/inspection.pem");
const ENTRA: &str = include_str!("keys/entra.pem");
const SITE: &str = include_str!("keys/site.pem");

const SECOND: Micros = 1_000_000;
const DAY: Micros = 86_400 * SECOND;
const YEAR: Micros = 365 * DAY;

fn failed(what: &str, reason: &impl std::fmt::Display) -> Error {
    Error::Argument {
        argument: "simulate".to_owned(),
        expected: format!("{what} that can be made from the bundled keys"),
        found: reason.to_string(),
    }
}

fn key(pem: &str) -> Result<KeyPair> {
    KeyPair::from_pem(pem).map_err(|reason| failed("a key", &reason))
}

/// An instant, in whole seconds, in the type of the certificate library, which it does not export.
macro_rules! moment {
    ($at:expr) => {
        date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from($at / SECOND).unwrap_or_default())
    };
}

/// An authority: its certificate, and what it signs with.
pub(super) struct Authority {
    certificate: Certificate,
    from: Micros,
    to: Micros,
    issuer: Issuer<'static, KeyPair>,
}

fn params(name: &str, from: Micros, to: Micros, random: &mut Random) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(|reason| failed("a certificate", &reason))?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = moment!(from);
    params.not_after = moment!(to);
    let mut serial = random.bytes(16);
    serial.iter_mut().take(1).for_each(|first| *first = (*first & 0x3f) | 0x40);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

impl Authority {
    /// An authority under another, with the address of that one's revocation list, or one that stands for itself.
    fn new(name: &str, key_pem: &str, under: Option<(&Self, &str)>, at: Micros, random: &mut Random) -> Result<Self> {
        let (from, to) = (at - 3 * YEAR, at + 7 * YEAR);
        let mut params = params(name, from, to, random)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let own = key(key_pem)?;
        let certificate = match under {
            None => params.self_signed(&own),
            Some((authority, list)) => {
                params.use_authority_key_identifier_extension = true;
                params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![list.to_owned()] }];
                params.signed_by(&own, &authority.issuer)
            }
        };
        let certificate = certificate.map_err(|reason| failed("an authority", &reason))?;
        Ok(Self { certificate, from, to, issuer: Issuer::new(params, own) })
    }

    /// Its own certificate.
    pub fn as_issued(&self) -> Issued {
        Issued { der: self.certificate.der().to_vec(), serial: None, from: self.from, to: self.to }
    }

    /// A certificate of this authority.
    pub fn issue(&self, leaf: &Leaf<'_>, random: &mut Random) -> Result<Issued> {
        let mut params = params(leaf.name, leaf.from, leaf.to, random)?;
        for host in leaf.hosts {
            let name = (*host).try_into().map_err(|reason| failed("a host name", &reason))?;
            params.subject_alt_names.push(rcgen::SanType::DnsName(name));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![leaf.usage.clone()];
        params.use_authority_key_identifier_extension = true;
        if let Some(list) = leaf.list {
            params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![list.to_owned()] }];
        }
        let serial = params.serial_number.clone();
        let certificate =
            params.signed_by(&key(LEAF)?, &self.issuer).map_err(|reason| failed("a certificate", &reason))?;
        Ok(Issued { der: certificate.der().to_vec(), serial, from: leaf.from, to: leaf.to })
    }

    /// Its revocation list, with what it revoked before `at`.
    pub fn list(&self, revoked: &[SerialNumber], at: Micros, until: Micros) -> Result<Vec<u8>> {
        let list = CertificateRevocationListParams {
            this_update: moment!(at),
            next_update: moment!(until),
            crl_number: SerialNumber::from(u64::try_from(at / SECOND).unwrap_or_default()),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: serial.clone(),
                    revocation_time: moment!(at),
                    reason_code: Some(rcgen::RevocationReason::KeyCompromise),
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).map_err(|reason| failed("a revocation list", &reason))?;
        Ok(list.der().to_vec())
    }
}

/// What a certificate is to say.
pub(super) struct Leaf<'a> {
    pub name: &'a str,
    pub hosts: &'a [&'a str],
    pub usage: ExtendedKeyUsagePurpose,
    pub from: Micros,
    pub to: Micros,
    /// Address of the revocation list.
    pub list: Option<&'a str>,
}

/// A certificate.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    pub der: Vec<u8>,
    pub serial: Option<SerialNumber>,
    pub from: Micros,
    pub to: Micros,
}

impl Issued {
    /// SHA-1 of the certificate, as Windows shows it.
    pub fn thumbprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        digest.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
    }

    /// The same certificate with a bit of its signature turned over.
    pub fn damaged(&self) -> Self {
        let mut der = self.der.clone();
        der.iter_mut().rev().take(1).for_each(|last| *last ^= 1);
        Self { der, ..self.clone() }
    }

    pub fn pem(&self) -> String {
        to_pem("CERTIFICATE", &self.der)
    }
}

/// DER as PEM.
pub(super) fn to_pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// The authorities of a site and around it.
pub(super) struct Authorities {
    /// Root of what the CMG presents.
    pub root: Authority,
    /// Signs what the CMG presents.
    pub issuing: Authority,
    /// Signs clients' certificates.
    pub clients: Authority,
    /// The root of a firewall that inspects TLS.
    pub inspection: Authority,
    /// Signs devices' join certificates.
    pub entra: Authority,
    /// A root that is in every store and signs nothing here.
    pub public: Authority,
}

impl Authorities {
    /// `list` is the address of the root's revocation list.
    pub fn new(organisation: &str, inspector: &str, list: &str, at: Micros, random: &mut Random) -> Result<Self> {
        let root = Authority::new(&format!("{organisation} Root CA"), AUTHORITY, None, at, random)?;
        let issuing =
            Authority::new(&format!("{organisation} Issuing CA 1"), INTERMEDIATE, Some((&root, list)), at, random)?;
        let clients = Authority::new(&format!("{organisation} Client CA 1"), CLIENTS, Some((&root, list)), at, random)?;
        let inspection = Authority::new(inspector, INSPECTION, None, at, random)?;
        let entra = Authority::new("MS-Organization-Access", ENTRA, None, at, random)?;
        let public = Authority::new("Everyday Public Root R1", SITE, None, at, random)?;
        Ok(Self { root, issuing, clients, inspection, entra, public })
    }
}

/// Who signs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    Entra,
    Site,
}

/// Signs tokens, and has the keys that verify them.
pub(super) struct Signatures {
    entra: KeyPair,
    site: KeyPair,
    entra_id: String,
    site_id: String,
}

impl Signatures {
    pub fn new(random: &mut Random) -> Result<Self> {
        let entra_id = URL_SAFE_NO_PAD.encode(random.bytes(20));
        let site_id = URL_SAFE_NO_PAD.encode(random.bytes(20));
        Ok(Self { entra: key(ENTRA)?, site: key(SITE)?, entra_id, site_id })
    }

    /// A token with these claims, signed with RS256.
    pub fn sign(&self, signer: Signer, claims: &Value) -> Result<String> {
        let (header, pem) = match signer {
            Signer::Entra => (json!({"typ": "JWT", "alg": "RS256", "x5t": self.entra_id, "kid": self.entra_id}), ENTRA),
            Signer::Site => (json!({"typ": "JWT", "alg": "RS256", "x5t": self.site_id}), SITE),
        };
        let signing = jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes())
            .map_err(|reason| failed("a signing key", &reason))?;
        let text =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &signing, jsonwebtoken::Algorithm::RS256)
            .map_err(|reason| failed("a signature", &reason))?;
        Ok(format!("{text}.{signature}"))
    }

    /// The keys that verify, as JWKS.
    pub fn keys(&self) -> Value {
        let keys = [(&self.entra, &self.entra_id), (&self.site, &self.site_id)].map(|(key, id)| {
            let (modulus, exponent) = modulus_and_exponent(key.public_key_raw());
            json!({"kty": "RSA", "use": "sig", "kid": id, "x5t": id,
                   "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent)})
        });
        json!({ "keys": keys })
    }
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017, appendix A.1.1): a sequence of two integers.
fn modulus_and_exponent(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, inside, _) = element(der);
    let (_, modulus, rest) = element(inside);
    let (_, exponent, _) = element(rest);
    let plain = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
    (plain(modulus), plain(exponent))
}

/// Tag, content and what follows of a DER element.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (Some(&tag), Some(&length)) = (der.first(), der.get(1)) else { return (0, &[], &[]) };
    let octets = if length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    let long = der.get(2..2 + octets).unwrap_or_default().iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let length = if octets == 0 { usize::from(length) } else { long };
    let start = 2 + octets;
    let content = der.get(start..start + length).unwrap_or_default();
    (tag, content, der.get(start + length..).unwrap_or_default())
}
