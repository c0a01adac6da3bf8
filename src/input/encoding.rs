//! Encodings: a byte order mark, UTF-16 seen by its zero bytes, strict UTF-8, else Windows-1252; or as told.
//!
//! Decoded text keeps the way back: any offset in it can be turned into an offset of the file's own bytes.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How a file's bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextEncoding {
    /// UTF-8; a line that is none is Windows-1252.
    Utf8,
    /// Anything else.
    Other(&'static Encoding),
}

/// Finds the encoding by the first bytes of a file. `told` is the user's word for files without a byte order mark.
pub(crate) fn detect(head: &[u8], told: Option<&'static Encoding>) -> TextEncoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return of(encoding);
    }
    told.or_else(|| without_mark(head)).map_or(TextEncoding::Utf8, of)
}

fn of(encoding: &'static Encoding) -> TextEncoding {
    if encoding == UTF_8 { TextEncoding::Utf8 } else { TextEncoding::Other(encoding) }
}

/// Latin text in UTF-16 has a zero in every other byte, always on the same side.
fn without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.chunks_exact(2).count();
    let zeros = |side: usize| head.chunks_exact(2).filter(|pair| pair.get(side) == Some(&0)).count();
    let (even, odd) = (zeros(0), zeros(1));
    let (most, few) = (pairs * 2 / 5, pairs / 20);
    match pairs {
        0..4 => None,
        _ if odd > most && even <= few => Some(UTF_16LE),
        _ if even > most && odd <= few => Some(UTF_16BE),
        _ => None,
    }
}

/// Decoded bytes.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub text: String,
    map: Option<Map>,
}

/// The way back from text to bytes, where they differ.
#[derive(Debug)]
struct Map {
    raw: Vec<u8>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    text: usize,
    raw: usize,
    encoding: &'static Encoding,
}

/// Segments are short, so that finding an offset inside one is cheap even in a line without an end.
const SEGMENT: usize = 4096;

impl Decoded {
    /// Decodes `raw`. Never fails: what an encoding does not know becomes U+FFFD.
    pub(crate) fn new(raw: Vec<u8>, encoding: TextEncoding) -> Self {
        match encoding {
            TextEncoding::Utf8 => match String::from_utf8(raw) {
                Ok(text) => Self { text, map: None },
                Err(error) => Self::by_lines(error.into_bytes()),
            },
            TextEncoding::Other(encoding) => Self::in_segments(raw, encoding),
        }
    }

    fn by_lines(raw: Vec<u8>) -> Self {
        let mut text = String::with_capacity(raw.len() + raw.len() / 16);
        let mut segments = Vec::new();
        let mut at = 0;
        for line in raw.split_inclusive(|byte| *byte == b'\n') {
            if let Ok(line) = std::str::from_utf8(line) {
                segments.push(Segment { text: text.len(), raw: at, encoding: UTF_8 });
                text.push_str(line);
                at += line.len();
                continue;
            }
            for part in line.chunks(SEGMENT) {
                segments.push(Segment { text: text.len(), raw: at, encoding: WINDOWS_1252 });
                text.push_str(&WINDOWS_1252.decode_without_bom_handling(part).0);
                at += part.len();
            }
        }
        Self { text, map: Some(Map { raw, segments }) }
    }

    fn in_segments(raw: Vec<u8>, encoding: &'static Encoding) -> Self {
        let mut text = String::with_capacity(raw.len());
        let mut segments = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let end = segment_end(&raw, at, encoding);
            segments.push(Segment { text: text.len(), raw: at, encoding });
            text.push_str(&encoding.decode_without_bom_handling(raw.get(at..end).unwrap_or_default()).0);
            at = end;
        }
        Self { text, map: Some(Map { raw, segments }) }
    }

    /// The offset in the decoded bytes of an offset in the text.
    pub(crate) fn raw_offset(&self, at: usize) -> usize {
        let Some(map) = &self.map else { return at };
        if at >= self.text.len() {
            return map.raw.len();
        }
        let index = map.segments.partition_point(|segment| segment.text <= at).saturating_sub(1);
        let Some(segment) = map.segments.get(index) else { return at };
        let end = map.segments.get(index + 1).map_or(map.raw.len(), |next| next.raw);
        let bytes = map.raw.get(segment.raw..end).unwrap_or_default();
        segment.raw + length_in(bytes, segment.encoding, at - segment.text)
    }
}

/// Where a segment that starts at `at` may end: never inside a character.
fn segment_end(raw: &[u8], at: usize, encoding: &'static Encoding) -> usize {
    let limit = raw.len().min(at + SEGMENT);
    if limit == raw.len() || encoding.is_single_byte() {
        return limit;
    }
    if encoding == UTF_16LE || encoding == UTF_16BE {
        let high = raw.get(if encoding == UTF_16LE { limit - 1 } else { limit - 2 }).copied().unwrap_or(0);
        // The first half of a pair stays with the second.
        return if (0xD8..0xDC).contains(&high) { limit - 2 } else { limit };
    }
    // Bytes below `0` are no part of a longer character in any of the legacy encodings.
    let rest = raw.get(at + 1..).unwrap_or_default();
    let enough = limit - at - 1;
    rest.iter()
        .skip(enough)
        .position(|byte| *byte < b'0' && *byte != 0x1B)
        .map_or(raw.len(), |more| at + 2 + enough + more)
}

/// How many of `bytes` make up `wanted` bytes of text.
fn length_in(bytes: &[u8], encoding: &'static Encoding, wanted: usize) -> usize {
    if encoding == UTF_8 {
        return wanted;
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut out = [0_u8; 16];
    let mut written = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if written >= wanted {
            return index;
        }
        written += decoder.decode_to_utf8(&[*byte], &mut out, false).2;
    }
    bytes.len()
}
