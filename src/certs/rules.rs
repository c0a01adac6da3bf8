//! The checks there are: their ids, where each rule stands, how Windows reports it, and in which profile it decides.

use serde::Serialize;

use crate::knowledge::Codes;
use crate::report::{Check, CheckStatus, WindowsNames};

/// Whose rules decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// What a Windows client does, as far as public documents say.
    #[default]
    Windows,
    /// The public web: RFC 5280 and the Baseline Requirements of the CA/Browser Forum.
    WebPki,
    /// RFC 5280 alone.
    Rfc5280,
}

impl Profile {
    /// The word for people, JSON and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::WebPki => "webpki",
            Self::Rfc5280 => "rfc5280",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Windows => WINDOWS,
            Self::WebPki => WEBPKI,
            Self::Rfc5280 => RFC5280,
        }
    }
}

/// Decides in profile `windows`.
pub(super) const WINDOWS: u8 = 1;
/// Decides in profile `webpki`.
pub(super) const WEBPKI: u8 = 2;
/// Decides in profile `rfc5280`.
pub(super) const RFC5280: u8 = 4;
const EVERYWHERE: u8 = WINDOWS | WEBPKI | RFC5280;
const NOWHERE: u8 = 0;

/// One kind of check.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: &'static str,
    /// Profiles in which it decides, as bits.
    decides_in: u8,
    /// Where the rule stands.
    pub reference: &'static str,
    /// Why profile `windows` differs from `rfc5280`, with the document that says so; empty where it does not.
    pub windows_differs: &'static str,
    hresults: &'static [&'static str],
    trust_status: u32,
    winhttp_flags: u32,
}

impl Rule {
    /// Whether it affects the verdict in this profile.
    pub const fn decides_in(&self, profile: Profile) -> bool {
        self.decides_in & profile.bit() != 0
    }

    /// A check of this rule.
    pub(super) fn check(&self, profile: Profile, status: CheckStatus, subject: &str, explanation: String) -> Check {
        let mut check = Check::new(self.id, status, subject, explanation).reference(self.reference);
        check.decides = self.decides_in(profile);
        if status == CheckStatus::Failed && (!self.hresults.is_empty() || self.trust_status != 0) {
            check.windows = Some(WindowsNames {
                hresults: self.hresults.iter().map(|name| (*name).to_owned()).collect(),
                codes: self.hresults.iter().map(|name| Codes::builtin().number(name).unwrap_or_default()).collect(),
                trust_status: self.trust_status,
                winhttp_flags: self.winhttp_flags,
            });
        }
        check
    }
}

macro_rules! rules {
    ($($name:ident = $id:literal, $decides:expr, $reference:literal, $hresults:expr, $trust:literal, $flags:literal
       $(, differs $differs:literal)?;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $reference, ".")]
            pub static $name: Rule = Rule {
                id: $id,
                decides_in: $decides,
                reference: $reference,
                windows_differs: concat!($($differs)?),
                hresults: &$hresults,
                trust_status: $trust,
                winhttp_flags: $flags,
            };
        )*
        /// All rules, in the order in which reports show them.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    UNREADABLE = "unreadable", EVERYWHERE, "RFC 5280, section 4.1", ["CERT_E_MALFORMED"], 0x0, 0x2;
    ROOT_NOT_IN_CLIENT_STORE = "root-not-in-client-store", EVERYWHERE, "RFC 5280, section 6.1.1 (d)",
        ["CERT_E_UNTRUSTEDROOT"], 0x20, 0x8,
        differs "Windows fetches a known public root on need \
            (learn.microsoft.com/windows-server/identity/ad-cs/configure-trusted-roots-disallowed-certificates)";
    INTERMEDIATE_MISSING = "intermediate-missing", EVERYWHERE, "RFC 5280, section 6.1", ["CERT_E_CHAINING"],
        0x1_0000, 0x8;
    CHAIN_TOO_DEEP = "chain-too-deep", EVERYWHERE, "RFC 5280, section 6.1", ["CERT_E_CHAINING"], 0x1_0000, 0x8;
    SEARCH_EXHAUSTED = "path-search-exhausted", EVERYWHERE, "RFC 4158, section 2.4.2", [], 0x0, 0x0;
    EXPLICITLY_DISTRUSTED = "explicitly-distrusted", EVERYWHERE,
        "learn.microsoft.com: CERT_TRUST_STATUS, CERT_TRUST_IS_EXPLICIT_DISTRUST", ["TRUST_E_EXPLICIT_DISTRUST"],
        0x400_0000, 0x2;
    EXPIRED = "expired", EVERYWHERE, "RFC 5280, section 4.1.2.5", ["CERT_E_EXPIRED"], 0x1, 0x20;
    NOT_YET_VALID = "not-yet-valid", EVERYWHERE, "RFC 5280, section 4.1.2.5", ["CERT_E_EXPIRED"], 0x1, 0x20;
    NAME_MISMATCH = "name-mismatch", EVERYWHERE, "RFC 6125, section 6.4", ["CERT_E_CN_NO_MATCH"], 0x0, 0x10;
    CN_ONLY_NO_SAN = "cn-only-no-san", WEBPKI, "RFC 9525, section 2", [], 0x0, 0x0;
    WRONG_EKU = "wrong-eku", EVERYWHERE, "RFC 5280, section 4.2.1.12", ["CERT_E_WRONG_USAGE"], 0x10, 0x40;
    WRONG_KEY_USAGE = "wrong-key-usage", EVERYWHERE, "RFC 5280, section 4.2.1.3", ["CERT_E_WRONG_USAGE"], 0x10, 0x40;
    NOT_A_CA = "not-a-ca", EVERYWHERE, "RFC 5280, section 6.1.4 (k)", ["TRUST_E_BASIC_CONSTRAINTS"], 0x400, 0x8;
    CA_WITHOUT_KEYCERTSIGN = "ca-without-keycertsign", EVERYWHERE, "RFC 5280, section 6.1.4 (n)",
        ["CERT_E_WRONG_USAGE"], 0x10, 0x8;
    PATH_LENGTH_EXCEEDED = "path-length-exceeded", EVERYWHERE, "RFC 5280, section 6.1.4 (m)",
        ["TRUST_E_BASIC_CONSTRAINTS"], 0x400, 0x8;
    NAME_CONSTRAINT_VIOLATED = "name-constraint-violated", EVERYWHERE, "RFC 5280, section 4.2.1.10",
        ["CERT_E_INVALID_NAME"], 0x4000, 0x2;
    NAME_CONSTRAINT_UNUSABLE = "name-constraint-unusable", EVERYWHERE, "RFC 5280, section 4.2.1.10",
        ["CERT_E_INVALID_NAME"], 0x1800, 0x2;
    BAD_SIGNATURE = "bad-signature", EVERYWHERE, "RFC 5280, section 6.1.3 (a)", ["TRUST_E_CERT_SIGNATURE"], 0x8, 0x2;
    WEAK_SIGNATURE = "weak-signature", WINDOWS | WEBPKI, "CA/Browser Forum Baseline Requirements, section 7.1.3.2",
        ["TRUST_E_CERT_SIGNATURE"], 0x10_0000, 0x2,
        differs "Windows refuses weak hashes (learn.microsoft.com: CERT_TRUST_STATUS, \
            CERT_TRUST_HAS_WEAK_SIGNATURE), but SHA-1 only below public roots (Microsoft Security Advisory 4010323)";
    WEAK_KEY = "weak-key", WINDOWS | WEBPKI, "CA/Browser Forum Baseline Requirements, section 6.1.5",
        ["TRUST_E_CERT_SIGNATURE"], 0x10_0000, 0x2,
        differs "a CMG's certificate needs 2048 or 4096 bit \
            (learn.microsoft.com/intune/configmgr/core/clients/manage/cmg/server-auth-cert)";
    UNKNOWN_CRITICAL_EXTENSION = "unknown-critical-extension", EVERYWHERE, "RFC 5280, section 4.2",
        ["CERT_E_CRITICAL"], 0x800_0000, 0x2;
    MALFORMED_EXTENSION = "malformed-extension", EVERYWHERE, "RFC 5280, section 4.2", ["CERT_E_MALFORMED"], 0x100,
        0x2;
    DUPLICATE_EXTENSION = "duplicate-extension", EVERYWHERE, "RFC 5280, section 4.2", ["CERT_E_MALFORMED"], 0x100,
        0x2;
    POLICY_NOT_EVALUATED = "policy-not-evaluated", EVERYWHERE, "RFC 5280, section 6.1.5", ["CERT_E_INVALID_POLICY"],
        0x200, 0x0;
    REVOKED = "revoked", EVERYWHERE, "RFC 5280, section 6.3", ["CRYPT_E_REVOKED"], 0x4, 0x4;
    REVOCATION_UNKNOWN = "revocation-unknown", EVERYWHERE, "RFC 5280, section 6.3.3",
        ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    NO_CRL_DISTRIBUTION_POINT = "no-crl-distribution-point", EVERYWHERE, "RFC 5280, section 4.2.1.13",
        ["CRYPT_E_NO_REVOCATION_CHECK"], 0x40, 0x1;
    CDP_UNREACHABLE_FROM_INTERNET = "crl-distribution-point-unreachable-from-internet", NOWHERE,
        "learn.microsoft.com/intune/configmgr/core/clients/manage/cmg/server-auth-cert",
        ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    CRL_UNREACHABLE = "crl-unreachable", EVERYWHERE, "RFC 5280, section 6.3.3", ["CRYPT_E_REVOCATION_OFFLINE"],
        0x100_0040, 0x1;
    CRL_UNREADABLE = "crl-unreadable", EVERYWHERE, "RFC 5280, section 5.1", ["CRYPT_E_REVOCATION_OFFLINE"],
        0x100_0040, 0x1;
    CRL_STALE = "crl-stale", EVERYWHERE, "RFC 5280, section 5.1.2.5", ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    CRL_ISSUED_LATER = "crl-issued-later", EVERYWHERE, "RFC 5280, section 5.1.2.4", [], 0x0, 0x0;
    CRL_BAD_SIGNATURE = "crl-bad-signature", EVERYWHERE, "RFC 5280, section 6.3.3 (g)",
        ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    CRL_SIGNER_NOT_ALLOWED = "crl-signer-not-allowed", EVERYWHERE, "RFC 5280, section 6.3.3 (f)",
        ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    CRL_WRONG_SCOPE = "crl-wrong-scope", EVERYWHERE, "RFC 5280, section 6.3.3 (b)",
        ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    CRL_DELTA_ONLY = "crl-delta-only", EVERYWHERE, "RFC 5280, section 5.2.4", ["CRYPT_E_REVOCATION_OFFLINE"],
        0x100_0040, 0x1;
    CRL_UNKNOWN_CRITICAL_EXTENSION = "crl-unknown-critical-extension", EVERYWHERE, "RFC 5280, section 5.2",
        ["CRYPT_E_REVOCATION_OFFLINE"], 0x100_0040, 0x1;
    CRL_NUMBER = "crl-number", WEBPKI | RFC5280, "RFC 5280, section 5.2.3", [], 0x0, 0x0,
        differs "no public document says that Windows looks at the number of a complete list (learn.microsoft.com: \
            CertGetCertificateChain)";
    SERIAL_NUMBER = "serial-number", WEBPKI | RFC5280, "RFC 5280, section 4.1.2.2", [], 0x0, 0x0,
        differs "profile of issuance, which Windows does not enforce (learn.microsoft.com: CERT_TRUST_STATUS has \
            no bit for it)";
    EMPTY_NAME = "empty-name", WEBPKI | RFC5280, "RFC 5280, sections 4.1.2.4 and 4.1.2.6", [], 0x0, 0x0,
        differs "profile of issuance, which Windows does not enforce (learn.microsoft.com: CERT_TRUST_STATUS has \
            no bit for it)";
    CERTIFICATE_VERSION = "certificate-version", WEBPKI | RFC5280, "RFC 5280, section 4.1.2.1", [], 0x0, 0x0,
        differs "profile of issuance, which Windows does not enforce (learn.microsoft.com: CERT_TRUST_STATUS has \
            no bit for it)";
    KEY_IDENTIFIER_MISSING = "key-identifier-missing", WEBPKI | RFC5280, "RFC 5280, sections 4.2.1.1 and 4.2.1.2",
        [], 0x0, 0x0,
        differs "profile of issuance, which Windows does not enforce (learn.microsoft.com: CERT_TRUST_STATUS has no bit for it)";
    EXTENSION_CRITICALITY = "extension-criticality", WEBPKI | RFC5280, "RFC 5280, section 4.2.1", [], 0x0, 0x0,
        differs "profile of issuance, which Windows does not enforce (learn.microsoft.com: CERT_TRUST_STATUS has \
            no bit for it)";
    NAME_CONSTRAINTS_NOT_CRITICAL = "name-constraints-not-critical", RFC5280, "RFC 5280, section 4.2.1.10", [], 0x0,
        0x0,
        differs "allowed by the Baseline Requirements, section 7.1.2.5.2, for the sake of verifiers that do not \
            know them";
    EXTENSION_MISPLACED = "extension-misplaced", WEBPKI | RFC5280, "RFC 5280, sections 4.2.1.9 and 4.2.1.10", [],
        0x0, 0x0,
        differs "profile of issuance, which Windows does not enforce (learn.microsoft.com: CERT_TRUST_STATUS has \
            no bit for it)";
    NAME_FORM = "name-form", WEBPKI | RFC5280, "RFC 5280, section 4.2.1.6", [], 0x0, 0x0,
        differs "internal names with underscores are in use on Windows networks (learn.microsoft.com: Naming \
            conventions in Active Directory)";
    CA_AS_LEAF = "ca-as-leaf", WEBPKI, "CA/Browser Forum Baseline Requirements, section 7.1.2.7.8", [], 0x0, 0x0;
    BASELINE_REQUIREMENTS = "baseline-requirements", WEBPKI, "CA/Browser Forum Baseline Requirements, section 7.1",
        [], 0x0, 0x0;
    CLIENT_CLOCK_SUSPECT = "client-clock-suspect", NOWHERE, "an inference from the dates of revocation lists", [],
        0x0, 0x0;
    SERVER_SENT_ROOT = "server-sent-root", NOWHERE, "RFC 8446, section 4.4.2", [], 0x0, 0x0;
    OUT_OF_ORDER = "out-of-order", NOWHERE, "RFC 5246, section 7.4.2; RFC 8446, section 4.4.2", [], 0x0, 0x0;
    UNRELATED_CERTIFICATE = "unrelated-certificate", NOWHERE, "RFC 8446, section 4.4.2", [], 0x0, 0x0;
    CERTIFICATE_ROLE = "certificate-role", NOWHERE,
        "learn.microsoft.com/intune/configmgr/core/clients/manage/cmg/server-auth-cert", [], 0x0, 0x0;
    ORACLE = "second-verifier", NOWHERE, "rustls-webpki, a strict verifier of the public web", [], 0x0, 0x0;
}

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}
