//! Certificates, revocation lists and tokens of an invented organisation, minted for each run: no private key is stored.

use std::path::Path;

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, DnType,
    ExtendedKeyUsagePurpose as Usage, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// 2026-11-04 09:00:00 UTC.
pub const AT: i64 = 1_793_782_800_000_000;

/// Seconds of Unix time, days from [`AT`].
fn day(days: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(AT / 1_000_000).unwrap() + Duration::days(days)
}

/// A certificate that is asked for.
#[derive(Clone)]
pub struct Wanted {
    pub common_name: &'static str,
    pub hosts: &'static [&'static str],
    pub usage: Usage,
    pub from: i64,
    pub to: i64,
    pub serial: u64,
}

impl Wanted {
    pub fn service(host: &'static [&'static str]) -> Self {
        Self { common_name: host[0], hosts: host, usage: Usage::ServerAuth, from: -30, to: 300, serial: 100 }
    }

    pub fn device(common_name: &'static str) -> Self {
        Self { common_name, hosts: &[], usage: Usage::ClientAuth, from: -30, to: 300, serial: 200 }
    }
}

/// An authority.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
    list_url: String,
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (day(-400), day(4_000));
    params
}

impl Authority {
    pub fn root(name: &str, list_url: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key), list_url: list_url.to_owned() }
    }

    pub fn under(&self, name: &str, list_url: &str) -> Self {
        let mut params = authority_params(name);
        params.serial_number = Some(SerialNumber::from(2_u64));
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![self.list_url.clone()] }];
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key), list_url: list_url.to_owned() }
    }

    pub fn issue(&self, wanted: &Wanted) -> String {
        let mut params = named(wanted.common_name);
        params.subject_alt_names =
            wanted.hosts.iter().map(|host| rcgen::SanType::DnsName((*host).try_into().unwrap())).collect();
        params.extended_key_usages = vec![wanted.usage.clone()];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        (params.not_before, params.not_after) = (day(wanted.from), day(wanted.to));
        params.serial_number = Some(SerialNumber::from(wanted.serial));
        if !self.list_url.is_empty() {
            params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![self.list_url.clone()] }];
        }
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().pem()
    }

    /// A list that revokes these serial numbers, good until `to` days from [`AT`].
    pub fn list(&self, revoked: &[u64], to: i64) -> String {
        let revoked_certs = revoked
            .iter()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from(*serial),
                revocation_time: day(-2),
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            })
            .collect();
        let params = CertificateRevocationListParams {
            this_update: day(-2),
            next_update: day(to),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// A token with these claims. Nobody verifies it here.
pub fn token(claims: &Value) -> String {
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "typ": "JWT", "alg": "RS256" })), part(claims))
}

/// Writes files into a folder.
pub fn lay(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}
