//! Certificates: read, explained and validated offline.
//!
//! [`validate_chain`] walks every candidate path from the leaf to the client's roots and makes every check on each; the
//! verdict is a function of the checks and nothing else. [`inspect_certificate`] says what certificates and revocation
//! lists hold. [`compare_phases`] asks the same question twice: for the bootstrap with `/NoCRLCheck`, and for the time
//! after the client has taken the site's settings. [`dsregcmd`] reads what a device says of its own join.

pub mod dsregcmd;

mod bundle;
mod certificate;
mod chain;
mod checks;
mod constraints;
mod crl;
mod der;
mod extensions;
mod foreign;
mod hostname;
mod inspect;
mod key;
mod materials;
mod name;
mod oracle;
mod paths;
mod pem;
mod phases;
mod public_roots;
mod reach;
mod request;
mod revocation;
mod roles;
mod rules;
mod wpj;

pub use bundle::{Bundle, Problem, Source};
pub use certificate::Certificate;
pub use chain::{validate_chain, validate_chain_until, validate_read};
pub use crl::Crl;
pub(crate) use foreign::bytes as foreign_bytes;
pub(crate) use hostname::is_domain;
pub use hostname::{HostMatch, match_host};
pub use inspect::{certificate_facts, inspect_certificate, inspect_read};
pub use materials::{Materials, ReadList, ReadSource, Stop};
pub use oracle::{Agreement, SecondOpinion};
pub use phases::{Phase, Phases, compare_phases, compare_phases_until};
pub use reach::unreachable_from_internet;
pub use request::{ChainRequest, CrlSource, Purpose, Revocation, Vantage};
pub use roles::{Role, role};
pub use rules::{ALL as RULES, Profile, Rule, rule};
pub use wpj::{DeviceIdentity, device_identity};
