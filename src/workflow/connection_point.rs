//! The channel between gateway and connection point, and the connection point's own way to the management point.

use super::chains::{self, AUTHORITY, DAMAGED, DATE, REVOCATION, REVOKED, USAGE};
use super::decision::{Cause, Ruling, Words};
use crate::certs::{ChainRequest, CrlSource, Purpose, Revocation, Source, Vantage, validate_chain};
use crate::site::{ConnectionPoint, File, Held, ManagementPoint, Mode, Site};
use crate::time::Micros;

/// Whether the gateway has a channel to hand requests on.
pub fn channel(point: &ConnectionPoint) -> Ruling {
    let running = Ruling::fact(point.running, "whether the connection point runs", || {
        Cause::certain("connector-down", "The connection point does not run.")
    });
    let ports = Ruling::fact(point.ports_open, "whether the connection point's ports to the CMG are open", || {
        Cause::certain("connector-ports-blocked", "The connection point's ports to the CMG are closed.")
    });
    let certificate =
        Ruling::fact(point.role_certificate, "whether the connection point has its role certificate", || {
            Cause::certain("connector-role-certificate-missing", "The connection point has no role certificate.")
        });
    running.and(ports).and(certificate)
}

/// Whether the connection point reaches the management point. `at` is the connection point's clock.
pub fn forward(site: &Site, target: &ManagementPoint, at: Micros) -> Ruling {
    let running = Ruling::fact(target.running, &format!("whether {} runs", target.name), || {
        Cause::certain("mp-down", format!("The management point {} does not answer.", target.name))
    });
    let certificate = match target.mode {
        None => Ruling::not_known(format!("in which mode {} is", target.name)),
        Some(Mode::Http | Mode::EnhancedHttp) => {
            Ruling::passed("The management point asks the connection point for no certificate.")
        }
        Some(Mode::Https) => client_certificate(site, target, at),
    };
    running.and(certificate)
}

/// Whether the connection point has a client certificate that an HTTPS management point takes.
fn client_certificate(site: &Site, target: &ManagementPoint, at: Micros) -> Ruling {
    let point = &site.connection_point;
    match &point.client_certificate {
        None => Ruling::not_known("which client certificate the connection point has"),
        Some(Held::Nothing) => {
            let why = format!(
                "{} is in HTTPS mode and asks for a client certificate; the connection point has none.",
                target.name
            );
            Ruling::blocked(Cause::certain("connector-client-certificate-missing", why))
        }
        Some(Held::File(file)) => judged(site, target, file, at),
    }
}

fn judged(site: &Site, target: &ManagementPoint, file: &File, at: Micros) -> Ruling {
    let point = &site.connection_point;
    let (leaf, mut others) = chains::leaf_and_rest(&file.source());
    others.extend(point.intermediates.iter().flatten().map(File::source));
    let roots: Vec<Source> = target.roots.iter().flatten().map(File::source).collect();
    let mut request = ChainRequest::new(leaf, roots, at);
    request.roots_known = target.roots.is_some();
    request.intermediates = others;
    request.purpose = Purpose::Client;
    request.vantage = Vantage::Intranet;
    request.crls = lists(site, &request);
    // The site's option also decides whether its own systems look at lists.
    let checks_lists = site.options.crl_check != Some(false);
    request.revocation = Some(if checks_lists { Revocation::Chain } else { Revocation::Off });
    let report = validate_chain(&request);
    let mask = chains::mask(&report);
    let mut ruling = Ruling::default();
    let unusable = mask & (AUTHORITY | DATE | USAGE | DAMAGED | REVOKED);
    if mask & AUTHORITY != 0 && !request.store_is_known() && unusable == AUTHORITY {
        ruling.unknown.push(format!("which client roots {} trusts", target.name));
    } else if unusable != 0 {
        let why = format!("The connection point's certificate cannot be used. {}", chains::why(&report, unusable));
        ruling.add_cause(Cause::certain("connector-client-certificate-missing", why));
    }
    let nowhere = point.reaches_crls == Some(false);
    if mask & REVOCATION != 0 && (nowhere || !chains::is_leaf_alone(&report)) {
        let why = chains::why(&report, REVOCATION);
        ruling.add_cause(Cause::certain("connector-chain-revocation-offline", why));
    }
    if ruling.causes.is_empty() {
        // That it reaches the lists was told, and what they hold need not be.
        let told = point.reaches_crls == Some(true);
        ruling.unknown.extend(chains::open(&report).into_iter().filter(|clause| !told || !chains::is_of_lists(clause)));
        let soon =
            chains::ends_soon(&request, mask).map(|why| Cause::certain("connector-client-certificate-missing", why));
        ruling.warnings.extend(soon.map(|cause| cause.in_words(Some(&ENDS_SOON))));
    }
    ruling.reports.push(report);
    ruling
}

const ENDS_SOON: Words = Words {
    title: "The connection point's client certificate is about to expire",
    explanation: "The connection point proves itself to a management point in HTTPS mode by a certificate that ends soon. \
                  From then on no client gets through the CMG.",
    remedy: Some(
        "Renew the certificate before it ends, and restart SMS_CLOUD_PROXYCONNECTOR so that it takes the new one.",
    ),
    verify: None,
};

/// The lists as the connection point gets them: those told, and where it reaches none, those that its certificate
/// names.
fn lists(site: &Site, request: &ChainRequest) -> Vec<CrlSource> {
    if site.connection_point.reaches_crls == Some(false) {
        return chains::addresses_of_lists(&request.presented).into_iter().map(CrlSource::unreachable).collect();
    }
    chains::lists(&site.crls, request)
}
