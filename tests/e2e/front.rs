//! What the front door does for requests and to them, each seen by curl, nghttp2, OpenSSL, HAProxy or
//! Python's clients through real sockets, in front of an app that is not ours.

mod bed;
mod drain;
mod line;
mod retries;
mod sessions;
mod spread;
mod times;
mod traffic;
