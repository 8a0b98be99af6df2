//! What an app asks of the ingress, beside where its requests go: from its document's `ingress` and
//! from its tags.

mod access;
mod cors;

use crate::document::{ContainerApp, Ingress};

pub use access::IpAccess;
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
}

impl RequestPolicy {
    /// What a document asks for.
    pub fn of(app: &ContainerApp) -> Self {
        let default = Ingress::default();
        let ingress = app.configuration.ingress.as_ref().unwrap_or(&default);
        Self {
            allow_insecure: ingress.allow_insecure,
            access: IpAccess::of(&ingress.ip_security_restrictions),
            cors: ingress.cors_policy.as_ref().map(Cors::of),
        }
    }
}
