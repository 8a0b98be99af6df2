//! Queues that are tables of databases.

use std::num::NonZeroUsize;

use ebbtide_brokers::databases::{mysql, postgresql};

use super::super::super::document::{TableDocument, TableTlsDocument, TargetDocument};
use super::super::Builder;
use crate::plan::{Secret, Table, TableTls};

/// How many connections insert, if nobody says it.
const DEFAULT_CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
/// The most connections that insert. Servers take a hundred or so of themselves.
const MAX_CONNECTIONS: usize = 1_000;
/// Where bodies are put, if nobody says it.
const DEFAULT_BODY: &str = "body";
/// Where markers are put.
const MARKER: &str = "marker";

/// What databases differ in.
pub(super) struct Database {
    name: &'static str,
    /// The longest name of a table, as the database counts it.
    longest: usize,
    length: fn(&str) -> usize,
    unit: &'static str,
    /// Whether a connection string asks for TLS, or what is wrong with it.
    asks_for_tls: fn(&str) -> Result<bool, String>,
    /// What in a connection string asks for TLS.
    tls: &'static str,
}

pub(super) const POSTGRESQL: Database = Database {
    name: "PostgreSQL",
    longest: postgresql::LONGEST_NAME,
    length: str::len,
    unit: "bytes",
    asks_for_tls: |text| {
        let settings = postgresql::Settings::parse(text)?;
        Ok(settings.ssl_mode != postgresql::SslMode::Disable)
    },
    tls: "an sslmode",
};

pub(super) const MYSQL: Database = Database {
    name: "MySQL",
    longest: mysql::LONGEST_NAME,
    length: |name| name.chars().count(),
    unit: "characters",
    asks_for_tls: |text| {
        let settings = mysql::Settings::parse(text)?;
        Ok(settings.tls != mysql::Tls::Off)
    },
    tls: "tls=true",
};

impl Builder<'_> {
    /// A table, whose keys are below `path`.
    pub(super) fn table(
        &mut self,
        path: &str,
        of: &TableDocument,
        completed: &str,
        document: &TargetDocument,
        database: &Database,
    ) -> Option<Table> {
        self.table_name(&format!("{path}.table"), &of.table, database);
        self.table_name(&format!("{path}.completed"), completed, database);
        let body = self.body_column(path, of, document);
        let connections = self.table_connections(path, of.connections);
        let connection = self.table_connection(path, of, database);
        let tls = self.table_tls(&format!("{path}.tls"), of.tls.as_ref());
        Some(Table {
            connection: connection?,
            name: of.table.clone(),
            body,
            connections: connections?,
            tls: tls?,
        })
    }

    fn table_name(&mut self, path: &str, name: &str, database: &Database) {
        let Database {
            longest,
            length,
            unit,
            ..
        } = *database;
        if length(name) > longest {
            let message = format!(
                "`{name}` is too long: the name of a table of {} has at most {longest} {unit}",
                database.name
            );
            self.problems.add(path, message);
        }
        if name.contains('\0') {
            self.problems.add(path, "the name of a table has no U+0000");
        }
    }

    /// The column that bodies are put into, if there are any.
    fn body_column(
        &mut self,
        path: &str,
        of: &TableDocument,
        document: &TargetDocument,
    ) -> Option<String> {
        let has_body = document.body.is_some() || document.body_file.is_some();
        let given = of.body_column.as_deref();
        let path = format!("{path}.bodyColumn");
        match given {
            Some(_) if !has_body => {
                let message = "the target has no `body` to put there: give it one, or remove this";
                self.problems.add(path, message);
            }
            Some(name) if name.is_empty() || name == MARKER => {
                let message = "it is another column than `marker`, and has a name";
                self.problems.add(path, message);
            }
            _ => {}
        }
        has_body.then(|| given.unwrap_or(DEFAULT_BODY).to_owned())
    }

    fn table_connections(&mut self, path: &str, given: Option<usize>) -> Option<NonZeroUsize> {
        let Some(given) = given else {
            return Some(DEFAULT_CONNECTIONS);
        };
        let possible = NonZeroUsize::new(given).filter(|given| given.get() <= MAX_CONNECTIONS);
        let message = format!("{given} is not possible: 1 to {MAX_CONNECTIONS} are");
        self.problems
            .take(format!("{path}.connections"), possible.ok_or(message))
    }

    fn table_connection(
        &mut self,
        path: &str,
        of: &TableDocument,
        database: &Database,
    ) -> Option<Secret> {
        // Of what is not known yet nothing is wrong.
        let mut asks_for_tls = true;
        let check = |text: &str| {
            let asked = (database.asks_for_tls)(text);
            asks_for_tls = asked.map_err(|why| format!("the connection string {why}"))?;
            Ok(())
        };
        let connection = self.connection(&format!("{path}.connection"), &of.connection, check)?;
        if of.tls.is_some() && !asks_for_tls {
            let message = format!(
                "the connection string asks for no TLS: remove this, or give the connection string {}",
                database.tls
            );
            self.problems.add(format!("{path}.tls"), message);
        }
        Some(connection)
    }

    /// What the files say, checked.
    fn table_tls(&mut self, path: &str, document: Option<&TableTlsDocument>) -> Option<TableTls> {
        let Some(document) = document else {
            return Some(TableTls::default());
        };
        let TableTlsDocument { ca, cert, key } = document;
        let given = [ca, cert, key].map(Option::is_some);
        let mut read = |name: &str, file: &Option<String>| {
            let file = file.as_ref()?;
            self.pem(&format!("{path}.{name}"), file)
        };
        let tls = TableTls {
            ca: read("ca", ca),
            cert: read("cert", cert),
            key: read("key", key).map(Secret::new),
        };
        if given != [tls.ca.is_some(), tls.cert.is_some(), tls.key.is_some()] {
            return None;
        }
        let checked = tls.settings().client();
        self.problems.take(path, checked)?;
        Some(tls)
    }

    /// The text of a file.
    fn pem(&mut self, path: &str, file: &str) -> Option<String> {
        let file = self.folder.join(file);
        let read = std::fs::read_to_string(&file);
        let read = read.map_err(|error| format!("cannot read `{}`: {error}", file.display()));
        self.problems.take(path, read)
    }
}
