"""What tests do to a topic."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient


def delete_first(brokers: str, topic: str, partition: int, count: int) -> None:
    """As a retention set by mistake would."""
    admin: Any = AdminClient({"bootstrap.servers": brokers})
    for future in admin.delete_records([TopicPartition(topic, partition, count)]).values():
        future.result(20)


def delete_topic(brokers: str, topic: str) -> None:
    admin: Any = AdminClient({"bootstrap.servers": brokers})
    for future in admin.delete_topics([topic]).values():
        future.result(20)


def produce(brokers: str, topic: str, partition: int, values: list[Any], *, ours: bool = True) -> None:
    producer: Any = Producer({"bootstrap.servers": brokers})
    for value in values:
        headers = [("ledger-sequence", b"1")] if ours else []
        text = value if isinstance(value, str) else json.dumps(value)
        producer.produce(topic, partition=partition, value=text, headers=headers)
    assert producer.flush(20) == 0
