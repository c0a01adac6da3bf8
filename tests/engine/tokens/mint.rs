//! Mints tokens for the tests, with keys made when the test runs.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cmgtrail::tokens::{KeySet, TokenPolicy};
use serde_json::{Value, json};

/// 2026-11-04T09:12:33Z, the moment all tests look from.
pub const AT: i64 = 1_793_783_553;
pub const TENANT: &str = "c2b8f6d2-51a3-4df9-9c1e-cdd0a1b2ce0a";
pub const DEVICE: &str = "82b5c7ad-f062-4c1e-b062-db0a1bac04d5";
pub const USER: &str = "5f1c9a77-0b7c-4a58-8a55-2a4e6f0a9b11";
pub const AUDIENCE: &str = "https://ConfigMgrService";
pub const KID: &str = "2ZQpJ3UpbjAYXYGaXEJl8lV0TOI";

/// An RSA key that signs.
pub struct Signer(RsaKeyPair);

impl Signer {
    pub fn new(size: KeySize) -> Self {
        Self(RsaKeyPair::generate(size).expect("a key"))
    }

    /// The key that most tests sign with.
    pub fn main() -> &'static Self {
        static KEY: OnceLock<Signer> = OnceLock::new();
        KEY.get_or_init(|| Self::new(KeySize::Rsa2048))
    }

    /// A key that no key set holds.
    pub fn stranger() -> &'static Self {
        static KEY: OnceLock<Signer> = OnceLock::new();
        KEY.get_or_init(|| Self::new(KeySize::Rsa2048))
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("a signature");
        signature
    }

    /// A compact token over exactly these texts.
    pub fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = encode(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub fn jwk(&self) -> Value {
        let parts = RsaPublicKeyComponents::<Vec<u8>>::from(self.0.public_key());
        json!({"kty": "RSA", "use": "sig", "n": encode(&parts.n), "e": encode(&parts.e)})
    }

    pub fn spki_pem(&self) -> String {
        let der = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der>::as_der(self.0.public_key()).expect("a key");
        pem("PUBLIC KEY", der.as_ref())
    }

    pub fn pkcs1_pem(&self) -> String {
        pem("RSA PUBLIC KEY", self.0.public_key().as_ref())
    }
}

/// A key with a self-signed certificate.
pub struct Certified {
    pub signer: Signer,
    pub pem: String,
    pub der: Vec<u8>,
}

impl Certified {
    pub fn new() -> Self {
        let signer = Signer::new(KeySize::Rsa2048);
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der>::as_der(&signer.0).expect("a key");
        let key = rcgen::KeyPair::try_from(pkcs8.as_ref()).expect("a key");
        let names = vec!["accounts.accesscontrol.windows.net".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        Self { signer, pem: certificate.pem(), der: certificate.der().to_vec() }
    }

    pub fn base64(&self) -> String {
        STANDARD.encode(&self.der)
    }

    pub fn thumbprint(&self) -> String {
        encode(&self.sha1())
    }

    /// As Windows shows it: hexadecimal digits in upper case.
    pub fn windows_thumbprint(&self) -> String {
        self.sha1().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
    }

    fn sha1(&self) -> Vec<u8> {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref().to_vec()
    }
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token keyed with a shared secret.
pub fn hs256(header: &str, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{signed}.{}", encode(hmac::sign(&key, signed.as_bytes()).as_ref()))
}

pub fn header() -> Value {
    json!({"typ": "JWT", "alg": "RS256", "kid": KID, "x5t": KID})
}

/// Claims of an Entra v1.0 device token, good at [`AT`].
pub fn device_claims() -> Value {
    json!({
        "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{TENANT}/"), "iat": AT - 600, "nbf": AT - 600,
        "exp": AT + 3_000, "appid": "9f5b1c0e-8b0d-4a6f-a3e4-0a3e5d6c7b8a", "appidacr": "0", "deviceid": DEVICE,
        "oid": "0e0e0e0e-1111-4222-8333-444455556666", "sub": "0e0e0e0e-1111-4222-8333-444455556666",
        "idtyp": "device", "tid": TENANT, "uti": "hN3yq1k0rUWgLp5oYy0BAA", "ver": "1.0"
    })
}

/// `changes` laid over `base`; null takes a member away.
pub fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes must be an object") };
    for (name, value) in changes {
        let object = base.as_object_mut().unwrap();
        if value.is_null() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
    }
    base
}

/// A good token of the main key with these changes to its claims.
pub fn device_token(changes: Value) -> String {
    Signer::main().token(&header().to_string(), &with(device_claims(), changes).to_string())
}

/// A good token of the main key with these changes to its header.
pub fn headed_token(changes: Value) -> String {
    Signer::main().token(&with(header(), changes).to_string(), &device_claims().to_string())
}

/// A JWKS as Entra publishes it, with the main key under [`KID`] and these changes to its entry.
pub fn jwks(changes: Value) -> KeySet {
    let entry = json!({
        "kid": KID, "x5t": KID, "alg": "RS256", "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"
    });
    let entry = with(with(Signer::main().jwk(), entry), changes);
    KeySet::parse(json!({"keys": [entry]}).to_string().as_bytes())
}

/// What the token of [`device_token`] is held against: everything is said.
pub fn policy() -> TokenPolicy {
    let mut policy = TokenPolicy::new(AT * 1_000_000);
    policy.keys = Some(jwks(json!({})));
    policy.audience = vec![AUDIENCE.to_owned()];
    policy.tenants = vec![TENANT.to_owned()];
    policy
}
