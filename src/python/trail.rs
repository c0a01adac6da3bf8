//! The trail: everything read, followed and diagnosed.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::conversions::{display, to_dict};
use super::errors::defect;
use super::records::Records;
use super::sources::Clock;
use super::table::Table;
use crate::engine;
use crate::tables::{self, Row};

/// Everything read, followed and diagnosed.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Trail(pub(super) Arc<engine::Trail>);

#[pymethods]
impl Trail {
    #[getter]
    fn paths(&self) -> Vec<String> {
        self.0.paths.iter().map(|path| path.display().to_string()).collect()
    }

    #[getter]
    fn traffic(&self) -> bool {
        self.0.traffic
    }

    #[getter]
    fn flows(&self) -> Table {
        Table::whole(&self.0, tables::Table::Flows)
    }

    #[getter]
    fn events(&self) -> Table {
        Table::whole(&self.0, tables::Table::Events)
    }

    #[getter]
    fn stages(&self) -> Table {
        Table::whole(&self.0, tables::Table::Stages)
    }

    #[getter]
    fn joins(&self) -> Table {
        Table::whole(&self.0, tables::Table::Joins)
    }

    #[getter]
    fn findings(&self) -> Table {
        Table::whole(&self.0, tables::Table::Findings)
    }

    #[getter]
    fn evidence(&self) -> Table {
        Table::whole(&self.0, tables::Table::Evidence)
    }

    #[getter]
    fn sources(&self) -> Table {
        Table::whole(&self.0, tables::Table::Sources)
    }

    #[getter]
    fn clocks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let rows = (0..self.0.clocks.len()).map(|parent| Clock::new(&self.0, Row { parent, child: 0 }));
        PyTuple::new(py, rows.collect::<Vec<_>>())
    }

    #[getter]
    fn artefacts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        Ok(to_dict(py, &self.0.document().artefacts)?.cast_into::<PyList>()?)
    }

    #[getter]
    fn records(&self) -> Records {
        Records(self.0.records())
    }

    /// The JSON form as dicts and lists.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &self.0.document())
    }

    /// The JSON form: what `cmgtrail diagnose --format json` prints.
    #[pyo3(signature = (*, indent = true))]
    fn to_json(&self, py: Python<'_>, indent: bool) -> PyResult<String> {
        let document = self.0.document();
        py.detach(|| if indent { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) })
            .map_err(|error| defect(&error.to_string()))
    }

    /// Writes the HTML report.
    fn report(slf: &Bound<'_, Self>, path: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.py().import("cmgtrail.report")?.call_method1("write", (slf, path))?;
        Ok(())
    }

    /// The pictures of the trail.
    #[getter]
    fn plot<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("cmgtrail.plots")?.call_method1("Plots", (slf,))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}
