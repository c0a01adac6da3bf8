//! Certificates: the checks one by one, suites written by others, hostile input, Windows and the device.
#![allow(clippy::print_stderr)] // a suite that is not at hand, and what was measured, are told

mod checks;
mod device;
pub mod fixture;
mod hostile;
mod limbo;
mod lists;
mod pkits;
mod windows;
