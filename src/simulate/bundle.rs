//! Artefacts.
use super::decide::Decisions;
use super::facts::World;
use super::output::OutputFile;
use crate::error::Result;

pub(super) fn write(_world: &World, _decisions: &Decisions) -> Result<Vec<OutputFile>> {
    Ok(Vec::new())
}
