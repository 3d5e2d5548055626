#!/usr/bin/env python3
"""Writes one touchpoint straight to Kafka, as a program in any language can.

  pip install confluent-kafka protobuf==4.21.*
  protoc -I proto --python_out=/tmp/rapport $(find proto/rapport/touchpoint -name '*.proto')
  PYTHONPATH=/tmp/rapport deploy/examples/producer.py 127.0.0.1:9092 12383
"""

import hashlib
import sys
import time

from confluent_kafka import Producer
from rapport.touchpoint.v1 import common_pb2, contact_pb2, touchpoint_pb2


def event_id(source, source_event_id):
    """The id is made of the source alone, so that sending twice counts once."""
    digest = hashlib.sha256()
    for part in (source, source_event_id):
        text = part.encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    return digest.digest()[:16]


def main():
    servers, client = sys.argv[1:3]
    touchpoint = touchpoint_pb2.Touchpoint(
        client_id=client,
        channel=common_pb2.CHANNEL_PHONE,
        direction=common_pb2.DIRECTION_INBOUND,
        source="example",
        source_event_id=f"call-{time.time_ns()}",
    )
    touchpoint.event_id = event_id(touchpoint.source, touchpoint.source_event_id)
    touchpoint.occurred_at.GetCurrentTime()
    touchpoint.recorded_at.CopyFrom(touchpoint.occurred_at)
    call = touchpoint.call_completed
    call.outcome = contact_pb2.CALL_OUTCOME_ANSWERED
    call.talk_seconds = 240

    # Kafka's own clients choose a key's partition by murmur2; librdkafka has to be told.
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random",
                         "enable.idempotence": True})
    failures = []
    producer.produce(
        "touchpoints",
        key=client,
        value=touchpoint.SerializeToString(),
        headers={
            "ce_specversion": "1.0",
            "ce_id": touchpoint.source_event_id,
            "ce_source": touchpoint.source,
            "ce_type": "rapport.touchpoint.v1.CallCompleted",
            "ce_subject": client,
            "content-type": "application/protobuf",
        },
        on_delivery=lambda error, message: failures.append(error) if error else print(
            f"{message.partition()}:{message.offset()}"),
    )
    producer.flush()
    if failures:
        sys.exit(f"not written: {failures[0]}")


if __name__ == "__main__":
    main()
