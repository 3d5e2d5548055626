#!/bin/bash
# Prints all figures: builds release and runs the benchmarks one after the other.
# Ratios are against ceilings measured in the same run, since machines differ and are noisy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

deploy/install.sh --tests
tests/kafka/fetch.sh
cmake -S . -B .build/release -G Ninja -DCMAKE_BUILD_TYPE=release >/dev/null
cmake --build .build/release --target \
  embedded_log_bench fold_bench memory_bench read_bench ingest_bench alerts_bench kafka_log_bench \
  identifier_bench telephony_bench mail_bench mail_delivery_bench source_file_bench \
  sources_bench search_bench changes_bench portfolio_bench kill_test kill_child \
  services_on_kafka_test rapport

section() { printf '\n== %s\n' "$1"; }
# figures PATTERN COMMAND...: the lines of its output that match; all of it when it fails.
figures() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) || {
    printf '%s\n' "$output" >&2
    return 1
  }
  grep -- "$pattern" <<<"$output"
}
# Processor time of a process so far, in ticks; its name may contain spaces.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{print $12 + $13}'; }
# Of Google Benchmark: the names that match, and how many in a second.
rates() {
  local pattern=$1
  shift
  figures "$pattern" "$@" --benchmark_counters_tabular=false |
    sed -E 's#^([^ ]+) .*items_per_second=([0-9.]+)([kM]?)/s.*#\1: \2\3/s#'
}
# Files that are followed, a mailbox and a web hook, of which nothing comes.
quiet_sources() {
  local folder=$1
  mkdir -p "$folder"/mail/{new,cur,tmp}
  touch "$folder/Master.csv" "$folder/queue_log"
  printf 12345 >"$folder/token"
  chmod 400 "$folder/token"
  cat <<END
sources {
  sources { name: "pbx" asterisk_cdr { path: "$folder/Master.csv" } }
  sources { name: "queues" system: "pbx" asterisk_queue_log { path: "$folder/queue_log" } }
  sources { name: "desk" maildir { path: "$folder/mail" } }
  sources { name: "twilio" twilio { token_file: "$folder/token" } }
}
END
}
# Memory and processor time of `rapport up` while nothing happens but the clock.
at_rest() (
  rapport=services/rapport/rapport import=../../deploy/import seconds=20 process=
  data=$(mktemp -d)
  trap '[[ -z $process ]] || { kill "$process" && wait "$process"; } || true; rm -rf "$data"' EXIT
  figures "touchpoints of" "$rapport" --data "$data" import "$import/online_retail_sample.csv.gz" \
    --map "$import/online_retail.textproto"
  quiet_sources "$data/sources" >"$data/up.textproto"
  "$rapport" --data "$data" up --config "$data/up.textproto" --listen 127.0.0.1:0 \
    >"$data/up.log" 2>&1 &
  process=$!
  until address=$(grep -om1 'http://[0-9.:]*' "$data/up.log") &&
    curl --silent --fail --output /dev/null "$address/readyz"; do
    kill -0 "$process" || {
      cat "$data/up.log" >&2
      exit 1
    }
    sleep 0.1
  done
  # What the start has begun in the background ends.
  sleep 5
  before=$(ticks "$process")
  sleep "$seconds"
  after=$(ticks "$process")
  awk -v share="$((after - before)) $(getconf CLK_TCK) $seconds" '/^VmRSS/ {
    split(share, of, " ")
    printf "%.0f MiB resident, %.1f %% of a core over %d s\n",
      $2 / 1024, 100 * of[1] / of[2] / of[3], of[3]
  }' "/proc/$process/status"
)
cd .build/release
section "machine"
nproc | sed 's/$/ cores/'
grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'
section "embedded log: append and read"
libs/event_log/embedded/embedded_log_bench
section "retention over the embedded log: live fold and rebuild"
tests/bench/fold_bench
section "memory"
tests/bench/memory_bench
section "ingest over HTTP"
services/ingest/ingest_bench
section "touchpoint on disk to alert on the stream; idle subscribers"
services/alerts/alerts_bench
section "reads of clients beside the fold"
tests/bench/read_bench
section "search and lists of clients"
tests/bench/search_bench
section "202 to the event on the stream of changes"
tests/bench/changes_bench

section "portfolios of a million clients"
tests/bench/portfolio_bench
section "mails: the digests of 10,000 people, and urgent ones"
tests/bench/mail_delivery_bench
section "reopening after kill -9"
figures "start of the process" tests/faults/kill_test
section "rapport up at rest, the sample loaded and four sources quiet"
at_rest
section "identifier look-ups, a million known"
rates '^LookUp' libs/sources/identifier_bench
section "calls of a CDR file: parsed and put together"
libs/telephony/telephony_bench
section "mails: parsed and mapped, beside reading their bytes"
rates '^BM_' libs/mail/mail_bench
section "imports of calls and mails, to disk"
libs/sources/source_file_bench
section "from a source to the timeline of its client; merges"
tests/bench/sources_bench
section "services on Kafka, each killed in turn and started again"
figures "answers complete" tests/integration/services_on_kafka_test
section "Kafka: reading"
libs/event_log/kafka/kafka_log_bench
section "the console in a browser; 100,000 clients"
RAPPORT_BINARY=$PWD/services/rapport/rapport RAPPORT_DEPLOY_FOLDER=$PWD/../../deploy \
  RAPPORT_CONSOLE_FOLDER=$PWD/console RAPPORT_PICTURES=$PWD/tests/console/pictures \
  figures '^[^ ].*: ' node ../../tests/bench/console_bench.mjs
