//! Registration with the site, and what the client does right after it.

use super::{CcmToken, Walk};
use crate::error::Result;
use crate::simulate::lines::Value;
use crate::simulate::request::{Credential, Endpoint, Refusal};
use crate::simulate::run::Run;
use crate::simulate::{MINUTE, SECOND};
use crate::stage::{FlowKind, Outcome, Stage};
use crate::time::Micros;

/// Attempts that a client makes in the simulated time.
const ATTEMPTS: u32 = 3;

/// Registers a client that was installed at `at`. Returns when, where the site took it.
pub(super) fn register(
    run: &mut Run<'_>,
    client: usize,
    at: Micros,
    token: &mut Option<CcmToken>,
) -> Result<Option<Micros>> {
    let world = run.world;
    let Some(facts) = world.clients.get(client) else { return Ok(None) };
    let begins = at + run.random.between(20, 90) * SECOND;
    let flow = run.begin(client, FlowKind::Registration, begins);
    let mut walk = Walk::new(run, client, facts, flow, begins, "registration");
    // ccmsetup's command line holds until the client has the site's settings.
    walk.checks_lists = !facts.no_list_check;
    walk.say("not-registered", Stage::Registration, &[]);
    walk.say("site-assigned", Stage::Registration, &[("site", &world.site.code)]);
    for attempt in 1..=ATTEMPTS {
        if attempt > 1 {
            walk.at += 15 * MINUTE + walk.run.random.between(0, 90) * SECOND;
            walk.attempt = walk.run.attempt(flow);
        }
        match walk.registration(token)? {
            Ok(()) => {
                let ended = walk.at;
                run.end(flow, ended, Outcome::Completed, None);
                after(run, client, ended);
                return Ok(Some(ended));
            }
            Err(stage) => {
                let ended = walk.at;
                walk.run.end(flow, ended, Outcome::Failed, Some(stage));
            }
        }
    }
    Ok(None)
}

impl Walk<'_, '_> {
    fn registration(&mut self, kept: &mut Option<CcmToken>) -> Result<std::result::Result<(), Stage>> {
        let stage = Stage::Registration;
        self.say("registration-start", stage, &[("attempt", &self.attempt.clone())]);
        // Entra's part stands in its own log from here on.
        let own = std::mem::replace(&mut self.log, if self.facts.old_client { "adal" } else { "ccmaad" });
        let entra = self.entra_token()?;
        self.log = own;
        let Some(entra) = entra else { return Ok(Err(Stage::AadToken)) };
        match self.fetch_token(entra) {
            Ok(token) => *kept = Some(token),
            Err(refusal) => {
                let code = refusal.hresult();
                self.say("token-retrieval-failed", refusal.stage(), &[("hr", &code)]);
                return Ok(Err(refusal.stage()));
            }
        }
        self.say("registration-sent", stage, &[("client", &self.facts.client_id)]);
        self.say("registering-with-aad", stage, &[]);
        let answer = self.message("MP_ClientRegistration", stage);
        if let Err(refusal) = answer {
            if refusal == Refusal::Registration {
                self.say("registration-rejected", stage, &[]);
            }
            return Ok(Err(refusal.stage()));
        }
        self.pause(200, 3_000);
        self.say("registered", stage, &[("client", &self.facts.client_id)]);
        self.passed(stage);
        Ok(Ok(()))
    }

    /// A message through the messaging log, answered or not.
    pub(super) fn message(&mut self, endpoint: &'static str, stage: Stage) -> std::result::Result<(), Refusal> {
        let own = std::mem::replace(&mut self.log, "messaging");
        let message = self.run.random.guid().to_uppercase();
        let role = self.role_id();
        let values: [Value<'_>; 5] = [
            ("message", &message),
            ("cmg", &self.facts.cmg),
            ("role", &role),
            ("endpoint", &endpoint),
            ("sid", &super::SYSTEM),
        ];
        self.say("message-sent", stage, &values);
        let credential = if self.facts.pki { Credential::Certificate } else { Credential::Ccm };
        let answer = self.ask(Endpoint::Message(endpoint), credential, stage);
        if !matches!(answer, Err(Refusal::Handshake(_) | Refusal::Status { .. })) {
            let reply = self.run.random.guid().to_uppercase();
            let values: [Value<'_>; 3] = [("message", &message), ("reply", &reply), ("endpoint", &endpoint)];
            self.say("message-replied", stage, &values);
        }
        self.log = own;
        answer
    }
}

/// What other components do once the client is registered. No line of theirs is of the flow.
fn after(run: &mut Run<'_>, client: usize, at: Micros) {
    let world = run.world;
    let Some(facts) = world.clients.get(client) else { return };
    let role = world.points.get(facts.point).map_or(0, |point| point.role_id);
    let work = run.journal.work();
    let write = |run: &mut Run<'_>, log: &'static str, seconds: i64, line: &str, values: &[Value<'_>]| {
        let at = at + seconds * SECOND;
        run.journal.write(
            crate::simulate::journal::Place { machine: client, log, at, work, owner: None },
            line,
            values,
        );
    };
    let where_ = if facts.join == crate::simulate::facts::Join::Hybrid { "unknown-location" } else { "on-internet" };
    write(run, "client-location", 1, where_, &[]);
    write(run, "client-location", 2, "mp-rotated", &[("cmg", &facts.cmg), ("role", &role)]);
    write(run, "co-management", 9, "not-provisioned", &[]);
    let fires = crate::simulate::us_date_time(at + 40 * MINUTE);
    write(run, "co-management", 10, "enrolment-queued", &[("time", &fires)]);
}
