//! Any fields over any row of a W3C log.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| bodies::w3c(input.0, input.1, input.2));
