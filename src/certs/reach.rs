//! Whether a client on the internet can be expected to reach an address. A guess about networks from the address
//! alone: it looks nothing up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::constraints::uri_host;

/// Suffixes that no public name has (RFC 6762, RFC 9476, RFC 8375, and what organisations use).
const PRIVATE_SUFFIXES: &[&str] =
    &["local", "internal", "corp", "lan", "home", "intranet", "private", "localdomain", "home.arpa", "test", "invalid"];

/// Why an internet client cannot be expected to reach `uri`, as a clause; `None` where it can.
///
/// `internal` are the domains that only the organisation's own network knows.
///
/// ```
/// use cmgtrail::certs::unreachable_from_internet;
///
/// assert_eq!(unreachable_from_internet("http://crl.contoso.com/ca.crl", &[]), None);
/// assert!(unreachable_from_internet("ldap:///CN=CA,CN=CDP,DC=contoso", &[]).is_some());
/// assert!(unreachable_from_internet("http://pki01/ca.crl", &[]).is_some());
/// ```
pub fn unreachable_from_internet(uri: &str, internal: &[String]) -> Option<String> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    match scheme.as_str() {
        "ldap" | "ldaps" => {
            return Some(match uri_host(uri) {
                None | Some("") => "it names the client's own Active Directory (LDAP without a host)".to_owned(),
                Some(host) => format!("LDAP on {host} is served inside the organisation"),
            });
        }
        "file" => return Some("it is a file path".to_owned()),
        "http" | "https" => {}
        _ => return Some("it is neither HTTP nor HTTPS".to_owned()),
    }
    let Some(host) = uri_host(uri).filter(|host| !host.is_empty()) else {
        return Some("it has no host".to_owned());
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return is_private(address).then(|| format!("{address} is a private address"));
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if !host.contains('.') {
        return Some(format!("'{host}' is a single label, which only the organisation's network can resolve"));
    }
    let ends_in = |suffix: &str| {
        let suffix = suffix.trim_start_matches('.').to_ascii_lowercase();
        !suffix.is_empty() && (host == suffix || host.ends_with(&format!(".{suffix}")))
    };
    let private = PRIVATE_SUFFIXES.iter().find(|suffix| ends_in(suffix)).map(|suffix| (*suffix).to_owned());
    private
        .or_else(|| internal.iter().find(|suffix| ends_in(suffix)).cloned())
        .map(|suffix| format!("names under '{}' are internal", suffix.trim_start_matches('.')))
}

/// Loopback, link-local, RFC 1918, RFC 6598 and unique local addresses.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_private_v4(four),
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or_else(|| is_private_v6(six), is_private_v4),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || (first == 100 && second & 0xc0 == 64)
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    #[test]
    fn what_the_internet_cannot_reach() {
        let internal = vec!["ad.contoso.com".to_owned()];
        for uri in [
            "ldap:///CN=CA,CN=CDP?certificateRevocationList?base",
            "ldap://dc1.contoso.com/CN=CA",
            "file://server/share/ca.crl",
            "http://pki/ca.crl",
            "http://pki.contoso.local/ca.crl",
            "http://PKI.Contoso.LOCAL./ca.crl",
            "http://crl.ad.contoso.com/ca.crl",
            "http://10.1.2.3/ca.crl",
            "http://172.31.0.1:8080/ca.crl",
            "http://192.168.1.1/ca.crl",
            "http://[fd12::1]/ca.crl",
            "http:///ca.crl",
        ] {
            assert!(unreachable_from_internet(uri, &internal).is_some(), "{uri}");
        }
    }

    #[test]
    fn what_it_can() {
        let internal = vec!["ad.contoso.com".to_owned(), String::new()];
        for uri in [
            "http://crl3.digicert.com/x.crl",
            "http://crl.contoso.com/ca.crl",
            "http://notad.contoso.com/ca.crl",
            "http://172.32.0.1/ca.crl",
            "http://localhosting.example/ca.crl",
            "https://[2a00::1]/ca.crl",
        ] {
            assert_eq!(unreachable_from_internet(uri, &internal), None, "{uri}");
        }
    }
}
