//! Stages as Arrow columns: one row a client, phase and stage.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::{ClientPreflight, Comparison, Preflight};
use crate::workflow::{Cause, Phase, Predicted};

type Row<'a> = (&'a ClientPreflight, Phase, &'a Predicted, Option<&'a Comparison>);

/// The columns: client, phase, stage, status, why, failures, warnings, unknown (lists), observed, agreement,
/// difference.
pub fn stages_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let list = |name: &str| Field::new(name, DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), false);
    Arc::new(Schema::new(vec![
        text("client", false),
        text("phase", false),
        text("stage", false),
        text("status", false),
        text("why", false),
        list("failures"),
        list("warnings"),
        list("unknown"),
        text("observed", true),
        text("agreement", true),
        text("difference", true),
    ]))
}

/// All stages of all clients, as rows.
///
/// # Errors
/// None that a caller could cause; the type is Arrow's.
pub fn stages(preflight: &Preflight) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<Row<'_>> = preflight.clients.iter().flat_map(rows_of).collect();
    let text = |of: &dyn Fn(&Row<'_>) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>())
    };
    let maybe = |of: &dyn Fn(&Comparison) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row.3.and_then(of)).collect::<StringArray>())
    };
    let list = |of: &dyn Fn(&Predicted) -> Vec<String>| -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in &rows {
            builder.append_value(of(row.2).into_iter().map(Some));
        }
        Arc::new(builder.finish())
    };
    let ids = |causes: &[Cause]| causes.iter().map(|cause| cause.failure.to_owned()).collect();
    let columns = vec![
        text(&|row| row.0.client.clone()),
        text(&|row| row.1.id().to_owned()),
        text(&|row| row.2.stage.id().to_owned()),
        text(&|row| row.2.status.id().to_owned()),
        text(&|row| row.2.why.clone()),
        list(&|predicted| ids(&predicted.causes)),
        list(&|predicted| ids(&predicted.warnings)),
        list(&|predicted| predicted.unknown.clone()),
        maybe(&|compared| compared.observed.map(|status| status.id().to_owned())),
        maybe(&|compared| Some(compared.agreement.id().to_owned())),
        maybe(&|compared| compared.explanation.clone()),
    ];
    RecordBatch::try_new(stages_schema(), columns)
}

fn rows_of(client: &ClientPreflight) -> impl Iterator<Item = Row<'_>> {
    client.phases.iter().flat_map(move |prediction| {
        prediction.stages.iter().map(move |predicted| {
            let own = |row: &&Comparison| row.phase == prediction.phase && row.stage == predicted.stage;
            (client, prediction.phase, predicted, client.compared.iter().find(own))
        })
    })
}
