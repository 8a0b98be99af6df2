//! `ebbtide`: the autoscaler's binary.

fn main() {}
