//! `rabbitmq`: the messages of a queue, or their rates, from the management plugin or by AMQP.

mod address;
mod amqp;
mod counts;
mod management;
mod number;

use std::time::Duration;

use ebbtide_core::scaler;
use tokio::time::timeout;

use self::address::Address;
use self::amqp::Amqp;
use self::counts::Counts;
use self::management::Management;
use self::number::{Mode, Number};
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::connect::TlsSettings;
use ebbtide_brokers::error::ReadError;

const HOST: &str = "host";
const QUEUE: &str = "queueName";
const TIMEOUT: &str = "timeout";

struct RabbitMq {
    server: Server,
    number: Number,
    timeout: Option<Duration>,
}

enum Server {
    Management(Box<Management>),
    Amqp(Box<Amqp>),
}

/// A reader for these parameters.
///
/// # Errors
/// An address that is none, what only the management plugin can do of AMQP, or TLS settings that cannot
/// be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let address = Address::of(parameters)?;
    let number = Number::of(parameters);
    let tls = TlsSettings {
        ca: parameters.text("ca"),
        cert: parameters.text("cert"),
        key: parameters.text("key"),
        any_server: parameters.flag("unsafeSsl"),
    };
    let server = if address.is_http {
        let management = Management::of(parameters, context, address, &tls)?;
        Server::Management(Box::new(management))
    } else {
        only_messages_that_wait(parameters, &number)?;
        Server::Amqp(Box::new(Amqp::of(parameters, context, address, &tls)?))
    };
    Ok(Box::new(RabbitMq {
        server,
        number,
        timeout: parameters.text(TIMEOUT).and_then(duration),
    }))
}

/// Checks that no more is asked for than AMQP can say.
fn only_messages_that_wait(parameters: &Parameters, number: &Number) -> Result<(), ReadError> {
    let key = if number.mode != Mode::QueueLength {
        "mode"
    } else if parameters.flag("useRegex") {
        "useRegex"
    } else if parameters.flag("excludeUnacknowledged") {
        "excludeUnacknowledged"
    } else {
        return Ok(());
    };
    let message =
        "asks for what AMQP does not say; give the management plugin's http address as host";
    Err(ReadError::of(key, message))
}

/// A time that is milliseconds without a unit.
fn duration(text: &str) -> Option<Duration> {
    let milliseconds = text.parse().ok().map(Duration::from_millis);
    milliseconds.or_else(|| scaler::duration(text))
}

impl Reader for RabbitMq {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.amount())
    }
}

impl RabbitMq {
    async fn amount(&mut self) -> Result<Amount, ReadError> {
        let counting = self.server.counts();
        let counts = match self.timeout {
            Some(time) => timeout(time, counting).await.unwrap_or_else(|_| {
                let milliseconds = time.as_millis();
                let message = format!("there was no answer within {milliseconds} ms");
                Err(ReadError::of(TIMEOUT, message))
            }),
            None => counting.await,
        };
        Ok(self.number.amount(&counts?))
    }
}

impl Server {
    async fn counts(&mut self) -> Result<Counts, ReadError> {
        match self {
            Self::Management(management) => management.counts().await,
            Self::Amqp(amqp) => amqp.counts().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_unit_is_milliseconds() {
        for (text, expected) in [
            ("1500", Some(1500)),
            ("2s", Some(2000)),
            ("250ms", Some(250)),
            ("soon", None),
        ] {
            assert_eq!(
                duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }
}
