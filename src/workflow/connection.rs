//! From the client to the gateway, below HTTP: name, port, TLS, the gateway's certificate and its revocation.

use super::chains::{self, AUTHORITY, DAMAGED, DATE, NAME, REVOCATION, REVOKED, Told, USAGE};
use super::decision::{Cause, Ruling, Words, clause};
use crate::certs::{ChainRequest, Revocation, Source, validate_chain};
use crate::report::{CheckStatus, Report};
use crate::site::{Gateway, GatewayState, Inspection, Network};
use crate::time::{HOUR, Micros};

/// Hours before its end at which a revocation list is warned of. Most are published weekly, some daily.
pub const LIST_HOURS: i64 = 24;

/// Whether the client gets a connection to the gateway's port at all.
pub fn reach(network: &Network, gateway: &Gateway, host: &str) -> Ruling {
    let name = Ruling::fact(network.dns, &format!("whether the client can resolve {host}"), || {
        Cause::certain("cmg-name-not-resolved", format!("The client cannot resolve {host}."))
    });
    let port = Ruling::fact(network.port_443, &format!("whether the client reaches port 443 of {host}"), || {
        Cause::certain("cmg-unreachable", format!("The client does not reach port 443 of {host}."))
    });
    name.and(port).and(running(gateway))
}

/// Whether the gateway runs.
pub fn running(gateway: &Gateway) -> Ruling {
    match gateway.state {
        Some(GatewayState::Running) => Ruling::default(),
        Some(GatewayState::Stopped) => {
            Ruling::blocked(Cause::certain("cmg-unreachable", "The CMG service is stopped."))
        }
        Some(GatewayState::StoppedByTrafficLimit) => Ruling::blocked(Cause::certain(
            "cmg-stopped-by-traffic-limit",
            "The CMG stopped itself at the threshold of its outbound traffic.",
        )),
        None => Ruling::not_known("whether the CMG runs"),
    }
}

/// Whether client and gateway have a version of TLS in common. A gateway of which nothing is told takes TLS 1.2.
pub fn tls_version(network: &Network, gateway: &Gateway) -> Ruling {
    let Some(offered) = &network.tls else { return Ruling::not_known("which versions of TLS the client offers") };
    let own = ["1.2".to_owned()];
    let accepted = gateway.tls.as_deref().unwrap_or(&own);
    if offered.iter().any(|version| accepted.contains(version)) {
        return Ruling::default();
    }
    if gateway.tls.is_none() && !offered.is_empty() {
        return Ruling::not_known("which versions of TLS the CMG accepts");
    }
    let why = format!("The client offers TLS {}, the CMG takes TLS {}.", listed(offered), listed(accepted));
    Ruling::blocked(Cause::certain("tls-no-common-version", why))
}

fn listed(versions: &[String]) -> String {
    if versions.is_empty() { "in no version".to_owned() } else { versions.join(" and ") }
}

/// A chain that a server showed a client, and what the client holds it against.
#[derive(Debug, Clone)]
pub struct ServerChain {
    /// The chain, the client's stores, the lists as it gets them, the host; `at` is the client's own clock. Its
    /// `revocation` is set by `checks_lists`.
    pub request: ChainRequest,
    /// The right time, UTC, which tells a wrong clock from wrong dates.
    pub right_time: Micros,
    /// Whether the client checks revocation lists; `None`: not told.
    pub checks_lists: Option<bool>,
    /// Whether it did not check them until it took the site's settings: `/NoCRLCheck` is over.
    pub restored: bool,
}

impl ServerChain {
    fn report(&self, at: Micros, checks_lists: bool) -> Report {
        let revocation = Some(if checks_lists { Revocation::Chain } else { Revocation::Off });
        validate_chain(&ChainRequest { at, revocation, ..self.request.clone() })
    }
}

/// Whether the client accepts the gateway's certificate. `not_fetched` says what to add of lists that no certificate of
/// the chain names, where the revocation is not known.
pub fn certificate(chain: &ServerChain, not_fetched: Option<String>) -> Ruling {
    let checks_lists = chain.checks_lists.unwrap_or(true);
    let report = chain.report(chain.request.at, checks_lists);
    let same_clock = chain.request.at == chain.right_time;
    let right = if same_clock { None } else { Some(chain.report(chain.right_time, checks_lists)) };
    let mask = chains::mask(&report);
    // What is wrong at the client's clock alone is the clock's doing.
    let by_clock = right.as_ref().map_or(0, |right| mask & (DATE | REVOCATION) & !chains::mask(right));
    let mut ruling = Ruling::default();
    if by_clock != 0 {
        let why = format!("By the client's clock: {}", chains::why(&report, by_clock));
        ruling.add_cause(Cause::certain("client-clock-wrong", why));
    }
    for (bit, failure) in [
        (AUTHORITY, "cmg-root-ca-missing"),
        (NAME, "cmg-name-mismatch"),
        (DATE, "cmg-certificate-expired"),
        (REVOKED, "cmg-certificate-revoked"),
        (USAGE, "cmg-certificate-wrong-usage"),
        (DAMAGED, "cmg-certificate-damaged"),
    ] {
        if mask & bit & !by_clock == 0 {
            continue;
        }
        let why = chains::why(&report, bit);
        ruling = match bit {
            AUTHORITY if !chain.request.store_is_known() => {
                ruling.and(Ruling::not_known(format!("which roots the client trusts ({})", clause(&why))))
            }
            AUTHORITY => ruling.and(untrusted(&report, why)),
            _ => ruling.and(Ruling::blocked(Cause::certain(failure, why))),
        };
    }
    // What a wrong clock makes of a list says nothing of what is wrong with it, nor of where it is.
    let by_right_clock = right.as_ref().unwrap_or(&report);
    ruling = ruling.and(revocation(chain, by_right_clock, mask & REVOCATION & !by_clock != 0));
    if ruling.causes.is_empty() {
        let open = chains::open(&report);
        ruling.unknown.extend(not_fetched.filter(|_| open.iter().any(|clause| chains::is_of_lists(clause))));
        ruling.unknown.extend(open.into_iter().filter(|_| ruling.warnings.is_empty()));
        ruling.warnings.extend(ageing(chain, mask, chains::mask(by_right_clock)));
    }
    ruling.reports.push(report);
    ruling
}

/// A chain that the client does not trust, whose stores are known: as sure as the authorities above the leaf are told.
fn untrusted(report: &Report, why: String) -> Ruling {
    let failure = "cmg-root-ca-missing";
    match chains::told_of(report) {
        Told::Whole => Ruling::blocked(Cause::certain(failure, why)),
        Told::UpToAnAuthority => Ruling::blocked(Cause::likely(failure, why)),
        Told::LeafAlone => Ruling::not_known(format!(
            "the authorities above the CMG's certificate, of which the leaf alone is at hand: name the chain that the \
             CMG presents, or the root that it leads to ({failure} is possible: {})",
            clause(&why)
        )),
    }
}

/// Whether revocation lists stop the client; `report` is by the right clock.
fn revocation(chain: &ServerChain, report: &Report, fails: bool) -> Ruling {
    let failure = if chain.restored { "crl-check-restored-after-bootstrap" } else { "crl-unreachable" };
    let (cause, open) = if fails && chains::is_leaf_alone(report) {
        let why = "what the revocation lists are worth: the issuer of the CMG's certificate is not at hand";
        return if chain.checks_lists == Some(false) { Ruling::default() } else { Ruling::not_known(why) };
    } else if fails {
        (Cause::certain(failure, chains::why(report, REVOCATION)).in_words(words_of(report)), "")
    } else if let Some(why) = out_of_reach(report) {
        (Cause::likely(failure, why), " (judged by their addresses)")
    } else {
        return Ruling::default();
    };
    match chain.checks_lists {
        Some(true) => Ruling::blocked(cause),
        Some(false) => Ruling::default(),
        None => {
            let why = clause(&cause.why);
            Ruling::not_known(format!(
                "whether the client checks revocation lists{open}; if it does, {failure} ({why})"
            ))
        }
    }
}

const STALE: Words = Words {
    title: "The revocation list of the CMG certificate's CA has ended",
    explanation: "The client fetches the list and finds that its next issue is overdue. It knows no more of the CMG's \
                  certificate than without a list, and refuses the connection. Everybody who checks is stopped at once.",
    remedy: Some(
        "Publish a new list (on a Windows CA: 'certutil -CRL') and see that it arrives at the address that the \
             certificate names. Until then the check can be turned off in both places: /NoCRLCheck on the ccmsetup \
             command line, and the site option on the Communication Security tab.",
    ),
    verify: None,
};

const NOWHERE: Words = Words {
    title: "A certificate of the CMG's chain does not say where its revocation list is",
    explanation: "The client is to check for revocation, and the certificate has no distribution point: there is nowhere \
                  to look, whatever is published. It refuses the connection.",
    remedy: Some(
        "Let the CA write a CRL distribution point that the internet reaches into its certificates, and have the \
             certificate issued anew. Or turn the check off in both places: /NoCRLCheck on the ccmsetup command line, \
             and the site option on the Communication Security tab.",
    ),
    verify: None,
};

const UNUSABLE: Words = Words {
    title: "What is published as the revocation list of the CMG certificate's CA is not its list",
    explanation: "The client fetches the file and cannot use it: it is of another CA or another kind, or its signature is \
                  wrong. It knows no more of the CMG's certificate than without a list, and refuses the connection.",
    remedy: Some(
        "Publish the CA's own complete, current list at the address that the certificate names (on a Windows CA: \
             'certutil -CRL', then copy it there).",
    ),
    verify: None,
};

/// Words for a revocation that is not known although nothing is out of reach.
fn words_of(report: &Report) -> Option<&'static Words> {
    let fails = |ids: &[&str]| report.fatal().any(|check| ids.contains(&check.id.as_str()));
    if fails(&["crl-unreachable"]) {
        None
    } else if fails(&["crl-stale"]) {
        Some(&STALE)
    } else if fails(&["no-crl-distribution-point"]) {
        Some(&NOWHERE)
    } else {
        Some(&UNUSABLE)
    }
}

/// Why no internet client can be expected to reach the lists, where nothing better is told of them.
fn out_of_reach(report: &Report) -> Option<String> {
    let undecided = report
        .checks
        .iter()
        .any(|check| check.id == "revocation-unknown" && check.decides && check.status == CheckStatus::NotChecked);
    let reach = report.checks.iter().find(|check| {
        check.id == "crl-distribution-point-unreachable-from-internet" && check.status == CheckStatus::Failed
    })?;
    undecided.then(|| format!("{}: {}", reach.subject, reach.explanation))
}

/// What holds now, by the client's clock and by the right one, and will not for long.
fn ageing(chain: &ServerChain, now: u32, by_right_clock: u32) -> Vec<Cause> {
    let mut warnings = Vec::new();
    let at_right_time = ChainRequest { at: chain.right_time, ..chain.request.clone() };
    if let Some(why) = chains::ends_soon(&at_right_time, by_right_clock) {
        warnings.push(Cause::certain("cmg-certificate-expired", why));
    }
    if chain.checks_lists != Some(false) {
        let later = chain.report(chain.right_time + LIST_HOURS * HOUR, true);
        if chains::mask(&later) & !now & !by_right_clock & REVOCATION != 0 {
            let why = format!("In {LIST_HOURS} hours: {}", chains::why(&later, REVOCATION));
            warnings.push(Cause::certain("crl-unreachable", why).in_words(Some(&STALE)));
        }
    }
    warnings
}

/// Whether the client accepts what an inspecting proxy shows in the gateway's place. `request` is that of the gateway's
/// own certificate, with the client's stores; its chain is replaced.
pub fn inspection(shown: &[Source], request: &ChainRequest, checks_lists: Option<bool>) -> Ruling {
    let bundle = crate::certs::Bundle::read(shown);
    let authority_alone = bundle.certificates.first().is_some_and(crate::certs::Certificate::is_ca);
    let looks = checks_lists == Some(true) && !authority_alone;
    let request = ChainRequest {
        presented: shown.to_vec(),
        revocation: Some(if looks { Revocation::Chain } else { Revocation::Off }),
        host: request.host.clone().filter(|_| !authority_alone),
        ..request.clone()
    };
    let report = validate_chain(&request);
    // An authority shown alone is no server's certificate: only whether it is trusted counts.
    let wrong = chains::mask(&report) & if authority_alone { AUTHORITY } else { u32::MAX };
    let mut ruling = if wrong == 0 {
        Ruling::passed("The traffic is opened by an inspecting proxy whose authority the client trusts.")
    } else if wrong & !AUTHORITY == 0 && !request.store_is_known() {
        Ruling::not_known("whether the client trusts the authority of the inspecting proxy")
    } else {
        let why = format!("A proxy shows its own certificate in the CMG's place. {}", chains::why(&report, wrong));
        let by_authority_alone = wrong & !AUTHORITY == 0;
        let cause = if by_authority_alone && chains::told_of(&report) != Told::Whole {
            Cause::likely("tls-interception", why.trim_end())
        } else {
            Cause::certain("tls-interception", why.trim_end())
        };
        Ruling::blocked(cause)
    };
    if ruling.causes.is_empty() {
        ruling
            .unknown
            .extend(chains::open(&report).into_iter().filter(|_| !authority_alone || !request.store_is_known()));
        if checks_lists != Some(false) && !looks {
            ruling.unknown.push("whether the client can check the proxy's certificate for revocation".to_owned());
        }
    }
    ruling.reports.push(report);
    ruling
}

/// What a client is shown: the gateway's own chain, or that of somebody in between.
pub fn shown(network: &Network) -> Option<&[crate::site::File]> {
    match &network.inspection {
        Some(Inspection::Shows(files)) => Some(files),
        Some(Inspection::Nobody) | None => None,
    }
}
