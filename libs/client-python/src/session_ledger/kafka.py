"""Events from Kafka, with confluent-kafka: `pip install session-ledger[kafka]`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, TopicPartition

from .follow.event import FollowedEvent, parse_event
from .follow.source import FollowerStopped, Reading

_SEQUENCE = "ledger-sequence"
"""What a relay writes beside each event; records without it are not of the ledger."""
_ASK = 10.0
"""What asking Kafka may take, in seconds."""
_POLL = 0.1
"""How long one look for records waits: ending waits for it."""
_MOST = 2_000
"""Most records that are taken at once."""


class KafkaSource:
    """The ledger's topic in Kafka, read alone, without committing offsets: the position is the follower's."""

    def __init__(self, config: Mapping[str, Any], topic: str = "session-ledger.events.v1") -> None:
        """`config`: of librdkafka, such as `bootstrap.servers`, TLS and SASL."""
        self._config = {
            "enable.auto.offset.store": False,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "allow.auto.create.topics": False,
            "log_level": 0,
            **config,
            "group.id": f"session-ledger-client-{uuid4()}",
        }
        self._topic = topic
        self._ends = Ends(topic)

    async def check(self, positions: Sequence[int]) -> None:
        """Raises FollowerStopped when the topic is not the one that was followed."""
        before = self._ends.asking(positions)
        self._ends.saw(before, await asyncio.to_thread(self._bounds))

    async def read(self, reading: Reading) -> None:
        """Reads after the positions."""
        loop = asyncio.get_running_loop()
        consumer = self._open(reading.positions)
        # One thread for all that this consumer is asked: it is never asked two things at once.
        thread = ThreadPoolExecutor(1, "session-ledger-kafka")
        try:
            while True:
                events = await loop.run_in_executor(thread, self._poll, consumer)
                if events:
                    await reading.take(events)
        finally:
            thread.submit(consumer.close)
            thread.shutdown(wait=False)

    def _open(self, positions: Sequence[int]) -> Any:
        consumer: Any = Consumer(self._config)
        offsets = [self._ends.offset_of(partition, sequence) for partition, sequence in enumerate(positions)]
        consumer.assign([TopicPartition(self._topic, partition, offset) for partition, offset in enumerate(offsets)])
        return consumer

    def _poll(self, consumer: Any) -> list[FollowedEvent]:
        events: list[FollowedEvent] = []
        for message in consumer.consume(_MOST, _POLL):
            if message.error() is not None:
                raise KafkaException(message.error())
            self._ends.read(message.partition(), message.offset())
            if any(name == _SEQUENCE for name, _ in message.headers() or ()):
                events.append(parse_event(message.value() or b""))
        return events

    def _bounds(self) -> dict[int, int]:
        """Where each partition ends."""
        consumer: Any = Consumer(self._config)
        try:
            found = consumer.list_topics(self._topic, timeout=_ASK).topics[self._topic]
            if found.error is not None:
                raise KafkaException(found.error)
            return {
                partition: consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ASK)[1]
                for partition in found.partitions
            }
        finally:
            consumer.close()


class Ends:
    """Where the topic's partitions end, as far as was ever seen. They only grow, unless it is another topic."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._ends: dict[int, int] = {}
        self._begun: list[int] | None = None
        """The positions when it was asked first: later ones may be of the feed."""

    def asking(self, positions: Sequence[int]) -> dict[int, int]:
        """Called before Kafka is asked: more may be read in between."""
        if self._begun is None:
            self._begun = list(positions)
        return dict(self._ends)

    def saw(self, before: Mapping[int, int], bounds: Mapping[int, int]) -> None:
        """What Kafka answered. Raises FollowerStopped when the topic is not the one that was followed."""
        begun = self._begun or []
        if len(bounds) != len(begun):
            what = f"Kafka topic {self._topic} has {len(bounds)} partitions, the ledger {len(begun)}"
            raise FollowerStopped("partitions-changed", what)
        for partition, end in bounds.items():
            last, position = before.get(partition), begun[partition]
            if last is not None and end < last:
                raise self._anew(partition, f"ends at {end}, and ended at {last}")
            # One that ends before the position may just be behind: what it lacked then came from the feed.
            if end == 0 and last is None and position > 0:
                raise self._anew(partition, f"is empty, and the position was {position}")
            self._ends[partition] = max(self._ends.get(partition, 0), end)

    def offset_of(self, partition: int, sequence: int) -> int:
        """Where to begin to read for what comes after a sequence."""
        # What follows sequence n stands at offset n or later: repetitions only push records back.
        return min(sequence, self._ends.get(partition, sequence))

    def read(self, partition: int, offset: int) -> None:
        """A record was read."""
        self._ends[partition] = max(self._ends.get(partition, 0), offset + 1)

    def _anew(self, partition: int, what: str) -> FollowerStopped:
        message = f"partition {partition} of Kafka topic {self._topic} {what}: it was made anew, or has lost records"
        return FollowerStopped("topic-recreated", message)
