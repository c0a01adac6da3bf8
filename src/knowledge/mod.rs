//! Knowledge: the data that turns records into events, flows into findings, codes into words.
//!
//! It is TOML, embedded in the binary from `src/knowledge/builtin/`, overlaid by the user's files by id. Everything
//! in it carries its own proof: a message without an example that matches and a counter-example that does not is
//! refused.

mod failure;
mod message;

pub use failure::{
    Condition, EventShape, Failure, FailureRole, MissingEvidence, OneOf, RequestShape, Scope, StageShape, When,
};
pub use message::{Message, Proof, RequestPart};
