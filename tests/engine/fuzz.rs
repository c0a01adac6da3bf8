//! The bodies of the fuzz targets, on inputs of proptest: fragments of what is right, in any order, and noise.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use proptest::collection::vec;
use proptest::prelude::*;

/// Octets: noise, and pieces of these, cut anywhere.
fn octets(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..pieces.len(), any::<(u16, u16)>()).prop_map(|(which, (from, length))| {
        let piece = pieces[which];
        let from = usize::from(from) % (piece.len() + 1);
        let to = piece.len().min(from + usize::from(length));
        piece[if length % 3 == 0 { 0 } else { from }..to].to_vec()
    });
    let part = prop_oneof![3 => piece, 1 => vec(any::<u8>(), 0..40)];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// Text of the same kind.
fn text(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = String> {
    octets(pieces).prop_map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

const CERTIFICATES: &[&[u8]] = &[
    include_bytes!("../corpus/artefact-list-goes-stale-tonight/logs/client-ACR-6/presented/cmg.pem"),
    include_bytes!("../corpus/artefact-join-certificate-expired/logs/client-ORC-WS2/wpj.cer"),
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    &[0x30, 0x82, 0x01, 0x00, 0x30, 0x80, 0xa0, 0x03, 0x02, 0x01, 0x02],
];
const LISTS: &[&[u8]] = &[
    include_bytes!("../corpus/artefact-list-stale-when-it-failed/logs/client-HLM-T14/crls/g1.crl"),
    b"-----BEGIN X509 CRL-----\n",
    &[0x30, 0x82, 0xff, 0xff, 0x30, 0x03, 0x02, 0x01, 0x01],
];
const TOKENS: &[&[u8]] = &[
    b"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6Im1hZGUtdXAifQ",
    b"eyJhdWQiOiJodHRwczovL0NvbmZpZ01nclNlcnZpY2UiLCJleHAiOjE3OTM4MDAwMDB9",
    b".",
    b"..",
    b"\"kid\": \"x\", \"alg\": \"none\"",
];
const KEYS: &[&[u8]] = &[
    br#"{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}, "#,
    br#"{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}"#,
    b"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
];
const STATUS: &[&[u8]] = &[
    b"+-----+\n| Device State |\n+-----+\n",
    b"             AzureAdJoined : YES\n",
    b"                  DeviceId : a399ea8a-73f9-4256-80ed-23e2329ffdd1\n",
    b" DeviceCertificateValidity : [ 2019-01-11 21:02:50.000 UTC -- 2029-01-11 21:32:50.000 UTC ]\n",
    b"          DeviceAuthStatus : FAILED. Device is either disabled or deleted\n",
    b" : \n",
];
const LOGS: &[&[u8]] = &[
    b"<![LOG[a line]LOG]!><time=\"08:00:00.000+060\" date=\"01-02-2026\" component=\"c\" context=\"\" type=\"1\" thread=\"1\" file=\"f\">\n",
    b"<![LOG[",
    b"]LOG]!>",
    b"text  $$<SMS_X><01-02-2026 08:00:00.000+60><thread=1 (0x1)>\n",
    b"#Fields: date time cs-uri-stem sc-status\n2026-01-02 08:00:00 /x 200\n",
    "<![LOG[Zürich \u{1f600}".as_bytes(),
    b"\r\n",
];
const SITES: &[&[u8]] = &[
    b"[cmg]\nnames = [\"cmg.contoso.com\"]\n",
    b"[[clients]]\nname = \"PC042\"\n",
    b"chain = \"none\"\n",
    b"[site]\ncode = 5\n",
    b"[",
    b" = { a = [1, ",
];

proptest! {
    #[test]
    fn token(text in text(TOKENS), keys in octets(KEYS), at: i64, mask: bool) {
        bodies::token(&text, &keys, at, mask);
    }

    #[test]
    fn certificate(leaf in octets(CERTIFICATES), middle in octets(CERTIFICATES), root in octets(CERTIFICATES), at: i64) {
        bodies::certificate(&leaf, &middle, &root, at);
    }

    #[test]
    fn revocation_list(list in octets(LISTS), serial in vec(any::<u8>(), 0..22)) {
        bodies::revocation_list(&list, &serial);
    }

    #[test]
    fn chain(leaf in vec(any::<(u16, u8)>(), 0..2), list in vec(any::<(u16, u8)>(), 0..2), options: u8) {
        bodies::chain(&leaf, &list, options);
    }

    #[test]
    fn dsregcmd(output in octets(STATUS), certificate in octets(CERTIFICATES), at: Option<i64>) {
        bodies::dsregcmd(&output, &certificate, at);
    }

    #[test]
    fn framing(size: u16, log in octets(LOGS)) {
        bodies::framing(size, &log);
    }

    #[test]
    fn w3c(header in "[a-z() -]{0,40}", row in "\\PC{0,60}", name in "[a-z-]{0,10}") {
        bodies::w3c(&header, &row, &name);
    }

    #[test]
    fn time(text in "(\\PC{0,12}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{0,8}(Z|[+-][0-9]{2}:?[0-9]{2})?)") {
        bodies::time(&text);
    }

    #[test]
    fn site(text in text(SITES)) {
        bodies::site(&text);
    }
}

/// The chain that the targets change octets of is good as it is.
#[test]
fn the_unchanged_chain_is_valid() {
    bodies::chain(&[], &[], 0);
}

/// Every target of cargo-fuzz is run here too.
#[test]
fn every_target_has_its_test() {
    let own = include_str!("fuzz.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/fuzz_targets")).unwrap() {
        let path = entry.unwrap().path();
        let target = std::fs::read_to_string(&path).unwrap();
        let called = target.split("bodies::").nth(1).and_then(|rest| rest.split('(').next()).unwrap();
        assert!(own.contains(&format!("bodies::{called}(")), "{called}");
        assert!(
            include_str!("../fuzz/Cargo.toml")
                .contains(&format!("\"fuzz_targets/{}\"", path.file_name().unwrap().to_str().unwrap())),
            "{called}"
        );
    }
}
