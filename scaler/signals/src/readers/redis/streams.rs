//! The entries of a stream.

mod group;

use redis::{Value, cmd};

use self::group::{Group, Lag};
use super::answer::{Failed, count, field, is_no_such_key};
use super::server::Server;
use super::settings::Settings;
use crate::amount::{Amount, Flow};
use crate::parameters::Parameters;
use crate::readers::{Context, Reader, Reading};
use ebbtide_brokers::error::ReadError;

const STREAM: &str = "stream";
const GROUP: &str = "consumerGroup";
const LAG: &str = "lagCount";
const LENGTH: &str = "streamLength";
/// The length for one replica, if the rule does not say.
const DEFAULT_LENGTH: f64 = 5.0;

struct Stream {
    server: Server,
    name: String,
    counted: Counted,
    /// Whether the stream's own description is worth asking for: it has two entries in it, which may
    /// be too long.
    is_describable: bool,
}

/// Which entries count.
enum Counted {
    All,
    /// Those of a group that are not acknowledged.
    Pending(String),
    /// Those that a group has not had.
    Lag(String),
}

/// A reader for these parameters.
///
/// # Errors
/// Targets that say nothing, or places or TLS settings that cannot be.
pub(in crate::readers) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let given = |key| parameters.text(key).is_some();
    let counted = match parameters.text(GROUP).map(str::to_owned) {
        None => Counted::All,
        Some(group) if given(LAG) => Counted::Lag(group),
        Some(_) if !given("pendingEntriesCount") && has_length(parameters) => {
            let message = "says nothing beside consumerGroup; give lagCount or pendingEntriesCount, or \
                           leave consumerGroup out";
            return Err(ReadError::of(LENGTH, message));
        }
        Some(group) => Counted::Pending(group),
    };
    Ok(Box::new(Stream {
        server: Server::of(Settings::of(parameters, context)?),
        name: parameters.required(STREAM)?.to_owned(),
        counted,
        is_describable: true,
    }))
}

/// Whether the rule has a length of its own.
fn has_length(parameters: &Parameters) -> bool {
    let length = parameters.number(LENGTH);
    length.is_some_and(|length| (length - DEFAULT_LENGTH).abs() > f64::EPSILON)
}

impl Reader for Stream {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.amount())
    }
}

impl Stream {
    async fn amount(&mut self) -> Result<Amount, ReadError> {
        match &self.counted {
            Counted::All => self.all().await,
            Counted::Pending(group) => {
                let group = group.clone();
                self.pending(&group).await
            }
            Counted::Lag(group) => {
                let group = group.clone();
                self.lag(&group).await
            }
        }
    }

    /// All entries of the stream.
    async fn all(&mut self) -> Result<Amount, ReadError> {
        Ok(Amount {
            value: self.length().await?,
            arrivals: self.added().await?.map(Flow::Total),
            ..Amount::default()
        })
    }

    async fn pending(&mut self, name: &str) -> Result<Amount, ReadError> {
        let Some(groups) = self.groups().await? else {
            let message = format!("there is no stream {}", self.name);
            return Err(ReadError::of(STREAM, message));
        };
        let group = self.found(&groups, name)?.ok_or_else(|| {
            let message = format!("the stream {} has no group {name}", self.name);
            ReadError::of(GROUP, message)
        })?;
        Ok(group.amount(group.pending))
    }

    async fn lag(&mut self, name: &str) -> Result<Amount, ReadError> {
        let Some(groups) = self.groups().await? else {
            return Ok(Amount::from(0.0));
        };
        // Who comes with a group later can take all of the stream.
        let Some(group) = self.found(&groups, name)? else {
            return self.all().await;
        };
        let lag = match group.lag {
            Lag::Entries(lag) => lag,
            Lag::Unknown => self.lag_at_most(&group).await?,
            Lag::Untold => {
                let message = "needs Redis 7, and this server does not tell the lag of a group; give \
                               pendingEntriesCount, or streamLength without consumerGroup";
                return Err(ReadError::of(LAG, message));
            }
        };
        Ok(group.amount(lag))
    }

    /// What Redis says of the groups; none if there is no such stream.
    async fn groups(&mut self) -> Result<Option<Value>, ReadError> {
        match self.ask("XINFO", &["GROUPS", &self.name.clone()]).await {
            Ok(groups) => Ok(Some(groups)),
            Err(Failed::Refused(error)) if is_no_such_key(&error) => Ok(None),
            Err(failed) => Err(self.error(failed)),
        }
    }

    fn found(&self, groups: &Value, name: &str) -> Result<Option<Group>, ReadError> {
        Group::find(groups, name).map_err(|()| self.server.nonsense())
    }

    /// The lag of a group of which Redis knows none, since entries were deleted or the group did not
    /// begin at the start: as much as it can be, but nothing if nothing is left for the group.
    async fn lag_at_most(&mut self, group: &Group) -> Result<f64, ReadError> {
        let (name, after) = (self.name.clone(), format!("({}", group.last));
        match self
            .ask("XRANGE", &[&name, &after, "+", "COUNT", "1"])
            .await
        {
            Ok(Value::Array(entries)) if entries.is_empty() => return Ok(0.0),
            Ok(Value::Array(_)) | Err(Failed::TooLong) => {}
            Ok(_) => return Err(self.server.nonsense()),
            Err(failed) => return Err(self.error(failed)),
        }
        let length = self.length().await?;
        let taken = group.taken.zip(self.added().await?);
        let left = taken.map(|(taken, added)| (added - taken).max(1.0));
        Ok(left.map_or(length, |left| left.min(length)))
    }

    async fn length(&mut self) -> Result<f64, ReadError> {
        let answer = self.ask("XLEN", &[&self.name.clone()]).await;
        let length = answer.map_err(|failed| self.error(failed))?;
        count(&length).ok_or_else(|| self.server.nonsense())
    }

    /// How many entries there ever were, if it is known: Redis 7 does.
    async fn added(&mut self) -> Result<Option<f64>, ReadError> {
        if !self.is_describable {
            return Ok(None);
        }
        match self.ask("XINFO", &["STREAM", &self.name.clone()]).await {
            Ok(described) => Ok(field(&described, "entries-added").and_then(count)),
            Err(Failed::Refused(_)) => Ok(None),
            Err(Failed::TooLong) => {
                self.is_describable = false;
                Ok(None)
            }
            Err(Failed::Lost(error)) => Err(error),
        }
    }

    async fn ask(&mut self, command: &str, arguments: &[&str]) -> Result<Value, Failed> {
        let mut asked = cmd(command);
        for argument in arguments {
            asked.arg(*argument);
        }
        self.server.ask(&asked).await
    }

    fn error(&self, failed: Failed) -> ReadError {
        match failed {
            Failed::Refused(error) if error.code() == "WRONGTYPE" => {
                let message = format!("{} is no stream; use redis for a list", self.name);
                ReadError::of(STREAM, message)
            }
            failed => self.server.error(failed),
        }
    }
}
