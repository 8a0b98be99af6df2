//! Protocols through `ebbtide up`, by clients and apps that are not ours.

pub(crate) mod bed;
mod grpc;
mod http;
mod websocket;
