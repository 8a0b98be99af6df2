//! Queues that are tables of databases.

use super::*;
use crate::plan::{Broker, QueueTarget, Table};

const POSTGRESQL: &str = "postgresql: {connection: 'postgresql://u:hunter2@db/shop', table: jobs";
const MYSQL: &str = "mysql: {connection: 'u:hunter2@tcp(db)/shop', table: jobs";

fn queues(targets: &str) -> Vec<QueueTarget> {
    let text = format!("targets: {targets}\nburst: 1\n");
    let plan = load_text(&text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!format!("{:?}", plan.plan).contains("hunter2"));
    let targets = plan.plan.targets.into_iter();
    let queues = targets.map(|target| match target.kind {
        TargetKind::Queue(queue) => queue,
        _ => panic!("{target:?}"),
    });
    queues.collect()
}

fn table(queue: &QueueTarget) -> &Table {
    match &queue.broker {
        Broker::Postgresql(table) | Broker::Mysql(table) => table,
        _ => panic!("{queue:?}"),
    }
}

#[test]
fn a_table_is_a_queue() {
    let queues = queues(&format!(
        "[{{name: a, queue: {{{POSTGRESQL}}}}}}}, {{name: b, body: x, queue: {{{MYSQL}, completed: done}}}}}}, \
         {{name: c, body: x, queue: {{postgresql: {{connection: {{env: NOT_SET}}, table: Jobs, bodyColumn: load, \
         connections: 3}}}}}}]"
    ));
    let found: Vec<_> = queues
        .iter()
        .map(|queue| {
            let Table {
                body, connections, ..
            } = table(queue);
            let words = queue.broker.in_words();
            let body = body.as_deref().unwrap_or("-");
            format!("{words} | {} | {body} | {connections}", queue.completed)
        })
        .collect();
    let expected = [
        "PostgreSQL table jobs | jobs_completed | - | 8",
        "MySQL table jobs | done | body | 8",
        "PostgreSQL table Jobs | Jobs_completed | load | 3",
    ];
    assert_eq!(found, expected);
}

#[test]
fn certificates_of_a_table_are_read_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let names = vec!["db".to_owned()];
    let own = rcgen::generate_simple_self_signed(names).unwrap();
    let (cert, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let connection = "postgresql://u@db/shop?sslmode=verify-full";
    let text = format!(
        "targets: [{{queue: {{postgresql: {{connection: '{connection}', table: jobs, tls: {{ca: a.pem, cert: a.pem, \
         key: key.pem}}}}}}}}]\nburst: 1\n"
    );
    for (name, text) in [("run.yaml", &text), ("a.pem", &cert), ("key.pem", &key)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let loaded = load(&folder.path().join("run.yaml"), Resolve::Addresses, |_| {});
    let plan = loaded.unwrap_or_else(|error| panic!("{error}")).plan;
    let TargetKind::Queue(queue) = &plan.targets[0].kind else {
        panic!("{plan:?}");
    };
    let tls = table(queue).tls.settings();
    let expected = (Some(&*cert), Some(&*cert), Some(&*key));
    assert_eq!((tls.ca, tls.cert, tls.key), expected);
    assert!(!format!("{plan:?}").contains(&key[40..80]));
}

/// A scenario whose one target is a table with this too.
fn with(database: &str, rest: &str) -> String {
    format!("[{{queue: {{{database}{rest}}}}}}}]")
}

fn check_errors(cases: &[(String, &str)]) {
    for (targets, expected) in cases {
        let found = errors(&format!("targets: {targets}\nburst: 1\n"));
        assert!(found.contains(expected), "{targets}\n{found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}

#[test]
fn what_a_table_cannot_be_called_is_said() {
    let long = "n".repeat(60);
    check_errors(&[
        (
            "[{queue: {postgresql: {connection: 'mysql://u:hunter2@db/', table: jobs}}}]"
                .to_owned(),
            "targets[0].queue.postgresql.connection: the connection string ",
        ),
        (
            "[{queue: {mysql: {connection: 'mysql://u:hunter2@db/shop', table: jobs}}}]".to_owned(),
            "targets[0].queue.mysql.connection: the connection string names its server not as tcp(HOST:PORT)",
        ),
        (
            "[{queue: {mysql: {connection: 'u:hunter2@tcp(db)/shop', table: ''}}}]".to_owned(),
            "targets[0].queue.mysql.table: it is empty",
        ),
        (
            with(POSTGRESQL, ", completed: jobs"),
            "targets[0].queue.postgresql.completed: it is another one, which has a name",
        ),
        (
            with(&POSTGRESQL.replace("jobs", &long), ""),
            "_completed` is too long: the name of a table of PostgreSQL has at most 63 bytes",
        ),
        (
            with(
                &MYSQL.replace("jobs", &format!("{long}äöüäö")),
                ", completed: done",
            ),
            "äöüäö` is too long: the name of a table of MySQL has at most 64 characters",
        ),
        (
            with(MYSQL, ", completed: \"a\\0\""),
            "targets[0].queue.mysql.completed: the name of a table has no U+0000",
        ),
    ]);
}

#[test]
fn what_a_table_cannot_have_is_said() {
    check_errors(&[
        (
            with(MYSQL, ", connections: 0"),
            "targets[0].queue.mysql.connections: 0 is not possible: 1 to 1000 are",
        ),
        (
            with(MYSQL, ", connections: 1001"),
            "targets[0].queue.mysql.connections: 1001 is not possible",
        ),
        (
            with(POSTGRESQL, ", bodyColumn: load"),
            "targets[0].queue.postgresql.bodyColumn: the target has no `body` to put there",
        ),
        (
            format!("[{{body: x, queue: {{{POSTGRESQL}, bodyColumn: marker}}}}}}]"),
            "targets[0].queue.postgresql.bodyColumn: it is another column than `marker`",
        ),
        (
            with(MYSQL, ", tls: {ca: ca.pem}"),
            "targets[0].queue.mysql.tls: the connection string asks for no TLS: remove this, or give the connection \
             string tls=true",
        ),
        (
            with(POSTGRESQL, ", tls: {ca: body.json}"),
            "targets[0].queue.postgresql.tls: ca: has no certificate in PEM",
        ),
        (
            with(POSTGRESQL, ", tls: {key: missing.pem}"),
            "targets[0].queue.postgresql.tls.key: cannot read `missing.pem`",
        ),
        (with(POSTGRESQL, ", url: x"), "`url`"),
        (
            format!("[{{name: one, queue: {{{MYSQL}}}}}}}, {{name: two, queue: {{{MYSQL}}}}}}}]"),
            "targets[1].queue: its completions would come through the same place as those of `one`",
        ),
    ]);
}
