//! HTTP requests of a client, rebuilt from the lines that one thread wrote about each.
//!
//! The client logs a request as a banner, a few lines on how it is made, and, where it fails, a burst of flags, an
//! error and a status (log catalogue, sections 2.1 and 2.11). Which line plays which part is said by the message's
//! [`RequestPart`].

use std::collections::{BTreeSet, HashMap};

use super::order;
use crate::events::Event;
use crate::knowledge::{Knowledge, RequestPart};
use crate::stage::{Mark, Role, Stage};
use crate::time::{Micros, Stamp};

/// A line belongs to the request before it on its thread for this long after that request's last line; threads are
/// used again. Time-outs of a request are shorter.
const PAUSE: Micros = 2 * 60 * 1_000_000;

/// Names and bits of `WINHTTP_CALLBACK_STATUS_SECURE_FAILURE` (winhttp.h).
pub const SECURE_FLAGS: [(&str, u32); 8] = [
    ("CERT_REV_FAILED", 0x1),
    ("INVALID_CERT", 0x2),
    ("CERT_REVOKED", 0x4),
    ("INVALID_CA", 0x8),
    ("CERT_CN_INVALID", 0x10),
    ("CERT_DATE_INVALID", 0x20),
    ("CERT_WRONG_USAGE", 0x40),
    ("SECURITY_CHANNEL_ERROR", 0x8000_0000),
];

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ending {
    /// No line tells.
    #[default]
    Unseen,
    /// Its thread went on to other work, or an answer was logged, without a failure.
    Passed,
    /// Some line says that it failed.
    Failed,
}

/// One HTTP request of a client.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // facts that hold or not, each by itself
pub struct Request {
    /// Its lines, as indices of the trail's events.
    pub events: Vec<u32>,
    /// When its last line was written.
    last: Option<Stamp>,
    /// Host it goes to, lower-case.
    pub host: Option<String>,
    /// Path and query on that host.
    pub path: Option<String>,
    /// Endpoint of the knowledge that the path belongs to.
    pub endpoint: Option<String>,
    /// The stage that a request to this endpoint serves.
    pub purpose: Option<Stage>,
    /// True where it goes to a CMG.
    pub to_cmg: bool,
    /// No line names its target, and it carries a CCM token, as those do that go to a CMG.
    pub presumed_to_cmg: bool,
    /// CRL checking was on for it; `None` where the log does not tell.
    pub revocation_check: Option<bool>,
    /// It carried a CCM token; `None` where the log does not tell.
    pub ccm_token: Option<bool>,
    /// `WinHTTP` code of its failure, as such or within an HRESULT.
    pub code: Option<u32>,
    /// Secure-failure bits: the mask where it was logged, else the bits of the flags that were named.
    pub mask: u32,
    /// HTTP status: that of its own lines, else that of the gateway's row.
    pub status: Option<u16>,
    /// HTTP status text.
    pub status_text: Option<String>,
    /// The status text is neither the CMG's own nor the connection point's: plain words of a web server. `None` where no
    /// line of its own names the status, for a gateway's row has no words.
    pub plain_status: Option<bool>,
    /// The gateway's row of it that told its status, an index of the trail's events.
    pub row: Option<u32>,
    /// The role id in its path, lower-case.
    pub role_id: Option<String>,
    /// HRESULTs named with it, lower-case with `0x`.
    pub hresults: BTreeSet<String>,
    /// How it ended.
    pub ending: Ending,
    /// The last line before it was sent, an index of the trail's events.
    pub sent: Option<u32>,
    /// The first line that tells of the answer, an index of the trail's events.
    pub answered: Option<u32>,
    /// A server's log says that it was answered well, where the client's own says nothing.
    pub served: bool,
    mask_logged: bool,
    has_banner: bool,
}

impl Request {
    /// True where some line says that it failed.
    pub fn failed(&self) -> bool {
        self.ending == Ending::Failed
    }

    /// True where it went well, as far as the log tells.
    pub fn passed(&self) -> bool {
        self.ending == Ending::Passed
    }

    /// True where a line of this stage tells of the answer, and not of some later work of the thread.
    fn is_answered_by(&self, stage: Stage) -> bool {
        let token = self.purpose == Some(Stage::CcmTokenRequest) && stage == Stage::CcmTokenIssue;
        // That content came is said only once all of it is there.
        token || (self.purpose == Some(stage) && stage != Stage::ContentDownload)
    }

    fn has_passed(&mut self) {
        if self.ending == Ending::Unseen {
            self.ending = Ending::Passed;
        }
    }

    /// True where a secure-failure flag of this name is set.
    pub fn has_flag(&self, name: &str) -> bool {
        SECURE_FLAGS.iter().any(|(flag, bit)| flag.eq_ignore_ascii_case(name) && self.mask & bit != 0)
    }

    /// True where it goes to a CMG, or is presumed to.
    pub fn is_likely_to_cmg(&self) -> bool {
        self.to_cmg || self.presumed_to_cmg
    }

    /// True where it failed below HTTP: no name, no connection, no trust. The codes are `WinHTTP`'s (12000 to 12199 as
    /// HRESULT), `SChannel`'s, and those of certificate and revocation checks (winhttp.h, winerror.h).
    pub fn failed_below_http(&self) -> bool {
        let below = |hresult: &String| {
            parse_hex(hresult).is_some_and(|code| {
                matches!(code, 0x8009_0300..=0x8009_036f | 0x8009_2000..=0x8009_20ff | 0x800b_0100..=0x800b_01ff)
            })
        };
        self.failed() && self.status.is_none() && (self.code.is_some() || self.hresults.iter().any(below))
    }

    /// The stage at which a gateway's own web server ended it, by the status: the gateway refused, or had nobody to hand
    /// it to. Other statuses do not tell who answered.
    pub fn ended_by_gateway(&self) -> Option<Stage> {
        let of_gateway = self.to_cmg && self.plain_status == Some(true) && self.purpose != Some(Stage::ContentDownload);
        match self.status.filter(|_| of_gateway)? {
            401 | 403 | 404 => Some(Stage::CmgReceive),
            502..=504 => Some(Stage::CmgForward),
            _ => None,
        }
    }

    /// Host and path without what varies between two spellings of one request.
    fn key(&self, knowledge: &Knowledge) -> Option<(String, String)> {
        let path = self.path.as_deref()?;
        let endpoint =
            knowledge.endpoint(path).map_or_else(|| path.to_ascii_lowercase(), |endpoint| endpoint.name.to_owned());
        Some((self.host.clone()?, endpoint))
    }

    fn may_be_told_more_by(&self, banner: &Self, knowledge: &Knowledge) -> bool {
        !self.failed() && !self.has_banner && (self.path.is_none() || self.key(knowledge) == banner.key(knowledge))
    }

    fn add_flag(&mut self, name: &str) {
        if !self.mask_logged {
            let named = SECURE_FLAGS.iter().find(|(flag, _)| flag.eq_ignore_ascii_case(name));
            self.mask |= named.map_or(0, |(_, bit)| *bit);
        }
    }

    fn set_mask(&mut self, mask: u32) {
        self.mask = mask;
        self.mask_logged = true;
    }
}

/// The requests of all clients, and which event belongs to which.
#[derive(Debug, Default)]
pub struct Requests {
    /// The requests, in order of their first line within each log.
    pub all: Vec<Request>,
    /// Request of each event that belongs to one.
    pub of_event: HashMap<u32, u32>,
    /// Hosts that are gateways, lower-case.
    pub cmg_hosts: BTreeSet<String>,
}

impl Requests {
    /// The request that an event belongs to.
    pub fn of(&self, event: u32) -> Option<&Request> {
        self.all.get(*self.of_event.get(&event)? as usize)
    }

    /// True where the event speaks of a gateway: its request goes to one, or it names one.
    pub fn concerns_cmg(&self, index: u32, event: &Event, knowledge: &Knowledge) -> bool {
        match self.of(index) {
            Some(request) if request.host.is_some() || request.presumed_to_cmg => request.is_likely_to_cmg(),
            _ => target(event, knowledge).is_some_and(|(host, _)| self.cmg_hosts.contains(&host)),
        }
    }
}

/// Rebuilds the requests of all client logs. `events` are in the order of their lines within each source; where lines
/// stand late, each counts at its own time.
pub fn rebuild(events: &[Event], knowledge: &Knowledge, known_cmgs: &[String]) -> Requests {
    let mut builder = Builder { events, knowledge, requests: Requests::default(), open: HashMap::new() };
    for index in order::as_written(events).into_values().flatten() {
        let event = &events[index as usize];
        if matches!(event.role(), None | Some(Role::Client)) {
            builder.take(index, event);
        }
    }
    builder.finish(known_cmgs)
}

/// A thread of one log.
type Thread = (u32, Option<u32>);

struct Builder<'a> {
    events: &'a [Event],
    knowledge: &'a Knowledge,
    requests: Requests,
    open: HashMap<Thread, u32>,
}

impl Builder<'_> {
    fn take(&mut self, index: u32, event: &Event) {
        let thread = (event.place.source, event.thread);
        match event.message.request {
            Some(RequestPart::Names | RequestPart::Banner) => self.begin(thread, index, event),
            Some(part) => {
                let request = self.request_for(thread, event, part);
                self.add(request, index);
                let request = &mut self.requests.all[request as usize];
                note(request, event, part);
                if request.failed() {
                    request.answered.get_or_insert(index);
                } else if request.answered.is_none() {
                    request.sent = Some(index);
                }
            }
            // Who asks Entra has done with the request before: what fails from here on is Entra's.
            None if (event.stage(), event.mark()) == (Some(Stage::AadToken), Mark::Start) => {
                self.open.remove(&thread);
            }
            None => self.aftermath(thread, index, event),
        }
    }

    /// The request that the thread is at work on, if its last line is near enough.
    fn open_on(&self, thread: Thread, event: &Event) -> Option<u32> {
        let open = *self.open.get(&thread)?;
        let pause = self.requests.all[open as usize].last.and_then(|last| event.stamp.since(&last));
        pause.is_none_or(|pause| pause <= PAUSE).then_some(open)
    }

    /// A line that names a request: a new one, or more about the one that its thread has just named.
    fn begin(&mut self, thread: Thread, index: u32, event: &Event) {
        let mut named =
            Request { has_banner: event.message.request == Some(RequestPart::Banner), ..Request::default() };
        note_target(&mut named, event, self.knowledge);
        if let Some(open) = self.open_on(thread, event) {
            let is_made = self.is_made(open);
            let request = &mut self.requests.all[open as usize];
            if named.has_banner && !is_made && request.may_be_told_more_by(&named, self.knowledge) {
                request.has_banner = true;
                request.host = named.host.or(request.host.take());
                request.path = named.path.or(request.path.take());
                request.sent = Some(index);
                self.add(open, index);
                return;
            }
            if request.has_banner {
                request.has_passed();
            }
        }
        named.sent = Some(index);
        let number = self.push(named);
        self.open.insert(thread, number);
        self.add(number, index);
    }

    /// True where some line says how the request is made: its banner stood before.
    fn is_made(&self, request: u32) -> bool {
        self.requests.all[request as usize].events.iter().any(|&line| says_how(&self.events[line as usize]))
    }

    /// True where a line says what another has said of the open request: it is of the next, whose first line is lost.
    fn is_said_again(&self, open: u32, event: &Event) -> bool {
        let same = |line: &u32| self.events[*line as usize].message.request == event.message.request;
        says_how(event) && self.requests.all[open as usize].events.iter().any(same)
    }

    /// The open request of the thread; a new one where the log began after its banner, or the line names another.
    fn request_for(&mut self, thread: Thread, event: &Event, part: RequestPart) -> u32 {
        let mut named = Request::default();
        note_target(&mut named, event, self.knowledge);
        if let Some(open) = self.open_on(thread, event) {
            let is_said_again = self.is_said_again(open, event);
            let request = &mut self.requests.all[open as usize];
            let same_host = named.host.is_none() || request.host.is_none() || request.host == named.host;
            // A line that names another path is of a request whose first line is lost.
            let keys = named.key(self.knowledge).zip(request.key(self.knowledge));
            let same = same_host && keys.is_none_or(|(named, known)| named == known);
            let spent = match request.ending {
                Ending::Unseen => false,
                Ending::Passed => true,
                Ending::Failed => !matches!(part, RequestPart::Status | RequestPart::Result),
            };
            if same && !spent && !is_said_again {
                request.host = request.host.take().or(named.host);
                request.path = request.path.take().or(named.path);
                return open;
            }
        }
        let number = self.push(named);
        self.open.insert(thread, number);
        number
    }

    /// A line that belongs to no request by its words: the failure that it names may be that of the request before.
    fn aftermath(&mut self, thread: Thread, index: u32, event: &Event) {
        let Some(open) = self.open_on(thread, event) else { return };
        let request = &mut self.requests.all[open as usize];
        match (event.mark(), event.get("hresult")) {
            (Mark::Fail, Some(hresult)) if !request.passed() => {
                request.hresults.insert(normal_hresult(hresult));
                request.ending = Ending::Failed;
                request.answered.get_or_insert(index);
                self.add(open, index);
            }
            (Mark::Ok, _) => {
                request.has_passed();
                request.answered.get_or_insert(index);
            }
            _ => {}
        }
    }

    fn push(&mut self, request: Request) -> u32 {
        self.requests.all.push(request);
        u32::try_from(self.requests.all.len() - 1).unwrap_or(u32::MAX)
    }

    fn add(&mut self, request: u32, event: u32) {
        let known = &mut self.requests.all[request as usize];
        known.events.push(event);
        known.last = Some(self.events[event as usize].stamp);
        self.requests.of_event.insert(event, request);
    }

    fn finish(mut self, known_cmgs: &[String]) -> Requests {
        self.requests.cmg_hosts = cmg_hosts(self.events, self.knowledge, known_cmgs);
        for request in &mut self.requests.all {
            complete(request, self.knowledge, &self.requests.cmg_hosts);
            let stage = request.answered.and_then(|answer| self.events[answer as usize].stage());
            if !request.failed() && stage.is_some_and(|stage| !request.is_answered_by(stage)) {
                request.answered = None;
            }
        }
        self.requests
    }
}

/// True for the lines that say, each once and after the banner, how a request is made.
fn says_how(event: &Event) -> bool {
    matches!(
        event.message.request,
        Some(RequestPart::Connection | RequestPart::RevocationCheck | RequestPart::CcmToken)
    )
}

/// Takes what one line says of its request.
fn note(request: &mut Request, event: &Event, part: RequestPart) {
    match part {
        RequestPart::RevocationCheck => request.revocation_check = Some(true),
        RequestPart::CcmToken => request.ccm_token = Some(true),
        RequestPart::Mask => {
            if let Some(mask) = event.get("mask").and_then(parse_hex) {
                request.set_mask(mask);
            }
        }
        RequestPart::Flag => request.add_flag(event.get("flag").unwrap_or_default()),
        RequestPart::Code => {
            request.ending = Ending::Failed;
            request.code = event.get("code").and_then(|code| code.parse().ok()).filter(|code| *code != 0);
        }
        RequestPart::Status => {
            request.ending = Ending::Failed;
            request.status = event.get("http_status").and_then(|status| status.parse().ok());
            request.status_text = event.get("status_text").map(str::to_owned);
            // Who refused is the stage of the message, where its words tell.
            request.plain_status = Some(event.message.stage.is_none());
        }
        RequestPart::Result => {
            if let Some(hresult) = event.get("hresult") {
                if parse_hex(hresult) != Some(0) {
                    request.ending = Ending::Failed;
                }
                request.hresults.insert(normal_hresult(hresult));
            }
        }
        RequestPart::Detail | RequestPart::Connection | RequestPart::Names | RequestPart::Banner => {}
    }
}

fn note_target(request: &mut Request, event: &Event, knowledge: &Knowledge) {
    if let Some((host, path)) = target(event, knowledge) {
        request.host = Some(host);
        request.path = path;
    }
    if event.get("ccm_token_auth") == Some("1") {
        request.ccm_token = Some(true);
    }
}

/// What only the whole request tells.
fn complete(request: &mut Request, knowledge: &Knowledge, cmg_hosts: &BTreeSet<String>) {
    let within_hresult = request.hresults.iter().find_map(|hresult| winhttp_code(hresult));
    request.code = request.code.or(within_hresult);
    let endpoint = request.path.as_deref().and_then(|path| knowledge.endpoint(path));
    request.endpoint = endpoint.as_ref().map(|endpoint| endpoint.name.to_owned());
    request.purpose = endpoint.map(|endpoint| endpoint.stage);
    request.to_cmg = request.host.as_ref().is_some_and(|host| cmg_hosts.contains(host));
    request.role_id = request.path.as_deref().filter(|path| knowledge.is_cmg_url(path)).and_then(role_id);
    if request.has_banner {
        request.revocation_check.get_or_insert(false);
        request.ccm_token.get_or_insert(false);
    }
}

/// The `WinHTTP` code (12000 to 12199) that an HRESULT of Win32 holds (winhttp.h).
fn winhttp_code(hresult: &str) -> Option<u32> {
    parse_hex(hresult).filter(|code| (0x8007_2ee0..=0x8007_2fa7).contains(code)).map(|code| code & 0xffff)
}

/// The role id of `/CCM_Proxy_MutualAuth/<role id>/…`.
fn role_id(path: &str) -> Option<String> {
    let role = path.trim_start_matches('/').split('/').nth(1)?;
    (!role.is_empty() && role.bytes().all(|byte| byte.is_ascii_digit())).then(|| role.to_owned())
}

/// The host, and path where there is one, that an event names as the target of the client's request.
pub fn target(event: &Event, knowledge: &Knowledge) -> Option<(String, Option<String>)> {
    if let Some((host, path)) = event.get("url").and_then(split_url) {
        return Some((host, Some(path)));
    }
    let host = event.get("cmg").or_else(|| event.get("host"))?;
    let (host, inner) = host.split_once('/').map_or((host, None), |(host, path)| (host, Some(format!("/{path}"))));
    let path = event.get("path").map(str::to_owned).or(inner);
    let path = path.filter(|path| knowledge.endpoint(path).is_some() || path.starts_with('/'));
    Some((normal_host(host), path))
}

/// Host, lower-case and without port, and path of a URL.
pub fn split_url(url: &str) -> Option<(String, String)> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.trim_start_matches('/');
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = normal_host(host);
    (!host.is_empty()).then(|| (host, if path.is_empty() { "/".to_owned() } else { path.to_owned() }))
}

fn normal_host(host: &str) -> String {
    let host = host.trim().trim_end_matches('.');
    let host = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    host.to_ascii_lowercase()
}

/// Every host that some line shows to be a gateway: by the shape of a path, or because the line says so.
fn cmg_hosts(events: &[Event], knowledge: &Knowledge, known: &[String]) -> BTreeSet<String> {
    let mut hosts: BTreeSet<String> = known.iter().map(|host| normal_host(host)).collect();
    for event in events {
        let Some((host, path)) = target(event, knowledge) else { continue };
        let by_path = path.as_deref().is_some_and(|path| knowledge.is_cmg_url(path));
        if by_path || event.get("cmg").is_some() {
            hosts.insert(host);
        }
    }
    hosts
}

/// An HRESULT in lower case with `0x`, eight digits.
pub fn normal_hresult(text: &str) -> String {
    parse_hex(text).map_or_else(|| text.to_ascii_lowercase(), |value| format!("0x{value:08x}"))
}

fn parse_hex(text: &str) -> Option<u32> {
    let digits = text.trim().trim_start_matches("0x").trim_start_matches("0X");
    u32::from_str_radix(digits, 16).ok()
}
