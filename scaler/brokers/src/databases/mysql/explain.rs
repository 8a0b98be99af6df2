//! What is wrong, by the key that would mend it.

use mysql_async::{DriverError, Error, IoError, ServerError};
use tokio_rustls::rustls;

use crate::connect::{ANOTHER_ISSUER, found, is_of_another_issuer};
use crate::databases::Keys;
use crate::error::ReadError;

/// What the client says of a message that is longer than it takes in.
const TOO_LONG: &str = "Packet is larger than max_allowed_packet";

/// What an error means; `key` is that of what was tried. Nothing in it is a secret: the server does not
/// know the password, and the client does not say it.
pub fn explain(error: &Error, keys: Keys, key: &'static str, has_ca: bool) -> ReadError {
    if is_of_another_issuer(error) && has_ca {
        return ReadError::of("ca", ANOTHER_ISSUER);
    }
    if let Some(why) = found::<rustls::Error>(error) {
        return ReadError::of(keys.tls, format!("TLS: {why}"));
    }
    match error {
        Error::Server(said) => by_server(said, keys, key),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            ReadError::of(keys.tls, "the server does not support TLS")
        }
        Error::Driver(
            why @ (DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::UnknownAuthPlugin { .. }),
        ) => ReadError::of(keys.password, why),
        Error::Driver(why) => ReadError::of(key, why),
        // The client's own type for this cannot be named.
        Error::Io(IoError::Io(why)) if why.to_string() == TOO_LONG => {
            ReadError::of(key, "the answer has more than 4 MiB, which is not read")
        }
        Error::Io(IoError::Io(why)) => ReadError::of(keys.host, why),
        Error::Io(IoError::Tls(why)) => ReadError::of(keys.tls, why),
        Error::Other(_) | Error::Url(_) => ReadError::of(key, "the client cannot go on"),
    }
}

fn by_server(said: &ServerError, keys: Keys, key: &'static str) -> ReadError {
    let key = match said.code {
        // Access denied, to the server or to the database.
        1044 | 1045 | 1251 | 1698 | 1862 => keys.password,
        1049 => keys.database,
        // Too many connections, or none from here.
        1040 | 1129 | 1130 | 1203 => keys.host,
        // A connection that is not secure.
        3159 | 4151 => keys.tls,
        // What writes.
        1290 | 1792 | 1836 => {
            let message = format!("may only read, and the server says: {}", said.message);
            return ReadError::of(key, message);
        }
        _ => key,
    };
    ReadError::of(key, format!("the server says: {}", said.message))
}
