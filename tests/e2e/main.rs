//! End-to-end tests: one binary, a module for each feature.
