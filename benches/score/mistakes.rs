//! What was joined wrongly, or not at all, with the lines themselves: to work from what is seen.

use std::collections::{BTreeMap, HashMap, HashSet};

use cmgtrail::engine::Trail;
use cmgtrail::finding::Confidence;
use cmgtrail::simulate::{OutputFile, Truth};

use super::joins::{Hop, Line, Put, Puts, flows_in_truth};

/// The text of all lines, and the truth about them.
pub struct Pages<'a> {
    lines: HashMap<&'a str, Vec<String>>,
    truth: &'a Truth,
}

impl<'a> Pages<'a> {
    /// The lines of the files that were read.
    pub fn new(files: &'a [OutputFile], truth: &'a Truth) -> Self {
        let lines = |file: &'a OutputFile| {
            (file.path.as_str(), String::from_utf8_lossy(&file.bytes).lines().map(str::to_owned).collect())
        };
        Self { lines: files.iter().map(lines).collect(), truth }
    }

    fn print(&self, line: &Line) {
        let text = self.lines.get(line.0.as_str()).and_then(|lines| lines.get(line.1.saturating_sub(1) as usize));
        let text: String = text.map_or("?", String::as_str).chars().take(330).collect();
        println!("        {}:{} {text}", line.0, line.1);
    }

    fn print_flow(&self, flow: usize) {
        let flow = &self.truth.flows[flow];
        println!("      flow of {} {:?} from {} {:?}", flow.client, flow.kind, flow.started, flow.outcome);
        for line in flow.lines.iter().filter(|line| line.source.starts_with("client-")).take(40) {
            self.print(&(line.source.clone(), line.line));
        }
    }
}

/// Prints up to `most` hops of each kind of mistake.
pub fn of_hops(name: &str, hops: &[Hop], puts: &Puts, wanted: impl Fn(&Hop) -> bool, pages: &Pages<'_>, most: usize) {
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for hop in hops.iter().filter(|hop| wanted(hop)) {
        let put: Vec<Put> = puts.of(hop);
        let said: HashSet<(usize, Confidence)> = put.iter().map(|put| (put.flow, put.confidence)).collect();
        let surest = said.iter().filter(|(flow, _)| *flow != hop.flow).map(|(_, confidence)| *confidence).max();
        let kept = said.iter().any(|(flow, _)| *flow == hop.flow);
        let kind = match (surest, kept) {
            (Some(sure), _) if sure > Confidence::Possible => format!("said {sure:?} of another"),
            (_, false) if said.is_empty() => "joined to nothing".to_owned(),
            (_, false) => "true flow not kept".to_owned(),
            _ => continue,
        };
        let count = counts.entry((kind.clone(), hop.log)).or_insert(0);
        *count += 1;
        if *count > most {
            continue;
        }
        println!("    {name}, {kind}: {}, {}", hop.log, pages.truth.requests[hop.request].endpoint);
        hop.lines.iter().for_each(|line| pages.print(line));
        let mut all: Vec<String> = put.iter().map(|put| format!("{put:?}")).collect();
        all.sort();
        all.dedup();
        println!("      put {all:?}, truth {}", hop.flow);
        pages.print_flow(hop.flow);
        for flow in said.iter().map(|(flow, _)| *flow).filter(|flow| *flow != hop.flow).take(2) {
            pages.print_flow(flow);
        }
    }
    for ((kind, log), count) in counts {
        println!("    {count} {name}, {kind}: {log}");
    }
}

/// Prints up to `most` flows whose outcome is another than is said.
pub fn of_outcomes(trail: &Trail, pages: &Pages<'_>, most: usize) {
    let mut of_truth: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, number) in flows_in_truth(pages.truth, &trail.flows).into_iter().enumerate() {
        if let Some(number) = number {
            of_truth.entry(number).or_default().push(place);
        }
    }
    let mut left = most;
    for (number, flow) in pages.truth.flows.iter().enumerate() {
        let said = of_truth.get(&number).cloned().unwrap_or_default();
        let has_client = flow.lines.iter().any(|line| line.source.starts_with("client-"));
        let last = said.last().map(|place| trail.flows[*place].outcome);
        if left == 0 || !has_client || last == Some(flow.outcome) {
            continue;
        }
        left -= 1;
        let clock = trail.clocks.iter().find(|clock| clock.host.eq_ignore_ascii_case(&flow.client));
        println!("    outcome {:?}, said {last:?}, clock {:?}", flow.outcome, clock.map(|clock| clock.pairs));
        for request in flow.lines.iter().filter_map(|line| line.request).collect::<HashSet<_>>() {
            for hop in pages.truth.requests[request].hops.iter().filter(|hop| !hop.machine.starts_with("client-")) {
                print!("        {} ", hop.at_true_utc);
                pages.print(&(hop.source.clone(), hop.line));
            }
        }
        pages.print_flow(number);
        for flow in said.iter().map(|place| &trail.flows[*place]) {
            println!("      said: {} {:?}, {} events", flow.id, flow.outcome, flow.events.len());
        }
        // A line of the client that another flow has taken.
        let of_client = |line: &&cmgtrail::simulate::LineTruth| line.source.starts_with("client-");
        for line in flow.lines.iter().filter(of_client).take(1) {
            let holds = |flow: &&cmgtrail::flows::Flow| {
                flow.events.iter().any(|event| *event.source == *line.source && event.line == line.line)
            };
            for flow in trail.flows.iter().filter(holds) {
                println!("      its first line is in {} {:?}", flow.id, flow.outcome);
            }
        }
    }
}

/// Counts why the true flow of a hop is not among its candidates, and prints up to `most` of each reason.
pub fn of_kept(
    trail: &Trail,
    hops: &[Hop],
    puts: &Puts,
    wanted: impl Fn(&Hop) -> bool,
    pages: &Pages<'_>,
    most: usize,
) {
    let clocks: HashMap<String, Vec<&cmgtrail::flows::Clock>> =
        trail.clocks.iter().fold(HashMap::new(), |mut all, clock| {
            all.entry(clock.host.to_lowercase()).or_insert_with(Vec::new).push(clock);
            all
        });
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for hop in hops.iter().filter(|hop| wanted(hop)) {
        let put: Vec<Put> = puts.of(hop);
        if put.iter().any(|put| put.flow == hop.flow) {
            continue;
        }
        let request = &pages.truth.requests[hop.request];
        let own: Vec<&cmgtrail::simulate::Hop> =
            request.hops.iter().filter(|hop| hop.machine.starts_with("client-")).collect();
        let client = &pages.truth.flows[hop.flow].client;
        let clock = match clocks.get(&client.to_lowercase()).map(Vec::as_slice) {
            None => "no clock".to_owned(),
            Some([one]) => {
                let error = one.offset_seconds - pages.truth.offsets[&format!("client-{client}")];
                let how = if error.abs() < 1.0 { "right" } else { "wrong" };
                format!("clock {how}, {}", if one.pairs >= 3 { "firm" } else { "not firm" })
            }
            Some(_) => "clock in pieces".to_owned(),
        };
        let said = if put.is_empty() {
            "nothing"
        } else if put.iter().any(|put| put.confidence > Confidence::Possible) {
            "sure"
        } else {
            "others"
        };
        let machine = hop.lines[0].0.split('-').next().unwrap_or_default();
        let kind =
            format!("{machine}, {}, {said}, {clock}", if own.is_empty() { "request unseen" } else { "request seen" });
        let count = counts.entry((kind.clone(), hop.log)).or_insert(0);
        *count += 1;
        if *count > most {
            continue;
        }
        println!("    {kind}: {}, {} of {client}", hop.log, request.endpoint);
        for hop in &request.hops {
            print!("        {} ", hop.at_true_utc);
            pages.print(&(hop.source.clone(), hop.line));
        }
        println!("      put {put:?}, truth {}", hop.flow);
    }
    for ((kind, log), count) in counts {
        println!("    {count} not kept: {kind}: {log}");
    }
}
