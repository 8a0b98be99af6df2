//! HTTPS at the front door, by certificates from files and by those of the local authority.

mod acme;
mod bed;
mod clients;
mod files;
mod local;
mod websocket;
