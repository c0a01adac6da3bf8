//! Which error of the engine raises which exception.

use arrow_schema::ArrowError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use super::exceptions::{
    ArgumentError, CmgTrailError, InternalError, KnowledgeError, NoRecordsError, PathNotFoundError, SiteError,
    UnreadableError,
};
use crate::error::Error;
use crate::tokens::without_tokens;

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        // An error quotes what it was given, which may be a token in the wrong place.
        let words = without_tokens(&error.to_string()).into_owned();
        match error {
            Error::NotFound { .. } => PathNotFoundError::new_err(words),
            Error::NoRecords { .. } => NoRecordsError::new_err(words),
            Error::Unreadable { .. } => UnreadableError::new_err(words),
            Error::Knowledge { .. } => KnowledgeError::new_err(words),
            Error::Site { .. } => SiteError::new_err(words),
            Error::Argument { .. } => ArgumentError::new_err(words),
            Error::Interrupted => PyKeyboardInterrupt::new_err(words),
            #[allow(unreachable_patterns)] // a new kind of error is a CmgTrailError until it gets a name here
            _ => CmgTrailError::new_err(words),
        }
    }
}

/// An error that came through Arrow: the engine's own where there is one inside.
pub(super) fn from_arrow(error: ArrowError) -> PyErr {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(error) => (*error).into(),
            Err(other) => CmgTrailError::new_err(other.to_string()),
        },
        other => CmgTrailError::new_err(other.to_string()),
    }
}

/// A defect: it names itself as one.
pub(super) fn defect(words: &str) -> PyErr {
    InternalError::new_err(format!(
        "this is a defect of cmgtrail, not of the logs; please report it with this message: {words}"
    ))
}
