//! Against a stand-in for the API server that gets, lists and watches as the real one does.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};

use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

use super::*;
use crate::observe::ObserveError;
use crate::observe::model::Observation;

/// What the stand-in has. A watch sends what comes on its channel, and ends with it; later ones find the next channel.
#[derive(Default)]
struct Cluster {
    /// None if there is none: then the status and the message that are answered.
    deployment: Option<Value>,
    pods: Vec<Value>,
    refusal: (u16, &'static str),
    deployment_watches: VecDeque<mpsc::Receiver<Value>>,
    pod_watches: VecDeque<mpsc::Receiver<Value>>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Cluster>>;

fn serve(cluster: &Shared) -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cluster = Arc::clone(cluster);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let cluster = Arc::clone(&cluster);
            std::thread::spawn(move || answer(&cluster, stream.unwrap()));
        }
    });
    Config::new(url.parse().unwrap())
}

/// Answers one request and closes the connection.
fn answer(cluster: &Shared, mut stream: TcpStream) {
    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let Some(target) = head.first().and_then(|line| line.split(' ').nth(1)) else {
        return;
    };
    let mut now = cluster.lock().unwrap();
    now.asked.push(target.to_owned());
    let of_pods = target.contains("/pods");
    if target.contains("watch=true") {
        let watches = if of_pods {
            &mut now.pod_watches
        } else {
            &mut now.deployment_watches
        };
        let changes = watches.pop_front();
        drop(now);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        for change in changes.into_iter().flatten() {
            let _ = stream.write_all(format!("{change}\n").as_bytes());
        }
        return;
    }
    let (status, body) = body(&now, target, of_pods);
    drop(now);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes());
}

fn body(cluster: &Cluster, target: &str, of_pods: bool) -> (u16, Value) {
    let Some(deployment) = &cluster.deployment else {
        let (code, message) = cluster.refusal;
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message,
            "reason": "-", "metadata": {},
        });
        return (code, status);
    };
    if target.contains("/deployments/") {
        return (200, deployment.clone());
    }
    let (kind, version, items) = if of_pods {
        ("PodList", "v1", cluster.pods.clone())
    } else {
        ("DeploymentList", "apps/v1", vec![deployment.clone()])
    };
    let list = json!({
        "kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "7"}, "items": items,
    });
    (200, list)
}

fn deployment(replicas: u32) -> Value {
    json!({
        "kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": {"name": "hello", "namespace": "test", "resourceVersion": "7", "managedFields": [
            {"manager": "kube-controller-manager", "subresource": "scale", "time": "2026-01-02T00:00:00Z",
             "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "hello"}}, "template": {}},
        "status": {},
    })
}

fn pod(name: &str, phase: &str, ready: bool, deleted: bool) -> Value {
    let mut pod = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "test", "resourceVersion": "8", "labels": {"app": "hello"}},
        "spec": {"containers": []},
        "status": {"phase": phase, "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": if ready { "True" } else { "False" }}]},
    });
    if deleted {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    pod
}

fn change(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn send(to: &mpsc::Sender<Value>, kind: &str, object: &Value) {
    to.send(change(kind, object)).unwrap();
}

fn hello() -> Deployment {
    Deployment::new("test", "hello", Clocks::start())
}

/// Follows it while `test` looks at what is seen; then gives all that was.
async fn followed(
    config: Config,
    test: impl AsyncFnOnce(watch::Receiver<Observation>),
) -> Observation {
    let seen = watch::Sender::new(Observation::default());
    let watching = seen.subscribe();
    let mut collector = Collector::new(seen);
    let (ready, is_ready) = oneshot::channel();
    tokio::select! {
        () = hello().follow_in(config, &mut collector, Some(ready)) => panic!("it follows no more"),
        () = async {
            is_ready.await.unwrap().unwrap();
            test(watching).await;
        } => {}
    }
    collector.finish(Duration::from_secs(100))
}

/// Waits until there are so many: desired, ready, starting, draining.
async fn until(seen: &mut watch::Receiver<Observation>, numbers: [u32; 4]) {
    let [desired, ready, starting, draining] = numbers;
    let expected = Replicas {
        desired,
        ready,
        starting,
        draining,
    };
    let is_so = |seen: &Observation| {
        seen.samples
            .last()
            .is_some_and(|last| last.replicas == expected)
    };
    let found = timeout(Duration::from_mins(2), seen.wait_for(is_so)).await;
    found
        .unwrap_or_else(|_| panic!("{expected:?} in the end"))
        .unwrap();
}

#[tokio::test]
async fn a_deployment_and_its_pods_are_followed() {
    let (deployments, deployment_watch) = mpsc::channel();
    let (pods, pod_watch) = mpsc::channel();
    let cluster = Arc::new(Mutex::new(Cluster {
        deployment: Some(deployment(0)),
        pods: vec![pod("old", "Succeeded", false, false)],
        deployment_watches: [deployment_watch].into(),
        pod_watches: [pod_watch].into(),
        ..Cluster::default()
    }));
    let config = serve(&cluster);
    let scaled = |to| send(&deployments, "MODIFIED", &deployment(to));
    let changed = |kind, name, phase, ready, deleted| {
        send(&pods, kind, &pod(name, phase, ready, deleted));
    };
    let observation = followed(config, async |mut seen| {
        until(&mut seen, [0, 0, 0, 0]).await;
        scaled(2);
        until(&mut seen, [2, 0, 0, 0]).await;
        changed("ADDED", "a", "Pending", false, false);
        changed("ADDED", "b", "Pending", false, false);
        until(&mut seen, [2, 0, 2, 0]).await;
        changed("MODIFIED", "a", "Running", true, false);
        until(&mut seen, [2, 1, 1, 0]).await;
        scaled(0);
        changed("MODIFIED", "a", "Running", false, false);
        changed("MODIFIED", "a", "Running", true, true);
        changed("DELETED", "b", "Running", false, true);
        until(&mut seen, [0, 0, 0, 1]).await;
        changed("DELETED", "a", "Running", false, true);
        until(&mut seen, [0, 0, 0, 0]).await;
    });
    let observation = observation.await;
    assert!(observation.is_at_zero());
    let mut events: Vec<_> = observation
        .events
        .iter()
        .map(|event| event.message.as_str())
        .collect();
    let decisions: Vec<_> = events
        .extract_if(.., |message| message.starts_with("hello"))
        .collect();
    assert_eq!(
        decisions,
        [
            "hello 0 → 2: set by kube-controller-manager",
            "hello 2 → 0: set by kube-controller-manager"
        ]
    );
    let expected = [
        "a started",
        "b started",
        "a is ready",
        "a is not ready any more",
        "a finishes its requests",
        "b stopped",
        "a stopped",
    ];
    assert_eq!(events, expected);
    assert_eq!(observation.gaps, []);
    check_watches(&cluster.lock().unwrap().asked);
}

/// One of the Deployment alone, and one of its pods.
fn check_watches(asked: &[String]) {
    let watches: Vec<_> = asked
        .iter()
        .filter(|target| target.contains("watch=true"))
        .collect();
    assert_eq!(watches.len(), 2, "{asked:?}");
    for of in [
        "fieldSelector=metadata.name%3Dhello",
        "labelSelector=app%3Dhello",
    ] {
        let is_it = |target: &&String| target.contains(of);
        assert!(watches.iter().any(is_it), "{of}: {asked:?}");
    }
}

#[tokio::test]
async fn what_changed_while_it_was_lost_is_found_when_it_is_listed_again() {
    let (deployments, deployment_watch) = mpsc::channel::<Value>();
    let (pods, pod_watch) = mpsc::channel();
    let (_later, later_watch) = mpsc::channel();
    let cluster = Arc::new(Mutex::new(Cluster {
        deployment: Some(deployment(2)),
        pods: vec![
            pod("a", "Running", true, false),
            pod("b", "Running", true, false),
        ],
        deployment_watches: [deployment_watch].into(),
        pod_watches: [pod_watch, later_watch].into(),
        ..Cluster::default()
    }));
    let config = serve(&cluster);
    let observation = followed(config, async |mut seen| {
        until(&mut seen, [2, 2, 0, 0]).await;
        cluster.lock().unwrap().pods = vec![
            pod("b", "Running", false, false),
            pod("c", "Running", true, false),
        ];
        let expired = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410,
            "reason": "Expired", "message": "too old resource version", "metadata": {}});
        pods.send(change("ERROR", &expired)).unwrap();
        drop(pods);
        until(&mut seen, [2, 1, 1, 0]).await;
    });
    let observation = observation.await;
    let events: Vec<_> = observation
        .events
        .iter()
        .map(|event| event.message.as_str())
        .collect();
    assert_eq!(
        events,
        ["b is not ready any more", "c is ready", "a stopped"]
    );
    drop(deployments);
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_before_the_run() {
    for (refusal, expected) in [
        (
            (404, "deployments.apps \"hello\" not found"),
            "there is no Deployment hello in namespace test",
        ),
        (
            (403, "deployments.apps is forbidden"),
            "Kubernetes does not allow to get deployments in namespace test: deployments.apps is forbidden; the verbs",
        ),
        (
            (500, "etcd is away"),
            "Kubernetes cannot be asked to get deployments: ",
        ),
    ] {
        let cluster = Arc::new(Mutex::new(Cluster {
            refusal,
            ..Cluster::default()
        }));
        let mut collector = Collector::new(watch::Sender::new(Observation::default()));
        let (ready, is_ready) = oneshot::channel();
        hello()
            .follow_in(serve(&cluster), &mut collector, Some(ready))
            .await;
        let error: ObserveError = is_ready.await.unwrap().unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
