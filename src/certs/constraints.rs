//! Name constraints (RFC 5280, section 4.2.1.10): which names an authority may certify.

use super::certificate::Certificate;
use super::extensions::{GeneralName, NameConstraints};
use super::hostname::{DNS_NAME, address_text, is_domain};
use super::name::Name;

/// Comparisons of a name with a constraint that are made for one pair of certificates. More is an attack on the
/// verifier, and refused as such.
const MOST_COMPARISONS: usize = 50_000;

/// Why a certificate breaks the constraints of an authority above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Violation {
    /// A name lies in none of the permitted subtrees of its kind.
    NotPermitted {
        /// The name.
        name: String,
        /// The permitted subtrees.
        permitted: String,
    },
    /// A name lies in an excluded subtree.
    Excluded {
        /// The name.
        name: String,
        /// The subtree.
        excluded: String,
    },
    /// A name is of a kind that is constrained and cannot be compared.
    Incomparable {
        /// The name.
        name: String,
    },
    /// There are too many names and constraints.
    TooMany,
    /// More names break them than are told one by one.
    More {
        /// How many more.
        count: usize,
    },
}

impl Violation {
    /// Whether it is a failure of the constraint rather than of the name.
    pub fn is_unusable(&self) -> bool {
        matches!(self, Self::Incomparable { .. } | Self::TooMany)
    }
}

/// Why a constraint itself cannot be used, if that is so. `strict` refuses the leading period of a domain name, which
/// RFC 5280 does not allow and many verifiers accept.
pub(super) fn unusable(constraints: &NameConstraints, strict: bool) -> Option<String> {
    if constraints.has_distances {
        return Some("a subtree has a minimum or maximum, which must not be there".to_owned());
    }
    constraints.permitted.iter().chain(&constraints.excluded).find_map(|base| {
        let usable = match base {
            GeneralName::Dns(dns) => dns.is_empty() || is_domain(dns) || (!strict && is_domain(without_period(dns))),
            GeneralName::Ip(octets) => is_subnet(octets),
            GeneralName::Email(mail) => email_is_usable(mail),
            GeneralName::Uri(host) => is_domain(without_period(host)),
            GeneralName::Directory(name) => name.readable,
            GeneralName::Damaged(_) => false,
            GeneralName::Other(_) | GeneralName::Unread(_) => true, // matters only where such a name occurs
        };
        (!usable).then(|| format!("the subtree {} is malformed", display(base)))
    })
}

/// Violations told one by one.
const MOST_VIOLATIONS: usize = 8;

/// The violations by the names of `certificate`. `by_common_name`: where it has no domain name among its alternative
/// names, its common name may stand for one, and is held against the constraints as such.
pub(super) fn violations(
    constraints: &NameConstraints,
    certificate: &Certificate,
    by_common_name: bool,
) -> Vec<Violation> {
    let bases = constraints.permitted.len() + constraints.excluded.len();
    let parts = certificate.subject.comparable.len() + certificate.names().count();
    if parts.saturating_mul(bases) > MOST_COMPARISONS {
        return vec![Violation::TooMany];
    }
    let mut names = constrained_names(certificate);
    let is_dns = |name: &GeneralName| matches!(name, GeneralName::Dns(_) | GeneralName::Damaged(DNS_NAME));
    if by_common_name && !names.iter().any(is_dns) {
        let host_like = |name: &&String| name.contains('.') && is_domain(name.strip_prefix("*.").unwrap_or(name));
        names.extend(certificate.subject.common_names.iter().filter(host_like).cloned().map(GeneralName::Dns));
    }
    let mut all = names.iter().filter_map(|name| violation(constraints, name));
    let mut told: Vec<Violation> = all.by_ref().take(MOST_VIOLATIONS).collect();
    let count = all.count();
    if count > 0 {
        told.push(Violation::More { count });
    }
    told
}

/// The alternative names, the subject, and the subject's e-mail addresses where no alternative name is one.
fn constrained_names(certificate: &Certificate) -> Vec<GeneralName> {
    let mut names: Vec<GeneralName> = certificate.names().cloned().collect();
    if !names.iter().any(|name| matches!(name, GeneralName::Email(_))) {
        names.extend(certificate.subject.emails.iter().cloned().map(GeneralName::Email));
    }
    if !certificate.subject.is_empty() {
        names.push(GeneralName::Directory(certificate.subject.clone()));
    }
    names
}

fn violation(constraints: &NameConstraints, name: &GeneralName) -> Option<Violation> {
    let of_kind = |bases: &[GeneralName]| bases.iter().any(|base| kind(base) == kind(name));
    if !of_kind(&constraints.permitted) && !of_kind(&constraints.excluded) {
        return None;
    }
    if !is_comparable(name) {
        return Some(Violation::Incomparable { name: display(name) });
    }
    if let Some(base) = constraints.excluded.iter().find(|base| touches(name, base)) {
        return Some(Violation::Excluded { name: display(name), excluded: display(base) });
    }
    if of_kind(&constraints.permitted) && !constraints.permitted.iter().any(|base| lies_in(name, base)) {
        let permitted = constraints.permitted.iter().filter(|base| kind(base) == kind(name)).take(5);
        let permitted = permitted.map(display).collect::<Vec<_>>().join(", ");
        return Some(Violation::NotPermitted { name: display(name), permitted });
    }
    None
}

fn kind(name: &GeneralName) -> u8 {
    match name {
        GeneralName::Other(_) => 0,
        GeneralName::Email(_) => 1,
        GeneralName::Dns(_) => 2,
        GeneralName::Directory(_) => 4,
        GeneralName::Uri(_) => 6,
        GeneralName::Ip(_) => 7,
        GeneralName::Unread(number) | GeneralName::Damaged(number) => *number,
    }
}

/// Whether the name is well formed and of a kind that is compared here.
fn is_comparable(name: &GeneralName) -> bool {
    match name {
        GeneralName::Dns(dns) => is_domain(dns.strip_prefix("*.").unwrap_or(dns)),
        GeneralName::Email(mail) => mail
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.contains('@') && is_domain(host)),
        GeneralName::Uri(uri) => uri_host(uri).is_some_and(is_domain),
        GeneralName::Ip(octets) => matches!(octets.len(), 4 | 16),
        GeneralName::Directory(name) => name.readable,
        GeneralName::Other(_) | GeneralName::Unread(_) | GeneralName::Damaged(_) => false,
    }
}

/// Whether all that the name stands for lies in the subtree.
fn lies_in(name: &GeneralName, base: &GeneralName) -> bool {
    match (name, base) {
        (GeneralName::Dns(dns), GeneralName::Dns(base)) => is_under(dns.strip_prefix("*.").unwrap_or(dns), base),
        (GeneralName::Email(mail), GeneralName::Email(base)) => email_lies_in(mail, base),
        (GeneralName::Uri(uri), GeneralName::Uri(base)) => uri_host(uri).is_some_and(|host| host_lies_in(host, base)),
        (GeneralName::Ip(address), GeneralName::Ip(subnet)) => address_lies_in(address, subnet),
        (GeneralName::Directory(name), GeneralName::Directory(base)) => Name::is_under(name, base),
        _ => false,
    }
}

/// Whether anything that the name stands for lies in the subtree: a wildcard also touches one label below its parent.
fn touches(name: &GeneralName, base: &GeneralName) -> bool {
    if let (GeneralName::Dns(dns), GeneralName::Dns(base)) = (name, base)
        && let Some(parent) = dns.strip_prefix("*.")
        && let Some((_, of_base)) = without_period(base).split_once('.')
        && of_base.eq_ignore_ascii_case(parent)
    {
        return true;
    }
    lies_in(name, base)
}

fn without_period(name: &str) -> &str {
    name.strip_prefix('.').unwrap_or(name)
}

/// Whether a domain is `base` or below it.
fn is_under(domain: &str, base: &str) -> bool {
    let base = without_period(base);
    let Some(at) = domain.len().checked_sub(base.len()) else { return false };
    let Some((head, tail)) = domain.split_at_checked(at) else { return false };
    tail.eq_ignore_ascii_case(base) && (head.is_empty() || base.is_empty() || head.ends_with('.'))
}

/// Hosts of e-mail and URI constraints: exact, or anything below where they begin with a period.
fn host_lies_in(host: &str, base: &str) -> bool {
    match base.strip_prefix('.') {
        Some(parent) => is_under(host, parent) && !host.eq_ignore_ascii_case(parent),
        None => host.eq_ignore_ascii_case(base),
    }
}

fn email_lies_in(mail: &str, base: &str) -> bool {
    let Some((local, host)) = mail.rsplit_once('@') else { return false };
    match base.rsplit_once('@') {
        Some((of_base, host_of_base)) => local == of_base && host.eq_ignore_ascii_case(host_of_base),
        None => host_lies_in(host, base),
    }
}

fn email_is_usable(base: &str) -> bool {
    match base.split_once('@') {
        Some((local, host)) => !local.is_empty() && is_domain(host),
        None => is_domain(without_period(base)),
    }
}

/// The host of a URI: behind `//` and any user, before port and path.
pub(super) fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(bracketed) = host.strip_prefix('[') {
        return bracketed.split(']').next();
    }
    Some(host.split(':').next().unwrap_or(host))
}

/// An address and a mask of leading ones.
fn is_subnet(octets: &[u8]) -> bool {
    if !matches!(octets.len(), 8 | 32) {
        return false;
    }
    let mask = octets.get(octets.len() / 2..).unwrap_or_default();
    let ones: u32 = mask.iter().map(|octet| octet.leading_ones()).take_while(|ones| *ones == 8).sum();
    let partial = mask.get((ones / 8) as usize).copied().unwrap_or(0);
    let behind = mask.iter().skip((ones / 8) as usize + 1);
    partial.leading_ones() == partial.count_ones() && behind.clone().all(|octet| *octet == 0)
}

fn address_lies_in(address: &[u8], subnet: &[u8]) -> bool {
    let (base, mask) = subnet.split_at(subnet.len() / 2);
    base.len() == address.len()
        && address.iter().zip(base).zip(mask).all(|((octet, base), mask)| octet & mask == base & mask)
}

/// A name for a sentence.
pub(super) fn display(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(dns) => dns.clone(),
        GeneralName::Email(mail) => mail.clone(),
        GeneralName::Uri(uri) => uri.clone(),
        GeneralName::Ip(octets) if octets.len() == 8 || octets.len() == 32 => {
            let (address, mask) = octets.split_at(octets.len() / 2);
            format!("{}/{}", address_text(address), mask.iter().map(|octet| octet.count_ones()).sum::<u32>())
        }
        GeneralName::Ip(octets) => address_text(octets),
        GeneralName::Directory(name) => name.display().to_owned(),
        GeneralName::Other(kind) => format!("(other name {kind})"),
        GeneralName::Unread(number) => format!("(name of kind {number})"),
        GeneralName::Damaged(number) => format!("(damaged name of kind {number})"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_touches_what_it_might_cover() {
        let dns = |text: &str| GeneralName::Dns(text.to_owned());
        assert!(touches(&dns("*.example.com"), &dns("bar.example.com")));
        assert!(!touches(&dns("*.example.com"), &dns("a.bar.example.com")));
        assert!(!lies_in(&dns("*.example.com"), &dns("foo.example.com")));
        assert!(lies_in(&dns("*.foo.com"), &dns("foo.com")));
        assert!(!lies_in(&dns("barfoo.com"), &dns("foo.com")));
    }

    #[test]
    fn masks_must_be_leading_ones() {
        assert!(is_subnet(&[192, 0, 2, 0, 255, 255, 255, 0]));
        assert!(is_subnet(&[0, 0, 0, 0, 0, 0, 0, 0]));
        assert!(is_subnet(&[10, 0, 0, 0, 255, 254, 0, 0]));
        assert!(!is_subnet(&[192, 0, 2, 0, 255, 0, 255, 0]));
        assert!(!is_subnet(&[192, 0, 2, 0]));
    }

    #[test]
    fn the_host_of_a_uri_is_found() {
        assert_eq!(uri_host("http://user@crl.contoso.com:8080/x.crl"), Some("crl.contoso.com"));
        assert_eq!(uri_host("ldap:///CN=x"), Some(""));
        assert_eq!(uri_host("http://[fd00::1]/x"), Some("fd00::1"));
    }
}
