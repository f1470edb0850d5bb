//! Tests of the whole: what no function's own tests can see. See `tests/README.md`.
