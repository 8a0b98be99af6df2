//! `loadgen`: an open-loop HTTP load generator.

fn main() {}
