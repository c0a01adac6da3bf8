//! Tables: sequences of views that any DataFrame library can take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDict, PyFloat, PyInt, PyList, PySet, PySlice, PyString, PyTuple, PyType};

use super::columns::{Columns, provides_columns, values};
use super::conversions::display;
use super::errors::from_arrow;
use super::findings::{Evidence, Finding};
use super::flows::{Event, Flow, Join, Stage};
use super::sources::Source;
use crate::engine::Trail;
use crate::error::Error;
use crate::tables::{self, Row};

/// Rows laid out at once: large enough to be fast, small enough that a million lines stream.
const ROWS_A_BATCH: usize = 16_384;

/// A sequence of flows, events, stages, joins, findings, lines of evidence or sources; also a table of columns.
#[pyclass(frozen, sequence, module = "cmgtrail")]
pub struct Table {
    trail: Arc<Trail>,
    kind: tables::Table,
    rows: Arc<[Row]>,
}

impl Table {
    pub(super) fn whole(trail: &Arc<Trail>, kind: tables::Table) -> Self {
        Self::of(trail, kind, kind.rows(trail))
    }

    pub(super) fn part(trail: &Arc<Trail>, kind: tables::Table, parent: usize) -> Self {
        Self::of(trail, kind, kind.rows_of(trail, parent).collect())
    }

    pub(super) fn of(trail: &Arc<Trail>, kind: tables::Table, rows: Vec<Row>) -> Self {
        Self { trail: Arc::clone(trail), kind, rows: rows.into() }
    }

    fn view<'py>(&self, py: Python<'py>, row: Row) -> PyResult<Bound<'py, PyAny>> {
        let trail = &self.trail;
        Ok(match self.kind {
            tables::Table::Flows => Bound::new(py, Flow::new(trail, row))?.into_any(),
            tables::Table::Events => Bound::new(py, Event::new(trail, row))?.into_any(),
            tables::Table::Stages => Bound::new(py, Stage::new(trail, row))?.into_any(),
            tables::Table::Joins => Bound::new(py, Join::new(trail, row))?.into_any(),
            tables::Table::Findings => Bound::new(py, Finding::new(trail, row))?.into_any(),
            tables::Table::Evidence => Bound::new(py, Evidence::new(trail, row))?.into_any(),
            tables::Table::Sources => Bound::new(py, Source::new(trail, row))?.into_any(),
        })
    }

    /// The name by which a row can be asked for, if its table has names.
    fn key(&self, row: Row) -> Option<&str> {
        match self.kind {
            tables::Table::Flows => self.trail.flows.get(row.parent).map(|flow| &*flow.id),
            tables::Table::Findings => self.trail.findings.get(row.parent).map(|finding| &*finding.failure),
            tables::Table::Stages => Some(self.trail.flows.get(row.parent)?.stages.get(row.child)?.stage.id()),
            tables::Table::Sources => self.trail.sources.get(row.parent).map(|source| &*source.path),
            tables::Table::Events | tables::Table::Joins | tables::Table::Evidence => None,
        }
    }

    fn by_key<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyAny>> {
        let found = self.rows.iter().find(|row| self.key(**row) == Some(key));
        let row = found.ok_or_else(|| {
            let column = self.schema().is_ok_and(|schema| schema.index_of(key).is_ok());
            let hint = if column { format!("; column('{key}') gives a column") } else { String::new() };
            PyKeyError::new_err(format!("no '{key}' among the {}{hint}", self.kind.name()))
        })?;
        self.view(py, *row)
    }

    fn by_index<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let place = if index < 0 { self.rows.len().checked_add_signed(index) } else { usize::try_from(index).ok() };
        let row = place.and_then(|place| self.rows.get(place)).ok_or_else(|| {
            let count = self.rows.len();
            PyIndexError::new_err(format!("the table of {} has no row [{index}]: it has {count}", self.kind.name()))
        })?;
        self.view(py, *row)
    }

    fn values<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let schema = self.schema()?;
        let place = schema.index_of(name).map_err(|_| Error::Argument {
            argument: self.kind.name().to_owned(),
            expected: format!("one of its columns ({})", names_of(&schema)),
            found: name.to_owned(),
        })?;
        let mut found = Vec::with_capacity(self.rows.len());
        for batch in self.batches()? {
            found.extend(values(py, &**batch.map_err(from_arrow)?.column(place))?);
        }
        Ok(found)
    }

    fn by_slice<'py>(&self, slice: &Bound<'py, PySlice>) -> PyResult<Bound<'py, PyAny>> {
        let range = slice.indices(isize::try_from(self.rows.len())?)?;
        let places = (0..range.slicelength).map(|step| range.start + range.step * step.cast_signed());
        let rows = places.filter_map(|place| self.rows.get(usize::try_from(place).ok()?).copied()).collect();
        Ok(Bound::new(slice.py(), Self::of(&self.trail, self.kind, rows))?.into_any())
    }
}

fn names_of(schema: &SchemaRef) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.join(", ")
}

/// The values that a condition accepts: those of a list, tuple or set, else the one. One that no row can ever have is
/// refused, since the empty table would say that nothing is wrong.
fn alternatives<'py>(column: &Field, wanted: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let several =
        wanted.is_instance_of::<PyList>() || wanted.is_instance_of::<PyTuple>() || wanted.is_instance_of::<PySet>();
    let wanted = if several { wanted.try_iter()?.collect::<PyResult<_>>()? } else { vec![wanted.clone()] };
    for one in &wanted {
        let expected = match one.cast::<PyString>() {
            _ if one.is_callable() => Some("a value, or a list of values; a comprehension filters by code".to_owned()),
            _ if one.is_none() => None,
            Ok(word) => other_kind(column.data_type(), one)
                .map(str::to_owned)
                .or(tables::unknown_id(column.name(), word.to_str()?)),
            Err(_) => other_kind(column.data_type(), one).map(str::to_owned),
        };
        if let Some(expected) = expected {
            let found = one.str()?.to_string();
            return Err(Error::Argument { argument: column.name().to_owned(), expected, found }.into());
        }
    }
    Ok(wanted)
}

/// What a column of this type holds, where a value is of another kind, so that no row could ever have it.
fn other_kind(column: &DataType, value: &Bound<'_, PyAny>) -> Option<&'static str> {
    let is_number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
    let (fits, expected) = match column {
        DataType::List(part) => return other_kind(part.data_type(), value),
        DataType::Dictionary(_, text) => return other_kind(text, value),
        DataType::Utf8 | DataType::LargeUtf8 => (value.is_instance_of::<PyString>(), "a text"),
        DataType::Boolean => (value.is_instance_of::<PyBool>(), "True or False"),
        DataType::Timestamp(..) => {
            let is_aware = value.getattr("tzinfo").is_ok_and(|zone| !zone.is_none());
            (is_aware && value.is_instance_of::<PyDateTime>(), "a datetime with a time zone")
        }
        kind if kind.is_numeric() => (is_number && !value.is_instance_of::<PyBool>(), "a number"),
        _ => (true, ""),
    };
    (!fits).then_some(expected)
}

/// Whether a value, or one of its values where it is a list, is among those wanted; letter case makes no difference.
fn holds_any(value: &Bound<'_, PyAny>, wanted: &[Bound<'_, PyAny>]) -> PyResult<bool> {
    if let Ok(parts) = value.cast::<PyList>() {
        for part in parts {
            if holds_any(&part, wanted)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    for one in wanted {
        let same = match (value.cast::<PyString>(), one.cast::<PyString>()) {
            (Ok(text), Ok(one)) => text.to_str()?.to_lowercase() == one.to_str()?.to_lowercase(),
            _ => value.eq(one)?,
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Columns for Table {
    fn schema(&self) -> PyResult<SchemaRef> {
        self.kind.schema(&self.trail).map_err(from_arrow)
    }

    fn batches(&self) -> PyResult<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static> {
        let (trail, kind, rows) = (Arc::clone(&self.trail), self.kind, Arc::clone(&self.rows));
        let starts = (0..self.rows.len()).step_by(ROWS_A_BATCH);
        Ok(starts.map(move |start| {
            let end = rows.len().min(start + ROWS_A_BATCH);
            kind.batch(&trail, rows.get(start..end).unwrap_or_default())
        }))
    }
}

provides_columns!(Table);

#[pymethods]
impl Table {
    #[classmethod]
    fn __class_getitem__<'py>(class: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        class.py().import("types")?.getattr("GenericAlias")?.call1((class, item))
    }

    /// Which table it is: `flows`, `events`, …
    #[getter]
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The values of one column.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.values(py, name)?)
    }

    /// The rows whose columns have the values asked for.
    #[pyo3(name = "where", signature = (**conditions))]
    fn filtered(&self, py: Python<'_>, conditions: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut rows = self.rows.to_vec();
        for (name, wanted) in conditions.into_iter().flatten() {
            let part = Self::of(&self.trail, self.kind, rows);
            let name = name.extract::<String>()?;
            let found = part.values(py, &name)?;
            let schema = part.schema()?;
            let wanted = alternatives(schema.field_with_name(&name).map_err(from_arrow)?, &wanted)?;
            rows = Vec::new();
            for (row, value) in part.rows.iter().zip(found) {
                if holds_any(&value, &wanted)? {
                    rows.push(*row);
                }
            }
        }
        Ok(Self::of(&self.trail, self.kind, rows))
    }

    fn __len__(&self) -> usize {
        self.rows.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = key.cast::<PySlice>() {
            self.by_slice(slice)
        } else if let Ok(name) = key.extract::<String>() {
            self.by_key(py, &name)
        } else if let Ok(index) = key.extract::<isize>() {
            self.by_index(py, index)
        } else {
            Err(PyTypeError::new_err("a table is asked for a number, a slice or an id"))
        }
    }

    fn __iter__(slf: Bound<'_, Self>) -> TableIterator {
        TableIterator { table: slf.unbind(), next: AtomicUsize::new(0) }
    }

    fn __contains__(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(name) = item.extract::<String>() {
            return Ok(self.rows.iter().any(|row| self.key(*row) == Some(&name)));
        }
        for row in &*self.rows {
            if self.view(py, *row)?.eq(item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            Arc::ptr_eq(&self.trail, &other.trail) && self.kind == other.kind && self.rows == other.rows
        })
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}

/// One pass over a table.
#[pyclass(frozen, module = "cmgtrail")]
pub struct TableIterator {
    table: Py<Table>,
    next: AtomicUsize,
}

#[pymethods]
impl TableIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let table = self.table.get();
        let row = table.rows.get(self.next.fetch_add(1, Ordering::Relaxed));
        row.map(|row| table.view(py, *row)).transpose()
    }
}
