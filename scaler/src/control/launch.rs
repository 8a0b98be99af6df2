//! Starting the replicas that a revision lacks, and choosing those that have to go.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::app::App;
use ebbtide_core::name::{AppName, ReplicaName};
use ebbtide_core::time::Timestamp;
use ebbtide_runtime::{ReplicaSpec, Runtime, SpecError};
use ebbtide_signals::SecretStore;

use super::drain::Going;
use super::identifier::Identifiers;
use super::plan::plan;
use super::replica::ReplicaControl;
use super::revision::{Refused, RevisionControl};
use super::sources::secrets_of;
use super::task::ControlTask;

/// Time until a replica that the runtime refused to start is tried again. What it refuses it
/// refuses for what the documents say, so another document is what really helps; that is tried at
/// once.
const RETRY: Duration = Duration::from_secs(10);

/// What replicas are started with.
struct Launcher<'a> {
    runtime: &'a mut Runtime,
    identifiers: &'a mut Identifiers,
    program: &'a Path,
    secrets: &'a [Arc<dyn SecretStore>],
    now: Timestamp,
}

impl ControlTask {
    /// Starts replicas of an app that are missing and returns those that have to go.
    pub(super) fn reconcile(&mut self, name: &AppName, now: Timestamp) -> Vec<Going> {
        let Some(control) = self.apps.get_mut(name) else {
            return Vec::new();
        };
        let Some(runtime) = &mut self.runtime else {
            return Vec::new();
        };
        let mut launcher = Launcher {
            runtime,
            identifiers: &mut self.identifiers,
            program: &self.options.program,
            secrets: &self.options.signals.secrets,
            now,
        };
        let mut going = Vec::new();
        for one in control.revisions.values_mut() {
            let generation = one.generation(&control.app);
            let desired = one.desired(&control.app) as usize;
            let plan = plan(one.replicas.values(), desired, generation);
            for replica in &plan.stop {
                going.extend(one.let_go(replica));
            }
            launcher.start(&control.app, one, plan.start, generation);
        }
        going
    }
}

impl Launcher<'_> {
    /// Starts `missing` replicas, or as many as the runtime does.
    fn start(&mut self, app: &App, one: &mut RevisionControl, missing: usize, generation: u64) {
        if missing == 0 {
            one.refused = None;
        }
        let waits = |refused: &Refused| refused.retry_at > self.now;
        if one.refused.as_ref().is_some_and(waits) {
            return;
        }
        for _ in 0..missing {
            match self.start_one(app, one, generation) {
                Ok(()) => one.refused = None,
                Err(error) => {
                    one.refused = Some(Refused {
                        because: error.to_string(),
                        retry_at: self.now + RETRY,
                    });
                    return;
                }
            }
        }
    }

    fn start_one(
        &mut self,
        app: &App,
        one: &mut RevisionControl,
        generation: u64,
    ) -> Result<(), SpecError> {
        let name = self.unused_name(one);
        self.runtime
            .start_replica(replica_spec(app, one, &name, self.program, self.secrets))?;
        let protocol = one.access.protocol;
        let starting = ReplicaControl::starting(name.clone(), generation, protocol, self.now);
        one.replicas.insert(name, starting);
        Ok(())
    }

    fn unused_name(&mut self, one: &RevisionControl) -> ReplicaName {
        loop {
            let name = ReplicaName::new(&one.name, &self.identifiers.next_identifier());
            if !one.replicas.contains_key(&name) {
                return name;
            }
        }
    }
}

/// What the runtime is to start.
fn replica_spec(
    app: &App,
    one: &RevisionControl,
    replica: &ReplicaName,
    program: &Path,
    secrets: &[Arc<dyn SecretStore>],
) -> ReplicaSpec {
    let app_name = app.name();
    let environment = [
        ("CONTAINER_APP_NAME", app_name.to_string()),
        ("CONTAINER_APP_REVISION", one.name.to_string()),
        ("CONTAINER_APP_HOSTNAME", format!("{app_name}.localhost")),
        ("CONTAINER_APP_ENV_DNS_SUFFIX", "localhost".to_owned()),
        ("EBBTIDE_PROGRAM", program.display().to_string()),
    ];
    let named = |(name, value): (&str, String)| (name.to_owned(), value);
    ReplicaSpec {
        name: replica.clone(),
        revision: one.name.clone(),
        app: app_name.clone(),
        target_port: one.access.target_port,
        additional_ports: one.access.additional_ports.clone(),
        init_containers: one.template.init_containers.clone(),
        containers: one.template.containers.clone(),
        secrets: secrets_of(app.document(), secrets),
        termination_grace_period: one.grace_period(),
        environment: environment.into_iter().map(named).collect(),
        working_directory: one.folder.clone(),
    }
}
