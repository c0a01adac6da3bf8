//! Damage to written logs that the engine does not know of: it works on the bytes of files, and keeps for every line
//! where it came to stand.

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::simulate::OutputFile;
use fastrand::Rng;

use super::clock;

/// What happens to the logs of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// One physical line in ten is lost, header lines and parts of records as well.
    Dropped,
    /// One record in ten stands up to ten places too late.
    Reordered,
    /// Half of the files lost their beginning or their end, up to half of it, in the middle of a line.
    Truncated,
    /// In one line in ten a word of the message is another one; names, ids, numbers and quoted parts are left alone.
    Reworded,
    /// Three logs in ten are not there.
    Missing,
    /// On half of the machines somebody sets the clock by up to half an hour.
    ClockSet,
}

impl Damage {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Dropped, Self::Reordered, Self::Truncated, Self::Reworded, Self::Missing, Self::ClockSet];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dropped => "10 % of lines lost",
            Self::Reordered => "10 % of records late",
            Self::Truncated => "half of files cut",
            Self::Reworded => "10 % of lines reworded",
            Self::Missing => "30 % of logs missing",
            Self::ClockSet => "clocks set in between",
        }
    }

    /// Damages the logs among the files; all else stays.
    pub fn apply(self, files: &[OutputFile], seed: u64) -> Damaged {
        let mut random = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9).wrapping_add(self as u64));
        let lost = if self == Self::Missing { missing(files, &mut random) } else { BTreeSet::new() };
        let settings = if self == Self::ClockSet { clock::settings(files, &mut random) } else { BTreeMap::new() };
        let mut damaged = Damaged { files: Vec::new(), stands: BTreeMap::new() };
        for file in files {
            if !is_log(&file.path) {
                damaged.files.push(file.clone());
                continue;
            }
            let lines: Vec<&[u8]> = file.bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let (bytes, stands) = match self {
                Self::Missing if lost.contains(&log_of(&file.path)) => (Vec::new(), vec![None; lines.len()]),
                Self::Dropped => dropped(&lines, &mut random),
                Self::Reordered => reordered(&lines, &mut random),
                Self::Truncated if random.bool() => truncated(file, &lines, &mut random),
                Self::Missing | Self::Truncated => unchanged(file, lines.len()),
                Self::Reworded => (reworded(&lines, &mut random), unchanged(file, lines.len()).1),
                Self::ClockSet => {
                    let set = settings.get(machine_of(&file.path));
                    let bytes = set.map_or_else(|| file.bytes.clone(), |setting| setting.applied(&lines));
                    (bytes, unchanged(file, lines.len()).1)
                }
            };
            if !bytes.is_empty() {
                damaged.files.push(OutputFile { path: file.path.clone(), bytes });
            }
            damaged.stands.insert(file.path.clone(), stands);
        }
        damaged
    }
}

/// Damaged files, and where the lines of the sound ones are.
#[derive(Debug, Clone)]
pub struct Damaged {
    /// The files that are left.
    pub files: Vec<OutputFile>,
    /// By log: the new number of each of its lines, from 1; `None` where it is lost.
    stands: BTreeMap<String, Vec<Option<u32>>>,
}

impl Damaged {
    /// Files without any damage.
    pub fn not(files: &[OutputFile]) -> Self {
        Self { files: files.to_vec(), stands: BTreeMap::new() }
    }

    /// Where a line of a sound file stands now.
    pub fn line(&self, source: &str, line: u32) -> Option<u32> {
        match self.stands.get(source) {
            Some(stands) => stands.get(usize::try_from(line).ok()?.checked_sub(1)?).copied().flatten(),
            None => Some(line),
        }
    }
}

/// Whether a file is a log.
pub fn is_log(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ending == "log" || ending == "lo_")
}

/// The folder of a machine.
pub fn machine_of(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

/// A log with all its generations.
fn log_of(path: &str) -> String {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    stem.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-').to_owned()
}

fn number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}

fn unchanged(file: &OutputFile, lines: usize) -> (Vec<u8>, Vec<Option<u32>>) {
    (file.bytes.clone(), (0..lines).map(number).collect())
}

fn missing(files: &[OutputFile], random: &mut Rng) -> BTreeSet<String> {
    let logs: BTreeSet<String> =
        files.iter().filter(|file| is_log(&file.path)).map(|file| log_of(&file.path)).collect();
    logs.into_iter().filter(|_| random.f64() < 0.3).collect()
}

fn dropped(lines: &[&[u8]], random: &mut Rng) -> (Vec<u8>, Vec<Option<u32>>) {
    let (mut bytes, mut kept) = (Vec::new(), 0);
    let stands = lines
        .iter()
        .map(|line| {
            if random.f64() < 0.1 {
                return None;
            }
            bytes.extend_from_slice(line);
            kept += 1;
            number(kept - 1)
        })
        .collect();
    (bytes, stands)
}

/// Moves whole records; a record of several lines stays in one piece, and so does the header of an IIS log.
fn reordered(lines: &[&[u8]], random: &mut Rng) -> (Vec<u8>, Vec<Option<u32>>) {
    let mut places: Vec<(f64, usize)> = Vec::with_capacity(lines.len());
    let (mut place, mut open) = (0.0, false);
    for (index, line) in lines.iter().enumerate() {
        if !open {
            let late = if random.f64() < 0.1 && !line.starts_with(b"#") { 10.0 * random.f64() } else { 0.0 };
            #[allow(clippy::cast_precision_loss)] // far fewer lines than 2^52
            let own = index as f64;
            place = own + late;
        }
        places.push((place, index));
        open = (open || holds(line, b"<![LOG[")) && !holds(line, b"]LOG]!>");
    }
    places.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let mut stands = vec![None; lines.len()];
    let mut bytes = Vec::new();
    for (new, (_, old)) in places.into_iter().enumerate() {
        stands[old] = number(new);
        bytes.extend_from_slice(lines[old]);
    }
    (bytes, stands)
}

fn truncated(file: &OutputFile, lines: &[&[u8]], random: &mut Rng) -> (Vec<u8>, Vec<Option<u32>>) {
    let cut = random.usize(0..=file.bytes.len() / 2);
    let loses_beginning = random.bool();
    let (from, to) = if loses_beginning { (cut, file.bytes.len()) } else { (0, file.bytes.len() - cut) };
    let (mut start, mut first) = (0, None);
    let stands = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let (begins, ends) = (start, start + line.len());
            start = ends;
            if ends <= from || begins >= to {
                return None;
            }
            let first = *first.get_or_insert(index);
            // What is cut in two is no line of the truth any more.
            (begins >= from && ends <= to).then(|| number(index - first)).flatten()
        })
        .collect();
    (file.bytes[from..to].to_vec(), stands)
}

fn reworded(lines: &[&[u8]], random: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let words = if random.f64() < 0.1 { words(line) } else { Vec::new() };
        if words.is_empty() {
            bytes.extend_from_slice(line);
            continue;
        }
        let (from, to) = words[random.usize(..words.len())];
        bytes.extend_from_slice(&line[..from]);
        bytes.extend((from..to).map(|_| u8::try_from(random.lowercase()).unwrap_or(b'x')));
        bytes.extend_from_slice(&line[to..]);
    }
    bytes
}

/// The words of a line's message that are no names, ids or values: letters alone, between blanks, outside of quotes.
fn words(line: &[u8]) -> Vec<(usize, usize)> {
    if line.first().is_some_and(u8::is_ascii_digit) || line.starts_with(b"#") {
        return Vec::new();
    }
    let from = find(line, b"<![LOG[").map_or(0, |at| at + 7);
    let to = find(line, b"]LOG]!>").or_else(|| find(line, b"  $$<")).unwrap_or(line.len());
    let (mut found, mut quoted, mut start) = (Vec::new(), false, from);
    for at in from..=to {
        if at < to && !line[at].is_ascii_whitespace() {
            quoted ^= matches!(line[at], b'\'' | b'"');
            continue;
        }
        let word = line.get(start..at).unwrap_or_default();
        if !quoted && word.len() > 2 && word.iter().all(u8::is_ascii_alphabetic) {
            found.push((start, at));
        }
        start = at + 1;
    }
    found
}

fn find(line: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(line, what)
}

fn holds(line: &[u8], what: &[u8]) -> bool {
    find(line, what).is_some()
}
