//! Any bytes as a token and as keys.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8], i64, bool)| bodies::token(input.0, input.1, input.2, input.3));
