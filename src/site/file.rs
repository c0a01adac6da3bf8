//! Files that a site description names: read once, relative to the description.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::certs::Source;

/// A file with its bytes. It is written back as its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path as told, relative to the folder of `site.toml` unless absolute.
    pub path: String,
    /// What it holds.
    pub bytes: Arc<[u8]>,
}

impl File {
    /// A file that is at hand already.
    pub fn new(path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { path: path.into(), bytes: bytes.into() }
    }

    /// Its bytes for the certificate validator.
    pub fn source(&self) -> Source {
        Source::new(self.path.as_str(), self.bytes.to_vec())
    }

    /// Its text: UTF-16 with a mark, else UTF-8.
    pub fn text(&self) -> String {
        let encoding = encoding_rs::Encoding::for_bom(&self.bytes).map_or(encoding_rs::UTF_8, |(found, _)| found);
        encoding.decode(&self.bytes).0.into_owned()
    }
}

impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.path)
    }
}

/// Something that a machine has, as a file, or is known not to have. Written as a path, or as "none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It is known that there is none.
    Nothing,
    /// This one.
    File(File),
}

impl Held {
    /// The word in `site.toml` for something that is not there.
    pub(super) const NOTHING: &str = "none";

    /// The file, if there is one.
    pub const fn file(&self) -> Option<&File> {
        match self {
            Self::Nothing => None,
            Self::File(file) => Some(file),
        }
    }
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.file().map_or(Self::NOTHING, |file| file.path.as_str()))
    }
}

/// Where the CMG's certificate ends. Written as "public", or as the path of the root's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// At a public root, which Windows trusts by itself.
    Public,
    /// At the root of the organisation's own PKI, which every client has to be given.
    Private(File),
}

impl Root {
    /// The word in `site.toml` for a public root.
    pub(super) const PUBLIC: &str = "public";
}

impl Serialize for Root {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Public => serializer.serialize_str(Self::PUBLIC),
            Self::Private(file) => file.serialize(serializer),
        }
    }
}
