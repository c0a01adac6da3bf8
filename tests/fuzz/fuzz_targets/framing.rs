//! Any bytes, in blocks of any size: records, gaps and markers tile them, and the records of a text are the same in
//! blocks of any size.
#![no_main]

use std::ops::Range;

use cmgtrail::formats::chunks_of_bytes;
use libfuzzer_sys::fuzz_target;

/// A record's bytes, first line and text.
type Seen = (Range<u64>, u32, String);

/// The records of `bytes`, read in blocks of `size`.
fn records(bytes: &[u8], size: usize) -> Vec<Seen> {
    let (mut end, mut seen) = (0, Vec::new());
    chunks_of_bytes(bytes, size, &mut |chunk| {
        seen.extend(chunk.records().map(|record| (record.bytes, record.line, record.text.to_owned())));
        let records = chunk.records().map(|record| record.bytes);
        let mut pieces: Vec<_> = records.chain(chunk.fillers().map(|(_, range)| range)).collect();
        pieces.sort_by_key(|piece| piece.start);
        for piece in pieces {
            assert_eq!(piece.start, end);
            assert!(piece.end > end);
            end = piece.end;
        }
    });
    assert_eq!(end, bytes.len() as u64);
    seen
}

fuzz_target!(|input: (u16, &[u8])| {
    let (size, bytes) = input;
    let cut = records(bytes, usize::from(size) + 1);
    if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0) {
        assert_eq!(cut, records(bytes, bytes.len() + 1));
    }
});
