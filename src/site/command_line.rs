//! The command line of ccmsetup: switches, properties, and what is wrong with it as a text.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entry::is_near;

/// Characters that the command line of the bootstrap MSI may have.
pub const LONGEST: usize = 1_024;

/// What is wrong with a command line as a text (failure catalogue, row B8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slip {
    /// More than 1,024 characters.
    TooLong,
    /// Quotes of a word processor.
    CurlyQuotes,
    /// A quote that is never closed.
    UnclosedQuote,
    /// A dash of a word processor before a switch.
    LongDash,
}

impl Slip {
    /// What is wrong, as a clause.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TooLong => "it has more than 1,024 characters",
            Self::CurlyQuotes => "it has curly quotes, which no command line understands",
            Self::UnclosedQuote => "a quote is opened and never closed",
            Self::LongDash => "a switch begins with a long dash instead of a hyphen",
        }
    }
}

/// Where `CCMHOSTNAME` sends a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CcmHostName {
    /// The gateway.
    pub host: String,
    /// The management point's role id on it; `None` where the path holds no number.
    pub role_id: Option<u64>,
}

/// A command line of ccmsetup, taken apart.
///
/// ```
/// use cmgtrail::site::CommandLine;
///
/// let line = CommandLine::parse(
///     "ccmsetup.exe /NoCRLCheck CCMHOSTNAME=cmg.contoso.com/CCM_Proxy_MutualAuth/72057594037927941 SMSSITECODE=PS1",
/// );
/// assert!(line.no_crl_check());
/// assert_eq!(line.ccm_host_name().and_then(|name| name.role_id), Some(72_057_594_037_927_941));
/// assert_eq!(line.property("smssitecode"), Some("PS1"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The text as told.
    pub text: String,
    /// Switches in lower case, with what stands after their colon.
    pub switches: BTreeMap<String, String>,
    /// Properties, their names in upper case; of one that is given several times, the last value.
    pub properties: BTreeMap<String, String>,
    /// Properties that are given several times with different values, and those values.
    pub repeated: BTreeMap<String, Vec<String>>,
    /// What is wrong with the text.
    pub slips: Vec<Slip>,
}

impl CommandLine {
    /// Takes a command line apart. Nothing is refused: what is wrong with it stands in `slips`.
    pub fn parse(text: &str) -> Self {
        let mut line = Self { text: text.to_owned(), ..Self::default() };
        if text.chars().count() > LONGEST {
            line.slips.push(Slip::TooLong);
        }
        if text.contains(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) {
            line.slips.push(Slip::CurlyQuotes);
        }
        if text.matches('"').count() % 2 == 1 {
            line.slips.push(Slip::UnclosedQuote);
        }
        for word in words(text) {
            if word.starts_with(['\u{2013}', '\u{2014}']) {
                line.slips.push(Slip::LongDash);
            }
            line.add(&word);
        }
        line.slips.dedup();
        line
    }

    fn add(&mut self, word: &str) {
        if let Some(switch) = word.strip_prefix(['/', '-']) {
            let (name, value) = switch.split_once(':').unwrap_or((switch, ""));
            self.switches.insert(name.to_ascii_lowercase(), value.to_owned());
        } else if let Some((name, value)) = word.split_once('=') {
            // The MSI's own property holds another command line.
            if name.eq_ignore_ascii_case("CCMSETUPCMD") {
                for word in words(value) {
                    self.add(&word);
                }
            } else if is_name(name) {
                self.add_property(name.to_ascii_uppercase(), value);
            }
        }
    }

    fn add_property(&mut self, name: String, value: &str) {
        let before = self.properties.insert(name.clone(), value.to_owned());
        if let Some(before) = before.filter(|before| !before.eq_ignore_ascii_case(value)) {
            self.repeated.entry(name).or_insert_with(|| vec![before]).push(value.to_owned());
        }
    }

    /// Words that no command line of ccmsetup has, as sentences: neither switch nor property, or one letter off a known
    /// one. What ccmsetup itself would trip over, stands in `slips`; a switch that is merely not known here may be one
    /// of another version.
    pub fn misspellings(text: &str) -> Vec<String> {
        // Where quotes are wrong, words are cut in wrong places.
        if !Self::parse(text).slips.is_empty() {
            return Vec::new();
        }
        let words = words(text);
        // All that comes before the program is its path, which may have spaces.
        let program = words.iter().rposition(|word| is_program(word)).map_or(0, |at| at + 1);
        let rest = words.get(program..).unwrap_or_default();
        // Switches of msiexec have their value behind them.
        let has_value = |at: usize| at > 0 && rest.get(at - 1).is_some_and(|before| is_of_msiexec(before));
        let told = rest.iter().enumerate().filter(|(at, _)| !has_value(*at)).map(|(_, word)| word.clone());
        let (told, mut found) = joined(told);
        for word in &told {
            found.extend(misspelling(word));
            // The MSI's own property holds another command line.
            let inner = word.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("CCMSETUPCMD"));
            found.extend(inner.map(|(_, line)| Self::misspellings(line)).unwrap_or_default());
        }
        found
    }

    /// What stands after a switch's colon, empty where it has none; `None` where the switch is not there.
    pub fn switch(&self, name: &str) -> Option<&str> {
        self.switches.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The value of a property, unless it is empty.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(&name.to_ascii_uppercase()).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `/NoCRLCheck`: ccmsetup checks no revocation list.
    pub fn no_crl_check(&self) -> bool {
        self.switch("NoCRLCheck").is_some()
    }

    /// `/UsePKICert`: a PKI certificate of the client's is taken where it has one.
    pub fn use_pki_certificate(&self) -> bool {
        self.switch("UsePKICert").is_some()
    }

    /// `/regtoken`: the bulk registration token.
    pub fn registration_token(&self) -> Option<&str> {
        self.switch("regtoken").filter(|token| !token.is_empty())
    }

    /// `CCMHOSTNAME`: the gateway, and the role id in its path.
    pub fn ccm_host_name(&self) -> Option<CcmHostName> {
        host_and_role(self.property("CCMHOSTNAME")?)
    }

    /// `/mp:`, from which ccmsetup takes its files.
    pub fn management_point(&self) -> Option<&str> {
        self.switch("mp").filter(|name| !name.is_empty())
    }

    /// What `/mp:` names, each as it is told.
    fn told_sources(&self) -> impl Iterator<Item = &str> {
        self.management_point().into_iter().flat_map(|told| told.split(';'))
    }

    /// The paths on a gateway that `/mp:` names without `https://`, with which one must begin.
    pub fn bare_sources(&self) -> impl Iterator<Item = &str> {
        let has_role = |told: &&str| host_and_role(told).is_some_and(|name| name.role_id.is_some());
        self.told_sources()
            .map(str::trim)
            .filter(has_role)
            .filter(|told| !told.to_ascii_lowercase().starts_with("https://"))
    }

    /// The hosts that `/mp:` names; they stand with semicolons between them.
    pub fn sources(&self) -> impl Iterator<Item = CcmHostName> {
        self.told_sources().filter_map(host_and_role)
    }

    /// `SMSSITECODE`: three characters, or `AUTO`.
    pub fn site_code(&self) -> Option<&str> {
        self.property("SMSSITECODE")
    }

    /// `AADRESOURCEURI`: what the client asks Entra a token for.
    pub fn resource_uri(&self) -> Option<&str> {
        self.property("AADRESOURCEURI")
    }

    /// `AADCLIENTAPPID`: the client app that it asks as.
    pub fn client_app(&self) -> Option<&str> {
        self.property("AADCLIENTAPPID")
    }

    /// `AADTENANTID`: the tenant that the client belongs to.
    pub fn tenant(&self) -> Option<&str> {
        self.property("AADTENANTID")
    }
}

/// Switches of ccmsetup (Microsoft Learn, "About client installation parameters and properties").
const SWITCHES: [&str; 18] = [
    "source",
    "retry",
    "noservice",
    "service",
    "uninstall",
    "logon",
    "forcereboot",
    "BITSPriority",
    "downloadtimeout",
    "UsePKICert",
    "NoCRLCheck",
    "config",
    "skipprereq",
    "forceinstall",
    "ExcludeFeatures",
    "AlwaysExcludeUpgrade",
    "AllowMetered",
    "regtoken",
];
/// Properties that a prediction looks at, and those that are easily taken for them.
const PROPERTIES: [&str; 9] = [
    "CCMHOSTNAME",
    "SMSSITECODE",
    "SMSMP",
    "SMSMPLIST",
    "CCMSETUPCMD",
    "AADTENANTID",
    "AADTENANTNAME",
    "AADCLIENTAPPID",
    "AADRESOURCEURI",
];

fn is_program(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let name = word.rsplit(['\\', '/']).next().unwrap_or(&word);
    [".exe", ".msi", ".cmd", ".bat"].iter().any(|ending| name.ends_with(ending))
        || name == "ccmsetup"
        || name == "msiexec"
}

/// A switch without a value that ccmsetup does not know.
fn is_of_msiexec(word: &str) -> bool {
    let known = |name: &str| SWITCHES.iter().any(|known| is_near(&known.to_ascii_lowercase(), name));
    word.strip_prefix(['/', '-']).is_some_and(|name| !name.contains(':') && !known(name))
}

fn misspelling(word: &str) -> Option<String> {
    let near = |known: &[&'static str], found: &str| -> Option<&'static str> {
        let is = |known: &&&str| found.eq_ignore_ascii_case(known);
        let close = |known: &&&str| is_near(&known.to_ascii_lowercase(), found);
        if known.iter().any(|known| is(&known)) { None } else { known.iter().find(close).copied() }
    };
    if let Some(switch) = word.strip_prefix(['/', '-']) {
        let name = switch.split_once(':').map_or(switch, |(name, _)| name);
        let meant = near(&SWITCHES, name).filter(|meant| meant.len() > 4)?;
        return Some(format!("unknown switch '/{name}'; did you mean '/{meant}'?"));
    }
    match word.split_once('=') {
        Some((name, _)) => {
            let meant = near(&PROPERTIES, name).filter(|meant| meant.len() > 5)?;
            Some(format!("unknown property '{name}'; did you mean '{meant}'?"))
        }
        None => Some(format!(
            "expected switches such as '/NoCRLCheck' and properties such as 'SMSSITECODE=PS1', found '{word}'"
        )),
    }
}

/// Words with those put together that a blank divides: 'NAME = value', 'NAME= value' or '/mp: value', each a mistake, told
/// as a sentence. The value must follow the '=' or the colon at once (Microsoft Learn, as above). A property may be left
/// empty, as the vendor's examples leave some, so that what follows must be no property or switch itself.
fn joined(words: impl Iterator<Item = String>) -> (Vec<String>, Vec<String>) {
    let is_named = |word: &str| {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        word.starts_with(['/', '-']) || is_name(name)
    };
    let mut whole: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let waits = |word: &str| {
            let switch = word.strip_prefix('/').and_then(|word| word.strip_suffix(':'));
            switch.or(word.strip_suffix('=')).is_some_and(is_name)
        };
        let mut put_together = word.clone();
        if is_name(&word) && words.peek().is_some_and(|next| next.starts_with('=')) {
            put_together.extend(words.next());
        }
        if waits(&put_together) && words.peek().is_some_and(|next| !is_named(next)) {
            put_together.extend(words.next());
        }
        if put_together != word {
            let sign = if put_together.starts_with('/') { ':' } else { '=' };
            let name = put_together.split(sign).next().unwrap_or_default();
            found.push(format!("a blank stands beside the '{sign}' of '{name}'; write '{put_together}', without any"));
        }
        whole.push(put_together);
    }
    (whole, found)
}

/// Whether this may be the name of a property.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Host and role id of `https://{cmg}/CCM_Proxy_MutualAuth/{role id}`, with or without its scheme.
pub fn host_and_role(address: &str) -> Option<CcmHostName> {
    let address = address.trim().trim_matches('"');
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let mut parts = path.split('/');
    let is_proxy = parts.next().is_some_and(|part| part.to_ascii_lowercase().starts_with("ccm_proxy_"));
    let role_id = parts.next().filter(|_| is_proxy).and_then(|number| number.parse().ok());
    (!host.is_empty()).then_some(CcmHostName { host, role_id })
}

/// The words of a command line: split at white space outside quotes, quotes taken off.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            _ if character.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

impl Serialize for CommandLine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_a_value_together() {
        let line = CommandLine::parse(
            r#"ccmsetup.exe /source:"C:\my files" /mp:https://CMG.contoso.com/CCM_Proxy_MutualAuth/9 SMSMP="mp one""#,
        );
        assert_eq!(line.switch("source"), Some(r"C:\my files"));
        assert_eq!(line.property("smsmp"), Some("mp one"));
        let found = host_and_role(line.management_point().unwrap_or_default());
        assert_eq!(found, Some(CcmHostName { host: "cmg.contoso.com".to_owned(), role_id: Some(9) }));
        assert!(line.slips.is_empty());
    }

    #[test]
    fn what_is_wrong_with_the_text_is_told() {
        assert_eq!(CommandLine::parse("SMSSITECODE=\u{201c}PS1\u{201d}").slips, [Slip::CurlyQuotes]);
        assert_eq!(CommandLine::parse("SMSSITECODE=\"PS1").slips, [Slip::UnclosedQuote]);
        assert_eq!(CommandLine::parse("\u{2013}mp:mp1 SMSSITECODE=PS1").slips, [Slip::LongDash]);
        assert_eq!(CommandLine::parse(&"x".repeat(1_025)).slips, [Slip::TooLong]);
        assert!(CommandLine::parse(&"x".repeat(1_024)).slips.is_empty());
    }

    #[test]
    fn what_is_given_twice_is_told() {
        let line = CommandLine::parse("ccmsetup.exe SMSSITECODE=PS1 smssitecode=PS2 SMSMP=mp01 SMSMP=MP01");
        assert_eq!(line.site_code(), Some("PS2"));
        assert_eq!(line.repeated.len(), 1);
        assert_eq!(line.repeated["SMSSITECODE"], ["PS1", "PS2"]);
    }

    #[test]
    fn the_command_line_inside_the_msi_property_counts() {
        let line = CommandLine::parse("msiexec /i ccmsetup.msi CCMSETUPCMD=\"/NoCRLCheck SMSSITECODE=PS1\"");
        assert!(line.no_crl_check());
        assert_eq!(line.property("SMSSITECODE"), Some("PS1"));
    }
}
