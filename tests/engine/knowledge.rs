//! The knowledge: its own proofs, the catalogue's shapes, and the mistakes that its loader tells.

use cmgtrail::knowledge::Knowledge;

#[test]
fn the_builtin_knowledge_proves_itself() {
    let mistakes = Knowledge::builtin_mistakes();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
