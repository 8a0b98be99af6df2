//! Commands that ask the status API of a running Ebbtide.

use std::io::Write;

use anyhow::Context;

use super::arguments::{
    ClientArguments, ClientCommand, RevisionCommand, RoutesCommand, TrafficCommand,
};
use super::client::Client;
use super::output::{Output, colours_wanted_on_stdout};
use super::{actions, apply, decisions, failure, logs, routes, show, traffic};

pub(super) fn run(command: &ClientCommand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime did not start")?;
    let to = to(command);
    let client = Client::new(to.server.clone());
    let mut stdout = std::io::stdout().lock();
    let mut output = Output::new(&mut stdout, to.output, colours_wanted_on_stdout());
    runtime.block_on(ask(&client, &mut output, command))?;
    stdout.flush().map_err(failure::output_error)
}

fn to(command: &ClientCommand) -> &ClientArguments {
    use {RevisionCommand as Revision, RoutesCommand as Routes, TrafficCommand as Traffic};
    match command {
        ClientCommand::List(to) | ClientCommand::Routes(Routes::List(to)) => to,
        ClientCommand::Routes(Routes::Delete(a)) => &a.to,
        ClientCommand::Apply(a) => &a.to,
        ClientCommand::Show(a)
        | ClientCommand::Revisions(a)
        | ClientCommand::Delete(a)
        | ClientCommand::Traffic(Traffic::Show(a)) => &a.to,
        ClientCommand::Traffic(Traffic::Set(a)) => &a.to,
        ClientCommand::Revision(
            Revision::Activate(a) | Revision::Deactivate(a) | Revision::Restart(a),
        ) => &a.to,
        ClientCommand::Decisions(a) => &a.to,
        ClientCommand::Logs(a) => &a.to,
    }
}

async fn ask(
    client: &Client,
    output: &mut Output<'_>,
    command: &ClientCommand,
) -> anyhow::Result<()> {
    match command {
        ClientCommand::Apply(a) => apply::run(client, output, a).await,
        ClientCommand::List(_) => show::list(client, output).await,
        ClientCommand::Show(a) => show::show(client, output, &a.app).await,
        ClientCommand::Revisions(a) => show::revisions(client, output, &a.app).await,
        ClientCommand::Traffic(command) => traffic::run(client, output, command).await,
        ClientCommand::Revision(command) => actions::revision(client, output, command).await,
        ClientCommand::Routes(command) => routes::run(client, output, command).await,
        ClientCommand::Delete(a) => actions::delete(client, output, &a.app).await,
        ClientCommand::Decisions(a) => decisions::run(client, output, a).await,
        ClientCommand::Logs(a) => logs::run(client, output, a).await,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use clap::Parser;

    use super::*;
    use crate::api::model::{ReplicaCounts, ReplicaStatus, RuleStatus, TrafficStatus};
    use crate::api::testing::{Fixture, app, revision};
    use crate::cli::arguments::{Arguments, Command};
    use crate::cli::exit_code;
    use crate::control::Published;

    /// What the command prints when it asks the API at `address`.
    async fn printed(address: SocketAddr, line: &str) -> anyhow::Result<String> {
        let mut text = Vec::new();
        print_to(&mut text, address, line).await?;
        Ok(String::from_utf8(text)?)
    }

    async fn print_to(
        writer: &mut dyn Write,
        address: SocketAddr,
        line: &str,
    ) -> anyhow::Result<()> {
        let server = format!("--server=http://{address}");
        let words = ["ebbtide"]
            .into_iter()
            .chain(line.split(' '))
            .chain([&*server]);
        let Command::Ask(command) = Arguments::try_parse_from(words)?.command else {
            panic!("{line} asks nothing");
        };
        let to = to(&command);
        let mut output = Output::new(writer, to.output, false);
        ask(&Client::new(to.server.clone()), &mut output, &command).await
    }

    /// A pipe whose reader goes away after some lines.
    struct Head {
        lines: usize,
        text: String,
    }

    impl Write for Head {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.text.lines().count() >= self.lines && self.text.ends_with('\n') {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
            self.text.push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// An API with one app that has everything.
    fn fixture() -> Fixture {
        let fixture = Fixture::new();
        let mut app = app("hello");
        let mut revision = revision("hello--v1");
        revision.running_state = "Running".to_owned();
        revision.replicas = ReplicaCounts {
            desired: 2,
            ready: 1,
            starting: 1,
            draining: 0,
        };
        revision.rules.push(RuleStatus {
            name: "http".to_owned(),
            scaler: "http".to_owned(),
            metric: "concurrency over 15 s".to_owned(),
            value: Some(12.5),
            target: 10.0,
            replicas: Some(2),
            age_seconds: Some(0.25),
            state: "active".to_owned(),
            because: "12.5 / 10 = 2".to_owned(),
            ..RuleStatus::default()
        });
        revision.replica_list.push(ReplicaStatus {
            name: "hello--v1-abc".to_owned(),
            state: "ready".to_owned(),
            because: None,
            pid: Some(7),
            port: Some(9000),
            in_flight_requests: 3,
            restarts: 0,
            started_time: String::new(),
            start_milliseconds: Some(41.0),
            cpu_cores: Some(0.5),
            memory_bytes: Some(3 << 20),
        });
        app.traffic.push(TrafficStatus {
            revision_name: "hello--v1".to_owned(),
            weight: 100,
            latest_revision: true,
            label: Some("blue".to_owned()),
            label_url: None,
            observed_percent: Some(99.5),
            observed_requests: 400,
        });
        app.revisions.push(revision);
        fixture.published.store(Arc::new(Published {
            apps: vec![Arc::new(app.into())],
            ..Published::default()
        }));
        fixture
    }

    #[tokio::test]
    async fn tables_show_what_the_api_says() {
        let list = "\
NAME   URL                           MODE    REPLICAS  WAITING  NOW
hello  http://hello.localhost:8080/  Single  1/2       0        at zero
";
        let traffic = "\
REVISION            WEIGHT  OBSERVED  REQUESTS  LABEL  URL
hello--v1 (latest)  100%    99.5%     400       blue   -
";
        fixture()
            .serve(async |address| {
                assert_eq!(printed(address, "list").await.unwrap(), list);
                assert_eq!(
                    printed(address, "traffic show hello").await.unwrap(),
                    traffic
                );
                let show = printed(address, "show hello").await.unwrap();
                for part in [
                    traffic,
                    "Scale rules\n",
                    "12.5 / 10 = 2\n",
                    "1/2 +1 starting",
                    "3 MiB",
                ] {
                    assert!(show.contains(part), "{part} is not in {show}");
                }
                let json = printed(address, "revisions hello -o json").await.unwrap();
                let json: serde_json::Value = serde_json::from_str(&json).unwrap();
                assert_eq!(json["value"][0]["rules"][0]["target"], 10.0);
            })
            .await;
    }

    #[tokio::test]
    async fn changes_reach_the_control_task_and_its_refusals_the_user() {
        fixture()
            .serve(async |address| {
                for (line, expected) in [
                    ("delete hello", "hello: delete\n"),
                    ("revision restart hello v1", "hello: Restart hello--v1\n"),
                    (
                        "revision activate hello hello--v1",
                        "hello: Activate hello--v1\n",
                    ),
                ] {
                    assert_eq!(printed(address, line).await.unwrap(), expected);
                }
                let set = printed(address, "traffic set hello v1=10").await.unwrap();
                assert!(set.contains("latest_revision: true, weight: 90"), "{set}");
                let error = printed(address, "show other").await.unwrap_err();
                assert_eq!(exit_code(&error), 1);
                assert!(error.to_string().contains("there is no app"), "{error}");
            })
            .await;
    }

    #[tokio::test]
    async fn documents_are_applied_app_by_app() {
        let app = |name: &str, rest: &str| {
            format!(
                "name: {name}\n{rest}properties: {{template: {{containers: [{{name: a, \
                 command: [b]}}]}}, configuration: {{dapr: {{enabled: true}}}}}}\n---\n"
            )
        };
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        let revision = "type: Microsoft.App/containerApps/revisions\n";
        let text = app("hello", "") + &app("hello--old", revision).replace("dapr", "none");
        std::fs::write(file.path(), text).unwrap();
        let line = format!("apply {}", file.path().display());
        fixture()
            .serve(async |address| {
                let text = printed(address, &line).await.unwrap();
                assert_eq!(text, "hello: apply 2 from Api\n");
                let json = printed(address, &format!("{line} -o json")).await.unwrap();
                let json: serde_json::Value = serde_json::from_str(&json).unwrap();
                assert_eq!(json["value"][0]["app"], "hello");
                let routes = "name: hello\ntype: Microsoft.App/managedEnvironments/httpRouteConfigs\n\
                              properties: {rules: [{routes: [{match: {prefix: /}}], \
                              targets: [{containerApp: web}]}]}";
                std::fs::write(file.path(), routes).unwrap();
                let text = printed(address, &line).await.unwrap();
                assert_eq!(text, "hello: apply 1 from Api\n");
                let text = printed(address, "routes delete hello").await.unwrap();
                assert_eq!(text, "hello: delete\n");
                std::fs::write(file.path(), "name: HELLO").unwrap();
                let error = printed(address, &line).await.unwrap_err();
                assert_eq!(exit_code(&error), 3, "{error}");
            })
            .await;
    }

    #[tokio::test]
    async fn a_log_is_a_line_for_each_line() {
        let text = fixture()
            .serve(async |address| printed(address, "logs hello --tail 2").await.unwrap())
            .await;
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.ends_with("Z hello--v1-abc main stdout: two\n"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_followed_log_ends_quietly_when_nobody_reads_it() {
        fixture()
            .serve(async |address| {
                for (line, lines, last) in [
                    ("logs hello --tail 1 -f", 1, "replica: None }"),
                    ("logs hello --tail 1 -f -o json", 2, "{\"missedLines\":7}"),
                ] {
                    let mut head = Head {
                        lines,
                        text: String::new(),
                    };
                    let error = print_to(&mut head, address, line).await.unwrap_err();
                    assert_eq!(exit_code(&error), 0, "{error}");
                    assert!(head.text.trim_end().ends_with(last), "{}", head.text);
                }
            })
            .await;
    }
}
