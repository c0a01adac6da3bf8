//! Judges a flow: the status of each stage over the last attempt, how the flow ended, and where it broke.

use std::collections::BTreeSet;

use super::draft::{Draft, Member};
use super::requests::Requests;
use super::{LineRef, StageResult};
use crate::events::Event;
use crate::knowledge::{Knowledge, RequestPart};
use crate::record::Source;
use crate::stage::{FlowKind, Mark, Outcome, Role, Stage, StageStatus};
use crate::time::Micros;
use crate::tokens::without_tokens;
use crate::workflow;

/// A log that goes on for this long after a flow's last line goes on without the flow. Clients retry every ten
/// minutes (log catalogue, section 3.2).
const GOES_ON: Micros = 15 * 60 * 1_000_000;

/// What the judge decides.
#[derive(Debug)]
pub struct Verdict {
    /// How the flow ended.
    pub outcome: Outcome,
    /// Where it broke, where it did.
    pub broke_at: Option<Stage>,
    /// All stages, in display order.
    pub stages: Vec<StageResult>,
    /// True where some line of the flow has to do with a gateway.
    pub through_cmg: bool,
}

/// What the judge looks at.
pub struct Bench<'a> {
    /// All events of the trail.
    pub events: &'a [Event],
    /// All sources of the trail.
    pub sources: &'a [Source],
    /// The kinds of machine that they come from.
    pub roles: &'a BTreeSet<Role>,
    /// All requests of the trail.
    pub requests: &'a Requests,
    /// The knowledge.
    pub knowledge: &'a Knowledge,
}

/// What is decided of one stage: by which event, and whether by a line of its own.
#[derive(Debug, Clone, Copy)]
struct Ruling {
    passed: bool,
    inferred: bool,
    event: u32,
}

/// The stages of one flow while they are judged.
#[derive(Debug, Default)]
struct Sheet {
    rulings: [Option<Ruling>; Stage::ALL.len()],
    begun: [Option<u32>; Stage::ALL.len()],
    /// A failure that names neither stage nor cause, by its event.
    symptom: Option<u32>,
    /// The same of a request to a host that is no gateway.
    symptom_elsewhere: Option<u32>,
    /// By stage, the first line that tells of a failure without deciding the stage, by its event: a symptom, or a failure
    /// at a host that is no gateway.
    told: [Option<u32>; Stage::ALL.len()],
    /// Stages that some line of the client speaks of, in whichever attempt.
    spoken_of: [bool; Stage::ALL.len()],
    through_cmg: bool,
}

impl Bench<'_> {
    /// Judges one flow.
    pub fn judge(&self, draft: &Draft) -> Verdict {
        let mut sheet = self.read_attempt(draft);
        infer(&mut sheet);
        let outcome = self.outcome(draft, &sheet);
        let broke_at = match outcome {
            Outcome::Failed => self.broke_at(draft, &mut sheet),
            Outcome::Stalled => self.furthest_begun(&sheet),
            Outcome::Completed | Outcome::Unfinished => None,
        };
        if let Some(broken) = broke_at {
            sheet.forget_what_is_behind(broken);
        }
        let logs = self.logs_of(draft);
        let stages = Stage::ALL.iter().map(|&stage| self.result(draft, (&sheet, &logs), stage, broke_at)).collect();
        Verdict { outcome, broke_at, stages, through_cmg: sheet.through_cmg }
    }

    /// The stage that an event speaks of: its own, or that of the request it belongs to.
    pub fn stage_of(&self, index: u32) -> Option<Stage> {
        let event = &self.events[index as usize];
        let request = self.requests.of(index);
        match event.stage() {
            Some(stage) if workflow::is_of_gateway(stage) && self.is_elsewhere(index) => {
                request.and_then(|request| request.purpose).filter(|purpose| !workflow::is_of_gateway(*purpose))
            }
            Some(stage) => Some(stage),
            None => request.and_then(|request| request.purpose),
        }
    }

    /// The stage at which a line of a flow stands: of a request that did not come through, where it ended.
    pub fn shown_at(&self, index: u32) -> Option<Stage> {
        let event = &self.events[index as usize];
        let failed = event.mark() == Mark::Fail && event.message.symptom && !self.is_elsewhere(index);
        failed.then(|| self.ended_at(index)).flatten().or_else(|| self.stage_of(index))
    }

    /// Where a request to a gateway ended, by the line of its failure: before it came there, or there.
    fn ended_at(&self, index: u32) -> Option<Stage> {
        let request = self.requests.of(index);
        if request.is_some_and(|request| request.to_cmg && request.failed_below_http()) {
            return Some(Stage::CmgConnection);
        }
        self.ended_by_gateway(index)
    }

    /// True where the event speaks of a host that is no gateway.
    fn is_elsewhere(&self, index: u32) -> bool {
        let event = &self.events[index as usize];
        let named = self.requests.of(index).is_some_and(|request| request.host.is_some())
            || super::requests::target(event, self.knowledge).is_some();
        event.role().is_none_or(|role| role == Role::Client)
            && named
            && !self.requests.concerns_cmg(index, event, self.knowledge)
    }

    /// Reads the last attempt: the client's own lines first, in their order, and what they imply; then the servers',
    /// which fill in what the client's leave open. Clocks of two machines do not tell what came first, so a server's
    /// success never overcomes what the client saw fail.
    fn read_attempt(&self, draft: &Draft) -> Sheet {
        let last = draft.attempts();
        let through_cmg = draft.client.iter().any(|member| self.speaks_of_cmg(member));
        let mut sheet = Sheet { through_cmg, ..Sheet::default() };
        for stage in draft.client.iter().filter_map(|member| self.stage_of(member.event)) {
            sheet.spoken_of[stage as usize] = true;
        }
        for member in draft.client.iter().filter(|member| member.attempt == last) {
            self.read_event(&mut sheet, member.event);
        }
        infer(&mut sheet);
        for member in draft.servers.iter().filter(|member| member.attempt == last) {
            self.read_server_event(&mut sheet, member.event);
        }
        self.read_row(draft, &mut sheet);
        if last > 1 {
            self.keep_what_the_client_has(draft, &mut sheet);
        }
        sheet
    }

    /// What the gateway's row tells where the client's log names no status: a gateway error is the answer to a request
    /// that the gateway took. With logs of a connection point at hand and no line there, it had nobody to hand it to.
    fn read_row(&self, draft: &Draft, sheet: &mut Sheet) {
        let request = sheet.symptom.and_then(|event| self.requests.of(event));
        let Some(row) = request.filter(|request| matches!(request.status, Some(502..=504))).and_then(|of| of.row)
        else {
            return;
        };
        if self.connection_point_is_silent(draft, row) {
            sheet.fail(Stage::CmgForward, row);
        } else if sheet.rulings[Stage::CmgReceive as usize].is_none() {
            sheet.pass(Stage::CmgReceive, row);
        }
    }

    /// True where logs of a connection point begin before the row was written, and neither they nor those of the
    /// management point have a line that may be of the flow's last attempt.
    fn connection_point_is_silent(&self, draft: &Draft, row: u32) -> bool {
        let at = self.events[row as usize].stamp.utc;
        let of_connection_point = |source: &&Source| source.role == Some(Role::ConnectionPoint);
        let mut logs = self.sources.iter().filter(of_connection_point);
        let last = draft.attempts();
        let mut lines = draft.servers.iter().chain(&draft.candidates).filter(|member| member.attempt == last);
        let mut ranges = draft.ranges.iter().filter(|range| range.attempt == last);
        let is_behind = |event: u32| self.events[event as usize].role() != Some(Role::Cmg);
        logs.any(|log| log.first.zip(at).is_some_and(|(first, at)| first <= at))
            && !lines.any(|member| is_behind(member.event))
            && !ranges.any(|range| is_behind(range.event))
    }

    /// What the client got in an earlier attempt and did not ask for again: the Entra settings, and Entra's token.
    fn keep_what_the_client_has(&self, draft: &Draft, sheet: &mut Sheet) {
        let mut earlier = Sheet { through_cmg: sheet.through_cmg, ..Sheet::default() };
        for member in draft.client.iter().filter(|member| member.attempt < draft.attempts()) {
            self.read_event(&mut earlier, member.event);
        }
        infer(&mut earlier);
        for stage in [Stage::AadInfo, Stage::WpjCertificate, Stage::AadToken] {
            let asked_again = sheet.begun[stage as usize].is_some() || sheet.rulings[stage as usize].is_some();
            let had = earlier.rulings[stage as usize].filter(|ruling| ruling.passed && !asked_again);
            if let Some(had) = had {
                sheet.rulings[stage as usize] = Some(Ruling { inferred: true, ..had });
            }
        }
    }

    fn read_server_event(&self, sheet: &mut Sheet, index: u32) {
        let event = &self.events[index as usize];
        let Some(stage) = event.stage() else { return };
        let ruling = &mut sheet.rulings[stage as usize];
        let open = ruling.is_none_or(|ruling| ruling.inferred && ruling.passed);
        match event.mark() {
            Mark::Ok if open => *ruling = Some(Ruling { passed: true, inferred: false, event: index }),
            Mark::Fail if ruling.is_none() && !event.message.symptom => {
                *ruling = Some(Ruling { passed: false, inferred: false, event: index });
            }
            _ => {}
        }
    }

    fn speaks_of_cmg(&self, member: &Member) -> bool {
        let event = &self.events[member.event as usize];
        self.requests.concerns_cmg(member.event, event, self.knowledge) || event.get("from_internet") == Some("1")
    }

    fn read_event(&self, sheet: &mut Sheet, index: u32) {
        let event = &self.events[index as usize];
        let Some(stage) = self.stage_of(index) else {
            self.read_request(sheet, index);
            return;
        };
        if event.message.falls_back {
            sheet.rulings[stage as usize] = None;
            return;
        }
        if event.mark() == Mark::Fail && (event.message.symptom || self.is_elsewhere(index)) {
            sheet.told[stage as usize].get_or_insert(index);
        }
        match event.mark() {
            Mark::Start => {
                sheet.begun[stage as usize].get_or_insert(index);
            }
            Mark::Step => {}
            Mark::Ok => sheet.pass(stage, index),
            Mark::Fail if self.is_elsewhere(index) => {
                if event.message.symptom || serves_itself(stage) {
                    sheet.symptom_elsewhere.get_or_insert(index);
                }
            }
            Mark::Fail if event.message.symptom => {
                sheet.symptom.get_or_insert(index);
                if let Some(stage) = self.ended_at(index) {
                    sheet.fail(stage, index);
                }
            }
            Mark::Fail => sheet.fail(stage, index),
        }
        self.read_request(sheet, index);
    }

    /// The stage at which the gateway ended the request, where the event is the line with the status.
    fn ended_by_gateway(&self, index: u32) -> Option<Stage> {
        let tells = self.events[index as usize].message.request == Some(RequestPart::Status);
        self.requests.of(index).filter(|_| tells)?.ended_by_gateway()
    }

    /// A request to a gateway that did not fail shows that the connection stands.
    fn read_request(&self, sheet: &mut Sheet, index: u32) {
        let Some(request) = self.requests.of(index) else { return };
        let ended = request.events.last() == Some(&index);
        if ended && request.to_cmg && request.passed() {
            let ruling = &mut sheet.rulings[Stage::CmgConnection as usize];
            if !ruling.is_some_and(|ruling| ruling.passed) {
                *ruling = Some(Ruling { passed: true, inferred: true, event: index });
            }
        }
    }

    fn outcome(&self, draft: &Draft, sheet: &Sheet) -> Outcome {
        match draft.closed {
            Some(Mark::Fail) => return Outcome::Failed,
            Some(_) => return Outcome::Completed,
            None => {}
        }
        let elsewhere = Stage::ALL.iter().any(|&stage| serves_itself(stage) && sheet.told[stage as usize].is_some());
        if sheet.symptom.is_some() || elsewhere || sheet.rulings.iter().flatten().any(|ruling| !ruling.passed) {
            return Outcome::Failed;
        }
        let waits = draft.kind != FlowKind::Service || !draft.pending.is_empty();
        match (waits, draft.superseded, self.log_goes_on(draft)) {
            (_, true, _) | (true, _, Some(GOES_ON..)) => Outcome::Stalled,
            (false, _, Some(1..)) => Outcome::Completed,
            _ => Outcome::Unfinished,
        }
    }

    /// How long the log of the flow's last line goes on after it, microseconds.
    fn log_goes_on(&self, draft: &Draft) -> Option<Micros> {
        let last = &self.events[draft.client.last()?.event as usize];
        let source = self.sources.get(last.place.source as usize)?;
        Some(source.last? - last.stamp.utc?)
    }

    /// The stage whose work could not be done.
    fn broke_at(&self, draft: &Draft, sheet: &mut Sheet) -> Option<Stage> {
        let first_failed = Stage::ALL
            .iter()
            .filter_map(|&stage| {
                sheet.rulings[stage as usize].filter(|ruling| !ruling.passed).map(|ruling| (ruling.event, stage))
            })
            .min_by_key(|(event, _)| {
                let place = draft.client.iter().position(|member| member.event == *event);
                place.unwrap_or(usize::MAX)
            });
        if let Some((_, stage)) = first_failed {
            return Some(self.stopped_before(sheet, stage).unwrap_or(stage));
        }
        let symptom = sheet
            .symptom
            .or(sheet.symptom_elsewhere)
            .and_then(|event| self.stage_of(event).map(|stage| (event, stage)));
        let Some((event, stage)) = symptom else { return own_purpose(draft) };
        let broken = if workflow::needs_cmg(stage) { self.first_undone(draft, sheet, stage) } else { stage };
        let broken = if self.stopped_at_the_site(draft, sheet, broken) { Stage::MpValidate } else { broken };
        sheet.rulings[broken as usize] = Some(Ruling { passed: false, inferred: true, event });
        Some(broken)
    }

    /// The stage before this one at which a server's line shows that the way had ended.
    fn stopped_before(&self, sheet: &Sheet, failed: Stage) -> Option<Stage> {
        let is_server = |role| role != Role::Client;
        let by_server = |stage: &Stage| {
            let ruling = sheet.rulings[*stage as usize].filter(|ruling| !ruling.passed);
            ruling.is_some_and(|ruling| self.events[ruling.event as usize].role().is_some_and(is_server))
        };
        Stage::ALL.into_iter().filter(|stage| workflow::is_behind(failed, *stage)).find(by_server)
    }

    /// Where only a symptom tells of the failure: the last stage that was begun without success, or, where none was,
    /// the first that should have been and, by a log that shows the whole process, was not.
    fn first_undone(&self, draft: &Draft, sheet: &Sheet, symptom: Stage) -> Stage {
        if let Some(begun) = self.furthest_begun(sheet).filter(|begun| *begun <= symptom) {
            return begun;
        }
        let absent = Stage::WpjCertificate;
        let done = |stage: Stage| sheet.rulings[stage as usize].is_some_and(|ruling| ruling.passed);
        if draft.from_start && draft.kind == FlowKind::Install && !done(absent) {
            return absent;
        }
        symptom
    }

    /// True where the management point took the request for a token and made none: a token's signature and lifetime may
    /// be good, and its user or device unknown to the site.
    fn stopped_at_the_site(&self, draft: &Draft, sheet: &Sheet, broken: Stage) -> bool {
        let issued = sheet.rulings[Stage::CcmTokenIssue as usize].is_some_and(|ruling| ruling.passed);
        let last = draft.attempts();
        let mut servers = draft.servers.iter().filter(|member| member.attempt == last);
        broken == Stage::CcmTokenRequest
            && !issued
            && servers.any(|member| self.events[member.event as usize].stage() == Some(Stage::MpValidate))
    }

    /// The last stage, in the order of the client's lines, that began and did not succeed.
    fn furthest_begun(&self, sheet: &Sheet) -> Option<Stage> {
        let open = |stage: &&Stage| !sheet.rulings[**stage as usize].is_some_and(|ruling| ruling.passed);
        let begun = Stage::ALL.iter().filter(open).filter_map(|&stage| Some((sheet.begun[stage as usize]?, stage)));
        let when = |event: u32| {
            let stamp = &self.events[event as usize].stamp;
            (stamp.local, event)
        };
        begun.max_by_key(|(event, stage)| (when(*event), *stage)).map(|(_, stage)| stage)
    }

    /// Names of the logs that a flow has lines of, in small letters.
    fn logs_of(&self, draft: &Draft) -> BTreeSet<String> {
        let members = draft.client.iter().chain(&draft.servers);
        let files: BTreeSet<&str> = members.map(|member| &*self.events[member.event as usize].place.file).collect();
        files.into_iter().map(|file| file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase()).collect()
    }

    /// `logs` are those that the flow has lines of.
    fn result(
        &self,
        draft: &Draft,
        (sheet, logs): (&Sheet, &BTreeSet<String>),
        stage: Stage,
        broke_at: Option<Stage>,
    ) -> StageResult {
        let unseen = |status, reason| StageResult {
            stage,
            status,
            inferred: false,
            reason: Some(reason),
            at: None,
            evidence: Vec::new(),
        };
        if let Some(ruling) = &sheet.rulings[stage as usize] {
            let event = &self.events[ruling.event as usize];
            return StageResult {
                stage,
                status: if ruling.passed { StageStatus::Passed } else { StageStatus::Failed },
                inferred: ruling.inferred,
                reason: self.told_from_outside(stage, *ruling, event, logs),
                at: event.stamp.utc,
                evidence: vec![LineRef::from(&event.place)],
            };
        }
        let step = workflow::of(stage);
        if let Some(begun) = sheet.begun[stage as usize] {
            let told = sheet.told[stage as usize].map(|event| quoted(&self.events[event as usize]));
            let ended = told.map_or("and no line says how it ended".to_owned(), |told| format!("then {told}"));
            let begun = place_of(&self.events[begun as usize]);
            return unseen(StageStatus::Unseen, format!("begun ({begun}), {ended}"));
        }
        if workflow::needs_cmg(stage) && !sheet.through_cmg {
            return unseen(StageStatus::Skipped, "no line of this flow has to do with a CMG".to_owned());
        }
        let asked_in_vain = broke_at.is_some() && sheet.spoken_of[stage as usize];
        if !step.needed_by.contains(&draft.kind) && !asked_in_vain {
            return unseen(StageStatus::Skipped, not_needed(stage));
        }
        let reason = match broke_at {
            Some(broken) if stage > broken || asked_in_vain || sheet.waits_for_settings(stage) => {
                format!("not reached: the flow broke at {}", broken.id())
            }
            _ => silence(step, logs),
        };
        unseen(StageStatus::Unseen, reason)
    }

    /// What is said of a failure on a machine of which no log is at hand: which logs would say more.
    fn told_from_outside(
        &self,
        stage: Stage,
        ruling: Ruling,
        event: &Event,
        logs: &BTreeSet<String>,
    ) -> Option<String> {
        let step = workflow::of(stage);
        let own = |role: Option<Role>| role == Some(step.machine);
        if ruling.passed || step.machine == Role::Client || own(event.role()) || self.roles.contains(&step.machine) {
            return None;
        }
        Some(format!(
            "told by the {} alone; {} would say more",
            event.role().unwrap_or(Role::Client).words(),
            others(step, logs)?
        ))
    }
}

/// True for the stages that a client asks a management point for by itself where it reaches one without a gateway: that it
/// gets no token there, or is not registered, is its own failure.
fn serves_itself(stage: Stage) -> bool {
    matches!(stage, Stage::CcmTokenRequest | Stage::Registration)
}

fn place_of(event: &Event) -> String {
    format!("{}:{}", event.place.file, event.place.line)
}

/// The beginning of an event's text, with its place, as words of a reason.
fn quoted(event: &Event) -> String {
    /// Letters that say enough.
    const ENOUGH: usize = 160;
    let shown = without_tokens(&event.text);
    let text: String = shown.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(ENOUGH).collect();
    format!("'{text}' ({})", place_of(event))
}

/// What is said of a stage that no line shows: which logs would, but for those that the flow has lines of.
fn silence(step: &workflow::Step, logs: &BTreeSet<String>) -> String {
    match others(step, logs) {
        None => "no line shows it".to_owned(),
        Some(others) => format!("no line shows it; {others} would"),
    }
}

/// The logs that show a stage, but for those that the flow has lines of: `CCM_STS.log on the management point`.
fn others(step: &workflow::Step, logs: &BTreeSet<String>) -> Option<String> {
    let others: Vec<&str> = step.logs.iter().copied().filter(|log| !logs.contains(&log.to_ascii_lowercase())).collect();
    (!others.is_empty()).then(|| format!("{} on the {}", others.join(" or "), step.machine.words()))
}

/// Fills in what later stages presuppose.
fn infer(sheet: &mut Sheet) {
    let decided: Vec<(Stage, Ruling)> =
        Stage::ALL.iter().filter_map(|&stage| Some((stage, sheet.rulings[stage as usize]?))).collect();
    for (stage, ruling) in decided {
        let before = if ruling.passed { workflow::presupposed_by(stage) } else { workflow::reached_before(stage) };
        for before in before.into_iter().filter(|before| sheet.through_cmg || !workflow::needs_cmg(*before)) {
            let inferred = Ruling { passed: true, inferred: true, event: ruling.event };
            sheet.rulings[before as usize].get_or_insert(inferred);
        }
    }
    for stage in Stage::ALL {
        let Some(event) = sheet.begun[stage as usize] else { continue };
        // A request that the client has made says nothing yet of how far it came.
        for &before in workflow::of(stage).begins_after.iter().filter(|before| !workflow::needs_cmg(**before)) {
            sheet.rulings[before as usize].get_or_insert(Ruling { passed: true, inferred: true, event });
        }
    }
    if let (Some(_), Some(event)) = (sheet.begun[Stage::AadInfo as usize], sheet.begun[Stage::AadToken as usize]) {
        sheet.rulings[Stage::AadInfo as usize].get_or_insert(Ruling { passed: true, inferred: true, event });
    }
}

fn own_purpose(draft: &Draft) -> Option<Stage> {
    match draft.kind {
        FlowKind::Install => Some(Stage::ClientInstall),
        FlowKind::Registration => Some(Stage::Registration),
        FlowKind::Service => None,
    }
}

fn not_needed(stage: Stage) -> String {
    match stage {
        Stage::AadInfo => "not asked for: the Entra settings were already known".to_owned(),
        Stage::WpjCertificate | Stage::AadToken => "no new Entra token was asked for in this flow".to_owned(),
        _ => "not part of this flow".to_owned(),
    }
}

impl Sheet {
    /// What failed because the flow broke before it did not fail itself: it was not reached.
    fn forget_what_is_behind(&mut self, broken: Stage) {
        for stage in Stage::ALL.into_iter().filter(|stage| workflow::is_behind(*stage, broken)) {
            let ruling = &mut self.rulings[stage as usize];
            *ruling = ruling.filter(|ruling| ruling.passed);
        }
    }

    /// True for what the client does with Entra's settings where it never got them.
    fn waits_for_settings(&self, stage: Stage) -> bool {
        let asked = self.begun[Stage::AadInfo as usize].is_some();
        asked
            && self.rulings[Stage::AadInfo as usize].is_none()
            && matches!(stage, Stage::WpjCertificate | Stage::AadToken)
    }

    /// A failure: the first of an unbroken run of them decides when the stage failed.
    fn fail(&mut self, stage: Stage, event: u32) {
        let ruling = &mut self.rulings[stage as usize];
        if !ruling.is_some_and(|ruling| !ruling.passed) {
            *ruling = Some(Ruling { passed: false, inferred: false, event });
        }
    }

    /// A success: it also overcomes failures of the stages that it presupposes.
    fn pass(&mut self, stage: Stage, event: u32) {
        self.rulings[stage as usize] = Some(Ruling { passed: true, inferred: false, event });
        self.told[stage as usize] = None;
        for before in workflow::presupposed_by(stage) {
            self.told[before as usize] = None;
            let overcome = Ruling { passed: true, inferred: true, event };
            if self.rulings[before as usize].is_some_and(|ruling| !ruling.passed) && self.through_cmg {
                self.rulings[before as usize] = Some(overcome);
            }
        }
        if workflow::needs_cmg(stage) {
            self.symptom = None;
        }
    }
}
