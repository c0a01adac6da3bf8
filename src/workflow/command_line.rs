//! The command line of ccmsetup: whether it is understood, and whether it says what the site is (Microsoft Learn, "About
//! client installation parameters and properties").

use super::decision::{Cause, Ruling, Words};
use crate::site::{Client, CommandLine, JoinState, Site};

/// The failure of a command line that says something else than it must.
const MALFORMED: &str = "bootstrap-command-malformed";

const WRONG_SITE: Words = Words {
    title: "The command line does not assign the client to this site",
    explanation: "The client is installed, and what SMSSITECODE says decides the site that it turns to afterwards. With \
                  the code of another site, or with AUTO, which needs Active Directory or a management point of the own \
                  network, a client on the internet does not get to this site.",
    remedy: Some("Give SMSSITECODE once, with the three characters of the site whose CMG CCMHOSTNAME names."),
    verify: None,
};

const WRONG_SOURCE: Words = Words {
    title: "The command line sends ccmsetup for its files to a host that is not the CMG",
    explanation: "ccmsetup takes its files from where /mp: says. A management point of the own network cannot be reached \
                  from the internet, and a CMG that is gone by nobody: ccmsetup tries in vain, or for hours, before it \
                  goes another way, if it has one.",
    remedy: Some(
        "Let /mp: name the CMG as CCMHOSTNAME does (https://{CMG}/CCM_Proxy_MutualAuth/{role id}), or leave it out.",
    ),
    verify: None,
};

const TWICE: Words = Words {
    title: "The command line gives a property twice, with different values",
    explanation: "Which of two values ccmsetup takes is not documented. The other one may be meant for another site or \
                  another CMG.",
    remedy: Some("Give every property once."),
    verify: None,
};

const ANOTHER_TENANT: Words = Words {
    title: "The command line names another tenant than the device's own",
    explanation: "AADTENANTID is to name the tenant that the device is joined to. What comes of another one that is \
                  onboarded as well is not documented; the device's token names its own.",
    remedy: Some("Take the tenant's id from 'dsregcmd /status' of the device, or leave AADTENANTID out."),
    verify: None,
};

const WRONG_TENANT: Words = Words {
    title: "The command line names a tenant that is not onboarded to the site",
    explanation: "AADTENANTID is to name the tenant of the device, which is onboarded to the site for cloud management. A \
                  token of another tenant is refused.",
    remedy: Some(
        "Take the tenant's id from 'dsregcmd /status' of a device that works, or leave AADTENANTID, AADCLIENTAPPID \
             and AADRESOURCEURI out: the CMG supplies them. Where the tenant is the right one, onboard it.",
    ),
    verify: None,
};

const PREFIXED: Words = Words {
    title: "CCMHOSTNAME has a prefix that it must not have",
    explanation: "The address of a CMG stands in CCMHOSTNAME as a client reports it, without 'https://'. What comes of one \
                  with the prefix is not documented.",
    remedy: Some("Leave the prefix out: CCMHOSTNAME={CMG}/CCM_Proxy_MutualAuth/{role id}. Only /mp: has it."),
    verify: None,
};

const BARE: Words = Words {
    title: "/mp: names the CMG without https://",
    explanation: "The address of a CMG in /mp: must begin with 'https://'. Without it ccmsetup takes it for the name of a \
                  management point, and finds none to take its files from.",
    remedy: Some(
        "Let /mp: name the CMG as https://{CMG}/CCM_Proxy_MutualAuth/{role id}, or leave it out where CCMHOSTNAME \
             names it.",
    ),
    verify: None,
};

const NO_CERTIFICATE_ASKED: Words = Words {
    title: "The command line does not tell ccmsetup to use the client's PKI certificate",
    explanation: "Nothing but its PKI certificate proves who the client is, and /UsePKICert is not on the command line. \
                  The vendor says in one place that ccmsetup then leaves out every HTTPS management point and the CMG, \
                  and in another that it takes a valid certificate where Entra gives no token.",
    remedy: Some("Add /UsePKICert, unless Entra or a registration token is to prove who the client is."),
    verify: None,
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
        let noted = [
            source(site, line),
            bare_source(line),
            prefix(line),
            certificate(client, line),
            assignment(site, line),
            twice(line),
            tenant(site, client, line),
        ];
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

/// A gateway in `/mp:` that is not told as an address.
fn bare_source(line: &CommandLine) -> Option<Cause> {
    let bare = line.bare_sources().next()?;
    let why = format!("/mp: has '{bare}', and the address of a CMG must begin there with https://.");
    Some(Cause::likely("wrong-ccmhostname", why).in_words(Some(&BARE)))
}

/// A gateway in `CCMHOSTNAME` that is told as an address. `CCM_Proxy_ServerAuth` in its path, in the place of
/// `CCM_Proxy_MutualAuth`, is no mistake: the vendor's first examples for Entra have it, and clients take either.
fn prefix(line: &CommandLine) -> Option<Cause> {
    let (prefix, _) = line.property("CCMHOSTNAME")?.trim().split_once("://")?;
    let why = format!("CCMHOSTNAME begins with {prefix}://; the vendor says to give the CMG there without a prefix.");
    Some(Cause::possible("wrong-ccmhostname", why).in_words(Some(&PREFIXED)))
}

/// A certificate that nobody tells ccmsetup to use, where nothing else proves the client. Properties that select one
/// (CCMCERTSEL, CCMCERTISSUERS, CCMFIRSTCERT, CCMCERTSTORE) hold for the installed client, too: that they need the switch
/// is not documented.
fn certificate(client: &Client, line: &CommandLine) -> Option<Cause> {
    const SELECTING: [&str; 4] = ["CCMCERTSEL", "CCMCERTISSUERS", "CCMFIRSTCERT", "CCMCERTSTORE"];
    let by_certificate = client.pki_file().is_some() && client.registration_token().is_none();
    let is_joined = client.join.is_some_and(JoinState::is_to_entra) || client.joined_by_dsregcmd() == Some(true);
    let may_be_joined = is_joined || client.wpj_certificate.as_ref().is_some_and(|held| held.file().is_some());
    if !by_certificate || line.use_pki_certificate() || may_be_joined || !names_a_gateway(line) {
        return None;
    }
    let selecting: Vec<&str> = SELECTING.into_iter().filter(|name| line.property(name).is_some()).collect();
    let although = match selecting.as_slice() {
        [] => String::new(),
        names => format!(", although it has {}", names.join(" and ")),
    };
    let why = format!("The client has a PKI certificate, and its command line has no /UsePKICert{although}.");
    Some(Cause::possible(MALFORMED, why).in_words(Some(&NO_CERTIFICATE_ASKED)))
}

fn names_a_gateway(line: &CommandLine) -> bool {
    line.ccm_host_name().is_some() || line.sources().any(|source| source.role_id.is_some())
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
