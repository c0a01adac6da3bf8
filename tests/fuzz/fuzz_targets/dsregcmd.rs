//! Any bytes as the output of `dsregcmd /status`, beside any certificate: a report, never a panic.

#![no_main]

use cmgtrail::certs::Source;
use cmgtrail::certs::dsregcmd::{Beside, DeviceStatus, validate_dsregcmd};
use cmgtrail::report::verdict;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], Option<i64>)| {
    let (output, certificate, at) = input;
    DeviceStatus::looks_like(output);
    let beside = Beside { certificates: vec![Source::new("fuzz", certificate)], at, ..Beside::default() };
    let report = validate_dsregcmd(output, &beside);
    assert_eq!(report.valid, verdict(&report.checks));
});
