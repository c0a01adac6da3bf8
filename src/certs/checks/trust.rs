//! Where the path ends, and what the presented list has to do with it.

use super::{Judgement, not_made_of_issuer};
use crate::certs::certificate::Certificate;
use crate::certs::paths::{End, Path, Pool, key_differs};
use crate::certs::public_roots::is_public_root;
use crate::certs::request::ChainRequest;
use crate::certs::rules::{
    CHAIN_TOO_DEEP, INTERMEDIATE_MISSING, OUT_OF_ORDER, Profile, ROOT_NOT_IN_CLIENT_STORE, SERVER_SENT_ROOT,
    UNRELATED_CERTIFICATE,
};
use crate::report::{Check, CheckStatus};

pub(super) fn check(judgement: &mut Judgement<'_>) {
    let last = judgement.chain.len().saturating_sub(1);
    let Some(end) = judgement.chain.last().copied() else { return };
    match judgement.path.end {
        End::Anchor => {
            judgement.passed(&ROOT_NOT_IN_CLIENT_STORE, last, "It is in the client's root store.");
            judgement.passed(&INTERMEDIATE_MISSING, last, "The path is complete.");
        }
        End::SelfSigned => {
            judgement.passed(&INTERMEDIATE_MISSING, last, "The path is complete.");
            untrusted_root(judgement, last, end);
        }
        End::PublicRoot => {
            judgement.passed(&INTERMEDIATE_MISSING, last, "Only the root itself is not at hand.");
            public_root(judgement, last, &end.issuer.text);
        }
        End::Missing => missing(judgement, last, end),
        End::TooLong => {
            judgement.failed(
                &CHAIN_TOO_DEEP,
                last,
                "The path is longer than any real one and was not followed to its end.",
            );
        }
    }
    depth(judgement);
}

fn depth(judgement: &mut Judgement<'_>) {
    let Some(most) = judgement.request.max_depth else {
        judgement.passed(&CHAIN_TOO_DEEP, 0, "The depth was not limited.");
        return;
    };
    let end = judgement.chain.len().saturating_sub(1);
    let depth = (1..end).filter(|at| !judgement.certificate(*at).is_self_issued()).count();
    let check = if depth > most {
        judgement.failed(&CHAIN_TOO_DEEP, 0, format!("The path has {depth} intermediates; {most} are allowed."))
    } else {
        judgement.passed(&CHAIN_TOO_DEEP, 0, format!("The path has {depth} intermediates; {most} are allowed."))
    };
    check.expected = Some(format!("at most {most}"));
    check.found = Some(depth.to_string());
}

/// A root that the client's store lacks.
fn untrusted_root(judgement: &mut Judgement<'_>, place: usize, root: &Certificate) {
    if is_public_root(root) {
        return public_root(judgement, place, &root.subject.text);
    }
    if !judgement.request.store_is_known() {
        let text = "The client's root store was not given, so it is not known whether the client trusts this root.";
        judgement.not_checked(&ROOT_NOT_IN_CLIENT_STORE, place, text);
        return;
    }
    let namesake = judgement.pool.of_subject(&root.subject).iter().any(|at| judgement.pool.is_trusted(*at));
    let hint = if namesake {
        " A root of the same name with another key is there: the authority was renewed, or this one imitates it."
    } else {
        ""
    };
    let azure = judgement.request.host.as_deref().is_some_and(is_azure_name);
    let needs = if azure {
        " No public authority issues certificates for names under cloudapp.azure.com or cloudapp.net, so \
         every client needs this root."
    } else {
        ""
    };
    let text = format!(
        "The path ends at this root, which is not in the client's root store and is not publicly known. A certificate \
         from an organisation's own PKI needs its root in that store.{needs}{hint}"
    );
    let check = judgement.failed(&ROOT_NOT_IN_CLIENT_STORE, place, text);
    check.expected = Some("a root of the client's store".to_owned());
    check.found = Some(format!("{}, SHA-1 {}", root.display(), root.sha1()));
}

/// Whether a host has a name that Azure gives, for which only an organisation's own PKI can issue a certificate.
fn is_azure_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    [".cloudapp.azure.com", ".cloudapp.net"].iter().any(|suffix| host.ends_with(suffix))
}

/// A public root that the client's store lacks: Windows fetches it on need.
fn public_root(judgement: &mut Judgement<'_>, place: usize, name: &str) {
    let hint = "it is on Mozilla's list of public roots, which is a hint and not Microsoft's own list";
    let windows = judgement.request.profile == Profile::Windows;
    let check = if windows && judgement.request.root_update {
        let text = format!(
            "The root '{name}' is not in the client's store as given, and need not be: {hint}; Windows fetches a known \
             public root on need."
        );
        judgement.passed(&ROOT_NOT_IN_CLIENT_STORE, place, text)
    } else if !judgement.request.store_is_known() {
        let text = format!("The client's root store was not given. The root '{name}' is public: {hint}.");
        judgement.not_checked(&ROOT_NOT_IN_CLIENT_STORE, place, text)
    } else {
        let why = if windows {
            "root update is switched off, so Windows does not fetch it"
        } else {
            "this profile fetches none"
        };
        let text =
            format!("The root '{name}' is public ({hint}), but it is not in the store that was given, and {why}.");
        judgement.failed(&ROOT_NOT_IN_CLIENT_STORE, place, text)
    };
    check.found = Some(name.to_owned());
}

/// An issuer that is nowhere at hand.
fn missing(judgement: &mut Judgement<'_>, place: usize, end: &Certificate) {
    let wanted = end.issuer.display().to_owned();
    let key = end.extensions.authority_key.as_ref().and_then(|authority| authority.key.as_ref());
    let key_text = key.map(|key| format!(", key identifier {}", crate::certs::der::hex(key))).unwrap_or_default();
    let namesake = judgement.pool.of_subject(&end.issuer).iter().filter_map(|at| judgement.pool.certificates.get(*at));
    let other_key = namesake.clone().any(|issuer| key_differs(end, issuer));
    let hint = match (other_key, end.extensions.issuer_urls.first()) {
        (true, _) => " A certificate of that name is at hand, but its key is another one.".to_owned(),
        (false, Some(url)) => format!(" The certificate says where its issuer is found: {url}."),
        (false, None) => " The certificate does not say where its issuer is found.".to_owned(),
    };
    let text = format!("Its issuer '{wanted}'{key_text} was neither presented nor given.{hint}");
    let status = if !judgement.request.store_is_known() && judgement.request.intermediates.is_empty() && end.is_ca() {
        CheckStatus::NotChecked // it may be the root of a store that was not given
    } else {
        CheckStatus::Failed
    };
    let check = judgement.add(&INTERMEDIATE_MISSING, status, place, text);
    check.expected = Some(wanted.clone());
    let why = "The path does not reach a root.";
    judgement.not_checked(&ROOT_NOT_IN_CLIENT_STORE, place, why).decides = status == CheckStatus::NotChecked;
    let absent = not_made_of_issuer(judgement.request, &wanted);
    judgement.checks.extend(absent);
}

/// The list as presented, against the path: the root sent, another order, certificates that have no part in it.
pub(in crate::certs) fn presented_list(
    request: &ChainRequest,
    pool: &Pool,
    path: &Path,
    presented: &[usize],
) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |rule: &'static crate::certs::rules::Rule, status, text: String| {
        checks.push(rule.check(request.profile, status, "presented list", text));
    };
    let name = |at: usize| pool.certificates.get(at).map(Certificate::display).unwrap_or_default();
    let above_leaf = presented.iter().skip(1).copied();
    let is_root = |at: usize| pool.certificates.get(at).is_some_and(Certificate::is_self_issued);

    match above_leaf.clone().find(|at| path.nodes.contains(at) && is_root(*at)) {
        Some(root) => add(
            &SERVER_SENT_ROOT,
            CheckStatus::Failed,
            format!("It holds the root '{}', which clients do not take from a server.", name(root)),
        ),
        None => add(&SERVER_SENT_ROOT, CheckStatus::Passed, "It holds no root.".to_owned()),
    }
    let places: Vec<usize> = presented.iter().filter_map(|at| path.nodes.iter().position(|node| node == at)).collect();
    if places.is_sorted() {
        add(&OUT_OF_ORDER, CheckStatus::Passed, "Each certificate is followed by its issuer.".to_owned());
    } else {
        add(
            &OUT_OF_ORDER,
            CheckStatus::Failed,
            "Its certificates are not in the order of the path; some clients need it.".to_owned(),
        );
    }
    let unrelated: Vec<String> =
        above_leaf.filter(|at| !path.nodes.contains(at)).take(5).map(|at| format!("'{}'", name(at))).collect();
    if unrelated.is_empty() {
        add(&UNRELATED_CERTIFICATE, CheckStatus::Passed, "All its certificates are on the path.".to_owned());
    } else {
        add(
            &UNRELATED_CERTIFICATE,
            CheckStatus::Failed,
            format!("It holds certificates that are not on the path: {}.", unrelated.join(", ")),
        );
    }
    checks
}
