//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Parser;
use ebbtide_servicebus_stand_in::broker::{Limits, NEVER, Name, Namespace, Settings};
use ebbtide_servicebus_stand_in::clock::Clock;
use ebbtide_servicebus_stand_in::sas::{Policy, Right};
use ebbtide_servicebus_stand_in::server::{Faulty, Options};
use ebbtide_servicebus_stand_in::tls::Show;

/// A stand-in for an Azure Service Bus namespace: its REST interfaces over TLS, for tests.
///
/// Prints "listening on ADDRESS" when it is ready.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 is one that the system chooses
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// The name of the namespace: its host is NAME.servicebus.windows.net
    #[arg(long, default_value = "ns", value_name = "NAME")]
    namespace: String,

    /// Where to write the certificate that clients have to trust, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) authority: PathBuf,

    /// A shared access policy: its name, and the environment variable with its key. It may do
    /// everything, unless its rights follow: NAME=VARIABLE:send+listen
    #[arg(long = "key", required = true, value_name = "NAME=VARIABLE[:RIGHTS]")]
    keys: Vec<String>,

    /// A queue that is there from the start
    #[arg(long = "queue", value_name = "NAME")]
    queues: Vec<String>,

    /// A topic that is there from the start
    #[arg(long = "topic", value_name = "NAME")]
    topics: Vec<String>,

    /// A subscription that is there from the start, of a topic given by --topic
    #[arg(long = "subscription", value_name = "TOPIC/NAME")]
    subscriptions: Vec<String>,

    /// How many seconds a lock holds in the queues and subscriptions given here
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    lock_duration: u64,

    /// How often they deliver a message before it is dead-lettered
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    max_delivery_count: u32,

    /// How many messages a queue, or a topic with its subscriptions, holds at most
    #[arg(long, default_value_t = Limits::default().messages, value_name = "COUNT")]
    max_messages: u64,

    /// Answer 404 where an entity is missing, instead of 200 and a feed of nothing
    #[arg(long)]
    missing_is_404: bool,

    /// A fault from the start on, for example {"fault":"slow","milliseconds":500}
    #[arg(long, value_name = "JSON")]
    fault: Option<String>,

    /// The certificate to show from the start on: good, unknown-authority, wrong-name or expired
    #[arg(long, value_name = "WHICH", value_parser = show)]
    certificate: Option<Show>,

    /// End when the standard input ends, so as not to outlive the test
    #[arg(long)]
    pub(crate) until_input_ends: bool,
}

fn show(text: &str) -> Result<Show, serde_json::Error> {
    serde_json::from_value(text.into())
}

impl Arguments {
    /// What they ask for.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        let clock = Clock::start();
        let policies = self.keys.iter().map(|key| policy(key));
        let fault = self.fault.as_deref().map(Faulty::read).transpose();
        Ok(Options {
            listen: self.listen,
            name: self.namespace.clone(),
            policies: policies.collect::<anyhow::Result<_>>()?,
            namespace: self.entities(clock)?,
            missing_is_404: self.missing_is_404,
            fault: fault.map_err(|error| anyhow!("--fault: {error}"))?,
            certificate: self.certificate.unwrap_or_default(),
            clock,
        })
    }

    fn entities(&self, clock: Clock) -> anyhow::Result<Namespace> {
        let now = clock.now();
        let limits = Limits {
            messages: self.max_messages,
            ..Limits::default()
        };
        let settings = Settings {
            lock_duration: Duration::from_secs(self.lock_duration),
            max_delivery_count: self.max_delivery_count,
            ..Settings::default()
        };
        let seed = u64::try_from(now.as_nanosecond()).unwrap_or_default();
        let mut namespace = Namespace::new(limits, seed);
        for queue in &self.queues {
            let name = Name::entity(queue)?;
            namespace.put_queue(&name, settings.clone(), false, now)?;
        }
        for topic in &self.topics {
            namespace.put_topic(&Name::entity(topic)?, NEVER, false, now)?;
        }
        for subscription in &self.subscriptions {
            let parts = subscription.rsplit_once('/');
            let (topic, name) = parts.with_context(|| {
                format!("--subscription {subscription}: write it as TOPIC/NAME")
            })?;
            let (topic, name) = (Name::entity(topic)?, Name::subscription(name)?);
            namespace.put_subscription(&topic, &name, settings.clone(), false, now)?;
        }
        Ok(namespace)
    }
}

fn policy(argument: &str) -> anyhow::Result<Policy> {
    let parts = argument.split_once('=');
    let (name, rest) = parts.with_context(|| {
        format!("--key {argument}: write it as NAME=VARIABLE, with the key in the variable")
    })?;
    let (variable, rights) = rest.split_once(':').unwrap_or((rest, "manage"));
    let rights = rights.split('+').map(|right| match right {
        "manage" => Ok(Right::Manage),
        "send" => Ok(Right::Send),
        "listen" => Ok(Right::Listen),
        other => bail!("--key {argument}: '{other}' is no right: they are manage, send and listen"),
    });
    let rights = rights.collect::<anyhow::Result<_>>()?;
    let key = std::env::var(variable).unwrap_or_default();
    if key.is_empty() {
        bail!(
            "--key {argument}: the environment variable {variable} is not set: put the key there"
        );
    }
    Ok(Policy::new(name, &key, rights))
}
