//! Log time: local time, the bias that turns it into UTC, and how far that is to be believed.
//!
//! UTC = local time + bias in minutes: west of Greenwich is positive, daylight saving is included (log catalogue,
//! section 1.4; the sign of `TIME_ZONE_INFORMATION.Bias`).

use serde::{Deserialize, Serialize};

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
pub(crate) fn serialize_utc<S: serde::Serializer>(utc: &Option<Micros>, serializer: S) -> Result<S::Ok, S::Error> {
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
