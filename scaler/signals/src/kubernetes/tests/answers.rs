//! Answers in the shapes of the API: of the metrics server, of a kubelet, and of the API server itself.

/// 2026-11-26T12:00:00Z in seconds since 1970.
pub(super) const NOON: u64 = 1_795_694_400;

pub(super) const PODS: &str = "/api/v1/namespaces/shop/pods?&labelSelector=app%3Dhello&limit=250";

pub(super) const METRICS: &str =
    "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?&labelSelector=app%3Dhello";

pub(super) const SERVICE: &str = "/api/v1/namespaces/shop/services/hello";

pub(super) const SUMMARY: &str = "/api/v1/nodes/node-1/proxy/stats/summary";

/// A Service of the pods with `app=hello`.
pub(super) const HELLO_SERVICE: &str = r#"{
    "kind": "Service", "apiVersion": "v1", "metadata": {"name": "hello", "namespace": "shop"},
    "spec": {"selector": {"app": "hello"}, "ports": [{"port": 80}], "type": "ClusterIP"}}"#;

/// Pods: one at work with a container beside, one that is ready but for its metrics, one that starts, one
/// that ends.
pub(super) const FOUR: &str = r#"{"kind": "PodList", "apiVersion": "v1",
  "metadata": {"resourceVersion": "812"}, "items": [
  {"metadata": {"name": "hello-a", "namespace": "shop", "uid": "u-a", "labels": {"app": "hello"}},
   "spec": {"nodeName": "node-1", "containers": [
      {"name": "web", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}},
      {"name": "proxy", "resources": {"requests": {"cpu": "0.25", "memory": "64Mi"},
                                      "limits": {"memory": "128Mi"}}}],
    "initContainers": [
      {"name": "beside", "restartPolicy": "Always",
       "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}}},
      {"name": "before", "resources": {"requests": {"cpu": "4", "memory": "4Gi"}}}]},
   "status": {"phase": "Running", "startTime": "2026-11-26T11:00:00Z", "conditions": [
      {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-26T11:00:00Z"},
      {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-26T11:00:20Z"}]}},
  {"metadata": {"name": "hello-b", "namespace": "shop", "uid": "u-b"},
   "spec": {"nodeName": "node-1", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
            "containers": [{"name": "web", "resources": {}}]},
   "status": {"phase": "Running", "startTime": "2026-11-26T11:59:40Z", "conditions": [
      {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-26T11:59:45Z"}]}},
  {"metadata": {"name": "hello-c", "namespace": "shop", "uid": "u-c"},
   "spec": {"containers": [{"name": "web", "resources": {"requests": {"memory": "64Mi"}}}]},
   "status": {"phase": "Pending"}},
  {"metadata": {"name": "hello-d", "namespace": "shop", "uid": "u-d",
                "deletionTimestamp": "2026-11-26T11:59:59Z"},
   "spec": {"nodeName": "node-1", "containers": [{"name": "web"}]},
   "status": {"phase": "Running", "startTime": "2026-11-26T11:00:00Z"}}]}"#;

/// What the metrics server says of them.
pub(super) const FOUR_METRICS: &str = r#"{"kind": "PodMetricsList",
  "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": [
  {"metadata": {"name": "hello-a", "namespace": "shop", "creationTimestamp": "2026-11-26T12:00:00Z",
                "labels": {"app": "hello"}},
   "timestamp": "2026-11-26T11:59:50Z", "window": "15.25s", "containers": [
      {"name": "web", "usage": {"cpu": "123456789n", "memory": "40960Ki"}},
      {"name": "proxy", "usage": {"cpu": "76543211n", "memory": "24Mi"}},
      {"name": "beside", "usage": {"cpu": "0", "memory": "0"}}]},
  {"metadata": {"name": "hello-d", "namespace": "shop"},
   "timestamp": "2026-11-26T11:59:50Z", "window": "15s", "containers": [
      {"name": "web", "usage": {"memory": "1Mi"}}]}]}"#;

/// What the kubelet says of the first pod, with this CPU time at this second of noon's minute.
pub(super) fn summary(second: u64, cpu_nanoseconds: u64) -> String {
    format!(
        r#"{{"node": {{"nodeName": "node-1", "cpu": {{"time": "2026-11-26T12:00:{second:02}Z",
              "usageNanoCores": 9, "usageCoreNanoSeconds": 9}}}},
            "pods": [
             {{"podRef": {{"name": "hello-a", "namespace": "shop", "uid": "u-a"}},
               "startTime": "2026-11-26T11:00:00Z",
               "containers": [{{"name": "web", "startTime": "2026-11-26T11:00:01Z"}}],
               "cpu": {{"time": "2026-11-26T12:00:{second:02}Z", "usageNanoCores": 1,
                        "usageCoreNanoSeconds": {cpu_nanoseconds}}},
               "memory": {{"time": "2026-11-26T12:00:{second:02}Z", "usageBytes": 9000,
                           "workingSetBytes": 8192, "rssBytes": 7000}},
               "ephemeral-storage": {{"usedBytes": 1}}}},
             {{"podRef": {{"name": "other", "namespace": "shop", "uid": "u-z"}}}}]}}"#
    )
}
