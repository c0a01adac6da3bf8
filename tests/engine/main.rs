//! Integration tests of the engine: one binary, a module per subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

mod tokens;
