//! How a client gets an Entra token: the device's own, else its user's (log catalogue, section 2.3).

use super::{SYSTEM, Walk};
use crate::error::Result;
use crate::simulate::decide::{self, EntraToken};
use crate::simulate::lines::Value;
use crate::simulate::management_point::NO_ID;
use crate::simulate::run::TokenOf;
use crate::stage::Stage;

/// Entra's answer took its time, and then there was none: what the log says of it.
struct Words {
    /// Status and details of a Windows line, where there is one.
    wam: Option<(i32, &'static str)>,
    text: &'static str,
    code: &'static str,
    source: &'static str,
}

fn words(failure: &str) -> Words {
    match failure {
        "wam-key-failure" => Words {
            wam: Some((5, "AAD WAM extension error")),
            text: "Unknown error",
            code: "D0090016",
            source: "Unknown",
        },
        // What Windows says of a resource that Entra does not know is inferred (failure catalogue, C7).
        "wrong-resource-uri" => {
            Words { wam: Some((3, "AADSTS500011")), text: "Unknown error", code: "CAA20003", source: "Unknown" }
        }
        // A network code in the place of the token's is inferred (failure catalogue, C9).
        "entra-unreachable" => Words {
            wam: None,
            text: "The server name or address could not be resolved",
            code: "80072EE7",
            source: "Windows",
        },
        _ => Words {
            wam: None,
            text: "An attempt was made to reference a token that does not exist.",
            code: "800703F0",
            source: "Windows",
        },
    }
}

impl Walk<'_, '_> {
    /// The client application and the resource that it asks for.
    fn application(&self) -> (String, String) {
        let site = &self.run.world.site;
        self.facts.properties.clone().unwrap_or_else(|| (site.client_app.clone(), site.resource.clone()))
    }

    /// Asks for a token. Without a join certificate nothing is asked, and no log says so.
    pub(super) fn entra_token(&mut self) -> Result<Option<EntraToken>> {
        let world = self.run.world;
        let failure = self.run.decisions.device_token(world, self.client, self.at);
        if failure == Some("wpj-certificate-missing") {
            return Ok(None);
        }
        self.passed(Stage::WpjCertificate);
        let (app, resource) = self.application();
        if failure == Some("os-too-old-for-device-token") {
            self.say("device-token-unsupported", Stage::AadToken, &[]);
            return self.user_token(&app, &resource);
        }
        let tenant = world.site.tenants.get(self.facts.tenant).map(|tenant| tenant.id.clone()).unwrap_or_default();
        let values: [Value<'_>; 3] = [("client-id", &app), ("resource", &resource), ("tenant", &tenant)];
        self.say("aad-device-token", Stage::AadToken, &values);
        self.at += self.run.delay(world.delays.entra);
        if let Some(failure) = failure {
            self.refused(failure, SYSTEM);
            return self.user_token(&app, &resource);
        }
        if self.facts.names_device_tokens {
            self.say("aad-device-retrieved", Stage::AadToken, &[("device", &self.facts.device_id)]);
        } else {
            self.say("aad-user-retrieved", Stage::AadToken, &[("user", &NO_ID)]);
        }
        self.issued(&resource, false).map(Some)
    }

    /// The user's token, where a user is signed in.
    fn user_token(&mut self, app: &str, resource: &str) -> Result<Option<EntraToken>> {
        let Some(user) = &self.facts.user else { return Ok(None) };
        self.say("fallback-to-user", Stage::AadToken, &[("sid", &user.sid)]);
        let values: [Value<'_>; 3] = [("client-id", &app), ("resource", &resource), ("user", &user.object_id)];
        if user.entra {
            self.say("aad-user-token", Stage::AadToken, &values);
        }
        let failure = self.run.decisions.user_token(self.run.world, self.client, self.at);
        let site = &self.run.world.site;
        let unknown = app != site.client_app || resource != site.resource;
        self.at += self.run.delay(self.run.world.delays.entra);
        if let Some(failure) = failure.or(unknown.then_some("wrong-resource-uri")) {
            self.refused(failure, &user.sid);
            return Ok(None);
        }
        self.say("aad-user-retrieved", Stage::AadToken, &[("user", &user.object_id)]);
        self.issued(resource, true).map(Some)
    }

    fn issued(&mut self, resource: &str, of_user: bool) -> Result<EntraToken> {
        self.passed(Stage::AadToken);
        let token = decide::entra_issues(self.run.world, self.facts, of_user, resource, self.at)?;
        let of = if of_user { TokenOf::User } else { TokenOf::Device };
        self.run.tokens.insert(self.client, (token.text.clone(), of));
        Ok(token)
    }

    fn refused(&mut self, failure: &str, sid: &str) {
        let words = words(failure);
        if let Some((status, details)) = words.wam {
            self.say("wam-failed", Stage::AadToken, &[("status", &status), ("details", &details)]);
        }
        self.say("aad-token-failed", Stage::AadToken, &[]);
        let values: [Value<'_>; 3] = [("text", &words.text), ("hr", &words.code), ("source", &words.source)];
        self.say("aad-token-reason", Stage::AadToken, &values);
        let code = words.code.to_lowercase();
        self.say("aad-token-failed-for", Stage::AadToken, &[("sid", &sid), ("hr", &code)]);
    }
}
