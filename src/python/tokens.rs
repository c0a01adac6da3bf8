//! Tokens: one as a report, a column of them as a table of verdicts.

use std::sync::Arc;

use arrow_array::builder::LargeStringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use pyo3_arrow::input::AnyArray;

use super::columns::{Columns, provides_columns};
use super::conversions::{count, display, instant};
use super::materials::{KEYS, sources, texts, token};
use super::reading::watched;
use super::report::Report;
use crate::engine::Progress;
use crate::error::Error;
use crate::tokens::{self, TokenPolicy, verdict_schema, without_tokens};

/// Rows that are worked on between two looks at what the caller wants, and rows of a column made of a list.
const ROWS_A_TURN: usize = 1 << 17;

/// Reads a token, without anything to hold it against.
#[pyfunction]
#[pyo3(signature = (token, *, mask = false))]
pub(super) fn inspect_token(py: Python<'_>, token: &Bound<'_, PyAny>, mask: bool) -> PyResult<Report> {
    let text = self::token("token", token)?;
    Ok(py.detach(|| Report::on_token(tokens::inspect_token(&text, mask))))
}

/// Checks a token; every check is in the report.
#[pyfunction]
#[pyo3(signature = (token, *, keys = None, audience = None, issuers = None, tenants = None, at, leeway = 300,
                    mask = false))]
#[allow(clippy::too_many_arguments)] // the contract's
pub(super) fn validate_token(
    py: Python<'_>,
    token: &Bound<'_, PyAny>,
    keys: Option<&Bound<'_, PyAny>>,
    audience: Option<&Bound<'_, PyAny>>,
    issuers: Option<&Bound<'_, PyAny>>,
    tenants: Option<&Bound<'_, PyAny>>,
    at: &Bound<'_, PyAny>,
    leeway: i64,
    mask: bool,
) -> PyResult<Report> {
    let text = self::token("token", token)?;
    let policy = policy(keys, (audience, issuers, tenants), at, leeway, mask)?;
    Ok(py.detach(|| Report::on_token(tokens::validate_token(&text, &policy))))
}

/// Checks a column of tokens on all cores; `cmgtrail.validate_tokens` is its face.
#[pyfunction]
#[pyo3(signature = (tokens, *, keys = None, audience = None, issuers = None, tenants = None, at, leeway = 300,
                    mask = false, progress = None))]
#[allow(clippy::too_many_arguments)] // the contract's
pub(super) fn validate_tokens(
    py: Python<'_>,
    tokens: &Bound<'_, PyAny>,
    keys: Option<&Bound<'_, PyAny>>,
    audience: Option<&Bound<'_, PyAny>>,
    issuers: Option<&Bound<'_, PyAny>>,
    tenants: Option<&Bound<'_, PyAny>>,
    at: &Bound<'_, PyAny>,
    leeway: i64,
    mask: bool,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Verdicts> {
    let policy = policy(keys, (audience, issuers, tenants), at, leeway, mask)?;
    let chunks = column(tokens)?;
    let total = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    let batches = watched(py, progress, move |desk| {
        let mut batches = Vec::new();
        let mut done = 0;
        for chunk in &chunks {
            for start in (0..chunk.len()).step_by(ROWS_A_TURN) {
                let part = chunk.slice(start, ROWS_A_TURN.min(chunk.len() - start));
                batches.extend(tokens::validate_tokens(&part, &policy, &|| desk.stop())?);
                done += part.len() as u64;
                desk.advance(done, total);
            }
        }
        Ok(batches)
    })?;
    Ok(Verdicts(batches))
}

/// A text without any token that stands in it.
#[pyfunction]
pub(super) fn withheld(text: &str) -> String {
    without_tokens(text).into_owned()
}

/// What audience, issuers and tenants were given.
type Expectations<'a, 'py> =
    (Option<&'a Bound<'py, PyAny>>, Option<&'a Bound<'py, PyAny>>, Option<&'a Bound<'py, PyAny>>);

fn policy(
    keys: Option<&Bound<'_, PyAny>>,
    (audience, issuers, tenants): Expectations<'_, '_>,
    at: &Bound<'_, PyAny>,
    leeway: i64,
    mask: bool,
) -> PyResult<TokenPolicy> {
    Ok(TokenPolicy {
        keys: keys.map(key_set).transpose()?,
        audience: texts("audience", audience)?,
        issuers: texts("issuers", issuers)?,
        tenants: texts("tenants", tenants)?,
        leeway_seconds: count("leeway", leeway)?,
        mask,
        ..TokenPolicy::new(instant("at", at)?)
    })
}

fn key_set(keys: &Bound<'_, PyAny>) -> PyResult<tokens::KeySet> {
    if let Ok(read) = keys.cast::<KeySet>() {
        return Ok(read.get().0.clone());
    }
    let mut set = tokens::KeySet::default();
    if keys.is_instance_of::<PyDict>() {
        let text: String = keys.py().import("json")?.call_method1("dumps", (keys,))?.extract()?;
        set.add(text.as_bytes());
        return Ok(set);
    }
    for source in sources("keys", keys, KEYS)? {
        set.add(&source.bytes);
    }
    Ok(set)
}

/// Keys, read once for many tokens.
#[pyclass(frozen, module = "cmgtrail")]
pub struct KeySet(tokens::KeySet);

#[pymethods]
impl KeySet {
    /// A JWKS (text or dict), PEM, certificates, or a list of them.
    #[new]
    #[pyo3(signature = (keys, /))]
    fn new(keys: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(key_set(keys)?))
    }

    /// What could not be used, and what is doubtful, a sentence each.
    #[getter]
    fn problems(&self) -> Vec<String> {
        self.0.problems().iter().map(|problem| without_tokens(problem).into_owned()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("KeySet({} usable keys, {} problems)", self.0.len(), self.0.problems().len())
    }
}

/// The chunks of a column of text, from anything that offers Arrow data, or from an iterable of texts.
fn column(tokens: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    if tokens.hasattr("__arrow_c_array__")? || tokens.hasattr("__arrow_c_stream__")? {
        // A column of nulls alone has a type that not every library hands over alike.
        let read =
            tokens.extract::<AnyArray>().map_err(|_| no_column("a column that cannot be read; cast it to text"))?;
        let (chunks, _) = read.into_chunked_array()?.into_inner();
        return chunks.iter().map(|chunk| Ok(without_dictionary(chunk)?)).collect();
    }
    if tokens.is_instance_of::<PyString>() || tokens.is_instance_of::<PyBytes>() {
        return Err(no_column("a single text; validate_token takes one token").into());
    }
    let mut chunks: Vec<ArrayRef> = Vec::new();
    let mut builder = LargeStringBuilder::new();
    let mut held = 0;
    if tokens.is_instance_of::<PyDict>() {
        return Err(no_column("a dict; give one column of it").into());
    }
    for item in tokens.try_iter().map_err(|_| no_column("no list and no column"))? {
        builder.append_option(text_or_null(&item?)?);
        held += 1;
        if held == ROWS_A_TURN {
            chunks.push(Arc::new(builder.finish()));
            held = 0;
        }
    }
    chunks.push(Arc::new(builder.finish()));
    Ok(chunks)
}

/// A text; `None` for what libraries put where there is no value: None, NaN, NA.
fn text_or_null(item: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if let Ok(text) = item.cast::<PyString>() {
        return Ok(Some(text.to_string_lossy().into_owned()));
    }
    let kind = item.get_type().name()?.to_string();
    let is_null = item.is_none() || kind == "NAType" || item.extract::<f64>().is_ok_and(f64::is_nan);
    if is_null { Ok(None) } else { Err(no_column(&format!("an item of type {kind}")).into()) }
}

fn no_column(found: &str) -> Error {
    Error::Argument {
        argument: "tokens".to_owned(),
        expected: "a column of text (Arrow, polars, pandas) or a list of texts".to_owned(),
        found: found.to_owned(),
    }
}

/// A categorical column, or one of nulls alone, as plain text.
fn without_dictionary(column: &ArrayRef) -> Result<ArrayRef, Error> {
    if *column.data_type() == DataType::Null {
        return Ok(Arc::new(StringArray::new_null(column.len())));
    }
    let Some(dictionary) = column.as_any_dictionary_opt() else { return Ok(Arc::clone(column)) };
    let values = dictionary.values();
    let text = |index: usize| match values.data_type() {
        DataType::Utf8 => Some(values.as_string::<i32>().value(index)),
        DataType::LargeUtf8 => Some(values.as_string::<i64>().value(index)),
        DataType::Utf8View => Some(values.as_string_view().value(index)),
        _ => None,
    };
    let is_text = matches!(values.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    if !is_text {
        return Err(no_column(&column.data_type().to_string()));
    }
    if values.is_empty() {
        return Ok(Arc::new(StringArray::new_null(column.len())));
    }
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let known = |row: usize, key: usize| column.is_valid(row) && values.is_valid(key);
    Ok(Arc::new(keys.map(|(row, key)| text(key).filter(|_| known(row, key))).collect::<StringArray>()))
}

/// Verdicts on a column of tokens, a row for each.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Verdicts(Vec<RecordBatch>);

impl Columns for Verdicts {
    fn schema(&self) -> PyResult<SchemaRef> {
        Ok(verdict_schema())
    }

    fn batches(&self) -> PyResult<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static> {
        Ok(self.0.clone().into_iter().map(Ok))
    }
}

provides_columns!(Verdicts);

#[pymethods]
#[allow(clippy::unused_self)] // Python asks the object, though all verdicts have the same columns
impl Verdicts {
    #[getter]
    fn name(&self) -> &'static str {
        "verdicts"
    }

    #[getter]
    fn counts(&self) -> (usize, usize, usize) {
        let verdicts = self.0.iter().filter_map(|batch| batch.column_by_name("valid")?.as_boolean_opt());
        verdicts.fold((0, 0, 0), |(valid, refused, open), column| {
            (valid + column.true_count(), refused + column.false_count(), open + column.null_count())
        })
    }

    fn __len__(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}
