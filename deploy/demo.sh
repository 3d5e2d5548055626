#!/bin/bash
# From a fresh Debian 12 to alerts of clients who are about to leave: installs what is missing,
# builds, plays a year of real orders and the invented contacts around them as they happened (moved
# so that they end today), printing each alert when it is raised, and then serves it all over HTTP
# until Ctrl-C. Keeps its data; a second start takes seconds.
#   deploy/demo.sh [DATA_FOLDER [HOST:PORT]]      default: .build/demo 127.0.0.1:8080
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data=${1:-.build/demo}
listen=${2:-127.0.0.1:8080}
rapport=.build/release/services/rapport/rapport

deploy/install.sh
cmake -S . -B .build/release -G Ninja -DCMAKE_BUILD_TYPE=release >/dev/null
cmake --build .build/release --target rapport
show() {
  printf '\n$ rapport %s\n' "$*"
  "$rapport" --data "$data" "$@"
}

# A first start that was cut off has no mark: the import is done again, and nothing counts twice.
if [[ ! -e $data/demo-imported ]]; then
  show import deploy/import/online_retail_sample.csv.gz deploy/import/story.ndjson.gz \
    --map deploy/import/online_retail.textproto --as-it-happened --shift-to-now --show-alerts
  touch "$data/demo-imported"
fi
show at-risk --limit 15
show client show 18073
printf '\n$ rapport up\n'
exec "$rapport" --data "$data" up --listen "$listen"
