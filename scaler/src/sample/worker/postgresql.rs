//! A consumer of rows of a table of `PostgreSQL`.

use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use ebbtide_brokers::databases::postgresql::{LONGEST_NAME, Session, Settings, quoted};
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::PostgresqlWorker;

const CONNECTION: &str = "POSTGRESQL_CONNECTION_STRING";
/// How long to wait before looking again at a table that has nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes rows until `work` is over.
pub(super) async fn run(of: &PostgresqlWorker, mut work: Work) -> anyhow::Result<()> {
    let settings = Settings::parse(&variable(CONNECTION)?);
    let settings = settings.map_err(|error| anyhow!("{CONNECTION} {error}"))?;
    let completed = work.completed.to().unwrap_or_default();
    ensure!(
        completed.len() <= LONGEST_NAME,
        "--completed is longer than the name of a table can be, {LONGEST_NAME} bytes"
    );
    let mut session = Session::open(&settings).await?;
    let take = take(&of.table, work.completed.to().is_some());
    while !work.is_over() {
        // The row is there again if this process does not come to the end of the work.
        let transaction = session.client().transaction().await?;
        let row = transaction.query_opt(&take, &[]).await;
        let row = row.with_context(|| format!("the table {} cannot be used", of.table))?;
        let Some(row) = row else {
            transaction.rollback().await?;
            work.pause(PAUSE).await;
            continue;
        };
        let id: String = row.try_get(0)?;
        let marker: Option<String> = row.try_get(1)?;
        sleep(work.time).await;
        let marker = marker.unwrap_or_default();
        if let Some((table, marker)) = work.completed.of(marker.as_bytes()) {
            let given = transaction.execute(&give(table), &[&marker, &table]).await;
            given.with_context(|| format!("the table {table} cannot be used"))?;
        }
        transaction.commit().await?;
        Work::done(&id);
    }
    Ok(())
}

/// Takes the first row that nobody else works on.
fn take(table: &str, has_marker: bool) -> String {
    let table = quoted(table);
    let marker = if has_marker { "marker" } else { "NULL" };
    format!(
        "DELETE FROM {table} WHERE id = \
         (SELECT id FROM {table} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id::text, {marker}::text"
    )
}

/// Puts a marker into a table, and notifies who listens to the channel that is called as the table.
fn give(table: &str) -> String {
    let table = quoted(table);
    format!(
        "WITH given AS (INSERT INTO {table} (marker) VALUES ($1::text)) SELECT pg_catalog.pg_notify($2::text, '')"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_any_name() {
        let statement = take("my \"jobs\"", false);
        assert!(
            statement.starts_with("DELETE FROM \"my \"\"jobs\"\"\" WHERE id ="),
            "{statement}"
        );
        let statement = give("a\"b");
        assert!(
            statement.contains("INSERT INTO \"a\"\"b\" (marker)"),
            "{statement}"
        );
    }

    #[test]
    fn a_table_without_markers_needs_no_column_for_them() {
        for (has_marker, expected) in [
            (false, "RETURNING id::text, NULL::text"),
            (true, "RETURNING id::text, marker::text"),
        ] {
            let statement = take("jobs", has_marker);
            assert!(statement.ends_with(expected), "{statement}");
        }
    }
}
