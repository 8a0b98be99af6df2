//! Where copies of requests go.

use std::sync::Arc;

use ebbtide_core::policy::MirrorTarget;

use super::{Backend, Snapshot};

impl Snapshot {
    /// The revision that copies of requests to the app named `app` go to; none if it is not here.
    pub(crate) fn mirror_of(&self, app: &str, target: &MirrorTarget) -> Option<&Arc<Backend>> {
        match target {
            // Whoever makes the table knows which one that is, and puts its name into the policy.
            MirrorTarget::Latest => None,
            MirrorTarget::Revision(name) => {
                let mut backends = self.route(name.app())?.backends.iter();
                backends.find(|backend| backend.revision == *name)
            }
            MirrorTarget::Label { app: other, label } => {
                let route = self.route(other.as_ref().map_or(app, |other| other.as_str()))?;
                route.backends.get(*route.labels.get(label)?)
            }
        }
    }
}
