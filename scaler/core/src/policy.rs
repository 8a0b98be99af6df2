//! What an app asks of the ingress, beside where its requests go: from its document's `ingress` and
//! from its tags.

mod access;
mod cold;
mod compression;
mod cors;
mod mirror;
mod preference;
mod timeouts;

use std::num::NonZeroU32;

use crate::document::{ClientCertificateMode, ContainerApp, Ingress, tags};

pub use access::IpAccess;
pub use cold::{ColdAnswer, ColdPaths};
pub use compression::{Coding, Compression};
pub use cors::{Cors, CorsNames};
pub use mirror::{Mirror, MirrorMethods, MirrorTarget};
pub use preference::Preference;
pub use timeouts::Timeouts;

/// What the ingress does with the requests of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPolicy {
    /// `allowInsecure`: whether requests in the clear are answered, where they could be led to HTTPS.
    pub allow_insecure: bool,
    /// `ebbtide.maxConcurrentRequests`: how many requests a replica has at a time; further ones wait
    /// at the door. None if as many as come.
    pub max_concurrent_requests: Option<NonZeroU32>,
    /// How long its answers may take.
    pub timeouts: Timeouts,
    /// Which replicas get fewer requests than others.
    pub preference: Preference,
    /// `stickySessions`: whether a client's requests go to the replica that had its first one.
    pub has_sessions: bool,
    /// `ebbtide.pinHeader`: the header that names the revision a request is for, in lowercase.
    pub pin_header: Option<String>,
    /// `ebbtide.pinCookie`: the cookie that does.
    pub pin_cookie: Option<String>,
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
    /// `clientCertificateMode`: whether clients are asked for a certificate, or need one.
    pub client_certificates: ClientCertificateMode,
    /// `ebbtide.mirror`: none if no requests are copied.
    pub mirror: Option<Mirror>,
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
            max_concurrent_requests: tags::MAX_CONCURRENT_REQUESTS
                .number(tags)
                .and_then(NonZeroU32::new),
            timeouts: Timeouts::of(tags),
            preference: Preference::of(tags),
            has_sessions: ingress.sticky_sessions,
            pin_header: tags::PIN_HEADER.text(tags).map(str::to_ascii_lowercase),
            pin_cookie: tags::PIN_COOKIE.text(tags).map(str::to_owned),
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
            client_certificates: ingress.client_certificate_mode,
            mirror: Mirror::of(tags),
        }
    }
}
