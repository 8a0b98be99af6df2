//! A PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;

use ebbtide_brokers::databases::postgresql::{Session, Settings};

use super::asking;
use crate::bed::Case;
use crate::certificates::Certificates;
use crate::ports;
use crate::process::Server;

/// A user who may do everything.
pub(crate) const USER: &str = "ebbtide";
pub(crate) const PASSWORD: &str = "postgresql-password";
/// The user of the system who runs the server where the tests are root, which it refuses to be.
const SYSTEM_USER: &str = "postgres";
/// Where Debian keeps the server's programs, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Who may connect, and how.
const ACCESS: &str = "\
hostnossl all only_tls 127.0.0.1/32 reject
hostssl all only_certificate 127.0.0.1/32 cert
host all all 127.0.0.1/32 scram-sha-256
";

const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "max_connections=20",
    "fsync=off",
    "ssl=on",
    "ssl_cert_file=../server.pem",
    "ssl_key_file=../server.key",
    "ssl_ca_file=../ca.pem",
];

pub(crate) struct PostgreSql {
    pub(crate) port: u16,
    pub(crate) certificates: Certificates,
    folder: PathBuf,
    _server: Server,
}

impl PostgreSql {
    /// Starts one, with TLS.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let certificates = Certificates::make(&path);
        make_data(&path);
        let port = ports::free();
        let mut arguments = program("postgres");
        arguments.extend(["-D".to_owned(), "data".to_owned()]);
        let settings = SETTINGS.iter().map(|setting| (*setting).to_owned());
        for setting in settings.chain([format!("port={port}")]) {
            arguments.extend(["-c".to_owned(), setting]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut server = Server::start(folder, Path::new(arguments[0]), &arguments[1..]);
        let ready = "database system is ready to accept connections";
        server.printed(|log| log.find(ready)).await;
        let started = Self {
            port,
            certificates,
            folder: path,
            _server: server,
        };
        let users =
            format!("CREATE USER only_tls PASSWORD '{PASSWORD}'; CREATE USER only_certificate;");
        started.sql(&users).await;
        started
    }

    /// Runs statements that have to succeed.
    pub(crate) async fn sql(&self, statements: &str) {
        let port = self.port;
        let place = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres");
        let settings = Settings::parse(&place).unwrap();
        let mut session = Session::open(&settings).await.unwrap();
        session.client().batch_execute(statements).await.unwrap();
    }

    /// A rule for a query, by the keys of the server.
    pub(crate) fn by_keys(&self, query: &str) -> Case {
        asking(query)
            .with("host", "127.0.0.1")
            .with("port", &self.port.to_string())
            .with("userName", USER)
            .secret("password", PASSWORD)
            .with("dbName", "postgres")
    }
}

impl Drop for PostgreSql {
    /// Asks it to end at once, since it gives back memory then that would outlive it if it were killed.
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let mut command = program("pg_ctl");
        command.extend(["stop", "-m", "immediate", "-D"].map(str::to_owned));
        command.push(data.to_str().unwrap_or_default().to_owned());
        drop(Command::new(&command[0]).args(&command[1..]).output());
    }
}

/// Makes the server's files.
fn make_data(folder: &Path) {
    std::fs::write(folder.join("password"), PASSWORD).unwrap();
    run(&["chmod", "600", "server.key"].map(str::to_owned), folder);
    if is_root() {
        run(
            &["chown", "-R", SYSTEM_USER, "."].map(str::to_owned),
            folder,
        );
    }
    let mut command = program("initdb");
    let arguments = "--no-sync --no-locale --encoding UTF8 --auth scram-sha-256 --pgdata data \
                     --pwfile password --username";
    command.extend(arguments.split_ascii_whitespace().map(str::to_owned));
    command.push(USER.to_owned());
    run(&command, folder);
    std::fs::write(folder.join("data/pg_hba.conf"), ACCESS).unwrap();
}

fn run(command: &[String], folder: &Path) {
    let mut process = Command::new(&command[0]);
    let output = process.args(&command[1..]).current_dir(folder).output();
    let output = output.expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// One of the server's programs, run by a user that it accepts.
fn program(name: &str) -> Vec<String> {
    let path = newest(name).unwrap_or_else(|| name.into());
    let path = path.to_str().expect("a plain path").to_owned();
    if !is_root() {
        return vec![path];
    }
    let before = [
        "setpriv",
        "--reuid",
        SYSTEM_USER,
        "--regid",
        SYSTEM_USER,
        "--clear-groups",
        "--",
    ];
    let mut command = before.map(str::to_owned).to_vec();
    command.push(path);
    command
}

fn newest(program: &str) -> Option<PathBuf> {
    let versions = Path::new(DEBIAN).read_dir().ok()?;
    let programs = versions.filter_map(|version| {
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
