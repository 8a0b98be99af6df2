//! PostgreSQL, with a password over TCP.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::{SOON, eventually, machine};
use crate::ports;

/// The database's owner.
pub(crate) const USER: &str = "ebbtide";
/// The owner's password.
pub(crate) const PASSWORD: &str = "postgresql-password";
/// The database.
pub(crate) const DATABASE: &str = "postgres";

/// The user of the system who runs the server where the tests are root, which it refuses to be.
const SYSTEM_USER: &str = "postgres";
/// Where Debian keeps the server's programs, a folder for each version.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";

/// A PostgreSQL server.
pub(crate) struct PostgreSql {
    /// Its port.
    pub(crate) port: u16,
    server: Server,
    _folder: TempDir,
}

impl PostgreSql {
    /// Starts one with an empty database.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = make_data(folder.path());
        let port = ports::free();
        let mut command = server_program("postgres");
        command.arg("-D").arg(data);
        for setting in [
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            "unix_socket_directories=",
            "shared_buffers=16MB",
            "max_connections=40",
            "fsync=off",
        ] {
            command.args(["-c", setting]);
        }
        // Asked to, it gives back the shared memory that would outlive it.
        let server = Server::start("postgresql", folder.path(), End::Quit, &command);
        let mut postgresql = Self {
            port,
            server,
            _folder: folder,
        };
        let mut ask = postgresql.client("select 1");
        postgresql
            .server
            .wait_until(|| tool::try_run(&mut ask).is_ok());
        postgresql
    }

    /// What psql prints for a statement, without headings.
    pub(crate) fn sql(&self, statement: &str) -> String {
        tool::run(&mut self.client(statement)).trim().to_owned()
    }

    /// Makes a table of tasks if it is not there, and puts rows into it.
    pub(crate) fn put(&self, table: &str, number: usize) {
        self.sql(&format!(
            "create table if not exists {table} (id serial, state text not null default 'queued')"
        ));
        self.sql(&format!(
            "insert into {table} (state) select 'queued' from generate_series(1, {number})"
        ));
    }

    /// The rows of a table.
    pub(crate) fn length(&self, table: &str) -> usize {
        let count = self.sql(&format!("select count(*) from {table}"));
        count.parse().expect("a number")
    }

    /// Has TLS from now on, with `tls.crt` and `tls.key` of a folder that it becomes the owner of.
    pub(crate) fn secure(&self, folder: &Path) {
        if is_root() {
            let mut give = Command::new("chown");
            tool::run(give.arg("-R").arg(SYSTEM_USER).arg(folder));
        }
        for (setting, name) in [("ssl_cert_file", "tls.crt"), ("ssl_key_file", "tls.key")] {
            let file = folder.join(name);
            self.sql(&format!(
                "alter system set {setting} = '{}'",
                file.display()
            ));
        }
        self.sql("alter system set ssl = on");
        self.sql("select pg_reload_conf()");
        eventually(SOON, "PostgreSQL has TLS", || self.sql("show ssl") == "on");
    }

    fn client(&self, statement: &str) -> Command {
        let mut command = Command::new("psql");
        command
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statement])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", USER)
            .env("PGPASSWORD", PASSWORD)
            .env("PGDATABASE", DATABASE);
        command
    }
}

/// Makes the server's files, and returns their folder.
fn make_data(folder: &Path) -> PathBuf {
    let (data, password) = (folder.join("data"), folder.join("password"));
    std::fs::write(&password, PASSWORD).expect("the folder is writable");
    if is_root() {
        let mut give = Command::new("chown");
        tool::run(give.arg("-R").arg(SYSTEM_USER).arg(folder));
    }
    let mut command = server_program("initdb");
    command
        .args(["--no-sync", "--no-locale", "--encoding", "UTF8"])
        .args(["--auth", "scram-sha-256", "--username", USER])
        .arg("--pwfile")
        .arg(password)
        .arg("--pgdata")
        .arg(&data);
    tool::run(&mut command);
    data
}

/// One of the server's programs, run by a user that it accepts.
fn server_program(name: &str) -> Command {
    let path = newest_in(Path::new(DEBIAN_PROGRAMS), name).unwrap_or_else(|| name.into());
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", SYSTEM_USER, "--regid", SYSTEM_USER])
        .args(["--clear-groups", "--"])
        .arg(path);
    command
}

fn newest_in(versions: &Path, program: &str) -> Option<PathBuf> {
    let programs = versions.read_dir().ok()?.filter_map(|version| {
        let path = version.ok()?.path();
        let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let program = path.join("bin").join(program);
        program.exists().then_some((number, program))
    });
    programs.max().map(|(_, program)| program)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn postgresql_keeps_rows_and_wants_a_password() {
    let _machine = machine();
    let postgresql = PostgreSql::start();
    postgresql.put("tasks", 3);
    assert_eq!(postgresql.length("tasks"), 3);
    postgresql.put("tasks", 2);
    postgresql.sql("update tasks set state = 'done' where id = 1");
    let queued = postgresql.sql("select count(*) from tasks where state = 'queued'");
    assert_eq!(queued, "4");
    let mut stranger = postgresql.client("select 1");
    let refused = tool::try_run(stranger.env("PGPASSWORD", "wrong"));
    assert!(refused.is_err_and(|error| error.contains("password authentication failed")));
}
