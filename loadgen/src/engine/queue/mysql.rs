//! MySQL and MariaDB: a table, into which rows are inserted.

use std::fmt::Write as _;
use std::time::Duration;

use ebbtide_brokers::connect::Connect;
use ebbtide_brokers::databases::Keys;
use ebbtide_brokers::databases::mysql::{Session, Settings, quoted};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, IoError, Params, Value};
use tokio::time::sleep;

use super::Failed;
use super::pool::Insert;
use super::rows::Rows;
use crate::plan::Table;
use crate::record::outcome::FailureKind;

/// How long until completions are looked for again. Nothing tells of them.
const POLL: Duration = Duration::from_millis(5);
/// How many completions are taken at once.
const AT_ONCE: usize = 1_000;
/// Each insertion is a transaction, and a marker that the column is too short for is refused and not shortened.
const SET_UP: &str = "SET SESSION autocommit = 1, \
                      SESSION sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'STRICT_ALL_TABLES')";
/// The server's codes.
const NO_SUCH_TABLE: u16 = 1146;
const NO_SUCH_COLUMN: u16 = 1054;

/// A connection that inserts.
pub(super) struct Inserter {
    session: Session,
    insert: String,
    has_body: bool,
}

impl Insert for Inserter {
    async fn open(table: &Table) -> Result<Self, String> {
        let mut session = open(table).await?;
        let insert = insertion(table);
        // The server says now if it cannot be carried out; it is kept by its text.
        let prepared = session.connection().prep(&insert).await;
        prepared.map_err(|error| unusable(&error, table))?;
        Ok(Self {
            session,
            insert,
            has_body: table.body.is_some(),
        })
    }

    async fn insert(&mut self, marker: &str, body: &[u8]) -> Result<(), Failed> {
        let mut values = vec![Value::from(marker)];
        if self.has_body {
            values.push(Value::from(body));
        }
        let values = Params::Positional(values);
        let inserted = self.session.connection().exec_drop(&self.insert, values);
        inserted.await.map_err(|error| {
            let kind = if error.is_fatal() {
                FailureKind::Reset
            } else {
                FailureKind::Protocol
            };
            (kind, words(&error))
        })
    }
}

/// A table into which workers insert markers.
pub(super) struct Completions {
    session: Session,
    /// Its name, quoted.
    name: String,
    look: String,
    rows: Rows,
}

impl Completions {
    pub(super) async fn open(table: &Table, completed: &str) -> Result<Self, String> {
        let mut session = open(table).await?;
        let connection = session.connection();
        let name = quoted(completed);
        let look =
            format!("SELECT id, COALESCE(marker, '') FROM {name} ORDER BY id LIMIT {AT_ONCE}");
        let prepared = match connection.prep(&look).await {
            Err(Error::Server(said)) if said.code == NO_SUCH_TABLE => {
                make(connection, &name).await?;
                connection.prep(&look).await
            }
            prepared => prepared,
        };
        prepared.map_err(|error| format!("the table {completed}: {}", words(&error)))?;
        Ok(Self {
            session,
            name,
            look,
            rows: Rows::default(),
        })
    }

    /// Waits for the next completions. They are to be deleted before more are read.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        loop {
            let rows = self.session.connection().exec(&self.look, ()).await;
            let rows: Vec<(i64, Vec<u8>)> = rows.map_err(|error| words(&error))?;
            if !rows.is_empty() {
                return Ok(self.rows.read(rows));
            }
            sleep(POLL).await;
        }
    }

    /// Deletes what was read.
    pub(super) async fn delete(&mut self) -> Result<(), String> {
        let delete = deletion(&self.name, self.rows.ids());
        let deleted = self.session.connection().query_drop(delete).await;
        deleted.map_err(|error| words(&error))?;
        self.rows.deleted();
        Ok(())
    }

    /// What was read and is not deleted yet.
    pub(super) fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }
}

async fn open(table: &Table) -> Result<Session, String> {
    let settings = Settings::parse(table.connection.reveal());
    let settings = settings.map_err(|why| format!("the connection string {why}"))?;
    let tls = table.tls.settings();
    let keys = Keys::all("connection");
    // The client's futures are large.
    let connect = Connect::anywhere();
    let opened = Box::pin(Session::within(&connect, &settings, &tls, keys)).await;
    let mut session = opened.map_err(|error| format!("MySQL: {error}"))?;
    let set_up = session.connection().query_drop(SET_UP).await;
    set_up.map_err(|error| words(&error))?;
    Ok(session)
}

/// Makes the table of completions, whose name is quoted.
async fn make(connection: &mut Conn, name: &str) -> Result<(), String> {
    let statement = format!(
        "CREATE TABLE IF NOT EXISTS {name} (id BIGINT AUTO_INCREMENT PRIMARY KEY, marker TEXT NOT NULL) \
         ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4"
    );
    let made = connection.query_drop(&statement).await;
    made.map_err(|error| format!("{}; it has to be made with: {statement}", words(&error)))
}

/// The statement that inserts a message.
fn insertion(table: &Table) -> String {
    let name = quoted(&table.name);
    match &table.body {
        Some(body) => {
            let body = quoted(body);
            format!("INSERT INTO {name} (marker, {body}) VALUES (?, ?)")
        }
        None => format!("INSERT INTO {name} (marker) VALUES (?)"),
    }
}

/// The statement that deletes rows of a table, whose name is quoted.
fn deletion(name: &str, ids: &[i64]) -> String {
    let mut statement = format!("DELETE FROM {name} WHERE id IN (");
    for (position, id) in ids.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        // Text takes whatever is written to it.
        let _ = write!(statement, "{comma}{id}");
    }
    statement.push(')');
    statement
}

/// Why nothing can be inserted into a table, and what would mend it.
fn unusable(error: &Error, table: &Table) -> String {
    let mut why = words(error);
    if let Error::Server(said) = error
        && said.code == NO_SUCH_COLUMN
    {
        why.push_str(&table.columns());
    }
    why
}

/// What the server or the client says, without what was sent.
fn words(error: &Error) -> String {
    match error {
        Error::Server(said) => format!("MySQL: {}", said.message),
        Error::Io(IoError::Io(why)) => format!("MySQL: {why}"),
        Error::Io(IoError::Tls(why)) => format!("MySQL: TLS: {why}"),
        Error::Driver(why) => format!("MySQL: {why}"),
        Error::Other(_) | Error::Url(_) => "MySQL: the client cannot go on".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_deleted_by_their_numbers() {
        for (ids, expected) in [(&[7][..], "(7)"), (&[1, -2, 3], "(1,-2,3)")] {
            let expected = format!("DELETE FROM `a``b` WHERE id IN {expected}");
            assert_eq!(deletion(&quoted("a`b"), ids), expected);
        }
    }
}
