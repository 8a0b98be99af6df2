//! A consumer of a queue or subscription of Azure Service Bus, by Microsoft's client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use azure_messaging_servicebus::service_bus::{
    PeekLockResponse, QueueClient, SubscriptionReceiver, TopicClient,
};
use ebbtide_brokers::azure::Namespace;
use reqwest::{Certificate, Client};
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::AzureServicebusWorker;
use crate::clock::wall_now;

const CONNECTION: &str = "SERVICEBUS_CONNECTION_STRING";
const ADDRESS: &str = "EBBTIDE_SERVICEBUS_ADDRESS";
const AUTHORITY: &str = "EBBTIDE_SERVICEBUS_CA";
/// Where the client looks for every namespace.
const SUFFIX: &str = ".servicebus.windows.net";
/// How long a request waits for a message; so long may the end take too.
const PATIENCE: Duration = Duration::from_secs(2);
/// The shortest time between two renewals of a lock.
const SHORTEST_TERM: Duration = Duration::from_millis(100);

/// Takes messages until `work` is over.
pub(super) async fn run(of: &AzureServicebusWorker, mut work: Work) -> anyhow::Result<()> {
    let namespace = Namespace::from_connection(&variable(CONNECTION)?);
    let namespace = namespace.map_err(|error| anyhow!("{CONNECTION} {error}"))?;
    let receiver = Receiver::new(of, &namespace)?;
    while !work.is_over() {
        let Some(message) = receiver.take().await? else {
            continue;
        };
        let properties = message.broker_properties();
        let properties = properties.context("a message came without its properties")?;
        let locked = properties.locked_until_utc.unix_timestamp() - wall_now().as_second();
        let locked = Duration::from_secs(locked.try_into().unwrap_or_default());
        hold(work.time, locked, async || {
            Ok(message.renew_message_lock().await?)
        })
        .await?;
        if let Some((queue, marker)) = work.completed.of(message.body().as_bytes()) {
            // First this: what is done twice is seen, what is not given back would be taken for lost.
            receiver.give_back(queue, &marker).await?;
        }
        let deleted = message.delete_message().await;
        deleted.context("a message that was done cannot be deleted")?;
        Work::done(&properties.message_id);
    }
    Ok(())
}

/// Works for a time, and renews a lock whenever half of what it holds for has passed.
async fn hold(
    work: Duration,
    locked: Duration,
    mut renew: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let term = (locked / 2).max(SHORTEST_TERM);
    let mut left = work;
    while left > term {
        sleep(term).await;
        renew().await.context("a lock cannot be renewed")?;
        left -= term;
    }
    sleep(left).await;
    Ok(())
}

struct Receiver {
    from: Source,
    /// Opens other queues of the namespace.
    namespace: Opened,
}

enum Source {
    Queue(QueueClient),
    Subscription(SubscriptionReceiver),
}

/// What a client of an entity is made with.
struct Opened {
    client: Arc<Client>,
    name: String,
    policy: String,
    key: String,
}

impl Receiver {
    fn new(of: &AzureServicebusWorker, namespace: &Namespace) -> anyhow::Result<Self> {
        let host = namespace.host();
        let name = host.strip_suffix(SUFFIX).with_context(|| {
            format!(
                "{CONNECTION} names the host {host}, and this worker's client knows only hosts that \
                 end in {SUFFIX}; name such a one, and set {ADDRESS} to where it is"
            )
        })?;
        let policy = namespace.policy().with_context(|| {
            format!("{CONNECTION} has no SharedAccessKey, which this worker's client signs with")
        })?;
        let namespace = Opened {
            client: Arc::new(client(host)?),
            name: name.to_owned(),
            policy: policy.0.to_owned(),
            key: policy.1.to_owned(),
        };
        let from = match (&of.queue, &of.topic, &of.subscription) {
            (Some(queue), _, _) => Source::Queue(namespace.queue(queue)?),
            (None, Some(topic), Some(subscription)) => {
                let topic = namespace.topic(topic)?;
                Source::Subscription(topic.subscription_receiver(subscription))
            }
            _ => bail!("give --queue, or --topic and --subscription"),
        };
        Ok(Self { from, namespace })
    }

    /// Sends a marker to the queue of markers, which has to be there.
    async fn give_back(&self, queue: &str, marker: &str) -> anyhow::Result<()> {
        let sent = self
            .namespace
            .queue(queue)?
            .send_message(marker, None)
            .await;
        sent.with_context(|| format!("a marker cannot be given back through the queue {queue}"))
    }

    /// A message that is locked, or none after a while.
    async fn take(&self) -> anyhow::Result<Option<PeekLockResponse>> {
        let locked = match &self.from {
            Source::Queue(queue) => queue.peek_lock_message2(Some(PATIENCE)).await,
            Source::Subscription(receiver) => receiver.peek_lock_message2(Some(PATIENCE)).await,
        };
        let locked = locked.context("Service Bus cannot be asked for a message")?;
        match u16::from(*locked.status()) {
            201 => Ok(Some(locked)),
            204 => Ok(None),
            status => bail!("Service Bus answers {status} when it is asked for a message"),
        }
    }
}

impl Opened {
    fn queue(&self, name: &str) -> anyhow::Result<QueueClient> {
        let client = Arc::clone(&self.client);
        let (namespace, policy) = (self.name.as_str(), self.policy.as_str());
        Ok(QueueClient::new(
            client,
            namespace,
            name,
            policy,
            self.key.clone(),
        )?)
    }

    fn topic(&self, name: &str) -> anyhow::Result<TopicClient> {
        let client = Arc::clone(&self.client);
        let (namespace, policy) = (self.name.as_str(), self.policy.as_str());
        Ok(TopicClient::new(
            client,
            namespace,
            name,
            policy,
            self.key.clone(),
        )?)
    }
}

/// The client of HTTP, which finds the host where the variables say, if they do.
fn client(host: &str) -> anyhow::Result<Client> {
    let mut client = Client::builder();
    if let Ok(address) = variable(ADDRESS) {
        let address = address.parse::<SocketAddr>();
        let address = address.with_context(|| format!("{ADDRESS} is not ADDRESS:PORT"))?;
        client = client.resolve(host, address);
    }
    if let Ok(path) = variable(AUTHORITY) {
        let pem = std::fs::read(&path).with_context(|| format!("{AUTHORITY}: {path}"))?;
        let authority = Certificate::from_pem(&pem);
        let authority = authority.with_context(|| format!("{AUTHORITY}: {path} is not PEM"))?;
        client = client.add_root_certificate(authority);
    }
    Ok(client.build()?)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lock_is_renewed_while_the_work_is_longer_than_half_of_it() {
        for (work, locked, expected) in [
            (5, 60, 0),
            (30, 60, 0),
            (31, 60, 1),
            (100, 60, 3),
            // The clock of the service may be behind.
            (1, 0, 9),
        ] {
            let renewals = Cell::new(0);
            let seconds = Duration::from_secs;
            let held = hold(seconds(work), seconds(locked), async || {
                renewals.set(renewals.get() + 1);
                Ok(())
            });
            held.await.unwrap();
            assert_eq!(renewals.get(), expected, "{work} {locked}");
        }
        let held = hold(Duration::MAX, Duration::ZERO, async || bail!("gone"));
        let error = held.await.unwrap_err();
        assert_eq!(error.to_string(), "a lock cannot be renewed");
    }

    #[test]
    fn what_the_client_cannot_do_is_said_without_the_key() {
        let of = |queue: Option<&str>| AzureServicebusWorker {
            queue: queue.map(str::to_owned),
            topic: None,
            subscription: None,
        };
        let key = "SharedAccessKeyName=root;SharedAccessKey=hunter2";
        for (connection, queue, expected) in [
            (
                format!("Endpoint=sb://localhost:5671;{key}"),
                Some("q"),
                "names the host localhost",
            ),
            (
                "Endpoint=sb://ns.servicebus.windows.net;SharedAccessSignature=hunter2".to_owned(),
                Some("q"),
                "has no SharedAccessKey",
            ),
            (
                format!("Endpoint=sb://ns.servicebus.windows.net;{key}"),
                None,
                "give --queue",
            ),
        ] {
            let namespace = Namespace::from_connection(&connection).ok().unwrap();
            let error = Receiver::new(&of(queue), &namespace)
                .err()
                .unwrap()
                .to_string();
            assert!(
                error.contains(expected) && !error.contains("hunter2"),
                "{error}"
            );
        }
    }
}
