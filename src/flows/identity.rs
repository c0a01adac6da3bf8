//! Ids by which lines of different machines are known to speak of the same client.

use std::collections::BTreeMap;

use super::ClientIdentity;
use crate::events::Event;

/// Ids that join lines exactly, strongest first (log catalogue, section 3.1). A tenant id says too little to join by.
pub const KEYS: [(&str, &str); 5] = [
    ("message-id", "message_id"),
    ("device-id", "device_id"),
    ("client-id", "client_id"),
    ("user-id", "user_id"),
    ("sid", "sid"),
];

/// The local system's SID: every client has it, so it says nothing of which.
const LOCAL_SYSTEM: &str = "s-1-5-18";

/// An id as it is compared: lower-case, without braces, blanks and `GUID:`; `None` where it identifies nobody.
///
/// ```
/// use cmgtrail::flows::identity::normal;
/// assert_eq!(normal("GUID:0F1E2D3C-0000-4000-8000-0123456789AB ").as_deref(), Some("0f1e2d3c-0000-4000-8000-0123456789ab"));
/// assert_eq!(normal("00000000-0000-0000-0000-000000000000"), None);
/// ```
pub fn normal(id: &str) -> Option<String> {
    let id = id.trim().to_ascii_lowercase();
    let id = id.strip_prefix("guid:").unwrap_or(&id).trim_matches(['{', '}', ' ']).to_owned();
    let nobody = id.is_empty() || id == LOCAL_SYSTEM || id.chars().all(|c| matches!(c, '0' | '-'));
    (!nobody).then_some(id)
}

/// True where two ids agree: equal, or masked in a document with every visible digit equal and enough of them visible.
///
/// ```
/// use cmgtrail::flows::identity::agree;
/// assert!(agree("82xxxxad-f062-xxxx-b062-dbxxxxac04d5", "8212ffad-f062-4abc-b062-db9876ac04d5"));
/// assert!(!agree("82xxxxad-f062-xxxx-b062-dbxxxxac04d5", "8212ffae-f062-4abc-b062-db9876ac04d5"));
/// ```
pub fn agree(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    if !(is_masked(left) || is_masked(right)) || left.len() != right.len() {
        return false;
    }
    let mut visible = 0;
    for (a, b) in left.bytes().zip(right.bytes()) {
        match (a, b) {
            (b'x', _) | (_, b'x') => {}
            (a, b) if a != b => return false,
            (b'-', _) => {}
            _ => visible += 1,
        }
    }
    visible >= 12
}

/// True where a document has masked some of the id's digits.
pub fn is_masked(id: &str) -> bool {
    id.contains('x')
}

/// The ids that an event names, by key.
pub fn ids(event: &Event) -> BTreeMap<&'static str, String> {
    KEYS.iter().filter_map(|(key, field)| Some((*key, normal(event.get(field)?)?))).collect()
}

/// Adds what an event says of its client, without overwriting what is known.
pub fn learn(client: &mut ClientIdentity, event: &Event) {
    let set = |slot: &mut Option<String>, field: &str| {
        if slot.is_none() {
            *slot = event.get(field).and_then(normal);
        }
    };
    set(&mut client.device_id, "device_id");
    set(&mut client.user_id, "user_id");
    set(&mut client.client_id, "client_id");
    set(&mut client.tenant_id, "tenant_id");
}
