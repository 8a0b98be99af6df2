//! MariaDB, which speaks MySQL's protocol.

mod bed;
mod wrong;

use ebbtide_signals::Amount;

use self::bed::{MariaDb, PASSWORD, USER};
use crate::bed::{Case, refusing};
use crate::certificates::Certificates;

/// A rule for a query, without a server.
fn asking(query: &str) -> Case {
    Case::of("mysql")
        .with("query", query)
        .with("queryValue", "5")
}

/// Whether the session has TLS.
const ENCRYPTED: &str = "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS \
                         WHERE VARIABLE_NAME = 'Ssl_cipher'";

async fn assert_errors(cases: &[(Case, &str)]) {
    for (case, expected) in cases {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
        assert!(
            !error.contains(PASSWORD) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_number_of_a_query_is_read() {
    let server = MariaDb::start().await;
    let waiting = "SELECT COUNT(*) FROM jobs WHERE state = 'queued'";
    server
        .sql("CREATE TABLE jobs (id SERIAL, state TEXT DEFAULT 'queued')")
        .await;
    assert_eq!(server.by_keys(waiting).read().await, Ok(Amount::from(0.0)));
    server
        .sql("INSERT INTO jobs (state) SELECT 'queued' FROM seq_1_to_7")
        .await;
    let port = server.port;
    for parameters in ["", "?parseTime=true&loc=Local", "?tls=preferred"] {
        let connection = format!("{USER}:{PASSWORD}@tcp(127.0.0.1:{port})/shop{parameters}");
        let case = asking(waiting).secret("connectionString", &connection);
        assert_eq!(case.read().await, Ok(Amount::from(7.0)), "{parameters}");
    }
    for (query, expected) in [
        ("SELECT 3", 3.0),
        ("SELECT CAST(3 AS UNSIGNED)", 3.0),
        ("SELECT 18446744073709551615", 18_446_744_073_709_551_615.0),
        ("SELECT 1.5e3", 1500.0),
        ("SELECT CAST(1.5 AS FLOAT)", 1.5),
        ("SELECT 12345.0625", 12_345.062_5),
        ("SELECT SUM(id) FROM jobs", 28.0),
        ("SELECT AVG(id) FROM jobs", 4.0),
        ("SELECT ' 42 '", 42.0),
        ("SELECT TRUE", 1.0),
        // Of several rows the first counts, whether there is a limit or not.
        ("SELECT id FROM jobs ORDER BY id DESC", 7.0),
        ("SELECT id FROM jobs ORDER BY id DESC LIMIT 5", 7.0),
        // The limit of what is sent is not one of what is counted.
        (
            "SELECT COUNT(*) FROM (SELECT id FROM jobs WHERE id > 2) AS some",
            5.0,
        ),
        (
            "WITH some AS (SELECT id FROM jobs) SELECT COUNT(*) FROM some",
            7.0,
        ),
        (
            "SELECT COUNT(*) FROM jobs WHERE state = 'queued' AND '12:30' <> ':a'",
            7.0,
        ),
        ("SELECT 1;", 1.0),
    ] {
        let read = server.by_keys(query).read().await;
        assert_eq!(read, Ok(Amount::from(expected)), "{query}");
    }
}

#[tokio::test]
async fn a_connection_string_sets_the_session_up() {
    let server = MariaDb::start().await;
    let place = format!("{USER}:{PASSWORD}@tcp(localhost:{})/", server.port);
    for (query, parameters, expected) in [
        ("SELECT @@lock_wait_timeout", "?lock_wait_timeout=7", 7.0),
        (
            "SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW())",
            "?time_zone=%27%2B05:00%27",
            5.0,
        ),
        // What a reader sets up itself is not to be changed.
        ("SELECT @@tx_read_only", "?tx_read_only=0", 1.0),
        ("SELECT @@sql_select_limit", "?sql_select_limit=100", 1.0),
        (
            "SELECT @@max_statement_time",
            "?max_statement_time=100",
            5.0,
        ),
    ] {
        let connection = format!("{place}{parameters}");
        let case = asking(query).secret("connectionString", &connection);
        assert_eq!(case.read().await, Ok(Amount::from(expected)), "{query}");
    }
}

#[tokio::test]
async fn tls_is_as_strict_as_the_rule_says() {
    let server = MariaDb::start().await;
    let ca = &server.certificates.ca;
    let other_ca = Certificates::other_ca();
    let with = |tls: &str, user: &str| {
        let case = server.by_keys(ENCRYPTED).with("tls", tls);
        case.with("username", user)
    };
    let port = server.port;
    let string = |tls: &str| {
        let connection = format!("{USER}:{PASSWORD}@tcp(127.0.0.1:{port})/shop?tls={tls}");
        asking(ENCRYPTED).secret("connectionString", &connection)
    };
    let signed = server.certificates.sign("only_certificate", &["client"]);
    let by_certificate = with("skip-verify", "only_certificate");
    let known = by_certificate
        .secret("cert", &signed.cert)
        .secret("key", &signed.key);
    for (case, expected) in [
        (with("false", USER), 0.0),
        (with("preferred", USER), 1.0),
        (with("skip-verify", USER), 1.0),
        (with("skip-verify", "only_tls"), 1.0),
        (with("true", USER).secret("ca", ca), 1.0),
        (string("true").secret("ca", ca), 1.0),
        (string("skip-verify"), 1.0),
        (string("false"), 0.0),
        (known, 1.0),
    ] {
        assert_eq!(
            case.read().await,
            Ok(Amount::from(expected)),
            "{:?}",
            case.rule
        );
    }
    let another = "ca: is not what the server's certificate is signed by";
    assert_errors(&[
        (
            with("false", "only_tls"),
            "password: the server says: Access denied for user 'only_tls'",
        ),
        (
            by_certificate,
            "password: the server says: Access denied for user 'only_certificate'",
        ),
        (with("true", USER).secret("ca", &other_ca), another),
        (string("true").secret("ca", &other_ca), another),
        (
            with("true", USER),
            "tls: TLS: invalid peer certificate: UnknownIssuer",
        ),
        (
            with("true", USER)
                .secret("ca", ca)
                .with("host", "localhost"),
            "tls: TLS: invalid peer certificate: certificate not valid for name \"localhost\"",
        ),
        (
            with("true", USER).secret("ca", "-----BEGIN CERTIFICATE-----\nhunter2"),
            "ca: has no certificate in PEM",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_without_tls_will_do_if_tls_is_only_preferred() {
    let server = MariaDb::plain().await;
    let with = |tls: &str| server.by_keys(ENCRYPTED).with("tls", tls);
    assert_eq!(with("preferred").read().await, Ok(Amount::from(0.0)));
    assert_errors(&[
        (with("true"), "tls: the server does not support TLS"),
        (with("skip-verify"), "tls: the server does not support TLS"),
    ])
    .await;
}
