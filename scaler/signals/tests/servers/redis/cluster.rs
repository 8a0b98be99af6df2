//! A cluster of three nodes.

use std::time::Duration;

use ebbtide_signals::Amount;
use redis::aio::MultiplexedConnection;
use tokio::time::{sleep, timeout};

use super::bed::{PASSWORD, connect, only, run, serve, try_run};
use super::canned::Canned;
use crate::bed::{Case, refusing};
use crate::ports;
use crate::process::Server;

/// A list for each third of the slots.
const LISTS: [&str; 3] = ["b", "c", "a"];
const SLOTS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
/// The slot of `a`.
const SLOT: &str = "15495";
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

struct Cluster {
    nodes: Vec<Node>,
}

struct Node {
    port: u16,
    bus: u16,
    connection: MultiplexedConnection,
    _server: Server,
}

impl Cluster {
    async fn start() -> Self {
        let mut nodes = Vec::new();
        for (first, last) in SLOTS {
            let node = Node::start().await;
            node.run(&["CLUSTER", "ADDSLOTSRANGE", first, last]).await;
            nodes.push(node);
        }
        let cluster = Self { nodes };
        let (first, others) = cluster.nodes.split_first().unwrap();
        for other in others {
            let (port, bus) = (other.port.to_string(), other.bus.to_string());
            first
                .run(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
                .await;
        }
        let joined = async {
            for node in &cluster.nodes {
                while !node.knows_all().await {
                    sleep(PAUSE).await;
                }
            }
        };
        timeout(PATIENCE, joined).await.expect("the nodes join");
        cluster
    }

    /// Puts elements into each list, on the node that has its slot.
    async fn fill(&self, number: usize) {
        for (list, node) in LISTS.iter().zip(&self.nodes) {
            let command = [&["RPUSH", list][..], &vec!["element"; number]].concat();
            run(&node.connection, &command).await;
        }
    }
}

impl Node {
    async fn start() -> Self {
        let (port, bus) = (ports::free(), ports::free());
        let (port_text, bus_text) = (port.to_string(), bus.to_string());
        let mut arguments = vec!["--port", &port_text, "--cluster-port", &bus_text];
        arguments.extend(["--cluster-enabled", "yes", "--requirepass", PASSWORD]);
        let folder = tempfile::tempdir().unwrap();
        let server = serve(folder, &arguments, "Ready to accept connections").await;
        Self {
            port,
            bus,
            connection: connect(port, PASSWORD).await,
            _server: server,
        }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    async fn run(&self, command: &[&str]) -> String {
        let answer = run(&self.connection, command).await;
        redis::from_redis_value(answer).expect("a text")
    }

    /// Whether it knows who has each slot.
    async fn knows_all(&self) -> bool {
        let info = self.run(&["CLUSTER", "INFO"]).await;
        info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384")
    }

    fn case(&self, scaler: &str) -> Case {
        let case = Case::of(scaler).with("addresses", &self.address());
        case.secret("password", PASSWORD)
    }
}

#[tokio::test]
async fn every_node_leads_to_the_one_that_has_the_key() {
    let cluster = Cluster::start().await;
    cluster.fill(3).await;
    let stream = ["XADD", LISTS[0], "*", "a", "b"];
    cluster.nodes[0].run(&["DEL", LISTS[0]]).await;
    cluster.nodes[0].run(&stream).await;
    for node in &cluster.nodes {
        let stream = node.case("redis-cluster-streams").with("stream", LISTS[0]);
        assert_eq!(stream.read().await.map(|read| read.value), Ok(1.0));
        for list in &LISTS[1..] {
            let case = node.case("redis-cluster").with("listName", list);
            assert_eq!(case.read().await, Ok(Amount::from(3.0)), "{list}");
        }
        let missing = node.case("redis-cluster").with("listName", "missing");
        assert_eq!(missing.read().await, Ok(Amount::from(0.0)));
    }
    // One of the nodes is enough to begin with.
    let several = format!("{},{}", refusing().await, cluster.nodes[0].address());
    let case = cluster.nodes[0].case("redis-cluster");
    let case = case.with("listName", LISTS[1]).with("addresses", &several);
    assert_eq!(case.read().await, Ok(Amount::from(3.0)));
}

#[tokio::test]
async fn a_key_that_is_on_its_way_is_asked_for_where_it_goes() {
    let cluster = Cluster::start().await;
    cluster.fill(3).await;
    let (to, from) = (&cluster.nodes[0], &cluster.nodes[2]);
    let (to_id, from_id) = (
        to.run(&["CLUSTER", "MYID"]).await,
        from.run(&["CLUSTER", "MYID"]).await,
    );
    to.run(&["CLUSTER", "SETSLOT", SLOT, "IMPORTING", &from_id])
        .await;
    from.run(&["CLUSTER", "SETSLOT", SLOT, "MIGRATING", &to_id])
        .await;
    let case = cluster.nodes[1].case("redis-cluster").with("listName", "a");
    assert_eq!(case.read().await, Ok(Amount::from(3.0)));
    let port = to.port.to_string();
    let keys = ["KEYS", "a"];
    let command = [
        "MIGRATE",
        "127.0.0.1",
        &port,
        "",
        "0",
        "5000",
        "AUTH",
        PASSWORD,
    ];
    from.run(&[&command[..], &keys].concat()).await;
    let refused = try_run(&from.connection, &["LLEN", "a"]).await.unwrap_err();
    assert_eq!(refused.code(), Some("ASK"));
    assert_eq!(case.read().await, Ok(Amount::from(3.0)));
}

#[tokio::test]
async fn a_node_may_not_be_reached_because_another_may() {
    let cluster = Cluster::start().await;
    cluster.fill(1).await;
    let node = &cluster.nodes[0];
    let case = node.case("redis-cluster");
    let own = case.with("listName", LISTS[0]);
    let read = own.read_within(Some(only(node.port))).await;
    assert_eq!(read, Ok(Amount::from(1.0)));
    let others = case.with("listName", LISTS[1]);
    let error = others.read_within(Some(only(node.port))).await.unwrap_err();
    assert!(error.starts_with("addresses: 127.0.0.1"), "{error}");
    assert!(error.contains("refused"), "{error}");
    let error = own.secret("password", "wrong").error().await;
    assert_eq!(
        error,
        "password: the server does not let in with this password"
    );
}

#[tokio::test]
async fn nodes_that_refer_to_one_another_without_end_are_given_up() {
    let moved = b"-MOVED 1 ADDRESS\r\n".to_vec();
    let node = Canned::start(vec![moved; 2]).await;
    let case = Case::of("redis-cluster").with("listName", "a");
    let error = case.with("addresses", &node.address).error().await;
    let expected = "addresses: the nodes of the cluster refer to one another, 5 times";
    assert_eq!(error, expected);
}
