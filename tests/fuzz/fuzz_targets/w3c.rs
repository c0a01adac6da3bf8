//! Any fields over any row: what a row says is a part of its text.
#![no_main]

use cmgtrail::record::{W3cFields, W3cRow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (header, text, name) = input;
    let Some(fields) = W3cFields::parse(&format!("#Fields: {header}")) else { return };
    let row = W3cRow::new(&fields, text);
    assert_eq!(row.range(name).and_then(|range| text.get(range)), row.get(name));
});
