//! Joins of server lines to flows, held against the truth.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cmgtrail::engine::Trail;
use cmgtrail::finding::Confidence;
use cmgtrail::flows::{Flow, Outcome, identity};
use cmgtrail::simulate::{FlowTruth, Simulated, Truth};

/// A line: file and number.
pub type Line = (String, u32);

/// A server's lines on one request in one log: what is to be joined.
#[derive(Debug, Clone)]
pub struct Hop {
    /// The request, by its place in the truth.
    pub request: usize,
    /// The flow that it belongs to, by its place in the truth.
    pub flow: usize,
    /// Its lines.
    pub lines: Vec<Line>,
    /// The log, without its number of the day.
    pub log: &'static str,
    /// Some line names an id that the client's log names too.
    pub keyed: bool,
    /// The client's log has some line of the flow.
    pub has_client: bool,
    /// The client's log has some line of the request itself. Where it has none, nobody can know that it made one.
    pub has_request: bool,
}

/// Logs of servers that are joined by keys or without.
const LOGS: [&str; 5] = ["W3SVC1", "CLOUD_PROXYCONNECTOR", "CCM_STS", "MP_Registration", "CMGService"];

/// What is to be joined, from the truth.
pub fn hops(truth: &Truth, trail: &Trail) -> Vec<Hop> {
    let ids = ids_by_line(trail);
    let of_client = ids_of_clients(trail);
    let mut hops = Vec::new();
    for (number, request) in truth.requests.iter().enumerate() {
        let flow = &truth.flows[request.flow];
        let has_client = flow.lines.iter().any(|line| line.source.starts_with("client-"));
        let has_request = request.hops.iter().any(|hop| hop.machine.starts_with("client-"));
        let mut by_log: BTreeMap<(&str, &'static str), Vec<Line>> = BTreeMap::new();
        for hop in &request.hops {
            if let Some(log) = LOGS.iter().find(|log| hop.source.contains(*log)) {
                by_log.entry((&hop.machine, log)).or_default().push((hop.source.clone(), hop.line));
            }
        }
        for ((_, log), lines) in by_log {
            let known = of_client.get(flow.client.to_lowercase().as_str());
            let keyed = lines.iter().filter_map(|line| ids.get(line)).flatten().any(|(key, id)| {
                *key != "message-id" && known.is_some_and(|known| known.contains(&(*key, id.clone())))
            });
            hops.push(Hop { request: number, flow: request.flow, lines, log, keyed, has_client, has_request });
        }
    }
    hops
}

type Id = (&'static str, String);

fn ids_by_line(trail: &Trail) -> HashMap<Line, Vec<Id>> {
    let named = trail.events.iter().map(|event| {
        let line = (event.place.file.to_string(), event.place.line);
        (line, identity::ids(event).into_iter().collect::<Vec<Id>>())
    });
    named.filter(|(_, ids)| !ids.is_empty()).collect()
}

fn ids_of_clients(trail: &Trail) -> HashMap<String, HashSet<Id>> {
    let mut known: HashMap<String, HashSet<Id>> = HashMap::new();
    for event in trail.events.iter().filter(|event| event.place.file.starts_with("client-")) {
        let folder = event.place.file.split('/').next().unwrap_or_default();
        let host = folder.trim_start_matches("client-").to_lowercase();
        known.entry(host).or_default().extend(identity::ids(event));
    }
    known
}

/// Where a join puts a hop: the flow of the truth, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Put {
    /// The flow, by its place in the truth.
    pub flow: usize,
    /// How sure it is.
    pub confidence: Confidence,
    /// An exact key joins it.
    pub by_key: bool,
}

/// Where all lines are put.
#[derive(Debug, Default)]
pub struct Puts {
    /// Line by line.
    pub of_line: HashMap<Line, Vec<Put>>,
    /// Ranges of lines by file, in order: first, last, and the flow of which some line in it is.
    ranges: HashMap<String, Vec<(u32, u32, usize)>>,
    /// Lines of the longest range.
    longest: u32,
}

impl From<HashMap<Line, Vec<Put>>> for Puts {
    fn from(of_line: HashMap<Line, Vec<Put>>) -> Self {
        Self { of_line, ..Self::default() }
    }
}

impl Puts {
    /// Where the lines of a hop are put; into ranges where all of them stand in it.
    pub fn of(&self, hop: &Hop) -> Vec<Put> {
        let listed = hop.lines.iter().filter_map(|line| self.of_line.get(line)).flatten().copied();
        let lines = || hop.lines.iter().map(|line| line.1);
        let one_file = hop.lines.iter().all(|line| line.0 == hop.lines[0].0);
        let (Some(first), Some(last), true) = (lines().min(), lines().max(), one_file) else { return listed.collect() };
        let ranges = self.ranges.get(&hop.lines[0].0).map_or(&[][..], Vec::as_slice);
        let from = ranges.partition_point(|range| range.0.saturating_add(self.longest) < first);
        let around = ranges[from..].iter().take_while(|range| range.0 <= first).filter(|range| range.1 >= last);
        listed
            .chain(around.map(|range| Put { flow: range.2, confidence: Confidence::Possible, by_key: false }))
            .collect()
    }
}

/// The truth's flow of each line.
fn flow_of_line(truth: &Truth) -> HashMap<(&str, u32), usize> {
    let flows = truth.flows.iter().enumerate();
    flows
        .flat_map(|(number, flow)| flow.lines.iter().map(move |line| ((line.source.as_str(), line.line), number)))
        .collect()
}

/// The truth's flow of each of the trail's flows: that of most of its client's lines.
pub fn flows_in_truth(truth: &Truth, flows: &[Flow]) -> Vec<Option<usize>> {
    let of_line = flow_of_line(truth);
    let of_flow = |flow: &Flow| {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for event in flow.events.iter().filter(|event| event.join.by == ["log"]) {
            if let Some(&number) = of_line.get(&(&*event.source, event.line)) {
                *counts.entry(number).or_insert(0) += 1;
            }
        }
        counts.into_iter().max_by_key(|(number, count)| (*count, std::cmp::Reverse(*number))).map(|(number, _)| number)
    };
    flows.iter().map(of_flow).collect()
}

/// Where the engine puts each line of a server.
pub fn puts(truth: &Truth, trail: &Trail) -> Puts {
    let mut puts = Puts::default();
    let of_line = flow_of_line(truth);
    for (flow, number) in trail.flows.iter().zip(flows_in_truth(truth, &trail.flows)) {
        let Some(number) = number else { continue };
        for event in flow.events.iter().filter(|event| event.join.by != ["log"]) {
            let by_key =
                identity::KEYS.iter().any(|(key, _)| *key != "message-id" && event.join.by.iter().any(|by| by == key));
            // The line that it was joined to says to what; the flow around that may hold more than it should.
            let to = event.join.to.as_ref().and_then(|to| of_line.get(&(&*to.source, to.line)));
            let put = Put { flow: to.copied().unwrap_or(number), confidence: event.join.confidence, by_key };
            puts.of_line.entry((event.source.to_string(), event.line)).or_default().push(put);
        }
        for range in &flow.candidate_ranges {
            let to = of_line.get(&(&*range.to.source, range.to.line)).copied().unwrap_or(number);
            puts.longest = puts.longest.max(range.last_line - range.line + 1);
            puts.ranges.entry(range.source.to_string()).or_default().push((range.line, range.last_line, to));
        }
    }
    puts.ranges.values_mut().for_each(|ranges| ranges.sort_unstable());
    puts
}

/// Counts of one kind of join.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Hops to be joined.
    pub hops: usize,
    /// Said certain, and how many of them wrongly.
    pub certain: (usize, usize),
    /// Said likely, and how many of them wrongly.
    pub likely: (usize, usize),
    /// Hops that one of these joins rightly.
    pub found: usize,
    /// Hops with candidates.
    pub with_candidates: usize,
    /// Hops whose true flow is among the candidates.
    pub kept: usize,
    /// Sizes of the sets of candidates where there is no sure one.
    pub sets: Vec<usize>,
}

impl Tally {
    /// Right ones among those said certain or likely.
    pub fn precision(&self) -> f64 {
        let said = self.certain.0 + self.likely.0;
        share(said - self.certain.1 - self.likely.1, said)
    }

    /// Hops that are joined, rightly and surely.
    pub fn recall(&self) -> f64 {
        share(self.found, self.hops)
    }

    /// Median size of the sets of candidates.
    pub fn median_set(&self) -> usize {
        let mut sizes = self.sets.clone();
        sizes.sort_unstable();
        sizes.get(sizes.len() / 2).copied().unwrap_or(0)
    }
}

/// A share; one of nothing.
#[allow(clippy::cast_precision_loss)] // counts
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Holds what was put where against the truth, for the hops that `wanted` says yes to.
pub fn tally(hops: &[Hop], puts: &Puts, wanted: impl Fn(&Hop) -> bool) -> Tally {
    let mut tally = Tally::default();
    for hop in hops.iter().filter(|hop| wanted(hop)) {
        tally.hops += 1;
        let mut put: BTreeMap<usize, Confidence> = BTreeMap::new();
        for Put { flow, confidence, .. } in puts.of(hop) {
            let known = put.entry(flow).or_insert(confidence);
            *known = confidence.max(*known);
        }
        let mut sure = false;
        let mut found = false;
        for (flow, confidence) in &put {
            let counts = match confidence {
                Confidence::Certain => &mut tally.certain,
                Confidence::Likely => &mut tally.likely,
                Confidence::Possible => continue,
            };
            sure = true;
            counts.0 += 1;
            counts.1 += usize::from(*flow != hop.flow);
            found |= *flow == hop.flow;
        }
        tally.found += usize::from(found);
        tally.with_candidates += usize::from(!put.is_empty());
        tally.kept += usize::from(put.contains_key(&hop.flow));
        if !sure && !put.is_empty() {
            tally.sets.push(put.len());
        }
    }
    tally
}

/// Lines of servers that belong to no flow with a client's log, and were put into one surely all the same.
pub fn strangers(truth: &Truth, puts: &Puts) -> usize {
    let known: BTreeSet<(&str, u32)> =
        truth.flows.iter().flat_map(|flow| flow.lines.iter().map(|line| (line.source.as_str(), line.line))).collect();
    let sure = |puts: &&Vec<Put>| puts.iter().any(|put| put.confidence > Confidence::Possible);
    puts.of_line.iter().filter(|(line, puts)| sure(puts) && !known.contains(&(line.0.as_str(), line.1))).count()
}

/// What each flow's last line in its client's log says, to tell after the damage whether it is left.
pub fn ends(simulated: &Simulated) -> Vec<Option<String>> {
    let pages: HashMap<&str, Vec<&str>> = simulated
        .files
        .iter()
        .filter_map(|file| Some((file.path.as_str(), std::str::from_utf8(&file.bytes).ok()?.lines().collect())))
        .collect();
    let end = |flow: &FlowTruth| {
        let last = flow.lines.iter().rev().find(|line| line.source.starts_with("client-"))?;
        let text = pages.get(last.source.as_str())?.get(last.line as usize - 1)?;
        // Stamps change where a clock is set.
        Some(text.split("]LOG]!>").next().unwrap_or_default().to_owned())
    };
    simulated.truth.flows.iter().map(end).collect()
}

/// Flows of the truth that `wanted` says yes to, those with a line in their client's log, and how many end as the trail
/// says: as the last of its flows that are of this one.
pub fn outcomes(truth: &Truth, trail: &Trail, wanted: impl Fn(usize) -> bool) -> (usize, usize) {
    let mut said: HashMap<usize, Vec<Outcome>> = HashMap::new();
    for (flow, number) in trail.flows.iter().zip(flows_in_truth(truth, &trail.flows)) {
        said.extend(number.map(|number| (number, Vec::new())).filter(|(number, _)| !said.contains_key(number)));
        if let Some(outcomes) = number.and_then(|number| said.get_mut(&number)) {
            outcomes.push(flow.outcome);
        }
    }
    let with_client = |flow: &&(usize, &cmgtrail::simulate::FlowTruth)| {
        flow.1.lines.iter().any(|line| line.source.starts_with("client-"))
    };
    let flows: Vec<_> = truth.flows.iter().enumerate().collect();
    let counted: Vec<_> = flows.iter().filter(with_client).filter(|(number, _)| wanted(*number)).collect();
    let right =
        counted.iter().filter(|(number, flow)| said.get(number).is_some_and(|said| said.last() == Some(&flow.outcome)));
    (counted.len(), right.count())
}

/// How outcomes are mistaken: kind, true outcome, what was said, how often.
pub fn confusions(truth: &Truth, trail: &Trail) -> Vec<(String, usize)> {
    let mut said: HashMap<usize, Vec<Outcome>> = HashMap::new();
    for (flow, number) in trail.flows.iter().zip(flows_in_truth(truth, &trail.flows)) {
        if let Some(number) = number {
            said.entry(number).or_default().push(flow.outcome);
        }
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (number, flow) in truth.flows.iter().enumerate() {
        let said = said.get(&number).cloned().unwrap_or_default();
        if said.last() != Some(&flow.outcome) {
            *counts.entry(format!("{:?} {:?}: {said:?}", flow.kind, flow.outcome)).or_insert(0) += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// Clock offsets: pairs of machines with at least `least` exact pairs behind each, how many are wrong by more than a
/// second, and the median error. `settings`: clocks that were set, by how much.
pub fn clocks(truth: &Truth, trail: &Trail, settings: &BTreeMap<String, f64>, least: usize) -> (usize, usize, f64) {
    let folder_of: HashMap<String, &str> =
        truth.offsets.keys().map(|folder| (host_of(folder), folder.as_str())).collect();
    let mut errors: Vec<f64> = Vec::new();
    for clock in trail.clocks.iter().filter(|clock| clock.pairs >= least) {
        let folder = folder_of.get(&clock.host.to_lowercase());
        let reference = folder_of.get(&clock.reference.to_lowercase());
        let (Some(folder), Some(reference)) = (folder, reference) else { continue };
        let first = truth.offsets[*folder] - truth.offsets[*reference];
        let second = first + settings.get(*folder).copied().unwrap_or(0.0);
        let error = |expected: f64| (clock.offset_seconds - expected).abs();
        errors.push(error(first).min(error(second)));
    }
    errors.sort_by(f64::total_cmp);
    let wrong = errors.iter().filter(|error| **error > 1.0).count();
    (errors.len(), wrong, errors.get(errors.len() / 2).copied().unwrap_or(0.0))
}

fn host_of(folder: &str) -> String {
    let words = ["client-", "connection-point-", "cp-", "mp-", "cmg-"];
    words.iter().find_map(|word| folder.strip_prefix(word)).unwrap_or(folder).to_lowercase()
}
