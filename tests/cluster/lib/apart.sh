# Ebbtide as it is on a cluster: scalers, an ingress and replicas, each a process of its own.
# shellcheck shell=bash

# The scalers' processes by number, and all others.
scaler_pids=()
apart_pids=()

# start_scaler NUMBER: one replica of the scaler, on 127.0.0.NUMBER.
start_scaler() {
    local address=127.0.0.$1
    "$ebbtide_bin" serve "$work/hello.yaml" --keda-listen "$address:$keda_port" \
        --telemetry-listen "$address:$telemetry_port" --status-listen "$address:$status_port" \
        >>"$work/ebbtide.log" 2>&1 &
    scaler_pids[$1]=$!
}

scaler_is_ready() { curl -sf -o /dev/null -H 'Host: localhost' "http://127.0.0.$1:$status_port/readyz"; }

# end_scaler NUMBER SIGNAL
end_scaler() {
    kill -"$2" "${scaler_pids[$1]}"
    wait "${scaler_pids[$1]}" 2>/dev/null || true
    unset "scaler_pids[$1]"
}

# start_apart SCALERS: an ingress whose replicas are the Deployment's pods, and as many scalers.
start_apart() {
    local number address scalers=()
    stop_ebbtide INT
    address=$(machine_address) || fail 'this machine has no IPv4 address but that of loopback'
    ADDRESS=$address PORT=$replica_port python3 "$root/scaler/tests/control/serve.py" 0.1 &
    apart_pids+=($!)
    for ((number = 1; number <= $1; number++)); do
        start_scaler "$number"
        scalers+=(--scaler "127.0.0.$number:$telemetry_port")
    done
    "$ebbtide_bin" ingress "$work/hello.yaml" --listen "127.0.0.1:$ingress_port" \
        --status-listen "127.0.0.1:$door_status_port" --endpoints kubernetes --namespace "$namespace" \
        "${scalers[@]}" >>"$work/ebbtide.log" 2>&1 &
    apart_pids+=($!)
    for ((number = 1; number <= $1; number++)); do
        until_true 20 "scaler $number hears of the ingress" scaler_is_ready "$number"
    done
}

# A Deployment whose pods are on the host's network, its Service, and its ScaledObject.
with_scaled_object_apart() {
    with_scaled_object 's/^      containers:/      hostNetwork: true\n      containers:/' \
        "s/targetPort: 8080/targetPort: $replica_port/" "$@"
}

stop_apart() {
    local pid
    for pid in "${scaler_pids[@]}" "${apart_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${scaler_pids[@]}" "${apart_pids[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    scaler_pids=()
    apart_pids=()
}

# Every number of replicas since the first one above none was above none.
never_none_since() { ! sed -n '/ [1-9]/,$p' "$work/replicas" | grep -q ' 0$'; }

never_none_and_back_to_none() {
    end_of_load
    never_none_since || fail "it was at none under load: $(numbers_seen)"
    nothing_was_lost
    until_true 60 'back to none' has_replicas 0
    printf '     replicas: %s\n' "$(numbers_seen)"
}
