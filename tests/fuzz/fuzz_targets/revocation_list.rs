//! Any bytes as a revocation list: it is read or told, and looking a serial number up ends.

#![no_main]

use cmgtrail::certs::{Bundle, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (bytes, serial) = input;
    let bundle = Bundle::read(&[Source::new("fuzz", bytes)]);
    assert!(bundle.lists.len() + bundle.certificates.len() + bundle.problems.len() > 0 || bytes.contains(&b'-'));
    for list in &bundle.lists {
        list.find(serial, &list.issuer);
    }
});
