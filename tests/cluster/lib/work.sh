# What the cases work with: an Ebbtide, a load, a Deployment and its ScaledObject.
# shellcheck shell=bash

export KUBECONFIG=${KUBECONFIG:-$kubeconfig}
built=${CARGO_TARGET_DIR:-$root/target}/release
ebbtide_bin=${EBBTIDE_BIN:-$built/ebbtide}
loadgen_bin=${LOADGEN_BIN:-$built/loadgen}
namespace=ebbtide-tests-$$
work=$(mktemp -d)
# Ports of the case's own, so that an Ebbtide that starts again is found where it was. KEDA keeps its
# connections beyond the ScaledObjects they are for, and tries one that failed again after up to two
# minutes: at the ports of the case before, the next one would have to wait for that.
first_port=$((20000 + RANDOM % 10000))
next_ports() {
    ingress_port=$first_port
    status_port=$((first_port + 1))
    keda_port=$((first_port + 2))
    telemetry_port=$((first_port + 3))
    door_status_port=$((first_port + 4))
    replica_port=$((first_port + 5))
    resolver_port=$((first_port + 6))
    first_port=$((first_port + 7))
}
ebbtide_pid=
load_pid=
watch_pid=

kubectl_bin=$bin/kubectl
command -v "$kubectl_bin" >/dev/null || kubectl_bin=kubectl

k() { "$kubectl_bin" --request-timeout 20s --namespace "$namespace" "$@"; }

prepare() {
    [[ -e $KUBECONFIG ]] || fail 'no cluster: run tests/cluster/up, or set KUBECONFIG'
    for program in "$ebbtide_bin" "$loadgen_bin"; do
        [[ -x $program ]] || fail "$program is missing: cargo build --release -p ebbtide -p ebbtide-loadgen"
    done
    trap clean_up EXIT
    k create namespace "$namespace" >/dev/null
    write_document
    step "namespace $namespace"
}

clean_up() {
    local status=$?
    ((status == 0)) || say_what_was
    stop_load
    stop_ebbtide KILL
    stop_apart
    stop_watch
    "$kubectl_bin" delete namespace "$namespace" --wait=false --ignore-not-found >/dev/null 2>&1 || true
    rm -rf "$work"
    return "$status"
}

# After a failure: what KEDA says of the ScaledObject, and the last words of KEDA and of Ebbtide.
say_what_was() {
    {
        k get scaledobject hello -o jsonpath='{range .status.conditions[*]}{.type} {.status}: {.message}{"\n"}{end}'
        # A stack follows each of its errors.
        [[ ! -f $logs/keda-operator.log ]] ||
            grep -E '^[0-9-]+T[^ ]+Z.(ERROR|WARN)' "$logs/keda-operator.log" | tail -n 10 | cut -c 1-500
        [[ ! -f $work/ebbtide.log ]] || tail -n 40 "$work/ebbtide.log"
    } >&2 || true
}

# An app of which each replica does one request at a time for a tenth of a second.
write_document() {
    cat >"$work/hello.yaml" <<'YAML'
name: hello
tags: {ebbtide.scaleInStabilizationSeconds: "2"}
properties:
  configuration:
    ingress: {external: true, allowInsecure: true, targetPort: 8080}
  template:
    revisionSuffix: v1
    containers:
      - name: hello
        command: ["$(EBBTIDE_PROGRAM)", sample-app]
        args: [--work-time, 100ms]
    scale:
      minReplicas: 0
      maxReplicas: 3
      cooldownPeriod: 3
      rules: [{name: http, http: {metadata: {concurrentRequests: "1", windowSeconds: "2"}}}]
YAML
}

# start_ebbtide [DOCUMENT [ARGUMENT]...]
start_ebbtide() {
    "$ebbtide_bin" up "${1-$work/hello.yaml}" "${@:2}" --listen "127.0.0.1:$ingress_port" \
        --status-listen "127.0.0.1:$status_port" --keda-listen "127.0.0.1:$keda_port" \
        >>"$work/ebbtide.log" 2>&1 &
    ebbtide_pid=$!
    until_true 10 'Ebbtide is ready' ebbtide_is_ready
}

ebbtide_is_ready() { curl -sf -o /dev/null "http://127.0.0.1:$status_port/readyz"; }

stop_ebbtide() {
    [[ $ebbtide_pid ]] || return 0
    kill -"$1" "$ebbtide_pid" 2>/dev/null || true
    wait "$ebbtide_pid" 2>/dev/null || true
    ebbtide_pid=
}

# One request; its answer's status is printed.
request() {
    curl -s -o /dev/null -w '%{http_code}' -H 'Host: hello.localhost' "http://127.0.0.1:$ingress_port/"
}

# More than two requests at a time, which calls for three replicas.
start_load() {
    "$loadgen_bin" run "http://127.0.0.1:$ingress_port/" --host hello.localhost --rate 28 \
        --duration "$1" --output json >"$work/load.json" 2>/dev/null &
    load_pid=$!
}

stop_load() {
    [[ $load_pid ]] || return 0
    kill "$load_pid" 2>/dev/null || true
    wait "$load_pid" 2>/dev/null || true
    load_pid=
}

end_of_load() {
    local code=0
    wait "$load_pid" || code=$?
    load_pid=
    # Requests that were sent late make times doubtful, and nothing else: what is tested goes on.
    ((code != 3)) || printf '     the load lagged behind its schedule, so its times are doubtful\n'
    ((code == 0 || code == 3)) || fail "loadgen ended with $code: $(cat "$work/load.json")"
}

nothing_was_lost() {
    [[ $(python3 -c 'import json, sys; print(json.load(sys.stdin)["total"]["failed"])' <"$work/load.json") == 0 ]] ||
        fail "the load lost requests: $(cat "$work/load.json")"
}

# apply FILE [SED]...: an example, with this run's address and what SED makes of it.
apply() {
    local file=$1 edits=(-e "s/ebbtide-scaler.ebbtide.svc:9090/127.0.0.1:$keda_port/")
    shift
    for edit; do edits+=(-e "$edit"); done
    sed "${edits[@]}" "$root/manifests/keda/examples/$file" | k apply -f - >/dev/null
}

# installation [FOLDER]: what `kubectl apply -k` applies, with this run's namespace for the two it names.
installation() {
    "$kubectl_bin" kustomize "$root/manifests/keda${1:+/$1}" |
        sed -E "s/^( *namespace:) (ebbtide|default)$/\1 $namespace/; s/^  name: ebbtide$/  name: $namespace/"
}

# Whether the API server would take what is on standard input, every field of it known.
is_taken() { k apply --dry-run=server --validate=strict -f - >"$work/answer" 2>&1; }

scaled_object_is_ready() {
    [[ $(k get scaledobject hello -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

replicas() { k get deployment hello -o jsonpath='{.spec.replicas}'; }
has_replicas() { [[ $(replicas) == "$1" ]]; }
has_some() { (($(replicas) > 0)); }

# Writes down each number of replicas with its time in milliseconds.
start_watch() {
    : >"$work/replicas"
    # kubectl is the last command of the pipe's first part, and ends with it.
    (
        "$kubectl_bin" --namespace "$namespace" get deployment hello -w -o jsonpath='{.spec.replicas}{"\n"}' |
            while read -r number; do
                printf '%s %s\n' "$(milliseconds)" "$number" >>"$work/replicas"
            done
    ) 2>/dev/null &
    watch_pid=$!
}

stop_watch() {
    [[ $watch_pid ]] || return 0
    pkill -P "$watch_pid" 2>/dev/null || true
    wait "$watch_pid" 2>/dev/null || true
    watch_pid=
}

milliseconds() { printf '%s' $(($(date +%s%N) / 1000000)); }

# Milliseconds from $1 to the first number above none, and what they were spent on.
first_after() {
    local moment
    until_true 45 'a first replica' has_some
    until_true 5 'the watch has seen it' grep -q ' [1-9]' "$work/replicas"
    moment=$(awk '$2 > 0 {print $1; exit}' "$work/replicas")
    printf '%d ms: ' $((moment - $1))
    python3 "$here/lib/parts.py" "$1" "$moment" "http://127.0.0.1:$status_port"
}

# The numbers seen, each once in a row: 0 1 3 0.
numbers_seen() { cut -d' ' -f2 "$work/replicas" | uniq | tr '\n' ' '; }

# What GetMetrics was answered last for the ScaledObject or ScaledJob $1, by the scaler number $2, and
# why.
last_answer() {
    curl -s -H 'Host: localhost' "http://127.0.0.${2:-1}:$status_port/api/v1/scaledobjects" | python3 -c '
import json, sys
for one in json.load(sys.stdin)["value"]:
    if (one["namespace"], one["name"]) == (sys.argv[1], sys.argv[2]):
        for call in one["triggers"][-1]["calls"]:
            if call["method"] == "GetMetrics":
                print(call["answer"] or call["error"], "because", call["because"])
' "$namespace" "$1"
}

# is_now EXPECTED COMMAND...: whether that is what the command prints.
is_now() { [[ $("${@:2}") == "$1" ]]; }

# until_true SECONDS WHAT COMMAND...: polls, and fails the case at the deadline.
until_true() {
    local deadline=$((SECONDS + $1)) what=$2 limit=$1
    shift 2
    until "$@" 2>/dev/null; do
        ((SECONDS < deadline)) || fail "after $limit s, not yet: $what"
        sleep 0.1
    done
}

# Stays so for some seconds: always SECONDS WHAT COMMAND...
always() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    while ((SECONDS < deadline)); do
        "$@" || fail "not so any more: $what"
        sleep 0.3
    done
}

run_case() {
    local started=$SECONDS
    step "$1"
    next_ports
    start_ebbtide
    "case_$1"
    stop_load
    stop_watch
    k delete scaledobject,scaledjob,deployment,job,service --all --wait=true >/dev/null 2>&1
    stop_ebbtide INT
    stop_apart
    printf 'ok   %s (%d s)\n' "$1" $((SECONDS - started))
}
