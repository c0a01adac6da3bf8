//! Reports of the validators: the verdict, the facts, and every check.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PySlice;
use serde_json::json;

use super::columns::{Columns, provides_columns};
use super::conversions::{display, to_dict};
use super::errors::{defect, from_arrow};
use crate::report::{self, CheckStatus, columns};
use crate::tokens::{withhold, without_tokens};

/// What a validator answers.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Report(Arc<report::Report>);

impl Report {
    /// A report as Python sees it: whatever it is about, no token stands in it.
    pub(super) fn new(report: report::Report) -> Self {
        Self(Arc::new(withhold(report)))
    }

    /// A report on a token, which has passed the gate already: that one knows the token's own signature.
    pub(super) fn on_token(report: report::Report) -> Self {
        Self(Arc::new(report))
    }

    fn checks_where(&self, wanted: impl Fn(&report::Check) -> bool) -> Checks {
        let places = self.0.checks.iter().enumerate().filter(|(_, check)| wanted(check));
        Checks { report: Arc::clone(&self.0), places: places.map(|(place, _)| place).collect() }
    }
}

#[pymethods]
#[allow(clippy::unused_self)] // Python asks the object for its truth, which none has
impl Report {
    #[getter]
    fn kind(&self) -> &str {
        &self.0.kind
    }

    #[getter]
    fn valid(&self) -> Option<bool> {
        self.0.valid
    }

    #[getter]
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &self.0.facts)
    }

    #[getter]
    fn checks(&self) -> Checks {
        self.checks_where(|_| true)
    }

    #[getter]
    fn failed(&self) -> Checks {
        self.checks_where(report::Check::is_fatal)
    }

    #[getter]
    fn open(&self) -> Checks {
        self.checks_where(|check| check.decides && check.status == CheckStatus::NotChecked)
    }

    /// The JSON form as dicts and lists.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &*self.0)
    }

    /// The JSON form: what the command prints with `--format json`.
    #[pyo3(signature = (*, indent = true))]
    fn to_json(&self, py: Python<'_>, indent: bool) -> PyResult<String> {
        let report = &*self.0;
        py.detach(|| if indent { serde_json::to_string_pretty(report) } else { serde_json::to_string(report) })
            .map_err(|error| defect(&error.to_string()))
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err("a report is neither true nor false: ask for its `valid`, which may also be None"))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| *self.0 == *other.get().0)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}

/// One check and what it found.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Check {
    report: Arc<report::Report>,
    place: usize,
}

impl std::ops::Deref for Check {
    type Target = report::Check;

    // A place is made by looking at the very report that is held here, and a report does not change: it is there.
    fn deref(&self) -> &report::Check {
        &self.report.checks[self.place]
    }
}

#[pymethods]
impl Check {
    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.status.as_str()
    }

    #[getter]
    fn decides(&self) -> bool {
        self.decides
    }

    #[getter]
    fn subject(&self) -> &str {
        &self.subject
    }

    #[getter]
    fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    #[getter]
    fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    #[getter]
    fn explanation(&self) -> &str {
        &self.explanation
    }

    #[getter]
    fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    #[getter]
    fn windows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &self.windows)
    }

    /// The same as in the JSON form.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &**self)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| **self == **other.get())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}

/// Checks of a report: a sequence, and a table of columns.
#[pyclass(frozen, sequence, module = "cmgtrail")]
pub struct Checks {
    report: Arc<report::Report>,
    places: Vec<usize>,
}

impl Checks {
    fn view(&self, place: usize) -> Check {
        Check { report: Arc::clone(&self.report), place }
    }

    fn rows(&self) -> impl Iterator<Item = &report::Check> {
        self.places.iter().filter_map(|place| self.report.checks.get(*place))
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        self.places.iter().copied().find(|place| self.report.checks.get(*place).is_some_and(|check| check.id == id))
    }

    fn slice(&self, slice: &Bound<'_, PySlice>) -> PyResult<Self> {
        let range = slice.indices(isize::try_from(self.places.len())?)?;
        let wanted = (0..range.slicelength).map(|step| range.start + range.step * step.cast_signed());
        let places = wanted.filter_map(|place| self.places.get(usize::try_from(place).ok()?).copied()).collect();
        Ok(Self { report: Arc::clone(&self.report), places })
    }
}

impl Columns for Checks {
    fn schema(&self) -> PyResult<SchemaRef> {
        Ok(columns::schema())
    }

    fn batches(&self) -> PyResult<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static> {
        let rows: Vec<report::Check> = self.rows().cloned().collect();
        let batch = columns::batch_of(&rows).map_err(from_arrow)?;
        Ok(std::iter::once(Ok(batch)))
    }
}

provides_columns!(Checks);

#[pymethods]
#[allow(clippy::unused_self)] // Python asks the object, though all checks have the same columns
impl Checks {
    #[getter]
    fn name(&self) -> &'static str {
        "checks"
    }

    fn __len__(&self) -> usize {
        self.places.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = key.cast::<PySlice>() {
            return Ok(Bound::new(py, self.slice(slice)?)?.into_any());
        }
        let place = if let Ok(id) = key.extract::<String>() {
            let unknown = || PyKeyError::new_err(format!("no '{}' among the checks", without_tokens(&id)));
            self.place_of(&id).ok_or_else(unknown)?
        } else if let Ok(index) = key.extract::<isize>() {
            let count = self.places.len();
            let index_of = if index < 0 { count.checked_add_signed(index) } else { usize::try_from(index).ok() };
            let place = index_of.and_then(|at| self.places.get(at)).copied();
            place.ok_or_else(|| PyIndexError::new_err(format!("there is no check [{index}]: there are {count}")))?
        } else {
            return Err(PyTypeError::new_err("checks are asked for a number, a slice or an id"));
        };
        Ok(Bound::new(py, self.view(place))?.into_any())
    }

    fn __iter__(slf: Bound<'_, Self>) -> CheckIterator {
        CheckIterator { checks: slf.unbind(), next: AtomicUsize::new(0) }
    }

    fn __contains__(&self, item: &Bound<'_, PyAny>) -> bool {
        match (item.extract::<String>(), item.cast::<Check>()) {
            (Ok(id), _) => self.place_of(&id).is_some(),
            (_, Ok(check)) => self.rows().any(|row| *row == **check.get()),
            _ => false,
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.rows().eq(other.get().rows()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}

/// One pass over checks.
#[pyclass(frozen, module = "cmgtrail")]
pub struct CheckIterator {
    checks: Py<Checks>,
    next: AtomicUsize,
}

#[pymethods]
impl CheckIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Check> {
        let checks = self.checks.get();
        checks.places.get(self.next.fetch_add(1, Ordering::Relaxed)).map(|place| checks.view(*place))
    }
}

/// The same chain before and after a client has taken the site's settings.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Phases {
    pub(super) bootstrap: Arc<report::Report>,
    pub(super) after_settings: Arc<report::Report>,
    pub(super) explanation: String,
}

impl Phases {
    pub(super) fn new(phases: crate::certs::Phases) -> Self {
        Self {
            bootstrap: Report::new(phases.bootstrap.report).0,
            after_settings: Report::new(phases.after_settings.report).0,
            explanation: phases.explanation,
        }
    }
}

#[pymethods]
impl Phases {
    #[getter]
    fn bootstrap(&self) -> Report {
        Report(Arc::clone(&self.bootstrap))
    }

    #[getter]
    fn after_settings(&self) -> Report {
        Report(Arc::clone(&self.after_settings))
    }

    #[getter]
    fn explanation(&self) -> &str {
        &self.explanation
    }

    /// The JSON form as dicts and lists.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let form = json!({
            "bootstrap": *self.bootstrap, "after_settings": *self.after_settings, "explanation": self.explanation,
        });
        to_dict(py, &form)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}
