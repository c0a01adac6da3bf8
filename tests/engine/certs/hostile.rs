//! Input that is broken, huge or malicious: a finding or a clear answer, in bounded time and memory.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use cmgtrail::certs::{
    Bundle, ChainRequest, CrlSource, Source, inspect_certificate, validate_chain, validate_chain_until,
};
use cmgtrail::report::{CheckStatus, Report};

use super::fixture::{ISSUING, ISSUING_CRL, Key, NOW, Pki, ROOT, ROOT_CRL, Template, authority, der, list, name};

fn failed(report: &Report, id: &str) -> bool {
    report.checks.iter().any(|check| check.id == id && check.status == CheckStatus::Failed)
}

fn pem(der: &[u8], label: &str) -> String {
    use std::fmt::Write as _;
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\r\n");
    for (at, group) in der.chunks(3).enumerate() {
        let bits = group.iter().fold(0_u32, |bits, octet| (bits << 8) | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = if place > group.len() { b'=' } else { DIGITS[(bits >> (18 - 6 * place) & 63) as usize] };
            text.push(char::from(digit));
        }
        if at % 16 == 15 {
            text.push_str("\r\n");
        }
    }
    let _ = write!(text, "\r\n-----END {label}-----\r\n");
    text
}

#[test]
fn every_truncation_of_a_certificate_is_told() {
    let pki = Pki::new();
    let leaf = pki.leaf().sign(&pki.issuing_key);
    for length in 0..leaf.len() {
        let report = inspect_certificate(&[Source::new("cut.cer", &leaf[..length])]);
        assert_eq!(report.valid, Some(false), "{length} of {} bytes", leaf.len());
    }
    assert_eq!(inspect_certificate(&[Source::new("whole.cer", leaf)]).valid, None);
}

/// A field of a certificate: where it lies, the checks of which one must fail where an octet of it is changed, and those
/// that may fail besides.
struct Field {
    name: String,
    octets: Range<usize>,
    must: Vec<&'static str>,
    may: Vec<&'static str>,
}

fn position(whole: &[u8], part: &[u8]) -> Range<usize> {
    let at = whole.windows(part.len()).position(|window| window == part).expect("the part is in the certificate");
    at..at + part.len()
}

/// The fields of the leaf. What is signed is unreadable, or its signature is bad, whatever was changed; the issuer is
/// not found under another name or key.
fn fields(template: &Template, certificate: &[u8]) -> Vec<Field> {
    const BROKEN: [&str; 2] = ["bad-signature", "unreadable"];
    let field = |name: &str, part: &[u8], must: &[&'static str], may: &[&'static str]| Field {
        name: name.to_owned(),
        octets: position(certificate, part),
        must: [&BROKEN[..], must].concat(),
        may: may.to_vec(),
    };
    let serial = der(2, &[&template.serial]);
    let (from, to) = (super::fixture::time(template.from), super::fixture::time(template.to));
    let not_found = ["intermediate-missing", "root-not-in-client-store"];
    let unlisted = ["revocation-unknown", "crl-bad-signature", "crl-signer-not-allowed"];
    let mut fields = vec![
        field("serial number", &serial, &[], &[]),
        field("validity", &[from, to].concat(), &[], &["expired", "not-yet-valid"]),
        field("issuer", &template.issuer, &not_found, &unlisted),
        field("subject", &template.subject, &[], &[]),
        field("key", &template.key, &[], &["weak-key"]),
    ];
    for (id, critical, value) in &template.extensions {
        let own: &[&'static str] = match id.as_str() {
            "2.5.29.15" => &["wrong-key-usage"],
            "2.5.29.17" => &["name-mismatch"],
            "2.5.29.31" => &["revocation-unknown", "crl-wrong-scope", "no-crl-distribution-point"],
            "2.5.29.35" => &["revocation-unknown", "crl-signer-not-allowed"],
            "2.5.29.37" => &["wrong-eku"],
            other => panic!("no row for {other}"),
        };
        let flag: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
        let whole = super::fixture::sequence(&[&super::fixture::oid(id), flag, &der(4, &[value])]);
        let must: &[&'static str] = if id == "2.5.29.35" { &not_found } else { &[] };
        let of_any = ["malformed-extension", "duplicate-extension", "unknown-critical-extension"];
        let may: Vec<&'static str> = own.iter().copied().chain(of_any).collect();
        fields.push(field(&format!("extension {id}"), &whole, must, &may));
    }
    fields
}

#[test]
fn a_flipped_bit_fails_the_checks_of_its_field_and_no_others() {
    let pki = Pki::new();
    let good = pki.request();
    assert_eq!(validate_chain(&good).valid, Some(true));
    let leaf = &good.presented[0].bytes;
    let fields = fields(&pki.leaf(), leaf);
    let mut wrong = Vec::new();
    for (at, bit) in (0..leaf.len()).flat_map(|at| [1_u8, 0x20].map(|bit| (at, bit))) {
        let mut request = good.clone();
        request.presented[0].bytes[at] ^= bit;
        let report = validate_chain(&request);
        let fatal: BTreeSet<&str> = report.fatal().map(|check| check.id.as_str()).collect();
        // Outside all fields: lengths, tags, algorithms and the signature itself.
        let frame = Field {
            name: "frame".to_owned(),
            octets: 0..leaf.len(),
            must: vec!["bad-signature", "unreadable", "weak-signature"],
            may: vec!["malformed-extension"],
        };
        let field = fields.iter().find(|field| field.octets.contains(&at)).unwrap_or(&frame);
        let named = field.must.iter().any(|id| fatal.contains(id));
        let allowed = fatal.iter().all(|id| field.must.contains(id) || field.may.contains(id));
        if report.valid != Some(false) || !named || !allowed {
            wrong.push(format!("octet {at}, bit {bit:#x}, {}: {:?} {fatal:?}", field.name, report.valid));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn work_is_given_up_where_the_caller_says_so() {
    let pki = Pki::new();
    let mut request = pki.request();
    let crowd = (0..300_u16).map(|number| {
        let mut template = pki.issuing();
        template.serial = number.to_be_bytes().to_vec();
        Source::new("crowd", template.sign(&pki.root_key))
    });
    request.intermediates = crowd.collect();
    let asked = AtomicUsize::new(0);
    let ask = |most: usize| {
        asked.store(0, Ordering::Relaxed);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= most;
        (validate_chain_until(&request, &stop), asked.load(Ordering::Relaxed))
    };
    let (report, in_full) = ask(usize::MAX);
    assert_eq!(report.unwrap().valid, Some(true));
    // While the sources are read, while paths are looked for, while they are judged.
    for most in [1, 150, in_full - in_full / 10] {
        let (given_up, asked) = ask(most);
        assert!(matches!(given_up, Err(cmgtrail::error::Error::Interrupted)), "{most}");
        assert!(asked < most + in_full / 10 + 20, "asked {asked} times, {most} before it was told to stop");
    }
}

#[test]
fn pem_with_junk_and_broken_blocks_gives_what_is_whole() {
    let pki = Pki::new();
    let root = pem(&pki.root().sign(&pki.root_key), "CERTIFICATE");
    let issuing = pem(&pki.issuing().sign(&pki.root_key), "CERTIFICATE");
    let text = format!(
        "Bag Attributes\n  friendlyName: x\n{}-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n\
         -----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\n{issuing}",
        &root
    );
    let bundle = Bundle::read(&[Source::new("mixed.pem", text)]);
    assert_eq!(bundle.certificates.len(), 2);
    assert_eq!(bundle.problems.len(), 1);
    assert_eq!(bundle.problems[0].place, "mixed.pem, block 2");
    let report = inspect_certificate(&[Source::new("mixed.pem", "-----BEGIN PRIVATE KEY-----\nMIIsecret\n")]);
    assert!(!serde_json::to_string(&report).unwrap().contains("secret"), "private keys are not looked at");
}

#[test]
fn a_pkcs7_bundle_gives_its_certificates_and_lists() {
    let pki = Pki::new();
    let (leaf, issuing) = (pki.leaf().sign(&pki.issuing_key), pki.issuing().sign(&pki.root_key));
    let crl = pki.issuing_list().sign(&pki.issuing_key);
    // RFC 5652, section 5.1: version, digest algorithms, content, certificates, lists, signers.
    let signed = der(
        0x30,
        &[
            &[2, 1, 1],
            &[0x31, 0],
            &der(0x30, &[&super::fixture::oid("1.2.840.113549.1.7.1")]),
            &der(0xa0, &[&issuing, &leaf]),
            &der(0xa1, &[&crl]),
            &[0x31, 0],
        ],
    );
    let bundle = der(0x30, &[&super::fixture::oid("1.2.840.113549.1.7.2"), &der(0xa0, &[&signed])]);
    for bytes in [bundle.clone(), pem(&bundle, "PKCS7").into_bytes(), pem(&bundle, "CERTIFICATE").into_bytes()] {
        let read = Bundle::read(&[Source::new("chain.p7b", bytes)]);
        assert_eq!((read.certificates.len(), read.lists.len(), read.problems.len()), (2, 1, 0));
    }
    let mut request = pki.request();
    request.presented = vec![Source::new("chain.p7b", bundle)];
    assert_eq!(validate_chain(&request).valid, Some(true), "a bundle keeps no order");
}

#[test]
fn one_unreadable_list_hides_no_good_one() {
    let pki = Pki::new();
    let mut request = pki.request();
    request.crls.insert(0, CrlSource::fetched("broken.crl", vec![0x30, 0x82, 0xff, 0xff, 0x00]));
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(true));
    assert!(failed(&report, "crl-unreadable"));
}

#[test]
fn a_list_of_20_megabytes_is_searched() {
    let pki = Pki::new();
    let mut big = pki.issuing_list();
    big.revoked = (0..400_000_u32).map(|number| [&[0x01][..], &number.to_be_bytes()].concat()).collect();
    let mut request = pki.request();
    let bytes = big.sign(&pki.issuing_key);
    assert!(bytes.len() > 15_000_000, "{}", bytes.len());
    request.crls = vec![list(ROOT_CRL, pki.root_list().sign(&pki.root_key)), list(ISSUING_CRL, bytes)];
    assert_eq!(validate_chain(&request).valid, Some(true));
    big.revoked.push(vec![0x33]);
    request.crls[1] = list(ISSUING_CRL, big.sign(&pki.issuing_key));
    let report = validate_chain(&request);
    assert!(failed(&report, "revoked"));
    assert!(report.check("revoked").is_some());
}

/// Authorities that sign for each other and lead to no root.
#[test]
fn a_chain_that_loops_ends() {
    let pki = Pki::new();
    let (a, b) = (Key::new(), Key::new());
    let mut request = pki.request();
    request.crls.clear();
    request.presented = vec![Source::new("leaf", super::fixture::service("A", &a, &pki.leaf_key).sign(&a))];
    request.intermediates = vec![
        Source::new("a by b", authority("A", &a, "B", &b).sign(&b)),
        Source::new("b by a", authority("B", &b, "A", &a).sign(&a)),
    ];
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(false));
    let check = report.check("root-not-in-client-store").unwrap();
    assert!(check.is_fatal() && check.explanation.contains("certify each other"), "{check:?}");
}

/// A PKCS#7 bundle in a bundle in a bundle: only the outermost is opened.
#[test]
fn nested_bundles_are_not_followed() {
    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84], length.as_slice(), content].concat()
    }
    let signed_data = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let mut bundle = vec![0x30, 0x00];
    for _ in 0..2_000 {
        let inner = tagged(0x30, &tagged(0xa0, &bundle));
        bundle = tagged(0x30, &[signed_data.as_slice(), &tagged(0xa0, &inner)].concat());
    }
    let report = validate_chain(&ChainRequest::new(vec![Source::new("nested.p7b", bundle)], Vec::new(), 0));
    assert_eq!(report.valid, Some(false));
    assert!(report.check("unreadable").unwrap().is_fatal());
}

/// Thousands of broken blocks are told once it is clear that there are many.
#[test]
fn many_broken_blocks_make_few_checks() {
    let block = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n".repeat(20_000);
    let report = validate_chain(&ChainRequest::new(vec![Source::new("broken.pem", block)], Vec::new(), 0));
    let told = report.checks.iter().filter(|check| check.id == "unreadable").count();
    assert!((2..=101).contains(&told), "{told}");
}

/// A store that was given and cannot be read is neither empty nor without the root.
#[test]
fn a_store_that_cannot_be_read_leaves_the_verdict_open() {
    let pki = Pki::new();
    let mut request = pki.request();
    request.crls.clear();
    request.roots = vec![Source::new("root.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")];
    let report = validate_chain(&request);
    assert_eq!(report.valid, None, "{:?}", report.checks.iter().filter(|c| c.is_fatal()).collect::<Vec<_>>());
    let mut request = pki.request();
    request.disallowed = vec![Source::new("untrusted.pem", "-----BEGIN CERTIFICATE-----\nMIIB")];
    assert_eq!(validate_chain(&request).valid, None);
}

/// The host as a log's banner writes it, with its port and path.
#[test]
fn a_host_with_port_and_path_is_the_host() {
    let pki = Pki::new();
    let mut request = pki.request();
    let host = request.host.clone().unwrap();
    request.host = Some(format!("https://{host}:443/CCM_Proxy_MutualAuth/72057594037927941"));
    assert_eq!(validate_chain(&request).valid, Some(true));
}

/// Ten thousand authorities that have all certified each other: every one names one of a hundred others as its issuer.
#[test]
fn ten_thousand_cross_signed_intermediates_are_survived() {
    let pki = Pki::new();
    let key = Key::new();
    let mut request = pki.request();
    request.crls.clear();
    let crowd = |number: u32| format!("CA {:03}", number % 100);
    request.intermediates = (0..10_000_u32)
        .map(|number| {
            let mut template = authority(&crowd(number), &key, &crowd(number / 100), &key);
            template.serial = number.to_be_bytes().to_vec();
            Source::new("crowd", template.sign(&key))
        })
        .collect();
    request.presented = vec![Source::new("leaf", super::fixture::service("CA 001", &key, &pki.leaf_key).sign(&key))];
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(false));

    // One way out of the crowd, to the trusted root, is found.
    let mut out = authority("CA 077", &key, ROOT, &pki.root_key);
    out.serial = vec![9, 9];
    request.intermediates.push(Source::new("out", out.sign(&pki.root_key)));
    let report = validate_chain(&request);
    let fatal: Vec<_> = report.fatal().map(|check| (&check.id, &check.subject)).collect();
    assert_eq!(report.valid, Some(true), "{fatal:?}");
}

/// The root's list in the place of the root: `root.crl` for `root.cer`.
#[test]
fn a_revocation_list_is_no_store() {
    let pki = Pki::new();
    let mut request = pki.request();
    let list = request.crls[1].bytes.clone().unwrap();
    request.roots = vec![Source::new("root.crl", list)];
    request.crls.clear();
    let report = validate_chain(&request);
    assert_eq!(report.valid, None, "{:#?}", report.fatal().collect::<Vec<_>>());
    let told = report.checks.iter().find(|check| check.id == "unreadable" && check.status != CheckStatus::Passed);
    assert!(told.is_some_and(|check| check.explanation.contains("revocation list where certificates")), "{told:?}");
}

/// A dozen authorities that have all certified each other, and one of them by the trusted root: more ways up than are
/// searched, and the second verifier, whose bounds are wider, is not asked.
#[test]
fn a_dozen_authorities_that_certified_each_other_are_bounded() {
    let pki = Pki::new();
    let keys: Vec<Key> = (0..12).map(|_| Key::new()).collect();
    let mut request = pki.request();
    request.crls.clear();
    for (child, key) in keys.iter().enumerate() {
        for (issuer, by) in keys.iter().enumerate().filter(|(issuer, _)| *issuer != child) {
            let template = authority(&format!("CA {child}"), key, &format!("CA {issuer}"), by);
            request.intermediates.push(Source::new("mesh", template.sign(by)));
        }
    }
    let out = authority("CA 11", &keys[11], ROOT, &pki.root_key).sign(&pki.root_key);
    request.intermediates.push(Source::new("out", out));
    let leaf = super::fixture::service("CA 0", &keys[0], &pki.leaf_key).sign(&keys[0]);
    request.presented = vec![Source::new("leaf", leaf)];
    let report = validate_chain(&request);
    assert_eq!(report.valid, Some(true), "{:#?}", report.fatal().collect::<Vec<_>>());
    let second = report.checks.iter().find(|check| check.id == "second-verifier").unwrap();
    assert_eq!(second.status, CheckStatus::NotChecked, "{}", second.explanation);
}

#[test]
fn ten_thousand_namesakes_are_survived() {
    let pki = Pki::new();
    let mut request = pki.request();
    request.crls.clear();
    let stranger = Key::new();
    for number in 0..10_000_u32 {
        let mut template = authority(ISSUING, &stranger, ROOT, &pki.root_key);
        template.serial = number.to_be_bytes().to_vec();
        template.subject = name(ISSUING);
        request.intermediates.push(Source::new("namesake", template.sign(&stranger)));
    }
    // The right one is presented; the others have its name and another key.
    assert_eq!(validate_chain(&request).valid, Some(true));
}

#[test]
fn random_bytes_are_told() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for length in 0..400_usize {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect();
        let request = ChainRequest::new(vec![Source::new("noise", bytes)], Vec::new(), NOW);
        assert_eq!(validate_chain(&request).valid, Some(false), "{length}");
    }
}

#[test]
fn every_flipped_byte_of_a_list_takes_its_word_away() {
    let pki = Pki::new();
    let good = pki.request();
    let bytes = good.crls[1].bytes.clone().unwrap();
    for at in 0..bytes.len() {
        let mut request = good.clone();
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x01;
        request.crls[1] = list(ISSUING_CRL, flipped);
        let report = validate_chain(&request);
        // Nothing but revocation is in doubt; a list of another issuer is as good as none, which leaves it open.
        let about_lists = |id: &str| id == "revocation-unknown" || id.starts_with("crl-");
        let fatal: Vec<&str> = report.fatal().map(|check| check.id.as_str()).collect();
        assert!(fatal.iter().all(|id| about_lists(id)), "octet {at}: {fatal:?}");
        let open =
            report.checks.iter().find(|check| check.id == "revocation-unknown" && check.subject.starts_with("leaf"));
        assert_ne!(open.unwrap().status, CheckStatus::Passed, "octet {at}");
        assert_ne!(report.valid, Some(true), "octet {at}");
    }
    for length in 0..bytes.len() {
        let mut request = good.clone();
        request.crls[1] = list(ISSUING_CRL, bytes[..length].to_vec());
        assert_ne!(validate_chain(&request).valid, Some(true), "{length} bytes");
    }
}
