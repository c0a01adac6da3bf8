//! What the place and the name of an artefact say of it. `docs/bundle.md` is this table in words.

use serde::Serialize;

use crate::input::machine;
use crate::stage::Role;

/// What an artefact is to the machine it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The chain that the gateway presented.
    Presented,
    /// The machine's root store.
    RootStore,
    /// The machine's store of intermediate authorities.
    IntermediateStore,
    /// The machine's store of disallowed certificates.
    DisallowedStore,
    /// The certificate that proves the machine's join to Entra.
    DeviceCertificate,
    /// A revocation list.
    RevocationList,
    /// Which revocation lists could be fetched, and which not.
    FetchList,
    /// A token.
    Token,
    /// Keys that verify tokens.
    KeySet,
    /// Output of `dsregcmd /status`.
    JoinStatus,
}

impl Part {
    /// The part's id, as knowledge files name it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Presented => "presented",
            Self::RootStore => "root-store",
            Self::IntermediateStore => "intermediate-store",
            Self::DisallowedStore => "disallowed-store",
            Self::DeviceCertificate => "device-certificate",
            Self::RevocationList => "revocation-list",
            Self::FetchList => "fetch-list",
            Self::Token => "token",
            Self::KeySet => "key-set",
            Self::JoinStatus => "join-status",
        }
    }

    /// True for the stores of a machine.
    pub const fn is_store(self) -> bool {
        matches!(self, Self::RootStore | Self::IntermediateStore | Self::DisallowedStore)
    }
}

/// Folders of a bundle: none is a machine.
const FOLDERS: &[&str] = &[
    "artefacts",
    "artifacts",
    "ca",
    "certificates",
    "certs",
    "crl",
    "crls",
    "disallowed",
    "evidence",
    "intermediate",
    "intermediates",
    "jwks",
    "jwt",
    "keys",
    "presented",
    "root",
    "roots",
    "store",
    "stores",
    "token",
    "tokens",
    "wpj",
];

/// What a path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// What it is, as far as folder or name tell.
    pub part: Option<Part>,
    /// The machine, as a folder tells it.
    pub host: Option<String>,
    /// The kind of machine, as a folder tells it.
    pub role: Option<Role>,
    /// The folder that stands for the machine where its host is not known, in lower case.
    pub folder: String,
    /// A host that the file's name may mean: the machine, or the gateway.
    pub named: Option<String>,
}

/// Reads a path (relative, with `/`). `above` is the name of the folder or zip given.
pub(super) fn place(path: &str, above: &str) -> Place {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    let stem = lower.rsplit_once('.').map_or(lower.as_str(), |(stem, _)| stem);
    let (of_bundle, of_machine): (Vec<&str>, Vec<&str>) =
        folders.split('/').filter(|folder| !folder.is_empty()).partition(|folder| is_of_bundle(folder));
    let of_bundle: Vec<String> = of_bundle.iter().map(|folder| folder.to_ascii_lowercase()).collect();
    let in_store = of_bundle.iter().any(|folder| folder.starts_with("store")) || stem.contains("store");
    let by_folder = of_bundle.iter().rev().find_map(|folder| part_of(folder, in_store));
    let part = by_folder.or_else(|| part_of(stem, in_store));
    let place = machine(&[of_machine.as_slice(), &[name]].concat().join("/"), above);
    Place {
        part,
        host: place.host,
        role: place.role,
        folder: of_machine.join("/").to_ascii_lowercase(),
        named: (part == Some(Part::Presented)).then(|| without_words(stem)).filter(|rest| !rest.is_empty()),
    }
}

fn is_of_bundle(folder: &str) -> bool {
    FOLDERS.iter().any(|known| known.eq_ignore_ascii_case(folder))
}

/// The part that a word in lower case begins with. Names of stores count only inside `stores`, or where the name says
/// "store": a file `root.cer` is as often the root that somebody wants to deliver.
fn part_of(name: &str, in_store: bool) -> Option<Part> {
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    let holds = |words: &[&str]| name.split(['-', '_', ' ', '.']).any(|word| words.contains(&word));
    if begins(&["presented", "cmg-presented", "cmg_presented"]) || holds(&["presented"]) {
        return Some(Part::Presented);
    }
    if begins(&["wpj", "workplace"]) {
        return Some(Part::DeviceCertificate);
    }
    if in_store && (begins(&["root", "trustedroot", "authroot"]) || holds(&["root", "roots"])) {
        return Some(Part::RootStore);
    }
    if in_store && (begins(&["intermediate", "subca"]) || holds(&["ca", "intermediate", "intermediates"])) {
        return Some(Part::IntermediateStore);
    }
    if begins(&["disallowed", "untrusted"]) && (in_store || name == "disallowed") {
        return Some(Part::DisallowedStore);
    }
    holds(&["cmg"]).then_some(Part::Presented)
}

/// A file's name without the words that say what it is: what remains may be a host.
fn without_words(stem: &str) -> String {
    const WORDS: [&str; 7] =
        ["cmg-presented", "cmg_presented", "presented-by", "presented-to", "presented", "chain", "-"];
    let mut rest = stem;
    while let Some(shorter) = WORDS.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter.trim_start_matches(['-', '_', ' ']);
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(path: &str, part: Option<Part>, host: Option<&str>) {
        let found = place(path, "");
        assert_eq!((found.part, found.host.as_deref()), (part, host), "{path}");
    }

    #[test]
    fn knowledge_can_name_each_part_and_no_other() {
        use Part::{DeviceCertificate, DisallowedStore, FetchList, IntermediateStore, JoinStatus, KeySet, Presented};
        use Part::{RevocationList, RootStore, Token};
        let stores = [Presented, RootStore, IntermediateStore, DisallowedStore];
        let others = [DeviceCertificate, RevocationList, FetchList, Token, KeySet, JoinStatus];
        let ids: Vec<&str> = stores.into_iter().chain(others).map(Part::id).collect();
        assert_eq!(ids, crate::knowledge::BUNDLE_PARTS);
    }

    #[test]
    fn folder_and_name_tell_part_and_machine() {
        is("client-PC042/presented/cmg.pem", Some(Part::Presented), Some("PC042"));
        is("client-PC042/cmg-presented-1.pem", Some(Part::Presented), Some("PC042"));
        is("client-PC042/cmg.contoso.com.cer", Some(Part::Presented), Some("PC042"));
        is("client-PC042/stores/root.pem", Some(Part::RootStore), Some("PC042"));
        is("client-PC042/Stores/Root/A1.cer", Some(Part::RootStore), Some("PC042"));
        is("client-PC042/stores/ca.pem", Some(Part::IntermediateStore), Some("PC042"));
        is("client-PC042/stores/intermediate-ca.p7b", Some(Part::IntermediateStore), Some("PC042"));
        is("client-PC042/stores/disallowed.pem", Some(Part::DisallowedStore), Some("PC042"));
        is("PC042/root-store.pem", Some(Part::RootStore), Some("PC042"));
        is("PC042/wpj.cer", Some(Part::DeviceCertificate), Some("PC042"));
        is("logs/artefacts/presented/pc042.pem", Some(Part::Presented), None);
        is("crls/contoso-ca.crl", None, None);
    }

    #[test]
    fn a_root_that_lies_about_is_no_store() {
        is("client-PC042/root.cer", None, Some("PC042"));
        is("client-PC042/contoso-root-ca.cer", None, Some("PC042"));
        is("client-PC042/ca.cer", None, Some("PC042"));
    }

    #[test]
    fn what_remains_of_a_name_may_be_a_host() {
        assert_eq!(place("presented/cmg.contoso.com.pem", "").named.as_deref(), Some("cmg.contoso.com"));
        assert_eq!(place("cmg-presented-pc042.pem", "").named.as_deref(), Some("pc042"));
        assert_eq!(place("presented/presented.pem", "").named, None);
    }
}
