//! Signatures: whether they hold, and whether they and the keys are strong enough.

use super::Judgement;
use crate::certs::key::{KeyKind, Verification};
use crate::certs::paths::End;
use crate::certs::public_roots::is_public_root;
use crate::certs::rules::{BAD_SIGNATURE, Profile, WEAK_KEY, WEAK_SIGNATURE};

pub(super) fn check(judgement: &mut Judgement<'_>) {
    for place in 0..judgement.chain.len() {
        bad_signature(judgement, place);
        weak_signature(judgement, place);
        weak_key(judgement, place);
    }
}

fn bad_signature(judgement: &mut Judgement<'_>, place: usize) {
    let certificate = judgement.certificate(place);
    let kind = certificate.signed.kind.display();
    if !certificate.signed.algorithms_agree {
        judgement.failed(
            &BAD_SIGNATURE,
            place,
            format!("Its signed part names another algorithm than its signature, which is {kind}."),
        );
        return;
    }
    if judgement.is_root(place) {
        judgement.passed(&BAD_SIGNATURE, place, "A root's own signature proves nothing and is not needed.");
        return;
    }
    let issuer = judgement.chain.get(place + 1).map(|issuer| issuer.display());
    match (judgement.path.links.get(place), issuer) {
        (Some(Verification::Good), Some(issuer)) => {
            judgement.passed(&BAD_SIGNATURE, place, format!("The key of '{issuer}' made its signature ({kind})."));
        }
        (Some(Verification::Bad | Verification::WrongKind), Some(issuer)) => {
            let text = format!(
                "The key of '{issuer}' did not make its signature ({kind}): the certificate was changed, or another \
                 key of the same name made it. Windows names this like a weak signature."
            );
            judgement.failed(&BAD_SIGNATURE, place, text);
        }
        (Some(Verification::Unsupported), Some(_)) => {
            judgement.not_checked(&BAD_SIGNATURE, place, format!("{kind} cannot be verified here."));
        }
        _ if judgement.path.end == End::PublicRoot => {
            let root = certificate.issuer.display();
            judgement.passed(
                &BAD_SIGNATURE,
                place,
                format!("The key of the public root '{root}' made its signature ({kind})."),
            );
        }
        _ => {
            let text = "Its issuer is not at hand, so its signature could not be verified.";
            judgement.not_checked(&BAD_SIGNATURE, place, text);
        }
    }
}

fn weak_signature(judgement: &mut Judgement<'_>, place: usize) {
    let kind = &judgement.certificate(place).signed.kind;
    let (text, weak) = (kind.display(), kind.is_weak());
    // Microsoft Security Advisory 4010323: SHA-1 is refused below roots of Microsoft's programme, not below others.
    let is_public =
        judgement.path.end == End::PublicRoot || judgement.chain.last().is_some_and(|end| is_public_root(end));
    let spared = judgement.request.profile == Profile::Windows && kind.is_sha1() && !is_public;
    let check = if judgement.is_root(place) {
        judgement.passed(&WEAK_SIGNATURE, place, "A root's own signature does not count.")
    } else if weak {
        let check = judgement.failed(&WEAK_SIGNATURE, place, format!("It is signed with {text}, which can be forged."));
        check.decides &= !spared;
        check
    } else {
        judgement.passed(&WEAK_SIGNATURE, place, format!("It is signed with {text}."))
    };
    check.expected = Some("SHA-256 or better".to_owned());
    check.found = Some(text);
}

fn weak_key(judgement: &mut Judgement<'_>, place: usize) {
    let kind = judgement.certificate(place).key.kind.clone();
    let text = kind.display();
    let check = match kind {
        KeyKind::Rsa(bits) if bits < 2048 => {
            judgement.failed(&WEAK_KEY, place, format!("Its RSA key has {bits} bits; 2048 are the least."))
        }
        KeyKind::Rsa(_) | KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => {
            judgement.passed(&WEAK_KEY, place, format!("Its key is {text}."))
        }
        KeyKind::OtherCurve(_) | KeyKind::Dsa | KeyKind::Other(_) => {
            judgement.failed(&WEAK_KEY, place, format!("Its key ({text}) is of a kind that TLS clients do not accept."))
        }
    };
    check.expected = Some("RSA with 2048 bits or more, or P-256, P-384, P-521, Ed25519".to_owned());
    check.found = Some(text);
}
