//! Integration tests of the engine: one binary, a module per subject.
mod certs_checks;
mod certs_device;
mod certs_fixture;
mod certs_hostile;
mod certs_limbo;
mod certs_pkits;
mod certs_windows;
