//! A column of tokens gets the verdicts that the single tokens get.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray};
use cmgtrail::error::Error;
use cmgtrail::report::CheckStatus;
use cmgtrail::tokens::{validate_token, validate_tokens, verdict_schema};
use serde_json::json;

use super::mint::{self, AT, DEVICE, KID, device_token, headed_token};

fn mixed() -> Vec<Option<String>> {
    let mut tokens = vec![
        Some(device_token(json!({}))),
        Some(device_token(json!({"exp": AT - 4_000, "aud": "urn:other"}))),
        None,
        Some(headed_token(json!({"kid": "another", "x5t": null}))),
        Some("junk".to_owned()),
        Some(String::new()),
    ];
    tokens.extend((0..2_500).map(|_| Some("a.b.c".to_owned())));
    tokens.push(Some(device_token(json!({}))));
    tokens
}

fn ids(batch: &RecordBatch, column: &str, row: usize) -> Vec<String> {
    let list = batch.column_by_name(column).unwrap().as_list::<i32>().value(row);
    list.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

#[test]
fn every_row_has_the_verdict_of_its_token() {
    let policy = mint::policy();
    let tokens = mixed();
    let batches = validate_tokens(&StringArray::from(tokens.clone()), &policy, &|| false).unwrap();
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let mut count = 0;
    for ((batch, row), token) in rows.zip(&tokens) {
        count += 1;
        let valid = batch.column_by_name("valid").unwrap().as_boolean();
        let valid = valid.is_valid(row).then(|| valid.value(row));
        let Some(token) = token else {
            assert!(batch.columns().iter().all(|column| column.is_null(row)));
            continue;
        };
        let report = validate_token(token, &policy);
        assert_eq!(valid, report.valid, "{token}");
        let with = |status| report.checks.iter().filter(move |check| check.decides && check.status == status);
        let expected: Vec<String> = with(CheckStatus::Failed).map(|check| check.id.clone()).collect();
        assert_eq!(ids(batch, "failed", row), expected);
        let expected: Vec<String> = with(CheckStatus::NotChecked).map(|check| check.id.clone()).collect();
        assert_eq!(ids(batch, "not_checked", row), expected);
        let explanation = batch.column_by_name("explanation").unwrap().as_string::<i32>();
        let explanation = explanation.is_valid(row).then(|| explanation.value(row).to_owned());
        assert_eq!(explanation, report.fatal().next().map(|check| check.explanation.clone()));
    }
    assert_eq!(count, tokens.len());
    let first = &batches[0];
    assert_eq!(first.column_by_name("device_id").unwrap().as_string::<i32>().value(0), DEVICE);
    assert_eq!(first.column_by_name("key_id").unwrap().as_string::<i32>().value(0), KID);
    let expires = first.column_by_name("expires").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(expires.value(0), (AT + 3_000) * 1_000_000);
}

#[test]
fn all_three_kinds_of_text_columns_are_read_and_others_are_told() {
    let policy = mint::policy();
    let tokens = mixed();
    let columns: [ArrayRef; 3] = [
        Arc::new(StringArray::from(tokens.clone())),
        Arc::new(LargeStringArray::from(tokens.clone())),
        Arc::new(StringViewArray::from(tokens)),
    ];
    let answers = columns.map(|column| validate_tokens(&column, &policy, &|| false).unwrap());
    assert!(answers[0] == answers[1] && answers[1] == answers[2]);
    assert!(answers[0].iter().all(|batch| batch.schema() == verdict_schema()));
    let error = validate_tokens(&Int64Array::from(vec![1]), &policy, &|| false).unwrap_err();
    assert!(error.to_string().contains("expected a column of text") && error.to_string().contains("Int64"), "{error}");
}

#[test]
fn an_empty_column_gives_no_rows_and_a_stop_is_heard() {
    let policy = mint::policy();
    let none: [&str; 0] = [];
    assert!(validate_tokens(&StringArray::from(none.to_vec()), &policy, &|| false).unwrap().is_empty());
    let stopped = validate_tokens(&StringArray::from(vec!["x"]), &policy, &|| true);
    assert!(matches!(stopped, Err(Error::Interrupted)));
}
