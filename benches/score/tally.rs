//! Precision and recall.

/// Things said, things true, and those that are both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Said and true.
    pub right: usize,
    /// Said.
    pub said: usize,
    /// True.
    pub true_: usize,
}

impl Tally {
    /// Counts more of each.
    pub fn add(&mut self, right: usize, said: usize, true_: usize) {
        self.right += right;
        self.said += said;
        self.true_ += true_;
    }

    /// Precision and recall in words, with what they are of.
    pub fn shown(self) -> String {
        format!("{} / {} ({}, {})", share(self.right, self.said), share(self.right, self.true_), self.said, self.true_)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.add(other.right, other.said, other.true_);
    }
}

/// A share with three digits; a dash where there is nothing to share.
#[allow(clippy::cast_precision_loss)] // for show
pub fn share(part: usize, of: usize) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.3}", part as f64 / of as f64) }
}
