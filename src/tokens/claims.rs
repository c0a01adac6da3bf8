//! Checks of who issued the token, for which tenant, for whom, and about whom.

use super::checks::{AUDIENCE, IDENTITY, ISSUER, ISSUER_TENANT, KIND, TENANT, VERSION};
use super::issuers::{self, Issuer, is_guid};
use super::json::Json;
use super::kind::{Recognised, TokenKind};
use super::ledger::{Decides, Ledger, Remark, Words};
use super::words::{quoted, quoted_text};

/// What the claims are held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'p> {
    pub audience: &'p [String],
    pub issuers: &'p [String],
    pub tenants: &'p [String],
}

pub(crate) fn check(claims: Option<&Json<'_>>, recognised: Recognised, expected: Expected<'_>, ledger: &mut Ledger) {
    kind(recognised, ledger);
    let Some(claims) = claims else {
        for kind in [ISSUER, VERSION, ISSUER_TENANT, TENANT, AUDIENCE, IDENTITY] {
            ledger.unchecked(kind, Decides, || "The claims cannot be read.");
        }
        return;
    };
    let known = claims.text("iss").and_then(issuers::recognise);
    issuer(claims, known, expected.issuers, ledger);
    version(claims, known, ledger);
    issuer_tenant(claims, known, ledger);
    tenant(claims, recognised.kind, expected.tenants, ledger);
    audience(claims, expected.audience, ledger);
    identity(claims, recognised.kind, ledger);
}

fn kind(recognised: Recognised, ledger: &mut Ledger) {
    match recognised.kind {
        TokenKind::Encrypted => ledger.unchecked(KIND, Remark, || "The token is encrypted."),
        TokenKind::Unknown => ledger.failed(KIND, Remark, || {
            Words::new(format!("The token is of no kind that a CMG sees: {}.", recognised.how))
                .expected("a token of Entra or of a Configuration Manager site")
        }),
        kind => ledger.passed(KIND, || Words::new(format!("Recognised by: {}.", recognised.how)).found(kind.as_str())),
    }
}

fn issuer(claims: &Json<'_>, known: Option<Issuer<'_>>, accepted: &[String], ledger: &mut Ledger) {
    let issuer = match claims.get("iss") {
        Some(Json::Text(issuer)) => issuer.as_ref(),
        other => {
            return ledger.failed(ISSUER, Decides, || {
                let why =
                    if other.is_none() { "The token does not say who issued it." } else { "The issuer is no string." };
                Words::new(why).expected("a string").found(other.map_or_else(|| "nothing".to_owned(), quoted))
            });
        }
    };
    let tenant = claims.text("tid");
    if accepted.iter().any(|one| issuers::with_tenant(one, tenant) == issuer) {
        ledger.passed(ISSUER, || Words::new("The issuer is one of those expected.").found(quoted_text(issuer)));
    } else if !accepted.is_empty() {
        ledger.failed(ISSUER, Decides, || {
            let one = accepted.first().map_or("", String::as_str);
            Words::new(issuer_miss(issuer, known, accepted, tenant))
                .expected(if accepted.len() == 1 { quoted_text(one) } else { accepted.join(" or ") })
                .found(quoted_text(issuer))
        });
    } else if known.is_some() {
        ledger.passed(ISSUER, || Words::new(known_issuer(known)).found(quoted_text(issuer)));
    } else if let Some(why) = issuers::near_miss(issuer) {
        ledger.failed(ISSUER, Decides, || {
            Words::new(format!("The issuer is not written as Entra writes it: {why}.")).found(quoted_text(issuer))
        });
    } else {
        ledger.unchecked(ISSUER, Decides, || {
            Words::new(
                "The issuer is neither Entra nor a Configuration Manager site, and no other was said to be expected.",
            )
            .found(quoted_text(issuer))
        });
    }
}

fn known_issuer(known: Option<Issuer<'_>>) -> String {
    match known {
        Some(Issuer::Entra { cloud, version, .. }) => {
            format!("It is written as Entra writes it in the {cloud} cloud for version {}.", version.claim())
        }
        Some(Issuer::Site { .. }) => "It is written as a Configuration Manager site writes it.".to_owned(),
        None => String::new(),
    }
}

/// The way in which an issuer misses all that are accepted; the nearest one counts.
fn issuer_miss(issuer: &str, known: Option<Issuer<'_>>, accepted: &[String], tenant: Option<&str>) -> String {
    let bare = |text: &str| text.trim().trim_end_matches('/').to_ascii_lowercase();
    let accepted: Vec<_> = accepted.iter().map(|one| issuers::with_tenant(one, tenant)).collect();
    if accepted.iter().any(|one| one.trim_end_matches('/') == issuer.trim_end_matches('/')) {
        return "The issuer differs only in the slash at its end, and issuers are compared letter by letter."
            .to_owned();
    }
    if accepted.iter().any(|one| bare(one) == bare(issuer)) {
        return "The issuer differs only in case or white space, and issuers are compared letter by letter.".to_owned();
    }
    if accepted.iter().any(|one| issuers::is_sign_in_address(one)) {
        return "The setting names an address to sign in at, for many tenants or by domain, and a token names the GUID of its tenant there."
            .to_owned();
    }
    let other_version = |one: &str| issuers::is_v2_form(one, issuer) || issuers::is_v2_form(issuer, one);
    if let (Some(Issuer::Entra { version, .. }), true) = (known, accepted.iter().any(|one| other_version(one))) {
        return format!(
            "The token is of version {} and the setting expects version {}; the tenant is right. The version follows the accepted token version in the manifest of the server app, not the address that was asked.",
            version.claim(),
            version.other().claim()
        );
    }
    let misses = accepted.iter().filter_map(|one| entra_miss(known?, issuers::recognise(one)?));
    misses.min().map_or_else(|| "Another issuer made this token.".to_owned(), |(_, why)| why)
}

/// How one Entra issuer misses another, with a rank: the smaller, the nearer.
fn entra_miss(found: Issuer<'_>, accepted: Issuer<'_>) -> Option<(u8, String)> {
    let (Issuer::Entra { cloud, tenant, .. }, Issuer::Entra { cloud: other_cloud, tenant: other_tenant, .. }) =
        (found, accepted)
    else {
        return None;
    };
    if tenant.eq_ignore_ascii_case(other_tenant) && cloud == other_cloud {
        Some((0, format!("The {cloud} cloud writes its issuer in two ways, and the setting expects the other one.")))
    } else if tenant.eq_ignore_ascii_case(other_tenant) {
        Some((1, format!("The token comes from the {cloud} cloud, the setting expects the {other_cloud} cloud.")))
    } else {
        Some((2, format!("The token was issued by another tenant ({tenant}) than expected ({other_tenant}).")))
    }
}

fn version(claims: &Json<'_>, known: Option<Issuer<'_>>, ledger: &mut Ledger) {
    let Some(Issuer::Entra { version, .. }) = known else {
        return ledger.unchecked(VERSION, Remark, || "Only issuers of Entra tell a version.");
    };
    match claims.get("ver") {
        None => ledger.unchecked(VERSION, Remark, || "The token has no ver to compare with its issuer."),
        Some(Json::Text(text)) if text == version.claim() => {
            ledger.passed(VERSION, || format!("Issuer and ver agree on version {text}."));
        }
        Some(other) => ledger.failed(VERSION, Decides, || {
            Words::new("The issuer is that of one version and ver says another: the token was put together from two.")
                .expected(quoted_text(version.claim()))
                .found(quoted(other))
        }),
    }
}

fn issuer_tenant(claims: &Json<'_>, known: Option<Issuer<'_>>, ledger: &mut Ledger) {
    let Some(Issuer::Entra { tenant, .. }) = known else {
        return ledger.unchecked(ISSUER_TENANT, Remark, || "The issuer is not one of Entra's, so it names no tenant.");
    };
    match claims.get("tid") {
        Some(Json::Text(tid)) if tid.eq_ignore_ascii_case(tenant) => {
            ledger.passed(ISSUER_TENANT, || "The tenant in the issuer is the tenant of the token.");
        }
        other => ledger.failed(ISSUER_TENANT, Decides, || {
            let why = if other.is_none() {
                "The token has no tid, which every Entra token has."
            } else {
                "The tenant in the issuer is another than tid: whoever checks only one of them would be misled."
            };
            Words::new(why).expected(quoted_text(tenant)).found(other.map_or_else(|| "nothing".to_owned(), quoted))
        }),
    }
}

fn tenant(claims: &Json<'_>, kind: TokenKind, accepted: &[String], ledger: &mut Ledger) {
    if kind.is_site() {
        return ledger.unchecked(TENANT, Remark, || "A site's token belongs to a hierarchy, not to a tenant.");
    }
    if accepted.is_empty() {
        return ledger.unchecked(
            TENANT,
            Remark,
            || "It was not said which tenants are expected: a token of any tenant whose app has the same name passes.",
        );
    }
    match claims.get("tid") {
        Some(Json::Text(tid)) if accepted.iter().any(|one| one.trim().eq_ignore_ascii_case(tid)) => {
            ledger.passed(TENANT, || Words::new("The tenant is one of those expected.").found(quoted_text(tid)));
        }
        Some(Json::Text(tid)) if accepted.iter().all(|one| one.contains('.')) => ledger.unchecked(TENANT, Decides, || {
            Words::new("A token names its tenant by id, and the tenants expected are given by domain. Give their ids.")
                .expected("the id of a tenant")
                .found(quoted_text(tid))
        }),
        other => ledger.failed(TENANT, Decides, || {
            Words::new("The token is of another tenant than those expected. Where they are all that the site knows, its tenant is not onboarded.")
                .expected(accepted.join(" or "))
                .found(other.map_or_else(|| "nothing".to_owned(), quoted))
        }),
    }
}

fn audience(claims: &Json<'_>, accepted: &[String], ledger: &mut Ledger) {
    let found: Option<Vec<&str>> = match claims.get("aud") {
        Some(Json::Text(one)) => Some(vec![one.as_ref()]),
        Some(Json::List(items)) if !items.is_empty() => items.iter().map(Json::as_str).collect(),
        _ => None,
    };
    let Some(found) = found else {
        return ledger.failed(AUDIENCE, Decides, || {
            let value = claims.get("aud");
            let why = if value.is_none() {
                "The token does not say whom it is for."
            } else {
                "aud is neither a string nor a list of strings."
            };
            Words::new(why)
                .expected("a string or a list of strings")
                .found(value.map_or_else(|| "nothing".to_owned(), quoted))
        });
    };
    let shown = || found.iter().map(|one| quoted_text(one)).collect::<Vec<_>>().join(", ");
    if accepted.is_empty() {
        return ledger.unchecked(AUDIENCE, Decides, || {
            Words::new("It was not said whom the token must be for. It is the App ID URI of the site's server app, and the resource that the client's log says it asked for.")
                .found(shown())
        });
    }
    if found.iter().any(|one| accepted.iter().any(|expected| expected == one)) {
        return ledger.passed(AUDIENCE, || Words::new("The token is for the audience expected.").found(shown()));
    }
    ledger.failed(AUDIENCE, Decides, || {
        let near = found.iter().find_map(|one| accepted.iter().find_map(|expected| audience_miss(one, expected)));
        Words::new(near.unwrap_or("The token is for another resource. Compare the App ID URI of the server app with the one the client asked for."))
            .expected(accepted.iter().map(|one| quoted_text(one)).collect::<Vec<_>>().join(" or "))
            .found(shown())
    });
}

/// The way in which an audience nearly is the one expected.
fn audience_miss(found: &str, expected: &str) -> Option<&'static str> {
    let bare = |text: &str| text.trim().trim_end_matches('/').to_ascii_lowercase();
    let guid = |text: &str| is_guid(text.strip_prefix("api://").unwrap_or(text));
    if found != expected && found.strip_suffix('/') == Some(expected) {
        Some(
            "The audience has a slash too many at its end; audiences are compared letter by letter. Take the slash off the resource URI that the client is given.",
        )
    } else if expected.strip_suffix('/') == Some(found) {
        Some("The audience lacks the slash at its end that is expected; audiences are compared letter by letter.")
    } else if bare(found) == bare(expected) {
        Some("The audience differs only in case, white space or slashes; audiences are compared letter by letter.")
    } else if is_guid(found) && expected.strip_prefix("api://").is_some_and(|rest| bare(rest) == bare(found)) {
        Some(
            "The audience is the id of the server app itself, and its App ID URI is expected: so a version 2.0 token is written. Set the app's accepted token version, or expect the id.",
        )
    } else if is_guid(found) && !guid(expected) {
        Some(
            "The audience is the id of an app (a GUID) and an App ID URI is expected: version 2.0 tokens carry the id. If it is the server app's, its manifest asks for version 2.0.",
        )
    } else if guid(expected) && !guid(found) {
        Some(
            "The audience is an App ID URI and the id of an app (a GUID) is expected: version 1.0 tokens carry the URI.",
        )
    } else if bare(found).replacen("http://", "https://", 1) == bare(expected) {
        Some("The audience begins with http instead of https.")
    } else {
        None
    }
}

fn identity(claims: &Json<'_>, kind: TokenKind, ledger: &mut Ledger) {
    if !kind.is_entra() {
        return ledger.unchecked(
            IDENTITY,
            Remark,
            || "The claims of such tokens that name device and user are not published.",
        );
    }
    let is_id = |name: &str| {
        claims.text(name).is_some_and(|id| is_guid(id) && id.bytes().any(|byte| !matches!(byte, b'0' | b'-')))
    };
    let (wanted, named) = match kind {
        TokenKind::EntraDevice => ("deviceid", is_id("deviceid")),
        _ => ("oid", is_id("oid")),
    };
    if named {
        ledger.passed(IDENTITY, || format!("The token names whom it is about ({wanted})."));
    } else {
        // A device token is for nothing else than to name its device.
        let weight = if kind == TokenKind::EntraDevice { Decides } else { Remark };
        ledger.failed(IDENTITY, weight, || {
            Words::new("The token does not name whom it is about, so the site cannot find it in its database.")
                .expected(format!("a GUID in {wanted}"))
                .found(claims.get(wanted).map_or_else(|| "nothing".to_owned(), quoted))
        });
    }
}
