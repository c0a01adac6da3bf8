//! The gateway: takes requests, checks their credentials, answers what it can and forwards the rest.

use super::connection_point;
use super::facts::World;
use super::request::{Answer, Credential, Endpoint, Refusal, Request};
use super::run::Run;
use super::{MINUTE, SECOND};
use crate::stage::Stage;
use crate::time::Micros;

/// Length of the window of a counter. The catalogue does not say it.
pub(super) const WINDOW: Micros = MINUTE;

/// Takes a request that arrives at `at`.
pub(super) fn receive(run: &mut Run<'_>, request: &Request, at: Micros) -> Answer {
    let world = run.world;
    let instance = run.random.below(world.gateway.machines.len());
    let answer = if let Err(refusal) = admit(run, request, instance, at) {
        Answer { at: at + run.random.between(2, 12) * 1_000, result: Err(refusal) }
    } else {
        run.passed(request.flow, Stage::CmgReceive);
        answer(run, request, at)
    };
    write(run, request, instance, at, &answer);
    answer
}

/// Whether the credential is good here.
fn admit(run: &mut Run<'_>, request: &Request, instance: usize, at: Micros) -> std::result::Result<(), Refusal> {
    const INVALID: Refusal = Refusal::status(Stage::CmgReceive, 401, Some("CMGService_Invalid_Token"));
    let world = run.world;
    match &request.credential {
        Credential::Nothing | Credential::Ccm => Ok(()),
        Credential::Certificate if run.decisions.gateway_trusts(world, request.client, at) => Ok(()),
        Credential::Certificate => Err(Refusal::status(Stage::CmgReceive, 401, Some("Unauthorized"))),
        Credential::Registration(token) if run.decisions.gateway_admits_registration(world, token, at) => Ok(()),
        Credential::Registration(_) => Err(INVALID),
        Credential::Entra(token) if run.decisions.gateway_admits(world, token, at) => Ok(()),
        Credential::Entra(token) => {
            let url = url(world, request);
            let place = (world.gateway_machine(instance), "cmg-service", at + 3_000);
            let work = run.journal.work();
            let values: [super::lines::Value<'_>; 3] =
                [("url", &url), ("issuer", &token.issuer), ("audience", &token.audience)];
            run.say(place, work, request, Stage::CmgReceive, "token-refused-by-cmg", &values);
            Err(INVALID)
        }
    }
}

/// The request's address on the gateway.
fn url(world: &World, request: &Request) -> String {
    let Some(client) = world.clients.get(request.client) else { return String::new() };
    let (_, stem, _) = request.endpoint.outside(world, client);
    format!("https://{}{stem}", client.cmg)
}

/// Answers what the gateway can answer, and forwards the rest.
fn answer(run: &mut Run<'_>, request: &Request, at: Micros) -> Answer {
    let world = run.world;
    match &request.endpoint {
        Endpoint::AadInfo | Endpoint::ServiceMetadata => {
            Answer { at: at + run.random.between(10, 60) * 1_000, result: Ok(()) }
        }
        Endpoint::Content(_) => Answer { at: at + run.random.between(60, 900) * 1_000, result: Ok(()) },
        _ => {
            if run.decisions.channel(world, at) {
                run.passed(request.flow, Stage::CmgForward);
                let way = world.delays.cmg_connector;
                let there = at + run.delay(way);
                let mut answer = connection_point::forward(run, request, there);
                answer.at += run.delay(way);
                return answer;
            }
            // Status and text of a gateway without a connection point are not public; the client's log shows none.
            let refusal = Refusal::status(Stage::CmgForward, 503, None);
            Answer { at: at + run.random.between(8, 30) * SECOND, result: Err(refusal) }
        }
    }
}

/// The IIS line, written when the request is done, and the counters.
fn write(run: &mut Run<'_>, request: &Request, instance: usize, at: Micros, answer: &Answer) {
    let world = run.world;
    let (Some(client), Some(ip)) = (world.clients.get(request.client), world.gateway.ips.get(instance)) else { return };
    let (method, stem, query) = request.endpoint.outside(world, client);
    let status = match &answer.result {
        Err(Refusal::Status { status, .. }) => *status,
        _ => 200,
    };
    let forwarded = !matches!(request.endpoint, Endpoint::AadInfo | Endpoint::ServiceMetadata | Endpoint::Content(_));
    let unanswered = matches!(&answer.result, Err(Refusal::Status { stage: Stage::CmgForward, .. }));
    let elapsed = (answer.at - at) / 1_000;
    let agent = request.agent.replace(' ', "+");
    let query = if query.is_empty() { "-" } else { query.as_str() };
    let work = run.journal.work();
    let place = (world.gateway_machine(instance), "iis", answer.at);
    let values: [super::lines::Value<'_>; 10] = [
        ("s-ip", ip),
        ("method", &method),
        ("stem", &stem),
        ("query", &query),
        ("c-ip", &client.ip),
        ("agent", &agent),
        ("status", &status),
        ("substatus", &0),
        ("win32", &0),
        ("ms", &elapsed),
    ];
    run.say(place, work, request, Stage::CmgReceive, "w3c", &values);
    if forwarded {
        count(run, instance, &stem, (at, answer.at), !unanswered);
    }
}

fn count(run: &mut Run<'_>, instance: usize, stem: &str, (at, answered): (Micros, Micros), responded: bool) {
    let path = stem
        .replace("CCM_Proxy_ServerAuth", "CCM_PROXY_SERVERAUTH")
        .replace("CCM_Proxy_MutualAuth", "CCM_PROXY_MUTUALAUTH");
    let request_bytes = u64::try_from(run.random.between(900, 4_000)).unwrap_or_default();
    let response_bytes = u64::try_from(run.random.between(300, 9_000)).unwrap_or_default();
    let counter = run.counters.entry((instance, at.div_euclid(WINDOW), path)).or_default();
    counter.requests += 1;
    counter.request_bytes += request_bytes;
    if responded {
        counter.responses += 1;
        counter.response_bytes += response_bytes;
        counter.elapsed_ms += u64::try_from((answered - at) / 1_000).unwrap_or_default();
    }
}

/// Writes the counters of all windows, each when its window is over.
pub(super) fn write_counters(run: &mut Run<'_>) {
    let counters = std::mem::take(&mut run.counters);
    for ((instance, window, path), counter) in counters {
        let machine = run.world.gateway_machine(instance);
        let at = (window + 1) * WINDOW + run.random.between(5, 900) * 1_000;
        let work = run.journal.work();
        let average = counter.elapsed_ms / counter.responses.max(1);
        let values: [super::lines::Value<'_>; 6] = [
            ("path", &path),
            ("requests", &counter.requests),
            ("request-bytes", &counter.request_bytes),
            ("responses", &counter.responses),
            ("response-bytes", &counter.response_bytes),
            ("ms", &average),
        ];
        let place = super::journal::Place { machine, log: "cmg-service", at, work, owner: None };
        run.journal.write(place, "counter", &values);
    }
}
