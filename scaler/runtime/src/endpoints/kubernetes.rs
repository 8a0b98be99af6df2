//! Endpoints from Kubernetes: the `EndpointSlices` of the services of a namespace, watched.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use futures_util::TryStreamExt;
use k8s_openapi::api::discovery::v1::{Endpoint as SliceEndpoint, EndpointPort, EndpointSlice};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use thiserror::Error;
use tokio::sync::watch;

use super::{Endpoint, Endpoints};

/// The label of a slice that names its service.
const SERVICE: &str = "kubernetes.io/service-name";

/// The name of the port that is taken when a service has several.
const HTTP: &str = "http";

/// Why endpoints cannot be watched.
#[derive(Debug, Error)]
pub enum KubernetesError {
    /// No cluster is configured, in the environment of a pod or by KUBECONFIG.
    #[error("no cluster to watch: {0}; run in a pod, or set KUBECONFIG")]
    Configuration(#[source] Box<kube::Error>),
}

/// A watch on the endpoints of a namespace.
pub struct Watch {
    client: Client,
    namespace: String,
}

impl Watch {
    /// Reads where the cluster is; `namespace` is the one that this pod, or the kubeconfig's
    /// context, is in if none is given.
    ///
    /// # Errors
    /// When no cluster is configured.
    pub async fn new(namespace: Option<String>) -> Result<Self, KubernetesError> {
        let client = Client::try_default().await;
        let client = client.map_err(|error| KubernetesError::Configuration(Box::new(error)))?;
        let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
        Ok(Self { client, namespace })
    }

    /// The namespace that is watched.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Sends the endpoints whenever they change, without end. While the cluster does not answer
    /// what it said last stays in force.
    pub async fn follow(self, endpoints: watch::Sender<Option<Endpoints>>) {
        let slices: Api<EndpointSlice> = Api::namespaced(self.client, &self.namespace);
        let config = watcher::Config::default().labels(SERVICE);
        let events = watcher::watcher(slices, config).default_backoff();
        tokio::pin!(events);
        let mut known = Slices::default();
        loop {
            match events.try_next().await {
                Ok(Some(event)) => {
                    if let Some(now) = known.take_in(event) {
                        endpoints.send_replace(Some(now));
                    }
                }
                Ok(None) => return,
                Err(error) => tracing::warn!(
                    namespace = self.namespace,
                    "the cluster does not tell its endpoints; those it told last stay: {error}"
                ),
            }
        }
    }
}

/// The slices by name.
#[derive(Default)]
struct Slices {
    known: BTreeMap<String, EndpointSlice>,
    listing: BTreeMap<String, EndpointSlice>,
}

impl Slices {
    /// Takes in an event. Returns the endpoints if they are known as of then.
    fn take_in(&mut self, event: Event<EndpointSlice>) -> Option<Endpoints> {
        match event {
            // What was known stands until the listing is whole.
            Event::Init => {
                self.listing.clear();
                return None;
            }
            Event::InitApply(slice) => {
                self.listing.insert(name(&slice), slice);
                return None;
            }
            Event::InitDone => self.known = std::mem::take(&mut self.listing),
            Event::Apply(slice) => {
                self.known.insert(name(&slice), slice);
            }
            Event::Delete(slice) => {
                self.known.remove(&name(&slice));
            }
        }
        Some(self.endpoints())
    }

    fn endpoints(&self) -> Endpoints {
        let mut endpoints = Endpoints::new();
        for slice in self.known.values() {
            let labels = slice.metadata.labels.as_ref();
            let Some(service) = labels.and_then(|labels| labels.get(SERVICE)) else {
                continue;
            };
            let replicas = endpoints.entry(service.clone()).or_default();
            replicas.extend(ready(slice));
        }
        for replicas in endpoints.values_mut() {
            replicas.sort();
            replicas.dedup();
        }
        endpoints
    }
}

fn name(slice: &EndpointSlice) -> String {
    slice.metadata.name.clone().unwrap_or_default()
}

/// The endpoints of a slice that may get requests. One that terminates may not, though it answers.
fn ready(slice: &EndpointSlice) -> Vec<Endpoint> {
    let Some(port) = port(slice.ports.as_deref().unwrap_or_default()) else {
        return Vec::new();
    };
    let ready = slice.endpoints.iter().filter(|one| {
        let conditions = one.conditions.as_ref();
        // Unknown is to be taken as ready, says the API.
        conditions.is_none_or(|conditions| conditions.ready.unwrap_or(true))
    });
    ready.filter_map(|one| endpoint(one, port)).collect()
}

/// The port for requests: the only one, the one called `http`, or else the first.
fn port(ports: &[EndpointPort]) -> Option<u16> {
    let http = ports.iter().find(|port| port.name.as_deref() == Some(HTTP));
    let port = http.or(ports.first())?.port?;
    u16::try_from(port).ok()
}

fn endpoint(endpoint: &SliceEndpoint, port: u16) -> Option<Endpoint> {
    // All addresses of an endpoint lead to it; the first is what others use.
    let address: IpAddr = endpoint.addresses.first()?.parse().ok()?;
    let pod = endpoint.target_ref.as_ref();
    let name = pod.and_then(|pod| pod.name.clone());
    Some(Endpoint {
        name: name.unwrap_or_else(|| address.to_string().replace(['.', ':'], "-")),
        address: SocketAddr::new(address, port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(name: &str, service: &str, endpoints: &str, ports: &str) -> EndpointSlice {
        let text = format!(
            r#"{{"metadata": {{"name": "{name}", "labels": {{"{SERVICE}": "{service}"}}}},
                 "addressType": "IPv4", "endpoints": {endpoints}, "ports": {ports}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    const TWO: &str = r#"[
        {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"name": "hello-a"}},
        {"addresses": ["10.0.0.2"], "targetRef": {"name": "hello-b"}},
        {"addresses": ["10.0.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}},
        {"addresses": ["nonsense"]}]"#;

    fn words(endpoints: &Endpoints) -> Vec<String> {
        let words = |(service, replicas): (&String, &Vec<Endpoint>)| {
            let replicas = replicas.iter();
            let replicas = replicas.map(|one| format!(" {}={}", one.name, one.address));
            format!("{service}:{}", replicas.collect::<String>())
        };
        endpoints.iter().map(words).collect()
    }

    #[test]
    fn ready_endpoints_of_all_slices_of_a_service_are_its_replicas() {
        let mut slices = Slices::default();
        let one = r#"[{"name": "metrics", "port": 9}, {"name": "http", "port": 80}]"#;
        assert_eq!(slices.take_in(Event::Init), None);
        let listed = slice("hello-1", "hello", TWO, one);
        assert_eq!(slices.take_in(Event::InitApply(listed)), None);
        let endpoints = slices.take_in(Event::InitDone).unwrap();
        let both = "hello: hello-a=10.0.0.1:80 hello-b=10.0.0.2:80";
        assert_eq!(words(&endpoints), [both]);

        let more = r#"[{"addresses": ["10.0.1.1"]}]"#;
        let second = slice("hello-2", "hello", more, r#"[{"port": 8080}]"#);
        let endpoints = slices.take_in(Event::Apply(second.clone())).unwrap();
        let third = "hello: 10-0-1-1=10.0.1.1:8080 hello-a=10.0.0.1:80 hello-b=10.0.0.2:80";
        assert_eq!(words(&endpoints), [third]);
        assert_eq!(
            words(&slices.take_in(Event::Delete(second)).unwrap()),
            [both]
        );
    }

    #[test]
    fn what_was_known_stands_until_a_new_listing_is_whole() {
        let mut slices = Slices::default();
        let port = r#"[{"port": 80}]"#;
        slices.take_in(Event::Apply(slice("a-1", "a", "[]", port)));
        slices.take_in(Event::Init);
        slices.take_in(Event::InitApply(slice("b-1", "b", "[]", port)));
        let endpoints = slices.take_in(Event::Apply(slice("c-1", "c", "[]", port)));
        assert_eq!(words(&endpoints.unwrap()), ["a:", "c:"]);
        assert_eq!(words(&slices.take_in(Event::InitDone).unwrap()), ["b:"]);
    }

    #[test]
    fn a_slice_without_a_port_has_no_replica() {
        assert_eq!(ready(&slice("a-1", "a", TWO, "[]")), []);
        assert_eq!(ready(&slice("a-1", "a", TWO, r#"[{"port": 70000}]"#)), []);
    }
}
