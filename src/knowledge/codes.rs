//! The codes of the knowledge, and what a code as written can mean: by component, and all its readings.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::builtin;
use super::code::{Code, Component, Value};
use super::table::{Entry, Mistakes, Placed, overlay, tables};
use super::written::{self, Number, Written};
use crate::error::{Error, Result};

/// Folder of the files that hold codes.
pub(super) const FOLDER: &str = "codes/";

/// All codes that are known.
///
/// ```
/// use cmgtrail::knowledge::{Codes, Component};
///
/// let readings = Codes::builtin().explain("0x80072F8F", None)?;
/// let names: Vec<_> = readings.iter().map(|reading| reading.code.name.as_str()).collect();
/// assert_eq!(names, ["ERROR_WINHTTP_SECURE_FAILURE", "ERROR_INTERNET_DECODING_FAILED"]);
///
/// let bits = Codes::builtin().explain("0x9", Some(Component::SecureFailure))?;
/// assert_eq!(bits.len(), 2);
/// # Ok::<(), cmgtrail::error::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Codes {
    codes: Vec<Arc<Code>>,
}

/// One thing that a code as written can mean.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The code.
    pub code: Arc<Code>,
    /// How what was written becomes this code, where it is not written like this itself: "0x80072F8F is the HRESULT of
    /// error 12175".
    pub how: Option<String>,
}

/// A reading as the command's JSON form has it.
#[derive(Debug, Serialize)]
pub struct ReadingForm<'r> {
    code: String,
    component: Component,
    name: &'r str,
    says: &'r str,
    means: &'r str,
    role: super::FailureRole,
    failures: &'r [String],
    how: Option<&'r str>,
    source: &'r str,
    rule: &'r str,
}

impl Reading {
    /// The form in which it is written as JSON.
    pub fn form(&self) -> ReadingForm<'_> {
        let code = &*self.code;
        ReadingForm {
            code: code.written(),
            component: code.component,
            name: &code.name,
            says: &code.says,
            means: &code.means,
            role: code.role,
            failures: &code.failures,
            how: self.how.as_deref(),
            source: &code.source,
            rule: &code.rule,
        }
    }
}

impl Codes {
    /// The codes that ship with the crate. They are read at the first call.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Codes> = OnceLock::new();
        // The files are part of the crate, and the test of `builtin_mistakes` holds them free of mistakes.
        BUILTIN.get_or_init(|| {
            let mut codes = Codes::default();
            for (_, text) in builtin::FILES.iter().filter(|(name, _)| name.starts_with(FOLDER)) {
                let mut mistakes = Mistakes::new(text);
                let mut found = tables(text, &["code"], &mut mistakes);
                for table in found.remove("code").unwrap_or_default() {
                    let read = Code::read(Entry::open(table, &mut mistakes), super::BUILTIN);
                    codes.codes.extend(read.map(Arc::new));
                }
            }
            codes
        })
    }

    /// All of them, in the order of their files.
    pub fn all(&self) -> &[Arc<Code>] {
        &self.codes
    }

    /// Lays codes over those known: the same id replaces.
    pub(super) fn lay_over(&mut self, codes: Vec<Placed<Code>>, mistakes: &mut Mistakes<'_>) {
        let codes = codes.into_iter().map(|(start, code)| (start, Arc::new(code))).collect();
        overlay(&mut self.codes, codes, |code| &code.id, mistakes);
    }

    /// The number of the code with this symbol.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.codes.iter().find(|code| code.name == name)?.number()
    }

    /// The codes of a component whose bits are set in a mask, lowest bit first.
    pub fn bits(&self, component: Component, mask: u32) -> Vec<&Arc<Code>> {
        let mut bits: Vec<&Arc<Code>> =
            self.of(component).filter(|code| code.number().is_some_and(|bit| mask & bit != 0)).collect();
        bits.sort_by_key(|code| code.number());
        bits
    }

    /// All that a code as written can mean, the likeliest first; nothing where it is not known. `component` narrows
    /// it, and asks for the bits of a mask where its codes are bits.
    ///
    /// Understood are hexadecimal numbers with and without `0x`, decimal ones, also negative, `500.19.126` of an IIS
    /// row, `AADSTS50020`, `IDX10223`, `MISE12034`, and symbols, also without what stands before them.
    ///
    /// # Errors
    /// [`Error::Argument`] for what is no code at all.
    pub fn explain(&self, code: &str, component: Option<Component>) -> Result<Vec<Reading>> {
        let written = written::read(code).ok_or_else(|| Error::Argument {
            argument: "code".to_owned(),
            expected: "a code such as 0x87D00231, -2016411087, 12175, 500.19.126, AADSTS50020 or CERT_E_CHAINING"
                .to_owned(),
            found: code.to_owned(),
        })?;
        let mut readings = match written {
            Written::Prefixed(prefix, number) => self.plain(prefix, number).collect(),
            Written::Status(parts) => self.status(&parts),
            Written::Symbol(symbol) => self.symbol(&symbol),
            Written::Numbers(numbers) => numbers.iter().flat_map(|number| self.readings(*number, component)).collect(),
        };
        readings.retain(|reading| component.is_none_or(|wanted| reading.code.component == wanted));
        readings
            .sort_by_key(|reading| Component::ALL.iter().position(|component| *component == reading.code.component));
        Ok(readings)
    }

    /// The likeliest reading of each code that stands in a text, in order. Codes are known by their digits: the words
    /// around them are those of the system's language.
    pub fn named_in(&self, text: &str) -> Vec<Reading> {
        let numbers = written::found_in(text).into_iter();
        numbers.filter_map(|number| self.readings(number, None).into_iter().next()).collect()
    }

    fn of(&self, component: Component) -> impl Iterator<Item = &Arc<Code>> {
        self.codes.iter().filter(move |code| code.component == component)
    }

    fn plain(&self, component: Component, number: u32) -> impl Iterator<Item = Reading> {
        let found = self.of(component).filter(move |code| code.number() == Some(number));
        found.map(|code| Reading { code: Arc::clone(code), how: None })
    }

    fn readings(&self, number: Number, component: Option<Component>) -> Vec<Reading> {
        if let Some(mask) = component.filter(|component| component.is_mask()) {
            return self.mask(mask, number.value);
        }
        let mut readings: Vec<Reading> = if number.value <= 0xFFFF && !number.hexadecimal {
            self.decimal(number.value)
        } else if number.value <= 0xFFFF {
            self.error(number.value, None)
        } else {
            self.hresult(number)
        };
        if readings.is_empty() && number.hexadecimal && component.is_none() {
            let masks = [Component::SecureFailure, Component::CertTrust].into_iter();
            readings = masks.flat_map(|mask| self.mask(mask, number.value)).collect();
        }
        readings
    }

    /// The bits of a mask; none where the mask has a bit that is not known.
    fn mask(&self, component: Component, mask: u32) -> Vec<Reading> {
        let bits = self.bits(component, mask);
        if bits.iter().filter_map(|code| code.number()).fold(0, |all, bit| all | bit) != mask {
            return Vec::new();
        }
        let several = bits.len() > 1;
        let how = |code: &Code| several.then(|| format!("bit {} of the mask 0x{mask:X}", code.written()));
        bits.into_iter().map(|code| Reading { code: Arc::clone(code), how: how(code) }).collect()
    }

    /// An error number of Windows, which three components count alike.
    fn error(&self, number: u32, how: Option<&str>) -> Vec<Reading> {
        let components = [Component::Winhttp, Component::Win32, Component::Wininet].into_iter();
        let found = components.flat_map(|component| self.plain(component, number));
        found.map(|reading| Reading { how: how.map(str::to_owned), ..reading }).collect()
    }

    fn decimal(&self, number: u32) -> Vec<Reading> {
        let mut readings = self.error(number, None);
        readings.extend(self.prefixed(number));
        readings.extend(self.iis(&number.to_string(), None));
        readings
    }

    fn prefixed(&self, number: u32) -> impl Iterator<Item = Reading> {
        [Component::Aadsts, Component::Idx, Component::Mise].into_iter().flat_map(move |component| {
            let how = format!("{number} is {}{number}", component.prefix());
            self.plain(component, number).map(move |reading| Reading { how: Some(how.clone()), ..reading })
        })
    }

    /// A number of more than 16 bits: an HRESULT or NTSTATUS, itself or what it wraps (`winerror.h`: `FACILITY_WIN32`
    /// is 7, `FACILITY_NT_BIT` is 0x10000000; `ntstatus.h`: `FACILITY_NTWIN32` is 7).
    fn hresult(&self, Number { value, hexadecimal }: Number) -> Vec<Reading> {
        const NT_BIT: u32 = 0x1000_0000;
        let components =
            [Component::Ccm, Component::Ntstatus, Component::Sspi, Component::Crypt, Component::Hresult].into_iter();
        let mut readings: Vec<Reading> = components.flat_map(|component| self.plain(component, value)).collect();
        let low = value & 0xFFFF;
        match value >> 16 {
            0x8007 => readings.extend(self.error(low, Some(&format!("0x{value:08X} is the HRESULT of error {low}")))),
            0xC007 | 0xD007 => {
                readings.extend(self.error(low, Some(&format!("0x{value:08X} wraps error {low} as an NTSTATUS"))));
            }
            _ => {}
        }
        if value >> 28 == 0xD {
            let status = value & !NT_BIT;
            let how = format!("0x{value:08X} is the HRESULT of NTSTATUS 0x{status:08X}");
            let found = self.plain(Component::Ntstatus, status);
            readings.extend(found.map(|reading| Reading { how: Some(how.clone()), ..reading }));
        }
        if !hexadecimal {
            readings.extend(self.prefixed(value));
        }
        readings
    }

    /// Status, substatus and Win32 status of an IIS row.
    fn status(&self, parts: &[u32]) -> Vec<Reading> {
        let [status, substatus, rest @ ..] = parts else { return Vec::new() };
        let whole = parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        let exact = format!("{status}.{substatus}");
        let of_whole = |part: &str| (part != whole).then(|| format!("{part} of {whole}"));
        let mut readings: Vec<Reading> = self.iis(&exact, of_whole(&exact).as_deref());
        if readings.is_empty() {
            let status = status.to_string();
            readings = self.iis(&status, of_whole(&status).as_deref());
        }
        for &win32 in rest.iter().filter(|win32| **win32 != 0) {
            let number = Number { value: win32, hexadecimal: true };
            let found = self.readings(number, Some(Component::Win32)).into_iter();
            let windows =
                found.filter(|found| !matches!(found.code.component, Component::Winhttp | Component::Wininet));
            readings.extend(windows.map(|reading| Reading { how: Some(win32_of(win32, &whole, &reading)), ..reading }));
        }
        readings
    }

    fn iis(&self, status: &str, how: Option<&str>) -> Vec<Reading> {
        let found =
            self.of(Component::Iis).filter(|code| matches!(&code.value, Value::Status(known) if known == status));
        found.map(|code| Reading { code: Arc::clone(code), how: how.map(str::to_owned) }).collect()
    }

    /// Codes of this symbol, or whose symbol ends in it.
    fn symbol(&self, symbol: &str) -> Vec<Reading> {
        let is_named = |code: &Arc<Code>| {
            let name = code.name.to_ascii_uppercase();
            name == symbol || name.strip_suffix(symbol).is_some_and(|before| before.ends_with('_'))
        };
        let found = self.codes.iter().filter(|code| is_named(code));
        found.map(|code| Reading { code: Arc::clone(code), how: None }).collect()
    }
}

fn win32_of(win32: u32, whole: &str, reading: &Reading) -> String {
    let mut how = format!("sc-win32-status {win32} of {whole}");
    if let Some(wrapped) = &reading.how {
        // A string takes whatever is written to it.
        let _ = write!(how, "; {wrapped}");
    }
    how
}
