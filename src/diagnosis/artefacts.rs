//! What artefacts have to say of a case.

use super::case::Case;
use crate::artefacts::{Judged, sentence};
use crate::finding::Evidence;
use crate::knowledge::{ArtefactShape, ArtefactStatus, Condition, When};
use crate::report::{Check, CheckStatus};
use crate::stage::Stage;
use crate::tokens::{failures_of, without_tokens};

/// What one check of an artefact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The artefact and the check's words, as a sentence.
    pub sentence: String,
    /// The artefact as a line of evidence.
    pub evidence: Evidence,
}

/// The checks that show that the condition holds; `None` where it does not.
pub fn holds(shape: &ArtefactShape, case: &Case<'_>) -> Option<Vec<Told>> {
    let told: Vec<Told> = case
        .judged()
        .iter()
        .filter(|judged| judged.report.kind == shape.kind)
        .filter_map(|judged| Some((judged, telling(shape, judged)?)))
        .map(|(judged, check)| told(judged, check))
        .collect();
    (!told.is_empty()).then_some(told)
}

/// The check of a report that shows that the condition holds.
fn telling<'r>(shape: &ArtefactShape, judged: &'r Judged) -> Option<&'r Check> {
    if let Some(failure) = &shape.explains {
        return failures_of(&judged.report).into_iter().find(|(id, _)| id == failure).map(|(_, check)| check);
    }
    let of_shape = || judged.report.checks.iter().filter(|check| shape.check.contains(&check.id));
    let with = |status| of_shape().find(|check| check.status == status);
    match shape.status {
        ArtefactStatus::Failed => with(CheckStatus::Failed),
        ArtefactStatus::Passed => {
            with(CheckStatus::Passed).filter(|_| of_shape().all(|check| check.status == CheckStatus::Passed))
        }
    }
}

fn told(judged: &Judged, check: &Check) -> Told {
    let sentence = sentence(&judged.path, check);
    let evidence = Evidence {
        source: std::sync::Arc::clone(&judged.path),
        line: line(judged, check),
        // A verdict, not a line that stands in the file: it says so wherever evidence is shown.
        text: format!("Verdict on {}: {}", check.subject, without_tokens(&check.explanation)),
    };
    Told { sentence, evidence }
}

/// The line of the output of `dsregcmd` that a check is about; the first where a file has no lines that tell.
fn line(judged: &Judged, check: &Check) -> u32 {
    const FIELDS: [(&str, &str); 6] = [
        ("device-joined", "AzureAdJoined"),
        ("device-authentication", "DeviceAuthStatus"),
        ("device-certificate-validity", "DeviceCertificateValidity"),
        ("device-key-in-tpm", "TpmProtected"),
        ("device-id-", "DeviceId"),
        ("tenant-id-", "TenantId"),
    ];
    let field = FIELDS.iter().find(|(id, _)| check.id.starts_with(id)).map(|(_, field)| *field);
    let fields = judged.report.facts.get("fields").and_then(serde_json::Value::as_array);
    let found = fields.into_iter().flatten().find(|known| known["name"].as_str() == field);
    found.and_then(|field| u32::try_from(field["line"].as_u64()?).ok()).unwrap_or(1)
}

/// What artefacts say for a rule that holds: all that it requires, and what supports it.
pub fn told_by(when: &When, case: &Case<'_>) -> Vec<Told> {
    let shapes = when.requires.iter().chain(&when.supports).filter_map(|condition| match condition {
        Condition::Artefact(shape) => Some(shape),
        _ => None,
    });
    let mut all: Vec<Told> = Vec::new();
    for told in shapes.filter_map(|shape| holds(shape, case)).flatten() {
        if !all.contains(&told) {
            all.push(told);
        }
    }
    all
}

/// Sentences on artefacts that contradict each other about who the device is, for a failure of a stage that rests on
/// it.
pub fn contradictions(stage: Option<Stage>, case: &Case<'_>) -> Vec<String> {
    use Stage::{AadInfo, AadToken, CmgReceive, MpValidate, Registration, WpjCertificate};
    let rests = stage.is_some_and(|stage| {
        [AadInfo, WpjCertificate, AadToken, CmgReceive, MpValidate, Registration].contains(&stage)
    });
    if !rests || case.flow.is_none() {
        return Vec::new();
    }
    let mut told = Vec::new();
    for judged in case.judged().iter().filter(|judged| judged.report.kind == "dsregcmd") {
        let failed = judged.report.checks.iter().filter(|check| check.status == CheckStatus::Failed);
        let contradicts = failed.filter(|check| check.id.contains("-matches-"));
        told.extend(contradicts.map(|check| sentence(&judged.path, check)));
    }
    told
}
