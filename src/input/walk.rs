//! The files under the paths given, zip members included.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use crate::error::{Error, Result};
use crate::input::{Location, archive};

/// A file, not yet looked into.
pub(crate) struct File {
    /// Which of the paths given it was found under.
    pub root: usize,
    /// Relative path with `/`.
    pub path: String,
    pub size: u64,
    /// Where its bytes are, or why they cannot be read.
    pub location: std::result::Result<Location, String>,
}

/// The files found so far.
#[derive(Default)]
pub(crate) struct Found {
    pub files: Vec<File>,
    /// By path given: the name of the folder or zip that it is, or stands in.
    pub names: Vec<String>,
    seen: HashSet<PathBuf>,
}

/// Adds the files under `path`, a folder, a file, a zip or a pattern.
pub(crate) fn collect(path: &Path, found: &mut Found) -> Result<()> {
    let before = found.files.len();
    if path.is_dir() {
        folder(path, path, None, found);
    } else if path.is_file() {
        file(path, &file_name(path), None, true, found);
    } else if path.exists() {
        let why = "it is a pipe or a device, of which nothing can be read twice; write it to a file and give that";
        return Err(Error::unreadable(path, std::io::Error::other(why)));
    } else {
        pattern(path, found)?;
    }
    found.names.push(own_name(path));
    // The order of a folder's listing is the file system's; ours is the path's.
    if let Some(new) = found.files.get_mut(before..) {
        new.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(())
}

/// Puts as much of the paths given before the paths under them as tells apart those that hold files of the same path.
pub(crate) fn tell_roots_apart(given: &[PathBuf], found: &mut Found) {
    let mut owner = HashMap::new();
    let clash = found.files.iter().any(|file| *owner.entry(file.path.clone()).or_insert(file.root) != file.root);
    if !clash {
        return;
    }
    let folders: Vec<Vec<String>> = given.iter().map(|path| folder_names(path)).collect();
    let longest = folders.iter().map(Vec::len).max().unwrap_or(0);
    let labels = |length: usize| -> Vec<String> {
        folders.iter().map(|names| names[names.len().saturating_sub(length)..].join("/")).collect()
    };
    let tells_apart = |length: &usize| {
        let mut owner = HashMap::new();
        let labels = labels(*length);
        found.files.iter().all(|file| {
            let path = labels.get(file.root).map(|label| format!("{label}/{}", file.path));
            *owner.entry(path).or_insert(file.root) == file.root
        })
    };
    let labels = labels((1..=longest).find(tells_apart).unwrap_or(longest));
    for file in &mut found.files {
        if let Some(label) = labels.get(file.root).filter(|label| !label.is_empty()) {
            file.path = format!("{label}/{}", file.path);
        }
    }
}

/// Names of the folders down to a path given: to the folder or zip itself, or to the folder that holds a single file.
fn folder_names(path: &Path) -> Vec<String> {
    let folder = if path.is_dir() || is_zip(path) { Some(path) } else { path.parent() };
    let names = folder.into_iter().flat_map(Path::components);
    names
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

/// The name of the folder or zip that `path` is, else of the folder that it stands in (for a pattern, before the first
/// wildcard). What the path hides, such as `.`, is looked up.
fn own_name(path: &Path) -> String {
    let named = if path.is_dir() || is_zip(path) {
        path.to_owned()
    } else if path.exists() {
        path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default()
    } else {
        pattern_root(&path.to_string_lossy()).unwrap_or_default()
    };
    named.canonicalize().map(|path| file_name(&path)).unwrap_or_default()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// `path` relative to `root`, with `/`.
fn relative(path: &Path, root: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    inner.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// All files under `folder`. Symbolic links are followed; walkdir refuses a link that leads back into itself.
fn folder(folder: &Path, root: &Path, wanted: Option<&GlobMatcher>, found: &mut Found) {
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                if wanted.is_none_or(|wanted| entry.path().ancestors().any(|path| wanted.is_match(path))) {
                    let size = entry.metadata().ok().map(|about| about.len());
                    file(entry.path(), &relative(entry.path(), root), size, false, found);
                }
            }
            Ok(_) => {}
            // A link that leads back into its own folder hides nothing.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().map(|path| relative(path, root)).unwrap_or_default();
                let location = Err(format!("it could not be entered: {error}"));
                found.files.push(File { root: found.names.len(), path, size: 0, location });
            }
        }
    }
}

fn file(path: &Path, relative: &str, size: Option<u64>, given: bool, found: &mut Found) {
    // A file that is reached twice, by a link or by two of the paths given, is read once.
    if let Ok(real) = path.canonicalize()
        && !found.seen.insert(real)
    {
        return;
    }
    let root = found.names.len();
    let size = size.or_else(|| path.metadata().ok().map(|about| about.len())).unwrap_or(0);
    if !is_zip(path) {
        let location = Ok(Location::Disk(Arc::new(path.to_owned())));
        found.files.push(File { root, path: relative.to_owned(), size, location });
        return;
    }
    // A zip that was given itself is like a folder that was given: paths are relative to it.
    let prefix = if given { String::new() } else { format!("{relative}/") };
    match archive::entries(path) {
        Ok(entries) => found.files.extend(entries.into_iter().map(|entry| File {
            root,
            path: format!("{prefix}{}", entry.name.trim_start_matches('/')),
            size: entry.size,
            location: entry.member.map(Location::Member).map_err(str::to_owned),
        })),
        Err(error) => found.files.push(File {
            root,
            path: relative.to_owned(),
            size,
            location: Err(format!(
                "it begins like a zip file, and the directory at its end cannot be read ({error}): it is cut off or \
                 damaged; copy it anew"
            )),
        }),
    }
}

/// Zip files are known by their first bytes: those of a member, or of the directory of an empty one.
fn is_zip(path: &Path) -> bool {
    use std::io::Read;
    let mut head = [0_u8; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && matches!(&head, b"PK\x03\x04" | b"PK\x05\x06")
}

/// The folder before the first wildcard of a pattern; nothing where there is no wildcard.
fn pattern_root(pattern: &str) -> Option<PathBuf> {
    let wild = pattern.find(['*', '?', '[', '{'])?;
    let root = pattern.get(..wild).and_then(|head| head.rfind(['/', std::path::MAIN_SEPARATOR]));
    Some(match root {
        Some(0) => PathBuf::from("/"),
        Some(end) => PathBuf::from(pattern.get(..end).unwrap_or_default()),
        None => PathBuf::from("."),
    })
}

/// Files that match a pattern such as `logs/**/ccm*.log`. Matches are told relative to the folder before the first
/// wildcard.
fn pattern(path: &Path, found: &mut Found) -> Result<()> {
    let not_found = || Error::NotFound { path: path.to_owned() };
    let text = path.to_string_lossy();
    let root = pattern_root(&text).ok_or_else(not_found)?;
    let wanted = if root == Path::new(".") && !text.starts_with('.') { format!("./{text}") } else { text.into_owned() };
    let wanted = GlobBuilder::new(&wanted)
        .literal_separator(true)
        .case_insensitive(cfg!(windows))
        .build()
        .map_err(|error| Error::Argument {
            argument: "path".to_owned(),
            expected: "a file, a folder, or a pattern such as 'logs/**/*.log'".to_owned(),
            found: format!("{} ({error})", path.display()),
        })?
        .compile_matcher();
    let before = found.files.len();
    folder(&root, &root, Some(&wanted), found);
    if found.files.len() == before { Err(not_found()) } else { Ok(()) }
}
