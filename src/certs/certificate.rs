//! One certificate as read: everything a check needs, owned, and nothing judged.

use std::sync::Arc;

use x509_parser::asn1_rs::nom::Parser as _;
use x509_parser::error::X509Error;
use x509_parser::prelude::{X509CertificateParser, X509Extension};

use super::der::{self, Reader};
use super::extensions::{Extensions, GeneralName, RawExtension, key_usage, usage};
use super::key::{PublicKey, SignatureKind, Signed};
use super::name::Name;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its DER bytes.
    pub der: Arc<[u8]>,
    /// Where it was found, in words: "cmg.pem", "presented".
    pub source: Arc<str>,
    /// Version as people count: 1, 2 or 3.
    pub version: u64,
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// Who issued it.
    pub issuer: Name,
    /// Whom it names.
    pub subject: Name,
    /// First second of its validity, Unix time.
    pub not_before: i64,
    /// Last second of its validity, Unix time.
    pub not_after: i64,
    /// The key it certifies.
    pub key: PublicKey,
    /// What was signed and how.
    pub signed: Signed,
    /// Its extensions.
    pub extensions: Extensions,
}

impl Certificate {
    /// Reads a certificate that makes up all of `bytes`.
    ///
    /// # Errors
    ///
    /// Says which part could not be read.
    pub fn from_der(bytes: &[u8], source: &Arc<str>) -> Result<Self, &'static str> {
        // Extensions are read one by one later, so that a damaged one hides no other.
        let parsed = X509CertificateParser::new().with_deep_parse_extensions(false).parse(bytes);
        let (rest, certificate) = parsed.map_err(|error| unreadable(&error.into()))?;
        if !rest.is_empty() {
            return Err("bytes follow the certificate");
        }
        let tbs = &certificate.tbs_certificate;
        let frame = Frame::read(bytes).ok_or("it is no certificate in DER, or more than one")?;
        let signed = Signed {
            kind: SignatureKind::from_parsed(&certificate.signature_algorithm),
            algorithms_agree: frame.algorithms_agree,
            part: frame.signed,
            value: der::whole_octets(&certificate.signature_value).ok_or("the signature is damaged")?.to_vec(),
        };
        Ok(Self {
            der: bytes.into(),
            source: Arc::clone(source),
            version: u64::from(tbs.version.0).saturating_add(1),
            serial: tbs.raw_serial().to_vec(),
            issuer: Name::from_parsed(&tbs.issuer),
            subject: Name::from_parsed(&tbs.subject),
            not_before: tbs.validity.not_before.timestamp(),
            not_after: tbs.validity.not_after.timestamp(),
            key: PublicKey::from_parsed(&tbs.subject_pki).ok_or("the public key is damaged")?,
            signed,
            extensions: Extensions::read(tbs.extensions().iter().map(RawExtension::from).collect()),
        })
    }

    /// Whether issuer and subject are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.issuer.same_as(&self.subject)
    }

    /// Whether basic constraints make it a certification authority.
    pub fn is_ca(&self) -> bool {
        self.extensions.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether its key may sign certificates, as far as key usage says.
    pub fn may_sign_certificates(&self) -> bool {
        self.extensions.key_usage.is_none_or(|bits| bits & key_usage::KEY_CERT_SIGN != 0)
    }

    /// Whether its key may sign revocation lists, as far as key usage says.
    pub fn may_sign_lists(&self) -> bool {
        self.extensions.key_usage.is_none_or(|bits| bits & key_usage::CRL_SIGN != 0)
    }

    /// Its domain names.
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.names().filter_map(|name| if let GeneralName::Dns(dns) = name { Some(dns.as_str()) } else { None })
    }

    /// Its alternative names.
    pub fn names(&self) -> impl Iterator<Item = &GeneralName> {
        self.extensions.alternative_names.iter().flatten()
    }

    /// The serial number as hexadecimal digits.
    pub fn serial_text(&self) -> String {
        der::hex(&self.serial)
    }

    /// SHA-1 of the DER: the thumbprint Windows shows.
    pub fn sha1(&self) -> String {
        digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der)
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> String {
        digest(&aws_lc_rs::digest::SHA256, &self.der)
    }

    /// What to call it in a sentence: its subject, else its alternative name, else its serial number.
    pub fn display(&self) -> String {
        if !self.subject.is_empty() {
            return self.subject.text.clone();
        }
        match self.dns_names().next() {
            Some(dns) => format!("certificate for {dns}"),
            None => format!("certificate {}", self.serial_text()),
        }
    }

    /// Whether extended key usage names this very usage.
    pub fn allows_explicitly(&self, wanted: &str) -> bool {
        self.extensions.extended_key_usage.iter().flatten().any(|usage| usage == wanted)
    }

    /// Whether the certificate may be used so: extended key usage names this usage or any, or is absent.
    pub fn allows(&self, wanted: &str) -> bool {
        match &self.extensions.extended_key_usage {
            None => !self.extensions.is_malformed(super::extensions::oid::EXTENDED_KEY_USAGE),
            Some(usages) => usages.iter().any(|usage| usage == wanted || usage == usage::ANY),
        }
    }
}

fn digest(algorithm: &'static aws_lc_rs::digest::Algorithm, bytes: &[u8]) -> String {
    der::hex(aws_lc_rs::digest::digest(algorithm, bytes).as_ref())
}

/// What is wrong with a certificate that the parser refuses, as a clause.
fn unreadable(error: &X509Error) -> &'static str {
    match error {
        X509Error::InvalidVersion => "the version is damaged",
        X509Error::InvalidSerial => "the serial number is missing",
        X509Error::InvalidAlgorithmIdentifier => "a signature algorithm is damaged",
        X509Error::InvalidX509Name => "the issuer or the subject is damaged",
        X509Error::InvalidDate => "a validity date is no time",
        X509Error::InvalidSPKI => "the public key is damaged",
        X509Error::InvalidExtensions => "the extensions are damaged",
        X509Error::InvalidSignatureValue => "the signature is missing or cut off",
        _ => "it is no certificate in DER, or is cut off",
    }
}

/// What is signed and what is around it, octet by octet: the parser takes the number of a tag for the tag and passes
/// over what follows the last field it knows, so that a changed octet could go unseen (test
/// `every_flipped_byte_keeps_the_chain_from_being_valid`).
struct Frame {
    signed: std::ops::Range<usize>,
    algorithms_agree: bool,
}

impl Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut parts = Reader::new(bytes).tagged(der::SEQUENCE)?.inside();
        let (signed, algorithm) = (parts.tagged(der::SEQUENCE)?, parts.tagged(der::SEQUENCE)?);
        parts.tagged(der::BIT_STRING)?;
        let mut fields = signed.inside();
        fields.optional(der::context(0));
        fields.tagged(der::INTEGER)?;
        let algorithms_agree = fields.tagged(der::SEQUENCE)?.raw == algorithm.raw;
        parts.is_empty().then(|| Self { signed: der::place(bytes, signed.raw), algorithms_agree })
    }
}

impl From<&X509Extension<'_>> for RawExtension {
    fn from(extension: &X509Extension<'_>) -> Self {
        let X509Extension { oid, critical, value, .. } = extension;
        Self { oid: der::dotted(oid), critical: *critical, value: value.to_vec() }
    }
}
