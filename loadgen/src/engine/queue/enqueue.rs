//! Enqueues, by a connection that is opened again when it breaks.
//!
//! Meanwhile messages fail at once: whoever waited would hide from the figures that the broker was away.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_local};
use tokio::time::sleep;

use super::Failed;
use super::broker::Sender;
use crate::plan::QueueTarget;
use crate::record::outcome::FailureKind;

/// How long until it is tried again to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// What enqueues.
pub(super) struct Enqueue {
    target: QueueTarget,
    connection: RefCell<Connection>,
}

enum Connection {
    /// With its number: a message that failed on an older one says nothing of it.
    Open(Sender, u64),
    Broken {
        why: String,
        opening: AbortHandle,
    },
}

impl Enqueue {
    /// Connects.
    pub(super) async fn open(target: &QueueTarget) -> Result<Rc<Self>, String> {
        let sender = Sender::open(target).await?;
        Ok(Rc::new(Self {
            target: target.clone(),
            connection: RefCell::new(Connection::Open(sender, 0)),
        }))
    }

    /// Enqueues a message; returns once the broker says that it has it.
    pub(super) async fn send(self: &Rc<Self>, marker: &str, body: Vec<u8>) -> Result<(), Failed> {
        let (sender, number) = self.sender()?;
        let sent = sender.send(marker, body).await;
        if let Err((FailureKind::Connect | FailureKind::Reset, why)) = &sent
            && !sender.connects_again()
        {
            self.broken(number, why);
        }
        sent
    }

    fn sender(&self) -> Result<(Sender, u64), Failed> {
        match &*self.connection.borrow() {
            Connection::Open(sender, number) => Ok((sender.clone(), *number)),
            Connection::Broken { why, .. } => {
                let why = format!("there is no connection: {why}");
                Err((FailureKind::Connect, why))
            }
        }
    }

    fn broken(self: &Rc<Self>, number: u64, why: &str) {
        let mut connection = self.connection.borrow_mut();
        if !matches!(&*connection, Connection::Open(_, open) if *open == number) {
            return;
        }
        let opening = spawn_local(open_again(Rc::downgrade(self), number + 1));
        *connection = Connection::Broken {
            why: why.to_owned(),
            opening: opening.abort_handle(),
        };
    }
}

impl Drop for Enqueue {
    fn drop(&mut self) {
        if let Connection::Broken { opening, .. } = self.connection.get_mut() {
            opening.abort();
        }
    }
}

async fn open_again(enqueue: Weak<Enqueue>, number: u64) {
    loop {
        let Some(target) = enqueue.upgrade().map(|enqueue| enqueue.target.clone()) else {
            return;
        };
        let opened = Sender::open(&target).await;
        let Some(enqueue) = enqueue.upgrade() else {
            return;
        };
        match (opened, &mut *enqueue.connection.borrow_mut()) {
            (Ok(sender), connection) => {
                *connection = Connection::Open(sender, number);
                return;
            }
            (Err(error), Connection::Broken { why, .. }) => *why = error,
            (Err(_), Connection::Open(..)) => return,
        }
        drop(enqueue);
        sleep(PAUSE).await;
    }
}
