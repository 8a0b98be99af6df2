//! The server that has a key: the one that a rule names, or the one that this one refers to.

use std::time::Duration;

use redis::{Cmd, ServerError, Value, cmd};
use tokio::time::timeout;

use super::answer::{Failed, text};
use super::connection::Connection;
use super::login::Login;
use super::place::Place;
use super::settings::{Settings, Topology};
use ebbtide_brokers::error::ReadError;

/// How often a node may refer to another before an answer.
const REDIRECTS: usize = 5;
/// How long one place may take to let in, if there is another.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The server that has a key.
pub(super) struct Server {
    settings: Settings,
    /// Nothing before the first command, and after one that had no answer.
    open: Option<Connection>,
}

impl Server {
    /// One that is not connected to yet.
    pub(super) fn of(settings: Settings) -> Self {
        Self {
            settings,
            open: None,
        }
    }

    /// The answer to a command, which has to be about the one key.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn ask(&mut self, command: &Cmd) -> Result<Value, Failed> {
        let open = self.open.take();
        let mut connection = match open.and_then(Connection::unless_over) {
            Some(open) => open,
            None => self.begin().await?,
        };
        for _ in 0..=REDIRECTS {
            let answer = connection.ask(command).await;
            let is_usable = matches!(answer, Ok(_) | Err(Failed::Refused(_)));
            let Some(referred) = self.referred(&answer, &connection.place) else {
                self.open = is_usable.then_some(connection);
                return answer;
            };
            let (referral, place) = referred?;
            let mut next =
                Connection::open(&self.settings.way, place, &self.settings.login).await?;
            match referral {
                Referral::ForGood => connection = next,
                Referral::Once => {
                    next.ask(&cmd("ASKING")).await?;
                    let answer = next.ask(command).await;
                    if self.referred(&answer, &next.place).is_none() {
                        self.open = Some(connection);
                        return answer;
                    }
                }
            }
        }
        let message = format!("the nodes of the cluster refer to one another, {REDIRECTS} times");
        Err(ReadError::of(self.settings.way.key, message).into())
    }

    /// Where a node of a cluster refers to.
    fn referred(
        &self,
        answer: &Result<Value, Failed>,
        from: &Place,
    ) -> Option<Result<(Referral, Place), ReadError>> {
        match (answer, &self.settings.topology) {
            (Err(Failed::Refused(error)), Topology::Cluster) => {
                let found = referral(error, from)?;
                Some(found.ok_or_else(|| {
                    let message = format!("{from} refers to a node without saying where it is");
                    ReadError::of(self.settings.way.key, message)
                }))
            }
            _ => None,
        }
    }

    /// A connection to begin with: to the first place that lets in.
    async fn begin(&self) -> Result<Connection, ReadError> {
        let mut last = None;
        for place in &self.settings.places {
            let beginning = self.begin_at(place.clone());
            let begun = if self.settings.places.len() == 1 {
                beginning.await
            } else {
                timeout(PATIENCE, beginning).await.unwrap_or_else(|_| {
                    let milliseconds = PATIENCE.as_millis();
                    let message = format!("{place} does not answer within {milliseconds} ms");
                    Err(ReadError::of(self.settings.way.key, message))
                })
            };
            match begun {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| ReadError::of(self.settings.way.key, "names no server")))
    }

    async fn begin_at(&self, place: Place) -> Result<Connection, ReadError> {
        let Settings { way, login, .. } = &self.settings;
        match &self.settings.topology {
            Topology::Single => Connection::open(way, place, login).await,
            Topology::Cluster => {
                let mut node = Connection::open(way, place, login).await?;
                // Whether it answers is found out while there are other nodes to ask.
                match node.ask(&cmd("PING")).await {
                    Ok(_) | Err(Failed::Refused(_)) => Ok(node),
                    Err(failed) => Err(self.error(failed)),
                }
            }
            Topology::Sentinel { master, login } => {
                let mut sentinel = Connection::open(way, place, login).await?;
                let place = master_of(&mut sentinel, way.key, master, login).await?;
                Connection::open(way, place, &self.settings.login).await
            }
        }
    }

    /// The error that a failure comes down to, if what the server refused is no one key's.
    pub(super) fn error(&self, failed: Failed) -> ReadError {
        let Settings { way, login, .. } = &self.settings;
        match failed {
            Failed::Refused(error) => login.refusal(way.key, &error),
            Failed::TooLong => ReadError::of(way.key, "the answer is longer than what is read"),
            Failed::Lost(error) => error,
        }
    }

    /// What is said of an answer that is not what was asked for.
    pub(super) fn nonsense(&self) -> ReadError {
        let message = "what the server answers is not what was asked for";
        ReadError::of(self.settings.way.key, message)
    }
}

/// Where a sentinel says that a master is.
async fn master_of(
    sentinel: &mut Connection,
    key: &'static str,
    master: &str,
    login: &Login,
) -> Result<Place, ReadError> {
    let mut command = cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let answer = match sentinel.ask(&command).await {
        Ok(answer) => answer,
        Err(Failed::Refused(error)) => return Err(login.refusal(key, &error)),
        Err(Failed::TooLong) => return Err(sentinel.too_long()),
        Err(Failed::Lost(error)) => return Err(error),
    };
    let place = match &answer {
        Value::Nil => {
            let message = format!("the sentinel {} knows no master {master}", sentinel.place);
            return Err(ReadError::of("sentinelMaster", message));
        }
        Value::Array(parts) => match parts.as_slice() {
            [host, port] => text(host).zip(text(port)),
            _ => None,
        },
        _ => None,
    };
    let place = place.and_then(|(host, port)| Place::parse(&format!("{host}:{port}")));
    place.ok_or_else(|| sentinel.nonsense())
}

/// For how long a node refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Referral {
    /// The other has the key.
    ForGood,
    /// The key is on its way to the other.
    Once,
}

/// Where a node refers to, none if it does not; the inner one is none if that cannot be read.
#[expect(
    clippy::option_option,
    reason = "a referral that cannot be read is an error of its own"
)]
fn referral(error: &ServerError, from: &Place) -> Option<Option<(Referral, Place)>> {
    let referral = match error.code() {
        "MOVED" => Referral::ForGood,
        "ASK" => Referral::Once,
        _ => return None,
    };
    // A slot and a place.
    let mut words = error.details().unwrap_or_default().split(' ');
    let place = words
        .nth(1)
        .and_then(|place| match place.strip_prefix(':') {
            // A node that does not know its own name means that it is as this one's.
            Some(port) => Place::parse(&format!("{}:{port}", from.host)),
            None => Place::parse(place),
        });
    Some(place.map(|place| (referral, place)))
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn a_node_refers_to_another_for_good_or_once() {
        let from = Place::parse("10.0.0.1:6379").unwrap();
        let to = |referral, place| Some(Some((referral, Place::parse(place).unwrap())));
        for (said, expected) in [
            (
                "MOVED 3999 10.0.0.2:6381",
                to(Referral::ForGood, "10.0.0.2:6381"),
            ),
            ("ASK 3999 fd00::2:6381", to(Referral::Once, "fd00::2:6381")),
            ("MOVED 3999 :6381", to(Referral::ForGood, "10.0.0.1:6381")),
            ("MOVED 3999 ?:6381", Some(None)),
            ("MOVED 3999", Some(None)),
            ("MOVED", Some(None)),
            ("CLUSTERDOWN Hash slot not served", None),
        ] {
            let Ok(Value::ServerError(error)) =
                parse_redis_value(format!("-{said}\r\n").as_bytes())
            else {
                panic!("{said} is an error");
            };
            assert_eq!(referral(&error, &from), expected, "{said}");
        }
    }
}
