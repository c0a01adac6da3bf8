//! Integration tests of the engine: one binary, a module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that panics has failed, and says where
#![allow(clippy::print_stdout, clippy::print_stderr)] // a suite says its figures, and a skipped test why

mod artefact_checks;
mod artefacts;
mod case;
mod cases;
mod certs;
mod codes;
mod corpus;
mod discriminators;
mod failures;
mod findings;
mod fuzz;
#[cfg(feature = "simulate")]
mod joins;
mod knowledge;
mod last_attempt;
mod layers;
mod next_message;
mod own_knowledge;
mod pki;
mod preflight;
mod reading;
mod real_logs;
mod sample_trail;
#[cfg(feature = "simulate")]
mod score;
#[cfg(feature = "simulate")]
mod simulate;
mod site;
mod tables;
mod tiling;
mod tokens;
