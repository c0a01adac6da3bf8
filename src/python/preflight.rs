//! Preflight: whether the clients of a site would work.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::columns::{Columns, provides_columns};
use super::conversions::{display, instant, to_dict};
use super::errors::defect;
use super::trail::Trail;
use crate::knowledge::Knowledge;
use crate::preflight::{self as engine, Observed, Options, Seen};
use crate::site::Site;
use crate::tables::id;

/// Runs the workflow for the clients of a site; `cmgtrail.preflight` is its face.
#[pyfunction]
#[pyo3(signature = (site, *, client = None, at, logs = None, knowledge = Vec::new()))]
pub(super) fn preflight(
    py: Python<'_>,
    site: PathBuf,
    client: Option<String>,
    at: &Bound<'_, PyAny>,
    logs: Option<&Trail>,
    knowledge: Vec<PathBuf>,
) -> PyResult<Preflight> {
    let options = Options { client, at: instant("at", at)? };
    let trail = logs.map(|trail| Arc::clone(&trail.0));
    Ok(Preflight(Arc::new(py.detach(move || {
        let knowledge = Knowledge::with_files(&knowledge)?;
        let site = engine::with_clients(Site::read_with(&site, &parquet)?, &site)?;
        let observed = trail.as_ref().map(|trail| Observed { flows: &trail.flows, findings: &trail.findings });
        engine::Preflight::of(&site, &options, observed, &knowledge)
    })?)))
}

/// Parquet as CSV, by whichever library Python has.
fn parquet(path: &Path) -> Result<String, String> {
    Python::attach(|py| {
        let read = || py.import("cmgtrail.frames")?.getattr("parquet_as_csv")?.call1((path,))?.extract::<String>();
        read().map_err(|error| error.value(py).to_string())
    })
}

/// A first `site.toml` from what logs reveal.
#[pyfunction]
#[pyo3(signature = (trail, *, paths = None))]
pub(super) fn sketch_site(py: Python<'_>, trail: &Trail, paths: Option<HashMap<String, String>>) -> String {
    let trail = Arc::clone(&trail.0);
    py.detach(move || {
        let seen =
            Seen { flows: &trail.flows, events: &trail.events, sources: &trail.sources, artefacts: &trail.artefacts };
        engine::sketch(seen, &|path| match &paths {
            Some(paths) => paths.get(path).cloned(),
            None => Some(path.to_owned()),
        })
    })
}

/// Whether the clients of a site would work.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Preflight(Arc<engine::Preflight>);

#[pymethods]
impl Preflight {
    #[getter]
    fn works(&self) -> Option<bool> {
        self.0.works
    }

    #[getter]
    fn at(&self) -> &str {
        &self.0.at
    }

    #[getter]
    fn clients<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let clients = PyDict::new(py);
        for client in &self.0.clients {
            clients.set_item(&client.client, client.works)?;
        }
        Ok(clients)
    }

    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    #[getter]
    fn stages(&self) -> PredictedStages {
        PredictedStages(Arc::clone(&self.0))
    }

    #[getter]
    fn findings(&self) -> Vec<Forecast> {
        (0..self.0.findings.len()).map(|place| Forecast { preflight: Arc::clone(&self.0), place }).collect()
    }

    /// The JSON form as dicts and lists.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &*self.0)
    }

    /// The JSON form: what the command prints with `--format json`.
    #[pyo3(signature = (*, indent = true))]
    fn to_json(&self, py: Python<'_>, indent: bool) -> PyResult<String> {
        let preflight = &*self.0;
        py.detach(|| if indent { serde_json::to_string_pretty(preflight) } else { serde_json::to_string(preflight) })
            .map_err(|error| defect(&error.to_string()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}

/// One failure that is predicted.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Forecast {
    preflight: Arc<engine::Preflight>,
    place: usize,
}

impl std::ops::Deref for Forecast {
    type Target = engine::Forecast;

    // A place is made by counting the very findings that are held here, which do not change: it is there.
    fn deref(&self) -> &engine::Forecast {
        &self.preflight.findings[self.place]
    }
}

#[pymethods]
impl Forecast {
    #[getter]
    fn failure(&self) -> &str {
        &self.failure
    }

    #[getter]
    fn severity(&self) -> String {
        id(self.severity)
    }

    #[getter]
    fn confidence(&self) -> String {
        id(self.confidence)
    }

    #[getter]
    fn stage(&self) -> &'static str {
        self.stage.id()
    }

    #[getter]
    fn scope(&self) -> &str {
        &self.scope
    }

    #[getter]
    fn title(&self) -> &str {
        &self.title
    }

    #[getter]
    fn why(&self) -> &str {
        &self.why
    }

    #[getter]
    fn explanation(&self) -> &str {
        &self.explanation
    }

    #[getter]
    fn remedy(&self) -> &str {
        &self.remedy
    }

    #[getter]
    fn verify(&self) -> &str {
        &self.verify
    }

    #[getter]
    fn reference(&self) -> &str {
        &self.reference
    }

    #[getter]
    fn met_by(&self) -> BTreeMap<&'static str, Vec<String>> {
        self.met_by.iter().map(|(phase, clients)| (phase.id(), clients.clone())).collect()
    }

    #[getter]
    fn phases(&self) -> Vec<&'static str> {
        self.phases.iter().map(|phase| phase.id()).collect()
    }

    #[getter]
    fn clients(&self) -> Vec<String> {
        self.clients.clone()
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

/// Stages of all clients: a table of columns.
#[pyclass(frozen, module = "cmgtrail")]
pub struct PredictedStages(Arc<engine::Preflight>);

impl Columns for PredictedStages {
    fn schema(&self) -> PyResult<SchemaRef> {
        Ok(engine::stages_schema())
    }

    fn batches(&self) -> PyResult<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static> {
        Ok(std::iter::once(engine::stages(&self.0)))
    }
}

provides_columns!(PredictedStages);

#[pymethods]
#[allow(clippy::unused_self)] // Python asks the object, though there is one such table
impl PredictedStages {
    #[getter]
    fn name(&self) -> &'static str {
        "stages"
    }

    fn __len__(&self) -> usize {
        self.0.clients.iter().flat_map(|client| &client.phases).map(|phase| phase.stages.len()).sum()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}
