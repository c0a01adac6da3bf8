//! Any bytes, in blocks of any size: records, gaps and markers tile them.
#![no_main]

use cmgtrail::formats::chunks_of_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (size, bytes) = input;
    let mut end = 0;
    chunks_of_bytes(bytes, usize::from(size) + 1, &mut |chunk| {
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
});
