//! Reports on chains, read as a client's log would tell them: by the bits of `WinHTTP`'s secure-failure mask.

use crate::certs::{Bundle, ChainRequest, CrlSource, Revocation, Source, Vantage, validate_chain};
use crate::report::{Check, CheckStatus, Report};
use crate::site::{PublishedList, Reach};
use crate::time::Micros;

const DAY: Micros = 86_400_000_000;

/// `WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED`.
pub const REVOCATION: u32 = 0x1;
/// `WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT`.
pub const DAMAGED: u32 = 0x2;
/// `WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED`.
pub const REVOKED: u32 = 0x4;
/// `WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA`.
pub const AUTHORITY: u32 = 0x8;
/// `WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID`.
pub const NAME: u32 = 0x10;
/// `WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID`.
pub const DATE: u32 = 0x20;
/// `WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE`.
pub const USAGE: u32 = 0x40;

/// Certificates that end within so many days are warned of.
pub const CERTIFICATE_DAYS: i64 = 30;

/// Why a certificate that holds now, by this mask, will not in [`CERTIFICATE_DAYS`] days; `None` where it will.
pub(super) fn ends_soon(request: &ChainRequest, now: u32) -> Option<String> {
    let at = request.at + CERTIFICATE_DAYS * DAY;
    let later = validate_chain(&ChainRequest { at, revocation: Some(Revocation::Off), ..request.clone() });
    (mask(&later) & !now & DATE != 0).then(|| format!("In {CERTIFICATE_DAYS} days: {}", why(&later, DATE)))
}

/// The bits of a check.
pub(super) fn bits(check: &Check) -> u32 {
    check.windows.as_ref().map_or(0, |names| names.winhttp_flags)
}

/// The mask that a client's log would show for this report.
pub fn mask(report: &Report) -> u32 {
    report.fatal().map(bits).fold(0, |mask, bits| mask | bits)
}

/// Why the report raises any of these bits, in the words of its checks.
pub(super) fn why(report: &Report, wanted: u32) -> String {
    let mut words: Vec<String> = Vec::new();
    for check in report.fatal().filter(|check| bits(check) & wanted != 0) {
        let sentence = format!("{}: {}", check.subject, check.explanation);
        if !words.contains(&sentence) {
            words.push(sentence);
        }
    }
    words.truncate(3);
    words.join(" ")
}

/// What would decide and was not checked, as clauses.
pub(super) fn open(report: &Report) -> Vec<String> {
    let undecided = report.checks.iter().filter(|check| check.decides && check.status == CheckStatus::NotChecked);
    let mut open: Vec<String> = Vec::new();
    for check in undecided {
        let why = check.explanation.trim_end_matches('.');
        let clause = format!("'{}' of the {} ({why})", check.id, check.subject);
        if !open.contains(&clause) {
            open.push(clause);
        }
    }
    open
}

/// Whether an open point is that no list speaks for a certificate.
pub(super) fn is_of_lists(open: &str) -> bool {
    open.starts_with("'revocation-unknown'")
}

/// How far the authorities above a leaf were told, where a chain is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Up to a root; or something else than a missing authority is wrong.
    Whole,
    /// Up to an authority whose issuer is not at hand: most likely the root, which no server sends.
    UpToAnAuthority,
    /// The leaf alone: what stands above it is not known.
    LeafAlone,
}

/// How far the authorities of a chain that is not trusted were told.
pub(super) fn told_of(report: &Report) -> Told {
    const ABSENT: [&str; 2] = ["root-not-in-client-store", "intermediate-missing"];
    let elsewhere = report.fatal().any(|check| bits(check) & AUTHORITY != 0 && !ABSENT.contains(&check.id.as_str()));
    let path = report.facts.get("path").and_then(serde_json::Value::as_array).map_or(&[][..], Vec::as_slice);
    let ends_in_root = path.last().is_some_and(|last| last["self_issued"] == true);
    match path {
        _ if elsewhere || ends_in_root => Told::Whole,
        [_] => Told::LeafAlone,
        _ => Told::UpToAnAuthority,
    }
}

/// True where the leaf's issuer is not at hand. Nothing can be said then of its revocation list, whose signature only
/// the issuer's key can prove.
pub(super) fn is_leaf_alone(report: &Report) -> bool {
    told_of(report) == Told::LeafAlone
}

/// The revocation lists of a path as somebody at this place gets them: from where the path's certificates say. Lists of
/// which it is not told what they hold, or from where they can be fetched, are left out: they are not known.
pub(super) fn lists(published: &[PublishedList], path: &ChainRequest) -> Vec<CrlSource> {
    let named = named_by(path);
    published.iter().filter(|list| is_among(list, &named)).filter_map(|list| fetched(list, path.vantage)).collect()
}

/// What to say of lists that are told and that nobody fetches, where one that would decide is not known.
pub(super) fn not_fetched(published: &[PublishedList], path: &ChainRequest) -> Option<String> {
    let named = named_by(path);
    let others: Vec<&str> =
        published.iter().filter(|list| !is_among(list, &named)).map(|list| list.url.as_str()).collect();
    (!others.is_empty() && !named.is_empty()).then(|| {
        format!(
            "what is published at {}, where its certificates say that their lists are; they do not name {}",
            named.join(", "),
            others.join(", ")
        )
    })
}

/// The addresses of lists that the certificates of a path name.
fn named_by(path: &ChainRequest) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for source in path.presented.iter().chain(&path.intermediates) {
        for address in addresses_of_lists(std::slice::from_ref(source)) {
            if !named.contains(&address) {
                named.push(address);
            }
        }
    }
    named
}

fn is_among(list: &PublishedList, named: &[String]) -> bool {
    named.iter().any(|address| address.trim().eq_ignore_ascii_case(list.url.trim()))
}

fn fetched(list: &PublishedList, vantage: Vantage) -> Option<CrlSource> {
    let reached = match (list.reach?, vantage) {
        (Reach::Internet, _) | (Reach::Intranet, Vantage::Intranet) => true,
        (Reach::Intranet | Reach::Nowhere, _) => false,
    };
    if !reached {
        return Some(CrlSource::unreachable(list.url.as_str()));
    }
    let file = list.file.as_ref()?;
    Some(CrlSource { url: Some(list.url.clone()), ..CrlSource::fetched(file.path.as_str(), file.bytes.to_vec()) })
}

/// The addresses of revocation lists that these certificates name.
pub(super) fn addresses_of_lists(certificates: &[Source]) -> Vec<String> {
    let report = crate::certs::inspect_certificate(certificates);
    let certificates = report.facts.get("certificates").and_then(serde_json::Value::as_array);
    let points = certificates.into_iter().flatten().filter_map(|one| one.get("crl_distribution_points")?.as_array());
    points.flatten().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
}

/// The leaf of a file of certificates and what lies beside it: what a client shows is its leaf alone.
pub(super) fn leaf_and_rest(source: &Source) -> (Vec<Source>, Vec<Source>) {
    let bundle = Bundle::read(std::slice::from_ref(source));
    let mut certificates = bundle.certificates.into_iter();
    let named = |certificate: crate::certs::Certificate| Source::new(source.name.clone(), certificate.der.to_vec());
    match certificates.next() {
        Some(leaf) => (vec![named(leaf)], certificates.map(named).collect()),
        None => (vec![source.clone()], Vec::new()),
    }
}

/// Whether a file's first certificate is a root.
pub(super) fn is_root(source: &Source) -> bool {
    Bundle::read(std::slice::from_ref(source))
        .certificates
        .first()
        .is_some_and(crate::certs::Certificate::is_self_issued)
}
