//! Redis.

mod bed;
mod canned;
mod cluster;
mod lists;
mod sentinel;
mod streams;
mod wrong;
