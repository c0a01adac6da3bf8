//! Time zones for people: what they type, and what they are shown.

use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::conversions::{datetime, micros};
use crate::error::Result;
use crate::time::{self, instant};

/// A time zone by name.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Zone {
    name: String,
    zone: time::Zone,
}

#[pymethods]
impl Zone {
    /// `UTC`, `local`, or an IANA name such as `Europe/Berlin`.
    #[new]
    #[pyo3(signature = (name = "UTC", /))]
    fn new(name: &str) -> Result<Self> {
        Ok(Self { name: name.to_owned(), zone: time::Zone::named(name)? })
    }

    /// The name as given.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Reads a time; where the text has no zone of its own, this one.
    #[pyo3(signature = (text, /, *, argument = "time"))]
    fn parse<'py>(&self, py: Python<'py>, text: &str, argument: &str) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        Ok(datetime(py, Some(instant(argument, text, &self.zone)?)))
    }

    /// Shows an aware time in this zone: `2026-11-04 10:12:33`, to the second or to the millisecond.
    #[pyo3(signature = (moment, /, *, digits = 0))]
    fn show(&self, moment: &Bound<'_, PyAny>, digits: u8) -> PyResult<String> {
        Ok(self.zone.show(micros("moment", moment)?, digits > 0))
    }

    fn __repr__(&self) -> String {
        format!("Zone('{}')", self.name)
    }
}
