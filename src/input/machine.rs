//! Which machine wrote a file, as its folder or its name tells.

use crate::stage::Role;

/// Leading words of a folder's name that say what the machine is. Data: nothing else knows them.
const ROLE_WORDS: &[(&str, Role)] = &[
    ("cloud-management-gateway", Role::Cmg),
    ("cmg-connection-point", Role::ConnectionPoint),
    ("cmgconnectionpoint", Role::ConnectionPoint),
    ("connection-point", Role::ConnectionPoint),
    ("connectionpoint", Role::ConnectionPoint),
    ("proxyconnector", Role::ConnectionPoint),
    ("connector", Role::ConnectionPoint),
    ("management-point", Role::ManagementPoint),
    ("managementpoint", Role::ManagementPoint),
    ("site-server", Role::SiteServer),
    ("siteserver", Role::SiteServer),
    ("primary", Role::SiteServer),
    ("client", Role::Client),
    ("site", Role::SiteServer),
    ("cmg", Role::Cmg),
    ("cp", Role::ConnectionPoint),
    ("mp", Role::ManagementPoint),
];

/// Folders that stand on every machine, and words for a collection of logs: no machine is called so.
const GENERIC: &[&str] = &[
    "archive",
    "c",
    "ccm",
    "ccmlogs",
    "ccmsetup",
    "client",
    "clients",
    "collected",
    "data",
    "drive_c",
    "export",
    "files",
    "iis",
    "inetpub",
    "log",
    "logfiles",
    "logs",
    "microsoft configuration manager",
    "program files",
    "program files (x86)",
    "servers",
    "sms",
    "sms_ccm",
    "temp",
    "tmp",
    "upload",
    "uploads",
    "windows",
    "windows_ccm",
];

/// Components and log names, in lower case, that one kind of machine writes (log catalogue, section 1.1). Those that
/// several kinds write are not here.
const COMPONENT_ROLES: &[(&str, Role)] = &[
    ("adaloperationprovider", Role::Client),
    ("adaloperationprov", Role::Client),
    ("ccmaad", Role::Client),
    ("ccmsetup", Role::Client),
    ("clientidmanagerstartup", Role::Client),
    ("clientlocation", Role::Client),
    ("comanagementhandler", Role::Client),
    ("datatransferservice", Role::Client),
    ("locationservices", Role::Client),
    ("tsmbootstrap", Role::Client),
    ("ccmmessaging", Role::Client),
    ("cmgservice", Role::Cmg),
    ("cmghttphandler", Role::Cmg),
    ("cmgcontentservice", Role::Cmg),
    ("cmgsetup", Role::Cmg),
    ("sms_cloud_proxyconnector", Role::ConnectionPoint),
    ("ccm_sts", Role::ManagementPoint),
    ("ccm_sts_managedbase", Role::ManagementPoint),
    ("clientauth", Role::ManagementPoint),
    ("ccmisapi", Role::ManagementPoint),
    ("mp_registrationmanager", Role::ManagementPoint),
    ("mp_location", Role::ManagementPoint),
    ("mp_clientidmanager", Role::ManagementPoint),
    ("mp_getauth", Role::ManagementPoint),
    ("mp_policymanager", Role::ManagementPoint),
    ("mpcontrol", Role::ManagementPoint),
    ("sms_mp_control_manager", Role::ManagementPoint),
    ("cloudmgr", Role::SiteServer),
    ("sms_cloud_services_manager", Role::SiteServer),
    ("sms_azuread_discovery_agent", Role::SiteServer),
    ("ddm", Role::SiteServer),
    ("sms_discovery_data_manager", Role::SiteServer),
    ("statesys", Role::SiteServer),
    ("sms_state_system", Role::SiteServer),
];

/// The kind of machine that writes a component's log, where only one does.
pub(crate) fn role_of_component(component: &str) -> Option<Role> {
    let name = component.to_ascii_lowercase();
    COMPONENT_ROLES.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
}

/// What the place of a file tells of its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub host: Option<String>,
    pub role: Option<Role>,
    /// What stands for the machine where its host is not known: the folder.
    pub key: String,
}

/// The machine of the file at `path` (relative, with `/`), from its folders, innermost first, then its name.
/// `above` is the name of the folder or zip given: it names a machine only by a leading role word, for people call the
/// folder of a case anything.
pub(crate) fn machine(path: &str, above: &str) -> Machine {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(instance) = cmg_instance(name) {
        return Machine { key: instance.to_lowercase(), host: Some(instance), role: Some(Role::Cmg) };
    }
    let mut role = None;
    for folder in folders.rsplit('/').filter(|folder| !folder.is_empty()) {
        let folder = strip_zip(folder);
        let (word, rest) = role_word(folder);
        role = role.or(word);
        // After a role word even a bare number is a machine's name.
        let is_name = !is_generic(rest) || (word.is_some() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if !rest.is_empty() && is_name {
            return Machine { key: rest.to_lowercase(), host: Some(rest.to_owned()), role };
        }
        // A plain role word may stand in the folder of a machine that has several roles.
    }
    if let (Some(word), name) = role_word(strip_zip(above))
        && is_machine_name(name)
    {
        return Machine { key: name.to_lowercase(), host: Some(name.to_owned()), role: role.or(Some(word)) };
    }
    // Folders that stand on every machine hold logs of one and the same.
    let own = folders.split('/').filter(|folder| !GENERIC.contains(&folder.to_ascii_lowercase().as_str()));
    Machine { host: None, role, key: format!("/{}", own.collect::<Vec<_>>().join("/").to_lowercase()) }
}

fn strip_zip(folder: &str) -> &str {
    match folder.len().checked_sub(4).and_then(|at| folder.split_at_checked(at)) {
        Some((stem, ".zip" | ".ZIP" | ".Zip")) => stem,
        _ => folder,
    }
}

/// A leading role word and the rest of the name: `client-PC042` is a client and `PC042`.
fn role_word(folder: &str) -> (Option<Role>, &str) {
    for (word, role) in ROLE_WORDS {
        let Some((head, rest)) = folder.split_at_checked(word.len()) else { continue };
        if !head.replace(['_', ' '], "-").eq_ignore_ascii_case(word) {
            continue;
        }
        if rest.is_empty() {
            return (Some(*role), "");
        }
        if let Some(name) = rest.strip_prefix(['-', '_', ' ', '.']) {
            return (Some(*role), name);
        }
    }
    (None, folder)
}

/// Longest name of a Windows machine.
const LONGEST_NAME: usize = 15;

/// True for what a machine may be called and an ordinary word is not: `PC042`, `pc042`, `ANNA`; not `root-missing`.
fn is_machine_name(name: &str) -> bool {
    let label = name.split('.').next().unwrap_or_default();
    (1..=LONGEST_NAME).contains(&label.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && label.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && !is_generic(name)
}

fn is_generic(folder: &str) -> bool {
    let name = folder.to_ascii_lowercase();
    let site = name.strip_prefix("w3svc").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    // A folder of a drive (`C$`) and a date are no machine either.
    let drive = name.len() == 2 && name.ends_with(['$', ':']);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let date = digits >= 6 && name.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.'));
    site || drive || date || GENERIC.contains(&name.as_str())
}

/// The role instance in the name of a log that the site copied from the gateway,
/// `CMG-{service}-{roleInstance}-CMGService.log`. Service names may hold dashes, instance names do not.
fn cmg_instance(name: &str) -> Option<String> {
    let stem = crate::input::rollover::stem(name);
    let rest = stem.split_at_checked(4).filter(|(head, _)| head.eq_ignore_ascii_case("CMG-"))?.1;
    let (rest, component) = rest.rsplit_once('-')?;
    role_of_component(component).filter(|role| *role == Role::Cmg)?;
    let (_, instance) = rest.rsplit_once('-')?;
    (!instance.is_empty()).then(|| instance.to_owned())
}
