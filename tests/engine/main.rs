//! Integration tests of the engine: one binary, a module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on says where

mod certs_checks;
mod certs_device;
mod certs_fixture;
mod certs_hostile;
mod certs_limbo;
mod certs_pkits;
mod certs_windows;
mod corpus;
mod failures;
mod knowledge;
mod real_logs;
