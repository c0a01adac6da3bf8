//! Keys that may verify a token: a JWKS, PEM, or certificates.
//!
//! Reading keys never fails: what cannot be used is told in [`KeySet::problems`], in words that quote nothing of the
//! input, and the rest is used (RFC 7517, section 5).

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::base64url;
use super::json::Json;

/// Most bytes of key material that are read at once. Entra's key set has about 20 kB.
const MAX_BYTES: usize = 4 << 20;

/// Fewest bits of an RSA key that may sign (RFC 7518, section 3.3).
pub(crate) const MIN_RSA_BITS: usize = 2048;

/// One key that can verify.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// `kid`, opaque.
    pub id: Option<String>,
    /// SHA-1 of the certificate, base64url without padding.
    pub thumbprint: Option<String>,
    /// `use`.
    pub purpose: Option<String>,
    /// `key_ops`.
    pub operations: Option<Vec<String>>,
    /// `alg`.
    pub algorithm: Option<String>,
    /// `issuer`, Microsoft's extension: a template or one tenant's issuer.
    pub issuer: Option<String>,
    /// Bits of an RSA modulus.
    pub rsa_bits: Option<usize>,
    /// P-256 or P-384.
    curve: Option<Curve>,
    /// The key itself.
    pub material: DecodingKey,
    /// An RSA key parsed once for RS256, which all issuers here sign with: parsing is a tenth of a verification.
    rs256: Option<ParsedPublicKey>,
    /// Where it came from, in words ("key 3 of the set").
    pub origin: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

impl Key {
    fn new(material: DecodingKey, origin: String) -> Self {
        Self {
            id: None,
            thumbprint: None,
            purpose: None,
            operations: None,
            algorithm: None,
            issuer: None,
            rsa_bits: None,
            curve: None,
            material,
            rs256: None,
            origin,
        }
    }

    /// True where key type and curve can make signatures of this algorithm (RFC 8725, section 3.1).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::ES256 => self.curve == Some(Curve::P256),
            Algorithm::ES384 => self.curve == Some(Curve::P384),
            other => other.family() == self.material.family(),
        }
    }

    /// True where the signature over this text is good. The key must fit the algorithm.
    ///
    /// The provider is named, so that the answer does not hang on which features other crates turn on.
    pub fn verifies(&self, text: &[u8], signature: &[u8], algorithm: Algorithm) -> bool {
        if let (Algorithm::RS256, Some(key)) = (algorithm, &self.rs256) {
            return key.verify_sig(text, signature).is_ok();
        }
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.material);
        verifier.is_ok_and(|verifier| verifier.verify(text, &signature.to_vec()).is_ok())
    }

    /// True for a secret, with which whoever can check can sign; no issuer of these tokens publishes one.
    pub fn is_symmetric(&self) -> bool {
        self.material.family() == AlgorithmFamily::Hmac
    }

    /// What kind of key it is, with its article.
    pub fn type_name(&self) -> String {
        match (self.material.family(), self.rsa_bits, self.curve) {
            (AlgorithmFamily::Rsa, Some(bits), _) => format!("an RSA key of {bits} bits"),
            (AlgorithmFamily::Rsa, None, _) => "an RSA key".to_owned(),
            (AlgorithmFamily::Ec, _, Some(Curve::P384)) => "an EC key on P-384".to_owned(),
            (AlgorithmFamily::Ec, ..) => "an EC key on P-256".to_owned(),
            (AlgorithmFamily::Ed, ..) => "an Ed25519 key".to_owned(),
            (AlgorithmFamily::Hmac, ..) => "a symmetric key".to_owned(),
        }
    }

    /// True where it carries no name by which a token could choose it.
    pub const fn is_nameless(&self) -> bool {
        self.id.is_none() && self.thumbprint.is_none()
    }
}

/// The keys that were given, and what was wrong with them.
///
/// A clone shares them, so that one set can serve many policies.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Arc<Keys>);

#[derive(Debug, Clone, Default)]
struct Keys {
    all: Vec<Key>,
    by_id: HashMap<String, Vec<usize>>,
    by_thumbprint: HashMap<String, Vec<usize>>,
    problems: Vec<String>,
}

impl KeySet {
    /// Reads a JWKS or JWK (JSON text), PEM (certificates, public keys), or a DER certificate.
    ///
    /// ```
    /// use cmgtrail::tokens::KeySet;
    ///
    /// let keys = KeySet::parse(br#"{"keys": []}"#);
    /// assert!(keys.is_empty());
    /// assert_eq!(KeySet::parse(b"nonsense").problems().len(), 1);
    /// ```
    pub fn parse(input: &[u8]) -> Self {
        let mut set = Self::default();
        set.add(input);
        set
    }

    /// Reads more keys of any of the forms of [`KeySet::parse`] into this set.
    pub fn add(&mut self, input: &[u8]) {
        Arc::make_mut(&mut self.0).add(input);
    }

    /// What could not be used, and what is doubtful, a sentence each.
    pub fn problems(&self) -> &[String] {
        &self.0.problems
    }

    /// Number of keys that can be used.
    pub fn len(&self) -> usize {
        self.0.all.len()
    }

    /// True where no key can be used.
    pub fn is_empty(&self) -> bool {
        self.0.all.is_empty()
    }

    pub(crate) fn all(&self) -> &[Key] {
        &self.0.all
    }

    pub(crate) fn with_id<'s>(&'s self, id: &str) -> impl Iterator<Item = &'s Key> {
        self.0.by_id.get(id).into_iter().flatten().filter_map(|index| self.0.all.get(*index))
    }

    pub(crate) fn with_thumbprint<'s>(&'s self, thumbprint: &str) -> impl Iterator<Item = &'s Key> {
        self.0.by_thumbprint.get(thumbprint).into_iter().flatten().filter_map(|index| self.0.all.get(*index))
    }
}

impl Keys {
    fn add(&mut self, input: &[u8]) {
        let text = std::str::from_utf8(input).unwrap_or("").trim_start_matches('\u{feff}').trim();
        if input.len() > MAX_BYTES {
            self.problems.push(format!("the keys have {} bytes; at most {MAX_BYTES} are read", input.len()));
        } else if text.starts_with(['{', '[']) {
            self.add_json(text);
        } else if text.contains("-----BEGIN ") {
            self.add_pem(text.as_bytes());
        } else if let Some(key) = from_certificate(input, "the certificate") {
            self.push(key);
        } else {
            let found = if input.is_empty() { "nothing" } else { "something else" };
            let expected = "expected a JWKS (JSON), PEM, or a DER certificate";
            self.problems.push(format!("{expected}, found {found}; give the keys as published by the issuer"));
        }
        self.note_duplicates();
    }

    fn push(&mut self, key: Key) {
        let index = self.all.len();
        if let Some(id) = &key.id {
            self.by_id.entry(id.clone()).or_default().push(index);
        }
        if let Some(thumbprint) = &key.thumbprint {
            self.by_thumbprint.entry(thumbprint.clone()).or_default().push(index);
            // .NET names a certificate's key by the thumbprint as Windows shows it.
            if let Some(shown) = in_hex(thumbprint) {
                self.by_thumbprint.entry(shown).or_default().push(index);
            }
        }
        self.all.push(key);
    }

    fn note_duplicates(&mut self) {
        self.problems.retain(|problem| !problem.ends_with(SHARED_ID));
        let shared = self.by_id.values().filter(|indices| indices.len() > 1);
        let mut notes: Vec<String> =
            shared.map(|indices| format!("{} keys of the set {SHARED_ID}", indices.len())).collect();
        notes.sort_unstable();
        self.problems.append(&mut notes);
    }

    fn add_json(&mut self, text: &str) {
        let json = match Json::parse(text.as_bytes()) {
            Ok(json) => json,
            Err(why) => {
                self.problems.push(format!("the key set {why}; give it as downloaded"));
                return;
            }
        };
        let duplicates = json.duplicates();
        if !duplicates.is_empty() {
            self.problems
                .push("the key set has members that stand twice in one object; the last one counts".to_owned());
        }
        let entries: &[Json] = match (json.get("keys"), &json) {
            (Some(Json::List(entries)), _) | (None, Json::List(entries)) => entries,
            (None, Json::Object(_)) => std::slice::from_ref(&json),
            _ => &[],
        };
        if entries.is_empty() {
            self.problems.push("the key set holds no key".to_owned());
        }
        for (index, entry) in entries.iter().enumerate() {
            let origin = format!("key {} of the set", index + 1);
            match from_jwk(entry, &origin) {
                Ok(key) => self.push(key),
                Err(why) => self.problems.push(format!("{origin} {why}; it is not used")),
            }
            if entry.get("d").is_some() {
                self.problems
                    .push(format!("{origin} holds its private part (d), which no check needs: never hand it out"));
            }
        }
    }

    fn add_pem(&mut self, text: &[u8]) {
        let mut blocks = 0;
        for (index, block) in Pem::iter_from_buffer(text).enumerate() {
            blocks += 1;
            let origin = format!("PEM block {}", index + 1);
            let key = block.map_err(|_| "is damaged").and_then(|block| from_pem(&block, &origin));
            match key {
                Ok(key) => self.push(key),
                Err(why) => self.problems.push(format!("{origin} {why}; it is not used")),
            }
        }
        if blocks == 0 {
            self.problems.push("the PEM text holds no complete block".to_owned());
        }
    }
}

const SHARED_ID: &str = "share one key id, which should be unique (RFC 7517, section 4.5); each is tried";

fn from_pem(block: &Pem, origin: &str) -> Result<Key, &'static str> {
    match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            from_certificate(&block.contents, origin).ok_or("is no readable certificate with a usable key")
        }
        "PUBLIC KEY" => {
            let (_, info) = SubjectPublicKeyInfo::from_der(&block.contents).map_err(|_| "is no readable public key")?;
            from_public_key(&info, origin).ok_or("has a key of an unsupported kind")
        }
        "RSA PUBLIC KEY" => from_pkcs1(&block.contents, origin).ok_or("is no readable RSA key"),
        label if label.contains("PRIVATE KEY") => Err("is a private key, which no check needs: never hand it out"),
        _ => Err("is neither a certificate nor a public key"),
    }
}

fn from_certificate(der: &[u8], origin: &str) -> Option<Key> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut key = from_public_key(certificate.public_key(), origin)?;
    key.thumbprint = Some(thumbprint(der));
    Some(key)
}

/// SHA-1 of a certificate as header `x5t` has it (RFC 7515, section 4.1.7): an identifier, no protection.
fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der))
}

/// A thumbprint in base64url as Windows shows it.
pub(super) fn in_hex(thumbprint: &str) -> Option<String> {
    let bytes = base64url::decode(thumbprint).ok()?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).map(|c| c.to_ascii_uppercase())).collect()
}

fn from_public_key(info: &SubjectPublicKeyInfo<'_>, origin: &str) -> Option<Key> {
    const RSA: &str = "1.2.840.113549.1.1.1";
    const EC: &str = "1.2.840.10045.2.1";
    const ED25519: &str = "1.3.101.112";
    let bits = &info.subject_public_key.data;
    match info.algorithm.algorithm.to_id_string().as_str() {
        RSA => from_pkcs1(bits, origin),
        EC => from_point(bits, origin),
        ED25519 => Some(Key::new(DecodingKey::from_ed_der(bits), origin.to_owned())),
        _ => None,
    }
}

fn from_pkcs1(der: &[u8], origin: &str) -> Option<Key> {
    let bits = RsaParameters::public_modulus_len(der).ok()?;
    let mut key = Key::new(DecodingKey::from_rsa_der(der), origin.to_owned());
    key.rsa_bits = usize::try_from(bits).ok();
    key.rs256 = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok();
    (key.rs256.is_some() || key.rsa_bits.is_none_or(|bits| bits < MIN_RSA_BITS)).then_some(key)
}

fn from_point(point: &[u8], origin: &str) -> Option<Key> {
    let curve = match (point.first(), point.len()) {
        (Some(4), 65) => Curve::P256,
        (Some(4), 97) => Curve::P384,
        _ => return None,
    };
    let mut key = Key::new(DecodingKey::from_ec_der(point), origin.to_owned());
    key.curve = Some(curve);
    Some(key)
}

fn from_jwk(jwk: &Json<'_>, origin: &str) -> Result<Key, &'static str> {
    if jwk.members().is_none() {
        return Err("is no object");
    }
    let mut key = match jwk.text("kty").ok_or("has no key type (kty)")? {
        "RSA" => rsa_from_jwk(jwk, origin)?,
        "EC" => ec_from_jwk(jwk, origin)?,
        "oct" => Key::new(DecodingKey::from_secret(&bytes_of(jwk, "k")?), origin.to_owned()),
        "OKP" if jwk.text("crv") == Some("Ed25519") => {
            Key::new(DecodingKey::from_ed_der(&bytes_of(jwk, "x")?), origin.to_owned())
        }
        _ => return Err("has a key type that is not supported"),
    };
    if is_of_certificate(jwk) == Some(false) {
        return Err("is another one than that of its certificate (x5c)");
    }
    let owned = |name: &str| jwk.text(name).map(str::to_owned);
    key.id = owned("kid");
    key.purpose = owned("use");
    key.algorithm = owned("alg");
    key.issuer = owned("issuer");
    key.operations = operations(jwk);
    key.thumbprint = owned("x5t").or_else(|| Some(thumbprint(&certificate_of(jwk)?)));
    Ok(key)
}

fn operations(jwk: &Json<'_>) -> Option<Vec<String>> {
    let Json::List(operations) = jwk.get("key_ops")? else { return None };
    Some(operations.iter().filter_map(|operation| operation.as_str().map(str::to_owned)).collect())
}

/// DER of the certificate beside a key (RFC 7517, section 4.7).
fn certificate_of(jwk: &Json<'_>) -> Option<Vec<u8>> {
    let Json::List(chain) = jwk.get("x5c")? else { return None };
    STANDARD.decode(chain.first()?.as_str()?).ok()
}

/// Whether an RSA exponent is odd and at least 3 (RFC 8017, section 3.1): with any other, nothing is proven.
fn is_exponent(exponent: &[u8]) -> bool {
    exponent.last().is_some_and(|last| last % 2 == 1) && exponent != [1]
}

/// Whether a key is that of the certificate beside it, as it must be (RFC 7517, section 4.7); `None` without one.
fn is_of_certificate(jwk: &Json<'_>) -> Option<bool> {
    let der = certificate_of(jwk)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let own = |name: &str| bytes_of(jwk, name).ok();
    match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => {
            let same = |of_certificate, own: &[u8]| without_leading_zeros(of_certificate) == without_leading_zeros(own);
            Some(same(key.modulus, &own("n")?) && same(key.exponent, &own("e")?))
        }
        PublicKey::EC(point) => Some(point.data() == [vec![4], own("x")?, own("y")?].concat()),
        _ => None,
    }
}

fn rsa_from_jwk(jwk: &Json<'_>, origin: &str) -> Result<Key, &'static str> {
    let (modulus, exponent) = (bytes_of(jwk, "n")?, bytes_of(jwk, "e")?);
    let (modulus, exponent) = (without_leading_zeros(&modulus), without_leading_zeros(&exponent));
    let first = modulus.first().ok_or("has an empty modulus (n)")?;
    if !is_exponent(exponent) {
        return Err("has an exponent (e) that no RSA key has; expected an odd number from 3 on");
    }
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    let mut key = Key::new(DecodingKey::from_rsa_raw_components(modulus, exponent), origin.to_owned());
    key.rsa_bits = Some(bits);
    let parts = RsaPublicKeyComponents { n: modulus, e: exponent };
    key.rs256 = parts.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok();
    if key.rs256.is_none() && bits >= MIN_RSA_BITS {
        return Err("has a size or an exponent that no verification accepts");
    }
    Ok(key)
}

/// Microsoft's older sets wrote the sign byte of the DER integer into `n`.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn ec_from_jwk(jwk: &Json<'_>, origin: &str) -> Result<Key, &'static str> {
    let size = match jwk.text("crv") {
        Some("P-256") => 32,
        Some("P-384") => 48,
        _ => return Err("is on a curve that is not supported"),
    };
    let (x, y) = (bytes_of(jwk, "x")?, bytes_of(jwk, "y")?);
    if x.len() != size || y.len() != size {
        return Err("has coordinates of the wrong length");
    }
    let point: Vec<u8> = [&[4], x.as_slice(), y.as_slice()].concat();
    from_point(&point, origin).ok_or("is no point")
}

fn bytes_of(jwk: &Json<'_>, name: &str) -> Result<Vec<u8>, &'static str> {
    let text = jwk.text(name).ok_or("lacks a member that its key type needs")?;
    base64url::decode(text).map_err(|_| "holds a number that is not strict base64url")
}
