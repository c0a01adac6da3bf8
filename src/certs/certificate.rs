//! One certificate as read: everything a check needs, owned, and nothing judged.

use std::sync::Arc;

use super::der::{self, Reader, context};
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
        let mut outer = Reader::new(bytes);
        let certificate = outer.expect(der::SEQUENCE).ok_or("it is no DER sequence, or is cut off")?;
        if !outer.is_empty() {
            return Err("bytes follow the certificate");
        }
        let mut parts = certificate.inside();
        let tbs = parts.expect(der::SEQUENCE).ok_or("the signed part is missing or cut off")?;
        let algorithm = parts.expect(der::SEQUENCE).ok_or("the signature algorithm is missing")?;
        let signature = parts.expect(der::BIT_STRING).ok_or("the signature is missing or cut off")?;
        let kind = SignatureKind::from_der(algorithm.raw).ok_or("the signature algorithm is damaged")?;
        let start = bytes.len() - certificate.content.len();
        let signed = Signed {
            kind,
            algorithms_agree: true,
            part: start..start + tbs.raw.len(),
            value: signature.whole_octets().ok_or("the signature is damaged")?.to_vec(),
        };
        Self::from_signed_part(bytes, source, tbs.inside(), signed, algorithm.raw)
    }

    /// Reads the fields of the signed part, in their order (RFC 5280, section 4.1).
    fn from_signed_part(
        bytes: &[u8],
        source: &Arc<str>,
        mut tbs: Reader<'_>,
        mut signed: Signed,
        outer_algorithm: &[u8],
    ) -> Result<Self, &'static str> {
        let version = match tbs.optional(context(0)) {
            Some(explicit) => {
                explicit.inside().next().and_then(|v| v.small_integer()).ok_or("the version is damaged")?
            }
            None => 0,
        };
        let serial = tbs.expect(der::INTEGER).ok_or("the serial number is missing")?;
        let inner_algorithm = tbs.expect(der::SEQUENCE).ok_or("the inner signature algorithm is missing")?;
        signed.algorithms_agree = inner_algorithm.raw == outer_algorithm;
        let issuer = tbs.expect(der::SEQUENCE).ok_or("the issuer is missing")?;
        let mut validity = tbs.expect(der::SEQUENCE).ok_or("the validity is missing")?.inside();
        let mut time = || validity.next().and_then(|time| time.unix_seconds()).ok_or("a validity date is no time");
        let (not_before, not_after) = (time()?, time()?);
        let subject = tbs.expect(der::SEQUENCE).ok_or("the subject is missing")?;
        let key = tbs.expect(der::SEQUENCE).ok_or("the public key is missing")?;
        let key = PublicKey::from_der(key.raw).ok_or("the public key is damaged")?;
        let extensions = Extensions::read(raw_extensions(tbs).ok_or("the extensions are damaged")?);
        Ok(Self {
            der: bytes.into(),
            source: Arc::clone(source),
            version: version.saturating_add(1),
            serial: serial.content.to_vec(),
            issuer: Name::from_der(issuer.raw),
            subject: Name::from_der(subject.raw),
            not_before,
            not_after,
            key,
            signed,
            extensions,
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

    /// Whether extended key usage names server authentication, client authentication or any usage.
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

/// The extensions behind the public key, past the unique identifiers of version 2.
fn raw_extensions(mut tbs: Reader<'_>) -> Option<Vec<RawExtension>> {
    let mut extensions = Vec::new();
    while !tbs.is_empty() {
        let element = tbs.next()?;
        if element.tag == context(3) {
            extensions = extension_list(element.inside().expect(der::SEQUENCE)?.inside())?;
        }
    }
    Some(extensions)
}

/// Reads `SEQUENCE OF Extension`.
pub(super) fn extension_list(mut list: Reader<'_>) -> Option<Vec<RawExtension>> {
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut parts = list.expect(der::SEQUENCE)?.inside();
        let oid = der::dotted(parts.expect(der::OID)?.content)?;
        let critical = parts.optional(der::BOOLEAN).is_some_and(|flag| flag.boolean());
        let value = parts.expect(der::OCTET_STRING)?.content.to_vec();
        extensions.push(RawExtension { oid, critical, value });
    }
    Some(extensions)
}
