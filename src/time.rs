//! Log time: local time, the bias that turns it into UTC, and how far that is to be believed.
//!
//! UTC = local time + bias in minutes: west of Greenwich is positive, daylight saving is included (log catalogue,
//! section 1.4; the sign of `TIME_ZONE_INFORMATION.Bias`).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Microseconds since 1970-01-01T00:00:00, of a local clock or of UTC as the name beside it says.
pub type Micros = i64;

/// How a record's UTC is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UtcQuality {
    /// Written with a believable bias, or in UTC.
    Known,
    /// The bias was taken from other records of the same machine.
    Assumed,
    /// There is no bias to believe; UTC is null.
    Unknown,
}

/// The bias as a record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bias {
    /// Minutes to add to local time to get UTC.
    Minutes(i16),
    /// The format writes UTC (IIS W3C), or the time carries its own offset.
    Utc,
    /// The record has none.
    Absent,
    /// The record has something that is no bias (`+-420`).
    Malformed,
}

/// When a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Local time as the log shows it; `None` where the record has no readable time.
    pub local: Option<Micros>,
    /// The bias as written.
    pub bias: Bias,
    /// UTC, by the clock of the machine that wrote it.
    pub utc: Option<Micros>,
    /// How `utc` is known.
    pub quality: UtcQuality,
}

impl Stamp {
    /// The stamp of a record without a readable time.
    pub const NONE: Self = Self { local: None, bias: Bias::Absent, utc: None, quality: UtcQuality::Unknown };

    /// Microseconds from `earlier` to this stamp of the same machine: by UTC where both have it, else by local time.
    pub fn since(&self, earlier: &Self) -> Option<Micros> {
        match (earlier.utc, self.utc) {
            (Some(earlier), Some(now)) => Some(now - earlier),
            _ => Some(self.local? - earlier.local?),
        }
    }

    /// Time to order by within one machine: UTC where it is known, else local time.
    pub fn order_key(&self) -> Option<Micros> {
        self.utc.or(self.local)
    }
}

/// Formats UTC microseconds as RFC 3339 with milliseconds and `Z`, the form of all output.
///
/// ```
/// assert_eq!(cmgtrail::time::rfc3339(1_793_783_553_120_000), "2026-11-04T09:12:33.120Z");
/// ```
pub fn rfc3339(utc: Micros) -> String {
    match jiff::Timestamp::from_microsecond(utc) {
        Ok(stamp) => format!("{stamp:.3}"),
        Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
    }
}

/// Serialises an optional UTC time as RFC 3339 text or null.
#[allow(clippy::ref_option)] // the signature is serde's
pub(crate) fn serialize_utc<S: serde::Serializer>(
    utc: &Option<Micros>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    match utc {
        Some(utc) => serializer.serialize_str(&rfc3339(*utc)),
        None => serializer.serialize_none(),
    }
}

/// Reads the `MM/DD/YYYY HH:MM:SS` of token messages, month first, as microseconds of whatever clock wrote it.
///
/// ```
/// use cmgtrail::time::parse_us_date_time;
/// let (early, late) = (parse_us_date_time("11/04/2026 09:12:33"), parse_us_date_time("11/04/2026 09:12:34"));
/// assert_eq!(late.unwrap() - early.unwrap(), 1_000_000);
/// assert_eq!(parse_us_date_time("31/02/2026 09:12:33"), None);
/// ```
pub fn parse_us_date_time(text: &str) -> Option<Micros> {
    let time = jiff::civil::DateTime::strptime("%m/%d/%Y %H:%M:%S", text.trim()).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// Microseconds in a minute.
pub(crate) const MINUTE: Micros = 60_000_000;

/// Microseconds in an hour.
pub(crate) const HOUR: Micros = 60 * MINUTE;

const SECOND: Micros = 1_000_000;
const DAY: Micros = 86_400 * SECOND;

/// A bias lies between those of UTC+14 and UTC-12, and zones differ by quarters of an hour.
const BIAS_RANGE: std::ops::RangeInclusive<i32> = -840..=720;
const BIAS_STEP: i32 = 15;

impl Bias {
    /// Minutes to add to local time, where the record says so.
    pub fn minutes(self) -> Option<i16> {
        match self {
            Self::Minutes(minutes) => Some(minutes),
            Self::Utc => Some(0),
            Self::Absent | Self::Malformed => None,
        }
    }

    /// A bias of this many minutes, if any zone has it.
    pub(crate) fn plausible(minutes: i32) -> Option<Self> {
        (BIAS_RANGE.contains(&minutes) && minutes % BIAS_STEP == 0)
            .then(|| i16::try_from(minutes).map(Self::Minutes).ok())
            .flatten()
    }
}

impl Stamp {
    /// A stamp as its record alone gives it: a well-formed bias is believed until other records contradict it.
    pub(crate) fn as_written(local: Option<Micros>, bias: Bias) -> Self {
        let utc = local.zip(bias.minutes()).map(|(local, minutes)| local + Micros::from(minutes) * MINUTE);
        let quality = if utc.is_some() { UtcQuality::Known } else { UtcQuality::Unknown };
        Self { local, bias, utc, quality }
    }
}

/// Microseconds of a date, at midnight; `None` for a date that no calendar has (31-02).
pub(crate) fn date(year: u32, month: u32, day: u32) -> Option<Micros> {
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => return None,
    };
    if !(1601..=9999).contains(&year) || day == 0 || day > length {
        return None;
    }
    Some(days_since_epoch(i64::from(year), i64::from(month), i64::from(day)) * DAY)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. The year is counted from March, so that the leap day
/// is its last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Microseconds since midnight; `None` for a time that no clock shows.
pub(crate) fn clock(hour: u32, minute: u32, second: u32, micros: u32) -> Option<Micros> {
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return None;
    }
    Some(Micros::from(hour * 3600 + minute * 60 + second) * SECOND + Micros::from(micros))
}

/// Reads up to `most` decimal digits at the start of `bytes`: their value and number. No digit is `None`.
pub(crate) fn digits(bytes: &[u8], most: usize) -> Option<(u32, usize)> {
    let count = bytes.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let value = bytes.iter().take(count).fold(0_u32, |value, byte| value * 10 + u32::from(byte - b'0'));
    (count > 0).then_some((value, count))
}

/// Reads `HH:MM:SS.mmm{bias}`, the clock of CCM and SMS records, as microseconds since midnight and bias.
///
/// The bias is minutes, signed; `+00` and `-60` occur. What scripts write in its place (`+-420`, `-0`, digits glued
/// to the fraction) is malformed, never believed (log catalogue, section 1.4). Seven digits are the fraction of a
/// managed writer, which writes no bias.
pub(crate) fn clock_and_bias(text: &[u8]) -> Option<(Micros, Bias)> {
    // Nearly all are so: read without looking for the ends of the numbers.
    if let [h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3, tail @ ..] = text
        && !tail.first().is_some_and(u8::is_ascii_digit)
        && [h1, h2, m1, m2, s1, s2, f1, f2, f3].into_iter().all(u8::is_ascii_digit)
    {
        let number = |digits: &[&u8]| digits.iter().fold(0, |value, digit| value * 10 + u32::from(**digit - b'0'));
        let micros = number(&[f1, f2, f3]) * 1000;
        return Some((clock(number(&[h1, h2]), number(&[m1, m2]), number(&[s1, s2]), micros)?, bias(tail)));
    }
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let Some(rest) = rest.strip_prefix(b".") else {
        return Some((clock(hour, minute, second, 0)?, bias(rest)));
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, tail) = rest.split_at_checked(count)?;
    let (micros, glued) = match count {
        0..=3 | 7 => (fraction_micros(fraction), false),
        // Milliseconds and an unsigned bias, or a longer fraction: nobody can tell.
        _ => (fraction_micros(fraction.get(..3)?), true),
    };
    let bias = if glued { Bias::Malformed } else { bias(tail) };
    Some((clock(hour, minute, second, micros)?, bias))
}

fn number(bytes: &[u8], most: usize) -> Option<(u32, &[u8])> {
    let (value, count) = digits(bytes, most)?;
    Some((value, bytes.get(count..)?))
}

/// Decimal digits after the point, as microseconds.
pub(crate) fn fraction_micros(digits: &[u8]) -> u32 {
    (0..6).fold(0, |value, place| value * 10 + digits.get(place).map_or(0, |digit| u32::from(digit.wrapping_sub(b'0'))))
}

fn bias(text: &[u8]) -> Bias {
    let (west, number) = match text {
        [] => return Bias::Absent,
        [b'+', number @ ..] => (true, number),
        [b'-', number @ ..] => (false, number),
        _ => return Bias::Malformed,
    };
    match digits(number, 4) {
        // A native writer prints zero with a plus sign; `-0` is a script's.
        Some((0, count)) if count == number.len() => {
            if west {
                Bias::Minutes(0)
            } else {
                Bias::Malformed
            }
        }
        Some((minutes, count)) if count == number.len() => {
            let minutes = i32::try_from(minutes).unwrap_or(i32::MAX);
            Bias::plausible(if west { minutes } else { -minutes }).unwrap_or(Bias::Malformed)
        }
        _ => Bias::Malformed,
    }
}

/// Reads `MM-DD-YYYY`, one-digit month and day included, as microseconds at midnight.
pub(crate) fn month_first_date(text: &[u8]) -> Option<Micros> {
    let (month, rest) = number(text, 2)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (year, rest) = number(rest.strip_prefix(b"-")?, 4)?;
    if rest.is_empty() { date(year, month, day) } else { None }
}

/// A time zone to read and show times in.
#[derive(Debug, Clone)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The zone that a user named: an IANA name (`Europe/Vienna`), `UTC`, or `local` for this machine's own.
    ///
    /// # Errors
    /// [`Error::Argument`] for a name that the time zone database does not have.
    pub fn named(name: &str) -> Result<Self> {
        let zone = if name == "local" { jiff::tz::TimeZone::try_system() } else { jiff::tz::TimeZone::get(name) };
        zone.map(Self).map_err(|_| Error::Argument {
            argument: "time zone".to_owned(),
            expected: "UTC, local, or a name such as Europe/Berlin or America/New_York".to_owned(),
            found: name.to_owned(),
        })
    }

    /// A UTC time as this zone's clocks show it, to the second or to the millisecond.
    ///
    /// ```
    /// let vienna = cmgtrail::time::Zone::named("Europe/Vienna")?;
    /// assert_eq!(vienna.show(1_793_783_553_120_000, true), "2026-11-04 10:12:33.120");
    /// # Ok::<(), cmgtrail::error::Error>(())
    /// ```
    pub fn show(&self, utc: Micros, milliseconds: bool) -> String {
        let Ok(stamp) = jiff::Timestamp::from_microsecond(utc) else { return rfc3339(utc) };
        let format = if milliseconds { "%Y-%m-%d %H:%M:%S%.3f" } else { "%Y-%m-%d %H:%M:%S" };
        stamp.to_zoned(self.0.clone()).strftime(format).to_string()
    }
}

/// Reads a time that names its zone, RFC 3339; `None` for anything else.
pub fn zoned_instant(text: &str) -> Option<Micros> {
    text.trim().parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// Reads a time that a user gave as `argument`: RFC 3339, or a date, or a date and time of `zone`.
///
/// ```
/// use cmgtrail::time::{instant, rfc3339, Zone};
/// let vienna = Zone::named("Europe/Vienna")?;
/// assert_eq!(rfc3339(instant("since", "2026-11-04 10:00", &vienna)?), "2026-11-04T09:00:00.000Z");
/// assert_eq!(rfc3339(instant("since", "2026-11-04", &Zone::UTC)?), "2026-11-04T00:00:00.000Z");
/// assert!(instant("since", "yesterday", &Zone::UTC).is_err());
/// # Ok::<(), cmgtrail::error::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for anything else.
pub fn instant(argument: &str, text: &str, zone: &Zone) -> Result<Micros> {
    if let Some(utc) = zoned_instant(text) {
        return Ok(utc);
    }
    // Only a bare civil time: with a zone or offset the text would have been a timestamp.
    let civil = text.trim().parse::<jiff::civil::DateTime>();
    civil
        .ok()
        .and_then(|civil| civil.to_zoned(zone.0.clone()).ok())
        .map(|zoned| zoned.timestamp().as_microsecond())
        .ok_or_else(|| Error::Argument {
            argument: argument.to_owned(),
            expected: "a time such as 2026-11-04T09:00:00Z, 2026-11-04T10:00+01:00 or 2026-11-04".to_owned(),
            found: text.to_owned(),
        })
}

/// A number of seconds in the two largest units: "3 d 4 h", "5 min 20 s".
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut told: Vec<String> = Vec::new();
    for (size, unit) in UNITS {
        let count = rest / size;
        rest %= size;
        if count > 0 && told.len() < 2 {
            told.push(format!("{count} {unit}"));
        } else if !told.is_empty() {
            break;
        }
    }
    if told.is_empty() { "0 s".to_owned() } else { told.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_as_people_say_them() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (320, "5 min 20 s"), (3_600, "1 h"), (273_600, "3 d 4 h")] {
            assert_eq!(span(seconds), text);
        }
    }
}
