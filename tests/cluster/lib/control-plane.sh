# etcd, the API server, and those who act on what it stores.
# shellcheck shell=bash

start_etcd() {
    local url=http://127.0.0.1:$etcd_port peer=http://127.0.0.1:$etcd_peer_port
    # Called `server` after its module. What it stores need not outlive the machine.
    launch etcd "$bin/server" --name ebbtide --data-dir "$state/etcd" --unsafe-no-fsync \
        --listen-client-urls "$url" --advertise-client-urls "$url" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
        --initial-cluster "ebbtide=$peer" --log-level warn
    wait_for 30 'etcd is healthy' etcd etcd_is_healthy
}

etcd_is_healthy() { curl -sSf "http://127.0.0.1:$etcd_port/health" | grep -q '"health":"true"'; }

start_api_server() {
    # The address of the API server is no endpoint for pods here, so it is not published as one.
    launch kube-apiserver "$bin/kube-apiserver" \
        --etcd-servers "http://127.0.0.1:$etcd_port" \
        --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$api_port" \
        --endpoint-reconciler-type none \
        --service-cluster-ip-range 10.96.0.0/16 \
        --authorization-mode RBAC \
        --client-ca-file "$pki/ca.crt" \
        --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$pki/service-account.pub" \
        --service-account-signing-key-file "$pki/service-account.key" \
        --requestheader-client-ca-file "$pki/front-proxy-ca.crt" \
        --requestheader-allowed-names front-proxy \
        --requestheader-username-headers X-Remote-User \
        --requestheader-group-headers X-Remote-Group \
        --requestheader-extra-headers-prefix X-Remote-Extra- \
        --proxy-client-cert-file "$pki/front-proxy.crt" \
        --proxy-client-key-file "$pki/front-proxy.key"
    wait_for 60 'the API server is ready' kube-apiserver kube get --raw /readyz
}

# start_component NAME PORT FLAGS...: a part of the control plane that is a client of the API server.
start_component() {
    local name=$1 port=$2
    shift 2
    launch "$name" "$bin/$name" --bind-address 127.0.0.1 --secure-port "$port" --leader-elect=false \
        --kubeconfig "$kubeconfigs/$name" \
        --authentication-kubeconfig "$kubeconfigs/$name" \
        --authorization-kubeconfig "$kubeconfigs/$name" "$@"
}

start_controllers() {
    # With its own service account for each controller, the HPA has the rights that KEDA grants to it.
    start_component kube-controller-manager "$controller_port" \
        --use-service-account-credentials \
        --service-account-private-key-file "$pki/service-account.key" --root-ca-file "$pki/ca.crt" \
        --horizontal-pod-autoscaler-sync-period "${EBBTIDE_CLUSTER_HPA_SYNC:-15s}"
    start_component kube-scheduler "$scheduler_port"
}

controllers_are_ready() {
    local port
    for port in "$controller_port" "$scheduler_port"; do
        curl -sSf --insecure "https://127.0.0.1:$port/healthz"
    done
    kube get serviceaccount default
}
