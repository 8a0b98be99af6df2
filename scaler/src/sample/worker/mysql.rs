//! A consumer of rows of a table of MySQL or MariaDB.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use ebbtide_brokers::databases::mysql::{Session, Settings, quoted};
use mysql_async::TxOpts;
use mysql_async::prelude::Queryable;
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::MysqlWorker;

const CONNECTION: &str = "MYSQL_CONNECTION_STRING";
/// How long to wait before looking again at a table that has nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// The number of a row, and its marker.
type Taken = (u64, Option<Vec<u8>>);

/// Takes rows until `work` is over.
pub(super) async fn run(of: &MysqlWorker, mut work: Work) -> anyhow::Result<()> {
    let settings = Settings::parse(&variable(CONNECTION)?);
    let settings = settings.map_err(|error| anyhow!("{CONNECTION} {error}"))?;
    let mut session = Session::open(&settings).await?;
    let table = quoted(&of.table);
    let take = take(&table, work.completed.to().is_some());
    let delete = format!("DELETE FROM {table} WHERE id = ?");
    while !work.is_over() {
        let transaction = session.connection().start_transaction(TxOpts::default());
        // The row is there again if this process does not come to the end of the work.
        let mut transaction = transaction.await?;
        let taken: Result<Option<Taken>, _> = transaction.exec_first(&take, ()).await;
        let taken = taken.with_context(|| format!("the table {} cannot be used", of.table))?;
        let Some((id, marker)) = taken else {
            transaction.rollback().await?;
            work.pause(PAUSE).await;
            continue;
        };
        sleep(work.time).await;
        transaction.exec_drop(&delete, (id,)).await?;
        if let Some((table, marker)) = work.completed.of(&marker.unwrap_or_default()) {
            let given = transaction.exec_drop(give(table), (marker,)).await;
            given.with_context(|| format!("the table {table} cannot be used"))?;
        }
        transaction.commit().await?;
        Work::done(&id.to_string());
    }
    Ok(())
}

/// Takes the first row that nobody else works on, of a table whose name is quoted.
fn take(table: &str, has_marker: bool) -> String {
    let marker = if has_marker { "marker" } else { "NULL" };
    format!("SELECT id, {marker} FROM {table} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED")
}

/// Puts a marker into a table.
fn give(table: &str) -> String {
    format!("INSERT INTO {} (marker) VALUES (?)", quoted(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_any_name() {
        assert_eq!(give("a`b"), "INSERT INTO `a``b` (marker) VALUES (?)");
    }

    #[test]
    fn a_table_without_markers_needs_no_column_for_them() {
        for (has_marker, expected) in [
            (false, "SELECT id, NULL FROM"),
            (true, "SELECT id, marker FROM"),
        ] {
            let statement = take("`jobs`", has_marker);
            assert!(statement.starts_with(expected), "{statement}");
        }
    }
}
