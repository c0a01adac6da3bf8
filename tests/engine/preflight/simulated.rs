//! What is predicted of a described site is what the logs of the same site, simulated, show.

use std::path::Path;

use cmgtrail::engine::{ReadOptions, Silent, Trail};
use cmgtrail::finding::{Confidence, Severity};
use cmgtrail::knowledge::Knowledge;
use cmgtrail::preflight::{Agreement, Observed, Options, Preflight};
use cmgtrail::simulate::{Plan, faults, in_memory};
use cmgtrail::site::Site;
use cmgtrail::stage::Outcome;
use rayon::prelude::*;

use super::causes::rows;
use super::world::{Change, OWN_CERTIFICATE, changed};
use crate::pki::AT;

/// Causes of which a description tells what no log is documented of, although a fault of that name is: by a word of
/// the refusal.
const REFUSED: [(&str, &str); 4] = [
    ("site-token-expired", "registers with a registration token"),
    ("token-audience-or-issuer-refused", "to be stopped by token-audience-or-issuer-refused"),
    ("token-clock-skew", "of which logs are known where a management point is ahead"),
    ("client-revocation-misconfigured", "while ccmsetup runs"),
];

/// What stands beside a cause although it is no neighbour, and why.
const BESIDE: [(&str, &str, &str); 2] = [
    ("client-clock-wrong", "crl-unreachable", "a clock that is far ahead outdates every list as well"),
    (
        "token-clock-skew",
        "mp-redirect-on-sts",
        "lines by a clock that is hours ahead are not near the flow that they refuse",
    ),
];

fn plan(site: Site) -> Plan {
    Plan { site: Some(site), clients: 3, hours: 3.0, start: Some(AT), seed: 8, ..Plan::default() }
}

/// The logs of a site, simulated and read, artefacts included and the description left out; or why not.
fn trail(site: &Site) -> Result<Trail, String> {
    let simulated = in_memory(&plan(site.clone())).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().unwrap();
    for file in simulated.files.iter().filter(|file| file.path != "site.toml") {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
    Ok(Trail::read(&[folder.path().to_owned()], ReadOptions::default(), &Silent).unwrap())
}

fn neighbours(one: &str, other: &str) -> bool {
    let names = |one: &str, other: &str| {
        Knowledge::builtin().failure(one).is_some_and(|known| known.separates_from.iter().any(|id| id == other))
    };
    names(one, other) || names(other, one) || BESIDE.iter().any(|(id, beside, _)| (one, other) == (*beside, *id))
}

/// What is wrong with the diagnosis of a site of which this was predicted; `None`: nothing.
fn difference(failure: &str, beside: &[&str], site: &Site, trail: &Trail) -> Option<String> {
    let errors = trail.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let found: Vec<(&str, Confidence)> = errors.map(|one| (one.failure.as_str(), one.confidence)).collect();
    let is_first = found.first().is_some_and(|(first, confidence)| {
        let may_be = *confidence == Confidence::Possible && neighbours(first, failure);
        *first == failure || may_be && found.iter().any(|(other, _)| *other == failure)
    });
    let others =
        found.iter().filter(|(other, _)| *other != failure && !beside.contains(other) && !neighbours(other, failure));
    let others: Vec<_> = others.collect();
    let options = Options { client: None, at: AT };
    let observed = Observed { flows: &trail.flows, findings: &trail.findings };
    let preflight = Preflight::of(site, &options, Some(observed), Knowledge::builtin()).unwrap();
    let rows = preflight.clients.iter().flat_map(|client| &client.compared);
    let differ: Vec<_> = rows.filter(|row| row.agreement == Agreement::Disagree).collect();
    (!is_first || !others.is_empty() || !differ.is_empty()).then(|| format!("found {found:?}, differ {differ:#?}"))
}

#[test]
fn a_simulated_site_shows_what_is_predicted_of_it() {
    let wrong: Vec<String> = rows()
        .par_iter()
        .filter_map(|(failure, _, phase, changes, beside)| {
            let site = changed(changes);
            let about = |what: &str| Some(format!("{failure} {phase:?} {changes:?}: {what}"));
            match trail(&site) {
                Ok(trail) => difference(failure, beside, &site, &trail).and_then(|what| about(&what)),
                Err(why) if faults().all(|kind| kind.id != *failure) && why.contains(failure) => None,
                Err(why) if REFUSED.iter().any(|(id, words)| id == failure && why.contains(words)) => None,
                Err(why) => about(&why),
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What stops everybody stops a client of the PKI, too, and its own log says so.
#[test]
fn a_client_with_a_certificate_is_stopped_by_what_stops_everybody() {
    let down = ("intermediates", "running = false\nintermediates");
    let trail = trail(&changed(&[OWN_CERTIFICATE, down])).unwrap();
    let failed: Vec<_> = trail.flows.iter().filter(|flow| flow.outcome == Outcome::Failed).collect();
    let own = failed.iter().find(|flow| flow.client.host.as_deref() == Some("PC042")).unwrap();
    let finding = trail.findings.iter().find(|finding| finding.failure == "connector-down").unwrap();
    assert!(finding.flows.contains(&own.id), "{finding:#?}");
}

#[test]
fn a_healthy_site_is_healthy_when_simulated() {
    let domain = ("join = \"entra\"\nwpj_certificate = \"wpj.pem\"", "join = \"domain\"");
    let healthy: [&[Change]; 3] = [
        &[],
        &[OWN_CERTIFICATE, domain, ("ccmsetup.exe ", "ccmsetup.exe /UsePKICert ")],
        &[("mode = \"https\"", "mode = \"enhanced-http\""), ("\"connector.pem\"", "\"none\"")],
    ];
    for changes in healthy {
        let trail = trail(&changed(changes)).unwrap();
        let errors: Vec<_> = trail.findings.iter().filter(|one| one.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
