//! The tables: what stands in which column, and that every table can be had of every trail.

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, UInt32Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use cmgtrail::engine::Trail;
use cmgtrail::tables::{Row, Table};

use crate::sample_trail::{HOSTILE, LOG, STARTED, empty, trail};

fn whole(table: Table, trail: &Trail) -> RecordBatch {
    table.batch(trail, &table.rows(trail)).unwrap()
}

fn words<'a>(batch: &'a RecordBatch, column: &str) -> Vec<Option<&'a str>> {
    batch.column_by_name(column).unwrap().as_string::<i64>().iter().collect()
}

fn lists(batch: &RecordBatch, column: &str) -> Vec<Vec<String>> {
    let lists = batch.column_by_name(column).unwrap().as_list::<i32>();
    let words = |list: std::sync::Arc<dyn Array>| list.as_string::<i64>().iter().flatten().map(str::to_owned).collect();
    lists.iter().flatten().map(words).collect()
}

#[test]
fn every_table_has_the_same_columns_with_and_without_rows() {
    for table in Table::ALL {
        let full = whole(table, &trail());
        assert!(full.num_rows() > 0, "{} has no rows in the sample", table.name());
        assert_eq!(full.schema(), table.schema(&empty()).unwrap(), "{}", table.name());
        assert_eq!(whole(table, &empty()).num_rows(), 0);
    }
}

#[test]
fn every_table_but_the_findings_own_columns_carries_flow_ids() {
    for table in Table::ALL {
        let schema = table.schema(&empty()).unwrap();
        let keyed = schema.fields().iter().any(|field| field.name() == "flow_id" || field.name() == "flow_ids");
        assert!(keyed, "{} cannot be joined to the flows", table.name());
    }
}

#[test]
fn flows_name_their_failures_and_leave_unknown_values_null() {
    let flows = whole(Table::Flows, &trail());
    assert_eq!(words(&flows, "flow_id"), [Some("f-1"), Some("f-2")]);
    assert_eq!(words(&flows, "kind"), [Some("install"), Some("install")]);
    assert_eq!(words(&flows, "host"), [Some("PC042"), None]);
    assert_eq!(words(&flows, "outcome"), [Some("failed"), Some("completed")]);
    assert_eq!(words(&flows, "broke_at"), [Some("cmg-connection"), None]);
    assert_eq!(lists(&flows, "failures"), [vec!["cmg-root-ca-missing".to_owned()], vec![]]);
}

#[test]
fn times_are_utc_microseconds() {
    let flows = whole(Table::Flows, &trail());
    let started = flows.column_by_name("started").unwrap();
    assert_eq!(started.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    assert_eq!(started.as_primitive::<TimestampMicrosecondType>().value(0), STARTED);
    assert!(flows.column_by_name("ended").unwrap().is_null(0));
}

#[test]
fn a_line_of_evidence_knows_the_flow_it_belongs_to() {
    let evidence = whole(Table::Evidence, &trail());
    assert_eq!(words(&evidence, "flow_id"), [Some("f-1")]);
    assert_eq!(words(&evidence, "text"), [Some(HOSTILE)]);
    // Line 17 is in no flow of the finding once the finding names another flow.
    let mut other = trail();
    other.findings[0].flows = vec!["f-2".to_owned()];
    assert_eq!(words(&whole(Table::Evidence, &other), "flow_id"), [None]);
}

#[test]
fn stages_point_at_the_line_that_decided() {
    let stages = whole(Table::Stages, &trail());
    let at = words(&stages, "stage").iter().position(|stage| *stage == Some("cmg-connection")).unwrap();
    assert_eq!(words(&stages, "status")[at], Some("failed"));
    assert_eq!(words(&stages, "source")[at], Some(LOG));
    assert_eq!(stages.column_by_name("line").unwrap().as_primitive::<UInt32Type>().value(at), 17);
    assert_eq!(words(&stages, "source")[0], None);
}

#[test]
fn sources_list_the_flows_that_were_read_from_them() {
    assert_eq!(lists(&whole(Table::Sources, &trail()), "flow_ids"), [vec!["f-1".to_owned(), "f-2".to_owned()]]);
}

#[test]
fn a_table_can_be_had_in_part() {
    let trail = trail();
    let rows: Vec<Row> = Table::Events.rows_of(&trail, 1).collect();
    assert_eq!(words(&Table::Events.batch(&trail, &rows).unwrap(), "flow_id"), [Some("f-2"), Some("f-2")]);
    let beyond = [Row { parent: 7, child: 0 }];
    assert_eq!(Table::Events.batch(&trail, &beyond).unwrap().num_rows(), 0);
}
