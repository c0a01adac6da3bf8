//! What prediction looks at: one client of a site, at one instant, in one phase; and what follows at once from that.

use serde::Serialize;

use super::chains::{self, DAMAGED, DATE, REVOKED, USAGE};
use crate::certs::{ChainRequest, Purpose, Revocation, Source, Vantage, validate_chain};
use crate::site::{CcmHostName, Client, CommandLine, File, Held, ManagementPoint, Root, Site};
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

    /// What the management point's clock shows.
    pub fn management_point_time(&self) -> Micros {
        clock(self.at, self.management_point().and_then(|point| point.clock_offset_seconds))
    }

    /// Where the client turns to: in the bootstrap as its command line says, later as the site says.
    pub fn target(&self) -> Option<CcmHostName> {
        let by_command = || self.command()?.ccm_host_name();
        let by_site = || {
            let offered = self.site.management_points.iter().find(|point| point.cmg_traffic == Some(true));
            let role_id = offered.and_then(|point| self.site.role_id(&point.name));
            Some(CcmHostName { host: self.site.cmg.names.first()?.to_ascii_lowercase(), role_id })
        };
        match self.phase {
            Phase::Bootstrap => by_command().or_else(by_site),
            Phase::AfterRefresh => by_site().or_else(by_command),
        }
    }

    /// The management point that answers the client: that of the role id, else one that allows CMG traffic.
    pub fn management_point(&self) -> Option<&'a ManagementPoint> {
        let points = &self.site.management_points;
        let by_role = || self.site.management_point_of_role(self.target()?.role_id?);
        by_role().or_else(|| points.iter().find(|point| point.cmg_traffic == Some(true))).or_else(|| points.first())
    }

    /// Whether the client checks revocation lists of site systems.
    pub fn checks_lists(&self) -> Option<bool> {
        match self.phase {
            Phase::Bootstrap => self.command().map(|line| !line.no_crl_check()),
            Phase::AfterRefresh => self.site.options.crl_check,
        }
    }

    /// How the client proves who it is. A client of which no PKI certificate is told has none.
    pub fn credential(&self) -> Credential {
        if self.has_usable_certificate() {
            Credential::Certificate
        } else if self.registration_token().is_some() {
            Credential::RegistrationToken
        } else {
            Credential::Entra
        }
    }

    /// Whether ccmsetup would select the client's PKI certificate: in its dates, whole, for client authentication.
    fn has_usable_certificate(&self) -> bool {
        let Some(file) = self.client.pki_certificate.as_ref().and_then(Held::file) else { return false };
        let (leaf, _) = chains::leaf_and_rest(&file.source());
        let mut request = ChainRequest::new(leaf, Vec::new(), self.client_time());
        request.purpose = Purpose::Client;
        request.revocation = Some(Revocation::Off);
        chains::mask(&validate_chain(&request)) & (DATE | USAGE | DAMAGED | REVOKED) == 0
    }

    /// The bulk registration token: its file, else what the command line has.
    pub fn registration_token(&self) -> Option<String> {
        let by_file = || Some(self.client.tokens.registration.as_ref()?.text().trim().to_owned());
        by_file().or_else(|| self.command()?.registration_token().map(str::to_owned))
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
        request.crls = chains::lists(&self.site.crls, Vantage::Internet);
        request.internal_suffixes.clone_from(&self.site.options.internal_domains);
        request.host = Some(host.to_owned());
        request
    }

    /// The client's own certificate against the authorities uploaded to the gateway.
    pub fn client_chain(&self) -> Option<ChainRequest> {
        let file = self.client.pki_certificate.as_ref()?.file()?;
        // The client sends its leaf; the gateway knows no authority that was not uploaded.
        let (leaf, _) = chains::leaf_and_rest(&file.source());
        let uploaded = &self.site.cmg.client_cas;
        let sources: Vec<Source> = uploaded.iter().flatten().map(File::source).collect();
        let (roots, others) = sources.into_iter().partition(chains::is_root);
        let mut request = ChainRequest::new(leaf, roots, self.gateway_time());
        request.roots_known = uploaded.is_some();
        request.intermediates = others;
        request.purpose = Purpose::Client;
        request.crls = chains::lists(&self.site.crls, Vantage::Internet);
        request.internal_suffixes.clone_from(&self.site.options.internal_domains);
        Some(request)
    }
}
