//! Checks as Arrow columns.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::Check;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let names = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    Arc::new(Schema::new(vec![
        text("id", false),
        text("status", false),
        Field::new("decides", DataType::Boolean, false),
        text("subject", false),
        text("expected", true),
        text("found", true),
        text("explanation", false),
        text("reference", true),
        Field::new("hresults", names, false),
        Field::new("trust_status", DataType::UInt32, true),
        Field::new("winhttp_flags", DataType::UInt32, true),
    ]))
});

/// Schema of the batches that [`batch_of`] returns: the fields of a check under their names; of what Windows says the
/// names of HRESULTs (a list), and the two masks, null where Windows has nothing to say.
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Checks as rows, in their order.
///
/// ```
/// use cmgtrail::report::{Check, CheckStatus, columns};
///
/// let check = Check::new("expiry", CheckStatus::Failed, "claim exp", "It ended an hour ago.");
/// let batch = columns::batch_of(&[check])?;
/// assert_eq!((batch.num_rows(), batch.schema()), (1, columns::schema()));
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
pub fn batch_of(checks: &[Check]) -> Result<RecordBatch, ArrowError> {
    let text =
        |of: fn(&Check) -> Option<&str>| -> ArrayRef { Arc::new(checks.iter().map(of).collect::<StringArray>()) };
    let mask = |of: fn(&super::WindowsNames) -> u32| -> ArrayRef {
        Arc::new(checks.iter().map(|check| check.windows.as_ref().map(of)).collect::<UInt32Array>())
    };
    let mut hresults = ListBuilder::new(StringBuilder::new());
    for check in checks {
        for name in check.windows.iter().flat_map(|windows| &windows.hresults) {
            hresults.values().append_value(name);
        }
        hresults.append(true);
    }
    let decides: BooleanArray = checks.iter().map(|check| Some(check.decides)).collect();
    let columns = vec![
        text(|check| Some(&check.id)),
        text(|check| Some(check.status.as_str())),
        Arc::new(decides),
        text(|check| Some(&check.subject)),
        text(|check| check.expected.as_deref()),
        text(|check| check.found.as_deref()),
        text(|check| Some(&check.explanation)),
        text(|check| check.reference.as_deref()),
        Arc::new(hresults.finish()),
        mask(|windows| windows.trust_status),
        mask(|windows| windows.winhttp_flags),
    ];
    RecordBatch::try_new(schema(), columns)
}
