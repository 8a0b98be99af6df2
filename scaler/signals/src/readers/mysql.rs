//! `mysql`: a number that a query gives.

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Error, Statement, Value};

use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::connect::{Connect, TlsSettings};
use ebbtide_brokers::databases::Keys;
use ebbtide_brokers::databases::mysql::{Session, Settings, Tls, explain};
use ebbtide_brokers::error::ReadError;

const CONNECTION: &str = "connectionString";
const HOST: &str = "host";
const PORT: &str = "port";
const QUERY: &str = "query";

/// What a session begins with: it changes nothing, and no more than one row is sent unless a query says
/// how many.
const BEGIN: [&str; 2] = [
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION sql_select_limit = 1",
];
/// Nothing that takes longer than a read may is waited for, so it need not go on.
const IS_MARIADB: &str = "SELECT VERSION() LIKE '%MariaDB%'";
const LIMIT_OF_MARIADB: &str = "SET SESSION max_statement_time = 5";
const LIMIT_OF_MYSQL: &str = "SET SESSION max_execution_time = 5000";

struct MySql {
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
    Ok(Box::new(MySql {
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
    tls: "tls",
};

fn by_keys(parameters: &Parameters) -> Result<Settings, ReadError> {
    let port = parameters.required(PORT)?.parse();
    let port = port.map_err(|_| ReadError::of(PORT, "is not 1 to 65535"))?;
    let user = parameters.required("username")?;
    let mut settings = Settings::of(parameters.required(HOST)?, port, user);
    settings.password = parameters.text(KEYS.password).map(str::to_owned);
    settings.database = parameters.text(KEYS.database).map(str::to_owned);
    let tls = parameters.required(KEYS.tls)?;
    settings.tls = Tls::parse(tls).ok_or_else(|| ReadError::of(KEYS.tls, "is not known"))?;
    Ok(settings)
}

impl Reader for MySql {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(async move {
            let tls = TlsSettings {
                ca: self.parameters.text("ca"),
                cert: self.parameters.text("cert"),
                key: self.parameters.text("key"),
                any_server: false,
            };
            let explained = |error, key| explain(&error, self.keys, key, tls.ca.is_some());
            // A reader that fails is thrown away, so that what fails here need not be put back.
            let mut session = if let Some(session) = self.session.take() {
                session
            } else {
                let opening = Session::within(&self.connect, &self.settings, &tls, self.keys);
                let mut session = opening.await?;
                let begun = begin(&mut session).await;
                begun.map_err(|error| explained(error, self.keys.host))?;
                session
            };
            let query = self.parameters.required(QUERY)?;
            let answer = ask(&mut session, query).await;
            let answer = answer.map_err(|error| explained(error, QUERY))?;
            // Rows that were not asked for would be in the way of the next answer.
            if !answer.has_more {
                self.session = Some(session);
            }
            answer.number.map(Amount::from)
        })
    }
}

async fn begin(session: &mut Session) -> Result<(), Error> {
    let connection = session.connection();
    for statement in BEGIN {
        connection.query_drop(statement).await?;
    }
    let is_mariadb: Option<u8> = connection.query_first(IS_MARIADB).await?;
    let limit = match is_mariadb {
        Some(1) => LIMIT_OF_MARIADB,
        _ => LIMIT_OF_MYSQL,
    };
    connection.query_drop(limit).await
}

struct Answer {
    number: Result<f64, ReadError>,
    has_more: bool,
}

/// The number that a query gives. It is prepared, so that it is one statement.
async fn ask(session: &mut Session, query: &str) -> Result<Answer, Error> {
    let connection = session.connection();
    let statement = connection.prep(query).await?;
    if let Err(wrong) = checked(&statement) {
        let (number, has_more) = (Err(wrong), false);
        return Ok(Answer { number, has_more });
    }
    let mut result = connection.exec_iter(&statement, ()).await?;
    let row = result.next().await?;
    let number = match row.as_ref().map(|row| row.as_ref(0)) {
        Some(Some(value)) => number(value),
        _ => Err(wrong(
            "gives no row; an aggregate, as COUNT(*), always gives one",
        )),
    };
    let has_more = row.is_some() && result.next().await?.is_some();
    Ok(Answer { number, has_more })
}

fn checked(statement: &Statement) -> Result<(), ReadError> {
    if statement.num_params() > 0 {
        return Err(wrong("has parameters, as ?, which nothing fills in"));
    }
    match &*statement.columns() {
        [column] => match column.column_type() {
            ColumnType::MYSQL_TYPE_DATE
            | ColumnType::MYSQL_TYPE_DATETIME
            | ColumnType::MYSQL_TYPE_TIME
            | ColumnType::MYSQL_TYPE_TIMESTAMP => {
                Err(wrong("gives a time, which is no number; cast it"))
            }
            _ => Ok(()),
        },
        [] => Err(wrong("gives nothing; SELECT a number")),
        several => {
            let message = format!("gives {} columns; SELECT one", several.len());
            Err(wrong(&message))
        }
    }
}

/// The number that a value is. Decimals come as texts.
#[expect(clippy::cast_precision_loss, reason = "KEDA's numbers are floats, too")]
fn number(value: &Value) -> Result<f64, ReadError> {
    match value {
        Value::NULL => Err(wrong("gives NULL; COALESCE(…, 0) would make it a number")),
        Value::Int(number) => Ok(*number as f64),
        Value::UInt(number) => Ok(*number as f64),
        Value::Float(number) => Ok((*number).into()),
        Value::Double(number) => Ok(*number),
        Value::Bytes(text) => {
            let text = std::str::from_utf8(text).ok();
            let number = text.and_then(|text| text.trim().parse().ok());
            number.ok_or_else(|| wrong("gives a text that is not a number"))
        }
        Value::Date(..) | Value::Time(..) => {
            Err(wrong("gives a time, which is no number; cast it"))
        }
    }
}

fn wrong(message: &str) -> ReadError {
    ReadError::of(QUERY, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers_if_they_can_be() {
        for (value, expected) in [
            (Value::Int(-3), Some(-3.0)),
            (Value::UInt(u64::MAX), Some(18_446_744_073_709_551_616.0)),
            (Value::Float(1.5), Some(1.5)),
            (Value::Double(2.25), Some(2.25)),
            (Value::Bytes(b"12.34".to_vec()), Some(12.34)),
            (Value::Bytes(b" 7\n".to_vec()), Some(7.0)),
            (Value::Bytes(b"many".to_vec()), None),
            (Value::Bytes(vec![0xff]), None),
            (Value::NULL, None),
            (Value::Time(false, 0, 1, 0, 0, 0), None),
        ] {
            assert_eq!(number(&value).ok(), expected, "{value:?}");
        }
    }
}
