//! Integration tests of the engine: one binary, a module per subject.

mod reading;
mod real_logs;
mod tiling;
