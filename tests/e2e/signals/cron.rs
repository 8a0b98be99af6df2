//! `cron`.

use super::{rule, until_read, until_ready, worker};
use crate::harness::{Ebbtide, machine};

#[test]
fn replicas_are_there_in_their_window_and_not_outside_of_it() {
    let _machine = machine();
    // All year but for its last minute, and that minute.
    let (always, never) = (
        ("0 0 1 1 *", "59 23 31 12 *"),
        ("59 23 31 12 *", "0 0 1 1 *"),
    );
    for ((start, end), replicas) in [(always, 2), (never, 0)] {
        let cron = format!(
            "{{type: cron, metadata: {{timezone: Europe/Berlin, start: '{start}', end: '{end}', \
             desiredReplicas: '2'}}}}"
        );
        let document = worker("[]", "command: [sleep, '1000']", &cron);
        let ebbtide = Ebbtide::up(&[("worker.yaml", &document)]);
        until_ready(&ebbtide, replicas);
        until_read(&ebbtide, if replicas > 0 { 2.0 } else { 0.0 });
        let state = rule(&ebbtide)["state"].clone();
        assert_eq!(state, if replicas > 0 { "active" } else { "idle" });
    }
}
