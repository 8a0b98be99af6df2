//! Prometheus.

use std::path::Path;

use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::Amount;

use crate::bed::{Case, refusing};
use crate::canned::Canned;
use crate::certificates::Certificates;
use crate::ports;
use crate::process::Server;

/// A user that it lets in, if it asks, and the password.
pub(crate) const USER: &str = "ebbtide";
pub(crate) const PASSWORD: &str = "prometheus-password";
/// What bcrypt makes of the password.
const HASH: &str = "$2b$04$mRDe/2pOGrh3/a/aAaV8zeSuWoo9ykArIVve4cMgp0hpDn6/lj/XG";

pub(crate) struct Prometheus {
    pub(crate) port: u16,
    _server: Server,
}

impl Prometheus {
    /// Starts one that anyone may ask.
    pub(crate) async fn start() -> Self {
        Self::with(tempfile::tempdir().unwrap(), "").await
    }

    /// Starts one that wants TLS, a password, and a certificate of what signed its own.
    async fn secured() -> (Self, Certificates) {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(folder.path());
        let settings = format!(
            "basic_auth_users:\n  {USER}: {HASH}\n\
             tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  \
             client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n"
        );
        (Self::with(folder, &settings).await, certificates)
    }

    /// Starts one that wants a password.
    pub(crate) async fn with_password() -> Self {
        let settings = format!("basic_auth_users:\n  {USER}: {HASH}\n");
        Self::with(tempfile::tempdir().unwrap(), &settings).await
    }

    async fn with(folder: tempfile::TempDir, settings: &str) -> Self {
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("prometheus.yml", "");
        write("web.yml", settings);
        let port = ports::free();
        let address = format!("--web.listen-address=127.0.0.1:{port}");
        let arguments = [
            "--config.file=prometheus.yml",
            "--web.config.file=web.yml",
            "--storage.tsdb.path=data",
            &address,
        ];
        let mut server = Server::start(folder, Path::new("prometheus"), &arguments);
        let ready = "Server is ready to receive web requests";
        server.printed(|log| log.find(ready)).await;
        Self {
            port,
            _server: server,
        }
    }

    fn ask(&self, query: &str) -> Case {
        at(&format!("http://127.0.0.1:{}", self.port), query)
    }
}

fn at(address: &str, query: &str) -> Case {
    Case::of("prometheus")
        .with("serverAddress", address)
        .with("query", query)
        .with("threshold", "5")
}

async fn assert_errors(cases: &[(Case, &str)]) {
    for (case, expected) in cases {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
    }
}

#[tokio::test]
async fn a_query_has_one_value_or_none() {
    let prometheus = Prometheus::start().await;
    for (query, expected) in [
        ("vector(7.5)", 7.5),
        ("scalar(vector(3))", 3.0),
        ("nothing_has_this_name", 0.0),
        ("vector(0) / 0", 0.0),
        ("vector(1) / 0", 0.0),
    ] {
        let case = prometheus.ask(query);
        assert_eq!(case.read().await, Ok(Amount::from(expected)), "{query}");
    }
    let strict = |query: &str| prometheus.ask(query).with("ignoreNullValues", "false");
    assert_eq!(strict("vector(7)").read().await, Ok(Amount::from(7.0)));
    assert_errors(&[
        (strict("nothing_has_this_name"), "query: has no result"),
        (strict("vector(0) / 0"), "query: has the result NaN"),
        (
            prometheus.ask("label_replace(vector(1), \"a\", \"b\", \"\", \"\") or vector(2)"),
            "query: has more than one result; aggregate them",
        ),
        (
            prometheus.ask("vector(1)[5m:1m]"),
            "query: has a range as its result",
        ),
        (
            prometheus.ask("sum("),
            "query: is refused: invalid parameter \"query\": 1:5: parse error",
        ),
        (
            prometheus.ask("\"text\""),
            "query: has a result that is not a number",
        ),
        (
            prometheus.ask("vector(-1)"),
            "-1 was read, which is not an amount",
        ),
    ])
    .await;
}

#[tokio::test]
async fn who_asks_is_told_by_password_and_certificate() {
    let (prometheus, certificates) = Prometheus::secured().await;
    let client = certificates.sign("client", &["client"]);
    let address = format!("https://127.0.0.1:{}", prometheus.port);
    let user = at(&address, "vector(2)")
        .with("authModes", "basic, tls")
        .with("username", USER)
        .secret("password", PASSWORD);
    let with = |cert: &str, key: &str| user.secret("cert", cert).secret("key", key);
    let known = with(&client.cert, &client.key);
    let trusting = known.secret("ca", &certificates.ca);
    assert_eq!(trusting.read().await, Ok(Amount::from(2.0)));
    let careless = known.with("unsafeSsl", "true");
    assert_eq!(careless.read().await, Ok(Amount::from(2.0)));

    let stranger =
        Certificates::make(tempfile::tempdir().unwrap().path()).sign("client", &["client"]);
    let other_ca = Certificates::other_ca();
    let unknown = with(&stranger.cert, &stranger.key).secret("ca", &certificates.ca);
    assert_errors(&[
        (
            known.secret("ca", &other_ca),
            "ca: is not what the server's certificate is signed by",
        ),
        (
            known.clone(),
            "serverAddress: invalid peer certificate: UnknownIssuer",
        ),
        (unknown, "serverAddress: "),
        (trusting.with("authModes", "basic"), "serverAddress: "),
        (
            trusting.secret("password", "hunter2"),
            "password: the server answered 401 Unauthorized, the credentials are not accepted",
        ),
        (
            trusting.with("authModes", "tls"),
            "authModes: the server answered 401 Unauthorized, the credentials are not accepted",
        ),
        (
            user.secret("ca", &certificates.ca),
            "cert: is missing, which tls of authModes needs",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_request_has_what_the_rule_adds_to_it() {
    let answer = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"5"]}}"#;
    let mut canned = Canned::answering("200 OK", answer).await;
    let case = at(&format!("{}/prefix/", canned.url()), "sum(a{b=\"c&d\"})");
    let case = case
        .with("namespace", "shop")
        .with("queryParameters", "dedup=true, x y=a=b")
        .with("customHeaders", "X-Scope-OrgID=shop, X-Other=a=b")
        .with("authModes", "bearer,custom")
        .secret("bearerToken", "token-of-somebody")
        .with("customAuthHeader", "X-Key")
        .secret("customAuthValue", "value-of-somebody");
    assert_eq!(case.read().await, Ok(Amount::from(5.0)));
    let asked = canned.asked().await;
    let first = "GET /prefix/api/v1/query?query=sum%28a%7Bb%3D%22c%26d%22%7D%29&namespace=shop&dedup=true\
                 &x+y=a%3Db HTTP/1.1\r\n";
    assert!(asked.starts_with(first), "{asked}");
    for header in [
        "x-scope-orgid: shop",
        "x-other: a=b",
        "authorization: Bearer token-of-somebody",
        "x-key: value-of-somebody",
    ] {
        assert!(
            asked.lines().any(|line| line == header),
            "{header}: {asked}"
        );
    }
    for (key, value, expected) in [
        (
            "queryParameters",
            "dedup",
            "queryParameters: is not like name=value,name=value",
        ),
        (
            "customHeaders",
            "a b=c",
            "customHeaders: is not what a header may be called",
        ),
        (
            "customHeaders",
            "a=b\u{1}",
            "customHeaders: has a character that no header may have",
        ),
        (
            "authModes",
            "basic,bearer",
            "authModes: has both basic and bearer",
        ),
        (
            "authModes",
            "basic",
            "username: is missing, which basic of authModes needs",
        ),
    ] {
        assert_errors(&[(case.with(key, value), expected)]).await;
    }
}

#[tokio::test]
async fn a_server_that_is_none_is_an_error_of_its_address() {
    let nobody = refusing().await;
    let error = |address: String, expected| (at(&address, "up"), expected);
    let html = Canned::answering("200 OK", "<html>").await;
    let away = Canned::saying("HTTP/1.1 302 Found\r\nlocation: /login\r\n\r\n".to_owned()).await;
    let ill = Canned::answering("503 Service Unavailable", "come back later").await;
    let long = Canned::answering("200 OK", &" ".repeat(10 << 20)).await;
    let short = Canned::saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned()).await;
    assert_errors(&[
        error(
            format!("http://{nobody}"),
            "serverAddress: Connection refused",
        ),
        error(
            "http://nowhere.invalid".to_owned(),
            "serverAddress: the host nowhere.invalid cannot",
        ),
        error(
            "ftp://127.0.0.1".to_owned(),
            "serverAddress: is neither http:// nor https://",
        ),
        error(
            html.url().to_owned(),
            "serverAddress: the answer is not what was asked for",
        ),
        error(
            away.url().to_owned(),
            "serverAddress: the server answered 302 Found",
        ),
        error(
            ill.url().to_owned(),
            "serverAddress: the server answered 503 Service Unavailable: come back later",
        ),
        error(
            long.url().to_owned(),
            "serverAddress: the answer has more than 4 MiB",
        ),
        error(short.url().to_owned(), "serverAddress: "),
    ])
    .await;
    let within = at(html.url(), "up")
        .read_within(Some(Reach::default()))
        .await;
    let refused = within.unwrap_err();
    assert!(
        refused.starts_with("serverAddress: 127.0.0.1 is refused"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_after_the_rules_own_time() {
    // The system accepts connections, and nobody speaks.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let case = at(&address, "up").with("timeout", "50");
    assert_errors(&[(case, "timeout: no answer within 50 ms")]).await;
}
