//! Whether the leaf is for the host that the client connects to.

use super::Judgement;
use crate::certs::hostname::{HostMatch, match_host};
use crate::certs::request::Purpose;
use crate::certs::rules::{CN_ONLY_NO_SAN, NAME_MISMATCH};
use crate::report::CheckStatus;

pub(super) fn check(judgement: &mut Judgement<'_>) {
    let Some(leaf) = judgement.chain.first().copied() else { return };
    let Some(host) = judgement.request.host.clone() else {
        let why = match judgement.request.purpose {
            Purpose::Server => "No host was given, so names were not compared.",
            Purpose::Client => "Clients are not told by a host name.",
        };
        judgement.not_checked(&NAME_MISMATCH, 0, why).decides = false;
        judgement.not_checked(&CN_ONLY_NO_SAN, 0, why).decides = false;
        return;
    };
    let compared = match_host(leaf, &host);
    name_mismatch(judgement, &host, &compared);
    common_name_only(judgement, &host, &compared);
}

fn name_mismatch(judgement: &mut Judgement<'_>, host: &str, compared: &HostMatch) {
    let names = shown(&compared.names);
    let check = if compared.matches {
        judgement.passed(&NAME_MISMATCH, 0, format!("It is for {host}: it names {names}."))
    } else if compared.names.is_empty() {
        judgement.failed(&NAME_MISMATCH, 0, format!("It is not for {host}: it names no host at all."))
    } else {
        let common = judgement.chain.first().map_or(&[][..], |leaf| &leaf.subject.common_names);
        let hint = if common.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            " Its common name does not count, since it has alternative names."
        } else {
            wildcard_hint(host, &compared.names)
        };
        judgement.failed(&NAME_MISMATCH, 0, format!("It is not for {host}: it names {names}.{hint}"))
    };
    check.expected = Some(host.to_owned());
    check.found = Some(names);
}

/// Why a wildcard that looks right does not cover the host.
fn wildcard_hint(host: &str, names: &[String]) -> &'static str {
    let near = names.iter().filter_map(|name| name.strip_prefix("*.")).any(|parent| {
        host.eq_ignore_ascii_case(parent)
            || host.to_ascii_lowercase().ends_with(&format!(".{}", parent.to_ascii_lowercase()))
    });
    if near { " A wildcard stands for exactly one label, the first." } else { "" }
}

fn common_name_only(judgement: &mut Judgement<'_>, host: &str, compared: &HostMatch) {
    if !compared.common_name_only {
        judgement.passed(&CN_ONLY_NO_SAN, 0, "It names hosts as alternative names.");
        return;
    }
    let text = if compared.matches {
        format!(
            "Only its common name covers {host}; it has no alternative name. Windows still accepts that, verifiers of \
             the public web do not."
        )
    } else {
        "It has no alternative name for a host.".to_owned()
    };
    let status = CheckStatus::Failed;
    judgement.add(&CN_ONLY_NO_SAN, status, 0, text).found = Some(shown(&compared.names));
}

/// The first names of a list, for a sentence.
fn shown(names: &[String]) -> String {
    use std::fmt::Write as _;
    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    if text.is_empty() { "no host".to_owned() } else { text }
}
