//! Sources and the clocks of their machines.

use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::conversions::{datetime, view};
use crate::tables::id;
use crate::{engine, record};

view! {
    /// One log of one machine: a file and its rollovers.
    Source(record::Source) = |trail, row| trail.sources[row.parent];

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    #[getter]
    fn format(&self) -> Option<String> {
        self.format.map(id)
    }

    #[getter]
    fn component(&self) -> Option<&str> {
        self.component.as_deref()
    }

    #[getter]
    fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    #[getter]
    fn role(&self) -> Option<&'static str> {
        self.role.map(crate::stage::Role::id)
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.bytes
    }

    #[getter]
    fn records(&self) -> u64 {
        self.records
    }

    #[getter]
    fn gaps(&self) -> u64 {
        self.gaps
    }

    #[getter]
    fn gap_bytes(&self) -> u64 {
        self.gap_bytes
    }

    #[getter]
    fn first<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.first)
    }

    #[getter]
    fn last<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.last)
    }

    #[getter]
    fn time(&self) -> String {
        id(self.time)
    }

    #[getter]
    fn files(&self) -> Vec<&str> {
        self.files.iter().map(String::as_str).collect()
    }

    #[getter]
    fn notes(&self) -> Vec<&str> {
        self.notes.iter().map(String::as_str).collect()
    }
}

view! {
    /// How far a machine's clock is ahead of the reference.
    Clock(engine::Clock) = |trail, row| trail.clocks[row.parent];

    #[getter]
    fn host(&self) -> &str {
        &self.host
    }

    #[getter]
    fn reference(&self) -> &str {
        &self.reference
    }

    #[getter]
    fn offset_seconds(&self) -> f64 {
        self.offset_seconds
    }

    #[getter]
    fn uncertainty_seconds(&self) -> f64 {
        self.uncertainty_seconds
    }

    #[getter]
    fn pairs(&self) -> usize {
        self.pairs
    }

    #[getter]
    fn since<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.from)
    }
}
