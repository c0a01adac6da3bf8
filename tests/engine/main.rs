//! Integration tests of the engine: one binary, a module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on says where

mod certs;
mod corpus;
mod failures;
mod knowledge;
mod real_logs;
