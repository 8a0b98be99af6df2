//! `postgresql`.

use super::{check_drain, check_faults, sample_worker, worker};
use crate::brokers::postgresql::{DATABASE, PASSWORD, PostgreSql, USER};
use crate::harness::machine;

#[test]
fn rows_of_postgresql_are_worked_off() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.put("orders", 0);
    let (port, address) = (postgresql.port, "postgresql://");
    let address = format!("{address}{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}");
    let secrets = format!("[{{name: address, value: '{address}'}}]");
    let rule = "{type: postgresql, metadata: {query: SELECT count(*) FROM orders, targetQueryValue: '10'}, \
                auth: [{secretRef: address, triggerParameter: connection}]}";
    let container = sample_worker(
        "postgresql",
        "--table, orders",
        "POSTGRESQL_CONNECTION_STRING",
    );
    check_drain(
        &worker(&secrets, &container, rule),
        |number| postgresql.put("orders", number),
        || postgresql.length("orders") as u64,
    );
}

#[test]
fn what_is_wrong_with_a_query_of_postgresql_is_said() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.put("orders", 3);
    let rule = |port: u16, password: &str, query: &str| {
        format!(
            "{{type: postgresql, metadata: {{host: 127.0.0.1, port: '{port}', userName: {USER}, password: \
             {password}, dbName: {DATABASE}, query: '{query}', targetQueryValue: '10'}}}}"
        )
    };
    let (port, count) = (postgresql.port, "SELECT count(*) FROM orders");
    let with = |more: &str| rule(port, PASSWORD, count).replace("}}", &format!(", {more}}}}}"));
    check_faults(
        &[
            (
                &rule(port, "hunter2", count),
                "password: the server says: password authentication failed",
            ),
            (
                &rule(port, PASSWORD, "SELECT count(*) FROM nothing"),
                "query: the server says: relation \"nothing\" does not exist",
            ),
            (
                &rule(port, PASSWORD, "DELETE FROM orders RETURNING id"),
                "query: may only read",
            ),
            (
                &rule(port, PASSWORD, "SELECT -1"),
                "-1 was read, which is not an amount",
            ),
            (
                &rule(1, PASSWORD, count),
                "host: cannot connect to 127.0.0.1:1",
            ),
            (
                &with("sslmode: verify-full"),
                "sslmode: server does not support TLS",
            ),
        ],
        &["hunter2", PASSWORD],
    );
    assert_eq!(postgresql.length("orders"), 3);
}
