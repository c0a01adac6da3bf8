//! The way of one client, stage by stage: all decisions, in the order in which they are made.

use super::decision::{Cause, Ruling, Verdict, Words, clause};
use super::prediction::{Predicted, Prediction, Status};
use super::question::{Credential, Phase, Question, clock};
use super::{chains, command_line, connection, connection_point, content, entra, gateway, management_point};
use crate::finding::Confidence;
use crate::site::{CcmHostName, Client, CommandLine, File, ManagementPoint, Site};
use crate::stage::Stage;
use crate::time::Micros;
use crate::tokens::TokenPolicy;

use Stage::{
    AadInfo, AadToken, CcmTokenIssue, CcmTokenRequest, ClientInstall, CmgConnection, CmgForward, CmgReceive,
    ConnectorForward, ContentDownload, LocationRequest, MpValidate, Registration, SettingsRefresh, WpjCertificate,
};

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

/// Whether a stage cannot be passed as long as the other is not.
pub(crate) fn waits_for(stage: Stage, before: Stage) -> bool {
    let own = ORDER.iter().find(|(own, _)| *own == stage).map_or(&[][..], |(_, waits_for)| waits_for);
    own.iter().any(|one| *one == before || waits_for(*one, before))
}

/// A client's way in both phases, the first installation and the time after the settings have come.
pub(crate) fn both_phases(site: &Site, client: &Client, at: Micros) -> Vec<Prediction> {
    Phase::ALL.iter().map(|phase| predict(&Question { site, client, at, phase: *phase })).collect()
}

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
    let barrier = decided.barrier();
    let mut stages: Vec<Predicted> = Vec::with_capacity(ORDER.len());
    let mut told: Vec<&'static str> = Vec::new();
    for (stage, waits_for) in ORDER {
        let before = |wanted: &[Status]| {
            waits_for.iter().copied().find(|before| {
                stages.iter().any(|predicted| predicted.stage == *before && wanted.contains(&predicted.status))
            })
        };
        let stopped_by = before(&[Status::Blocked, Status::NotReached]);
        let stopped_by = stopped_by.or(barrier).filter(|_| barrier != Some(stage));
        let open = before(&[Status::NotKnown]);
        let mut predicted = predicted(stage, decided.stage(stage), stopped_by, open);
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
    Prediction { phase: question.phase, credential: decided.credential, works, barrier, stages }
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
    /// The device's where it gets one, else the user's.
    Either,
}

/// The decisions that others rest on.
struct Decided<'q, 'a> {
    question: &'q Question<'a>,
    credential: Credential,
    aad_token: Ruling,
    bearer: Bearer,
    /// What the connection point finds on its way to a management point, and what that one checks.
    answer: (Ruling, Ruling),
}

const ONE_OF_SEVERAL: Words = Words {
    title: "One of the management points that clients are offered does not do its work",
    explanation: "Clients are offered several management points through the CMG, and one of them fails. A client that has \
                  chosen it fails until it takes another one.",
    remedy: None,
    verify: None,
};

const BY_CERTIFICATE: &str = "The client authenticates with its own certificate.";
const BY_REGISTRATION: &str = "The client authenticates with a registration token.";
const BY_SITE_TOKEN: &str = "Entra is not asked: the client has a token of the site's own, if it has anything.";
const DONE: &str = "It was done by ccmsetup.";

impl<'q, 'a> Decided<'q, 'a> {
    fn of(question: &'q Question<'a>) -> Self {
        let (aad_token, bearer) = aad_token(question);
        let answer = Default::default();
        let mut decided = Self { question, credential: question.credential(), aad_token, bearer, answer };
        decided.answer = decided.answered();
        decided
    }

    /// The stage that all others wait for, whatever their place, where it cannot be passed: a command line that nobody
    /// understands, and later a location that nobody gives.
    fn barrier(&self) -> Option<Stage> {
        let question = self.question;
        let (stage, ruling, failure) = match question.phase {
            Phase::Bootstrap => (
                ClientInstall,
                command_line::command_line(question.site, question.client),
                "bootstrap-command-malformed",
            ),
            Phase::AfterRefresh => {
                (LocationRequest, content::location(question, question.client), "cmg-location-not-given")
            }
        };
        ruling.failures().any(|id| id == failure).then_some(stage)
    }

    /// What comes of a request behind the gateway. Of several management points the client takes one that answers; what
    /// is wrong with the others is warned of.
    fn answered(&self) -> (Ruling, Ruling) {
        let points = self.question.management_points();
        let judged = points.iter().map(|point| (self.connector_forward(point), self.mp_validate(point)));
        let judged: Vec<(Ruling, Ruling)> = judged.collect();
        let rank = |(forward, validate): &(Ruling, Ruling)| {
            let both = [forward.verdict(), validate.verdict()];
            let blocked = both.contains(&Verdict::Blocked);
            (blocked, forward.unknown.len() + validate.unknown.len())
        };
        let Some((best, chosen)) = judged.iter().enumerate().min_by_key(|(_, answer)| rank(answer)) else {
            let open = || Ruling::not_known("which management point answers");
            return (open(), open());
        };
        let nobody = rank(chosen).0;
        let mut answer = chosen.clone();
        for (_, (forward, validate)) in judged.into_iter().enumerate().filter(|(at, _)| *at != best) {
            for (all, own) in [(&mut answer.0, forward), (&mut answer.1, validate)] {
                if nobody {
                    own.causes.into_iter().for_each(|cause| all.add_cause(cause));
                } else {
                    all.warnings.extend(own.causes.into_iter().map(|cause| cause.in_words(Some(&ONE_OF_SEVERAL))));
                }
            }
        }
        answer
    }

    fn stage(&self, stage: Stage) -> Decision {
        let question = self.question;
        let installed = question.phase == Phase::AfterRefresh;
        let without_entra = match self.credential {
            Credential::Certificate => Some(BY_CERTIFICATE),
            Credential::RegistrationToken => Some(BY_REGISTRATION),
            Credential::SiteToken => Some(BY_SITE_TOKEN),
            Credential::Entra => None,
        };
        match (stage, without_entra) {
            (AadInfo | ClientInstall | Registration, _) if installed => Decision::Skipped(DONE),
            (AadInfo | WpjCertificate | AadToken, Some(why)) => self.without_entra(stage, why),
            (CcmTokenRequest | CcmTokenIssue, _) if self.credential == Credential::Certificate => {
                Decision::Skipped(BY_CERTIFICATE)
            }
            (AadInfo, None) => aad_info(question),
            (WpjCertificate, None) => Decision::Made(self.joined()),
            (AadToken, None) => Decision::Made(self.aad_token.clone()),
            (CmgConnection, _) => Decision::Made(cmg_connection(question)),
            (CmgReceive, _) => Decision::Made(self.cmg_receive()),
            (CmgForward, _) => Decision::Made(connection_point::channel(&question.site.connection_point)),
            (ConnectorForward, _) => Decision::Made(self.answer.0.clone()),
            (MpValidate, _) => Decision::Made(self.answer.1.clone()),
            (CcmTokenRequest | CcmTokenIssue, _) => Decision::Made(Ruling::default()),
            (LocationRequest, _) => Decision::Made(content::location(question, question.client)),
            (ContentDownload, _) => content::content(question.site, question.client)
                .map_or(Decision::Skipped("No package was told."), Decision::Made),
            (ClientInstall, _) => Decision::Made(command_line::command_line(question.site, question.client)),
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

    /// Whether the device can prove its join. A command line that names no gateway may run on the own network, where
    /// nobody asks.
    fn joined(&self) -> Ruling {
        let question = self.question;
        let ruling = entra::join(question.client, question.client_time());
        if let Some(why) = question.unusable_certificate() {
            return without_certificate(ruling, &why);
        }
        let of_own_network = question.command().is_some() && question.told_target().is_none();
        let asks_for_certificate = question.command().is_some_and(CommandLine::use_pki_certificate);
        match ruling.causes.first() {
            Some(cause) if asks_for_certificate && question.client.pki_certificate.is_none() => {
                Ruling::not_known(format!(
                    "whether the client has a PKI certificate, which /UsePKICert asks for (pki_certificate); without one {} is met ({})",
                    cause.failure,
                    clause(&cause.why)
                ))
            }
            Some(cause) if question.phase == Phase::Bootstrap && of_own_network => Ruling::not_known(format!(
                "where ccmsetup runs: its command line names no CMG, and from the internet {} is met ({})",
                cause.failure,
                clause(&cause.why)
            )),
            _ if asks_for_certificate && question.client.pki_certificate.is_none() => ruling.and(Ruling::passed(
                "The command line has /UsePKICert, and no certificate is told (pki_certificate): predicted is the way \
                 without one.",
            )),
            _ => ruling,
        }
    }

    /// What the gateway checks.
    fn cmg_receive(&self) -> Ruling {
        let question = self.question;
        // Where quotes are wrong, words are cut in wrong places: that is told of the command line itself.
        let is_read = question.command().is_none_or(|line| line.slips.is_empty());
        let told = question.told_target().filter(|_| question.phase == Phase::Bootstrap && is_read);
        let route = match told {
            Some(target) => {
                let by_source = question.command().is_some_and(|line| line.ccm_host_name().is_none());
                gateway::route(question.site, &target, if by_source { "/mp:" } else { "CCMHOSTNAME" })
            }
            None if question.targets().is_empty() => Ruling::not_known("which CMG the client turns to"),
            None => Ruling::default(),
        };
        let proof = if self.credential == Credential::Certificate {
            question.client_chain().map_or_else(Ruling::default, |chain| {
                gateway::client_certificate(&chain, question.site.cmg.verify_client_revocation)
            })
        } else {
            let at = question.gateway_time();
            self.with_clock("the CMG", at, self.token_at(at, gateway::token))
        };
        route.and(proof)
    }

    /// What a server's clock does to tokens of Entra, unless it is what is wrong with this one.
    fn with_clock(&self, name: &str, at: i64, mut token: Ruling) -> Ruling {
        if self.credential != Credential::Entra {
            return token;
        }
        let clock = gateway::clock(name, &TokenPolicy::new(at), self.question.at);
        let is_skew = |cause: &Cause| cause.failure == "token-clock-skew";
        if !token.causes.iter().any(is_skew) {
            return token.and(clock);
        }
        // Of both sentences the clock's says whose clock it is.
        if !clock.causes.is_empty() {
            token.causes.retain(|cause| !is_skew(cause));
            return token.and(clock);
        }
        token
    }

    fn connector_forward(&self, point: &ManagementPoint) -> Ruling {
        let question = self.question;
        let at = clock(question.at, question.site.connection_point.clock_offset_seconds);
        connection_point::forward(question.site, point, at)
    }

    /// What a management point checks.
    fn mp_validate(&self, point: &ManagementPoint) -> Ruling {
        let question = self.question;
        let mut ruling = management_point::web_server(point);
        if self.credential == Credential::Certificate {
            return ruling;
        }
        ruling = ruling.and(management_point::token_service(point));
        if self.credential == Credential::Entra {
            ruling = ruling.and(management_point::entra(point, question.site.options.version));
        }
        let at = clock(question.at, point.clock_offset_seconds);
        // What is not told of the token was said where the gateway takes it.
        let token = Ruling { unknown: Vec::new(), ..self.token_at(at, management_point::token) };
        ruling = ruling.and(self.with_clock(&point.name, at, token));
        if self.credential == Credential::Entra {
            ruling = ruling.and(self.user_of_token());
        }
        ruling
    }

    /// Whether the site knows the user, where the token is a user's.
    fn user_of_token(&self) -> Ruling {
        if self.bearer == Bearer::Device {
            return Ruling::default();
        }
        let user = management_point::user(self.question.site, self.question.client);
        match user.causes.first() {
            // The device's token needs no user; whether there will be one is not known.
            Some(cause) if self.bearer == Bearer::Either => Ruling::not_known(format!(
                "whether Windows can use the key of the device's join: if not, the user's token is shown ({})",
                clause(&cause.why)
            )),
            _ => user,
        }
    }

    /// What somebody whose clock shows `at` says of the client's token.
    fn token_at(&self, at: i64, check: fn(&str, &TokenPolicy, i64) -> Ruling) -> Ruling {
        let question = self.question;
        let policy = TokenPolicy::new(at);
        // A command line in a ticket holds its token no more.
        let is_whole = |token: &String| token.matches('.').count() >= 2;
        match self.credential {
            Credential::RegistrationToken => {
                return match question.client.registration_token().filter(is_whole) {
                    Some(token) => {
                        gateway::no_registration_token(&token).unwrap_or_else(|| check(&token, &policy, question.at))
                    }
                    None => Ruling::not_known("what the registration token holds"),
                };
            }
            Credential::SiteToken => {
                let token = question.client.tokens.site.as_ref().map(|file| file.text().trim().to_owned());
                return match token.filter(is_whole) {
                    Some(token) => doubted(check(&token, &policy, question.at)),
                    None => Ruling::not_known(
                        "whether the client has a token of the site (tokens.site), from its registration or from the \
                         organisation's network, and what it holds",
                    ),
                };
            }
            Credential::Certificate | Credential::Entra => {}
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
        // What the command line asks for instead was judged where Entra is asked.
        let audience = app.resource_uri.as_deref().ok_or("the App ID URI of the server app")?;
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

const UNUSABLE: Words = Words {
    title: "The client's PKI certificate cannot be used, and nothing else proves who it is",
    explanation: "ccmsetup selects a certificate that is in its dates and for client authentication. The one that the \
                  client has is not, so that it turns to Entra, where the device cannot prove a join.",
    remedy: Some(
        "Renew or replace the certificate (or set the client's clock, where that is what is wrong). Or join the device \
         to Entra, or give ccmsetup a bulk registration token (/regtoken).",
    ),
    verify: Some(
        "The certificate in the computer's store is in its dates and for client authentication; the next run of ccmsetup \
             gets through without asking Entra.",
    ),
};

/// The join of a client whose PKI certificate cannot be used, for this reason.
fn without_certificate(mut join: Ruling, why: &str) -> Ruling {
    for cause in &mut join.causes {
        cause.why = format!("The client's PKI certificate cannot be used. {why} {}", cause.why);
        cause.words = Some(&UNUSABLE);
    }
    for open in &mut join.unknown {
        *open =
            format!("{open}, which must prove the client, since its PKI certificate cannot be used ({})", clause(why));
    }
    join.and(Ruling::passed(format!("The client's PKI certificate cannot be used, and it turns to Entra. {why}")))
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
        (Verdict::NotKnown, Verdict::Passed) => (request.and(user), Bearer::Either),
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
    let cases: Vec<(String, Ruling)> = question
        .targets()
        .into_iter()
        .map(|target| {
            let ruling = connected_to(question, &target);
            (target.host, ruling)
        })
        .collect();
    if cases.is_empty() {
        return Ruling::not_known("which CMG the client turns to");
    }
    Ruling::one_of("which of the CMG's names the client was given", cases)
}

fn connected_to(question: &Question<'_>, target: &CcmHostName) -> Ruling {
    let (site, client) = (question.site, question.client);
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
    let not_fetched = chains::not_fetched(&site.crls, &request);
    let chain =
        connection::ServerChain { request, right_time: question.at, checks_lists: question.checks_lists(), restored };
    let inspected = intercepted_or_not(client);
    ruling.and(inspected).and(connection::certificate(&chain, not_fetched))
}

/// Whether it is told that nobody opens the traffic.
fn intercepted_or_not(client: &Client) -> Ruling {
    match client.network.inspection {
        Some(_) => Ruling::default(),
        None => Ruling::not_known("whether an inspecting proxy opens the traffic"),
    }
}

/// What was found of a token of the site that a client had at some time: it may have taken a new one since.
fn doubted(mut ruling: Ruling) -> Ruling {
    for cause in ruling.causes.iter_mut().filter(|cause| cause.failure == "site-token-expired") {
        cause.confidence = cause.confidence.min(Confidence::Likely);
        cause.why.push_str(" The client may have taken a new one since.");
    }
    ruling
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
