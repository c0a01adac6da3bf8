//! Every check that is made on a token, in the order of a report.

use super::ledger::CheckKind;

macro_rules! checks {
    ($($name:ident = $id:literal, $subject:literal, $reference:literal;)+) => {
        $(pub(crate) const $name: CheckKind = CheckKind { id: $id, subject: $subject, reference: $reference };)+

        /// Every check, each of which is in every report of [`validate_token`](super::validate_token) exactly once.
        pub const CHECKS: &[CheckKind] = &[$($name),+];
    };
}

checks! {
    SIZE = "size", "token text", "RFC 8725, section 3.11";
    PARTS = "parts", "token text", "RFC 7515, section 7.1";
    BASE64URL = "base64url", "token text", "RFC 7515, section 2";
    HEADER_JSON = "header-json", "header", "RFC 7515, section 4";
    HEADER_DUPLICATES = "header-duplicates", "header", "RFC 7515, section 4";
    CLAIMS_JSON = "claims-json", "claims", "RFC 7519, section 7.2";
    CLAIMS_DUPLICATES = "claims-duplicates", "claims", "RFC 7519, section 4";
    TYPE = "type", "header typ", "RFC 8725, section 3.11";
    ALGORITHM = "algorithm", "header alg", "RFC 8725, section 3.1";
    CRITICAL = "critical", "header crit", "RFC 7515, section 4.1.11";
    PAYLOAD_ENCODING = "payload-encoding", "header b64", "RFC 7797, section 6";
    OFFERED_KEYS = "offered-keys", "header jwk, jku, x5u, x5c", "RFC 8725, section 3.5";
    KEY_ID = "key-id", "header kid", "RFC 8725, section 3.10";
    KEY_SET = "key-set", "keys given", "RFC 7517, section 5";
    KEY = "key", "keys given", "RFC 7515, appendix D";
    KEY_USE = "key-use", "key's use and key_ops", "RFC 7517, sections 4.2 and 4.3";
    KEY_ALGORITHM = "key-algorithm", "key's type and alg", "RFC 8725, section 3.1";
    KEY_STRENGTH = "key-strength", "key's size", "RFC 7518, section 3.3";
    KEY_ISSUER = "key-issuer", "key's issuer", "Entra access tokens: validate the signing key issuer";
    SIGNATURE = "signature", "signature", "RFC 7515, section 5.2";
    EXPIRY = "expiry", "claim exp", "RFC 7519, section 4.1.4";
    NOT_BEFORE = "not-before", "claim nbf", "RFC 7519, section 4.1.5";
    ISSUED_AT = "issued-at", "claim iat", "RFC 7519, section 4.1.6";
    LIFETIME = "lifetime", "claims nbf, iat, exp", "RFC 7519, section 4.1";
    KIND = "kind", "claims", "Entra access token claims reference; token-based authentication for CMG";
    ISSUER = "issuer", "claim iss", "RFC 7519, section 4.1.1";
    VERSION = "version", "claims ver, iss", "Entra access token claims reference";
    ISSUER_TENANT = "issuer-tenant", "claims iss, tid", "Entra access tokens: validate the issuer";
    TENANT = "tenant", "claim tid", "Entra access tokens: validate the issuer";
    AUDIENCE = "audience", "claim aud", "RFC 7519, section 4.1.3";
    IDENTITY = "identity", "claims deviceid, oid", "Entra access token claims reference";
}
