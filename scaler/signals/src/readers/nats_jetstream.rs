//! `nats-jetstream`: what is left for a consumer to do.

mod answer;
mod nodes;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;

use self::answer::{JetStream, Missing, Server};
use self::nodes::Nodes;
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::connect::{Http, TlsSettings};
use ebbtide_brokers::error::ReadError;

const ENDPOINT: &str = "natsServerMonitoringEndpoint";
const ACCOUNT: &str = "account";
const ACCOUNT_ID: &str = "accountID";
const STREAM: &str = "stream";
const CONSUMER: &str = "consumer";

/// How long one server of several may take.
const PATIENCE: Duration = Duration::from_secs(1);

struct NatsJetStream {
    http: Http,
    nodes: Nodes,
    wanted: Wanted,
    /// The node that led the consumer when it was last looked for.
    leader: Option<Leader>,
}

/// What is looked for.
struct Wanted {
    account_key: &'static str,
    account: String,
    stream: String,
    consumer: String,
}

/// A server that leads a consumer.
struct Leader {
    node: String,
    name: String,
}

/// What one of a cluster's servers is to the consumer.
enum Asked {
    Leads {
        name: String,
        amount: Result<Amount, ReadError>,
    },
    Follows,
    Lacks(Missing),
}

/// A reader for these parameters.
///
/// # Errors
/// An endpoint that is not a host and a port.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let account = answer::account(parameters.text(ACCOUNT), parameters.text(ACCOUNT_ID));
    let (account_key, account) = account.ok_or_else(|| ReadError::of(ACCOUNT, "is missing"))?;
    let nodes = Nodes::new(parameters.required(ENDPOINT)?, parameters.flag("useHttps"));
    Ok(Box::new(NatsJetStream {
        http: context.connect.http(ENDPOINT, &TlsSettings::default())?,
        nodes: nodes.map_err(|message| ReadError::of(ENDPOINT, message))?,
        wanted: Wanted {
            account_key,
            account,
            stream: parameters.required(STREAM)?.to_owned(),
            consumer: parameters.required(CONSUMER)?.to_owned(),
        },
        leader: None,
    }))
}

impl Reader for NatsJetStream {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.amount())
    }
}

impl NatsJetStream {
    async fn amount(&mut self) -> Result<Amount, ReadError> {
        if let Some(leader) = &self.leader {
            let answer = self.jet_stream(&leader.node).await?;
            let found = answer.find(&self.wanted);
            let found = found.map_err(|missing| missing.of(&self.wanted))?;
            if found.leader() == Some(leader.name.as_str()) {
                return found.amount();
            }
        }
        let endpoint = self.nodes.endpoint();
        let answer = self.jet_stream(&endpoint).await?;
        match answer.find(&self.wanted) {
            Ok(found) => match found.leader() {
                Some(leader) if answer.is_clustered() => self.search(Ok(leader)).await,
                _ => found.amount(),
            },
            // A server tells only of the streams that it keeps itself.
            Err(missing) if answer.is_clustered() => self.search(Err(missing)).await,
            Err(missing) => Err(missing.of(&self.wanted)),
        }
    }

    /// Asks the cluster's servers, of which one has named the leader or does not have what is wanted,
    /// until one leads the consumer.
    async fn search(&mut self, first: Result<&str, Missing>) -> Result<Amount, ReadError> {
        let server: Server = self.get(&self.nodes.endpoint(), "/varz", &[]).await?;
        let (mut missing, mut failure) = (first.err(), None);
        let nodes = self.nodes.of_cluster(&server.connect_urls, first.ok());
        for node in nodes {
            let Ok(asked) = timeout(PATIENCE, self.ask(&node)).await else {
                failure = Some(ReadError::of(ENDPOINT, format!("{node} does not answer")));
                continue;
            };
            match asked {
                Ok(Asked::Leads { name, amount }) => {
                    self.leader = Some(Leader { node, name });
                    return amount;
                }
                Ok(Asked::Follows) => {}
                Ok(Asked::Lacks(what)) => missing = missing.max(Some(what)),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        Err(match (first, missing) {
            (Err(_), Some(missing)) => missing.of(&self.wanted),
            (first, _) => {
                let leader = first.unwrap_or("whichever it is");
                let message = format!(
                    "its leader in the cluster, {leader}, is not found; give a host before whose \
                     name the servers have theirs, or let them advertise their addresses"
                );
                ReadError::of(CONSUMER, message)
            }
        })
    }

    async fn ask(&self, node: &str) -> Result<Asked, ReadError> {
        let server: Server = self.get(node, "/varz", &[]).await?;
        let answer = self.jet_stream(node).await?;
        Ok(match answer.find(&self.wanted) {
            Ok(found) if found.leader() == Some(server.server_name.as_str()) => Asked::Leads {
                name: server.server_name,
                amount: found.amount(),
            },
            Ok(_) => Asked::Follows,
            Err(missing) => Asked::Lacks(missing),
        })
    }

    async fn jet_stream(&self, node: &str) -> Result<JetStream, ReadError> {
        let query = [
            ("acc", self.wanted.account.as_str()),
            ("consumers", "true"),
            ("config", "true"),
        ];
        self.get(node, "/jsz", &query).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        node: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ReadError> {
        let request = self
            .http
            .request(reqwest::Method::GET, &format!("{node}{path}"))?;
        let answer = self.http.send(request.query(query)).await?;
        answer.success(ENDPOINT)?.json(ENDPOINT)
    }
}
