//! Project Wycheproof, JSON Web Signature: 401 tests written by others.

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::tokens::{KeySet, verify_signature};
use serde_json::Value;

/// Tests whose expectation is not met, each with its reason. The list fails both ways.
const KNOWN_DIFFERENCES: [(u64, &str); 8] = [
    (346, "defect of the vectors: header PS384, key published for PS256"),
    (347, "defect of the vectors: the key's alg is 'ES521', which no standard has"),
    (350, "defect of the vectors: header PS384, key published for PS256"),
    (351, "defect of the vectors: the key's alg is 'ES521', which no standard has"),
    (367, "the text is letter by letter that of the valid test 357"),
    (370, "the text is letter by letter that of the valid test 357"),
    (372, "wants '?' inside base64url to be ignored, against RFC 7515, section 2"),
    (373, "wants '?' inside base64url to be ignored, against RFC 7515, section 2"),
];

const ALGORITHMS: [&str; 12] =
    ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

#[test]
fn signatures_are_judged_as_wycheproof_says_but_for_a_list_of_reasons() {
    let Some(text) = super::shared("conformance/wycheproof-json-web-signature.json") else { return };
    let suite: Value = serde_json::from_str(&text).unwrap();
    let algorithms = ALGORITHMS.map(str::to_owned);
    let mut differences = BTreeMap::new();
    let mut total = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or(&group["private"]);
        let keys = KeySet::parse(key.to_string().as_bytes());
        for test in group["tests"].as_array().unwrap() {
            let jws = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let report = verify_signature(&jws, &keys, &algorithms);
            let matches = (report.valid == Some(true)) == (test["result"] == "valid");
            total += 1;
            if !matches {
                let why = report.fatal().map(|check| check.id.clone()).collect::<Vec<_>>().join(", ");
                differences.insert(test["tcId"].as_u64().unwrap(), why);
            }
        }
    }
    println!("Wycheproof JWS: {} of {total} as expected, differences {differences:?}", total - differences.len());
    assert_eq!(total, 401);
    let known: BTreeSet<u64> = KNOWN_DIFFERENCES.iter().map(|(id, _)| *id).collect();
    let found: BTreeSet<u64> = differences.keys().copied().collect();
    assert_eq!(found, known, "a difference that is not listed, or a listed one that is gone");
}
