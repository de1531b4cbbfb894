#!/bin/sh
# What Session Ledger and its consumers may do in Kafka, and nothing else. Needs kafka-acls.sh on the PATH.
#   sh kafka-acls.sh kafka:9093 admin.properties
set -eu
TOPIC="${LEDGER_TOPIC:-session-ledger.events.v1}"
LEDGER="User:${LEDGER_KAFKA_USER:-session-ledger}"
CONSUMER="User:${LEDGER_KAFKA_CONSUMER:-session-ledger-consumer}"
acls() {
  kafka-acls.sh --bootstrap-server "$SERVER" --command-config "$CONFIG" --add --allow-principal "$@"
}
SERVER="$1"
CONFIG="$2"

# The ledger makes the topic, looks at its settings, and writes to it. It reads the end of each partition to go on from
# there. Describe on the cluster says how many brokers there are to copy it to.
acls "$LEDGER" --topic "$TOPIC" --operation Create --operation Describe --operation DescribeConfigs --operation Read --operation Write
acls "$LEDGER" --cluster --operation IdempotentWrite --operation Describe

# Consumers read all events of all tenants: only what is trusted with the whole ledger should be one.
acls "$CONSUMER" --topic "$TOPIC" --operation Describe --operation Read
acls "$CONSUMER" --group "${LEDGER_KAFKA_GROUP:-session-ledger-consumer}" --operation Read
