//! The connection point: turns what the gateway hands it into requests to a management point.

use super::lines::Value;
use super::management_point::{self, Served};
use super::request::{Answer, Credential, Request, reason};
use super::run::Run;
use super::{MINUTE, SECOND};
use crate::stage::Stage;
use crate::time::Micros;

/// Length of the window of the traffic report (log catalogue, section 2.6).
const REPORT: Micros = 5 * MINUTE;

/// Hands a request that arrives at `at` to its management point.
pub(super) fn forward(run: &mut Run<'_>, request: &Request, at: Micros) -> Answer {
    let world = run.world;
    let Some(client) = world.clients.get(request.client) else { return Answer { at, result: Ok(()) } };
    let Some(point) = world.points.get(client.point) else { return Answer { at, result: Ok(()) } };
    let machine = world.connector_machine();
    let work = run.journal.work();
    let message = run.random.guid();
    let (_, stem, query) = request.endpoint.outside(world, client);
    let inside = format!("{}.{}", point.machine.host.to_lowercase(), world.site.domain);
    let (_, path, inner_query) = request.endpoint.inside();
    let internal = match inner_query {
        "-" => format!("https://{inside}{path}"),
        query => format!("https://{inside}{path}?{query}"),
    };
    let external = match query.as_str() {
        "" => format!("https://{}{stem}", client.cmg),
        query => format!("https://{}{stem}?{query}", client.cmg),
    };
    let values: [Value<'_>; 2] = [("external", &external), ("internal", &internal)];
    run.say((machine, "connector", at), work, request, Stage::ConnectorForward, "switched", &values);
    let sent = at + run.random.between(2, 25) * 1_000;
    let values: [Value<'_>; 2] = [("message", &message), ("internal", &internal)];
    run.say((machine, "connector", sent), work, request, Stage::ConnectorForward, "forwarding", &values);

    let shown = shows_certificate(run, request, work, sent);
    let there = sent + run.delay(world.delays.connector_mp);
    let served = management_point::serve(run, request, there, shown);
    let back = served.at + run.delay(world.delays.connector_mp);
    let answered = report(run, request, (machine, work), (sent, back), (&message, &internal), &served);
    count(run, request, at, served.refusal.is_some());
    Answer { at: answered, result: served.refusal.map_or(Ok(()), Err) }
}

/// The lines on the answer; returns when it goes back to the gateway.
fn report(
    run: &mut Run<'_>,
    request: &Request,
    (machine, work): (usize, u32),
    (sent, back): (Micros, Micros),
    (message, internal): (&str, &str),
    served: &Served,
) -> Micros {
    let stage = Stage::ConnectorForward;
    if served.refusal.as_ref().is_none_or(|refusal| refusal.stage() != stage) {
        run.passed(request.flow, stage);
    }
    let (status, bytes) = (served.status, served.bytes);
    let text = reason(status);
    let values: [Value<'_>; 4] =
        [("message", &message), ("internal", &internal), ("status", &status), ("reason", &text)];
    let line = if status == 200 { "received-response" } else { "web-exception" };
    run.say((machine, "connector", back), work, request, stage, line, &values);
    let elapsed = (back - sent) / 1_000;
    let end = back + run.random.between(1, 20) * 1_000;
    let endpoint = request.endpoint.name();
    let values: [Value<'_>; 7] = [
        ("message", &message),
        ("internal", &internal),
        ("endpoint", &endpoint),
        ("status", &status),
        ("reason", &text),
        ("bytes", &bytes),
        ("ms", &elapsed),
    ];
    run.say((machine, "connector", end), work, request, stage, "message-done", &values);
    end
}

/// Looks for a certificate to show to an HTTPS management point, and says in the log what it finds. Lines of a search
/// that finds one are of every hour; of one that finds none, of every request.
fn shows_certificate(run: &mut Run<'_>, request: &Request, work: u32, at: Micros) -> bool {
    let world = run.world;
    let connector = &world.connector;
    let point = world.clients.get(request.client).map_or(0, |client| client.point);
    let has = match run.decisions.forward(world, point, at) {
        Some("connector-client-certificate-missing") => false,
        Some("connector-chain-revocation-offline") => true,
        _ => return true,
    };
    let machine = world.connector_machine();
    let say = |run: &mut Run<'_>, after: Micros, line: &str, values: &[Value<'_>]| {
        run.say((machine, "connector", at + after * 1_000), work, request, Stage::ConnectorForward, line, values);
    };
    let held = 1 + usize::from(has);
    let good = 1;
    say(run, 1, "certificate-count", &[("filter", &"digital signature"), ("count", &held)]);
    if has {
        let thumb = connector.certificate.thumbprint();
        say(run, 1, "chain-build-failed", &[("thumb", &thumb)]);
        say(run, 1, "chain-status", &[("index", &0), ("status", &"RevocationStatusUnknown")]);
        say(run, 1, "chain-status", &[("index", &1), ("status", &"OfflineRevocation")]);
    }
    say(run, 2, "certificate-count", &[("filter", &"allowed root CA"), ("count", &good)]);
    say(run, 2, "certificate-count", &[("filter", &"private key"), ("count", &good)]);
    say(run, 3, "certificate-count", &[("filter", &"client auth"), ("count", &0)]);
    let other = connector.other_certificate.thumbprint();
    say(run, 3, "not-client-auth", &[("thumb", &other)]);
    false
}

fn count(run: &mut Run<'_>, request: &Request, at: Micros, failed: bool) {
    let point = run.world.clients.get(request.client).map_or(0, |client| client.point);
    let traffic = run.traffic.entry((at.div_euclid(REPORT), request.endpoint.name(), point)).or_default();
    traffic.total += 1;
    traffic.bearer += u64::from(!matches!(request.credential, Credential::Nothing | Credential::Certificate));
    traffic.failed += u64::from(failed);
}

/// Heartbeats, failed connections, and the traffic report every five minutes, from the first minute to the last.
pub(super) fn write_routine(run: &mut Run<'_>) {
    let world = run.world;
    let connector = &world.connector;
    let work = run.journal.work();
    let mut at = world.start + run.random.between(0, 59) * SECOND;
    let mut port = 10_140;
    while at < world.end {
        let running = *connector.running.at(at);
        let say = |run: &mut Run<'_>, line: &str, values: &[Value<'_>]| {
            let place =
                super::journal::Place { machine: world.connector_machine(), log: "connector", at, work, owner: None };
            run.journal.write(place, line, values);
        };
        match (running, *connector.role_certificate.at(at), *connector.ports_open.at(at)) {
            (false, _, _) => {}
            (true, false, _) => say(run, "role-certificate-missing", &[]),
            (true, true, false) => {
                let connection = run.random.guid();
                say(
                    run,
                    "connection-failed",
                    &[("connection", &connection), ("cmg", &world.gateway.host), ("port", &port)],
                );
                port = if port == 10_155 { 10_140 } else { port + 1 };
            }
            (true, true, true) => say(run, "maintaining", &[]),
        }
        at += MINUTE + run.random.between(-40, 40) * 1_000;
    }
    write_reports(run);
}

fn write_reports(run: &mut Run<'_>) {
    let world = run.world;
    let traffic = std::mem::take(&mut run.traffic);
    let mut window = world.start.div_euclid(REPORT);
    while window * REPORT < world.end {
        let (from, to) = (window * REPORT, (window + 1) * REPORT);
        if !world.connector.running.at(to) {
            break;
        }
        let line = super::lines::lines().line("traffic-endpoint");
        let mut endpoints = String::new();
        let mut most = 0;
        for ((_, endpoint, point), traffic) in traffic.range((window, "", 0)..(window + 1, "", 0)) {
            let Some(point) = world.points.get(*point) else { continue };
            let mp = format!("{}.{}", point.machine.host.to_lowercase(), world.site.domain);
            let values: [Value<'_>; 6] = [
                ("endpoint", endpoint),
                ("cmg", &world.gateway.host),
                ("mp", &mp),
                ("total", &traffic.total),
                ("bearer", &traffic.bearer),
                ("failed", &traffic.failed),
            ];
            endpoints.push_str(&super::lines::lines().fill(line, &values));
            most += traffic.total;
        }
        let server = format!("{}.{}", world.connector.machine.host, world.site.domain);
        let (from, to_text) = (super::us_date_time(from), super::us_date_time(to));
        let concurrent = 1 + most / 100;
        let values: [Value<'_>; 5] = [
            ("server", &server),
            ("from", &from),
            ("to", &to_text),
            ("concurrent", &concurrent),
            ("endpoints", &endpoints),
        ];
        let at = to + run.random.between(1, 20) * SECOND;
        let work = run.journal.work();
        let place =
            super::journal::Place { machine: world.connector_machine(), log: "connector", at, work, owner: None };
        run.journal.write(place, "traffic", &values);
        window += 1;
    }
}
