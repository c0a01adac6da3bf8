//! Failures: causes, symptoms and benign patterns, with the conditions that raise them and their words.
//!
//! There is no rule language: a [`Condition`] is one of a closed set. What needs code is named in
//! [`Condition::Pattern`] and lives in `diagnosis/patterns.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::table::Entry;
use crate::finding::{Confidence, Severity};
use crate::stage::{FlowKind, Outcome, Role, Stage, StageStatus};

/// What a failure is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureRole {
    /// A root cause.
    Cause,
    /// A consequence; never reported as a cause.
    Symptom,
    /// Harmless; named so that nobody chases it.
    Benign,
}

impl FailureRole {
    /// Its id in knowledge files.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Symptom => "symptom",
            Self::Benign => "benign",
        }
    }
}

/// Whom a failure can hit: the words of its scope, of which `or` joins several.
const HITS: [(&str, bool); 9] = [
    ("client", false),
    ("user", false),
    ("media", false),
    ("network", false),
    ("none", false),
    ("machine", true),
    ("deployment", true),
    ("tenant", true),
    ("site", true),
];

/// Scope of what hits all clients of a gateway from one minute on.
pub(crate) const ALL_AT_ONCE: &str = "site, all clients at once";

/// For each word of a scope whether it means more than one client; `None` for a word that is none.
fn hits(scope: &str) -> impl Iterator<Item = Option<bool>> {
    let words = if scope == ALL_AT_ONCE { "site" } else { scope };
    words.split(" or ").map(|word| HITS.iter().find(|(known, _)| *known == word).map(|(_, many)| *many))
}

/// What a site's description does not see, where a failure was found and not foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unforeseen {
    /// The network in between, at that time.
    Network,
    /// The clocks, at that time.
    Time,
    /// Another certificate, or another store, than the files tell.
    Certificate,
    /// A setting of a server or client that is not as told.
    #[default]
    Setting,
}

/// A failure of the catalogue.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // each is a key of its own in the knowledge file, and may stand with any other
pub struct Failure {
    /// Kebab-case id.
    pub id: String,
    /// Cause, symptom or benign pattern.
    pub role: FailureRole,
    /// Severity where it stopped a flow.
    pub severity: Severity,
    /// Severity where the flow overcame it (a fallback, a retry, a later success); `None`: then it is not reported.
    pub overcome: Option<Severity>,
    /// Stage that fails first.
    pub stage: Option<Stage>,
    /// Whom it hits: "client", "user", "media", "network", "none", "machine", "deployment", "tenant", "site"; several
    /// with "or" between them; or "site, all clients at once".
    pub scope: String,
    /// What a site's description does not see where this was found and not foreseen.
    pub unforeseen: Unforeseen,
    /// True where it stops a token of Entra, or its exchange for one of the site, and nothing that is asked with the
    /// latter: a client that still has one gets through.
    pub new_tokens_only: bool,
    /// True where it stops an authentication that goes straight to a management point, so that it counts although nothing
    /// of the client has to do with a gateway.
    pub without_cmg: bool,
    /// True where the signature's text has no public sample: `possible` at most, unless behaviour proves it.
    pub hypothesis: bool,
    /// One line that names the problem.
    pub title: String,
    /// What happened and why. `{field}` or `{field|words when unknown}` stand for values of the evidence.
    pub explanation: String,
    /// What to do now.
    pub remedy: String,
    /// How to check that it worked.
    pub verify: String,
    /// Public reference.
    pub reference: String,
    /// Alternatives: the first that holds raises the failure with its confidence.
    pub when: Vec<When>,
    /// What would make it certain, most telling first.
    pub missing: Vec<MissingEvidence>,
    /// Neighbours to be told apart.
    pub separates_from: Vec<String>,
    /// Failures whose finding for the same flow makes this one a consequence.
    pub yields_to: Vec<String>,
    /// Causes that it completes: both are true of a flow, neither takes the other's place, and it is told behind them.
    pub completes: Vec<String>,
    /// Messages that a server does not write while the fault is there: with one of them well after the last of its own
    /// lines on the same machine, it is over.
    pub mended_by: Vec<String>,
    /// Codes and failures that follow from it.
    pub consequences: Vec<String>,
    /// "builtin", or the user's file that it comes from.
    pub rule: String,
    /// True for a failure that a user's file adds, or whose conditions it replaces: it stands beside what the built-in
    /// failures find and takes nothing away from them.
    pub beside: bool,
    pub(crate) start: usize,
}

impl Failure {
    /// Reads an entry of a knowledge file.
    pub(crate) fn read(mut entry: Entry<'_, '_, '_>, rule: &str) -> Option<Self> {
        let failure = Self {
            id: entry.id.clone(),
            role: entry.required("role").unwrap_or(FailureRole::Cause),
            severity: entry.required("severity").unwrap_or(Severity::Info),
            overcome: entry.value("overcome"),
            stage: entry.value("stage"),
            scope: entry.required("scope").unwrap_or_default(),
            unforeseen: entry.value("unforeseen").unwrap_or_default(),
            new_tokens_only: entry.flag("new_tokens_only"),
            without_cmg: entry.flag("without_cmg"),
            hypothesis: entry.flag("hypothesis"),
            title: entry.words("title"),
            explanation: entry.words("explanation"),
            remedy: entry.words("remedy"),
            verify: entry.words("verify"),
            reference: entry.words("reference"),
            when: entry.value("when").unwrap_or_default(),
            missing: entry.value("missing").unwrap_or_default(),
            separates_from: entry.value("separates_from").unwrap_or_default(),
            yields_to: entry.value("yields_to").unwrap_or_default(),
            completes: entry.value("completes").unwrap_or_default(),
            mended_by: entry.value("mended_by").unwrap_or_default(),
            consequences: entry.value("consequences").unwrap_or_default(),
            rule: rule.to_owned(),
            beside: false,
            start: entry.start,
        };
        if failure.when.iter().any(|when| when.requires.is_empty()) {
            entry.mistake("when", "'requires' is empty; a failure must rest on something");
        }
        if !failure.scope.is_empty() && hits(&failure.scope).any(|many| many.is_none()) {
            let known: Vec<&str> = HITS.iter().map(|(word, _)| *word).collect();
            entry.mistake(
                "scope",
                &format!(
                    "expected whom it hits ({}, or several with 'or' between them), found '{}'",
                    known.join(", "),
                    failure.scope
                ),
            );
        }
        entry.close().then_some(failure)
    }

    /// True where it can hit more than one client at once.
    pub(crate) fn hits_many(&self) -> bool {
        hits(&self.scope).any(|many| many == Some(true))
    }

    /// True where it can hit one client and not the next, so that what proves it of one proves nothing of the other.
    pub(crate) fn hits_one(&self) -> bool {
        hits(&self.scope).any(|many| many == Some(false))
    }

    /// Marks it as a failure of a user's file; `replaced` is the built-in failure with its id. One that changes only
    /// the words keeps the standing of the built-in one.
    pub(super) fn is_own(&mut self, replaced: Option<&Arc<Self>>) {
        // Conditions are plain data: two that print alike are alike.
        let rules = |failure: &Self| format!("{:?} {:?}", failure.when, failure.yields_to);
        self.beside = replaced.is_none_or(|replaced| rules(replaced) != rules(self));
    }

    /// Failures that it names: neighbours, those it gives way to or completes, consequences, those that an artefact explains.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        let is_code = |name: &&String| name.starts_with("0x") || name.bytes().all(|byte| byte.is_ascii_digit());
        let separated = self.missing.iter().flat_map(|missing| &missing.separates);
        let consequences = self.consequences.iter().filter(move |name| !is_code(name));
        let explained = self.artefacts().filter_map(|shape| shape.explains.as_ref());
        let others = self.separates_from.iter().chain(&self.yields_to).chain(&self.completes).chain(separated);
        others.chain(consequences).chain(explained).map(String::as_str)
    }

    /// Shapes of events in its conditions.
    pub(super) fn events(&self) -> impl Iterator<Item = &EventShape> {
        self.conditions().filter_map(|condition| match condition {
            Condition::Event(shape)
            | Condition::Absent(shape)
            | Condition::ServedSince(shape)
            | Condition::FellSilent(shape) => Some(shape),
            _ => None,
        })
    }

    /// Shapes of requests in its conditions.
    pub(super) fn requests(&self) -> impl Iterator<Item = &RequestShape> {
        self.conditions().filter_map(|condition| match condition {
            Condition::Request(shape)
            | Condition::EarlierRequest(shape)
            | Condition::OthersFail(shape)
            | Condition::OthersPass(shape) => Some(shape),
            _ => None,
        })
    }

    /// All its words that values are filled into, each with its key.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own = [
            ("title", &self.title),
            ("explanation", &self.explanation),
            ("remedy", &self.remedy),
            ("verify", &self.verify),
        ];
        let of_rules = self.when.iter().flat_map(|when| {
            let words = [("title", &when.title), ("explanation", &when.explanation), ("remedy", &when.remedy)];
            words.into_iter().filter_map(|(key, words)| Some((key, words.as_ref()?)))
        });
        let missing = self.missing.iter().flat_map(|missing| [("what", &missing.what), ("how", &missing.how)]);
        own.into_iter().chain(of_rules).chain(missing).map(|(key, words)| (key, words.as_str()))
    }

    /// Messages that its conditions, what is missing, and what shows it to be over, name.
    pub(super) fn messages(&self) -> impl Iterator<Item = &str> {
        let of_conditions = self.events().map(|shape| &shape.message);
        let verbose = self.missing.iter().map(|missing| &missing.verbose);
        of_conditions.chain(verbose).chain([&self.mended_by]).flatten().map(String::as_str)
    }

    /// Messages without which none of its rules, or one of them, holds.
    pub(crate) fn required_messages(&self) -> impl Iterator<Item = &str> {
        let required = self.when.iter().flat_map(|when| &when.requires);
        let shapes = required.filter_map(|condition| match condition {
            Condition::Event(shape) => Some(&shape.message),
            _ => None,
        });
        shapes.flatten().map(String::as_str)
    }

    /// Kinds of artefact report that its conditions name.
    pub(super) fn artefact_kinds(&self) -> impl Iterator<Item = &str> {
        self.artefacts().map(|shape| shape.kind.as_str())
    }

    fn artefacts(&self) -> impl Iterator<Item = &ArtefactShape> {
        self.conditions().filter_map(|condition| match condition {
            Condition::Artefact(shape) => Some(shape),
            _ => None,
        })
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.when.iter().flat_map(|when| when.requires.iter().chain(&when.supports).chain(&when.excludes))
    }
}

/// One way of recognising a failure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Confidence where `requires` holds and nothing in `excludes` does.
    pub confidence: Confidence,
    /// All must hold. Their lines are the evidence.
    pub requires: Vec<Condition>,
    /// Each that holds adds its lines to the evidence; where all hold, confidence rises by one step.
    #[serde(default)]
    pub supports: Vec<Condition>,
    /// None may hold.
    #[serde(default)]
    pub excludes: Vec<Condition>,
    /// Judged over the machines of the site, without a client's flow.
    #[serde(default)]
    pub site: bool,
    /// Severity where nothing has failed yet; default: the failure's own.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Title in place of the failure's own, where nothing has failed yet.
    #[serde(default)]
    pub title: Option<String>,
    /// Explanation in place of the failure's own.
    #[serde(default)]
    pub explanation: Option<String>,
    /// Remedy in place of the failure's own.
    #[serde(default)]
    pub remedy: Option<String>,
}

impl When {
    /// True where it requires something that a log or an artefact shows, and not only circumstances, which hold of many
    /// flows.
    pub(crate) fn rests_on_evidence(&self) -> bool {
        !self.requires.iter().all(Condition::is_circumstance)
    }
}

/// Where a condition looks for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The last attempt of the flow, on all machines.
    #[default]
    Attempt,
    /// All attempts of the flow, on all machines.
    Flow,
    /// What the same client did before the flow.
    History,
    /// The servers' logs while the flow ran (and a margin for clocks); without a flow, all of them.
    Site,
    /// The same, and the servers' logs of the week before the flow.
    SiteHistory,
    /// The servers' logs while the flow ran, but for lines that surely are another client's.
    Unclaimed,
}

impl Scope {
    /// True where it is about the servers' logs, whoever asked them.
    pub(crate) fn is_of_site(self) -> bool {
        matches!(self, Self::Site | Self::SiteHistory | Self::Unclaimed)
    }
}

/// Values that a field may have: one or several; compared without regard to case.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOf {
    /// Exactly this text.
    Text(String),
    /// Exactly this number.
    Number(i64),
    /// Any of these texts.
    Texts(Vec<String>),
    /// Any of these numbers.
    Numbers(Vec<i64>),
}

/// A condition, one of a closed set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A failed request to a CMG in the last attempt that looks like this.
    Request(RequestShape),
    /// A request of the same client, before the flow's failure, that did not fail and looks like this.
    EarlierRequest(RequestShape),
    /// Another client's request to the same CMG near in time that failed like this.
    OthersFail(RequestShape),
    /// Another client's request to the same CMG near in time that did not fail, and that tells of the time of the
    /// flow's own failure: what others got before all of them failed alike says nothing of it.
    OthersPass(RequestShape),
    /// An event of one of these messages.
    Event(EventShape),
    /// No event of these messages, although their log covers the time.
    Absent(EventShape),
    /// A stage of the flow with this status.
    Stage(StageShape),
    /// The flow is of one of these kinds.
    Kind(Vec<FlowKind>),
    /// The flow ended like this.
    Outcome(Vec<Outcome>),
    /// The flow has no request to anything at or after this stage.
    NothingAfter(Stage),
    /// A rule of the few that need code, by name.
    Pattern(Pattern),
    /// A check that an artefact of the client passed or failed, at the time of the flow.
    Artefact(ArtefactShape),
    /// After the last event of these messages, a request through a gateway was answered: what they tell is over.
    ServedSince(EventShape),
    /// Events of these messages, which came often, stopped on all machines that wrote them, and with them every request
    /// through a gateway: requests passed until then and none has since, those of two clients or several of one failed, and
    /// other servers' logs go on.
    FellSilent(EventShape),
}

impl Condition {
    /// True where it asks for circumstances alone, which hold of many flows.
    pub(crate) fn is_circumstance(&self) -> bool {
        matches!(self, Self::Stage(_) | Self::Kind(_) | Self::Outcome(_) | Self::NothingAfter(_))
    }
}

/// Which check of which artefact counts.
///
/// ```toml
/// { artefact = { kind = "certificate-chain", check = "root-not-in-client-store", status = "failed" } }
/// ```
///
/// The chain, tokens and join status are those of the client's machine (`docs/bundle.md`), judged when its request
/// failed. Without a flow (`site = true`) they are those of all machines, judged as the trail lists them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtefactShape {
    /// Kind of the report: one of [`ARTEFACT_KINDS`].
    pub kind: String,
    /// Ids of checks of that report, any of them. None where `explains` is given.
    #[serde(default)]
    pub check: Vec<String>,
    /// How it ended. "failed" is: at least one of these checks failed. "passed" is: one was made, and none of them
    /// failed or was left open.
    #[serde(default)]
    pub status: ArtefactStatus,
    /// The failure that the token validator draws from a failed check.
    #[serde(default)]
    pub explains: Option<String>,
}

/// How a check of an artefact ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtefactStatus {
    /// At least one failed.
    #[default]
    Failed,
    /// One was made, and all passed.
    Passed,
}

/// Kinds of report that a condition can ask.
pub const ARTEFACT_KINDS: [&str; 4] = ["certificate-chain", "device-certificate", "token", "dsregcmd"];

/// Parts of a bundle (`docs/bundle.md`) that can be missing.
pub(crate) const BUNDLE_PARTS: [&str; 10] = [
    "presented",
    "root-store",
    "intermediate-store",
    "disallowed-store",
    "device-certificate",
    "revocation-list",
    "fetch-list",
    "token",
    "key-set",
    "join-status",
];

/// What a request looks like. Everything given must agree.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestShape {
    /// `WinHTTP` codes.
    #[serde(default)]
    pub code: Vec<u32>,
    /// One of these bits of the secure-failure mask is set, by name (`INVALID_CA`).
    #[serde(default)]
    pub flag: Vec<String>,
    /// None of these bits is set.
    #[serde(default)]
    pub no_flag: Vec<String>,
    /// HTTP status codes.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Status texts, whole.
    #[serde(default)]
    pub status_text: Vec<String>,
    /// HRESULTs (`0x800b010a`).
    #[serde(default)]
    pub hresult: Vec<String>,
    /// Names of endpoints.
    #[serde(default)]
    pub endpoint: Vec<String>,
    /// CRL checking was on (true), or off (false), for this request.
    #[serde(default)]
    pub revocation_check: Option<bool>,
    /// A CCM token was attached (true), or none (false).
    #[serde(default)]
    pub ccm_token: Option<bool>,
    /// It failed below HTTP (true): no name, no connection, no trust; or not there (false).
    #[serde(default)]
    pub below_http: Option<bool>,
    /// An HTTP status came in plain words (true): neither the CMG's service nor the connection point names itself, so
    /// whoever answered stands at the address that was asked.
    #[serde(default)]
    pub plain_status: Option<bool>,
    /// Of earlier requests: only those of so many hours before the failed one.
    #[serde(default)]
    pub within_hours: Option<i64>,
    /// Of others' requests: only those to the role id that the flow's failed request asks for.
    #[serde(default)]
    pub same_role: bool,
}

/// Which events count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventShape {
    /// Ids of messages; any of them.
    pub message: Vec<String>,
    /// Fields that must agree.
    #[serde(default)]
    pub fields: BTreeMap<String, OneOf>,
    /// Fields that must be there, whatever their values.
    #[serde(default)]
    pub has: Vec<String>,
    /// Where to look.
    #[serde(default)]
    pub within: Scope,
    /// For `absent`: the kind of machine whose log must cover the time. Default: the client's own.
    #[serde(default)]
    pub covered_by: Option<Role>,
    /// For `absent`: the log that must cover the time.
    #[serde(default)]
    pub log: Option<String>,
}

/// A stage with its status.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageShape {
    /// The stage.
    pub stage: Stage,
    /// Any of these.
    pub status: Vec<StageStatus>,
}

/// Evidence that would decide, if it were at hand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingEvidence {
    /// Which log or artefact, in words.
    pub what: String,
    /// Log name; the entry is dropped where that log of that machine covers the time.
    #[serde(default)]
    pub log: Option<String>,
    /// Messages that only verbose logging writes; the log is at hand only where it shows one of them.
    #[serde(default)]
    pub verbose: Vec<String>,
    /// Parts of a bundle (`docs/bundle.md`); the entry is dropped where all of them are at hand for the client.
    #[serde(default)]
    pub artefact: Vec<String>,
    /// Parts of a bundle that do not suffice; the entry is dropped unless all of them are at hand for the client.
    #[serde(default)]
    pub after: Vec<String>,
    /// Fields that tell it; the entry is dropped where the evidence has one of them.
    #[serde(default)]
    pub known: Vec<String>,
    /// It is the log of another client; the entry is dropped where logs of one are at hand.
    #[serde(default)]
    pub of_another_client: bool,
    /// Kind of machine.
    pub machine: Role,
    /// The failures it would tell apart.
    pub separates: Vec<String>,
    /// How to collect it.
    pub how: String,
}

/// The rules that need code; `diagnosis/patterns.rs` holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// An install worked over the CMG without any token: the client had a certificate of its own.
    CmgRequestPassedWithoutToken,
    /// In the newest counters of a CMG instance there are requests and not one response.
    CmgRequestsUnanswered,
    /// Connections to the CMG failed for some minutes and have worked since.
    ConnectorRecoveredWithinMinutes,
    /// An install tried the CMG's content for an hour or more and then took another way.
    ContentFellBack,
    /// The last request for a CCM token went straight to a management point, whose certificate was not trusted.
    DirectMpUntrusted,
    /// A user of the domain whose validated token names no on-premises SID.
    DomainUserWithoutOnPremisesSid,
    /// Database errors in at least two logs of the management point, up to its newest lines.
    MpdbErrorsCurrent,
    /// The client knew for half an hour or more that it is on the internet, and was given no internet management point.
    NoGatewayGiven,
    /// The clocks of other machines agree with this one.
    OtherClocksAgree,
    /// Other machines' logs are at hand, and none comes within a day of any of the client's.
    OtherClocksDisagree,
    /// This client asks for a token for another resource than every client that works.
    ResourceDiffersFromWorkingClients,
    /// The logs of three other machines or more share a time, and none comes within a day of any of the client's.
    ThreeOtherClocksDisagree,
    /// A token was refused as expired by far more than clocks differ.
    TokenExpiredByDays,
    /// A token was refused as expired, or not yet valid, by no more than clocks differ.
    TokenExpiredByMinutes,
}
