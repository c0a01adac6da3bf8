//! The Python module `cmgtrail._engine`: translates, decides nothing.
//!
//! Objects are views: each holds the whole trail, shared, and the place it stands for. What they print and how they
//! look in a notebook is decided by `cmgtrail.display`.

mod certs;
mod columns;
mod conversions;
mod errors;
mod exceptions;
mod findings;
mod flows;
mod knowledge;
mod materials;
mod reading;
mod records;
mod report;
mod sources;
mod startup;
mod table;
mod tokens;
mod trail;
mod zone;

use pyo3::prelude::*;

/// The engine behind the Python package.
#[pymodule]
mod _engine {
    #[pymodule_export]
    use super::certs::{
        DsregcmdStatus, compare_phases, inspect_certificate, read_dsregcmd, validate_chain, validate_dsregcmd,
    };
    #[pymodule_export]
    use super::exceptions::{
        ArgumentError, CmgTrailError, InternalError, KnowledgeError, NoRecordsError, PathNotFoundError, UnreadableError,
    };
    #[pymodule_export]
    use super::findings::{Evidence, Finding, Missing};
    #[pymodule_export]
    use super::flows::{Client, Event, Flow, Join, Stage};
    #[pymodule_export]
    use super::knowledge::{
        Code, builtin_knowledge, check_knowledge, code_components, explain_code, knowledge_entries,
    };
    #[pymodule_export]
    use super::reading::read;
    #[pymodule_export]
    use super::records::{Record, RecordIterator, Records, records};
    #[pymodule_export]
    use super::report::{Check, CheckIterator, Checks, Phases, Report};
    #[pymodule_export]
    use super::sources::{Clock, Source};
    #[pymodule_export]
    use super::table::{Table, TableIterator};
    #[pymodule_export]
    use super::tokens::{KeySet, Verdicts, inspect_token, validate_token, validate_tokens, withheld};
    #[pymodule_export]
    use super::trail::Trail;
    #[pymodule_export]
    use super::zone::Zone;

    #[pymodule_export]
    #[allow(non_upper_case_globals)] // the name is Python's
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_init]
    fn init(module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        super::startup::init(module)
    }
}
