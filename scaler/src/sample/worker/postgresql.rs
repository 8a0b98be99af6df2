//! A consumer of rows of a table of `PostgreSQL`.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use ebbtide_brokers::databases::postgresql::{Session, Settings};
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
    let mut session = Session::open(&settings).await?;
    let take = take(&of.table);
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
        sleep(work.time).await;
        transaction.commit().await?;
        Work::done(&id);
    }
    Ok(())
}

/// Takes the first row that nobody else works on.
fn take(table: &str) -> String {
    let table = format!("\"{}\"", table.replace('"', "\"\""));
    format!(
        "DELETE FROM {table} WHERE id = \
         (SELECT id FROM {table} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id::text"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_any_name() {
        let statement = take("my \"jobs\"");
        assert!(
            statement.starts_with("DELETE FROM \"my \"\"jobs\"\"\" WHERE id ="),
            "{statement}"
        );
    }
}
