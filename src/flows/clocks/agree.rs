//! What most of many bounds agree on.
//!
//! Each pair of lines bounds how far one clock is ahead of another. Some pairs are wrong: a retry was taken for the
//! request. The offset that most bounds allow is that of the right ones (Marzullo, 1984).

use crate::time::Micros;

/// Bounds of an offset, both included. Several bounds of one `item` exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// What they are bounds for: bounds of one item count once.
    pub item: u32,
    /// The least offset.
    pub low: Micros,
    /// The greatest offset.
    pub high: Micros,
}

/// What most bounds agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The least offset that they all allow.
    pub low: Micros,
    /// The greatest.
    pub high: Micros,
    /// Number of items that agree.
    pub items: usize,
    /// How far other offsets are that as many items allow; zero where there is none.
    pub rival: Micros,
}

impl Agreement {
    /// The offset in the middle.
    pub fn offset(&self) -> Micros {
        self.low + (self.high - self.low) / 2
    }

    /// How far from the middle the offset may be.
    pub fn uncertainty(&self) -> Micros {
        (self.high - self.low) / 2
    }
}

/// The range of offsets that the most items allow; of several such ranges, the one nearest to none, with how far the
/// others are. `None` without bounds.
///
/// Items count once: where two bounds of one item overlap, they are as one.
pub fn agreement(bounds: &[Bound]) -> Option<Agreement> {
    let apart = apart(bounds);
    let mut ends: Vec<(Micros, bool)> = Vec::with_capacity(apart.len() * 2);
    for bound in &apart {
        ends.push((bound.low, false));
        ends.push((bound.high, true));
    }
    // A bound begins before another ends at the same offset: both allow it.
    ends.sort_unstable();
    let (mut items, mut best): (usize, Option<Agreement>) = (0, None);
    // From the least to the greatest offset that as many items as the best allow.
    let mut hull = (Micros::MAX, Micros::MIN);
    for (place, &(offset, closes)) in ends.iter().enumerate() {
        if closes {
            items -= 1;
        } else {
            items += 1;
            let high = ends.get(place + 1).map_or(offset, |next| next.0);
            let found = Agreement { low: offset, high, items, rival: 0 };
            let most = best.map_or(0, |best| best.items);
            if items > most {
                hull = (Micros::MAX, Micros::MIN);
            }
            if items >= most {
                hull = (hull.0.min(found.low), hull.1.max(found.high));
            }
            let nearer = |best: Agreement| items == best.items && found.offset().abs() < best.offset().abs();
            if best.is_none_or(|best| items > best.items || nearer(best)) {
                best = Some(found);
            }
        }
    }
    best.map(|best| Agreement { rival: (best.low - hull.0).max(hull.1 - best.high).max(0), ..best })
}

/// The bounds, those of one item that overlap as one.
fn apart(bounds: &[Bound]) -> Vec<Bound> {
    let mut sorted: Vec<Bound> = bounds.iter().copied().filter(|bound| bound.low <= bound.high).collect();
    sorted.sort_unstable_by_key(|bound| (bound.item, bound.low, bound.high));
    let mut apart: Vec<Bound> = Vec::with_capacity(sorted.len());
    for bound in sorted {
        match apart.last_mut() {
            Some(last) if last.item == bound.item && bound.low <= last.high => last.high = last.high.max(bound.high),
            _ => apart.push(bound),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(item: u32, low: Micros, high: Micros) -> Bound {
        Bound { item, low, high }
    }

    #[test]
    fn the_common_part_of_all_bounds() {
        let found = agreement(&[bound(0, 0, 10), bound(1, 4, 20), bound(2, -5, 8)]).unwrap();
        assert_eq!((found.low, found.high, found.items), (4, 8, 3));
        assert_eq!((found.offset(), found.uncertainty()), (6, 2));
    }

    #[test]
    fn a_wrong_pair_is_outvoted() {
        let found = agreement(&[bound(0, 0, 10), bound(1, 600, 610), bound(2, 5, 12)]).unwrap();
        assert_eq!((found.low, found.high, found.items), (5, 10, 2));
    }

    #[test]
    fn several_bounds_of_one_item_count_once() {
        let retries = [bound(0, 0, 10), bound(0, 2, 12), bound(1, 50, 60), bound(2, 55, 65)];
        assert_eq!(agreement(&retries).unwrap().items, 2);
        assert_eq!(agreement(&retries).unwrap().low, 55);
    }

    #[test]
    fn a_range_is_not_cut_by_another_bound_of_the_same_item() {
        let found = agreement(&[bound(0, 0, 10), bound(0, 5, 20), bound(1, 0, 20)]).unwrap();
        assert_eq!((found.low, found.high, found.items), (0, 20, 2));
    }

    #[test]
    fn bounds_that_touch_agree() {
        let found = agreement(&[bound(0, 0, 10), bound(1, 10, 20)]).unwrap();
        assert_eq!((found.low, found.high, found.items), (10, 10, 2));
    }

    #[test]
    fn what_as_many_allow_elsewhere_is_told() {
        let found = agreement(&[bound(0, 0, 10), bound(0, 600, 610), bound(1, 2, 12), bound(1, 605, 615)]).unwrap();
        assert_eq!((found.low, found.high, found.items, found.rival), (2, 10, 2, 600));
        assert_eq!(agreement(&[bound(0, 0, 10), bound(1, 4, 20), bound(2, 600, 610)]).unwrap().rival, 0);
    }

    #[test]
    fn nothing_agrees_on_nothing() {
        assert_eq!(agreement(&[]), None);
    }
}
