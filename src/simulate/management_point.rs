//! The management point: IIS, the token service and the registration manager, with the site's database behind them.

use super::decide::EntraToken;
use super::facts::{ClientFacts, PointFacts};
use super::lines::Value;
use super::request::{Credential, Endpoint, Refusal, Request};
use super::run::Run;
use crate::stage::Stage;
use crate::time::Micros;

/// All zeros: no user, in the logs of a device's token.
pub(super) const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// How the management point answered.
#[derive(Debug, Clone)]
pub(super) struct Served {
    /// When the answer left it.
    pub at: Micros,
    /// Status that the connection point sees.
    pub status: u16,
    /// Bytes of the body.
    pub bytes: i64,
    pub refusal: Option<Refusal>,
}

/// What IIS and what stands behind it make of a request: status that IIS logs, substatus, Win32 code.
struct Verdict {
    iis: (u16, u16, u32),
    /// Status that the connection point sees.
    status: u16,
    refusal: Option<Refusal>,
}

impl Verdict {
    const fn refused(iis: (u16, u16, u32), status: u16, refusal: Refusal) -> Self {
        Self { iis, status, refusal: Some(refusal) }
    }
}

/// Serves a request that arrives at `at`; `shown`: the connection point showed a client certificate, or none is asked.
pub(super) fn serve(run: &mut Run<'_>, request: &Request, at: Micros, shown: bool) -> Served {
    let world = run.world;
    let Some(client) = world.clients.get(request.client) else {
        return Served { at, status: 200, bytes: 0, refusal: None };
    };
    let Some(point) = world.points.get(client.point) else {
        return Served { at, status: 200, bytes: 0, refusal: None };
    };
    let (end, verdict) = match web_server(run, request, (client, point), at, shown) {
        Some(verdict) => (at + run.random.between(1, 40) * 1_000, verdict),
        None => application(run, request, (client, point), at),
    };
    let (method, stem, query) = request.endpoint.inside();
    let (status, substatus, win32) = verdict.iis;
    let elapsed = (end - at) / 1_000;
    let agent = request.agent.replace(' ', "+");
    let values: [Value<'_>; 10] = [
        ("s-ip", &point.ip),
        ("method", &method),
        ("stem", &stem),
        ("query", &query),
        ("c-ip", &world.connector.ip),
        ("agent", &agent),
        ("status", &status),
        ("substatus", &substatus),
        ("win32", &win32),
        ("ms", &elapsed),
    ];
    let work = run.journal.work();
    let place = (world.point_machine(client.point), "iis", end);
    let stage = verdict.refusal.as_ref().map_or(Stage::MpValidate, Refusal::stage);
    let stage = if stage == Stage::Registration { Stage::MpValidate } else { stage };
    run.say(place, work, request, stage, "w3c", &values);
    let bytes = if verdict.status == 200 { run.random.between(400, 6_000) } else { 0 };
    Served { at: end, status: verdict.status, bytes, refusal: verdict.refusal }
}

/// What IIS answers by itself, before any application sees the request.
fn web_server(
    run: &mut Run<'_>,
    request: &Request,
    (client, point): (&ClientFacts, &PointFacts),
    at: Micros,
    shown: bool,
) -> Option<Verdict> {
    let forbidden = |text| Refusal::status(Stage::MpValidate, 403, Some(text));
    if !shown {
        let refusal = Refusal::status(Stage::ConnectorForward, 403, Some("CMGConnector_Clientcertificaterequired"));
        return Some(Verdict::refused((403, 7, 0), 403, refusal));
    }
    let failure = run.decisions.web_server(run.world, client.point, at).or_else(|| {
        let is_sts = request.endpoint == Endpoint::Sts;
        is_sts.then(|| run.decisions.token_service(run.world, client.point, at)).flatten()
    });
    match failure? {
        "mp-compression-scheme-broken" => {
            let refusal = Refusal::status(Stage::MpValidate, 500, Some("CMGConnector_InternalServerError"));
            Some(Verdict::refused((500, 19, 126), 500, refusal))
        }
        "mp-binding-wrong" => Some(Verdict::refused((403, 0, 0), 403, forbidden("CMGConnector_Forbidden"))),
        "mp-redirect-on-sts" => {
            let refusal = Refusal::status(Stage::MpValidate, 401, Some("CMGConnector_Unauthorized"));
            Some(Verdict::refused((302, 0, 0), 401, refusal))
        }
        "sts-not-running" => {
            let status = point.token_service_status;
            // How the client's log words 404 and 503 is not public.
            Some(Verdict::refused((status, 0, 0), status, Refusal::status(Stage::MpValidate, status, None)))
        }
        // The application itself finds out what else there is.
        _ => None,
    }
}

/// What the application behind IIS does; returns when it is done.
fn application(
    run: &mut Run<'_>,
    request: &Request,
    (client, point): (&ClientFacts, &PointFacts),
    at: Micros,
) -> (Micros, Verdict) {
    let delays = run.world.delays;
    match &request.endpoint {
        Endpoint::Sts => token_service(run, request, (client, point), at),
        Endpoint::Message("MP_ClientRegistration") => {
            let end = at + run.delay(delays.message) + 300_000;
            let accepted = register(run, request, (client, point), at);
            let refusal = (!accepted).then_some(Refusal::Registration);
            run.passed(request.flow, Stage::MpValidate);
            (end, Verdict { iis: (200, 0, 0), status: 200, refusal })
        }
        _ => {
            run.passed(request.flow, Stage::MpValidate);
            (at + run.delay(delays.message), Verdict { iis: (200, 0, 0), status: 200, refusal: None })
        }
    }
}

/// `CCM_STS`: takes an Entra token, gives a CCM token.
fn token_service(
    run: &mut Run<'_>,
    request: &Request,
    (client, point): (&ClientFacts, &PointFacts),
    at: Micros,
) -> (Micros, Verdict) {
    let world = run.world;
    let machine = world.point_machine(client.point);
    let work = run.journal.work();
    let whole = run.delay(world.delays.token_service).max(30_000);
    let end = at + whole;
    let part = |share: i64| at + whole * share / 100;
    let mp = format!("{}.{}", point.machine.host.to_lowercase(), world.site.domain);
    let say = |run: &mut Run<'_>, at: Micros, stage: Stage, line: &str, values: &[Value<'_>]| {
        run.say((machine, "sts", at), work, request, stage, line, values);
    };
    let unauthorized = Refusal::status(Stage::MpValidate, 401, Some("CMGConnector_Unauthorized"));
    say(run, part(2), Stage::MpValidate, "sts-start", &[]);
    say(run, part(5), Stage::MpValidate, "sts-url", &[("mp", &mp)]);
    let failure = run.decisions.token_service(world, client.point, at);
    if failure == Some("sts-library-mismatch") {
        let version = &"4.0.20622.1351";
        say(run, part(20), Stage::MpValidate, "sts-exception", &[("version", version)]);
        let refusal = Refusal::status(Stage::MpValidate, 500, Some("CMGConnector_InternalServerError"));
        return (end, Verdict::refused((500, 0, 0), 500, refusal));
    }
    if failure == Some("mp-cannot-reach-entra") {
        let end = end + run.random.between(15, 25) * 1_000_000;
        run.say((machine, "sts-managed", end - 20_000), work, request, Stage::MpValidate, "sts-mise", &[]);
        // That the status is 500 is inferred; of the client's log only the code is documented (failure catalogue, G4).
        let refusal =
            Refusal::Status { stage: Stage::MpValidate, status: 500, text: None, hresult: Refusal::TRANSIENT };
        return (end, Verdict::refused((500, 0, 0), 500, refusal));
    }
    let Credential::Entra(token) = &request.credential else {
        return (end, Verdict::refused((401, 0, 0), 401, unauthorized));
    };
    let clock = at + point.machine.offset;
    if !run.decisions.point_admits(world, token, at, clock) {
        let (valid_to, now) = (super::us_date_time(token.expires), super::us_date_time(clock));
        say(run, part(60), Stage::MpValidate, "sts-expired", &[("valid-to", &valid_to), ("now", &now)]);
        return (end, Verdict::refused((401, 0, 0), 401, unauthorized));
    }
    validated(run, request, client, token, (machine, work, part(50)));
    if token.of_user && !run.decisions.knows_user(world, request.client, at) {
        // How CCM_STS words this is not public: its log stops here. That the status is 401 is inferred.
        let text = Some("CMGConnector_Unauthorized");
        let refusal = Refusal::Status { stage: Stage::MpValidate, status: 401, text, hresult: Refusal::TRANSIENT };
        return (end, Verdict::refused((401, 0, 0), 401, refusal));
    }
    issue(run, request, client, token, (machine, work), [part(70), part(85), part(92)]);
    run.passed(request.flow, Stage::MpValidate);
    (end, Verdict { iis: (200, 0, 0), status: 200, refusal: None })
}

const fn kind(token: &EntraToken) -> &'static str {
    if token.of_user { "UDA" } else { "Device" }
}

fn validated(
    run: &mut Run<'_>,
    request: &Request,
    client: &ClientFacts,
    token: &EntraToken,
    (machine, work, at): (usize, u32, Micros),
) {
    let tenant = run.world.site.tenants.get(client.tenant).map(|tenant| tenant.id.clone()).unwrap_or_default();
    let user = client.user.as_ref().filter(|_| token.of_user);
    let id = user.map_or(NO_ID, |user| user.object_id.as_str());
    let sid = user.filter(|user| user.hybrid).map_or("", |user| user.sid.as_str());
    let kind = kind(token);
    let values: [Value<'_>; 5] =
        [("kind", &kind), ("tenant", &tenant), ("user", &id), ("device", &client.device_id), ("user-sid", &sid)];
    run.say((machine, "sts", at), work, request, Stage::MpValidate, "sts-validated", &values);
    run.say((machine, "sts", at + 5_000), work, request, Stage::MpValidate, "sts-kind", &[("kind", &kind)]);
}

fn issue(
    run: &mut Run<'_>,
    request: &Request,
    client: &ClientFacts,
    token: &EntraToken,
    (machine, work): (usize, u32),
    [created, issued, returned]: [Micros; 3],
) {
    let site = &run.world.site;
    // The id at bootstrap need not be that of the registration (log catalogue, section 3.4).
    let id = if client.installs { &client.bootstrap_id } else { &client.client_id };
    let kind = kind(token);
    let values: [Value<'_>; 4] =
        [("kind", &kind), ("hierarchy", &site.hierarchy), ("site-user", &client.site_user), ("client", id)];
    let last = if site.long_return { "sts-returned-long" } else { "sts-returned" };
    run.say((machine, "sts", created), work, request, Stage::MpValidate, "sts-created", &values);
    if !site.long_return {
        run.say((machine, "sts", issued), work, request, Stage::CcmTokenIssue, "sts-issued", &[]);
    }
    run.say((machine, "sts", returned), work, request, Stage::CcmTokenIssue, last, &values);
}

/// The registration manager. True where the database takes the client.
fn register(run: &mut Run<'_>, request: &Request, (client, point): (&ClientFacts, &PointFacts), at: Micros) -> bool {
    let world = run.world;
    let machine = world.point_machine(client.point);
    let work = run.journal.work();
    let tenant = world.site.tenants.get(client.tenant).map(|tenant| tenant.id.clone()).unwrap_or_default();
    let (thumb, name) = (client.certificate.thumbprint(), client.machine.host.clone());
    let certificate: [Value<'_>; 2] = [("thumb", &thumb), ("cn", &name)];
    let mut next = at + 10_000;
    let mut say = |run: &mut Run<'_>, line: &str, values: &[Value<'_>]| {
        run.say((machine, "mp-registration", next), work, request, Stage::Registration, line, values);
        next += run.random.between(5, 60) * 1_000;
    };
    say(run, "mp-registration-request", &[("client", &client.client_id)]);
    say(run, "mp-certificate-begin", &certificate);
    // The certificate is looked at even where the client comes with an Entra token (failure catalogue, H1).
    if !run.decisions.takes_certificate(world, request.client, at + point.machine.offset) {
        say(run, "mp-certificate-expired", &certificate);
        say(run, "mp-registration-invalid", &[]);
        say(run, "mp-registration-failed", &[]);
        return false;
    }
    say(run, "mp-certificate-done", &certificate);
    say(run, "mp-registering", &[("device", &client.device_id), ("tenant", &tenant)]);
    say(run, "mp-registration-ended", &[("state", &0)]);
    true
}
