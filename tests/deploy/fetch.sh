#!/bin/sh
# Installs the linters of requirements.txt into a virtual environment, and Prometheus' promtool from
# its Debian package (unpacked: installing it would start a server), in .build/linters at the top of
# the checkout by default; quick when they are there already.
# Usage: fetch.sh [DIR]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/../../.build/linters}
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if cmp -s "$here/requirements.txt" "$dir/requirements.txt"; then exit 0; fi
python3 -m venv --clear "$dir/venv"
if ! "$dir/venv/bin/pip" --disable-pip-version-check -q install -r "$here/requirements.txt" \
    >"$dir/fetch.log" 2>&1; then
  cat "$dir/fetch.log" >&2
  echo "fetch.sh: pip could not install the linters; is the package index reachable?" >&2
  exit 1
fi
cd "$dir"
if ! { apt-get -q download prometheus && dpkg -x prometheus_*.deb promtool; } \
    >"$dir/fetch.log" 2>&1; then
  cat "$dir/fetch.log" >&2
  echo "fetch.sh: could not download the package prometheus; try apt-get update" >&2
  exit 1
fi
rm -f prometheus_*.deb
ln -sf ../../promtool/usr/bin/promtool venv/bin/promtool
cp "$here/requirements.txt" "$dir/requirements.txt"
