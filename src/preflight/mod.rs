//! Preflight: whether the clients of a site would work, stage by stage, before anyone tries.
//!
//! The workflow is run for every client in both phases, and what stops it is told in the words of the knowledge, the
//! same as in a diagnosis. With logs beside it, what was predicted and what was observed are laid side by side; where
//! they disagree, that is told, together with what the site description does not see.

mod compare;
mod findings;
mod judgement;
mod sketch;
mod table;

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::flows::Flow;
use crate::knowledge::Knowledge;
use crate::site::Site;
use crate::time::{Micros, rfc3339};
use crate::tokens::withhold;
use crate::workflow::{Phase, Prediction, both_phases};

pub use compare::{Agreement, Comparison};
pub use findings::Forecast;
pub use sketch::{Seen, Whereabouts, sketch};
pub use table::{stages, stages_schema};

/// Version of the JSON form.
const SCHEMA: u32 = 1;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only this client, by name.
    pub client: Option<String>,
    /// The instant, UTC.
    pub at: Micros,
}

/// What was observed: flows and findings of a trail.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Flows.
    pub flows: &'a [Flow],
    /// Findings.
    pub findings: &'a [Finding],
}

/// What is predicted of one client, and observed where logs were given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClientPreflight {
    /// Its name.
    pub client: String,
    /// Whether it works in both phases; `None`: nothing stops it, and something that decides was not told, or the logs
    /// say otherwise.
    pub works: Option<bool>,
    /// Both phases.
    pub phases: Vec<Prediction>,
    /// Predicted and observed side by side, by phase and stage. Empty without logs.
    pub compared: Vec<Comparison>,
}

/// Whether the clients of a site would work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// Version of this form.
    pub schema: u32,
    /// Version of cmgtrail.
    pub version: &'static str,
    /// The instant, RFC 3339.
    pub at: String,
    /// Whether all clients work; `None`: nothing stops any, and something that decides is open.
    pub works: Option<bool>,
    /// The clients.
    pub clients: Vec<ClientPreflight>,
    /// What stops them or will, in the words of the knowledge: errors first, then what hits most clients.
    pub findings: Vec<Forecast>,
    /// What to know of the logs that the prediction was held against, as sentences: of whom they say nothing.
    pub notes: Vec<String>,
}

impl Preflight {
    /// Runs the workflow for the clients of a site.
    ///
    /// # Errors
    /// [`Error::Argument`] where the site has no client, or none of the name that was asked for.
    pub fn of(site: &Site, options: &Options, observed: Option<Observed<'_>>, knowledge: &Knowledge) -> Result<Self> {
        let wanted = wanted(site, options)?;
        let keep_reports = wanted.len() == 1;
        let logs = observed.map(|seen| compare::Logs::of(seen, knowledge));
        let clients: Vec<ClientPreflight> = wanted
            .par_iter()
            .map(|client| {
                let mut phases = both_phases(site, client, options.at);
                for stage in phases.iter_mut().flat_map(|phase| &mut phase.stages) {
                    // A fleet's reports would fill the memory; one client at a time shows them, without its tokens.
                    let reports = std::mem::take(&mut stage.reports);
                    stage.reports = reports.into_iter().filter(|_| keep_reports).map(withhold).collect();
                }
                let compared = logs.as_ref().map(|logs| compare::compare(client, &phases, logs, options.at));
                let compared = compared.unwrap_or_default();
                ClientPreflight { client: client.name.clone(), works: works(&phases, &compared), phases, compared }
            })
            .collect();
        let each = clients.iter().map(|client| client.works);
        Ok(Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            at: rfc3339(options.at),
            works: all(each),
            findings: findings::findings(site, &clients, knowledge),
            notes: observed.and_then(|seen| compare::not_compared(&clients, seen)).into_iter().collect(),
            clients,
        })
    }
}

/// A description that was read from `path`, which has a client to look at.
///
/// # Errors
/// [`Error::Site`] where it has none.
pub fn with_clients(site: Site, path: &Path) -> Result<Site> {
    if !site.clients.is_empty() {
        return Ok(site);
    }
    let mistake = "there is no [[client]]; add one, with its name, for each client to look at".to_owned();
    Err(Error::Site { path: path.display().to_string(), mistakes: vec![mistake] })
}

fn wanted<'a>(site: &'a Site, options: &Options) -> Result<Vec<&'a crate::site::Client>> {
    let names = || {
        let names: Vec<&str> = site.clients.iter().take(10).map(|client| client.name.as_str()).collect();
        format!("a client of the site: {}", names.join(", "))
    };
    let absent = |expected: &str, found: String| Error::Argument {
        argument: "client".to_owned(),
        expected: expected.to_owned(),
        found,
    };
    let nobody = || absent("a site description with at least one [[client]]", "a description without any".to_owned());
    match &options.client {
        _ if site.clients.is_empty() => Err(nobody()),
        Some(name) => match site.client(name) {
            Some(client) => Ok(vec![client]),
            None => Err(absent(&names(), name.clone())),
        },
        None => Ok(site.clients.iter().collect()),
    }
}

/// False where one is false, else open where one is open.
fn all(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let verdicts: Vec<Option<bool>> = each.collect();
    if verdicts.contains(&Some(false)) { Some(false) } else { (!verdicts.contains(&None)).then_some(true) }
}

/// Whether a client works, unless its logs say otherwise: then it is open, for the description is wrong.
fn works(phases: &[Prediction], compared: &[Comparison]) -> Option<bool> {
    let doubted = |phase: Phase| compared.iter().any(|row| row.phase == phase && row.agreement == Agreement::Disagree);
    all(phases.iter().map(|prediction| prediction.works.filter(|_| !doubted(prediction.phase))))
}
