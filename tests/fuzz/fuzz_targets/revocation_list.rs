//! Any bytes as a revocation list.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| bodies::revocation_list(input.0, input.1));
