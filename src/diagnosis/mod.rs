//! Diagnosis: from flows that broke to causes, with proof and with what is missing.
