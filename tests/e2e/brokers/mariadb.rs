//! MariaDB, which speaks MySQL's protocol.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::machine;
use crate::ports;

/// A user who has the database.
pub(crate) const USER: &str = "ebbtide";
/// The user's password.
pub(crate) const PASSWORD: &str = "mariadb-password";
/// The database.
pub(crate) const DATABASE: &str = "shop";

/// Small and quick: what it keeps is thrown away, so nothing waits for the disk.
const SETTINGS: [&str; 4] = [
    "--skip-name-resolve",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
];

/// A MariaDB server.
pub(crate) struct MariaDb {
    /// Its port.
    pub(crate) port: u16,
    server: Server,
    _folder: TempDir,
}

impl MariaDb {
    /// Starts one with an empty database.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut install = program("mariadb-install-db", folder.path());
        tool::run(install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]));
        let first = folder.path().join("first.sql");
        let statements = format!(
            "create database {DATABASE};\ncreate user '{USER}'@'%' identified by '{PASSWORD}';\n\
             grant all on {DATABASE}.* to '{USER}'@'%';\n"
        );
        std::fs::write(&first, statements).expect("the folder is writable");
        let port = ports::free();
        let mut command = program("mariadbd", folder.path());
        command
            .args(["--bind-address=127.0.0.1", &format!("--port={port}")])
            .arg(option("socket", &folder.path().join("socket")))
            .arg(option("pid-file", &folder.path().join("pid")))
            .arg(option("init-file", &first))
            .arg("--performance-schema=off");
        let server = Server::start("mariadb", folder.path(), End::Kill, &command);
        let mut mariadb = Self {
            port,
            server,
            _folder: folder,
        };
        let mut ask = mariadb.client("select 1");
        mariadb
            .server
            .wait_until(|| tool::try_run(&mut ask).is_ok());
        mariadb
    }

    /// What the client prints for a statement, without headings.
    pub(crate) fn sql(&self, statement: &str) -> String {
        tool::run(&mut self.client(statement)).trim().to_owned()
    }

    /// Makes a table of tasks if it is not there, and puts rows into it.
    pub(crate) fn put(&self, table: &str, number: usize) {
        self.sql(&format!(
            "create table if not exists {table} (id serial, state text not null);\
             insert into {table} (state) select 'queued' from seq_1_to_{number}"
        ));
    }

    /// The rows of a table.
    pub(crate) fn length(&self, table: &str) -> usize {
        let count = self.sql(&format!("select count(*) from {table}"));
        count.parse().expect("a number")
    }

    fn client(&self, statement: &str) -> Command {
        let mut command = Command::new("mariadb");
        command
            .args(["--no-defaults", "--batch", "--skip-column-names"])
            .args(["--host=127.0.0.1", &format!("--port={}", self.port)])
            .args([&format!("--user={USER}"), "--execute", statement, DATABASE])
            .env("MYSQL_PWD", PASSWORD);
        command
    }
}

/// One of the server's programs with what they have in common.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command
        .arg("--no-defaults")
        .arg(option("datadir", &folder.join("data")))
        .args(SETTINGS);
    if rustix::process::geteuid().is_root() {
        command.arg("--user=root");
    }
    command
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

#[test]
fn mariadb_keeps_rows_and_wants_a_password() {
    let _machine = machine();
    let mariadb = MariaDb::start();
    mariadb.put("tasks", 3);
    assert_eq!(mariadb.length("tasks"), 3);
    mariadb.put("tasks", 2);
    mariadb.sql("update tasks set state = 'done' where id = 1");
    let queued = mariadb.sql("select count(*) from tasks where state = 'queued'");
    assert_eq!(queued, "4");
    let mut stranger = mariadb.client("select 1");
    let refused = tool::try_run(stranger.env("MYSQL_PWD", "wrong"));
    assert!(refused.is_err_and(|error| error.contains("Access denied")));
}
