//! The few rules that need code. Each has a name that failures call it by; [`Pattern`] lists them.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::world::PAIRS;
use crate::events::Event;
use crate::flows::clocks::seconds;
use crate::flows::requests::Request;
use crate::flows::{Clock, identity};
use crate::knowledge::{Pattern, Scope};
use crate::stage::{Mark, Outcome, Stage};
use crate::time::{HOUR, MINUTE, Micros, parse_us_date_time};

/// A token that is off by less than this is off by somebody's clock: the failure catalogue (D1, D3) sets minutes
/// against days, and Entra's tokens live for an hour at least.
const CLOCK_TROUBLE: Micros = 60 * MINUTE;

/// An error this close to the end of the logs goes on.
const CURRENT: Micros = 15 * MINUTE;

/// A connection point that was just installed is connected within this time (failure catalogue, E3: about ten minutes).
const JUST_INSTALLED: Micros = 15 * MINUTE;

/// ccmsetup asks the content service of the gateway for up to four hours before it goes another way (failure catalogue,
/// I5); tries of less than this are ordinary ones.
const LONG_TRIES: Micros = 60 * MINUTE;

/// A client that is told of its internet management points rotates to one within minutes of finding itself on the
/// internet.
const TOLD_BY_NOW: Micros = 30 * MINUTE;

/// The lines that show that the pattern holds.
pub fn holds(pattern: Pattern, case: &Case<'_>) -> Option<Vec<u32>> {
    match pattern {
        Pattern::CmgRequestPassedWithoutToken => cmg_request_passed_without_token(case),
        Pattern::CmgRequestsUnanswered => cmg_requests_unanswered(case),
        Pattern::ConnectorRecoveredWithinMinutes => connector_recovered(case),
        Pattern::ContentFellBack => content_fell_back(case),
        Pattern::DirectMpUntrusted => direct_mp_untrusted(case),
        Pattern::DomainUserWithoutOnPremisesSid => domain_user_without_sid(case),
        Pattern::MpdbErrorsCurrent => database_errors_are_current(case),
        Pattern::NoGatewayGiven => no_gateway_given(case),
        Pattern::OtherClocksAgree => clocks_agree(case)?.then(Vec::new),
        Pattern::OtherClocksDisagree => clocks_disagree(case)?.then(Vec::new),
        Pattern::ResourceDiffersFromWorkingClients => resource_differs(case),
        Pattern::ThreeOtherClocksDisagree => (clocks_disagree(case)? && three_share_a_time(case)?).then(Vec::new),
        Pattern::TokenExpiredByDays => {
            token_refused(case, |refusal| refusal.expired_for > Some(seconds(CLOCK_TROUBLE)))
        }
        Pattern::TokenExpiredByMinutes => token_refused(case, |refusal| {
            refusal.not_yet_valid || refusal.expired_for.is_some_and(|gap| gap <= seconds(CLOCK_TROUBLE))
        }),
    }
}

/// What a line says that refuses a token because of its time.
struct Refusal {
    /// Seconds, by the client's clock where it was measured how far the server's is from it, else by the server's.
    expired_for: Option<f64>,
    not_yet_valid: bool,
}

/// IDX10222: not yet valid. IDX10223: expired (failure catalogue, D1 and D3).
fn refusal(event: &Event, case: &Case<'_>) -> Option<Refusal> {
    let reason = event.get("idx")?;
    let end = event.get("valid_to").and_then(parse_us_date_time);
    let now = event.get("current_time").and_then(parse_us_date_time);
    let gap = end.zip(now).map(|(end, now)| now - end).filter(|gap| reason == "IDX10223" && *gap >= 0);
    let ahead = case.server_ahead(event).map_or(0.0, |apart| apart.seconds);
    let expired_for = gap.map(|gap| seconds(gap) - ahead);
    Some(Refusal { expired_for, not_yet_valid: reason == "IDX10222" })
}

fn token_refused(case: &Case<'_>, counts: impl Fn(&Refusal) -> bool) -> Option<Vec<u32>> {
    let mut events = case.events_with(&["idx"], Scope::Attempt);
    // The servers' lines name no client. They tell of this one only where its own request may have been refused.
    let refused = |request: &Request| {
        request.failed() && !request.failed_below_http() && request.status.is_none_or(|status| status == 401)
    };
    if case.requests().into_iter().any(|number| refused(case.world.request(number))) {
        events.extend(case.events_with(&["idx"], Scope::Site));
    }
    let found =
        events.into_iter().find(|&event| refusal(case.event(event), case).is_some_and(|refusal| counts(&refusal)))?;
    Some(vec![found])
}

/// The flow's last request for a CCM token went straight to a management point, whose certificate it did not trust.
fn direct_mp_untrusted(case: &Case<'_>) -> Option<Vec<u32>> {
    const UNTRUSTED: [&str; 2] = ["0x800b010a", "0x800b0109"];
    let requests = case.detail()?.requests.iter().map(|(number, _)| case.world.request(*number));
    let mut token =
        requests.filter(|request| request.purpose == Some(Stage::CcmTokenRequest) && request.host.is_some());
    let last: &Request = token.next_back()?;
    let untrusted = last.has_flag("INVALID_CA") || UNTRUSTED.iter().any(|code| last.hresults.contains(*code));
    (!last.to_cmg && last.failed() && untrusted).then(|| last.events.clone())
}

/// An install that worked over the CMG without any token: the client had a certificate of its own.
fn cmg_request_passed_without_token(case: &Case<'_>) -> Option<Vec<u32>> {
    let flow = case.flow()?;
    let token_asked = case.events_within(Scope::Flow).iter().any(|&event| {
        let stage = case.event(event).stage();
        matches!(stage, Some(Stage::AadToken | Stage::CcmTokenRequest | Stage::CcmTokenIssue))
    });
    if flow.outcome != Outcome::Completed || token_asked {
        return None;
    }
    let anonymous = ["aad-auth-info", "service-metadata"];
    let mut requests = case.requests().into_iter().map(|number| case.world.request(number));
    let passed = requests.find(|request| {
        request.passed()
            && request.ccm_token == Some(false)
            && !request.endpoint.as_deref().is_some_and(|endpoint| anonymous.contains(&endpoint))
    })?;
    Some(passed.events.clone())
}

/// This client asks for a token for another resource than every client that works.
fn resource_differs(case: &Case<'_>) -> Option<Vec<u32>> {
    let asked =
        case.events_within(Scope::Flow).into_iter().find(|&event| case.event(event).get("resource").is_some())?;
    let own = case.event(asked).get("resource")?;
    let alike = case.world.others_ask_for(own, case.detail()?.machine)?;
    (!alike).then(|| vec![asked])
}

/// A user of the domain (S-1-5-21-…) whose validated token names no on-premises SID. Users of Entra alone have
/// S-1-12-1-….
fn domain_user_without_sid(case: &Case<'_>) -> Option<Vec<u32>> {
    let events = case.events_within(Scope::Attempt);
    let domain_user = events
        .iter()
        .copied()
        .find(|&event| case.event(event).get("sid").is_some_and(|sid| sid.starts_with("S-1-5-21-")))?;
    let without_sid = |event: &u32| {
        let event = case.event(*event);
        let of_user = event.get("user_id").and_then(identity::normal).is_some();
        event.stage() == Some(Stage::MpValidate)
            && of_user
            && event.get("tenant_id").is_some()
            && event.get("sid").is_none()
    };
    let validated = events.into_iter().find(without_sid)?;
    let earlier = case.events_within(Scope::Flow).into_iter().filter(without_sid).take(3);
    Some([domain_user, validated].into_iter().chain(earlier).collect())
}

/// Connections to the CMG failed for some minutes and have worked since.
fn connector_recovered(case: &Case<'_>) -> Option<Vec<u32>> {
    let events = case.events_with(&["connection_id", "internal_url"], Scope::Site);
    let failed: Vec<u32> =
        events.iter().copied().filter(|&event| case.event(event).get("connection_id").is_some()).collect();
    let time = |event: u32| case.event(event).stamp.utc;
    let (first, last) = (time(*failed.first()?)?, time(*failed.last()?)?);
    let works = |event: u32| {
        let event = case.event(event);
        event.stage() == Some(Stage::ConnectorForward) && event.get("internal_url").is_some()
    };
    let since = events.into_iter().find(|&event| works(event) && time(event).is_some_and(|utc| utc > last))?;
    (last - first <= JUST_INSTALLED).then(|| failed.into_iter().chain([since]).collect())
}

/// An install that tried the gateway's content for an hour or more, and then found its files elsewhere.
fn content_fell_back(case: &Case<'_>) -> Option<Vec<u32>> {
    let mut events = case.events_within(Scope::Flow);
    events.retain(|&event| case.event(event).stage() == Some(Stage::ContentDownload));
    let named = |event: u32| case.event(event).get("url").is_some() && case.event(event).mark() != Mark::Fail;
    let on_gateway = |event: u32| case.event(event).get("cmg").is_some();
    let begun = events.iter().position(|&event| named(event) && on_gateway(event))?;
    let elsewhere = events.iter().rposition(|&event| named(event) && !on_gateway(event)).filter(|&at| at > begun)?;
    let failed = || events[begun..elsewhere].iter().copied().filter(|&event| case.event(event).mark() == Mark::Fail);
    let time = |at: usize| case.event(events[at]).stamp.utc;
    (time(elsewhere)? - time(begun)? >= LONG_TRIES)
        .then(|| [events[begun]].into_iter().chain(failed().next()).chain(failed().last()).chain([events[elsewhere]]))
        .map(Iterator::collect)
}

/// The client found itself on the internet again and again, and turned to no internet management point in that time.
fn no_gateway_given(case: &Case<'_>) -> Option<Vec<u32>> {
    let flow = case.flow()?;
    let time = |event: u32| case.event(event).stamp.utc;
    let mut on_internet = case.client_events_with("network");
    on_internet.retain(|&event| case.event(event).get("network") == Some("internet"));
    let (first, last) = (time(*on_internet.first()?)?, time(*on_internet.last()?)?);
    let meanwhile = flow.started? <= last && flow.ended? >= first - TOLD_BY_NOW;
    if !meanwhile || last - first < TOLD_BY_NOW {
        return None;
    }
    let told = case.client_events_with("mp_index").iter().any(|&event| case.event(event).get("mp_index").is_some());
    let mut requests = case.requests_of_client().iter().rev().map(|&number| case.world.request(number));
    let served = requests.any(|request| request.passed() && case.time_of(request).is_some_and(|utc| utc > first));
    (!told && !served).then(|| {
        let end = on_internet.last().copied();
        on_internet.iter().copied().take(3).chain(end).collect::<BTreeSet<u32>>().into_iter().collect()
    })
}

/// In the newest counters of a CMG instance there are requests, and not one response.
fn cmg_requests_unanswered(case: &Case<'_>) -> Option<Vec<u32>> {
    let mut newest: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for event in case.events_with(&["request_count"], Scope::Site) {
        let window = newest.entry(case.event(event).place.source).or_default();
        let same = window.last().is_none_or(|&last| {
            let times = case.event(last).stamp.utc.zip(case.event(event).stamp.utc);
            times.is_some_and(|(before, now)| now - before < MINUTE)
        });
        if !same {
            window.clear();
        }
        window.push(event);
    }
    let count = |events: &[u32], field: &str| -> u64 {
        events.iter().filter_map(|&event| case.event(event).get(field)?.parse::<u64>().ok()).sum()
    };
    newest.into_values().find(|window| count(window, "request_count") > 0 && count(window, "response_count") == 0)
}

/// True where the client's clock was compared with another machine's, by lines of both, and the two show the same hour.
/// That another log runs through the time would prove nothing: logs run for weeks.
fn clocks_agree(case: &Case<'_>) -> Option<bool> {
    let at = case.time_of(case.failed_request()?)?;
    let own = &case.world.followed.machines[case.detail()?.machine].name;
    let held_then = |clock: &&Clock| clock.host == *own && clock.from.is_none_or(|from| from <= at);
    let clock = case.world.followed.clocks.iter().filter(held_then).max_by_key(|clock| clock.from)?;
    let apart = clock.offset_seconds.abs() + clock.uncertainty_seconds;
    Some(clock.pairs >= PAIRS && apart < seconds(CLOCK_TROUBLE))
}

/// True where the client's logs lie, from their first line to their last, nowhere within a day of another machine's: then
/// nothing bears its clock out. Where they only reach further back, the others' have rolled over since. `None` where no
/// other machine's log has a time.
pub fn clocks_disagree(case: &Case<'_>) -> Option<bool> {
    const DAY: Micros = 24 * HOUR;
    let host = case.flow()?.client.host.as_deref()?;
    let (begin, end) = case.world.span_of(host)?;
    let mut others = case.world.spans_of_others(host).peekable();
    others.peek()?;
    Some(!others.any(|(first, last)| first - DAY <= end && begin <= last + DAY))
}

/// True where the logs of three other machines share a time: they were collected together, so that it is this one's clock
/// which tells another.
fn three_share_a_time(case: &Case<'_>) -> Option<bool> {
    let others: Vec<_> = case.world.spans_of_others(case.flow()?.client.host.as_deref()?).collect();
    let shared = |(_, at): &(Micros, Micros)| others.iter().filter(|(from, to)| (from..=to).contains(&at)).count();
    Some(others.iter().any(|other| shared(other) >= 3))
}

/// Database errors in at least two logs of the management point, up to its newest lines, and no token issued since.
fn database_errors_are_current(case: &Case<'_>) -> Option<Vec<u32>> {
    let events = case.events_with(&["database", "client_id"], Scope::Site);
    let errors: Vec<u32> =
        events.iter().copied().filter(|&event| case.event(event).message.set.contains_key("database")).collect();
    let logs: BTreeSet<u32> = errors.iter().map(|&event| case.event(event).place.source).collect();
    let last = case.event(*errors.last()?).stamp.utc?;
    let newest = logs.iter().filter_map(|&source| case.world.sources.get(source as usize)?.last).max()?;
    let answered = events.iter().any(|&event| {
        let event = case.event(event);
        event.stage() == Some(Stage::CcmTokenIssue) && event.stamp.utc.is_some_and(|utc| utc > last)
    });
    // The newest few tell it; hundreds tell no more.
    (logs.len() >= 2 && newest - last <= CURRENT && !answered).then(|| errors.into_iter().rev().take(5).collect())
}
