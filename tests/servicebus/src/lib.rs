//! A stand-in for Azure Service Bus.

pub mod broker;
