//! Any bytes as the output of `dsregcmd /status`, beside any certificate.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], Option<i64>)| bodies::dsregcmd(input.0, input.1, input.2));
