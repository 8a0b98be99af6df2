# The cases, each of which begins with an Ebbtide of its own and nothing in the namespace.
# shellcheck shell=bash

cases=(
    http_load_takes_a_deployment_from_zero_to_three_and_back
    polling_alone_wakes_it_too
    a_dead_scaler_freezes_what_there_is
    fallback_counts_while_a_rule_is_unknown
    paused_is_paused
    rules_are_metrics_of_the_hpa
    jobs_are_made
    tls_with_certificates_on_both_sides
)

with_scaled_object() {
    apply scaledobject.yaml "$@"
    until_true 30 'KEDA has taken the ScaledObject' scaled_object_is_ready
}

case_http_load_takes_a_deployment_from_zero_to_three_and_back() {
    with_scaled_object
    has_replicas 0 || fail "it begins with $(replicas)"
    start_watch
    until_true 10 'the watch has begun' test -s "$work/replicas"
    local started
    started=$(milliseconds)
    start_load 25s
    printf '     pushed: first request to spec.replicas >= 1 in %s\n' "$(first_after "$started")"
    until_true 40 'three replicas' has_replicas 3
    printf '     at three: %s\n' "$(last_answer hello)"
    wait "$load_pid"
    load_pid=
    until_true 60 'back to none' has_replicas 0
    printf '     at none:  %s\n' "$(last_answer hello)"
    printf '     replicas: %s\n' "$(numbers_seen)"
    [[ $(python3 -c 'import json, sys; print(json.load(sys.stdin)["failed"])' <"$work/load.json") == 0 ]] ||
        fail "the load lost requests: $(cat "$work/load.json")"
}

case_polling_alone_wakes_it_too() {
    # KEDA's default.
    with_scaled_object 's/type: external-push/type: external/' 's/pollingInterval: 5/pollingInterval: 30/'
    start_watch
    local started
    started=$(milliseconds)
    start_load 45s
    printf '     polled each 30 s: first request to spec.replicas >= 1 in %s\n' "$(first_after "$started")"
    stop_load
    until_true 75 'back to none' has_replicas 0
}

case_a_dead_scaler_freezes_what_there_is() {
    with_scaled_object
    start_load 60s
    until_true 40 'three replicas' has_replicas 3
    stop_ebbtide KILL
    always 15 'three replicas without a scaler' has_replicas 3
    start_ebbtide
    # It begins from nothing, but the load goes on.
    always 10 'some replicas after its return' has_some
    until_true 30 'three replicas again' has_replicas 3
}

# KEDA's fallback needs the metrics' specs: with a scaler that is dead it does not count.
case_fallback_counts_while_a_rule_is_unknown() {
    local queue='{name: orders, custom: {type: rabbitmq, metadata: {queueName: orders, host: amqp:\/\/127.0.0.1:1}}}'
    sed "s/^      rules: .*/      rules: [$queue]/" "$work/hello.yaml" >"$work/unknown.yaml"
    stop_ebbtide INT
    start_ebbtide "$work/unknown.yaml"
    with_scaled_object 's/^  minReplicaCount: 0/&\n  fallback: {failureThreshold: 1, replicas: 2}/'
    until_true 60 'the two of the fallback' has_replicas 2
    printf '     %s\n' "$(last_answer hello)"
}

case_paused_is_paused() {
    with_scaled_object
    k annotate scaledobject hello autoscaling.keda.sh/paused-replicas=2 >/dev/null
    until_true 30 'the two of the annotation' has_replicas 2
    [[ $(request) == 200 ]] || fail 'the app itself is served all the same'
    always 5 'two replicas while it is paused' has_replicas 2
    k annotate scaledobject hello autoscaling.keda.sh/paused-replicas- >/dev/null
    until_true 60 'none without the annotation' has_replicas 0
}

case_rules_are_metrics_of_the_hpa() {
    apply scaledobject.yaml
    apply per-rule.yaml
    until_true 30 'KEDA has taken the ScaledObject' scaled_object_is_ready
    start_load 60s
    until_true 60 'more than one replica' eval '(($(replicas) > 1))'
    [[ $(k get hpa keda-hpa-hello -o jsonpath='{.spec.metrics[*].external.metric.name}') == \
        s0-ebbtide-hello--v1-http ]] || fail "the HPA's metrics are others: $(k get hpa -o yaml)"
}

case_jobs_are_made() {
    apply scaledjob.yaml
    start_load 60s
    until_true 60 'three jobs' eval '(($(k get jobs -o name | wc -l) == 3))'
    printf '     %s\n' "$(last_answer hello-jobs)"
}

case_tls_with_certificates_on_both_sides() {
    local key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
    (
        cd "$work"
        # shellcheck disable=SC2086
        openssl req -x509 $key -keyout ca.key -out ca.crt -subj /CN=root
        # shellcheck disable=SC2086
        openssl req -x509 -CA ca.crt -CAkey ca.key $key -keyout tls.key -out tls.crt -subj /CN=ebbtide \
            -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE
    ) 2>/dev/null
    stop_ebbtide INT
    start_ebbtide "$work/hello.yaml" --keda-tls-certificate "$work/tls.crt" \
        --keda-tls-key "$work/tls.key" --keda-tls-client-ca "$work/ca.crt"
    k create secret generic ebbtide-tls --from-file="$work/ca.crt" --from-file="$work/tls.crt" \
        --from-file="$work/tls.key" >/dev/null
    apply scaledobject.yaml
    apply tls.yaml
    until_true 30 'KEDA has taken the ScaledObject' scaled_object_is_ready
    start_load 20s
    until_true 15 'KEDA was pushed the first by TLS' has_some
}
