//! Queues of Azure, as people write them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SecretDocument;

/// A queue of a storage account, which is there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AzureQueueDocument {
    /// The account's connection string; `UseDevelopmentStorage=true` is Azurite on this machine.
    pub(crate) connection: SecretDocument,
    /// Its name.
    pub(crate) queue: String,
    /// The queue into which workers put markers, which is made if it is not there; `QUEUE-completed` if it is not
    /// given.
    pub(crate) completed: Option<String>,
}

/// A queue or a topic of a namespace, which is there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AzureServicebusDocument {
    /// The namespace's connection string.
    pub(crate) connection: SecretDocument,
    /// The queue's name.
    pub(crate) queue: Option<String>,
    /// The topic's name, in place of a queue.
    pub(crate) topic: Option<String>,
    /// The queue to which workers send markers, which is made if it is not there and the connection string's policy
    /// may do so; `QUEUE-completed` or `TOPIC-completed` if it is not given.
    pub(crate) completed: Option<String>,
}

impl AzureServicebusDocument {
    /// The key of the queue or the topic, and its name.
    pub(crate) fn entity(&self) -> (&'static str, &str) {
        match (&self.queue, &self.topic) {
            (None, Some(topic)) => ("topic", topic),
            (queue, _) => ("queue", queue.as_deref().unwrap_or_default()),
        }
    }
}
