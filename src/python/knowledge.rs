//! Codes, and the knowledge files: the built-in ones, and what is wrong with a user's.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use serde_json::json;

use super::conversions::{display, to_dict};
use super::errors::defect;
use crate::error::Error;
use crate::knowledge::{Codes, Component, Knowledge, Reading};

/// One thing that a code can mean.
#[pyclass(frozen, module = "cmgtrail")]
pub struct Code(Reading);

impl Code {
    /// The codes that stand in a text.
    pub(super) fn in_text(text: &str) -> Vec<Self> {
        Codes::builtin().named_in(text).into_iter().map(Self).collect()
    }

    fn document(&self) -> serde_json::Value {
        json!(self.0.form())
    }
}

#[pymethods]
impl Code {
    #[getter]
    fn code(&self) -> String {
        self.0.code.written()
    }

    #[getter]
    fn component(&self) -> &'static str {
        self.0.code.component.id()
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.code.name
    }

    #[getter]
    fn says(&self) -> &str {
        &self.0.code.says
    }

    #[getter]
    fn means(&self) -> &str {
        &self.0.code.means
    }

    #[getter]
    fn role(&self) -> &'static str {
        self.0.code.role.id()
    }

    #[getter]
    fn failures(&self) -> Vec<&str> {
        self.0.code.failures.iter().map(String::as_str).collect()
    }

    #[getter]
    fn how(&self) -> Option<&str> {
        self.0.how.as_deref()
    }

    #[getter]
    fn source(&self) -> &str {
        &self.0.code.source
    }

    #[getter]
    fn rule(&self) -> &str {
        &self.0.code.rule
    }

    /// The same as in the JSON form.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &self.document())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.document() == other.get().document())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }
}

/// All that a code can mean, the likeliest first.
#[pyfunction]
#[pyo3(signature = (code, component = None, *, knowledge = Vec::new()))]
#[allow(clippy::needless_pass_by_value)] // as Python hands it over
pub(super) fn explain_code(
    code: &Bound<'_, PyAny>,
    component: Option<&str>,
    knowledge: Vec<PathBuf>,
) -> PyResult<Vec<Code>> {
    let component = component.map(named).transpose()?;
    let written = match code.extract::<String>() {
        Ok(text) => text,
        Err(_) if code.is_exact_instance_of::<pyo3::types::PyInt>() => code.str()?.extract()?,
        Err(_) => return Err(PyTypeError::new_err(format!("code: expected text or a number, found {code}"))),
    };
    let knowledge = (!knowledge.is_empty()).then(|| Knowledge::with_files(&knowledge)).transpose()?;
    let codes = knowledge.as_ref().map_or_else(|| Codes::builtin(), Knowledge::codes);
    Ok(codes.explain(&written, component)?.into_iter().map(Code).collect())
}

fn named(component: &str) -> Result<Component, Error> {
    Component::named(component).ok_or_else(|| Error::Argument {
        argument: "component".to_owned(),
        expected: Component::ALL.map(Component::id).join(", "),
        found: component.to_owned(),
    })
}

/// Ids of the components whose codes are known.
#[pyfunction]
pub(super) fn code_components() -> Vec<&'static str> {
    Component::ALL.map(Component::id).to_vec()
}

/// What is wrong with knowledge files, laid over the built-in knowledge in order: for each file its mistakes as
/// sentences with their line, and how many entries and examples it holds, by kind.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // as Python hands it over
pub(super) fn check_knowledge(py: Python<'_>, files: Vec<PathBuf>) -> PyResult<Bound<'_, PyAny>> {
    let checked = py.detach(|| Knowledge::check(&files))?;
    to_dict(py, &checked)
}

/// The built-in knowledge files: name and text of each.
#[pyfunction]
pub(super) fn builtin_knowledge() -> Vec<(&'static str, &'static str)> {
    Knowledge::builtin_files().to_vec()
}

/// The entries of the built-in knowledge as dicts, by kind.
#[pyfunction]
pub(super) fn knowledge_entries(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let mut kinds: std::collections::BTreeMap<String, Vec<toml::Value>> = std::collections::BTreeMap::new();
    for (name, text) in Knowledge::builtin_files() {
        let document: toml::Table = toml::from_str(text).map_err(|error| defect(&format!("{name}: {error}")))?;
        for (kind, entries) in document {
            let entries = entries.as_array().cloned().unwrap_or_default();
            kinds.entry(kind).or_default().extend(entries);
        }
    }
    to_dict(py, &kinds)
}
