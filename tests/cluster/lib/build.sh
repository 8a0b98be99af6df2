# Builds every program from its published Go module, as pinned in the go.mod files beside this folder.
# shellcheck shell=bash

version_of() { (cd "$here/$1" && go list -m -f '{{.Version}}' "$2"); }

# build FOLDER LINKER_FLAGS: all tools that FOLDER/go.mod names. What is unchanged is not linked anew.
build() {
    (
        cd "$here/$1"
        CGO_ENABLED=0 go build -ldflags="-s -w $2" -o "$bin/" tool
    ) || fail "the build of tests/cluster/$1 failed"
    step "built $1"
}

build_all() {
    local kubernetes keda package=k8s.io/component-base/version
    command -v go >/dev/null || fail 'Go 1.26 or later is needed: see https://go.dev/dl'
    mkdir -p "$bin"
    step 'building from Go modules (the first time this takes many minutes)'
    # Clients read the minor version from the API server, and builds outside of its repository lack it.
    kubernetes=$(version_of kubernetes k8s.io/kubernetes)
    keda=$(version_of keda github.com/kedacore/keda/v2)
    build kubernetes "-X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=$(
        cut -d. -f2 <<<"$kubernetes"
    )"
    build kwok ''
    build keda "-X github.com/kedacore/keda/v2/version.Version=${keda#v}"
}
