//! Integration tests of the engine: one binary, a module per subject.

mod sample_trail;
mod tables;
