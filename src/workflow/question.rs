//! What prediction looks at: one client of a site, at one instant, in one phase; and what follows at once from that.

use serde::Serialize;

use super::chains::{self, DAMAGED, DATE, REVOKED, USAGE};
use super::decision::Verdict;
use super::entra;
use crate::certs::{ChainRequest, Purpose, Revocation, Source, validate_chain};
use crate::site::{CcmHostName, Client, CommandLine, File, ManagementPoint, Root, Site, host_and_role};
use crate::time::Micros;

/// When on its way a client is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// While ccmsetup runs: its switches say what is checked.
    Bootstrap,
    /// After location services have brought the site's settings: the site's options say what is checked.
    AfterRefresh,
}

impl Phase {
    /// Both phases, in their order.
    pub const ALL: [Self; 2] = [Self::Bootstrap, Self::AfterRefresh];

    /// Its id, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::AfterRefresh => "after-refresh",
        }
    }
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// With a certificate of a PKI; ccmsetup prefers it to all else.
    Certificate,
    /// With a bulk registration token, and the site's own token after that.
    RegistrationToken,
    /// With a token of Entra.
    Entra,
    /// With a token of the site's own, which it got when it registered: later, or on the organisation's network.
    SiteToken,
}

/// One client of a site, at one instant, in one phase.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The site.
    pub site: &'a Site,
    /// The client.
    pub client: &'a Client,
    /// The right time, UTC.
    pub at: Micros,
    /// The phase.
    pub phase: Phase,
}

/// A machine's clock at the right time `at`; one of which nothing is told is right.
pub fn clock(at: Micros, ahead_seconds: Option<f64>) -> Micros {
    #[allow(clippy::cast_possible_truncation)] // a site's clocks are within 20 years of the right time
    let ahead = (ahead_seconds.unwrap_or(0.0) * 1e6) as Micros;
    at.saturating_add(ahead)
}

impl<'a> Question<'a> {
    /// The command line of ccmsetup.
    pub fn command(&self) -> Option<&'a CommandLine> {
        self.client.ccmsetup.as_ref()
    }

    /// What the client's clock shows.
    pub fn client_time(&self) -> Micros {
        clock(self.at, self.client.clock_offset_seconds)
    }

    /// What the gateway's clock shows.
    pub fn gateway_time(&self) -> Micros {
        clock(self.at, self.site.cmg.clock_offset_seconds)
    }

    /// What the clock of the management point shows that answers the client, the first of several.
    pub fn management_point_time(&self) -> Micros {
        clock(self.at, self.management_points().first().and_then(|point| point.clock_offset_seconds))
    }

    /// Where the command line sends the client: `CCMHOSTNAME`, else the path on a gateway that `/mp:` names.
    pub fn told_target(&self) -> Option<CcmHostName> {
        let line = self.command()?;
        line.ccm_host_name()
            .or_else(|| line.management_point().and_then(host_and_role).filter(|mp| mp.role_id.is_some()))
    }

    /// Where the client may turn to: in the bootstrap as its command line says, later to a name that the site gives.
    /// Of several it is not told which it was given, unless the command line names one of them.
    pub fn targets(&self) -> Vec<CcmHostName> {
        let names = &self.site.cmg.names;
        let told = self.told_target();
        let is_of_site = told.as_ref().is_some_and(|told| self.site.cmg.has_name(&told.host));
        match told {
            Some(told) if self.phase == Phase::Bootstrap || is_of_site || names.is_empty() => vec![told],
            _ => names.iter().map(|name| CcmHostName { host: name.to_ascii_lowercase(), role_id: None }).collect(),
        }
    }

    /// The management points that may answer the client: that of the command line's role id, later all that allow CMG
    /// traffic. Where none is told to, those of which it is not told.
    pub fn management_points(&self) -> Vec<&'a ManagementPoint> {
        let told = self.told_target().filter(|_| self.phase == Phase::Bootstrap).and_then(|told| told.role_id);
        if let Some(point) = told.and_then(|role| self.site.management_point_of_role(role)) {
            return vec![point];
        }
        let points = &self.site.management_points;
        let of = |traffic: Option<bool>| points.iter().filter(|point| point.cmg_traffic == traffic).collect::<Vec<_>>();
        [of(Some(true)), of(None), of(Some(false))].into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// Whether the client checks revocation lists of site systems.
    pub fn checks_lists(&self) -> Option<bool> {
        match self.phase {
            Phase::Bootstrap => self.command().map(|line| !line.no_crl_check()),
            Phase::AfterRefresh => self.site.options.crl_check,
        }
    }

    /// How the client proves who it is. A client of which no PKI certificate is told has none. One that was installed
    /// by a registration token, or that Entra knows nothing of, has a token of the site, if it has anything.
    pub fn credential(&self) -> Credential {
        let installed = self.phase == Phase::AfterRefresh;
        if self.client.pki_file().is_some() && self.unusable_certificate().is_none() {
            Credential::Certificate
        } else if self.client.registration_token().is_some() {
            if installed { Credential::SiteToken } else { Credential::RegistrationToken }
        } else if installed && entra::join(self.client, self.client_time()).verdict() == Verdict::Blocked {
            Credential::SiteToken
        } else {
            Credential::Entra
        }
    }

    /// Why ccmsetup would not select the client's PKI certificate, which has to be in its dates, whole, and for client
    /// authentication. `None` where it would, or where there is none.
    pub fn unusable_certificate(&self) -> Option<String> {
        const NEEDED: u32 = DATE | USAGE | DAMAGED | REVOKED;
        let file = self.client.pki_file()?;
        let (leaf, _) = chains::leaf_and_rest(&file.source());
        let mut request = ChainRequest::new(leaf, Vec::new(), self.client_time());
        request.purpose = Purpose::Client;
        request.revocation = Some(Revocation::Off);
        let report = validate_chain(&request);
        if chains::mask(&report) & NEEDED == 0 {
            return None;
        }
        request.at = self.at;
        let by_clock = self.client_time() != self.at && chains::mask(&validate_chain(&request)) & NEEDED == 0;
        let whose = if by_clock { "By the client's clock, which is wrong: " } else { "" };
        Some(format!("{whose}{}", chains::why(&report, NEEDED)))
    }

    /// The gateway's chain against the client's stores, by the client's clock.
    pub fn chain(&self, presented: &[File], host: &str) -> ChainRequest {
        let sources = |files: &Option<Vec<File>>| files.iter().flatten().map(File::source).collect::<Vec<Source>>();
        let shown: Vec<Source> = presented.iter().map(File::source).collect();
        let mut request = ChainRequest::new(shown, sources(&self.client.roots), self.client_time());
        request.roots_known = self.client.roots.is_some();
        request.intermediates = sources(&self.client.intermediates);
        // The root is no part of what a server sends. It helps to say which one is missing.
        if let Some(Root::Private(root)) = &self.site.cmg.root {
            request.intermediates.push(root.source());
        }
        request.crls = chains::lists(&self.site.crls, &request);
        request.internal_suffixes.clone_from(&self.site.options.internal_domains);
        request.host = Some(host.to_owned());
        request
    }

    /// The client's own certificate against the authorities uploaded to the gateway.
    pub fn client_chain(&self) -> Option<ChainRequest> {
        let file = self.client.pki_file()?;
        // The client sends its leaf; the gateway knows no authority that was not uploaded.
        let (leaf, _) = chains::leaf_and_rest(&file.source());
        let uploaded = &self.site.cmg.client_cas;
        let sources: Vec<Source> = uploaded.iter().flatten().map(File::source).collect();
        let (roots, others) = sources.into_iter().partition(chains::is_root);
        let mut request = ChainRequest::new(leaf, roots, self.gateway_time());
        request.roots_known = uploaded.is_some();
        request.intermediates = others;
        request.purpose = Purpose::Client;
        request.crls = chains::lists(&self.site.crls, &request);
        request.internal_suffixes.clone_from(&self.site.options.internal_domains);
        Some(request)
    }
}
