//! What the front door does for requests and to them, each seen by curl, nghttp2, OpenSSL, HAProxy,
//! Prometheus or Python's clients through real sockets, in front of an app that is not ours.

mod bed;
mod coding;
mod drain;
mod floods;
mod limits;
mod line;
mod proxied;
mod retries;
mod scraped;
mod sessions;
mod spread;
mod streams;
mod tcp;
mod times;
mod tls;
mod traffic;
mod workers;
