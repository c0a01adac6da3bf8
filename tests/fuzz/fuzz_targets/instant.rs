//! Any text as a time that a user gives.
#![no_main]

use cmgtrail::time::{Zone, instant, rfc3339};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(utc) = instant("since", text, &Zone::UTC) {
        let _ = rfc3339(utc);
    }
});
