mod answers;
mod server;

use std::fmt::Write;

use ebbtide_core::scale::pods::{PodState, Readiness, Resource, SampleTime, Standing};

use self::answers::{
    FOUR, FOUR_METRICS, HELLO_SERVICE, METRICS, NOON, PODS, SERVICE, SUMMARY, summary,
};
use self::server::{ApiServer, status};
use super::*;
use crate::pods::{Measured, PodSelection, Requested};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn target(pods: PodSelection) -> PodTarget {
    PodTarget {
        namespace: "shop".to_owned(),
        pods,
    }
}

fn hello() -> PodTarget {
    target(PodSelection::Labels("app=hello".to_owned()))
}

/// The words of the error that a read of `target` ends with.
async fn error(server: &ApiServer, source: UsageSource, target: &PodTarget) -> String {
    let reader = server.reader(source);
    reader.read(target, at(NOON)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn pods_of_a_service_with_what_the_metrics_server_measured() {
    let server = ApiServer::start().await;
    server
        .answer(SERVICE, HELLO_SERVICE)
        .answer(PODS, FOUR)
        .answer(METRICS, FOUR_METRICS);
    let reader = server.reader(UsageSource::MetricsServer);
    let service = target(PodSelection::Service("hello".to_owned()));
    let pods = reader.read(&service, at(NOON)).await.unwrap();
    assert_eq!(server.asked(), [SERVICE, PODS, METRICS]);

    let measured = |amount: f64| Measured {
        amount,
        time: SampleTime {
            at: at(NOON - 10),
            window: Duration::from_millis(15_250),
        },
    };
    let first = PodUsage {
        name: "hello-a".to_owned(),
        state: PodState {
            started: Some(at(NOON - 3600)),
            readiness: Some(Readiness {
                is_ready: true,
                since: at(NOON - 3580),
            }),
            ..PodState::default()
        },
        requested: Requested {
            cores: Some(0.6),
            bytes: Some(160.0 * 1_048_576.0),
        },
        used: Used {
            cores: pods[0].used.cores.map(|used| measured(used.amount)),
            bytes: Some(measured(64.0 * 1_048_576.0)),
        },
    };
    assert_eq!(pods[0], first);
    assert!((pods[0].used.cores.unwrap().amount - 0.2).abs() < 1e-9);
    let names: Vec<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["hello-a", "hello-b", "hello-c", "hello-d"]);
    let requested: Vec<_> = pods.iter().map(|pod| pod.requested.cores).collect();
    assert_eq!(requested, [Some(0.6), Some(1.0), None, None]);
    assert_eq!(pods[1].used, Used::default());
    // Its one container has no cpu in its metrics.
    assert!(pods[3].used.cores.is_none() && pods[3].used.bytes.is_some());
}

#[tokio::test]
async fn each_pod_counts_as_the_hpa_has_it() {
    let server = ApiServer::start().await;
    server.answer(PODS, FOUR).answer(METRICS, FOUR_METRICS);
    let reader = server.reader(UsageSource::MetricsServer);
    let pods = reader.read(&hello(), at(NOON)).await.unwrap();
    let standings = |resource| {
        let samples = pods.iter().map(|pod| pod.sample(resource, at(NOON)));
        samples.map(|sample| sample.standing).collect::<Vec<_>>()
    };
    let expected = [
        Standing::Measured,
        Standing::NoMetrics,
        Standing::NotReady,
        Standing::Ignored,
    ];
    assert_eq!(standings(Resource::Cpu), expected);
    assert_eq!(standings(Resource::Memory), expected);
}

#[tokio::test]
async fn a_kubelet_gives_use_between_two_of_its_measurements() {
    let server = ApiServer::start().await;
    let reader = server.reader(UsageSource::Kubelet);
    server.answer(PODS, FOUR);
    let target = hello();
    let read = async |now: u64| {
        let pods = reader.read(&target, at(NOON + now)).await.unwrap();
        pods[0].used
    };
    let measured = |amount: f64, second: u64, window: u64| Measured {
        amount,
        time: SampleTime {
            at: at(NOON + second),
            window: Duration::from_secs(window),
        },
    };
    server.answer(SUMMARY, summary(0, 5_000_000_000));
    let first = read(0).await;
    assert_eq!(
        (first.cores, first.bytes),
        (None, Some(measured(8192.0, 0, 0)))
    );
    assert_eq!(server.asked(), [PODS, SUMMARY]);
    // It is new for a while, and is not asked for again.
    read(2).await;
    assert_eq!(server.asked(), [PODS]);
    server.answer(SUMMARY, summary(10, 12_500_000_000));
    let expected = Some(measured(0.75, 10, 10));
    assert_eq!(read(10).await.cores, expected);
    // Nothing was measured in between, or by a kubelet that has started anew, or so long ago.
    assert_eq!(read(15).await.cores, expected);
    server.answer(SUMMARY, summary(20, 1));
    assert_eq!(read(20).await.cores, None);
    server.answer(SUMMARY, summary(30, 1_000_000_001));
    assert_eq!(read(30).await.cores, Some(measured(0.1, 30, 10)));
    assert_eq!(read(100).await.cores, None);
}

#[tokio::test]
async fn pods_come_in_pages() {
    let server = ApiServer::start().await;
    let page = |name: &str, next: &str| {
        format!(
            r#"{{"metadata": {{"continue": {next:?}}}, "items": [
                {{"metadata": {{"name": {name:?}}}, "spec": {{"containers": []}}}}]}}"#
        )
    };
    server
        .answer(PODS, page("hello-a", "next"))
        .answer(&format!("{PODS}&continue=next"), page("hello-b", ""))
        .answer(METRICS, r#"{"metadata": {}, "items": null}"#);
    let reader = server.reader(UsageSource::MetricsServer);
    let pods = reader.read(&hello(), at(NOON)).await.unwrap();
    let names: Vec<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["hello-a", "hello-b"]);
}

#[tokio::test]
async fn without_pods_no_metrics_are_asked_for() {
    let server = ApiServer::start().await;
    server.answer(PODS, r#"{"metadata": {}, "items": []}"#);
    let reader = server.reader(UsageSource::MetricsServer);
    assert_eq!(reader.read(&hello(), at(NOON)).await.unwrap(), []);
    assert_eq!(server.asked(), [PODS]);
}

#[tokio::test]
async fn pods_of_what_a_scaled_object_scales() {
    let server = ApiServer::start().await;
    let scaled_object = "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/orders";
    let scale = "/apis/apps/v1/namespaces/shop/deployments/worker/scale";
    let without_status = r#"{"spec": {"scaleTargetRef": {"name": "worker"}}}"#;
    server.answer(scaled_object, without_status);
    let orders = target(PodSelection::ScaledObject("orders".to_owned()));
    assert_eq!(
        error(&server, UsageSource::MetricsServer, &orders).await,
        "ScaledObject orders in namespace shop selects no pods: KEDA has not noted yet what it scales"
    );
    server.answer(
        scaled_object,
        r#"{"spec": {"scaleTargetRef": {"name": "worker"}}, "status": {"scaleTargetGVKR":
            {"group": "apps", "version": "v1", "kind": "Deployment", "resource": "deployments"}}}"#,
    );
    server.answer(
        scale,
        r#"{"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "worker"},
            "spec": {"replicas": 4}, "status": {"replicas": 4, "selector": "app=hello"}}"#,
    );
    server.answer(PODS, FOUR).answer(METRICS, FOUR_METRICS);
    server.asked();
    let reader = server.reader(UsageSource::MetricsServer);
    let pods = reader.read(&orders, at(NOON)).await.unwrap();
    assert_eq!(pods.len(), 4);
    assert_eq!(server.asked(), [scaled_object, scale, PODS, METRICS]);
}

#[tokio::test]
async fn a_refusal_names_what_the_role_needs() {
    let server = ApiServer::start().await;
    let forbidden = || status("Forbidden", "pods is forbidden: User \"x\" cannot list");
    server.refuse(PODS, 403, forbidden());
    let source = UsageSource::MetricsServer;
    assert_eq!(
        error(&server, source, &hello()).await,
        "Kubernetes does not let Ebbtide list pods in namespace shop; give its role the verb list on pods"
    );
    server.answer(PODS, FOUR).refuse(METRICS, 403, forbidden());
    assert_eq!(
        error(&server, source, &hello()).await,
        "Kubernetes does not let Ebbtide list pods in namespace shop; give its role the verb list on \
         pods of the API group metrics.k8s.io"
    );
    server.refuse(SUMMARY, 403, forbidden());
    assert_eq!(
        error(&server, UsageSource::Kubelet, &hello()).await,
        "Kubernetes does not let Ebbtide get nodes/proxy; give its role the verb get on nodes/proxy"
    );
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let server = ApiServer::start().await;
    server.answer(PODS, FOUR);
    let source = UsageSource::MetricsServer;
    let missing = error(&server, source, &hello()).await;
    assert!(
        missing.contains("metrics-server is not installed"),
        "{missing}"
    );
    let service = target(PodSelection::Service("gone".to_owned()));
    assert_eq!(
        error(&server, source, &service).await,
        "there is no gone among the services in namespace shop"
    );
    server.answer(SERVICE, r#"{"spec": {"externalName": "example.org"}}"#);
    let service = target(PodSelection::Service("hello".to_owned()));
    assert_eq!(
        error(&server, source, &service).await,
        "Service hello in namespace shop selects no pods: it has no selector"
    );
    let other = target(PodSelection::Service("../secrets/x".to_owned()));
    server.asked();
    let found = error(&server, source, &other).await;
    assert!(
        found.starts_with("Service \"../secrets/x\" is not a name"),
        "{found}"
    );
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn other_answers_are_errors_in_words() {
    let server = ApiServer::start().await;
    let source = UsageSource::MetricsServer;
    let long = "not now; ".repeat(100);
    let asked = "list pods in namespace shop";
    for (code, answer, expected) in [
        (
            401,
            String::new(),
            "Kubernetes does not know who asks (401)".to_owned(),
        ),
        (
            503,
            status(
                "ServiceUnavailable",
                "the server is unable to handle the request",
            ),
            format!(
                "Kubernetes answers 503 when asked to {asked}: the server is unable to handle the request"
            ),
        ),
        (
            500,
            long.clone(),
            format!(
                "Kubernetes answers 500 when asked to {asked}: {}",
                &long[..300]
            ),
        ),
        (
            200,
            "<html>".to_owned(),
            format!("the answer of Kubernetes to {asked} cannot be read: expected value"),
        ),
    ] {
        server.refuse(PODS, code, answer);
        let found = error(&server, source, &hello()).await;
        assert!(found.starts_with(&expected), "{found}");
    }
}

#[tokio::test]
async fn answers_and_pods_are_bounded() {
    let server = ApiServer::start().await;
    let source = UsageSource::MetricsServer;
    server.answer(PODS, " ".repeat((16 << 20) + 1));
    let found = error(&server, source, &hello()).await;
    assert!(found.ends_with("has more than 16777216 bytes"), "{found}");
    let mut items = String::new();
    for number in 0..3001 {
        let comma = if number == 0 { "" } else { "," };
        let pod = format!(
            r#"{comma}{{"metadata": {{"name": "p{number}"}}, "spec": {{"containers": []}}}}"#
        );
        items.write_str(&pod).unwrap();
    }
    server.answer(PODS, format!(r#"{{"items": [{items}]}}"#));
    assert_eq!(
        error(&server, source, &hello()).await,
        "more than 3000 pods are selected; select fewer"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let config = Config::new(url.parse().unwrap());
    let reader = PodUsageReader::new(config, UsageSource::MetricsServer).unwrap();
    let found = reader.read(&hello(), at(NOON)).await.unwrap_err();
    assert_eq!(found.to_string(), "Kubernetes did not answer within 10 s");
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_asked() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let config = Config::new(url.parse().unwrap());
    let reader = PodUsageReader::new(config, UsageSource::MetricsServer).unwrap();
    let found = reader.read(&hello(), at(NOON)).await.unwrap_err();
    let found = found.to_string();
    let expected = "Kubernetes cannot be asked to list pods in namespace shop: Connection refused";
    assert!(found.starts_with(expected), "{found}");
}
