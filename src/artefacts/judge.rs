//! The validators, asked about artefacts with what lies beside them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::across::{self, Told};
use super::item::Item;
use super::machines::{self, Machine, Machines};
use super::naming::Part;
use super::{Artefacts, Client};
use crate::certs::dsregcmd::{Beside, validate_dsregcmd};
use crate::certs::{
    ChainRequest, Materials, ReadList, ReadSource, Revocation, Role, inspect_read, role, validate_read,
};
use crate::flows::identity;
use crate::input::ArtefactKind;
use crate::report::{Check, CheckStatus, Report};
use crate::time::{Micros, rfc3339, zoned_instant};
use crate::tokens::{KeySet, TokenPolicy, inspect_token, validate_token, withhold};

/// The report on an artefact for a client, and the instant that it is about, where it is about one.
pub(super) fn of_item(all: &Artefacts, item: &Item, client: &Client<'_>) -> (Report, Option<Micros>) {
    let (report, at) = judged(all, item, client);
    // Names of files and fields of certificates are words of strangers, too.
    (withhold(report), at)
}

/// The report on a chain that belongs to no machine: whether it ends in a store, only a machine's store could say.
pub(super) fn for_all(all: &Artefacts, item: &Item, client: &Client<'_>) -> (Report, Option<Micros>) {
    let mut report = inspect_read(item.read.as_slice());
    let nobody = Client { cmg: item.cmg.as_deref(), ..Client::default() };
    if let Some(last) = client.at {
        let told = Told { last, came: &BTreeSet::new(), machine: None };
        report.checks.extend(across::checks(all, item, &nobody, &told));
    }
    (withhold(Report::new(report.kind, report.facts, report.checks)), client.at)
}

fn judged(all: &Artefacts, item: &Item, client: &Client<'_>) -> (Report, Option<Micros>) {
    if let Some(why) = &item.unread {
        let check = Check::new("unreadable", CheckStatus::Failed, "file", format!("It cannot be read: {why}."));
        return (Report::new("artefact", Map::new(), vec![check]), None);
    }
    match (item.kind, item.part, client.at) {
        (ArtefactKind::Certificate, Some(Part::Presented), Some(at)) if item.leaf.is_some() => {
            (chain(all, item, client, at), Some(at))
        }
        (ArtefactKind::Certificate, Some(Part::DeviceCertificate), _) if item.readable => {
            (join_certificate(item, client.at), client.at)
        }
        (ArtefactKind::Certificate, part, _) => (certificates(item, part), None),
        (ArtefactKind::RevocationList, ..) => (inspect_read(item.read.as_slice()), None),
        (ArtefactKind::FetchList, ..) => (fetch_list(item), None),
        (ArtefactKind::Token, ..) => token(all, item, client),
        (ArtefactKind::KeySet, ..) => (key_set(item), None),
        (ArtefactKind::JoinStatus, ..) => (join(all, item, client), client.at),
        (ArtefactKind::Site, ..) => (Report::new("site", Map::new(), Vec::new()), None),
        (ArtefactKind::Truth, ..) => (Report::new("truth", Map::new(), Vec::new()), None),
    }
}

/// The chain that was presented, against the stores and lists of the machine.
fn chain(all: &Artefacts, item: &Item, client: &Client<'_>, at: i64) -> Report {
    let own = machines::key(client.host);
    let owner = Some(own.as_str());
    let read = |part| all.of(owner, part).filter_map(|item| item.read.clone()).collect::<Vec<ReadSource>>();
    // Authorities that were saved as files of their own.
    let beside = all.of(item.owner.as_deref(), Part::Presented).filter(|other| other.leaf.is_none() && other.readable);
    let beside = beside.filter(|other| other.owner == item.owner);
    let fetches = || all.of(owner, Part::FetchList).flat_map(|list| &list.fetches);
    let came: BTreeSet<&str> = fetches().filter(|fetch| fetch.fetched).map(|fetch| fetch.url.as_str()).collect();
    let failed: BTreeSet<&str> = fetches().filter(|fetch| !fetch.fetched).map(|fetch| fetch.url.as_str()).collect();
    let lists = read(Part::RevocationList).into_iter().map(|list| ReadList { url: None, read: Some(list) });
    let out_of_reach = failed.difference(&came).map(|url| ReadList { url: Some((*url).to_owned()), read: None });
    let materials = Materials {
        presented: std::iter::once(item).chain(beside).filter_map(|item| item.read.clone()).collect(),
        intermediates: read(Part::IntermediateStore),
        roots: read(Part::RootStore),
        disallowed: read(Part::DisallowedStore),
        lists: lists.chain(out_of_reach).collect(),
    };
    let mut request = ChainRequest::new(Vec::new(), Vec::new(), at);
    request.roots_known = !materials.roots.is_empty();
    request.host = client.cmg.or(item.cmg.as_deref()).map(str::to_owned);
    request.revocation = (!materials.lists.is_empty()).then_some(Revocation::Chain);
    let mut report = validate_read(&request, &materials);
    // A bundle is collected after the failure, so that its lists of later days say nothing of the clock.
    report.checks.retain(|check| check.id != "client-clock-suspect");
    let machine = all.machines.get(&own);
    let told = Told { last: machine.and_then(|machine| machine.last).unwrap_or(at), came: &came, machine };
    report.checks.push(across::ends_in_store(&report, request.roots_known));
    report.checks.extend(across::checks(all, item, client, &told));
    Report::new(report.kind, report.facts, report.checks)
}

/// The certificate of the device's join, at the client's time. Of several the one that ends last: a store keeps those of
/// earlier joins.
fn join_certificate(item: &Item, at: Option<Micros>) -> Report {
    let id = "device-certificate-validity";
    let inspected = inspect_read(item.read.as_slice());
    let joins = item.certificates().iter().filter(|certificate| role(certificate).0 == Role::WorkplaceJoin);
    let check = match (joins.max_by_key(|certificate| certificate.not_after), at) {
        (Some(join), Some(at)) => {
            let seconds = at.div_euclid(1_000_000);
            let utc = |seconds: i64| rfc3339(seconds.saturating_mul(1_000_000));
            let (status, text) = if seconds > join.not_after {
                (CheckStatus::Failed, "The certificate of the device's join had expired: it proves no join any more.")
            } else if seconds < join.not_before {
                let text = "The certificate of the device's join was not valid yet; the device's clock may be behind.";
                (CheckStatus::Failed, text)
            } else {
                (CheckStatus::Passed, "The certificate of the device's join was valid at that time.")
            };
            let span = format!("{} to {}", utc(join.not_before), utc(join.not_after));
            Check::new(id, status, "join certificate", text).expected(span).found(rfc3339(at))
        }
        _ => Check::new(id, CheckStatus::NotChecked, "join certificate", "No log gives a time to hold it against."),
    };
    let mut checks = inspected.checks;
    checks.push(check);
    Report::new("device-certificate", inspected.facts, checks)
}

/// Certificates that nothing is asked of. Of a store the names alone: fleets have thousands of the same.
fn certificates(item: &Item, part: Option<Part>) -> Report {
    let mut report = inspect_read(item.read.as_slice());
    if part.is_some_and(Part::is_store) {
        for certificate in report.facts.get_mut("certificates").and_then(Value::as_array_mut).into_iter().flatten() {
            let kept = ["subject", "not_after", "sha1"].map(|name| (name.to_owned(), certificate[name].take()));
            *certificate = Value::Object(Map::from_iter(kept));
        }
    }
    report
}

fn fetch_list(item: &Item) -> Report {
    let urls = |wanted: bool| -> Vec<&str> {
        item.fetches.iter().filter(|fetch| fetch.fetched == wanted).map(|fetch| fetch.url.as_str()).collect()
    };
    let failed = urls(false);
    let (status, text) = match (item.fetches.is_empty(), failed.is_empty()) {
        (true, _) => (CheckStatus::NotChecked, "It names no address together with how fetching it went.".to_owned()),
        (false, true) => (CheckStatus::Passed, "All lists that it names could be fetched.".to_owned()),
        (false, false) => (CheckStatus::Failed, format!("The client could not fetch {}.", failed.join(", "))),
    };
    let check = Check::new("lists-fetched", status, "revocation lists", text);
    let facts = Map::from_iter([("fetched".to_owned(), json!(urls(true))), ("failed".to_owned(), json!(failed))]);
    Report::new("fetch-list", facts, vec![check])
}

fn key_set(item: &Item) -> Report {
    let keys = KeySet::parse(&item.bytes);
    let (status, text) = if keys.is_empty() {
        (CheckStatus::Failed, "It holds no usable key.".to_owned())
    } else {
        (CheckStatus::Passed, format!("It holds {} usable keys.", keys.len()))
    };
    let facts = Map::from_iter([("keys".to_owned(), json!(keys.len()))]);
    Report::new("key-set", facts, vec![Check::new("key-set", status, "keys", text)])
}

/// A token, at the client's time, against what the logs say that tokens are for. Never the token itself.
fn token(all: &Artefacts, item: &Item, client: &Client<'_>) -> (Report, Option<Micros>) {
    let text = text_of(&item.bytes);
    let text = text.trim();
    let inspected = inspect_token(text, false);
    let own = machines::key(client.host);
    let Some(at) = token_time(&inspected, all.machines.get(&own), client.at) else { return (inspected, None) };
    let mut policy = TokenPolicy::new(at);
    if is_of_entra(&inspected) {
        policy.audience = audiences(&all.machines, &own);
        policy.tenants = all.machines.working_tenants.iter().cloned().collect();
    }
    let mut keys = KeySet::default();
    let mut given = false;
    for set in all.of(Some(&own), Part::KeySet) {
        keys.add(&set.bytes);
        given = true;
    }
    policy.keys = given.then_some(keys);
    (validate_token(text, &policy), Some(at))
}

/// The instant for which a token is judged. Every token ends within the hour or the day, so where nothing failed it is
/// no fault of one to have ended before the logs do: it is judged while it was in force.
fn token_time(token: &Report, machine: Option<&Machine>, at: Option<Micros>) -> Option<Micros> {
    if machine.is_some_and(Machine::has_failed) {
        return at;
    }
    let expires = token.facts.get("expires").and_then(Value::as_str).and_then(zoned_instant);
    at.map(|at| expires.map_or(at, |expires| at.min(expires)))
}

/// Resources for which working clients take tokens; else what this client itself asked for.
fn audiences(machines: &Machines, own: &str) -> Vec<String> {
    let working = &machines.working_resources;
    let asked = machines.get(own).map(|machine| &machine.resources);
    let wanted = if working.is_empty() { asked } else { Some(working) };
    wanted.into_iter().flatten().cloned().collect()
}

fn is_of_entra(report: &Report) -> bool {
    report.facts.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("entra"))
}

fn text_of(bytes: &[u8]) -> String {
    let encoding = encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::UTF_8, |(encoding, _)| encoding);
    encoding.decode(bytes).0.into_owned()
}

/// What the device says of its join, against its certificate, its token and its logs.
fn join(all: &Artefacts, item: &Item, client: &Client<'_>) -> Report {
    let own = machines::key(client.host);
    let owned = |part| all.of(Some(&own), part).filter(|other| other.owner.is_some());
    let tokens = owned(Part::Token).map(|token| text_of(&token.bytes).trim().to_owned());
    let beside = Beside {
        certificates: owned(Part::DeviceCertificate).map(Item::source).collect(),
        token: tokens.max_by_key(|token| names_device(&inspect_token(token, false))),
        // Whatever lies in a folder was not given to be compared.
        token_required: false,
        at: client.at,
    };
    let mut report = validate_dsregcmd(&item.bytes, &beside);
    let own_id = report.facts.get("device_id").and_then(Value::as_str).and_then(identity::normal);
    // The token's own report says when it ended; tokens of a bundle mostly have.
    report.checks.retain(|check| check.id != "token-in-force");
    report.checks.push(same_as_log(own_id.as_deref(), client.device_id));
    Report::new(report.kind, report.facts, report.checks)
}

/// How much a token tells of the device: it is of Entra, and it names the device.
fn names_device(token: &Report) -> (bool, bool) {
    (is_of_entra(token), token.facts.get("device_id").is_some_and(Value::is_string))
}

fn same_as_log(own: Option<&str>, log: Option<&str>) -> Check {
    let (id, subject) = ("device-id-matches-log", "dsregcmd /status");
    match (own, log) {
        (Some(own), Some(log)) if own == log => {
            Check::new(id, CheckStatus::Passed, subject, "The logs name the same device id.").remark()
        }
        (Some(own), Some(log)) => {
            let text =
                format!("The device id is {own} here and {log} in the logs: they are of different joins or devices.");
            Check::new(id, CheckStatus::Failed, subject, text).expected(log).found(own).remark()
        }
        _ => Check::new(id, CheckStatus::NotChecked, subject, "One of output and logs names no device id.").remark(),
    }
}
