//! What joins are held against: a greedy join by time, and an oracle that knows what no log tells.
//!
//! Neither uses the engine's join. Greedy takes for each server's line the nearest request to the same endpoint that
//! nobody has taken, by the clocks as they are and by the true time. The oracle knows the true times, the law of the
//! delays, every client's address and whose a keyed line is, goes from machine to machine as the requests went, and
//! solves each hop at once; it says how much is possible.

use std::collections::{BTreeMap, HashMap, HashSet};

use cmgtrail::engine::Trail;
use cmgtrail::events::Event;
use cmgtrail::finding::Confidence;
use cmgtrail::simulate::{Delay, Truth};
use cmgtrail::stage::Mark;
use cmgtrail::time::zoned_instant;

use super::joins::{Hop, Line, Put, Puts};

/// A request as its client knows it, seconds.
struct Asked {
    flow: usize,
    endpoint: &'static str,
    client: String,
    /// By the client's clock.
    raw: f64,
    /// True.
    start: f64,
    end: Option<f64>,
}

/// A server's lines on a request, seconds.
struct Served {
    hop: usize,
    endpoint: &'static str,
    raw: f64,
    start: Option<f64>,
    end: f64,
    /// The second in which it ended is known, no more.
    coarse: bool,
    address: Option<String>,
}

/// Everything that is asked and served.
pub struct World<'a> {
    hops: &'a [Hop],
    asked: Vec<Asked>,
    served: Vec<Served>,
    /// True address of each client.
    homes: HashMap<String, String>,
}

#[allow(clippy::cast_precision_loss)] // microseconds since 1970 as seconds, exact to a microsecond
fn instant(text: &str) -> f64 {
    zoned_instant(text).unwrap() as f64 / 1e6
}

#[allow(clippy::cast_precision_loss)]
fn stamp(event: &Event) -> Option<f64> {
    event.stamp.utc.map(|utc| utc as f64 / 1e6)
}

impl<'a> World<'a> {
    pub fn new(truth: &Truth, trail: &Trail, hops: &'a [Hop], settings: &BTreeMap<String, f64>) -> Self {
        let events: HashMap<Line, &Event> =
            trail.events.iter().map(|event| ((event.place.file.to_string(), event.place.line), event)).collect();
        let mut threads: HashMap<(u32, Option<u32>), Vec<&Event>> = HashMap::new();
        for event in &trail.events {
            threads.entry((event.place.source, event.thread)).or_default().push(event);
        }
        let mut world = Self { hops, asked: Vec::new(), served: Vec::new(), homes: HashMap::new() };
        for request in &truth.requests {
            let of_client = request.hops.iter().filter(|hop| hop.machine.starts_with("client-"));
            let Some(last) = of_client.max_by(|one, two| one.at_true_utc.cmp(&two.at_true_utc)) else { continue };
            let Some(event) = events.get(&(last.source.clone(), last.line)) else { continue };
            let start = instant(&last.at_true_utc);
            let offset = truth.offsets[&last.machine];
            let set = settings.get(&last.machine).copied().unwrap_or(0.0);
            let answer = threads[&(event.place.source, event.thread)].iter().find(|other| {
                other.place.line > event.place.line && other.place.file == event.place.file && other.mark() == Mark::Ok
            });
            // Of other requests the next line that something went well is not of the answer.
            let told = ["CCM_STS", "CCM_System_TokenAuth"].contains(&request.endpoint);
            let end = answer.filter(|_| told).and_then(|answer| stamp(answer)).and_then(|at| {
                [at - offset, at - offset - set]
                    .into_iter()
                    .filter(|at| (start..start + 5.0).contains(at))
                    .reduce(f64::min)
            });
            let client = truth.flows[request.flow].client.clone();
            let raw = stamp(event).unwrap_or(start);
            world.asked.push(Asked { flow: request.flow, endpoint: request.endpoint, client, raw, start, end });
        }
        world.serve(truth, &events, settings);
        world
    }

    fn serve(&mut self, truth: &Truth, events: &HashMap<Line, &Event>, settings: &BTreeMap<String, f64>) {
        for (number, hop) in self.hops.iter().enumerate().filter(|(_, hop)| hop.log != "CMGService") {
            let lines: Vec<&&Event> = hop.lines.iter().filter_map(|line| events.get(line)).collect();
            let Some(first) = lines.first().and_then(|event| stamp(event)) else { continue };
            let request = &truth.requests[hop.request];
            let times: HashMap<(&str, u32), f64> =
                request.hops.iter().map(|hop| ((hop.source.as_str(), hop.line), instant(&hop.at_true_utc))).collect();
            let time = |event: &Event| times.get(&(&*event.place.file, event.place.line)).copied();
            let coarse = hop.log == "W3SVC1";
            let elapsed = lines.iter().find_map(|event| event.get("elapsed_ms")).and_then(|ms| ms.parse::<f64>().ok());
            let Some(end) = lines
                .iter()
                .rev()
                .find(|event| event.mark() == Mark::Ok || coarse)
                .or(lines.last())
                .and_then(|event| time(event))
            else {
                continue;
            };
            // Of a row the oracle knows what the log says: the second.
            let machine = hop.lines[0].0.split('/').next().unwrap_or_default();
            let set = settings.get(machine).copied().unwrap_or(0.0);
            let second = [first - truth.offsets[machine], first - truth.offsets[machine] - set];
            let nearest = second.into_iter().min_by(|one, two| (one - end).abs().total_cmp(&(two - end).abs()));
            let end = nearest.filter(|_| coarse).unwrap_or(end);
            let start = if coarse {
                elapsed.map(|ms| end - ms / 1e3)
            } else {
                lines.iter().find(|event| event.mark() == Mark::Start).and_then(|event| time(event))
            };
            let address = lines.iter().find_map(|event| event.get("ip")).filter(|_| hop.lines[0].0.starts_with("cmg-"));
            if let Some(address) = address {
                self.homes.insert(truth.flows[hop.flow].client.clone(), address.to_owned());
            }
            let address = address.map(str::to_owned);
            self.served.push(Served {
                hop: number,
                endpoint: request.endpoint,
                raw: first,
                start,
                end,
                coarse,
                address,
            });
        }
    }

    /// Each line goes to the nearest request that is free: by the clocks as they are, or by the true time.
    pub fn greedy(&self, by_true_time: bool) -> Puts {
        let mut by_endpoint: HashMap<&str, Vec<(f64, usize)>> = HashMap::new();
        for (place, asked) in self.asked.iter().enumerate() {
            let at = if by_true_time { asked.start } else { asked.raw };
            by_endpoint.entry(asked.endpoint).or_default().push((at, place));
        }
        let at = |served: &Served| if by_true_time { served.start.unwrap_or(served.end) } else { served.raw };
        for all in by_endpoint.values_mut() {
            all.sort_by(|one, two| one.0.total_cmp(&two.0));
        }
        let mut taken: HashSet<(usize, &str)> = HashSet::new();
        let mut order: Vec<&Served> = self.served.iter().collect();
        order.sort_by(|one, two| at(one).total_cmp(&at(two)));
        let mut puts = HashMap::new();
        for served in order {
            let Some(all) = by_endpoint.get(served.endpoint) else { continue };
            let hop = &self.hops[served.hop];
            let kind = if hop.lines[0].0.starts_with("cmg-") { "gateway" } else { hop.log };
            let served_at = at(served);
            let middle = all.partition_point(|(time, _)| *time < served_at);
            let around = all[middle.saturating_sub(60)..(middle + 60).min(all.len())].iter();
            let free =
                around.filter(|(time, place)| (time - served_at).abs() < 900.0 && !taken.contains(&(*place, kind)));
            let nearest = free.min_by(|one, two| (one.0 - served_at).abs().total_cmp(&(two.0 - served_at).abs()));
            let Some((_, place)) = nearest else { continue };
            taken.insert((*place, kind));
            self.put(&mut puts, served, *place, Confidence::Likely);
        }
        puts.into()
    }

    fn put(&self, puts: &mut HashMap<Line, Vec<Put>>, served: &Served, asked: usize, confidence: Confidence) {
        for line in &self.hops[served.hop].lines {
            let put = Put { flow: self.asked[asked].flow, confidence, by_key: false };
            puts.entry(line.clone()).or_default().push(put);
        }
    }

    /// The best that can be known from true times, the law of the delays, the addresses and the exact keys: client and
    /// gateway first, then the connection point as both see it, then what stands behind the connection point.
    pub fn oracle(&self, truth: &Truth) -> Puts {
        let delays = truth.delays;
        let mut puts = HashMap::new();
        let (gateway, connector) = (self.of("gateway"), self.of("CLOUD_PROXYCONNECTOR"));
        let to_gateway = Way::new(&[delays.client_cmg], 0.02);
        let rows = balanced(self.asked.len(), gateway.len(), self.cells(&gateway, &to_gateway));
        self.put_all(&mut puts, &gateway, &rows);
        let to_connector = Way::new(&[delays.client_cmg, delays.cmg_connector], 0.03);
        let onward = Way::new(&[delays.cmg_connector], 0.03);
        let mut cells = self.cells(&connector, &to_connector);
        let of_asked = by_first(&rows);
        for (asked, inner, fit) in &mut cells {
            let served = connector[*inner];
            let known = of_asked.get(asked).map_or(&[][..], Vec::as_slice);
            let lonely = 1.0 - known.iter().map(|(_, share)| share).sum::<f64>();
            let by_row = |&(row, share): &(usize, f64)| share * onward.between(gateway[row], served);
            *fit *= known.iter().map(by_row).sum::<f64>() + lonely.max(0.0);
        }
        let token_service = self.of("CCM_STS");
        let to_service = Way::new(&[delays.connector_mp], 0.4);
        let behind = balanced(connector.len(), token_service.len(), within(&connector, &token_service, &to_service));
        self.heed_keys(&mut cells, &token_service, &behind);
        let front = balanced(self.asked.len(), connector.len(), cells);
        self.put_all(&mut puts, &connector, &front);
        self.put_all(&mut puts, &token_service, &chained(&front, &behind));
        let point = self.of("W3SVC1");
        let to_point = Way::new(&[delays.connector_mp], 0.05);
        let behind = balanced(connector.len(), point.len(), within(&connector, &point, &to_point));
        self.put_all(&mut puts, &point, &chained(&front, &behind));
        puts.into()
    }

    /// What the machines of one log served.
    fn of(&self, kind: &str) -> Vec<&Served> {
        let is_of = |served: &&Served| {
            let hop = &self.hops[served.hop];
            (if hop.lines[0].0.starts_with("cmg-") { "gateway" } else { hop.log }) == kind
        };
        self.served.iter().filter(is_of).collect()
    }

    fn put_all(&self, puts: &mut HashMap<Line, Vec<Put>>, served: &[&Served], shares: &[(usize, usize, f64)]) {
        for &(asked, inner, share) in shares {
            let confidence = match share {
                share if share >= 0.9995 => Confidence::Certain,
                share if share >= 0.97 => Confidence::Likely,
                share if share >= 0.005 => Confidence::Possible,
                _ => continue,
            };
            self.put(puts, served[inner], asked, confidence);
        }
    }

    /// Where a line of the token service names its client, what stands before it is that client's.
    fn heed_keys(&self, cells: &mut [(usize, usize, f64)], served: &[&Served], behind: &[(usize, usize, f64)]) {
        let keyed = |inner: usize| Some(&self.hops[served[inner].hop]).filter(|hop| hop.keyed);
        let of_connector = by_first(behind);
        for (asked, connector, fit) in cells {
            for &(inner, share) in of_connector.get(connector).into_iter().flatten() {
                if let Some(hop) = keyed(inner) {
                    let own = self.asked[*asked].flow == hop.flow;
                    *fit *= if own { 1.0 } else { 1.0 - share.min(0.999_9) };
                }
            }
        }
    }

    /// Requests and lines that may be the same, as likely as the way between them says.
    fn cells(&self, served: &[&Served], way: &Way) -> Vec<(usize, usize, f64)> {
        let mut order: Vec<(f64, usize)> =
            self.asked.iter().enumerate().map(|(place, asked)| (asked.start, place)).collect();
        order.sort_by(|one, two| one.0.total_cmp(&two.0));
        let mut cells: Vec<(usize, usize, f64)> = Vec::new();
        let scale = odds_of_density(served);
        for (inner, served) in served.iter().enumerate() {
            let from = order.partition_point(|(at, _)| *at < served.end - 8.0);
            for &(_, place) in order[from..].iter().take_while(|(at, _)| *at <= served.end + 1.0) {
                let asked = &self.asked[place];
                let home = self.homes.get(&asked.client);
                if asked.endpoint == served.endpoint && (served.address.is_none() || served.address.as_ref() == home) {
                    let fit = way.fit(asked, served) * scale;
                    if fit > 1e-4 {
                        cells.push((place, inner, fit));
                    }
                }
            }
        }
        cells
    }
}

/// Lines of two machines of which one hands requests to the other.
fn within(outers: &[&Served], inners: &[&Served], way: &Way) -> Vec<(usize, usize, f64)> {
    let mut order: Vec<(f64, usize)> = outers.iter().enumerate().map(|(place, outer)| (outer.end, place)).collect();
    order.sort_by(|one, two| one.0.total_cmp(&two.0));
    let mut cells = Vec::new();
    let scale = odds_of_density(inners);
    for (place, inner) in inners.iter().enumerate() {
        let from = order.partition_point(|(at, _)| *at < inner.end - 1.0);
        for &(_, outer) in order[from..].iter().take_while(|(at, _)| *at <= inner.end + 3.0) {
            let fit = way.between(outers[outer], inner) * scale;
            if outers[outer].endpoint == inner.endpoint && fit > 1e-4 {
                cells.push((outer, place, fit));
            }
        }
    }
    cells
}

/// What a density a second is worth against that of lines of nobody.
#[allow(clippy::cast_precision_loss)] // counts
fn odds_of_density(served: &[&Served]) -> f64 {
    let times = || served.iter().map(|served| served.end);
    let span = times().fold(f64::MIN, f64::max) - times().fold(f64::MAX, f64::min);
    LEFT / (1.0 - LEFT) / (STRAY * served.len() as f64 / span.max(1.0))
}

fn by_first(shares: &[(usize, usize, f64)]) -> HashMap<usize, Vec<(usize, f64)>> {
    let mut all: HashMap<usize, Vec<(usize, f64)>> = HashMap::new();
    for &(first, second, share) in shares {
        all.entry(first).or_default().push((second, share));
    }
    all
}

/// Two hops in a row.
fn chained(front: &[(usize, usize, f64)], behind: &[(usize, usize, f64)]) -> Vec<(usize, usize, f64)> {
    let behind = by_first(behind);
    let mut chained: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for (asked, between, share) in front {
        for (inner, next) in behind.get(between).into_iter().flatten() {
            *chained.entry((*asked, *inner)).or_insert(0.0) += share * next;
        }
    }
    chained.into_iter().map(|((asked, inner), share)| (asked, inner, share)).collect()
}

/// Shares of pairs of which each side may stay alone: the sum-product algorithm on the graph of odds.
fn balanced(outers: usize, inners: usize, mut cells: Vec<(usize, usize, f64)>) -> Vec<(usize, usize, f64)> {
    let mut free = vec![1.0_f64; cells.len()];
    let wanted = |cells: &[(usize, usize, f64)], free: &[f64]| {
        let mut wanted = vec![0.0; outers];
        cells.iter().zip(free).for_each(|((outer, _, odds), free)| wanted[*outer] += odds * free);
        wanted
    };
    for _ in 0..60 {
        let wanted = wanted(&cells, &free);
        let mut claimed = vec![0.0; inners];
        let claims: Vec<f64> = cells
            .iter()
            .zip(&free)
            .map(|((outer, _, odds), free)| odds / (1.0 + (wanted[*outer] - odds * free).max(0.0)))
            .collect();
        cells.iter().zip(&claims).for_each(|((_, inner, _), claim)| claimed[*inner] += claim);
        for (((_, inner, _), claim), free) in cells.iter().zip(&claims).zip(&mut free) {
            *free = 1.0 / (1.0 + (claimed[*inner] - claim).max(0.0));
        }
    }
    let wanted = wanted(&cells, &free);
    for ((outer, _, odds), free) in cells.iter_mut().zip(free) {
        *odds = *odds * free / (1.0 + wanted[*outer]);
    }
    cells
}

/// Densities of the way from a client to a machine, and of there and back, from many draws of the true law.
struct Way {
    there: Vec<f64>,
    both: Vec<f64>,
}

const STEP: f64 = 0.004;

impl Way {
    /// `besides`: what machines take between two lines, spread evenly, at most.
    fn new(delays: &[Delay], besides: f64) -> Self {
        let mut random = fastrand::Rng::with_seed(17);
        let mut draw = || -> f64 {
            let of = |random: &mut fastrand::Rng, delay: &Delay| {
                let (one, two) = (random.f64().max(1e-12), random.f64());
                let normal = (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos();
                delay.median_ms / 1e3 * (delay.sigma * normal).exp()
            };
            delays.iter().map(|delay| of(&mut random, delay)).sum::<f64>() + random.f64() * besides
        };
        let (mut there, mut both) = (vec![0.0; 500], vec![0.0; 1_000]);
        let draws = 60_000;
        for _ in 0..draws {
            let (one, two) = (draw(), draw());
            add(&mut there, one);
            add(&mut both, one + two);
        }
        let scale = 1.0 / (f64::from(draws) * STEP);
        there.iter_mut().chain(&mut both).for_each(|density| *density *= scale);
        Self { there, both }
    }

    /// Density of an inner line that an outer machine's line stands around. Of a row the second is known in which it
    /// ended.
    fn between(&self, outer: &Served, inner: &Served) -> f64 {
        let took = |served: &Served| served.start.map(|start| served.end - start);
        let took = took(outer).zip(took(inner)).map_or(1.0, |(outer, inner)| at(&self.both, outer - inner) / DURATIONS);
        let gap = outer.end - inner.end;
        let (low, high) = (if outer.coarse { -1.0 } else { -0.05 }, if inner.coarse { 1.2 } else { 0.7 });
        if !(low..high).contains(&gap) {
            return 0.0;
        }
        if outer.coarse || inner.coarse {
            return took / (high - low);
        }
        let front = outer.start.zip(inner.start).map(|(outer, inner)| at(&self.there, inner - outer));
        front.map_or(1.0, |front| front / DURATIONS) * at(&self.there, gap)
    }

    /// Density of a line a second, and how much likelier its duration is than that of anybody's.
    fn fit(&self, asked: &Asked, served: &Served) -> f64 {
        let whole = asked.end.zip(served.start).map(|(end, start)| (end - asked.start) - (served.end - start));
        let took = whole.map_or(1.0, |whole| at(&self.both, whole) / DURATIONS);
        if served.coarse {
            // Of a row the second is known in which it ended.
            let Some(end) = asked.end else {
                let came = served.start.unwrap_or(served.end) - asked.start;
                return if (-1.0..1.7).contains(&came) { 1.0 / 2.7 } else { 0.0 };
            };
            let gap = end - served.end;
            return if (-0.05..1.5).contains(&gap) { took / 1.55 } else { 0.0 };
        }
        let front = served.start.map(|start| at(&self.there, start - asked.start));
        let back = asked.end.map(|end| at(&self.there, end - served.end));
        match (front, back) {
            (Some(front), Some(back)) => front * back / DURATIONS,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => 0.0,
        }
    }
}

/// Density of the duration of anybody's request, a second.
const DURATIONS: f64 = 3.0;

/// Share of the lines that are left, and of those that belong to nobody.
const LEFT: f64 = 0.9;
const STRAY: f64 = 0.02;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and not negative
fn place(value: f64) -> usize {
    (value.max(0.0) / STEP) as usize
}

fn add(densities: &mut [f64], value: f64) {
    if let Some(density) = densities.get_mut(place(value)) {
        *density += 1.0;
    }
}

fn at(densities: &[f64], value: f64) -> f64 {
    if value < -0.01 { 0.0 } else { densities.get(place(value)).copied().unwrap_or(0.0) + 1e-4 }
}
