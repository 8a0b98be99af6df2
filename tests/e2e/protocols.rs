//! Protocols through `ebbtide up`, by clients and apps that are not ours.

mod bed;
mod grpc;
mod http;
mod websocket;
