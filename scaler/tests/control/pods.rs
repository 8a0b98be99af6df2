//! A control task that decides by what pods use.

use std::collections::BTreeMap;
use std::time::Duration;

use ebbtide::api::model::RevisionStatus;
use ebbtide::clock::SystemClock;
use ebbtide::control::{Adoption, Command, PodLink, PodsRead, WantedPods};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::scale::pods::{PodState, Readiness, SampleTime};
use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_core::trigger::{Subject, Trigger};
use ebbtide_signals::{Measured, PodSelection, PodTarget, PodUsage, Requested, Used};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::apart::{Scaler, counts};

const PATIENCE: Duration = Duration::from_secs(60);

const CPU: &str = "
name: hello
tags: {ebbtide.scaleInStabilizationSeconds: '0'}
properties:
  configuration: {ingress: {targetPort: 80}}
  template:
    revisionSuffix: v1
    containers: [{name: web, image: example/web}]
    scale:
      minReplicas: 1
      maxReplicas: 9
      rules:
      - {name: http, http: {metadata: {concurrentRequests: '1'}}}
      - {name: busy, custom: {type: cpu, metadata: {type: Utilization, value: '50'}}}
";

/// The other end of the link to who reads what pods use.
struct Reader {
    wanted: watch::Receiver<WantedPods>,
    read: mpsc::Sender<PodsRead>,
    clock: SystemClock,
}

impl Reader {
    fn new() -> (Self, PodLink) {
        let (wanted, wants) = watch::channel(WantedPods::new());
        let (results, read) = mpsc::channel(1);
        let reader = Self {
            wanted: wants,
            read: results,
            clock: SystemClock::start(),
        };
        let link = PodLink {
            namespace: "apps".to_owned(),
            wanted,
            read,
        };
        (reader, link)
    }

    async fn wants(&mut self, expected: &[(&str, &str, PodSelection)]) {
        let expected: WantedPods = expected
            .iter()
            .map(|(revision, namespace, pods)| {
                let target = PodTarget {
                    namespace: (*namespace).to_owned(),
                    pods: pods.clone(),
                };
                (RevisionName::parse(revision).unwrap(), target)
            })
            .collect();
        let wanted = self.wanted.wait_for(|wanted| *wanted == expected);
        let Ok(Ok(_)) = timeout(PATIENCE, wanted).await else {
            panic!("other pods are wanted: {:?}", self.wanted.borrow());
        };
    }

    async fn says(&self, revision: &str, outcome: Result<Vec<PodUsage>, String>) {
        let at = self.clock.now();
        let read = PodsRead {
            revision: RevisionName::parse(revision).unwrap(),
            at,
            wall: Timestamp::from_secs(10_000),
            outcome,
        };
        self.read.send(read).await.unwrap();
    }
}

/// Pods that have been ready for long, each of which uses so much of the one core that it requests.
fn pods(used: &[f64]) -> Vec<PodUsage> {
    let pod = |(number, amount): (usize, &f64)| PodUsage {
        name: format!("hello-{number}"),
        state: PodState {
            started: Some(Timestamp::from_secs(1000)),
            readiness: Some(Readiness {
                is_ready: true,
                since: Timestamp::from_secs(1001),
            }),
            ..PodState::default()
        },
        requested: Requested {
            cores: Some(1.0),
            bytes: None,
        },
        used: Used {
            cores: Some(Measured {
                amount: *amount,
                time: SampleTime {
                    at: Timestamp::from_secs(9_990),
                    window: Duration::from_secs(15),
                },
            }),
            bytes: None,
        },
    };
    used.iter().enumerate().map(pod).collect()
}

fn decided(replicas: u32) -> impl Fn(&RevisionStatus) -> bool {
    move |one| one.decision.is_some() && one.replicas.desired == replicas
}

#[tokio::test]
async fn the_use_of_an_apps_pods_scales_it_from_what_there_is() {
    let (mut reader, link) = Reader::new();
    let scaler = Scaler::start_with(CPU, Some(link)).await;
    let service = PodSelection::Service("hello".to_owned());
    reader.wants(&[("hello--v1", "apps", service)]).await;
    let unread = "what its pods use has not been read, which takes --pod-usage";
    scaler
        .until("it is unknown", |one| one.rules[1].because == unread)
        .await;
    // Nothing is known of its requests yet, so that four pods stay at the least.
    reader.says("hello--v1", Ok(pods(&[0.1; 4]))).await;
    let first = scaler.until("it is decided for", decided(4)).await;
    assert_eq!(first.rules[1].replicas, Some(1));
    reader.says("hello--v1", Ok(pods(&[0.8; 4]))).await;
    let busy = scaler.until("it is scaled out", decided(7)).await;
    assert_eq!(busy.rules[1].because, "4 ready × 80% / target 50% = 7");
    assert_eq!(busy.rules[1].value, Some(80.0));
    scaler.report(1, 1, counts(5, 5, 0, 4)).await;
    reader.says("hello--v1", Ok(pods(&[0.2; 4]))).await;
    scaler.until("it is scaled in", decided(2)).await;
    let because = "Kubernetes did not answer within 10 s";
    reader.says("hello--v1", Err(because.to_owned())).await;
    let unknown = |one: &RevisionStatus| one.rules[1].because == because;
    let unknown = scaler.until("it is unknown", unknown).await;
    assert_eq!(
        (unknown.rules[1].value, unknown.replicas.desired),
        (None, 2)
    );
    scaler.end().await;
}

#[tokio::test]
async fn at_none_there_is_nothing_to_read_and_so_nothing_unknown() {
    let (reader, link) = Reader::new();
    let idle = CPU.replace("minReplicas: 1", "minReplicas: 0");
    let scaler = Scaler::start_with(&idle, Some(link)).await;
    scaler.report(1, 1, counts(5, 5, 0, 0)).await;
    reader.says("hello--v1", Err("no answer".to_owned())).await;
    let none = scaler.until("it is decided for", decided(0)).await;
    let (value, because) = (none.rules[1].value, none.rules[1].because.as_str());
    assert_eq!(
        (value, because),
        (Some(0.0), "no replica is ready to be measured")
    );
    scaler.end().await;
}

#[tokio::test]
async fn without_a_rule_of_cpu_or_memory_no_pods_are_wanted() {
    let (mut reader, link) = Reader::new();
    let scaler = Scaler::start_with(CPU, Some(link)).await;
    let service = PodSelection::Service("hello".to_owned());
    reader.wants(&[("hello--v1", "apps", service)]).await;
    let lines = CPU.lines().filter(|line| !line.contains("custom"));
    let without = lines.collect::<Vec<_>>().join("\n");
    scaler.apply(&without.replace("v1", "v2")).await;
    reader.wants(&[]).await;
    scaler.end().await;
}

#[tokio::test]
async fn rules_of_a_scaled_object_are_about_the_pods_of_its_target() {
    let (mut reader, link) = Reader::new();
    let scaler = Scaler::start_with(CPU, Some(link)).await;
    let metadata = [("type", "cpu"), ("value", "50")];
    let metadata: BTreeMap<String, String> = metadata
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let Subject::Rules(rules) = Trigger::parse(&metadata).unwrap().subject else {
        panic!("no rules");
    };
    let adopt = |reply| Command::Adopt {
        adoption: Adoption {
            app: AppName::new("orders-1").unwrap(),
            namespace: "shop".to_owned(),
            scaled_object: "orders".to_owned(),
            rules: Box::new(rules),
            sources: 1,
        },
        reply,
    };
    scaler.control.ask(adopt).await.unwrap();
    let service = PodSelection::Service("hello".to_owned());
    let scaled_object = PodSelection::ScaledObject("orders".to_owned());
    reader
        .wants(&[
            ("hello--v1", "apps", service),
            ("orders-1--rules", "shop", scaled_object),
        ])
        .await;
    // Five there are; an app without ingress is not taken to one first.
    reader.says("orders-1--rules", Ok(pods(&[0.5; 5]))).await;
    let mut publications = scaler.control.publications();
    let five = async {
        loop {
            let published = scaler.control.published();
            let app = published.app("orders-1");
            let one = app.map(|app| app.revisions[0].clone());
            if let Some(one) = one.filter(|one| one.decision.is_some()) {
                return one;
            }
            publications.changed().await.unwrap();
        }
    };
    let five = timeout(PATIENCE, five).await.unwrap();
    assert_eq!(five.replicas.desired, 5, "{:?}", five.decision);
    scaler.end().await;
}
