#!/bin/bash
# From a fresh Debian 12 to clients who are about to leave: installs what is missing, builds,
# imports a year of real orders as it happened (moved so that it ends today), shows who is at risk
# and why, and proves the state by folding everything again. Keeps its data; a second start takes
# seconds.
#   deploy/demo.sh [DATA_FOLDER]      default: .build/demo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data=${1:-.build/demo}

deploy/install.sh
cmake -S . -B .build/release -G Ninja -DCMAKE_BUILD_TYPE=release >/dev/null
cmake --build .build/release --target rapport
rapport() { .build/release/services/rapport/rapport --data "$data" "$@"; }
show() {
  printf '\n$ rapport %s\n' "$*"
  rapport "$@"
}

# A first start that was cut off has no mark: the import is done again, and nothing counts twice.
if [[ ! -e $data/demo-imported ]]; then
  show import deploy/import/online_retail_sample.csv.gz \
    --map deploy/import/online_retail.textproto --as-it-happened --shift-to-now
  touch "$data/demo-imported"
fi
show alerts --open | head -n 40
show at-risk | head -n 40
show verify retention
printf '\nYour turn: %s --data %s --help\n' .build/release/services/rapport/rapport "$data"
