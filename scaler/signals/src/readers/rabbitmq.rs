//! `rabbitmq`: messages and rates of queues, by the management plugin or by AMQP.

mod address;
mod amqp;
mod management;

use super::{Context, Reader};
use crate::connect::TlsSettings;
use crate::error::ReadError;
use crate::parameters::Parameters;
use address::Address;

const HOST: &str = "host";
const QUEUE: &str = "queueName";

/// A reader for these parameters.
///
/// # Errors
/// An address that is none, TLS settings that cannot be, or a mode that the protocol does not have.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let address = Address::of(parameters)?;
    if address.is_http {
        return management::open(parameters, context, &address);
    }
    let mode = parameters.word("mode").unwrap_or_default();
    if mode != "queuelength" {
        let message = format!("{mode} needs the management plugin, an http:// address in host");
        return Err(ReadError::of("mode", message));
    }
    if parameters.flag("useRegex") {
        let message = "needs the management plugin, an http:// address in host";
        return Err(ReadError::of("useRegex", message));
    }
    amqp::open(parameters, context, address)
}

fn tls(parameters: &Parameters) -> TlsSettings<'_> {
    TlsSettings {
        ca: parameters.text("ca"),
        cert: parameters.text("cert"),
        key: parameters.text("key"),
        any_server: parameters.flag("unsafeSsl"),
    }
}
