//! What an app asks of the ingress, beside where its requests go: from its document's `ingress` and
//! from its tags.

use crate::document::ContainerApp;

/// What the ingress does with the requests of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPolicy {
    /// `allowInsecure`: whether requests in the clear are answered, where they could be led to HTTPS.
    pub allow_insecure: bool,
}

impl RequestPolicy {
    /// What a document asks for.
    pub fn of(app: &ContainerApp) -> Self {
        let ingress = app.configuration.ingress.as_ref();
        Self {
            allow_insecure: ingress.is_some_and(|ingress| ingress.allow_insecure),
        }
    }
}
