//! HTTPS, with curl and openssl as clients.

mod authority;
mod bad;
mod bed;
mod certificates;
mod clients;
mod protocols;
mod proxied;
mod redirect;
mod sessions;
mod shown;
mod unproved;
