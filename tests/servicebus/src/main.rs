//! The stand-in's command.

fn main() {}
