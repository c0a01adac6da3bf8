//! How long things take between two machines, as the pairs themselves show it.
//!
//! One request is seen by an outer machine from its sending to the answer, and by an inner one from its coming to its
//! answer. How much longer the outer sees it (`slack`) does not depend on any clock; where in it the inner stands
//! (`lead`, from the middle) does. Both laws are estimated from the pairs that are nearly sure, never assumed.

/// Seconds.
pub type Seconds = f64;

/// A share of pairs that follow no law: a machine was asleep, a line was written late.
const STRAY: f64 = 0.01;

/// How far strays may be, seconds.
const STRAY_REACH: Seconds = 60.0;

/// Lines are written a few milliseconds late: a slack may be this far below zero.
pub const JITTER: Seconds = 0.02;

/// Pairs that what is believed beforehand counts as: enough to bear a hop with a pair or two, too few to bend one with
/// twenty.
const BELIEVED: f64 = 2.0;

/// Bounds of the deviation of a logarithm: a few equal values do not make a law without any spread, and one wild pair
/// none that allows everything (a factor of twenty).
const SIGMA: (f64, f64) = (0.05, 3.0);

/// Bounds of the deviation of a lead, seconds: lines are not written more exactly than this, and where leads differ by
/// more the pairs are wrong.
const SPREAD: (Seconds, Seconds) = (0.005, 2.0);

/// Deviations within which a pair is looked at: of seven hundred right ones one is farther.
const DEVIATIONS: f64 = 4.0;

/// Deviation of a logistic law of scale one. What is left of two delays once one is taken from the other follows it:
/// now and then a delay is long, and a normal law calls that all but impossible.
const LOGISTIC: f64 = 1.813_799_364_234_217_8;

/// What a pair may stand off besides, seconds: a law that few pairs have taught may be narrow by chance.
const LEEWAY: Seconds = 0.1;

/// Laws are near each other that differ by less than this share of what they say things scatter by.
const NEAR: f64 = 0.02;

/// Variance of a time that is known to the second, in square seconds: that of a uniform law.
const OF_A_SECOND: f64 = 1.0 / 12.0;

/// A log-normal law: half of all values are below `exp(mu)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormal {
    /// Mean of the logarithm.
    pub mu: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
}

impl LogNormal {
    /// Density at a positive value, a second.
    pub fn density(&self, value: Seconds) -> f64 {
        if value <= 0.0 {
            return 0.0;
        }
        let distance = (value.ln() - self.mu) / self.sigma;
        (-0.5 * distance * distance).exp() / (value * self.sigma * (std::f64::consts::TAU).sqrt())
    }

    /// The value that half of all are below.
    pub fn median(&self) -> Seconds {
        self.mu.exp()
    }

    /// The law of weighted positive values; `prior` counts as `strength` of them.
    pub fn fit(values: &[(Seconds, f64)], prior: Self, strength: f64) -> Self {
        let logs = || values.iter().filter(|(value, _)| *value > 0.0).map(|(value, weight)| (value.ln(), *weight));
        let total: f64 = strength + logs().map(|(_, weight)| weight).sum::<f64>();
        let mu = (strength * prior.mu + logs().map(|(log, weight)| weight * log).sum::<f64>()) / total;
        let own = |log: f64| (log - mu) * (log - mu);
        let spread = strength * (prior.sigma * prior.sigma + own(prior.mu))
            + logs().map(|(log, weight)| weight * own(log)).sum::<f64>();
        Self { mu, sigma: (spread / total).sqrt().clamp(SIGMA.0, SIGMA.1) }
    }
}

/// The law of one hop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// How much longer the outer machine sees a request.
    pub slack: LogNormal,
    /// Where the middle of the inner stands, from the middle of the outer: mean.
    pub lead: Seconds,
    /// Its standard deviation, clocks apart.
    pub spread: Seconds,
    /// Share of the outer machine's requests that the inner one's log has.
    pub seen: f64,
}

impl Default for Law {
    /// What is believed before any pair is known: a slack of some tenths of a second, give or take much.
    fn default() -> Self {
        Self { slack: LogNormal { mu: -2.0, sigma: 1.2 }, lead: 0.0, spread: 0.15, seen: 0.8 }
    }
}

/// One pair as the law sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// How much longer the outer sees it, where both durations are known.
    pub slack: Option<Seconds>,
    /// Where the inner stands from the middle of the outer.
    pub lead: Seconds,
    /// Uncertainty of the clocks.
    pub clocks: Seconds,
    /// Number of its ends that are known to the second only, 0 to 2.
    pub coarse: u8,
    /// What is known of the ends: a lead from ends alone is less exact.
    pub ends_only: bool,
}

impl Law {
    /// True where another law says all but the same: what is left is far below what pairs scatter by.
    pub fn is_near(&self, other: &Self) -> bool {
        let near = |one: f64, two: f64, most: f64| (one - two).abs() < most;
        near(self.lead, other.lead, NEAR * self.spread)
            && near(self.spread.ln(), other.spread.ln(), NEAR)
            && near(self.slack.mu, other.slack.mu, NEAR * self.slack.sigma)
            && near(self.slack.sigma.ln(), other.slack.sigma.ln(), NEAR)
            && near(self.seen, other.seen, NEAR)
    }

    /// Density of a pair, a second, or a second squared where the slack is known.
    pub fn density(&self, measure: &Measure) -> f64 {
        let stray = STRAY / STRAY_REACH;
        let slack = measure.slack.map_or(1.0, |slack| {
            let value = slack + JITTER / 2.0;
            if value <= 0.0 { 0.0 } else { (1.0 - STRAY) * self.slack.density(value) + stray }
        });
        slack * ((1.0 - STRAY) * self.lead_density(measure) + stray)
    }

    /// Density of where the inner stands, a second.
    pub fn lead_density(&self, measure: &Measure) -> f64 {
        let deviation = self.deviation(measure);
        let distance = measure.lead - self.lead;
        if measure.coarse == 0 {
            let within = below(distance / deviation);
            return within * (1.0 - within) * LOGISTIC / deviation;
        }
        // Somewhere within the second: a uniform law and a logistic one.
        let half = 0.5 * f64::from(measure.coarse);
        let area = below((distance + half) / deviation) - below((distance - half) / deviation);
        area.max(0.0) / (2.0 * half)
    }

    /// How likely a pair stands where it does by the law, and is no stray.
    fn lawful(&self, measure: &Measure) -> f64 {
        let by_law = (1.0 - STRAY) * self.lead_density(measure);
        by_law / (by_law + STRAY / STRAY_REACH)
    }

    /// Standard deviation of the lead, clocks included, quantisation left out.
    pub fn deviation(&self, measure: &Measure) -> Seconds {
        let ends = if measure.ends_only { self.slack.median() / 2.0 } else { 0.0 };
        (self.spread * self.spread + measure.clocks * measure.clocks + ends * ends).sqrt()
    }

    /// How far from the expected a pair may stand and still be looked at.
    pub fn reach(&self, clocks: Seconds, coarse: u8) -> Seconds {
        let deviation = (self.spread * self.spread + clocks * clocks).sqrt();
        DEVIATIONS * deviation + f64::from(coarse) * 0.5 + self.slack.median() + LEEWAY
    }

    /// The law of weighted pairs, after a law that was believed before.
    pub fn fit(pairs: &[(Measure, f64)], before: &Self, seen: f64) -> Self {
        let slacks: Vec<(Seconds, f64)> = pairs
            .iter()
            .filter_map(|(measure, weight)| Some((measure.slack? + JITTER / 2.0, *weight)))
            .filter(|(slack, _)| *slack > 0.0 && *slack < STRAY_REACH)
            .collect();
        let prior = Self::default();
        let slack = LogNormal::fit(&slacks, prior.slack, BELIEVED);
        // What was believed of the lead counts half, so that rounds of learning forget where they began.
        let (mut total, mut sum) = (BELIEVED, BELIEVED * before.lead * 0.5);
        // A pair that stands where only strays do teaches nothing of where the others stand.
        let lawful: Vec<(&Measure, f64)> = pairs
            .iter()
            .filter(|(measure, _)| !measure.ends_only)
            .map(|(measure, weight)| (measure, weight * before.lawful(measure)))
            .collect();
        for (measure, weight) in &lawful {
            total += weight;
            sum += weight * measure.lead;
        }
        let lead = sum / total;
        let (mut variance, mut total) = (BELIEVED * prior.spread * prior.spread, BELIEVED);
        for (measure, weight) in &lawful {
            let distance = measure.lead - lead;
            // What whole seconds and the clocks add is not the hop's own.
            let foreign = f64::from(measure.coarse) * OF_A_SECOND + measure.clocks * measure.clocks;
            variance += weight * (distance * distance - foreign);
            total += weight;
        }
        Self { slack, lead, spread: (variance / total).max(0.0).sqrt().clamp(SPREAD.0, SPREAD.1), seen }
    }
}

/// Share of a logistic law that is below a value in deviations.
fn below(value: f64) -> f64 {
    1.0 / (1.0 + (-LOGISTIC * value).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64, within: f64) -> bool {
        (left - right).abs() <= within
    }

    #[test]
    fn a_logistic_law_has_its_quartiles_at_the_logarithm_of_three() {
        assert!(near(below(0.0), 0.5, 1e-9));
        assert!(near(below(3.0_f64.ln() / LOGISTIC), 0.75, 1e-9));
        assert!(near(below(-3.0_f64.ln() / LOGISTIC), 0.25, 1e-9));
    }

    #[test]
    fn laws_that_differ_by_a_hair_are_near() {
        let law = Law { spread: 0.05, ..Law::default() };
        assert!(law.is_near(&Law { lead: 0.000_5, ..law }));
        assert!(!law.is_near(&Law { lead: 0.005, ..law }));
        assert!(!law.is_near(&Law { spread: 0.06, ..law }));
    }

    #[test]
    fn a_lead_of_four_deviations_is_rare_and_no_wonder() {
        let law = Law { spread: 0.05, ..Law::default() };
        let at = |lead| Measure { slack: None, lead, clocks: 0.0, coarse: 0, ends_only: false };
        let share = law.lead_density(&at(0.2)) / law.lead_density(&at(0.0));
        assert!((1e-3..1e-2).contains(&share), "{share}");
    }

    #[test]
    fn a_law_is_found_from_its_values() {
        // Quartiles of a log-normal law with median 0.1 and sigma 0.5 and the median itself, many times over.
        let quartile = 0.5 * 0.674_49_f64;
        let values: Vec<(f64, f64)> = [(-quartile).exp(), 1.0, quartile.exp()].map(|v| (v * 0.1, 1_000.0)).to_vec();
        let found = LogNormal::fit(&values, Law::default().slack, 2.0);
        assert!(near(found.median(), 0.1, 0.001), "{found:?}");
        assert!(near(found.sigma, quartile * (2.0_f64 / 3.0).sqrt(), 0.02), "{found:?}");
    }

    #[test]
    fn a_few_strays_widen_no_law() {
        let at = |lead| Measure { slack: None, lead, clocks: 0.0, coarse: 0, ends_only: false };
        let right = (-50..=50).map(|place| (at(f64::from(place) / 1_000.0), 1.0));
        let pairs: Vec<(Measure, f64)> = right.chain([(at(5.0), 1.0), (at(-8.0), 1.0)]).collect();
        let found = (0..3).fold(Law::default(), |law, _| Law::fit(&pairs, &law, 0.9));
        // The right ones lie evenly within 50 ms: their deviation is 29 ms, and what is believed adds some.
        assert!(found.spread < 0.05, "{found:?}");
        assert!(near(found.lead, 0.0, 0.01), "{found:?}");
    }

    #[test]
    fn whole_seconds_blur_the_lead_and_no_more() {
        let law = Law { spread: 0.01, ..Law::default() };
        let at = |lead, coarse| Measure { slack: None, lead, clocks: 0.0, coarse, ends_only: false };
        assert!(near(law.lead_density(&at(0.3, 1)), 1.0, 1e-6));
        assert!(near(law.lead_density(&at(0.7, 1)), 0.0, 1e-6));
        assert!(law.lead_density(&at(0.0, 0)) > 30.0);
        let measured: Vec<(Measure, f64)> = (-49..50).map(|place| (at(f64::from(place) / 100.0, 1), 10.0)).collect();
        assert!(Law::fit(&measured, &Law::default(), 0.9).spread < 0.05);
    }
}
