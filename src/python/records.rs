//! Records as a stream: read anew each time it is asked for, never all in memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, SchemaRef, TimeUnit};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict};
use serde::{Serialize, Serializer};

use super::columns::{Columns, provides_columns};
use super::conversions::{datetime, micros};
use super::errors::defect;
use super::reading::{Desk, watched};
use crate::columns::{Batches, RecordStream, Window, schema};
use crate::error::Error;
use crate::time::{Micros, rfc3339};

/// The records of some logs.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Records(pub(super) RecordStream);

/// Opens logs as records; `cmgtrail.records` is its face.
#[pyfunction]
#[pyo3(signature = (paths, *, since = None, until = None, encoding = None, progress = None))]
pub(super) fn records(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    since: Option<&Bound<'_, PyAny>>,
    until: Option<&Bound<'_, PyAny>>,
    encoding: Option<String>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Records> {
    let since = since.map(|value| micros("since", value)).transpose()?;
    let until = until.map(|value| micros("until", value)).transpose()?;
    let window = Window::between(since, until)?;
    let open = move |desk: &Desk| RecordStream::open(&paths, encoding.as_deref(), window, desk);
    Ok(Records(watched(py, progress, open)?))
}

impl Columns for Records {
    fn schema(&self) -> PyResult<SchemaRef> {
        Ok(schema())
    }

    fn batches(&self) -> PyResult<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static> {
        Ok(self.0.batches().map(|batch| batch.map_err(|error| ArrowError::ExternalError(Box::new(error)))))
    }
}

provides_columns!(Records);

#[pymethods]
impl Records {
    fn __iter__(&self) -> RecordIterator {
        RecordIterator(Mutex::new(Cursor { batches: self.0.batches(), batch: None, row: 0 }))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        super::conversions::display(slf.as_any(), "text")
    }
}

/// Where an iteration stands.
struct Cursor {
    batches: Batches,
    batch: Option<Arc<RecordBatch>>,
    row: usize,
}

impl Cursor {
    fn step(&mut self) -> Result<Option<(Arc<RecordBatch>, usize)>, Error> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| self.row < batch.num_rows()) {
                let here = (Arc::clone(batch), self.row);
                self.row += 1;
                return Ok(Some(here));
            }
            let Some(batch) = self.batches.next().transpose()? else { return Ok(None) };
            (self.batch, self.row) = (Some(Arc::new(batch)), 0);
        }
    }
}

/// One pass over the records.
#[pyclass(frozen, module = "cmgtrail")]
pub struct RecordIterator(Mutex<Cursor>);

#[pymethods]
impl RecordIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        let step = py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).step())?;
        Ok(step.map(|(batch, row)| Record { batch, row }))
    }
}

/// One log record.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Record {
    batch: Arc<RecordBatch>,
    row: usize,
}

impl Record {
    fn cell(&self, name: &str) -> PyResult<Cell<'_>> {
        let column =
            self.batch.column_by_name(name).ok_or_else(|| defect(&format!("records have no column '{name}'")))?;
        cell(column, self.row).ok_or_else(|| defect(&format!("column '{name}' has a type that is not understood")))
    }

    /// All columns, in order.
    fn cells(&self) -> PyResult<Vec<(&str, Cell<'_>)>> {
        let columns = self.batch.schema_ref().fields().iter().zip(self.batch.columns());
        let cells = columns.map(|(field, column)| Some((field.name().as_str(), cell(column, self.row)?)));
        cells.collect::<Option<_>>().ok_or_else(|| defect("a column of the records has a type that is not understood"))
    }

    fn word(&self, name: &str) -> PyResult<Option<&str>> {
        Ok(if let Cell::Text(text) = self.cell(name)? { Some(text) } else { None })
    }

    fn count(&self, name: &str) -> PyResult<Option<i64>> {
        Ok(if let Cell::Number(number) = self.cell(name)? { Some(number) } else { None })
    }
}

#[pymethods]
impl Record {
    #[getter]
    fn source(&self) -> PyResult<Option<&str>> {
        self.word("source")
    }

    #[getter]
    fn file(&self) -> PyResult<Option<&str>> {
        self.word("file")
    }

    #[getter]
    fn line(&self) -> PyResult<Option<i64>> {
        self.count("line")
    }

    #[getter]
    fn byte_start(&self) -> PyResult<Option<i64>> {
        self.count("byte_start")
    }

    #[getter]
    fn byte_end(&self) -> PyResult<Option<i64>> {
        self.count("byte_end")
    }

    #[getter]
    fn local_time<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        match self.cell("local_time")? {
            Cell::Local(local) => Ok(Some(naive(py, local)?)),
            _ => Ok(None),
        }
    }

    #[getter]
    fn bias_minutes(&self) -> PyResult<Option<i64>> {
        self.count("bias_minutes")
    }

    #[getter]
    fn utc<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        Ok(if let Cell::Utc(utc) = self.cell("utc")? { datetime(py, Some(utc)) } else { None })
    }

    #[getter]
    fn utc_quality(&self) -> PyResult<Option<&str>> {
        self.word("utc_quality")
    }

    #[getter]
    fn host(&self) -> PyResult<Option<&str>> {
        self.word("host")
    }

    #[getter]
    fn component(&self) -> PyResult<Option<&str>> {
        self.word("component")
    }

    #[getter]
    fn thread(&self) -> PyResult<Option<i64>> {
        self.count("thread")
    }

    #[getter]
    fn context(&self) -> PyResult<Option<&str>> {
        self.word("context")
    }

    #[getter]
    fn severity(&self) -> PyResult<Option<&str>> {
        self.word("severity")
    }

    #[getter]
    fn code_file(&self) -> PyResult<Option<&str>> {
        self.word("code_file")
    }

    #[getter]
    fn text(&self) -> PyResult<Option<&str>> {
        self.word("text")
    }

    #[getter]
    fn damaged(&self) -> PyResult<bool> {
        Ok(matches!(self.cell("damaged")?, Cell::Flag(true)))
    }

    /// All columns by name, times as text.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, value) in self.cells()? {
            match value {
                Cell::Null => dict.set_item(name, py.None())?,
                Cell::Text(text) => dict.set_item(name, text)?,
                Cell::Number(number) => dict.set_item(name, number)?,
                Cell::Flag(flag) => dict.set_item(name, flag)?,
                Cell::Utc(utc) => dict.set_item(name, rfc3339(utc))?,
                Cell::Local(local) => dict.set_item(name, rfc3339(local).trim_end_matches('Z'))?,
            }
        }
        Ok(dict)
    }

    /// The same as JSON on one line.
    fn to_json(&self) -> PyResult<String> {
        let cells: Cells<'_> = Cells(self.cells()?);
        serde_json::to_string(&cells).map_err(|error| defect(&error.to_string()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        super::conversions::display(slf.as_any(), "text")
    }
}

/// A record's columns, as a JSON object in their order.
struct Cells<'a>(Vec<(&'a str, Cell<'a>)>);

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Utc(utc) => serializer.serialize_str(&rfc3339(*utc)),
            Self::Local(local) => serializer.serialize_str(rfc3339(*local).trim_end_matches('Z')),
        }
    }
}

/// One value of a column.
enum Cell<'a> {
    Null,
    Text(&'a str),
    Number(i64),
    Flag(bool),
    Utc(Micros),
    Local(Micros),
}

/// The value at `row`, whatever way Arrow stores it; `None` for types that records do not have.
fn cell(column: &dyn Array, row: usize) -> Option<Cell<'_>> {
    if column.is_null(row) {
        return Some(Cell::Null);
    }
    Some(match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cell::Text(column.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(column.as_string_view().value(row)),
        DataType::Boolean => Cell::Flag(column.as_boolean().value(row)),
        DataType::Int16 => Cell::Number(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Number(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Number(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt16 => Cell::Number(column.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Cell::Number(column.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => Cell::Number(column.as_primitive::<UInt64Type>().value(row).try_into().ok()?),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            if zone.is_some() { Cell::Utc(micros) } else { Cell::Local(micros) }
        }
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => word::<Int8Type>(column, row)?,
            DataType::Int16 => word::<Int16Type>(column, row)?,
            DataType::Int32 => word::<Int32Type>(column, row)?,
            DataType::UInt8 => word::<UInt8Type>(column, row)?,
            DataType::UInt16 => word::<UInt16Type>(column, row)?,
            DataType::UInt32 => word::<UInt32Type>(column, row)?,
            _ => return None,
        },
        _ => return None,
    })
}

/// The word behind a dictionary key.
fn word<K: ArrowDictionaryKeyType>(column: &dyn Array, row: usize) -> Option<Cell<'_>> {
    let dictionary = column.as_dictionary::<K>();
    cell(dictionary.values(), dictionary.key(row)?)
}

/// A time of day without a zone, as the log shows it.
fn naive(py: Python<'_>, local: Micros) -> PyResult<Bound<'_, PyDateTime>> {
    let stamp = jiff::Timestamp::from_microsecond(local).unwrap_or_default();
    jiff::tz::TimeZone::UTC.to_datetime(stamp).into_pyobject(py)
}
