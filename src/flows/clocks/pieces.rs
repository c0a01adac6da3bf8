//! Clocks that were set in the middle of a log: an offset for each piece of time.

use super::agree::{Agreement, Bound, agreement};
use crate::time::Micros;

/// Bounds of one item, with the time of the item by the clock that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// When, by that clock.
    pub at: Micros,
    /// What the offset may be: for each partner that it may have, least and greatest.
    pub bounds: Vec<(Micros, Micros)>,
}

/// An offset that held from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// From when on, by that clock; `Micros::MIN` for the first.
    pub from: Micros,
    /// What the items in it agree on.
    pub agreed: Agreement,
}

/// A clock counts as set where that explains at least this many items more.
const GAIN: usize = 3;

/// A setting by less than this is drift, and hides in the uncertainty.
const SMALLEST_STEP: Micros = 1_000_000;

/// Places tried for a change.
const PLACES: usize = 48;

/// Pieces of one clock at most.
const MOST: usize = 6;

/// The offset over time: one piece, or more where the clock was set. `items` are in order of time. Where it `is_set`, as
/// something else has shown, no more is asked of them than that they tell when.
pub fn pieces(items: &[Timed], is_set: bool) -> Vec<Piece> {
    let mut found = Vec::new();
    split(items, Micros::MIN, (MOST, is_set), &mut found);
    found
}

fn split(items: &[Timed], from: Micros, (room, is_set): (usize, bool), found: &mut Vec<Piece>) {
    let Some(whole) = agreed(items) else { return };
    let gain = if is_set { 1 } else { GAIN.max(items.len() / 10) };
    let disagree = items.len() - whole.items;
    let cut = (room > 1 && disagree >= gain).then(|| best_cut(items, whole, gain)).flatten();
    match cut {
        None => found.push(Piece { from, agreed: whole }),
        Some(cut) => {
            split(&items[..cut], from, (room / 2, false), found);
            let at = items[cut].at;
            split(&items[cut..], at, (room - room / 2, false), found);
        }
    }
}

/// Where to cut, if two offsets explain more than one.
fn best_cut(items: &[Timed], whole: Agreement, gain: usize) -> Option<usize> {
    let step = items.len().div_ceil(PLACES).max(1);
    let mut best: Option<(usize, usize, Agreement, Agreement)> = None;
    for cut in (2..items.len().saturating_sub(1)).step_by(step) {
        let (Some(before), Some(after)) = (agreed(&items[..cut]), agreed(&items[cut..])) else { continue };
        let sum = before.items + after.items;
        if best.is_none_or(|(most, ..)| sum > most) {
            best = Some((sum, cut, before, after));
        }
    }
    let (sum, _, before, after) = best?;
    let apart = (before.offset() - after.offset()).abs() > SMALLEST_STEP;
    (apart && sum >= whole.items + gain && before.items >= 2 && after.items >= 2)
        .then(|| exact_cut(items, before, after))
}

/// The place between two offsets at which most items agree with theirs.
fn exact_cut(items: &[Timed], before: Agreement, after: Agreement) -> usize {
    let fits = |item: &Timed, agreed: Agreement| {
        item.bounds.iter().any(|(low, high)| *low <= agreed.high && *high >= agreed.low)
    };
    let mut score = items.iter().filter(|item| fits(item, after)).count();
    let (mut best, mut place) = (score, 0);
    for (cut, item) in (1..).zip(items) {
        score += usize::from(fits(item, before));
        score -= usize::from(fits(item, after));
        if score > best {
            (best, place) = (score, cut);
        }
    }
    place.clamp(1, items.len() - 1)
}

fn agreed(items: &[Timed]) -> Option<Agreement> {
    let bounds: Vec<Bound> = (0..)
        .zip(items)
        .flat_map(|(number, item)| item.bounds.iter().map(move |&(low, high)| Bound { item: number, low, high }))
        .collect();
    agreement(&bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    fn item(at: Micros, offset: Micros) -> Timed {
        Timed { at: at * SECOND, bounds: vec![(offset * SECOND - 300_000, offset * SECOND + 300_000)] }
    }

    #[test]
    fn a_clock_that_runs_on_has_one_offset() {
        let items: Vec<Timed> = (0..20).map(|at| item(at, -312)).collect();
        let found = pieces(&items, false);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].from, found[0].agreed.offset()), (Micros::MIN, -312 * SECOND));
    }

    #[test]
    fn a_clock_that_was_set_has_two() {
        let items: Vec<Timed> = (0..20).map(|at| item(at, if at < 12 { 540 } else { 0 })).collect();
        let found = pieces(&items, false);
        let offsets: Vec<Micros> = found.iter().map(|piece| piece.agreed.offset() / SECOND).collect();
        assert_eq!(offsets, [540, 0]);
        assert_eq!(found[1].from, 12 * SECOND);
    }

    #[test]
    fn two_strangers_make_no_change() {
        let items: Vec<Timed> = (0..20).map(|at| item(at, if at == 5 || at == 11 { 77 } else { 3 })).collect();
        let found = pieces(&items, false);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].agreed.items, 18);
    }
}
