//! What an app asks of the ingress, beside where its requests go: from its document's `ingress` and
//! from its tags.

mod access;
mod cold;
mod compression;
mod cors;

use crate::document::{ContainerApp, Ingress, tags};

pub use access::IpAccess;
pub use cold::{ColdAnswer, ColdPaths};
pub use compression::{Coding, Compression};
pub use cors::{Cors, CorsNames};

/// What the ingress does with the requests of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPolicy {
    /// `allowInsecure`: whether requests in the clear are answered, where they could be led to HTTPS.
    pub allow_insecure: bool,
    /// `ipSecurityRestrictions`: which clients may ask; none if all may.
    pub access: Option<IpAccess>,
    /// `corsPolicy`: what pages of other origins may ask; none if the app says so itself.
    pub cors: Option<Cors>,
    /// `ebbtide.coldPaths`.
    pub cold_paths: Option<ColdPaths>,
    /// `ebbtide.coldAnswer`; none if all requests are held.
    pub cold_answer: Option<ColdAnswer>,
    /// `ebbtide.maxRequestBodyBytes`: how large the body of a request may be, if that is bounded.
    pub max_request_body_bytes: Option<u64>,
    /// `ebbtide.compression`: none if answers go out as they come.
    pub compression: Option<Compression>,
}

impl RequestPolicy {
    /// What a document asks for.
    pub fn of(app: &ContainerApp) -> Self {
        let default = Ingress::default();
        let tags = &app.tags;
        // Checked when the document was read.
        let cold_paths = tags::COLD_PATHS.text(tags);
        let cold_answer = tags::COLD_ANSWER.text(tags);
        let ingress = app.configuration.ingress.as_ref().unwrap_or(&default);
        Self {
            allow_insecure: ingress.allow_insecure,
            access: IpAccess::of(&ingress.ip_security_restrictions),
            cors: ingress.cors_policy.as_ref().map(Cors::of),
            cold_paths: cold_paths.and_then(|text| ColdPaths::parse(text).ok()),
            cold_answer: cold_answer
                .and_then(|text| ColdAnswer::parse(text).ok())
                .filter(|answer| *answer != ColdAnswer::default()),
            compression: tags::COMPRESSION
                .text(tags)
                .and_then(|text| Compression::parse(text).ok()),
            max_request_body_bytes: tags::MAX_REQUEST_BODY_BYTES.bytes(tags),
        }
    }
}
