//! Tokens: conformance suites written by others, attacks, every check in each state, hostile input, secrecy, columns.

mod attacks;
mod columns;
mod hostile;
mod kinds;
pub mod mint;
mod near_misses;
mod secrecy;
mod table;
mod wycheproof;

/// A file of the shared test data, or `None` with a plain word where it is absent.
pub(crate) fn shared(path: &str) -> Option<String> {
    let root = std::env::var("CMGTRAIL_TEST_DATA").unwrap_or_else(|_| "../shared".to_owned());
    let file = std::path::Path::new(&root).join(path);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {} is not there; set CMGTRAIL_TEST_DATA to the folder that holds it", file.display());
    }
    text
}
