//! What a file is, by its first bytes, and which files are one log.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::Arc;

use encoding_rs::Encoding;
use rayon::prelude::*;

use crate::input::encoding::{Decoded, TextEncoding, detect};
use crate::input::machine::machine;
use crate::input::rollover::{Generation, log_name};
use crate::input::walk::{File, Found};
use crate::input::{ArtefactFile, ArtefactKind, Input, Location, Log, LogFile};

/// Bytes that are looked at.
const HEAD: u64 = 64 << 10;

/// Archives by their first bytes; a zip among them stands in another zip, for all others have been opened.
const PACKED: [(&[u8], &str); 4] =
    [(b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "a zip within a zip"), (b"7z\xbc\xaf", "7-Zip"), (b"MSCF", "cabinet")];

/// The smallest file that can hold anything; below it there is no point in looking.
const SMALLEST: usize = 4;

enum Content {
    /// A log, with its first record.
    Text(TextEncoding, Option<u64>),
    Artefact(ArtefactKind),
    Nothing(String),
}

/// Sorts the files found into logs and artefacts.
pub(crate) fn sort(found: Found, told: Option<&'static Encoding>) -> Input {
    let contents: Vec<Content> = found.files.par_iter().map(|file| look(file, told)).collect();
    let mut input = Input::default();
    let mut logs: BTreeMap<(usize, String), Vec<LogFile>> = BTreeMap::new();
    for (file, content) in found.files.into_iter().zip(contents) {
        // What is named as an artefact and holds nothing is one that cannot be read, and no log.
        let content = match (content, artefact_by_name(&file.path)) {
            (Content::Nothing(_), Some(kind)) => Content::Artefact(kind),
            (content, _) => content,
        };
        let (encoding, first, unread) = match content {
            Content::Artefact(kind) => {
                let above = found.names.get(file.root).cloned().unwrap_or_default();
                let (path, size, location) = (file.path, file.size, file.location);
                input.artefacts.push(ArtefactFile { path, kind, size, above, location });
                continue;
            }
            Content::Text(encoding, first) => (encoding, first, None),
            Content::Nothing(why) => (TextEncoding::Utf8, None, Some(why)),
        };
        // What cannot be read as text is an entry of its own.
        let key = if unread.is_some() { file.path.clone() } else { log_key(&file.path) };
        let key = (file.root, key);
        let location = file.location.unwrap_or_else(|_| Location::Disk(Arc::default()));
        let entry = LogFile { path: Arc::from(file.path), size: file.size, location, encoding, first, unread };
        logs.entry(key).or_default().push(entry);
    }
    let above = |root: usize| found.names.get(root).map_or("", String::as_str);
    input.logs = once_each(logs.into_iter().filter_map(|((root, _), files)| log(files, root, above(root))));
    input.logs.sort_by(|a, b| a.path.cmp(&b.path));
    input
}

/// The same for all files of one log: its folder and its name without the generation.
fn log_key(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (name, _) = log_name(name);
    format!("{folder}/\0{name}")
}

/// One log. `root` is the number of the path given, `above` the name of that folder or zip.
fn log(mut files: Vec<LogFile>, root: usize, above: &str) -> Option<Log> {
    files.sort_by_cached_key(age);
    let current = files.last()?.path.to_string();
    let machine = machine(&current, above);
    let notes =
        files.iter().filter_map(|file| file.unread.as_ref().map(|why| format!("{}: {why}", file.path))).collect();
    let key = if machine.host.is_some() { machine.key } else { format!("{root}{}", machine.key) };
    Some(Log { path: current, host: machine.host, role: machine.role, machine: key, files, notes })
}

/// Puts together the logs of one machine and one name that begin with the same record: one log was collected twice, as
/// a folder and a zip, or today and once more tomorrow.
fn once_each(found: impl Iterator<Item = Log>) -> Vec<Log> {
    let mut logs: Vec<Log> = Vec::new();
    let mut beginning: HashMap<(String, u64), Vec<usize>> = HashMap::new();
    for log in found {
        let name = log_name(file_name(&log.path)).0;
        let firsts: Vec<_> = log.files.iter().filter_map(|file| Some((name.clone(), file.first?))).collect();
        let alike = firsts.iter().filter_map(|first| beginning.get(first)).flatten();
        let index = alike.copied().find(|index| logs.get(*index).is_some_and(|other| may_be_one_machine(other, &log)));
        match index.and_then(|index| logs.get_mut(index)) {
            Some(other) => add_copy(other, log),
            None => logs.push(log),
        }
        let index = index.unwrap_or(logs.len() - 1);
        for first in firsts {
            beginning.entry(first).or_default().push(index);
        }
    }
    logs
}

/// Machines whose names differ have logs of their own, whatever stands in them.
fn may_be_one_machine(log: &Log, other: &Log) -> bool {
    let named = |log: &Log| log.host.as_ref().map(|host| host.to_lowercase());
    named(log).is_none_or(|host| named(other).is_none_or(|other| host == other))
}

/// Makes the files of `copy` further files of `log`: records that stand in two of them are counted once.
fn add_copy(log: &mut Log, copy: Log) {
    if log.host.is_none() && copy.host.is_some() {
        (log.host, log.machine) = (copy.host, copy.machine);
    }
    log.role = log.role.or(copy.role);
    log.files.extend(copy.files);
    log.files.sort_by_cached_key(age);
    log.notes.extend(copy.notes);
}

/// Orders the files of a log: the oldest generation first, then by path.
fn age(file: &LogFile) -> (Generation, Arc<str>) {
    (log_name(file_name(&file.path)).1, Arc::clone(&file.path))
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn look(file: &File, told: Option<&'static Encoding>) -> Content {
    let location = match &file.location {
        Ok(location) => location,
        Err(why) => return Content::Nothing(why.clone()),
    };
    let mut head = Vec::new();
    // What can be read of a file that is damaged farther on is read; the scan tells the rest.
    if let Err(error) = location.open().and_then(|bytes| bytes.take(HEAD).read_to_end(&mut head))
        && head.is_empty()
    {
        return Content::Nothing(format!("it cannot be read: {error}"));
    }
    if head.is_empty() {
        return Content::Nothing("it is empty".to_owned());
    }
    if head.len() < SMALLEST {
        return Content::Nothing(format!("it has {} bytes only, too few for a record", head.len()));
    }
    if let Some((_, packed)) = PACKED.iter().find(|(start, _)| head.starts_with(start)) {
        return Content::Nothing(format!("it is packed ({packed}); unpack it first"));
    }
    if let Some(kind) = der(&head, file.size) {
        return Content::Artefact(kind);
    }
    let encoding = detect(&head, told);
    let binary = encoding == TextEncoding::Utf8 && is_binary(&head);
    let text = Decoded::new(head, encoding).text;
    if is_framed(&text) {
        return Content::Text(encoding, first_record(&text));
    }
    if binary {
        return Content::Nothing("it is a binary file, not a log".to_owned());
    }
    let whole = file.size <= HEAD;
    match text_artefact(&text, &file.path, whole) {
        Some(kind) => Content::Artefact(kind),
        None => Content::Text(encoding, None),
    }
}

/// What frames a record stands in it: a log may quote a certificate, or be damaged in places, and is a log all the same.
fn is_framed(text: &str) -> bool {
    ["<![LOG[", "$$<", "#Fields:"].iter().any(|frame| text.contains(frame))
}

/// What a log's first record is known by: all lines down to the one that ends it, with the time in it. The headings of
/// an IIS log are those of the next one.
fn first_record(text: &str) -> Option<u64> {
    const CCM_END: &str = "]LOG]!>";
    let text = text.trim_start_matches('\u{feff}');
    let start = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
    let text = text.get(start..)?;
    let end = text.find(CCM_END).unwrap_or(0);
    let line_end = end + text.get(end..)?.find('\n')?;
    let mut hasher = DefaultHasher::new();
    text.get(..line_end)?.trim_end().hash(&mut hasher);
    Some(hasher.finish())
}

/// Control characters that no text holds, or zeros in many places. One run of zeros is what a crash leaves in a log.
fn is_binary(head: &[u8]) -> bool {
    let control = |byte: &&u8| matches!(byte, 1..=8 | 11 | 14..=26 | 28..=31);
    let controls = head.iter().filter(control).count();
    let zero_runs = head.chunk_by(|a, b| (*a == 0) == (*b == 0)).filter(|run| run.first() == Some(&0)).count();
    controls > head.len() / 100 || zero_runs > 4 || head.iter().all(|byte| *byte == 0)
}

/// The object identifier of signed data, with which a PKCS#7 bundle begins (RFC 5652, section 5.1).
const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// A certificate or revocation list in DER: a sequence as long as the file, that begins with the version of the one
/// (RFC 5280 section 4.1, explicit tag 0) or the other (section 5.1, integer 1 before the algorithm).
fn der(head: &[u8], size: u64) -> Option<ArtefactKind> {
    let (length, inner) = sequence(head)?;
    if length + u64::try_from(head.len() - inner.len()).ok()? != size {
        return None;
    }
    if inner.starts_with(SIGNED_DATA) {
        return Some(ArtefactKind::Certificate);
    }
    let (_, signed) = sequence(inner)?;
    match signed {
        [0xA0, 3, 2, 1, ..] => Some(ArtefactKind::Certificate),
        [2, 1, 1, 0x30, ..] => Some(ArtefactKind::RevocationList),
        _ => None,
    }
}

/// The length of the DER sequence at the start, and its content.
fn sequence(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let [0x30, first, rest @ ..] = bytes else { return None };
    if *first < 0x80 {
        return Some((u64::from(*first), rest));
    }
    let count = usize::from(first & 0x7F);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    Some((length.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), rest))
}

fn text_artefact(text: &str, path: &str, whole: bool) -> Option<ArtefactKind> {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if let Some(at) = text.find("-----BEGIN ")
        && text.get(..at).is_some_and(|before| before.len() < 8192)
    {
        let label = text.get(at + 11..)?;
        if label.starts_with("X509 CRL-----") {
            return Some(ArtefactKind::RevocationList);
        }
        if label.starts_with("CERTIFICATE-----")
            || label.starts_with("TRUSTED CERTIFICATE-----")
            || label.starts_with("PKCS7-----")
        {
            return Some(ArtefactKind::Certificate);
        }
    }
    if is_fetch_list(path) {
        return Some(ArtefactKind::FetchList);
    }
    if start.starts_with('{') && text.contains("\"keys\"") && text.contains("\"kty\"") {
        return Some(ArtefactKind::KeySet);
    }
    if is_truth(start, path) {
        return Some(ArtefactKind::Truth);
    }
    if whole && is_token(start.trim_end()) {
        return Some(ArtefactKind::Token);
    }
    if is_join_status(start) {
        return Some(ArtefactKind::JoinStatus);
    }
    if let Some(kind) = artefact_by_name(path) {
        return Some(kind);
    }
    let toml =
        path.len().checked_sub(5).and_then(|at| path.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(".toml"));
    toml.then_some(ArtefactKind::Site)
}

/// What a file's name alone says that it is (`docs/bundle.md`), where its content does not: it is damaged, cut off or
/// empty.
fn artefact_by_name(path: &str) -> Option<ArtefactKind> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "cer" | "crt" | "der" | "pem" | "p7b" | "p7c" => Some(ArtefactKind::Certificate),
        "crl" => Some(ArtefactKind::RevocationList),
        "jwt" => Some(ArtefactKind::Token),
        "json" if stem.starts_with("jwks") => Some(ArtefactKind::KeySet),
        "txt" if stem.starts_with("dsregcmd") => Some(ArtefactKind::JoinStatus),
        _ => None,
    }
}

/// The one kind that its content does not tell from a log: a table of addresses, known by its name.
fn is_fetch_list(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (folder, name) = (folders.rsplit('/').next().unwrap_or_default(), name.to_ascii_lowercase());
    let is_table = matches!(name.rsplit_once('.'), Some((_, "json" | "csv" | "txt")));
    let of_lists = matches!(folder.to_ascii_lowercase().as_str(), "crl" | "crls") || name.starts_with("crl");
    is_table && of_lists && name.contains("fetch")
}

/// What `simulate` writes beside its logs.
fn is_truth(start: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.eq_ignore_ascii_case("truth.json") && start.starts_with("{\"schema\":") && start.contains("\"seed\":")
}

/// Three parts in base64url, the first of them a JSON object (RFC 7515 section 7.1).
fn is_token(text: &str) -> bool {
    let mut parts = text.split('.');
    let base64url = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    text.starts_with("eyJ") && parts.clone().count() == 3 && parts.all(base64url)
}

/// A table of `dsregcmd /status`: boxed headings, and the join states under them.
fn is_join_status(start: &str) -> bool {
    let boxed = start.starts_with("+---") || start.contains("\n+---");
    boxed && start.contains("AzureAdJoined :")
}
