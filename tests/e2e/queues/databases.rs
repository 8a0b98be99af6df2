//! Tables of PostgreSQL and MariaDB.

use super::{LEFT_OVER, LOAD, Scenario, Worker, check_all_completed, report};
use crate::brokers::mariadb::{self, MariaDb};
use crate::brokers::postgresql::{self, PostgreSql};
use crate::harness::{SOON, eventually, machine};
use crate::keda::certificates;

/// Three messages, whose markers are given back by somebody else than the sample worker.
const BURST: &str = "    timeout: 60s\nburst: 3\n\
                     thresholds: [queues.orders.completed == 3, queues.orders.repeated == 0]\n";

/// A queue with a table for the markers whose name has to be quoted, as the sample worker of these tests has it.
fn queue(database: &str, table: &str) -> String {
    format!(
        "{{{database}: {{connection: {{env: BROKER_URL}}, table: {table}, completed: orders-completed}}}}"
    )
}

fn postgresql_url(postgresql: &PostgreSql, password: &str) -> String {
    let (user, database) = (postgresql::USER, postgresql::DATABASE);
    let scheme = "postgresql://";
    format!(
        "{scheme}{user}:{password}@127.0.0.1:{}/{database}",
        postgresql.port
    )
}

fn mysql_url(mariadb: &MariaDb, password: &str) -> String {
    let (user, database) = (mariadb::USER, mariadb::DATABASE);
    format!(
        "{user}:{password}@tcp(127.0.0.1:{})/{database}",
        mariadb.port
    )
}

#[test]
fn every_row_of_postgresql_is_completed() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.sql("create table orders (id bigserial primary key, marker text, body text)");
    postgresql.sql("insert into orders (body) values ('not of loadgen')");
    let url = postgresql_url(&postgresql, postgresql::PASSWORD);
    let variable = ("POSTGRESQL_CONNECTION_STRING", url.as_str());
    let _worker = Worker::start(variable, &["postgresql", "--table", "orders"]);
    let scenario = Scenario::new(&queue("postgresql", "orders"), LOAD);
    check_all_completed(&scenario.run(&url), postgresql::PASSWORD);
    for table in ["orders", "\"orders-completed\""] {
        assert_eq!(postgresql.length(table), 0, "{table}");
    }
    // The second run finds the table and what another one has left in it.
    postgresql.sql(&format!(
        "insert into \"orders-completed\" (marker) values ('{LEFT_OVER}'), ('nonsense')"
    ));
    check_all_completed(&scenario.run(&url), postgresql::PASSWORD);
    assert_eq!(postgresql.length("\"orders-completed\""), 0);
}

#[test]
fn every_row_of_mariadb_is_completed() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.sql("create table orders (id serial, marker varchar(100), body text)");
    mariadb.sql("insert into orders (body) values ('not of loadgen')");
    let url = mysql_url(&mariadb, mariadb::PASSWORD);
    let variable = ("MYSQL_CONNECTION_STRING", url.as_str());
    let _worker = Worker::start(variable, &["mysql", "--table", "orders"]);
    let scenario = Scenario::new(&queue("mysql", "orders"), LOAD);
    check_all_completed(&scenario.run(&url), mariadb::PASSWORD);
    for table in ["orders", "`orders-completed`"] {
        assert_eq!(mariadb.length(table), 0, "{table}");
    }
    mariadb.sql(&format!(
        "insert into `orders-completed` (marker) values ('{LEFT_OVER}'), ('nonsense')"
    ));
    check_all_completed(&scenario.run(&url), mariadb::PASSWORD);
    assert_eq!(mariadb.length("`orders-completed`"), 0);
}

/// A table as people have it, with a body of another type, and a worker that is one statement.
#[test]
fn one_statement_of_postgresql_can_be_the_worker() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.sql(
        "create table \"Jobs\" (id bigserial primary key, payload jsonb not null, marker varchar(80))",
    );
    let url = postgresql_url(&postgresql, postgresql::PASSWORD);
    let queue = "{postgresql: {connection: {env: BROKER_URL}, table: Jobs, bodyColumn: payload, connections: 2}}";
    let scenario = Scenario::with_body(queue, "{\"order\": ${sequence}}", BURST);
    let run = scenario.start(&url);
    eventually(SOON, "three messages are there", || {
        postgresql.length("\"Jobs\"") == 3
    });
    let orders = postgresql.sql("select sum((payload ->> 'order')::int) from \"Jobs\"");
    assert_eq!(orders, "3");
    postgresql.sql(
        "with done as (delete from \"Jobs\" returning marker) \
         insert into \"Jobs_completed\" (marker) select marker from done where marker like 'loadgen%'",
    );
    report(&run.wait_with_output().unwrap(), 0);
    assert_eq!(postgresql.length("\"Jobs_completed\""), 0);
}

#[test]
fn completions_are_read_on_when_the_server_has_ended_the_sessions() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.sql("create table orders (id bigserial primary key, marker text, body text)");
    let url = postgresql_url(&postgresql, postgresql::PASSWORD);
    let scenario = Scenario::new(&queue("postgresql", "orders"), BURST);
    let run = scenario.start(&url);
    eventually(SOON, "three messages are there", || {
        postgresql.length("orders") == 3
    });
    let others =
        "from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    postgresql.sql(&format!("select pg_terminate_backend(pid) {others}"));
    eventually(SOON, "there is a session again", || {
        postgresql.sql(&format!("select count(*) {others}")) == "1"
    });
    postgresql.sql(
        "with done as (delete from orders returning marker) \
         insert into \"orders-completed\" (marker) select marker from done",
    );
    report(&run.wait_with_output().unwrap(), 0);
    assert_eq!(postgresql.length("\"orders-completed\""), 0);
}

#[test]
fn a_table_is_reached_by_tls_with_the_authority_that_the_scenario_names() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.sql("create table orders (id bigserial primary key, marker text, body text)");
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    postgresql.secure(folder.path());
    let url = postgresql_url(&postgresql, postgresql::PASSWORD);
    let url = format!("{url}?sslmode=verify-full");
    let ca = folder.path().join("ca.crt");
    let queue = format!(
        "{{postgresql: {{connection: {{env: BROKER_URL}}, table: orders, connections: 2, tls: {{ca: '{}'}}}}}}",
        ca.display()
    );
    let scenario = Scenario::new(&queue, BURST);
    let run = scenario.start(&url);
    eventually(SOON, "three messages are there", || {
        postgresql.length("orders") == 3
    });
    let secured = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) \
                   where backend_type = 'client backend' and pid <> pg_backend_pid()";
    assert_eq!(postgresql.sql(secured), "t");
    postgresql.sql(
        "with done as (delete from orders returning marker) \
         insert into orders_completed (marker) select marker from done",
    );
    report(&run.wait_with_output().unwrap(), 0);
    check_refused(
        "postgresql",
        "orders",
        &url,
        "UnknownIssuer",
        postgresql::PASSWORD,
    );
}

#[test]
fn two_statements_of_mariadb_can_be_the_worker() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.sql("create table jobs (id serial, payload json not null, marker varchar(80))");
    let url = mysql_url(&mariadb, mariadb::PASSWORD);
    let queue = "{mysql: {connection: {env: BROKER_URL}, table: jobs, bodyColumn: payload}}";
    let scenario = Scenario::with_body(queue, "{\"order\": ${sequence}}", BURST);
    let run = scenario.start(&url);
    eventually(SOON, "three messages are there", || {
        mariadb.length("jobs") == 3
    });
    let orders = mariadb.sql("select sum(json_value(payload, '$.order')) from jobs");
    assert_eq!(orders, "3");
    mariadb.sql(
        "start transaction; insert into jobs_completed (marker) select marker from jobs; \
         delete from jobs; commit",
    );
    report(&run.wait_with_output().unwrap(), 0);
    assert_eq!(mariadb.length("jobs_completed"), 0);
}

#[test]
fn what_cannot_be_used_of_postgresql_is_said_without_the_password() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.put("plain", 0);
    let url = postgresql_url(&postgresql, postgresql::PASSWORD);
    for (table, url, expected) in [
        (
            "nothing",
            url.clone(),
            "relation \"nothing\" does not exist",
        ),
        (
            "plain",
            url.clone(),
            "column \"marker\" of relation \"plain\" does not exist; the table needs a column of text, `marker` and \
             one for bodies, `body`",
        ),
        (
            "plain",
            postgresql_url(&postgresql, "hunter2"),
            "password authentication failed",
        ),
        (
            "plain",
            format!("{url}?sslmode=require"),
            "server does not support TLS",
        ),
        (
            "plain",
            format!("{url}?sslmode=hunter2"),
            "the connection string has a value of sslmode",
        ),
    ] {
        check_refused("postgresql", table, &url, expected, postgresql::PASSWORD);
    }
}

#[test]
fn what_cannot_be_used_of_mariadb_is_said_without_the_password() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.put("plain", 0);
    let url = mysql_url(&mariadb, mariadb::PASSWORD);
    for (table, url, expected) in [
        ("nothing", url.clone(), "Table 'shop.nothing' doesn't exist"),
        (
            "plain",
            url.clone(),
            "'marker' in 'INSERT INTO'; the table needs a column of text, `marker` and one for bodies, `body`",
        ),
        ("plain", mysql_url(&mariadb, "hunter2"), "Access denied"),
        (
            "plain",
            format!("{url}?tls=true"),
            "the server does not support TLS",
        ),
        (
            "plain",
            format!("{url}?tls=hunter2"),
            "the connection string has a value of tls",
        ),
    ] {
        check_refused("mysql", table, &url, expected, mariadb::PASSWORD);
    }
}

fn check_refused(database: &str, table: &str, url: &str, expected: &str, secret: &str) {
    let scenario = Scenario::new(&queue(database, table), "    timeout: 30s\nburst: 1\n");
    let output = scenario.run(url);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(expected), "{expected}: {errors}");
    for secret in [secret, "hunter2"] {
        assert!(!errors.contains(secret), "{errors}");
    }
}

/// A marker that the column is too short for is not cut.
#[test]
fn a_row_that_is_not_taken_has_failed() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.sql("create table orders (id serial, marker varchar(10), body text)");
    // A server that is less strict cuts it.
    let url = mysql_url(&mariadb, mariadb::PASSWORD);
    let lax = format!("{url}?sql_mode=%27%27");
    let scenario = Scenario::new(&queue("mysql", "orders"), "    timeout: 30s\nburst: 2\n");
    let report = report(&scenario.run(&lax), 2);
    assert_eq!(report["queues"][0]["enqueued"], 0, "{report:#}");
    assert_eq!(report["total"]["errors"]["protocol"], 2, "{report:#}");
    let why = report["total"]["errorSamples"]["protocol"]
        .as_str()
        .unwrap();
    assert!(why.contains("Data too long for column 'marker'"), "{why}");
}
