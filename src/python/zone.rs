//! Time zones for people: what they type, and what they are shown.

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::conversions::{datetime, micros};
use crate::error::{Error, Result};
use crate::time::Micros;

static PARSER: DateTimeParser = DateTimeParser::new();

/// Reads a time: RFC 3339, or a date with or without a time of day in `zone`.
pub(super) fn parse(argument: &str, text: &str, zone: &TimeZone) -> Result<Micros> {
    let trimmed = text.trim();
    let stamp = PARSER
        .parse_timestamp(trimmed)
        .or_else(|_| PARSER.parse_datetime(trimmed).and_then(|civil: DateTime| zone.to_timestamp(civil)));
    stamp.map(Timestamp::as_microsecond).map_err(|_| Error::Argument {
        argument: argument.to_owned(),
        expected: "a time such as 2026-11-04T09:00:00Z, 2026-11-04T10:00+01:00 or 2026-11-04".to_owned(),
        found: text.to_owned(),
    })
}

/// Reads a time that names its zone.
pub(super) fn instant(text: &str) -> Option<Micros> {
    PARSER.parse_timestamp(text.trim()).ok().map(Timestamp::as_microsecond)
}

/// A time zone by name.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

#[pymethods]
impl Zone {
    /// `UTC`, `local`, or an IANA name such as `Europe/Berlin`.
    #[new]
    #[pyo3(signature = (name = "UTC", /))]
    fn new(name: &str) -> Result<Self> {
        let zone = match name {
            "UTC" => Ok(TimeZone::UTC),
            "local" => TimeZone::try_system(),
            other => TimeZone::get(other),
        };
        match zone {
            Ok(zone) => Ok(Self { name: name.to_owned(), zone }),
            Err(_) => Err(Error::Argument {
                argument: "time zone".to_owned(),
                expected: "UTC, local, or a name such as Europe/Berlin or America/New_York".to_owned(),
                found: name.to_owned(),
            }),
        }
    }

    /// The name as given.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Reads a time; where the text has no zone of its own, this one.
    #[pyo3(signature = (text, /, *, argument = "time"))]
    fn parse<'py>(&self, py: Python<'py>, text: &str, argument: &str) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        Ok(datetime(py, Some(parse(argument, text, &self.zone)?)))
    }

    /// Shows an aware time in this zone: `2026-11-04 10:12:33`, to the second or to the given digits below it.
    #[pyo3(signature = (moment, /, *, digits = 0))]
    fn show(&self, moment: &Bound<'_, PyAny>, digits: u8) -> PyResult<String> {
        let stamp = Timestamp::from_microsecond(micros("moment", moment)?).unwrap_or_default();
        let shown: Zoned = stamp.to_zoned(self.zone.clone());
        Ok(match digits {
            0 => shown.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            _ => shown.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        })
    }

    fn __repr__(&self) -> String {
        format!("Zone('{}')", self.name)
    }
}
