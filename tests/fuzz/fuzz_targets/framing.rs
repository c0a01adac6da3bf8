//! Any bytes as a log, in blocks of any size.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| bodies::framing(input.0, input.1));
