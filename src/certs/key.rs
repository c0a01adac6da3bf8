//! Public keys and signatures: what they are, how strong they are, and whether a signature holds.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::der;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// DER of the `SubjectPublicKeyInfo`.
    pub der: Vec<u8>,
    /// What kind of key it is.
    pub kind: KeyKind,
    /// The key itself, without its algorithm.
    bytes: Vec<u8>,
}

/// Kinds of public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// Elliptic curve P-256.
    P256,
    /// Elliptic curve P-384.
    P384,
    /// Elliptic curve P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// A curve that is spelled out, or another named one, in dotted form.
    OtherCurve(String),
    /// DSA.
    Dsa,
    /// Another algorithm, in dotted form.
    Other(String),
}

impl KeyKind {
    /// The kind in words: "RSA 2048", "P-256".
    pub fn display(&self) -> String {
        match self {
            Self::Rsa(bits) => format!("RSA {bits}"),
            Self::P256 => "P-256".to_owned(),
            Self::P384 => "P-384".to_owned(),
            Self::P521 => "P-521".to_owned(),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::OtherCurve(curve) => format!("elliptic curve {curve}"),
            Self::Dsa => "DSA".to_owned(),
            Self::Other(oid) => format!("key algorithm {oid}"),
        }
    }
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`.
    pub fn from_der(raw: &[u8]) -> Option<Self> {
        Self::from_parsed(&SubjectPublicKeyInfo::from_der(raw).ok()?.1)
    }

    /// Takes over a parsed `SubjectPublicKeyInfo`.
    pub fn from_parsed(parsed: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let bytes = der::whole_octets(&parsed.subject_public_key)?.to_vec();
        let oid = der::dotted(&parsed.algorithm.algorithm);
        let kind = match oid.as_str() {
            "1.2.840.113549.1.1.1" => KeyKind::Rsa(modulus_bits(parsed)?),
            "1.2.840.10045.2.1" => curve(parsed.algorithm.parameters()),
            "1.3.101.112" => KeyKind::Ed25519,
            "1.2.840.10040.4.1" => KeyKind::Dsa,
            _ => KeyKind::Other(oid),
        };
        Some(Self { der: parsed.raw.to_vec(), kind, bytes })
    }

    /// Reads the content of a `SubjectPublicKeyInfo`, as trust anchors hold it.
    pub fn from_der_content(content: &[u8]) -> Option<Self> {
        let mut raw = vec![der::SEQUENCE];
        if let Ok(length @ 0..=0x7f) = u8::try_from(content.len()) {
            raw.push(length);
        } else {
            raw.push(0x82);
            raw.extend_from_slice(&u16::try_from(content.len()).ok()?.to_be_bytes());
        }
        raw.extend_from_slice(content);
        Self::from_der(&raw)
    }
}

/// Counted here: the parser's own count takes the first octet for a sign, whatever it is, so that it is short for a
/// modulus whose length is no multiple of eight.
fn modulus_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    let Ok(ParsedKey::RSA(key)) = key.parsed() else { return None };
    let significant = key.modulus.iter().position(|octet| *octet != 0).and_then(|at| key.modulus.get(at..))?;
    Some(significant.len() * 8 - significant.first()?.leading_zeros() as usize)
}

fn curve(parameters: Option<&Any<'_>>) -> KeyKind {
    let named = parameters.and_then(|parameters| parameters.as_oid().ok()).map(|curve| der::dotted(&curve));
    match named.as_deref() {
        Some("1.2.840.10045.3.1.7") => KeyKind::P256,
        Some("1.3.132.0.34") => KeyKind::P384,
        Some("1.3.132.0.35") => KeyKind::P521,
        Some(other) => KeyKind::OtherCurve(other.to_owned()),
        None => KeyKind::OtherCurve("with explicit parameters".to_owned()),
    }
}

/// A hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// MD2, MD4 or MD5.
    Md,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The algorithm of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureKind {
    /// RSA as PKCS #1 v1.5.
    RsaPkcs1(Hash),
    /// RSA-PSS with the same hash for message and mask, and a salt as long as the hash.
    RsaPss(Hash),
    /// RSA-PSS with other parameters, which no verifier of the public web takes either.
    OtherPss(Hash),
    /// ECDSA.
    Ecdsa(Hash),
    /// Ed25519.
    Ed25519,
    /// Another algorithm, in dotted form.
    Other(String),
}

impl SignatureKind {
    /// Takes over a parsed `AlgorithmIdentifier`.
    pub fn from_parsed(parsed: &AlgorithmIdentifier<'_>) -> Self {
        let oid = der::dotted(&parsed.algorithm);
        match oid.as_str() {
            "1.2.840.113549.1.1.2" | "1.2.840.113549.1.1.3" | "1.2.840.113549.1.1.4" => Self::RsaPkcs1(Hash::Md),
            "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => Self::RsaPkcs1(Hash::Sha1),
            "1.2.840.113549.1.1.11" => Self::RsaPkcs1(Hash::Sha256),
            "1.2.840.113549.1.1.12" => Self::RsaPkcs1(Hash::Sha384),
            "1.2.840.113549.1.1.13" => Self::RsaPkcs1(Hash::Sha512),
            "1.2.840.113549.1.1.10" => pss(parsed.parameters()),
            "1.2.840.10045.4.1" => Self::Ecdsa(Hash::Sha1),
            "1.2.840.10045.4.3.2" => Self::Ecdsa(Hash::Sha256),
            "1.2.840.10045.4.3.3" => Self::Ecdsa(Hash::Sha384),
            "1.2.840.10045.4.3.4" => Self::Ecdsa(Hash::Sha512),
            "1.3.101.112" => Self::Ed25519,
            _ => Self::Other(oid),
        }
    }

    /// The algorithm in words: "SHA-256 with RSA".
    pub fn display(&self) -> String {
        let hash = |hash: &Hash| match hash {
            Hash::Md => "MD5 or older",
            Hash::Sha1 => "SHA-1",
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        };
        match self {
            Self::RsaPkcs1(of) => format!("{} with RSA", hash(of)),
            Self::RsaPss(of) => format!("{} with RSA-PSS", hash(of)),
            Self::OtherPss(of) => format!("{} with RSA-PSS of unusual parameters", hash(of)),
            Self::Ecdsa(of) => format!("{} with ECDSA", hash(of)),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Other(oid) => format!("signature algorithm {oid}"),
        }
    }

    /// Whether its hash is SHA-1.
    pub fn is_sha1(&self) -> bool {
        matches!(
            self,
            Self::RsaPkcs1(Hash::Sha1)
                | Self::RsaPss(Hash::Sha1)
                | Self::OtherPss(Hash::Sha1)
                | Self::Ecdsa(Hash::Sha1)
        )
    }

    /// Whether its hash can be forged: MD5 and older, SHA-1.
    pub fn is_weak(&self) -> bool {
        self.is_sha1() || matches!(self, Self::RsaPkcs1(Hash::Md) | Self::RsaPss(Hash::Md) | Self::OtherPss(Hash::Md))
    }
}

/// RSA-PSS by its parameters; SHA-1 is the default for message and mask (RFC 4055, section 3.1).
fn pss(parameters: Option<&Any<'_>>) -> SignatureKind {
    let Some(parameters) = parameters.and_then(|parameters| RsaSsaPssParams::try_from(parameters).ok()) else {
        return SignatureKind::RsaPss(Hash::Sha1);
    };
    let of_message = der::dotted(parameters.hash_algorithm_oid());
    let (hash, octets) = match of_message.as_str() {
        "2.16.840.1.101.3.4.2.1" => (Hash::Sha256, 32),
        "2.16.840.1.101.3.4.2.2" => (Hash::Sha384, 48),
        "2.16.840.1.101.3.4.2.3" => (Hash::Sha512, 64),
        _ => (Hash::Sha1, 20),
    };
    let of_mask = parameters.mask_gen_algorithm().map(|mask| der::dotted(&mask.hash));
    let is_usual = of_mask.is_ok_and(|of_mask| of_mask == of_message)
        && parameters.salt_length() == octets
        && parameters.trailer_field() == 1;
    if is_usual { SignatureKind::RsaPss(hash) } else { SignatureKind::OtherPss(hash) }
}

/// What was signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The algorithm outside the signed part.
    pub kind: SignatureKind,
    /// Whether the signed part names the same algorithm.
    pub algorithms_agree: bool,
    /// Where the signed part lies in the DER.
    pub part: std::ops::Range<usize>,
    /// The signature.
    pub value: Vec<u8>,
}

/// What verifying a signature gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// It holds.
    Good,
    /// It does not hold.
    Bad,
    /// The key cannot make a signature of this algorithm.
    WrongKind,
    /// The algorithm cannot be verified here.
    Unsupported,
}

/// A signature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proven<'a> {
    /// The key, without its algorithm.
    pub key: &'a [u8],
    /// What was signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> Proven<'a> {
    /// The signature inside `der`, which `key` made. `None` for keys so short that others refuse them whatever they
    /// have signed.
    pub fn new(key: &'a PublicKey, der: &'a [u8], signed: &'a Signed) -> Option<Self> {
        if matches!(key.kind, KeyKind::Rsa(0..2048)) {
            return None;
        }
        Some(Self { key: &key.bytes, message: der.get(signed.part.clone())?, signature: &signed.value })
    }
}

/// Verifies `signed` inside `der` with `key`.
pub fn verify(key: &PublicKey, der: &[u8], signed: &Signed) -> Verification {
    let Some(message) = der.get(signed.part.clone()) else { return Verification::Bad };
    let algorithm = match algorithm(&key.kind, &signed.kind) {
        Ok(algorithm) => algorithm,
        Err(why) => return why,
    };
    let holds = UnparsedPublicKey::new(algorithm, &key.bytes).verify(message, &signed.value).is_ok();
    if holds { Verification::Good } else { Verification::Bad }
}

/// The verification algorithm for a key and a signature.
fn algorithm(
    key: &KeyKind,
    signature: &SignatureKind,
) -> Result<&'static (dyn VerificationAlgorithm + 'static), Verification> {
    use KeyKind::{P256, P384, P521, Rsa};
    use SignatureKind::{Ecdsa, OtherPss, RsaPkcs1, RsaPss};
    // The crypto library verifies with no other sizes.
    if matches!((key, signature), (Rsa(..1024 | 8193..), RsaPkcs1(_) | RsaPss(_))) {
        return Err(Verification::Unsupported);
    }
    Ok(match (key, signature) {
        (Rsa(_), RsaPkcs1(Hash::Sha1)) => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Rsa(_), RsaPkcs1(Hash::Sha256)) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Rsa(0..2048), RsaPkcs1(Hash::Sha384)) => return Err(Verification::Unsupported),
        (Rsa(_), RsaPkcs1(Hash::Sha384)) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Rsa(_), RsaPkcs1(Hash::Sha512)) => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Rsa(2048..), RsaPss(Hash::Sha256)) => &signature::RSA_PSS_2048_8192_SHA256,
        (Rsa(2048..), RsaPss(Hash::Sha384)) => &signature::RSA_PSS_2048_8192_SHA384,
        (Rsa(2048..), RsaPss(Hash::Sha512)) => &signature::RSA_PSS_2048_8192_SHA512,
        (P256, Ecdsa(Hash::Sha1)) => &signature::ECDSA_P256_SHA1_ASN1,
        (P256, Ecdsa(Hash::Sha256)) => &signature::ECDSA_P256_SHA256_ASN1,
        (P256, Ecdsa(Hash::Sha384)) => &signature::ECDSA_P256_SHA384_ASN1,
        (P256, Ecdsa(Hash::Sha512)) => &signature::ECDSA_P256_SHA512_ASN1,
        (P384, Ecdsa(Hash::Sha256)) => &signature::ECDSA_P384_SHA256_ASN1,
        (P384, Ecdsa(Hash::Sha384)) => &signature::ECDSA_P384_SHA384_ASN1,
        (P384, Ecdsa(Hash::Sha512)) => &signature::ECDSA_P384_SHA512_ASN1,
        (P521, Ecdsa(Hash::Sha1)) => &signature::ECDSA_P521_SHA1_ASN1,
        (P521, Ecdsa(Hash::Sha256)) => &signature::ECDSA_P521_SHA256_ASN1,
        (P521, Ecdsa(Hash::Sha384)) => &signature::ECDSA_P521_SHA384_ASN1,
        (P521, Ecdsa(Hash::Sha512)) => &signature::ECDSA_P521_SHA512_ASN1,
        (KeyKind::Ed25519, SignatureKind::Ed25519) => &signature::ED25519,
        (Rsa(_), RsaPkcs1(_) | RsaPss(_) | OtherPss(_))
        | (P256 | P384 | P521, Ecdsa(_))
        | (KeyKind::Dsa | KeyKind::Other(_) | KeyKind::OtherCurve(_), _)
        | (_, SignatureKind::Other(_)) => return Err(Verification::Unsupported),
        _ => return Err(Verification::WrongKind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm RSA-PSS with this hash for the message, SHA-256 for the mask, and a salt of so many octets.
    fn pss_algorithm(hash: u8, salt: u8) -> Vec<u8> {
        let sha2 = |number| [&[0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2][..], &[number, 5, 0]].concat();
        let mask = [&[0x30, 26, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8][..], &sha2(1)].concat();
        let parameters = [&[0xa0, 15][..], &sha2(hash), &[0xa1, 28], &mask, &[0xa2, 3, 2, 1, salt]].concat();
        [&[0x30, 65, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10, 0x30, 52][..], &parameters].concat()
    }

    #[test]
    fn unusual_parameters_of_rsa_pss_are_not_called_a_bad_signature() {
        let rsa = KeyKind::Rsa(2048);
        for (hash, salt, expected) in [
            (1, 32, SignatureKind::RsaPss(Hash::Sha256)),
            (1, 20, SignatureKind::OtherPss(Hash::Sha256)),
            (2, 48, SignatureKind::OtherPss(Hash::Sha384)), // the mask has another hash
        ] {
            let der = pss_algorithm(hash, salt);
            let kind = AlgorithmIdentifier::from_der(&der).map(|(_, parsed)| SignatureKind::from_parsed(&parsed));
            assert_eq!(kind.ok().as_ref(), Some(&expected));
            let is_verified = algorithm(&rsa, &expected).is_ok();
            assert_eq!(is_verified, salt == 32, "{expected:?}");
            if !is_verified {
                assert_eq!(algorithm(&rsa, &expected).err(), Some(Verification::Unsupported));
            }
        }
    }
}
