//! Connections of which each carries one message at a time.

use std::cell::RefCell;

use tokio::sync::Semaphore;

use super::Failed;
use crate::plan::Table;
use crate::record::outcome::FailureKind;

/// A connection that inserts.
pub(super) trait Insert: Sized {
    /// Connects. Fails with the reason, in words.
    async fn open(table: &Table) -> Result<Self, String>;

    /// Inserts a message. After a [`FailureKind::Reset`] the connection is of no use any more.
    async fn insert(&mut self, marker: &str, body: &[u8]) -> Result<(), Failed>;
}

/// Several of these. A message that finds none free waits for one, the first that waits gets it.
pub(super) struct Pool<C> {
    table: Table,
    /// The one that was used last is the next.
    free: RefCell<Vec<C>>,
    /// A permit for each connection.
    places: Semaphore,
}

impl<C: Insert> Pool<C> {
    /// Opens all of them. Fails with the reason, in words.
    pub(super) async fn open(table: &Table) -> Result<Self, String> {
        let mut free = Vec::new();
        for _ in 0..table.connections.get() {
            free.push(C::open(table).await?);
        }
        Ok(Self {
            table: table.clone(),
            free: RefCell::new(free),
            places: Semaphore::new(table.connections.get()),
        })
    }

    /// Inserts a message once a connection is free. One that was lost is opened again first.
    pub(super) async fn send(&self, marker: &str, body: &[u8]) -> Result<(), Failed> {
        let lost = |why: String| (FailureKind::Connect, why);
        let place = self.places.acquire().await;
        let _place = place.map_err(|closed| lost(closed.to_string()))?;
        let free = self.free.borrow_mut().pop();
        let mut connection = match free {
            Some(connection) => connection,
            None => C::open(&self.table).await.map_err(lost)?,
        };
        // Who gives the message up in here drops the connection too: the answer would be taken for the next one's.
        let inserted = connection.insert(marker, body).await;
        if !matches!(inserted, Err((FailureKind::Reset, _))) {
            self.free.borrow_mut().push(connection);
        }
        inserted
    }
}

#[cfg(test)]
mod tests;
