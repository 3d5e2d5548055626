#!/bin/bash
# From a fresh Debian 12 to alerts of clients who are about to leave: installs what is missing,
# builds, says who works here, plays a year of real orders and the invented contacts around them as
# they happened (moved so that they end today), printing each alert when it is raised, and then
# serves it all over HTTP until Ctrl-C. Nobody is asked who they are: staff have no passwords until
# they are invited. Keeps its data; a second start takes seconds.
#   deploy/demo.sh [DATA_FOLDER [HOST:PORT]]      default: .build/demo 127.0.0.1:8080
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data=${1:-.build/demo}
listen=${2:-127.0.0.1:8080}
rapport=.build/release/services/rapport/rapport

# One line that says how long the rest takes, told from what is done; all else that the build says,
# too.
build() {
  local finished total elapsed rest
  NINJA_STATUS='%f %t %e ' cmake --build .build/release --target rapport 2>&1 |
    while read -r finished total elapsed rest; do
      if [[ $elapsed =~ ^([0-9]+)\.[0-9]+$ && $finished -gt 0 ]]; then
        printf '\rBuilding: %3d %%, about %d min left  ' $((finished * 100 / total)) \
          $(((BASH_REMATCH[1] * (total - finished) / finished + 59) / 60))
      else
        printf '\n%s' "$finished $total $elapsed $rest"
      fi
    done
  echo
}

echo "From nothing to the first alert takes about $((22 / $(nproc) + 1)) minutes here."
deploy/install.sh
cmake -S . -B .build/release -G Ninja -DCMAKE_BUILD_TYPE=release >/dev/null
build
show() {
  printf '\n$ rapport %s\n' "$*"
  "$rapport" --data "$data" "$@"
}

# A first start that was cut off has no mark: the import is done again, and nothing counts twice.
if [[ ! -e $data/demo-imported ]]; then
  show staff import deploy/import/staff.csv
  show import deploy/import/online_retail_sample.csv.gz deploy/import/story.ndjson.gz \
    --map deploy/import/online_retail.textproto --as-it-happened --shift-to-now --show-alerts
  touch "$data/demo-imported"
fi
show at-risk --limit 15
show client show 18073
# Plans are set in a running one: as soon as it is up.
if [[ ! -e $data/demo-planned ]]; then
  deploy/import/targets.sh >"$data/targets.csv"
  (
    until "$rapport" --data "$data" targets import "$data/targets.csv" >/dev/null 2>&1; do
      sleep 1
    done
    touch "$data/demo-planned"
  ) &
fi
printf '\n$ rapport up\nThe console is at http://%s/ as soon as it is up: whom to call today, and why.\n' "$listen"
exec "$rapport" --data "$data" up --listen "$listen" \
  --set kpi.bonus_schemes_file=deploy/import/bonus.textproto
