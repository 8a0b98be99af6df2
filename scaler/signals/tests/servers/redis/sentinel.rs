//! A master that a sentinel knows.

use ebbtide_signals::Amount;

use super::bed::{PASSWORD, Redis, only, serve};
use crate::bed::{Case, refusing};
use crate::ports;
use crate::process::Server;

const MASTER: &str = "orders-master";
const SENTINEL_PASSWORD: &str = "sentinel-hunter2";

struct Sentinel {
    port: u16,
    master: Redis,
    _server: Server,
}

impl Sentinel {
    async fn start() -> Self {
        let master = Redis::start().await;
        let port = ports::free();
        let folder = tempfile::tempdir().unwrap();
        let configuration = format!(
            "port {port}\nrequirepass {SENTINEL_PASSWORD}\n\
             sentinel monitor {MASTER} 127.0.0.1 {} 1\nsentinel auth-pass {MASTER} {PASSWORD}\n",
            master.port
        );
        std::fs::write(folder.path().join("sentinel.conf"), configuration).unwrap();
        let server = serve(folder, &["sentinel.conf", "--sentinel"], "+monitor master").await;
        Self {
            port,
            master,
            _server: server,
        }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn case(&self, scaler: &str) -> Case {
        Case::of(scaler)
            .with("addresses", &self.address())
            .with("sentinelMaster", MASTER)
            .secret("sentinelPassword", SENTINEL_PASSWORD)
            .secret("password", PASSWORD)
    }
}

#[tokio::test]
async fn the_master_has_the_list_and_the_stream() {
    let sentinel = Sentinel::start().await;
    let master = &sentinel.master;
    master.run(&["RPUSH", "orders", "a", "b", "c"]).await;
    master.run(&["XADD", "events", "*", "a", "b"]).await;
    let list = sentinel.case("redis-sentinel").with("listName", "orders");
    assert_eq!(list.read().await, Ok(Amount::from(3.0)));
    let stream = sentinel.case("redis-sentinel-streams");
    let read = stream.with("stream", "events").read().await;
    assert_eq!(read.map(|amount| amount.value), Ok(1.0));
    // One of the sentinels is enough.
    let several = format!("{},{}", refusing().await, sentinel.address());
    let case = list.with("addresses", &several);
    assert_eq!(case.read().await, Ok(Amount::from(3.0)));
}

#[tokio::test]
async fn either_login_and_the_master_are_told_apart() {
    let sentinel = Sentinel::start().await;
    let case = sentinel.case("redis-sentinel").with("listName", "orders");
    let mut stranger = case.clone();
    stranger
        .rule
        .auth
        .retain(|auth| auth.trigger_parameter == "password");
    for (case, expected) in [
        (
            stranger,
            "sentinelPassword: is missing, and the server asks for one",
        ),
        (
            case.secret("sentinelPassword", "wrong"),
            "sentinelPassword: the server does not let in with this password",
        ),
        (
            case.secret("password", "wrong"),
            "password: the server does not let in with this password",
        ),
        (
            case.with("sentinelMaster", "other"),
            "sentinelMaster: the sentinel 127.0.0.1:",
        ),
    ] {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
    }
    // The sentinel may be reached, what it refers to may not.
    let error = case
        .read_within(Some(only(sentinel.port)))
        .await
        .unwrap_err();
    assert!(error.starts_with("addresses: 127.0.0.1"), "{error}");
    assert!(error.contains("refused"), "{error}");
}
