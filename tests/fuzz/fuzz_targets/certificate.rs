//! Any bytes as certificates in every place: a report whose verdict follows from its checks, never a panic.

#![no_main]

use cmgtrail::certs::{ChainRequest, Source, inspect_certificate, validate_chain};
use cmgtrail::report::verdict;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], &[u8], i64)| {
    let (leaf, intermediate, root, at) = input;
    let source = |bytes: &[u8]| vec![Source::new("fuzz", bytes)];
    let mut request = ChainRequest::new(source(leaf), source(root), at);
    request.intermediates = source(intermediate);
    request.host = Some("cmg.contoso.com".to_owned());
    let report = validate_chain(&request);
    assert_eq!(report.valid, verdict(&report.checks));
    inspect_certificate(&source(leaf));
});
