//! Failures: causes, symptoms and benign patterns, with their words.

/// A failure of the catalogue.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Kebab-case id of `failure-ids`.
    pub id: String,
}
