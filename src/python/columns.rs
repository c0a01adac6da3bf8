//! What a thing with columns offers to Python, the same for all of them: an Arrow stream, and frames made of it.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef, TimeUnit};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

use super::conversions::datetime;
use super::errors::defect;

/// Has columns, and lays out its rows in batches when they are asked for.
pub(super) trait Columns {
    /// Names and types.
    fn schema(&self) -> PyResult<SchemaRef>;

    /// All rows, in order.
    fn batches(&self) -> PyResult<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static>;
}

/// Names of the columns, in order.
pub(super) fn names(provider: &impl Columns) -> PyResult<Vec<String>> {
    Ok(provider.schema()?.fields().iter().map(|field| field.name().clone()).collect())
}

/// The columns' names and types, for any library that takes Arrow.
pub(super) fn schema<'py>(py: Python<'py>, provider: &impl Columns) -> PyResult<Bound<'py, PyCapsule>> {
    Ok(to_schema_pycapsule(py, &*provider.schema()?)?)
}

/// An Arrow stream of record batches, laid out only as they are asked for.
pub(super) fn stream<'py>(
    py: Python<'py>,
    provider: &impl Columns,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let field = Arc::new(Field::new_struct("", provider.schema()?.fields().clone(), false));
    let arrays = provider.batches()?.map(|batch| batch.map(|batch| Arc::new(StructArray::from(batch)) as ArrayRef));
    let reader = Box::new(ArrayIterator::new(arrays, field));
    Ok(to_stream_pycapsule(py, reader, requested_schema)?)
}

/// What `cmgtrail.frames` makes of a provider of columns.
pub(super) fn frame<'py>(provider: &Bound<'py, PyAny>, form: &str) -> PyResult<Bound<'py, PyAny>> {
    provider.py().import("cmgtrail.frames")?.getattr(form)?.call1((provider,))
}

/// Gives a class with [`Columns`] the methods by which Python libraries take them.
macro_rules! provides_columns {
    ($class:ty) => {
        #[pymethods]
        impl $class {
            #[getter]
            fn columns(&self) -> PyResult<Vec<String>> {
                crate::python::columns::names(self)
            }

            fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyCapsule>> {
                crate::python::columns::schema(py, self)
            }

            #[pyo3(signature = (requested_schema = None))]
            fn __arrow_c_stream__<'py>(
                &self,
                py: Python<'py>,
                requested_schema: Option<Bound<'py, pyo3::types::PyCapsule>>,
            ) -> PyResult<Bound<'py, pyo3::types::PyCapsule>> {
                crate::python::columns::stream(py, self, requested_schema)
            }

            /// A polars `DataFrame`.
            fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                crate::python::columns::frame(slf.as_any(), "to_polars")
            }

            /// A pandas `DataFrame`.
            fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                crate::python::columns::frame(slf.as_any(), "to_pandas")
            }

            /// Refused: `pandas.DataFrame(table)` asks for it, and would make one column of objects without it.
            #[pyo3(signature = (dtype = None, copy = None))]
            fn __array__(&self, dtype: Option<Py<PyAny>>, copy: Option<Py<PyAny>>) -> PyResult<()> {
                let _ = (dtype, copy);
                Err(pyo3::exceptions::PyTypeError::new_err(
                    "a table of several columns is no array: to_pandas() and to_polars() give DataFrames, column(name) \
                     the values of one column",
                ))
            }
        }
    };
}

pub(super) use provides_columns;

/// The values of one column as Python has them: text, numbers, aware `datetime`s, lists of text, and `None`.
pub(super) fn values<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Vec<Bound<'py, PyAny>>> {
    (0..array.len()).map(|place| value(py, array, place)).collect()
}

fn value<'py>(py: Python<'py>, array: &dyn Array, place: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(place) {
        return Ok(py.None().into_bound(py));
    }
    match array.data_type() {
        DataType::LargeUtf8 => array.as_string::<i64>().value(place).into_bound_py_any(py),
        DataType::Boolean => array.as_boolean().value(place).into_bound_py_any(py),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(place).into_bound_py_any(py),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(place).into_bound_py_any(py),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(place).into_bound_py_any(py),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            datetime(py, Some(array.as_primitive::<TimestampMicrosecondType>().value(place))).into_bound_py_any(py)
        }
        DataType::List(_) => values(py, &*array.as_list::<i32>().value(place))?.into_bound_py_any(py),
        other => Err(defect(&format!("a column of type {other} has no Python values"))),
    }
}
