#!/bin/sh
# Installs the npm packages of package-lock.json, an OpenID Connect provider, into
# DIR/node_modules once; quick when they are there already.
# Usage: fetch.sh [DIR], by default .build/open_id_provider at the top of the checkout.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/../../../.build/open_id_provider}
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if cmp -s "$here/package-lock.json" "$dir/installed"; then exit 0; fi
rm -f "$dir/installed"
cp "$here/package.json" "$here/package-lock.json" "$dir"
if ! npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund >"$dir/fetch.log" 2>&1; then
  cat "$dir/fetch.log" >&2
  echo "fetch.sh: npm could not install the OpenID Connect provider; is its registry reachable?" >&2
  exit 1
fi
cp "$here/package-lock.json" "$dir/installed"
