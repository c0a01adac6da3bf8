//! Validates a chain: reads what was given, judges every candidate path, and reports the best of them with all its
//! checks.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::bundle::Problem;
use super::certificate::Certificate;
use super::checks::{self, Judgement, Known, Stores};
use super::extensions::usage;
use super::hostname::host_alone;
use super::inspect::certificate_facts;
use super::key::{Verification, verify};
use super::materials::{Materials, ReadSource, Stop, certificate_problems};
use super::oracle::{self, Agreement, BeyondIt};
use super::paths::{End, Path, Pool, Search};
use super::request::{ChainRequest, Purpose};
use super::revocation::Lists;
use super::roles::{Role, role};
use super::rules::{
    CERTIFICATE_ROLE, EXPLICITLY_DISTRUSTED, ORACLE, Profile, ROOT_NOT_IN_CLIENT_STORE, SEARCH_EXHAUSTED, UNREADABLE,
    rule,
};
use crate::error::{Error, Result};
use crate::report::{Check, CheckStatus, Report};

/// Other paths that a report lists.
const MOST_OTHER_PATHS: usize = 8;

/// Validates a chain. Bad input of any kind becomes a check of the report.
///
/// ```
/// use cmgtrail::certs::{ChainRequest, Source, validate_chain};
///
/// let presented = vec![Source::new("cmg.pem", "-----BEGIN CERTIFICATE-----\nMIIB")];
/// let report = validate_chain(&ChainRequest::new(presented, Vec::new(), 1_793_783_553_120_000));
/// assert_eq!(report.valid, Some(false));
/// assert_eq!(report.check("unreadable").map(|check| check.subject.as_str()), Some("presented 'cmg.pem, block 1'"));
/// ```
pub fn validate_chain(request: &ChainRequest) -> Report {
    validated(request, &Materials::read(request, &|| false), &|| false)
}

/// Validates a chain as [`validate_chain`] does, and gives up soon after `stop` says so, with
/// [`Error::Interrupted`].
pub fn validate_chain_until(request: &ChainRequest, stop: Stop<'_>) -> Result<Report> {
    let report = validated(request, &Materials::read(request, stop), stop);
    if stop() { Err(Error::Interrupted) } else { Ok(report) }
}

/// Validates a chain from what was read before; the request's own sources are not looked at. It says by
/// `roots_known` and `revocation` what it would otherwise say by what it gives.
pub fn validate_read(request: &ChainRequest, materials: &Materials) -> Report {
    validated(request, materials, &|| false)
}

pub(super) fn validated(request: &ChainRequest, materials: &Materials, stop: Stop<'_>) -> Report {
    // A log's banner and a command line write the host with port and path.
    if let Some(host) = request.host.as_deref().and_then(host_alone) {
        return validated(&ChainRequest { host: Some(host), ..request.clone() }, materials, stop);
    }
    let inputs = Inputs::of(request, materials);
    let Some(leaf) = inputs.leaf else { return without_leaf(request, &inputs) };
    let mut search = Search::new(&inputs.pool, stop);
    let mut others = judge_paths(request, &inputs, leaf, &mut search).into_iter();
    let exhausted = search.exhausted;
    let Some(mut best) = others.next() else { return without_leaf(request, &inputs) };
    let others = others.as_slice();

    let mut checks = unreadable(request, &inputs);
    let is_valid = best.rank().0 == 0;
    checks.append(&mut best.checks);
    checks.push(search_check(request, exhausted, is_valid));
    checks.extend(checks::presented_list(request, &inputs.pool, &best.path, &inputs.presented, inputs.unordered));
    if let Some(certificate) = inputs.pool.get(leaf) {
        checks.push(role_check(request, certificate));
    }
    let mut facts = facts(request, &inputs, &best, others);
    second_opinion(request, &inputs, &best, &search, &mut checks, &mut facts);
    facts.insert("profile_differences".to_owned(), profile_differences(request, &checks));
    checks.sort_by_key(reading_order);
    Report::new("certificate-chain", facts, checks)
}

/// What keeps the chain from being valid first, then what is open, remarks, and what is well.
fn reading_order(check: &Check) -> u8 {
    match (check.status, check.decides) {
        (CheckStatus::Failed, true) => 0,
        (CheckStatus::NotChecked, true) => 1,
        (CheckStatus::Failed, false) => 2,
        (CheckStatus::Passed, _) => 3,
        (CheckStatus::NotChecked, false) => 4,
    }
}

/// Everything that was given, in its place.
struct Inputs<'m> {
    pool: Pool<'m>,
    presented: Vec<usize>,
    leaf: Option<usize>,
    roots: Vec<usize>,
    disallowed: Vec<&'m Certificate>,
    lists: Lists<'m>,
    problems: Vec<(&'static str, Problem)>,
    /// Whether what was presented came without an order.
    unordered: bool,
    /// Whether revocation lists were presented.
    lists_presented: bool,
    stores: Stores,
}

impl<'m> Inputs<'m> {
    fn of(request: &ChainRequest, materials: &'m Materials) -> Self {
        let mut pool = Pool::new(request.profile);
        let Materials { presented, intermediates, roots, disallowed, lists } = materials;
        let places =
            [("presented", presented), ("intermediate", intermediates), ("root", roots), ("disallowed", disallowed)];
        let problems: Vec<(&'static str, Problem)> = places
            .into_iter()
            .flat_map(|(role, sources)| certificate_problems(sources).into_iter().map(move |problem| (role, problem)))
            .collect();
        let known = |role: &str, given: bool| match problems.iter().any(|(of, _)| *of == role) {
            _ if !given => Known::Not,
            true => Known::Partly,
            false => Known::Whole,
        };
        let stores = Stores {
            roots: known("root", request.store_is_known() || !roots.is_empty()),
            disallowed: known("disallowed", !disallowed.is_empty()),
        };
        let unordered = presented.iter().any(|source| source.bundle().unordered);
        let lists_presented = presented.iter().any(|source| !source.bundle().lists.is_empty());
        let presented: Vec<usize> =
            certificates(presented).map(|(certificate, source)| pool.add(certificate, source)).collect();
        for (certificate, source) in certificates(intermediates) {
            pool.add(certificate, source);
        }
        let roots: Vec<usize> =
            certificates(roots).map(|(certificate, source)| pool.trust(certificate, source)).collect();
        let disallowed = certificates(disallowed).map(|(certificate, _)| certificate).collect();
        let leaf = leaf_of(&pool, &presented);
        // Of an authority alone, with something unreadable before it, the leaf is what cannot be read.
        let headless = problems.iter().any(|(role, problem)| *role == "presented" && problem.certificates_before == 0);
        let leaf = leaf.filter(|at| !headless || pool.get(*at).is_some_and(|certificate| !certificate.is_ca()));
        Self {
            pool,
            presented,
            leaf,
            roots,
            disallowed,
            lists: Lists::of(lists),
            problems,
            unordered,
            lists_presented,
            stores,
        }
    }
}

fn certificates(sources: &[ReadSource]) -> impl Iterator<Item = (&Certificate, &str)> {
    sources.iter().flat_map(|source| source.bundle().certificates.iter().map(|known| (known, &*source.name)))
}

/// The leaf of what was presented: the first, unless it issued another one and exactly one issued none. Bundles do not
/// keep an order.
fn leaf_of(pool: &Pool<'_>, presented: &[usize]) -> Option<usize> {
    let first = *presented.first()?;
    let issuers: HashSet<&[Vec<u8>]> = presented
        .iter()
        .filter_map(|at| pool.get(*at))
        .filter(|certificate| !certificate.is_self_issued())
        .map(|certificate| certificate.issuer.comparable.as_slice())
        .collect();
    let issued_none = |at: &&usize| {
        pool.get(**at).is_some_and(|certificate| !issuers.contains(certificate.subject.comparable.as_slice()))
    };
    let mut candidates = presented.iter().filter(issued_none);
    match (candidates.next(), candidates.next()) {
        (Some(only), None) if !issued_none(&&first) => Some(*only),
        _ => Some(first),
    }
}

/// A path with its checks.
struct Judged {
    path: Path,
    checks: Vec<Check>,
}

impl Judged {
    /// Smaller is better: fewest failures, least unknown, a trusted end, shortest.
    fn rank(&self) -> (usize, usize, bool, usize) {
        let fatal = self.checks.iter().filter(|check| check.is_fatal()).count();
        let open = self.checks.iter().filter(|check| check.decides && check.status == CheckStatus::NotChecked).count();
        (fatal, open, self.path.end != End::Anchor, self.path.nodes.len())
    }
}

/// All paths, judged, best first.
fn judge_paths<'a>(
    request: &'a ChainRequest,
    inputs: &'a Inputs<'a>,
    leaf: usize,
    search: &mut Search<'a>,
) -> Vec<Judged> {
    let mut judged: Vec<Judged> = Vec::new();
    for path in search.paths_from(leaf) {
        // Of work that is given up the rest is not judged.
        if !judged.is_empty() && search.is_stopped() {
            break;
        }
        let checks = judge(request, inputs, &path, search);
        judged.push(Judged { path, checks });
    }
    judged.sort_by_cached_key(Judged::rank);
    judged
}

fn judge<'a>(request: &'a ChainRequest, inputs: &'a Inputs<'a>, path: &Path, search: &mut Search<'a>) -> Vec<Check> {
    let mut judgement = Judgement::new(request, &inputs.pool, inputs.stores, path.clone());
    judgement.judge();
    distrusted(&mut judgement, &inputs.disallowed);
    checks::revocation::check(&mut judgement, &inputs.lists, search);
    judgement.checks
}

fn distrusted(judgement: &mut Judgement<'_>, disallowed: &[&Certificate]) {
    let end = judgement.chain.len().saturating_sub(1);
    for place in 0..judgement.chain.len() {
        let root = if place == end { distrusted_root(judgement, disallowed) } else { None };
        if let Some(root) = root {
            let text = format!("Its issuer, the root '{}', is in the client's disallowed store.", root.display());
            judgement.failed(&EXPLICITLY_DISTRUSTED, place, text);
        } else if judgement.stores.disallowed == Known::Not {
            judgement.not_checked(&EXPLICITLY_DISTRUSTED, place, "No disallowed store was given.").decides = false;
        } else if disallowed.iter().any(|known| known.der == judgement.certificate(place).der) {
            judgement.failed(&EXPLICITLY_DISTRUSTED, place, "It is in the client's disallowed store.");
        } else if judgement.stores.disallowed == Known::Partly {
            judgement.not_checked(&EXPLICITLY_DISTRUSTED, place, "Some of the disallowed store cannot be read.");
        } else {
            judgement.passed(&EXPLICITLY_DISTRUSTED, place, "It is not in the client's disallowed store.");
        }
    }
}

/// The certificate of the disallowed store whose key made the last signature of a path that ends below a public root
/// that is not at hand.
fn distrusted_root<'d>(judgement: &Judgement<'_>, disallowed: &[&'d Certificate]) -> Option<&'d Certificate> {
    let last = judgement.chain.last().filter(|_| judgement.path.end == End::PublicRoot)?;
    let issued = |root: &&&Certificate| {
        root.subject.same_as(&last.issuer) && verify(&root.key, &last.der, &last.signed) == Verification::Good
    };
    disallowed.iter().find(issued).copied()
}

/// Blobs that cannot be read. One in the leaf's place decides; the others are told.
fn unreadable(request: &ChainRequest, inputs: &Inputs<'_>) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for (role, problem) in &inputs.problems {
        let subject = format!("{role} '{}'", problem.place);
        let text = format!("It cannot be used: {}.", problem.reason);
        let mut check = UNREADABLE.check(request.profile, CheckStatus::Failed, &subject, text);
        check.decides = *role == "presented" && problem.certificates_before == 0;
        checks.push(check);
    }
    if checks.is_empty() {
        let text = "Everything that was given can be read.".to_owned();
        checks.push(UNREADABLE.check(request.profile, CheckStatus::Passed, "all inputs", text));
    }
    checks
}

/// The report where nothing was presented that can be read.
fn without_leaf(request: &ChainRequest, inputs: &Inputs<'_>) -> Report {
    let mut checks = if inputs.problems.iter().any(|(role, _)| *role == "presented") {
        unreadable(request, inputs)
    } else {
        let text = if inputs.lists_presented {
            "It holds a revocation list where certificates are expected."
        } else {
            "No certificate was presented."
        };
        vec![UNREADABLE.check(request.profile, CheckStatus::NotChecked, "presented list", text.to_owned())]
    };
    checks.extend(checks::not_made_of_leaf(request, "The leaf cannot be read."));
    Report::new("certificate-chain", asked(request), checks)
}

fn search_check(request: &ChainRequest, exhausted: bool, is_valid: bool) -> Check {
    let subject = "path search";
    if !exhausted {
        let text = "All candidate paths were looked at.".to_owned();
        return SEARCH_EXHAUSTED.check(request.profile, CheckStatus::Passed, subject, text);
    }
    let text = "There are too many candidate paths to look at all of them; the best of those looked at is shown.";
    let mut check = SEARCH_EXHAUSTED.check(request.profile, CheckStatus::NotChecked, subject, text.to_owned());
    // A path that is valid stays so whatever the others are.
    check.decides = !is_valid;
    check
}

/// Tells a certificate that is no service certificate at all from one that is merely wrong.
fn role_check(request: &ChainRequest, leaf: &Certificate) -> Check {
    let (role, why) = role(leaf);
    let fits = match request.purpose {
        Purpose::Server => matches!(role, Role::Service | Role::Unknown),
        // A certificate for both uses, as templates for computers make it, serves a client as well.
        Purpose::Client => {
            let for_clients = leaf.extensions.extended_key_usage.as_ref();
            role != Role::Authority
                && (role != Role::Service
                    || for_clients.is_none_or(|usages| usages.iter().any(|u| u == usage::CLIENT_AUTH)))
        }
    };
    let status = if fits { CheckStatus::Passed } else { CheckStatus::Failed };
    let text = format!("It looks like {}: {why}.", role.description());
    CERTIFICATE_ROLE.check(request.profile, status, &format!("leaf '{}'", leaf.display()), text)
}

fn second_opinion(
    request: &ChainRequest,
    inputs: &Inputs<'_>,
    best: &Judged,
    search: &Search<'_>,
    checks: &mut Vec<Check>,
    facts: &mut Map<String, Value>,
) {
    let chain: Vec<&Certificate> = best.path.nodes.iter().filter_map(|at| inputs.pool.get(*at)).collect();
    let Some(certificate) = chain.first().copied() else { return };
    let others: Vec<&Certificate> =
        inputs.pool.certificates().filter(|other| !std::ptr::eq(*other, certificate)).collect();
    let roots: Vec<&Certificate> = inputs.roots.iter().filter_map(|at| inputs.pool.get(*at)).collect();
    let answer = if search.exhausted {
        None
    } else {
        oracle::ask(request, certificate, &others, &roots, &inputs.lists, search.proven())
    };
    let opinion = oracle::compare(answer.as_ref(), checks, BeyondIt::on(&chain));
    let status = match opinion.agreement {
        Agreement::Agree | Agreement::KnownDifference => CheckStatus::Passed,
        Agreement::Disagreement => CheckStatus::Failed,
        Agreement::NotAsked => CheckStatus::NotChecked,
    };
    let text = format!("Answer: {}. {}", opinion.answer, opinion.reason);
    checks.push(ORACLE.check(request.profile, status, "rustls-webpki", text));
    facts.insert("oracle".to_owned(), json!(opinion));
}

/// What was asked, as facts.
fn asked(request: &ChainRequest) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    put("at", json!(crate::time::rfc3339(request.at)));
    put("host", json!(request.host));
    put("purpose", json!(request.purpose));
    put("profile", json!(request.profile));
    put("vantage", json!(request.vantage));
    put("revocation", json!(request.effective_revocation()));
    put("root_update", json!(request.root_update));
    facts
}

fn facts(request: &ChainRequest, inputs: &Inputs<'_>, best: &Judged, others: &[Judged]) -> Map<String, Value> {
    let mut facts = asked(request);
    let names = |path: &Path| -> Vec<String> {
        path.nodes.iter().filter_map(|at| inputs.pool.get(*at)).map(Certificate::display).collect()
    };
    let path: Vec<Value> = (best.path.nodes.iter())
        .filter_map(|at| {
            let mut facts = certificate_facts(inputs.pool.get(*at)?);
            facts["source"] = json!(inputs.pool.source(*at));
            Some(facts)
        })
        .collect();
    facts.insert("path".to_owned(), Value::Array(path));
    facts.insert("paths".to_owned(), json!(others.len() + 1));
    let others: Vec<Value> = others
        .iter()
        .take(MOST_OTHER_PATHS)
        .map(|other| {
            let failed: Vec<&str> = other.checks.iter().filter(|c| c.is_fatal()).map(|c| c.id.as_str()).collect();
            json!({ "path": names(&other.path), "failed": failed })
        })
        .collect();
    facts.insert("other_paths".to_owned(), Value::Array(others));
    facts
}

/// The checks on which profile `windows` differs from `rfc5280` in this very report, with the document that says so.
fn profile_differences(request: &ChainRequest, checks: &[Check]) -> Value {
    if request.profile != Profile::Windows {
        return Value::Array(Vec::new());
    }
    let mut seen = HashSet::new();
    let rows = checks
        .iter()
        .filter_map(|check| Some((check, rule(&check.id)?)))
        .filter(|(check, rule)| {
            // A passed check of this id has found something only where the root is public and absent.
            let spared =
                check.id == ROOT_NOT_IN_CLIENT_STORE.id && check.status == CheckStatus::Passed && check.found.is_some();
            let differs = rule.decides_in(Profile::Windows) != rule.decides_in(Profile::Rfc5280);
            !rule.windows_differs.is_empty() && (spared || (differs && check.status == CheckStatus::Failed))
        })
        .filter(|(check, _)| seen.insert(check.id.clone()))
        .map(|(check, rule)| json!({ "check": check.id, "decides": check.decides, "document": rule.windows_differs }))
        .collect();
    Value::Array(rows)
}
