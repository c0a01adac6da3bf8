//! From a plan to files.

use std::path::{Component, Path};

use rayon::prelude::*;

use super::chatter;
use super::client;
use super::facts::World;
use super::logs::{self, Limits, Written};
use super::plan::Plan;
use super::random::Random;
use super::run::Run;
use super::truth::{self, Truth};
use super::{MINUTE, bundle, connection_point, gateway, routine};
use crate::error::{Error, Result};

/// Size at which a client's log rolls over: the default of Configuration Manager (log catalogue, section 1.6).
const CLIENT_LOG: usize = 250_000;

/// The file that holds the truth.
const TRUTH: &str = "truth.json";

/// A file.
#[derive(Debug, Clone)]
pub struct OutputFile {
    /// Path relative to the output folder, with `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A simulated site in memory.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The logs, machine by machine; then artefacts. Noise is not among them: see [`Simulated::noise`].
    pub files: Vec<OutputFile>,
    /// What is true of them.
    pub truth: Truth,
    machines: usize,
    noise: Vec<chatter::Piece>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Machines.
    pub machines: usize,
    /// Files, `truth.json` included.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Flows.
    pub flows: usize,
    /// Flows that a fault broke.
    pub broken: usize,
    /// Requests.
    pub requests: usize,
    /// Clients of the description that could not be simulated as they are told, each with the reason.
    pub left_out: Vec<String>,
}

/// Lets everybody live, and puts what they wrote into files.
pub(super) fn carry_out(plan: &Plan, world: &World) -> Result<Simulated> {
    let random = Random::new(plan.seed);
    let mut run = Run::new(world, random.fork("run", 0))?;
    for number in 0..world.clients.len() {
        run.random = random.fork("life", number);
        client::live(&mut run, number, plan.retries, plan.rate_of_client())?;
    }
    run.random = random.fork("servers", 0);
    gateway::write_counters(&mut run);
    connection_point::write_routine(&mut run);
    routine::write(&mut run);
    // The gateway's log comes to the site up to ten minutes late (log catalogue, section 1.1).
    let copied = world.end - run.random.between(0, 600) * MINUTE / 60;
    let journals = std::mem::take(&mut run.journal.machines);
    let machines: Vec<_> = world.machines().collect();
    let clients = world.clients.len();
    let written: Vec<Written> = machines
        .par_iter()
        .zip(journals)
        .enumerate()
        .map(|(number, (machine, logs))| {
            let limits = Limits { client: CLIENT_LOG };
            logs::write(machine, logs, (world.end, copied), &world.gateway.host, limits, number < clients)
        })
        .collect();
    truth::explain(&mut run);
    let mut truth = Truth::of(plan.seed, world, &run, &written);
    let mut files: Vec<OutputFile> = Vec::new();
    for file in written.into_iter().flat_map(|written| written.files) {
        files.push(OutputFile { path: file.path, bytes: file.bytes });
    }
    let own: u64 = files.iter().map(size).sum();
    if plan.artefacts {
        files.extend(bundle::write(world, &mut run, &random)?);
    }
    let noise = chatter::plan(plan.noise, own, world, &random);
    let names = files.iter().map(|file| file.path.as_str()).chain(noise.iter().map(chatter::Piece::path));
    truth.files = names.map(str::to_owned).collect();
    Ok(Simulated { files, truth, machines: machines.len(), noise })
}

fn size(file: &OutputFile) -> u64 {
    u64::try_from(file.bytes.len()).unwrap_or(u64::MAX)
}

impl Simulated {
    /// Number of machines.
    pub fn machines(&self) -> usize {
        self.machines
    }

    /// The files of noise, each made when it is asked for.
    pub fn noise(&self) -> impl IndexedParallelIterator<Item = OutputFile> + '_ {
        self.noise.par_iter().map(chatter::Piece::render)
    }

    /// Writes everything into a folder, which is made, `truth.json` beside it.
    ///
    /// # Errors
    /// [`Error::Argument`] where another simulation lies there, for two sites in one folder are read as one, or a file of
    /// somebody else's that would be overwritten; [`Error::Unwritable`] for the first file or folder that cannot be written.
    pub fn write(&self, out: &Path) -> Result<Summary> {
        let truth = serde_json::to_vec(&self.truth).unwrap_or_default();
        let refused = |expected: &str, found: &Path| {
            let (expected, found) = (expected.to_owned(), found.display().to_string());
            Err(Error::Argument { argument: "out".to_owned(), expected, found })
        };
        match std::fs::read(out.join(TRUTH)) {
            // The same simulation once more changes nothing.
            Ok(there) if there == truth => {}
            Ok(_) => {
                let expected =
                    "a folder without another simulation; give another one, or have what lies there replaced (force)";
                return refused(expected, out);
            }
            Err(_) => {
                if let Some(own) = self.truth.files.iter().map(|path| out.join(path)).find(|path| path.exists()) {
                    return refused("a folder in which nothing would be overwritten; give another one", &own);
                }
            }
        }
        self.files.par_iter().try_for_each(|file| write(&out.join(&file.path), &file.bytes))?;
        write(&out.join(TRUTH), &truth)?;
        let written = self.noise().map(|file| write(&out.join(&file.path), &file.bytes).map(|()| size(&file)));
        let noise = written.sum::<Result<u64>>()?;
        let own = self.files.iter().map(size).sum::<u64>() + u64::try_from(truth.len()).unwrap_or_default();
        Ok(Summary {
            machines: self.machines,
            files: self.files.len() + self.noise.len() + 1,
            bytes: own + noise,
            flows: self.truth.flows.len(),
            broken: self.truth.flows.iter().filter(|flow| flow.fault.is_some()).count(),
            requests: self.truth.requests.len(),
            left_out: self.truth.left_out.clone(),
        })
    }
}

/// Refuses a folder in which something lies and no simulation: logs would be read as those of the same site.
///
/// # Errors
/// [`Error::Argument`] for such a folder.
pub(super) fn refuse_others(out: &Path) -> Result<()> {
    let holds_something = std::fs::read_dir(out).is_ok_and(|mut there| there.next().is_some());
    if !holds_something || out.join(TRUTH).exists() {
        return Ok(());
    }
    let expected = "an empty or a new folder, or one that holds a simulation; give another one".to_owned();
    Err(Error::Argument { argument: "out".to_owned(), expected, found: out.display().to_string() })
}

/// Removes the files of the simulation that lies in a folder, as its own truth lists them, and the folders that are empty
/// without them. Without a truth, nothing.
///
/// # Errors
/// [`Error::Unwritable`] for a file that cannot be removed.
pub(super) fn remove(out: &Path) -> Result<()> {
    let Ok(bytes) = std::fs::read(out.join(TRUTH)) else { return Ok(()) };
    let truth: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let listed = truth["files"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    // What lies outside the folder was not written by a simulation, whatever a file says.
    let inside = listed.filter(|path| Path::new(path).components().all(|part| matches!(part, Component::Normal(_))));
    for path in inside.chain([TRUTH]).map(|path| out.join(path)) {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Unwritable { path, source });
            }
            _ => remove_empty(path.parent(), out),
        }
    }
    Ok(())
}

/// Removes a folder and those around it, up to `out`, as far as nothing lies in them.
fn remove_empty(folder: Option<&Path>, out: &Path) {
    let around = folder.into_iter().flat_map(Path::ancestors).take_while(|folder| *folder != out);
    for folder in around {
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let unwritable = |source| Error::Unwritable { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    std::fs::write(path, bytes).map_err(unwritable)
}
