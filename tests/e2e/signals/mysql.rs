//! `mysql`, by MariaDB.

use super::{check_drain, check_faults, sample_worker, worker};
use crate::brokers::mariadb::{DATABASE, MariaDb, PASSWORD, USER};
use crate::harness::machine;

#[test]
fn rows_of_mariadb_are_worked_off() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.put("orders", 1);
    mariadb.sql("delete from orders");
    let port = mariadb.port;
    let address = format!("{USER}:{PASSWORD}@tcp(127.0.0.1:{port})/{DATABASE}");
    let secrets = format!("[{{name: address, value: '{address}'}}]");
    let rule = "{type: mysql, metadata: {query: SELECT COUNT(*) FROM orders, queryValue: '10'}, \
                auth: [{secretRef: address, triggerParameter: connectionString}]}";
    let container = sample_worker("mysql", "--table, orders", "MYSQL_CONNECTION_STRING");
    check_drain(
        &worker(&secrets, &container, rule),
        |number| mariadb.put("orders", number),
        || mariadb.length("orders") as u64,
    );
}

#[test]
fn what_is_wrong_with_a_query_of_mariadb_is_said() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.put("orders", 3);
    let rule = |port: u16, password: &str, query: &str, more: &str| {
        format!(
            "{{type: mysql, metadata: {{host: 127.0.0.1, port: '{port}', username: {USER}, password: \
             {password}, dbName: {DATABASE}, query: '{query}', queryValue: '10'{more}}}}}"
        )
    };
    let (port, count) = (mariadb.port, "SELECT COUNT(*) FROM orders");
    check_faults(
        &[
            (
                &rule(port, "hunter2", count, ""),
                "password: the server says: Access denied",
            ),
            (
                &rule(port, PASSWORD, "SELECT COUNT(*) FROM nothing", ""),
                "query: the server says: Table ",
            ),
            (
                &rule(port, PASSWORD, "DELETE FROM orders RETURNING id", ""),
                "query: may only read",
            ),
            (
                &rule(port, PASSWORD, "SELECT -1", ""),
                "-1 was read, which is not an amount",
            ),
            (
                &rule(1, PASSWORD, count, ""),
                "host: cannot connect to 127.0.0.1:1",
            ),
            (&rule(port, PASSWORD, count, ", tls: 'true'"), "tls: "),
        ],
        &["hunter2", PASSWORD],
    );
    assert_eq!(mariadb.length("orders"), 3);
}
