//! `ebbtide decisions`.

use std::time::Duration;

use super::arguments::DecisionsArguments;
use super::client::{Client, typed};
use super::output::Output;
use super::table::{Cell, Colour, Table};
use crate::api::model::{DecisionRecord, List};

/// The time from one look at the decisions to the next.
const PACE: Duration = Duration::from_secs(1);

/// The most decisions of one answer.
const MOST: u16 = 1000;

pub(super) async fn run(
    client: &Client,
    output: &mut Output<'_>,
    arguments: &DecisionsArguments,
) -> anyhow::Result<()> {
    let path = |limit| format!("/api/v1/apps/{}/decisions?limit={limit}", arguments.app);
    let answer = client.get(&path(arguments.limit)).await?;
    if output.is_json() && !arguments.follow {
        return output.json(&answer);
    }
    let decisions = oldest_first(typed(&answer)?);
    print(output, &decisions, true)?;
    if !arguments.follow {
        return Ok(());
    }
    let mut last = decisions.last().map(|decision| decision.sequence);
    loop {
        tokio::time::sleep(PACE).await;
        let mut decisions = oldest_first(typed(&client.get(&path(MOST)).await?)?);
        decisions.retain(|decision| last.is_none_or(|last| decision.sequence > last));
        last = decisions.last().map(|decision| decision.sequence).or(last);
        print(output, &decisions, false)?;
    }
}

fn oldest_first(list: List<DecisionRecord>) -> Vec<DecisionRecord> {
    list.value.into_iter().rev().collect()
}

fn print(
    output: &mut Output<'_>,
    decisions: &[DecisionRecord],
    is_first: bool,
) -> anyhow::Result<()> {
    if output.is_json() {
        return decisions
            .iter()
            .try_for_each(|decision| output.json_line(decision));
    }
    let table = table(decisions);
    output.table(&if is_first {
        table
    } else {
        table.without_head()
    })?;
    output.flush()
}

fn table(decisions: &[DecisionRecord]) -> Table {
    let mut table = Table::new(["TIME", "DECISION"]);
    for decision in decisions {
        let colour = match decision.to.cmp(&decision.from) {
            std::cmp::Ordering::Greater => Some(Colour::Green),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Less => Some(Colour::Yellow),
        };
        table.row([
            Cell::from(&decision.time),
            Cell::coloured(&decision.sentence, colour),
        ]);
    }
    table
}
