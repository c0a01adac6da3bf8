//! Flows, their stages, their lines and the joins that brought these together.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDateTime};

use super::conversions::{datetime, to_dict, view};
use super::table::Table;
use super::trail::Trail;
use crate::flows;
use crate::tables::{self, Row, id};
use crate::tokens::without_tokens;

view! {
    /// One purpose pursued by one client, with its attempts.
    Flow(flows::Flow) = |trail, row| trail.flows[row.parent];

    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    #[getter]
    fn kind(&self) -> String {
        id(self.kind)
    }

    #[getter]
    fn client(&self) -> Client {
        Client::new(&self.trail, self.row)
    }

    #[getter]
    fn attempts(&self) -> u32 {
        self.attempts
    }

    #[getter]
    fn started<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.started)
    }

    #[getter]
    fn ended<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.ended)
    }

    #[getter]
    fn outcome(&self) -> String {
        id(self.outcome)
    }

    #[getter]
    fn broke_at(&self) -> Option<&'static str> {
        self.broke_at.map(crate::stage::Stage::id)
    }

    #[getter]
    fn stages(&self) -> Table {
        Table::part(&self.trail, tables::Table::Stages, self.row.parent)
    }

    #[getter]
    fn events(&self) -> Table {
        Table::part(&self.trail, tables::Table::Events, self.row.parent)
    }

    #[getter]
    fn joins(&self) -> Table {
        Table::part(&self.trail, tables::Table::Joins, self.row.parent)
    }

    #[getter]
    fn candidate_ranges<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &self.candidate_ranges)
    }

    #[getter]
    fn findings(&self) -> Table {
        let naming = self.trail.findings.iter().enumerate().filter(|(_, finding)| finding.flows.contains(&self.id));
        let rows = naming.map(|(parent, _)| Row { parent, child: 0 }).collect();
        Table::of(&self.trail, tables::Table::Findings, rows)
    }

    /// The flow as a sequence diagram.
    #[pyo3(signature = (*, every = false))]
    fn plot<'py>(slf: &Bound<'py, Self>, every: bool) -> PyResult<Bound<'py, PyAny>> {
        let trail = Trail(std::sync::Arc::clone(&slf.get().trail));
        let options = [("every", every)].into_py_dict(slf.py())?;
        slf.py().import("cmgtrail.plots")?.call_method("flow", (slf, trail), Some(&options))
    }
}

view! {
    /// Who pursued a flow, as far as the logs say.
    Client(flows::ClientIdentity) = |trail, row| trail.flows[row.parent].client;

    #[getter]
    fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    #[getter]
    fn device_id(&self) -> Option<&str> {
        self.device_id.as_deref()
    }

    #[getter]
    fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    #[getter]
    fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    #[getter]
    fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }
}

view! {
    /// A stage of a flow, as judged over its last attempt.
    Stage(flows::StageResult) = |trail, row| trail.flows[row.parent].stages[row.child];

    #[getter]
    fn flow(&self) -> Flow {
        Flow::new(&self.trail, Row { child: 0, ..self.row })
    }

    #[getter]
    fn stage(&self) -> &'static str {
        self.stage.id()
    }

    #[getter]
    fn status(&self) -> String {
        id(self.status)
    }

    #[getter]
    fn inferred(&self) -> bool {
        self.inferred
    }

    #[getter]
    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.at)
    }

    #[getter]
    fn evidence(&self) -> Vec<(&str, u32)> {
        self.evidence.iter().map(|line| (&*line.source, line.line)).collect()
    }
}

view! {
    /// A line as part of a flow.
    Event(flows::FlowEvent) = |trail, row| trail.flows[row.parent].events[row.child];

    #[getter]
    fn flow(&self) -> Flow {
        Flow::new(&self.trail, Row { child: 0, ..self.row })
    }

    #[getter]
    fn attempt(&self) -> u32 {
        self.attempt
    }

    #[getter]
    fn stage(&self) -> &'static str {
        self.stage.id()
    }

    #[getter]
    fn mark(&self) -> String {
        id(self.mark)
    }

    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.at)
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
    fn message(&self) -> &str {
        &self.message
    }

    #[getter]
    fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.trail.events.get(self.event as usize).map(|event| without_tokens(&event.text))
    }

    #[getter]
    fn join(&self) -> Join {
        Join::new(&self.trail, self.row)
    }
}

view! {
    /// Why a line belongs to a flow.
    Join(flows::Join) = |trail, row| trail.flows[row.parent].events[row.child].join;

    #[getter]
    fn event(&self) -> Event {
        Event::new(&self.trail, self.row)
    }

    #[getter]
    fn by(&self) -> Vec<&str> {
        self.by.iter().map(String::as_str).collect()
    }

    #[getter]
    fn confidence(&self) -> String {
        id(self.confidence)
    }

    #[getter]
    fn distance_seconds(&self) -> Option<f64> {
        self.distance_seconds
    }

    #[getter]
    fn rivals(&self) -> usize {
        self.rivals
    }

    #[getter]
    fn to(&self) -> Option<(&str, u32)> {
        self.to.as_ref().map(|line| (&*line.source, line.line))
    }
}
