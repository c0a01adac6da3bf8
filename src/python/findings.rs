//! Findings, the lines that prove them, and what is missing to be certain.

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTuple};

use super::conversions::{datetime, view};
use super::knowledge::Code;
use super::table::Table;
use crate::finding;
use crate::tables::{self, Row, id};

view! {
    /// One cause.
    Finding(finding::Finding) = |trail, row| trail.findings[row.parent];

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
    fn hypothesis(&self) -> bool {
        self.hypothesis
    }

    #[getter]
    fn stage(&self) -> Option<&'static str> {
        self.stage.map(crate::stage::Stage::id)
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
    fn rule(&self) -> &str {
        &self.rule
    }

    #[getter]
    fn evidence(&self) -> Table {
        Table::part(&self.trail, tables::Table::Evidence, self.row.parent)
    }

    #[getter]
    fn missing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let rows = (0..self.missing.len()).map(|child| Missing::new(&self.trail, Row { child, ..self.row }));
        PyTuple::new(py, rows.collect::<Vec<_>>())
    }

    #[getter]
    fn consequences(&self) -> Vec<&str> {
        self.consequences.iter().map(String::as_str).collect()
    }

    #[getter]
    fn flows(&self) -> Table {
        let stopped = self.trail.flows.iter().enumerate().filter(|(_, flow)| self.flows.contains(&flow.id));
        let rows = stopped.map(|(parent, _)| Row { parent, child: 0 }).collect();
        Table::of(&self.trail, tables::Table::Flows, rows)
    }

    #[getter]
    fn clients(&self) -> usize {
        self.clients
    }

    #[getter]
    fn first_seen<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.first_seen)
    }

    #[getter]
    fn last_seen<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.last_seen)
    }
}

view! {
    /// A line that proves a finding.
    Evidence(finding::Evidence) = |trail, row| trail.findings[row.parent].evidence[row.child];

    #[getter]
    fn finding(&self) -> Finding {
        Finding::new(&self.trail, Row { child: 0, ..self.row })
    }

    #[getter]
    fn source(&self) -> &str {
        &self.source
    }

    #[getter]
    fn line(&self) -> u32 {
        self.line
    }

    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    #[getter]
    fn codes(&self) -> Vec<Code> {
        Code::in_text(&self.text)
    }
}

view! {
    /// Evidence that is not at hand and would decide.
    Missing(finding::Missing) = |trail, row| trail.findings[row.parent].missing[row.child];

    #[getter]
    fn what(&self) -> &str {
        &self.what
    }

    #[getter]
    fn machine(&self) -> Option<&str> {
        self.machine.as_deref()
    }

    #[getter]
    fn since<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.from)
    }

    #[getter]
    fn until<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.to)
    }

    #[getter]
    fn separates(&self) -> Vec<&str> {
        self.separates.iter().map(String::as_str).collect()
    }

    #[getter]
    fn how(&self) -> &str {
        &self.how
    }
}
