//! Real brokers, for the tests of what reads them.
//!
//! A test starts those it needs, each with ports and a folder of its own. When the value is
//! dropped, or the test process ends in whatever way, they and what they started end too.

pub(crate) mod server;
mod tool;

pub(crate) mod azurite;
pub(crate) mod kafka;
pub(crate) mod mariadb;
pub(crate) mod nats;
pub(crate) mod postgresql;
pub(crate) mod prometheus;
pub(crate) mod rabbitmq;
pub(crate) mod redis;
pub(crate) mod servicebus;
