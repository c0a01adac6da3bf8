//! Names of rollover files: which files are one log.
//!
//! `Name.log` with `Name.lo_` (server components, one generation) and `Name-YYYYMMDD-HHMMSS.log` (client components
//! with history); IIS starts a new `u_exYYMMDD.log` each day (log catalogue, section 1.6).

/// What a file's name says of its place among the files of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Generation {
    /// `Name-YYYYMMDD-HHMMSS.log`, or an IIS log of a day.
    History,
    /// `Name.lo_`
    Previous,
    /// `Name.log`
    Current,
}

/// The name of the log, in lower case, without what tells its generations apart.
pub(crate) fn log_name(name: &str) -> (String, Generation) {
    let lower = name.to_lowercase();
    let (stem, generation) = match lower.rsplit_once('.') {
        Some((stem, "lo_")) => (stem, Generation::Previous),
        Some((stem, "log")) => (stem, Generation::Current),
        _ => return (lower, Generation::Current),
    };
    if let Some(stem) = without_date(stem) {
        return (stem.to_owned(), Generation::History);
    }
    if iis_day(stem) {
        return ("u_ex".to_owned(), Generation::History);
    }
    (stem.to_owned(), generation)
}

/// A file's name without extension and date.
pub(crate) fn stem(name: &str) -> &str {
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.eq_ignore_ascii_case("log") || extension.eq_ignore_ascii_case("lo_") => {
            stem
        }
        _ => name,
    };
    without_date(stem).unwrap_or(stem)
}

fn without_date(stem: &str) -> Option<&str> {
    let (stem, time) = stem.rsplit_once('-')?;
    let (stem, date) = stem.rsplit_once('-')?;
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(date, 8) && digits(time, 6) && !stem.is_empty()).then_some(stem)
}

/// `u_ex261104`, `u_ex26110409`, `ex261104`, `u_extend1`.
fn iis_day(stem: &str) -> bool {
    let rest = stem.strip_prefix("u_").unwrap_or(stem);
    rest.strip_prefix("ex").is_some_and(|day| {
        day.len() >= 6 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_' || byte == b'x')
    })
}
