//! The words of the status: running states as Azure Container Apps has them, and sentences.

use std::time::Duration;

use ebbtide_core::app::{Provisioning, RECOVERY, Revision};
use ebbtide_core::scale::Metric;
use ebbtide_core::time::Timestamp;

use super::super::replica::ReplicaState;
use super::super::revision::RevisionControl;
use crate::api::model::{ReplicaCounts, RevisionStatus};

/// After this a replica that does not answer is worth a word.
const PATIENCE: Duration = Duration::from_secs(5);

/// One sentence for an app: what its revisions were last decided to have, and why.
pub(super) fn sentence(app: &str, has_url: bool, revisions: &[RevisionStatus]) -> String {
    let failed = revisions
        .iter()
        .find(|one| one.active && one.running_state_details.is_some());
    if let Some(failed) = failed {
        let because = failed.running_state_details.as_deref().unwrap_or_default();
        return format!(
            "{}: {}: {because}",
            failed.name,
            failed.running_state.to_lowercase()
        );
    }
    let awake: Vec<&str> = revisions
        .iter()
        .filter(|one| one.active && one.replicas.desired > 0)
        .filter_map(|one| one.decision.as_ref())
        .map(|decision| decision.sentence.as_str())
        .collect();
    match (awake.is_empty(), has_url) {
        (false, _) => awake.join(" · "),
        (true, true) => format!("{app} is scaled to zero; the next request starts it."),
        (true, false) => format!("{app} is scaled to zero."),
    }
}

/// The running state in Azure Container Apps' words, and what is wrong, if anything.
pub(super) fn running_state(
    revision: &Revision,
    one: &RevisionControl,
    replicas: &ReplicaCounts,
    now: Timestamp,
) -> (&'static str, Option<String>) {
    let ReplicaCounts {
        desired,
        ready,
        draining,
        ..
    } = *replicas;
    if let Some(failure) = &one.failure {
        return ("Activation failed", Some(failure.because().to_owned()));
    }
    if revision.active && revision.provisioning == Provisioning::Failed {
        return ("Activation failed", Some(failed(revision, ready)));
    }
    let unready = one
        .replicas
        .values()
        .find(|one| one.is_live() && one.because.is_some());
    if let Some(because) = unready.and_then(|replica| replica.because.clone()) {
        return ("Degraded", Some(because));
    }
    if ready == 0
        && let Some(silent) = silent(one, now)
    {
        return ("Activating", Some(silent));
    }
    let state = match () {
        () if !revision.active && draining > 0 => "Deprovisioning",
        () if !revision.active => "Inactive",
        () if desired == 0 && ready == 0 => "Scaled to 0",
        () if ready == 0 => "Activating",
        () if ready < desired => "Scaling",
        () if desired == one.spec.max_replicas => "Running at max",
        () => "Running",
    };
    (state, None)
}

/// Why a revision is failed, and if a replica is ready again, what it has to show.
fn failed(revision: &Revision, ready: u32) -> String {
    let because = revision.because().unwrap_or_default();
    if ready == 0 {
        return because.to_owned();
    }
    let seconds = RECOVERY.as_secs();
    format!(
        "{because}; it runs again, and is provisioned once a replica has been ready for {seconds} s"
    )
}

/// What to look at when a replica takes long to answer.
fn silent(one: &RevisionControl, now: Timestamp) -> Option<String> {
    let starting = one.replicas.values().find(|replica| {
        replica.state == ReplicaState::Starting && now.since(replica.started) > PATIENCE
    })?;
    let port = starting.port?;
    Some(format!(
        "nothing answers on 127.0.0.1:{port} yet; the app has to listen on $PORT, which is {port}"
    ))
}

pub(super) fn provisioning_state(state: Provisioning) -> &'static str {
    match state {
        Provisioning::Provisioning => "Provisioning",
        Provisioning::Provisioned => "Provisioned",
        Provisioning::Failed => "Failed",
    }
}

/// What a rule measures, in words.
pub(super) fn metric_words(metric: &Metric) -> String {
    let over = |what: &str, window: &Duration| format!("{what} over {} s", window.as_secs());
    match metric {
        Metric::HttpConcurrency { window } => over("concurrency", window),
        Metric::HttpRequestRate { window } => over("requests per second", window),
        Metric::TcpConnections { window } => over("connections", window),
        Metric::CpuUtilization => "percent of the requested cores".to_owned(),
        Metric::CpuAverage => "cores of a replica".to_owned(),
        Metric::MemoryUtilization => "percent of the requested memory".to_owned(),
        Metric::MemoryAverage => "bytes of a replica".to_owned(),
        Metric::External => "read by the scaler".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{self, HELLO};
    use ebbtide_core::app::{Failure, Observation};

    use super::super::super::replica::ReplicaState::{Backoff, Draining, Ready, Starting};
    use super::*;

    /// The running state of `hello--v1` with these replicas, and what is wrong.
    fn state(
        active: bool,
        desired: u32,
        replicas: &[(&str, ReplicaState)],
        because: Option<&str>,
    ) -> (&'static str, Option<String>) {
        let mut control = fixtures::app(HELLO);
        let name = control.app.latest().clone();
        let mut revision = control.app.revision(&name).unwrap().clone();
        revision.active = active;
        let mut one = control.revisions.remove(&name).unwrap();
        for (id, state) in replicas {
            fixtures::add_replica(&mut one, id, *state);
            let replica = fixtures::replica_of(&mut one, id);
            replica.because = because.filter(|_| *state != Ready).map(str::to_owned);
        }
        one.observe_failure();
        running_state(
            &revision,
            &one,
            &one.replica_counts(desired),
            Timestamp::from_secs(2),
        )
    }

    #[test]
    fn running_states_are_in_azures_words() {
        type Case<'a> = (bool, u32, &'a [(&'a str, ReplicaState)], &'a str);
        let ten: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
            .into_iter()
            .map(|id| (id, Ready))
            .collect();
        let cases: [Case<'_>; 9] = [
            (true, 0, &[], "Scaled to 0"),
            (true, 0, &[("a", Draining)], "Scaled to 0"),
            (true, 1, &[("a", Starting)], "Activating"),
            (true, 2, &[("a", Ready), ("b", Starting)], "Scaling"),
            (true, 1, &[("a", Ready)], "Running"),
            (true, 1, &[("a", Ready), ("b", Draining)], "Running"),
            (true, 10, &ten, "Running at max"),
            (false, 0, &[("a", Draining)], "Deprovisioning"),
            (false, 0, &[], "Inactive"),
        ];
        for (active, desired, replicas, expected) in cases {
            let found = state(active, desired, replicas, None);
            assert_eq!(found, (expected, None), "{desired} of {replicas:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_while_it_is() {
        let because = Some("exit 1");
        let wrong = |state| (state, Some("exit 1".to_owned()));
        let failed = state(true, 1, &[("a", Backoff)], because);
        assert_eq!(failed, wrong("Activation failed"));
        let degraded = state(true, 2, &[("a", Ready), ("b", Backoff)], because);
        assert_eq!(degraded, wrong("Degraded"));
        let going = state(false, 0, &[("a", Draining)], because);
        assert_eq!(going, ("Deprovisioning", None));
    }

    #[test]
    fn a_failed_revision_says_why_it_failed_and_what_it_has_to_show() {
        let mut control = fixtures::app(HELLO);
        let name = control.app.latest().clone();
        let observation = Observation {
            desired: 1,
            ready: 0,
            failure: Some(Failure::Crashed("exit 1".to_owned())),
        };
        control.app.observe(&name, &observation, Timestamp::ORIGIN);
        let revision = control.app.revision(&name).unwrap();
        let one = &control.revisions[&name];
        let found = running_state(revision, one, &one.replica_counts(0), Timestamp::ORIGIN);
        assert_eq!(found, ("Activation failed", Some("exit 1".to_owned())));
        let mut one = control.revisions.remove(&name).unwrap();
        fixtures::add_replica(&mut one, "a", Ready);
        let counts = one.replica_counts(1);
        let (state, details) = running_state(revision, &one, &counts, Timestamp::ORIGIN);
        assert_eq!(state, "Activation failed");
        let shown =
            "exit 1; it runs again, and is provisioned once a replica has been ready for 10 s";
        assert_eq!(details.as_deref(), Some(shown));
    }

    #[test]
    fn an_app_at_zero_is_woken_by_requests_only_if_it_takes_any() {
        let at_zero = |has_url| sentence("hello", has_url, &[]);
        let woken = "hello is scaled to zero; the next request starts it.";
        assert_eq!(at_zero(true), woken);
        assert_eq!(at_zero(false), "hello is scaled to zero.");
    }
}
