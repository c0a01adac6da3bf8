//! The few rules that need code. Each has a name that failures call it by; [`crate::knowledge::PATTERNS`] lists them.

use super::case::Case;
use crate::knowledge::Scope;
use crate::time::{Micros, parse_us_date_time};

/// A token that is off by less than this is off by somebody's clock.
const CLOCK_TROUBLE: Micros = 15 * 60 * 1_000_000;

/// The lines that show that the pattern holds.
pub fn holds(name: &str, case: &Case<'_>) -> Option<Vec<u32>> {
    match name {
        "token-expired-by-minutes" => token_off_by(case, |gap| gap <= CLOCK_TROUBLE),
        "token-expired-by-days" => token_off_by(case, |gap| gap > CLOCK_TROUBLE),
        _ => None,
    }
}

/// A line that names a token's end and the time at which it was refused, both by the server's clock.
fn token_off_by(case: &Case<'_>, counts: impl Fn(Micros) -> bool) -> Option<Vec<u32>> {
    let mut events = case.events_within(Scope::Attempt);
    if case.flow.is_some() {
        events.extend(case.events_within(Scope::Site));
    }
    let found = events.into_iter().find(|&index| {
        let event = case.event(index);
        let bound = event.get("valid_to").and_then(parse_us_date_time);
        let now = event.get("current_time").and_then(parse_us_date_time);
        bound.zip(now).is_some_and(|(bound, now)| counts((now - bound).abs()))
    })?;
    Some(vec![found])
}
