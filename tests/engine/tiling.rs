//! Properties of framing: records, gaps and markers tile any file, and nothing found depends on how it is cut.

#![allow(clippy::unwrap_used)] // a test says by panicking what went wrong

use std::ops::Range;

use cmgtrail::formats::{Chunk, Filler, chunks_of_bytes};
use proptest::prelude::*;

/// What a piece of a file was taken for.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Record { bytes: Range<u64>, line: u32, text: String, local: Option<i64>, damaged: bool },
    Filler(Filler, Range<u64>),
}

impl Piece {
    fn range(&self) -> Range<u64> {
        match self {
            Self::Record { bytes, .. } => bytes.clone(),
            Self::Filler(_, range) => range.clone(),
        }
    }
}

/// The pieces of `bytes`, read in blocks of `size`; runs of filler that a block's end divides are joined.
fn pieces(bytes: &[u8], size: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    chunks_of_bytes(bytes, size, &mut |chunk: &Chunk| {
        let mut here: Vec<Piece> = chunk
            .records()
            .map(|record| Piece::Record {
                bytes: record.bytes.clone(),
                line: record.line,
                text: record.text.to_owned(),
                local: record.stamp.local,
                damaged: record.damaged,
            })
            .chain(chunk.fillers().map(|(filler, range)| Piece::Filler(filler, range)))
            .collect();
        here.sort_by_key(|piece| piece.range().start);
        pieces.extend(here);
    });
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), &piece) {
            (Some(Piece::Filler(last, before)), Piece::Filler(filler, range))
                if last == filler && before.end == range.start =>
            {
                before.end = range.end;
            }
            _ => joined.push(piece),
        }
    }
    joined
}

fn assert_tiles(pieces: &[Piece], length: usize) {
    let end = pieces.iter().fold(0, |end, piece| {
        assert_eq!(piece.range().start, end, "a hole or an overlap before {piece:?}");
        assert!(piece.range().end > end, "an empty piece: {piece:?}");
        piece.range().end
    });
    assert_eq!(end, length as u64);
}

/// Shapes that logs are made of, whole and broken.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let fixed = [
        "<![LOG[Hello]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" component=\"ccmsetup\" context=\"\" type=\"1\" thread=\"4\" file=\"a.cpp:1\">\r\n",
        "<![LOG[Two\r\nlines ]LOG]!> and ] < more]LOG]!><time=\"09:12:33.120+000\" date=\"11-04-2026\" component=\"c\" context=\"\" type=\"3\" thread=\"4\" file=\"\">\n",
        "Forwarding~~  $$<SMS_CLOUD_PROXYCONNECTOR><11-04-2026 09:12:33.120+00><thread=4992 (0x1380)>\r\n",
        "#Fields: date time cs-method sc-status\r\n",
        "#Software: Microsoft Internet Information Services 10.0\n",
        "2026-11-04 09:12:33 GET 403\r\n",
        "2026-11-04 09:12:33.120 [ERROR] Something\n",
        "   at A.B()\n",
        "Text\tCcmExec\t19/02/2019 13:49:35\t8548 (0x2164)\r\n",
        "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>\r\n",
        "<![LOG[",
        "]LOG]!>",
        "]LOG]!><time=\"",
        "\n",
        "\r\n",
        " ",
        "\u{feff}",
        "LOG",
        "\"",
        ">",
        "grüße",
        "plain text",
        "$$<C><",
        "<time=\"09:12:33.120-60\" date=\"11-04-2026\" component=\"",
    ];
    let fixed: Vec<Vec<u8>> = fixed.iter().map(|text| text.as_bytes().to_vec()).collect();
    prop_oneof![
        8 => prop::sample::select(fixed),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => Just(vec![0xFC, b'b', b'e', b'r']),
    ]
}

fn log() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(fragment(), 0..40).prop_map(|parts| parts.concat())
}

/// As many cases as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 20000, ..default } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pieces_tile_any_log(bytes in log(), size in 1_usize..400) {
        assert_tiles(&pieces(&bytes, size), bytes.len());
    }

    #[test]
    fn pieces_tile_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600), size in 1_usize..100) {
        assert_tiles(&pieces(&bytes, size), bytes.len());
    }

    #[test]
    fn nothing_depends_on_the_size_of_blocks(text in log().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()), size in 1_usize..400) {
        let bytes = text.as_bytes();
        prop_assert_eq!(pieces(bytes, size), pieces(bytes, bytes.len().max(1) + 1));
    }

    #[test]
    fn utf16_is_read_as_utf8_is(text in log().prop_map(|bytes| String::from_utf8_lossy(&bytes).replace('\u{feff}', "")), size in 1_usize..400) {
        let narrow = pieces(text.as_bytes(), size);
        let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let found = pieces(&wide, size * 2);
        assert_tiles(&found, wide.len());
        let texts = |pieces: &[Piece]| pieces.iter().filter_map(|piece| match piece {
            Piece::Record { text, line, .. } => Some((text.clone(), *line)),
            Piece::Filler(..) => None,
        }).collect::<Vec<_>>();
        prop_assert_eq!(texts(&found), texts(&narrow));
    }

    #[test]
    fn a_cut_costs_the_cut_record_alone(cut_at in 1_usize..150, keep_head: bool) {
        let whole = "<![LOG[Whole]LOG]!><time=\"09:12:34.000-60\" date=\"11-04-2026\" component=\"c\" context=\"\" type=\"1\" thread=\"4\" file=\"a.cpp:2\">\n";
        let victim = "<![LOG[The victim\nof two lines]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" component=\"ccmsetup\" context=\"\" type=\"1\" thread=\"4\" file=\"a.cpp:1\">\n";
        let cut_at = cut_at.min(victim.len() - 2);
        let part = if keep_head { victim.get(..cut_at) } else { victim.get(cut_at..) }.unwrap();
        let text = format!("{whole}{part}{whole}{whole}");
        let good = pieces(text.as_bytes(), 64).into_iter().filter(|piece| matches!(piece, Piece::Record { text, damaged: false, .. } if text == "Whole")).count();
        prop_assert_eq!(good, 3, "{}", text);
    }
}

#[test]
fn a_record_that_lost_its_trailer_ends_at_its_closer() {
    let good = "<![LOG[Hello]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" component=\"c\" context=\"\" type=\"1\" thread=\"4\" file=\"a.cpp:1\">\r\n";
    for lost in ["<![LOG[lost]LOG]!>", "<![LOG[lost]LOG]!><", "<![LOG[lost]LOG]!><time=\""] {
        // The next record's own trailer may be lost too.
        for between in ["", "<![LOG[lost]LOG]!><time=\""] {
            let text = format!("{lost}{between}{good}");
            for size in 1..text.len() + 2 {
                let texts: Vec<_> = pieces(text.as_bytes(), size)
                    .into_iter()
                    .filter_map(|piece| {
                        if let Piece::Record { text, damaged, .. } = piece { Some((text, damaged)) } else { None }
                    })
                    .collect();
                let mut expected = vec![("lost".to_owned(), true)];
                expected.extend((!between.is_empty()).then(|| ("lost".to_owned(), true)));
                expected.push(("Hello".to_owned(), false));
                assert_eq!(texts, expected, "{text} in blocks of {size}");
            }
        }
    }
}

#[test]
fn a_line_of_50_mb_is_read_in_linear_time() {
    // A record of one huge line, one of nothing but openers, one of closers that close nothing.
    let closed = "]LOG]!><time=\"09:12:33.120-60\" date=\"11-04-2026\" component=\"c\" context=\"\" type=\"1\" thread=\"4\" file=\"a.cpp:1\">\n";
    let huge = [b"<![LOG[".as_slice(), &vec![b'A'; 50 << 20], closed.as_bytes()].concat();
    let found = pieces(&huge, 1 << 20);
    assert_tiles(&found, huge.len());
    assert!(matches!(found.as_slice(), [Piece::Record { damaged: false, text, .. }] if text.len() == 50 << 20));
    for shape in [
        "<![LOG[",
        "]LOG]!>",
        "<![LOG[x]LOG]!>",
        "]LOG]!><time=\"",
        "<![LOG[\u{e9}",
        "a $$<",
        "<![LOG[x\nm $$<C><11-04-2026 09:12:33.120+00><thread=1 (0x1)>\ny ",
    ] {
        let line = shape.repeat((4 << 20) / shape.len());
        assert_tiles(&pieces(line.as_bytes(), 1 << 20), line.len());
    }
    let nothing = vec![b'A'; 50 << 20];
    assert_tiles(&pieces(&nothing, 1 << 20), nothing.len());
}
