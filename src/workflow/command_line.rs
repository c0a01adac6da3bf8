//! The command line of ccmsetup: whether it is understood, and whether it says what the site is (Microsoft Learn, "About
//! client installation parameters and properties").

use super::decision::{Cause, Ruling, Words};
use crate::site::{Client, CommandLine, Site};

/// The failure of a command line that says something else than it must.
const MALFORMED: &str = "bootstrap-command-malformed";

const WRONG_SITE: Words = Words {
    title: "The command line does not assign the client to this site",
    explanation: "The client is installed, and what SMSSITECODE says decides the site that it turns to afterwards. With \
                  the code of another site, or with AUTO, which needs Active Directory or a management point of the own \
                  network, a client on the internet does not get to this site.",
    remedy: Some("Give SMSSITECODE once, with the three characters of the site whose CMG CCMHOSTNAME names."),
};

const WRONG_SOURCE: Words = Words {
    title: "The command line sends ccmsetup for its files to a host that is not the CMG",
    explanation: "ccmsetup takes its files from where /mp: says. A management point of the own network cannot be reached \
                  from the internet, and a CMG that is gone by nobody: ccmsetup tries in vain, or for hours, before it \
                  goes another way, if it has one.",
    remedy: Some(
        "Let /mp: name the CMG as CCMHOSTNAME does (https://{CMG}/CCM_Proxy_MutualAuth/{role id}), or leave it out.",
    ),
};

const TWICE: Words = Words {
    title: "The command line gives a property twice, with different values",
    explanation: "Which of two values ccmsetup takes is not documented. The other one may be meant for another site or \
                  another CMG.",
    remedy: Some("Give every property once."),
};

const ANOTHER_TENANT: Words = Words {
    title: "The command line names another tenant than the device's own",
    explanation: "AADTENANTID is to name the tenant that the device is joined to. What comes of another one that is \
                  onboarded as well is not documented; the device's token names its own.",
    remedy: Some("Take the tenant's id from 'dsregcmd /status' of the device, or leave AADTENANTID out."),
};

const WRONG_TENANT: Words = Words {
    title: "The command line names a tenant that is not onboarded to the site",
    explanation: "AADTENANTID is to name the tenant of the device, which is onboarded to the site for cloud management. A \
                  token of another tenant is refused.",
    remedy: Some(
        "Take the tenant's id from 'dsregcmd /status' of a device that works, or leave AADTENANTID, AADCLIENTAPPID \
             and AADRESOURCEURI out: the CMG supplies them. Where the tenant is the right one, onboard it.",
    ),
};

/// Whether ccmsetup understands its command line, and what in it does not fit the site.
pub fn command_line(site: &Site, client: &Client) -> Ruling {
    let Some(line) = &client.ccmsetup else { return Ruling::not_known("the command line of ccmsetup") };
    let mut ruling = Ruling::default();
    for slip in &line.slips {
        let why = format!("The command line of ccmsetup cannot be understood: {}.", slip.words());
        ruling.add_cause(Cause::certain(MALFORMED, why));
    }
    if line.management_point().is_some() && line.ccm_host_name().is_some() && line.registration_token().is_some() {
        // One report says that it fails, and why is not documented; the vendor's own example has all three.
        let why =
            "The command line has /mp: beside CCMHOSTNAME and /regtoken, with which an installation was seen to fail.";
        ruling.warnings.push(Cause::possible("mp-switch-with-ccmhostname", why));
    }
    // Where quotes are wrong, words are cut in wrong places.
    if line.slips.is_empty() {
        let noted = [source(site, line), assignment(site, line), twice(line), tenant(site, client, line)];
        ruling.warnings.extend(noted.into_iter().flatten());
    }
    ruling
}

/// `/mp:` of another host than the gateway.
fn source(site: &Site, line: &CommandLine) -> Option<Cause> {
    if site.cmg.names.is_empty() {
        return None;
    }
    let other = line.sources().find(|told| !site.cmg.has_name(&told.host))?;
    let host = &other.host;
    let why = match other.role_id {
        Some(_) => format!("/mp: names the CMG {host}, and the site's CMG is {}.", site.cmg.names.join(", ")),
        None if site.management_point(host).is_some() => {
            format!("/mp: names the management point {host}, which only the own network reaches.")
        }
        None => format!("/mp: names {host}, which is not the site's CMG."),
    };
    Some(Cause::possible("wrong-ccmhostname", why).in_words(Some(&WRONG_SOURCE)))
}

/// The site that the client is assigned to.
fn assignment(site: &Site, line: &CommandLine) -> Option<Cause> {
    let code = line.site_code().filter(|_| !line.repeated.contains_key("SMSSITECODE"))?;
    let cause = if code.eq_ignore_ascii_case("AUTO") {
        line.ccm_host_name()?;
        let why = "SMSSITECODE=AUTO stands beside CCMHOSTNAME; the vendor says to name the site there.";
        Cause::likely(MALFORMED, why)
    } else if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Cause::likely(MALFORMED, format!("SMSSITECODE={code} is no site code: it has three letters or digits."))
    } else {
        let own = site.options.code.as_ref().filter(|own| !own.eq_ignore_ascii_case(code))?;
        Cause::possible(MALFORMED, format!("SMSSITECODE={code} names another site than {own}."))
    };
    Some(cause.in_words(Some(&WRONG_SITE)))
}

/// Properties that are given twice.
fn twice(line: &CommandLine) -> Option<Cause> {
    let told = |(name, values): (&String, &Vec<String>)| format!("{name} is given as {}", values.join(" and as "));
    let told: Vec<String> = line.repeated.iter().map(told).collect();
    let cause = || Cause::possible(MALFORMED, format!("{}.", told.join("; ")));
    (!told.is_empty()).then(|| cause().in_words(Some(&TWICE)))
}

/// `AADTENANTID` of another tenant than the device's own, which is told elsewhere. Where the site knows that tenant as
/// well, the vendor does not say what comes of it.
fn tenant(site: &Site, client: &Client, line: &CommandLine) -> Option<Cause> {
    let told = line.tenant()?.trim_matches(['{', '}']);
    let onboarded = site.tenants.as_ref()?;
    let own = super::entra::tenant_of(client).filter(|own| !own.eq_ignore_ascii_case(told))?;
    let is_known = onboarded.iter().any(|tenant| tenant.id.eq_ignore_ascii_case(told));
    let failure = "tenant-not-onboarded";
    Some(if is_known {
        let why = format!("AADTENANTID={told} is onboarded to this site; the device belongs to {own}.");
        Cause::possible(failure, why).in_words(Some(&ANOTHER_TENANT))
    } else {
        let why = format!("AADTENANTID={told} is not onboarded to this site; the device belongs to {own}.");
        Cause::likely(failure, why).in_words(Some(&WRONG_TENANT))
    })
}
