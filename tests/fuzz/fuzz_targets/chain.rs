//! A good chain and its revocation list with octets changed.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<(u16, u8)>, Vec<(u16, u8)>, u8)| bodies::chain(&input.0, &input.1, input.2));
