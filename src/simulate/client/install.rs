//! One ccmsetup process, from its banner to its exit.

use super::{CcmToken, Walk};
use crate::error::Result;
use crate::simulate::decide;
use crate::simulate::facts::Join;
use crate::simulate::lines::Value;
use crate::simulate::request::{Credential, Endpoint, Refusal};
use crate::simulate::run::{Run, TokenOf};
use crate::simulate::{MINUTE, SECOND};
use crate::stage::{FlowKind, Outcome, Stage};
use crate::time::Micros;

/// ccmsetup's own code where it has no way to authenticate, `CCM_E_NO_TOKEN_AUTH`.
const NO_TOKEN_AUTH: &str = "87d00455";

/// How an attempt went wrong: the stage, and the code with which ccmsetup ends.
struct Broken {
    stage: Stage,
    exit: &'static str,
}

/// Runs ccmsetup. Returns when it ended and the CCM token it got, where it installed the client.
pub(super) fn install(
    run: &mut Run<'_>,
    client: usize,
    at: Micros,
    retries: bool,
) -> Result<Option<(Micros, Option<CcmToken>)>> {
    let world = run.world;
    let Some(facts) = world.clients.get(client) else { return Ok(None) };
    let flow = run.begin(client, FlowKind::Install, at);
    let attempts = if retries { 2 + run.random.below(2) } else { 1 };
    let mut walk = Walk::new(run, client, facts, flow, at, "ccmsetup");
    walk.checks_lists = !facts.no_list_check;
    walk.say("setup-started", Stage::ClientInstall, &[("pid", &facts.process)]);
    walk.pause(300, 1_500);
    walk.say("bootstrap-from-internet", Stage::ClientInstall, &[]);
    for attempt in 1..=attempts {
        if attempt > 1 {
            // About every ten minutes (log catalogue, section 3.2).
            walk.at += 10 * MINUTE + walk.run.random.between(0, 4_000) * 1_000;
            walk.attempt = walk.run.attempt(flow);
        }
        match walk.bootstrap()? {
            Ok(token) => {
                walk.say("setup-ended", Stage::ClientInstall, &[]);
                walk.passed(Stage::ClientInstall);
                let ended = walk.at;
                run.end(flow, ended, Outcome::Completed, None);
                return Ok(Some((ended, token)));
            }
            Err(broken) if attempt == attempts => {
                walk.pause(50, 300);
                walk.say("setup-failed", Stage::ClientInstall, &[("hr", &broken.exit)]);
                let ended = walk.at;
                walk.run.end(flow, ended, Outcome::Failed, Some(broken.stage));
            }
            Err(_) => {}
        }
    }
    Ok(None)
}

impl Walk<'_, '_> {
    /// One attempt, from the site's Entra settings to the installed client.
    fn bootstrap(&mut self) -> Result<std::result::Result<Option<CcmToken>, Broken>> {
        if let Some(left) = self.facts.registration_token {
            return self.bootstrap_with_registration_token(left);
        }
        if let Err(broken) = self.aad_info() {
            return Ok(Err(broken));
        }
        let Some(entra) = self.entra_token()? else {
            let stage = if self.facts.join == Join::Registered { Stage::WpjCertificate } else { Stage::AadToken };
            return Ok(Err(self.without_token(stage)));
        };
        let token = match self.fetch_token(entra) {
            Ok(token) => token,
            Err(refusal) => return Ok(Err(self.token_refused(&refusal))),
        };
        self.pause(100, 600);
        if let Err(broken) = self.locate() {
            return Ok(Err(broken));
        }
        Ok(self.content().map(|()| Some(token)))
    }

    /// Asks the CMG for the site's Entra settings, unless they are on the command line.
    fn aad_info(&mut self) -> std::result::Result<(), Broken> {
        if self.facts.properties.is_some() {
            return Ok(());
        }
        self.say("aad-info", Stage::AadInfo, &[("cmg", &self.facts.cmg)]);
        if let Err(refusal) = self.ask(Endpoint::AadInfo, Credential::Nothing, Stage::AadInfo) {
            return Err(self.without_token(refusal.stage()));
        }
        if !self.run.decisions.knows_tenant(self.run.world, self.client, self.at) {
            // The text of the answer is not public: there is only nothing after it.
            return Err(self.without_token(Stage::AadInfo));
        }
        self.passed(Stage::AadInfo);
        Ok(())
    }

    fn without_token(&mut self, stage: Stage) -> Broken {
        self.pause(50, 400);
        self.say("no-token-no-certificate", stage, &[("hr", &NO_TOKEN_AUTH)]);
        Broken { stage, exit: NO_TOKEN_AUTH }
    }

    fn token_refused(&mut self, refusal: &Refusal) -> Broken {
        let stage = refusal.stage();
        let code = refusal.hresult();
        self.say("token-retrieval-failed", stage, &[("hr", &code)]);
        let redirected = matches!(refusal, Refusal::Status { text: Some("CMGConnector_Unauthorized"), .. });
        let code = if redirected { "80070002" } else { code };
        self.say("no-token-no-certificate", stage, &[("hr", &code)]);
        Broken { stage, exit: NO_TOKEN_AUTH }
    }

    /// Site information and a management point.
    fn locate(&mut self) -> std::result::Result<(), Broken> {
        let stage = Stage::LocationRequest;
        let role = self.role_id();
        let site = &self.run.world.site;
        let values: [Value<'_>; 3] = [("cmg", &self.facts.cmg), ("role", &role), ("site", &site.code)];
        self.say("location-request", stage, &values);
        if let Err(refusal) = self.ask(Endpoint::Message("MP_LocationManager"), Credential::Ccm, stage) {
            return Err(broken(&refusal));
        }
        self.say("location-reply", stage, &[("version", &site.version)]);
        self.say("checking-url", stage, &values[..2]);
        if let Err(refusal) = self.ask(Endpoint::MpList, Credential::Ccm, stage) {
            return Err(broken(&refusal));
        }
        self.say("mp-online", stage, &values[..2]);
        self.passed(stage);
        Ok(())
    }

    /// Where the client's package is, the package, and its installation.
    fn content(&mut self) -> std::result::Result<(), Broken> {
        let stage = Stage::ContentDownload;
        let world = self.run.world;
        let site = &world.site;
        self.say("searching-content", stage, &[]);
        let package = world.package_of(self.facts);
        self.say("content-request", stage, &[("package", package)]);
        if let Err(refusal) = self.ask(Endpoint::Message("MP_LocationManager"), Credential::Ccm, stage) {
            return Err(broken(&refusal));
        }
        if !self.run.decisions.has_content(world, self.client, self.at) {
            self.say("no-content-reply", stage, &[("site", &site.code)]);
            self.say("no-locations", stage, &[]);
            return Err(Broken { stage, exit: "80040102" });
        }
        let query = format!("pid={package}&cid={package}.1");
        let url = format!("https://{}/downloadrestservice.svc/getcontentxmlsecure?{query}", self.facts.cmg);
        self.say("on-azure", stage, &[("url", &url)]);
        self.say("remote-location", stage, &[("url", &url)]);
        if let Err(refusal) = self.ask(Endpoint::Content(query), Credential::Ccm, stage) {
            return Err(broken(&refusal));
        }
        self.at += self.run.random.between(8, 90) * SECOND;
        self.passed(stage);
        self.say("running-package", Stage::ClientInstall, &[]);
        let values: [Value<'_>; 2] = [("version", &site.version), ("product", &site.product)];
        self.say("installing", Stage::ClientInstall, &values);
        self.at += self.run.random.between(60, 240) * SECOND;
        Ok(())
    }

    /// A bulk registration token in place of an Entra token, with so much of its life left. Only the refusal is
    /// documented (failure catalogue, D1).
    fn bootstrap_with_registration_token(
        &mut self,
        left: Micros,
    ) -> Result<std::result::Result<Option<CcmToken>, Broken>> {
        let token = decide::site_issues(self.run.world, left, self.at)?;
        self.run.tokens.insert(self.client, (token.clone(), TokenOf::Registration));
        let asked = self.ask(Endpoint::ServiceMetadata, Credential::Registration(token), Stage::LocationRequest);
        let Err(refusal) = asked else { return Ok(Ok(None)) };
        self.say("download-failed", refusal.stage(), &[("hr", &refusal.hresult())]);
        Ok(Err(broken(&refusal)))
    }
}

fn broken(refusal: &Refusal) -> Broken {
    Broken { stage: refusal.stage(), exit: refusal.hresult() }
}
