//! The way of one client, stage by stage: all decisions, in the order in which they are made.

use serde::Serialize;

use super::decision::{Cause, Ruling, Verdict};
use super::question::{Credential, Phase, Question};
use super::{connection, connection_point, content, entra, gateway, management_point};
use crate::report::Report;
use crate::site::{Client, CommandLine, File};
use crate::stage::Stage;
use crate::tokens::TokenPolicy;

use Stage::{
    AadInfo, AadToken, CcmTokenIssue, CcmTokenRequest, ClientInstall, CmgConnection, CmgForward, CmgReceive,
    ConnectorForward, ContentDownload, LocationRequest, MpValidate, Registration, SettingsRefresh, WpjCertificate,
};

/// How a stage must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its work will be done.
    Passed,
    /// Not needed.
    Skipped,
    /// Something that decides was not told, of it or of a stage before it.
    NotKnown,
    /// A stage before it is blocked. What would stop it, too, stands among its causes.
    NotReached,
    /// Its work cannot be done.
    Blocked,
}

impl Status {
    /// Its id, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::NotKnown => "not-known",
            Self::NotReached => "not-reached",
            Self::Blocked => "blocked",
        }
    }
}

/// What is predicted of one stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicted {
    /// The stage.
    pub stage: Stage,
    /// How it must go.
    pub status: Status,
    /// Why, in sentences.
    pub why: String,
    /// What stops it.
    pub causes: Vec<Cause>,
    /// What stops nothing now and will, or degrades.
    pub warnings: Vec<Cause>,
    /// What would decide and is not told, as clauses.
    pub unknown: Vec<String>,
    /// Reports of the validators that decided.
    pub reports: Vec<Report>,
}

/// What is predicted of one client in one phase: all stages, in display order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The phase.
    pub phase: Phase,
    /// How the client proves who it is.
    pub credential: Credential,
    /// Whether it works: `None` where nothing stops it and something that decides was not told.
    pub works: Option<bool>,
    /// All stages.
    pub stages: Vec<Predicted>,
}

impl Prediction {
    /// What is predicted of a stage.
    pub fn stage(&self, stage: Stage) -> Option<&Predicted> {
        self.stages.iter().find(|predicted| predicted.stage == stage)
    }

    /// Everything that stops the client, with its stage, in the order of the stages.
    pub fn causes(&self) -> impl Iterator<Item = (Stage, &Cause)> {
        self.stages.iter().flat_map(|predicted| predicted.causes.iter().map(|cause| (predicted.stage, cause)))
    }

    /// Everything that stops nothing now and will, with its stage.
    pub fn warnings(&self) -> impl Iterator<Item = (Stage, &Cause)> {
        self.stages.iter().flat_map(|predicted| predicted.warnings.iter().map(|cause| (predicted.stage, cause)))
    }
}

/// The order in which stages come, and those each waits for: the one before it, and the one before that where the
/// former may be skipped. `ClientInstall` stands for the end of ccmsetup; that it understands its command line is asked
/// before all else.
const ORDER: [(Stage, &[Stage]); 15] = [
    (CmgConnection, &[]),
    (AadInfo, &[CmgConnection]),
    (WpjCertificate, &[]),
    (AadToken, &[WpjCertificate, AadInfo]),
    (CcmTokenRequest, &[CmgConnection, AadToken]),
    (CmgReceive, &[CcmTokenRequest, CmgConnection]),
    (CmgForward, &[CmgReceive]),
    (ConnectorForward, &[CmgForward]),
    (MpValidate, &[ConnectorForward]),
    (CcmTokenIssue, &[MpValidate]),
    (LocationRequest, &[CcmTokenIssue, MpValidate]),
    (ContentDownload, &[LocationRequest]),
    (ClientInstall, &[ContentDownload, LocationRequest]),
    (Registration, &[ClientInstall]),
    (SettingsRefresh, &[]),
];

/// What must happen to a client, stage by stage, and why.
///
/// ```
/// use cmgtrail::site::Site;
/// use cmgtrail::stage::Stage;
/// use cmgtrail::workflow::{Phase, Question, Status, predict};
///
/// let text = "[cmg]\nnames = ['cmg.contoso.com']\nstate = 'stopped-by-traffic-limit'\n[[client]]\nname = 'PC042'";
/// let site = Site::parse(text, ".".as_ref(), &|_| Err(String::new())).unwrap();
/// let question = Question { site: &site, client: &site.clients[0], at: 1_793_783_553_000_000, phase: Phase::Bootstrap };
/// let prediction = predict(&question);
/// assert_eq!(prediction.stage(Stage::CmgConnection).unwrap().status, Status::Blocked);
/// assert_eq!(prediction.causes().next().unwrap().1.failure, "cmg-stopped-by-traffic-limit");
/// ```
pub fn predict(question: &Question<'_>) -> Prediction {
    let decided = Decided::of(question);
    let unstartable = question.phase == Phase::Bootstrap
        && content::command_line(question.command()).failures().any(|id| id == "bootstrap-command-malformed");
    let mut stages: Vec<Predicted> = Vec::with_capacity(ORDER.len());
    let mut told: Vec<&'static str> = Vec::new();
    for (stage, waits_for) in ORDER {
        let before = |wanted: &[Status]| {
            waits_for.iter().copied().find(|before| {
                stages.iter().any(|predicted| predicted.stage == *before && wanted.contains(&predicted.status))
            })
        };
        let stopped_by = before(&[Status::Blocked, Status::NotReached]);
        let stopped_by = stopped_by.or((unstartable && stage != ClientInstall).then_some(ClientInstall));
        let own = unstartable && stage == ClientInstall;
        let open = before(&[Status::NotKnown]);
        let mut predicted = predicted(stage, decided.stage(stage), stopped_by.filter(|_| !own), open);
        predicted.causes.retain(|cause| !told.contains(&cause.failure));
        if predicted.causes.is_empty() && predicted.status == Status::Blocked {
            predicted.status = Status::NotReached;
        }
        told.extend(predicted.causes.iter().map(|cause| cause.failure));
        stages.push(predicted);
    }
    stages.sort_by_key(|predicted| predicted.stage);
    let is = |status: Status| stages.iter().any(|predicted| predicted.status == status);
    let works = if is(Status::Blocked) { Some(false) } else { (!is(Status::NotKnown)).then_some(true) };
    Prediction { phase: question.phase, credential: decided.credential, works, stages }
}

/// What is predicted of a stage. `stopped_by` is a stage before it that is not passed, `open` one of which that is not
/// known.
fn predicted(stage: Stage, decision: Decision, stopped_by: Option<Stage>, open: Option<Stage>) -> Predicted {
    let (ruling, skipped) = match decision {
        Decision::Skipped(why) => (Ruling::passed(why), true),
        Decision::Made(ruling) => (ruling, false),
    };
    let status = match (skipped, stopped_by, ruling.verdict()) {
        (true, ..) => Status::Skipped,
        (_, Some(_), _) => Status::NotReached,
        (_, None, Verdict::Passed) if open.is_some() => Status::NotKnown,
        (_, None, Verdict::Passed) => Status::Passed,
        (_, None, Verdict::Blocked) => Status::Blocked,
        (_, None, Verdict::NotKnown) => Status::NotKnown,
    };
    let whys: Vec<&str> = ruling.causes.iter().map(|cause| cause.why.as_str()).collect();
    let why = match (status, stopped_by) {
        (Status::NotReached, Some(before)) if whys.is_empty() => format!("It comes after {}.", before.id()),
        (Status::NotReached, Some(before)) => {
            format!("It comes after {}, and would fail as well: {}", before.id(), whys.join(" "))
        }
        (Status::Blocked, _) => whys.join(" "),
        (Status::NotKnown, _) if ruling.unknown.is_empty() => {
            let before = open.map_or("", Stage::id);
            format!("Nothing that is told stops it; it comes after {before}, of which that is not known.")
        }
        (Status::NotKnown, _) => format!("Not told: {}.", ruling.unknown.join("; ")),
        _ => ruling.reasons.join(" "),
    };
    let Ruling { causes, warnings, unknown, reports, .. } = ruling;
    Predicted { stage, status, why, causes, warnings, unknown, reports }
}

/// What is decided of a stage.
enum Decision {
    Skipped(&'static str),
    Made(Ruling),
}

/// Which token a client shows.
#[derive(Clone, Copy, PartialEq)]
enum Bearer {
    Device,
    User,
}

/// The decisions that others rest on.
struct Decided<'q, 'a> {
    question: &'q Question<'a>,
    credential: Credential,
    aad_token: Ruling,
    bearer: Bearer,
}

const BY_CERTIFICATE: &str = "The client authenticates with its own certificate.";
const BY_REGISTRATION: &str = "The client authenticates with a registration token.";
const DONE: &str = "It was done by ccmsetup.";

impl<'q, 'a> Decided<'q, 'a> {
    fn of(question: &'q Question<'a>) -> Self {
        let (aad_token, bearer) = aad_token(question);
        Self { question, credential: question.credential(), aad_token, bearer }
    }

    fn stage(&self, stage: Stage) -> Decision {
        let question = self.question;
        let installed = question.phase == Phase::AfterRefresh;
        let without_entra = match self.credential {
            Credential::Certificate => Some(BY_CERTIFICATE),
            Credential::RegistrationToken => Some(BY_REGISTRATION),
            Credential::Entra => None,
        };
        match (stage, without_entra) {
            (AadInfo | ClientInstall | Registration, _) if installed => Decision::Skipped(DONE),
            (AadInfo | WpjCertificate | AadToken, Some(why)) => self.without_entra(stage, why),
            (CcmTokenRequest | CcmTokenIssue, _) if self.credential == Credential::Certificate => {
                Decision::Skipped(BY_CERTIFICATE)
            }
            (AadInfo, None) => aad_info(question),
            (WpjCertificate, None) => Decision::Made(entra::join(question.client, question.client_time())),
            (AadToken, None) => Decision::Made(self.aad_token.clone()),
            (CmgConnection, _) => Decision::Made(cmg_connection(question)),
            (CmgReceive, _) => Decision::Made(self.cmg_receive()),
            (CmgForward, _) => Decision::Made(connection_point::channel(&question.site.connection_point)),
            (ConnectorForward, _) => Decision::Made(connector_forward(question)),
            (MpValidate, _) => Decision::Made(self.mp_validate()),
            (CcmTokenRequest | CcmTokenIssue, _) => Decision::Made(Ruling::default()),
            (LocationRequest, _) => Decision::Made(content::location(question.site, question.client, !installed)),
            (ContentDownload, _) => content::content(question.site, question.client)
                .map_or(Decision::Skipped("No package was told."), Decision::Made),
            (ClientInstall, _) => Decision::Made(content::command_line(question.command())),
            (Registration, _) => Decision::Made(content::registration(
                question.site,
                question.client,
                self.credential == Credential::Certificate,
                question.management_point_time(),
            )),
            (SettingsRefresh, _) => settings_refresh(question),
        }
    }

    /// A stage of Entra's that the client passes over. A device that is joined and has a certificate is named, so that
    /// nobody chases the missing Entra token.
    fn without_entra(&self, stage: Stage, why: &'static str) -> Decision {
        let client = self.question.client;
        let is_joined = entra::join(client, self.question.client_time()).verdict() == Verdict::Passed;
        if stage != WpjCertificate || self.credential != Credential::Certificate || !is_joined {
            return Decision::Skipped(why);
        }
        let mut ruling = Ruling::passed(why);
        let preferred = "The device is joined to Entra and has a PKI certificate, which ccmsetup prefers.";
        ruling.warnings.push(Cause::certain("pki-certificate-preferred", preferred));
        Decision::Made(ruling)
    }

    /// What the gateway checks.
    fn cmg_receive(&self) -> Ruling {
        let question = self.question;
        let route = match question.target() {
            Some(target) => gateway::route(question.site, &target),
            None => Ruling::not_known("which CMG the client turns to"),
        };
        let proof = match self.credential {
            Credential::Certificate => question.client_chain().map_or_else(Ruling::default, |chain| {
                gateway::client_certificate(&chain, question.site.cmg.verify_client_revocation)
            }),
            _ => {
                let token = self.token_at(question.gateway_time(), gateway::token);
                let by_clock = token.failures().any(|failure| failure == "token-clock-skew");
                let short =
                    gateway::tokens_cut_short("the CMG", &TokenPolicy::new(question.gateway_time()), question.at);
                if by_clock { token } else { token.and(short) }
            }
        };
        route.and(proof)
    }

    /// What the management point checks.
    fn mp_validate(&self) -> Ruling {
        let question = self.question;
        let Some(point) = question.management_point() else {
            return Ruling::not_known("which management point answers");
        };
        let mut ruling = management_point::web_server(point);
        if self.credential == Credential::Certificate {
            return ruling;
        }
        ruling = ruling.and(management_point::token_service(point));
        let clock = question.management_point_time();
        if self.credential == Credential::Entra {
            ruling = ruling.and(management_point::entra(point, question.site.options.version));
        }
        // What is not told of the token was said where the gateway takes it.
        let token = self.token_at(clock, management_point::token);
        ruling = ruling.and(Ruling { unknown: Vec::new(), ..token });
        if ruling.failures().all(|failure| failure != "token-clock-skew") {
            ruling = ruling.and(gateway::tokens_cut_short(&point.name, &TokenPolicy::new(clock), question.at));
        }
        if self.credential == Credential::Entra && self.bearer == Bearer::User {
            ruling = ruling.and(management_point::user(question.site, question.client));
        }
        ruling
    }

    /// What somebody whose clock shows `at` says of the client's token.
    fn token_at(&self, at: i64, check: fn(&str, &TokenPolicy, i64) -> Ruling) -> Ruling {
        let question = self.question;
        let policy = TokenPolicy::new(at);
        if self.credential == Credential::RegistrationToken {
            let token = match question.phase {
                Phase::Bootstrap => question.registration_token(),
                Phase::AfterRefresh => question.client.tokens.site.as_ref().map(|file| file.text().trim().to_owned()),
            };
            // A command line in a ticket holds its token no more.
            let whole = token.filter(|token| token.matches('.').count() >= 2);
            return match whole {
                Some(token) => check(&token, &policy, question.at),
                None if question.phase == Phase::Bootstrap => Ruling::not_known("what the registration token holds"),
                None => Ruling::not_known("what the client's site token holds"),
            };
        }
        let app = &question.site.server_app;
        let policy = TokenPolicy {
            audience: app.resource_uri.iter().cloned().collect(),
            tenants: question.site.tenants.iter().flatten().map(|tenant| tenant.id.clone()).collect(),
            ..policy
        };
        match self.entra_token() {
            Ok(token) => check(&token, &policy, question.at),
            Err(what) => Ruling::not_known(what),
        }
    }

    /// The client's Entra token: its file, else one with what Entra would write.
    fn entra_token(&self) -> Result<String, &'static str> {
        let question = self.question;
        let tokens = &question.client.tokens;
        let file = if self.bearer == Bearer::User { &tokens.user } else { &tokens.device };
        if let Some(file) = file {
            return Ok(file.text().trim().to_owned());
        }
        let app = &question.site.server_app;
        let by_command = question.command().and_then(|line| line.resource_uri());
        let wrong = self.aad_token.failures().any(|id| id == "wrong-resource-uri");
        // Entra does not give out a token for a resource that it does not know.
        let asked = by_command.filter(|_| !wrong && question.phase == Phase::Bootstrap);
        let audience = asked.or(app.resource_uri.as_deref()).ok_or("the App ID URI of the server app")?;
        if app.resource_uri.is_none() {
            return Err("the App ID URI of the server app");
        }
        if question.site.tenants.is_none() {
            return Err("which tenants are onboarded");
        }
        let tenant = entra::tenant_of(question.client).ok_or("which tenant the client belongs to")?;
        let device = entra::device_id_of(question.client);
        let user = question.client.user_id.as_deref().unwrap_or("00000000-0000-0000-0000-000000000000");
        let grant = entra::Grant {
            tenant: &tenant,
            audience,
            device_id: device.as_deref(),
            user_id: (self.bearer == Bearer::User).then_some(user),
            at: question.at,
        };
        Ok(grant.unsigned())
    }
}

/// Whether the gateway tells the client the apps to ask with.
fn aad_info(question: &Question<'_>) -> Decision {
    let line = question.command();
    if line.is_some_and(|line| line.resource_uri().is_some() && line.client_app().is_some()) {
        return Decision::Skipped("The command line names resource and app.");
    }
    Decision::Made(entra::tenant(question.site, entra::tenant_of(question.client).as_deref()))
}

/// The token from Entra: the device's, else the user's.
fn aad_token(question: &Question<'_>) -> (Ruling, Bearer) {
    let (site, client) = (question.site, question.client);
    let line = question.command().filter(|_| question.phase == Phase::Bootstrap);
    let (resource, app) = (line.and_then(|line| line.resource_uri()), line.and_then(|line| line.client_app()));
    let request = entra::request(site, client, resource, app);
    let device = entra::device_token(site, client, question.client_time());
    let user = entra::user_token(client);
    match (device.verdict(), user.verdict()) {
        (Verdict::Blocked, Verdict::Blocked) => (request.and(device).and(user), Bearer::Device),
        // The user's token stands in; what is wrong with the device's stays to be told.
        (Verdict::Blocked, _) => {
            let warnings = device.causes;
            (request.and(user).and(Ruling { warnings, reports: device.reports, ..Ruling::default() }), Bearer::User)
        }
        (Verdict::NotKnown, Verdict::Passed) => (request.and(user), Bearer::Device),
        (Verdict::Passed | Verdict::NotKnown, _) => (request.and(device), Bearer::Device),
    }
}

/// Name, port, TLS and certificate, with a warning of what the site's settings will do to it.
fn cmg_connection(question: &Question<'_>) -> Ruling {
    let mut ruling = connected(question);
    if question.phase == Phase::Bootstrap && ruling.causes.is_empty() {
        let later = connected(&Question { phase: Phase::AfterRefresh, ..*question });
        let restored = later.causes.into_iter().find(|cause| cause.failure == "crl-check-restored-after-bootstrap");
        ruling.warnings.extend(restored);
    }
    ruling
}

fn connected(question: &Question<'_>) -> Ruling {
    let (site, client) = (question.site, question.client);
    let Some(target) = question.target() else { return Ruling::not_known("which CMG the client turns to") };
    if !site.cmg.names.is_empty() && !site.cmg.has_name(&target.host) {
        return Ruling::not_known(format!("anything of {}, which is not this site's CMG", target.host));
    }
    let ruling = connection::reach(&client.network, &site.cmg, &target.host)
        .and(connection::tls_version(&client.network, &site.cmg));
    let own = site.cmg.certificate.as_deref().unwrap_or_default();
    let request = question.chain(own, &target.host);
    if let Some(shown) = connection::shown(&client.network) {
        let shown: Vec<_> = shown.iter().map(File::source).collect();
        return ruling.and(connection::inspection(&shown, &request, question.checks_lists()));
    }
    if own.is_empty() {
        return ruling.and(Ruling::not_known("the CMG's certificate"));
    }
    let restored = question.phase == Phase::AfterRefresh && question.command().is_some_and(CommandLine::no_crl_check);
    let chain =
        connection::ServerChain { request, right_time: question.at, checks_lists: question.checks_lists(), restored };
    let inspected = intercepted_or_not(client);
    ruling.and(inspected).and(connection::certificate(&chain))
}

/// Whether it is told that nobody opens the traffic.
fn intercepted_or_not(client: &Client) -> Ruling {
    match client.network.inspection {
        Some(_) => Ruling::default(),
        None => Ruling::not_known("whether an inspecting proxy opens the traffic"),
    }
}

fn connector_forward(question: &Question<'_>) -> Ruling {
    let Some(point) = question.management_point() else {
        return Ruling::not_known("which management point answers");
    };
    let at = super::question::clock(question.at, question.site.connection_point.clock_offset_seconds);
    connection_point::forward(question.site, point, at)
}

fn settings_refresh(question: &Question<'_>) -> Decision {
    if question.phase == Phase::Bootstrap {
        return Decision::Skipped("It follows the installation.");
    }
    Decision::Made(match question.site.options.crl_check {
        Some(true) => Ruling::passed("The site's settings are here: clients check revocation lists."),
        Some(false) => Ruling::passed("The site's settings are here: clients check no revocation lists."),
        None => Ruling::not_known("whether the site's clients check revocation lists"),
    })
}
