//! Reading: the engine works on a thread of its own, and the caller's thread stays with Python, so that Ctrl-C and
//! the progress callback are served while it works.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use super::conversions::micros;
use super::errors::defect;
use super::startup::last_panic;
use super::trail::Trail;
use crate::engine::{self, Progress, ReadOptions};
use crate::error::Result;

/// How often signals are looked for and the callback is called.
const TURN: Duration = Duration::from_millis(100);

/// What the engine's threads and the caller's thread tell each other.
#[derive(Default)]
pub(super) struct Desk {
    done: AtomicU64,
    total: AtomicU64,
    stop: AtomicBool,
}

impl Progress for Desk {
    fn advance(&self, done: u64, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        // Threads report out of order: what is done never becomes less.
        self.done.fetch_max(done, Ordering::Relaxed);
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Reads logs and diagnoses them; `cmgtrail.read` is its face.
#[pyfunction]
#[pyo3(signature = (paths, *, knowledge = Vec::new(), site = None, since = None, until = None, client = None,
                    encoding = None, progress = None))]
#[allow(clippy::too_many_arguments)] // the contract's
pub(super) fn read(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    knowledge: Vec<PathBuf>,
    site: Option<PathBuf>,
    since: Option<&Bound<'_, PyAny>>,
    until: Option<&Bound<'_, PyAny>>,
    client: Option<String>,
    encoding: Option<String>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Trail> {
    let options = ReadOptions {
        knowledge,
        site,
        since: since.map(|value| micros("since", value)).transpose()?,
        until: until.map(|value| micros("until", value)).transpose()?,
        client,
        encoding,
    };
    let trail = watched(py, progress, move |desk| engine::Trail::read(&paths, options, desk))?;
    Ok(Trail(Arc::new(trail)))
}

/// Runs `work` on its own thread; on an interruption the work is told to stop and left to end by itself.
pub(super) fn watched<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Desk) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let desk = Arc::new(Desk::default());
    let (sender, receiver) = mpsc::sync_channel(1);
    let desk_of_worker = Arc::clone(&desk);
    let worker = thread::Builder::new().name("cmgtrail".to_owned()).spawn(move || {
        // Nobody listens any more where the caller was interrupted.
        let _ = sender.send(work(&desk_of_worker));
    });
    worker.map_err(|error| defect(&format!("no thread could be started: {error}")))?;
    // The receiver may not be shared between threads, and `detach` wants to: it is moved in and out.
    let mut receiver = receiver;
    loop {
        let (turn, returned) = py.detach(move || (receiver.recv_timeout(TURN), receiver));
        receiver = returned;
        match turn {
            Ok(result) => {
                report(progress, &desk)?;
                return Ok(result?);
            }
            Err(RecvTimeoutError::Disconnected) => return Err(defect(&last_panic())),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().and_then(|()| report(progress, &desk)).inspect_err(|_| {
                    desk.stop.store(true, Ordering::Relaxed);
                })?;
            }
        }
    }
}

fn report(progress: Option<&Bound<'_, PyAny>>, desk: &Desk) -> PyResult<()> {
    if let Some(callback) = progress {
        callback.call1((desk.done.load(Ordering::Relaxed), desk.total.load(Ordering::Relaxed)))?;
    }
    Ok(())
}
