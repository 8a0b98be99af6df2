//! What is wrong, by the key that would mend it.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};
use tokio_rustls::rustls;

use crate::connect::{ANOTHER_ISSUER, found, is_of_another_issuer};
use crate::databases::Keys;
use crate::error::ReadError;

/// What an error of a connection or a question means. Nothing in it is a secret: the server does not
/// know the password, and the client does not say it.
pub fn explain(error: &Error, keys: Keys, has_ca: bool) -> ReadError {
    if let Some(said) = error.as_db_error() {
        return by_server(said, keys);
    }
    if is_of_another_issuer(error) && has_ca {
        return ReadError::of("ca", ANOTHER_ISSUER);
    }
    if let Some(why) = found::<rustls::Error>(error) {
        return ReadError::of(keys.tls, format!("TLS: {why}"));
    }
    let cause = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    // The client has no other way to tell these apart.
    let kind = error.to_string();
    let (key, message) = if kind.starts_with("authentication error") {
        (keys.password, cause)
    } else if kind.starts_with("error performing TLS handshake") {
        (keys.tls, cause)
    } else {
        (keys.host, cause)
    };
    ReadError::of(key, message)
}

fn by_server(said: &DbError, keys: Keys) -> ReadError {
    let message = said.message();
    let code = said.code();
    let is_of_login = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
    ]
    .contains(code);
    if is_of_login {
        return ReadError::of(keys.password, format!("the server says: {message}"));
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return ReadError::of(keys.database, format!("the server says: {message}"));
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        let message = format!("may only read, and the server says: {message}");
        return ReadError::of("query", message);
    }
    // Classes of what is wrong with a connection or a server, whatever is asked.
    let is_of_server = ["08", "53", "57P", "58", "XX"];
    let is_of_server = is_of_server
        .iter()
        .any(|class| code.code().starts_with(class));
    let key = if is_of_server { keys.host } else { "query" };
    ReadError::of(key, format!("the server says: {message}"))
}
