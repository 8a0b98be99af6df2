//! Topics of Kafka, as people write them: by the names that KEDA's scaler has.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SecretDocument;

/// A topic, which is there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KafkaDocument {
    /// Brokers to begin with, `HOST:PORT` each, with commas; where the others are, they say.
    pub(crate) bootstrap_servers: SecretDocument,
    /// Its name.
    pub(crate) topic: String,
    /// The partition that all messages go to; all partitions in turn, if it is not given.
    pub(crate) partition: Option<i32>,
    /// The topic to which workers write markers, which is made if it is not there and brokers make topics;
    /// `TOPIC-completed` if it is not given.
    pub(crate) completed: Option<String>,
    /// How to log in; `none` if it is not given.
    pub(crate) sasl: Option<SaslDocument>,
    /// Who logs in.
    pub(crate) username: Option<SecretDocument>,
    /// The password.
    pub(crate) password: Option<SecretDocument>,
    /// Whether brokers are connected to by TLS; `disable` if it is not given.
    pub(crate) tls: Option<SwitchDocument>,
    /// Roots, in PEM, that sign the brokers' certificates, beside the system's.
    pub(crate) ca: Option<SecretDocument>,
    /// The client's certificate, in PEM.
    pub(crate) cert: Option<SecretDocument>,
    /// Its key, in PEM.
    pub(crate) key: Option<SecretDocument>,
    /// Whether any certificate of a broker will do.
    #[serde(default)]
    pub(crate) unsafe_ssl: bool,
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SaslDocument {
    /// Nobody does.
    None,
    /// The password is sent.
    Plaintext,
    /// By SCRAM with SHA-256: it is not.
    ScramSha256,
    /// By SCRAM with SHA-512.
    ScramSha512,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SwitchDocument {
    /// It is.
    Enable,
    /// It is not.
    Disable,
}
