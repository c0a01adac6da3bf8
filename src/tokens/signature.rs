//! Checks of the key and of the signature.
//!
//! Which key may verify is decided before any signature is looked at: by name (`kid`, `x5t`), use, type, size, and
//! the issuer the key was published for. A key that is not at hand leaves the signature unchecked, never good.

use std::str::FromStr;

use jsonwebtoken::Algorithm;

use super::checks::{ALGORITHM, BASE64URL, PAYLOAD_ENCODING};
use super::checks::{KEY, KEY_ALGORITHM, KEY_ISSUER, KEY_SET, KEY_STRENGTH, KEY_USE, SIGNATURE};
use super::compact::{Compact, Shape};
use super::issuers;
use super::json::Json;
use super::keys::{Key, KeySet, MIN_RSA_BITS, in_hex};
use super::ledger::{Decides, Ledger, Remark, Words};
use super::words::{quoted, quoted_text};

/// Most keys that are tried on one token.
const MOST_TRIES: usize = 16;

/// Checks key and signature, and returns where the key that verified came from.
pub(crate) fn check(
    token: &Compact<'_>,
    header: Option<&Json<'_>>,
    claims: Option<&Json<'_>>,
    keys: Option<&KeySet>,
    audience: &[String],
    ledger: &mut Ledger,
) -> Option<String> {
    key_set(keys, ledger);
    let name = KeyName::of(header);
    let algorithm = header.and_then(|header| header.text("alg")).and_then(|name| Algorithm::from_str(name).ok());
    let candidates = keys.map_or_else(Vec::new, |keys| name.candidates(keys, algorithm));
    let usable: Vec<&Key> = candidates.iter().copied().filter(|key| is_usable(key, algorithm, header)).collect();

    let Some(first) = usable.first().or(candidates.first()).copied() else {
        no_key(keys, &name, ledger);
        return None;
    };
    ledger.passed(KEY, || format!("{} was chosen by {}: {}.", first.origin, name.how(first), first.type_name()));
    let verified = algorithm
        .filter(|_| ledger.none_failed(&[ALGORITHM, BASE64URL, PAYLOAD_ENCODING]) && token.shape == Shape::Signed)
        .and_then(|algorithm| {
            let good = |key: &&&Key| key.verifies(token.signed.as_bytes(), &token.signature, algorithm);
            let mut verifying = usable.iter().take(MOST_TRIES).filter(good).copied();
            let first = verifying.next()?;
            // Sets of several tenants hold one key under several issuers.
            let may_sign = |key: &&Key| is_of_issuer(key, claims) != Some(false);
            if may_sign(&first) { Some(first) } else { Some(verifying.find(may_sign).unwrap_or(first)) }
        });
    let key = verified.unwrap_or(first);
    key_use(key, ledger);
    key_algorithm(key, algorithm, header, ledger);
    key_strength(key, ledger);
    key_issuer(key, claims, ledger);
    let is_for_us = claims
        .and_then(|claims| claims.text("aud"))
        .is_some_and(|aud| audience.iter().any(|own| own == aud) && !is_microsofts(aud));
    signature(token, header, (&name, keys), algorithm, (&usable, verified.is_some(), is_for_us), ledger);
    verified.map(|key| key.origin.clone())
}

/// True for the audience of a service of Microsoft's own: its app ids, and the hosts of its interfaces.
fn is_microsofts(audience: &str) -> bool {
    const HOSTS: [&str; 6] =
        [".microsoft.com", ".microsoft.us", ".windows.net", ".office.com", ".azure.com", ".chinacloudapi.cn"];
    let host = audience.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    let is_own_app =
        audience.starts_with("0000000") && (audience.contains("-0000-c000-") || audience.contains("-0ff1-ce00-"));
    is_own_app || host.is_some_and(|host| HOSTS.iter().any(|suffix| host.ends_with(suffix)))
}

/// Bytes of a signature by the only key that may be used, an RSA key.
fn key_bytes(usable: &[&Key]) -> Option<usize> {
    let [only] = usable else { return None };
    only.rsa_bits.map(|bits| bits.div_ceil(8))
}

/// How a key was chosen that the token does not name.
const UNNAMED: &str = "having no other name";

/// How the token names its key.
struct KeyName<'h> {
    id: Option<&'h str>,
    thumbprint: Option<&'h str>,
}

impl<'h> KeyName<'h> {
    fn of(header: Option<&'h Json<'_>>) -> Self {
        let text = |name| header.and_then(|header| header.text(name));
        Self { id: text("kid"), thumbprint: text("x5t") }
    }

    /// Keys the token may mean. Entra's v1.0 key ids are thumbprints. A key without a name of its own (PEM) is meant
    /// by whoever gave it; where the token names no key, every key of the right type is.
    fn candidates<'k>(&self, keys: &'k KeySet, algorithm: Option<Algorithm>) -> Vec<&'k Key> {
        if self.id.is_none() && self.thumbprint.is_none() {
            let fits = |key: &&Key| algorithm.is_none_or(|algorithm| key.fits(algorithm));
            return keys.all().iter().filter(fits).collect();
        }
        let by_id = self.id.into_iter().flat_map(|id| keys.with_id(id).chain(keys.with_thumbprint(id)));
        // Entra's sets name a key by the thumbprint of its certificate twice, as `kid` and as `x5t`.
        let mut named: Vec<&Key> = Vec::new();
        for key in by_id {
            if !named.iter().any(|known| std::ptr::eq(*known, key)) {
                named.push(key);
            }
        }
        if named.is_empty() {
            named.extend(self.thumbprint.into_iter().flat_map(|thumbprint| keys.with_thumbprint(thumbprint)));
        }
        if named.is_empty() {
            let unnamed = |key: &&Key| key.is_nameless() || (key.id.is_none() && self.thumbprint.is_none());
            named.extend(keys.all().iter().filter(unnamed));
        }
        named
    }

    /// The key's name in the header, where every key carries another one: none of them is the key that is meant.
    fn missed_by_all(&self, keys: &[&Key], all: &KeySet) -> Option<&'h str> {
        let name = self.id.or(self.thumbprint)?;
        let is_named = all.with_id(name).chain(all.with_thumbprint(name)).next().is_some();
        (!is_named && keys.iter().all(|key| !key.is_nameless() && self.how(key) == UNNAMED)).then_some(name)
    }

    fn how(&self, key: &Key) -> &'static str {
        if self.id.is_some() && self.id == key.id.as_deref() {
            "kid"
        } else if key.thumbprint.as_deref().is_some_and(|thumbprint| self.is_thumbprint(thumbprint)) {
            "the thumbprint of its certificate"
        } else {
            UNNAMED
        }
    }

    /// Whether the header names this thumbprint, in base64url or, as .NET does, in hexadecimal digits.
    fn is_thumbprint(&self, thumbprint: &str) -> bool {
        let names = [self.thumbprint, self.id];
        names.contains(&Some(thumbprint))
            || in_hex(thumbprint).is_some_and(|digits| names.contains(&Some(digits.as_str())))
    }

    fn in_words(&self) -> String {
        match (self.id, self.thumbprint) {
            (Some(id), _) => format!("key {} is not among the keys given", quoted_text(id)),
            (None, Some(thumbprint)) => {
                format!("the certificate with thumbprint {} is not among the keys given", quoted_text(thumbprint))
            }
            (None, None) => "no key of the right type was given".to_owned(),
        }
    }
}

fn key_set(keys: Option<&KeySet>, ledger: &mut Ledger) {
    match keys {
        None => ledger.unchecked(KEY_SET, Remark, || "No keys were given."),
        Some(keys) if keys.problems().is_empty() => {
            ledger.passed(KEY_SET, || format!("All {} keys given can be used.", keys.len()));
        }
        Some(keys) => ledger.failed(KEY_SET, Remark, || {
            let told: Vec<&str> = keys.problems().iter().take(5).map(String::as_str).collect();
            let more = keys.problems().len().saturating_sub(told.len());
            let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
            Words::new(format!("Of the keys given not all is in order: {}{rest}.", told.join("; ")))
                .expected("keys as the issuer publishes them")
                .found(format!("{} that can be used", keys.len()))
        }),
    }
}

fn no_key(keys: Option<&KeySet>, name: &KeyName<'_>, ledger: &mut Ledger) {
    let why = || match keys {
        None => "no keys were given".to_owned(),
        Some(_) => name.in_words(),
    };
    ledger.unchecked(KEY, Decides, || {
        Words::new(format!(
            "There is no key to check with: {}. Give the issuer's key set of the time of the token.",
            why()
        ))
    });
    for kind in [KEY_USE, KEY_ALGORITHM, KEY_STRENGTH, KEY_ISSUER] {
        ledger.unchecked(kind, Remark, || "There is no key to look at.");
    }
    ledger.unchecked(SIGNATURE, Decides, || {
        format!("The signature was not checked: {}. That says nothing about whether it is good.", why())
    });
}

fn is_usable(key: &Key, algorithm: Option<Algorithm>, header: Option<&Json<'_>>) -> bool {
    let name = header.and_then(|header| header.text("alg"));
    may_verify(key)
        && is_strong(key)
        && algorithm.is_some_and(|algorithm| key.fits(algorithm))
        && key.algorithm.as_deref().is_none_or(|own| Some(own) == name)
}

fn may_verify(key: &Key) -> bool {
    let operations_allow = |operations: &Vec<String>| operations.iter().any(|operation| operation == "verify");
    key.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
        && key.operations.as_ref().is_none_or(operations_allow)
}

fn is_strong(key: &Key) -> bool {
    key.rsa_bits.is_none_or(|bits| bits >= MIN_RSA_BITS)
}

fn key_use(key: &Key, ledger: &mut Ledger) {
    if may_verify(key) {
        ledger.passed(KEY_USE, || "The key is meant for signatures, or for nothing in particular.");
    } else {
        ledger.failed(KEY_USE, Decides, || {
            let operations = key.operations.as_ref().map(|operations| format!("key_ops {}", operations.join(", ")));
            let found = key.purpose.as_ref().map(|purpose| format!("use {purpose}")).or(operations);
            Words::new("The key of that name is published for another use than signatures.")
                .expected("use sig, key_ops verify, or neither")
                .found(found.unwrap_or_default())
        });
    }
}

fn key_algorithm(key: &Key, algorithm: Option<Algorithm>, header: Option<&Json<'_>>, ledger: &mut Ledger) {
    let name = header.and_then(|header| header.text("alg")).unwrap_or("nothing");
    let Some(algorithm) = algorithm else {
        ledger.unchecked(KEY_ALGORITHM, Remark, || "The header names no algorithm that is known here.");
        return;
    };
    if key.is_symmetric() && !key.fits(algorithm) {
        ledger.unchecked(KEY_ALGORITHM, Decides, || {
            Words::new(format!(
                "The key given is a symmetric one, and {name} takes a public key: that is not the key of this token's issuer. Give the issuer's key set."
            ))
            .expected(format!("a key for {}", quoted_text(name)))
            .found(key.type_name())
        });
    } else if !key.fits(algorithm) {
        ledger.failed(KEY_ALGORITHM, Decides, || {
            Words::new(format!(
                "The header says {name}, which this key cannot have made: the algorithm was changed to mislead."
            ))
            .expected(format!("an algorithm for {}", key.type_name()))
            .found(quoted_text(name))
        });
    } else if let Some(own) = key.algorithm.as_deref().filter(|own| *own != name) {
        ledger.failed(KEY_ALGORITHM, Decides, || {
            Words::new("The key is published for another algorithm than the header names.")
                .expected(quoted_text(own))
                .found(quoted_text(name))
        });
    } else {
        ledger.passed(KEY_ALGORITHM, || format!("{name} suits the key."));
    }
}

fn key_strength(key: &Key, ledger: &mut Ledger) {
    if is_strong(key) {
        ledger.passed(KEY_STRENGTH, || format!("It is {}.", key.type_name()));
    } else {
        ledger.failed(KEY_STRENGTH, Decides, || {
            Words::new("The key is too short to be trusted; its signatures were not looked at.")
                .expected(format!("at least {MIN_RSA_BITS} bits"))
                .found(key.type_name())
        });
    }
}

/// Whether a key is published for the token's issuer; `None` where one of the two is not said.
fn is_of_issuer(key: &Key, claims: Option<&Json<'_>>) -> Option<bool> {
    let text = |name| claims.and_then(|claims| claims.text(name));
    Some(issuers::key_may_sign(key.issuer.as_deref()?, text("iss")?, text("tid")))
}

fn key_issuer(key: &Key, claims: Option<&Json<'_>>, ledger: &mut Ledger) {
    let text = |name| claims.and_then(|claims| claims.text(name));
    match (&key.issuer, text("iss")) {
        (None, _) => ledger.unchecked(KEY_ISSUER, Remark, || "The key does not say for which issuer it is published."),
        (Some(_), None) => ledger.unchecked(KEY_ISSUER, Remark, || "The token names no issuer to compare with the key's."),
        (Some(_), Some(_)) if is_of_issuer(key, claims) == Some(true) => {
            ledger.passed(KEY_ISSUER, || "The key is published for the token's issuer.");
        }
        (Some(published), Some(issuer)) => ledger.failed(KEY_ISSUER, Decides, || {
            Words::new("The key is published for another issuer than the token names, so its signature proves nothing about this one.")
                .expected(quoted_text(&issuers::with_tenant(published, text("tid"))))
                .found(quoted_text(issuer))
        }),
    }
}

fn signature(
    token: &Compact<'_>,
    header: Option<&Json<'_>>,
    (name, keys): (&KeyName<'_>, Option<&KeySet>),
    algorithm: Option<Algorithm>,
    (usable, verified, is_for_us): (&[&Key], bool, bool),
    ledger: &mut Ledger,
) {
    let unchecked = |ledger: &mut Ledger, why: &'static str| ledger.unchecked(SIGNATURE, Decides, || why);
    if verified {
        ledger
            .passed(SIGNATURE, || "The signature is good: header and claims are as the holder of the key wrote them.");
    } else if token.shape != Shape::Signed || !ledger.none_failed(&[BASE64URL]) {
        unchecked(ledger, "The token's text is broken, so there is nothing that could have been signed.");
    } else if !ledger.none_failed(&[ALGORITHM, PAYLOAD_ENCODING]) || algorithm.is_none() {
        unchecked(ledger, "The header asks for a way of signing that is not accepted here.");
    } else if usable.is_empty() {
        unchecked(ledger, "The key of that name may not be used for it.");
    } else if usable.len() > MOST_TRIES {
        ledger.unchecked(SIGNATURE, Decides, || {
            format!("The token does not say which of {} keys is meant, and {MOST_TRIES} were tried.", usable.len())
        });
    } else if let Some(name) = keys.and_then(|keys| name.missed_by_all(usable, keys)) {
        ledger.unchecked(SIGNATURE, Decides, || {
            format!(
                "The signature does not match the keys given, which carry other names than the one in the header ({}): the right key is not at hand.",
                quoted_text(name)
            )
        });
    } else if let Some(nonce) = header.and_then(|header| header.get("nonce")).filter(|_| !is_for_us) {
        ledger.unchecked(SIGNATURE, Decides, || {
            Words::new(
                "The header has a nonce: Entra made this token for a Microsoft service (such as Graph), and only that service can check the signature.",
            )
            .found(format!("nonce {}", quoted(nonce)))
        });
    } else {
        ledger.failed(SIGNATURE, Decides, || {
            let tried = usable.len();
            let length = token.signature.len();
            let cut = key_bytes(usable).is_some_and(|bytes| length < bytes);
            if cut {
                return Words::new(
                    "The signature is shorter than this key makes one: the token was cut off. Copy it again, whole.",
                )
                .expected("a signature as long as the key")
                .found(format!("{length} bytes"));
            }
            let keys = if tried == 1 { "the key".to_owned() } else { format!("any of the {tried} keys tried") };
            Words::new(format!(
                "The signature does not match {keys}: the token was changed, or signed with another key."
            ))
            .expected("a signature over exactly this header and these claims")
            .found(format!("{} bytes that do not match", token.signature.len()))
        });
    }
}
