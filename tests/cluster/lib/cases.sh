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
    an_ingress_apart_takes_a_deployment_from_zero_to_three_and_back
    rules_of_a_scaled_objects_own_do_too
    a_scaler_that_dies_under_load_leaves_what_there_is
    two_scalers_answer_alike
    ten_are_one_twenty_are_two_and_none_are_none
    the_api_server_takes_every_manifest
    the_install_is_carried_out
)

with_scaled_object() {
    apply scaledobject.yaml "$@"
    until_true 30 'KEDA has taken the ScaledObject' scaled_object_is_ready
}

case_http_load_takes_a_deployment_from_zero_to_three_and_back() {
    with_scaled_object
    from_zero_to_three_and_back
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

case_an_ingress_apart_takes_a_deployment_from_zero_to_three_and_back() {
    start_apart 1
    with_scaled_object_apart
    from_zero_to_three_and_back
}

case_rules_of_a_scaled_objects_own_do_too() {
    start_apart 1
    with_scaled_object_apart \
        's/^        app: hello$/&\n        type: http\n        concurrentRequests: "1"\n        windowSeconds: "2"\n        maxReplicas: "3"\n        cooldownPeriod: "3"\n        scaleInStabilizationSeconds: "2"/'
    from_zero_to_three_and_back
}

# Under load; what is seen of it is printed.
from_zero_to_three_and_back() {
    has_replicas 0 || fail "it begins with $(replicas)"
    start_watch
    until_true 10 'the watch has begun' test -s "$work/replicas"
    local started
    started=$(milliseconds)
    start_load 25s
    printf '     pushed: first request to spec.replicas >= 1 in %s\n' "$(first_after "$started")"
    until_true 40 'three replicas' has_replicas 3
    printf '     at three: %s\n' "$(last_answer hello)"
    end_of_load
    until_true 60 'back to none' has_replicas 0
    printf '     at none:  %s\n' "$(last_answer hello)"
    printf '     replicas: %s\n' "$(numbers_seen)"
    nothing_was_lost
}

case_a_scaler_that_dies_under_load_leaves_what_there_is() {
    start_apart 1
    with_scaled_object_apart
    start_watch
    start_load 50s
    until_true 40 'three replicas' has_replicas 3
    end_scaler 1 KILL
    always 10 'three replicas without a scaler' has_replicas 3
    start_scaler 1
    until_true 20 'it hears of the ingress' scaler_is_ready 1
    always 10 'some replicas after its return' has_some
    never_none_and_back_to_none
}

case_two_scalers_answer_alike() {
    start_apart 2
    python3 "$here/lib/resolver.py" "$resolver_port" 127.0.0.1 127.0.0.2 &
    apart_pids+=($!)
    with_scaled_object_apart \
        "s#scalerAddress: .*#scalerAddress: dns://127.0.0.1:$resolver_port/scalers.test:$keda_port#"
    start_watch
    start_load 45s
    until_true 40 'three replicas' has_replicas 3
    until_true 20 'the first was asked' eval '[[ $(last_answer hello 1) ]]'
    until_true 20 'the second was asked' eval '[[ $(last_answer hello 2) ]]'
    printf '     one: %s\n     two: %s\n' "$(last_answer hello 1)" "$(last_answer hello 2)"
    end_scaler 1 INT
    always 10 'three replicas with the other one' has_replicas 3
    never_none_and_back_to_none
}

# KEDA's own test of external scalers: a target of ten, and the amounts 10, 20 and none.
case_ten_are_one_twenty_are_two_and_none_are_none() {
    sed -e 's/concurrentRequests: "1"/concurrentRequests: "10"/' -e 's/work-time, 100ms/work-time, 600s/' \
        "$work/hello.yaml" >"$work/ten.yaml"
    stop_ebbtide INT
    start_ebbtide "$work/ten.yaml"
    with_scaled_object
    local waiting=() pid
    for amount in 1 2; do
        for _ in {1..10}; do
            curl -s -o /dev/null -H 'Host: hello.localhost' "http://127.0.0.1:$ingress_port/" &
            waiting+=($!)
        done
        until_true 60 "$amount for ${amount}0 requests" has_replicas "$amount"
        always 10 "$amount for ${amount}0 requests" has_replicas "$amount"
    done
    for pid in "${waiting[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    until_true 60 'none for none' has_replicas 0
    stop_ebbtide KILL
}

case_the_api_server_takes_every_manifest() {
    local file folder files=0
    while read -r file; do
        is_taken <"$file" || fail "${file#"$root/"}: $(cat "$work/answer")"
        files=$((files + 1))
    done < <(find "$root/manifests/keda/examples" -name '*.yaml' | sort)
    ((files > 0)) || fail 'no example was found'
    for folder in '' tls kubelet; do
        installation "$folder" >"$work/install.yaml"
        is_taken <"$work/install.yaml" || fail "manifests/keda/$folder: $(cat "$work/answer")"
    done
    # What is misspelt is refused, in a custom resource and in one of Kubernetes' own.
    file=$root/manifests/keda/examples/scaledobject.yaml
    is_refused_for pollingIntervall < <(sed 's/pollingInterval:/pollingIntervall:/' "$file")
    is_refused_for maxSurges < <(sed 's/maxSurge:/maxSurges:/' "$work/install.yaml")
    printf '     %d examples, and the three ways to install\n' "$files"
}

is_refused_for() {
    ! is_taken || fail "a manifest with the unknown field $1 is taken"
    grep -q "unknown field .*$1" "$work/answer" || fail "it is refused, but not for $1: $(cat "$work/answer")"
}

# The pods are records where no container runs, but they have been admitted, and Services have found them.
case_the_install_is_carried_out() {
    "$ebbtide_bin" validate "$root/manifests/keda/install/documents" >"$work/answer" 2>&1 ||
        fail "its documents: $(cat "$work/answer")"
    installation >"$work/install.yaml"
    # Its Namespace comes with it, so that a pod which is not as restricted as that demands is not made.
    k apply -f "$work/install.yaml" >/dev/null 2>"$work/answer" || fail "not applied: $(cat "$work/answer")"
    ! grep PodSecurity "$work/answer" || fail 'it is not as restricted as its namespace demands'
    has_two_behind ebbtide-scaler ebbtide-scaler 9090
    has_two_behind ebbtide-scaler ebbtide-scaler-headless 9091
    has_two_behind ebbtide-ingress ebbtide-ingress 8080
    may yes list endpointslices.discovery.k8s.io "$namespace"
    may yes watch endpointslices.discovery.k8s.io "$namespace"
    may no list endpointslices.discovery.k8s.io kube-system
    may no update endpointslices.discovery.k8s.io "$namespace"
    may no list pods "$namespace"
    # The namespace is that of the other cases too.
    k label namespace "$namespace" pod-security.kubernetes.io/enforce- pod-security.kubernetes.io/warn- >/dev/null
}

# has_two_behind DEPLOYMENT SERVICE PORT: the Deployment's two pods are counted by its disruption budget,
# and are where the Service leads to, at that port.
has_two_behind() {
    until_true 30 "two pods of $1" is_now 2 k get deployment "$1" -o jsonpath='{.status.replicas}'
    until_true 30 "$1's disruption budget counts them" \
        is_now 2 k get poddisruptionbudget "$1" -o jsonpath='{.status.expectedPods}'
    until_true 30 "the Service $2 leads to them" is_now "2 $3" behind "$2"
}

# How many addresses a Service leads to, and at which ports.
behind() {
    local slices=(get endpointslices -l "kubernetes.io/service-name=$1")
    printf '%d %s' "$(k "${slices[@]}" -o jsonpath='{.items[*].endpoints[*].addresses[*]}' | wc -w)" \
        "$(k "${slices[@]}" -o jsonpath='{.items[*].ports[*].port}')"
}

# may yes|no VERB RESOURCE NAMESPACE: what the ingress's service account may do.
may() {
    local answer
    answer=$("$kubectl_bin" auth can-i "$2" "$3" --namespace "$4" \
        --as "system:serviceaccount:$namespace:ebbtide-ingress" 2>/dev/null) || true
    [[ $answer == "$1" ]] || fail "may the ingress $2 $3 in $4? $answer"
}
