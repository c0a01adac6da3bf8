//! The same chain in the two phases of a client: while `ccmsetup` runs with `/NoCRLCheck`, and after location services
//! have brought the site's settings, which may switch CRL checking back on.

use serde::Serialize;

use super::chain::validated;
use super::materials::{Materials, Stop};
use super::request::{ChainRequest, Revocation};
use crate::error::{Error, Result};
use crate::report::{CheckStatus, Report};

/// How one phase goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// Whether the client checks revocation lists in it.
    pub checks_lists: bool,
    /// The full report.
    pub report: Report,
}

/// Both phases, side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phases {
    /// While `ccmsetup` runs.
    pub bootstrap: Phase,
    /// After the client has taken the site's settings.
    pub after_settings: Phase,
    /// What the comparison says, in a sentence or two.
    pub explanation: String,
}

/// Validates a chain for both phases. `no_crl_check` is ccmsetup's `/NoCRLCheck`; `site_checks_lists` is the site's
/// option "Clients check the certificate revocation list (CRL) for site systems".
///
/// The switch holds for the bootstrap alone: a client that installs with it stops talking to the site once the settings
/// say otherwise.
pub fn compare_phases(request: &ChainRequest, no_crl_check: bool, site_checks_lists: bool) -> Phases {
    let materials = Materials::read(request, &|| false);
    beside(request, &materials, (!no_crl_check, site_checks_lists), &|| false)
}

/// Compares as [`compare_phases`] does, and gives up soon after `stop` says so, with [`Error::Interrupted`].
pub fn compare_phases_until(
    request: &ChainRequest,
    no_crl_check: bool,
    site_checks_lists: bool,
    stop: Stop<'_>,
) -> Result<Phases> {
    let phases = beside(request, &Materials::read(request, stop), (!no_crl_check, site_checks_lists), stop);
    if stop() { Err(Error::Interrupted) } else { Ok(phases) }
}

fn beside(
    request: &ChainRequest,
    materials: &Materials,
    (bootstrap_checks, settings_check): (bool, bool),
    stop: Stop<'_>,
) -> Phases {
    let phase = |checks_lists: bool| {
        let revocation = if checks_lists { Revocation::Chain } else { Revocation::Off };
        let request = ChainRequest { revocation: Some(revocation), ..request.clone() };
        Phase { checks_lists, report: validated(&request, materials, stop) }
    };
    let (bootstrap, after_settings) = (phase(bootstrap_checks), phase(settings_check));
    let explanation = explain(&bootstrap, &after_settings);
    Phases { bootstrap, after_settings, explanation }
}

fn explain(bootstrap: &Phase, after: &Phase) -> String {
    let out_of_reach = |phase: &Phase| {
        phase.checks_lists
            && phase.report.checks.iter().any(|check| {
                check.status == CheckStatus::Failed && check.id == "crl-distribution-point-unreachable-from-internet"
            })
    };
    match (bootstrap.report.valid, after.report.valid) {
        (Some(false), Some(false)) => "The certificate is refused in both phases.".to_owned(),
        (Some(false), _) if bootstrap.checks_lists => {
            "ccmsetup refuses the certificate. Where only revocation fails, /NoCRLCheck gets it through the bootstrap."
                .to_owned()
        }
        (Some(false), _) => "ccmsetup refuses the certificate.".to_owned(),
        (_, Some(false)) => "ccmsetup gets through; after the site's settings have arrived the client refuses the \
                             certificate and talks to the site no more. /NoCRLCheck holds for the bootstrap alone: \
                             publish the revocation list on the internet, or switch the site's CRL option off."
            .to_owned(),
        _ if out_of_reach(after) => "After the site's settings have arrived, the client checks revocation lists and \
                                     cannot be expected to reach them from the internet: publish them there, or switch \
                                     the site's CRL option off. /NoCRLCheck holds for the bootstrap alone."
            .to_owned(),
        _ if out_of_reach(bootstrap) => "ccmsetup checks revocation lists and cannot be expected to reach them from \
                                         the internet: use /NoCRLCheck, or publish them there."
            .to_owned(),
        (Some(true), Some(true)) => "The certificate is accepted in both phases.".to_owned(),
        _ => "Nothing speaks against the certificate in either phase; not everything that decides could be checked."
            .to_owned(),
    }
}
