# Certificates and kubeconfigs, made anew each time the cluster comes up.
# shellcheck shell=bash

make_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

make_authority() {
    make_key "$pki/$1.key"
    openssl req -x509 -new -key "$pki/$1.key" -out "$pki/$1.crt" -days 7 -config <(
        printf '[req]\nprompt=no\ndistinguished_name=name\nx509_extensions=authority\n'
        printf '[name]\nCN=ebbtide-tests-%s\n' "$1"
        printf '[authority]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n'
    )
}

# make_certificate NAME AUTHORITY SUBJECT USAGES [NAMES]
make_certificate() {
    local name=$1 authority=$2 subject=$3 usages=$4 names=${5:-}
    make_key "$pki/$name.key"
    openssl req -new -key "$pki/$name.key" -subj "$subject" |
        openssl x509 -req -CA "$pki/$authority.crt" -CAkey "$pki/$authority.key" -days 7 \
            -out "$pki/$name.crt" 2>/dev/null -extfile <(
                printf 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n'
                printf 'extendedKeyUsage=%s\n%s\n' "$usages" "${names:+subjectAltName=$names}"
            )
}

# make_client NAME SUBJECT FILE: a kubeconfig for the user (CN) and groups (O) that SUBJECT names.
make_client() {
    make_certificate "$1" ca "$2" clientAuth
    cat >"$3" <<YAML
apiVersion: v1
kind: Config
current-context: ebbtide-tests
contexts:
- {name: ebbtide-tests, context: {cluster: ebbtide-tests, user: $1}}
clusters:
- name: ebbtide-tests
  cluster:
    server: https://127.0.0.1:$api_port
    certificate-authority-data: $(base64 -w 0 "$pki/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w 0 "$pki/$1.crt")
    client-key-data: $(base64 -w 0 "$pki/$1.key")
YAML
}

make_pki() {
    local accounts=system:serviceaccounts adapter=keda-metrics-apiserver.keda
    mkdir -p "$pki/keda" "$kubeconfigs"
    make_authority ca
    # An authority of its own, since whoever holds a certificate of it may speak for any user.
    make_authority front-proxy-ca
    make_certificate apiserver ca /CN=kube-apiserver serverAuth \
        "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default,DNS:kubernetes.default.svc"
    make_certificate front-proxy front-proxy-ca /CN=front-proxy clientAuth
    make_key "$pki/service-account.key"
    openssl pkey -in "$pki/service-account.key" -pubout -out "$pki/service-account.pub"

    # KEDA looks for files of these names. Its operator and its adapter share the certificate, and the
    # API server expects the name of the Service at the adapter.
    make_certificate keda/tls ca /CN=keda serverAuth,clientAuth \
        "IP:127.0.0.1,DNS:localhost,DNS:$adapter,DNS:$adapter.svc"
    cp "$pki/ca.crt" "$pki/keda/ca.crt"

    make_client admin /O=system:masters/CN=admin "$kubeconfig"
    make_client kwok /O=system:masters/CN=kwok "$kubeconfigs/kwok"
    for name in kube-controller-manager kube-scheduler; do
        make_client "$name" "/CN=system:$name" "$kubeconfigs/$name"
    done
    # With the rights of KEDA's service account only, as on a real cluster.
    make_client keda-operator "/O=$accounts/O=$accounts:keda/CN=system:serviceaccount:keda:keda-operator" \
        "$kubeconfigs/keda-operator"
}
