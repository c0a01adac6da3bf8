//! From engine values to Python values, and the shape that all view classes share.

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTzInfo};
use serde::Serialize;

use super::errors::defect;
use crate::error::Error;
use crate::time::{self, Micros, Zone};

/// The JSON form as dicts and lists.
pub(super) fn to_dict<'py>(py: Python<'py>, value: &(impl Serialize + Sync)) -> PyResult<Bound<'py, PyAny>> {
    let text = py.detach(|| serde_json::to_string(value)).map_err(|error| defect(&error.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}

/// UTC microseconds as an aware `datetime`. `None` where it lies outside the years 1 to 9999.
pub(super) fn datetime(py: Python<'_>, utc: Option<Micros>) -> Option<Bound<'_, PyDateTime>> {
    jiff::Timestamp::from_microsecond(utc?).ok()?.into_pyobject(py).ok()
}

/// An aware `datetime`, or text with or without a zone (then UTC), as UTC microseconds.
pub(super) fn micros(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Micros> {
    match value.extract::<String>() {
        Ok(text) => Ok(time::instant(argument, &text, &Zone::UTC)?),
        Err(_) => aware(argument, value),
    }
}

/// An aware `datetime`, or text with its zone, as UTC microseconds: where a verdict hangs on the instant, no zone is
/// assumed.
pub(super) fn instant(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Micros> {
    match value.extract::<String>() {
        Ok(text) => Ok(time::zoned_instant(&text).ok_or_else(|| no_time(argument, value))?),
        Err(_) => aware(argument, value),
    }
}

/// A number that cannot be negative.
pub(super) fn count<T: TryFrom<i64>>(argument: &str, value: i64) -> Result<T, Error> {
    T::try_from(value).map_err(|_| Error::Argument {
        argument: argument.to_owned(),
        expected: "a number that is not negative, and not astronomical".to_owned(),
        found: value.to_string(),
    })
}

fn no_time(argument: &str, value: &Bound<'_, PyAny>) -> Error {
    Error::Argument {
        argument: argument.to_owned(),
        expected: "a time of the calendar with its zone, such as 2026-11-04T09:00:00Z (or an aware datetime)"
            .to_owned(),
        found: value.to_string(),
    }
}

fn aware(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Micros> {
    let refused = || no_time(argument, value);
    let moment = value.cast::<PyDateTime>().map_err(|_| refused())?;
    if moment.call_method0("utcoffset")?.is_none() {
        return Err(refused().into());
    }
    let utc = moment.call_method1("astimezone", (PyTzInfo::utc(value.py())?,))?;
    Ok(utc.extract::<jiff::Timestamp>()?.as_microsecond())
}

/// What `cmgtrail.display` makes of an object: `text` for a terminal, `html` for a notebook.
pub(super) fn display(object: &Bound<'_, PyAny>, form: &str) -> PyResult<String> {
    object.py().import("cmgtrail.display")?.getattr(form)?.call1((object,))?.extract()
}

/// Defines a frozen class that stands for one place in a trail: its getters are given, the rest is the same for all.
macro_rules! view {
    (
        $(#[$about:meta])*
        $name:ident($value:ty) = |$trail:ident, $row:ident| $place:expr;
        $($methods:tt)*
    ) => {
        $(#[$about])*
        #[pyclass(frozen, module = "cmgtrail")]
        pub struct $name {
            trail: std::sync::Arc<crate::engine::Trail>,
            row: crate::tables::Row,
        }

        impl $name {
            pub(super) fn new(trail: &std::sync::Arc<crate::engine::Trail>, row: crate::tables::Row) -> Self {
                Self { trail: std::sync::Arc::clone(trail), row }
            }
        }

        impl std::ops::Deref for $name {
            type Target = $value;

            // A row is made by looking at the very trail that is held here, and a trail does not change: it is there.
            fn deref(&self) -> &$value {
                let ($trail, $row) = (&*self.trail, self.row);
                &$place
            }
        }

        #[pymethods]
        impl $name {
            $($methods)*

            /// The same as in the JSON form.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                super::conversions::to_dict(py, &**self)
            }

            fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
                other.cast::<Self>().is_ok_and(|other| **self == **other.get())
            }

            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                super::conversions::display(slf.as_any(), "text")
            }

            fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
                super::conversions::display(slf.as_any(), "html")
            }
        }
    };
}

pub(super) use view;
