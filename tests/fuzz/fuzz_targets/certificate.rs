//! Any bytes as certificates in every place.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], &[u8], i64)| bodies::certificate(input.0, input.1, input.2, input.3));
