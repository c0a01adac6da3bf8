//! The Python module `cmgtrail._engine`: translates, decides nothing.

use pyo3::prelude::*;

/// The engine behind the Python package.
#[pymodule]
mod _engine {}
