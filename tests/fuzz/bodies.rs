//! What each fuzz target does with its input. The targets are thin around these functions, and `tests/engine/fuzz.rs`
//! runs the same functions on inputs of proptest, so that they are built and run by `make test` too.

use std::ops::Range;
use std::path::Path;

use cmgtrail::certs::dsregcmd::{Beside, DeviceStatus, validate_dsregcmd};
use cmgtrail::certs::{
    Bundle, ChainRequest, CrlSource, Profile, Purpose, Revocation, Source, inspect_certificate, validate_chain,
};
use cmgtrail::formats::chunks_of_bytes;
use cmgtrail::record::{W3cFields, W3cRow};
use cmgtrail::report::verdict;
use cmgtrail::site::Site;
use cmgtrail::time::{Zone, instant, rfc3339};
use cmgtrail::tokens::{CHECKS, KeySet, TokenPolicy, inspect_token, validate_token};

/// Any bytes as a token and as keys: a report, never a panic, never "valid".
pub fn token(text: &str, keys: &[u8], at: i64, mask: bool) {
    let mut policy = TokenPolicy::new(at);
    policy.keys = Some(KeySet::parse(keys));
    policy.audience = vec!["https://ConfigMgrService".to_owned()];
    policy.mask = mask;
    for report in [validate_token(text, &policy), inspect_token(text, mask)] {
        assert_eq!(report.checks.len(), CHECKS.len());
        assert_eq!(report.valid, verdict(&report.checks));
        assert_ne!(report.valid, Some(true));
    }
}

/// Any bytes as certificates in every place: a report whose verdict follows from its checks, never a panic.
pub fn certificate(leaf: &[u8], intermediate: &[u8], root: &[u8], at: i64) {
    let source = |bytes: &[u8]| vec![Source::new("fuzz", bytes)];
    let mut request = ChainRequest::new(source(leaf), source(root), at);
    request.intermediates = source(intermediate);
    request.disallowed = source(intermediate);
    request.host = Some("cmg.contoso.com".to_owned());
    let report = validate_chain(&request);
    assert_eq!(report.valid, verdict(&report.checks));
    inspect_certificate(&source(leaf));
}

/// Any bytes as a revocation list: it is read or told, and looking a serial number up ends.
pub fn revocation_list(bytes: &[u8], serial: &[u8]) {
    let bundle = Bundle::read(&[Source::new("fuzz", bytes)]);
    assert!(bundle.lists.len() + bundle.certificates.len() + bundle.problems.len() > 0 || bytes.contains(&b'-'));
    for list in &bundle.lists {
        list.find(serial, &list.issuer);
    }
}

/// A good chain and its list: what `tests/corpus/artefact-list-goes-stale-tonight` holds.
const CASE: [&[u8]; 3] = [
    include_bytes!("../corpus/artefact-list-goes-stale-tonight/logs/client-ACR-6/presented/cmg.pem"),
    include_bytes!("../corpus/artefact-list-goes-stale-tonight/logs/client-ACR-6/stores/root.pem"),
    include_bytes!("../corpus/artefact-list-goes-stale-tonight/logs/client-ACR-6/crls/root.crl"),
];

/// 2026-11-18T13:02:03Z, when the logs of that case end.
const CASE_ENDS: i64 = 1_795_006_923_000_000;

/// That chain with octets of its leaf and of its list changed: it is valid only where nothing was changed, whatever
/// is asked of it.
pub fn chain(leaf: &[(u16, u8)], list: &[(u16, u8)], options: u8) {
    let [presented, root, crl] = CASE;
    let der = Bundle::read(&[Source::new("case", presented)]).certificates.first().map(|first| first.der.to_vec());
    let crl = Bundle::read(&[Source::new("case", crl)]).lists.first().map(|first| first.der.to_vec());
    let (Some(good_leaf), Some(good_list)) = (der, crl) else { panic!("the case holds a leaf and a list") };
    let (changed_leaf, changed_list) = (changed(&good_leaf, leaf), changed(&good_list, list));
    let whole = changed_leaf == good_leaf && changed_list == good_list;
    let mut request =
        ChainRequest::new(vec![Source::new("leaf", changed_leaf)], vec![Source::new("root", root)], CASE_ENDS);
    request.crls = vec![CrlSource::fetched("list", changed_list)];
    request.revocation = Some(Revocation::Chain);
    request.profile = [Profile::Windows, Profile::WebPki, Profile::Rfc5280][usize::from(options) % 3];
    request.purpose = if options & 8 == 0 { Purpose::Server } else { Purpose::Client };
    let report = validate_chain(&request);
    assert_eq!(report.valid, verdict(&report.checks));
    if whole && request.profile == Profile::Windows && request.purpose == Purpose::Server {
        assert_eq!(report.valid, Some(true));
    }
    assert!(whole || report.valid != Some(true), "changed octets were taken for signed ones");
}

/// The octets with some of them combined with others.
fn changed(good: &[u8], changes: &[(u16, u8)]) -> Vec<u8> {
    let mut octets = good.to_vec();
    for (at, with) in changes {
        let at = usize::from(*at) % octets.len();
        octets[at] ^= with;
    }
    octets
}

/// Any bytes as the output of `dsregcmd /status`, beside any certificate: a report, never a panic.
pub fn dsregcmd(output: &[u8], certificate: &[u8], at: Option<i64>) {
    DeviceStatus::looks_like(output);
    let beside = Beside { certificates: vec![Source::new("fuzz", certificate)], at, ..Beside::default() };
    let report = validate_dsregcmd(output, &beside);
    assert_eq!(report.valid, verdict(&report.checks));
}

/// A record's bytes, first line and text.
type Seen = (Range<u64>, u32, String);

/// The records of `bytes`, read in blocks of `size`.
fn records(bytes: &[u8], size: usize) -> Vec<Seen> {
    let (mut end, mut seen) = (0, Vec::new());
    chunks_of_bytes(bytes, size, &mut |chunk| {
        seen.extend(chunk.records().map(|record| (record.bytes, record.line, record.text.to_owned())));
        let records = chunk.records().map(|record| record.bytes);
        let mut pieces: Vec<_> = records.chain(chunk.fillers().map(|(_, range)| range)).collect();
        pieces.sort_by_key(|piece| piece.start);
        for piece in pieces {
            assert_eq!(piece.start, end);
            assert!(piece.end > end);
            end = piece.end;
        }
    });
    assert_eq!(end, bytes.len() as u64);
    seen
}

/// Any bytes, in blocks of any size: records, gaps and markers tile them, and the records of a text are the same in
/// blocks of any size.
pub fn framing(size: u16, bytes: &[u8]) {
    let cut = records(bytes, usize::from(size) + 1);
    if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0) {
        assert_eq!(cut, records(bytes, bytes.len() + 1));
    }
}

/// Any fields over any row: what a row says is a part of its text.
pub fn w3c(header: &str, text: &str, name: &str) {
    let Some(fields) = W3cFields::parse(&format!("#Fields: {header}")) else { return };
    let row = W3cRow::new(&fields, text);
    assert_eq!(row.range(name).and_then(|range| text.get(range)), row.get(name));
}

/// Any text as a time that a user gives.
pub fn time(text: &str) {
    if let Ok(utc) = instant("since", text, &Zone::UTC) {
        let _ = rfc3339(utc);
    }
}

/// Any text as a site description: a site, or sentences on its mistakes.
pub fn site(text: &str) {
    let nowhere = Path::new("/nowhere/at/all");
    let parquet = |_: &Path| Err("no table is read here".to_owned());
    if let Err(mistakes) = Site::parse(text, nowhere, &parquet) {
        assert!(!mistakes.is_empty());
    }
}
