#!/usr/bin/env bash
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the kube-apiserver that build_kube_apiserver.sh built, with an etcd, on 127.0.0.1 and with IPv6 services.
#
#   real_kube_apiserver.sh start DIR BIN    DIR is made anew; BIN holds kube-apiserver and etcd
#   real_kube_apiserver.sh stop DIR
#
# After start, DIR holds: url, ca.crt, token (of an administrator), kubeconfig, and both logs.
# SERVICE_CIDR is the service range, by default fd12:3456:789a::/108.
set -euo pipefail

readonly RANGE=${SERVICE_CIDR:-fd12:3456:789a::/108}
readonly ADVERTISED=2001:db8::10

say() { printf 'real_kube_apiserver: %s\n' "$*" >&2; }

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port && return; }
    done
}

certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=test-ca -days 7
    openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=kube-apiserver
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 7 \
        -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost')
    openssl genrsa -out accounts.key 2048
    # Who guesses this token reaches a loopback server with no nodes behind it; still, it is made for this run only.
    openssl rand -hex 16 | tr -d '\n' >token
    printf '%s,admin,admin,system:masters\n' "$(cat token)" >tokens.csv
}

start() {
    local bin=$2 client peer port
    [ -x "$bin/kube-apiserver" ] && [ -x "$bin/etcd" ] || { say "no kube-apiserver and etcd in $bin"; exit 2; }
    bin=$(cd "$bin" && pwd)
    [ ! -e "$1/etcd.pid" ] || { say "$1 is running; stop it first"; exit 2; }
    rm -rf "$1"
    mkdir -p "$1"
    chmod 700 "$1"
    cd "$1"
    certificates >openssl.log 2>&1
    client=$(free_port) peer=$(free_port) port=$(free_port)

    "$bin/etcd" --data-dir data --unsafe-no-fsync --name one --initial-cluster "one=http://127.0.0.1:$peer" \
        --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
        >etcd.log 2>&1 </dev/null &
    echo $! >etcd.pid
    # The dual-stack gate is what lets 1.20 read and write ipFamilies. Nothing runs pods here, so no tokens for them.
    "$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$client" --bind-address 127.0.0.1 --secure-port "$port" \
        --advertise-address $ADVERTISED --service-cluster-ip-range "$RANGE" --feature-gates IPv6DualStack=true \
        --tls-cert-file server.crt --tls-private-key-file server.key --client-ca-file ca.crt \
        --token-auth-file tokens.csv --authorization-mode RBAC --allow-privileged \
        --service-account-key-file accounts.key --service-account-signing-key-file accounts.key \
        --service-account-issuer https://kubernetes.default.svc --disable-admission-plugins ServiceAccount \
        >apiserver.log 2>&1 </dev/null &
    echo $! >apiserver.pid
    printf 'https://127.0.0.1:%s' "$port" >url
    await
    kubeconfig
    say "$(cat url) serves; service range $RANGE"
}

await() {
    local deadline=$((SECONDS + 60))
    until curl -sf --cacert ca.crt -H "Authorization: Bearer $(cat token)" "$(cat url)/api/v1/namespaces/default" \
        >/dev/null; do
        kill -0 "$(cat apiserver.pid)" 2>/dev/null || { say "kube-apiserver ended:"; tail -5 apiserver.log >&2; exit 1; }
        [ $SECONDS -lt $deadline ] || { say "no answer within a minute; see $PWD/apiserver.log"; exit 1; }
        sleep 0.1
    done
}

kubeconfig() {
    (umask 077 && cat >kubeconfig <<CONF
apiVersion: v1
kind: Config
current-context: real
clusters: [{name: real, cluster: {server: "$(cat url)", certificate-authority: $PWD/ca.crt}}]
users: [{name: admin, user: {token: "$(cat token)"}}]
contexts: [{name: real, context: {cluster: real, user: admin}}]
CONF
    )
}

stop() {
    local name pid
    for name in apiserver etcd; do
        [ -f "$1/$name.pid" ] || continue
        pid=$(cat "$1/$name.pid")
        kill "$pid" 2>/dev/null || true
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
        rm -f "$1/$name.pid"
    done
}

case "${1:-}:$#" in
    start:3) start "$2" "$3" ;;
    stop:2) stop "$2" ;;
    *) say "usage: $0 start DIR BIN | stop DIR"; exit 2 ;;
esac
