//! The exceptions, on one screen. `errors.rs` says which error raises which.

use pyo3::create_exception;
use pyo3::exceptions::PyException;

create_exception!(cmgtrail, CmgTrailError, PyException, "The work could not be done; the message says why.");
create_exception!(cmgtrail, PathNotFoundError, CmgTrailError, "A path is not there, or a pattern matches no file.");
create_exception!(cmgtrail, NoRecordsError, CmgTrailError, "Files were read, and none holds a log record.");
create_exception!(cmgtrail, UnreadableError, CmgTrailError, "A file or folder could not be read.");
create_exception!(cmgtrail, KnowledgeError, CmgTrailError, "A knowledge file has mistakes; all of them are told.");
create_exception!(cmgtrail, SiteError, CmgTrailError, "A site description has mistakes; all of them are told.");
create_exception!(cmgtrail, ArgumentError, CmgTrailError, "An argument has a value that cannot be used.");
create_exception!(cmgtrail, InternalError, CmgTrailError, "A defect in cmgtrail itself.");
