#!/bin/bash
# Builds Rapport and runs its tests, ending with one summary; the exit code says whether all passed.
#   --config dev|release|asan|tsan|all  default all: unit tests under the address and undefined-
#                                       behaviour sanitizers, all others on release, those with
#                                       threads under the thread sanitizer too; dev is release
#                                       with less optimisation, for quick builds
#   --only REGEX                        the tests whose names match
#   --long                              1,000 kills and 10,000 seeds in place of 100 and 100
#   --clean-root [FOLDER]               deploy/demo.sh up to its first alert, and all of this, in a
#                                       bare Debian 12 that is made in FOLDER (default: a temporary
#                                       one, removed afterwards), as root; prints both times
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
export RAPPORT_KILLS=100 RAPPORT_SEEDS=100
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
    --clean-root)
      shift
      exec tests/deploy/clean_root.sh "$@"
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

steps=
step() {
  local start=$SECONDS
  echo "== $1"
  "${@:2}"
  echo "== $((SECONDS - start)) s"
  steps+=$(printf '%7d s  %s' $((SECONDS - start)) "$1")$'\n'
}

configure() {
  local config=$1 unit_tests=ON
  # Each test is built once where once tells enough: those of units under the sanitizers.
  if [[ $config == release ]] && ((${#configs[@]} > 1)); then unit_tests=OFF; fi
  cmake -S . -B ".build/$config" -G Ninja -DCMAKE_BUILD_TYPE="$config" -DRAPPORT_LONG="$long" \
    -DRAPPORT_UNIT_TESTS="$unit_tests" \
    >".build/$config.configure.log" 2>&1 || {
    cat ".build/$config.configure.log" >&2
    fail "cmake could not configure $config"
  }
}

build() {
  local target=rapport_tests
  if [[ $1 == dev || $1 == release ]]; then target=all; fi
  NINJA_STATUS="[$1 %f/%t %es] " cmake --build ".build/$1" --target "$target"
}

# Many tests wait most of their time, for brokers and time-outs. So only the first configuration is
# built before the tests; the others are built by a test of their own, beside those that need no
# more than the first. One ctest over all build trees: one summary.
check() {
  local config before=
  mkdir -p .build/check
  for config in "${configs[@]}"; do
    if [[ $config != "${configs[0]}" ]]; then
      echo "add_test($config/build cmake --build \"$PWD/.build/$config\" --target rapport_tests)"
      echo "set_tests_properties($config/build PROPERTIES FIXTURES_SETUP ${config}_built" \
        "DEPENDS \"$before\" PROCESSORS $(nproc) COST 100000 TIMEOUT 5400)"
      before=$config/build
    fi
    echo "subdirs(\"$PWD/.build/$config\")"
  done >.build/check/CTestTestfile.cmake
  ctest --test-dir .build/check --parallel $(($(nproc) + 1)) --output-on-failure "${selection[@]}"
}

# The times of the steps, and of the longest tests, before ctest's closing lines.
with_times() {
  awk -v steps="$1" '
    /^[0-9]+% tests passed/ { closing = 1 }
    closing { rest = rest $0 "\n"; next }
    { print; fflush() }
    match($0, /[0-9.]+ sec *$/) && match($0, /: [^ ]+ \.+/) {
      name = substr($0, RSTART + 2); sub(/ .*/, "", name); time[name] = $(NF - 1)
    }
    END {
      printf "\n== The times of the steps, and of the longest tests\n%s", steps
      for (shown = 0; shown < 15; ++shown) {
        longest = ""
        for (name in time) if (longest == "" || time[name] + 0 > time[longest] + 0) longest = name
        if (longest == "") break
        printf "%7d s  %s\n", time[longest], longest
        delete time[longest]
      }
      printf "\n%s", rest
    }'
}

step "packages" deploy/install.sh --tests
mkdir -p .build
step "Kafka" tests/kafka/fetch.sh
step "linters" tests/deploy/fetch.sh
step "OpenID provider" tests/support/open_id_provider/fetch.sh
for config in "${configs[@]}"; do configure "$config"; done
step "build ${configs[0]}" build "${configs[0]}"
echo "== tests"
check | with_times "$steps"
