//! `postgresql`: a number that a query gives.

mod number;

use tokio_postgres::{Error, Statement};

use self::number::Number;
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::connect::{Connect, TlsSettings};
use ebbtide_brokers::databases::Keys;
use ebbtide_brokers::databases::postgresql::{Session, Settings, SslMode, explain};
use ebbtide_brokers::error::ReadError;

const CONNECTION: &str = "connection";
const HOST: &str = "host";
const PORT: &str = "port";
const QUERY: &str = "query";

/// What a read does before it asks: nothing that takes longer is waited for, so it need not go on.
const LIMIT: &str = "SET LOCAL statement_timeout = '5s'";

struct PostgreSql {
    parameters: Parameters,
    connect: Connect,
    settings: Settings,
    keys: Keys,
    session: Option<Session>,
}

/// A reader for these parameters.
///
/// # Errors
/// A connection string that is none.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let (settings, keys) = match parameters.text(CONNECTION) {
        Some(text) => {
            let settings = Settings::parse(text);
            let settings = settings.map_err(|why| ReadError::of(CONNECTION, why))?;
            (settings, Keys::all(CONNECTION))
        }
        None => (by_keys(parameters)?, KEYS),
    };
    Ok(Box::new(PostgreSql {
        parameters: parameters.clone(),
        connect: context.connect.clone(),
        settings,
        keys,
        session: None,
    }))
}

/// The keys of a rule without a connection string.
const KEYS: Keys = Keys {
    host: HOST,
    password: "password",
    database: "dbName",
    tls: "sslmode",
};

fn by_keys(parameters: &Parameters) -> Result<Settings, ReadError> {
    let port = parameters.required(PORT)?.parse();
    let port = port.map_err(|_| ReadError::of(PORT, "is not 1 to 65535"))?;
    let user = parameters.required("userName")?;
    let mut settings = Settings::of(parameters.required(HOST)?, port, user);
    settings.password = parameters.text(KEYS.password).map(str::to_owned);
    settings.database = Some(parameters.required(KEYS.database)?.to_owned());
    let mode = parameters.word(KEYS.tls).unwrap_or_default();
    settings.ssl_mode = SslMode::parse(&mode)
        .ok_or_else(|| ReadError::of(KEYS.tls, "is not one of PostgreSQL's"))?;
    Ok(settings)
}

impl Reader for PostgreSql {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(async move {
            let tls = TlsSettings {
                ca: self.parameters.text("ca"),
                cert: self.parameters.text("cert"),
                key: self.parameters.text("key"),
                any_server: false,
            };
            let query = self.parameters.required(QUERY)?;
            // A reader that fails is thrown away, so that what fails here need not be put back.
            let mut session = if let Some(session) = self.session.take() {
                session
            } else {
                Session::within(&self.connect, &self.settings, &tls, self.keys).await?
            };
            match ask(&mut session, query).await {
                Ok(answer) => {
                    self.session = Some(session);
                    answer.map(Amount::from)
                }
                Err(error) => {
                    let error = session.ended(error).await;
                    Err(explain(&error, self.keys, tls.ca.is_some()))
                }
            }
        })
    }
}

/// The number that a query gives, in a transaction that changes nothing.
async fn ask(session: &mut Session, query: &str) -> Result<Result<f64, ReadError>, Error> {
    let transaction = session.client().build_transaction().read_only(true);
    let transaction = transaction.start().await?;
    transaction.batch_execute(LIMIT).await?;
    let statement = transaction.prepare(query).await?;
    if let Err(wrong) = checked(&statement) {
        return Ok(Err(wrong));
    }
    // Of however many rows the server sends one.
    let portal = transaction.bind(&statement, &[]).await?;
    let rows = transaction.query_portal(&portal, 1).await?;
    let number = match rows.first() {
        Some(row) => match row.try_get::<_, Option<Number>>(0) {
            Ok(number) => number.map_or_else(|| Err(wrong(NULL)), |Number(number)| Ok(number)),
            Err(_) => Err(wrong("gives a text that is not a number")),
        },
        None => Err(wrong(
            "gives no row; an aggregate, as count(*), always gives one",
        )),
    };
    transaction.rollback().await?;
    Ok(number)
}

const NULL: &str = "gives NULL; coalesce(…, 0) would make it a number";

fn checked(statement: &Statement) -> Result<(), ReadError> {
    if !statement.params().is_empty() {
        return Err(wrong("has parameters, as $1, which nothing fills in"));
    }
    match statement.columns() {
        [column] if Number::is_of(column.type_()) => Ok(()),
        [column] => {
            let message = format!("gives {}, which is no number; cast it", column.type_());
            Err(wrong(&message))
        }
        [] => Err(wrong("gives nothing; SELECT a number")),
        several => {
            let message = format!("gives {} columns; SELECT one", several.len());
            Err(wrong(&message))
        }
    }
}

fn wrong(message: &str) -> ReadError {
    ReadError::of(QUERY, message)
}
