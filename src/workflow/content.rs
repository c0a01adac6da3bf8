//! Where the site is, what is downloaded, and registration.

use super::chains::{self, AUTHORITY, DATE};
use super::decision::{Cause, Ruling, clause};
use super::question::{Phase, Question};
use crate::certs::{ChainRequest, Purpose, Revocation, Source, validate_chain};
use crate::site::{Client, File, Site};
use crate::time::Micros;

/// Whether the client is told of the gateway: in the bootstrap by its command line, later by the site.
pub fn location(question: &Question<'_>, client: &Client) -> Ruling {
    let site = question.site;
    let stale = match site.cmg.stale {
        Some(true) => Ruling::blocked(Cause::certain(
            "cmg-state-stale",
            "The CMG answers from a state of before it, or the connection point, was rebuilt.",
        )),
        _ => Ruling::default(),
    };
    if question.phase == Phase::Bootstrap {
        if question.told_target().is_some() {
            return stale.and(Ruling::passed("The command line names the CMG."));
        }
        if client.ccmsetup.is_some() {
            let why = "where ccmsetup runs: its command line names no CMG (CCMHOSTNAME), and from the internet it would \
                       find no management point (cmg-location-not-given)";
            return stale.and(Ruling::not_known(why));
        }
    }
    let setting = Ruling::fact(client.cmg_enabled, "whether client settings enable the CMG for this client", || {
        let why = "The client setting 'Enable clients to use a cloud management gateway' is off.";
        Cause::certain("cmg-location-not-given", why)
    });
    stale.and(setting).and(published(site))
}

/// Whether any management point is offered to internet clients.
fn published(site: &Site) -> Ruling {
    let points = &site.management_points;
    if points.iter().any(|point| point.cmg_traffic == Some(true)) {
        return Ruling::default();
    }
    if points.is_empty() || points.iter().any(|point| point.cmg_traffic.is_none()) {
        return Ruling::not_known("whether any management point allows CMG traffic");
    }
    let why = "No management point allows CMG traffic, so the list of internet management points is empty.";
    Ruling::blocked(Cause::certain("cmg-location-not-given", why))
}

/// Whether what the client is to download lies on the gateway. `None` where nothing is told of what it downloads.
pub fn content(site: &Site, client: &Client) -> Option<Ruling> {
    let wanted = client.content.as_ref().filter(|wanted| !wanted.is_empty())?;
    let Some(held) = &site.cmg.content else {
        return Some(Ruling::not_known("which packages have their content on the CMG"));
    };
    let lacks = wanted.iter().filter(|id| !held.iter().any(|other| other.eq_ignore_ascii_case(id)));
    let lacks: Vec<&str> = lacks.map(String::as_str).collect();
    if lacks.is_empty() {
        return Some(Ruling::passed("The CMG has the content of all packages."));
    }
    let why = format!("The CMG has no content of {}.", lacks.join(", "));
    Some(Ruling::blocked(Cause::certain("content-not-on-cmg", why)))
}

/// Whether the site takes the certificate that the client registers with. `at` is the management point's clock.
pub fn registration(site: &Site, client: &Client, uses_pki: bool, at: Micros) -> Ruling {
    let pki = client.pki_file();
    let (file, is_pki) = match (&client.self_signed_certificate, pki) {
        (Some(own), _) if !uses_pki => (own, false),
        (_, Some(pki)) => (pki, true),
        (Some(own), None) => (own, false),
        // The client makes a certificate of its own when it registers.
        (None, None) => return Ruling::default(),
    };
    let (leaf, mut beside) = chains::leaf_and_rest(&file.source());
    // Authorities that anybody told of help to find the root; only the site's own list says whether it is trusted.
    let told_of = [&client.intermediates, &site.cmg.client_cas].into_iter().flatten().flatten();
    beside.extend(told_of.map(File::source));
    let told = site.options.trusted_roots.as_ref();
    let roots: Vec<Source> = told.into_iter().flatten().map(File::source).collect();
    let mut request = ChainRequest::new(leaf, roots, at);
    request.roots_known = told.is_some();
    request.intermediates = beside;
    request.purpose = Purpose::Client;
    request.revocation = Some(Revocation::Off);
    let report = validate_chain(&request);
    let mask = chains::mask(&report);
    let mut ruling = Ruling::default();
    if mask & DATE != 0 {
        let why = chains::why(&report, DATE);
        ruling.add_cause(Cause::certain("client-certificate-expired", why));
    }
    if is_pki && told.is_some() && mask & AUTHORITY != 0 {
        let why = chains::why(&report, AUTHORITY);
        if report.fatal().any(|check| check.id == "root-not-in-client-store") {
            let why = format!("Its root is not on the site's own list of trusted roots. {why}");
            ruling.add_cause(Cause::certain("root-not-on-site-ctl", why));
        } else {
            let why = clause(&why);
            ruling.unknown.push(format!("which root the client's certificate leads to ({why})"));
        }
    }
    ruling.reports.push(report);
    ruling
}
