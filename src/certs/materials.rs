//! What a chain is judged from, read once, however many chains are judged from it: a fleet's machines have the same
//! stores, and one client may have failed a thousand times.

use std::sync::Arc;

use super::bundle::{Bundle, Problem, Source};
use super::request::{ChainRequest, CrlSource};

/// Asked now and then; true where the caller wants the work to stop.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Blobs of one place that cannot be read which are told one by one.
const MOST_PROBLEMS: usize = 100;

/// A source as read. What was read knows no name of its own, so that files with the same content can share it.
#[derive(Debug, Clone)]
pub struct ReadSource {
    /// What to call it.
    pub name: Arc<str>,
    bundle: Arc<Bundle>,
}

impl ReadSource {
    /// Reads a source.
    pub fn read(source: &Source) -> Self {
        Self::from_bytes(Arc::clone(&source.name), &source.bytes)
    }

    /// Reads bytes that have this name.
    pub fn from_bytes(name: Arc<str>, bytes: &[u8]) -> Self {
        let mut bundle = Bundle::default();
        bundle.add_bytes(&Arc::default(), bytes);
        Self { name, bundle: Arc::new(bundle) }
    }

    /// The same content under another name.
    #[must_use]
    pub fn named(&self, name: Arc<str>) -> Self {
        Self { name, bundle: Arc::clone(&self.bundle) }
    }

    /// What it holds. Neither certificates nor problems name the source.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// What could not be read, with the place under this source's name. `before` certificates stand before it.
    pub(super) fn problems(&self, before: usize) -> impl Iterator<Item = Problem> {
        self.bundle.problems.iter().map(move |problem| Problem {
            place: format!("{}{}", self.name, problem.place),
            reason: problem.reason.clone(),
            certificates_before: before + problem.certificates_before,
        })
    }
}

/// A revocation list as read, or the news that it could not be had.
#[derive(Debug, Clone)]
pub struct ReadList {
    /// Where it is published, if that is known.
    pub url: Option<String>,
    /// What was read; `None` where the client could not fetch it.
    pub read: Option<ReadSource>,
}

impl ReadList {
    fn read(source: &CrlSource) -> Self {
        let read = source.bytes.as_ref().map(|bytes| ReadSource::from_bytes(Arc::clone(&source.name), bytes));
        // What could not be fetched is known by its address, or by its name.
        let name = || source.bytes.is_none().then(|| source.name.to_string());
        Self { url: source.url.clone().or_else(name), read }
    }
}

/// Everything a chain is judged from, read.
#[derive(Debug, Clone, Default)]
pub struct Materials {
    /// Certificates as sent, in their order.
    pub presented: Vec<ReadSource>,
    /// Certificates that may help to build a path.
    pub intermediates: Vec<ReadSource>,
    /// The client's root store.
    pub roots: Vec<ReadSource>,
    /// The client's disallowed store.
    pub disallowed: Vec<ReadSource>,
    /// Revocation lists.
    pub lists: Vec<ReadList>,
}

impl Materials {
    /// Reads what a request gives. Where `stop` says so, the rest stays unread.
    pub(super) fn read(request: &ChainRequest, stop: Stop<'_>) -> Self {
        let read = |sources: &[Source]| sources.iter().take_while(|_| !stop()).map(ReadSource::read).collect();
        Self {
            presented: read(&request.presented),
            intermediates: read(&request.intermediates),
            roots: read(&request.roots),
            disallowed: read(&request.disallowed),
            lists: request.crls.iter().take_while(|_| !stop()).map(ReadList::read).collect(),
        }
    }
}

/// What cannot be used of sources that should hold certificates: also those with revocation lists in their place.
pub(super) fn certificate_problems(sources: &[ReadSource]) -> Vec<Problem> {
    let mut problems = problems(sources);
    let lists_alone = |source: &&ReadSource| {
        let bundle = source.bundle();
        bundle.certificates.is_empty() && bundle.problems.is_empty() && !bundle.lists.is_empty()
    };
    problems.extend(sources.iter().filter(lists_alone).take(MOST_PROBLEMS).map(|source| Problem {
        place: source.name.to_string(),
        reason: "it holds a revocation list where certificates were expected".to_owned(),
        certificates_before: 0,
    }));
    problems
}

/// What could not be read of the sources of one place.
pub(super) fn problems(sources: &[ReadSource]) -> Vec<Problem> {
    let mut before = 0;
    let mut problems = Vec::new();
    for source in sources {
        problems.extend(source.problems(before));
        before += source.bundle.certificates.len();
        if problems.len() > MOST_PROBLEMS {
            problems.truncate(MOST_PROBLEMS + 1);
            if let Some(last) = problems.last_mut() {
                "it and what follows cannot be read, and is not listed any more".clone_into(&mut last.reason);
            }
            break;
        }
    }
    problems
}
