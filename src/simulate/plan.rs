//! What to simulate.

use super::faults::Fault;
use super::{HOUR, SECOND};
use crate::error::{Error, Result};
use crate::site::Site;
use crate::time::Micros;

/// Made-up lines of components that have nothing to do with authentication.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Noise {
    /// None.
    #[default]
    None,
    /// So much of all bytes, from 0 to below 1.
    Share(f64),
    /// So many bytes.
    Bytes(u64),
}

impl Noise {
    /// Reads `0.98`, `98%` or `200MB`.
    ///
    /// ```
    /// use cmgtrail::simulate::Noise;
    /// assert_eq!(Noise::parse("50%").unwrap(), Noise::Share(0.5));
    /// assert_eq!(Noise::parse("200MB").unwrap(), Noise::Bytes(200_000_000));
    /// assert!(Noise::parse("100%").is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for anything else.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of megabytes, not negative
    pub fn parse(text: &str) -> Result<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
        let noise = if let Some(size) = lower.strip_suffix("mb") {
            number(size).map(|size| Self::Bytes((size * 1e6) as u64))
        } else if let Some(percent) = lower.strip_suffix('%') {
            number(percent).filter(|percent| *percent < 100.0).map(|percent| Self::Share(percent / 100.0))
        } else {
            number(&lower).filter(|share| *share < 1.0).map(Self::Share)
        };
        noise.ok_or_else(|| Error::Argument {
            argument: "noise".to_owned(),
            expected: "a share below 1 (0.98 or 98%) or a size such as 200MB".to_owned(),
            found: text.to_owned(),
        })
    }
}

/// What to simulate. Everything follows from it: the same plan gives the same logs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A site whose names, ids and options are taken over, and what in it does not work; `None`: a random one.
    pub site: Option<Site>,
    /// Number of clients.
    pub clients: usize,
    /// Simulated time, hours.
    pub hours: f64,
    /// Messages of all registered clients together, a second; `None`: one in ten minutes from each.
    pub rate: Option<f64>,
    /// Faults to inject.
    pub faults: Vec<Fault>,
    /// Most seconds that a machine's clock is off. The gateway's is right.
    pub skew_seconds: u32,
    /// Lines that mean nothing.
    pub noise: Noise,
    /// Whether ccmsetup tries again after ten minutes.
    pub retries: bool,
    /// When it begins, UTC; `None`: some hour from 2024 to 2026, by the seed. A described site, whose certificates have
    /// dates, needs it.
    pub start: Option<Micros>,
    /// What chance draws from.
    pub seed: u64,
    /// Whether certificates, revocation lists, tokens and join status are written beside the logs.
    pub artefacts: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            site: None,
            clients: 10,
            hours: 4.0,
            rate: None,
            faults: Vec::new(),
            skew_seconds: 120,
            noise: Noise::None,
            retries: false,
            start: None,
            seed: 1,
            artefacts: true,
        }
    }
}

impl Plan {
    /// How many clients to simulate where nobody says: those that are described, else ten.
    pub fn clients_of(site: Option<&Site>) -> usize {
        site.map(|site| site.clients.len()).filter(|count| *count > 0).unwrap_or(Self::default().clients)
    }

    /// Refuses what cannot be simulated.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |argument: &str, expected: &str, found: String| {
            Err(Error::Argument { argument: argument.to_owned(), expected: expected.to_owned(), found })
        };
        if self.clients == 0 || self.clients > 1_000_000 {
            return wrong("clients", "from 1 to 1000000", self.clients.to_string());
        }
        if !(self.hours > 0.0 && self.hours <= 24.0 * 366.0) {
            return wrong("hours", "more than 0 and at most a year", self.hours.to_string());
        }
        if self.rate.is_some_and(|rate| !(rate > 0.0 && rate <= 10_000.0)) {
            return wrong("rate", "more than 0 and at most 10000 a second", format!("{:?}", self.rate.unwrap_or(0.0)));
        }
        if self.skew_seconds > 86_400 {
            return wrong("skew", "at most 86400 seconds", self.skew_seconds.to_string());
        }
        if self.site.is_some() && self.start.is_none() {
            return wrong("start", "a time, since the certificates of a described site have dates", "none".to_owned());
        }
        let (first, last) = (946_684_800 * SECOND, 4_102_444_800 * SECOND);
        if self.start.is_some_and(|start| !(first..last).contains(&start)) {
            return wrong("start", "a time from 2000 to 2099", crate::time::rfc3339(self.start.unwrap_or(0)));
        }
        Ok(())
    }

    /// The simulated time.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // at most a year
    pub(super) fn duration(&self) -> Micros {
        (self.hours * HOUR as f64) as Micros
    }

    /// Messages of one client a second.
    #[allow(clippy::cast_precision_loss)] // at most a million clients
    pub(super) fn rate_of_client(&self) -> f64 {
        self.rate.map_or(1.0 / 600.0, |rate| rate / self.clients.max(1) as f64)
    }
}
