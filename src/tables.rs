//! Tables: what a trail found, as Arrow columns, joined by flow id.
//!
//! A [`Table`] is a view: its [`Row`]s name places in the trail, and [`Table::batch`] lays them out as columns when
//! somebody asks. All times are UTC in microseconds, all ids are those of the JSON form.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{LargeStringBuilder, ListBuilder};
use arrow_array::types::{ArrowPrimitiveType, Float64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, LargeStringArray, PrimitiveArray, RecordBatch, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use serde::Serialize;

use crate::engine::Trail;
use crate::events::Event;
use crate::finding::{Confidence, Evidence, Finding, Severity};
use crate::flows::{Flow, FlowEvent, StageResult};
use crate::record::Source;
use crate::stage::{FlowKind, Mark, Outcome, Stage, StageStatus};
use crate::time::Micros;
use crate::tokens::without_tokens;

/// The id of a value that JSON shows as one word: a stage, a status, a confidence.
///
/// ```
/// use cmgtrail::{finding::Confidence, tables::id};
/// assert_eq!(id(Confidence::Likely), "likely");
/// ```
pub fn id(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(id)) => id,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The tables of a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// One row a flow.
    Flows,
    /// One row a line of a flow, on whichever machine.
    Events,
    /// One row a stage of a flow.
    Stages,
    /// One row a line of a flow: why it belongs there.
    Joins,
    /// One row a finding.
    Findings,
    /// One row a line that proves a finding.
    Evidence,
    /// One row a log.
    Sources,
}

/// A row of a table: which flow, finding or source, and which part of it (0 where the row is the whole).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Index of the flow, finding or source in the trail.
    pub parent: usize,
    /// Index of the event, stage or line of evidence in it.
    pub child: usize,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 7] =
        [Self::Flows, Self::Events, Self::Stages, Self::Joins, Self::Findings, Self::Evidence, Self::Sources];

    /// The table's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Events => "events",
            Self::Stages => "stages",
            Self::Joins => "joins",
            Self::Findings => "findings",
            Self::Evidence => "evidence",
            Self::Sources => "sources",
        }
    }

    /// All rows that `trail` has for this table, in the trail's order.
    pub fn rows(self, trail: &Trail) -> Vec<Row> {
        let parents = match self {
            Self::Flows | Self::Events | Self::Stages | Self::Joins => trail.flows.len(),
            Self::Findings | Self::Evidence => trail.findings.len(),
            Self::Sources => trail.sources.len(),
        };
        (0..parents).flat_map(|parent| self.rows_of(trail, parent)).collect()
    }

    /// The rows that belong to one flow, finding or source.
    pub fn rows_of(self, trail: &Trail, parent: usize) -> impl Iterator<Item = Row> + use<> {
        let children = match self {
            Self::Flows | Self::Findings | Self::Sources => 1,
            Self::Events | Self::Joins => trail.flows.get(parent).map_or(0, |flow| flow.events.len()),
            Self::Stages => trail.flows.get(parent).map_or(0, |flow| flow.stages.len()),
            Self::Evidence => trail.findings.get(parent).map_or(0, |finding| finding.evidence.len()),
        };
        (0..children).map(move |child| Row { parent, child })
    }

    /// The columns of this table: the same for every trail.
    ///
    /// # Errors
    /// None that a caller could cause; the type is Arrow's.
    pub fn schema(self, trail: &Trail) -> Result<SchemaRef, ArrowError> {
        Ok(self.batch(trail, &[])?.schema())
    }

    /// Lays `rows` out as columns. Rows that the trail does not have are left out.
    ///
    /// # Errors
    /// None that a caller could cause; the type is Arrow's.
    pub fn batch(self, trail: &Trail, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
        match self {
            Self::Flows => flows(trail, &pick(rows, |row| trail.flows.get(row.parent))),
            Self::Events => events(trail, &pick(rows, |row| event(trail, row))),
            Self::Stages => stages(&pick(rows, |row| stage(trail, row))),
            Self::Joins => joins(&pick(rows, |row| event(trail, row))),
            Self::Findings => findings(&pick(rows, |row| Some((row.parent, trail.findings.get(row.parent)?)))),
            Self::Evidence => evidence(trail, &pick(rows, |row| proof(trail, row))),
            Self::Sources => sources(trail, &pick(rows, |row| trail.sources.get(row.parent))),
        }
    }
}

/// The ids that a column of a closed set can have, in words, where `word` is none of them; letter case makes no
/// difference. `None` for every other column.
///
/// ```
/// assert_eq!(cmgtrail::tables::unknown_id("severity", "bad"), Some("one of `info`, `warning`, `error`".to_owned()));
/// assert_eq!(cmgtrail::tables::unknown_id("severity", "Error"), None);
/// assert_eq!(cmgtrail::tables::unknown_id("host", "bad"), None);
/// ```
pub fn unknown_id(column: &str, word: &str) -> Option<String> {
    fn refused<T: serde::de::DeserializeOwned>(word: &str) -> Option<String> {
        let error = serde_json::from_value::<T>(word.to_ascii_lowercase().into()).err()?.to_string();
        Some(error.rsplit_once("expected ").map_or(error.clone(), |(_, known)| known.to_owned()))
    }
    match column {
        "kind" => refused::<FlowKind>(word),
        "outcome" => refused::<Outcome>(word),
        "stage" | "broke_at" => refused::<Stage>(word),
        "status" => refused::<StageStatus>(word),
        "mark" => refused::<Mark>(word),
        "severity" => refused::<Severity>(word),
        "confidence" => refused::<Confidence>(word),
        _ => None,
    }
}

fn pick<'a, T>(rows: &'a [Row], get: impl Fn(&'a Row) -> Option<T>) -> Vec<T> {
    rows.iter().filter_map(get).collect()
}

fn event<'a>(trail: &'a Trail, row: &Row) -> Option<(&'a Flow, &'a FlowEvent)> {
    let flow = trail.flows.get(row.parent)?;
    Some((flow, flow.events.get(row.child)?))
}

fn stage<'a>(trail: &'a Trail, row: &Row) -> Option<(&'a Flow, &'a StageResult)> {
    let flow = trail.flows.get(row.parent)?;
    Some((flow, flow.stages.get(row.child)?))
}

fn proof<'a>(trail: &'a Trail, row: &Row) -> Option<(usize, &'a Finding, &'a Evidence)> {
    let finding = trail.findings.get(row.parent)?;
    Some((row.parent, finding, finding.evidence.get(row.child)?))
}

fn flows(trail: &Trail, rows: &[&Flow]) -> Result<RecordBatch, ArrowError> {
    let mut failures: HashMap<&str, Vec<&str>> = HashMap::new();
    for finding in &trail.findings {
        for flow in &finding.flows {
            failures.entry(flow).or_default().push(&finding.failure);
        }
    }
    let mut columns = Columns::default();
    columns.text("flow_id", rows.iter().map(|flow| &flow.id));
    columns.text("kind", rows.iter().map(|flow| id(flow.kind)));
    columns.maybe_text("host", rows.iter().map(|flow| flow.client.host.as_ref()));
    columns.maybe_text("device_id", rows.iter().map(|flow| flow.client.device_id.as_ref()));
    columns.maybe_text("user_id", rows.iter().map(|flow| flow.client.user_id.as_ref()));
    columns.maybe_text("client_id", rows.iter().map(|flow| flow.client.client_id.as_ref()));
    columns.maybe_text("tenant_id", rows.iter().map(|flow| flow.client.tenant_id.as_ref()));
    columns.number::<UInt32Type>("attempts", rows.iter().map(|flow| flow.attempts));
    columns.time("started", rows.iter().map(|flow| flow.started));
    columns.time("ended", rows.iter().map(|flow| flow.ended));
    columns.text("outcome", rows.iter().map(|flow| id(flow.outcome)));
    columns.maybe_text("broke_at", rows.iter().map(|flow| flow.broke_at.map(id)));
    columns.number::<UInt64Type>("events", rows.iter().map(|flow| flow.events.len() as u64));
    columns.list("failures", rows.iter().map(|flow| failures.get(flow.id.as_str()).into_iter().flatten()));
    columns.finish()
}

fn events(trail: &Trail, rows: &[(&Flow, &FlowEvent)]) -> Result<RecordBatch, ArrowError> {
    let written: Vec<Option<&Event>> = rows.iter().map(|(_, event)| trail.events.get(event.event as usize)).collect();
    let host = |event: &Event| trail.sources.get(event.place.source as usize)?.host.as_ref();
    let mut columns = Columns::default();
    columns.text("flow_id", rows.iter().map(|(flow, _)| &flow.id));
    columns.number::<UInt32Type>("attempt", rows.iter().map(|(_, event)| event.attempt));
    columns.text("stage", rows.iter().map(|(_, event)| event.stage.id()));
    columns.text("mark", rows.iter().map(|(_, event)| id(event.mark)));
    columns.time("at", rows.iter().map(|(_, event)| event.at));
    columns.maybe_text("host", written.iter().map(|event| event.and_then(host)));
    columns.text("source", rows.iter().map(|(_, event)| &event.source));
    columns.number::<UInt32Type>("line", rows.iter().map(|(_, event)| event.line));
    columns.text("message", rows.iter().map(|(_, event)| &event.message));
    columns.maybe_text("text", written.iter().map(|event| event.map(|event| without_tokens(&event.text))));
    columns.finish()
}

fn stages(rows: &[(&Flow, &StageResult)]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.text("flow_id", rows.iter().map(|(flow, _)| &flow.id));
    columns.text("stage", rows.iter().map(|(_, result)| result.stage.id()));
    columns.text("status", rows.iter().map(|(_, result)| id(result.status)));
    columns.flag("inferred", rows.iter().map(|(_, result)| result.inferred));
    columns.maybe_text("reason", rows.iter().map(|(_, result)| result.reason.as_ref()));
    columns.time("at", rows.iter().map(|(_, result)| result.at));
    columns.maybe_text("source", rows.iter().map(|(_, result)| Some(&result.evidence.first()?.source)));
    columns.maybe_number::<UInt32Type>("line", rows.iter().map(|(_, result)| Some(result.evidence.first()?.line)));
    columns.finish()
}

fn joins(rows: &[(&Flow, &FlowEvent)]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.text("flow_id", rows.iter().map(|(flow, _)| &flow.id));
    columns.text("source", rows.iter().map(|(_, event)| &event.source));
    columns.number::<UInt32Type>("line", rows.iter().map(|(_, event)| event.line));
    columns.list("by", rows.iter().map(|(_, event)| &event.join.by));
    columns.text("confidence", rows.iter().map(|(_, event)| id(event.join.confidence)));
    columns.maybe_number::<Float64Type>("distance_seconds", rows.iter().map(|(_, event)| event.join.distance_seconds));
    columns.number::<UInt64Type>("rivals", rows.iter().map(|(_, event)| event.join.rivals as u64));
    let to = |event: &FlowEvent| event.join.to.clone();
    columns.maybe_text("to_source", rows.iter().map(|(_, event)| to(event).map(|line| line.source)));
    columns.maybe_number::<UInt32Type>("to_line", rows.iter().map(|(_, event)| to(event).map(|line| line.line)));
    columns.finish()
}

fn findings(rows: &[(usize, &Finding)]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.number::<UInt64Type>("finding", rows.iter().map(|(rank, _)| *rank as u64));
    columns.text("failure", rows.iter().map(|(_, finding)| &finding.failure));
    columns.text("severity", rows.iter().map(|(_, finding)| id(finding.severity)));
    columns.text("confidence", rows.iter().map(|(_, finding)| id(finding.confidence)));
    columns.flag("hypothesis", rows.iter().map(|(_, finding)| finding.hypothesis));
    columns.maybe_text("stage", rows.iter().map(|(_, finding)| finding.stage.map(id)));
    columns.text("scope", rows.iter().map(|(_, finding)| &finding.scope));
    columns.text("title", rows.iter().map(|(_, finding)| &finding.title));
    columns.text("explanation", rows.iter().map(|(_, finding)| &finding.explanation));
    columns.text("remedy", rows.iter().map(|(_, finding)| &finding.remedy));
    columns.text("verify", rows.iter().map(|(_, finding)| &finding.verify));
    columns.text("reference", rows.iter().map(|(_, finding)| &finding.reference));
    columns.text("rule", rows.iter().map(|(_, finding)| &finding.rule));
    columns.list("consequences", rows.iter().map(|(_, finding)| &finding.consequences));
    columns.list("flow_ids", rows.iter().map(|(_, finding)| &finding.flows));
    columns.number::<UInt64Type>("clients", rows.iter().map(|(_, finding)| finding.clients as u64));
    columns.time("first_seen", rows.iter().map(|(_, finding)| finding.first_seen));
    columns.time("last_seen", rows.iter().map(|(_, finding)| finding.last_seen));
    columns.finish()
}

fn evidence(trail: &Trail, rows: &[(usize, &Finding, &Evidence)]) -> Result<RecordBatch, ArrowError> {
    let mut owners: HashMap<(&str, u32), Vec<&str>> = HashMap::new();
    for flow in &trail.flows {
        for event in &flow.events {
            owners.entry((&event.source, event.line)).or_default().push(&flow.id);
        }
    }
    let owner = |finding: &Finding, line: &Evidence| {
        let flows = owners.get(&(&*line.source, line.line))?;
        flows.iter().find(|flow| finding.flows.iter().any(|id| id == *flow)).copied()
    };
    let mut columns = Columns::default();
    columns.number::<UInt64Type>("finding", rows.iter().map(|(rank, ..)| *rank as u64));
    columns.text("failure", rows.iter().map(|(_, finding, _)| &finding.failure));
    columns.maybe_text("flow_id", rows.iter().map(|(_, finding, line)| owner(finding, line)));
    columns.text("source", rows.iter().map(|(.., line)| &line.source));
    columns.number::<UInt32Type>("line", rows.iter().map(|(.., line)| line.line));
    columns.text("text", rows.iter().map(|(.., line)| &line.text));
    columns.finish()
}

fn sources(trail: &Trail, rows: &[&Source]) -> Result<RecordBatch, ArrowError> {
    let mut readers: HashMap<&str, Vec<&str>> = HashMap::new();
    for flow in &trail.flows {
        for event in &flow.events {
            let flows = readers.entry(&event.source).or_default();
            if flows.last() != Some(&flow.id.as_str()) {
                flows.push(&flow.id);
            }
        }
    }
    let flow_ids = |source: &Source| {
        let mut ids: Vec<&str> =
            source.files.iter().filter_map(|file| readers.get(file.as_str())).flatten().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let mut columns = Columns::default();
    columns.text("path", rows.iter().map(|source| &source.path));
    columns.maybe_text("format", rows.iter().map(|source| source.format.map(id)));
    columns.maybe_text("component", rows.iter().map(|source| source.component.as_ref()));
    columns.maybe_text("host", rows.iter().map(|source| source.host.as_ref()));
    columns.maybe_text("role", rows.iter().map(|source| source.role.map(id)));
    columns.number::<UInt64Type>("bytes", rows.iter().map(|source| source.bytes));
    columns.number::<UInt64Type>("records", rows.iter().map(|source| source.records));
    columns.number::<UInt64Type>("gaps", rows.iter().map(|source| source.gaps));
    columns.number::<UInt64Type>("gap_bytes", rows.iter().map(|source| source.gap_bytes));
    columns.time("from", rows.iter().map(|source| source.first));
    columns.time("to", rows.iter().map(|source| source.last));
    columns.text("time", rows.iter().map(|source| id(source.time)));
    columns.list("files", rows.iter().map(|source| &source.files));
    columns.list("notes", rows.iter().map(|source| &source.notes));
    columns.list("flow_ids", rows.iter().map(|source| flow_ids(source)));
    columns.finish()
}

/// Columns under construction, in order.
#[derive(Default)]
struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn add(&mut self, name: &str, nullable: bool, array: ArrayRef) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }

    /// Log text is as long as its writer likes: 64-bit offsets, so that no column can overflow.
    fn text<S: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = S>) {
        self.add(name, false, Arc::new(LargeStringArray::from_iter_values(values)));
    }

    fn maybe_text<S: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = Option<S>>) {
        self.add(name, true, Arc::new(values.collect::<LargeStringArray>()));
    }

    fn number<T: ArrowPrimitiveType>(&mut self, name: &str, values: impl Iterator<Item = T::Native>) {
        self.add(name, false, Arc::new(PrimitiveArray::<T>::from_iter_values(values)));
    }

    fn maybe_number<T: ArrowPrimitiveType>(&mut self, name: &str, values: impl Iterator<Item = Option<T::Native>>) {
        let values: Vec<Option<T::Native>> = values.collect();
        self.add(name, true, Arc::new(PrimitiveArray::<T>::from_iter(values)));
    }

    fn flag(&mut self, name: &str, values: impl Iterator<Item = bool>) {
        self.add(name, false, Arc::new(values.map(Some).collect::<BooleanArray>()));
    }

    fn time(&mut self, name: &str, values: impl Iterator<Item = Option<Micros>>) {
        self.add(name, true, Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC")));
    }

    fn list<S: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = impl IntoIterator<Item = S>>) {
        let mut builder = ListBuilder::new(LargeStringBuilder::new());
        for value in values {
            builder.append_value(value.into_iter().map(Some));
        }
        self.add(name, false, Arc::new(builder.finish()));
    }

    fn finish(self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
    }
}
