//! The workflow: which stages a flow of each kind goes through, and which stage presupposes which.
