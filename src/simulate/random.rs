//! Chance, from a seed: the same seed gives the same site, the same lives and the same logs.

use std::fmt::Write as _;

use crate::time::Micros;

/// A source of chance that can be forked by name, so that one part's draws do not shift another's.
#[derive(Debug, Clone)]
pub(super) struct Random {
    seed: u64,
    rng: fastrand::Rng,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self { seed, rng: fastrand::Rng::with_seed(seed) }
    }

    /// A source of its own for one part, whatever the others draw. FNV-1a mixes the part's name with the seed.
    pub fn fork(&self, part: &str, number: usize) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.seed;
        for byte in part.bytes().chain(number.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self::new(hash)
    }

    /// A number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.rng.usize(..end) }
    }

    /// A whole number from `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        self.rng.i64(first..=last.max(first))
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.rng.f64()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.rng.f64() < probability
    }

    /// One of several. An empty list gives the default.
    pub fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len());
        from.get(at).copied().unwrap_or_default()
    }

    /// A number of Gauss's curve, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (one, two) = (self.rng.f64().max(f64::MIN_POSITIVE), self.rng.f64());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
    }

    /// A delay, log-normal: half of them are shorter than the median.
    pub fn delay(&mut self, delay: Delay) -> Micros {
        micros(delay.median_ms * 1_000.0 * (delay.sigma * self.normal()).exp())
    }

    /// Time until the next of events that come independently, so many a second.
    pub fn until_next(&mut self, per_second: f64) -> Micros {
        micros(-self.rng.f64().max(f64::MIN_POSITIVE).ln() / per_second * 1e6)
    }

    /// A GUID of version 4, lower case.
    pub fn guid(&mut self) -> String {
        let bits = (self.rng.u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
        parts.join("-")
    }

    /// So many hexadecimal digits, upper case.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).fold(String::new(), |mut text, _| {
            let _ = write!(text, "{:X}", self.rng.u8(..16));
            text
        })
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.rng.u8(..)).collect()
    }
}

/// A delay's distribution.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Delay {
    /// Median, milliseconds.
    pub median_ms: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
}

impl Delay {
    pub(super) const fn new(median_ms: f64, sigma: f64) -> Self {
        Self { median_ms, sigma }
    }
}

#[allow(clippy::cast_possible_truncation)] // delays are far below 2^53 microseconds, and a cast saturates
fn micros(value: f64) -> Micros {
    value as Micros
}
