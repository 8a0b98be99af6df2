//! `ebbtide logs`.

use std::io::Write as _;

use serde_json::Value;

use super::actions::revision_name;
use super::arguments::LogsArguments;
use super::client::{Client, typed};
use super::output::Output;
use crate::api::model::{List, LogRecord};

pub(super) async fn run(
    client: &Client,
    output: &mut Output<'_>,
    arguments: &LogsArguments,
) -> anyhow::Result<()> {
    let path = path(arguments)?;
    if arguments.follow {
        return follow(client, output, &path).await;
    }
    let answer = client.get(&path).await?;
    if output.is_json() {
        return output.json(&answer);
    }
    let records: List<LogRecord> = typed(&answer)?;
    records
        .value
        .iter()
        .try_for_each(|record| output.line(text(record)))
}

fn path(arguments: &LogsArguments) -> anyhow::Result<String> {
    let LogsArguments {
        app,
        revision,
        replica,
        tail,
        follow,
        ..
    } = arguments;
    let mut query = vec![format!("tail={tail}")];
    // Names need no escapes in a query.
    if let Some(revision) = revision {
        query.push(format!("revision={}", revision_name(app, revision)?));
    }
    query.extend(replica.as_ref().map(|replica| format!("replica={replica}")));
    query.extend(follow.then(|| "follow=true".to_owned()));
    Ok(format!("/api/v1/apps/{app}/logs?{}", query.join("&")))
}

/// Prints lines until the server stops.
async fn follow(client: &Client, output: &mut Output<'_>, path: &str) -> anyhow::Result<()> {
    let mut lines = client.lines(path).await?;
    while let Some(line) = lines.next().await? {
        let value: Value = serde_json::from_slice(&line)?;
        if output.is_json() {
            output.json_line(&value)?;
        } else if let Some(missed) = value.get("missedLines") {
            // Standard error may be closed.
            let _ = writeln!(
                std::io::stderr(),
                "({missed} lines came too fast and are not here)"
            );
        } else {
            output.line(text(&typed(&value)?))?;
            output.flush()?;
        }
    }
    Ok(())
}

/// The line as the replica printed it, after when and where.
fn text(record: &LogRecord) -> String {
    let LogRecord {
        time,
        replica,
        container,
        stream,
        line,
        ..
    } = record;
    format!("{time} {replica} {container} {stream}: {line}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::{Arguments, ClientCommand, Command};

    #[test]
    fn the_query_has_what_was_asked_for() {
        for (line, expected) in [
            ("logs hello", Some("tail=100")),
            (
                "logs hello --revision v1 --tail 5 -f",
                Some("tail=5&revision=hello--v1&follow=true"),
            ),
            (
                "logs hello --replica hello--v1-abc",
                Some("tail=100&replica=hello--v1-abc"),
            ),
            ("logs hello --revision other--v1", None),
        ] {
            let words = ["ebbtide"].into_iter().chain(line.split(' '));
            let command = Arguments::try_parse_from(words).unwrap().command;
            let Command::Ask(ClientCommand::Logs(arguments)) = command else {
                panic!("{line} is not logs");
            };
            let expected = expected.map(|query| format!("/api/v1/apps/hello/logs?{query}"));
            assert_eq!(path(&arguments).ok(), expected, "{line}");
        }
    }
}
