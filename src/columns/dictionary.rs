//! Dictionary columns: repeated words stored once in a batch.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};

/// A dictionary column being filled. Empty values are null.
pub(crate) struct Dictionary<'t> {
    keys: Vec<i32>,
    words: Vec<&'t str>,
    known: HashMap<&'t str, i32>,
    /// The last word and its key: records of one writer follow each other.
    last: (&'t str, i32),
    nulls: bool,
}

/// Key of a null.
const NULL: i32 = -1;

impl<'t> Dictionary<'t> {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            keys: Vec::with_capacity(rows),
            words: Vec::new(),
            known: HashMap::new(),
            last: ("", NULL),
            nulls: false,
        }
    }

    pub(crate) fn push(&mut self, word: Option<&'t str>) {
        let word = word.unwrap_or_default();
        if word.is_empty() {
            self.nulls = true;
            self.keys.push(NULL);
            return;
        }
        if self.last.0 != word {
            let words = &mut self.words;
            let key = *self.known.entry(word).or_insert_with(|| {
                words.push(word);
                i32::try_from(words.len() - 1).unwrap_or(NULL)
            });
            self.last = (word, key);
        }
        self.keys.push(self.last.1);
    }

    pub(crate) fn finish(self) -> ArrayRef {
        let nulls = self.nulls.then(|| self.keys.iter().map(|key| *key != NULL).collect::<NullBuffer>());
        let keys: Vec<i32> = if self.nulls { self.keys.iter().map(|key| (*key).max(0)).collect() } else { self.keys };
        array(PrimitiveArray::new(ScalarBuffer::from(keys), nulls), StringArray::from(self.words))
    }
}

/// A column with the same word, or null, in every row.
pub(crate) fn constant(word: Option<&str>, rows: usize) -> ArrayRef {
    let nulls = word.is_none().then(|| NullBuffer::new_null(rows));
    let keys = PrimitiveArray::new(ScalarBuffer::from(vec![0_i32; rows]), nulls);
    array(keys, StringArray::from(word.map_or_else(Vec::new, |word| vec![word])))
}

/// A column of keys into a fixed list of words.
pub(crate) fn of_words(keys: Vec<i32>, words: &[&str]) -> ArrayRef {
    array(PrimitiveArray::new(ScalarBuffer::from(keys), None), StringArray::from(words.to_vec()))
}

fn array(keys: PrimitiveArray<Int32Type>, words: StringArray) -> ArrayRef {
    let rows = keys.len();
    let array = DictionaryArray::try_new(keys, Arc::new(words));
    // Keys come from the list they point into, so this does not fail; a null column is the honest fallback.
    Arc::new(array.unwrap_or_else(|_| DictionaryArray::<Int32Type>::from_iter(vec![None::<&str>; rows])))
}
