//! Simulation of a site.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::conversions::{micros, to_dict};
use crate::error::Result;
use crate::simulate::{Fault, Noise, Plan, faults as kinds, simulate as carry_out};
use crate::site::Site;

/// Simulates a site; `cmgtrail.simulate` is its face.
#[pyfunction]
#[pyo3(signature = (out, *, site, clients, hours, rate, faults, skew, noise, retries, start, seed, artefacts, force))]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)] // the command's; Python hands over its own
pub(super) fn simulate<'py>(
    py: Python<'py>,
    out: PathBuf,
    site: Option<PathBuf>,
    clients: Option<usize>,
    hours: f64,
    rate: Option<f64>,
    faults: Vec<String>,
    skew: u32,
    noise: Option<String>,
    retries: bool,
    start: Option<&Bound<'py, PyAny>>,
    seed: u64,
    artefacts: bool,
    force: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let site = site.as_deref().map(Site::read).transpose()?;
    let plan = Plan {
        clients: clients.unwrap_or_else(|| Plan::clients_of(site.as_ref())),
        site,
        hours,
        rate,
        faults: faults.iter().map(|fault| Fault::parse(fault)).collect::<Result<_>>()?,
        skew_seconds: skew,
        noise: noise.map_or(Ok(Noise::None), |noise| Noise::parse(&noise))?,
        retries,
        start: start.map(|start| micros("start", start)).transpose()?,
        seed,
        artefacts,
    };
    let summary = py.detach(|| carry_out(&plan, &out, force))?;
    to_dict(py, &summary)
}

/// The faults that can be injected, each with whom it hits, its stage and its proof.
#[pyfunction]
pub(super) fn simulated_faults(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    to_dict(py, &kinds().collect::<Vec<_>>())
}
