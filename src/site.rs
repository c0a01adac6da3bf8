//! The site: facts that the logs only suggest, told by whoever runs it.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Facts about a site, from a `site.toml`.
///
/// ```toml
/// [cmg]
/// names = ["cmg.contoso.com"]     # host names of the gateways
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// The gateways.
    pub cmg: Gateways,
}

/// The site's gateways.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateways {
    /// Host names.
    pub names: Vec<String>,
}

impl Site {
    /// Reads a `site.toml`.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a file that cannot be read as text, [`Error::Argument`] for one that is no site
    /// description, with the line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::unreadable(path, source))?;
        toml::from_str(&text).map_err(|mistake| Error::Argument {
            argument: "site".to_owned(),
            expected: "a site description such as '[cmg]' with 'names = [\"cmg.contoso.com\"]'".to_owned(),
            found: format!("{}: {}", path.display(), mistake.to_string().trim()),
        })
    }
}
