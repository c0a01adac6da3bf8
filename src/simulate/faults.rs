//! The faults that can be injected: each a cause of the failure catalogue, with whom it hits and how sure its traces are.

use serde::Serialize;

use super::lines::Proof;
use crate::error::{Error, Result};
use crate::stage::Stage;

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Some clients; which, the share says.
    Client,
    /// The site: everybody from its onset on.
    Site,
}

/// In which part of a client's life a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// While ccmsetup runs, or at the registration after it.
    Installing,
    /// On a client that has been there for long.
    Installed,
    /// On a client with a PKI certificate, which has been there for long.
    Pki,
    /// In both.
    Either,
}

/// A fault that can be injected.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FaultKind {
    /// Failure id.
    pub id: &'static str,
    /// Whom it hits.
    pub scope: Scope,
    /// The stage whose work it makes impossible.
    pub stage: Stage,
    /// How sure its traces are, by the failure catalogue: `S`, `P` or `I`. Only `S` enters a headline figure.
    pub proof: Proof,
    #[serde(skip)]
    pub(super) shows: Shows,
}

const fn fault(id: &'static str, scope: Scope, stage: Stage, proof: Proof, shows: Shows) -> FaultKind {
    FaultKind { id, scope, stage, proof, shows }
}

use Proof::{I, P, S};
use Scope::{Client, Site};
use Shows::{Either, Installed, Installing, Pki};
use Stage::{AadInfo, AadToken, CmgConnection, CmgForward, CmgReceive, ConnectorForward, MpValidate, WpjCertificate};

/// All faults, in the order of the failure catalogue.
pub const FAULTS: [FaultKind; 36] = [
    fault("cmg-root-ca-missing", Client, CmgConnection, S, Either),
    fault("crl-unreachable", Client, CmgConnection, S, Installing),
    fault("crl-check-restored-after-bootstrap", Site, CmgConnection, S, Installing),
    fault("cmg-name-mismatch", Client, CmgConnection, S, Installing),
    fault("cmg-certificate-expired", Site, CmgConnection, P, Either),
    fault("client-clock-wrong", Client, CmgConnection, I, Either),
    fault("cmg-certificate-revoked", Site, CmgConnection, I, Either),
    fault("cmg-certificate-wrong-usage", Site, CmgConnection, I, Either),
    fault("cmg-certificate-damaged", Site, CmgConnection, I, Either),
    fault("tls-interception", Client, CmgConnection, S, Either),
    fault("tls-no-common-version", Client, CmgConnection, P, Either),
    fault("wpj-certificate-missing", Client, WpjCertificate, P, Installing),
    fault("tenant-not-onboarded", Client, AadInfo, P, Installing),
    fault("device-token-not-enabled", Site, AadToken, S, Installing),
    fault("os-too-old-for-device-token", Client, AadToken, S, Installed),
    fault("wam-key-failure", Client, AadToken, I, Either),
    fault("no-entra-user-signed-in", Client, AadToken, S, Installing),
    fault("wrong-resource-uri", Client, AadToken, I, Installing),
    fault("entra-unreachable", Client, AadToken, I, Either),
    fault("site-token-expired", Client, CmgReceive, S, Installing),
    fault("token-audience-or-issuer-refused", Site, CmgReceive, S, Either),
    fault("token-clock-skew", Site, MpValidate, I, Either),
    fault("client-chain-incomplete-on-cmg", Site, CmgReceive, S, Pki),
    fault("client-revocation-misconfigured", Site, CmgReceive, P, Pki),
    fault("connector-ports-blocked", Site, CmgForward, S, Either),
    fault("connector-role-certificate-missing", Site, CmgForward, S, Either),
    fault("connector-down", Site, CmgForward, I, Either),
    fault("connector-client-certificate-missing", Site, ConnectorForward, S, Either),
    fault("connector-chain-revocation-offline", Site, ConnectorForward, S, Either),
    fault("mp-binding-wrong", Site, MpValidate, S, Either),
    fault("mp-redirect-on-sts", Site, MpValidate, S, Either),
    fault("sts-library-mismatch", Site, MpValidate, S, Either),
    fault("mp-compression-scheme-broken", Site, MpValidate, S, Either),
    fault("sts-not-running", Site, MpValidate, P, Either),
    fault("mp-cannot-reach-entra", Site, MpValidate, S, Either),
    fault("user-not-discovered", Client, MpValidate, S, Installed),
];

/// Faults that show after the management point has answered.
pub const LATE_FAULTS: [FaultKind; 2] = [
    fault("client-certificate-expired", Client, Stage::Registration, S, Installing),
    fault("content-not-on-cmg", Site, Stage::ContentDownload, I, Installing),
];

/// Every fault that can be injected.
pub fn all() -> impl Iterator<Item = &'static FaultKind> {
    FAULTS.iter().chain(&LATE_FAULTS)
}

/// The fault that a failure id names, where it can be injected.
pub(super) fn kind(id: &str) -> Option<&'static FaultKind> {
    all().find(|kind| kind.id == id)
}

/// How many clients a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// One client, or for a fault of the site everybody.
    Usual,
    /// So many clients.
    Clients(usize),
    /// So much of all clients, from 0 to 1, and at least one.
    Part(f64),
}

/// A fault to inject, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Which.
    pub kind: &'static FaultKind,
    /// Whom it hits.
    pub share: Share,
}

impl Fault {
    /// Reads `crl-unreachable`, `crl-unreachable=5%` or `crl-unreachable=3`.
    ///
    /// ```
    /// use cmgtrail::simulate::{Fault, Share};
    /// assert_eq!(Fault::parse("crl-unreachable=5%").unwrap().share, Share::Part(0.05));
    /// assert!(Fault::parse("no-such-fault").is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a fault that cannot be injected, or a share that is none.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong =
            |expected: String| Error::Argument { argument: "fault".to_owned(), expected, found: text.to_owned() };
        let (id, share) = text.split_once('=').map_or((text, None), |(id, share)| (id, Some(share.trim())));
        let Some(kind) = kind(id.trim()) else {
            let known: Vec<&str> = all().map(|kind| kind.id).collect();
            return Err(wrong(format!("a fault that can be injected ({})", known.join(", "))));
        };
        let share = share.map(|share| share_of(share).ok_or_else(|| wrong("a share such as 5% or 3".to_owned())));
        let share = share.transpose()?.unwrap_or(Share::Usual);
        if kind.scope == Site && share != Share::Usual {
            return Err(wrong(format!("'{}' without a share, for it hits the whole site", kind.id)));
        }
        Ok(Self { kind, share })
    }

    /// How many of so many clients it hits. A number is told as it is, be there so many clients or not.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // at most all clients
    pub(super) fn clients(&self, of: usize) -> usize {
        match self.share {
            Share::Usual => 1.min(of),
            Share::Clients(count) => count,
            Share::Part(part) => ((of as f64 * part).round() as usize).clamp(1.min(of), of),
        }
    }
}

fn share_of(text: &str) -> Option<Share> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().ok()?;
            (percent > 0.0 && percent <= 100.0).then_some(Share::Part(percent / 100.0))
        }
        None => text.parse().ok().filter(|count| *count > 0).map(Share::Clients),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_whole_site_is_refused() {
        assert!(Fault::parse("connector-down").is_ok());
        assert!(Fault::parse("connector-down=5%").is_err());
        assert!(Fault::parse("tls-interception=0%").is_err());
        assert_eq!(Fault::parse("tls-interception=10%").unwrap().clients(3), 1);
    }
}
