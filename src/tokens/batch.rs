//! A column of tokens in, a table of verdicts out, on all cores.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow_array::builder::{BooleanBuilder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use rayon::prelude::*;

use super::compact::Compact;
use super::json::Json;
use super::ledger::{Decides, Ledger, Wording};
use super::redact::Gate;
use super::validity::Date;
use super::{Opened, Terms, TokenPolicy};
use crate::error::{Error, Result};
use crate::report::CheckStatus;
use crate::time::Micros;

/// Rows of one batch of the answer.
const ROWS: usize = 2_048;

/// Columns that hold a claim or a fact as text.
const TEXTS: [&str; 10] = [
    "kind",
    "version",
    "tenant_id",
    "device_id",
    "object_id",
    "issuer",
    "audience",
    "key_id",
    "algorithm",
    "explanation",
];

/// Columns that hold a time, with the claim that says it.
const TIMES: [(&str, &str); 3] = [("issued_at", "iat"), ("not_before", "nbf"), ("expires", "exp")];

/// Columns that hold ids of checks: those that failed and decide, and those that decide and were not made.
const LISTS: [&str; 2] = ["failed", "not_checked"];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let time = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let list = |name: &str| Field::new(name, DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true);
    let mut fields = vec![Field::new("valid", DataType::Boolean, true)];
    fields.extend(TEXTS.map(text));
    fields.extend(TIMES.map(|(name, _)| time(name)));
    fields.extend(LISTS.map(list));
    Arc::new(Schema::new(fields))
});

/// Schema of the batches that [`validate_tokens`] returns.
///
/// `valid` is null where nothing failed but something that decides was not checked; `kind`, identifiers, issuer,
/// audience, `key_id` and `algorithm` are text; `issued_at`, `not_before`, `expires` are UTC microseconds; `failed`
/// and `not_checked` list ids of checks that decide; `explanation` is the sentence of the first refusal.
pub fn verdict_schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Checks a column of tokens (Utf8, `LargeUtf8` or `Utf8View`) against one policy, on all cores.
///
/// The batches together have one row for each row of the column, in its order; a null stays a row of nulls. A token
/// that stands many times close together is verified once. `stop` is asked now and then, from any thread.
/// [`Error::Argument`] where the column holds no text, [`Error::Interrupted`] where `stop` said so.
///
/// ```
/// use arrow_array::StringArray;
/// use cmgtrail::tokens::{TokenPolicy, validate_tokens};
///
/// let column = StringArray::from(vec![Some("not a token"), None]);
/// let batches = validate_tokens(&column, &TokenPolicy::new(0), &|| false)?;
/// assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
/// # Ok::<(), cmgtrail::error::Error>(())
/// ```
pub fn validate_tokens(
    column: &dyn Array,
    policy: &TokenPolicy,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<RecordBatch>> {
    match column.data_type() {
        DataType::Utf8 => {
            let tokens = column.as_string::<i32>();
            in_batches(column.len(), policy, stop, |row| tokens.is_valid(row).then(|| tokens.value(row)))
        }
        DataType::LargeUtf8 => {
            let tokens = column.as_string::<i64>();
            in_batches(column.len(), policy, stop, |row| tokens.is_valid(row).then(|| tokens.value(row)))
        }
        DataType::Utf8View => {
            let tokens = column.as_string_view();
            in_batches(column.len(), policy, stop, |row| tokens.is_valid(row).then(|| tokens.value(row)))
        }
        other => Err(Error::Argument {
            argument: "tokens".to_owned(),
            expected: "a column of text (Utf8, LargeUtf8 or Utf8View)".to_owned(),
            found: other.to_string(),
        }),
    }
}

fn in_batches<'t>(
    rows: usize,
    policy: &TokenPolicy,
    stop: &(dyn Fn() -> bool + Sync),
    token: impl Fn(usize) -> Option<&'t str> + Sync,
) -> Result<Vec<RecordBatch>> {
    let starts: Vec<usize> = (0..rows).step_by(ROWS).collect();
    let batch = |start: usize| {
        if stop() {
            return Err(Error::Interrupted);
        }
        let end = rows.min(start + ROWS);
        let mut verdicts: Vec<Verdict> = Vec::with_capacity(end - start);
        let mut known: HashMap<Token<'t>, usize> = HashMap::with_capacity(end - start);
        let mut table = Table::new(end - start);
        for row in start..end {
            let verdict = token(row).and_then(|text| {
                let index = *known.entry(Token(text)).or_insert_with(|| {
                    verdicts.push(judge(text, policy));
                    verdicts.len() - 1
                });
                verdicts.get(index)
            });
            table.push(verdict);
        }
        table.finish()
    };
    starts.into_par_iter().map(batch).collect()
}

/// A token as key of a table. Its end, the signature, tells it from others, so only that, the length and a stretch of
/// the middle are hashed; equality looks at all of it. A table holds [`ROWS`] tokens at most, which bounds what texts
/// made alike on purpose can cost.
#[derive(PartialEq, Eq)]
struct Token<'t>(&'t str);

impl Hash for Token<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        const STRETCH: usize = 32;
        let bytes = self.0.as_bytes();
        let middle = bytes.len() / 2;
        bytes.len().hash(state);
        bytes.get(middle..bytes.len().min(middle + STRETCH)).hash(state);
        bytes.get(bytes.len().saturating_sub(STRETCH)..).hash(state);
    }
}

/// One row of the answer.
struct Verdict {
    valid: Option<bool>,
    texts: [Option<String>; TEXTS.len()],
    times: [Option<Micros>; TIMES.len()],
    failed: Vec<&'static str>,
    not_checked: Vec<&'static str>,
}

fn judge(text: &str, policy: &TokenPolicy) -> Verdict {
    let token = Compact::split(text);
    let opened = Opened::of(&token);
    let mut ledger = Ledger::new(Wording::FirstRefusal);
    opened.check(&Terms::of(policy), &mut ledger);

    let deciding = |status: CheckStatus| {
        let entries = ledger.entries().iter();
        entries.filter(|entry| entry.weight == Decides && entry.status == status).map(|entry| entry.kind.id).collect()
    };
    let (failed, not_checked) = (deciding(CheckStatus::Failed), deciding(CheckStatus::NotChecked));
    let valid = ledger.verdict();
    let explanation = ledger.first_refusal();
    let claims = opened.claims();
    let times = TIMES.map(|(_, claim)| claims.and_then(|claims| Date::read(claims, claim).known()));
    Verdict { valid, texts: texts(&opened, explanation.as_deref(), policy.mask), times, failed, not_checked }
}

/// The columns of [`TEXTS`], in their order, as they may be shown.
fn texts(opened: &Opened<'_>, explanation: Option<&str>, mask: bool) -> [Option<String>; TEXTS.len()] {
    let gate = Gate::new(opened.token.text, opened.claims(), mask);
    let shown = |text: &str| gate.text(text).into_owned();
    let claim = |name: &str| opened.claims().and_then(|claims| claims.text(name)).map(shown);
    let in_header = |name: &str| opened.header().and_then(|header| header.text(name)).map(shown);
    let key_id = in_header("kid").or_else(|| in_header("x5t"));
    [
        Some(opened.recognised.kind.as_str().to_owned()),
        opened.recognised.version.map(|version| version.claim().to_owned()),
        claim("tid"),
        claim("deviceid"),
        claim("oid"),
        claim("iss"),
        opened.claims().and_then(audience).map(|audience| shown(&audience)),
        key_id,
        in_header("alg"),
        explanation.map(shown),
    ]
}

fn audience(claims: &Json<'_>) -> Option<String> {
    match claims.get("aud")? {
        Json::Text(one) => Some(one.clone().into_owned()),
        Json::List(items) => Some(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

/// The columns while they are filled.
struct Table {
    valid: BooleanBuilder,
    texts: [StringBuilder; TEXTS.len()],
    times: [TimestampMicrosecondBuilder; TIMES.len()],
    lists: [ListBuilder<StringBuilder>; LISTS.len()],
}

impl Table {
    fn new(rows: usize) -> Self {
        // Most texts are GUIDs; a longer column grows.
        const TYPICAL: usize = 36;
        Self {
            valid: BooleanBuilder::with_capacity(rows),
            texts: std::array::from_fn(|_| StringBuilder::with_capacity(rows, rows * TYPICAL)),
            times: std::array::from_fn(|_| TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC")),
            lists: std::array::from_fn(|_| ListBuilder::new(StringBuilder::new())),
        }
    }

    fn push(&mut self, verdict: Option<&Verdict>) {
        self.valid.append_option(verdict.and_then(|verdict| verdict.valid));
        for (index, column) in self.texts.iter_mut().enumerate() {
            column.append_option(verdict.and_then(|verdict| verdict.texts.get(index)?.as_deref()));
        }
        for (index, column) in self.times.iter_mut().enumerate() {
            column.append_option(verdict.and_then(|verdict| *verdict.times.get(index)?));
        }
        let lists = verdict.map(|verdict| [&verdict.failed, &verdict.not_checked]);
        for (index, column) in self.lists.iter_mut().enumerate() {
            for id in lists.and_then(|lists| lists.get(index).copied()).into_iter().flatten() {
                column.values().append_value(id);
            }
            column.append(verdict.is_some());
        }
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.valid.finish())];
        columns.extend(self.texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(self.times.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(self.lists.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        RecordBatch::try_new(verdict_schema(), columns).map_err(|error| Error::Argument {
            argument: "tokens".to_owned(),
            expected: "columns of the verdict schema".to_owned(),
            found: error.to_string(),
        })
    }
}
