//! How brokers and databases are reached and spoken with: what readers of queues, the sample workers that take from
//! them and the load generator that puts into them share.

pub mod amqp;
pub mod azure;
pub mod connect;
pub mod databases;
pub mod error;
pub mod kafka;
pub mod nats;
