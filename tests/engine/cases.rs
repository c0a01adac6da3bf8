//! Every failure with a signature has a case of the corpus in which it fires and a near miss in which a neighbour does.
//! What has none stands in `tests/corpus/without-case.toml` with its reason.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use cmgtrail::finding::Severity;
use cmgtrail::knowledge::{Failure, FailureRole, Knowledge};
use serde::Deserialize;

use super::case::{Allowed, Case, corpus, load, names};

/// A failure without a case, or without a near miss.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    failure: String,
    /// "case" or "near-miss".
    lacks: String,
    reason: String,
}

fn cases() -> Vec<Case> {
    names().iter().map(|name| load(name).unwrap()).collect()
}

fn expected(case: &Case) -> BTreeSet<&str> {
    case.findings.iter().map(|finding| finding.failure.as_str()).collect()
}

/// Failures from which each has to be told apart, whichever of the two says so.
fn neighbours(failures: &[Failure]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for failure in failures {
        for other in &failure.separates_from {
            all.entry(&failure.id).or_default().insert(other);
            all.entry(other).or_default().insert(&failure.id);
        }
    }
    all
}

/// True where the case is not this failure, though one might take it for it: it says so, or a neighbour is what it is.
fn is_near_miss(case: &Case, id: &str, neighbours: &BTreeSet<&str>) -> bool {
    let claims =
        |allowed: &Allowed| allowed.failure == id && allowed.severity_at_most.is_none_or(|most| most > Severity::Info);
    let found = expected(case);
    let claimed = found.contains(id) || case.allowed.iter().any(claims);
    let alike = case.near_miss_of.iter().any(|other| other == id) || !found.is_disjoint(neighbours);
    !claimed && alike
}

#[test]
fn every_failure_has_a_case_and_a_near_miss() {
    let text = std::fs::read_to_string(corpus().join("without-case.toml")).unwrap();
    let mut listed: BTreeMap<String, Vec<Exception>> = toml::from_str(&text).unwrap();
    let exceptions = listed.remove("failure").unwrap_or_default();
    assert!(listed.is_empty(), "only [[failure]] is known");
    for exception in &exceptions {
        assert!(exception.reason.len() > 20, "{}: say why", exception.failure);
    }
    let failures: Vec<Failure> =
        Knowledge::builtin().failures().iter().map(|failure| Failure::clone(failure)).collect();
    let (cases, neighbours) = (cases(), neighbours(&failures));
    let none = BTreeSet::new();
    let mut lacking = BTreeSet::new();
    for failure in failures.iter().filter(|failure| failure.role != FailureRole::Symptom) {
        let id = failure.id.as_str();
        let near = neighbours.get(id).unwrap_or(&none);
        if !cases.iter().any(|case| expected(case).contains(id)) {
            lacking.insert((id, "case"));
        }
        if !cases.iter().any(|case| is_near_miss(case, id, near)) {
            lacking.insert((id, "near-miss"));
        }
    }
    let listed: BTreeSet<(&str, &str)> =
        exceptions.iter().map(|exception| (exception.failure.as_str(), exception.lacks.as_str())).collect();
    assert_eq!(lacking, listed, "left: what has none; right: what without-case.toml says has none");
}

/// A symptom is listed under its cause: some case must show each, and none may expect it as a finding.
#[test]
fn symptoms_are_never_expected_as_causes() {
    let symptoms = Knowledge::builtin().failures().iter().filter(|failure| failure.role == FailureRole::Symptom);
    for symptom in symptoms {
        assert!(!symptom.when.is_empty(), "nothing shows {}, so it can be listed nowhere", symptom.id);
        assert!(cases().iter().all(|case| !expected(case).contains(symptom.id.as_str())), "{}", symptom.id);
    }
}
