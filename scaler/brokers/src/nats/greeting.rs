//! What a server says before anything else.

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::decoder::{Decoder, Operation};
use crate::error::ReadError;

/// What a server said of itself. That comes before TLS.
#[derive(Debug)]
pub struct Greeting {
    information: Information,
    /// What it said after that.
    pub(super) decoder: Decoder,
}

#[derive(Debug, Deserialize)]
struct Information {
    server_id: String,
    client_id: u64,
    #[serde(default)]
    tls_required: bool,
}

impl Greeting {
    /// Hears it on a stream on which nothing was said yet.
    ///
    /// # Errors
    /// Whoever listens there is no NATS server, or closes the connection.
    pub async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Result<Self, ReadError> {
        let mut decoder = Decoder::default();
        let first = loop {
            if let Some(first) = decoder.operation().map_err(|_| nobody())? {
                break first;
            }
            read(stream, &mut decoder).await?;
        };
        let information = match first {
            Operation::Info(text) => serde_json::from_str(&text).map_err(|_| nobody())?,
            Operation::Err(why) => return Err(refusal(&why)),
            _ => return Err(nobody()),
        };
        Ok(Self {
            information,
            decoder,
        })
    }

    /// Whether the server takes nobody without TLS.
    pub fn requires_tls(&self) -> bool {
        self.information.tls_required
    }

    /// The same, where TLS begins next. What was said without it could be anybody's.
    ///
    /// # Errors
    /// The server goes on without TLS.
    pub fn before_tls(self) -> Result<Self, ReadError> {
        if self.decoder.is_empty() {
            return Ok(self);
        }
        Err(ReadError::new("NATS: the server goes on without TLS"))
    }

    /// A subject that no other connection has.
    pub(super) fn inbox(&self) -> String {
        let Information {
            server_id,
            client_id,
            ..
        } = &self.information;
        format!("_INBOX.{server_id}.{client_id}")
    }
}

/// Takes what comes next. Nothing is lost if it is given up.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    decoder: &mut Decoder,
) -> Result<(), ReadError> {
    match stream.read_buf(decoder.room()).await {
        Ok(0) => Err(ReadError::new("NATS has closed the connection")),
        Ok(_) => Ok(()),
        Err(error) => Err(ReadError::new(format!("NATS: {error}"))),
    }
}

/// What a server says when it does not do what it was asked for; it closes the connection then, mostly.
pub(super) fn refusal(why: &str) -> ReadError {
    ReadError::new(format!("NATS refuses: {why}"))
}

fn nobody() -> ReadError {
    ReadError::new("NATS: whoever listens there is no NATS server")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "INFO {\"server_id\":\"S\",\"client_id\":5,\"tls_required\":true} \r\n";

    async fn heard(text: &str) -> Result<Greeting, String> {
        let greeting = Greeting::hear(&mut text.as_bytes()).await;
        greeting.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_server_says_who_it_is() {
        let greeting = heard(INFO).await.unwrap();
        assert_eq!(greeting.inbox(), "_INBOX.S.5");
        assert!(greeting.requires_tls());
        assert!(greeting.before_tls().is_ok());
        let other = "INFO {\"server_id\":\"S\",\"client_id\":5,\"max_payload\":9}\r\n";
        assert!(!heard(other).await.unwrap().requires_tls());
    }

    #[tokio::test]
    async fn what_is_said_before_tls_is_refused() {
        for more in ["PING\r\n", "P"] {
            let greeting = heard(&format!("{INFO}{more}")).await.unwrap();
            let error = greeting.before_tls().unwrap_err().to_string();
            assert_eq!(error, "NATS: the server goes on without TLS");
        }
    }

    #[tokio::test]
    async fn who_greets_otherwise_is_no_server() {
        let nobody = "NATS: whoever listens there is no NATS server";
        for (text, expected) in [
            ("", "NATS has closed the connection"),
            ("INFO {", "NATS has closed the connection"),
            (
                "-ERR 'maximum connections exceeded'\r\n",
                "NATS refuses: 'maximum connections exceeded'",
            ),
            ("SSH-2.0-OpenSSH_9.2p1\r\n", nobody),
            ("INFO {}\r\n", nobody),
            ("INFO 5\r\n", nobody),
            ("PING\r\n", nobody),
        ] {
            assert_eq!(heard(text).await.err().unwrap(), expected, "{text:?}");
        }
    }
}
