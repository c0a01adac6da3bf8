//! The knowledge files that ship with the crate.

/// Name and text of each file, in the order in which they are read.
pub(crate) const FILES: [(&str, &str); 1] = [("endpoints.toml", include_str!("builtin/endpoints.toml"))];
