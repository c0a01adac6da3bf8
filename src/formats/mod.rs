//! Formats: bytes become records, and every byte is accounted for.
