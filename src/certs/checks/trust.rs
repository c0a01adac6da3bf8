//! Where the path ends, and what the presented list has to do with it.

use super::{Judgement, Known, not_made_of_issuer};
use crate::certs::certificate::Certificate;
use crate::certs::paths::{End, Path, Pool, key_differs};
use crate::certs::public_roots::is_public_root;
use crate::certs::reach::unreachable_from_internet;
use crate::certs::request::{ChainRequest, Purpose, Vantage};
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
        End::Unfinished => {
            let text =
                "More certificates bear its issuer's name than are tried, so whether its issuer is at hand is open.";
            judgement.not_checked(&INTERMEDIATE_MISSING, last, text);
            judgement.not_checked(&ROOT_NOT_IN_CLIENT_STORE, last, text);
            let absent = not_made_of_issuer(judgement.request, end.issuer.display());
            judgement.checks.extend(absent);
        }
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
    if let Some(why) = unknown_store(judgement) {
        judgement.not_checked(&ROOT_NOT_IN_CLIENT_STORE, place, format!("{why} Whether it holds this root is open."));
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

/// Why what the root store lacks is not known, if that is so.
fn unknown_store(judgement: &Judgement<'_>) -> Option<&'static str> {
    match judgement.stores.roots {
        Known::Whole => None,
        Known::Partly => Some("Some of the client's root store cannot be read."),
        Known::Not => Some("The client's root store was not given."),
    }
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
    } else if let Some(why) = unknown_store(judgement) {
        let text = format!("{why} The root '{name}' is public: {hint}.");
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

/// An issuer that is nowhere at hand. Servers do not send roots, so that above an intermediate authority the missing
/// issuer most likely is the root; above a leaf it is an intermediate, or the root of an authority that has none.
fn missing(judgement: &mut Judgement<'_>, place: usize, end: &Certificate) {
    let wanted = end.issuer.display().to_owned();
    let text = format!("{}{}", sought(judgement, end, &wanted), where_it_is(judgement, end));
    let unknown = unknown_store(judgement);
    let request = judgement.request;
    let reachable = |url: &String| {
        request.vantage == Vantage::Intranet || unreachable_from_internet(url, &request.internal_suffixes).is_none()
    };
    let fetched = end.extensions.issuer_urls.iter().any(reachable);
    // Windows downloads what a certificate says its issuer is, but never trusts a root for that.
    let may_be_fetched = fetched && !end.is_ca() && judgement.request.profile == Profile::Windows;
    let (sender, store) = match request.purpose {
        Purpose::Server => ("server", "the client's root store"),
        Purpose::Client => ("client", "the root store of whoever verifies it"),
    };
    let (lacking, other, why) = if end.is_ca() {
        let why = format!("Its issuer is most likely a root, which {sender}s do not send.");
        (&ROOT_NOT_IN_CLIENT_STORE, &INTERMEDIATE_MISSING, why)
    } else {
        (&INTERMEDIATE_MISSING, &ROOT_NOT_IN_CLIENT_STORE, "The path does not reach a root.".to_owned())
    };
    let advice = if stands_below(judgement, end) {
        String::new()
    } else if end.is_ca() {
        format!(
            " Most likely it is the root, which {sender}s do not send and {store} lacks; if it is an intermediate \
             authority, the {sender} must send it."
        )
    } else {
        format!(
            " If it is an intermediate authority, the {sender} must send it; if it is the root itself, {store} lacks it."
        )
    };
    let (status, reservation) = match unknown {
        Some(why) => (CheckStatus::NotChecked, format!(" {why}")),
        None if may_be_fetched => {
            (CheckStatus::NotChecked, " Windows downloads it from there, where it can reach that address.".to_owned())
        }
        None => (CheckStatus::Failed, String::new()),
    };
    let check = judgement.add(lacking, status, place, format!("{text}{reservation}{advice}"));
    check.expected = Some(wanted.clone());
    if status == CheckStatus::Failed {
        // Whatever is lacking, Windows sees a chain that ends in no root (learn.microsoft.com: CERT_TRUST_STATUS).
        check.windows = INTERMEDIATE_MISSING.check(request.profile, status, "", String::new()).windows;
    }
    judgement.not_checked(other, place, why).decides = status == CheckStatus::NotChecked;
    let absent = not_made_of_issuer(judgement.request, &wanted);
    judgement.checks.extend(absent);
}

/// Whether the issuer of the path's end stands on the path already.
fn stands_below(judgement: &Judgement<'_>, end: &Certificate) -> bool {
    judgement.pool.of_subject(&end.issuer).iter().any(|at| judgement.path.nodes.contains(at))
}

/// What was looked for in vain.
fn sought(judgement: &Judgement<'_>, end: &Certificate, wanted: &str) -> String {
    let key = end.extensions.authority_key.as_ref().and_then(|authority| authority.key.as_ref());
    let key_text = key.map(|key| format!(", key identifier {}", crate::certs::der::hex(key))).unwrap_or_default();
    if stands_below(judgement, end) {
        format!("Its issuer '{wanted}'{key_text} stands below it on the path: these authorities certify each other.")
    } else {
        format!("Its issuer '{wanted}'{key_text} was neither presented nor given.")
    }
}

fn where_it_is(judgement: &Judgement<'_>, end: &Certificate) -> String {
    let mut namesakes = judgement.pool.of_subject(&end.issuer).iter().filter_map(|at| judgement.pool.get(*at));
    match (namesakes.any(|issuer| key_differs(end, issuer)), end.extensions.issuer_urls.first()) {
        (true, _) => " A certificate of that name is at hand, but its key is another one.".to_owned(),
        (false, Some(url)) => format!(" The certificate says where its issuer is found: {url}."),
        (false, None) => " The certificate does not say where its issuer is found.".to_owned(),
    }
}

/// The list as presented, against the path: the root sent, another order, certificates that have no part in it.
pub(in crate::certs) fn presented_list(
    request: &ChainRequest,
    pool: &Pool<'_>,
    path: &Path,
    presented: &[usize],
    unordered: bool,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |rule: &'static crate::certs::rules::Rule, status, text: String| {
        checks.push(rule.check(request.profile, status, "presented list", text));
    };
    let name = |at: usize| pool.get(at).map(Certificate::display).unwrap_or_default();
    let above_leaf = presented.iter().skip(1).copied();
    let is_root = |at: usize| pool.get(at).is_some_and(Certificate::is_self_issued);

    match above_leaf.clone().find(|at| path.nodes.contains(at) && is_root(*at)) {
        Some(root) => add(
            &SERVER_SENT_ROOT,
            CheckStatus::Failed,
            format!("It holds the root '{}', which clients do not take from a server.", name(root)),
        ),
        None => add(&SERVER_SENT_ROOT, CheckStatus::Passed, "It holds no root.".to_owned()),
    }
    let places: Vec<usize> = presented.iter().filter_map(|at| path.nodes.iter().position(|node| node == at)).collect();
    if unordered {
        add(&OUT_OF_ORDER, CheckStatus::NotChecked, "It was given as PKCS#7, which keeps no order.".to_owned());
    } else if places.is_sorted() {
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
