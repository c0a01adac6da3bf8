//! What lies beside the logs: certificates, revocation lists, tokens, join status, `site.toml`, named as
//! `docs/bundle.md` says.

use std::fmt::Write as _;

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::json;

use super::describe::LIST_FILES;
use super::facts::{ClientFacts, Join, World};
use super::output::OutputFile;
use super::pki::{Issued, Leaf};
use super::random::Random;
use super::run::Run;
use super::{DAY, MINUTE};
use crate::error::Result;
use crate::site::{File, Held, Inspection};
use crate::time::Micros;

/// Writes everything, as it is at the end.
pub(super) fn write(world: &World, run: &mut Run<'_>, random: &Random) -> Result<Vec<OutputFile>> {
    let at = world.end;
    let mut site = (*run.decisions.site(world, at)).clone();
    let mut files = Vec::new();
    for (path, list) in LIST_FILES.iter().zip(run.decisions.lists(world, at)) {
        files.push(OutputFile { path: (*path).to_owned(), bytes: list.to_vec() });
    }
    files.push(OutputFile { path: "jwks.json".to_owned(), bytes: world.signatures.keys().to_string().into_bytes() });
    let of_connector = &site.connection_point;
    let held = of_connector
        .client_certificate
        .iter()
        .filter_map(Held::file)
        .chain(of_connector.intermediates.iter().flatten());
    let of_gateway = site.cmg.certificate.iter().flatten().chain(site.cmg.client_cas.iter().flatten());
    for file in of_gateway.chain([&world.root_file()]).chain(held) {
        keep(&mut files, file);
    }
    for (number, facts) in world.clients.iter().enumerate() {
        let mut client = (*run.decisions.client(world, number, at)).clone();
        files.extend(of_client(world, facts, &mut random.fork("bundle", number))?);
        let own = client.roots.iter().flatten().chain(client.pki_certificate.iter().filter_map(Held::file));
        for file in own.chain(client.self_signed_certificate.iter()) {
            keep(&mut files, file);
        }
        if let Some(Inspection::Shows(shown)) = &client.network.inspection {
            for file in shown {
                keep(&mut files, file);
            }
        }
        if let Some((token, of)) = run.tokens.get(&number) {
            let file = File::new(format!("{}/{}.jwt", facts.machine.folder, of.name()), token.clone().into_bytes());
            keep(&mut files, &file);
            *of.place(&mut client.tokens) = Some(file);
        }
        site.clients.push(client);
    }
    files.push(OutputFile { path: "site.toml".to_owned(), bytes: site.to_toml()?.into_bytes() });
    Ok(files)
}

/// Keeps a file that the site description names, once.
fn keep(files: &mut Vec<OutputFile>, file: &File) {
    if !files.iter().rev().take(40).any(|known| known.path == file.path) {
        files.push(OutputFile { path: file.path.clone(), bytes: file.bytes.to_vec() });
    }
}

/// What is collected on a client: what the CMG showed it, its join, and which lists it could fetch.
fn of_client(world: &World, client: &ClientFacts, random: &mut Random) -> Result<Vec<OutputFile>> {
    let folder = &client.machine.folder;
    let mut files = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| files.push(OutputFile { path: format!("{folder}/{name}"), bytes });
    if !client.inspected.at(world.end) {
        let chain: String = world.gateway.presents.at(world.end).chain.iter().map(Issued::pem).collect();
        add("presented/cmg.pem", chain.into_bytes());
    }
    let site = &world.site;
    let fetched: Vec<_> =
        [&site.list_url, &site.root_list_url].map(|url| json!({"url": url, "fetched": site.lists_are_public})).to_vec();
    add("crls/fetched.json", json!(fetched).to_string().into_bytes());
    let certificate = match client.join {
        Join::Registered => None,
        _ => Some(join_certificate(world, client, random)?),
    };
    if let Some(certificate) = &certificate {
        add("wpj.cer", certificate.pem().into_bytes());
    }
    add("dsregcmd.txt", dsregcmd(world, client, certificate.as_ref()).into_bytes());
    Ok(files)
}

fn join_certificate(world: &World, client: &ClientFacts, random: &mut Random) -> Result<Issued> {
    let from = world.start - random.between(20, 900) * DAY;
    let leaf = Leaf {
        name: &client.device_id,
        hosts: &[],
        usage: ExtendedKeyUsagePurpose::ClientAuth,
        from,
        to: from + 3_652 * DAY + 30 * MINUTE,
        list: None,
    };
    world.authorities.entra.issue(&leaf, random)
}

/// The output of `dsregcmd /status`, in the form that Microsoft's documentation shows.
fn dsregcmd(world: &World, client: &ClientFacts, certificate: Option<&Issued>) -> String {
    let yes = |flag: bool| if flag { "YES" } else { "NO" };
    let joined = certificate.is_some();
    let mut text = String::new();
    let mut section = |title: &str, fields: &[(&str, String)]| {
        let rule = format!("+{}+\r\n", "-".repeat(70));
        let _ = write!(text, "{rule}| {title:<69}|\r\n{rule}\r\n");
        for (name, value) in fields {
            let _ = write!(text, "{name:>26} : {value}\r\n");
        }
        text.push_str("\r\n");
    };
    section(
        "Device State",
        &[
            ("AzureAdJoined", yes(joined).to_owned()),
            ("EnterpriseJoined", "NO".to_owned()),
            ("DomainJoined", yes(client.join == Join::Hybrid).to_owned()),
            ("Device Name", client.machine.host.clone()),
        ],
    );
    let tenant = world.site.tenants.get(client.tenant).map(|tenant| tenant.id.clone()).unwrap_or_default();
    if let Some(certificate) = certificate {
        let validity = format!("[ {} UTC -- {} UTC ]", stamp(certificate.from), stamp(certificate.to));
        let healthy = *client.key_ok.at(world.end);
        section(
            "Device Details",
            &[
                ("DeviceId", client.device_id.clone()),
                ("Thumbprint", certificate.thumbprint()),
                ("DeviceCertificateValidity", validity),
                ("KeyProvider", "Microsoft Platform Crypto Provider".to_owned()),
                ("TpmProtected", "YES".to_owned()),
                ("DeviceAuthStatus", if healthy { "SUCCESS" } else { "FAILED. ERROR" }.to_owned()),
            ],
        );
        section("Tenant Details", &[("TenantName", world.site.organisation.clone()), ("TenantId", tenant.clone())]);
    }
    section("User State", &[("NgcSet", "NO".to_owned()), ("WorkplaceJoined", yes(!joined).to_owned())]);
    if !joined {
        section("Work Account 1", &[("WorkplaceTenantId", tenant)]);
    }
    let signed_in = client.user.as_ref().is_some_and(|user| user.entra);
    section("SSO State", &[("AzureAdPrt", yes(signed_in && joined).to_owned())]);
    text
}

/// `2019-01-11 21:02:50.000`.
fn stamp(at: Micros) -> String {
    crate::time::rfc3339(at).replace('T', " ").replace('Z', "")
}
