//! What a token says, before any judgement: header, claims, and what follows from them. Never the signature.

use serde_json::{Map, Value, json};

use super::compact::{Compact, Shape};
use super::json::Json;
use super::kind::{Recognised, TokenKind};
use super::validity::{Date, Moment};
use crate::time::rfc3339;

/// Facts that are a claim under a name people know.
const NAMED: [(&str, &[&str]); 10] = [
    ("issuer", &["iss"]),
    ("tenant_id", &["tid"]),
    ("device_id", &["deviceid"]),
    ("user_id", &["oid"]),
    ("on_premises_sid", &["onprem_sid"]),
    ("user_name", &["upn", "preferred_username", "unique_name"]),
    ("client_app_id", &["azp", "appid"]),
    ("token_id", &["uti", "jti", "UniqueId"]),
    ("hierarchy_id", &["TenantId"]),
    ("site_token_type", &["Type"]),
];

pub(crate) fn facts(
    token: &Compact<'_>,
    header: Option<&Json<'_>>,
    claims: Option<&Json<'_>>,
    recognised: Recognised,
    moment: Option<Moment>,
) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    put("kind", recognised.kind.as_str().into());
    put("kind_recognised_by", recognised.how.into());
    put("version", recognised.version.map_or(Value::Null, |version| version.claim().into()));
    put("cloud", recognised.cloud.map_or(Value::Null, Into::into));
    put("bytes", token.text.len().into());
    put("signed", (token.shape == Shape::Signed && !token.signature.is_empty()).into());
    put("signature_bytes", token.signature.len().into());
    let in_header = |name: &str| header.and_then(|header| header.get(name)).map_or(Value::Null, Json::to_value);
    put("algorithm", in_header("alg"));
    put("key_id", in_header("kid"));
    put("key_thumbprint", in_header("x5t"));
    for (name, sources) in named(recognised.kind) {
        let value = sources.iter().find_map(|source| claims?.get(source)).map_or(Value::Null, Json::to_value);
        put(name, value);
    }
    put("audience", claims.and_then(|claims| claims.get("aud")).map_or(Value::Null, Json::to_value));
    for (name, value) in times(claims, moment) {
        put(name, value);
    }
    put("header", header.map_or(Value::Null, Json::to_value));
    put("claims", claims.map_or(Value::Null, Json::to_value));
    facts
}

/// In an Entra device token `oid` is the device's own object, so it names no user.
fn named(kind: TokenKind) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    NAMED.into_iter().map(move |(name, sources)| match (name, kind) {
        ("user_id", TokenKind::EntraDevice | TokenKind::EntraApplication) => ("object_id", sources),
        _ => (name, sources),
    })
}

fn times(claims: Option<&Json<'_>>, moment: Option<Moment>) -> Vec<(&'static str, Value)> {
    let read = |name: &str| claims.and_then(|claims| Date::read(claims, name).known());
    let (exp, nbf, iat) = (read("exp"), read("nbf"), read("iat"));
    let stamp = |at: Option<i64>| at.map_or(Value::Null, |at| rfc3339(at).into());
    let seconds = |micros: i64| json!(micros / 1_000_000);
    let lifetime = exp.zip(nbf.or(iat)).map_or(Value::Null, |(end, start)| seconds(end - start));
    let left = exp.zip(moment).map_or(Value::Null, |(end, moment)| seconds(end.saturating_sub(moment.at)));
    let since = nbf.zip(moment).map_or(Value::Null, |(start, moment)| seconds(moment.at.saturating_sub(start)));
    vec![
        ("issued_at", stamp(iat)),
        ("not_before", stamp(nbf)),
        ("expires", stamp(exp)),
        ("lifetime_seconds", lifetime),
        ("seconds_to_expiry", left),
        ("seconds_since_not_before", since),
        ("checked_at", stamp(moment.map(|moment| moment.at))),
    ]
}
