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
  kill_test kill_child rapport

section() { printf '\n== %s\n' "$1"; }
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
section "reopening after kill -9"
tests/faults/kill_test | grep "start of the process"
section "Kafka: reading"
libs/event_log/kafka/kafka_log_bench
