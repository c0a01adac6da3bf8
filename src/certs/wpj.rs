//! The certificate of a device joined to, or registered with, Entra: whose device it is.
//!
//! The subject's common name is the device id; extensions 1.2.840.113556.1.5.284.N hold the rest (MS-DVRE, MS-DVRJ).

use serde::Serialize;

use super::certificate::Certificate;
use super::der::{self, Reader};
use super::roles::{Role, role};

/// Whose device a certificate names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DeviceIdentity {
    /// Device id: the common name, or else extension `.2`.
    pub device_id: Option<String>,
    /// Device id of extension `.2`.
    pub device_id_of_extension: Option<String>,
    /// Object id of the user who joined the device, extension `.3`.
    pub user_object_id: Option<String>,
    /// Domain id, extension `.4`.
    pub domain_id: Option<String>,
    /// Tenant id, extension `.5`; of an Intune certificate the Entra tenant.
    pub tenant_id: Option<String>,
    /// "registered" or "joined", extension `.7`.
    pub join_type: Option<String>,
    /// Region of the tenant, extension `.8`: AF, AS, AP, EU, ME, NA or SA.
    pub region: Option<String>,
    /// Whether common name and extension `.2` name the same device; `None` where one is missing.
    pub device_ids_agree: Option<bool>,
}

const ARC: &str = "1.2.840.113556.1.5.284.";
const INTUNE_ENTRA_TENANT: &str = "1.2.840.113556.5.14";
const INTUNE_DEVICE: &str = "1.2.840.113556.5.4";

/// The device that a workplace-join or Intune certificate names; `None` for any other, also the peer-to-peer one.
pub fn device_identity(certificate: &Certificate) -> Option<DeviceIdentity> {
    let common_name = certificate.subject.common_names.first().and_then(|name| as_guid_text(name));
    match role(certificate).0 {
        Role::WorkplaceJoin => {}
        Role::MobileManagement => {
            return Some(DeviceIdentity {
                device_id: value(certificate, INTUNE_DEVICE).and_then(guid).or(common_name),
                tenant_id: value(certificate, INTUNE_ENTRA_TENANT).and_then(guid),
                ..DeviceIdentity::default()
            });
        }
        _ => return None,
    }
    let numbered = |number: u8| value(certificate, &format!("{ARC}{number}"));
    let of_extension = numbered(2).and_then(guid);
    Some(DeviceIdentity {
        device_ids_agree: common_name.as_ref().zip(of_extension.as_ref()).map(|(name, extension)| name == extension),
        device_id: common_name.or_else(|| of_extension.clone()),
        device_id_of_extension: of_extension,
        user_object_id: numbered(3).and_then(guid),
        domain_id: numbered(4).and_then(guid),
        tenant_id: numbered(5).and_then(guid),
        join_type: numbered(7).and_then(text).map(|kind| match kind.as_str() {
            "0" => "registered".to_owned(),
            "1" => "joined".to_owned(),
            other => other.to_owned(),
        }),
        region: numbered(8).and_then(text),
    })
}

fn value<'a>(certificate: &'a Certificate, oid: &str) -> Option<&'a [u8]> {
    certificate.extensions.all.iter().find(|extension| extension.oid == oid).map(|extension| extension.value.as_slice())
}

/// A GUID of 16 octets in .NET order: raw, inside an OCTET STRING, or inside one whose length is not minimal
/// (`04 81 10`), as real certificates have it; or as text.
fn guid(value: &[u8]) -> Option<String> {
    let octets: [u8; 16] = match <[u8; 16]>::try_from(value) {
        Ok(raw) => raw,
        Err(_) => match unwrapped(value) {
            Some(inner) if inner.len() == 16 => inner.try_into().ok()?,
            other => return as_guid_text(std::str::from_utf8(other.unwrap_or(value)).ok()?),
        },
    };
    let (little, big) = octets.split_at(8);
    let first = little.first_chunk().map(|first| u32::from_le_bytes(*first))?;
    let second = little.get(4..).and_then(<[u8]>::first_chunk).map(|second| u16::from_le_bytes(*second))?;
    let third = little.last_chunk().map(|third| u16::from_le_bytes(*third))?;
    let tail = der::hex(big).to_ascii_lowercase();
    let (fourth, fifth) = tail.split_at(4);
    Some(format!("{first:08x}-{second:04x}-{third:04x}-{fourth}-{fifth}"))
}

/// The content of an element that makes up all of `value`.
fn unwrapped(value: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(value);
    let element = reader.next()?;
    (reader.is_empty() && matches!(element.tag, der::OCTET_STRING | 0x0c | 0x13 | 0x16)).then_some(element.content)
}

fn text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(unwrapped(value).unwrap_or(value)).ok()?;
    let text = text.trim_matches(['\0', ' ']);
    (!text.is_empty() && text.is_ascii()).then(|| text.to_owned())
}

/// A GUID as text in its usual form, lower case; `None` where the text is none.
pub(super) fn as_guid_text(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let text = text.strip_prefix("GUID:").unwrap_or(text);
    let lengths = text.split('-').map(str::len);
    let is_guid = lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|octet| octet == b'-' || octet.is_ascii_hexdigit());
    is_guid.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot go on fails
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_read_in_all_three_encodings() {
        // MS-DTYP, section 2.3.4.2: the first three fields are little-endian.
        let raw: Vec<u8> = (0x00..=0x0f).collect();
        let expected = Some("03020100-0504-0706-0809-0a0b0c0d0e0f".to_owned());
        let wrapped = [&[0x04, 0x10], raw.as_slice()].concat();
        let not_minimal = [&[0x04, 0x81, 0x10], raw.as_slice()].concat();
        assert_eq!(guid(&raw), expected);
        assert_eq!(guid(&wrapped), expected);
        assert_eq!(guid(&not_minimal), expected);
        assert_eq!(guid(raw.get(..15).unwrap()), None);
    }
}
