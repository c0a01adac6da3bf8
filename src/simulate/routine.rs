//! What servers write of others than the site's clients: scanners on the internet, negotiation on the intranet.

use super::journal::Place;
use super::lines::Value;
use super::run::Run;
use super::{MINUTE, SECOND};
use crate::time::Micros;

/// Agents of scanners, and what they look for.
const SCANS: [(&str, &str); 6] = [
    ("python-requests/2.31.0", "/CCM_STS"),
    ("Mozilla/5.0+zgrab/0.x", "/"),
    ("Go-http-client/1.1", "/.env"),
    ("curl/7.88.1", "/robots.txt"),
    ("python-requests/2.28.2", "/.git/config"),
    ("masscan/1.3", "/admin/login"),
];

/// Writes it all.
pub(super) fn write(run: &mut Run<'_>) {
    let world = run.world;
    for instance in 0..world.gateway.machines.len() {
        each(run, 18 * MINUTE, |run, at| {
            let (agent, path) = run.random.pick(&SCANS);
            let from = format!(
                "{}.{}.{}.{}",
                run.random.between(11, 223),
                run.random.below(256),
                run.random.below(256),
                run.random.below(255)
            );
            let ip = world.gateway.ips.get(instance).cloned().unwrap_or_default();
            row(run, world.gateway_machine(instance), at, [&ip, "GET", path, &from, agent], [404, 0, 2]);
        });
    }
    for point in 0..world.points.len() {
        each(run, 6 * MINUTE, |run, at| negotiation(run, point, at));
    }
}

/// Calls `what` at random times, so far apart in the mean.
fn each(run: &mut Run<'_>, apart: Micros, mut what: impl FnMut(&mut Run<'_>, Micros)) {
    let mut at = run.world.start;
    loop {
        #[allow(clippy::cast_precision_loss)] // minutes
        let step = run.random.until_next(1e6 / apart as f64);
        at += step;
        if at >= run.world.end {
            return;
        }
        what(run, at);
    }
}

/// A client of the intranet: refused once as negotiation goes, then served (failure catalogue, F12).
fn negotiation(run: &mut Run<'_>, point: usize, at: Micros) {
    let world = run.world;
    let ip = world.points.get(point).map(|point| point.ip.clone()).unwrap_or_default();
    let from = format!("10.40.{}.{}", run.random.between(1, 250), run.random.between(2, 250));
    let machine = world.point_machine(point);
    let path = "/ccm_system_windowsauth/request";
    row(run, machine, at, [&ip, "CCM_POST", path, &from, "ccmhttp"], [401, 2, 5]);
    let served = at + run.random.between(20, 400) * SECOND / 1_000;
    row(run, machine, served, [&ip, "CCM_POST", path, &from, "ccmhttp"], [200, 0, 0]);
}

fn row(
    run: &mut Run<'_>,
    machine: usize,
    at: Micros,
    [ip, method, stem, from, agent]: [&str; 5],
    [status, substatus, win32]: [u16; 3],
) {
    let elapsed = run.random.between(1, 60);
    let work = run.journal.work();
    let values: [Value<'_>; 10] = [
        ("s-ip", &ip),
        ("method", &method),
        ("stem", &stem),
        ("query", &"-"),
        ("c-ip", &from),
        ("agent", &agent),
        ("status", &status),
        ("substatus", &substatus),
        ("win32", &win32),
        ("ms", &elapsed),
    ];
    run.journal.write(Place { machine, log: "iis", at, work, owner: None }, "w3c", &values);
}
