# A node that is not there: kwok says of it, and of the pods on it, what a kubelet would.
# shellcheck shell=bash

# Pods become ready as in kwok's own rules, with the exceptions that kwok/kustomization.yaml makes.
write_kwok_rules() {
    local rules
    rules=$(module_dir kwok sigs.k8s.io/kwok)/kustomize/stage
    mkdir -p "$state/kwok"
    cp "$here/kwok/kustomization.yaml" "$state/kwok/"
    cp "$rules"/pod/fast/pod-*.yaml "$rules/node/fast/node-initialize.yaml" \
        "$rules/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml" "$state/kwok/"
    "$bin/kubectl" kustomize "$state/kwok" >"$state/kwok/rules.yaml"
}

start_node() {
    write_kwok_rules
    # kwok reads a file of the user's home too, if it is there.
    launch kwok env HOME="$state/kwok" "$bin/kwok" \
        --kubeconfig "$kubeconfigs/kwok" --config "$state/kwok/rules.yaml" \
        --manage-all-nodes --node-lease-duration-seconds 40 \
        --cidr "${EBBTIDE_CLUSTER_POD_CIDR:-198.18.0.0/16}" --node-ip "$(machine_address || printf 127.0.0.1)" \
        --server-address "127.0.0.1:$kwok_port" --node-port "$kwok_port"
    kube apply -f "$here/manifests/node.yaml" >/dev/null
}

node_is_ready() { kube wait --for condition=Ready --timeout 1s node/ebbtide-0; }
