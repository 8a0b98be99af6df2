//! What the command line may say.

mod acme;
mod door;
mod limits;
mod observing;
mod sample;
mod serving;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ebbtide_core::name::{AppName, RouteConfigName};

use super::client::Server;
use super::failure;
use super::output::OutputFormat;
use super::traffic::WeightChange;
pub use acme::AcmeArguments;
pub use door::{DoorArguments, Listen};
pub use limits::LimitArguments;
pub use observing::ObservingArguments;
pub use sample::{
    AzureQueueWorker, AzureServicebusWorker, KafkaWorker, MysqlWorker, NatsJetstreamWorker,
    PostgresqlWorker, RabbitmqWorker, RedisStreamsWorker, RedisWorker, SampleAppArguments,
    SampleBroker, SampleWorkerArguments,
};
pub use serving::{
    DocumentArguments, EndpointSource, IngressArguments, KedaArguments, PodArguments, PodUsageFrom,
    ServeArguments, StatusArguments, TelemetryArguments, UpArguments,
};

const EXAMPLES: &str = "\
Examples:
  ebbtide up                            run the bundled example
  ebbtide up app.yaml                   run an app; the file is read again when it changes
  ebbtide validate app.yaml             check a document and change nothing
  ebbtide apply app.yaml                hand a document to the running ebbtide
  ebbtide list                          the apps, one sentence each
  ebbtide show hello                    everything about one
  ebbtide routes list                   which paths of which hosts lead to which apps
  ebbtide traffic set hello green=20    a fifth of the requests to the revision labelled green
  ebbtide decisions hello -f            why replicas come and go, as it happens
  ebbtide logs hello -f                 what the replicas print";

/// A serverless autoscaler for container apps.
///
/// Takes Azure Container Apps documents, runs each revision's replicas as local processes, holds
/// requests while an app is at zero, and says why there are as many replicas as there are.
#[derive(Debug, Parser)]
#[command(name = "ebbtide", version, max_term_width = 100)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", failure::HELP))]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run apps: replicas, ingress, autoscaling, status API and page
    Up(UpArguments),
    /// Decide for KEDA, which carries it out, by what ingresses report
    Serve(ServeArguments),
    /// Be the front door of apps that something else runs, and report to `serve`
    Ingress(IngressArguments),
    /// Check documents and say everything that is wrong with them
    Validate(ValidateArguments),
    /// Ask a running ebbtide.
    #[command(flatten)]
    Ask(ClientCommand),
    /// The app of the bundled example
    #[command(hide = true)]
    SampleApp(SampleAppArguments),
    /// The workers of the bundled examples
    #[command(hide = true)]
    SampleWorker(SampleWorkerArguments),
    /// Kills what is left when ebbtide is killed
    #[command(hide = true)]
    Guardian,
}

/// What to ask a running ebbtide.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Hand documents to a running ebbtide
    Apply(ApplyArguments),
    /// List the apps
    List(ClientArguments),
    /// Show an app: traffic, revisions, rules and replicas
    Show(AppArguments),
    /// List the revisions of an app
    Revisions(AppArguments),
    /// Show or set how requests are split between revisions
    #[command(subcommand)]
    Traffic(TrafficCommand),
    /// Activate, deactivate or restart a revision
    #[command(subcommand)]
    Revision(RevisionCommand),
    /// List the routes that lead requests to apps by their path, or take some away
    #[command(subcommand)]
    Routes(RoutesCommand),
    /// Take an app away: its replicas finish their requests and stop
    Delete(AppArguments),
    /// List why the number of replicas is what it is, newest last
    Decisions(DecisionsArguments),
    /// Print what the replicas of an app printed
    Logs(LogsArguments),
}

/// How to print a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DocumentFormat {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// `ebbtide validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidateArguments {
    /// Documents, or folders of them; `-` is standard input
    #[arg(value_name = "FILE|DIR", required = true)]
    pub files: Vec<PathBuf>,
    /// Fill a placeholder or a parameter of the documents; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Print the documents as they were understood, without the values of secrets
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub print: Option<DocumentFormat>,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: OutputFormat,
}

/// `ebbtide apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArguments {
    /// Documents, or folders of them; `-` is standard input
    #[arg(value_name = "FILE|DIR", required = true)]
    pub files: Vec<PathBuf>,
    /// Fill a placeholder or a parameter of the documents; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// Which server to ask, and how to print its answer.
#[derive(Clone, Debug, Args)]
pub struct ClientArguments {
    /// The status API of the running ebbtide
    #[arg(
        long,
        value_name = "URL",
        env = "EBBTIDE_SERVER",
        default_value = "http://127.0.0.1:8081"
    )]
    pub server: Server,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: OutputFormat,
}

/// A command about one app.
#[derive(Clone, Debug, Args)]
pub struct AppArguments {
    /// The app's name
    #[arg(value_parser = AppName::new)]
    pub app: AppName,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// What `--set` gave; of two with one key the last counts.
pub(super) fn settings(given: &[(String, String)]) -> BTreeMap<String, String> {
    given.iter().cloned().collect()
}

/// `ebbtide traffic`.
#[derive(Clone, Debug, Subcommand)]
pub enum TrafficCommand {
    /// Show how requests are split, as set and as it is
    Show(AppArguments),
    /// Set weights in percent; what is not mentioned shares the rest as before
    #[command(after_help = "\
Examples:
  ebbtide traffic set hello green=20          a fifth to the label green, the rest as before
  ebbtide traffic set hello blue=0 green=100  all to green
  ebbtide traffic set hello hello--blue=50 hello--green=50
                                              by revision: a half each
  ebbtide traffic set hello latest=100        all to the latest revision that is ready")]
    Set(TrafficSetArguments),
}

/// `ebbtide traffic set`.
#[derive(Clone, Debug, Args)]
pub struct TrafficSetArguments {
    /// The app's name
    #[arg(value_parser = AppName::new)]
    pub app: AppName,
    /// A revision, its suffix, a label or `latest`, and its percentage
    #[arg(value_name = "NAME=WEIGHT", required = true)]
    pub weights: Vec<WeightChange>,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// `ebbtide routes`.
#[derive(Clone, Debug, Subcommand)]
pub enum RoutesCommand {
    /// List the routes, with what their targets lack to take requests
    List(ClientArguments),
    /// Take a route config away; its apps stay
    Delete(RouteConfigArguments),
}

/// A command about one route config.
#[derive(Clone, Debug, Args)]
pub struct RouteConfigArguments {
    /// The config's name
    #[arg(value_parser = RouteConfigName::new)]
    pub config: RouteConfigName,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// `ebbtide revision`.
#[derive(Clone, Debug, Subcommand)]
pub enum RevisionCommand {
    /// Let a revision have replicas again
    Activate(RevisionArguments),
    /// Take a revision's replicas and its traffic away
    Deactivate(RevisionArguments),
    /// Replace a revision's replicas by new ones, without losing a request
    Restart(RevisionArguments),
}

/// A command about one revision.
#[derive(Clone, Debug, Args)]
pub struct RevisionArguments {
    /// The app's name
    #[arg(value_parser = AppName::new)]
    pub app: AppName,
    /// The revision's name or its suffix
    pub revision: String,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// `ebbtide decisions`.
#[derive(Clone, Debug, Args)]
pub struct DecisionsArguments {
    /// The app's name
    #[arg(value_parser = AppName::new)]
    pub app: AppName,
    /// How many, at most
    #[arg(long, value_name = "N", default_value = "20")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
    /// Go on with new ones as they are made
    #[arg(short, long)]
    pub follow: bool,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// `ebbtide logs`.
#[derive(Clone, Debug, Args)]
pub struct LogsArguments {
    /// The app's name
    #[arg(value_parser = AppName::new)]
    pub app: AppName,
    /// Only lines of this revision: its name or its suffix
    #[arg(long)]
    pub revision: Option<String>,
    /// Only lines of this replica
    #[arg(long, value_parser = replica)]
    pub replica: Option<String>,
    /// How many lines of the past
    #[arg(long, value_name = "LINES", default_value = "100")]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub tail: u16,
    /// Go on with new lines as they come
    #[arg(short, long)]
    pub follow: bool,
    /// Which server, and how to print.
    #[command(flatten)]
    pub to: ClientArguments,
}

/// Reads `KEY=VALUE`.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// Reads a time with its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "write a number and a unit, as in 500ms, 30s or 4m".to_owned())
}

/// Reads the name of a replica, which goes into a query as it is.
fn replica(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !text.is_empty() && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("the name of a replica is lowercase letters, digits and '-'".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        let words = std::iter::once("ebbtide").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|arguments| arguments.command)
    }

    #[test]
    fn the_description_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_is_right_is_accepted() {
        for line in [
            "up",
            "up a.yaml apps --set A=b --set C= --listen 127.0.0.1:9080 --workers 2",
            "up --trusted-proxies 10.0.0.0/8,fd00::/8 --trusted-proxies 192.0.2.1",
            "up --proxy-protocol 10.0.0.0/8,192.0.2.1",
            "up --max-connections 10 --max-body-bytes 1000 --idle-timeout 1m",
            "up --waiting-timeout 500ms --log-format json --allow-host box.example",
            "serve",
            "serve a.yaml --telemetry-listen 0.0.0.0:9091 --telemetry-plaintext",
            "ingress a.yaml --endpoints kubernetes --scaler scaler:9091 --namespace apps",
            "ingress a.yaml --endpoints file.txt --scaler [::1]:9091 --scaler-tls-ca ca.pem",
            "validate - --print yaml",
            "validate a.yaml --output json",
            "apply a.yaml --server http://localhost:9000",
            "list -o json",
            "traffic set hello v1=80 latest=20",
            "revision restart hello v1",
            "decisions hello --limit 1000 -f",
            "logs hello --revision v1 --replica hello--v1-abc --tail 0 -f",
            "sample-app --port 80 --start-delay 1s --work-time 20ms --color blue",
            "sample-worker azure-queue --queue orders --service-time 1s",
            "sample-worker --service-time 1s azure-servicebus --queue orders",
            "sample-worker azure-servicebus --topic events --subscription mail",
            "sample-worker kafka --topic orders --group workers",
            "sample-worker nats-jetstream --stream ORDERS --consumer workers",
            "sample-worker rabbitmq --queue orders",
            "sample-worker redis --list orders",
            "sample-worker redis-streams --stream orders --group workers",
            "guardian",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_what_would_be_right() {
        for (line, expected) in [
            ("up --set A", "write KEY=VALUE"),
            ("up --set =A", "write KEY=VALUE"),
            ("up --waiting-timeout 5", "500ms, 30s or 4m"),
            ("up --waiting-timeout=-5s", "500ms, 30s or 4m"),
            ("up --workers 0", "zero"),
            ("up --trusted-proxies 10.0.0.1/8", "write 10.0.0.0/8"),
            ("up --proxy-protocol balancer", "10.0.0.0/8"),
            ("up --max-header-bytes 10", "1024..=1048576"),
            ("up --head-timeout 5", "500ms, 30s or 4m"),
            ("serve --telemetry-tls-certificate a", "--telemetry-tls-key"),
            (
                "ingress a.yaml --endpoints x --scaler http://a:1",
                "HOST:PORT",
            ),
            ("ingress a.yaml --scaler a:1", "--endpoints"),
            ("validate", "FILE|DIR"),
            ("show Hello", "lowercase"),
            ("list --server ftp://x", "http://"),
            ("list --server https://x:1", "http://"),
            ("traffic set hello v1", "NAME=WEIGHT"),
            ("traffic set hello v1=101", "0 to 100"),
            ("traffic set hello", "NAME=WEIGHT"),
            ("decisions hello --limit 0", "1..=1000"),
            ("logs hello --replica a&b", "lowercase"),
            ("sample-worker", "azure-queue"),
            ("sample-worker azure-servicebus", "--queue"),
            ("sample-worker azure-servicebus --topic t", "--subscription"),
        ] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains(expected), "{line}: {message}");
        }
    }

    #[test]
    fn help_has_the_exit_codes_and_examples() {
        let help = parse("--help").unwrap_err().to_string();
        for expected in [
            "Exit codes:",
            "a document is not valid",
            "ebbtide traffic set",
        ] {
            assert!(help.contains(expected), "{help}");
        }
        assert!(
            !help.contains("guardian") && !help.contains("sample-"),
            "{help}"
        );
    }
}
