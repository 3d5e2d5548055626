#!/bin/bash
# Builds Rapport and runs its tests, ending with one summary; the exit code says whether all passed.
#   --config dev|release|asan|tsan|all  default all: unit tests under the address and undefined-
#                                       behaviour sanitizers, all others on release, those with
#                                       threads under the thread sanitizer too; dev is release
#                                       with less optimisation, for quick builds
#   --only REGEX                        the tests whose names match
#   --long                              1,000 kills and 10,000 seeds in place of 200 and 200
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' tests/run.sh
}
fail() {
  echo "run.sh: $*" >&2
  exit 2
}

configs=(release asan tsan)
selection=()
long=OFF
export RAPPORT_KILLS=200 RAPPORT_SEEDS=200
while (($#)); do
  case $1 in
    --config)
      case ${2:-} in
        all) ;;
        dev | release | asan | tsan) configs=("$2") ;;
        *) fail "--config is '${2:-}'; choose dev, release, asan, tsan or all" ;;
      esac
      shift 2
      ;;
    --only)
      [[ -n ${2:-} ]] || fail "--only needs a regular expression over the names of tests"
      selection=(--tests-regex "$2" --no-tests=error)
      shift 2
      ;;
    --long)
      long=ON
      RAPPORT_KILLS=1000 RAPPORT_SEEDS=10000
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      fail "unknown argument '$1'"
      ;;
  esac
done

step() {
  local start=$SECONDS
  echo "== $1"
  shift
  "$@"
  echo "== $((SECONDS - start)) s"
}

build() {
  local config=$1 target=rapport_tests unit_tests=ON
  if [[ $config == dev || $config == release ]]; then target=all; fi
  # Each test is built once where once tells enough: those of units under the sanitizers.
  if [[ $config == release ]] && ((${#configs[@]} > 1)); then unit_tests=OFF; fi
  cmake -S . -B ".build/$config" -G Ninja -DCMAKE_BUILD_TYPE="$config" -DRAPPORT_LONG="$long" \
    -DRAPPORT_UNIT_TESTS="$unit_tests" \
    >".build/$config.configure.log" 2>&1 || {
    cat ".build/$config.configure.log" >&2
    fail "cmake could not configure $config"
  }
  NINJA_STATUS="[$config %f/%t %es] " cmake --build ".build/$config" --target "$target"
}

mkdir -p .build/check
step "packages" deploy/install.sh --tests
step "Kafka" tests/kafka/fetch.sh
step "linters" tests/deploy/fetch.sh
: >.build/check/CTestTestfile.cmake
for config in "${configs[@]}"; do
  step "build $config" build "$config"
  # One ctest over all build trees: one summary.
  echo "subdirs(\"$PWD/.build/$config\")" >>.build/check/CTestTestfile.cmake
done
echo "== tests"
ctest --test-dir .build/check --parallel "$(nproc)" --output-on-failure "${selection[@]}"
