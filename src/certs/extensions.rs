//! The extensions of a certificate (RFC 5280, section 4.2), each read on its own: a damaged one is noted and hides no
//! other.

use x509_parser::asn1_rs::Oid;
use x509_parser::error::X509Error;
use x509_parser::extensions as parsed;
use x509_parser::prelude::FromDer;

use super::der::{self, Element, Reader, context, context_primitive};
use super::name::Name;

/// Extension identifiers in dotted form.
pub mod oid {
    /// Subject key identifier.
    pub const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
    /// Key usage.
    pub const KEY_USAGE: &str = "2.5.29.15";
    /// Subject alternative name.
    pub const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";
    /// Issuer alternative name.
    pub const ISSUER_ALTERNATIVE_NAME: &str = "2.5.29.18";
    /// Basic constraints.
    pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    /// Name constraints.
    pub const NAME_CONSTRAINTS: &str = "2.5.29.30";
    /// CRL distribution points.
    pub const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
    /// Certificate policies.
    pub const CERTIFICATE_POLICIES: &str = "2.5.29.32";
    /// Policy mappings.
    pub const POLICY_MAPPINGS: &str = "2.5.29.33";
    /// Authority key identifier.
    pub const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
    /// Policy constraints.
    pub const POLICY_CONSTRAINTS: &str = "2.5.29.36";
    /// Extended key usage.
    pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    /// Freshest CRL.
    pub const FRESHEST_CRL: &str = "2.5.29.46";
    /// Inhibit any-policy.
    pub const INHIBIT_ANY_POLICY: &str = "2.5.29.54";
    /// Authority information access.
    pub const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
    /// Subject information access.
    pub const SUBJECT_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.11";
}

/// Extended key usages in dotted form.
pub mod usage {
    /// TLS server authentication.
    pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
    /// TLS client authentication.
    pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
    /// Any usage.
    pub const ANY: &str = "2.5.29.37.0";
}

/// Bits of the key usage extension (RFC 5280, section 4.2.1.3); bit 0 of the standard is the lowest here.
pub mod key_usage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: u16 = 1;
    /// keyEncipherment.
    pub const KEY_ENCIPHERMENT: u16 = 1 << 2;
    /// keyAgreement.
    pub const KEY_AGREEMENT: u16 = 1 << 4;
    /// keyCertSign.
    pub const KEY_CERT_SIGN: u16 = 1 << 5;
    /// cRLSign.
    pub const CRL_SIGN: u16 = 1 << 6;
}

/// A general name (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName {
    /// Domain name.
    Dns(String),
    /// E-mail address.
    Email(String),
    /// Uniform resource identifier.
    Uri(String),
    /// Address, or in a name constraint address and mask, as octets.
    Ip(Vec<u8>),
    /// Distinguished name.
    Directory(Name),
    /// Another name, with its type.
    Other(String),
    /// A kind that is not read, with its number.
    Unread(u8),
    /// A name whose content is damaged, with its number.
    Damaged(u8),
}

/// Basic constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BasicConstraints {
    /// Whether the subject is a certification authority.
    pub ca: bool,
    /// How many more authorities may follow below.
    pub path_length: Option<u64>,
}

/// Name constraints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraints {
    /// Names must lie in one of these, kind by kind.
    pub permitted: Vec<GeneralName>,
    /// Names must lie in none of these.
    pub excluded: Vec<GeneralName>,
    /// A subtree has a minimum or maximum, which RFC 5280 forbids.
    pub has_distances: bool,
}

/// Authority key identifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityKey {
    /// Identifier of the issuer's key.
    pub key: Option<Vec<u8>>,
    /// Whether the issuer's issuer is named.
    pub has_issuer: bool,
    /// Serial number of the issuer's certificate.
    pub serial: Option<Vec<u8>>,
}

/// Name of a distribution point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointName {
    /// Full names.
    Full(Vec<GeneralName>),
    /// A part to append to the issuer's name, as DER of the relative name with the tag of a set.
    Relative(Vec<u8>),
}

/// A place where a revocation list is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    /// Its name.
    pub name: Option<PointName>,
    /// The reasons its list covers, as bits; `None` for all.
    pub reasons: Option<u16>,
    /// Who issues the list, where it is not the certificate's issuer.
    pub crl_issuer: Vec<GeneralName>,
}

/// The policies of a certificate, which are read and not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// It names policies.
    pub named: bool,
    /// It demands policy processing: constrains, maps or inhibits.
    pub demanded: bool,
}

/// One extension as it stands in the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawExtension {
    /// Identifier in dotted form.
    pub oid: String,
    /// Whether who does not know it must refuse the certificate.
    pub critical: bool,
    /// The value.
    pub value: Vec<u8>,
}

/// All extensions, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    /// In the order of the certificate.
    pub all: Vec<RawExtension>,
    /// Identifiers that occur twice.
    pub duplicates: Vec<String>,
    /// Identifiers whose value could not be read.
    pub malformed: Vec<String>,
    /// Basic constraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// Key usage bits of [`key_usage`].
    pub key_usage: Option<u16>,
    /// Extended key usages in dotted form.
    pub extended_key_usage: Option<Vec<String>>,
    /// Alternative names of the subject.
    pub alternative_names: Option<Vec<GeneralName>>,
    /// Name constraints.
    pub name_constraints: Option<NameConstraints>,
    /// Authority key identifier.
    pub authority_key: Option<AuthorityKey>,
    /// Subject key identifier.
    pub subject_key: Option<Vec<u8>>,
    /// Where revocation lists are found.
    pub distribution_points: Option<Vec<DistributionPoint>>,
    /// OCSP responders.
    pub ocsp: Vec<String>,
    /// Where the issuer's certificate is found.
    pub issuer_urls: Vec<String>,
    /// Policies.
    pub policies: Policies,
}

impl Extensions {
    /// Reads all of them.
    pub fn read(all: Vec<RawExtension>) -> Self {
        let mut extensions = Self::default();
        let mut seen = std::collections::HashSet::new();
        for extension in &all {
            if !seen.insert(extension.oid.as_str()) {
                extensions.duplicates.push(extension.oid.clone());
            } else if extensions.read_one(extension).is_none() {
                extensions.malformed.push(extension.oid.clone());
            }
        }
        extensions.all = all;
        extensions
    }

    /// Whether the extension stands there, and if so whether it is critical.
    pub fn criticality(&self, oid: &str) -> Option<bool> {
        self.all.iter().find(|extension| extension.oid == oid).map(|extension| extension.critical)
    }

    /// Whether this extension's value could not be read.
    pub fn is_malformed(&self, oid: &str) -> bool {
        self.malformed.iter().any(|malformed| malformed == oid)
    }

    /// The critical extensions that nobody here understands.
    pub fn unknown_critical(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|extension| extension.critical && !is_known(&extension.oid)).map(|e| e.oid.as_str())
    }

    /// Reads one into its field; `None` where its value is damaged.
    fn read_one(&mut self, extension: &RawExtension) -> Option<()> {
        let value = extension.value.as_slice();
        match extension.oid.as_str() {
            oid::BASIC_CONSTRAINTS => {
                let parsed::BasicConstraints { ca, path_len_constraint } = whole(value)?;
                self.basic_constraints = Some(BasicConstraints { ca, path_length: path_len_constraint.map(u64::from) });
            }
            oid::KEY_USAGE => self.key_usage = Some(whole::<parsed::KeyUsage>(value)?.flags),
            oid::EXTENDED_KEY_USAGE => self.extended_key_usage = Some(usages(value)?),
            oid::SUBJECT_ALTERNATIVE_NAME => {
                let names: parsed::SubjectAlternativeName<'_> = whole(value)?;
                self.alternative_names = Some(some(general_names(&names.general_names))?);
            }
            oid::ISSUER_ALTERNATIVE_NAME => {
                whole::<parsed::IssuerAlternativeName<'_>>(value)?;
            }
            oid::NAME_CONSTRAINTS => self.name_constraints = Some(name_constraints(value)?),
            oid::AUTHORITY_KEY_IDENTIFIER => self.authority_key = Some(authority_key(value)?),
            oid::SUBJECT_KEY_IDENTIFIER => {
                self.subject_key = Some(whole::<parsed::KeyIdentifier<'_>>(value)?.0.to_vec());
            }
            oid::CRL_DISTRIBUTION_POINTS => self.distribution_points = Some(distribution_points(value)?),
            oid::FRESHEST_CRL => {
                distribution_points(value)?;
            }
            oid::AUTHORITY_INFO_ACCESS => self.read_access(value)?,
            oid::CERTIFICATE_POLICIES => {
                some(sequence_of(value)?)?;
                self.policies.named = true;
            }
            oid::POLICY_CONSTRAINTS | oid::POLICY_MAPPINGS | oid::INHIBIT_ANY_POLICY => {
                Reader::new(value).next()?;
                self.policies.demanded = true;
            }
            _ => {}
        }
        Some(())
    }

    fn read_access(&mut self, value: &[u8]) -> Option<()> {
        let access: parsed::AuthorityInfoAccess<'_> = whole(value)?;
        for description in some(access.accessdescs)? {
            if let GeneralName::Uri(uri) = GeneralName::from(&description.access_location) {
                match der::dotted(&description.access_method).as_str() {
                    "1.3.6.1.5.5.7.48.1" => self.ocsp.push(uri),
                    "1.3.6.1.5.5.7.48.2" => self.issuer_urls.push(uri),
                    _ => {}
                }
            }
        }
        Some(())
    }
}

/// Whether a critical extension of this kind is processed here, or named as unprocessed by a check of its own
/// (policies).
fn is_known(oid: &str) -> bool {
    matches!(
        oid,
        oid::BASIC_CONSTRAINTS
            | oid::KEY_USAGE
            | oid::EXTENDED_KEY_USAGE
            | oid::SUBJECT_ALTERNATIVE_NAME
            | oid::ISSUER_ALTERNATIVE_NAME
            | oid::NAME_CONSTRAINTS
            | oid::AUTHORITY_KEY_IDENTIFIER
            | oid::SUBJECT_KEY_IDENTIFIER
            | oid::CRL_DISTRIBUTION_POINTS
            | oid::FRESHEST_CRL
            | oid::AUTHORITY_INFO_ACCESS
            | oid::SUBJECT_INFO_ACCESS
            | oid::CERTIFICATE_POLICIES
            | oid::POLICY_CONSTRAINTS
            | oid::POLICY_MAPPINGS
            | oid::INHIBIT_ANY_POLICY
    )
}

/// What makes up all of `value`.
fn whole<'a, T: FromDer<'a, X509Error>>(value: &'a [u8]) -> Option<T> {
    T::from_der(value).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, parsed)| parsed)
}

/// The sequences in a sequence that makes up all of `value`.
fn sequence_of(value: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut reader = Reader::new(value);
    let list = reader.tagged(der::SEQUENCE)?;
    let mut inside = if reader.is_empty() { list.inside() } else { return None };
    let mut found = Vec::new();
    while !inside.is_empty() {
        found.push(inside.tagged(der::SEQUENCE)?);
    }
    Some(found)
}

/// The list, where it is not empty: `SIZE (1..MAX)`.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    if list.is_empty() { None } else { Some(list) }
}

/// The named bits of a BIT STRING, bit 0 of the standard lowest.
pub(super) fn bits(element: &Element<'_>) -> Option<u16> {
    let (unused, octets) = element.content.split_first()?;
    if *unused > 7 {
        return None;
    }
    Some(
        octets
            .iter()
            .take(2)
            .enumerate()
            .fold(0, |bits, (at, octet)| bits | u16::from(octet.reverse_bits()) << (8 * at)),
    )
}

/// In their order, which the parser's own type does not keep.
fn usages(value: &[u8]) -> Option<Vec<String>> {
    let (_, usages) = <Vec<Oid<'_>> as FromDer<'_>>::from_der(value).ok().filter(|(rest, _)| rest.is_empty())?;
    some(usages.iter().map(der::dotted).collect())
}

impl From<&parsed::GeneralName<'_>> for GeneralName {
    fn from(name: &parsed::GeneralName<'_>) -> Self {
        // The parser takes any UTF-8; the standard's type is ASCII.
        let text = |text: &str, number, kind: fn(String) -> Self| {
            if text.is_ascii() { kind(text.to_owned()) } else { Self::Damaged(number) }
        };
        match name {
            parsed::GeneralName::OtherName(kind, _) => Self::Other(der::dotted(kind)),
            parsed::GeneralName::RFC822Name(address) => text(address, 1, Self::Email),
            parsed::GeneralName::DNSName(domain) => text(domain, 2, Self::Dns),
            parsed::GeneralName::X400Address(_) => Self::Unread(3),
            parsed::GeneralName::DirectoryName(name) => Self::Directory(Name::from_parsed(name)),
            parsed::GeneralName::EDIPartyName(_) => Self::Unread(5),
            parsed::GeneralName::URI(uri) => text(uri, 6, Self::Uri),
            parsed::GeneralName::IPAddress(octets) => Self::Ip(octets.to_vec()),
            parsed::GeneralName::RegisteredID(_) => Self::Unread(8),
            parsed::GeneralName::Invalid(tag, _) => Self::Damaged(u8::try_from(tag.0).unwrap_or(u8::MAX)),
        }
    }
}

fn general_names(names: &[parsed::GeneralName<'_>]) -> Vec<GeneralName> {
    names.iter().map(GeneralName::from).collect()
}

/// Reads names one after the other.
pub(super) fn names_in(mut rest: &[u8]) -> Option<Vec<GeneralName>> {
    let mut names = Vec::new();
    while !rest.is_empty() {
        let (after, name) = parsed::GeneralName::from_der(rest).ok()?;
        names.push(GeneralName::from(&name));
        rest = after;
    }
    Some(names)
}

/// Both lists are non-empty where they stand, and one must (RFC 5280, section 4.2.1.10).
fn name_constraints(value: &[u8]) -> Option<NameConstraints> {
    let parsed: parsed::NameConstraints<'_> = whole(value)?;
    let bases = |subtrees: &Option<Vec<parsed::GeneralSubtree<'_>>>| -> Vec<GeneralName> {
        subtrees.iter().flatten().map(|subtree| GeneralName::from(&subtree.base)).collect()
    };
    let (permitted, excluded) = (bases(&parsed.permitted_subtrees), bases(&parsed.excluded_subtrees));
    let has_distances = has_distances(value, permitted.len() + excluded.len())?;
    Some(NameConstraints { permitted, excluded, has_distances })
        .filter(|all| !(all.permitted.is_empty() && all.excluded.is_empty()))
}

/// Whether a subtree holds more than its base. The parser passes over distances, and over whatever else follows: then
/// it has not seen all that binds, and `None` says that the extension is damaged.
fn has_distances(value: &[u8], read: usize) -> Option<bool> {
    let (mut has_distances, mut seen) = (false, 0);
    for list in Reader::new(value).tagged(der::SEQUENCE)?.inside() {
        for subtree in list.inside() {
            has_distances |= subtree.inside().count() > 1;
            seen += 1;
        }
    }
    (seen == read).then_some(has_distances)
}

fn authority_key(value: &[u8]) -> Option<AuthorityKey> {
    let parsed: parsed::AuthorityKeyIdentifier<'_> = whole(value)?;
    Some(AuthorityKey {
        key: parsed.key_identifier.map(|key| key.0.to_vec()),
        has_issuer: parsed.authority_cert_issuer.is_some(),
        serial: parsed.authority_cert_serial.map(<[u8]>::to_vec),
    })
}

// Distribution points are read here: the parser expects a set inside a name relative to the issuer, where RFC 5280,
// appendix A.2 has its members alone (tests `certs::pkits`, distribution points 3 and 4).

pub(super) fn distribution_points(value: &[u8]) -> Option<Vec<DistributionPoint>> {
    some(sequence_of(value)?)?.iter().map(|point| distribution_point(point.inside())).collect()
}

fn distribution_point(mut parts: Reader<'_>) -> Option<DistributionPoint> {
    let mut point = DistributionPoint::default();
    if let Some(name) = parts.optional(context(0)) {
        point.name = Some(point_name(&name)?);
    }
    if let Some(reasons) = parts.optional(context_primitive(1)) {
        point.reasons = Some(bits(&reasons)?);
    }
    if let Some(issuer) = parts.optional(context(2)) {
        point.crl_issuer = names_in(issuer.content)?;
    }
    parts.is_empty().then_some(point)
}

/// The name inside a `[0]` of a distribution point.
pub(super) fn point_name(element: &Element<'_>) -> Option<PointName> {
    let inner = element.inside().next()?;
    match inner.tag & 0x1f {
        0 => Some(PointName::Full(names_in(inner.content)?)),
        1 => Some(PointName::Relative(inner.content.to_vec())),
        _ => None,
    }
}
