//! What happens once, when the module is imported.

use std::panic;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

/// Where and why the engine last panicked, for the error that Python sees.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

pub(super) fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // The hook belongs to this library's own copy of the standard library: no other extension is affected.
    panic::set_hook(Box::new(|info| {
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(info.to_string().replace('\n', " "));
    }));
    if cfg!(debug_assertions) {
        let category = module.py().get_type::<PyRuntimeWarning>();
        let words = c"this is a debug build of cmgtrail and many times slower than a release; build it with --release";
        PyErr::warn(module.py(), &category, words, 1)?;
    }
    Ok(())
}

/// What the last panic said, in one line.
pub(super) fn last_panic() -> String {
    let last = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    last.unwrap_or_else(|| "no message".to_owned())
}
