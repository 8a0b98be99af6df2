//! What the ingress has to know of apps that mirror their requests.

use std::collections::BTreeMap;

use ebbtide_core::app::App;
use ebbtide_core::document::{HttpRouteRevision, HttpRouteTarget};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::policy::{MirrorTarget, RequestPolicy};

use super::app::AppControl;
use super::http_routes;

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

/// Why no request of an app is copied, though its document has a mirror; none if they are.
pub(super) fn problem(
    control: &AppControl,
    apps: &BTreeMap<AppName, AppControl>,
) -> Option<String> {
    let (app, revision) = match &control.policy.mirror.as_ref()?.target {
        // Its name was put in the place of this.
        MirrorTarget::Latest => return None,
        MirrorTarget::Revision(name) => {
            let app = AppName::new(name.app()).ok()?;
            (app, HttpRouteRevision::Named(name.clone()))
        }
        MirrorTarget::Label { app, label } => {
            let app = app.as_ref().unwrap_or(control.app.name());
            (app.clone(), HttpRouteRevision::Labelled(label.clone()))
        }
    };
    let target = HttpRouteTarget {
        app,
        revision,
        weight: 100,
    };
    let problem = http_routes::problem(&target, apps)?;
    Some(format!(
        "tags.ebbtide.mirror: {problem}; no request is copied"
    ))
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
    use super::super::fixtures::{self, HELLO, TWO};
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
    #[test]
    fn what_a_mirrors_target_lacks_is_said() {
        let two = |mirror: &str| {
            let tags = format!("\nname: two\ntags: {{ebbtide.mirror: {mirror}}}");
            let text = TWO.replace("hello--", "two--");
            let text = text.replacen("\nname: hello", &tags, 1);
            fixtures::app(&text)
        };
        for (mirror, expected) in [
            ("latest=10", None),
            ("label:blue", None),
            ("two--v1", None),
            ("hello--v1=5", None),
            ("label:red", Some("app two has no label red")),
            ("hello---blue", Some("app hello has no label blue")),
            ("two--v9", Some("app two has no active revision two--v9")),
            ("lost--v1", Some("there is no app lost")),
            ("lost---red=0", None),
        ] {
            let control = two(mirror);
            let apps = [("hello", fixtures::app(HELLO)), ("two", two(mirror))];
            let apps = apps.map(|(name, control)| (AppName::new(name).unwrap(), control));
            let found = problem(&control, &apps.into());
            let expected =
                expected.map(|it| format!("tags.ebbtide.mirror: {it}; no request is copied"));
            assert_eq!(found, expected, "{mirror}");
        }
        let without = fixtures::app(HELLO);
        assert_eq!(problem(&without, &BTreeMap::new()), None);
    }
}
