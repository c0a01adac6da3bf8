//! Chatter: made-up lines, in true formats, of components that have nothing to do with authentication.
//!
//! It is planned as pieces, each a file of its own, so that it is written on all cores and never in memory whole.

use super::MINUTE;
use super::facts::{Machine, World};
use super::logs::{self, Civil, push_bias, push_clock, push_digits, push_us_date};
use super::output::OutputFile;
use super::plan::Noise;
use super::random::Random;
use crate::time::Micros;

/// Bytes of a client's file, at most: its administrator allows more than the default.
const PIECE: u64 = 5_000_000;

/// Components of clients and of servers. Their lines are made up.
const ON_CLIENTS: [&str; 6] =
    ["PolicyAgent", "execmgr", "InventoryAgent", "ScanAgent", "UpdatesDeployment", "StatusAgent"];
const ON_SERVERS: [&str; 4] = ["SMS_POLICY_PROVIDER", "SMS_HIERARCHY_MANAGER", "SMS_INBOX_MONITOR", "SMS_REPLICATION"];

/// Lines; `#` stands for a number.
const LINES: [&str; 14] = [
    "Evaluated schedule # of scope #, next in # s",
    "Queue # holds # items, oldest waits # ms",
    "Read # settings of class # in # ms",
    "State # of item # is unchanged",
    "Cache entry # of # bytes is still in use by # readers",
    "Timer # fires in # ms",
    "Skipped assignment #, its window # is not open",
    "Worker # took job #",
    "Worker # ended job # after # ms",
    "Inventory cycle #: # instances collected, # changed since the last cycle",
    "Compacted store # from # to # pages, # pages were free, the next compaction is due after # more writes",
    "Handler # registered for notification #",
    "Rule # of set # evaluated to value #, which is what it was",
    "Counter # reset at #",
];

/// A file of chatter, not yet written.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    path: String,
    component: &'static str,
    machine: Machine,
    from: Micros,
    until: Micros,
    bytes: u64,
    is_client: bool,
    random: Random,
}

/// Plans the chatter beside so many bytes of the actors' own.
pub(super) fn plan(noise: Noise, own: u64, world: &World, random: &Random) -> Vec<Piece> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // a share of bytes
    let bytes = match noise {
        Noise::None => 0,
        Noise::Share(share) => (own as f64 * share / (1.0 - share)) as u64,
        Noise::Bytes(bytes) => bytes,
    };
    let clients = world.clients.len();
    let machines: Vec<&Machine> = world.machines().collect();
    let shares = u64::try_from(machines.len()).unwrap_or(1).max(1);
    let mut pieces = Vec::new();
    for (number, machine) in machines.into_iter().enumerate().filter(|_| bytes > 0) {
        let is_client = number < clients;
        let components: &[&'static str] = if is_client { &ON_CLIENTS } else { &ON_SERVERS };
        let each = bytes / shares / u64::try_from(components.len()).unwrap_or(1).max(1);
        for component in components {
            // A server keeps the last generation only, so a log of its own has two files at most.
            let count = if is_client { each.div_ceil(PIECE).max(1) } else { 2 };
            let span = (world.end - world.start) / i64::try_from(count).unwrap_or(1).max(1);
            for place in 0..count {
                let from = world.start + span * i64::try_from(place).unwrap_or(0);
                let path = path(machine, component, from + span, (is_client, place + 1 == count));
                let random = random.fork(&path, number);
                let (until, machine) = (from + span, machine.clone());
                pieces.push(Piece { path, component, machine, from, until, bytes: each / count, is_client, random });
            }
        }
    }
    pieces
}

fn path(machine: &Machine, component: &str, last: Micros, (is_client, is_last): (bool, bool)) -> String {
    let name = match (is_client, is_last) {
        (_, true) => format!("{component}.log"),
        (false, false) => format!("{component}.lo_"),
        (true, false) => {
            let clock = last + machine.offset;
            let time = Civil::of(clock + logs::utc_offset(machine, clock));
            let (date, time) = (
                time.year * 10_000 + time.month * 100 + time.day,
                time.hour * 10_000 + time.minute * 100 + time.second,
            );
            format!("{component}-{date:08}-{time:06}.log")
        }
    };
    format!("{}/{name}", machine.folder)
}

impl Piece {
    /// Writes the file.
    /// The path that it is written to.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its lines.
    pub fn render(&self) -> OutputFile {
        let mut random = self.random.clone();
        let size = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(size.saturating_add(400));
        let mut offset = Offset::default();
        let lines = i64::try_from(self.bytes / 190).unwrap_or(1).max(1);
        let step = ((self.until - self.from) / lines).max(1);
        let mut at = self.from;
        while bytes.len() < size {
            self.line(&mut bytes, at, &mut offset, &mut random);
            at = (at + step).min(self.until - 1);
        }
        OutputFile { path: self.path.clone(), bytes }
    }

    fn line(&self, out: &mut Vec<u8>, at: Micros, offset: &mut Offset, random: &mut Random) {
        let clock = at + self.machine.offset;
        let ahead = offset.at(&self.machine, clock);
        let local = Civil::of(clock + ahead);
        let thread = 2_000 + random.below(40) * 4;
        if self.is_client {
            out.extend_from_slice(b"<![LOG[");
        }
        for part in random.pick(&LINES).split_inclusive('#') {
            match part.strip_suffix('#') {
                Some(text) => {
                    out.extend_from_slice(text.as_bytes());
                    push_number(out, random.below(90_000));
                }
                None => out.extend_from_slice(part.as_bytes()),
            }
        }
        if self.is_client {
            out.extend_from_slice(b"]LOG]!><time=\"");
            push_clock(out, &local);
            push_bias(out, -ahead / MINUTE, 3);
            out.extend_from_slice(b"\" date=\"");
            push_us_date(out, &local);
            out.extend_from_slice(b"\" component=\"");
            out.extend_from_slice(self.component.as_bytes());
            out.extend_from_slice(b"\" context=\"\" type=\"1\" thread=\"");
            push_number(out, thread);
            out.extend_from_slice(b"\" file=\"");
            out.extend(self.component.bytes().map(|byte| byte.to_ascii_lowercase()));
            out.extend_from_slice(b".cpp:");
            push_number(out, 100 + random.below(2_000));
            out.extend_from_slice(b"\">\r\n");
        } else {
            out.extend_from_slice(b"  $$<");
            out.extend_from_slice(self.component.as_bytes());
            out.extend_from_slice(b"><");
            push_us_date(out, &local);
            out.push(b' ');
            push_clock(out, &local);
            push_bias(out, -ahead / MINUTE, 2);
            out.extend_from_slice(format!("><thread={thread} (0x{thread:X})>\r\n").as_bytes());
        }
    }
}

fn push_number(out: &mut Vec<u8>, number: usize) {
    let digits = number.checked_ilog10().map_or(1, |digits| digits + 1);
    push_digits(out, i64::try_from(number).unwrap_or_default(), digits);
}

/// A zone's offset, asked for once in a quarter of an hour: no zone changes at other minutes.
#[derive(Debug, Default)]
struct Offset {
    known: Option<(Micros, Micros)>,
}

impl Offset {
    fn at(&mut self, machine: &Machine, clock: Micros) -> Micros {
        let quarter = clock.div_euclid(15 * MINUTE);
        match self.known {
            Some((known, offset)) if known == quarter => offset,
            _ => {
                let offset = logs::utc_offset(machine, clock);
                self.known = Some((quarter, offset));
                offset
            }
        }
    }
}
