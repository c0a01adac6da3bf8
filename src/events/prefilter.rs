//! The search for literal text that must stand in a record for any message to match it.
//!
//! One pass over a whole chunk finds the longest word of each literal; the rest of the literal is then compared
//! around it, with blanks of any kind and number where it has one. So a few false alarms remain, and no miss.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::knowledge::{Literal, is_blank};

/// Finds literals in bytes, whatever the case of their letters.
#[derive(Debug, Clone)]
pub(super) struct Prefilter {
    words: Option<AhoCorasick>,
    /// For each word the literals that hold it.
    of_word: Vec<Vec<usize>>,
    literals: Vec<Literal>,
}

impl Prefilter {
    pub fn new(mut literals: Vec<Literal>) -> Self {
        literals.sort();
        literals.dedup();
        let mut words: Vec<&str> = literals.iter().map(word).collect();
        words.sort_unstable();
        words.dedup();
        let of_word = words
            .iter()
            .map(|sought| (0..literals.len()).filter(|index| literals.get(*index).map(word) == Some(sought)).collect())
            .collect();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(&words).ok();
        Self { words: automaton, of_word, literals }
    }

    /// The index of a literal, as [`Self::find`] gives it.
    pub fn index(&self, literal: &Literal) -> Option<usize> {
        self.literals.binary_search(literal).ok()
    }

    /// Every place of every literal: the byte at which its longest word begins, and its index.
    pub fn find<'h>(&'h self, bytes: &'h [u8]) -> impl Iterator<Item = (usize, usize)> + 'h {
        let found = self.words.iter().flat_map(move |words| words.find_overlapping_iter(bytes));
        found.flat_map(move |hit| {
            let literals = self.of_word.get(hit.pattern().as_usize()).map_or(&[][..], Vec::as_slice);
            let here = literals.iter().filter(move |index| {
                self.literals.get(**index).is_some_and(|literal| stands_at(literal, bytes, hit.start(), hit.end()))
            });
            here.map(move |index| (hit.start(), *index))
        })
    }
}

fn word(literal: &Literal) -> &str {
    literal.text.get(literal.word.0..literal.word.1).unwrap_or_default()
}

/// True where the whole literal stands around its word, found at `start..end`.
fn stands_at(literal: &Literal, bytes: &[u8], start: usize, end: usize) -> bool {
    let text = literal.text.as_bytes();
    let (Some(before), Some(after)) = (text.get(..literal.word.0), text.get(literal.word.1..)) else {
        return false;
    };
    let (Some(bytes_before), Some(bytes_after)) = (bytes.get(..start), bytes.get(end..)) else {
        return false;
    };
    follows(after.iter().copied(), bytes_after.iter().copied())
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
