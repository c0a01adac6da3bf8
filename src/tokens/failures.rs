//! Which failures of a client's authentication a failed check of its token explains.

use crate::report::{Check, CheckStatus};

use super::kind::TokenKind;

/// Expired by less than this, and a wrong clock is as good an explanation as an old token: one hour, in seconds.
const CLOCK_RANGE: i64 = 3_600;

/// The failure id that a failed check stands for, if it stands for one.
///
/// `seconds_to_expiry` is the fact of that name. A check that passed or was not made explains nothing.
///
/// ```
/// use cmgtrail::report::{Check, CheckStatus};
/// use cmgtrail::tokens::{TokenKind, failure_of};
///
/// let audience = Check::new("audience", CheckStatus::Failed, "claim aud", "");
/// assert_eq!(failure_of(&audience, TokenKind::EntraDevice, None), Some("token-audience-or-issuer-refused"));
/// ```
pub fn failure_of(check: &Check, kind: TokenKind, seconds_to_expiry: Option<i64>) -> Option<&'static str> {
    if check.status != CheckStatus::Failed || !check.decides {
        return None;
    }
    match check.id.as_str() {
        "audience" | "issuer" | "version" => Some("token-audience-or-issuer-refused"),
        "tenant" => Some("tenant-not-onboarded"),
        "not-before" | "issued-at" => Some("token-clock-skew"),
        "expiry" => match seconds_to_expiry {
            Some(left) if left > -CLOCK_RANGE => Some("token-clock-skew"),
            _ if kind.is_site() => Some("site-token-expired"),
            _ => None,
        },
        _ => None,
    }
}
