#!/usr/bin/env bash
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds a kube-apiserver to hold the emulator's Kubernetes API to, and puts an etcd beside it.
#
#   build_kube_apiserver.sh DIR      leaves DIR/bin/kube-apiserver and DIR/bin/etcd; nothing is installed on the machine
#
# Everything comes from Debian 12's archive, signatures checked: the source package kubernetes (Debian builds only
# its client), Go 1.19, etcd and reflect2. Takes about three minutes on two cores and 2 GB in DIR, which is removed
# again, bar the two programs. Does nothing when DIR holds what this script builds.
# Exits 3 when this machine cannot build it (no apt, not amd64/arm64, archive out of reach).
set -euo pipefail

readonly SUITE=bookworm
readonly MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
readonly KEYRING=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
readonly PACKAGES=(golang-1.19-go golang-1.19-src etcd-server golang-github-modern-go-reflect2-dev)

say() { printf 'build_kube_apiserver: %s\n' "$*" >&2; }
cannot() { say "cannot build here: $*"; exit 3; }

[ $# -eq 1 ] || { say "usage: $0 DIR"; exit 2; }
mkdir -p "$1"
TOP=$(cd "$1" && pwd)
readonly TOP BIN=$TOP/bin WORK=$TOP/work
readonly STAMP=$BIN/built-by
# Raise it when what is built changes.
readonly RECIPE=1

check_machine() {
    local tool
    for tool in apt-get dpkg-deb tar patch gpgv; do
        command -v "$tool" >/dev/null || cannot "$tool is not here"
    done
    [ -r "$KEYRING" ] || cannot "Debian's archive keys are not at $KEYRING (package debian-archive-keyring)"
    case $(dpkg --print-architecture) in amd64 | arm64) ;; *) cannot "neither amd64 nor arm64" ;; esac
}

# An apt of our own, so that neither the machine's sources nor its package state matter.
private_apt() {
    mkdir -p "$WORK"/apt/{lists,cache,state}/partial "$WORK"/apt/cache/archives/partial "$WORK"/{debs,source}
    printf '%s [signed-by=%s] %s %s main\n' deb "$KEYRING" "$MIRROR" $SUITE deb-src "$KEYRING" "$MIRROR" $SUITE \
        >"$WORK/apt/sources.list"
    cat >"$WORK/apt/apt.conf" <<CONF
Dir::Etc::SourceList "$WORK/apt/sources.list";
Dir::Etc::SourceParts "/nonexistent";
Dir::State "$WORK/apt/state";
Dir::State::Lists "$WORK/apt/lists";
Dir::State::status "$WORK/apt/state/status";
Dir::Cache "$WORK/apt/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    : >"$WORK/apt/state/status"
    export APT_CONFIG=$WORK/apt/apt.conf
    apt-get update -qq || cannot "$MIRROR does not answer"
}

fetch() {
    say "downloading"
    (cd "$WORK/debs" && apt-get download -qq "${PACKAGES[@]}") || cannot "packages could not be downloaded"
    (cd "$WORK/source" && apt-get source -qq --download-only kubernetes/$SUITE) || cannot "no kubernetes source"
    local deb
    for deb in "$WORK"/debs/*.deb; do dpkg-deb -x "$deb" "$WORK/root"; done
}

unpack() {
    say "unpacking"
    mkdir -p "$SOURCE"
    tar -xf "$WORK"/source/kubernetes_*.orig.tar.* --strip-components=1 -C "$SOURCE"
    tar -xf "$WORK"/source/kubernetes_*.debian.tar.* -C "$SOURCE"
    local change
    while read -r change; do
        case $change in '' | '#'*) continue ;; esac
        patch -d "$SOURCE" -p1 -s <"$SOURCE/debian/patches/$change"
    done <"$SOURCE/debian/patches/series"
    # The vendored reflect2 1.0.1 reaches into maps in a way that Go 1.18 broke: the first CRD would crash the server.
    local reflect2=$SOURCE/vendor/github.com/modern-go/reflect2
    rm -rf "$reflect2"
    mkdir "$reflect2"
    find "$WORK/root/usr/share/gocode/src/github.com/modern-go/reflect2" -maxdepth 1 \
        \( -name '*.go' -o -name '*.s' \) ! -name '*_test.go' -exec cp {} "$reflect2" \;
}

# Upstream generates the OpenAPI definitions at build time; without them there is no package to link against.
generate_openapi() {
    say "generating the OpenAPI definitions"
    go build -o "$WORK/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    local packages
    packages=$(grep -rl --include='*.go' --exclude='*_test.go' '+k8s:openapi-gen=' pkg staging/src |
        grep -vE '/(code-generator|sample-apiserver|testdata)/' | xargs -n1 dirname |
        sed -e 's#^staging/src/#vendor/#' -e 's#^#k8s.io/kubernetes/#' | LC_ALL=C sort -u | paste -sd,)
    "$WORK/openapi-gen" --logtostderr -O zz_generated.openapi -p k8s.io/kubernetes/pkg/generated/openapi \
        -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$WORK/openapi-violations" -i "$packages"
}

compile() {
    local version flags=() package
    version=v$(sed -n 's/^kubernetes (\([0-9.]*\).*/\1/p' debian/changelog | head -1)
    say "compiling kube-apiserver $version"
    for package in component-base/version client-go/pkg/version; do
        package=k8s.io/kubernetes/vendor/k8s.io/$package
        flags+=("-X $package.gitVersion=$version" "-X $package.gitMajor=1"
            "-X $package.gitMinor=$(cut -d. -f2 <<<"$version")" "-X $package.gitTreeState=clean")
    done
    go build -tags providerless -ldflags "-s -w ${flags[*]}" -o "$BIN/kube-apiserver" ./cmd/kube-apiserver
    cp "$WORK/root/usr/bin/etcd" "$BIN/etcd"
}

if [ -x "$BIN/kube-apiserver" ] && [ -x "$BIN/etcd" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$RECIPE" ]; then
    say "$BIN/kube-apiserver is up to date"
    exit 0
fi
check_machine
rm -rf "$WORK" "$BIN"
mkdir -p "$WORK" "$BIN"
readonly GOTREE=$WORK/go
readonly SOURCE=$GOTREE/src/k8s.io/kubernetes
private_apt
fetch
unpack
export GOROOT=$WORK/root/usr/lib/go-1.19 GOPATH=$GOTREE GOCACHE=$WORK/gocache GOTMPDIR=$WORK
export GO111MODULE=off GOPROXY=off GOFLAGS='' CGO_ENABLED=0
export PATH=$GOROOT/bin:$PATH
cd "$SOURCE"
generate_openapi
compile
cd "$TOP"
chmod -R u+w "$WORK"
rm -rf "$WORK"
printf '%s\n' "$RECIPE" >"$STAMP"
say "built $BIN/kube-apiserver and $BIN/etcd"
