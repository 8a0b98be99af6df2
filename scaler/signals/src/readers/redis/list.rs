//! The length of a list, set, hash or sorted set.

use redis::{Value, cmd};

use super::answer::{count, text};
use super::server::Server;
use super::settings::Settings;
use crate::amount::Amount;
use crate::parameters::Parameters;
use crate::readers::{Context, Reader, Reading};
use ebbtide_brokers::error::ReadError;

const NAME: &str = "listName";

struct List {
    server: Server,
    name: String,
}

/// A reader for these parameters.
///
/// # Errors
/// Places or TLS settings that cannot be.
pub(in crate::readers) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    Ok(Box::new(List {
        server: Server::of(Settings::of(parameters, context)?),
        name: parameters.required(NAME)?.to_owned(),
    }))
}

impl Reader for List {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.length())
    }
}

impl List {
    async fn length(&mut self) -> Result<Amount, ReadError> {
        let kind = self.ask("TYPE").await?;
        let Some(kind) = text(&kind) else {
            return Err(self.server.nonsense());
        };
        let command = match kind {
            "none" => return Ok(Amount::from(0.0)),
            "list" => "LLEN",
            "set" => "SCARD",
            "hash" => "HLEN",
            "zset" => "ZCARD",
            "stream" => {
                let message = format!("{} is a stream; use redis-streams for it", self.name);
                return Err(ReadError::of(NAME, message));
            }
            other => {
                let message = format!(
                    "{} is of the type {other}, which has no length; give a list, set, hash or \
                     sorted set",
                    self.name
                );
                return Err(ReadError::of(NAME, message));
            }
        };
        let length = self.ask(command).await?;
        let length = count(&length).ok_or_else(|| self.server.nonsense())?;
        Ok(Amount::from(length))
    }

    async fn ask(&mut self, command: &str) -> Result<Value, ReadError> {
        let mut asked = cmd(command);
        asked.arg(&self.name);
        let answer = self.server.ask(&asked).await;
        answer.map_err(|failed| self.server.error(failed))
    }
}
