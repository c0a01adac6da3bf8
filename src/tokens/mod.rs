//! Tokens: inspected, validated and explained, offline.
//!
//! [`validate_token`] answers a [`Report`] in which every check of [`CHECKS`] stands once, as passed, failed or not
//! checked; a failure in one never hides another. Keys, audience and time are arguments: "now" is the time of the
//! log line. [`inspect_token`] reads a token without anything to hold it against. [`validate_tokens`] does a column
//! of them on all cores.
//!
//! Two rules hold throughout. A key that is not at hand makes the signature "not checked", never good. And no report
//! holds a token: words leave through one gate, which lets pass what header and claims say, and nothing that could be
//! presented to a server.
//!
//! Rules: RFC 7515, RFC 7519, RFC 8725; Entra "Access token claims reference"; Configuration Manager "Token-based
//! authentication for CMG". Signatures are checked on aws-lc: RS256, which all issuers here sign with, by a
//! key parsed once, the rest through jsonwebtoken.

mod base64url;
mod batch;
mod checks;
mod claims;
mod compact;
mod facts;
mod failures;
mod header;
mod issuers;
mod json;
mod keys;
mod kind;
mod ledger;
mod redact;
mod shape;
mod signature;
mod validity;
mod words;

use crate::report::Report;
use crate::time::Micros;

pub use batch::{validate_tokens, verdict_schema};
pub use checks::CHECKS;
pub use failures::failures_of;
pub use keys::KeySet;
pub use kind::TokenKind;
pub use ledger::CheckKind;

pub(crate) use redact::{withhold, without_tokens};

use claims::Expected;
use compact::{Compact, Shape};
use json::Json;
use kind::Recognised;
use ledger::{Ledger, Wording};
use redact::Gate;
use validity::Moment;

/// What a token is held against.
///
/// ```
/// use cmgtrail::tokens::{KeySet, TokenPolicy};
///
/// let mut policy = TokenPolicy::new(1_793_783_553_000_000);
/// policy.audience = vec!["https://ConfigMgrService".to_owned()];
/// policy.keys = Some(KeySet::parse(br#"{"keys": []}"#));
/// assert_eq!(policy.leeway_seconds, 300);
/// ```
#[derive(Debug, Clone)]
pub struct TokenPolicy {
    /// Keys that may verify; `None` where none were given.
    pub keys: Option<KeySet>,
    /// Audiences, of which the token must name one. Empty: not said, so the verdict stays open.
    pub audience: Vec<String>,
    /// Issuers, of which the token must have one; `{tenantid}` in one stands for the token's tenant. Empty: any that
    /// is written as Entra or a Configuration Manager site writes it.
    pub issuers: Vec<String>,
    /// Tenants, of which the token must be of one. Empty: any.
    pub tenants: Vec<String>,
    /// Time at which the token must be valid, UTC.
    pub at: Micros,
    /// Seconds by which clocks may differ. Microsoft's validators take 300.
    pub leeway_seconds: u32,
    /// Algorithms that are accepted. Entra and the site sign with RS256.
    pub algorithms: Vec<String>,
    /// Whether identifiers (GUIDs, names, addresses, SIDs) are masked in the answer.
    pub mask: bool,
}

impl TokenPolicy {
    /// A policy for this time (UTC), with nothing else said.
    pub fn new(at: Micros) -> Self {
        Self {
            keys: None,
            audience: Vec::new(),
            issuers: Vec::new(),
            tenants: Vec::new(),
            at,
            leeway_seconds: 300,
            algorithms: default_algorithms(),
            mask: false,
        }
    }

    const fn moment(&self) -> Moment {
        Moment { at: self.at, leeway: self.leeway_seconds as i64 }
    }

    fn expected(&self) -> Expected<'_> {
        Expected { audience: &self.audience, issuers: &self.issuers, tenants: &self.tenants }
    }
}

fn default_algorithms() -> Vec<String> {
    vec!["RS256".to_owned()]
}

/// Checks a token against a policy. Every check of [`CHECKS`] is in the report, in that order.
///
/// ```
/// use cmgtrail::report::CheckStatus;
/// use cmgtrail::tokens::{TokenPolicy, validate_token};
///
/// let report = validate_token("not.a.token", &TokenPolicy::new(0));
/// assert_eq!(report.valid, Some(false));
/// assert_eq!(report.check("signature").map(|check| check.status), Some(CheckStatus::NotChecked));
/// ```
pub fn validate_token(token: &str, policy: &TokenPolicy) -> Report {
    let token = Compact::split(token);
    Opened::of(&token).report(&Terms::of(policy), policy.mask)
}

/// Reads a token and checks what can be checked without keys, time and expectations.
///
/// The verdict is false where something is wrong with the token itself, else open. With `mask`, identifiers are
/// masked.
///
/// ```
/// let report = cmgtrail::tokens::inspect_token("eyJhbGciOiJub25lIn0.e30.", false);
/// assert_eq!(report.facts["header"]["alg"], "none");
/// assert_eq!(report.valid, Some(false));
/// ```
pub fn inspect_token(token: &str, mask: bool) -> Report {
    let token = Compact::split(token);
    let algorithms = default_algorithms();
    let expected = Expected { audience: &[], issuers: &[], tenants: &[] };
    Opened::of(&token).report(&Terms { keys: None, algorithms: &algorithms, moment: None, expected }, mask)
}

/// Checks only that a text is a properly signed one: its form, header, key and signature, whatever it holds.
///
/// `algorithms` are the names that are accepted. For tokens use [`validate_token`], which also reads the claims.
pub fn verify_signature(token: &str, keys: &KeySet, algorithms: &[String]) -> Report {
    let token = Compact::split(token);
    let opened = Opened::of(&token);
    let mut ledger = Ledger::new(Wording::Full);
    opened.check_form(Some(keys), algorithms, &[], &mut ledger);
    ledger.keep(|kind| ![checks::CLAIMS_JSON, checks::CLAIMS_DUPLICATES, checks::KEY_ISSUER].contains(kind));
    let gate = Gate::new(token.text, None, false);
    gate.report(Report::new("signature", serde_json::Map::new(), ledger.into_checks()))
}

/// What a token is held against, where it may not be known.
#[derive(Debug, Clone, Copy)]
struct Terms<'p> {
    keys: Option<&'p KeySet>,
    algorithms: &'p [String],
    moment: Option<Moment>,
    expected: Expected<'p>,
}

impl<'p> Terms<'p> {
    fn of(policy: &'p TokenPolicy) -> Self {
        Self {
            keys: policy.keys.as_ref(),
            algorithms: &policy.algorithms,
            moment: Some(policy.moment()),
            expected: policy.expected(),
        }
    }
}

/// A token with its parts read.
struct Opened<'t> {
    token: &'t Compact<'t>,
    header: compact::Reading<'t>,
    claims: compact::Reading<'t>,
    recognised: Recognised,
}

impl<'t> Opened<'t> {
    fn of(token: &'t Compact<'t>) -> Self {
        let header = token.header.as_ref().map(compact::Part::read).unwrap_or_default();
        let claims = token.claims.as_ref().map(compact::Part::read).unwrap_or_default();
        let recognised = match token.shape {
            Shape::Encrypted => Recognised::encrypted(),
            _ => kind::recognise(claims.json.as_ref()),
        };
        Self { token, header, claims, recognised }
    }

    fn header(&self) -> Option<&Json<'t>> {
        self.header.json.as_ref()
    }

    fn claims(&self) -> Option<&Json<'t>> {
        self.claims.json.as_ref()
    }

    /// Enters the checks of text, header, key and signature; returns where the key came from.
    fn check_form(
        &self,
        keys: Option<&KeySet>,
        algorithms: &[String],
        audience: &[String],
        ledger: &mut Ledger,
    ) -> Option<String> {
        shape::check(self.token, &self.header, &self.claims, ledger);
        header::check(self.header(), algorithms, ledger);
        signature::check(self.token, self.header(), self.claims(), keys, audience, ledger)
    }

    /// Enters every check; returns where the key that verified came from.
    fn check(&self, terms: &Terms<'_>, ledger: &mut Ledger) -> Option<String> {
        let key = self.check_form(terms.keys, terms.algorithms, terms.expected.audience, ledger);
        validity::check(self.claims(), self.recognised.kind, terms.moment, ledger);
        claims::check(self.claims(), self.recognised, terms.expected, ledger);
        key
    }

    fn report(&self, terms: &Terms<'_>, mask: bool) -> Report {
        let mut ledger = Ledger::new(Wording::Full);
        let key = self.check(terms, &mut ledger);
        let mut facts = facts::facts(self.token, self.header(), self.claims(), self.recognised, terms.moment);
        facts.insert("verified_with".to_owned(), key.into());
        let gate = Gate::new(self.token.text, self.claims(), mask);
        gate.report(Report::new("token", facts, ledger.into_checks()))
    }
}
