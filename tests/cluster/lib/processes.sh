# Processes are known by their id and start time, so that an id which the system has given to another
# process since is never taken for ours.
# shellcheck shell=bash

# In start order; `down` ends them in reverse.
processes=(
    etcd
    kube-apiserver
    kube-controller-manager
    kube-scheduler
    kwok
    keda-operator
    keda-adapter
)

# Field 22 of /proc/PID/stat; the second one, the command, may contain blanks and parentheses.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 != Z ]] && printf '%s\n' "${20}"
}

is_running() {
    local pid started
    read -r pid started 2>/dev/null <"$pids/$1" || return 1
    [[ $(start_time "$pid") == "$started" ]]
}

# launch NAME COMMAND...: runs it in a session of its own, so that no terminal or job control ends it.
launch() {
    local name=$1
    shift
    setsid "$@" </dev/null >"$logs/$name.log" 2>&1 &
    local pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$pids/$name"
    disown "$pid"
}

running_processes() {
    local name
    for name in "${processes[@]}"; do
        ! is_running "$name" || printf '%s\n' "$name"
    done
}

signal() {
    local pid
    is_running "$1" || return 0
    read -r pid _ <"$pids/$1"
    kill "-$2" "$pid" 2>/dev/null || true
}

ended_within() {
    local deadline=$((SECONDS + $2))
    while is_running "$1"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

end_process() {
    local name=$1
    signal "$name" TERM
    if ! ended_within "$name" 10; then
        step "$name does not end when told to; killing it"
        signal "$name" KILL
        ended_within "$name" 10 || fail "$name cannot be ended"
    fi
    rm -f "$pids/$name"
}

end_all() {
    local index
    # The clients of the API server at once; the rest one after the other, each after its clients.
    for ((index = ${#processes[@]} - 1; index > 1; index--)); do
        signal "${processes[index]}" TERM
    done
    for ((index = ${#processes[@]} - 1; index >= 0; index--)); do
        end_process "${processes[index]}"
    done
}
