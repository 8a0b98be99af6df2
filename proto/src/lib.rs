//! The gRPC contracts of Ebbtide. What is here is generated from the `.proto` files beside it, and
//! a test says so if it is not what they say.

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

/// The contracts' descriptions, for reflection: an encoded `FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.bin");
