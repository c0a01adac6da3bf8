//! Whether a certificate is for a host (RFC 6125, section 6.4), and the forms that names may have.

use std::net::IpAddr;

use super::certificate::Certificate;
use super::extensions::GeneralName;

/// What comparing the names with a host gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMatch {
    /// Whether the certificate is for the host.
    pub matches: bool,
    /// Whether only the common name was there to compare: no domain name or address among the alternative names.
    pub common_name_only: bool,
    /// The names that were compared.
    pub names: Vec<String>,
}

/// The host alone, where it was given with a scheme, a port or a path; `None` where it stands alone already.
pub(super) fn host_alone(given: &str) -> Option<String> {
    let rest = given.trim();
    let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let host = match rest.rsplit_once(':') {
        // More colons are those of an address, which has its port behind a bracket.
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => rest,
    };
    (!host.is_empty() && host != given).then(|| host.to_owned())
}

/// Tag of a domain name among the alternative names (RFC 5280, section 4.2.1.6).
pub(super) const DNS_NAME: u8 = 2;

/// Compares a certificate's names with a host: a domain name, or an address in text form.
pub fn match_host(certificate: &Certificate, host: &str) -> HostMatch {
    let host = host.trim().trim_end_matches('.');
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let mut names = Vec::new();
    let mut matches = false;
    for name in certificate.names() {
        match (name, address) {
            (GeneralName::Dns(pattern), None) => matches |= match_dns(pattern, host),
            (GeneralName::Ip(octets), Some(address)) => matches |= *octets == address_octets(address),
            _ => {}
        }
        if let Some(text) = name_text(name) {
            names.push(text);
        }
    }
    // RFC 6125, section 6.4.4: the common name counts only where no alternative name could be the host's.
    let common_name_only = !certificate.names().any(|name| match name {
        // A domain name that cannot be read is one all the same.
        GeneralName::Dns(_) | GeneralName::Damaged(DNS_NAME) => true,
        GeneralName::Ip(_) => address.is_some(),
        _ => false,
    });
    if common_name_only {
        for name in &certificate.subject.common_names {
            matches |= match address {
                Some(address) => name.parse() == Ok(address),
                None => match_dns(name, host),
            };
            names.push(format!("CN={name}"));
        }
    }
    HostMatch { matches, common_name_only, names }
}

/// Domain names and addresses as text; other kinds are not compared with hosts.
fn name_text(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Dns(dns) => Some(dns.clone()),
        GeneralName::Ip(octets) => Some(address_text(octets)),
        _ => None,
    }
}

/// An address, or its octets where their number is none of an address.
pub(super) fn address_text(octets: &[u8]) -> String {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        IpAddr::from(four).to_string()
    } else if let Ok(sixteen) = <[u8; 16]>::try_from(octets) {
        IpAddr::from(sixteen).to_string()
    } else {
        super::der::hex(octets)
    }
}

fn address_octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    }
}

/// Whether a presented name, which may begin with a wildcard label, covers a host.
///
/// A wildcard stands for exactly one whole label, the first, and only above at least two others: `*.com` covers
/// nothing.
pub(super) fn match_dns(pattern: &str, host: &str) -> bool {
    let pattern = pattern.trim_end_matches('.');
    if !is_domain(host) {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            is_domain(parent)
                && parent.contains('.')
                && host.split_once('.').is_some_and(|(_, of_host)| of_host.eq_ignore_ascii_case(parent))
        }
        None => is_domain(pattern) && pattern.eq_ignore_ascii_case(host),
    }
}

/// Whether the text has the form of a domain name: labels of letters, digits, hyphens and, as in use on internal
/// networks, underscores.
pub(crate) fn is_domain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.parse::<IpAddr>().is_err()
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_whole_first_label() {
        // RFC 6125, section 6.4.3.
        assert!(match_dns("*.contoso.com", "CMG.contoso.com"));
        assert!(!match_dns("*.contoso.com", "contoso.com"));
        assert!(!match_dns("*.contoso.com", "a.cmg.contoso.com"));
        assert!(!match_dns("c*.contoso.com", "cmg.contoso.com"));
        assert!(!match_dns("cmg.*.com", "cmg.contoso.com"));
        assert!(!match_dns("*.com", "contoso.com"));
        assert!(!match_dns("*", "contoso"));
    }

    #[test]
    fn a_host_is_taken_out_of_what_logs_and_command_lines_write() {
        for (given, host) in [
            ("cmg.contoso.com:443", Some("cmg.contoso.com")),
            ("https://cmg.contoso.com/CCM_Proxy_MutualAuth/72057594037927941", Some("cmg.contoso.com")),
            ("cmg.contoso.com/CCM_Proxy_MutualAuth/72057594037927941", Some("cmg.contoso.com")),
            ("[2001:db8::1]:443", Some("[2001:db8::1]")),
            ("2001:db8::1", None),
            ("cmg.contoso.com", None),
            ("", None),
        ] {
            assert_eq!(host_alone(given).as_deref(), host, "{given}");
        }
    }

    #[test]
    fn an_address_is_no_domain() {
        assert!(!match_dns("8.8.8.8", "8.8.8.8"));
        assert!(is_domain("foo_bar.example.com"));
        assert!(!is_domain(".example.com"));
    }
}
