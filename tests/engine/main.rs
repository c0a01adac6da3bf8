//! Integration tests of the engine: one binary, a module per subject.

mod real_logs;
mod sample_trail;
mod tables;
