//! A MariaDB server.

use std::path::Path;
use std::process::Command;

use ebbtide_brokers::databases::mysql::{Session, Settings};
use mysql_async::prelude::Queryable;

use super::asking;
use crate::bed::Case;
use crate::certificates::Certificates;
use crate::ports;
use crate::process::Server;

/// A user who has the database.
pub(crate) const USER: &str = "ebbtide";
pub(crate) const PASSWORD: &str = "mariadb-password";

/// Small and quick: what it keeps is thrown away, so nothing waits for the disk.
const SETTINGS: [&str; 11] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--socket=socket",
    "--pid-file=pid",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
    "--performance-schema=off",
    "--ssl-ca=ca.pem",
    "--ssl-cert=server.pem",
    "--ssl-key=server.key",
];

pub(crate) struct MariaDb {
    pub(crate) port: u16,
    pub(crate) certificates: Certificates,
    _server: Server,
}

impl MariaDb {
    /// Starts one, with TLS, and an empty database.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same without TLS.
    pub(crate) async fn plain() -> Self {
        Self::with(&["--skip-ssl"]).await
    }

    async fn with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(folder.path());
        let data = make_data(folder.path());
        let port = ports::free();
        let first = format!(
            "CREATE DATABASE shop;\n\
             CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             CREATE USER 'only_tls'@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;\n\
             CREATE USER 'only_certificate'@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE X509;\n\
             GRANT ALL ON shop.* TO '{USER}'@'%', 'only_tls'@'%', 'only_certificate'@'%';\n"
        );
        std::fs::write(folder.path().join("first.sql"), first).unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let own = [
            format!("--port={port}"),
            format!("--init-file={}", path("first.sql")),
        ];
        // It goes to the folder of its data, so that other files are named in full.
        let settings = SETTINGS
            .iter()
            .map(|setting| match setting.strip_prefix("--ssl-") {
                Some(file) => {
                    let (key, name) = file.split_once('=').expect("a setting");
                    format!("--ssl-{key}={}", path(name))
                }
                None => (*setting).to_owned(),
            });
        let arguments: Vec<String> = data.into_iter().chain(settings).chain(own).collect();
        let arguments = arguments.iter().map(String::as_str);
        let arguments: Vec<&str> = arguments.chain(more.iter().copied()).collect();
        let mut server = Server::start(folder, Path::new("mariadbd"), &arguments);
        server
            .printed(|log| log.find("ready for connections"))
            .await;
        Self {
            port,
            certificates,
            _server: server,
        }
    }

    /// Runs a statement that has to succeed.
    pub(crate) async fn sql(&self, statement: &str) {
        let place = format!("{USER}:{PASSWORD}@tcp(127.0.0.1:{})/shop", self.port);
        let settings = Settings::parse(&place).unwrap();
        let mut session = Session::open(&settings).await.unwrap();
        session.connection().query_drop(statement).await.unwrap();
    }

    /// A rule for a query, by the keys of the server.
    pub(crate) fn by_keys(&self, query: &str) -> Case {
        asking(query)
            .with("host", "127.0.0.1")
            .with("port", &self.port.to_string())
            .with("username", USER)
            .secret("password", PASSWORD)
            .with("dbName", "shop")
    }
}

/// Makes the server's files, and returns what every program of it has to be told.
fn make_data(folder: &Path) -> Vec<String> {
    let mut common = vec!["--no-defaults".to_owned()];
    common.push(format!("--datadir={}", folder.join("data").display()));
    common.push(format!("--tmpdir={}", folder.display()));
    if rustix::process::geteuid().is_root() {
        common.push("--user=root".to_owned());
    }
    let mut install = Command::new("mariadb-install-db");
    install.args(&common).current_dir(folder);
    install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    let output = install.output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    common
}
