//! What reads the number of each scaler.

mod azure_queue;
mod azure_servicebus;
mod cron;
mod endpoint;
mod external;
mod kafka;
mod metrics_api;
mod mysql;
mod nats_jetstream;
mod postgresql;
mod prometheus;
mod rabbitmq;
mod redis;

use std::pin::Pin;
use std::sync::Arc;

use ebbtide_core::document::ScaleRule;
use ebbtide_core::trigger::reach::Reach;
use tokio::time::timeout;

use crate::amount::Amount;
use crate::clock::WallClock;
use crate::parameters::{Lookup, Parameters};
use crate::source::{self, DEADLINE};
use ebbtide_brokers::connect::Connect;
use ebbtide_brokers::error::ReadError;

/// What readers have of this process.
#[derive(Clone)]
pub(crate) struct Context {
    /// How they connect.
    pub(crate) connect: Connect,
    /// The clock.
    pub(crate) clock: Arc<dyn WallClock>,
}

/// Reads the number of one source.
///
/// Making one connects to nothing: that is the first read's task. After a read that failed or was
/// given up the reader is thrown away, and the next read is another one's, so that a reader need not
/// mend its connection.
pub(crate) trait Reader: Send {
    /// Reads the number now. Dropped when it takes too long.
    fn read(&mut self) -> Reading<'_>;

    /// Ends when it is worth reading before the interval is over, as when the server said so. Cancel
    /// safe. Most readers hear nothing.
    fn hears(&mut self) -> Hearing<'_> {
        Box::pin(std::future::pending())
    }
}

/// A read that goes on.
pub(crate) type Reading<'r> = Pin<Box<dyn Future<Output = Result<Amount, ReadError>> + Send + 'r>>;

/// Waiting for a word of the server.
pub(crate) type Hearing<'r> = Pin<Box<dyn Future<Output = ()> + Send + 'r>>;

/// The reader for what these parameters name.
///
/// # Errors
/// A parameter that cannot be, beyond what its key's kind demands.
pub(crate) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    match parameters.scaler().name() {
        "azure-queue" => azure_queue::open(parameters, context),
        "azure-servicebus" => azure_servicebus::open(parameters, context),
        "cron" => cron::open(parameters, context),
        "external" => external::open(parameters, context, false),
        "external-push" => external::open(parameters, context, true),
        "kafka" => kafka::open(parameters, context),
        "metrics-api" => metrics_api::open(parameters, context),
        "mysql" => mysql::open(parameters, context),
        "nats-jetstream" => nats_jetstream::open(parameters, context),
        "postgresql" => postgresql::open(parameters, context),
        "prometheus" => prometheus::open(parameters, context),
        "rabbitmq" => rabbitmq::open(parameters, context),
        "redis" | "redis-cluster" | "redis-sentinel" => redis::open_list(parameters, context),
        "redis-cluster-streams" | "redis-sentinel-streams" | "redis-streams" => {
            redis::open_stream(parameters, context)
        }
        other => Err(ReadError::new(format!("{other} has no reader"))),
    }
}

/// Reads the number of a rule once, within the time that a read may take.
///
/// # Errors
/// The rule is of no scaler that is read, or as [`Parameters::resolve`], or the read fails.
pub async fn read_once(
    rule: &ScaleRule,
    lookup: &dyn Lookup,
    clock: Arc<dyn WallClock>,
    reach: Option<Arc<Reach>>,
) -> Result<Amount, ReadError> {
    let unread = || Err(ReadError::new(format!("{} has no reader", rule.scaler)));
    let parameters = Parameters::resolve(rule, lookup).unwrap_or_else(unread)?;
    let connect = reach.map_or_else(Connect::anywhere, Connect::within);
    let mut reader = open(&parameters, &Context { connect, clock })?;
    let read = timeout(DEADLINE, source::read(&mut *reader)).await;
    read.unwrap_or_else(|_| Err(source::too_late()))
}
