//! A registered client: messages to its management point, and a new CCM token every eight hours.

use super::{CcmToken, SYSTEM, TOKEN_LIFE, Walk};
use crate::error::Result;
use crate::simulate::facts::ClientFacts;
use crate::simulate::lines::Value;
use crate::simulate::request::{Endpoint, Refusal};
use crate::simulate::run::Run;
use crate::simulate::{HOUR, MINUTE, SECOND};
use crate::stage::{FlowKind, Outcome, Stage};
use crate::time::Micros;

/// How long before its end a token counts as close to expire. The catalogue does not say it.
const CLOSE: Micros = 10 * MINUTE;

/// A failed exchange that is taken up again within this time is another attempt of the same flow.
const SILENCE: Micros = 2 * HOUR;

const ENDPOINTS: [&str; 6] = [
    "MP_PolicyManager",
    "MP_LocationManager",
    "MP_StatusReceiver",
    "MP_HinvEndpoint",
    "MP_RelayEndpoint",
    "MP_DdrEndpoint",
];

/// Sends messages from a time until another, so many a second in the mean.
pub(super) fn serve(
    run: &mut Run<'_>,
    client: usize,
    (from, until): (Micros, Micros),
    token: Option<CcmToken>,
    per_second: f64,
) -> Result<()> {
    let world = run.world;
    let Some(facts) = world.clients.get(client) else { return Ok(()) };
    let mut token = token.unwrap_or_else(|| earlier_token(run, facts, from));
    let refreshed = from + run.random.between(60, 300) * SECOND;
    let mut open: Option<(u32, Micros)> = None;
    let mut at = from;
    while at < until {
        let flow = match open {
            Some((flow, failed)) if at - failed < SILENCE => flow,
            _ => run.begin(client, FlowKind::Service, at),
        };
        let mut walk = Walk::new(run, client, facts, flow, at, "messaging");
        // Until location services have brought the site's settings, ccmsetup's switch holds.
        let bootstrap = at < refreshed && facts.installs;
        walk.checks_lists = if bootstrap { !facts.no_list_check } else { world.site.checks_lists };
        let result = walk.exchange(&mut token)?;
        let ended = walk.at;
        match result {
            Ok(()) => {
                run.end(flow, ended, Outcome::Completed, None);
                open = None;
            }
            Err(stage) => {
                run.end(flow, ended, Outcome::Failed, Some(stage));
                open = Some((flow, ended));
            }
        }
        let next = at + run.random.until_next(per_second);
        at = next.max(ended + 200_000);
    }
    Ok(())
}

/// The token of a client that has been there for long: somewhere in its eight hours.
fn earlier_token(run: &mut Run<'_>, facts: &ClientFacts, from: Micros) -> CcmToken {
    let left = match facts.fault {
        // Who is to be seen without a token has one that ends soon after the fault begins.
        Some((_, since)) => since.unwrap_or(from) - from + run.random.between(5, 40) * MINUTE,
        None => run.random.between(CLOSE / SECOND, TOKEN_LIFE / SECOND) * SECOND,
    };
    CcmToken { expires: from + left, sid: SYSTEM.to_owned() }
}

impl Walk<'_, '_> {
    /// One message, with a new token first where the old one is about to end.
    fn exchange(&mut self, token: &mut CcmToken) -> Result<std::result::Result<(), Stage>> {
        if !self.facts.pki
            && self.at > token.expires - CLOSE
            && let Err(stage) = self.renew(token)?
        {
            return Ok(Err(stage));
        }
        let endpoint = self.run.random.pick(&ENDPOINTS);
        match self.message(endpoint, Stage::MpValidate) {
            Ok(()) => {
                if endpoint == "MP_LocationManager" {
                    self.passed(Stage::LocationRequest);
                }
                Ok(Ok(()))
            }
            Err(refusal) => {
                self.post_failed(&refusal, endpoint == "MP_LocationManager");
                Ok(Err(refusal.stage()))
            }
        }
    }

    fn renew(&mut self, token: &mut CcmToken) -> Result<std::result::Result<(), Stage>> {
        let expires = self.expiry_text(token.expires);
        self.say("token-expiring", Stage::CcmTokenRequest, &[("sid", &token.sid), ("expires", &expires)]);
        let own = std::mem::replace(&mut self.log, if self.facts.old_client { "adal" } else { "ccmaad" });
        let entra = self.entra_token()?;
        self.log = own;
        let Some(entra) = entra else {
            let url = self.post_url();
            self.say("post-failed", Stage::AadToken, &[("url", &url), ("hr", &"87d00455")]);
            return Ok(Err(Stage::AadToken));
        };
        match self.fetch_token(entra) {
            Ok(issued) => {
                *token = issued;
                Ok(Ok(()))
            }
            Err(refusal) => {
                self.post_failed(&refusal, false);
                Ok(Err(refusal.stage()))
            }
        }
    }

    fn post_url(&self) -> String {
        let (_, path, _) = Endpoint::Message("").outside(self.run.world, self.facts);
        format!("https://{}{path}", self.facts.cmg)
    }

    /// What the log says of a message that could not be sent (log catalogue, sections 2.8 and 2.10).
    fn post_failed(&mut self, refusal: &Refusal, of_location: bool) {
        let stage = refusal.stage();
        let role = self.role_id();
        let (url, transient) = (self.post_url(), Refusal::TRANSIENT);
        self.say("post-failed", stage, &[("url", &url), ("hr", &transient)]);
        self.say("failure-queued", stage, &[("cmg", &self.facts.cmg)]);
        let status = match refusal {
            Refusal::Status { status, text: Some(_), .. } => *status,
            _ => 0,
        };
        let code = refusal.hresult().to_uppercase();
        let clock = self.at + self.facts.machine.offset;
        let stamp = crate::simulate::logs::wmi_stamp(clock);
        let thread = self.run.random.between(1_000, 12_000);
        let values: [Value<'_>; 7] = [
            ("client", &self.facts.client_id),
            ("stamp", &stamp),
            ("cmg", &self.facts.cmg),
            ("hr", &code),
            ("pid", &self.facts.process),
            ("status", &status),
            ("thread", &thread),
        ];
        self.say("http-status-event", stage, &values);
        if !of_location {
            return;
        }
        let own = std::mem::replace(&mut self.log, "location");
        let values: [Value<'_>; 3] = [("cmg", &self.facts.cmg), ("role", &role), ("hr", &transient)];
        let code = refusal.hresult();
        self.say("signing-certificate-failed", stage, &[("hr", &code)]);
        self.say("mp-list-failed", stage, &values[..2]);
        self.say("internet-mps-failed", stage, &values);
        self.log = own;
    }
}
