//! What stops the work. A broken line, token or chain is data and never lands here.

use std::path::{Path, PathBuf};

/// Why the work could not be done. Every message says what was expected, what was found, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path that was given does not exist, or a pattern that was given matches nothing.
    #[error(
        "nothing to read at '{path}': no such file or folder, and no file matches it as a pattern; check the spelling"
    )]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// Files were given, but none of them holds a single record of a known format.
    #[error(
        "no log record found in {looked_at}: expected Configuration Manager logs (CCM, SMS), IIS W3C logs or CMTrace copies; point cmgtrail at the folder or zip that holds the logs"
    )]
    NoRecords {
        /// What was looked at, in words ("3 files under 'logs'").
        looked_at: String,
    },
    /// A file or folder could not be read although reading it was the whole work.
    #[error("cannot read '{path}': {source}")]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file or folder could not be written.
    #[error("cannot write '{path}': {source}")]
    Unwritable {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A knowledge file has mistakes; all of them are told at once.
    #[error("{path}: {} in this knowledge file:\n{}", count(.mistakes.len(), "mistake"), .mistakes.join("\n"))]
    Knowledge {
        /// The file, or "builtin".
        path: String,
        /// One sentence per mistake, with its line.
        mistakes: Vec<String>,
    },
    /// A site description has mistakes; all of them are told at once.
    #[error("{path}: {} in this site description:\n{}", count(.mistakes.len(), "mistake"), .mistakes.join("\n"))]
    Site {
        /// The file.
        path: String,
        /// One sentence per mistake, with its line.
        mistakes: Vec<String>,
    },
    /// An argument has a value that cannot be used.
    #[error("{argument}: expected {expected}, found '{found}'")]
    Argument {
        /// Name of the argument as the user wrote it.
        argument: String,
        /// What is accepted.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The caller asked to stop (Ctrl-C).
    #[error("stopped before the work was done, as asked")]
    Interrupted,
}

impl Error {
    /// An [`Error::Unreadable`] for `path`.
    pub fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }
}

/// Result of everything that can be stopped.
pub type Result<T> = std::result::Result<T, Error>;

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
