//! What holds whatever is done to an app, in whatever order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Something done to an app.
#[derive(Clone, Debug)]
enum Step {
    Apply(Box<ContainerApp>, Vec<DeclaredRevision>),
    SetTraffic(Vec<TrafficWeight>),
    Activate(RevisionName),
    Deactivate(RevisionName),
    Restart(RevisionName),
    Observe(RevisionName, Observation),
}

const SUFFIXES: [&str; 4] = ["v1", "v2", "v3", "v4"];

fn suffix() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&SUFFIXES[..])
}

/// Mostly weights that sum to 100.
fn weights() -> impl Strategy<Value = Vec<TrafficWeight>> {
    let target = prop_oneof![Just("latest"), suffix()];
    (vec((target, 0_u32..100), 0..4), 0_u32..10).prop_map(|(entries, odd)| {
        let weights: Vec<u32> = entries.iter().map(|(_, weight)| *weight).collect();
        let total = if odd == 0 { 90 } else { 100 };
        let weights = crate::traffic::apportion(&weights, total);
        let entries = entries.iter().zip(weights);
        let entries = entries.map(|((target, _), weight)| format!("{target}={weight}"));
        traffic(&entries.collect::<Vec<_>>().join(" "))
    })
}

fn documents() -> impl Strategy<Value = ContainerApp> {
    let suffix = prop_oneof![Just(""), suffix()];
    (suffix, weights(), any::<bool>(), 0_u32..4, 1_u32..=100).prop_map(
        |(suffix, traffic, single, inactive, threshold)| {
            let mut document = split(suffix, "");
            let configuration = &mut document.configuration;
            configuration.max_inactive_revisions = Some(inactive);
            configuration.revision_transition_threshold = Some(threshold);
            if single {
                configuration.active_revisions_mode = ActiveRevisionsMode::Single;
            } else if let Some(ingress) = &mut configuration.ingress {
                ingress.traffic = traffic;
            }
            document
        },
    )
}

fn declarations() -> impl Strategy<Value = Vec<DeclaredRevision>> {
    vec((suffix(), any::<bool>()), 0..3).prop_map(|declarations| {
        let declarations = declarations.into_iter();
        declarations
            .map(|(suffix, active)| declared(suffix, active))
            .collect()
    })
}

fn steps() -> impl Strategy<Value = Step> {
    let failure = prop_oneof![
        Just("no such secret".to_owned()).prop_map(Failure::Refused),
        Just("exit status 1".to_owned()).prop_map(Failure::Crashed),
    ];
    let failure = prop::option::of(failure);
    let seen = (0_u32..4, 0_u32..4, failure).prop_map(|(desired, ready, failure)| Observation {
        desired,
        ready,
        failure,
    });
    let revision = || suffix().prop_map(name);
    prop_oneof![
        4 => (documents(), declarations()).prop_map(|(d, r)| Step::Apply(Box::new(d), r)),
        2 => weights().prop_map(Step::SetTraffic),
        1 => revision().prop_map(Step::Activate),
        1 => revision().prop_map(Step::Deactivate),
        1 => revision().prop_map(Step::Restart),
        8 => (revision(), seen).prop_map(|(r, o)| Step::Observe(r, o)),
    ]
}

/// The app after a step, the same if the step is refused.
fn after(app: &App, step: &Step, now: Timestamp) -> Result<App, TestCaseError> {
    let result = match step.clone() {
        Step::Apply(document, declared) => {
            let result = try_apply(app, (*document).clone(), declared.clone());
            if let Ok((once, _)) = &result {
                let twice = try_apply(once, *document, declared);
                prop_assert_eq!(twice, Ok((once.clone(), vec![])));
            }
            result
        }
        Step::SetTraffic(traffic) => app.set_traffic(traffic),
        Step::Activate(name) => app.activate(&name),
        Step::Deactivate(name) => app.deactivate(&name),
        Step::Restart(name) => app.restart(&name),
        Step::Observe(name, observation) => {
            let mut next = app.clone();
            let changes = next.observe(&name, &observation, now);
            let seen = next.clone();
            prop_assert_eq!(next.observe(&name, &observation, now), vec![], "twice");
            prop_assert_eq!(&next, &seen, "twice");
            Ok((next, changes))
        }
    };
    let Ok((next, changes)) = result else {
        return Ok(app.clone());
    };
    let told = changes
        .iter()
        .any(|c| matches!(c, Change::TrafficChanged { .. }));
    prop_assert_eq!(told, next.shares() != app.shares(), "{:?}", changes);
    Ok(next)
}

fn check(app: &App) -> Result<(), TestCaseError> {
    let shares = app.shares();
    let sum: u32 = shares.iter().map(|share| share.weight).sum();
    prop_assert!(shares.is_empty() || sum == 100, "{:?}", shares);
    for share in &shares {
        let revision = app.revision(&share.revision).unwrap();
        prop_assert!(revision.takes_traffic(), "{:?}", revision);
    }
    for revision in app.labels().values() {
        prop_assert!(app.revision(revision).unwrap().active);
    }
    for revision in app.revisions() {
        let takeover = app.takeover_replicas(&revision.name);
        prop_assert!(takeover <= revision.template.scale.max_replicas);
        prop_assert!(revision.active || takeover == 0);
        let same_name = app.revisions().filter(|other| other.name == revision.name);
        prop_assert_eq!(same_name.count(), 1);
    }
    let latest = app.revision(app.latest()).unwrap();
    prop_assert_eq!(Some(latest), app.revisions().next_back());
    if app.is_single() {
        prop_assert!(latest.active);
        let active = app.revisions().filter(|revision| revision.active);
        prop_assert!(!latest.is_provisioned() || active.count() == 1);
    }
    // Someone can always serve, unless all that traffic leads to have failed.
    let failed = |entry: &Share| !app.revision(&entry.revision).unwrap().takes_traffic();
    let mut weighted = app.entries().into_iter().filter(|entry| entry.weight > 0);
    prop_assert!(!shares.is_empty() || weighted.all(|entry| failed(&entry)));
    Ok(())
}

proptest! {
    #[test]
    fn invariants_hold_after_every_step(single in any::<bool>(), steps in vec(steps(), 0..40)) {
        let first = if single { document("v1") } else { split("v1", "") };
        let mut app = Scenario::new(first).app;
        check(&app)?;
        for (seconds, step) in (0..).step_by(4).zip(&steps) {
            app = after(&app, step, Timestamp::from_secs(seconds))?;
            check(&app)?;
        }
    }
}
