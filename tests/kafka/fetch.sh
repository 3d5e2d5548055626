#!/bin/sh
# Resolves the jars of Apache Kafka (pom.xml) into DIR/lib once; quick when they are there already.
# Usage: fetch.sh [DIR], by default .build/kafka at the top of the checkout.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/../../.build/kafka}
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if cmp -s "$here/pom.xml" "$dir/pom.xml"; then exit 0; fi
rm -rf "${dir:?}/lib"
if ! mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$dir/lib" >"$dir/fetch.log" 2>&1; then
  cat "$dir/fetch.log" >&2
  echo "fetch.sh: Maven could not resolve Apache Kafka; is the package index reachable?" >&2
  exit 1
fi
cp "$here/pom.xml" "$dir/pom.xml"
