# KEDA's operator and metrics adapter, with its own custom resources and roles.
# shellcheck shell=bash

apply_keda_resources() {
    local config
    config=$(module_dir keda github.com/kedacore/keda/v2)/config
    # On the server's side, since a client's annotation could not hold schemas as long as these.
    kube apply --server-side -k "$config/crd" >/dev/null
    kube apply -f "$config/general/namespace.yaml" >/dev/null
    kube apply -k "$config/service_account" >/dev/null
    kube apply -k "$config/rbac" >/dev/null
    kube apply -f "$config/metrics-server/role.yaml" -f "$config/metrics-server/role_binding.yaml" >/dev/null
    kube wait --for condition=Established --timeout 30s crd \
        scaledobjects.keda.sh scaledjobs.keda.sh triggerauthentications.keda.sh \
        clustertriggerauthentications.keda.sh >/dev/null
    step "KEDA's custom resources are established"
}

start_operator() {
    # The certificates are ours; otherwise it would make its own, restart, and wait for a mounted secret.
    launch keda-operator env WATCH_NAMESPACE= POD_NAMESPACE=keda KEDA_CLUSTER_OBJECT_NAMESPACE=keda \
        "$bin/operator" --kubeconfig "$kubeconfigs/keda-operator" \
        --zap-log-level=info --zap-encoder=console --zap-time-encoding=rfc3339nano \
        --cert-dir "$pki/keda" --enable-webhook-patching=false --enable-apiservice-patching=false \
        --metrics-bind-address "127.0.0.1:$operator_metrics_port" \
        --health-probe-bind-address "127.0.0.1:$operator_health_port" \
        --metrics-service-bind-address "127.0.0.1:$operator_grpc_port"
    wait_for 60 "KEDA's operator is ready" keda-operator \
        curl -sSf "http://127.0.0.1:$operator_health_port/readyz"
}

start_adapter() {
    local config=$kubeconfigs/keda-operator
    launch keda-adapter env WATCH_NAMESPACE= POD_NAMESPACE=keda \
        "$bin/adapter" --kubeconfig "$config" --lister-kubeconfig "$config" \
        --authentication-kubeconfig "$config" --authorization-kubeconfig "$config" \
        --zap-log-level=info --zap-encoder=console --zap-time-encoding=rfc3339nano \
        --bind-address 127.0.0.1 --secure-port "$adapter_port" --port "$adapter_metrics_port" \
        --client-ca-file "$pki/ca.crt" --cert-dir "$pki/keda" \
        --tls-cert-file "$pki/keda/tls.crt" --tls-private-key-file "$pki/keda/tls.key" \
        --metrics-service-address "127.0.0.1:$operator_grpc_port"
    sed -e "s/ADAPTER_PORT/$adapter_port/" -e "s/CA_BUNDLE/$(base64 -w 0 "$pki/ca.crt")/" \
        "$here/manifests/keda-adapter.yaml" | kube apply -f - >/dev/null
    wait_for 60 "KEDA's metrics are available through the API server" keda-adapter adapter_is_available
}

adapter_is_available() {
    kube wait --for condition=Available --timeout 1s apiservice/v1beta1.external.metrics.k8s.io
    kube get --raw /apis/external.metrics.k8s.io/v1beta1
}
