//! What users hand in: bytes, text, paths of files, or lists of them.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMapping, PyMemoryView, PyString};

use crate::certs::{CrlSource, Source};
use crate::error::{Error, Result};

/// Longest text that is taken for a path.
const LONGEST_PATH: usize = 1_024;

/// What a text has to look like to be the thing itself; any other text is the path of a file.
#[derive(Clone, Copy)]
pub(super) struct Form {
    is_content: fn(&str) -> bool,
    expected: &'static str,
}

/// Certificates and revocation lists.
pub(super) const PEM: Form =
    Form { is_content: |text| text.contains("-----BEGIN "), expected: "PEM text, or the path of a file" };

/// Keys.
pub(super) const KEYS: Form = Form {
    is_content: |text| text.contains("-----BEGIN ") || text.trim_start().starts_with(['{', '[']),
    expected: "a JWKS (JSON), PEM text, or the path of a file",
};

/// The output of a command.
pub(super) const OUTPUT: Form =
    Form { is_content: |text| text.contains('\n'), expected: "the output itself, or the path of a file" };

/// Reads everything that an argument holds, each under a name to call it by.
pub(super) fn sources(argument: &str, value: &Bound<'_, PyAny>, form: Form) -> PyResult<Vec<Source>> {
    if let Some(source) = one(argument, value, form, argument)? {
        return Ok(vec![source]);
    }
    let items = value.try_iter().map_err(|_| unusable(argument, value, form))?;
    items
        .enumerate()
        .map(|(at, item)| {
            let item = item?;
            let name = format!("{argument}, entry {}", at + 1);
            Ok(one(argument, &item, form, &name)?.ok_or_else(|| unusable(argument, &item, form))?)
        })
        .collect()
}

/// Revocation lists; a mapping says where each is published, and `None` in it that it could not be fetched.
pub(super) fn revocation_lists(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<CrlSource>> {
    let Ok(mapping) = value.cast::<PyMapping>() else {
        let fetched = sources(argument, value, PEM)?.into_iter();
        return Ok(fetched.map(|source| CrlSource::fetched(source.name, source.bytes)).collect());
    };
    let mut lists = Vec::new();
    for entry in mapping.items()? {
        let (url, list): (String, Bound<'_, PyAny>) = entry.extract()?;
        if list.is_none() {
            lists.push(CrlSource::unreachable(url));
            continue;
        }
        for source in sources(argument, &list, PEM)? {
            lists.push(CrlSource { url: Some(url.clone()), ..CrlSource::fetched(source.name, source.bytes) });
        }
    }
    Ok(lists)
}

/// A token: text is the token itself, a path-like object the file that holds it.
pub(super) fn token(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_string_lossy().into_owned());
    }
    let form = Form { is_content: |_| true, expected: "a token as text or bytes, or the path of a file" };
    let source = one(argument, value, form, argument)?.ok_or_else(|| unusable(argument, value, form))?;
    let no_text = || Error::Argument {
        argument: argument.to_owned(),
        expected: "a token, which is text".to_owned(),
        found: "bytes that are no text".to_owned(),
    };
    Ok(String::from_utf8(source.bytes).map_err(|_| no_text())?)
}

/// One text or several.
pub(super) fn texts(argument: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if let Ok(text) = value.extract::<String>() {
        return Ok(vec![text]);
    }
    let unusable = |found: &Bound<'_, PyAny>| Error::Argument {
        argument: argument.to_owned(),
        expected: "a text, or a list of texts".to_owned(),
        found: kind_of(found),
    };
    let items = value.try_iter().map_err(|_| unusable(value))?;
    items
        .map(|item| {
            let item = item?;
            Ok(item.extract::<String>().map_err(|_| unusable(&item))?)
        })
        .collect()
}

/// Bytes, text or a file; `None` for anything else.
fn one(argument: &str, value: &Bound<'_, PyAny>, form: Form, name: &str) -> PyResult<Option<Source>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Source::new(name, in_utf8(bytes.as_bytes().to_vec()))));
    }
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        let bytes = value.py().get_type::<PyBytes>().call1((value,))?;
        return Ok(Some(Source::new(name, in_utf8(bytes.extract()?))));
    }
    if let Ok(text) = value.extract::<String>() {
        if (form.is_content)(&text) {
            return Ok(Some(Source::new(name, text.into_bytes())));
        }
        if text.len() > LONGEST_PATH || text.contains('\n') || text.is_empty() {
            let found = if text.is_empty() { "nothing" } else { "another text" };
            return Err(argument_error(argument, form, found).into());
        }
        return Ok(Some(file(value.py(), PathBuf::from(text))?));
    }
    match value.extract::<PathBuf>() {
        Ok(path) => Ok(Some(file(value.py(), path)?)),
        Err(_) => Ok(None),
    }
}

fn file(py: Python<'_>, path: PathBuf) -> PyResult<Source> {
    Ok(py.detach(move || read(&path))?)
}

fn read(path: &Path) -> Result<Source> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let name = path.file_name().map_or_else(|| path.display().to_string(), lossy);
            Ok(Source::new(name, in_utf8(bytes)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound { path: path.to_owned() }),
        Err(error) => Err(Error::unreadable(path, error)),
    }
}

fn lossy(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// Text that PowerShell redirected into a file is UTF-16 with a mark, which neither DER nor PEM nor JSON begins with.
fn in_utf8(bytes: Vec<u8>) -> Vec<u8> {
    match encoding_rs::Encoding::for_bom(&bytes) {
        Some((encoding, _)) => encoding.decode(&bytes).0.into_owned().into_bytes(),
        None => bytes,
    }
}

fn unusable(argument: &str, value: &Bound<'_, PyAny>, form: Form) -> Error {
    argument_error(argument, form, &kind_of(value))
}

fn argument_error(argument: &str, form: Form, found: &str) -> Error {
    Error::Argument {
        argument: argument.to_owned(),
        expected: format!("bytes, {}, or a list of them", form.expected),
        found: found.to_owned(),
    }
}

fn kind_of(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "another object".to_owned(), |name| name.to_string())
}
