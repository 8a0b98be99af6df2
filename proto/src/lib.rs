//! The gRPC contracts: KEDA's, those between parts of Ebbtide, and what it speaks of OpenTelemetry's. What
//! is here is generated from the `.proto` files beside it, and a test says so if it is not what they say.

#[rustfmt::skip]
#[path = "generated/externalscaler.rs"]
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    missing_docs,
    reason = "generated code has a style of its own"
)]
pub mod external_scaler;

#[rustfmt::skip]
#[path = "generated/ebbtide.telemetry.v1.rs"]
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    missing_docs,
    reason = "generated code has a style of its own"
)]
pub mod telemetry;

#[rustfmt::skip]
#[path = "generated/opentelemetry.proto.collector.trace.v1.rs"]
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    missing_docs,
    reason = "generated code has a style of its own"
)]
pub mod otlp;

/// The description of KEDA's contract, for reflection: an encoded `FileDescriptorSet`.
pub const EXTERNAL_SCALER_DESCRIPTORS: &[u8] = include_bytes!("generated/externalscaler.bin");

/// The description of the contract between ingress and scaler, for reflection.
pub const TELEMETRY_DESCRIPTORS: &[u8] = include_bytes!("generated/telemetry.bin");
