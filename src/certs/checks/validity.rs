//! The dates of every certificate, the root's too: Windows checks them.

use super::{Judgement, duration_text, time_text};
use crate::certs::rules::{EXPIRED, NOT_YET_VALID};

pub(super) fn check(judgement: &mut Judgement<'_>) {
    let at = judgement.seconds();
    for place in 0..judgement.chain.len() {
        let (not_before, not_after) = (judgement.certificate(place).not_before, judgement.certificate(place).not_after);
        not_yet_valid(judgement, place, at, not_before);
        expired(judgement, place, at, not_after);
    }
}

fn expired(judgement: &mut Judgement<'_>, place: usize, at: i64, not_after: i64) {
    let distance = duration_text(not_after - at);
    let check = if at > not_after {
        let text = format!("It ended on {}, {distance} before {}.", time_text(not_after), time_text(at));
        judgement.failed(&EXPIRED, place, text)
    } else {
        judgement.passed(
            &EXPIRED,
            place,
            format!("It is valid for another {distance}, until {}.", time_text(not_after)),
        )
    };
    check.expected = Some(format!("at most {}", time_text(not_after)));
    check.found = Some(time_text(at));
}

fn not_yet_valid(judgement: &mut Judgement<'_>, place: usize, at: i64, not_before: i64) {
    let distance = duration_text(at - not_before);
    let check = if at < not_before {
        let text = format!(
            "It begins on {}, {distance} after {}. Where it was issued lately, the client's clock may be behind.",
            time_text(not_before),
            time_text(at)
        );
        judgement.failed(&NOT_YET_VALID, place, text)
    } else {
        judgement.passed(
            &NOT_YET_VALID,
            place,
            format!("It has been valid for {distance}, since {}.", time_text(not_before)),
        )
    };
    check.expected = Some(format!("at least {}", time_text(not_before)));
    check.found = Some(time_text(at));
}
