//! What the bundled examples are told.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::duration;

/// `ebbtide sample-app`.
#[derive(Clone, Debug, Args)]
pub struct SampleAppArguments {
    /// The port to listen on
    #[arg(long, env = "PORT")]
    pub port: u16,
    /// How long it takes until it listens
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub start_delay: Duration,
    /// How long it works on a request
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub work_time: Duration,
    /// The colour of its page
    #[arg(long, default_value = "gray")]
    pub color: String,
}

/// `ebbtide sample-worker`.
#[derive(Clone, Debug, Args)]
pub struct SampleWorkerArguments {
    /// How long it works on a message
    #[arg(long, global = true, value_name = "TIME", default_value = "200ms", value_parser = duration)]
    pub service_time: Duration,
    /// Gives the markers that loadgen puts on messages back, when it is done with these, through a list, a queue,
    /// a topic, a subject or a table of the same broker
    #[arg(long, global = true, value_name = "NAME")]
    pub completed: Option<String>,
    /// Where the messages are.
    #[command(subcommand)]
    pub broker: SampleBroker,
}

/// Where a worker's messages are. The addresses and credentials are in variables.
#[derive(Clone, Debug, Subcommand)]
pub enum SampleBroker {
    /// A queue of Azure Storage
    AzureQueue(AzureQueueWorker),
    /// A queue or subscription of Azure Service Bus
    AzureServicebus(AzureServicebusWorker),
    /// A topic of Kafka
    Kafka(KafkaWorker),
    /// Rows of a table of MySQL or MariaDB
    Mysql(MysqlWorker),
    /// A stream of NATS
    NatsJetstream(NatsJetstreamWorker),
    /// Rows of a table of PostgreSQL
    Postgresql(PostgresqlWorker),
    /// A queue of RabbitMQ
    Rabbitmq(RabbitmqWorker),
    /// A list of Redis
    Redis(RedisWorker),
    /// A stream of Redis, by a consumer group
    RedisStreams(RedisStreamsWorker),
}

/// `ebbtide sample-worker azure-queue`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  AZURE_STORAGE_CONNECTION_STRING  the account's connection string, with its key or a shared access
                                   signature; UseDevelopmentStorage=true is Azurite on this machine")]
pub struct AzureQueueWorker {
    /// The queue
    #[arg(long, value_name = "NAME")]
    pub queue: String,
}

/// `ebbtide sample-worker azure-servicebus`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  SERVICEBUS_CONNECTION_STRING  the namespace's connection string, with the key of a policy that may
                                listen; its host ends in .servicebus.windows.net
For tests and private endpoints:
  EBBTIDE_SERVICEBUS_ADDRESS    ADDRESS:PORT where that host is, whatever its name resolves to
  EBBTIDE_SERVICEBUS_CA         a file with a certificate that the host's may be signed by, in PEM")]
pub struct AzureServicebusWorker {
    /// The queue
    #[arg(long, value_name = "NAME", required_unless_present = "topic")]
    pub queue: Option<String>,
    /// The topic, instead of a queue
    #[arg(
        long,
        value_name = "NAME",
        requires = "subscription",
        conflicts_with = "queue"
    )]
    pub topic: Option<String>,
    /// The topic's subscription
    #[arg(long, value_name = "NAME", requires = "topic")]
    pub subscription: Option<String>,
}

/// `ebbtide sample-worker kafka`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
It is a member of its group, as Kafka's own consumers may be. Members share the topic's partitions:
where there are more members than these, some have nothing to do.

Variables:
  KAFKA_BOOTSTRAP_SERVERS           brokers to begin with, HOST:PORT with commas, without TLS
  KAFKA_SASL                        none, plaintext, scram_sha256 or scram_sha512; by default none
  KAFKA_USERNAME, KAFKA_PASSWORD    who logs in")]
pub struct KafkaWorker {
    /// The topic
    #[arg(long, value_name = "NAME")]
    pub topic: String,
    /// The consumer group, which is made if it is not there
    #[arg(long, value_name = "NAME")]
    pub group: String,
}

/// `ebbtide sample-worker mysql`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  MYSQL_CONNECTION_STRING  USER:PASSWORD@tcp(HOST:PORT)/DATABASE")]
pub struct MysqlWorker {
    /// The table, which has a column `id` of whole numbers; with --completed, also a column `marker` of text
    #[arg(long, value_name = "NAME", default_value = "jobs")]
    pub table: String,
}

/// `ebbtide sample-worker nats-jetstream`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  NATS_ADDRESS                the server's HOST:PORT for clients, without TLS
  NATS_USER, NATS_PASSWORD    who logs in, if the server wants to know")]
pub struct NatsJetstreamWorker {
    /// The stream
    #[arg(long, value_name = "NAME")]
    pub stream: String,
    /// The stream's consumer, which is asked for messages and waits until they are acknowledged
    #[arg(long, value_name = "NAME")]
    pub consumer: String,
}

/// `ebbtide sample-worker postgresql`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  POSTGRESQL_CONNECTION_STRING  postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or host=HOST user=USER …")]
pub struct PostgresqlWorker {
    /// The table, which has a column `id`; with --completed, also a column `marker` of text
    #[arg(long, value_name = "NAME", default_value = "jobs")]
    pub table: String,
}

/// `ebbtide sample-worker rabbitmq`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  RABBITMQ_URL  where the broker is, as in amqp://user:password@host:5672/vhost")]
pub struct RabbitmqWorker {
    /// The queue
    #[arg(long, value_name = "NAME")]
    pub queue: String,
}

/// `ebbtide sample-worker redis`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  REDIS_URL  where the server is, as in redis://user:password@host:6379/0

An element that is worked on is in the list NAME:processing, so that it is not lost with its worker.")]
pub struct RedisWorker {
    /// The list
    #[arg(long, value_name = "NAME")]
    pub list: String,
}

/// `ebbtide sample-worker redis-streams`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Variables:
  REDIS_URL  where the server is, as in redis://user:password@host:6379/0")]
pub struct RedisStreamsWorker {
    /// The stream
    #[arg(long, value_name = "NAME")]
    pub stream: String,
    /// The consumer group, which is made if it is not there
    #[arg(long, value_name = "NAME", default_value = "workers")]
    pub group: String,
}
