//! Revocation lists (RFC 5280, section 5). A list may hold a million entries: they are walked where they lie, never
//! copied, which `x509-parser` does of every entry (test `a_list_of_20_megabytes_is_searched`); it reads what stands
//! around them.

use std::sync::Arc;

use x509_parser::asn1_rs::BitString;
use x509_parser::prelude::{FromDer, X509Extension};
use x509_parser::x509::AlgorithmIdentifier;

use super::der::{self, Element, Reader, context, context_primitive, place};
use super::extensions::{AuthorityKey, Extensions, GeneralName, PointName, RawExtension, bits, oid, point_name};
use super::key::{SignatureKind, Signed};
use super::name::Name;

/// Critical extensions that are not known, told at most; one is enough to refuse a list.
const MOST_UNKNOWN: usize = 8;

/// Next CRL Publish of Windows authorities (wincrypt.h: `szOID_CRL_NEXT_PUBLISH`).
const NEXT_PUBLISH: &str = "1.3.6.1.4.1.311.21.4";

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// Its DER bytes.
    pub der: Arc<[u8]>,
    /// Where it was found, in words.
    pub source: Arc<str>,
    /// Who issued it.
    pub issuer: Name,
    /// When it was issued, Unix time.
    pub this_update: i64,
    /// When the next one is due, Unix time.
    pub next_update: Option<i64>,
    /// When the next one is to be published, Unix time, as authorities of Windows say beside `next_update`.
    pub next_publish: Option<i64>,
    /// What was signed and how.
    pub signed: Signed,
    /// Key of the issuer, as the list names it.
    pub authority_key: Option<AuthorityKey>,
    /// What part of the issuer's certificates it covers; `None` for all.
    pub scope: Option<Scope>,
    /// Number of the complete list that this one amends: a delta.
    pub base: Option<Vec<u8>>,
    /// Its number, and whether that extension is critical.
    pub number: Option<(Vec<u8>, bool)>,
    /// Critical extensions of the list or of an entry that are not known here.
    pub unknown_critical: Vec<String>,
    /// How many entries it has.
    pub entries: usize,
    /// Where the entries lie in the DER.
    entry_bytes: std::ops::Range<usize>,
}

/// Issuing distribution point (RFC 5280, section 5.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // the flags are the standard's
pub struct Scope {
    /// Name of the point.
    pub name: Option<PointName>,
    /// Only certificates of users.
    pub only_users: bool,
    /// Only certificates of authorities.
    pub only_authorities: bool,
    /// Only attribute certificates.
    pub only_attributes: bool,
    /// Only these reasons, as bits.
    pub reasons: Option<u16>,
    /// Holds entries of other issuers.
    pub indirect: bool,
}

/// An entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// When it was revoked, Unix time.
    pub at: Option<i64>,
    /// Number of the reason, 0 where none is given.
    pub reason: u64,
}

impl Revocation {
    /// The reason in words (RFC 5280, section 5.3.1).
    pub fn reason_text(&self) -> &'static str {
        match self.reason {
            1 => "key compromise",
            2 => "compromise of the authority",
            3 => "affiliation changed",
            4 => "superseded",
            5 => "cessation of operation",
            6 => "on hold",
            8 => "removed from the list",
            9 => "privilege withdrawn",
            10 => "compromise of the attribute authority",
            _ => "no reason given",
        }
    }
}

impl Crl {
    /// Whether the bytes have the shape of a list rather than of a certificate: no explicit version and no serial
    /// number of a certificate at their start, but an algorithm.
    pub fn looks_like(bytes: &[u8]) -> bool {
        let tbs = Reader::new(bytes).next().and_then(|list| list.inside().next());
        let Some(mut parts) = tbs.map(|tbs| tbs.inside()) else { return false };
        parts.optional(der::INTEGER);
        parts.optional(der::SEQUENCE).is_some()
            && parts.optional(der::SEQUENCE).is_some()
            && parts.next().is_some_and(|time| matches!(time.tag, der::UTC_TIME | der::GENERALIZED_TIME))
    }

    /// Reads a list that makes up all of `bytes`.
    ///
    /// # Errors
    ///
    /// Says which part could not be read.
    pub fn from_der(bytes: &[u8], source: &Arc<str>) -> Result<Self, &'static str> {
        let mut outer = Reader::new(bytes);
        let list = outer.tagged(der::SEQUENCE).ok_or("it is no DER sequence, or is cut off")?;
        if !outer.is_empty() {
            return Err("bytes follow the revocation list");
        }
        let mut parts = list.inside();
        let tbs = parts.tagged(der::SEQUENCE).ok_or("the signed part is missing or cut off")?;
        let algorithm = parts.tagged(der::SEQUENCE).ok_or("the signature algorithm is missing")?;
        let signature = parts.tagged(der::BIT_STRING).ok_or("the signature is missing or cut off")?;
        let (_, value) = BitString::from_der(signature.raw).map_err(|_| "the signature is damaged")?;
        let (_, parsed) =
            AlgorithmIdentifier::from_der(algorithm.raw).map_err(|_| "the signature algorithm is damaged")?;
        let signed = Signed {
            kind: SignatureKind::from_parsed(&parsed),
            algorithms_agree: true,
            part: place(bytes, tbs.raw),
            value: der::whole_octets(&value).ok_or("the signature is damaged")?.to_vec(),
        };
        Self::from_signed_part(bytes, source, tbs.inside(), signed, algorithm.raw)
    }

    fn from_signed_part(
        bytes: &[u8],
        source: &Arc<str>,
        mut tbs: Reader<'_>,
        mut signed: Signed,
        outer_algorithm: &[u8],
    ) -> Result<Self, &'static str> {
        tbs.optional(der::INTEGER);
        let inner = tbs.tagged(der::SEQUENCE).ok_or("the inner signature algorithm is missing")?;
        signed.algorithms_agree = inner.raw == outer_algorithm;
        let issuer = tbs.tagged(der::SEQUENCE).ok_or("the issuer is missing")?;
        let this_update = tbs.next().and_then(|time| time.unix_seconds()).ok_or("its date is no time")?;
        let next = tbs.optional(der::UTC_TIME).or_else(|| tbs.optional(der::GENERALIZED_TIME));
        let entries = tbs.optional(der::SEQUENCE);
        let extensions = match tbs.optional(context(0)) {
            Some(list) => list.inside().next().and_then(|list| extension_list(list.content)),
            None => Some(Vec::new()),
        };
        let mut list = Self {
            der: bytes.into(),
            source: Arc::clone(source),
            issuer: Name::from_der(issuer.raw),
            this_update,
            next_update: next
                .map(|time| time.unix_seconds().ok_or("the date of its next issue is no time"))
                .transpose()?,
            next_publish: None,
            signed,
            authority_key: None,
            scope: None,
            base: None,
            number: None,
            unknown_critical: Vec::new(),
            entries: 0,
            entry_bytes: entries.map_or(0..0, |entries| place(bytes, entries.content)),
        };
        list.read_extensions(&extensions.ok_or("the extensions are damaged")?)?;
        list.count_entries()?;
        Ok(list)
    }

    fn read_extensions(&mut self, extensions: &[RawExtension]) -> Result<(), &'static str> {
        for extension in extensions {
            let value = extension.value.as_slice();
            let integer = || Reader::new(value).tagged(der::INTEGER).map(|number| shortest(number.content).to_vec());
            match extension.oid.as_str() {
                "2.5.29.20" => {
                    self.number = Some((integer().ok_or("the list's number is damaged")?, extension.critical));
                }
                "2.5.29.27" => self.base = Some(integer().ok_or("the number of the complete list is damaged")?),
                "2.5.29.28" => self.scope = Some(scope(value).ok_or("the issuing distribution point is damaged")?),
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    self.authority_key = Extensions::read(vec![extension.clone()]).authority_key;
                }
                NEXT_PUBLISH if !extension.critical => {
                    self.next_publish = Reader::new(value).next().and_then(|time| time.unix_seconds());
                }
                other if extension.critical && self.unknown_critical.len() < MOST_UNKNOWN => {
                    self.unknown_critical.push(other.to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Walks the entries once: all must be well formed, and a critical extension of an entry must be known (RFC 5280,
    /// section 5.3).
    fn count_entries(&mut self) -> Result<(), &'static str> {
        let bytes = Arc::clone(&self.der);
        let mut entries = Reader::new(bytes.get(self.entry_bytes.clone()).unwrap_or_default());
        while !entries.is_empty() {
            let entry = entries.tagged(der::SEQUENCE).ok_or("an entry is damaged")?;
            let mut parts = entry.inside();
            parts.tagged(der::INTEGER).ok_or("an entry has no serial number")?;
            parts.next().ok_or("an entry has no date")?;
            if let Some(extensions) = parts.optional(der::SEQUENCE) {
                for extension in extension_list(extensions.content).ok_or("an entry's extensions are damaged")? {
                    let known = matches!(extension.oid.as_str(), "2.5.29.21" | "2.5.29.24" | "2.5.29.29");
                    let few = self.unknown_critical.len() < MOST_UNKNOWN;
                    if extension.critical && !known && few && !self.unknown_critical.contains(&extension.oid) {
                        self.unknown_critical.push(extension.oid);
                    }
                }
            }
            self.entries += 1;
        }
        Ok(())
    }

    /// The entry of the certificate with this serial number, issued by `issuer`.
    pub fn find(&self, serial: &[u8], issuer: &Name) -> Option<Revocation> {
        let wanted = shortest(serial);
        let mut entry_issuer: Option<Name> = None; // an indirect list names the issuer once for a run of entries
        let indirect = self.scope.as_ref().is_some_and(|scope| scope.indirect);
        for entry in Reader::new(self.der.get(self.entry_bytes.clone()).unwrap_or_default()) {
            let mut parts = entry.inside();
            let Some(found) = parts.tagged(der::INTEGER) else { continue };
            let matches = shortest(found.content) == wanted;
            if !matches && !indirect {
                continue;
            }
            let at = parts.next().and_then(|time| time.unix_seconds());
            let extensions = parts.next();
            if indirect && let Some(name) = extensions.as_ref().and_then(certificate_issuer) {
                entry_issuer = Some(name);
            }
            if matches && entry_issuer.as_ref().unwrap_or(&self.issuer).same_as(issuer) {
                return Some(Revocation { at, reason: extensions.as_ref().and_then(reason).unwrap_or(0) });
            }
        }
        None
    }
}

/// Reads the content of `SEQUENCE OF Extension`.
fn extension_list(mut rest: &[u8]) -> Option<Vec<RawExtension>> {
    let mut extensions = Vec::new();
    while !rest.is_empty() {
        let (after, extension) = X509Extension::from_der(rest).ok()?;
        extensions.push(RawExtension::from(&extension));
        rest = after;
    }
    Some(extensions)
}

/// An integer without zeros that its sign does not need: 255 and -1 stay different.
fn shortest(mut content: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = content
        && rest.first().is_some_and(|next| next & 0x80 == 0)
    {
        content = rest;
    }
    content
}

fn entry_extension<'a>(extensions: &Element<'a>, wanted: &[u8]) -> Option<&'a [u8]> {
    extensions.inside().find_map(|extension| {
        let mut parts = extension.inside();
        let oid = parts.tagged(der::OID)?;
        parts.optional(der::BOOLEAN);
        (oid.content == wanted).then(|| parts.next().map(|value| value.content)).flatten()
    })
}

fn reason(extensions: &Element<'_>) -> Option<u64> {
    Reader::new(entry_extension(extensions, &[0x55, 0x1d, 0x15])?).tagged(der::ENUMERATED)?.small_integer()
}

fn certificate_issuer(extensions: &Element<'_>) -> Option<Name> {
    let names = Reader::new(entry_extension(extensions, &[0x55, 0x1d, 0x1d])?).tagged(der::SEQUENCE)?;
    super::extensions::names_in(names.content)?.into_iter().find_map(|name| match name {
        GeneralName::Directory(name) => Some(name),
        _ => None,
    })
}

fn scope(value: &[u8]) -> Option<Scope> {
    let mut parts = Reader::new(value).tagged(der::SEQUENCE)?.inside();
    let mut scope = Scope::default();
    if let Some(name) = parts.optional(context(0)) {
        scope.name = Some(point_name(&name)?);
    }
    let mut flag = |number| parts.optional(context_primitive(number)).is_some_and(|flag| flag.boolean());
    scope.only_users = flag(1);
    scope.only_authorities = flag(2);
    if let Some(reasons) = parts.optional(context_primitive(3)) {
        scope.reasons = Some(bits(&reasons)?);
    }
    scope.indirect = parts.optional(context_primitive(4)).is_some_and(|flag| flag.boolean());
    scope.only_attributes = parts.optional(context_primitive(5)).is_some_and(|flag| flag.boolean());
    parts.is_empty().then_some(scope)
}
