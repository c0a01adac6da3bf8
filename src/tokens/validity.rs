//! Checks of the claims that hold times. "Now" is what the caller says: the time of the log line, not of the reader.

use super::checks::{EXPIRY, ISSUED_AT, LIFETIME, NOT_BEFORE};
use super::json::Json;
use super::kind::TokenKind;
use super::ledger::{CheckKind, Decides, Ledger, Remark, Words};
use super::words::quoted;
use crate::time::{Micros, rfc3339, span};

const MICROS: i64 = 1_000_000;

/// Last second of the year 9999: later times are no dates but mistakes or attacks.
const LATEST: i64 = 253_402_300_799;

/// Longest life of a bulk registration token: 7 days (token-based authentication for CMG).
const LONGEST_BULK: i64 = 7 * 86_400;

/// When the token is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// UTC, microseconds.
    pub at: Micros,
    /// Seconds by which clocks may differ.
    pub leeway: i64,
}

/// A claim that should be a time.
#[derive(Debug)]
pub(crate) enum Date<'c> {
    Absent,
    At(Micros),
    Malformed(&'c Json<'c>, &'static str),
}

impl<'c> Date<'c> {
    /// Reads a `NumericDate`: seconds since 1970, whole or not (RFC 7519, section 2).
    pub fn read(claims: &'c Json<'c>, name: &str) -> Self {
        let Some(value) = claims.get(name) else { return Self::Absent };
        let Json::Number(number) = value else { return Self::Malformed(value, "is no number") };
        match seconds(number) {
            Ok(micros) => Self::At(micros),
            Err(why) => Self::Malformed(value, why),
        }
    }

    /// The time, if there is a readable one.
    pub const fn known(&self) -> Option<Micros> {
        if let Self::At(at) = self { Some(*at) } else { None }
    }
}

fn seconds(number: &serde_json::Number) -> Result<Micros, &'static str> {
    if let Some(whole) = number.as_i64() {
        return match whole {
            ..0 => Err("is negative"),
            0..=LATEST => Ok(whole * MICROS),
            _ => Err("is after the year 9999, perhaps in milliseconds"),
        };
    }
    #[allow(clippy::cast_precision_loss)] // a bound of 12 digits is exact in 53 bits
    match number.as_f64() {
        Some(value) if value < 0.0 => Err("is negative"),
        #[allow(clippy::cast_possible_truncation)] // bounded by LATEST
        Some(value) if value <= LATEST as f64 => Ok((value * MICROS as f64) as i64),
        _ => Err("is after the year 9999, perhaps in milliseconds"),
    }
}

pub(crate) fn check(claims: Option<&Json<'_>>, kind: TokenKind, moment: Option<Moment>, ledger: &mut Ledger) {
    let Some(claims) = claims else {
        for kind in [EXPIRY, NOT_BEFORE, ISSUED_AT, LIFETIME] {
            ledger.unchecked(kind, Decides, || "The claims cannot be read.");
        }
        return;
    };
    let (exp, nbf, iat) = (Date::read(claims, "exp"), Date::read(claims, "nbf"), Date::read(claims, "iat"));
    expiry(&exp, moment, ledger);
    not_before(&nbf, moment, ledger);
    issued_at(&iat, moment, ledger);
    lifetime(&exp, &nbf, &iat, kind, ledger);
}

fn expiry(exp: &Date<'_>, moment: Option<Moment>, ledger: &mut Ledger) {
    let end = match exp {
        Date::At(end) => *end,
        Date::Absent => {
            return ledger.failed(EXPIRY, Decides, || {
                Words::new("The token never ends: it has no exp, which every issuer here writes.")
                    .expected("a time")
                    .found("nothing")
            });
        }
        Date::Malformed(value, why) => return malformed(EXPIRY, value, why, ledger),
    };
    let Some(Moment { at, leeway }) = moment else { return no_moment(EXPIRY, ledger) };
    let past = || distance(at, end);
    if at >= end.saturating_add(leeway.saturating_mul(MICROS)) {
        ledger.failed(EXPIRY, Decides, || {
            Words::new(format!(
                "The token ended {} before the time in question; clocks may differ by {}.",
                past(),
                leeway_in_words(leeway)
            ))
            .expected(format!("a time after {}", rfc3339(at)))
            .found(rfc3339(end))
        });
    } else if at >= end {
        ledger.passed(EXPIRY, || {
            format!(
                "The token ended {} before the time in question, within the {} that clocks may differ.",
                past(),
                leeway_in_words(leeway)
            )
        });
    } else {
        ledger.passed(EXPIRY, || Words::new(format!("The token ends in {}.", past())).found(rfc3339(end)));
    }
}

fn not_before(nbf: &Date<'_>, moment: Option<Moment>, ledger: &mut Ledger) {
    let start = match nbf {
        Date::At(start) => *start,
        Date::Absent => {
            return ledger.unchecked(NOT_BEFORE, Remark, || "The token has no nbf; it says only when it ends.");
        }
        Date::Malformed(value, why) => return malformed(NOT_BEFORE, value, why, ledger),
    };
    let Some(Moment { at, leeway }) = moment else { return no_moment(NOT_BEFORE, ledger) };
    let ahead = || distance(at, start);
    if start > at.saturating_add(leeway.saturating_mul(MICROS)) {
        ledger.failed(NOT_BEFORE, Decides, || {
            Words::new(format!(
                "The token begins {} after the time in question, more than the {} that clocks may differ: a clock is wrong, or the token is of another time.",
                ahead(),
                leeway_in_words(leeway)
            ))
            .expected(format!("a time up to {}", rfc3339(at)))
            .found(rfc3339(start))
        });
    } else if start > at {
        ledger.passed(NOT_BEFORE, || {
            format!(
                "The token begins {} after the time in question, within the {} that clocks may differ.",
                ahead(),
                leeway_in_words(leeway)
            )
        });
    } else {
        ledger.passed(NOT_BEFORE, || Words::new(format!("The token began {} before.", ahead())).found(rfc3339(start)));
    }
}

fn issued_at(iat: &Date<'_>, moment: Option<Moment>, ledger: &mut Ledger) {
    let issued = match iat {
        Date::At(issued) => *issued,
        Date::Absent => {
            return ledger.unchecked(ISSUED_AT, Remark, || "The token has no iat; the site's bulk tokens have none.");
        }
        Date::Malformed(value, why) => return malformed(ISSUED_AT, value, why, ledger),
    };
    let Some(Moment { at, leeway }) = moment else { return no_moment(ISSUED_AT, ledger) };
    let distance = || distance(at, issued);
    if issued > at.saturating_add(leeway.saturating_mul(MICROS)) {
        ledger.failed(ISSUED_AT, Decides, || {
            Words::new(format!("The token says that it was issued {} after the time in question, which cannot be: a clock is wrong, or the token is forged.", distance()))
                .expected(format!("a time up to {}", rfc3339(at)))
                .found(rfc3339(issued))
        });
    } else {
        let side = if issued > at { "after, within the leeway" } else { "before" };
        ledger.passed(ISSUED_AT, || Words::new(format!("It was issued {} {side}.", distance())).found(rfc3339(issued)));
    }
}

fn lifetime(exp: &Date<'_>, nbf: &Date<'_>, iat: &Date<'_>, kind: TokenKind, ledger: &mut Ledger) {
    let (Some(end), Some(start)) = (exp.known(), nbf.known().or_else(|| iat.known())) else {
        return ledger.unchecked(LIFETIME, Remark, || "The token does not say both when it begins and when it ends.");
    };
    if end <= start {
        return ledger.failed(LIFETIME, Decides, || {
            Words::new("The token does not end after it begins.")
                .expected(format!("an end after {}", rfc3339(start)))
                .found(rfc3339(end))
        });
    }
    let length = || distance(start, end);
    if kind == TokenKind::BulkRegistration && end - start > LONGEST_BULK * MICROS {
        ledger.failed(LIFETIME, Remark, || {
            Words::new(format!(
                "The token lives {}; the site issues bulk registration tokens for at most 7 d.",
                length()
            ))
            .expected("at most 7 d")
            .found(length())
        });
    } else {
        ledger.passed(LIFETIME, || format!("The token lives {}.", length()));
    }
}

fn malformed(kind: CheckKind, value: &Json<'_>, why: &str, ledger: &mut Ledger) {
    ledger.failed(kind, Decides, || {
        Words::new(format!("{} {why}.", kind.subject.replacen("claim", "Claim", 1)))
            .expected("seconds since 1970, a number")
            .found(format!("{} ({})", quoted(value), value.type_name()))
    });
}

fn no_moment(kind: CheckKind, ledger: &mut Ledger) {
    ledger.unchecked(kind, Decides, || "No time was given to compare with.");
}

fn leeway_in_words(leeway: i64) -> String {
    span(leeway.unsigned_abs())
}

fn distance(a: Micros, b: Micros) -> String {
    span(a.abs_diff(b) / MICROS.unsigned_abs())
}
