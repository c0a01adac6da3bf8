//! What happens to logs: lines get lost, and clocks are set in the middle.

use std::collections::BTreeMap;
use std::path::Path;

use cmgtrail::simulate::{Simulated, Truth};
use cmgtrail::time::{Micros, rfc3339, zoned_instant};

/// Damage to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Damage {
    /// Share of all lines that is lost.
    pub lost: f64,
    /// Share of the machines, gateway left out, whose clock is set in the middle of the time, by minutes.
    pub set: f64,
    /// What chance draws from.
    pub seed: u64,
}

/// Damages the logs, and the truth with them: lost lines leave it, the others move up.
pub fn damage(simulated: &mut Simulated, damage: Damage) -> BTreeMap<String, f64> {
    let mut random = fastrand::Rng::with_seed(damage.seed);
    let truth = &simulated.truth;
    let (start, end) = (instant(&truth.start), instant(&truth.end));
    let mut settings: BTreeMap<String, (Micros, Micros)> = BTreeMap::new();
    for machine in truth.offsets.keys() {
        let by = random.i64(60..540) * if random.bool() { 1_000_000 } else { -1_000_000 };
        if random.f64() < damage.set && !machine.starts_with("cmg-") {
            settings.insert(machine.clone(), (start + (end - start) / 2, by));
        }
    }
    let mut moved: BTreeMap<(String, u32), Option<u32>> = BTreeMap::new();
    for file in &mut simulated.files {
        if Path::new(&file.path).extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let machine = file.path.split('/').next().unwrap_or_default();
        let setting = settings.get(machine).copied();
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        let (mut kept, mut line, mut next) = (String::with_capacity(text.len()), 1, 1);
        for record in records(&text) {
            let lines = u32::try_from(record.matches('\n').count()).unwrap_or(1);
            let lost = !record.starts_with('#') && random.f64() < damage.lost;
            moved.insert((file.path.clone(), line), (!lost).then_some(next));
            line += lines;
            if !lost {
                next += lines;
                match setting.and_then(|setting| shifted(record, setting)) {
                    Some(shifted) => kept.push_str(&shifted),
                    None => kept.push_str(record),
                }
            }
        }
        file.bytes = kept.into_bytes();
    }
    follow(&mut simulated.truth, &moved);
    settings.into_iter().map(|(machine, (_, by))| (machine, seconds(by))).collect()
}

#[allow(clippy::cast_precision_loss)] // seconds
fn seconds(micros: Micros) -> f64 {
    micros as f64 / 1e6
}

fn instant(text: &str) -> Micros {
    zoned_instant(text).unwrap()
}

/// Records of a log: a line, or what stands between two beginnings of a multi-line log.
fn records(text: &str) -> Vec<&str> {
    let mut starts = vec![0];
    let mut at = 0;
    let ccm = text.contains("<![LOG[");
    for line in text.split_inclusive('\n') {
        let begins = if ccm { line.starts_with("<![LOG[") } else { !line.starts_with([' ', '\t']) };
        if at > 0 && begins {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// The record with its time moved, where it was written at or after the setting.
fn shifted(record: &str, (at, by): (Micros, Micros)) -> Option<String> {
    let (range, date_first, bias) = if let Some(place) = record.find("><time=\"") {
        let clock = &record[place + 8..place + 20];
        let bias = record[place + 20..].split('"').next()?.parse::<i64>().ok()?;
        let date_at = record.find("\" date=\"")? + 8;
        let date = &record[date_at..date_at + 10];
        let (day, clock) = moved_to(&iso(date, clock)?, (at, by), bias)?;
        let mut text = record.to_owned();
        text.replace_range(date_at..date_at + 10, &us(&day));
        text.replace_range(place + 8..place + 20, &clock);
        return Some(text);
    } else if let Some(place) = record.rfind("><thread=") {
        let start = record[..place].rfind('<')? + 1;
        let bias = record[start + 23..place].parse::<i64>().ok()?;
        (start..start + 23, true, bias)
    } else if record.starts_with("20") {
        (0..19, false, 0)
    } else {
        return None;
    };
    let stamp = &record[range.clone()];
    let whole =
        if date_first { iso(&stamp[..10], &stamp[11..])? } else { format!("{}T{}.000Z", &stamp[..10], &stamp[11..]) };
    let (day, clock) = moved_to(&whole, (at, by), bias)?;
    let mut text = record.to_owned();
    let new = if date_first { format!("{} {clock}", us(&day)) } else { format!("{day} {}", &clock[..8]) };
    text.replace_range(range, &new);
    Some(text)
}

fn iso(us: &str, clock: &str) -> Option<String> {
    let mut parts = us.split('-');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{year}-{month}-{day}T{clock}Z"))
}

fn us(day: &str) -> String {
    format!("{}-{}-{}", &day[5..7], &day[8..10], &day[..4])
}

fn moved_to(local: &str, (at, by): (Micros, Micros), bias: i64) -> Option<(String, String)> {
    let local = zoned_instant(local)?;
    if local + bias * 60_000_000 < at {
        return None;
    }
    let text = rfc3339(local + by);
    Some((text[..10].to_owned(), text[11..23].to_owned()))
}

fn follow(truth: &mut Truth, moved: &BTreeMap<(String, u32), Option<u32>>) {
    let place = |source: &str, line: u32| moved.get(&(source.to_owned(), line)).copied().flatten();
    for flow in &mut truth.flows {
        flow.lines.retain_mut(|line| match place(&line.source, line.line) {
            Some(new) => {
                line.line = new;
                true
            }
            None => false,
        });
    }
    for request in &mut truth.requests {
        request.hops.retain_mut(|hop| match place(&hop.source, hop.line) {
            Some(new) => {
                hop.line = new;
                true
            }
            None => false,
        });
    }
}
