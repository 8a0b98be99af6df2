//! Follows Ebbtide, by the events of its status API.

mod api;
mod connection;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{sleep, timeout};

use self::api::{Apps, Happened, read};
use self::connection::Server;
use self::scope::Scope;
use super::collect::Collector;
use super::error::ObserveError;
use super::model::Event;
use super::stream::ServerEvent;
use super::{Clocks, Ready};

/// How long the first list of apps may take: Ebbtide sends it at once.
const FIRST: Duration = Duration::from_secs(10);
/// The shortest and the longest pause before another attempt to reach it again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How far the time of an event may be from that of its arrival.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// An Ebbtide, and the apps of it that are followed.
pub(super) struct Ebbtide {
    server: Server,
    scope: Scope,
    clocks: Clocks,
    /// When something came last.
    heard: Duration,
    /// Whether it was said that an event came long before or after its time.
    apart: bool,
}

impl Ebbtide {
    pub(super) fn new(url: &str, hosts: &[String], clocks: Clocks) -> Result<Self, ObserveError> {
        Ok(Self {
            server: Server::new(url)?,
            scope: Scope::new(hosts),
            clocks,
            heard: Duration::ZERO,
            apart: false,
        })
    }

    /// Follows it until this is dropped, whatever becomes of it; ends only if it cannot be followed at first.
    pub(super) async fn follow(mut self, collector: &mut Collector, mut ready: Ready) {
        let mut pause = BACKOFF.0;
        loop {
            let mut first = true;
            let Err(error) = self.read(collector, &mut ready, &mut first).await;
            if let Some(ready) = ready.take() {
                // Who has given up waiting is not told.
                let _ = ready.send(Err(error));
                return;
            }
            collector.lose(self.clocks.elapsed(), error.to_string());
            // One that answers and fails then is not asked in a hurry.
            pause = if first {
                (pause * 2).min(BACKOFF.1)
            } else {
                BACKOFF.0
            };
            sleep(pause).await;
        }
    }

    /// Reads the stream to its end, which is an error. `first` is false once there was a list of apps.
    async fn read(
        &mut self,
        collector: &mut Collector,
        ready: &mut Ready,
        first: &mut bool,
    ) -> Result<std::convert::Infallible, ObserveError> {
        let mut stream = self.server.open().await?;
        loop {
            let event = if *first {
                let event = timeout(FIRST, stream.next()).await;
                event.map_err(|_| self.server.late("send its apps", FIRST))??
            } else {
                stream.next().await?
            };
            let at = self.clocks.elapsed();
            if self.take_in(at, &event, collector)? {
                *first = false;
                if let Some(ready) = ready.take() {
                    let _ = ready.send(Ok(()));
                }
            }
            self.heard = at;
        }
    }

    /// Takes in an event. Returns whether it was a list of apps.
    fn take_in(
        &mut self,
        at: Duration,
        event: &ServerEvent,
        collector: &mut Collector,
    ) -> Result<bool, ObserveError> {
        let unreadable = |because| self.server.unreadable(&event.name, because);
        match event.name.as_str() {
            "apps" => {
                let apps = read(&event.data).map_err(unreadable)?;
                self.apps(at, &apps, collector);
                return Ok(true);
            }
            "event" => {
                let happened = read(&event.data).map_err(unreadable)?;
                self.happened(at, happened, collector);
            }
            "missed" => {
                let count: u64 = read(&event.data).map_err(unreadable)?;
                let because = format!("{count} events were lost, since they were not read in time");
                collector.gap(self.heard, at, because);
            }
            // Others may be added.
            _ => {}
        }
        Ok(false)
    }

    fn apps(&mut self, at: Duration, apps: &Apps, collector: &mut Collector) {
        self.scope.learn(&apps.value);
        let followed = || apps.value.iter().filter(|app| self.scope.has(&app.name));
        let revisions = followed().flat_map(|app| &app.revisions);
        let states: BTreeMap<_, _> = revisions
            .map(|revision| (revision.name.clone(), revision.state()))
            .collect();
        collector.states(at, states);
        collector.weights(Apps::weights(followed()));
    }

    fn happened(&mut self, arrived: Duration, happened: Happened, collector: &mut Collector) {
        if !self.scope.has(&happened.app) {
            return;
        }
        let own = self.clocks.at(happened.time);
        let apart = SignedDuration::try_from(arrived).unwrap_or_default() - own;
        let agree = apart.unsigned_abs() <= CLOCKS_APART;
        if !agree && !std::mem::replace(&mut self.apart, true) {
            collector.warn(warning(apart));
        }
        collector.event(Event {
            at: if agree {
                Duration::try_from(own).unwrap_or_default()
            } else {
                arrived
            },
            reason: happened.reason,
            revision: happened.revision,
            replica: happened.replica,
            message: happened.message,
        });
    }
}

fn warning(apart: SignedDuration) -> String {
    let which = if apart.is_negative() {
        "before"
    } else {
        "after"
    };
    format!(
        "events of Ebbtide came {:.1} s {which} their own time: its clock and that of this machine differ, or one \
         of the two is overloaded; such events have the time at which they came",
        apart.unsigned_abs().as_secs_f64(),
    )
}
