//! PostgreSQL: a table, into which rows are inserted.

use std::error::Error as _;
use std::time::Duration;

use bytes::BytesMut;
use ebbtide_brokers::connect::Connect;
use ebbtide_brokers::databases::Keys;
use ebbtide_brokers::databases::postgresql::{Session, Settings, quoted};
use tokio::select;
use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, Row, Statement};

use super::Failed;
use super::pool::Insert;
use super::rows::Rows;
use crate::plan::Table;
use crate::record::outcome::FailureKind;

/// How long until completions are looked for again, if nobody notifies of them.
const POLL: Duration = Duration::from_millis(5);
/// How many completions are taken at once.
const AT_ONCE: usize = 1_000;

/// A connection that inserts.
pub(super) struct Inserter {
    session: Session,
    insert: Statement,
    has_body: bool,
}

impl Insert for Inserter {
    async fn open(table: &Table) -> Result<Self, String> {
        let mut session = open(table).await?;
        let prepared = session.client().prepare(&insertion(table)).await;
        Ok(Self {
            session,
            insert: prepared.map_err(|error| unusable(&error, table))?,
            has_body: table.body.is_some(),
        })
    }

    async fn insert(&mut self, marker: &str, body: &[u8]) -> Result<(), Failed> {
        let (marker, body) = (Text(marker.as_bytes()), Text(body));
        let both: [&(dyn ToSql + Sync); 2] = [&marker, &body];
        let values = if self.has_body { &both[..] } else { &both[..1] };
        let inserted = self.session.client().execute(&self.insert, values).await;
        let Err(error) = inserted else {
            return Ok(());
        };
        if self.session.client().is_closed() {
            let error = self.session.ended(error).await;
            return Err((FailureKind::Reset, words(&error)));
        }
        Err((FailureKind::Protocol, words(&error)))
    }
}

/// A table into which workers insert markers.
pub(super) struct Completions {
    session: Session,
    look: Statement,
    delete: Statement,
    rows: Rows,
}

impl Completions {
    pub(super) async fn open(table: &Table, completed: &str) -> Result<Self, String> {
        let mut session = open(table).await?;
        let client = session.client();
        let name = quoted(completed);
        // Markers that come back in spite of that, after a crash, are of no message of the next run.
        let listen = format!("SET synchronous_commit = off; LISTEN {name}");
        let listening = client.batch_execute(&listen).await;
        listening.map_err(|error| words(&error))?;
        let look = format!(
            "SELECT id::bigint, coalesce(marker::text, '') FROM {name} ORDER BY id LIMIT {AT_ONCE}"
        );
        let prepared = match client.prepare(&look).await {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
                make(client, &name).await?;
                client.prepare(&look).await
            }
            prepared => prepared,
        };
        let of = |error: Error| format!("the table {completed}: {}", words(&error));
        let look = prepared.map_err(of)?;
        let delete = format!("DELETE FROM {name} WHERE id = ANY($1::bigint[])");
        let delete = client.prepare(&delete).await.map_err(of)?;
        Ok(Self {
            session,
            look,
            delete,
            rows: Rows::default(),
        })
    }

    /// Waits for the next completions. They are to be deleted before more are read.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        loop {
            let rows = self.session.client().query(&self.look, &[]).await;
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => return Err(words(&self.session.ended(error).await)),
            };
            if rows.is_empty() {
                select! {
                    () = self.session.notified() => {}
                    () = sleep(POLL) => {}
                }
                continue;
            }
            let rows = rows.iter().map(row).collect::<Result<_, _>>();
            return rows
                .map(|rows| self.rows.read(rows))
                .map_err(|error| words(&error));
        }
    }

    /// Deletes what was read.
    pub(super) async fn delete(&mut self) -> Result<(), String> {
        let client = self.session.client();
        let deleted = client.execute(&self.delete, &[&self.rows.ids()]).await;
        if let Err(error) = deleted {
            return Err(words(&self.session.ended(error).await));
        }
        self.rows.deleted();
        Ok(())
    }

    /// What was read and is not deleted yet.
    pub(super) fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }
}

/// The number and the text of a row.
fn row(row: &Row) -> Result<(i64, Vec<u8>), Error> {
    let text: String = row.try_get(1)?;
    Ok((row.try_get(0)?, text.into_bytes()))
}

async fn open(table: &Table) -> Result<Session, String> {
    let settings = Settings::parse(table.connection.reveal());
    let settings = settings.map_err(|why| format!("the connection string {why}"))?;
    let tls = table.tls.settings();
    let keys = Keys::all("connection");
    let opened = Session::within(&Connect::anywhere(), &settings, &tls, keys).await;
    opened.map_err(|error| format!("PostgreSQL: {error}"))
}

/// Makes the table of completions, whose name is quoted.
async fn make(client: &Client, name: &str) -> Result<(), String> {
    let statement = format!(
        "CREATE TABLE IF NOT EXISTS {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, marker text NOT NULL)"
    );
    let made = client.batch_execute(&statement).await;
    made.map_err(|error| format!("{}; it has to be made with: {statement}", words(&error)))
}

/// The statement that inserts a message.
fn insertion(table: &Table) -> String {
    let name = quoted(&table.name);
    match &table.body {
        Some(body) => format!(
            "INSERT INTO {name} (marker, {}) VALUES ($1, $2)",
            quoted(body)
        ),
        None => format!("INSERT INTO {name} (marker) VALUES ($1)"),
    }
}

/// Why nothing can be inserted into a table, and what would mend it.
fn unusable(error: &Error, table: &Table) -> String {
    let mut why = words(error);
    if error.code() == Some(&SqlState::UNDEFINED_COLUMN) {
        why.push_str(&table.columns());
    }
    why
}

/// What the server or the client says, without what was sent.
fn words(error: &Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => format!("PostgreSQL: {}", said.message()),
        (None, Some(cause)) => format!("PostgreSQL: {error}: {cause}"),
        (None, None) => format!("PostgreSQL: {error}"),
    }
}

/// Text for a column of any type, which the server reads as it reads a literal.
#[derive(Debug)]
struct Text<'t>(&'t [u8]);

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
