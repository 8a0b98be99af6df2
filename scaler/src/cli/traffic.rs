//! `ebbtide traffic`.

mod weights;

use http::Method;

use super::actions::print_result;
use super::arguments::{AppArguments, TrafficCommand, TrafficSetArguments};
use super::client::{Client, Document, typed};
use super::output::Output;
use super::show::{number, optional};
use super::table::{Cell, Table};
use crate::api::model::{AppStatus, TrafficRequest, TrafficStatus};

pub(super) use weights::WeightChange;

pub(super) async fn run(
    client: &Client,
    output: &mut Output<'_>,
    command: &TrafficCommand,
) -> anyhow::Result<()> {
    match command {
        TrafficCommand::Show(arguments) => show(client, output, arguments).await,
        TrafficCommand::Set(arguments) => set(client, output, arguments).await,
    }
}

async fn show(
    client: &Client,
    output: &mut Output<'_>,
    arguments: &AppArguments,
) -> anyhow::Result<()> {
    let answer = client
        .get(&format!("/api/v1/apps/{}", arguments.app))
        .await?;
    if output.is_json() {
        return output.json(&answer["traffic"]);
    }
    let app: AppStatus = typed(&answer)?;
    output.table(&traffic_table(&app.traffic))
}

async fn set(
    client: &Client,
    output: &mut Output<'_>,
    arguments: &TrafficSetArguments,
) -> anyhow::Result<()> {
    let path = format!("/api/v1/apps/{}", arguments.app);
    let app: AppStatus = typed(&client.get(&path).await?)?;
    let traffic = weights::plan(&app, &arguments.weights)?;
    let document = Document {
        content_type: "application/json",
        text: serde_json::to_vec(&TrafficRequest { traffic })?,
    };
    let path = format!("{path}/traffic");
    print_result(
        output,
        &client.send(Method::PUT, &path, Some(document)).await?,
    )
}

pub(super) fn traffic_table(traffic: &[TrafficStatus]) -> Table {
    let mut table = Table::new(["REVISION", "WEIGHT", "OBSERVED", "REQUESTS", "LABEL", "URL"]);
    for entry in traffic {
        let latest = if entry.latest_revision {
            " (latest)"
        } else {
            ""
        };
        table.row([
            Cell::from(format!("{}{latest}", entry.revision_name)),
            format!("{}%", entry.weight).into(),
            optional(
                entry
                    .observed_percent
                    .map(|percent| format!("{}%", number(percent))),
            ),
            entry.observed_requests.into(),
            optional(entry.label.as_deref()),
            optional(entry.label_url.as_deref()),
        ]);
    }
    table
}
