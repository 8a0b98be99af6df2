//! What an app asks of the ingress, beside where its requests go: from its document's `ingress` and
//! from its tags.

mod preference;
mod timeouts;

use std::num::NonZeroU32;

use crate::document::{ContainerApp, tags};

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
}

impl RequestPolicy {
    /// What a document asks for.
    pub fn of(app: &ContainerApp) -> Self {
        let ingress = app.configuration.ingress.as_ref();
        Self {
            allow_insecure: ingress.is_some_and(|ingress| ingress.allow_insecure),
            max_concurrent_requests: tags::MAX_CONCURRENT_REQUESTS
                .number(&app.tags)
                .and_then(NonZeroU32::new),
            timeouts: Timeouts::of(&app.tags),
            preference: Preference::of(&app.tags),
        }
    }
}
