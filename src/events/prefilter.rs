//! The search for literal text that must stand in a record for any message to match it.
//!
//! A literal is known by a window of six letters in its longest word. Of any six bytes in a row, four in a row begin at
//! a multiple of three, so it is enough to look at every third byte, at the four that begin there: most are of no
//! window, which a bitmap of 8 KiB tells. Where they are, the whole literal is compared around them, with blanks of any
//! kind and number where it has one. So there is no miss, and a false alarm only where a literal stands by chance.

use crate::knowledge::{Literal, SHORTEST_WORD, is_blank};

const GRAM: usize = 4;
const STRIDE: usize = SHORTEST_WORD + 1 - GRAM;

/// Finds literals in bytes, whatever the case of their letters.
#[derive(Debug, Clone)]
pub(super) struct Prefilter {
    literals: Vec<Literal>,
    /// One bit for each hash of a gram of a window: small enough to stay in the first cache.
    bitmap: Vec<u64>,
    /// For each hash the number of its bucket; the first bucket is empty.
    bucket_of: Vec<u16>,
    buckets: Vec<Vec<Candidate>>,
}

/// A gram of a literal's window.
#[derive(Debug, Clone)]
struct Candidate {
    gram: u32,
    literal: usize,
    /// How far before the gram the literal's longest word begins.
    offset: usize,
}

impl Prefilter {
    pub fn new(mut literals: Vec<Literal>) -> Self {
        literals.sort();
        literals.dedup();
        let (bitmap, bucket_of) = (vec![0; 1 << 10], vec![0; 1 << 16]);
        let mut prefilter = Self { literals: Vec::new(), bitmap, bucket_of, buckets: vec![Vec::new()] };
        for (literal, text) in literals.iter().enumerate() {
            let word = word(text).as_bytes();
            let window = rarest_window(word);
            for offset in window..window + STRIDE {
                if let Some(gram) = gram_at(word, offset) {
                    prefilter.add(Candidate { gram, literal, offset });
                }
            }
        }
        prefilter.literals = literals;
        prefilter
    }

    fn add(&mut self, candidate: Candidate) {
        let hash = hash_of(candidate.gram);
        let (Some(cell), Some(bucket)) = (self.bitmap.get_mut(hash >> 6), self.bucket_of.get_mut(hash)) else {
            return;
        };
        *cell |= 1 << (hash & 63);
        if *bucket == 0 {
            // Grams of a few thousand literals never fill 16 bits; were they to, the empty bucket would be shared.
            *bucket = u16::try_from(self.buckets.len()).unwrap_or_default();
            self.buckets.push(Vec::new());
        }
        if let Some(bucket) = self.buckets.get_mut(usize::from(*bucket)) {
            bucket.push(candidate);
        }
    }

    /// The index of a literal, as [`Self::find`] gives it.
    pub fn index(&self, literal: &Literal) -> Option<usize> {
        self.literals.binary_search(literal).ok()
    }

    /// Every place of every literal: the byte at which its longest word begins, and its index. Places of different
    /// words of one record may come in any order, those of different records come in the records' order.
    pub fn find<'h>(&'h self, bytes: &'h [u8]) -> impl Iterator<Item = (usize, usize)> + 'h {
        let mut next = 0;
        let grams = std::iter::from_fn(move || {
            while let Some(gram) = gram_at(bytes, next) {
                let at = next;
                next += STRIDE;
                let hash = hash_of(gram);
                if self.bitmap.get(hash >> 6).is_some_and(|cell| cell >> (hash & 63) & 1 == 1) {
                    return Some((at, gram, hash));
                }
            }
            None
        });
        grams.flat_map(move |(at, gram, hash)| {
            self.bucket(hash).iter().filter(move |candidate| candidate.gram == gram).filter_map(move |candidate| {
                let start = at.checked_sub(candidate.offset)?;
                stands_at(self.literals.get(candidate.literal)?, bytes, start).then_some((start, candidate.literal))
            })
        })
    }

    fn bucket(&self, hash: usize) -> &[Candidate] {
        let bucket = self.bucket_of.get(hash).and_then(|bucket| self.buckets.get(usize::from(*bucket)));
        bucket.map_or(&[], Vec::as_slice)
    }
}

/// Four bytes in a row, letters in one case. Other bytes may fall together; the comparison that follows parts them.
#[inline]
fn gram_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let gram = bytes.get(offset..)?.first_chunk::<GRAM>()?;
    Some(u32::from_le_bytes(*gram) | 0x2020_2020)
}

/// A multiplicative hash of 16 bits.
#[inline]
fn hash_of(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

/// Start of the six letters that ordinary log text holds least often.
fn rarest_window(word: &[u8]) -> usize {
    let windows = word.windows(SHORTEST_WORD).enumerate();
    let rarest = windows.min_by_key(|(_, window)| window.iter().map(|letter| commonness(*letter)).sum::<usize>());
    rarest.map_or(0, |(start, _)| start)
}

/// How common a letter is in logs: the later in this list, the more so.
fn commonness(letter: u8) -> usize {
    b"zqxjkvbpygfw[(<:_mucldrhsnioate0".iter().position(|known| *known == letter.to_ascii_lowercase()).unwrap_or(32)
}

fn word(literal: &Literal) -> &str {
    literal.text.get(literal.word.0..literal.word.1).unwrap_or_default()
}

/// True where the whole literal stands around its longest word, which begins at `start`.
fn stands_at(literal: &Literal, bytes: &[u8], start: usize) -> bool {
    let text = literal.text.as_bytes();
    let parts = (text.get(..literal.word.0), text.get(literal.word.0..), bytes.get(..start), bytes.get(start..));
    let (Some(before), Some(from_word), Some(bytes_before), Some(bytes_from)) = parts else {
        return false;
    };
    follows(from_word.iter().copied(), bytes_from.iter().copied())
        && follows(before.iter().rev().copied(), bytes_before.iter().rev().copied())
}

/// True where `bytes` begin with `literal`; a blank in it stands for one blank or more.
fn follows(literal: impl Iterator<Item = u8>, bytes: impl Iterator<Item = u8>) -> bool {
    let mut bytes = bytes.peekable();
    for wanted in literal {
        let Some(found) = bytes.next() else {
            return false;
        };
        if wanted == b' ' {
            if !is_blank(found) {
                return false;
            }
            while bytes.next_if(|byte| is_blank(*byte)).is_some() {}
        } else if !found.eq_ignore_ascii_case(&wanted) {
            return false;
        }
    }
    true
}
