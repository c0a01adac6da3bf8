//! Certificates, chains, and what a device says of its join.

use pyo3::prelude::*;
use pyo3::types::PyDateTime;
use serde_json::json;

use super::conversions::{count, datetime, display, instant, to_dict};
use super::materials::{OUTPUT, PEM, revocation_lists, sources, texts, token};
use super::reading::watched;
use super::report::{Phases, Report};
use crate::certs::dsregcmd::{self, Beside, DeviceStatus};
use crate::certs::{self, ChainRequest, Profile, Purpose, Revocation, Source, Stop, Vantage};
use crate::engine::Progress;
use crate::error::{Error, Result};
use crate::tokens::without_tokens;

/// Bytes of input up to which work is over before anybody could press Ctrl-C. More is done on a thread of its own,
/// which a short piece of work would pay dearly for.
const SMALL: usize = 64 << 10;

/// Reads certificates and revocation lists and says what they hold.
#[pyfunction]
pub(super) fn inspect_certificate(py: Python<'_>, certificates: &Bound<'_, PyAny>) -> PyResult<Report> {
    let given = sources("certificates", certificates, PEM)?;
    done(py, size(&given), move |_| Ok(Report::new(certs::inspect_certificate(&given))))
}

/// Checks a chain; every check is in the report.
#[pyfunction]
#[pyo3(signature = (presented, *, roots, intermediates = None, crls = None, host = None, purpose = "server", at,
                    profile = "windows", vantage = "internet", revocation = None, max_depth = None, disallowed = None,
                    root_update = true, internal_suffixes = None))]
#[allow(clippy::too_many_arguments)] // the contract's
pub(super) fn validate_chain(
    py: Python<'_>,
    presented: &Bound<'_, PyAny>,
    roots: &Bound<'_, PyAny>,
    intermediates: Option<&Bound<'_, PyAny>>,
    crls: Option<&Bound<'_, PyAny>>,
    host: Option<String>,
    purpose: &str,
    at: &Bound<'_, PyAny>,
    profile: &str,
    vantage: &str,
    revocation: Option<&str>,
    max_depth: Option<i64>,
    disallowed: Option<&Bound<'_, PyAny>>,
    root_update: bool,
    internal_suffixes: Option<&Bound<'_, PyAny>>,
) -> PyResult<Report> {
    let request = ChainRequest {
        intermediates: listed("intermediates", intermediates)?,
        disallowed: listed("disallowed", disallowed)?,
        crls: crls.map(|crls| revocation_lists("crls", crls)).transpose()?.unwrap_or_default(),
        host: host_name(host)?,
        purpose: word("purpose", purpose, &PURPOSES)?,
        profile: word("profile", profile, &PROFILES)?,
        vantage: word("vantage", vantage, &VANTAGES)?,
        internal_suffixes: texts("internal_suffixes", internal_suffixes)?,
        revocation: revocation.map(|text| word("revocation", text, &REVOCATIONS)).transpose()?,
        max_depth: max_depth.map(|depth| count("max_depth", depth)).transpose()?,
        root_update,
        ..asked(presented, roots, at)?
    };
    done(py, weight(&request), move |stop| certs::validate_chain_until(&request, stop).map(Report::new))
}

/// Checks a chain twice: for the bootstrap, and for the time after the client has taken the site's settings.
#[pyfunction]
#[pyo3(signature = (presented, *, roots, intermediates = None, crls = None, host = None, purpose = "server", at,
                    profile = "windows", vantage = "internet", max_depth = None, disallowed = None, root_update = true,
                    internal_suffixes = None, no_crl_check = true, site_checks_crl = true))]
#[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)] // those of a chain, and the two settings
pub(super) fn compare_phases(
    py: Python<'_>,
    presented: &Bound<'_, PyAny>,
    roots: &Bound<'_, PyAny>,
    intermediates: Option<&Bound<'_, PyAny>>,
    crls: Option<&Bound<'_, PyAny>>,
    host: Option<String>,
    purpose: &str,
    at: &Bound<'_, PyAny>,
    profile: &str,
    vantage: &str,
    max_depth: Option<i64>,
    disallowed: Option<&Bound<'_, PyAny>>,
    root_update: bool,
    internal_suffixes: Option<&Bound<'_, PyAny>>,
    no_crl_check: bool,
    site_checks_crl: bool,
) -> PyResult<Phases> {
    let request = ChainRequest {
        intermediates: listed("intermediates", intermediates)?,
        disallowed: listed("disallowed", disallowed)?,
        crls: crls.map(|crls| revocation_lists("crls", crls)).transpose()?.unwrap_or_default(),
        host: host_name(host)?,
        purpose: word("purpose", purpose, &PURPOSES)?,
        profile: word("profile", profile, &PROFILES)?,
        vantage: word("vantage", vantage, &VANTAGES)?,
        internal_suffixes: texts("internal_suffixes", internal_suffixes)?,
        max_depth: max_depth.map(|depth| count("max_depth", depth)).transpose()?,
        root_update,
        ..asked(presented, roots, at)?
    };
    done(py, weight(&request), move |stop| {
        certs::compare_phases_until(&request, no_crl_check, site_checks_crl, stop).map(Phases::new)
    })
}

/// A blank host would fail every name without a word of why.
fn host_name(host: Option<String>) -> PyResult<Option<String>> {
    match host {
        Some(blank) if blank.trim().is_empty() => Err(Error::Argument {
            argument: "host".to_owned(),
            expected: "the name of a host; leave it out where names are not to be checked".to_owned(),
            found: "an empty text".to_owned(),
        }
        .into()),
        host => Ok(host),
    }
}

/// Reads the output of `dsregcmd /status`.
#[pyfunction]
pub(super) fn read_dsregcmd(output: &Bound<'_, PyAny>) -> PyResult<DsregcmdStatus> {
    Ok(DsregcmdStatus(DeviceStatus::read(&output_of(output)?)))
}

/// Checks what a device says of its join, also against its certificate and a token.
#[pyfunction]
#[pyo3(signature = (output, *, certificates = None, token = None, at = None))]
pub(super) fn validate_dsregcmd(
    py: Python<'_>,
    output: &Bound<'_, PyAny>,
    certificates: Option<&Bound<'_, PyAny>>,
    token: Option<&Bound<'_, PyAny>>,
    at: Option<&Bound<'_, PyAny>>,
) -> PyResult<Report> {
    let output = output_of(output)?;
    let token = token.map(|token| self::token("token", token)).transpose()?;
    let token_required = token.is_some();
    let certificates = listed("certificates", certificates)?;
    let at = at.map(|at| instant("at", at)).transpose()?;
    done(py, output.len() + size(&certificates), move |_| {
        let beside = Beside { certificates, token, token_required, at };
        Ok(Report::new(dsregcmd::validate_dsregcmd(&output, &beside)))
    })
}

/// What `dsregcmd /status` says.
#[pyclass(frozen, module = "cmgtrail")]
pub struct DsregcmdStatus(DeviceStatus);

#[pymethods]
impl DsregcmdStatus {
    #[getter]
    fn join<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_dict(py, &self.0.join())
    }

    #[getter]
    fn device_id(&self) -> Option<String> {
        self.0.device_id()
    }

    #[getter]
    fn tenant_id(&self) -> Option<String> {
        self.0.tenant_id()
    }

    #[getter]
    fn thumbprint(&self) -> Option<String> {
        self.0.thumbprint()
    }

    #[getter]
    fn not_before<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.0.validity().map(|(from, _)| from))
    }

    #[getter]
    fn not_after<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDateTime>> {
        datetime(py, self.0.validity().map(|(_, to)| to))
    }

    fn __len__(&self) -> usize {
        self.0.fields.len()
    }

    /// The first value of this name.
    #[pyo3(signature = (name, /))]
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| without_tokens(value).into_owned())
    }

    /// Every field with its section and line.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let shown = |text: &str| without_tokens(text).into_owned();
        let fields = self.0.fields.iter().map(|field| {
            json!({
                "section": shown(&field.section), "name": shown(&field.name), "value": shown(&field.value),
                "line": field.line,
            })
        });
        let form = json!({
            "join": self.0.join(), "device_id": self.0.device_id(), "tenant_id": self.0.tenant_id(),
            "thumbprint": self.0.thumbprint(), "fields": fields.collect::<Vec<_>>(),
        });
        to_dict(py, &form)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "text")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        display(slf.as_any(), "html")
    }
}

const PURPOSES: [(&str, Purpose); 2] = [("server", Purpose::Server), ("client", Purpose::Client)];
const PROFILES: [(&str, Profile); 3] =
    [("windows", Profile::Windows), ("webpki", Profile::WebPki), ("rfc5280", Profile::Rfc5280)];
const VANTAGES: [(&str, Vantage); 2] = [("internet", Vantage::Internet), ("intranet", Vantage::Intranet)];
const REVOCATIONS: [(&str, Revocation); 3] =
    [("off", Revocation::Off), ("leaf", Revocation::Leaf), ("chain", Revocation::Chain)];

fn word<T: Copy>(argument: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| Error::Argument {
        argument: argument.to_owned(),
        expected: words.iter().map(|(word, _)| format!("'{word}'")).collect::<Vec<_>>().join(" or "),
        found: text.to_owned(),
    })
}

fn asked(presented: &Bound<'_, PyAny>, roots: &Bound<'_, PyAny>, at: &Bound<'_, PyAny>) -> PyResult<ChainRequest> {
    let presented = sources("presented", presented, PEM)?;
    Ok(ChainRequest::new(presented, sources("roots", roots, PEM)?, instant("at", at)?))
}

fn listed(argument: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Source>> {
    value.map_or_else(|| Ok(Vec::new()), |value| sources(argument, value, PEM))
}

fn output_of(output: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let sources = sources("output", output, OUTPUT)?;
    Ok(sources.into_iter().flat_map(|source| source.bytes).collect())
}

fn size(sources: &[Source]) -> usize {
    sources.iter().map(|source| source.bytes.len()).sum()
}

/// Bytes that make work: those of the root store are only compared, but a large one takes its time as well.
fn weight(request: &ChainRequest) -> usize {
    let certificates = [&request.presented, &request.intermediates, &request.roots, &request.disallowed];
    let lists: usize = request.crls.iter().filter_map(|list| list.bytes.as_ref()).map(Vec::len).sum();
    certificates.into_iter().map(|sources| size(sources)).sum::<usize>() + lists
}

/// Does the work without holding Python's lock; where it may last, Ctrl-C is served meanwhile and stops it.
fn done<T: Send + 'static>(
    py: Python<'_>,
    weight: usize,
    work: impl FnOnce(Stop<'_>) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    if weight <= SMALL {
        Ok(py.detach(|| work(&|| false))?)
    } else {
        watched(py, None, move |desk| work(&|| desk.stop()))
    }
}
