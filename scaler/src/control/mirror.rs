//! What the ingress has to know of apps that mirror their requests.

use ebbtide_core::app::App;
use ebbtide_core::name::RevisionName;
use ebbtide_core::policy::{MirrorTarget, RequestPolicy};

/// What becomes of an app's requests in the ingress, which does not know which revision is the latest.
pub(super) fn policy(app: &App) -> RequestPolicy {
    let mut policy = RequestPolicy::of(app.document());
    if let Some(mirror) = &mut policy.mirror
        && mirror.target == MirrorTarget::Latest
    {
        mirror.target = MirrorTarget::Revision(app.latest().clone());
    }
    policy
}

/// The revision that an app's mirror names, which has to be in the ingress's table whatever its weight.
pub(super) fn named_revision(policy: &RequestPolicy) -> Option<&RevisionName> {
    match &policy.mirror.as_ref()?.target {
        MirrorTarget::Revision(name) => Some(name),
        MirrorTarget::Latest | MirrorTarget::Label { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, TWO};
    use super::*;

    #[test]
    fn the_latest_is_known_by_its_name() {
        for (mirror, expected) in [
            ("latest=10", Some("hello--v2")),
            ("hello--v1", Some("hello--v1")),
            ("label:blue", None),
        ] {
            let tags = format!("\nname: hello\ntags: {{ebbtide.mirror: {mirror}}}");
            let control = fixtures::app(&TWO.replacen("\nname: hello", &tags, 1));
            let named = named_revision(&control.policy);
            assert_eq!(named.map(RevisionName::as_str), expected, "{mirror}");
        }
    }
}
