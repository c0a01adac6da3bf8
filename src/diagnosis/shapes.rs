//! Compares requests and events with the shapes that failures describe.

use crate::events::Event;
use crate::flows::requests::{Request, normal_hresult};
use crate::knowledge::{EventShape, OneOf, RequestShape};

/// True where everything that the shape gives agrees with the request.
pub fn is_like(request: &Request, shape: &RequestShape) -> bool {
    let same = |list: &[String], value: Option<&str>| {
        list.is_empty() || value.is_some_and(|value| list.iter().any(|known| known.eq_ignore_ascii_case(value)))
    };
    (shape.code.is_empty() || request.code.is_some_and(|code| shape.code.contains(&code)))
        && (shape.flag.is_empty() || shape.flag.iter().any(|flag| request.has_flag(flag)))
        && !shape.no_flag.iter().any(|flag| request.has_flag(flag))
        && (shape.status.is_empty() || request.status.is_some_and(|status| shape.status.contains(&status)))
        && same(&shape.status_text, request.status_text.as_deref())
        && same(&shape.endpoint, request.endpoint.as_deref())
        && (shape.hresult.is_empty() || shape.hresult.iter().any(|hr| request.hresults.contains(&normal_hresult(hr))))
        && shape.revocation_check.is_none_or(|expected| request.revocation_check == Some(expected))
        && shape.ccm_token.is_none_or(|expected| request.ccm_token == Some(expected))
        && shape.below_http.is_none_or(|expected| request.failed_below_http() == expected)
        && shape.plain_status.is_none_or(|expected| request.plain_status == Some(expected))
}

/// True where the event is of one of the shape's messages and its fields agree.
pub fn is_event_like(event: &Event, shape: &EventShape) -> bool {
    shape.message.iter().any(|id| id == event.id())
        && shape.has.iter().all(|field| event.get(field).is_some())
        && shape.fields.iter().all(|(field, expected)| event.get(field).is_some_and(|value| is_one_of(value, expected)))
}

fn is_one_of(value: &str, expected: &OneOf) -> bool {
    let text = |expected: &str| expected.eq_ignore_ascii_case(value) || same_number(expected, value);
    match expected {
        OneOf::Text(expected) => text(expected),
        OneOf::Number(expected) => value.parse() == Ok(*expected),
        OneOf::Texts(expected) => expected.iter().any(|expected| text(expected)),
        OneOf::Numbers(expected) => expected.iter().any(|expected| value.parse() == Ok(*expected)),
    }
}

/// HRESULTs are written with and without `0x`, in either case.
fn same_number(expected: &str, value: &str) -> bool {
    expected.starts_with("0x") && normal_hresult(expected) == normal_hresult(value)
}
