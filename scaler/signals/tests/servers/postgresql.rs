//! PostgreSQL.

mod bed;
mod wrong;

use ebbtide_signals::Amount;

use self::bed::{PASSWORD, PostgreSql, USER};
use crate::bed::{Case, refusing};
use crate::certificates::Certificates;

/// A rule for a query, without a server.
fn asking(query: &str) -> Case {
    Case::of("postgresql")
        .with("query", query)
        .with("targetQueryValue", "5")
}

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
    let server = PostgreSql::start().await;
    let waiting = "SELECT count(*) FROM jobs WHERE state = 'queued'";
    server
        .sql("CREATE TABLE jobs (id serial, state text DEFAULT 'queued')")
        .await;
    assert_eq!(server.by_keys(waiting).read().await, Ok(Amount::from(0.0)));
    server
        .sql("INSERT INTO jobs SELECT FROM generate_series(1, 7)")
        .await;
    let port = server.port;
    for connection in [
        format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=disable"),
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"),
        format!("host=127.0.0.1 port={port} user={USER} password='{PASSWORD}' dbname=postgres"),
    ] {
        let case = asking(waiting).secret("connection", &connection);
        assert_eq!(case.read().await, Ok(Amount::from(7.0)));
    }
    for (query, expected) in [
        ("SELECT 3::int2", 3.0),
        ("SELECT 3::oid", 3.0),
        ("SELECT 3000000000", 3e9),
        ("SELECT 1.5::float4", 1.5),
        ("SELECT 1.5e3::float8", 1500.0),
        ("SELECT 12345.0625", 12_345.062_5),
        ("SELECT 0.0001::numeric(10, 8)", 0.0001),
        ("SELECT sum(id) FROM jobs", 28.0),
        ("SELECT avg(id) FROM jobs", 4.0),
        ("SELECT ' 42 '", 42.0),
        ("SELECT '7'::varchar", 7.0),
        // Of several rows the first counts.
        ("SELECT id FROM jobs ORDER BY id DESC", 7.0),
        ("SHOW block_size", 8192.0),
        ("SELECT 1;", 1.0),
    ] {
        let read = server.by_keys(query).read().await;
        assert_eq!(read, Ok(Amount::from(expected)), "{query}");
    }
}

#[tokio::test]
async fn a_connection_string_sets_the_session_up() {
    let server = PostgreSql::start().await;
    server
        .sql("CREATE SCHEMA shop; CREATE TABLE shop.jobs AS SELECT generate_series(1, 3)")
        .await;
    let port = server.port;
    let place = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres");
    let nobody = refusing().await;
    for (query, connection, expected) in [
        (
            "SELECT count(*) FROM jobs",
            format!("{place}?search_path=other%2C+shop"),
            3.0,
        ),
        (
            "SELECT length(current_setting('application_name'))",
            format!("{place}?application_name=x%20y%5Cz"),
            5.0,
        ),
        // The first host that can be used is.
        (
            "SELECT 2",
            format!(
                "postgres://{USER}:{PASSWORD}@{nobody},127.0.0.1:{port}/postgres?target_session_attrs=primary"
            ),
            2.0,
        ),
        (
            "SELECT 2",
            format!("{place}?target_session_attrs=read-write"),
            2.0,
        ),
    ] {
        let case = asking(query).secret("connection", &connection);
        assert_eq!(case.read().await, Ok(Amount::from(expected)), "{query}");
    }
    for target in ["standby", "read-only"] {
        let connection = format!("{place}?target_session_attrs={target}");
        let case = asking("SELECT 2").secret("connection", &connection);
        let expected =
            format!("connection: 127.0.0.1:{port} is not what target_session_attrs asks for");
        assert_errors(&[(case, &expected)]).await;
    }
}

#[tokio::test]
async fn tls_is_as_strict_as_sslmode_says() {
    let server = PostgreSql::start().await;
    let ca = &server.certificates.ca;
    let other_ca = Certificates::other_ca();
    let encrypted = "SELECT CASE WHEN ssl THEN 1 ELSE 0 END FROM pg_stat_ssl \
                     WHERE pid = pg_backend_pid()";
    let with = |mode: &str, user: &str| {
        let case = server.by_keys(encrypted).with("sslmode", mode);
        case.with("userName", user)
    };
    for (case, expected) in [
        (with("disable", USER), 0.0),
        (with("allow", USER), 0.0),
        (with("allow", "only_tls"), 1.0),
        (with("prefer", USER), 1.0),
        (with("require", USER), 1.0),
        (with("require", USER).secret("ca", ca), 1.0),
        (with("verify-ca", USER).secret("ca", ca), 1.0),
        (
            with("Verify-CA", USER)
                .secret("ca", ca)
                .with("host", "localhost"),
            1.0,
        ),
        (with("verify-full", USER).secret("ca", ca), 1.0),
    ] {
        assert_eq!(
            case.read().await,
            Ok(Amount::from(expected)),
            "{:?}",
            case.rule
        );
    }
    let signed = server.certificates.sign("only_certificate", &["client"]);
    let by_certificate =
        with("require", "only_certificate").secret("password", "none of the server's");
    let known = by_certificate
        .secret("cert", &signed.cert)
        .secret("key", &signed.key);
    assert_eq!(known.read().await, Ok(Amount::from(1.0)));
    let another = "ca: is not what the server's certificate is signed by";
    assert_errors(&[
        (
            with("disable", "only_tls"),
            "password: the server says: pg_hba.conf rejects connection",
        ),
        (with("require", USER).secret("ca", &other_ca), another),
        (with("verify-ca", USER).secret("ca", &other_ca), another),
        (with("verify-full", USER).secret("ca", &other_ca), another),
        (
            with("verify-ca", USER),
            "sslmode: TLS: invalid peer certificate: UnknownIssuer",
        ),
        (
            with("verify-full", USER)
                .secret("ca", ca)
                .with("host", "localhost"),
            "sslmode: TLS: invalid peer certificate: certificate not valid for name \"localhost\"",
        ),
        (
            by_certificate,
            "password: the server says: connection requires a valid client certificate",
        ),
    ])
    .await;
}
