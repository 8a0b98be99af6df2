//! The process groups that are alive.

use std::collections::BTreeMap;

use ebbtide_core::name::ReplicaName;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::watch;

/// The process groups that are alive, by their leader, and the replica each belongs to.
///
/// What the guardian has to know follows from it by comparison, so nothing is queued.
#[derive(Clone, Debug)]
pub(crate) struct Groups(watch::Sender<GroupTable>);

/// Group leader to replica.
pub(crate) type GroupTable = BTreeMap<u32, ReplicaName>;

impl Groups {
    /// None yet, and the way to see changes; it closes when the last `Groups` is dropped.
    pub(crate) fn new() -> (Self, watch::Receiver<GroupTable>) {
        let (sender, receiver) = watch::channel(GroupTable::new());
        (Self(sender), receiver)
    }

    /// Takes charge of the group that the child `leader` leads.
    pub(crate) fn adopt(&self, leader: Pid, replica: &ReplicaName) -> ProcessGroup {
        self.0.send_modify(|table| {
            table.insert(number(leader), replica.clone());
        });
        ProcessGroup {
            leader,
            groups: self.clone(),
        }
    }

    /// The leaders of each replica's groups.
    pub(crate) fn by_replica(&self) -> Vec<(ReplicaName, Vec<u32>)> {
        let mut replicas = BTreeMap::<ReplicaName, Vec<u32>>::new();
        for (leader, replica) in &*self.0.borrow() {
            replicas.entry(replica.clone()).or_default().push(*leader);
        }
        replicas.into_iter().collect()
    }
}

/// A process group that is killed when this is dropped.
///
/// Drop it before its leader is reaped: until then no other group can get its number.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Pid,
    groups: Groups,
}

impl ProcessGroup {
    /// The leader's process, which is the group's number too.
    pub(crate) fn leader(&self) -> Pid {
        self.leader
    }

    /// Sends `signal` to every process of the group. That there is none left is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.leader, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::debug!(leader = number(self.leader), ?signal, %error, "signal not sent");
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.groups.0.send_modify(|table| {
            table.remove(&number(self.leader));
        });
    }
}

/// The process as the number that people know it by.
pub(crate) fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}
