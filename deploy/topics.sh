#!/bin/bash
# Makes the topics of Rapport on a Kafka cluster, with Kafka's own tool: what an administrator runs
# where the services themselves may not make topics. Topics that exist are left as they are.
#   deploy/topics.sh BOOTSTRAP [PARTITIONS] [REPLICAS] [PREFIX]     default: 12 1 ""
# KAFKA_TOPICS names the tool (default kafka-topics.sh); KAFKA_COMMAND_CONFIG a file with its TLS
# and SASL settings.
set -euo pipefail
if (($# < 1 || $# > 4)); then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
bootstrap=$1 partitions=${2:-12} replicas=${3:-1} prefix=${4:-}
tool=("${KAFKA_TOPICS:-kafka-topics.sh}" --bootstrap-server "$bootstrap")
[[ -z ${KAFKA_COMMAND_CONFIG:-} ]] || tool+=(--command-config "$KAFKA_COMMAND_CONFIG")
# A majority, so that losing fewer copies loses nothing that was acknowledged.
in_sync=$((replicas / 2 + 1))

create() {
  local name=$1 count=$2
  # The log is the truth: nothing is ever deleted from it.
  "${tool[@]}" --create --if-not-exists --topic "$prefix$name" --partitions "$count" \
    --replication-factor "$replicas" --config retention.ms=-1 \
    --config "min.insync.replicas=$in_sync" --config max.message.bytes=1049152
}
# Alerts have as many partitions as touchpoints, so that a client's stay in order.
create touchpoints "$partitions"
create alerts "$partitions"
create rejected "$partitions"
create sources "$partitions"
# Whoever owns its one partition is the clock; or tells histories anew; or delivers the web hooks;
# or sends the mails.
create clock 1
create history 1
create web-hooks 1
create mail 1
# Who works here, who may come in, and who did what: each is one order of changes.
create organisation 1
create access 1
create audit 1
