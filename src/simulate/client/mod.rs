//! The client: what it does, step by step, and what its logs say of it.

mod entra;
mod install;
mod registration;
mod service;

use super::facts::ClientFacts;
use super::gateway;
use super::journal::{NONE, Owner, Place};
use super::lines::{Value, lines};
use super::request::{Credential, Endpoint, Refusal, Request};
use super::run::Run;
use crate::error::Result;
use crate::stage::Stage;
use crate::time::Micros;

/// Account of the machine, for which device tokens are kept.
const SYSTEM: &str = "S-1-5-18";

/// A client's whole life in the simulated time: installation and registration where it installs, then messages.
/// `per_second`: messages of this client.
pub(super) fn live(run: &mut Run<'_>, client: usize, retries: bool, per_second: f64) -> Result<()> {
    let world = run.world;
    let Some(facts) = world.clients.get(client) else { return Ok(()) };
    let mut token = None;
    let mut from = world.start + run.random.between(0, 600) * super::SECOND;
    if facts.installs {
        let begins = match facts.begins_after {
            Some(after) => after + run.random.between(3, 15) * super::MINUTE,
            None => {
                world.start + run.random.between(0, super::world::install_window(world) / 1_000_000) * super::SECOND
            }
        };
        let Some((ended, issued)) = install::install(run, client, begins, retries)? else { return Ok(()) };
        token = issued;
        let Some(ended) = registration::register(run, client, ended, &mut token)? else { return Ok(()) };
        from = ended + run.random.between(20, 120) * super::SECOND;
    }
    service::serve(run, client, (from, world.end), token, per_second)
}

/// The CCM token in a client's cache.
#[derive(Debug, Clone)]
struct CcmToken {
    expires: Micros,
    sid: String,
}

/// Life of a CCM token (log catalogue, section 2.9).
const TOKEN_LIFE: Micros = 8 * super::HOUR;

/// A client on its way through one attempt of a flow.
struct Walk<'r, 'w> {
    run: &'r mut Run<'w>,
    client: usize,
    facts: &'w ClientFacts,
    flow: u32,
    attempt: u32,
    at: Micros,
    log: &'static str,
    work: u32,
    /// Whether it asks for revocation lists now.
    checks_lists: bool,
}

impl<'r, 'w> Walk<'r, 'w> {
    fn new(
        run: &'r mut Run<'w>,
        client: usize,
        facts: &'w ClientFacts,
        flow: u32,
        at: Micros,
        log: &'static str,
    ) -> Self {
        let attempt = run.attempt(flow);
        let work = run.journal.work();
        Self { run, client, facts, flow, attempt, at, log, work, checks_lists: false }
    }

    /// Writes a line into the log at hand; a few milliseconds pass.
    fn say(&mut self, line: &str, stage: Stage, values: &[Value<'_>]) {
        self.say_of(line, stage, NONE, values);
    }

    fn say_of(&mut self, line: &str, stage: Stage, request: u32, values: &[Value<'_>]) {
        let owner = Owner { flow: self.flow, attempt: self.attempt, request, stage };
        let place = Place { machine: self.client, log: self.log, at: self.at, work: self.work, owner: Some(owner) };
        self.run.journal.write(place, line, values);
        self.at += self.run.random.between(1_000, 40_000);
    }

    /// Lets so many milliseconds pass.
    fn pause(&mut self, least: i64, most: i64) {
        self.at += self.run.random.between(least * 1_000, most * 1_000);
    }

    fn passed(&mut self, stage: Stage) {
        self.run.passed(self.flow, stage);
    }

    fn role_id(&self) -> u64 {
        self.run.world.points.get(self.facts.point).map_or(0, |point| point.role_id)
    }

    /// Sends a request through the gateway, with what the log says of it, and waits for the answer.
    fn ask(&mut self, endpoint: Endpoint, credential: Credential, stage: Stage) -> std::result::Result<(), Refusal> {
        let world = self.run.world;
        let (_, stem, query) = endpoint.outside(world, self.facts);
        let number = self.run.request(self.attempt, endpoint.name());
        let path = if query.is_empty() { stem } else { format!("{stem}?{query}") };
        let url = format!("https://{}{path}", self.facts.cmg);
        let agent = match endpoint {
            Endpoint::Content(_) => "ccmsetup",
            _ => "SMS CCM 5.0",
        };
        self.announce(agent, &path, &url, (number, stage), matches!(credential, Credential::Ccm));
        let mask = self.run.decisions.handshake(world, self.client, self.at, self.checks_lists);
        if mask != 0 {
            self.pause(60, 400);
            self.secure_failure(mask, &url, number);
            return Err(Refusal::Handshake(mask));
        }
        self.passed(Stage::CmgConnection);
        let request = Request {
            flow: self.flow,
            attempt: self.attempt,
            number,
            client: self.client,
            endpoint,
            credential,
            agent,
        };
        let sent = self.at + self.run.delay(world.delays.client_cmg);
        let answer = gateway::receive(self.run, &request, sent);
        self.at = answer.at + self.run.delay(world.delays.client_cmg);
        if let Err(Refusal::Status { stage, status, text, hresult }) = &answer.result {
            // Where no public sample shows the status text, the log shows the bare code.
            if text.is_some() || *hresult == Refusal::BAD_STATUS {
                let values: [Value<'_>; 3] = [("url", &url), ("code", &0), ("name", &"CCM_E_BAD_HTTP_STATUS_CODE")];
                self.say_of("http-error", *stage, number, &values);
            }
            if let Some(text) = text {
                self.say_of("http-status", *stage, number, &[("status", status), ("text", text)]);
            }
        }
        answer.result
    }

    /// The banner of a request and what follows it, in the logs that have it (log catalogue, section 2.1).
    fn announce(&mut self, agent: &str, path: &str, url: &str, (number, stage): (u32, Stage), has_token: bool) {
        if !["ccmsetup", "messaging"].contains(&self.log) {
            return;
        }
        let flags = self.run.random.pick(&["1304", "1314", "4101", "4200"]);
        let auth = u8::from(has_token);
        let values: [Value<'_>; 5] =
            [("agent", &agent), ("host", &self.facts.cmg), ("path", &path), ("auth", &auth), ("flags", &flags)];
        self.say_of("banner", stage, number, &values);
        self.say_of("connection-created", Stage::CmgConnection, number, &[]);
        if self.run.random.chance(0.3) {
            self.say_of("target-scheme", Stage::CmgConnection, number, &[("url", &url)]);
        }
        if self.checks_lists {
            self.say_of("revocation-check", Stage::CmgConnection, number, &[]);
        }
        if has_token {
            self.say_of("token-appended", stage, number, &[]);
        }
    }

    /// The burst of lines with which a TLS failure shows (log catalogue, section 2.11).
    fn secure_failure(&mut self, mask: u32, url: &str, number: u32) {
        let stage = Stage::CmgConnection;
        self.say_of("callback", stage, number, &[]);
        self.say_of("secure-failure", stage, number, &[]);
        self.say_of("secure-length", stage, number, &[]);
        let hexadecimal = format!("{mask:x}");
        self.say_of("secure-mask", stage, number, &[("mask", &hexadecimal)]);
        for flag in lines().flags.iter().filter(|flag| mask & flag.bit != 0) {
            self.say_of("secure-flag", stage, number, &[("flag", &flag.name)]);
        }
        let values: [Value<'_>; 3] = [("url", &url), ("code", &12175), ("name", &"ERROR_WINHTTP_SECURE_FAILURE")];
        self.say_of("http-error", stage, number, &values);
    }

    /// When a token expires, as the log writes it.
    fn expiry_text(&self, expires: Micros) -> String {
        let world = self.run.world;
        let clock = expires + self.facts.machine.offset;
        let ahead = if world.site.expiry_is_local { super::logs::utc_offset(&self.facts.machine, clock) } else { 0 };
        super::us_date_time(clock + ahead)
    }

    /// Gets a CCM token from the token service with an Entra token, and keeps it.
    fn fetch_token(&mut self, token: super::decide::EntraToken) -> std::result::Result<CcmToken, Refusal> {
        let stage = Stage::CcmTokenRequest;
        let role = self.role_id();
        let values: [Value<'_>; 2] = [("cmg", &self.facts.cmg), ("role", &role)];
        if self.log != "messaging" {
            self.say("token-from-server", stage, &values);
        }
        self.say("token-from-url", stage, &values);
        let sid = match (&self.facts.user, token.of_user) {
            (Some(user), true) => user.sid.clone(),
            _ => SYSTEM.to_owned(),
        };
        self.ask(Endpoint::Sts, Credential::Entra(token), stage)?;
        self.passed(stage);
        let issued = CcmToken { expires: self.at + TOKEN_LIFE, sid };
        let expires = self.expiry_text(issued.expires);
        self.say("token-cached", Stage::CcmTokenIssue, &[("sid", &issued.sid), ("expires", &expires)]);
        self.passed(Stage::CcmTokenIssue);
        Ok(issued)
    }
}
