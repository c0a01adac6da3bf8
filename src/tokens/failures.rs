//! Which failures of a client's authentication the failed checks of its token explain.

use crate::report::{Check, Report};

use super::kind::TokenKind;

/// Ended less than this before, and a wrong clock explains it as well as an old token does: one hour, in seconds.
const CLOCK_RANGE: i64 = 3_600;

/// Ids of the failures that a token's report explains, each with the check that says so, in the order of the report.
///
/// Only checks that failed and decide explain anything. A report of another kind than "token" explains nothing.
///
/// ```
/// use cmgtrail::tokens::{failures_of, inspect_token};
///
/// let report = inspect_token("not.a.token", false);
/// assert!(failures_of(&report).is_empty(), "a text that is no token has no failure of its own");
/// ```
pub fn failures_of(report: &Report) -> Vec<(&'static str, &Check)> {
    let fatal = report.fatal().filter(|_| report.kind == "token");
    fatal.filter_map(|check| Some((failure_of(check, report)?, check))).collect()
}

fn failure_of(check: &Check, report: &Report) -> Option<&'static str> {
    let kind_is = |kind: TokenKind| report.facts.get("kind").is_some_and(|found| found == kind.as_str());
    match check.id.as_str() {
        "audience" | "issuer" | "version" => Some("token-audience-or-issuer-refused"),
        "tenant" => Some("tenant-not-onboarded"),
        "not-before" | "issued-at" => Some("token-clock-skew"),
        "expiry" => match report.facts.get("seconds_to_expiry").and_then(serde_json::Value::as_i64) {
            // One that does not say when it ends, or not in a way to be read, has not expired.
            None => None,
            Some(left) if left > -CLOCK_RANGE => Some("token-clock-skew"),
            _ if kind_is(TokenKind::Ccm) || kind_is(TokenKind::BulkRegistration) => Some("site-token-expired"),
            _ => None,
        },
        _ => None,
    }
}
