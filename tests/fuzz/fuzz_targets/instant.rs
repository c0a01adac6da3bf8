//! Any text as a time that a user gives.

#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)] // a target uses one of them
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| bodies::time(text));
