# What `up` and `down` share: where things are, how they report, and how they wait.
# shellcheck shell=bash

state=${EBBTIDE_CLUSTER_DIR:-${TMPDIR:-/tmp}/ebbtide-cluster}
bin=$state/bin
logs=$state/logs
pids=$state/pids
pki=$state/pki
kubeconfigs=$state/kubeconfigs
kubeconfig=$state/kubeconfig

base_port=${EBBTIDE_CLUSTER_PORT:-16440}
etcd_port=$base_port
etcd_peer_port=$((base_port + 1))
api_port=$((base_port + 3))
controller_port=$((base_port + 4))
scheduler_port=$((base_port + 5))
kwok_port=$((base_port + 6))
operator_metrics_port=$((base_port + 7))
operator_health_port=$((base_port + 8))
operator_grpc_port=$((base_port + 9))
adapter_port=$((base_port + 10))
adapter_metrics_port=$((base_port + 11))
last_port=$adapter_metrics_port

# Progress goes to stderr, so that stdout holds nothing but the exports.
step() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }

fail() {
    printf 'tests/cluster/%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# wait_for SECONDS WHAT PROCESS COMMAND...: polls COMMAND until it succeeds. Gives up at the deadline,
# or as soon as PROCESS, which it depends on, has ended.
wait_for() {
    local limit=$1 what=$2 process=$3
    shift 3
    local deadline=$((SECONDS + limit))
    until "$@" >"$logs/wait" 2>&1; do
        if ! is_running "$process"; then
            failed_log=$logs/$process.log
            fail "$process ended before $what"
        fi
        if ((SECONDS >= deadline)); then
            failed_log=$logs/$process.log
            fail "after ${limit} s, not yet: $what; the last answer: $(tail -n 3 "$logs/wait")"
        fi
        sleep 0.2
    done
    step "$what"
}

# This machine's address beside that of loopback, which no EndpointSlice may have. Pods on the host's
# network have it, so that something can answer for them there.
machine_address() { hostname -I | tr ' ' '\n' | grep -m 1 -E '^[0-9.]+$'; }

kube() { "$bin/kubectl" --kubeconfig "$kubeconfig" --request-timeout 10s "$@"; }

# Some manifests and schemas are read from the module that the program itself was built from.
module_dir() { (cd "$here/$1" && go list -m -f '{{.Dir}}' "$2"); }
