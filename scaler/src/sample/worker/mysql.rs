//! A consumer of rows of a table of MySQL or MariaDB.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use ebbtide_brokers::databases::mysql::{Session, Settings};
use mysql_async::TxOpts;
use mysql_async::prelude::Queryable;
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::MysqlWorker;

const CONNECTION: &str = "MYSQL_CONNECTION_STRING";
/// How long to wait before looking again at a table that has nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes rows until `work` is over.
pub(super) async fn run(of: &MysqlWorker, mut work: Work) -> anyhow::Result<()> {
    let settings = Settings::parse(&variable(CONNECTION)?);
    let settings = settings.map_err(|error| anyhow!("{CONNECTION} {error}"))?;
    let mut session = Session::open(&settings).await?;
    let table = quoted(&of.table);
    let take = format!("SELECT id FROM {table} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED");
    let delete = format!("DELETE FROM {table} WHERE id = ?");
    while !work.is_over() {
        let transaction = session.connection().start_transaction(TxOpts::default());
        // The row is there again if this process does not come to the end of the work.
        let mut transaction = transaction.await?;
        let id: Result<Option<u64>, _> = transaction.exec_first(&take, ()).await;
        let id = id.with_context(|| format!("the table {} cannot be used", of.table))?;
        let Some(id) = id else {
            transaction.rollback().await?;
            work.pause(PAUSE).await;
            continue;
        };
        sleep(work.time).await;
        transaction.exec_drop(&delete, (id,)).await?;
        transaction.commit().await?;
        Work::done(&id.to_string());
    }
    Ok(())
}

/// The name of a table, whatever is in it.
fn quoted(table: &str) -> String {
    format!("`{}`", table.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_any_name() {
        assert_eq!(quoted("my `jobs`"), "`my ``jobs```");
    }
}
