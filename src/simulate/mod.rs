//! Simulation: the logs of a whole site, with the truth about them.
//!
//! Clients, gateway, connection point and management points live side by side in simulated time. They mint real
//! tokens and present real certificates, decide with the validators of this crate, and write their own logs in their
//! own format, folder, time zone and clock. A fault is injected as its cause (a root left out, a clock wrong, a tenant
//! not onboarded), and what follows from it, follows.
//!
//! Lines have the shapes of the log catalogue (`lines.toml`), not those of the messages that the reader knows; what
//! the catalogue marks as not found is not written. Simulated logs prove how lines are joined and judged, not how
//! Configuration Manager words them.
//!
//! The same [`Plan`] gives the same logs and the same truth, byte for byte.

mod adopt;
mod bundle;
mod chatter;
mod client;
mod connection_point;
mod decide;
mod describe;
mod facts;
mod faults;
mod foreseen;
mod gateway;
mod inject;
mod journal;
mod left_out;
mod lines;
mod logs;
mod management_point;
mod output;
mod pki;
mod plan;
mod random;
mod request;
mod routine;
mod run;
mod truth;
mod world;

pub use facts::Delays;
pub use faults::{FAULTS, Fault, FaultKind, LATE_FAULTS, Scope, Share, all as faults};
pub use lines::Proof;
pub use output::{OutputFile, Simulated, Summary};
pub use plan::{Noise, Plan};
pub use random::Delay;
pub use truth::{FaultTruth, FlowTruth, Hop, LineTruth, RequestTruth, StageTruth, Truth};

use std::path::Path;

use crate::error::Result;
use crate::time::Micros;

const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;
const DAY: Micros = 24 * HOUR;

/// Simulates a site and writes its logs, artefacts, `site.toml` and `truth.json` into a folder, which is made. With
/// `replace`, the files of another simulation that lies there are removed before.
///
/// # Errors
/// [`crate::error::Error::Argument`] for a plan that cannot be carried out, or a folder that holds another simulation or
/// something else, [`crate::error::Error::Unwritable`] for a folder or file that cannot be written.
pub fn simulate(plan: &Plan, out: &Path, replace: bool) -> Result<Summary> {
    let simulated = in_memory(plan)?;
    output::refuse_others(out)?;
    if replace {
        output::remove(out)?;
    }
    simulated.write(out)
}

/// Simulates a site and keeps everything in memory: for tests and benchmarks.
///
/// ```
/// use cmgtrail::simulate::{Plan, in_memory};
///
/// let plan = Plan { clients: 2, hours: 1.0, seed: 7, artefacts: false, ..Plan::default() };
/// let simulated = in_memory(&plan).unwrap();
/// assert_eq!(simulated.truth.offsets.len(), simulated.machines());
/// assert!(simulated.truth.flows.iter().all(|flow| flow.fault.is_none()));
/// ```
///
/// # Errors
/// As [`simulate`], but for writing.
pub fn in_memory(plan: &Plan) -> Result<Simulated> {
    plan.check()?;
    let made = left_out::make(plan)?;
    let mut simulated = output::carry_out(&made.plan, &made.world)?;
    simulated.truth.left_out = made.left_out;
    Ok(simulated)
}

/// `MM/DD/YYYY HH:MM:SS`, as messages of tokens write it.
fn us_date_time(at: Micros) -> String {
    let time = logs::Civil::of(at);
    let (year, month, day) = (time.year, time.month, time.day);
    format!("{month:02}/{day:02}/{year:04} {:02}:{:02}:{:02}", time.hour, time.minute, time.second)
}
