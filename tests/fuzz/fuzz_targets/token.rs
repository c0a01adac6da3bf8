//! Any bytes as a token, as a header and claims, and as keys: a report, never a panic, never "valid".

#![no_main]

use cmgtrail::report::verdict;
use cmgtrail::tokens::{CHECKS, KeySet, TokenPolicy, inspect_token, validate_token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8], i64, bool)| {
    let (token, keys, at, mask) = input;
    let mut policy = TokenPolicy::new(at);
    policy.keys = Some(KeySet::parse(keys));
    policy.audience = vec!["https://ConfigMgrService".to_owned()];
    policy.mask = mask;
    for report in [validate_token(token, &policy), inspect_token(token, mask)] {
        assert_eq!(report.checks.len(), CHECKS.len());
        assert_eq!(report.valid, verdict(&report.checks));
        assert_ne!(report.valid, Some(true));
    }
});
