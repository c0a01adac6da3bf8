//! What to read: folders, zip files, glob patterns and single files become logs and artefacts.
//!
//! A file is taken by its content, never by its name. What cannot be read is an entry of the account with a note, not
//! an error, while anything else can be read.

mod archive;
pub(crate) mod encoding;
mod machine;
mod rollover;
mod sniff;
mod walk;

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use encoding_rs::Encoding;

use crate::error::{Error, Result};
use crate::stage::Role;

pub(crate) use machine::{machine, role_of_component};
pub(crate) use rollover::stem as log_stem;

/// Progress of a long read, called from worker threads.
pub trait Progress: Sync {
    /// `done` of `total` bytes are read.
    fn advance(&self, done: u64, total: u64);
    /// True where the caller wants the work to stop.
    fn stop(&self) -> bool {
        false
    }
}

/// No progress is shown.
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _done: u64, _total: u64) {}
}

/// Everything found under the paths given.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The logs, in order of path; files that are no text and files that cannot be read are among them, with a note.
    pub logs: Vec<Log>,
    /// Tokens, certificates and other artefacts, in order of path. They are listed, not read.
    pub artefacts: Vec<ArtefactFile>,
}

impl Input {
    /// Bytes in all logs.
    pub fn bytes(&self) -> u64 {
        self.logs.iter().flat_map(|log| &log.files).map(|file| file.size).sum()
    }

    /// What was looked at, in words, for a message, with the reasons why the first few could not be read.
    pub fn looked_at(&self) -> String {
        const REASONS: usize = 3;
        let files: usize = self.logs.iter().map(|log| log.files.len()).sum::<usize>() + self.artefacts.len();
        let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let notes: Vec<&str> = self.logs.iter().flat_map(|log| &log.notes).map(String::as_str).take(REASONS).collect();
        if notes.is_empty() { files } else { format!("{files} ({})", notes.join("; ")) }
    }
}

/// One log of one machine: the current file and its rollovers.
#[derive(Debug, Clone)]
pub struct Log {
    /// Path of the current file, relative to what was given, with `/`.
    pub path: String,
    /// The machine, as folder or file name tell it.
    pub host: Option<String>,
    /// The kind of machine, as folder or file name tell it.
    pub role: Option<Role>,
    /// What stands for the machine: its host, else the path given and the folder that stands for a machine.
    pub(crate) machine: String,
    /// Its files, oldest generation first, by name; what their records say of the order is found by reading.
    pub files: Vec<LogFile>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One physical file of a log.
#[derive(Debug, Clone)]
pub struct LogFile {
    /// Path relative to what was given, with `/`; a member of a zip stands under the zip's name.
    pub path: Arc<str>,
    /// Bytes, as the file system or the zip's directory says.
    pub size: u64,
    pub(crate) location: Location,
    pub(crate) encoding: encoding::TextEncoding,
    /// What its first record is known by.
    pub(crate) first: Option<u64>,
    /// Why there is nothing to read in it, in words.
    pub(crate) unread: Option<String>,
}

/// A file that is no log and may matter: a certificate, a revocation list, a token, a key set, `dsregcmd` output, a
/// site description.
#[derive(Debug, Clone)]
pub struct ArtefactFile {
    /// Path relative to what was given, with `/`.
    pub path: String,
    /// What its content looks like.
    pub kind: ArtefactKind,
    /// Bytes.
    pub size: u64,
    /// Name of the folder or zip given, in which it was found.
    pub(crate) above: String,
    /// Where its bytes are, or why they cannot be had.
    location: std::result::Result<Location, String>,
}

/// Largest artefact that is read.
const LARGEST_ARTEFACT: u64 = 64 << 20;

impl ArtefactFile {
    /// The file's bytes.
    ///
    /// # Errors
    /// [`Error::Unreadable`] where the file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.location
            .as_ref()
            .map_err(|why| std::io::Error::other(why.clone()))
            .and_then(Location::open)
            .and_then(|file| file.take(LARGEST_ARTEFACT).read_to_end(&mut bytes))
            .map_err(|error| Error::unreadable(self.path.as_ref(), error))?;
        Ok(bytes)
    }
}

/// What an artefact looks like, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtefactKind {
    /// One or more certificates, PEM or DER.
    Certificate,
    /// A certificate revocation list, PEM or DER.
    RevocationList,
    /// Which revocation lists could be fetched: `fetched.json`, `.csv` or `.txt`.
    FetchList,
    /// A JSON Web Token.
    Token,
    /// A JSON Web Key Set.
    KeySet,
    /// Output of `dsregcmd /status`.
    JoinStatus,
    /// A site description (TOML).
    Site,
    /// The truth about simulated logs (`truth.json`), which nothing is concluded from.
    Truth,
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// A file on disk.
    Disk(Arc<PathBuf>),
    /// A member of a zip file.
    Member(archive::Member),
}

impl Location {
    pub(crate) fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Disk(path) => Ok(Box::new(std::fs::File::open(path.as_path())?)),
            Self::Member(member) => member.open(),
        }
    }

    /// The last `length` bytes (an even number of them, for UTF-16); nothing where they are reached only through all
    /// that stands before them.
    pub(crate) fn tail(&self, length: u64) -> Option<Box<dyn Read + Send>> {
        let Self::Disk(path) = self else { return None };
        let mut file = std::fs::File::open(path.as_path()).ok()?;
        let size = file.metadata().ok()?.len();
        let start = size.saturating_sub(length) / 2 * 2;
        file.seek(SeekFrom::Start(start)).ok()?;
        Some(Box::new(file))
    }
}

/// Finds the logs and artefacts under `paths`: folders, zip files, single files, or glob patterns.
///
/// `encoding` is the WHATWG label of the encoding of files without a byte order mark.
///
/// # Errors
/// [`Error::NotFound`] for a path that is not there and a pattern that matches nothing, [`Error::Argument`] for an
/// unknown encoding.
pub fn open(paths: &[PathBuf], encoding: Option<&str>) -> Result<Input> {
    let told = encoding.map(encoding_of).transpose()?;
    let mut found = walk::Found::default();
    for path in paths {
        walk::collect(path, &mut found)?;
    }
    walk::tell_roots_apart(paths, &mut found);
    Ok(sniff::sort(found, told))
}

fn encoding_of(label: &str) -> Result<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| Error::Argument {
        argument: "encoding".to_owned(),
        expected: "the label of an encoding, such as 'utf-8', 'windows-1252' or 'shift_jis'".to_owned(),
        found: label.to_owned(),
    })
}
