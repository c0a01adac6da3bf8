//! Fills the words of a failure with the values found.

use std::cell::Cell;

use super::case::Case;
use super::patterns;
use crate::flows::requests::Request;
use crate::knowledge::{Codes, Component};
use crate::time::{Micros, rfc3339, span};

/// Replaces `{field}` and `{field|words when unknown}` by values. What stands in `[[` and `]]` is left out where a value in
/// it is not known.
///
/// ```text
/// "{host|the CMG} refused" -> "cmg.contoso.com refused", or "the CMG refused" where no host is known
/// "Refused.[[ It ended at {valid_to}.]]" -> "Refused.", where it is not known when it ended
/// ```
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len() + 64);
    let mut rest = text.trim();
    while let Some((before, (part, after))) =
        rest.split_once("[[").and_then(|(before, part)| Some((before, part.split_once("]]")?)))
    {
        filled.push_str(&filled_in(before, value));
        let unknown = Cell::new(false);
        let known = filled_in(part, &|field| {
            let found = value(field);
            unknown.set(unknown.get() || found.is_none());
            found
        });
        filled.push_str(if unknown.get() { "" } else { &known });
        rest = after;
    }
    filled + &filled_in(rest, value)
}

fn filled_in(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        let (field, fallback) = inside.split_once('|').unwrap_or((inside, "unknown"));
        filled.push_str(&value(field.trim()).unwrap_or_else(|| fallback.to_owned()));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// A time in words, to the minute.
///
/// ```text
/// 2026-11-04 14:02 UTC
/// ```
pub fn minute(utc: Micros) -> String {
    let text = rfc3339(utc);
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

/// Two instants to the minute, or to the second where that tells them apart.
pub fn told_apart(one: Micros, other: Micros) -> (String, String) {
    if minute(one) != minute(other) {
        return (minute(one), minute(other));
    }
    let second = |utc: Micros| rfc3339(utc).get(..19).map(|text| format!("{} UTC", text.replace('T', " ")));
    (second(one).unwrap_or_default(), second(other).unwrap_or_default())
}

/// The value of a field: of the request that the evidence speaks of, else that failed; then of the evidence's lines,
/// then of the flow's.
pub fn value(field: &str, evidence: &[u32], case: &Case<'_>) -> Option<String> {
    if field == "client" {
        return case.flow()?.client.host.clone();
    }
    if field == "clocks" {
        return clocks(evidence, case);
    }
    if field == "dates" {
        return dates(case);
    }
    let request = request_of(evidence, case).or_else(|| case.failed_request());
    let of_request = request.and_then(|request| request_value(field, request));
    // What a symptom names is not the cause's: ccmsetup's exit code is no library's error.
    let named =
        |event: u32| Some(case.event(event)).filter(|event| !event.message.symptom)?.get(field).map(str::to_owned);
    let of_evidence = || evidence.iter().find_map(|&event| named(event));
    let of_flow = || case.detail()?.events.iter().find_map(|(event, _)| named(*event));
    of_request.or_else(of_evidence).or_else(of_flow).or_else(|| client_value(field, case))
}

/// How far the clock of the server that wrote the evidence is from the client's, where it was measured that they differ.
///
/// ```text
/// MP01's is 9 min 12 s ahead of PC042's
/// ```
fn clocks(evidence: &[u32], case: &Case<'_>) -> Option<String> {
    let apart = evidence.iter().find_map(|&event| case.server_ahead(case.event(event)))?;
    let way = if apart.seconds < 0.0 { "behind" } else { "ahead of" };
    Some(format!("{}'s is {} {way} {}'s", apart.server, duration(apart.seconds.abs()), apart.client))
}

/// Of which days the client's logs are and of which all others, where the two are more than a day apart.
///
/// ```text
/// PC042's logs are of 2024-11-04 to 2024-11-05, and those of all other machines of 2026-11-03 to 2026-11-05
/// ```
fn dates(case: &Case<'_>) -> Option<String> {
    let host = case.flow()?.client.host.as_deref().filter(|_| patterns::clocks_disagree(case) == Some(true))?;
    let days = |from: Micros, to: Micros| {
        let day = |utc: Micros| rfc3339(utc).chars().take("2026-11-04".len()).collect::<String>();
        let (from, to) = (day(from), day(to));
        if from == to { from } else { format!("{from} to {to}") }
    };
    let (from, to) = case.world.span_of(host)?;
    let others = || case.world.spans_of_others(host);
    let (first, last) = (others().map(|(from, _)| from).min()?, others().map(|(_, to)| to).max()?);
    Some(format!("{host}'s logs are of {}, and those of all other machines of {}", days(from, to), days(first, last)))
}

/// Seconds in words, to the second: `9 min 12 s`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole, and not below zero
fn duration(seconds: f64) -> String {
    span(seconds.round() as u64)
}

/// A value with the name of the code that it is: `12029 (ERROR_WINHTTP_CANNOT_CONNECT)`.
pub fn named(field: &str, value: String, codes: &Codes) -> String {
    let component = match field {
        "code" => Some(Component::Winhttp),
        "mask" => Some(Component::SecureFailure),
        "win32" => Some(Component::Win32),
        "idx" => Some(Component::Idx),
        "mise" => Some(Component::Mise),
        "hresult" => None,
        _ => return value,
    };
    let readings = codes.explain(&value, component).unwrap_or_default();
    // Of a mask all bits are set; of another code the likeliest reading is meant.
    let bits = component.is_some_and(Component::is_mask);
    let names = readings.iter().take(if bits { usize::MAX } else { 1 }).map(|reading| reading.code.short_name());
    let names = names.collect::<Vec<_>>().join(", ");
    if names.is_empty() { value } else { format!("{value} ({names})") }
}

/// The request that the evidence speaks of.
fn request_of<'a>(evidence: &[u32], case: &Case<'a>) -> Option<&'a Request> {
    let requests = &case.world.followed.requests;
    evidence.iter().find_map(|&event| requests.of(event)).filter(|request| request.host.is_some())
}

fn request_value(field: &str, request: &Request) -> Option<String> {
    match field {
        "host" | "cmg" => request.host.clone(),
        "path" => request.path.clone(),
        "code" => request.code.map(|code| code.to_string()),
        "mask" => (request.mask != 0).then(|| format!("0x{:X}", request.mask)),
        "http_status" => request.status.map(|status| status.to_string()),
        "status_text" => request.status_text.clone(),
        _ => None,
    }
}

fn client_value(field: &str, case: &Case<'_>) -> Option<String> {
    let client = &case.flow()?.client;
    match field {
        "device_id" => client.device_id.clone(),
        "user_id" => client.user_id.clone(),
        "client_id" => client.client_id.clone(),
        "tenant_id" => client.tenant_id.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, fill};

    #[test]
    fn durations_are_rounded_before_they_are_put_into_units() {
        let year = 31_536_000.0;
        for (seconds, text) in [(0.4, "0 s"), (59.6, "1 min"), (119.7, "2 min"), (552.0, "9 min 12 s"), (year, "365 d")]
        {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn values_and_fallbacks_stand_where_the_braces_were() {
        let known = |field: &str| (field == "host").then(|| "cmg.contoso.com".to_owned());
        assert_eq!(fill("{host|the CMG} said {code|nothing}", &known), "cmg.contoso.com said nothing");
        assert_eq!(
            fill("Refused.[[ It is {host}.]][[ It ended at {end|noon}.]]", &known),
            "Refused. It is cmg.contoso.com."
        );
        assert_eq!(fill("a { that never closes", &known), "a { that never closes");
    }
}
