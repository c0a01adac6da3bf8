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
    /// Which management point a role id stands for, where a line says both.
    pairs: BTreeMap<String, u64>,
    tenants: BTreeSet<String>,
    resources: BTreeSet<String>,
    apps: BTreeSet<String>,
    clients: BTreeMap<String, ClientIdentity>,
}

/// Writes a first `site.toml`. `prefix` is laid before the paths of artefacts, so that they are found from the folder
/// of the file.
pub fn sketch(seen: Seen<'_>, prefix: &str) -> String {
    let found = Found::of(seen);
    let mut text = String::from(
        "# A first description of the site, from what its logs reveal. What is commented out they do not say;\n\
         # what is left out is not known, and a prediction says so. docs/site.md explains every key.\n\n\
         [site]\n# code = \"PS1\"\n# version = 2603\n# crl_check = true          # \"Clients check the certificate revocation list (CRL) for site systems\"\n\
         # user_discovery = true     # Entra user discovery runs\n",
    );
    found.write_apps(&mut text);
    found.write_gateway(&mut text, seen.artefacts, prefix);
    found.write_points(&mut text);
    for artefact in of_part(seen.artefacts, Part::RevocationList) {
        let file = path(prefix, artefact);
        let _ = write!(
            text,
            "\n# [[crl]]                   # a list found among the logs\n# url = \"http://\"\n# file = {file}\n# from = \"internet\"         # or \"intranet\", \"nowhere\"\n"
        );
    }
    found.write_clients(&mut text, seen.artefacts, prefix);
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

    fn write_gateway(&self, text: &mut String, artefacts: &[Artefact], prefix: &str) {
        let names: Vec<String> = self.gateways.iter().map(|name| quoted(name)).collect();
        let _ = write!(text, "\n[cmg]\nnames = [{}]\n", names.join(", "));
        let mut known = BTreeSet::new();
        let chains: Vec<String> = of_part(artefacts, Part::Presented)
            .filter(|artefact| known.insert(leaf(artefact).unwrap_or(&artefact.path)))
            .map(|artefact| path(prefix, artefact))
            .collect();
        match chains.as_slice() {
            [] => text.push_str("# certificate = \"cmg.pem\"   # the chain that it presents, the leaf first\n"),
            [one] => {
                let _ = writeln!(text, "certificate = {one}");
            }
            // Files beside each other may be one chain in parts, or what different clients were shown.
            several => {
                let _ = writeln!(text, "# certificate = [{}]   # which of these, leaf first?", several.join(", "));
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
        text.push_str("\n[connection_point]\n# client_certificate = \"none\"\n# healthy = true            # runs, ports open, role certificate there, reaches revocation lists\n");
    }

    fn write_clients(&self, text: &mut String, artefacts: &[Artefact], prefix: &str) {
        for client in self.clients.values() {
            let host = client.host.clone().unwrap_or_default();
            let _ = write!(text, "\n[[client]]\nname = {}\n", quoted(&host));
            let ids = [("device_id", &client.device_id), ("user_id", &client.user_id), ("tenant", &client.tenant_id)];
            for (key, value) in ids {
                // Published logs mask their ids.
                if let Some(value) =
                    value.as_ref().filter(|value| identity::normal(value).is_some_and(|id| is_whole(&id)))
                {
                    let _ = writeln!(text, "{key} = {}", quoted(value));
                }
            }
            let own = |part| {
                of_part(artefacts, part)
                    .filter(|artefact| artefact.host.as_deref() == Some(host.to_ascii_lowercase().as_str()))
            };
            for (key, part) in [("dsregcmd", Part::JoinStatus), ("wpj_certificate", Part::DeviceCertificate)] {
                if let Some(artefact) = own(part).next() {
                    let _ = writeln!(text, "{key} = {}", path(prefix, artefact));
                }
            }
            for (key, part) in [("roots", Part::RootStore), ("intermediates", Part::IntermediateStore)] {
                let files: Vec<String> = own(part).map(|artefact| path(prefix, artefact)).collect();
                if !files.is_empty() {
                    let _ = writeln!(text, "{key} = [{}]", files.join(", "));
                }
            }
            write_tokens(text, own(Part::Token), prefix);
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

/// The Entra tokens of a client, by kind.
fn write_tokens<'a>(text: &mut String, tokens: impl Iterator<Item = &'a Artefact>, prefix: &str) {
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
        known.entry(key).or_insert_with(|| path(prefix, token));
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

fn of_part(artefacts: &[Artefact], part: Part) -> impl Iterator<Item = &Artefact> {
    artefacts.iter().filter(move |artefact| artefact.part == Some(part))
}

/// The fingerprint of the certificate that a file holds first: many clients are shown the same.
fn leaf(artefact: &Artefact) -> Option<&str> {
    artefact.report.facts.get("path")?.get(0)?.get("sha256")?.as_str()
}

fn path(prefix: &str, artefact: &Artefact) -> String {
    quoted(&format!("{prefix}{}", artefact.path))
}

/// A TOML string. What logs hold is the words of strangers.
fn quoted(text: &str) -> String {
    Value::String(text.chars().filter(|letter| !letter.is_control() && *letter != '\u{7f}').collect()).to_string()
}

/// A GUID with all its digits.
fn is_whole(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
