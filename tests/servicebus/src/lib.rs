//! A stand-in for Azure Service Bus, for tests: a namespace on a port of this machine, with TLS,
//! shared access signatures, the management interface (ATOM) and the REST interface for messages.
//!
//! It follows Microsoft's documentation of these interfaces and what Microsoft's clients read and
//! expect. It has never been compared with the service itself. Two of those clients prove it: the
//! Rust crate `azure_messaging_servicebus` in `tests/client`, and the administration client of
//! Python's `azure-servicebus` in `prove`.
//!
//! ```text
//! STAND_IN_KEY=some-key servicebus-stand-in --authority ca.pem --queue orders \
//!     --key RootManageSharedAccessKey=STAND_IN_KEY
//! listening on 127.0.0.1:41529
//! ```
//!
//! A client finds it as `https://localhost:PORT`, as `https://127.0.0.1:PORT`, or as
//! `https://ns.servicebus.windows.net` if it lets that name be resolved to the address.
//!
//! # What is modelled
//!
//! - Queues, topics and subscriptions: create, describe, update (with `If-Match`), list in pages,
//!   delete. A subscription gets every message of its topic.
//! - `CountDetails`: active messages are those that can be received and those that are locked.
//!   `MessageCount` is the sum of active, dead-letter and scheduled ones. A scheduled message of a
//!   topic counts for the topic until it is due.
//! - Send, peek-lock, receive and delete, complete, unlock, renew; waiting for a message; broker
//!   properties and properties of the sender's own.
//! - Locks that end, delivery counts, dead letters after `MaxDeliveryCount` deliveries or (where
//!   the entity says so) after the time to live, and receiving from `$DeadLetterQueue`.
//! - Messages that are scheduled, and messages that expire.
//! - Tokens: signature, expiry, what the resource covers, and the rights Manage, Send and Listen.
//! - Quotas: messages and bytes of an entity, and 256 KiB for a message (403).
//!
//! An entity that is missing is answered in the service's several ways: its description with 200
//! and a feed of nothing (what clients take for "not found"; with `--missing-is-404` it is 404),
//! its deletion and a list of its subscriptions with 404, its messages with 410.
//!
//! # What is not
//!
//! AMQP, and with it everything that clients do over AMQP only: batches received at once, deferral,
//! peeking without a lock. Nor sessions, transactions, duplicate detection, forwarding, rules and
//! filters, batches that are sent, transfer queues (their counts are 0), deletion of idle entities,
//! partitions, Entra ID tokens, throttling, and versions of the interface: `api-version` is not
//! looked at. A description that asks for sessions, duplicate detection or forwarding is refused, as
//! is a batch. Nothing is kept beyond the end of the process.
//!
//! # Faults
//!
//! `PUT /$standin/fault` with `{"fault":"hang"}`, or with `slow` (and `milliseconds`), `cut-body`,
//! `large-body` (10 MiB), `nonsense-xml` or `status` (and a `status`), and optionally `path` (only
//! paths that begin so) and `times` (only so many requests); `DELETE /$standin/fault` ends it.
//! `PUT /$standin/certificate` with `{"certificate":"unknown-authority"}`, or `wrong-name`,
//! `expired` or `good`, is for connections from then on. `GET /$standin/counters` tells what came
//! in. These need no token and no fault strikes them.

pub mod broker;
pub mod clock;
mod iso8601;
pub mod sas;
pub mod server;
pub mod tls;
