//! A first site description from what logs reveal, with a comment on all that they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::artefacts::{Artefact, Part};
use crate::events::Event;
use crate::flows::{ClientIdentity, Flow, identity};
use crate::input::ArtefactKind;
use crate::knowledge::Knowledge;
use crate::record::Source;
use crate::report::CheckStatus;
use crate::site::host_and_role;
use crate::stage::Role;

/// What was read.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Flows.
    pub flows: &'a [Flow],
    /// Events.
    pub events: &'a [Event],
    /// Logs.
    pub sources: &'a [Source],
    /// Artefacts.
    pub artefacts: &'a [Artefact],
}

/// What the logs say of the site.
#[derive(Debug, Default)]
struct Found {
    gateways: BTreeSet<String>,
    roles: BTreeSet<u64>,
    management_points: BTreeSet<String>,
    connection_points: BTreeSet<String>,
    /// Which management point a role id stands for, where a line says both.
    pairs: BTreeMap<String, u64>,
    tenants: BTreeSet<String>,
    resources: BTreeSet<String>,
    apps: BTreeSet<String>,
    clients: BTreeMap<String, ClientIdentity>,
}

/// Where an artefact lies, by its path in the trail, as seen from the folder of the description; `None` where it lies
/// in no folder: in a zip, say.
pub type Whereabouts<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Writes a first `site.toml`. Artefacts that lie nowhere are told in comments.
pub fn sketch(seen: Seen<'_>, lies: &Whereabouts<'_>) -> String {
    let found = Found::of(seen);
    let artefacts = Artefacts { all: seen.artefacts, lies };
    let mut text = String::from(
        "# A first description of the site, from what its logs reveal. What is commented out they do not say;\n\
         # what is left out is not known, and a prediction says so. docs/site.md explains every key.\n\n\
         [site]\n# code = \"PS1\"\n# version = 2603\n# crl_check = true          # \"Clients check the certificate revocation list (CRL) for site systems\"\n\
         # user_discovery = true     # Entra user discovery runs\n",
    );
    found.write_apps(&mut text);
    found.write_gateway(&mut text, artefacts);
    found.write_points(&mut text);
    for (url, fetched) in artefacts.addresses_of_lists() {
        let from = if fetched {
            "from = \"internet\"           # a client fetched it"
        } else {
            "# from = \"intranet\"         # no client could fetch it; or \"nowhere\""
        };
        let _ = write!(
            text,
            "\n[[crl]]\nurl = {}\n{from}\n# file = \"list.crl\"         # what is published there\n",
            quoted(&url)
        );
    }
    for artefact in artefacts.of(Part::RevocationList) {
        let file = quoted(&artefacts.place(&artefact.path).unwrap_or_else(|| artefact.path.to_string()));
        let _ = write!(
            text,
            "\n# [[crl]]                   # a list found among the logs\n# url = \"http://\"\n# file = {file}\n# from = \"internet\"         # or \"intranet\", \"nowhere\"\n"
        );
    }
    found.write_clients(&mut text, artefacts);
    text
}

impl Found {
    fn of(seen: Seen<'_>) -> Self {
        let mut found = Self::default();
        let through: BTreeSet<&str> = seen.events.iter().filter_map(|event| event.get("cmg")).collect();
        for event in seen.events {
            found.learn(event);
        }
        found.gateways.extend(through.into_iter().filter_map(|cmg| Some(host_and_role(cmg)?.host)));
        found.gateways.retain(|host| host.contains('.'));
        let servers = seen.sources.iter().filter(|source| source.role == Some(Role::ManagementPoint));
        let connectors = seen.sources.iter().filter(|source| source.role == Some(Role::ConnectionPoint));
        found.connection_points.extend(connectors.filter_map(|source| source.host.clone()));
        let hosts: Vec<String> =
            servers.filter_map(|source| source.host.as_ref()).map(|host| host.to_ascii_lowercase()).collect();
        for host in hosts {
            // A folder's name is the first label of a name that other lines give in full.
            let known = found.management_points.iter().any(|name| name.split('.').next() == host.split('.').next());
            if !known {
                found.management_points.insert(host);
            }
        }
        for flow in seen.flows {
            found.tenants.extend(flow.client.tenant_id.clone());
            found.learn_client(&flow.client);
        }
        found
    }

    fn learn(&mut self, event: &Event) {
        for field in ["url", "path", "cmg"] {
            let Some(address) = event.get(field).and_then(host_and_role) else { continue };
            if let Some(role) = address.role_id {
                self.roles.insert(role);
                self.gateways.insert(address.host);
            }
        }
        self.gateways.extend(asked_gateway(event));
        let role = event.get("role_id").and_then(|role| role.parse::<u64>().ok());
        self.roles.extend(role);
        if event.role() == Some(Role::ConnectionPoint)
            && let Some(mp) = event.get("mp").filter(|mp| mp.contains('.') || mp.len() > 2)
        {
            let mp = mp.trim_end_matches('.').to_ascii_lowercase();
            self.pairs.extend(role.map(|role| (mp.clone(), role)));
            self.management_points.insert(mp);
        }
        self.resources.extend(event.get("resource").map(str::to_owned));
        self.apps.extend(event.get("app_id").and_then(identity::normal));
    }

    fn learn_client(&mut self, client: &ClientIdentity) {
        let Some(name) = client.host.clone().or_else(|| client.device_id.clone()) else { return };
        let known = self.clients.entry(name.to_ascii_lowercase()).or_default();
        known.host = known.host.clone().or(Some(name));
        known.device_id = known.device_id.clone().or_else(|| client.device_id.clone());
        known.user_id = known.user_id.clone().or_else(|| client.user_id.clone());
        known.tenant_id = known.tenant_id.clone().or_else(|| client.tenant_id.clone());
    }

    fn write_apps(&self, text: &mut String) {
        for tenant in &self.tenants {
            let _ = write!(
                text,
                "\n# [[tenant]]                # a client of this tenant was seen: is it onboarded?\n# id = \"{tenant}\"\n"
            );
        }
        text.push_str("\n[server_app]\n");
        candidates(text, "resource_uri", &self.resources, "\"https://ConfigMgrService\"");
        text.push_str("# device_tokens = true      # the server app gives out device tokens\n\n[client_app]\n");
        candidates(text, "client_id", &self.apps, "\"00000000-0000-0000-0000-000000000000\"");
    }

    fn write_gateway(&self, text: &mut String, artefacts: Artefacts<'_>) {
        let names: Vec<String> = self.gateways.iter().map(|name| quoted(name)).collect();
        let names = if names.is_empty() {
            "# names = [\"cmg.example.com\"]".to_owned()
        } else {
            format!("names = [{}]", names.join(", "))
        };
        let _ = write!(text, "\n[cmg]\n{names}\n");
        match artefacts.chains().as_slice() {
            [] => text.push_str("# certificate = \"cmg.pem\"   # the chain that it presents, the leaf first\n"),
            [one] => {
                artefacts.write(text, "certificate", &one.files);
                if one.certificates == 1 {
                    text.push_str("# ^ the leaf alone: name the authorities above it, too, as the CMG presents them\n");
                }
            }
            // What different clients were shown.
            several => {
                for chain in several {
                    let _ = writeln!(text, "# certificate = {}   # is it this one?", artefacts.listed(&chain.files));
                }
            }
        }
        text.push_str(
            "# root = \"root.pem\"         # the root of the own PKI, or \"public\"\n# state = \"running\"\n",
        );
        let open: Vec<u64> =
            self.roles.iter().filter(|role| !self.pairs.values().any(|id| id == *role)).copied().collect();
        if !self.pairs.is_empty() {
            text.push_str("\n[cmg.roles]\n");
            for (name, role) in &self.pairs {
                let _ = writeln!(text, "{} = {role}", quoted(name));
            }
        } else if !open.is_empty() {
            text.push_str("\n# [cmg.roles]               # the management point that each stands for is not said\n");
        }
        for role in open {
            let _ = writeln!(text, "# \"mp.example.com\" = {role}");
        }
    }

    fn write_points(&self, text: &mut String) {
        for name in &self.management_points {
            let _ = write!(
                text,
                "\n[[management_point]]\nname = {}\n# mode = \"enhanced-http\"    # or \"https\", \"http\"\n# cmg_traffic = true\n# healthy = true            # nothing is wrong with it: IIS, token service, binding, way to Entra\n",
                quoted(name)
            );
        }
        text.push_str("\n[connection_point]\n");
        let names: Vec<&String> = self.connection_points.iter().collect();
        for name in &names {
            // A description has one.
            let comment = if names.len() == 1 { "" } else { "# " };
            let _ = writeln!(text, "{comment}name = {}", quoted(name));
        }
        text.push_str("# client_certificate = \"none\"\n# healthy = true            # runs, ports open, role certificate there, reaches revocation lists\n");
    }

    fn write_clients(&self, text: &mut String, artefacts: Artefacts<'_>) {
        if self.clients.is_empty() {
            text.push_str(
                "\n# [[client]]                # no client was seen; a prediction needs one\n# name = \"PC042\"\n",
            );
        }
        for client in self.clients.values() {
            let host = client.host.clone().unwrap_or_default();
            let _ = write!(text, "\n[[client]]\nname = {}\n", quoted(&host));
            let own = |part| {
                artefacts
                    .of(part)
                    .filter(|artefact| artefact.host.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&host)))
            };
            // What its own files say of the device goes before what its logs say.
            let joined = [Part::JoinStatus, Part::DeviceCertificate].into_iter().any(|part| own(part).next().is_some());
            let ids = [("device_id", &client.device_id), ("user_id", &client.user_id), ("tenant", &client.tenant_id)];
            for (key, value) in ids.into_iter().filter(|(key, _)| !joined || *key == "user_id") {
                // Published logs mask their ids.
                if let Some(value) =
                    value.as_ref().filter(|value| identity::normal(value).is_some_and(|id| is_whole(&id)))
                {
                    let _ = writeln!(text, "{key} = {}", quoted(value));
                }
            }
            for (key, part) in [("dsregcmd", Part::JoinStatus), ("wpj_certificate", Part::DeviceCertificate)] {
                let files: Vec<&str> = own(part).take(1).map(|artefact| &*artefact.path).collect();
                artefacts.write(text, key, &files);
            }
            for (key, part) in [("roots", Part::RootStore), ("intermediates", Part::IntermediateStore)] {
                let files: Vec<&str> = own(part).map(|artefact| &*artefact.path).collect();
                artefacts.write(text, key, &files);
            }
            write_tokens(text, own(Part::Token), artefacts);
            if let Some(shown) = own(Part::Presented).find(|artefact| is_of_somebody_else(artefact)) {
                let file = artefacts.listed(&[&shown.path]);
                let _ =
                    writeln!(text, "# network = {{ inspection = {file} }}   # of another issuer than the CMG's own");
            }
            text.push_str("# ccmsetup = 'ccmsetup.exe /NoCRLCheck CCMHOSTNAME=…'\n# os_build = 19045\n# network = { healthy = true }\n");
        }
    }
}

/// The gateway that a request goes to, where its address says that it is one.
fn asked_gateway(event: &Event) -> Option<String> {
    let through_cmg = |address: &str| Knowledge::builtin().endpoint(address).is_some_and(|found| found.through_cmg);
    let by_url = || Some(host_and_role(event.get("url").filter(|url| through_cmg(url))?)?.host);
    let by_path =
        || event.get("path").filter(|path| through_cmg(path)).and(event.get("host")).map(str::to_ascii_lowercase);
    by_url().or_else(by_path)
}

/// The artefacts of a trail, and where they lie.
#[derive(Clone, Copy)]
struct Artefacts<'a> {
    all: &'a [Artefact],
    lies: &'a Whereabouts<'a>,
}

/// A chain that the gateway presented, as files show it.
struct Chain<'a> {
    /// Fingerprint of the leaf.
    leaf: &'a str,
    /// The files, the leaf's first.
    files: Vec<&'a str>,
    /// How many of its certificates they hold.
    certificates: usize,
}

impl<'a> Artefacts<'a> {
    /// Addresses of revocation lists, each with whether some client could fetch it.
    fn addresses_of_lists(self) -> BTreeMap<String, bool> {
        let mut found: BTreeMap<String, bool> = BTreeMap::new();
        for artefact in self.of(Part::FetchList) {
            for (key, fetched) in [("fetched", true), ("failed", false)] {
                let urls = artefact.report.facts.get(key).and_then(serde_json::Value::as_array);
                for url in urls.into_iter().flatten().filter_map(serde_json::Value::as_str) {
                    *found.entry(url.to_owned()).or_default() |= fetched;
                }
            }
        }
        found
    }

    fn of(self, part: Part) -> impl Iterator<Item = &'a Artefact> {
        self.all.iter().filter(move |artefact| artefact.part == Some(part))
    }

    fn place(self, path: &str) -> Option<String> {
        (self.lies)(path)
    }

    /// The chains that the gateway presented, one for each leaf: from where it is most complete, for one machine may
    /// hold the leaf alone, and another all of it.
    fn chains(self) -> Vec<Chain<'a>> {
        let mut chains: Vec<Chain<'a>> = Vec::new();
        for artefact in self.of(Part::Presented).filter(|artefact| !is_of_somebody_else(artefact)) {
            let Some(chain) = self.chain(artefact) else { continue };
            match chains.iter_mut().find(|known| known.leaf == chain.leaf) {
                Some(known) if known.certificates < chain.certificates => *known = chain,
                Some(_) => {}
                None => chains.push(chain),
            }
        }
        chains
    }

    /// What a file, and the files beside it, hold of a chain; `None` where it holds no leaf.
    fn chain(self, artefact: &'a Artefact) -> Option<Chain<'a>> {
        let facts = &artefact.report.facts;
        let certificates = facts.get("path").or_else(|| facts.get("certificates"))?.as_array()?;
        let leaf = certificates.first().filter(|leaf| leaf["ca"] != true)?;
        let mut files = vec![&*artefact.path];
        let mut held = 0;
        for certificate in certificates {
            // Authorities may also come from the machine's stores, which is not what was presented.
            let source = certificate["source"].as_str().filter(|source| !source.is_empty());
            let presented = source.is_none_or(|source| self.of(Part::Presented).any(|other| &*other.path == source));
            held += usize::from(presented);
            files.extend(source.filter(|source| presented && !files.contains(source)));
        }
        Some(Chain { leaf: leaf["sha256"].as_str()?, files, certificates: held })
    }

    /// Writes a key with its files, unless there are none; in a comment, where one of them lies nowhere or makes no
    /// sense.
    fn write(self, text: &mut String, key: &str, files: &[&str]) {
        if files.is_empty() {
            return;
        }
        let is_broken = |file: &&str| self.all.iter().any(|one| *one.path == **file && !is_readable(one));
        let (mark, why) = if files.iter().any(is_broken) {
            ("# ", "   # it cannot be read")
        } else if files.iter().any(|file| self.place(file).is_none()) {
            ("# ", "   # in an archive: unpack it first")
        } else {
            ("", "")
        };
        let _ = writeln!(text, "{mark}{key} = {}{why}", self.listed(files));
    }

    /// Files as a TOML value.
    fn listed(self, files: &[&str]) -> String {
        let files: Vec<String> =
            files.iter().map(|file| quoted(&self.place(file).unwrap_or_else(|| (*file).to_owned()))).collect();
        match files.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        }
    }
}

/// Whether an artefact holds what it is named as.
fn is_readable(artefact: &Artefact) -> bool {
    artefact.report.checks.iter().all(|check| match check.id.as_str() {
        "unreadable" => check.status != CheckStatus::Failed,
        "device-joined" => check.status != CheckStatus::NotChecked,
        _ => true,
    })
}

/// Whether another issuer than the gateway's own stands behind what a client was shown.
fn is_of_somebody_else(artefact: &Artefact) -> bool {
    artefact.report.checks.iter().any(|check| check.id == "issuer-genuine" && check.status == CheckStatus::Failed)
}

/// The Entra tokens of a client, by kind.
fn write_tokens<'a>(text: &mut String, tokens: impl Iterator<Item = &'a Artefact>, artefacts: Artefacts<'_>) {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for token in tokens.filter(|artefact| artefact.kind == ArtefactKind::Token) {
        let kind = token.report.facts.get("kind").and_then(Value::as_str);
        let key = match kind {
            Some("entra-device") => "device",
            Some("entra-user") => "user",
            Some("ccm") => "site",
            Some("bulk-registration") => "registration",
            _ => continue,
        };
        if let Some(file) = artefacts.place(&token.path).filter(|_| is_readable(token)) {
            known.entry(key).or_insert_with(|| quoted(&file));
        }
    }
    if !known.is_empty() {
        let entries: Vec<String> = known.iter().map(|(key, file)| format!("{key} = {file}")).collect();
        let _ = writeln!(text, "tokens = {{ {} }}", entries.join(", "));
    }
}

/// One value as it is; several as a choice, for nobody says which is right.
fn candidates(text: &mut String, key: &str, values: &BTreeSet<String>, example: &str) {
    let values: Vec<&String> = values.iter().collect();
    let _ = match values.as_slice() {
        [] => writeln!(text, "# {key} = {example}"),
        [one] => writeln!(text, "{key} = {}   # as clients asked", quoted(one)),
        several => several.iter().try_for_each(|value| {
            writeln!(text, "# {key} = {}   # asked by some clients: which is right?", quoted(value))
        }),
    };
}

/// A TOML string. What logs hold is the words of strangers.
fn quoted(text: &str) -> String {
    Value::String(text.chars().filter(|letter| !letter.is_control() && *letter != '\u{7f}').collect()).to_string()
}

/// A GUID with all its digits.
fn is_whole(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
