//! Endpoints: which stage a request to a URL serves, and whether it goes through a CMG.

use super::table::Entry;
use crate::stage::Stage;

/// An endpoint of the site, as a request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint<'k> {
    /// Its id in the knowledge: `ccm-sts`.
    pub name: &'k str,
    /// The stage that a request to it serves.
    pub stage: Stage,
    /// True where the request goes through a CMG.
    pub through_cmg: bool,
}

/// What the knowledge says of an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct KnownEndpoint {
    pub id: String,
    paths: Vec<String>,
    stage: Stage,
    only_on_cmg: bool,
}

impl KnownEndpoint {
    pub fn read(mut entry: Entry<'_, '_, '_>) -> Option<Self> {
        let id = entry.id.clone();
        let paths: Vec<String> = entry.required("paths").unwrap_or_default();
        if paths.iter().any(|path| *path != normal(path)) {
            entry.mistake("paths", "a path is not in its plain form; expected small letters and no '/' at either end");
        }
        let stage = entry.required("stage");
        let only_on_cmg = entry.flag("only_on_cmg");
        let sound = entry.close();
        stage.filter(|_| sound).map(|stage| Self { id, paths, stage, only_on_cmg })
    }

    /// Length of its longest path that `request` is, or lies under. A path that ends in `*` is a beginning.
    fn covers(&self, request: &str) -> Option<usize> {
        let covered = |path: &&String| match path.strip_suffix('*') {
            Some(beginning) => request.starts_with(beginning),
            None => request.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        };
        self.paths.iter().filter(covered).map(String::len).max()
    }
}

/// The first part of the path of every request to a CMG that it hands on to the site.
#[derive(Debug, Clone)]
pub(crate) struct GatewayPath {
    pub id: String,
    prefix: String,
}

impl GatewayPath {
    pub fn read(mut entry: Entry<'_, '_, '_>) -> Option<Self> {
        let id = entry.id.clone();
        let prefix = entry.required("prefix").unwrap_or_default();
        entry.close().then_some(Self { id, prefix })
    }
}

/// What a path or URL asks for. Case, scheme, host, query, the gateway's own prefix and the role id after it do not
/// matter.
pub(crate) fn endpoint<'k>(
    known: &'k [KnownEndpoint],
    gateway: &[GatewayPath],
    path_or_url: &str,
) -> Option<Endpoint<'k>> {
    let path = path_of(path_or_url);
    let (proxied, inner) = past_gateway(gateway, &path);
    let after_role = inner.split_once('/').map(|(_, rest)| rest).filter(|_| proxied);
    let candidates = known.iter().filter_map(|endpoint| {
        let length = endpoint.covers(inner).or_else(|| endpoint.covers(after_role?))?;
        Some((length, endpoint))
    });
    let (_, endpoint) = candidates.max_by_key(|(length, _)| *length)?;
    Some(Endpoint { name: &endpoint.id, stage: endpoint.stage, through_cmg: proxied || endpoint.only_on_cmg })
}

/// The first endpoint that serves a stage.
pub(crate) fn serving(known: &[KnownEndpoint], stage: Stage) -> Option<Endpoint<'_>> {
    let endpoint = known.iter().find(|endpoint| endpoint.stage == stage)?;
    Some(Endpoint { name: &endpoint.id, stage: endpoint.stage, through_cmg: endpoint.only_on_cmg })
}

/// True where a path or URL has the shape of a request to a CMG.
pub(crate) fn is_cmg(known: &[KnownEndpoint], gateway: &[GatewayPath], path_or_url: &str) -> bool {
    let path = path_of(path_or_url);
    past_gateway(gateway, &path).0
        || known.iter().any(|endpoint| endpoint.only_on_cmg && endpoint.covers(&path).is_some())
}

fn past_gateway<'p>(gateway: &[GatewayPath], path: &'p str) -> (bool, &'p str) {
    let proxied = gateway.iter().any(|known| path.starts_with(&known.prefix));
    if proxied { (true, path.split_once('/').map_or("", |(_, rest)| rest)) } else { (false, path) }
}

/// The path of a path, `host/path` or URL in its plain form.
fn path_of(path_or_url: &str) -> String {
    let text = path_or_url.trim();
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.trim_start_matches('/').split_once('/').map_or("", |(_, path)| path),
        // `host/path`, as in the messages that name a server without a scheme.
        None => match text.split_once('/') {
            Some((host, path)) if host.contains('.') && !path.is_empty() => path,
            _ => text,
        },
    };
    normal(path.split(['?', '#']).next().unwrap_or_default())
}

fn normal(path: &str) -> String {
    path.trim_matches('/').to_ascii_lowercase()
}
