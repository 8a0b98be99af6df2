//! The pool with connections that answer as a test tells them.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::*;
use crate::plan::{Secret, TableTls};

/// How long an insertion takes.
const TIME: Duration = Duration::from_millis(10);

thread_local! {
    static OPENED: Cell<usize> = const { Cell::new(0) };
    static INSERTING: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

/// One whose insertions of `reset` and `refused` fail.
struct Fake {
    is_inserting: bool,
}

impl Insert for Fake {
    async fn open(_: &Table) -> Result<Self, String> {
        if REFUSES.get() {
            return Err("it is full".to_owned());
        }
        OPENED.set(OPENED.get() + 1);
        let is_inserting = false;
        Ok(Self { is_inserting })
    }

    async fn insert(&mut self, _: &str, body: &[u8]) -> Result<(), Failed> {
        assert!(!self.is_inserting, "one message at a time");
        self.is_inserting = true;
        INSERTING.set(INSERTING.get() + 1);
        MOST.set(MOST.get().max(INSERTING.get()));
        sleep(TIME).await;
        INSERTING.set(INSERTING.get() - 1);
        self.is_inserting = false;
        match body {
            b"reset" => Err((FailureKind::Reset, "it was closed".to_owned())),
            b"refused" => Err((FailureKind::Protocol, "it is too long".to_owned())),
            _ => Ok(()),
        }
    }
}

fn table(connections: usize) -> Table {
    Table {
        connection: Secret::new(String::new()),
        name: "orders".to_owned(),
        body: None,
        connections: NonZeroUsize::new(connections).unwrap(),
        tls: TableTls::default(),
    }
}

async fn pool(connections: usize) -> Pool<Fake> {
    OPENED.set(0);
    REFUSES.set(false);
    Pool::open(&table(connections)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn as_many_messages_as_connections_are_inserted_at_a_time() {
    let all = LocalSet::new();
    all.run_until(async {
        let pool = Rc::new(pool(3).await);
        let messages = (0..7).map(|_| {
            let pool = Rc::clone(&pool);
            spawn_local(async move { pool.send("m", b"").await })
        });
        let messages: Vec<_> = messages.collect();
        // Seven of them, three at a time.
        let in_time = timeout(TIME * 3 + TIME / 2, async {
            for message in messages {
                message.await.unwrap().unwrap();
            }
        });
        in_time.await.unwrap();
        assert_eq!(MOST.get(), 3);
        assert_eq!(OPENED.get(), 3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_is_opened_again() {
    let pool = pool(1).await;
    for (body, kind, opened) in [
        (&b"refused"[..], Some(FailureKind::Protocol), 1),
        (b"", None, 1),
        (b"reset", Some(FailureKind::Reset), 1),
        (b"", None, 2),
    ] {
        let failed = pool.send("m", body).await.err().map(|(kind, _)| kind);
        assert_eq!(failed, kind);
        assert_eq!(OPENED.get(), opened);
    }
    pool.send("m", b"reset").await.unwrap_err();
    REFUSES.set(true);
    let (kind, why) = pool.send("m", b"").await.unwrap_err();
    assert_eq!((kind, why.as_str()), (FailureKind::Connect, "it is full"));
    REFUSES.set(false);
    pool.send("m", b"").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_message_is_given_up_is_not_used_again() {
    let pool = pool(1).await;
    let given_up = timeout(TIME / 2, pool.send("m", b"")).await;
    assert!(given_up.is_err());
    pool.send("m", b"").await.unwrap();
    assert_eq!(OPENED.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_cannot_be_opened_says_why() {
    REFUSES.set(true);
    let refused = Pool::<Fake>::open(&table(2)).await.err();
    REFUSES.set(false);
    assert_eq!(refused.as_deref(), Some("it is full"));
}
