//! A second opinion: rustls-webpki, a strict verifier of the public web, on the same inputs. It names one error only
//! and knows nothing of Windows; what it says is compared, never followed.

use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm, TrustAnchor,
    UnixTime,
};
use serde::Serialize;
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use super::certificate::Certificate;
use super::extensions::GeneralName;
use super::key::Proven;
use super::request::{ChainRequest, Purpose, Revocation};
use super::revocation::Lists;
use crate::report::{Check, CheckStatus};

/// Certificates beyond which the second opinion is not asked: it weighs each of them at each step.
const MOST_CERTIFICATES: usize = 256;

/// How the two verifiers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// Both accept, or both refuse for the same reason.
    Agree,
    /// They differ where the profiles are known to differ.
    KnownDifference,
    /// They differ, and nothing explains it.
    Disagreement,
    /// The second verifier was not asked.
    NotAsked,
}

/// What the second verifier said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecondOpinion {
    /// Its answer: "accepted", or its error.
    pub answer: String,
    /// How that compares.
    pub agreement: Agreement,
    /// Why they differ, or what explains it.
    pub reason: String,
}

/// One of its signature algorithms, which takes a signature that holds from here: the same library, aws-lc, would
/// verify the same bytes a second time. What did not hold here, it verifies itself.
#[derive(Debug)]
struct Shared<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    proven: &'a [Proven<'a>],
}

impl SignatureVerificationAlgorithm for Shared<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if self.proven.contains(&Proven { key, message, signature }) {
            return Ok(());
        }
        self.algorithm.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

/// Asks rustls-webpki, with the signatures that hold. Not where the search here met a bound: its own bounds are wider,
/// and cost seconds.
pub(super) fn ask(
    request: &ChainRequest,
    leaf: &Certificate,
    others: &[&Certificate],
    roots: &[&Certificate],
    lists: &Lists<'_>,
    proven: &[Proven<'_>],
) -> Option<Result<(), Error>> {
    (others.len() + roots.len() <= MOST_CERTIFICATES).then(|| verify(request, leaf, others, roots, lists, proven))
}

fn verify(
    request: &ChainRequest,
    leaf: &Certificate,
    others: &[&Certificate],
    roots: &[&Certificate],
    lists: &Lists<'_>,
    proven: &[Proven<'_>],
) -> Result<(), Error> {
    let shared: Vec<Shared<'_>> =
        webpki::ALL_VERIFICATION_ALGS.iter().map(|algorithm| Shared { algorithm: *algorithm, proven }).collect();
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = shared.iter().map(|shared| shared as _).collect();
    let der = CertificateDer::from(leaf.der.as_ref());
    let end_entity = EndEntityCert::try_from(&der)?;
    let root_ders: Vec<CertificateDer<'_>> = roots.iter().map(|root| CertificateDer::from(root.der.as_ref())).collect();
    let anchors: Vec<TrustAnchor<'_>> =
        root_ders.iter().filter_map(|root| webpki::anchor_from_trusted_cert(root).ok()).collect();
    let intermediates: Vec<CertificateDer<'_>> =
        others.iter().map(|other| CertificateDer::from(other.der.as_ref())).collect();
    let seconds = u64::try_from(request.at.div_euclid(1_000_000)).unwrap_or(0);
    let usage = match request.purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let known: Vec<CertRevocationList<'_>> = lists
        .known
        .iter()
        .filter_map(|known| BorrowedCertRevocationList::from_der(&known.list.der).ok().map(Into::into))
        .collect();
    let known: Vec<&CertRevocationList<'_>> = known.iter().collect();
    let depth = match request.effective_revocation() {
        Revocation::Off => None,
        Revocation::Leaf => Some(RevocationCheckDepth::EndEntity),
        Revocation::Chain => Some(RevocationCheckDepth::Chain),
    };
    let revocation = depth.and_then(|depth| {
        let builder = RevocationOptionsBuilder::new(&known).ok()?;
        let strict = builder.with_depth(depth).with_status_policy(UnknownStatusPolicy::Deny);
        Some(strict.with_expiration_policy(ExpirationPolicy::Enforce).build())
    });
    end_entity.verify_for_usage(
        &algorithms,
        &anchors,
        &intermediates,
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
        usage,
        revocation,
        None,
    )?;
    match request.host.as_deref().map(ServerName::try_from) {
        Some(Ok(name)) => end_entity.verify_is_valid_for_subject_name(&name),
        Some(Err(_)) => Err(Error::MalformedDnsIdentifier),
        None => Ok(()),
    }
}

/// The checks that an error of rustls-webpki may stand for. Total over the errors it has today; a new one stands for
/// none, and shows as a disagreement.
fn stands_for(error: &Error) -> &'static [&'static str] {
    match error {
        Error::CertExpired { .. } | Error::InvalidCertValidity => &["expired", "not-yet-valid"],
        Error::CertNotValidYet { .. } => &["not-yet-valid"],
        Error::CertNotValidForName(_) | Error::MalformedDnsIdentifier => {
            &["name-mismatch", "cn-only-no-san", "name-form"]
        }
        Error::CaUsedAsEndEntity => &["ca-as-leaf"],
        Error::EndEntityUsedAsCa => &["not-a-ca"],
        Error::PathLenConstraintViolated => &["path-length-exceeded"],
        Error::NameConstraintViolation => &["name-constraint-violated", "name-constraint-unusable"],
        Error::MalformedNameConstraint
        | Error::InvalidNetworkMaskConstraint
        | Error::MaximumNameConstraintComparisonsExceeded => &["name-constraint-unusable", "malformed-extension"],
        Error::RequiredEkuNotFoundContext(_) => &["wrong-eku"],
        Error::EmptyEkuExtension => &["malformed-extension"],
        Error::UnsupportedCriticalExtension => {
            &["unknown-critical-extension", "malformed-extension", "extension-criticality"]
        }
        Error::CertRevoked => &["revoked"],
        Error::CrlExpired { .. } => &["crl-stale"],
        Error::IssuerNotCrlSigner => &["crl-signer-not-allowed"],
        Error::InvalidCrlSignatureForPublicKey => &["crl-bad-signature"],
        Error::UnknownRevocationStatus => &["revocation-unknown", "no-crl-distribution-point"],
        Error::UnsupportedCertVersion => &["certificate-version"],
        Error::InvalidSerialNumber => &["serial-number"],
        Error::SignatureAlgorithmMismatch => &["bad-signature"],
        // Also said of a root whose namesake in the store has another key.
        Error::InvalidSignatureForPublicKey => &["bad-signature", "root-not-in-client-store", "intermediate-missing"],
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            &["weak-signature", "weak-key", "bad-signature"]
        }
        Error::BadDer
        | Error::BadDerTime
        | Error::MalformedExtensions
        | Error::ExtensionValueInvalid
        | Error::TrailingData(_) => {
            &["malformed-extension", "duplicate-extension", "unreadable", "name-form", "name-constraint-unusable"]
        }
        Error::UnknownIssuer
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => &[
            "root-not-in-client-store",
            "intermediate-missing",
            "bad-signature",
            "chain-too-deep",
            "path-search-exhausted",
            "explicitly-distrusted",
            "unreadable",
        ],
        _ => &[],
    }
}

/// Checks that rustls-webpki does not make: the root as a certificate, key usage, issuance profiles, the size of the
/// leaf's key, Windows' stores.
const OURS_ALONE: &[&str] = &[
    "expired",
    "not-yet-valid",
    "path-length-exceeded",
    "ca-without-keycertsign",
    "wrong-key-usage",
    "wrong-eku",
    "weak-key",
    "unknown-critical-extension",
    "not-a-ca",
    "malformed-extension",
    "bad-signature",
    "explicitly-distrusted",
    "chain-too-deep",
    "policy-not-evaluated",
    "duplicate-extension",
    "name-constraint-unusable",
    "cn-only-no-san",
    "serial-number",
    "empty-name",
    "certificate-version",
    "key-identifier-missing",
    "extension-criticality",
    "name-constraints-not-critical",
    "extension-misplaced",
    "name-form",
    "baseline-requirements",
    "crl-number",
    "crl-stale",
    "crl-signer-not-allowed",
    "crl-unknown-critical-extension",
    "crl-wrong-scope",
    "revocation-unknown",
    "crl-unreachable",
    "no-crl-distribution-point",
];

/// Of those, the ones that it does make for the certificates below the root.
const OURS_ALONE_AT_ROOT: &[&str] =
    &["expired", "not-yet-valid", "wrong-eku", "unknown-critical-extension", "not-a-ca", "bad-signature"];

/// What a path has that rustls-webpki cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct BeyondIt {
    /// Two keys of one name: it gives up at the first that did not make a signature.
    several_keys: bool,
    /// Constraints on e-mail addresses, URIs or distinguished names: it refuses what it cannot compare.
    constraints: bool,
}

impl BeyondIt {
    /// What this path has.
    pub fn on(chain: &[&Certificate]) -> Self {
        let constrained = |certificate: &&Certificate| {
            let constraints = certificate.extensions.name_constraints.iter();
            constraints
                .flat_map(|known| known.permitted.iter().chain(&known.excluded))
                .any(|base| !matches!(base, GeneralName::Dns(_) | GeneralName::Ip(_)))
        };
        let inner = chain.split_last().map_or(&[][..], |(_, below)| below);
        Self {
            several_keys: inner.iter().any(|certificate| certificate.is_self_issued()),
            constraints: chain.iter().any(constrained),
        }
    }

    /// Why it refuses what holds, if that explains this error.
    fn explains(self, error: &Error) -> Option<&'static str> {
        match error {
            Error::InvalidSignatureForPublicKey | Error::UnknownIssuer if self.several_keys => {
                Some("An authority on the path has several keys; it tries one only.")
            }
            Error::NameConstraintViolation if self.constraints => {
                Some("It cannot compare constraints on anything but domain names and addresses.")
            }
            _ => None,
        }
    }
}

/// Compares an answer with our checks.
pub(super) fn compare(answer: Option<&Result<(), Error>>, checks: &[Check], beyond_it: BeyondIt) -> SecondOpinion {
    let Some(answer) = answer else {
        let reason = "There are too many certificates, or too many ways up, for it.".to_owned();
        return SecondOpinion { answer: "not asked".to_owned(), agreement: Agreement::NotAsked, reason };
    };
    let fatal: Vec<&Check> = checks.iter().filter(|check| check.is_fatal()).collect();
    let open = checks.iter().any(|check| check.decides && check.status == CheckStatus::NotChecked);
    let ids = |checks: &[&Check]| checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join(", ");
    let (agreement, reason) = match answer {
        Ok(()) if fatal.is_empty() && open => {
            (Agreement::Agree, "It accepts; here nothing speaks against it, and something is not checked.".to_owned())
        }
        Ok(()) if fatal.is_empty() => (Agreement::Agree, "Both accept.".to_owned()),
        Ok(()) if fatal.iter().all(|check| is_ours_alone(check)) => {
            (Agreement::KnownDifference, format!("It does not look at {}.", ids(&fatal)))
        }
        Ok(()) => (Agreement::Disagreement, format!("It accepts in spite of {}.", ids(&fatal))),
        Err(error) if fatal.is_empty() && beyond_it.explains(error).is_some() => {
            (Agreement::KnownDifference, beyond_it.explains(error).unwrap_or_default().to_owned())
        }
        Err(error) => compare_refusal(stands_for(error), checks, &fatal, open),
    };
    let answer = match answer {
        Ok(()) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    };
    SecondOpinion { answer, agreement, reason }
}

fn is_ours_alone(check: &Check) -> bool {
    let id = check.id.as_str();
    OURS_ALONE.contains(&id) && (!OURS_ALONE_AT_ROOT.contains(&id) || check.subject.starts_with("root "))
}

fn compare_refusal(causes: &[&str], checks: &[Check], fatal: &[&Check], open: bool) -> (Agreement, String) {
    let is_cause = |check: &&Check| causes.contains(&check.id.as_str());
    if let Some(cause) = fatal.iter().copied().find(|check| is_cause(check)) {
        return (Agreement::Agree, format!("Both refuse: {}.", cause.id));
    }
    let not_passed = checks.iter().filter(|check| check.status != CheckStatus::Passed);
    if let Some(seen) = not_passed.clone().find(|check| is_cause(check)) {
        let reason = format!(
            "It refuses for what is '{}' here ({}), which does not decide alone.",
            seen.id,
            seen.status.as_str()
        );
        return (Agreement::KnownDifference, reason);
    }
    if !fatal.is_empty() {
        return (Agreement::KnownDifference, "Both refuse; it names one cause only, and another one.".to_owned());
    }
    if open {
        return (Agreement::KnownDifference, "It refuses; here the verdict is open.".to_owned());
    }
    (Agreement::Disagreement, "It refuses, and no check here shows why.".to_owned())
}
