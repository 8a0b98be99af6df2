//! `redis` and `redis-streams`: what waits in a list or stream of one server, of a sentinel's master
//! or of a cluster.

mod answer;
mod connection;
mod list;
mod login;
mod place;
mod server;
mod settings;
mod streams;
#[cfg(test)]
mod tests;

pub(super) use list::open as open_list;
pub(super) use streams::open as open_stream;
