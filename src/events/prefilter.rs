//! The search for literal text that must stand in a record for any message to match it.
//!
//! A literal is known by a window of six letters in its searched word. Of any six bytes in a row, four in a row begin at
//! a multiple of three, so it is enough to look at every third byte, at the four that begin there: most are of no
//! window, which a bitmap of 16 KiB tells. Where they are, the whole literal is compared around them, with blanks of any
//! kind and number where it has one. So there is no miss, and a false alarm only where a literal stands by chance.

use crate::knowledge::{Literal, SHORTEST_WORD, commonness, is_blank};

const GRAM: usize = 4;
const STRIDE: usize = SHORTEST_WORD + 1 - GRAM;

/// Bits of the hash of a gram: the bitmap of them stays in the first cache.
const HASH_BITS: u32 = 17;

/// Finds literals in bytes, whatever the case of their letters.
#[derive(Debug, Clone)]
pub(super) struct Prefilter {
    literals: Vec<Literal>,
    /// One bit for each hash of a gram of a window.
    bitmap: Vec<u64>,
    /// For each cell of the bitmap the bits set before it.
    ranks: Vec<usize>,
    /// For each bit set, in order, the first candidate with its hash.
    firsts: Vec<usize>,
    /// The grams of all windows, by hash.
    candidates: Vec<Candidate>,
}

/// A gram of a literal's window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    hash: u32,
    gram: u32,
    literal: usize,
    /// How far before the gram the word begins that is searched for.
    offset: usize,
    /// Another gram of the same window and where it stands in the word: both together are the whole window.
    other: (usize, u32),
}

impl Prefilter {
    pub fn new(mut literals: Vec<Literal>) -> Self {
        literals.sort();
        literals.dedup();
        let mut candidates: Vec<Candidate> =
            literals.iter().enumerate().flat_map(|(index, literal)| candidates_of(index, literal)).collect();
        candidates.sort();
        let mut bitmap = vec![0u64; 1 << (HASH_BITS - 6)];
        let mut firsts = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let (cell, bit) = place_of(candidate.hash);
            if let Some(cell) = bitmap.get_mut(cell).filter(|cell| **cell >> bit & 1 == 0) {
                *cell |= 1 << bit;
                firsts.push(index);
            }
        }
        let before = |sum: &mut usize, cell: &u64| Some(std::mem::replace(sum, *sum + cell.count_ones() as usize));
        let ranks = bitmap.iter().scan(0, before).collect();
        Self { literals, bitmap, ranks, firsts, candidates }
    }

    /// The index of a literal, as [`Self::find`] gives it.
    pub fn index(&self, literal: &Literal) -> Option<usize> {
        self.literals.binary_search(literal).ok()
    }

    /// Every place of every literal: the byte at which its searched word begins, and its index. Places of different
    /// words of one record may come in any order, those of different records come in the records' order.
    pub fn find<'h>(&'h self, bytes: &'h [u8]) -> impl Iterator<Item = (usize, usize)> + 'h {
        let mut next = 0;
        let suspects = std::iter::from_fn(move || {
            while let Some(gram) = gram_at(bytes, next) {
                let at = next;
                next += STRIDE;
                let (cell, bit) = place_of(hash_of(gram));
                if self.bitmap.get(cell).is_some_and(|cell| cell >> bit & 1 == 1)
                    && let Some(first) = self.first_candidate(bytes, at, gram)
                {
                    return Some((at, gram, first));
                }
            }
            None
        });
        suspects.flat_map(move |(at, gram, first)| {
            let candidates = self.candidates.get(first..).unwrap_or_default();
            candidates.iter().take_while(move |candidate| candidate.hash == hash_of(gram)).filter_map(
                move |candidate| {
                    let start = candidate.start(bytes, at, gram)?;
                    let literal = self.literals.get(candidate.literal)?;
                    stands_at(literal, bytes, start).then_some((start, candidate.literal))
                },
            )
        })
    }

    /// The first of the candidates for a gram, if the window of any of them stands here.
    fn first_candidate(&self, bytes: &[u8], at: usize, gram: u32) -> Option<usize> {
        let hash = hash_of(gram);
        let (cell, bit) = place_of(hash);
        let below = self.bitmap.get(cell)? & ((1 << bit) - 1);
        let first = *self.firsts.get(self.ranks.get(cell)? + below.count_ones() as usize)?;
        let mut candidates = self.candidates.get(first..)?.iter().take_while(|candidate| candidate.hash == hash);
        candidates.any(|candidate| candidate.start(bytes, at, gram).is_some()).then_some(first)
    }
}

impl Candidate {
    /// Where the word begins, if the whole window stands around a gram found at `at`.
    #[inline]
    fn start(&self, bytes: &[u8], at: usize, gram: u32) -> Option<usize> {
        let start = at.checked_sub(self.offset).filter(|_| self.gram == gram)?;
        (gram_at(bytes, start + self.other.0) == Some(self.other.1)).then_some(start)
    }
}

/// The grams of a literal's window.
fn candidates_of(literal: usize, text: &Literal) -> impl Iterator<Item = Candidate> {
    let word = word(text).as_bytes();
    let window = rarest_window(word);
    (window..window + STRIDE).filter_map(move |offset| {
        let place = if offset == window { window + STRIDE - 1 } else { window };
        let (gram, other) = (gram_at(word, offset)?, gram_at(word, place)?);
        Some(Candidate { hash: hash_of(gram), gram, literal, offset, other: (place, other) })
    })
}

/// Four bytes in a row, letters in one case. Other bytes may fall together; the comparison that follows parts them.
#[inline]
fn gram_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let gram = bytes.get(offset..)?.first_chunk::<GRAM>()?;
    Some(u32::from_le_bytes(*gram) | 0x2020_2020)
}

/// A multiplicative hash.
#[inline]
fn hash_of(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)
}

/// The cell of the bitmap and the bit in it that stand for a hash.
#[inline]
fn place_of(hash: u32) -> (usize, u32) {
    ((hash >> 6) as usize, hash & 63)
}

/// Start of the six letters that ordinary log text holds least often.
fn rarest_window(word: &[u8]) -> usize {
    let windows = word.windows(SHORTEST_WORD).enumerate();
    windows.min_by_key(|(_, window)| commonness(window)).map_or(0, |(start, _)| start)
}

fn word(literal: &Literal) -> &str {
    literal.text.get(literal.word.0..literal.word.1).unwrap_or_default()
}

/// True where the whole literal stands around its searched word, which begins at `start`.
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
