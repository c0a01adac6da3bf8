//! What joins are held against: a greedy join by time, and an oracle that knows what no log tells.
//!
//! Neither uses the engine's join. Greedy takes for each server's line the nearest request to the same endpoint that
//! nobody has taken, by the clocks as they are. The oracle knows the true times, the law of the delays and every
//! client's address, and balances all at once (Sinkhorn); it says how much is possible.

use std::collections::{BTreeMap, HashMap, HashSet};

use cmgtrail::engine::Trail;
use cmgtrail::events::Event;
use cmgtrail::finding::Confidence;
use cmgtrail::simulate::{Delay, Truth};
use cmgtrail::stage::Mark;
use cmgtrail::time::zoned_instant;

use super::joins::{Hop, Line, Put};

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
            let end = answer.and_then(|answer| stamp(answer)).and_then(|at| {
                [at - offset, at - offset - set]
                    .into_iter()
                    .filter(|at| (start..start + 60.0).contains(at))
                    .reduce(f64::min)
            });
            let client = truth.flows[request.flow].client.clone();
            let raw = stamp(event).unwrap_or(start);
            world.asked.push(Asked { flow: request.flow, endpoint: request.endpoint, client, raw, start, end });
        }
        world.serve(truth, &events);
        world
    }

    fn serve(&mut self, truth: &Truth, events: &HashMap<Line, &Event>) {
        for (number, hop) in self.hops.iter().enumerate().filter(|(_, hop)| hop.log != "CMGService") {
            let lines: Vec<&&Event> = hop.lines.iter().filter_map(|line| events.get(line)).collect();
            let Some(first) = lines.first().and_then(|event| stamp(event)) else { continue };
            let request = &truth.requests[hop.request];
            let times: HashMap<(&str, u32), f64> =
                request.hops.iter().map(|hop| ((hop.source.as_str(), hop.line), instant(&hop.at_true_utc))).collect();
            let time = |event: &Event| times.get(&(&*event.place.file, event.place.line)).copied();
            let coarse = hop.log == "W3SVC1";
            let elapsed = lines.iter().find_map(|event| event.get("elapsed_ms")).and_then(|ms| ms.parse::<f64>().ok());
            let Some(end) =
                lines.iter().rev().find(|event| event.mark() == Mark::Ok || coarse).and_then(|event| time(event))
            else {
                continue;
            };
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

    /// Each line goes to the nearest request that is free.
    pub fn greedy(&self) -> HashMap<Line, Vec<Put>> {
        let mut by_endpoint: HashMap<&str, Vec<(f64, usize)>> = HashMap::new();
        for (place, asked) in self.asked.iter().enumerate() {
            by_endpoint.entry(asked.endpoint).or_default().push((asked.raw, place));
        }
        for all in by_endpoint.values_mut() {
            all.sort_by(|one, two| one.0.total_cmp(&two.0));
        }
        let mut taken: HashSet<(usize, &str)> = HashSet::new();
        let mut order: Vec<&Served> = self.served.iter().collect();
        order.sort_by(|one, two| one.raw.total_cmp(&two.raw));
        let mut puts = HashMap::new();
        for served in order {
            let Some(all) = by_endpoint.get(served.endpoint) else { continue };
            let hop = &self.hops[served.hop];
            let kind = if hop.lines[0].0.starts_with("cmg-") { "gateway" } else { hop.log };
            let middle = all.partition_point(|(at, _)| *at < served.raw);
            let around = all[middle.saturating_sub(60)..(middle + 60).min(all.len())].iter();
            let free = around.filter(|(at, place)| (at - served.raw).abs() < 900.0 && !taken.contains(&(*place, kind)));
            let nearest = free.min_by(|one, two| (one.0 - served.raw).abs().total_cmp(&(two.0 - served.raw).abs()));
            let Some((_, place)) = nearest else { continue };
            taken.insert((*place, kind));
            self.put(&mut puts, served, *place, Confidence::Likely);
        }
        puts
    }

    fn put(&self, puts: &mut HashMap<Line, Vec<Put>>, served: &Served, asked: usize, confidence: Confidence) {
        for line in &self.hops[served.hop].lines {
            let put = Put { flow: self.asked[asked].flow, confidence, by_key: false };
            puts.entry(line.clone()).or_default().push(put);
        }
    }

    /// The best that can be known from true times, the law of the delays and the addresses.
    pub fn oracle(&self, truth: &Truth) -> HashMap<Line, Vec<Put>> {
        let mut puts = HashMap::new();
        let delays = truth.delays;
        let ways: [(&str, Vec<Delay>, f64); 4] = [
            ("gateway", vec![delays.client_cmg], 0.02),
            ("CLOUD_PROXYCONNECTOR", vec![delays.client_cmg, delays.cmg_connector], 0.03),
            ("W3SVC1", vec![delays.client_cmg, delays.cmg_connector, delays.connector_mp], 0.05),
            ("CCM_STS", vec![delays.client_cmg, delays.cmg_connector, delays.connector_mp], 0.06),
        ];
        for (kind, way, besides) in ways {
            let way = Way::new(&way, besides);
            let served: Vec<&Served> = self
                .served
                .iter()
                .filter(|served| {
                    let hop = &self.hops[served.hop];
                    (if hop.lines[0].0.starts_with("cmg-") { "gateway" } else { hop.log }) == kind
                })
                .collect();
            for (served, asked, share) in self.balanced(&served, &way) {
                let confidence = match share {
                    share if share >= 0.9995 => Confidence::Certain,
                    share if share >= 0.96 => Confidence::Likely,
                    share if share >= 0.02 => Confidence::Possible,
                    _ => continue,
                };
                self.put(&mut puts, served, asked, confidence);
            }
        }
        puts
    }

    /// Shares of requests and lines, balanced until both sides fit; each side may stay alone.
    fn balanced<'s>(&self, served: &[&'s Served], way: &Way) -> Vec<(&'s Served, usize, f64)> {
        const ALONE: f64 = 0.02;
        let mut order: Vec<(f64, usize)> =
            self.asked.iter().enumerate().map(|(place, asked)| (asked.start, place)).collect();
        order.sort_by(|one, two| one.0.total_cmp(&two.0));
        let mut cells: Vec<(usize, usize, f64)> = Vec::new();
        for (row, served) in served.iter().enumerate() {
            let from = order.partition_point(|(at, _)| *at < served.end - 8.0);
            for &(_, place) in order[from..].iter().take_while(|(at, _)| *at <= served.end + 1.0) {
                let asked = &self.asked[place];
                let home = self.homes.get(&asked.client);
                if asked.endpoint == served.endpoint && (served.address.is_none() || served.address.as_ref() == home) {
                    let fit = way.fit(asked, served);
                    if fit > 1e-6 {
                        cells.push((row, place, fit));
                    }
                }
            }
        }
        let mut columns = vec![1.0_f64; self.asked.len()];
        let mut rows = vec![1.0_f64; served.len()];
        for _ in 0..30 {
            let mut sums = vec![ALONE; rows.len()];
            for (row, column, fit) in &cells {
                sums[*row] += fit * columns[*column];
            }
            rows.iter_mut().zip(sums).for_each(|(row, sum)| *row = 1.0 / sum);
            let mut sums = vec![ALONE; columns.len()];
            for (row, column, fit) in &cells {
                sums[*column] += fit * rows[*row];
            }
            columns.iter_mut().zip(sums).for_each(|(column, sum)| *column = 1.0 / sum);
        }
        cells.iter().map(|(row, column, fit)| (served[*row], *column, fit * rows[*row] * columns[*column])).collect()
    }
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

    fn fit(&self, asked: &Asked, served: &Served) -> f64 {
        let whole = asked.end.zip(served.start).map(|(end, start)| (end - asked.start) - (served.end - start));
        if served.coarse {
            // The row ended within a second before the answer came.
            let Some(end) = asked.end else { return at(&self.there, (served.end - asked.start).rem_euclid(1.0)) * 0.1 };
            let gap = end - served.end;
            let within = (-0.01..0.7).contains(&gap) || (0.0..1.7).contains(&gap);
            return if within { whole.map_or(0.1, |whole| at(&self.both, whole)) } else { 0.0 };
        }
        let front = served.start.map_or(1.0, |start| at(&self.there, start - asked.start));
        let back = asked.end.map_or(1.0, |end| at(&self.there, end - served.end));
        front * back
    }
}

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
