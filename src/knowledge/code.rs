//! Codes: what a number that a log line ends with means, by the component that says it.

use serde::{Deserialize, Serialize};

use super::failure::FailureRole;
use super::table::Entry;

/// Whose number a code is. The same number means different things in different components: 12175 is `WinHTTP`'s secure
/// failure and `WinINet`'s decoding failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The HTTP library of the Configuration Manager client.
    Winhttp,
    /// Configuration Manager's client: HRESULTs 0x87D0xxxx.
    Ccm,
    /// Windows.
    Win32,
    /// The Windows kernel.
    Ntstatus,
    /// `SChannel` and the other security providers: HRESULTs `SEC_E_*`.
    Sspi,
    /// Certificates, keys and trust: HRESULTs `CRYPT_E_*`, `CERT_E_*`, `TRUST_E_*`, `NTE_*`.
    Crypt,
    /// HRESULTs of no other component.
    Hresult,
    /// HTTP status and substatus as IIS logs them.
    Iis,
    /// The Entra token service.
    Aadsts,
    /// Microsoft.IdentityModel, which checks tokens.
    Idx,
    /// MISE, which checks tokens on a management point from version 2603 on.
    Mise,
    /// Another HTTP library of Windows, which the client does not use for its requests.
    Wininet,
    /// Bits of `WinHTTP`'s secure-failure callback.
    SecureFailure,
    /// Bits of a certificate chain's error status.
    CertTrust,
}

impl Component {
    /// All of them, the likeliest to be meant in a client's log first.
    pub const ALL: [Self; 14] = [
        Self::Winhttp,
        Self::Ccm,
        Self::Win32,
        Self::Ntstatus,
        Self::Sspi,
        Self::Crypt,
        Self::Hresult,
        Self::Iis,
        Self::Aadsts,
        Self::Idx,
        Self::Mise,
        Self::Wininet,
        Self::SecureFailure,
        Self::CertTrust,
    ];

    /// Its id in knowledge files and on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Winhttp => "winhttp",
            Self::Ccm => "ccm",
            Self::Win32 => "win32",
            Self::Ntstatus => "ntstatus",
            Self::Sspi => "sspi",
            Self::Crypt => "crypt",
            Self::Hresult => "hresult",
            Self::Iis => "iis",
            Self::Aadsts => "aadsts",
            Self::Idx => "idx",
            Self::Mise => "mise",
            Self::Wininet => "wininet",
            Self::SecureFailure => "secure-failure",
            Self::CertTrust => "cert-trust",
        }
    }

    /// The component with this id, whatever its letter case.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|component| component.id().eq_ignore_ascii_case(id))
    }

    /// True where its codes are bits of a mask.
    pub const fn is_mask(self) -> bool {
        matches!(self, Self::SecureFailure | Self::CertTrust)
    }

    /// What stands before the number where the component writes its codes with a prefix.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Aadsts => "AADSTS",
            Self::Idx => "IDX",
            Self::Mise => "MISE",
            _ => "",
        }
    }

    /// True where its codes are HRESULTs or the like, written in hexadecimal.
    const fn is_hexadecimal(self) -> bool {
        matches!(self, Self::Ccm | Self::Ntstatus | Self::Sspi | Self::Crypt | Self::Hresult)
    }
}

/// A code as a component defines it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(u32),
    /// Status, or status and substatus with a dot between.
    Status(String),
}

/// A code of the knowledge.
#[derive(Debug, Clone)]
pub struct Code {
    /// Kebab-case id.
    pub id: String,
    /// Whose it is.
    pub component: Component,
    /// The code.
    pub value: Value,
    /// Its symbol, or, where no symbol is public, its words.
    pub name: String,
    /// What it says, in a plain sentence.
    pub says: String,
    /// What that means for a client that goes through a gateway.
    pub means: String,
    /// A cause names what is wrong; a symptom only says that something is; a benign code says that nothing is.
    pub role: FailureRole,
    /// Failures that it points to.
    pub failures: Vec<String>,
    /// Header, document or table that it is known from.
    pub source: String,
    /// "builtin", or the user's file that it comes from.
    pub rule: String,
}

impl Code {
    /// Reads an entry of a knowledge file.
    pub(super) fn read(mut entry: Entry<'_, '_, '_>, rule: &str) -> Option<Self> {
        let component = entry.required("component").unwrap_or(Component::Win32);
        let value = entry.required("code").unwrap_or(Value::Number(0));
        if matches!(value, Value::Status(_)) != (component == Component::Iis) {
            entry.mistake("code", "'code' is text for the component iis (\"403.7\"), and a number for every other");
        }
        let code = Self {
            id: entry.id.clone(),
            component,
            value,
            name: entry.words("name"),
            says: entry.words("says"),
            means: entry.words("means"),
            role: entry.required("role").unwrap_or(FailureRole::Symptom),
            failures: entry.value("failures").unwrap_or_default(),
            source: entry.words("source"),
            rule: rule.to_owned(),
        };
        entry.close().then_some(code)
    }

    /// Its number, if it is one.
    pub const fn number(&self) -> Option<u32> {
        match self.value {
            Value::Number(number) => Some(number),
            Value::Status(_) => None,
        }
    }

    /// Its name without what all names of its component begin with: `INVALID_CA`.
    pub fn short_name(&self) -> &str {
        let beginning = match self.component {
            Component::SecureFailure => "WINHTTP_CALLBACK_STATUS_FLAG_",
            Component::CertTrust => "CERT_TRUST_",
            _ => "",
        };
        self.name.strip_prefix(beginning).unwrap_or(&self.name)
    }

    /// The code as its component writes it: `12175`, `0x87D00231`, `403.7`, `AADSTS50020`, `0x8`.
    pub fn written(&self) -> String {
        match &self.value {
            Value::Status(status) => status.clone(),
            Value::Number(number) if self.component.is_hexadecimal() => format!("0x{number:08X}"),
            Value::Number(number) if self.component.is_mask() => format!("0x{number:X}"),
            Value::Number(number) => format!("{}{number}", self.component.prefix()),
        }
    }
}
